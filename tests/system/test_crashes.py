"""Nothing lost, nothing twice: either node is killed with SIGKILL, at labelled points and at random, while an alert is unreceipted.

Before each recovery both nodes are checked as the kill left them, and after it again, when both have caught up and everything that
an officer was not answered has been asked again. A kill counts only if the nodes' own records show that at that moment an alert was
asked for and not yet receipted.
"""

import random
import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import grpc
import pytest

from exchange.v1 import disclosure_pb2
from node.store.connections import sqlite_driver
from tests.checks import Problem, check_pair, snapshot
from tests.system.labelled_node import RECIPIENT_LABELS, SENDER_LABELS
from tests.system.nodes import Countries, Ledger, NodeProcess, Nursery, ask, draft, publish, receipted, until

pytestmark = pytest.mark.system

KILLS = 300
EACH_LABEL = 10
RANDOM = "at random"
AT_START = frozenset({"hello: answered", "state: before commit", "state: after commit"})
"""Labels that are reached while a node that was killed comes back."""
_KILLS_A_PAIR = 12
_ALERTS_A_KILL = 20
_PATIENCE = 6.0


@dataclass(frozen=True, slots=True)
class Order:
    """One kill to be made."""

    side: str
    label: str


@dataclass(slots=True)
class Campaign:
    """All kills, what they were, and what the checks found."""

    template: Countries
    nursery: Nursery
    place: Path
    orders: list[Order]
    dice: random.Random
    counted: Counter[Order] = field(default_factory=Counter)
    in_vain: Counter[str] = field(default_factory=Counter)
    checks: "list[Future[list[Problem]]]" = field(default_factory=list)
    alerts: int = 0
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))

    def run(self) -> None:
        """Make every kill, on a fresh pair of nodes now and then."""
        pairs = 0
        while self.orders:
            with Pair(self, self.place / f"pair-{pairs}") as pair:
                while self.orders and pair.kills < _KILLS_A_PAIR:
                    pair.carry_out(self.orders.pop())
            pairs += 1
        for check in self.checks:
            assert check.result() == []

    def count(self, order: Order, *, unreceipted: bool) -> None:
        """Count a kill; one that proves nothing has to be made again."""
        if unreceipted:
            self.counted[order] += 1
            return
        self.in_vain["nothing was unreceipted"] += 1
        self.again(order)

    def again(self, order: Order) -> None:
        self.orders.insert(self.dice.randrange(len(self.orders) + 1), order)
        assert sum(self.in_vain.values()) < KILLS, f"most kills are in vain: {self.in_vain}"


