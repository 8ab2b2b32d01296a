"""One stream of releases: read ahead while earlier ones become durable, and answer in order."""

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future

from exchange.v1 import desk_service_pb2

AHEAD = 256
"""Drafts under way: several times what the sequencer takes at once, and few enough that a stream holds little."""
_LOOK_AGAIN_SECONDS = 0.5

Submit = Callable[[desk_service_pb2.PublishAlertsRequest], Future[list[desk_service_pb2.PublishedAlert]]]
_UnderWay = Future[list[desk_service_pb2.PublishedAlert]] | Exception | None


class _Room:
    """So much that may be under way; one thread takes of it, another gives it back."""

    def __init__(self, size: int) -> None:
        self._free = size
        self._changed = threading.Condition()

    def take(self, size: int, seconds: float) -> bool:
        """Take that much, once it is there; False if it is not within `seconds`."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._free >= size, seconds):
                return False
            self._free -= size
            return True

    def give(self, size: int) -> None:
        """Give that much back."""
        with self._changed:
            self._free += size
            self._changed.notify()


def publish(
    requests: Iterator[desk_service_pb2.PublishAlertsRequest], submit: Submit, is_active: Callable[[], bool]
) -> Iterator[desk_service_pb2.PublishAlertsResponse]:
    """Submit each message as it arrives, and yield one response for each, in order, once it is durable.

    What a message raises is raised in its turn, after the answers of all before it.
    """
    under_way: queue.Queue[_UnderWay] = queue.Queue()
    room = _Room(AHEAD)
    sizes: deque[int] = deque()

    def read() -> None:
        try:
            for request in requests:
                # An empty message takes room as well, and a huge one no more than there is.
                size = min(max(len(request.drafts), 1), AHEAD)
                while not room.take(size, _LOOK_AGAIN_SECONDS):
                    if not is_active():
                        return
                sizes.append(size)
                under_way.put(submit(request))
        except Exception as error:  # noqa: BLE001 - whatever it is, the thread that answers raises it
            under_way.put(error)
        finally:
            under_way.put(None)

    threading.Thread(target=read, name="publish", daemon=True).start()
    while (item := under_way.get()) is not None:
        if isinstance(item, Exception):
            raise item
        yield desk_service_pb2.PublishAlertsResponse(alerts=item.result())
        room.give(sizes.popleft())
