"""Inside a country: a desk distributes what it was told, agencies confirm purges and report, and nobody opens what went to another."""

from collections.abc import Sequence
from typing import ClassVar

from exchange.errors import NotFound
from exchange.v1 import desk_service_pb2, handling_pb2
from exchange.v1.control_pb2 import PURGE_EXCEPTION_LEGAL_HOLD, PURGE_EXCEPTION_OWN_INVESTIGATION
from exchange.v1.desk_service_pb2 import OnRequestGrant
from exchange.v1.disclosure_pb2 import ON_REQUEST_GROUND_INVESTIGATION
from tests import inside
from tests.countries import BORDER, DAY, HIT, NGO, POLICE, agency
from tests.machine.books import Kind, place_of
from tests.machine.core import LONGEST
from tests.machine.forms import Special
from tests.machine.national import Kept, Passed
from tests.machine.told_inside import CLASSES, ORDINARY, URGENT, ToldInside
from tests.machine.transitions import transition
from tests.recalls import RESTRICTION, WITHDRAWAL, attested, codes, shown
from tests.refusals import refused

UNTICKED = ((), (), (), (), (), (14,), (3,), (8, 11))
GRANTED = ((), (), (), (6,), (24,), (6, 24), (9,))
OLDER = 6
"""From here on a number chooses among all, not among what is in force."""
PURPOSE = ("", "", "", "", "", "", "CHILD_SAFEGUARDING", "BORDER_CONTROL", "PROSECUTION")


