"""The one thread that gives releases their place in the logs: it takes all that waits into one transaction, with no timer."""

import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future

from exchange.v1 import desk_service_pb2
from node.operations.release import NotReleased, Prepared
from node.operations.sequence import sequence
from node.ports import Ports
from node.telemetry.logging import logger

Release = Prepared | NotReleased
_AT_ONCE = 256
_QUEUED = 64


class Sequencer:
    """A queue and a thread. What is queued when the process dies was never answered, and is sent again by the caller."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._queue: queue.Queue[tuple[Sequence[Release], Future[list[desk_service_pb2.PublishedAlert]]] | None] = queue.Queue(_QUEUED)
        self._thread = threading.Thread(target=self._run, name="sequencer")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what is queued, then end."""
        self._queue.put(None)
        self._thread.join()

    def submit(self, items: Sequence[Release]) -> Future[list[desk_service_pb2.PublishedAlert]]:
        """Queue releases; the future holds their answers, in order, once they are durable. Blocks while the queue is full."""
        future: Future[list[desk_service_pb2.PublishedAlert]] = Future()
        self._queue.put((items, future))
        return future

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            taken = [first]
            last = False
            while sum(len(items) for items, _ in taken) < _AT_ONCE and not self._queue.empty():
                following = self._queue.get_nowait()
                if following is None:
                    last = True
                    break
                taken.append(following)
            self._release(taken)
            if last:
                return

    def _release(self, taken: list[tuple[Sequence[Release], Future[list[desk_service_pb2.PublishedAlert]]]]) -> None:
        try:
            answers = iter(sequence(self._ports, [item for items, _ in taken for item in items]))
        except Exception as error:  # noqa: BLE001 - whoever waits must be told, whatever it is; nothing was stored
            logger().error("release failed", error=type(error).__name__)
            for _, future in taken:
                future.set_exception(error)
            return
        for items, future in taken:
            future.set_result([next(answers) for _ in items])
