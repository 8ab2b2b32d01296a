"""The pages of an NGO: whom to call now, a tip written in short steps, and how one's own tips stand. Nothing else comes back."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from exchange.errors import Malformed, NotFound
from exchange.v1.desk_service_pb2 import Problem, TipSafeguard
from exchange.v1.tip_pb2 import Tip, TipState
from node.console.languages import Language
from node.console.page import Page
from node.console.pages import Pages
from node.console.site import Site
from node.console.tell_steps import STEPS, UNKNOWN, Ask, Step, contact_of, fill, says_all
from node.console.visits import Elsewhere, Visit
from node.console.words import texts_in
from node.intake.countries import COUNTRIES
from node.intake.problems import refuses
from node.operations.tip_form import TipDraft, begin_tip, open_draft, own_status, own_tips, save_draft, submit_draft
from node.operations.tip_line import FormRefused
from node.reading import FieldState, read_view
from node.tips.plan import CallNow
from node.tips.safeguards import SAFEGUARDS
from node.tips.states import DRAFT

REFERENCE: Final = re.compile(r"T-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}")
_ID: Final = re.compile(r"[0-9a-f]{32}")
_ID_BYTES: Final = 16
_PLACE: Final = re.compile(r"[0-9]{1,18}")
_TIP: Final = Tip.DESCRIPTOR.full_name
_TELEPHONE: Final = re.compile(r"[+0-9][0-9 -]{1,24}")


def _said(text: str) -> str:
    """Mark a text for the catalogue that is looked up later."""
    return text


PROBLEMS: Final[Mapping[str, str]] = {
    "NAME_SCRIPT_MIXED": _said("One name has letters of two scripts. Write each spelling in a field of its own."),
    "TEXT_EXPECTED": _said("This is too long. Say it in fewer words."),
}
"""What to tell a person, by code."""
_TOO_LONG: Final = frozenset({"SCHEMA_STRING_MAX_LEN", "TEXT_EXPECTED"})
MOST: Final[Mapping[str, int]] = {
    **dict.fromkeys(("reason", "description"), 2000),
    **dict.fromkeys(("name", "name_other"), 400),
    **dict.fromkeys(("province", "district", "commune", "occupation"), 100),
    **dict.fromkeys(("vehicle", "custodian"), 200),
    **{ask.name: 200 for ask in STEPS[-1].asks if ask.name.startswith("contact_")},
    "age": 40,
}
"""How many characters each answer holds, as the schema and the contact's form have it; a test compares them."""
_DATE: Final = ("day", "month", "year")
_STATES: Final[Mapping[str, str]] = {
    "DRAFT": _said("Not sent yet"),
    "RECEIVED": _said("A desk has it"),
    "UNDER_ASSESSMENT": _said("Somebody works on it"),
    "ACTED_UPON": _said("It was acted upon"),
    "REFERRED": _said("Another desk has it now"),
    "CLOSED": _said("Closed"),
}


