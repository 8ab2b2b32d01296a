"""The load generator, a process of its own: an officer's client that publishes, and a watch on when receipts become durable.

    python -m benchmarks.load DIRECTORY AGENCY KIND COUNT RATE SEED

DIRECTORY is the sending node's. KIND is `flood` (as fast as the node takes them), `queue` (the same, with the partner down), `idle`
(one after the other) or `open` (RATE a second, whatever becomes of them).
Prints one JSON object. Receipts are read from the sender's database, read-only: to ask the desk is itself journalled, durably,
and would weigh on what is measured. At the end the desk is asked once, and must say the same.
"""

import json
import random
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice, repeat
from pathlib import Path
from typing import Any

from node.tls13 import pin_tls13

pin_tls13()  # before anything imports gRPC

from benchmarks import sample  # noqa: E402 - gRPC is pinned to TLS 1.3 before anything imports it
from benchmarks.unit import Unit  # noqa: E402 - gRPC is pinned to TLS 1.3 before anything imports it
from exchange.v1 import desk_service_pb2 as desk  # noqa: E402 - gRPC is pinned to TLS 1.3 before anything imports it
from exchange.v1.desk_service_pb2_grpc import DeskServiceStub  # noqa: E402 - gRPC is pinned to TLS 1.3 before anything imports it
from node.store.connections import sqlite_driver  # noqa: E402 - gRPC is pinned to TLS 1.3 before anything imports it
from tests.system.nodes import Office, ask  # noqa: E402 - gRPC is pinned to TLS 1.3 before anything imports it

BATCH = 64
REASON = "A benchmark."
_LINGER = 0.005
"""Seconds for which the open loop gathers what is due into one message; part of the latency."""
_LOOK = 0.001
_PATIENCE = 120.0
_UNIT_EVERY = 0.2


class Watch:
    """Notes at which time (monotonic) which size was receipted, up to the size `until`."""

    def __init__(self, database: Path, until: int, every: float = _LOOK) -> None:
        self._database = database
        self._until = until
        self._every = every
        self.seen: list[tuple[float, int]] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def join(self) -> None:
        """Wait until everything is receipted. Raises `TimeoutError`."""
        self._thread.join(_PATIENCE)
        if self._thread.is_alive():
            raise TimeoutError("not everything was receipted in time")

    def times(self, first: int) -> list[float]:
        """When each index from `first` on was receipted."""
        found: list[float] = []
        for at, size in self.seen:
            found += [at] * (size - first - len(found))
        return found

    def _run(self) -> None:
        connection = open_read_only(self._database)
        size = -1
        while size < self._until:
            newest = receipted(connection)
            if newest != size:
                size = newest
                self.seen.append((time.monotonic(), size))
            time.sleep(self._every)
        connection.close()


def open_read_only(database: Path) -> Any:
    """A connection that cannot write."""
    return sqlite_driver().connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)


def receipted(connection: Any) -> int:
    """Up to which size the partner has given receipts. Costs about as little as asking can."""
    query = "SELECT max(size) FROM receipts WHERE log_id = (SELECT id FROM logs WHERE outbound LIMIT 1)"
    return connection.execute(query).fetchone()[0] or 0


def requests_of(drafts: Sequence[desk.Draft]) -> list[desk.PublishAlertsRequest]:
    """Messages of 64."""
    return [desk.PublishAlertsRequest(drafts=drafts[at : at + BATCH], reason=REASON) for at in range(0, len(drafts), BATCH)]


def flood(stub: DeskServiceStub, drafts: Sequence[desk.Draft], watch: Watch, first: int) -> dict[str, object]:
    """As fast as the node takes them."""
    messages = requests_of(drafts)
    watch.start()
    begun = time.monotonic()
    for response in stub.PublishAlerts(iter(messages)):
        _check(response)
    answered = time.monotonic()
    watch.join()
    return {"seconds": watch.times(first)[-1] - begun, "answered_seconds": answered - begun}


def queue(stub: DeskServiceStub, drafts: Iterator[desk.Draft], count: int) -> dict[str, object]:
    """As fast as the node takes them; nobody receives."""
    begun = time.monotonic()
    messages = (desk.PublishAlertsRequest(drafts=islice(drafts, size), reason=REASON) for size in _groups(count))
    for response in stub.PublishAlerts(messages):
        _check(response)
    return {"answered_seconds": time.monotonic() - begun}


