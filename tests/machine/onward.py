"""Passing on: leave is asked, given or denied, and used; and who passes on without leave fails. Recalls are forwarded: `passing`."""

from typing import ClassVar
from unittest.mock import patch

from exchange.errors import NotFound
from exchange.v1 import desk_service_pb2
from node.operations import deliver
from tests import onward
from tests.countries import BORDER, DAY, HOUR, NGO, POLICE, agency
from tests.machine.books import Books, Entry, Going, Kind, place_of
from tests.machine.core import LONGEST
from tests.machine.leaves import Leaves
from tests.machine.marks import LEAVE_ASKED, LEAVE_DECIDED, PASSED_ON
from tests.machine.passing import Asked, Decided, Notice
from tests.machine.transitions import transition
from tests.recalls import WITHDRAWAL
from tests.refusals import refused

WANTED = ((), (), onward.FIELDS, onward.FIELDS, (onward.NAME, onward.DOCUMENTS), (*onward.FIELDS, onward.NAMES))
"""Fields that are asked for: none named means all that was told."""
_ALL = frozenset(range(1, 35))


class Onward(Leaves):
    """Rules of passing on."""

    OUTCOMES: ClassVar[frozenset[str]] = frozenset(
        {
            "leave: asked",
            *(f"leave: not asked: {code}" for code in ("ALERT_NOT_IN_FORCE", "FIELD_NOT_TOLD", "ONWARD_NONE", "UNTIL")),
            "leave: nothing goes there now",
            "pass on: nothing goes there now",
            "leave: given",
            "leave: given for a part of the fields",
            "leave: denied",
            *(f"leave: not decided: {code}" for code in ("ALREADY_DECIDED", "ALERT_NOT_IN_FORCE", "ALERT_WITHDRAWN", "UNTIL")),
            *(f"leave: not decided: {code}" for code in ("FIELD_NOT_TOLD", "AGENCY_NOT_TOLD", "ONWARD_UNKNOWN")),
            "pass on: released",
            "pass on: withdrawn by its originator, who could not yet say so",
            *(f"pass on: refused: {code}" for code in ("PERMIT_NONE", "PERMIT_EXPIRED", "PERMIT_OTHER_PARTY", "ALERT_NOT_IN_FORCE")),
            *(f"pass on: refused: {code}" for code in ("FIELD_REQUIRED", "ALREADY_TOLD", "ONWARD_UNKNOWN", "RECIPIENT_NOT_ASKED")),
            "smuggle: without a permit",
            "smuggle: under a permit that nobody gave",
            "smuggle: under a permit that has expired",
            "delivery: refused as NOT_THE_ORIGINATOR",
            "delivery: notice of what was passed on under leave that a backup lost",
            "onward: a recall forwarded",
        }
    )
    RARE: ClassVar[frozenset[str]] = Leaves.RARE | {
        # What takes a backup that lost just this: test_onward_life, test_onward_recipient; or an agency that excepted what it asks about,
        # or a request that waited until its own end: test_onward_refusals.
        *(f"leave: not decided: {code}" for code in ("FIELD_NOT_TOLD", "AGENCY_NOT_TOLD", "ONWARD_UNKNOWN", "UNTIL")),
        "pass on: refused: ONWARD_UNKNOWN",
        "delivery: notice of what was passed on under leave that a backup lost",
    }
    # Leave

    @transition(
        weight=13,
        when=lambda self: bool(self.holdings()),
        which=range(6),
        wanted=WANTED,
        to=(BORDER, POLICE),
        days=[1, 2, 5, 5, 30],
        fitting=(True, True, True, False),
        at_once=("", "denied", "decided", "passed on", "delivered", "delivered"),
    )
    def ask_leave(self, *, which: int, wanted: tuple[int, ...], to: int, days: int, fitting: bool, at_once: str) -> None:
        """A desk asks whether it may pass an alert on; perhaps that is delivered and decided at once, and it is passed on."""
        holdings = [one for one in self.holdings() if place_of(one[2])[1] != NGO]
        if fitting:
            holdings = [one for one in holdings if not self._not_askable(*one, frozenset(), self.now() + days * DAY)] or holdings
        if not holdings:
            return
        country, digest, party = self.pick(holdings, which)
        fact, books = self.facts[digest], self.books(country)
        third = next(name for name in self.NAMES if name not in {country, fact.country})
        told = books.held[digest].opened.get(party, frozenset())
        fields, until = frozenset(wanted) or told, self.now() + days * DAY
        if not fields:
            return
        answer = onward.asked(self.office(country), digest, agency(third, to), *sorted(fields), name=self.person(party), until=until)
        going = {fact.agency: books.decide(fact.agency, LEAVE_ASKED, self.now())}
        expected = self._not_askable(country, digest, party, fields, until) or self.obstacles(country, going)
        if self.refused_with("leave: not asked", answer, expected):
            return
        asked = Asked(
            digest=answer.manifest_digest,
            manifest=digest,
            country=country,
            party=party,
            third=agency(third, to),
            fields=fields,
            until=until,
        )
        self.oracle.asked[asked.digest] = asked
        self.say(country, Kind.LEAVE_ASKED, party, answer, going, not_after=self.now() + 90 * DAY)
        self.happened("leave: asked")
        if at_once and self.deliver(country, fact.country) and asked.digest in self.books(fact.country).held:
            self._decide(fact.country, asked, grant=at_once != "denied", part=at_once == "decided", until=0)
            self.deliver(fact.country, country)
            if at_once in {"passed on", "delivered"}:
                self._pass_on(country, asked, "asked")
            if at_once == "delivered":
                self.deliver(country, third)

    def _not_askable(self, country: str, digest: bytes, party: str, fields: frozenset[int], until: int) -> set[str]:
        books, found = self.books(country), set()
        if books.standing(digest, self.facts) != "active":
            return {"ALERT_NOT_IN_FORCE"}
        if any(one.permit for one in self._given(books, digest, party)):
            found.add("ONWARD_NONE")
        if not fields <= books.held[digest].opened.get(party, frozenset()):
            found.add("FIELD_NOT_TOLD")
        if until > self.facts[digest].not_after or until <= self.now():
            found.add("UNTIL")
        return found

    def _given(self, books: Books, digest: bytes, party: str) -> list[Entry]:
        """The entries that gave an agency an alert."""
        logs = books.inn.values()
        given = [log.entries[index] for log in logs for index in sorted(log.accepted) if log.entries[index].digest == digest]
        return [one for one in given if party in one.audience]

    @transition(
        weight=6,
        when=lambda self: bool(self.requests(own=False)),
        which=range(5),
        grant=(False, True, True),
        part=(False, True),
        until=[0, 0, HOUR],
        fitting=(True, True, True, False),
    )
    def decide_leave(self, *, which: int, grant: bool, part: bool, until: int, fitting: bool) -> None:
        """A liaison officer of the originator grants or denies."""
        known = self.requests(own=False)
        waiting = [(country, asked) for country, asked in known if not self.oracle.decision(self.books(country), asked.digest)]
        country, asked = self.pick(waiting if fitting and waiting else known, which)
        self._decide(country, asked, grant=grant, part=part, until=until)

    def _decide(self, country: str, asked: Asked, *, grant: bool, part: bool, until: int) -> None:
        books, office = self.books(country), self.office(country)
        some = frozenset(sorted(asked.fields)[:-1]) if part and len(asked.fields) > 1 else asked.fields
        ends = min(self.now() + until, asked.until) if until else asked.until
        if asked.manifest not in books.own:
            with refused(NotFound, "ONWARD_UNKNOWN"):
                onward.decided(office, asked.digest, grant=grant)
            self.happened("leave: not decided: ONWARD_UNKNOWN")
            return
        answer = onward.decided(office, asked.digest, grant=grant, fields=sorted(some), until=ends)
        going = {asked.party: books.decide(asked.party, LEAVE_DECIDED, self.now())}
        expected = self._not_decidable(books, asked, grant=grant, fields=some, until=ends) or self.obstacles(country, going)
        if self.refused_with("leave: not decided", answer.published, expected):
            return
        decided = Decided(
            digest=answer.published.manifest_digest,
            request=asked.digest,
            permit=answer.permit_digest,
            fields=some if grant else frozenset(),
            until=ends if grant else 0,
        )
        assert bool(decided.permit) == grant
        assert answer.granted_until == decided.until
        self.oracle.decided[decided.digest] = decided
        self.say(country, Kind.LEAVE_DECIDED, agency(country, POLICE), answer.published, going, not_after=self.now() + 90 * DAY)
        self.happened("leave: given" if grant else "leave: denied")
        if grant and some != asked.fields:
            self.happened("leave: given for a part of the fields")

    def _not_decidable(self, books: Books, asked: Asked, *, grant: bool, fields: frozenset[int], until: int) -> set[str]:
        if self.oracle.decision(books, asked.digest):
            return {"ALREADY_DECIDED"}
        if not grant:
            return set()
        state = books.standing(asked.manifest, self.facts)
        if state != "active":
            return {"ALERT_WITHDRAWN" if state == "withdrawn" else "ALERT_NOT_IN_FORCE"}
        told = [
            one.fields
            for partner, index, one in books.tellings(asked.manifest)
            if asked.party in one.audience and index not in books.out[partner].excepted
        ]
        if not told:
            return {"AGENCY_NOT_TOLD"}
        found = {"UNTIL"} if until <= self.now() else set[str]()
        return found | (set() if fields <= frozenset().union(*told) else {"FIELD_NOT_TOLD"})

    # What is passed on

    @transition(
        weight=12,
        when=lambda self: bool(self.requests(own=True)),
        which=range(5),
        to=("asked", "asked", "asked", "both", "elsewhere"),
        given=(True, True, True, False),
        crossing=(False, False, False, True),
    )
    def pass_on(self, *, which: int, to: str, given: bool, crossing: bool) -> None:
        """A liaison officer passes an alert on under the permit, or tries to without; perhaps it was withdrawn a moment ago, far away."""
        permitted = [one for one in self.requests(own=True) if self.open_leave(*one)]
        country, asked = self.pick(permitted if given and permitted else self.requests(own=True), which)
        origin = self.facts[asked.manifest].country
        if crossing and asked.manifest in self.books(origin).own:
            self.recall_this(origin, asked.manifest, WITHDRAWAL)
        self._pass_on(country, asked, to)

    @transition(weight=4, when=lambda self: any(self.open_leave(*one) for one in self.requests(own=True)), which=range(5))
    def leave_ends(self, which: int) -> None:
        """Time goes on until leave has ended."""
        country, asked = self.pick([one for one in self.requests(own=True) if self.open_leave(*one)], which)
        decided = self.oracle.decision(self.books(country), asked.digest)
        if decided is not None and decided.until < self.began + LONGEST:
            self.clock.pass_(decided.until - self.now())

    def _pass_on(self, country: str, asked: Asked, to: str) -> None:
        books, office, third = self.books(country), self.office(country), place_of(asked.third)[0]
        name = self.person(asked.party, liaison=True)
        if asked.digest not in books.own:
            with refused(NotFound, "ONWARD_UNKNOWN"):
                onward.released(office, asked.digest, name=name)
            self.happened("pass on: refused: ONWARD_UNKNOWN")
            return
        fact = self.facts[asked.manifest]
        recipients = {
            "asked": [asked.third],
            "both": [agency(third, BORDER), agency(third, POLICE)],
            "elsewhere": [agency(fact.country, BORDER)],
        }[to]
        answer = onward.released(office, asked.digest, *recipients, name=name)
        decided = self.oracle.decision(books, asked.digest)
        fields = (decided.fields if decided else frozenset()) & books.held[asked.manifest].opened.get(asked.party, frozenset())
        going = {one: books.planned(one, self.now(), unticked=_ALL - fields) for one in recipients}
        notice = {fact.agency: books.decide(fact.agency, PASSED_ON, self.now())}
        expected = self._not_passable(country, asked, decided, recipients) or self._not_agreed(country, asked, going, notice)
        if self.refused_with("pass on: refused", answer.released, expected):
            return
        assert decided is not None
        self._passed(country, asked, decided, answer, going)
        self.say(country, Kind.PASSED_ON, asked.party, answer.notice, notice, not_after=self.now() + 90 * DAY)
        self.happened("pass on: released")
        if any(one.kind is Kind.WITHDRAWAL for one in self.books(fact.country).said_of(asked.manifest)):
            self.happened("pass on: withdrawn by its originator, who could not yet say so")

    def _not_passable(self, country: str, asked: Asked, decided: Decided | None, recipients: list[str]) -> set[str]:
        books = self.books(country)
        if books.standing(asked.manifest, self.facts) != "active":
            return {"ALERT_NOT_IN_FORCE"}
        if decided is None or not decided.permit:
            return {"PERMIT_NONE"}
        if any(place_of(one)[0] != place_of(asked.third)[0] for one in recipients):
            return {"PERMIT_OTHER_PARTY"}
        if self.now() >= decided.until:
            return {"PERMIT_EXPIRED"}
        return set() if recipients == [asked.third] else {"RECIPIENT_NOT_ASKED"}

    def _not_agreed(self, country: str, asked: Asked, going: dict[str, Going | str], notice: dict[str, Going | str]) -> set[str]:
        """What the clauses towards the third country say, then those towards the originator, who must know; then what was told before."""
        books = self.books(country)
        for parties in (going, notice):
            if denied := {one for one in parties.values() if isinstance(one, str)}:
                return denied
        before = {
            (party, one.fields)
            for partner, index, one in books.tellings(asked.manifest)
            if one.permit and index not in books.out[partner].excepted
            for party in one.audience
        }
        if before & {(party, one.fields) for party, one in going.items() if isinstance(one, Going)}:
            return {"ALREADY_TOLD"}
        return self.obstacles(country, {**going, **notice})

    def _passed(
        self, country: str, asked: Asked, decided: Decided, answer: desk_service_pb2.ReleaseOnwardResponse, going: dict[str, Going | str]
    ) -> None:
        """What is told the third country stands in our log towards it, under the permit."""
        told: set[int] = set()
        for each in sorted(answer.released.disclosures, key=lambda one: one.index):
            (party,) = each.audience
            one = going[party]
            assert isinstance(one, Going)
            assert frozenset(each.fields) == one.fields <= decided.fields, f"{party} is told other fields: {sorted(each.fields)}"
            entry = Entry(
                digest=asked.manifest,
                kind=Kind.ALERT,
                audience=frozenset({party}),
                fields=one.fields,
                agreement=one.treaty.digest,
                permit=decided.permit,
                at=self.now(),
            )
            self.books(country).out[self.country_of(party)].entries.append(entry)
            told |= one.fields
        self.oracle.notices[answer.notice.manifest_digest] = Notice(
            digest=answer.notice.manifest_digest,
            permit=decided.permit,
            manifest=asked.manifest,
            country=country,
            third=place_of(asked.third)[0],
            fields=frozenset(told),
        )

    @transition(weight=7, when=lambda self: bool(self.requests(own=True)), which=range(5), how=("none", "other", "expired"))
    def smuggle(self, *, which: int, how: str) -> None:
        """A node that does not check itself passes on without leave, or when that has ended: the third country takes none of it."""
        passed = [
            (country, partner, index)
            for country in self.NAMES
            for partner, log in self.books(country).out.items()
            for index, one in enumerate(log.entries)
            if one.permit and one.kind is Kind.ALERT and not one.forged and index not in log.lost
        ]
        if not passed:
            return
        country, partner, index = self.pick(passed, which)
        log = self.books(country).out[partner]
        leave = self.oracle.leave(self.books(country), log.entries[index].permit)
        if leave is None or not self.reach(country, partner) or log.stopped or leave.until >= self.began + LONGEST:
            return
        if how == "expired" and self.now() < leave.until:
            self.clock.pass_(leave.until - self.now())
        self.deliver(country, partner)
        entry, permit = log.entries[index], {"none": b"", "other": bytes(32), "expired": log.entries[index].permit}[how]
        self.office(country).log_again(self.office(partner), index, permit_digest=permit or None)
        log.entries.append(
            Entry(
                digest=entry.digest,
                kind=entry.kind,
                audience=entry.audience,
                fields=entry.fields,
                agreement=entry.agreement,
                permit=permit,
                forged=True,
            )
        )
        with patch.object(deliver, "holds", lambda *_: True):
            self.oracle.unchecked = True
            self.deliver(country, partner)
            self.oracle.unchecked = False
        said = {"none": "without a permit", "other": "under a permit that nobody gave", "expired": "under a permit that has expired"}
        self.happened(f"smuggle: {said[how]}")