class TellPages:
    """Pages for people of an NGO; everybody else the operations turn away, and record it."""

    def __init__(self, site: Site, pages: Pages) -> None:
        self._ports = site.ports
        self._pages = pages

    def pages(self) -> tuple[Page, ...]:
        """Every page of this family."""
        return (
            Page(method="GET", path="/tell", answer=self.list_),
            Page(method="POST", path="/tell", answer=self.begin),
            Page(method="GET", path="/tell/{tip}", answer=self.status),
            Page(method="GET", path="/tell/{tip}/check", answer=self.check),
            Page(method="POST", path="/tell/{tip}/send", answer=self.send),
            Page(method="GET", path="/tell/{tip}/{step}", answer=self.ask),
            Page(method="POST", path="/tell/{tip}/{step}", answer=self.save),
        )

    def list_(self, visit: Visit) -> Response:
        """Whom to call now, what a desk asks for, and one's own tips. Raises `NotPermitted`."""
        before = visit.query.get("before", "0")
        if not _PLACE.fullmatch(before):
            raise Malformed("PAGE_TOKEN", "this page of the list is not known: begin at the first")
        found = own_tips(self._ports, visit.person, int(before))
        asked = [(reference, _asked(code, visit.language), at) for reference, code, at in found.asked]
        listed = [(one.reference, _state(one.state), one.erased, one.at) for one in found.tips]
        # A UUID of the page's own: the same form sent twice, over a line that broke, begins one tip.
        fresh = self._ports.entropy(_ID_BYTES).hex()
        shown: dict[str, Any] = {"calls": _calls(found.call_now), "asked": asked, "tips": listed, "older": found.older, "fresh": fresh}
        return self._pages.page(visit, "tell_list.html", **shown)

    def begin(self, visit: Visit) -> Response:
        """Begin a tip; it has its reference from now on. Raises as `begin_tip`, `Malformed` (FORM)."""
        written = visit.form.get("tip", "")
        if not _ID.fullmatch(written) or not written.strip("0"):
            raise Malformed("FORM", "the form does not say which tip it begins")
        reference = begin_tip(self._ports, visit.person, bytes.fromhex(written), visit.language.code)
        return RedirectResponse(f"/tell/{reference}/{STEPS[0].name}", 303)

    def status(self, visit: Visit) -> Response:
        """What became of one tip. Raises as `own_status`."""
        found = own_status(self._ports, visit.person, _reference(visit))
        if found.state == DRAFT and not found.erased:
            raise Elsewhere(f"/tell/{found.reference}/check")
        shown: dict[str, Any] = {
            "reference": found.reference,
            "state": _state(found.state),
            "erased": found.erased,
            "calls": _calls(found.call_now),
            "asked": [(_asked(code, visit.language), at) for code, at in reversed(found.safeguards)],
            "abroad": [_state(state) for state in found.abroad],
            "sent": "sent" in visit.query,
        }
        return self._pages.page(visit, "tell_status.html", **shown)

    def ask(self, visit: Visit) -> Response:
        """One step. Raises as `open_draft`."""
        step = _step(visit)
        draft = open_draft(self._ports, visit.person, _reference(visit))
        return self._step_page(visit, step, draft, step.show(draft.tip), ())

    def save(self, visit: Visit) -> Response:
        """Save one step and go on; or save of it what can be read, and show it again with all that is wrong. Raises as `save_draft`."""
        step = _step(visit)
        draft = open_draft(self._ports, visit.person, _reference(visit))
        if problems := self._save_what_reads(visit, step, draft):
            return self._step_page(visit, step, draft, visit.form, problems)
        after = STEPS[STEPS.index(step) + 1 :]
        following = after[0].name if after and visit.form.get("go") != "check" else "check"
        return RedirectResponse(f"/tell/{draft.reference}/{following}", 303)

    def _save_what_reads(self, visit: Visit, step: Step, draft: TipDraft) -> list[Problem]:
        """Save all that can be read, with the rest as it was, and the beginning of what is too long; say what is wrong with the rest."""
        before, form = step.show(draft.tip), dict(visit.form)
        problems: list[Problem] = []
        while True:
            tip, wrong = fill(step, draft.tip, form, visit.language.code, self._ports.clock.now().date())
            try:
                if not wrong:
                    contact = contact_of(form) if step is STEPS[-1] else None
                    save_draft(self._ports, visit.person, draft.reference, tip, contact)
                    return problems
            except FormRefused as refused:
                wrong = [one for one in refused.problems if refuses((one,))]
            problems += [one for one in wrong if one not in problems]
            instead = {}
            for name in {_ask_of(step, one) for one in wrong}:
                line = " ".join(form.get(name, "").split())
                if len(line) > MOST.get(name, len(line)):
                    instead[name] = line[: MOST[name]]
                else:
                    instead |= {part: before.get(part, "") for part in (_DATE if name == "day" else (name,))}
            if all(form.get(name, "") == value for name, value in instead.items()):
                return problems
            form |= instead

    def check(self, visit: Visit) -> Response:
        """All that was said, what more would help, and the button that sends it. Raises as `open_draft`."""
        draft = open_draft(self._ports, visit.person, _reference(visit))
        today = self._ports.clock.now().date()
        parts = [(step, _lines(step, draft.tip, visit.language, whole=not says_all(draft.tip, today))) for step in STEPS]
        open_ = {question.field.partition(".")[0] for question in draft.complete.missing}
        shown: dict[str, Any] = {
            "reference": draft.reference,
            "calls": _calls(draft.call_now),
            "parts": [(step, lines, bool(open_ & step.fields)) for step, lines in parts],
            "contact_held": draft.contact_held,
            "missing": len(draft.complete.missing),
            "last": STEPS[-1].name,
        }
        return self._pages.page(visit, "tell_check.html", **shown)

    def send(self, visit: Visit) -> Response:
        """Send it, whatever is missing. Raises as `submit_draft`."""
        return RedirectResponse(f"/tell/{submit_draft(self._ports, visit.person, _reference(visit)).reference}?sent", 303)

    def _step_page(self, visit: Visit, step: Step, draft: TipDraft, form: Mapping[str, str], problems: Sequence[Problem]) -> Response:
        place = STEPS.index(step)
        shown: dict[str, Any] = {
            "reference": draft.reference,
            "step": step,
            "number": place + 1,
            "steps": len(STEPS),
            "before": STEPS[place - 1].name if place else "",
            "asks": [(ask, _choices(ask, visit.language, form.get(ask.name, ""))) for ask in step.asks],
            "form": form,
            "problems": [
                (name, one.code, MOST.get(name, 0) if one.code in _TOO_LONG else 0) for one in problems for name in (_ask_of(step, one),)
            ],
            "most": MOST,
            "known": PROBLEMS,
            "calls": _calls(draft.call_now),
            "contact_held": draft.contact_held and step is STEPS[-1],
            "open": UNKNOWN,
        }
        return self._pages.page(visit, "tell_step.html", status=422 if problems else 200, **shown)


