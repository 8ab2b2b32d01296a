"""A node that is killed at a labelled point, and writes down whatever leaves it. Nothing of this is in the node's own code.

Run as `python -m tests.system.labelled_node`: it imports the node once, then forks one process for each line on standard input, and
answers with its process id. A line is JSON: the node's `config`, its `log`, the file `released`, the file `plan`, and `defects` (see
`tests.system.planted_defects`). The file `plan` holds `label` and `nth`: die when that label is reached for the n-th time. It is read at
the start and again on SIGUSR1.

The points are reached by wrapping the functions and the one transaction of each operation:

    <operation>: before commit     everything was done inside the transaction
    <operation>: during commit     the kill comes from another thread while SQLite commits
    <operation>: after commit      durable, and nobody has been told
"""

import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from node.tls13 import pin_tls13

pin_tls13()

from exchange.v1 import disclosure_pb2, statement_pb2  # noqa: E402  gRPC reads its cipher list when it is imported
from node.cli import main as command_line  # noqa: E402
from node.operations import deliver, receive, sign  # noqa: E402
from node.store import high_water  # noqa: E402
from node.store.engine import Store  # noqa: E402
from node.workers import sequencer  # noqa: E402

OPERATIONS = {"sequence": "release", "settle": "receipt", "receive": "batch", "take_state": "state"}
"""The operation that a transaction belongs to, by the name of the function that opens it."""

SENDER_LABELS = (
    "release: before commit",
    "release: during commit",
    "release: after commit",
    "high-water: before the advance",
    "high-water: between write and rename",
    "high-water: after rename",
    "high-water: advanced, nothing signed",
    "checkpoint: signed, batch not sent",
    "batch: just sent",
    "receipt: before commit",
    "receipt: during commit",
    "receipt: after commit",
    "hello: answered",
)
RECIPIENT_LABELS = (
    "state: before commit",
    "state: after commit",
    "batch: arrived",
    "batch: before commit",
    "batch: during commit",
    "batch: after commit",
    "receipt: just sent",
)
_SOON_SECONDS = 0.004
"""`during commit` and `just sent` die at a random moment within this time."""


