"""In haste: one alert under an agreement for an emergency and its review, clauses that may be used so often, and nobody told of twice."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from exchange.encoding import encode
from exchange.v1 import desk_service_pb2, handling_pb2, people_pb2
from exchange.v1.travel_alert_pb2 import TravelAlert
from node.operations import emergency, preview
from node.operations.officers import NotPermitted
from tests import builders
from tests.countries import DAY, HOUR, POLICE, agency, agreement, changed, clause
from tests.countries import emergency as in_need
from tests.machine.books import TELLING, Books, Entry, Going, Kind
from tests.machine.core import LONGEST
from tests.machine.forms import Forming, Special
from tests.machine.haste import BIRTH, CAP, DOCUMENTS, FAMILY, FIELDS, Haste, Use
from tests.machine.transitions import transition
from tests.refusals import refused

SAVE_LIFE = handling_pb2.PURPOSE_SAVE_LIFE
EMERGENCY, CAPPED = "emergency", "capped"
LATE = "EMERGENCY_UNREVIEWED"
PEOPLE = 2
"""Whom the alerts of `tell_of` are about."""


class Emergencies(Forming):
    """Rules of emergencies, caps and duplicates."""

    OUTCOMES: ClassVar[frozenset[str]] = frozenset(
        {
            "emergency: agreed",
            "emergency: told",
            "emergency: told under another, since the first was used",
            "emergency: told under a capped clause, since the emergency's was used",
            "emergency: came",
            "emergency: reviewed",
            "emergency: reviewed in time",
            "emergency: reviewed late",
            "emergency: reviewed once more",
            "emergency: overdue",
            "emergency: refused REVIEWER_RELEASED_IT",
            "emergency: the recovered log says so, and it is to be reviewed",
            "cap: agreed",
            "cap: told",
            "cap: free again",
            *(f"publish: refused {code}" for code in ("EMERGENCY_USED", "CONDITION_RATE_CAP", "PURPOSE_NOT_AGREED", "CLAUSE_NONE")),
            "publish: refused SUBJECT_ALREADY_ALERTED",
            "publish: refused SUBJECT_ALERTED_BY_PARTNER",
            "duplicate: nobody else is told of",
            "duplicate: released all the same",
            "duplicate: one of several was named",
            "duplicate: linked to it",
            "duplicate: of what went to another agency, only whom to ask",
            "report: refused CLAUSE_NONE",
        }
    )

    def __init__(self) -> None:
        super().__init__()
        self.about: dict[bytes, str] = {}
        """Manifest to the document of the person whom it is about."""
        self.at: dict[bytes, int] = {}
        """When each manifest was released."""
        self.saving_life: set[bytes] = set()
        """Manifests that were released for that."""
        self.oracle.took.append(self._came)
        self.oracle.adopted.append(self._adopted)

    def haste(self, books: Books) -> Haste:
        """What an office knows of emergencies."""
        found: Haste = books.families.setdefault(FAMILY, Haste())
        return found

    # Agreements

    @transition(weight=4, sender=range(2), hours=(6, 12, 24), child=(False, True))
    def agree_emergency(self, sender: int, hours: int, *, child: bool) -> None:
        """Two countries agree on telling the one's police of one alert."""
        one = self.country(sender)
        other = next(name for name in self.NAMES if name != one)
        if not self.reach(one, other):
            return
        only = changed(
            clause(one, other, POLICE), id="emergency", purposes=[SAVE_LIFE], required=[1, 30, 33], permitted=[3, 11], on_request=None
        )
        ground = 2 if child else 1
        content = in_need(valid_from=self.now(), valid_until=self.now() + hours * HOUR, clauses=[only], emergency_ground=ground)
        made = self.sign(one, other, content, EMERGENCY, sender=one)
        for country in (one, other):
            self.haste(self.books(country)).agreed.add(made.digest)
            self.books(country).alarms.add("EMERGENCY_AGREEMENT")
        self.happened("emergency: agreed")

    @transition(weight=2, sender=range(2), days=(2, 4))
    def agree_cap(self, sender: int, days: int) -> None:
        """An ordinary agreement to save life, so often in a day."""
        one = self.country(sender)
        other = next(name for name in self.NAMES if name != one)
        if not self.reach(one, other) or len(self.specials(self.books(one), other, CAPPED)) > 1:
            return
        only = changed(
            clause(one, other, POLICE),
            purposes=[SAVE_LIFE],
            required=[1, 30, 33],
            permitted=[3, 11],
            on_request=None,
            rate_cap_per_day=CAP,
        )
        content = agreement(one, other, valid_from=self.now(), valid_until=self.now() + days * DAY, clauses=[only])
        self.sign(one, other, content, CAPPED, sender=one, cap=CAP)
        self.happened("cap: agreed")

    # Releases to save life

    @transition(weight=4, sender=range(2), form=(EMERGENCY, CAPPED), times=(1, 2, 3), wait=(0, DAY, DAY))
    def hurry(self, sender: int, form: str, times: int, wait: int) -> None:
        """Two countries agree, something is told at once, and a day later it is reviewed, or told again."""
        if form == EMERGENCY:
            self.agree_emergency(sender, 24, child=False)
        else:
            self.agree_cap(sender, 4)
        for _ in range(times):
            self.save_life(sender, looked=False)
        if wait and self.now() + wait < self.began + LONGEST:
            self.clock.pass_(wait)
            if form == EMERGENCY and self._own_uses():
                self.watch_reviews(sender)
                self.review(0, "second")
            else:
                self.save_life(sender, looked=True)

    def uses(self, books: Books, partner: str, special: Special, within: int) -> int:
        """How often our log names an agreement, in the last so many milliseconds."""
        log = books.out[partner].entries
        return sum(one.agreement == special.digest and self.now() - self.at[one.digest] < within for one in log)

    def saving(self, country: str, party: str) -> Going | str:
        """Under which agreement an alert to save life goes, or why not."""
        books, partner = self.books(country), self.country_of(party)
        if partner in books.suspended:
            return "PARTNER_SUSPENDED"
        ours = [one for one in books.treaties if isinstance(one, Special) and one.sender == country and partner in one.parties]
        used = False
        for one in sorted(ours, key=lambda treaty: (-treaty.start, treaty.digest)):
            if self.now() >= one.until:
                continue
            if one.variant == EMERGENCY and self.uses(books, partner, one, 2 * DAY):
                used = True
                continue
            if one.cap and self.uses(books, partner, one, DAY) >= one.cap:
                return "CONDITION_RATE_CAP"
            return Going(party=party, treaty=one, fields=FIELDS, ground=False)
        if used:
            return "EMERGENCY_USED"
        reasons = self.besides(books, party, "exchange.v1.TravelAlert")
        return next((code for code in TELLING if code in reasons), "AGREEMENT_NONE")

    @transition(weight=8, sender=range(2), looked=(False, True))
    def save_life(self, sender: int, *, looked: bool) -> None:
        """An officer releases an alert to save life; nobody approves beforehand."""
        able = sorted({one.sender for name in self.NAMES for one in self._in_force(name)})
        country = able[sender % len(able)] if able else self.country(sender)
        partner = next(name for name in self.NAMES if name != country)
        party, books = agency(partner, POLICE), self.books(country)
        handling = builders.handling(codes=[handling_pb2.HANDLING_CODE_H1], permitted_purposes=[handling_pb2.PURPOSE_PREVENTION, SAVE_LIFE])
        wanted = self.drafted([party], purpose=SAVE_LIFE, handling=handling)
        going = self.saving(country, party)
        if looked:
            self._preview(country, wanted, going)
        known = self.haste(books).uses
        ours = self.specials(books, partner, EMERGENCY)
        told = {one.digest for one in ours if self.uses(books, partner, one, 2 * DAY)}
        assert told <= known.keys(), f"{country} forgot what its log says was told in an emergency"
        if not self.released(country, wanted, {party: going}, self.office(country).publish(wanted)):
            return
        assert isinstance(going, Going)
        spent = [one for one in ours if self.now() < one.until and one.start > going.treaty.start]
        if going.treaty.variant == EMERGENCY:
            digest = list(self.facts)[-1]
            known[going.treaty.digest] = Use(
                agreement=going.treaty.digest, manifest=digest, own=True, officer="liaison", review_by=self.now() + DAY
            )
            self.happened("emergency: told under another, since the first was used" if spent else "emergency: told")
        else:
            self.happened("emergency: told under a capped clause, since the emergency's was used" if spent else "cap: told")
            if any(one.agreement == going.treaty.digest and self.at[one.digest] <= self.now() - DAY for one in books.out[partner].entries):
                self.happened("cap: free again")

    def _in_force(self, country: str) -> list[Special]:
        """What lets a country tell something to save life."""
        ours = [one for one in self.books(country).treaties if isinstance(one, Special)]
        return [one for one in ours if one.sender == country and self.now() < one.until]

    def _preview(self, country: str, wanted: desk_service_pb2.Draft, going: Going | str) -> None:
        office = self.office(country)
        (shown,) = preview.preview(office.ports, office.person("liaison"), wanted).recipients
        found = {problem.code for problem in shown.denied}
        assert found == ({going} if isinstance(going, str) else set()), f"the preview says {found}, expected {going}"
        if isinstance(going, Going):
            assert shown.emergency == (going.treaty.variant == EMERGENCY)

    def note_release(
        self, country: str, wanted: desk_service_pb2.Draft, going: Mapping[str, Going], answer: desk_service_pb2.PublishedAlert
    ) -> None:
        """And when, and about whom."""
        self.at[answer.manifest_digest] = self.now()
        if wanted.purpose == SAVE_LIFE:
            self.saving_life.add(answer.manifest_digest)
        self.about[answer.manifest_digest] = TravelAlert.FromString(wanted.alert).documents[0].number
        super().note_release(country, wanted, going, answer)

    def further(self, country: str, party: str, new: frozenset[int], before: list[Entry]) -> Going | None:
        """More of what was told to save life no agreement gives."""
        return None if before[0].digest in self.saving_life else super().further(country, party, new, before)

    def _came(self, books: Books, taken: Sequence[Entry]) -> None:
        agreed = self.haste(books).agreed
        for entry in taken:
            if entry.kind is Kind.ALERT and entry.agreement in agreed:
                use = Use(agreement=entry.agreement, manifest=entry.digest, own=False)
                self.haste(books).uses.setdefault(entry.agreement, use)
                self.happened("emergency: came")

    def _adopted(self, books: Books, adopted: Sequence[Entry]) -> None:
        agreed = self.haste(books).agreed
        for entry in adopted:
            if entry.kind is Kind.ALERT and entry.agreement in agreed:
                use = Use(agreement=entry.agreement, manifest=entry.digest, own=True, review_by=self.now() + DAY)
                self.haste(books).uses[entry.agreement] = use
                self.happened("emergency: the recovered log says so, and it is to be reviewed")

    def remarks(self, country: str, digest: bytes, party: str) -> list[str]:
        """And that it was told in an emergency."""
        told = any(one.manifest == digest for one in self.haste(self.books(country)).uses.values())
        found = super().remarks(country, digest, party)
        return ["EMERGENCY", *found] if told else found

    # Reviews

    @transition(weight=7, when=lambda self: bool(self._own_uses()), which=range(3), by=("second", "second", "liaison"))
    def review(self, which: int, by: str) -> None:
        """A second officer looks at what was released, afterwards."""
        country, use = self.pick(self._own_uses(), which)
        office = self.office(country)
        if by == use.officer:
            with refused(NotPermitted, "REVIEWER_RELEASED_IT"):
                emergency.review(office.ports, office.person(by), use.agreement.hex(), "synthetic: in order")
            self.happened("emergency: refused REVIEWER_RELEASED_IT")
            return
        again = bool(use.reviewed_by)
        answer = emergency.review(office.ports, office.person(by), use.agreement.hex(), "synthetic: in order")
        use.reviewed_by = use.reviewed_by or by  # the first review stands
        assert (answer.reviewed_by, answer.manifest_digest) == (office.person(use.reviewed_by), use.manifest)
        if again:
            self.happened("emergency: reviewed once more")
            return
        self.happened("emergency: reviewed")
        self.happened("emergency: reviewed in time" if self.now() < use.review_by else "emergency: reviewed late")

    @transition(weight=2, office=range(2))
    def watch_reviews(self, office: int) -> None:
        """The office looks for what nobody reviewed."""
        self.watched(self.country(office))

    def watched(self, country: str) -> None:
        """And is told of it until somebody does."""
        emergency.watch_reviews(self.office(country).ports)
        for use in self.haste(self.books(country)).uses.values():
            if use.own and not use.reviewed_by and self.now() >= use.review_by:
                use.late = True
                self.happened("emergency: overdue")
        late = any(use.late and not use.reviewed_by for use in self.haste(self.books(country)).uses.values())
        assert (LATE in self.office(country).alarms()) == late

    def _own_uses(self) -> list[tuple[str, Use]]:
        return [(country, use) for country in self.NAMES for use in self.haste(self.books(country)).uses.values() if use.own]

    def see_records(self, country: str) -> None:
        """Auditors know of every emergency that was agreed, and of its use; and of no other."""
        books, office = self.books(country), self.office(country)
        self.watched(country)
        late = any(use.late and not use.reviewed_by for use in self.haste(books).uses.values())
        books.alarms = books.alarms - {LATE} | ({LATE} if late else set())
        super().see_records(country)
        assert ("EMERGENCY_AGREEMENT" in office.alarms()) == bool(self.haste(books).agreed)
        listed = emergency.list_emergencies(office.ports, office.person("administrator"))
        found = {(one.agreement_digest, one.manifest_digest, one.own, one.review_by, one.reviewed_by) for one in listed}
        expected = {
            (one.agreement, one.manifest, one.own, one.review_by, office.person(one.reviewed_by) if one.reviewed_by else "")
            for one in self.haste(books).uses.values()
        }
        assert found == expected, f"{country}: {len(found - expected)} uses too many, {len(expected - found)} too few"

    # Twice

    def others(self, country: str, document: str) -> list[tuple[str, bytes, frozenset[str]]]:
        """(code, manifest, what may be named) of every alert about a person that stands here, newest last."""
        books, found = self.books(country), []
        for digest, of in self.about.items():
            if of != document or self.now() >= self.facts[digest].not_after:
                continue
            if digest in books.own and books.standing(digest, self.facts) in _STANDING:
                found.append(("SUBJECT_ALREADY_ALERTED", digest, frozenset({digest.hex()})))
            holding = books.held.get(digest)
            told = frozenset().union(*holding.opened.values()) if holding else frozenset()
            if holding and told & {BIRTH, DOCUMENTS} and books.standing(digest, self.facts) in _STANDING:
                visible = agency(country, POLICE) in holding.inboxes
                names = frozenset({digest.hex()} if visible else holding.inboxes)
                found.append(("SUBJECT_ALERTED_BY_PARTNER", digest, names))
        return found

    @transition(
        weight=9,
        sender=range(2),
        who=range(PEOPLE),
        choice=(1, 2, 2, 3),
        named=("", "", "one", "all", "all", "link"),
    )
    def tell_of(self, sender: int, who: int, choice: int, named: str) -> None:
        """An officer of a country that refuses duplicates tells of a person, of whom somebody may have told before."""
        country, person = self.country(sender), person_of(who)
        document = person.documents[0].number
        others = self.others(country, document)
        to = [party for place, party in enumerate(self.parties_abroad(country)) if choice >> place & 1]
        despite = {"": [], "one": others[:1], "all": others, "link": []}[named]
        linked = others[-1][1] if named == "link" and others else b""
        line = self.facts[linked].line if linked else None
        left = [one for one in others if self.facts[one[1]].line != line]
        accepted = {min(names) for _, _, names in despite}
        wanted = self.drafted(to, alert=encode(person), despite=sorted(accepted), thread=linked)
        refusals = {code for code, _, names in left if not names & accepted}
        going = self.planned(country, wanted)
        office = self.office(country)
        office.ports = replace(office.ports, duplicates_refuse=True)
        answer = office.publish(wanted)
        office.ports = replace(office.ports, duplicates_refuse=False)
        if refusals and not any(isinstance(one, str) for one in going.values()):
            assert not self.is_(answer, refusals, f"{country} tells of {document}")
            for code in refusals:
                self.happened(f"publish: refused {code}")
            if accepted:
                self.happened("duplicate: one of several was named")
            if any(min(names).startswith("spiffe://") for _, _, names in others):
                self.happened("duplicate: of what went to another agency, only whom to ask")
            return
        if self.released(country, wanted, going, answer):
            how = "linked to it" if linked else "released all the same" if accepted else "nobody else is told of"
            self.happened(f"duplicate: {how}")

    @transition(
        weight=5, sender=range(2), who=range(PEOPLE), choice=(1, 2, 3), other=(0, 1, 1), named=("", "one", "all", "all", "link", "link")
    )
    def tell_of_twice(self, *, sender: int, who: int, choice: int, other: int, named: str) -> None:
        """One country tells of a person, and then it or another does once more."""
        self.tell_of(sender, who, choice, "all")
        self.deliver(self.country(sender), self.country(sender + 1))
        self.tell_of(sender + other, who, choice, named)


_STANDING = frozenset({"active", "disputed", "restricted"})


def person_of(number: int) -> TravelAlert:
    """One of a few people, who share nothing."""
    alert = builders.alert()
    alert.primary_name.CopyFrom(people_pb2.PersonName(family=f"SYNTHETIC{'ABC'[number]}", given=f"Person {'ABC'[number]}", script="Latn"))
    del alert.names[:]
    alert.names.add().CopyFrom(alert.primary_name)
    alert.birth.date = f"19{60 + number}-04-12"
    alert.documents[0].number = f"99900000{number}"
    del alert.documents[1:]
    return alert