def _reference(visit: Visit) -> str:
    # An address names a tip by the number that people say on the telephone: it tells nothing of anybody.
    reference = visit.place["tip"]
    if not REFERENCE.fullmatch(reference):
        raise NotFound("PATH_UNKNOWN", "there is no such page")
    return reference


def _step(visit: Visit) -> Step:
    found = next((step for step in STEPS if step.name == visit.place["step"]), None)
    if found is None:
        raise NotFound("PATH_UNKNOWN", "there is no such page")
    return found


def _state(state: int) -> str:
    name = TipState.Name(TipState.ValueType(state)).removeprefix("TIP_STATE_") if state else "DRAFT"
    return _STATES.get(name, name)


def _asked(code: int, language: Language) -> str:
    name = TipSafeguard.Name(TipSafeguard.ValueType(code)).removeprefix("TIP_SAFEGUARD_")
    return language.say(SAFEGUARDS.get(name, name))


def _calls(calls: Sequence[CallNow]) -> list[tuple[str, str, str]]:
    """Name, how it is reached, and what a telephone dials, where that is a number."""
    return [(one.name, one.channel, re.sub("[ -]", "", one.channel) if _TELEPHONE.fullmatch(one.channel) else "") for one in calls]


def _choices(ask: Ask, language: Language, held: str) -> list[tuple[str, str]]:
    texts = texts_in(language)
    if ask.enum == "countries":
        # Only countries that have a name of their own among people; what a program wrote besides stays selected.
        named = [(code, texts.countries[code]) for code, one in COUNTRIES.items() if one.alpha2 or code == held]
        return sorted(named, key=lambda one: one[1])
    if ask.enum:
        return [(value, texts.value(name, ask.enum)) for value, name in ask.choices]
    return [(value, language.say(words)) for value, words in ask.choices]


def _lines(step: Step, tip: Tip, language: Language, *, whole: bool) -> list[tuple[str, list[str]]]:
    """What was answered at one step: the question and the answer; or `whole`, as a desk reads it, field by field."""
    readings = read_view(_TIP, tip.SerializeToString(), (), texts=texts_in(language))
    given = [one for one in readings if one.state is FieldState.VALUE and one.name in step.fields]
    if whole:
        return [(one.label, list(one.lines)) for one in given]
    form = step.show(tip)
    lines = []
    for ask in step.asks:
        held = form.get(ask.name, "")
        words = dict(_choices(ask, language, held))
        if ask.kind == "checks":
            answer = [said for value, said in words.items() if form.get(f"{ask.name}_{value}")]
        elif ask.kind == "date":
            answer = [line for one in given if one.name == ask.path.rpartition(".")[2] for line in one.lines]
        else:
            answer = [words.get(held, held)] if held else []
        if answer:
            lines.append((language.say(ask.label), answer))
    return lines


def _ask_of(step: Step, problem: Problem) -> str:
    """The name of the question beside which a problem is shown."""
    fits: Any = (ask.name for ask in step.asks if ask.path and problem.field.startswith(ask.path))
    return next(fits, "")
