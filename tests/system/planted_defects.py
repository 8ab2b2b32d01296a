"""Defects planted into a node process, to show that the checks find them: each undoes one promise by wrapping what keeps it.

The node's own code stays as it is.
"""

import os
import queue
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Any

from exchange.v1 import desk_service_pb2, manifest_pb2, statement_pb2
from exchange.v1 import exchange_service_pb2 as messages
from node.operations import contents, deliver, fetch, receive
from node.store import alerts
from node.store.engine import Store
from node.workers import subscriptions
from tests.system.labelled_node import wrap

if TYPE_CHECKING:
    from tests.system.labelled_node import Plan

_LONG_ENOUGH_SECONDS = 0.5
"""For what was sent too early to arrive before the transaction ends."""


def plant(plan: "Plan") -> None:
    """Plant the defects that the plan names."""
    for name in plan.defects:
        _DEFECTS[name](plan)


def _receipt_before_commit(plan: "Plan") -> None:
    sign_receipt = receive._receipt
    queues: list[queue.Queue[messages.SubscribeRequest]] = []

    class RememberedQueue(queue.Queue[messages.SubscribeRequest]):
        def __init__(self, size: int = 0) -> None:
            super().__init__(size)
            queues.append(self)

    def send_at_once(*arguments: Any) -> statement_pb2.Statement | None:
        receipt = sign_receipt(*arguments)
        if receipt is not None:
            plan.note("receipt", receipt.SerializeToString())
            queues[-1].put(messages.SubscribeRequest(receipt=receipt))
            time.sleep(_LONG_ENOUGH_SECONDS)
        return receipt

    # The subscription's module gets a queue module of its own, whose queues are remembered.
    remembering = ModuleType("queue")
    remembering.__dict__.update({**vars(queue), "Queue": RememberedQueue})
    vars(subscriptions)["queue"] = remembering
    vars(receive)["_receipt"] = send_at_once


def _answer_before_commit(_plan: "Plan") -> None:
    def answer_at_once(frames: dict[str, dict[str, Any]], _connection: Any) -> None:
        answers: Iterator[desk_service_pb2.PublishedAlert] = iter(frames["sequence"]["answers"])
        for waiting, items in frames["_release"]["taken"]:
            waiting.answer.set_result([next(answers) for _ in items])
        time.sleep(_LONG_ENOUGH_SECONDS)

    _before_commit_of_releases(answer_at_once)


def _late_entry(_plan: "Plan") -> None:
    # The stream's reader is given the sequencer's uncommitted transaction, and so sends what is not durable yet.
    uncommitted: list[Any] = []
    read = Store.read

    def show_uncommitted(frames: dict[str, dict[str, Any]], connection: Any) -> None:
        uncommitted.append(connection)
        for partner in frames["sequence"]["grown"]:
            frames["sequence"]["ports"].signals.notify(partner)
        frames["sequence"]["ports"].store.work.end()  # or the reader would wait for the commit after all
        time.sleep(_LONG_ENOUGH_SECONDS)
        uncommitted.clear()

    @contextmanager
    def read_early(self: Store) -> Iterator[Any]:
        if uncommitted and "next_batch" in _callers():
            yield uncommitted[0]
        else:
            with read(self) as connection:
                yield connection

    wrap(Store, "read", lambda _: read_early)
    _before_commit_of_releases(show_uncommitted)


def _no_deduplication(_plan: "Plan") -> None:
    insert = alerts.insert_alerts

    def insert_with_another_id(tx: Any, rows: Any) -> None:
        insert(tx, [{**row, "request_id": os.urandom(16) if row["request_id"] else None} for row in rows])

    vars(alerts)["by_requests"] = lambda *_: {}
    vars(alerts)["insert_alerts"] = insert_with_another_id


def _leaked_field(_plan: "Plan") -> None:
    pack = contents.pack_content

    def pack_one_more(statement: Any, openings: Any) -> bytes:
        kept = list(openings)
        if kept:
            unnamed = next(number for number in range(1, 64) if number not in {opening.field for opening in kept})
            kept.append(manifest_pb2.Opening(field=unnamed, salt=os.urandom(32), fragment=b""))
        return pack(statement, kept)

    vars(receive)["pack_content"] = pack_one_more


def _before_commit_of_releases(act: Callable[[dict[str, dict[str, Any]], Any], None]) -> None:
    """Call `act` with the local variables of the functions on the stack when a release is about to commit."""
    write = Store.write

    @contextmanager
    def write_late(self: Store) -> Iterator[Any]:
        frames = _callers()
        with write(self) as connection:
            yield connection
            if "sequence" in frames and frames["sequence"].get("fresh") is not None:
                act(_callers(), connection)

    wrap(Store, "write", lambda _: write_late)


def _callers() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith("node."):
            found.setdefault(frame.f_code.co_name, frame.f_locals)
        frame = frame.f_back
    return found


def _unforeseen_exceptions(_plan: "Plan") -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError("SECRET: a sentence that no peer may read")

    vars(fetch)["entries"] = fail
    vars(deliver)["answer_hello"] = fail


_DEFECTS = {
    "receipt before commit": _receipt_before_commit,
    "answer before commit": _answer_before_commit,
    "late entry": _late_entry,
    "no deduplication": _no_deduplication,
    "leaked field": _leaked_field,
    "unforeseen exceptions": _unforeseen_exceptions,
}
