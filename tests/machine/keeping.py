"""How long alerts are kept: limits, holds, early erasure, and erasures that a crash interrupts."""

from typing import ClassVar

from exchange.errors import Conflict, NotFound, Refused
from node.operations import erase, retention
from node.store import alerts
from tests.machine.answering import Answering
from tests.machine.transitions import transition
from tests.refusals import refused

_WHY = "synthetic reason"


class Keeping(Answering):
    """Rules of retention."""

    OUTCOMES: ClassVar[frozenset[str]] = frozenset(
        {
            "retention: something erased",
            "retention: nothing due",
            "retention: held past its limit",
            "hold: placed",
            "hold: released",
            "hold: refused HOLD_NONE",
            "hold: refused ERASED",
            "erase: done",
            "erase: refused HELD",
            "erase: refused NOT_ALONE",
            "erase: refused ERASED",
            "erase: begun, and the office died",
            "erase: refused ERASURE_BEGUN",
        }
    )

    def kept(self) -> list[tuple[str, bytes, str]]:
        """(country, digest, agency) of every alert that an agency sent or was given."""
        own = [(country, digest, self.facts[digest].agency) for country, digest in self.manifests()]
        return [*own, *self.holdings()]

    @transition(weight=3, office=range(3))
    def run_retention(self, office: int) -> None:
        """What is past its limit goes."""
        country = self.country(office)
        books = self.books(country)
        self.finish_erasures(country)
        due = self.oracle.due(country)
        besides = self.due_besides(country)
        answer = retention.run_due(self.office(country).ports, self.office(country).domain)
        assert answer.erased == len(due) + besides, f"{country} erased {answer.erased}, {len(due) + besides} were due"
        self.oracle.erase(country, due)
        self.happened("retention: something erased" if due else "retention: nothing due")
        rows = {**books.own, **books.held}
        if any(rows[digest].erase_by <= self.now() and not rows[digest].erased for digest, _ in books.holds):
            self.happened("retention: held past its limit")

    def due_besides(self, _country: str) -> int:
        """How much else goes in that run than alerts; mixins that keep other things let them go."""
        return 0

    @transition(weight=1, when=lambda self: bool(self.manifests()), which=range(5), received=(False, True))
    def hold(self, *, which: int, received: bool) -> None:
        """An agency keeps an alert, as for a court."""
        country, digest, party = self._one(which, received=received)
        office = self.office(country)
        if code := self._gone(country, digest):
            with refused(*code):
                retention.hold(office.ports, office.person(self.person_of(party)), digest.hex(), _WHY)
            self.happened("hold: refused ERASED" if code[1] == "ERASED" else "erase: refused ERASURE_BEGUN")
            return
        retention.hold(office.ports, office.person(self.person_of(party)), digest.hex(), _WHY)
        self.books(country).holds.add((digest, party))
        self.happened("hold: placed")

    @transition(weight=1, when=lambda self: bool(self.manifests()), which=range(5))
    def release_hold(self, which: int) -> None:
        """And lets it go."""
        held = [(country, digest, party) for country in self.NAMES for digest, party in sorted(self.books(country).holds)]
        country, digest, party = self.pick([*self.kept(), *held], which)
        office = self.office(country)
        if (digest, party) not in self.books(country).holds:
            with refused(NotFound, "HOLD_NONE"):
                retention.release_hold(office.ports, office.person(self.person_of(party)), digest.hex(), _WHY)
            self.happened("hold: refused HOLD_NONE")
            return
        retention.release_hold(office.ports, office.person(self.person_of(party)), digest.hex(), _WHY)
        self.books(country).holds.discard((digest, party))
        self.happened("hold: released")

    @transition(weight=1, when=lambda self: bool(self.manifests()), which=range(5), received=(False, True))
    def erase_early(self, *, which: int, received: bool) -> None:
        """An agency erases what it has no need of any more."""
        self.erase_this(*self._one(which, received=received))

    def erase_this(self, country: str, digest: bytes, party: str) -> None:
        """One erasure of one alert."""
        books, office = self.books(country), self.office(country)
        code: tuple[type[Exception], str] | None = self._gone(country, digest)
        if not code and any(one == digest for one, _ in books.holds):
            code = (Refused, "HELD")
        if not code and digest in books.held and books.held[digest].inboxes - {party}:
            code = (Refused, "NOT_ALONE")
        if code:
            with refused(*code):  # type: ignore[arg-type]  # each is an ExchangeError
                retention.erase_early(office.ports, office.person(self.person_of(party)), digest.hex(), _WHY)
            self.happened(f"erase: refused {code[1]}")
            return
        retention.erase_early(office.ports, office.person(self.person_of(party)), digest.hex(), _WHY)
        self.finish_erasures(country)
        self.oracle.erase(country, [digest])
        self.happened("erase: done")

    @transition(weight=1, when=lambda self: bool(self.manifests()), which=range(5), received=(False, True))
    def begin_erasure_and_die(self, *, which: int, received: bool) -> None:
        """An office dies between what it wrote down and what it does; whatever erases next goes on."""
        country, digest, _ = self._one(which, received=received)
        books, office = self.books(country), self.office(country)
        with office.ports.store.read() as tx:
            row = alerts.by_digests(tx, {digest})[digest]
        begun = erase.intend(office.ports, office.domain, [row.id])
        possible = not self._gone(country, digest) and all(one != digest for one, _ in books.holds)
        assert begun == possible
        if begun:
            books.intended.add(digest)
            office.restart()
            self.happened("erase: begun, and the office died")

    def _one(self, which: int, *, received: bool) -> tuple[str, bytes, str]:
        kept = self.kept()
        some = [one for one in kept if (one[1] in self.books(one[0]).held) == received]
        return self.pick(some or kept, which)

    def _gone(self, country: str, digest: bytes) -> tuple[type[NotFound] | type[Conflict], str] | None:
        books = self.books(country)
        kept = books.own.get(digest) or books.held[digest]
        if kept.erased:
            return NotFound, "ERASED"
        return (Conflict, "ERASURE_BEGUN") if digest in books.intended else None
