"""The one thread that gives releases their place in the logs: it takes all that waits into one transaction, with no timer.

It also makes ready what officers publish. Threads that did so beside it would fight with it for the interpreter, which it lets go at each
statement of a transaction and then waits for; and what comes meanwhile in many small messages is made ready in one go.
"""

import queue
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import groupby

from exchange.v1 import desk_service_pb2
from node.operations.control_drafts import prepare_all
from node.operations.release import NotReleased, Prepared
from node.operations.sequence import sequence
from node.ports import Ports
from node.telemetry.logging import logger

Release = Prepared | NotReleased
Answers = list[desk_service_pb2.PublishedAlert]
_AT_ONCE = 64
"""Alerts of one turn: as many as go in one batch; more would only keep them waiting longer."""
_QUEUED = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    """What somebody wants released: ready, or drafts that are still to be made ready."""

    items: Sequence[Release] = ()
    person: str = ""
    request: desk_service_pb2.PublishAlertsRequest | None = None
    answer: Future[Answers] = field(default_factory=Future)

    @property
    def size(self) -> int:
        return len(self.items) if self.request is None else len(self.request.drafts)


def _alike(waiting: _Waiting) -> tuple[object, ...]:
    """What messages must have in common to be made ready together: then who may not release one of them may release none."""
    request = waiting.request
    if request is None:
        return (id(waiting),)
    return (waiting.person, request.reason, request.urgent, frozenset(draft.alert_type for draft in request.drafts))


class Sequencer:
    """A queue and a thread. What is queued when the process dies was never answered, and is sent again by the caller."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._queue: queue.Queue[_Waiting | None] = queue.Queue(_QUEUED)
        self._thread = threading.Thread(target=self._run, name="sequencer")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what is queued, then end."""
        self._queue.put(None)
        self._thread.join()

    def submit(self, items: Sequence[Release]) -> Future[Answers]:
        """Queue releases; the future holds their answers, in order, once they are durable. Blocks while the queue is full."""
        return self._enqueue(_Waiting(items=items))

    def publish(self, person: str, request: desk_service_pb2.PublishAlertsRequest) -> Future[Answers]:
        """Queue the drafts that `person` (a SPIFFE ID) wants to release; the future as for `submit`, or as `prepare_all` raises."""
        return self._enqueue(_Waiting(person=person, request=request))

    def _enqueue(self, waiting: _Waiting) -> Future[Answers]:
        self._queue.put(waiting)
        return waiting.answer

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            with self._ports.store.work.held():
                taken, last = self._take(first)
                self._release([ready for _, alike in groupby(taken, key=_alike) for ready in self._ready(list(alike))])
            if last:
                return

    def _take(self, first: _Waiting) -> tuple[list[_Waiting], bool]:
        """With `first`, what else waits by now, and whether it is the last."""
        taken, size = [first], first.size
        while size < _AT_ONCE and not self._queue.empty():
            following = self._queue.get_nowait()
            if following is None:
                return taken, True
            taken.append(following)
            size += following.size
        return taken, False

    def _ready(self, taken: Sequence[_Waiting]) -> Iterator[tuple[_Waiting, Sequence[Release]]]:
        first = taken[0].request
        if first is None:
            yield from ((waiting, waiting.items) for waiting in taken)
            return
        drafts = [draft for waiting in taken if waiting.request for draft in waiting.request.drafts]
        try:
            items = iter(prepare_all(self._ports, taken[0].person, drafts, first.reason, urgent=first.urgent))
        except Exception as error:  # noqa: BLE001 - whoever waits must be told, whatever it is; nothing was stored
            for waiting in taken:
                waiting.answer.set_exception(error)
            return
        yield from ((waiting, [next(items) for _ in range(waiting.size)]) for waiting in taken)

    def _release(self, taken: Sequence[tuple[_Waiting, Sequence[Release]]]) -> None:
        if not taken:
            return
        try:
            answers = iter(sequence(self._ports, [item for _, items in taken for item in items]))
        except Exception as error:  # noqa: BLE001 - as above
            logger().error("release failed", error=type(error).__name__)
            for waiting, _ in taken:
                waiting.answer.set_exception(error)
            return
        for waiting, items in taken:
            waiting.answer.set_result([next(answers) for _ in items])
