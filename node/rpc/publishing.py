"""One stream of releases: read ahead while earlier ones become durable, and answer in order."""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future

from exchange.v1 import desk_service_pb2
from node.operations.release import NotReleased, Prepared

AHEAD = 4
"""Messages under way: enough for the sequencer never to wait for the wire, few enough that a stream holds little."""
_LOOK_AGAIN_SECONDS = 0.5

Prepare = Callable[[Sequence[desk_service_pb2.Draft], str], Sequence[Prepared | NotReleased]]
Submit = Callable[[Sequence[Prepared | NotReleased]], Future[list[desk_service_pb2.PublishedAlert]]]
_UnderWay = Future[list[desk_service_pb2.PublishedAlert]] | Exception | None


def publish(
    requests: Iterator[desk_service_pb2.PublishAlertsRequest], prepare: Prepare, submit: Submit, is_active: Callable[[], bool]
) -> Iterator[desk_service_pb2.PublishAlertsResponse]:
    """Prepare and submit each message as it arrives, and yield one response for each, in order, once it is durable.

    What a message raises is raised in its turn, after the answers of all before it.
    """
    under_way: queue.Queue[_UnderWay] = queue.Queue()
    room = threading.Semaphore(AHEAD)

    def read() -> None:
        try:
            for request in requests:
                while not room.acquire(timeout=_LOOK_AGAIN_SECONDS):
                    if not is_active():
                        return
                under_way.put(submit(prepare(request.drafts, request.reason)))
        except Exception as error:  # noqa: BLE001 - whatever it is, the thread that answers raises it
            under_way.put(error)
        finally:
            under_way.put(None)

    threading.Thread(target=read, name="publish", daemon=True).start()
    while (item := under_way.get()) is not None:
        if isinstance(item, Exception):
            raise item
        yield desk_service_pb2.PublishAlertsResponse(alerts=item.result())
        room.release()
