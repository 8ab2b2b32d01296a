"""Agreements and their ends, releases to several, previews, supplements, and more time."""

from collections.abc import Mapping
from typing import Any, ClassVar

from exchange.encoding import cut
from exchange.errors import NotFound
from exchange.v1 import agreement_pb2, desk_service_pb2, disclosure_pb2
from exchange.v1.desk_service_pb2 import OnRequestGrant
from exchange.v1.travel_alert_pb2 import TravelAlert
from node.operations import agreements, preview
from tests import builders
from tests.countries import BORDER, DAY, HOUR, NGO, POLICE, TRAVEL, agency, agreement, changed
from tests.machine.books import Entry, Fact, Going, Kind, Treaty
from tests.machine.core import LONGEST, Machine
from tests.machine.transitions import transition
from tests.recalls import codes, other_alert, supplemented
from tests.refusals import refused
from tests.rig import draft

AGREEMENTS = 6
"""Of two countries in one run at most: each is opened whenever an office reads what it knows."""
VARIANTS = ("full", "full", "narrow", "eyes", "eyes", "no-ngo")
_STEPS = (2 * 60_000, HOUR, HOUR, 12 * HOUR, DAY, 4 * DAY)
_GROUND = disclosure_pb2.ON_REQUEST_GROUND_INVESTIGATION
UNTICKED = ((), (), (), (), (11,), (3, 19), (33,))
GRANTED = ((), (), (), (6,), (24,))
SUPPLEMENTS = ((6,), (24,), (6, 24), (20,), (5,))


