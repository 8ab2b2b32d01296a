"""Tips: an NGO tells, a desk looks, takes, refers, closes, converts; another country answers, and the NGO reads the state alone."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from exchange.encoding import encode
from exchange.errors import Conflict, ExchangeError, Malformed, NotFound
from exchange.v1 import desk_service_pb2
from exchange.v1.information_pb2 import InformationRequest
from exchange.v1.tip_pb2 import TipState
from node.operations import tip_line
from node.operations.officers import NotPermitted
from tests import tip_desk
from tests.countries import DAY, changed
from tests.machine.books import Kind
from tests.machine.core import LONGEST
from tests.machine.tips import AFTER, DRAFT_DAYS, FAMILY, KEEP_DAYS, LOOKED_AT, Tip
from tests.machine.tips_here import ABROAD, FAR, HERE, HOME, THERE, TYPES, TipsHere
from tests.machine.transitions import transition
from tests.recalls import request_id
from tests.refusals import refused
from tests.tips import NGO_ID, OTHER_NGO, answering, content, finished, new_id

AT_MOST = 8
"""Tips in one run: more is done with each."""
DESKS = {"police": HERE, "liaison": HERE, "border": THERE, "both": THERE}
LIAISONS = ("liaison", "both")
STEPS = ("take", "take", "take", "act", "again", "refer", "refer", "close", "safeguard")
_BY = ("police", "liaison", "border", "both")
_TIP_UNKNOWN = (NotFound, "TIP_UNKNOWN")


class Tipping(TipsHere):
    """Rules of tips."""

    OUTCOMES: ClassVar[frozenset[str]] = frozenset(
        {
            "tip: saved",
            "tip: saved again, the same",
            "tip: saved again, changed",
            "tip: refused TIP_SUBMITTED",
            "tip: refused ERASED",
            "tip: unknown after an old database",
            "tip: sent again after an old database",
            "tip: contact changed after it was submitted",
            "tip: submitted",
            "tip: submitted again",
            "tip: to the local desk",
            "tip: to the national desk, as no local one is known",
            "tip: to the national desk, as nobody is in danger",
            "tip: read by its desk",
            "tip: hidden from another desk",
            "tip: hidden after a referral",
            "tip: hidden from another NGO",
            *(f"tip: {step}" for step in ("take", "take over", "act", "again", "refer", "close", "safeguard")),
            "tip: refused TIP_STATE",
            "tip: looked at late",
            "tip: contact opened",
            "tip: contact refused CONTACT_NOT_YOURS",
            "tip: contact refused CONTACT_NONE",
            "tip: erased",
            "tip: contact erased alone",
            "tip: erased by its limit",
            *(f"tip: converted to a {kind}" for kind in TYPES),
            *(f"convert: refused {code}" for code in ("TIP_STATE", "TIP_UNKNOWN", "PARTNER_MISSING", "ERASED")),
            "convert: released later",
            "convert: released, and moves no other desk's tip",
            "convert: refused by policy",
            "answer: released",
            "answer: refused by policy",
            "delivery: answer on a tip taken",
            "publish: refused CLAUSE_NONE",
            "report: refused CLAUSE_NONE",
        }
    )

    # The NGO

    @transition(
        weight=5,
        when=lambda self: len(self.sent) < AT_MOST,
        danger=(True, True, None, False),
        local=(True, True, False),
        abroad=(True, True, False),
        reachable=(False, True),
        whole=(True, True, True, False),
        other=(False, False, True),
    )
    def tell(self, *, danger: bool | None, local: bool, abroad: bool, reachable: bool, whole: bool, other: bool) -> None:
        """An NGO tells what it saw: a draft, or at once the whole."""
        changes: dict[str, Any] = {} if danger else {"immediate_danger": None if danger is None else {"present": False}}
        if not local:
            changes["place"] = {"area": {"country": "KHM", "province": "Kampot"}}
        if not abroad:
            changes["suspects"] = None
        said = content(**changes, observed=f"2026-0{1 + len(self.sent) % 5}", evidence_custodian=f"Shelf {len(self.sent)}")
        tip = Tip(
            ngo=OTHER_NGO if other else NGO_ID,
            tip_id=new_id(),
            reference="",
            content=said,
            danger=danger is not False,  # a child was counted: nothing calms anybody but a clear "no"
            local=local,
            abroad=abroad,
            erase_by=0,
            contact=reachable,
        )
        self.sent[tip.tip_id] = tip
        self._save(tip)
        if whole:
            self._submit(tip)

    @transition(weight=5, when=lambda self: bool(self.sent), which=range(5), change=(False, False, True), contact=(None, None, True, False))
    def save_again(self, which: int, *, change: bool, contact: bool | None) -> None:
        """An NGO sends a tip of its own once more: as it was, or changed."""
        open_ = [one for one in self.sent.values() if (known := self.known.drafted(one.ngo, one.tip_id)) and known.state == "DRAFT"]
        sent = self.pick((open_ if change else []) or list(self.sent.values()), which)
        tip, ports = self.known.drafted(sent.ngo, sent.tip_id), self.office(HOME).ports
        if tip is None:
            with refused(*_TIP_UNKNOWN):
                tip_line.tip_status(ports, sent.ngo, sent.tip_id)
            self.happened("tip: unknown after an old database")
            self._save(sent)
            self._submit(sent)
            self.happened("tip: sent again after an old database")
            return
        said = tip.content if not change else {**self._said(tip), "evidence_custodian": f"Another shelf {self.since}{self.now()}"}
        more: dict[str, Any] = {} if contact is None else {"contact": {"email": f"x{self.now()}@ngo.example"} if contact else None}
        if code := self._not_saved(tip, changed_=said != tip.content):
            with refused(*code):
                tip_line.save_tip(ports, tip.ngo, tip.tip_id, json_of(said, more))
            self.happened(f"tip: refused {code[1]}")
            return
        answer = tip_line.save_tip(ports, tip.ngo, tip.tip_id, json_of(said, more))
        assert not answer.created
        if said != tip.content:
            tip.content, tip.erase_by = said, self.now() + DRAFT_DAYS * DAY
            self.happened("tip: saved again, changed")
        elif contact is None:
            self.happened("tip: saved again, the same")
        if contact is not None:
            tip.contact = contact
            if tip.state != "DRAFT":
                self.happened("tip: contact changed after it was submitted")

    def _said(self, tip: Tip) -> dict[str, Any]:
        assert isinstance(tip.content, dict)
        return tip.content

    def _not_saved(self, tip: Tip, *, changed_: bool) -> tuple[type[ExchangeError], str] | None:
        if tip.erased:
            return NotFound, "ERASED"
        return (Conflict, "TIP_SUBMITTED") if changed_ and tip.state != "DRAFT" else None

    @transition(weight=3, when=lambda self: bool(self.known.tips), which=range(8))
    def submit_tip(self, which: int) -> None:
        """An NGO submits a tip, perhaps once more."""
        tip = self.pick([one for one in self.known.tips if one.state == "DRAFT"] or self.known.tips, which)
        if tip.erased:
            with refused(NotFound, "ERASED"):
                tip_line.submit_tip(self.office(HOME).ports, tip.ngo, tip.tip_id)
            self.happened("tip: refused ERASED")
            return
        self._submit(tip)

    @transition(weight=2, when=lambda self: bool(self.known.tips), which=range(8))
    def ask_status(self, which: int) -> None:
        """An NGO asks what became of its tip; another NGO finds none."""
        tip = self.pick(self.known.tips, which)
        ports = self.office(HOME).ports
        answer = tip_line.tip_status(ports, tip.ngo, tip.tip_id)
        state = 0 if tip.state == "DRAFT" else TipState.Value(f"TIP_STATE_{tip.state}")
        told = [TipState.Value(f"TIP_STATE_{one}") for one in tip.answers.values()]
        assert (answer.state, answer.erased, len(answer.safeguards), sorted(answer.abroad)) == (state, tip.erased, tip.asked, sorted(told))
        with refused(*_TIP_UNKNOWN):
            tip_line.tip_status(ports, OTHER_NGO if tip.ngo == NGO_ID else NGO_ID, tip.tip_id)
        self.happened("tip: hidden from another NGO")

    # The desk

    @transition(weight=4, when=lambda self: bool(self.submitted()), which=range(8), by=_BY)
    def open_tip(self, which: int, by: str) -> None:
        """An officer opens a tip: their desk's, or none."""
        tip, office = self.pick(self.submitted(), which), self.office(HOME)
        if DESKS[by] != tip.desk:
            with refused(*_TIP_UNKNOWN):
                tip_desk.seen(office, tip.reference, by)
            self.happened("tip: hidden after a referral" if tip.state == "REFERRED" else "tip: hidden from another desk")
            return
        self.see_tip(tip, by)
        self.happened("tip: read by its desk")

    @transition(weight=18, when=lambda self: bool(self.submitted()), which=range(5), by=_BY, step=STEPS, own=(True, True, True, False))
    def work_on(self, which: int, by: str, step: str, *, own: bool) -> None:
        """An officer takes, acts, refers, closes, or asks the NGO for something."""
        tip, office = self.pick(self.submitted(), which), self.office(HOME)
        if own:
            by = by if DESKS[by] == tip.desk else "police" if tip.desk == HERE else "border"
            step = "take" if tip.state in {"RECEIVED", "REFERRED"} and step != "safeguard" else step
        to = THERE if DESKS[by] == HERE else HERE
        acts: Mapping[str, Any] = {
            "take": lambda: tip_desk.taken(office, tip.reference, by),
            "act": lambda: tip_desk.assessed(office, tip.reference, TipState.Value("TIP_STATE_ACTED_UPON"), by),
            "again": lambda: tip_desk.assessed(office, tip.reference, TipState.Value("TIP_STATE_UNDER_ASSESSMENT"), by),
            "refer": lambda: tip_desk.referred(office, tip.reference, to, by),
            "close": lambda: tip_desk.closed(office, tip.reference, by),
            "safeguard": lambda: tip_desk.safeguarded(office, tip.reference, by),
        }
        becomes = {"take": "UNDER_ASSESSMENT", "again": "UNDER_ASSESSMENT", "act": "ACTED_UPON", "refer": "REFERRED", "close": "CLOSED"}
        if DESKS[by] != tip.desk:
            with refused(*_TIP_UNKNOWN):
                acts[step]()
            self.happened("tip: hidden after a referral" if tip.state == "REFERRED" else "tip: hidden from another desk")
            return
        over = step == "take" and tip.state == "UNDER_ASSESSMENT"
        if step != "safeguard" and not over and becomes[step] not in AFTER[tip.state]:
            with refused(Conflict, "TIP_STATE"):
                acts[step]()
            self.happened("tip: refused TIP_STATE")
            return
        first = not tip.looked
        answer = acts[step]()
        self._step(tip, step, by, to)
        if step in {"take", "again"} and first and tip.late(self.now()):
            self.happened("tip: looked at late")
        if answer is not None:
            self.same(answer, tip)
        self.happened("tip: take over" if over else f"tip: {step}")

    def _step(self, tip: Tip, step: str, by: str, to: str) -> None:
        match step:
            case "take" | "again":
                tip.take(by, self.now())
            case "refer":
                tip.refer(to, self.now())
            case "safeguard":
                tip.asked += 1
            case _:
                tip.state = {"act": "ACTED_UPON", "close": "CLOSED"}[step]

    @transition(weight=4, when=lambda self: bool(self.submitted()), which=range(5), by=_BY, own=(True, True, False))
    def open_contact(self, which: int, by: str, *, own: bool) -> None:
        """An officer wants to reach whoever told."""
        tip, office = self.pick(self.submitted(), which), self.office(HOME)
        if own and tip.officer and DESKS[tip.officer] == tip.desk:
            by = tip.officer
        refusal: tuple[type[ExchangeError], str] | None = None
        if DESKS[by] != tip.desk:
            refusal = _TIP_UNKNOWN
        elif by not in LIAISONS and tip.officer != by:
            refusal = (NotPermitted, "CONTACT_NOT_YOURS")
        elif not tip.contact:
            refusal = (NotFound, "CONTACT_NONE")
        if refusal is None:
            assert tip_desk.contact(office, tip.reference, by).ByteSize()
            self.happened("tip: contact opened")
            return
        with refused(*refusal):
            tip_desk.contact(office, tip.reference, by)
        self.happened("tip: hidden from another desk" if refusal is _TIP_UNKNOWN else f"tip: contact refused {refusal[1]}")

    @transition(weight=1, when=lambda self: bool(self.submitted()), which=range(5), alone=(False, True))
    def erase_tip(self, which: int, *, alone: bool) -> None:
        """A desk erases a tip before its time, or how the reporter can be reached alone."""
        tip = self.pick(self.submitted(), which)
        tip_desk.erased(self.office(HOME), tip.reference, "police" if tip.desk == HERE else "border", contact_alone=alone)
        if alone:
            tip.contact = False
        else:
            tip.erase()
        self.happened("tip: contact erased alone" if alone else "tip: erased")

    def due_besides(self, country: str) -> int:
        """Tips and drafts past their limit."""
        due = [one for one in self.known.tips if one.erase_by <= self.now() and (one.contact or not one.erased)] if country == HOME else []
        for tip in due:
            tip.erase()
            self.happened("tip: erased by its limit")
        return super().due_besides(country) + len(due)

    @transition(weight=2, when=lambda self: bool(self.known.tips))
    def keep_to_limits(self) -> None:
        """Time passes until the first limit of a tip, and what is past it goes."""
        first = min((one.erase_by for one in self.known.tips if not one.erased), default=0)
        if self.now() < first < min(self.now() + KEEP_DAYS * DAY, self.began + LONGEST):
            self.clock.pass_(first - self.now())
        self.run_retention(self.NAMES.index(HOME))

    # Abroad

    @transition(
        weight=6,
        when=lambda self: bool(self.submitted()),
        which=range(5),
        kind=(Kind.TIP, Kind.TIP, Kind.REQUEST, Kind.ALERT),
        now=(True, True, False),
        named=(False, True),
    )
    def convert(self, which: int, kind: Kind, *, now: bool, named: bool) -> None:
        """An officer of the national desk makes a draft for another country of a tip, and releases it, at once or later."""
        ready = [one for one in self.submitted() if one.desk == HERE and one.state in LOOKED_AT]
        tip, office = self.pick([*self.submitted()[-2:], *ready], which), self.office(HOME)
        refusal: tuple[type[ExchangeError], str] | None = None
        if tip.desk != HERE:
            refusal = _TIP_UNKNOWN
        elif tip.state not in LOOKED_AT:
            refusal = (Conflict, "TIP_STATE")
        elif tip.erased:
            refusal = (NotFound, "ERASED")
        elif not tip.abroad and not named:
            refusal = (Malformed, "PARTNER_MISSING")
        partner = FAR if named else ""
        if refusal is not None:
            with refused(*refusal):
                tip_desk.converted(office, tip.reference, TYPES[kind], "liaison", partner)
            self.happened(f"convert: refused {refusal[1]}")
            return
        draft = tip_desk.converted(office, tip.reference, TYPES[kind], "liaison", partner)
        assert (list(draft.recipients), draft.thread) == ([FAR], tip.digest)
        self.files.append((kind, draft, self.now()))
        if now:
            self._release(len(self.files) - 1)

    @transition(weight=1, when=lambda self: len(self.sent) < AT_MOST, by=("police", "liaison"))
    def tell_of_nobody_abroad(self, by: str) -> None:
        """A tip that points to no other country goes to the national desk, which has to say itself to whom it goes on."""
        self.tell(danger=False, local=True, abroad=False, reachable=True, whole=True, other=False)
        self.work_on(0, by, "take", own=True)
        self.convert(0, Kind.TIP, now=True, named=False)

    @transition(
        weight=5,
        when=lambda self: len(self.sent) < AT_MOST,
        kind=(Kind.TIP, Kind.TIP, Kind.REQUEST, Kind.ALERT),
        now=(True, True, False),
        by=("police", "liaison"),
        answered=("", "UNDER_ASSESSMENT", "ACTED_UPON"),
        given_away=(False, True),
    )
    def tell_abroad(self, kind: Kind, by: str, answered: str, *, now: bool, given_away: bool) -> None:
        """A tip goes to the national desk and on to the suspect's country, which may answer, if nothing is in the way."""
        self.tell(danger=False, local=True, abroad=True, reachable=True, whole=True, other=False)
        self.work_on(0, by, "take", own=True)
        self.convert(0, kind, now=now, named=False)
        if self.files and given_away and not now:
            self.work_on(0, by, "refer", own=True)
            self.release_file(0)
        self.deliver(HOME, ABROAD)
        if answered and self.tips_abroad():
            self.answer_tip(0, answered)
            self.deliver(ABROAD, HOME)

    @transition(weight=3, when=lambda self: bool(self.files), which=range(3))
    def release_file(self, which: int) -> None:
        """What was left lying is released, whatever became of the tip."""
        made = self.files[-1 - which % len(self.files)][2]
        if self.now() < made + 9 * DAY:
            self._release(len(self.files) - 1 - which % len(self.files))
            self.happened("convert: released later")

    def _release(self, place: int) -> None:
        kind, draft, _ = self.files.pop(place)
        books = self.books(HOME)
        tip = books.families[FAMILY].with_digest(draft.thread)
        if kind is Kind.ALERT:
            wanted = self.drafted([FAR], alert=encode(self.other_alert()), thread=draft.thread, request_id=request_id())
            answer = self.office(HOME).publish(wanted)
            released = self.released(HOME, wanted, self.planned(HOME, wanted), answer)
        else:
            answer = self.office(HOME).publish(completed(kind, draft))
            released = self._passed(HOME, kind, answer, FAR, draft.not_after)
        if not released:
            self.happened("convert: refused by policy")
        elif tip is None or tip.desk != HERE:
            self.happened("convert: released, and moves no other desk's tip")
        else:
            tip.releases.append(answer.manifest_digest)
            tip.state = "ACTED_UPON" if tip.state == "UNDER_ASSESSMENT" else tip.state
            self.happened(f"tip: converted to a {kind}")

    @transition(weight=4, when=lambda self: bool(self.tips_abroad()), which=range(5), state=("UNDER_ASSESSMENT", "ACTED_UPON", "CLOSED"))
    def answer_tip(self, which: int, state: str) -> None:
        """The other country says what became of it."""
        digest = self.pick(self.tips_abroad(), which)
        answer = answering(self.office(ABROAD))(digest, TipState.Value(f"TIP_STATE_{state}"))
        if self._passed(ABROAD, Kind.STATUS, answer, HERE, self.now() + 90 * DAY, about=digest):
            self.states[answer.manifest_digest] = state
            self.happened("answer: released")
        else:
            self.happened("answer: refused by policy")


def json_of(said: object, more: dict[str, Any]) -> bytes:
    """What an NGO sends."""
    return json.dumps({"language": "en", "tip": said, **more}).encode()


def completed(kind: Kind, draft: desk_service_pb2.Draft) -> desk_service_pb2.Draft:
    """A draft as an officer completes it."""
    if kind is Kind.REQUEST:
        request = InformationRequest.FromString(draft.alert)
        request.contact_desk.unit, request.contact_desk.channel = "Example desk", "+855 23 000 000"
        if not request.subject.HasField("name"):
            request.subject.name.family, request.subject.name.script = "SYNTHETIC", "Latn"
        draft = changed(draft, alert=encode(request))
    return finished(draft)
