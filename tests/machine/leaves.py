"""What passing on rests on and what must be so of it, written from docs/protocol.md, section 8.

Looked at after each healing: every request at both ends; and that nobody reads what neither its originator told them nor a permit
covered, and nobody what was withdrawn, by whichever way it came.
"""

from typing import ClassVar

from exchange.encoding import cut
from exchange.errors import NotFound
from exchange.v1 import agreement_pb2, desk_service_pb2
from node.operations.onward_list import get_onward
from tests import onward
from tests.countries import BORDER, POLICE, TRAVEL, agency, clause, node_id
from tests.machine.books import CONTROLS, Books, Kind, place_of
from tests.machine.marks import LEAVE_ASKED, LEAVE_DECIDED, PASSED_ON
from tests.machine.oracle import Oracle
from tests.machine.passing import Asked, Decided, Notice, Passing
from tests.machine.saying import Saying
from tests.refusals import refused

STATES = ("ASKED", "GRANTED", "DENIED", "EXPIRED", "PASSED_ON")


class Leaves(Saying):
    """No rules. Needs three countries."""

    NAMES: ClassVar[tuple[str, ...]] = ("gb", "kh", "vn")
    ORACLE: ClassVar[type[Oracle]] = Passing
    OUTCOMES: ClassVar[frozenset[str]] = frozenset(
        {
            *(f"onward: {state} for who asked" for state in STATES),
            *(f"onward: {state} for who was asked" for state in STATES),
            "onward: third country reads it",
            "onward: third country reads nothing of what was withdrawn",
        }
    )
    oracle: Passing

    def clauses(self, one: str, other: str) -> list[agreement_pb2.Clause]:
        """Requests, decisions and notices too, between police and border."""
        ways = ((one, other), (other, one))
        kinds = (LEAVE_ASKED, LEAVE_DECIDED, PASSED_ON)
        return [*super().clauses(one, other), *(clause(*way, to, kind) for way in ways for to in (BORDER, POLICE) for kind in kinds)]

    def requests(self, *, own: bool) -> list[tuple[str, Asked]]:
        """(country, request) of those that an office made, or that came to it."""
        return [
            (country, asked)
            for asked in self.oracle.asked.values()
            for country in (asked.country if own else self.facts[asked.manifest].country,)
            if self.only in {"", country} and (own or asked.digest in self.books(country).held)
        ]

    def open_leave(self, country: str, asked: Asked) -> bool:
        """Whether a request was granted and its leave has not ended."""
        decided = self.oracle.decision(self.books(country), asked.digest)
        return decided is not None and self.now() < decided.until

    # What must be so

    def outdated(self, country: str, about: bytes, left: set[str]) -> dict[str, frozenset[str]]:
        """Those also who may have passed it on: the third country learns by way of them."""
        books = self.books(country)
        passing = {
            self.country_of(self.oracle.asked[one.request].party)
            for one in self.oracle.decided.values()
            if one.digest in books.own and one.permit and self.oracle.asked[one.request].manifest == about
        }
        told = self.told(country, about)
        return super().outdated(country, about, left) | {partner: to for partner, to in told.items() if partner in passing}

    def owed(self, country: str, digest: bytes) -> dict[str, str]:
        """The third country's node too, once the originator knows that it was passed on."""
        found, books = super().owed(country, digest), self.books(country)
        withdrawn = any(one.kind is Kind.WITHDRAWAL for one in books.said_of(digest))
        return found | {node_id(one.third): "OPEN" for one in self.notices(books, digest) if withdrawn}

    def notices(self, books: Books, digest: bytes) -> list[Notice]:
        """What an originator was told of passing on, by whoever it had told."""
        told = {partner for partner, _, _ in books.tellings(digest)}
        known = [self.oracle.notices[one] for one in books.held if one in self.oracle.notices]
        return [one for one in known if one.manifest == digest and one.country in told]

    def explained(self, country: str) -> set[str]:
        """The auditors of a node that passed on without leave see it, and that no clause was in force any more.

        They also see that a recall went on under a permit that an old backup lost: the recovered log alone knows of it.
        """
        books = self.books(country)
        logged = [(one, index in log.lost) for log in books.out.values() for index, one in enumerate(log.entries)]
        forged = any(one.forged for one, _ in logged)
        forwarded = [one for one, lost in logged if one.permit and one.kind in CONTROLS and not lost]
        unproven = country in self.restored and any(self.oracle.leave(books, one.permit) is None for one in forwarded)
        found = ({"PERMIT_MISMATCH", "NOT_AGREED"} if forged else set()) | ({"PERMIT_MISMATCH"} if unproven else set())
        return super().explained(country) | found

    def look(self) -> None:
        """Every request at both ends, and what everybody holds."""
        super().look()
        for own in (True, False):
            for country, asked in self.requests(own=own):
                self.see_request(country, asked, own=own)
        for country in self.NAMES:
            for agency_class in (BORDER, POLICE):
                self.see_all(country, agency(country, agency_class))

    def see_request(self, country: str, asked: Asked, *, own: bool) -> None:
        """How a request stands, and what was granted."""
        books, office = self.books(country), self.office(country)
        name = self.person(asked.party) if own else "liaison"
        known = asked.digest in books.own if own else asked.manifest in books.own
        if not known:
            with refused(NotFound, "ONWARD_UNKNOWN"):
                get_onward(office.ports, office.person(name), asked.digest.hex())
            return
        found, decided = onward.summary(office, asked.digest, name), self.oracle.decision(books, asked.digest)
        passed = decided is not None and bool(decided.permit) and self._was_passed_on(books, asked, decided, own=own)
        state = "ASKED"
        if decided is not None:
            granted = "GRANTED" if self.now() < decided.until else "EXPIRED"
            state = "PASSED_ON" if passed else granted if decided.permit else "DENIED"
        said = desk_service_pb2.OnwardState.Name(found.state).removeprefix("ONWARD_STATE_")
        assert said == state, f"{country}: a request of {asked.party} stands as {said}, expected {state}"
        leave = (frozenset(found.granted_fields), found.granted_until, found.permit_digest)
        expected = (decided.fields, decided.until, decided.permit) if decided else (frozenset(), 0, b"")
        assert leave == expected, f"{country}: a request of {asked.party} is granted as {leave}, expected {expected}"
        self.happened(f"onward: {state} for who {'asked' if own else 'was asked'}")

    def _was_passed_on(self, books: Books, asked: Asked, decided: Decided, *, own: bool) -> bool:
        if own:
            return any(one.permit == decided.permit for _, _, one in books.tellings(asked.manifest))
        return any(one.permit == decided.permit for one in self.notices(books, asked.manifest))

    def see_all(self, country: str, party: str) -> None:
        """Whatever an agency reads it was told by the originator, or by who had leave for these fields; and nothing that was withdrawn."""
        healed = all(self.reach(one, other) for one, other in self.pairs()) and not any(
            books.untold or any(log.stopped for log in books.out.values()) for books in self.oracle.books.values()
        )
        for one in self.office(country).received(self.person(party)):
            if one.alert_type != TRAVEL:
                continue
            digest = one.manifest_digest
            read, fact = frozenset(cut(self.open(country, digest, party).view)), self.facts[digest]
            told = [*self.books(fact.country).out[country].entries, *self.books(country).inn[fact.country].entries]
            allowed = [entry.fields for entry in told if entry.digest == digest and party in entry.audience]
            leave = [one for one in self.oracle.decided.values() if self._covers(one, digest, country)]
            assert read <= frozenset().union(*allowed, *(one.fields for one in leave)), f"{party} reads what it may not: {sorted(read)}"
            withdrawn = any(said.kind is Kind.WITHDRAWAL for said in self.books(fact.country).said_of(digest))
            assert not (healed and withdrawn and read), f"{party} reads what was withdrawn: {digest.hex()[:8]}"
            if not allowed:
                what = "nothing of what was withdrawn" if withdrawn else "it" if read else ""
                self.happened(f"onward: third country reads {what}") if what else None

    def _covers(self, decided: Decided, digest: bytes, country: str) -> bool:
        asked = self.oracle.asked[decided.request]
        return bool(decided.permit) and asked.manifest == digest and place_of(asked.third)[0] == country