class Telling(Machine):
    """Rules of agreements and releases."""

    OUTCOMES: ClassVar[frozenset[str]] = frozenset(
        {
            "agree: in force",
            "publish: released",
            "preview: as released",
            *(
                f"publish: refused {code}"
                for code in (
                    "AGREEMENT_EXPIRED",
                    "ASSESSMENT_EXPIRED",
                    "ASSESSMENT_MISSING",
                    "AUDIENCE_NOT_AGREED",
                    "CONDITION_APPROVALS",
                    "FIELD_NOT_ON_REQUEST",
                    "FIELD_REQUIRED",
                    "LOG_STOPPED",
                    "PARTNER_SUSPENDED",
                )
            ),
            "supplement: released",
            "supplement: told already",
            *(
                f"supplement: refused {code}"
                for code in ("by policy", "ALERT_WITHDRAWN", "ALERT_RESTRICTED", "ALREADY_SUPERSEDED", "ERASED")
            ),
            "read: as given",
            "read: nothing of what is blocked",
        }
    )

    FIRST: ClassVar[int] = 5
    """Days for which everybody agrees at first."""

    def begin(self) -> None:
        """Everybody has an agreement with everybody, for some days."""
        super().begin()
        for one, other in self.pairs(both=False):
            self.agreed(one, other, "full", self.FIRST)

    @transition(weight=3, pair=range(6), variant=VARIANTS, days=[2, 6, 12])
    def agree(self, pair: int, variant: str, days: int) -> None:
        """Two countries agree anew, in other words."""
        one, other = self.pick(self.pairs(), pair)
        ours = [treaty for treaty in self.books(one).treaties if treaty.parties == {one, other} and treaty.variant in VARIANTS]
        if self.reach(one, other) and len(ours) < AGREEMENTS:
            self.agreed(one, other, variant, days)

    def agreed(self, one: str, other: str, variant: str, days: int) -> None:
        """An agreement, proposed by one and accepted by the other."""
        self.clock.pass_(1_000)  # so that no two came into force at once
        start, until = self.now(), self.now() + days * DAY
        content = agreement(one, other, valid_from=start, valid_until=until)
        clauses = [changed(each) for each in self.clauses(one, other)]
        if variant == "no-ngo":
            clauses = [each for each in clauses if each.audience != NGO]
        for each in clauses:
            if each.alert_type == TRAVEL and variant == "narrow":
                permitted = [number for number in each.permitted if number != 11]
                each.CopyFrom(changed(each, permitted=permitted, on_request=None))
            if each.alert_type == TRAVEL and variant == "eyes" and each.audience == BORDER:
                each.approvals = 1
        ours, theirs = self.office(one), self.office(other)
        drafted = agreements.draft(
            ours.ports, ours.person("administrator"), changed(content, clauses=sorted(clauses, key=lambda each: each.id))
        )
        self.federation.carry()
        agreements.accept(theirs.ports, theirs.person("administrator"), drafted.digest.hex())
        self.federation.carry()
        treaty = Treaty(digest=drafted.digest, parties=frozenset({one, other}), start=start, until=until, variant=variant)
        for country in (one, other):
            self.books(country).treaties.append(treaty)
        self.happened("agree: in force")

    def clauses(self, one: str, other: str) -> list[agreement_pb2.Clause]:
        """What two countries may tell each other; mixins add to it."""
        return list(agreement(one, other).clauses)

    @transition(weight=5, step=_STEPS)
    def time_passes(self, step: int) -> None:
        """The clock goes on; agreements and alerts expire, limits pass."""
        if self.now() + step < self.began + LONGEST:
            self.clock.pass_(step)

    def drafted(self, to: list[str], **changes: Any) -> desk_service_pb2.Draft:
        """A draft to those agencies."""
        return draft(*to, **{"not_after": self.now() + 10 * DAY, **changes})

    @transition(
        weight=6,
        sender=range(3),
        choice=range(1, 64),
        unticked=UNTICKED,
        granted=GRANTED,
        days=[1, 10, 10],
        kept=[2, 180, 180],
        looked=(False, True),
    )
    def publish(
        self, *, sender: int, choice: int, unticked: tuple[int, ...], granted: tuple[int, ...], days: int, kept: int, looked: bool
    ) -> None:
        """An officer releases an alert to some agencies, perhaps after a preview."""
        country = self.country(sender)
        parties = self.parties_abroad(country)
        to = [party for place, party in enumerate(parties) if choice >> place & 1] or parties[:1]
        grants = [OnRequestGrant(recipient=party, field=number, ground=_GROUND) for party in to[:1] for number in granted]
        wanted = self.drafted(
            to,
            unticked=unticked,
            on_request=grants,
            not_after=self.now() + days * DAY,
            handling=builders.handling(retention_days=kept),
        )
        going = self.planned(country, wanted)
        if looked:
            self.preview(country, wanted, going)
        if self.released(country, wanted, going, self.office(country).publish(wanted)):
            self.happened("publish: released")
            if len({self.country_of(party) for party in to}) > 1:
                self.several()

    def several(self) -> None:
        """One release told several countries."""

    def planned(self, country: str, wanted: desk_service_pb2.Draft, approvals: int = 0) -> Mapping[str, Going | str]:
        """What the oracle says would go to each recipient of a draft, or why not."""
        found = {}
        for party in wanted.recipients:
            granted = {grant.field for grant in wanted.on_request if grant.recipient == party}
            found[party] = self.books(country).planned(
                party, self.now(), approvals=approvals, unticked=set(wanted.unticked), granted=granted
            )
        return found

    def preview(self, country: str, wanted: desk_service_pb2.Draft, going: Mapping[str, Going | str]) -> None:
        """What is shown before a release is what the oracle says would go."""
        office = self.office(country)
        for each in preview.preview(office.ports, office.person("liaison"), wanted).recipients:
            expected = going[each.recipient]
            if isinstance(expected, str):
                assert {problem.code for problem in each.denied} == {expected}
            else:
                assert frozenset(cut(each.view)) == expected.fields & frozenset(cut(wanted.alert))
        self.happened("preview: as released")

    def released(
        self, country: str, wanted: desk_service_pb2.Draft, going: Mapping[str, Going | str], answer: desk_service_pb2.PublishedAlert
    ) -> bool:
        """Note what a release told, or that it was refused for the right reasons."""
        expected = {code for code in going.values() if isinstance(code, str)}
        stopped = any(self.books(country).out[self.country_of(party)].stopped for party in going)
        if not expected and stopped:
            expected = {"LOG_STOPPED"}
        if not self.is_(answer, expected, "publish"):
            for code in expected:
                self.happened(f"publish: refused {code}")
            return False
        self.note_release(country, wanted, {party: one for party, one in going.items() if isinstance(one, Going)}, answer)
        return True

    def note_release(
        self, country: str, wanted: desk_service_pb2.Draft, going: Mapping[str, Going], answer: desk_service_pb2.PublishedAlert
    ) -> None:
        """Enter a released alert into the oracle's books, in the order in which its entries were logged."""
        supersedes = tuple(wanted.supersedes)
        line = self.facts[supersedes[0]].line if supersedes else len(self.facts)
        fact = Fact(
            digest=answer.manifest_digest,
            kind=Kind.ALERT,
            country=country,
            agency=agency(country, POLICE),
            line=line,
            supersedes=supersedes,
            present=frozenset(cut(wanted.alert)),
            not_after=wanted.not_after,
            retention_days=wanted.handling.retention_days,
        )
        entries: dict[str, list[Entry]] = {}
        for told in sorted(answer.disclosures, key=lambda one: (one.origin, one.index)):
            (party,) = told.audience
            one = going[party]
            assert frozenset(told.fields) == one.fields, f"{party} is told other fields: {sorted(told.fields)}"
            entry = Entry(
                digest=fact.digest,
                kind=Kind.ALERT,
                audience=frozenset(told.audience),
                fields=one.fields,
                agreement=one.treaty.digest,
                ground=one.ground,
            )
            entries.setdefault(self.country_of(party), []).append(entry)
        assert sum(map(len, entries.values())) == len(going)
        self.oracle.release(country, fact, entries)

    def parties_abroad(self, country: str) -> list[str]:
        """Every agency of the other countries."""
        return [agency(name, one) for name in self.NAMES if name != country for one in (BORDER, POLICE, NGO)]

    def country_of(self, party: str) -> str:
        """In which country an agency is."""
        return party.removeprefix("spiffe://").partition(".")[0]

    def other_alert(self, **changes: Any) -> TravelAlert:
        """The alert, on a flight that no alert had."""
        alert = other_alert(**changes)
        alert.itinerary[0].service_number = f"YY {len(self.facts)}"
        return alert

    @transition(
        weight=4,
        when=lambda self: bool(self.manifests()),
        which=range(5),
        whom=range(6),
        fields=SUPPLEMENTS,
    )
    def supplement(self, which: int, whom: int, fields: tuple[int, ...]) -> None:
        """An officer tells an agency more of an alert."""
        country, digest = self.pick(self.manifests(), which)
        told = sorted(self.books(country).audience([digest]))
        self.supplement_this(country, digest, told[whom % len(told)], fields)

    def supplement_this(self, country: str, digest: bytes, party: str, fields: tuple[int, ...]) -> None:
        """One agency is told more of one alert."""
        books, office = self.books(country), self.office(country)
        if books.own[digest].erased:
            with refused_erased():
                supplemented(office, digest, party, *fields)
            self.happened("supplement: refused ERASED")
            return
        answer = supplemented(office, digest, party, *fields)
        partner = self.country_of(party)
        before = [
            entry
            for there, index, entry in books.tellings(digest)
            if there == partner and index not in books.out[there].excepted and party in entry.audience
        ]
        had = frozenset().union(*(entry.fields for entry in before))
        new = frozenset(fields) - had
        if not new:
            assert not codes(answer)
            self.happened("supplement: told already")
            return
        if code := self._standing_obstacle(country, digest):
            assert codes(answer) == {code}
            self.happened(f"supplement: refused {code}")
            return
        going = self.further(country, party, new, before) if before and partner not in books.suspended else None
        if going is None or books.gate(party, self.now()) or books.out[partner].stopped:
            assert codes(answer), f"{party} is told {sorted(new)}, which nothing allows"
            self.happened("supplement: refused by policy")
            return
        assert not codes(answer), f"a supplement is refused: {sorted(codes(answer))}"
        entry = Entry(
            digest=digest, kind=Kind.ALERT, audience=frozenset({party}), fields=new, agreement=going.treaty.digest, ground=going.ground
        )
        books.out[partner].entries.append(entry)
        self.happened("supplement: released")

    def further(self, country: str, party: str, new: frozenset[int], _before: list[Entry]) -> Going | None:
        """Under which agreement exactly these fields go besides what an agency was told before."""
        return self.books(country).more(party, new, self.now())

    def _standing_obstacle(self, country: str, digest: bytes) -> str:
        books = self.books(country)
        state = books.standing(digest, self.facts)
        codes_of = {"withdrawn": "ALERT_WITHDRAWN", "restricted": "ALERT_RESTRICTED", "active": ""}
        return codes_of.get(state, "ALREADY_SUPERSEDED")

    @transition(when=lambda self: bool(self.holdings()), which=range(5))
    def read(self, which: int) -> None:
        """An officer looks at an alert at any time: it reads as given, or not at all."""
        country, digest, party = self.pick(self.holdings(), which)
        self.see(country, digest, party, self.inbox(country, party))
        given = self.readable(country, digest, party)
        self.happened("read: as given" if given else "read: nothing of what is blocked")


def refused_erased() -> Any:
    """The refusal of whatever needs content that is gone."""
    return refused(NotFound, "ERASED")
