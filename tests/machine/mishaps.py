"""What goes wrong: partitions, streams that break off, crashes, old backups, partners that are suspended."""

from pathlib import Path
from typing import ClassVar

from node.operations import partners
from tests.countries import domain
from tests.machine.books import Books
from tests.machine.core import Machine
from tests.machine.transitions import transition, transitions_of
from tests.recalls import LIFTING, RESTRICTION

AT_MOST = 4
"""Backups in one run: there is more to do."""


class Mishaps(Machine):
    """Rules of mishaps."""

    OUTCOMES: ClassVar[frozenset[str]] = frozenset(
        {
            "partition: cut off",
            "stream: one way until nothing waits",
            "stream: breaks off between two batches",
            "stream: a batch is lost",
            "stream: a receipt is lost",
            "crash: reopened from its files",
            "backup: taken",
            "restore: an old database",
            "restore: a log must be recovered",
            "restore: receipts must be adopted",
            "restore: both have lost a recall",
            "partner: suspended",
            "partner: resumed",
        }
    )

    def __init__(self) -> None:
        super().__init__()
        self.backups: list[tuple[str, Path, Books]] = []
        self.lapses = 0

    @transition(weight=1, pair=range(6))
    def partition(self, pair: int) -> None:
        """Nothing passes between two any more."""
        one, other = self.pick(self.pairs(), pair)
        self.cut.add(frozenset((one, other)))
        self.federation.cut(one, other)
        self.happened("partition: cut off")

    @transition(
        weight=9,
        pair=range(6),
        batches=[1, 1, 2, 1_000, 1_000],
        loss=["", "", "batch", "receipt"],
    )
    def stream(self, pair: int, batches: int, loss: str) -> None:
        """A subscription, one way, for as long as it lasts."""
        one, other = self.pick(self.pairs(), pair)
        if loss:
            if self.deliver(one, other, batches=min(batches, 2), taken=loss != "batch", settled=loss != "receipt") == min(batches, 2):
                self.happened(f"stream: a {loss} is lost")
            return
        if passed := self.deliver(one, other, batches=batches):
            whole = passed < batches
            self.happened("stream: one way until nothing waits" if whole else "stream: breaks off between two batches")

    @transition(weight=1, office=range(3))
    def crash(self, office: int) -> None:
        """All that is not durable is gone."""
        self.office(self.country(office)).restart()
        self.happened("crash: reopened from its files")

    @transition(weight=1, when=lambda self: len(self.backups) < AT_MOST, office=range(3))
    def backup(self, office: int) -> None:
        """An administrator copies a database."""
        country = self.country(office)
        place = Path(self.place.name) / f"backup-{len(self.backups)}"
        self.backups.append((country, self.office(country).backup(place), self.oracle.backup(country)))
        self.happened("backup: taken")

    @transition(weight=3, when=lambda self: bool(self.backups) and self.settled(), which=range(5))
    def restore(self, which: int) -> None:
        """An office goes back to an old database; what it signed since must be with its partners."""
        self.go_back(*self.pick(self.backups, which))

    def go_back(self, country: str, path: Path, books: Books) -> None:
        """Restore that backup, if what was signed since is with the partners."""
        office = self.office(country)
        signed = {}
        for partner in books.out:
            mark = office.ports.high_water.get(office.outbound(self.office(partner)).name.origin)
            signed[partner] = mark.size if mark else 0
            if len(self.books(partner).inn[country].entries) < signed[partner] > len(books.out[partner].entries):
                return  # such a log has to be ended, and people decide that
        office.restore(path)
        self.oracle.restore(country, books)
        self.restored.add(country)
        self.happened("restore: an old database")
        for partner, log in self.books(country).out.items():
            log.stopped = signed[partner] > len(log.entries)
            if log.stopped:
                self.happened("restore: a log must be recovered")
            mirror, theirs = self.books(country).inn[partner], self.books(partner).out[country]
            if theirs.settled > mirror.receipted:
                self.happened("restore: receipts must be adopted")

    @transition(
        weight=4,
        when=lambda self: bool(self.manifests()) and self.settled(),
        office=range(3),
        what=("replace", "recall", "recall", "attest", "publish", "report", "supplement"),
        which=range(5),
        passed=(False, True, True),
        then=("", "attest", "report", "recall", "replace"),
        both=(False, False, True),
    )
    def lapse(self, *, office: int, what: str, which: int, passed: bool, then: str, both: bool) -> None:
        """An office does something, it may reach everybody, its database is that of before, and work goes on before anybody mends it."""
        if both:
            self.both_lapse(which, lifted=bool(then))
            return
        backup = self.copied(self.country(office))
        self.do_something(what, which)
        if passed:
            self.flow()
        self.go_back(*backup)
        if then:
            self.do_something(then, which)

    def both_lapse(self, which: int, *, lifted: bool) -> None:
        """An originator recalls an alert, and then it and each of its partners have the databases of before.

        Perhaps it restricts the alert after that, and lifts the restriction.
        """
        country, _ = self.pick(self.manifests(), which)
        ours, *theirs = [self.copied(name) for name in (country, *(name for name in self.NAMES if name != country))]
        self.do_something("recall", which)
        self.flow()
        self.go_back(*ours)
        for backup in theirs:
            self.recover()
            if self.settled():
                self.go_back(*backup)
        if lifted:
            self.do_something("recall", which, kind=RESTRICTION)
            self.do_something("recall", which, kind=LIFTING)

    def copied(self, country: str) -> tuple[str, Path, Books]:
        """A backup of an office, for `go_back`."""
        place = Path(self.place.name) / f"lapse-{self.lapses}"
        self.lapses += 1
        return country, self.office(country).backup(place), self.oracle.backup(country)

    def do_something(self, what: str, which: int, **given: int) -> None:
        """One transition by name, with its first choices but for `which` alert, and what is given."""
        one = next((one for one in transitions_of(type(self)) if one.name == what), None)
        if one is not None and one.when(self):
            chosen = {name: which if name == "which" else values[0] for name, values in one.arguments.items()}
            one.function(self, **chosen | given)

    def settled(self) -> bool:
        """Whether nobody is in the middle of a recovery: one mishap at a time, or people must agree what to do."""
        return not any(log.stopped for name in self.NAMES for log in self.books(name).out.values())

    @transition(pair=range(6), resume=[True, True, False])
    def suspend(self, *, pair: int, resume: bool) -> None:
        """An administrator stops exchanging with a partner, or takes it up again."""
        suspended = [(name, partner) for name in self.NAMES for partner in sorted(self.books(name).suspended)]
        resume = resume and bool(suspended)
        one, other = self.pick(suspended if resume else self.pairs(), pair)
        books, office = self.books(one), self.office(one)
        partners.suspend_partner(office.ports, office.person("administrator"), domain(other), resume=resume)
        if resume:
            books.suspended.discard(other)
        else:
            books.suspended.add(other)
        self.happened("partner: resumed" if resume else "partner: suspended")
