"""How tips read to their desks and their NGOs, and what goes abroad under the agreement about them: no rules, but what must hold."""

from collections.abc import Sequence
from dataclasses import replace

from exchange.v1 import desk_service_pb2
from exchange.v1.tip_pb2 import TipState
from node.operations import tip_line
from tests import tip_desk
from tests.countries import BORDER, DAY, POLICE, agency, agreement, changed
from tests.machine.books import TELLING, Books, Entry, Fact, Kind
from tests.machine.forms import Forming
from tests.machine.keeping import Keeping
from tests.machine.tips import DRAFT_DAYS, FAMILY, KEEP_DAYS, Tip, Tips
from tests.tips import NGO_ID, OTHER_NGO, body, plan, tips_agreement

HOME, ABROAD = "kh", "gb"
HERE, THERE, FAR = agency(HOME, POLICE), agency(HOME, BORDER), agency(ABROAD, POLICE)
TYPES = {Kind.TIP: "exchange.v1.Tip", Kind.REQUEST: "exchange.v1.InformationRequest", Kind.ALERT: "exchange.v1.TravelAlert"}
_WAITING = (TipState.Value("TIP_STATE_RECEIVED"), TipState.Value("TIP_STATE_REFERRED"))


class TipsHere(Forming, Keeping):
    """What one country knows of tips."""

    def __init__(self) -> None:
        super().__init__()
        office = self.office(HOME)
        tips = plan(keep_days=KEEP_DAYS, draft_days=DRAFT_DAYS)
        office.configured = {**office.configured, "tips": tips}
        office.restart()
        self.sent: dict[bytes, Tip] = {}
        """What NGOs have sent, as they remember it: it outlives the database."""
        self.files: list[tuple[Kind, desk_service_pb2.Draft, int]] = []
        """Drafts that were made of tips and not released, and when."""
        self.states: dict[bytes, str] = {}
        """What each answer says."""
        self.oracle.took.append(self._answered)

    def begin(self) -> None:
        """And an agreement about tips, for as long as keys last."""
        super().begin()
        whole = tips_agreement()
        kinds = (*TYPES.values(), "exchange.v1.TipStatus")
        clauses = [one for one in whole.clauses if one.alert_type in kinds and one.alert_type != TYPES[Kind.ALERT]]
        start = self.now()
        content = changed(agreement(ABROAD, HOME), clauses=clauses, valid_from=start, valid_until=start + 20 * DAY)
        self.sign(ABROAD, HOME, content, "tips")

    @property
    def known(self) -> Tips:
        """What the country knows of tips."""
        found: Tips = self.books(HOME).families.setdefault(FAMILY, Tips())
        return found

    def _save(self, tip: Tip) -> None:
        more = {"contact": {"telephone": "+855 12 000 001"}} if tip.contact else {}
        written = body(tip.content, **more)  # type: ignore[arg-type]  # any more of a tip's JSON
        answer = tip_line.save_tip(self.office(HOME).ports, tip.ngo, tip.tip_id, written)
        assert answer.created
        self.known.tips.append(replace(tip, reference=answer.reference, erase_by=self.now() + DRAFT_DAYS * DAY, releases=[], answers={}))
        self.happened("tip: saved")

    def _submit(self, sent: Tip) -> None:
        tip = self.known.drafted(sent.ngo, sent.tip_id)
        assert tip is not None
        again = tip.state != "DRAFT"
        answer = tip_line.submit_tip(self.office(HOME).ports, tip.ngo, tip.tip_id)
        if not again:
            desk = THERE if tip.danger and tip.local else HERE
            tip.submit(desk, self.now())
            (tip.digest,) = (one.digest for one in self._listed(desk) if one.reference == tip.reference)
            where = (
                "to the local desk"
                if desk == THERE
                else f"to the national desk, as {'no local one is known' if tip.danger else 'nobody is in danger'}"
            )
            self.happened(f"tip: {where}")
        assert (answer.reference, TipState.Name(answer.state)) == (tip.reference, f"TIP_STATE_{tip.state}")
        self.happened("tip: submitted again" if again else "tip: submitted")

    def submitted(self) -> list[Tip]:
        """Those that a desk has."""
        return [one for one in self.known.tips if one.state != "DRAFT"]

    def see_tip(self, tip: Tip, by: str) -> None:
        """All that a desk reads of one."""
        shown = tip_desk.seen(self.office(HOME), tip.reference, by)
        self.same(shown.summary, tip)
        assert bool(shown.view) != tip.erased
        assert shown.contact_held == tip.contact
        assert len(shown.safeguards) == tip.asked
        assert {one.manifest_digest for one in shown.releases} == set(tip.releases)
        answers = sorted(TipState.Name(one.state).removeprefix("TIP_STATE_") for one in shown.answers)
        assert answers == sorted(tip.answers.values())
        assert all(one.agency == FAR for one in shown.answers)
        reasons = {one.code for one in shown.routing}
        assert ("CHILD_MAY_BE_IN_DANGER" in reasons) == tip.danger
        if not tip.erased:
            assert list(shown.proposed) == ([FAR] if tip.abroad else [])

    def same(self, found: desk_service_pb2.TipSummary, tip: Tip) -> None:
        """Whether a desk reads the state of a tip as it must be, and its clock."""
        said = (found.state, found.agency, found.danger, found.look_by, found.looked_at, found.late, found.officer, found.erased)
        officer = self.office(HOME).person(tip.officer) if tip.officer else ""
        expected = (
            TipState.Value(f"TIP_STATE_{tip.state}"),
            tip.desk,
            tip.danger,
            tip.look_by,
            tip.looked,
            tip.late(self.now()),
            officer,
            tip.erased,
        )
        assert said == expected, f"{tip.reference} reads {said}, expected {expected}"

    def _passed(
        self, country: str, kind: Kind, answer: desk_service_pb2.PublishedAlert, to: str, not_after: int, about: bytes = b""
    ) -> bool:
        """Note what went under the agreement about tips, or that it was refused for the right reason."""
        books, partner = self.books(country), self.country_of(to)
        treaty = next((one for one in self.specials(books, partner, "tips") if self.now() < one.until), None)
        expected: set[str] = set()
        if partner in books.suspended:
            expected = {"PARTNER_SUSPENDED"}
        elif treaty is None:
            reasons = self.besides(books, to, TYPES[Kind.TIP])
            expected = {next(code for code in TELLING if code in reasons)}
        elif books.out[partner].stopped:
            expected = {"LOG_STOPPED"}
        if not self.is_(answer, expected, f"{kind} to {to}"):
            return False
        assert treaty is not None
        fact = Fact(
            digest=answer.manifest_digest,
            kind=kind,
            country=country,
            agency=agency(country, POLICE),
            line=-len(self.facts),
            not_after=not_after,
            about=about,
        )
        (told,) = answer.disclosures
        entry = Entry(
            digest=fact.digest, kind=kind, audience=frozenset({to}), fields=frozenset(told.fields), about=about, agreement=treaty.digest
        )
        self.oracle.release(country, fact, {partner: [entry]})
        return True

    def tips_abroad(self) -> list[bytes]:
        """Tips that were passed on and came."""
        held = self.books(ABROAD).held
        return [digest for digest, fact in self.facts.items() if fact.kind is Kind.TIP and digest in held]

    def _answered(self, books: Books, taken: Sequence[Entry]) -> None:
        for entry in taken:
            tips = books.families.get(FAMILY, Tips()).tips
            if entry.kind is Kind.STATUS:
                for tip in (one for one in tips if entry.about in one.releases):
                    tip.answers[entry.digest] = self.states[entry.digest]
                    self.happened("delivery: answer on a tip taken")

    def _listed(self, desk: str) -> list[desk_service_pb2.TipSummary]:
        return tip_desk.listed(self.office(HOME), "police" if desk == HERE else "border", all_=True)

    def look(self) -> None:
        """Each desk lists its own tips, those that wait first; each NGO reads the states of its own."""
        super().look()
        for desk in (HERE, THERE):
            listed = self._listed(desk)
            mine = {one.reference: one for one in self.submitted() if one.desk == desk}
            assert {one.reference for one in listed} == mine.keys(), f"{desk} lists other tips than its own"
            for one in listed:
                self.same(one, mine[one.reference])
            waiting = [one.look_by if one.state in _WAITING else None for one in listed]
            first = [one for one in waiting if one is not None]
            assert waiting[: len(first)] == sorted(first), f"{desk} does not list first what waits"
            for tip in list(mine.values())[-2:]:
                self.see_tip(tip, "police" if desk == HERE else "border")
        for ngo in (NGO_ID, OTHER_NGO):
            found, _ = tip_line.list_own(self.office(HOME).ports, ngo, 0)
            expected = [(one.reference, one.state, one.erased) for one in self.known.tips if one.ngo == ngo]
            said = [
                (one.reference, TipState.Name(one.state).removeprefix("TIP_STATE_") if one.state else "DRAFT", one.erased) for one in found
            ]
            assert said == expected, f"{ngo} reads {said}, expected {expected}"