class Pair:
    """The United Kingdom's node, which sends, and Cambodia's, which receives."""

    def __init__(self, campaign: Campaign, place: Path) -> None:
        self.campaign = campaign
        self.place = place
        self.kills = 0
        self._copies = 0
        countries = campaign.template.copied(place)
        self.offices = {"sender": countries.gb, "recipient": countries.kh}
        self.processes: dict[str, NodeProcess] = {}
        self.ledger = Ledger()

    def __enter__(self) -> Self:
        for side in self.offices:
            self._start(side)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes.values():
            process.kill()
        # Checks of this pair may still be under way: they have copies of their own.
        for office in self.offices.values():
            shutil.rmtree(office.directory)

    def carry_out(self, order: Order) -> None:
        """Make one kill, with what must come before it, and recover."""
        dice, nursery = self.campaign.dice, self.campaign.nursery
        if order.label in AT_START:
            # It dies while it recovers from another kill.
            self._kill_at_random(order.side)
            self._start(order.side, order.label)
            reached = self.processes[order.side].wait_dead(_PATIENCE)
        elif order.label == RANDOM:
            self._kill_at_random(order.side)
            self._recover()
            return
        else:
            nursery.arm(self.processes[order.side], order.label, dice.randint(1, 3))
            with self._load():
                reached = self.processes[order.side].wait_dead(_PATIENCE)
        if reached:
            self._count(order, int(self.offices[order.side].death.read_text("ascii")))
        else:
            nursery.arm(self.processes[order.side], "", 1)
            self.campaign.in_vain["label not reached"] += 1
            self.campaign.again(order)
        self._recover()

    def _kill_at_random(self, side: str) -> None:
        with self._load():
            time.sleep(self.campaign.dice.uniform(0.005, 0.15))
            at = time.time_ns() // 1_000_000
            self.processes[side].kill()
        self._count(Order(side, RANDOM), at)

    def _count(self, order: Order, at: int) -> None:
        self.kills += 1
        copies = self._copy()
        self.campaign.count(order, unreceipted=self._unreceipted(copies["sender"], at, order.side))
        self._check(copies, healed=False)

    def _recover(self) -> None:
        for side, process in self.processes.items():
            if not process.alive():
                self._start(side)
        with ask(self.offices["sender"]) as stub:
            waiting = self.ledger.unanswered()
            if waiting:
                publish(stub, waiting, self.ledger)
            if self.campaign.dice.random() < 0.2 and self.ledger.answered:
                # An officer who asks for the same again is told the same again.
                request_id = self.campaign.dice.choice(sorted(self.ledger.answered))
                publish(stub, [self.ledger.drafts[request_id]], self.ledger)
        until(self._caught_up)
        self._check(self._copy(), healed=True)

    def _start(self, side: str, label: str = "") -> None:
        self.offices[side].death.unlink(missing_ok=True)
        self.processes[side] = self.campaign.nursery.start(self.offices[side], label=label, ready=not label)

    @contextmanager
    def _load(self) -> Iterator[None]:
        """An officer publishes in small bursts all the time, so that something always is on its way."""
        stop = threading.Event()
        dice = random.Random(self.campaign.dice.random())

        def officer() -> None:
            kh = self.offices["recipient"]
            with ask(self.offices["sender"]) as stub, suppress(grpc.RpcError):
                sent = 0
                while not stop.is_set() and sent < _ALERTS_A_KILL:
                    size = dice.randint(1, 3)
                    recipients = [kh.agency("gdi")] if dice.random() < 0.8 else [kh.agency("gdi"), kh.agency("ahtjp")]
                    numbers = range(self.campaign.alerts, self.campaign.alerts + size)
                    self.campaign.alerts += size
                    publish(stub, [draft(number, recipients) for number in numbers], self.ledger)
                    sent += size
                    stop.wait(dice.uniform(0, 0.02))

        thread = threading.Thread(target=officer)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _caught_up(self) -> bool:
        size, done = receipted(self.offices["sender"], self._origin)
        return size == done and not self.ledger.unanswered()

    def _unreceipted(self, sender: Path, at: int, side: str) -> bool:
        """Whether, when the node died, an alert was in the sender's log without a receipt, or asked of the sender and unanswered."""
        waiting = _unreceipted_since(sender / "data/node.db", self._origin)
        return any(logged_at <= at for logged_at in waiting) or (side == "sender" and bool(self.ledger.unanswered()))

    def _copy(self) -> dict[str, Path]:
        self._copies += 1
        place = self.place / f"copy-{self._copies}"
        return {side: snapshot(office.directory, place, running=self.processes[side].alive()) for side, office in self.offices.items()}

    def _check(self, copies: dict[str, Path], *, healed: bool) -> None:
        answered = {request_id: list(answers) for request_id, answers in self.ledger.answered.items()}
        asked = set(self.ledger.asked)

        def check() -> list[Problem]:
            problems = check_pair(copies["sender"], copies["recipient"], answered, asked, healed=healed)
            if not problems:
                shutil.rmtree(copies["sender"].parent)
            return problems

        self.campaign.checks.append(self.campaign.pool.submit(check))

    @property
    def _origin(self) -> str:
        return self.offices["sender"].outbound(self.offices["recipient"])


def _unreceipted_since(database: Path, origin: str) -> list[int]:
    """When each entry of the log `origin` that has no receipt was logged, Unix milliseconds; from a copy of the database."""
    driver = sqlite_driver()
    query = """SELECT entry FROM entries JOIN logs ON logs.id = log_id WHERE origin = ?
               AND idx >= (SELECT coalesce(max(receipts.size), 0) FROM receipts WHERE receipts.log_id = logs.id)"""
    with closing(driver.connect(f"{database.absolute().as_uri()}?mode=rw", uri=True)) as connection:
        rows = connection.execute(query, (origin,)).fetchall()
    return [disclosure_pb2.Entry.FromString(entry).disclosed_at for (entry,) in rows]


@pytest.mark.timeout(900)
def test_nothing_is_lost_and_nothing_comes_twice(
    template: Countries, nursery: Nursery, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = time.time_ns()
    dice = random.Random(seed)
    labelled = [Order("sender", label) for label in SENDER_LABELS] + [Order("recipient", label) for label in RECIPIENT_LABELS]
    orders = [order for order in labelled for _ in range(EACH_LABEL)]
    before_start = sum(order.label in AT_START for order in orders)
    while len(orders) + before_start < KILLS:
        orders.append(Order(dice.choice(("sender", "recipient")), RANDOM))
    dice.shuffle(orders)
    campaign = Campaign(template=template, nursery=nursery, place=tmp_path, orders=orders, dice=dice)
    began = time.monotonic()
    campaign.run()
    with capsys.disabled():
        _tell(campaign, seed, time.monotonic() - began)
    assert all(campaign.counted[order] >= EACH_LABEL for order in labelled)
    assert campaign.counted.total() >= KILLS


def _tell(campaign: Campaign, seed: int, seconds: float) -> None:
    lines = [f"{count:>5}  {order.side}: {order.label}" for order, count in sorted(campaign.counted.items(), key=str)]
    vain = ", ".join(f"{why}: {count}" for why, count in campaign.in_vain.items()) or "none"
    print("\nkills by SIGKILL while an alert was unreceipted:", *lines, sep="\n")  # noqa: T201
    print(  # noqa: T201
        f"{campaign.counted.total():>5}  in all, {campaign.alerts} alerts, {len(campaign.checks)} checks of both nodes, "
        f"{seconds:.0f} s, seed {seed}; not counted: {vain}"
    )