class Distributing(ToldInside):
    """Rules of what passes inside a country."""

    OUTCOMES: ClassVar[frozenset[str]] = frozenset(
        {
            "distribute: told",
            "distribute: told somebody who was told from abroad",
            *(
                f"distribute: refused {code}"
                for code in (
                    "ALERT_EXPIRED",
                    "ALERT_NOT_IN_FORCE",
                    "AUDIENCE_SELF",
                    "CLAUSE_NONE",
                    "DISTRIBUTED_ALREADY",
                    "FIELDS_NONE",
                    "FIELD_NOT_HELD",
                    "FIELD_NOT_ON_REQUEST",
                    "FIELD_REQUIRED",
                    "HANDLING_H2",
                    "PURPOSE_NOT_AGREED",
                    "PURPOSE_NOT_PERMITTED",
                )
            ),
            "distribute: follows an update",
            "distribute: nothing follows, and the old is disputed",
            "distribute: more at the desk",
            "distribute: over for the agency alone",
            "distribute: ended by an erasure",
            "pry: not found",
            "confirm: done",
            "confirm: with an exception",
            "confirm: refused NOTHING_TO_CONFIRM",
            "attest: refused INSIDE_NOT_PURGED",
            "attest: refused INSIDE_EXCEPTION",
            "report inside: abroad",
            "report inside: kept for the desk",
            "report inside: refused",
            "report inside: refused ERASED",
            "forward: released",
            "forward: refused",
            "forward: refused REPORT_FORWARDED",
            "forward: refused ERASED",
        }
    )
    RARE: ClassVar[frozenset[str]] = ToldInside.RARE | {"attest: refused INSIDE_EXCEPTION"}
    """It takes an agency that keeps something, and a desk that then says that all is gone: test_distribution_life."""

    def desks(self) -> list[tuple[str, bytes]]:
        """(country, manifest) of every alert that a police desk was told from abroad."""
        return [(country, digest) for country, digest, party in self.holdings() if party == agency(country, POLICE)]

    @transition(
        weight=10,
        when=lambda self: bool(self.desks()),
        which=range(OLDER + 2),
        to=((BORDER,), (BORDER,), (BORDER, NGO), (BORDER, NGO), (NGO,), (POLICE,)),
        unticked=UNTICKED,
        granted=GRANTED,
        purpose=PURPOSE,
        by=(POLICE, POLICE, POLICE, POLICE, POLICE, BORDER),
    )
    def distribute(
        self, *, which: int, to: tuple[int, ...], unticked: tuple[int, ...], granted: tuple[int, ...], purpose: str, by: int
    ) -> None:
        """A desk tells agencies of its country."""
        fresh = [one for one in self.desks() if not self.books(one[0]).flags(one[1], agency(one[0], POLICE), self.facts)]
        country, digest = self.pick((fresh if which < OLDER else []) or self.desks(), which)
        books, desk = self.books(country), agency(country, by)
        if desk not in books.held[digest].inboxes:
            desk = agency(country, POLICE)
        parties = sorted(agency(country, one) for one in to)
        going = self._outlook(country, digest, desk, parties, (frozenset(unticked), frozenset(granted), purpose))
        grants = [
            OnRequestGrant(recipient=party, field=number, ground=ON_REQUEST_GROUND_INVESTIGATION) for party in parties for number in granted
        ]
        answer = inside.distributed(
            self.office(country),
            digest,
            *parties,
            name=self.person_of(desk),
            unticked=unticked,
            on_request=grants,
            purpose=handling_pb2.Purpose.Value(f"PURPOSE_{purpose}") if purpose else None,
        )
        found, expected = inside.codes(answer.problems), {one for one in going.values() if isinstance(one, str)}
        assert found == expected, f"{desk} distributes to {parties}: {sorted(found)}, expected {sorted(expected)}"
        if expected:
            for code in expected:
                self.happened(f"distribute: refused {code}")
            return
        rows = [one for one in going.values() if isinstance(one, Passed)]
        assert [(one.agency, frozenset(one.fields)) for one in answer.distributions] == [(one.party, one.fields) for one in rows]
        for row in rows:
            self._pass(books, row)
            if row.party in books.held[digest].inboxes:
                self.happened("distribute: told somebody who was told from abroad")
        self.happened("distribute: told")

    def _outlook(
        self, country: str, digest: bytes, desk: str, parties: Sequence[str], asked: tuple[frozenset[int], frozenset[int], str]
    ) -> dict[str, Passed | str]:
        """What each agency would be told, or why not; "" stands for the alert as a whole."""
        books = self.books(country)
        unticked, granted, wanted = asked
        purpose = wanted or (URGENT if digest in self.urgent else ORDINARY)
        if books.flags(digest, desk, self.facts):
            return {"": "ALERT_NOT_IN_FORCE"}
        if self.now() >= self.facts[digest].not_after:
            return {"": "ALERT_EXPIRED"}
        if problem := self._handled(digest, purpose):
            return {"": problem}
        found: dict[str, Passed | str] = {}
        for party in parties:
            if party == desk:
                found[party] = "AUDIENCE_SELF"
            elif place_of(desk)[1] != POLICE:
                found[party] = "CLAUSE_NONE"
            else:
                held = books.held[digest].opened[desk]
                before = [one for one in self.national(books).of(digest, party) if one.live(self.now())]
                had = frozenset().union(*(one.fields for one in before))
                found[party] = self._row(books, digest, party, held, (unticked, granted, purpose), had)
                row = found[party]
                if isinstance(row, Passed) and row.fields <= had:
                    found[party] = "DISTRIBUTED_ALREADY"
        return found

    @transition(
        weight=9,
        sender=range(2),
        also=(0, 0, 0, 1),
        unticked=((), (), (), (3, 19)),
        days=(1, 10, 10),
        to=((BORDER,), (BORDER,), (BORDER, NGO), (NGO,)),
        less=((), (), (), (3,)),
    )
    def tell_inside(
        self, *, sender: int, also: int, unticked: tuple[int, ...], days: int, to: tuple[int, ...], less: tuple[int, ...]
    ) -> None:
        """An alert goes to a desk, perhaps to its border agency too, and on to others of its country, if nothing is in the way."""
        country = self.country(sender)
        there = next(name for name in self.NAMES if name != country)
        parties = self.parties_abroad(country)
        choice = 1 << parties.index(agency(there, POLICE)) | also << parties.index(agency(there, BORDER))
        self.publish(sender=sender, choice=choice, unticked=unticked, granted=(), days=days, kept=180, looked=False)
        self.deliver(country, there)
        if self.desks():
            self.distribute(which=0, to=to, unticked=less, granted=(), purpose="", by=POLICE)

    @transition(
        weight=9,
        when=lambda self: bool(self.insiders()),
        which=range(5),
        what=(WITHDRAWAL, WITHDRAWAL, RESTRICTION, "more", "more", "update", "correct", "close"),
        fields=((9,), (12,), (18, 21)),
    )
    def change_inside(self, which: int, what: object, fields: tuple[int, ...]) -> None:
        """Its originator recalls what was distributed, or tells the desk more of it; and that comes."""
        known = [one for one in self.insiders() if one[1] in self.books(self.facts[one[1]].country).own]
        fresh = [one for one in known if self.books(one[0]).standing(one[1], self.facts) == "active"]
        country, digest, _ = self.pick(fresh or known or self.insiders(), which)
        origin = self.facts[digest].country
        if digest not in self.books(origin).own:
            return
        if what == "more":
            self.supplement_this(origin, digest, agency(country, POLICE), fields)
        elif isinstance(what, str):
            self.closing = what == "close"
            self.replace_this(origin, digest, correcting=what == "correct", more=0)
            self.closing = False
        else:
            assert isinstance(what, int)
            self.recall_this(origin, digest, what)
        self.deliver(origin, country)

    @transition(weight=3, when=lambda self: bool(self.insiders()), which=range(5), then=("", "agree", "agree", "erase"))
    def report_without_agreement(self, which: int, then: str) -> None:
        """The ordinary agreements end; an agency reports what its desk must pass on, under the next agreement or never."""
        country, digest, _ = self.pick(self.insiders(), which)
        origin = self.facts[digest].country
        ends = [one.until for one in self.books(country).treaties if one.parties == {country, origin} and not isinstance(one, Special)]
        if max(ends) - self.now() > 7 * DAY or max(ends) >= self.began + LONGEST:
            return
        self.clock.pass_(max(0, max(ends) - self.now()))
        self.report_inside(which)
        if then == "agree" and self.reach(country, origin):
            self.agreed(country, origin, "full", 6)
        if then == "erase":
            self.erase_this(country, digest, agency(country, POLICE))
            self.report_inside(which)
            if self._kept():
                self.forward(0)

    @transition(weight=3, when=lambda self: bool(self.desks()), which=range(5), who=range(2))
    def pry(self, which: int, who: int) -> None:
        """An officer of an agency that was not told tries all the same."""
        country, digest = self.pick(self.desks(), which)
        holding = self.books(country).held[digest]
        others = [party for party in (agency(country, one) for one in CLASSES) if party not in holding.inboxes | holding.passed]
        for party in others[who : who + 1]:
            office, name = self.office(country), self.person_of(party)
            for attempt in (shown, inside.reported, inside.confirmed):
                with refused(NotFound, "ALERT_NOT_FOUND"):
                    attempt(office, digest, name)
            with refused(NotFound, "ALERT_NOT_FOUND"):
                inside.distributed(office, digest, agency(country, BORDER), name=name)
            self.happened("pry: not found")

    @transition(
        weight=5,
        when=lambda self: bool(self.insiders()),
        which=range(5),
        exceptions=((), (), (PURGE_EXCEPTION_LEGAL_HOLD,), (PURGE_EXCEPTION_OWN_INVESTIGATION,)),
        attesting=("", "", "whole", "excepting"),
    )
    def confirm(self, which: int, exceptions: tuple[int, ...], attesting: str) -> None:
        """An agency confirms its purge to its desk, which may attest at once."""
        debts = [one for one in self.insiders() if self._owed(*one)]
        country, digest, party = self.pick(debts or self.insiders(), which)
        owed = self._owed(country, digest, party)
        answer = inside.confirmed(self.office(country), digest, self.person_of(party), exceptions=exceptions)
        if not owed:
            assert inside.codes(answer.problems) == {"NOTHING_TO_CONFIRM"}
            self.happened("confirm: refused NOTHING_TO_CONFIRM")
            return
        assert not answer.problems
        assert set(answer.confirmed) == set(owed)
        for one in owed:
            self.national(self.books(country)).purges[one, party] = frozenset(exceptions)
        self.happened("confirm: with an exception" if exceptions else "confirm: done")
        if attesting:
            self.attest_now(country, digest, agency(country, POLICE), excepting=attesting == "excepting")

    def _owed(self, country: str, digest: bytes, party: str) -> list[bytes]:
        """The manifests of an alert of which an agency owes its desk a confirmation, or kept something."""
        books = self.books(country)
        said = self.national(books).purges
        found = []
        for one in books.known_line(digest, self.facts):
            if one not in books.held or party not in books.held[one].passed - books.held[one].inboxes:
                continue
            withdrawn = any(recall.kind is Kind.WITHDRAWAL for recall in books.said_of(one))
            kept = books.standing(one, self.facts) == "withdrawn" and bool(said.get((one, party)))
            if (withdrawn and (one, party) not in said) or kept:
                found.append(one)
        return found

    def attest_now(self, country: str, digest: bytes, party: str, *, excepting: bool) -> None:
        """A desk attests only once each agency that it told has confirmed, or on a ground that covers what they keep."""
        books = self.books(country)
        grounds = {PURGE_EXCEPTION_LEGAL_HOLD} if excepting else set()
        waits = set()
        for one in books.known_line(digest, self.facts) if party == agency(country, POLICE) else ():
            if one not in books.held or party not in books.held[one].inboxes or not self._still(country, one, party):
                continue
            for other in books.held[one].passed - books.held[one].inboxes:
                said = self.national(books).purges.get((one, other))
                if said is None and not grounds:
                    waits.add("INSIDE_NOT_PURGED")
                elif not (said or frozenset()) <= grounds:
                    waits.add("INSIDE_EXCEPTION")
        if not waits:
            super().attest_now(country, digest, party, excepting=excepting)
            return
        answer = attested(
            self.office(country), digest, self.person_of(party), exceptions=[PURGE_EXCEPTION_LEGAL_HOLD] if excepting else None
        )
        assert [codes(one) for one in answer.attestations] == [waits]
        self._purge(country)
        for code in waits:
            self.happened(f"attest: refused {code}")

    @transition(weight=4, when=lambda self: bool(self.insiders()), which=range(5))
    def report_inside(self, which: int) -> None:
        """An agency that its desk told reports: abroad where an agreement lets it, else to its desk."""
        country, digest, party = self.pick(self.insiders(), which)
        books, about = self.books(country), self.facts[digest]
        office, name = self.office(country), self.person_of(party)
        agreed = any(
            not isinstance(one, Special) and self.now() < one.until for one in books.treaties if one.parties == {country, about.country}
        )
        if not agreed and books.held[digest].erased:
            with refused(NotFound, "ERASED"):
                inside.reported(office, digest, name)
            self.happened("report inside: refused ERASED")
            return
        answer = inside.reported(office, digest, name)
        assert answer.HasField("kept") == (not agreed), f"{party} reports {'abroad' if agreed else 'to its desk'}"
        if not agreed:
            self.national(books).reports.append(Kept(number=answer.kept.report, digest=digest, party=party))
            self.happened("report inside: kept for the desk")
            return
        if self._reported(country, digest, party, answer.published):
            self.happened("report inside: abroad")
        else:
            self.happened("report inside: refused")

    def _reported(self, country: str, digest: bytes, party: str, answer: desk_service_pb2.PublishedAlert) -> bool:
        """Note a report that went abroad, or that it was refused for the right reason."""
        books, about = self.books(country), self.facts[digest]
        going = books.decide(about.agency, HIT, self.now())
        expected = {going} if isinstance(going, str) else {"LOG_STOPPED"} if books.out[about.country].stopped else set()
        if not self.is_(answer, expected, "report"):
            return False
        assert not isinstance(going, str)
        self.note_report(country, digest, party, answer.manifest_digest, going)
        return True

    @transition(weight=5, when=lambda self: bool(self._kept()), which=range(5))
    def forward(self, which: int) -> None:
        """A desk passes on in its own name what an agency reported."""
        country, report = self.pick(self._kept(), which)
        office = self.office(country)
        if report.gone:
            with refused(NotFound, "ERASED"):
                inside.forwarded(office, report.number)
            self.happened("forward: refused ERASED")
            return
        if report.forwarded:
            assert codes(inside.forwarded(office, report.number)) & {"REPORT_FORWARDED", "LOG_STOPPED", *_POLICY}
            self.happened("forward: refused REPORT_FORWARDED")
            return
        answer = inside.forwarded(office, report.number)
        if self._reported(country, report.digest, agency(country, POLICE), answer):
            report.forwarded = answer.manifest_digest
            self.happened("forward: released")
        else:
            self.happened("forward: refused")

    def _kept(self) -> list[tuple[str, Kept]]:
        return [(country, one) for country in self.NAMES for one in self.national(self.books(country)).reports]


_POLICY = ("AGREEMENT_EXPIRED", "CLAUSE_NONE", "PARTNER_SUSPENDED", "PURPOSE_NOT_AGREED")