@dataclass(slots=True)
class Plan:
    """What one process is to do besides being a node."""

    file: Path
    released: Path
    defects: tuple[str, ...] = ()
    label: str = ""
    nth: int = 1
    reached_so_far: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, *_: object) -> None:
        """Take the label from the file; as the handler of a signal, too."""
        plan = json.loads(self.file.read_bytes()) if self.file.exists() else {}
        self.reached_so_far, self.nth, self.label = 0, plan.get("nth", 1), plan.get("label", "")

    def reached(self, label: str) -> None:
        """Die here, if this is the point and the time."""
        if self._now(label):
            self.die()

    def soon(self, label: str) -> None:
        """Die a little later, in the middle of whatever comes next."""
        if self._now(label):
            threading.Thread(target=self._die_after, args=(random.uniform(0, _SOON_SECONDS),), daemon=True).start()

    def note(self, kind: str, content: bytes) -> None:
        """Write down, durably, what is about to leave."""
        line = json.dumps({"kind": kind, "content": content.hex()}).encode() + b"\n"
        with self.lock:
            descriptor = os.open(self.released, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.write(descriptor, line)
            os.fsync(descriptor)
            os.close(descriptor)

    def die(self) -> None:
        """End like a pulled plug: no handler, no buffer and no lock is looked after. The time of death stands beside the plan."""
        self.file.with_suffix(".death").write_text(str(time.time_ns() // 1_000_000), "ascii")
        os.kill(os.getpid(), signal.SIGKILL)

    def _die_after(self, seconds: float) -> None:
        time.sleep(seconds)
        self.die()

    def _now(self, label: str) -> bool:
        with self.lock:
            self.reached_so_far += label == self.label
            return label == self.label and self.reached_so_far == self.nth


def install(plan: Plan) -> None:
    """Put the points and the recorder around the node's functions."""
    _around_transactions(plan)
    _around_high_water(plan)
    _around_sender(plan)
    _around_recipient(plan)


def operation() -> str:
    """Which operation is at work, by the frames that led here."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith("node.operations."):
            return OPERATIONS.get(frame.f_code.co_name, frame.f_code.co_name)
        frame = frame.f_back
    return ""


def wrap(owner: Any, name: str, wrapper: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Replace a function of a module or class by what `wrapper` makes of it."""
    setattr(owner, name, wrapper(getattr(owner, name)))


def _around_transactions(plan: Plan) -> None:
    def labelled(write: Callable[..., Any]) -> Callable[..., Any]:
        @contextmanager
        def wrapped(store: Store) -> Iterator[Any]:
            name = operation()
            with write(store) as connection:
                yield connection
                plan.reached(f"{name}: before commit")
                plan.soon(f"{name}: during commit")
            plan.reached(f"{name}: after commit")

        return wrapped

    wrap(Store, "write", labelled)


def _around_high_water(plan: Plan) -> None:
    # The journal's own record moves with the clock, not with what a test does: only those of disclosure logs have labels.
    here = threading.local()

    def before(label: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def wrapper(function: Callable[..., Any]) -> Callable[..., Any]:
            def wrapped(*arguments: Any) -> Any:
                if not getattr(here, "journal", False):
                    plan.reached(label)
                return function(*arguments)

            return wrapped

        return wrapper

    def around(advance: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(water: Any, origin: str, *mark: Any) -> Any:
            here.journal = "/journal/" in origin
            try:
                if here.journal:
                    return advance(water, origin, *mark)
                plan.reached("high-water: before the advance")
                result = advance(water, origin, *mark)
                plan.reached("high-water: advanced, nothing signed")
                plan.note("checkpoint", result)  # with a batch of all that is logged, the record itself leaves
                return result
            finally:
                here.journal = False

        return wrapped

    wrap(high_water.HighWater, "advance", around)
    wrap(Path, "replace", before("high-water: between write and rename"))
    wrap(high_water, "sync_directory", before("high-water: after rename"))


def _around_sender(plan: Plan) -> None:
    def labelled_next_batch(next_batch: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any) -> disclosure_pb2.Batch | None:
            batch: disclosure_pb2.Batch | None = next_batch(*arguments)
            if batch is not None:
                plan.reached("checkpoint: signed, batch not sent")
                plan.soon("batch: just sent")
            return batch

        return wrapped

    def labelled_answer(answer_hello: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any) -> Any:
            answer = answer_hello(*arguments)
            plan.reached("hello: answered")
            return answer

        return wrapped

    def noted_alive(alive: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any) -> statement_pb2.Statement | None:
            statement: statement_pb2.Statement | None = alive(*arguments)
            if statement is not None:
                plan.note("alive", statement.payload)
            return statement

        return wrapped

    def noted_sign(sign_log: Callable[..., bytes]) -> Callable[..., bytes]:
        def wrapped(*arguments: Any) -> bytes:
            note = sign_log(*arguments)
            plan.note("checkpoint", note)
            return note

        return wrapped

    wrap(deliver, "next_batch", labelled_next_batch)
    wrap(deliver, "answer_hello", labelled_answer)
    wrap(deliver, "alive", noted_alive)
    wrap(sign, "sign_log", noted_sign)


def _around_recipient(plan: Plan) -> None:
    def labelled_receive(receive_batch: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any) -> Any:
            plan.reached("batch: arrived")
            incoming, receipt = receive_batch(*arguments)
            if receipt is not None:
                plan.note("receipt", receipt.SerializeToString())
                plan.soon("receipt: just sent")
            return incoming, receipt

        return wrapped

    def noted_take_state(take_state: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any) -> Any:
            incoming, missing = take_state(*arguments)
            for statement in missing:
                plan.note("receipt", statement.SerializeToString())
            return incoming, missing

        return wrapped

    wrap(receive, "receive", labelled_receive)
    wrap(receive, "take_state", noted_take_state)


def _become_node(order: dict[str, Any]) -> None:
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, source in ((0, nothing), (1, log), (2, log)):
        os.dup2(source, descriptor)
    random.seed(os.getpid() ^ time.time_ns())
    plan = Plan(file=Path(order["plan"]), released=Path(order["released"]), defects=tuple(order["defects"]))
    plan.read()
    signal.signal(signal.SIGUSR1, plan.read)
    install(plan)
    if plan.defects:
        from tests.system.planted_defects import plant

        plant(plan)
    code = command_line.run(["node", "run", "--config", order["config"]])
    sys.stdout.flush()
    os._exit(code)


def serve(orders: Iterator[str], answer: Callable[[int], object]) -> None:
    """Fork a node for each order. The kernel buries them: nobody here waits for them."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in orders:
        child = os.fork()
        if child == 0:
            _become_node(json.loads(line))
        answer(child)


if __name__ == "__main__":
    import node.app

    assert node.app, sequencer  # imported for the children that are forked from here
    serve(iter(sys.stdin.readline, ""), lambda child: os.write(sys.stdout.fileno(), b"%d\n" % child))