def _groups(count: int) -> Iterator[int]:
    yield from (min(BATCH, count - done) for done in range(0, count, BATCH))


def idle(stub: DeskServiceStub, drafts: Sequence[desk.Draft], watch: Watch, first: int) -> dict[str, object]:
    """One alert, and the next when it is receipted and a moment has passed."""
    watch.start()
    latencies, durable = [], []
    turns = threading.Semaphore(0)
    sent = [0.0]

    def messages() -> Iterator[desk.PublishAlertsRequest]:
        for draft in drafts:
            turns.acquire()
            message = desk.PublishAlertsRequest(drafts=[draft], reason=REASON)
            sent[0] = time.monotonic()
            yield message

    answers = stub.PublishAlerts(messages())
    for index in range(len(drafts)):
        turns.release()
        _check(next(answers))
        durable.append(time.monotonic() - sent[0])
        while not watch.seen or watch.seen[-1][1] < first + index + 1:
            time.sleep(_LOOK / 2)
        latencies.append(watch.seen[-1][0] - sent[0])
        time.sleep(0.01)
    watch.join()
    return {"latencies": latencies, "durable": durable}


def open_loop(stub: DeskServiceStub, drafts: Sequence[desk.Draft], watch: Watch, first: int, rate: float) -> dict[str, object]:
    """Each alert has its moment, kept whatever became of those before it. What is due together goes in one message."""
    watch.start()
    begun = time.monotonic() + 0.1
    due = [begun + number / rate for number in range(len(drafts))]

    def messages() -> Iterator[desk.PublishAlertsRequest]:
        done = 0
        while done < len(drafts):
            time.sleep(max(_LINGER, due[done] - time.monotonic()))
            now = time.monotonic()
            end = done
            while end < len(drafts) and end - done < BATCH and due[end] <= now:
                end += 1
            if end > done:
                yield desk.PublishAlertsRequest(drafts=drafts[done:end], reason=REASON)
                done = end

    durable: list[float] = []
    for response in stub.PublishAlerts(messages()):
        _check(response)
        durable += [time.monotonic()] * len(response.alerts)
    watch.join()
    return {
        "latencies": [at - when for at, when in zip(watch.times(first), due, strict=True)],
        "durable": [at - when for at, when in zip(durable, due, strict=True)],
    }


@contextmanager
def now_and_then(unit: Unit) -> Iterator[None]:
    """Measure the unit while the load goes on, five times a second."""
    stopping = threading.Event()

    def run() -> None:
        unit.measure()
        while not stopping.wait(_UNIT_EVERY):
            unit.measure()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield
    stopping.set()
    thread.join()


def _check(response: desk.PublishAlertsResponse) -> None:
    refused = [problem.code for published in response.alerts for problem in published.problems]
    assert not refused, refused


def main() -> None:
    """Do one thing and print what came of it."""
    directory, agency, kind, count, rate, seed = sys.argv[1:]
    office = Office(directory=Path(directory), port=0)
    numbers = random.Random(seed)  # noqa: S311 - synthetic values, the same for the same seed
    endless = (sample.draft(numbers, agency, time.time_ns() // 1_000_000) for _ in repeat(None))
    with ask(office) as stub:
        if kind == "queue":
            found = queue(stub, endless, int(count))
        else:
            drafts = list(islice(endless, int(count)))
            first = receipted(open_read_only(office.database))
            watch = Watch(office.database, first + len(drafts), 0.01 if kind == "flood" else _LOOK)
            cpu = time.process_time()
            if kind == "flood":
                unit = Unit()
                with now_and_then(unit):
                    found = flood(stub, drafts, watch, first)
                found["verify_us"] = unit.micros()
                cpu += unit.seconds
            elif kind == "idle":
                found = idle(stub, drafts, watch, first)
            else:
                found = open_loop(stub, drafts, watch, first, float(rate))
            found["cpu_seconds"] = time.process_time() - cpu
            said = max(log.receipted_size for log in stub.ListLogs(desk.ListLogsRequest()).logs if log.outbound)
            assert said == first + len(drafts), "the desk says otherwise than its database"
    print(json.dumps(found))


if __name__ == "__main__":
    main()
