"""Judicial use by leave (H1): asked by whoever was told, granted or denied by the originator, and read beside the alert while it holds."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from exchange.errors import NotFound
from tests import onward
from tests.countries import DAY, HOUR, NGO, POLICE, agency
from tests.machine.books import Books, Kind, place_of
from tests.machine.core import LONGEST
from tests.machine.marks import LEAVE_ASKED, LEAVE_DECIDED
from tests.machine.saying import Saying
from tests.machine.transitions import transition
from tests.refusals import refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Plea:
    """A request to use an alert in court. Times are Unix milliseconds."""

    digest: bytes
    manifest: bytes
    country: str
    party: str
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What its originator said to one."""

    digest: bytes
    plea: bytes
    granted: bool
    until: int


class Judicial(Saying):
    """Rules of judicial use, between offices whose agreements let questions and decisions go."""

    OUTCOMES: ClassVar[frozenset[str]] = frozenset(
        {
            "court: asked",
            *(f"court: not asked: {code}" for code in ("ALERT_NOT_IN_FORCE", "UNTIL")),
            "court: granted",
            "court: denied",
            *(f"court: not decided: {code}" for code in ("ALREADY_DECIDED", "ALERT_NOT_IN_FORCE", "ALERT_WITHDRAWN")),
            "court: nothing goes there now",
            "court: leave is read beside the alert",
            "court: leave that ended is not read",
            "court: leave of an alert that does not stand is not read",
        }
    )
    # What takes a backup that lost just this, or a question that waited while its alert was restricted: test_judicial_use has the second.
    RARE: ClassVar[frozenset[str]] = frozenset({"court: not decided: UNKNOWN", "court: not decided: ALERT_NOT_IN_FORCE"})

    def __init__(self) -> None:
        super().__init__()
        self.pleas: dict[bytes, Plea] = {}
        self.rulings: dict[bytes, Ruling] = {}

    @transition(
        weight=5,
        when=lambda self: bool(self.holdings()),
        which=range(6),
        days=[1, 2, 5, 400],
        fitting=(True, True, True, False),
        at_once=("", "denied", "granted", "granted", "granted"),
    )
    def ask_court(self, *, which: int, days: int, fitting: bool, at_once: str) -> None:
        """A desk asks whether it may use an alert in court; perhaps that is delivered, decided and answered at once."""
        holdings = [one for one in self.holdings() if place_of(one[2])[1] != NGO]
        until = self.now() + days * DAY
        if fitting:
            holdings = [one for one in holdings if not self._not_pleadable(one[0], one[1], until)] or holdings
        if not holdings:
            return
        country, digest, party = self.pick(holdings, which)
        fact, books = self.facts[digest], self.books(country)
        if not books.held[digest].opened.get(party):
            return
        answer = onward.asked(self.office(country), digest, "", name=self.person(party), until=until, judicial_use=True, fields=())
        going = {fact.agency: books.decide(fact.agency, LEAVE_ASKED, self.now())}
        if self.refused_with("court: not asked", answer, self._not_pleadable(country, digest, until) or self.obstacles(country, going)):
            return
        plea = Plea(digest=answer.manifest_digest, manifest=digest, country=country, party=party, until=until)
        self.pleas[plea.digest] = plea
        self.say(country, Kind.LEAVE_ASKED, party, answer, going, not_after=self.now() + 90 * DAY)
        self.happened("court: asked")
        if at_once and self.deliver(country, fact.country) and plea.digest in self.books(fact.country).held:
            self._rule(fact.country, plea, grant=at_once == "granted", until=0)
            self.deliver(fact.country, country)

    def _not_pleadable(self, country: str, digest: bytes, until: int) -> set[str]:
        if self.books(country).standing(digest, self.facts) != "active":
            return {"ALERT_NOT_IN_FORCE"}
        return {"UNTIL"} if until > self.facts[digest].not_after or until <= self.now() else set()

    @transition(
        weight=3,
        when=lambda self: bool(self._brought()),
        which=range(5),
        grant=(False, True, True),
        until=[0, 0, HOUR],
        fitting=(True, True, True, False),
    )
    def decide_court(self, *, which: int, grant: bool, until: int, fitting: bool) -> None:
        """A liaison officer of the originator grants or denies."""
        known = self._brought()
        waiting = [(country, plea) for country, plea in known if self._ruling(self.books(country), plea) is None]
        country, plea = self.pick(waiting if fitting and waiting else known, which)
        self._rule(country, plea, grant=grant, until=until)

    @transition(weight=2, when=lambda self: any(self._open(plea) for plea in self.pleas.values()), which=range(5))
    def court_leave_ends(self, which: int) -> None:
        """Time goes on until leave has ended."""
        found = self._open(self.pick([plea for plea in self.pleas.values() if self._open(plea)], which))
        if found is not None and found.until < self.began + LONGEST:
            self.clock.pass_(found.until - self.now())

    def _brought(self) -> list[tuple[str, Plea]]:
        """(originating country, request) of those that arrived there."""
        there = [(self.facts[plea.manifest].country, plea) for plea in self.pleas.values()]
        return [(country, plea) for country, plea in there if self.only in {"", country} and plea.digest in self.books(country).held]

    def _ruling(self, books: Books, plea: Plea) -> Ruling | None:
        """The first decision on a request that an office knows."""
        known = (self.rulings[one] for one in (*books.own, *books.held) if one in self.rulings)
        return next((one for one in known if one.plea == plea.digest), None)

    def _open(self, plea: Plea) -> Ruling | None:
        found = self._ruling(self.books(plea.country), plea)
        return found if found is not None and found.granted and self.now() < found.until else None

    def _rule(self, country: str, plea: Plea, *, grant: bool, until: int) -> None:
        books, office = self.books(country), self.office(country)
        ends = min(self.now() + until, plea.until) if until else plea.until
        if plea.manifest not in books.own:
            with refused(NotFound, "ONWARD_UNKNOWN"):
                onward.decided(office, plea.digest, grant=grant)
            self.happened("court: not decided: UNKNOWN")
            return
        answer = onward.decided(office, plea.digest, grant=grant, until=ends)
        going = {plea.party: books.decide(plea.party, LEAVE_DECIDED, self.now())}
        expected = self._not_rulable(books, plea, grant=grant, until=ends) or self.obstacles(country, going)
        if self.refused_with("court: not decided", answer.published, expected):
            return
        assert not answer.permit_digest, "nothing is passed on by it"
        ruling = Ruling(digest=answer.published.manifest_digest, plea=plea.digest, granted=grant, until=ends if grant else 0)
        assert answer.granted_until == ruling.until
        self.rulings[ruling.digest] = ruling
        self.say(country, Kind.LEAVE_DECIDED, agency(country, POLICE), answer.published, going, not_after=self.now() + 90 * DAY)
        self.happened("court: granted" if grant else "court: denied")

    def _not_rulable(self, books: Books, plea: Plea, *, grant: bool, until: int) -> set[str]:
        if self._ruling(books, plea) is not None:
            return {"ALREADY_DECIDED"}
        if not grant:
            return set()
        state = books.standing(plea.manifest, self.facts)
        if state != "active":
            return {"ALERT_WITHDRAWN" if state == "withdrawn" else "ALERT_NOT_IN_FORCE"}
        told = [
            one
            for partner, index, one in books.tellings(plea.manifest)
            if plea.party in one.audience and index not in books.out[partner].excepted
        ]
        if not told:
            return {"AGENCY_NOT_TOLD"}
        return {"UNTIL"} if until <= self.now() else set()

    def look(self) -> None:
        """Beside each alert that was asked about: leave exactly while it holds."""
        super().look()
        for country, digest, party in sorted({(plea.country, plea.manifest, plea.party) for plea in self.pleas.values()}):
            books = self.books(country)
            held = books.held.get(digest)
            if held is None or held.erased or digest not in self.inbox(country, party):
                continue
            self._see_leave(country, digest, party, [plea for plea in self.pleas.values() if plea.digest in books.own])

    def _see_leave(self, country: str, digest: bytes, party: str, pleas: Iterable[Plea]) -> None:
        books = self.books(country)
        rulings = [self._ruling(books, plea) for plea in pleas if (plea.manifest, plea.party) == (digest, party)]
        granted = [one for one in rulings if one is not None and one.granted]
        running = [one for one in granted if self.now() < one.until]
        stands = books.standing(digest, self.facts) == "active"
        found = self.open(country, digest, party)
        expected = max((one.until for one in running), default=0) if stands else 0
        assert found.judicial_leave_until == expected, f"{party} reads leave until {found.judicial_leave_until}, expected {expected}"
        assert (found.judicial_leave in {one.digest for one in running}) if expected else not found.judicial_leave
        if expected:
            self.happened("court: leave is read beside the alert")
        elif granted:
            self.happened(f"court: leave {'that ended' if not running else 'of an alert that does not stand'} is not read")
