"""The pages of a desk that works on tips: what waits for a first look, one tip, what is done with it; and the answer to a partner's tip."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from exchange.errors import NotFound
from exchange.v1 import desk_service_pb2 as messages
from exchange.v1.tip_pb2 import TIP_STATE_UNDER_ASSESSMENT, Tip, TipState
from node.console.page import Page
from node.console.pages import Pages
from node.console.site import Site
from node.console.tell_pages import REFERENCE
from node.console.tip_deeds import CLOSE_REASONS, DEEDS, Asked, Deed, offered
from node.console.visits import Visit
from node.console.words import texts_in, type_words
from node.operations.inbox import DESK
from node.operations.officers import require
from node.operations.tip_convert import answer_tip
from node.operations.tip_desk import get_tip, list_tips, take_tip
from node.reading import FieldState, read_view
from node.tips.safeguards import SAFEGUARDS
from node.tips.states import AFTER

_TIP: Final = Tip.DESCRIPTOR.full_name
SHOWN_AT_MOST: Final = 50
"""More on one page would be too much for a poor line."""
_ANSWER_REASON: Final = "Status of a tip to the country that passed it on"
"""Why, for auditors: as the command line says by itself."""


def _said(text: str) -> str:
    """Mark a text for the catalogue that is looked up later."""
    return text


STATES: Final[Mapping[str, str]] = {
    "RECEIVED": _said("Nobody has looked"),
    "UNDER_ASSESSMENT": _said("Under assessment"),
    "ACTED_UPON": _said("Acted upon"),
    "REFERRED": _said("Referred: nobody has looked"),
    "CLOSED": _said("Closed"),
}
"""As a desk reads them, by the name in `TipState`."""
_ABROAD: Final[Mapping[str, str]] = {**STATES, "RECEIVED": _said("Received"), "REFERRED": _said("Referred")}
"""As one desk tells another."""
CHOICE_MISSING: Final = _said("Choose one")
REASON_MISSING: Final = _said("Say why: it is kept sealed for your auditors")


class TipPages:
    """Pages for officers to whose desk tips go; what is not theirs the operations refuse, and record."""

    def __init__(self, site: Site, pages: Pages) -> None:
        self._site = site
        self._ports = site.ports
        self._pages = pages

    def pages(self) -> tuple[Page, ...]:
        """Every page of this family."""
        return (
            Page(method="GET", path="/tips", answer=self.list_),
            Page(method="GET", path="/tips/{tip}", answer=self.tip),
            Page(method="POST", path="/tips/{tip}/take", answer=self.take),
            Page(method="GET", path="/tips/{tip}/{deed}", answer=self.ask),
            Page(method="POST", path="/tips/{tip}/{deed}", answer=self.do),
            Page(method="GET", path="/inbox/{alert}/tip-status", answer=self.ask_answer),
            Page(method="POST", path="/inbox/{alert}/tip-status", answer=self.answer),
        )

    def list_(self, visit: Visit) -> Response:
        """The tips of the person's desk, what waits for a first look first. Raises `NotPermitted`."""
        found = list_tips(self._ports, visit.person, messages.ListTipsRequest(all="all" in visit.query))
        left_off = max(0, len(found.tips) - SHOWN_AT_MOST) + found.left_off
        rows = [(one, _state(STATES, one.state)) for one in found.tips[:SHOWN_AT_MOST]]
        return self._pages.page(visit, "tip_list.html", rows=rows, left_off=left_off, all="all" in visit.query, done="done" in visit.query)

    def tip(self, visit: Visit) -> Response:
        """One tip, without whoever reported it. Raises as `get_tip`."""
        found = get_tip(self._ports, visit.person, _reference(visit))
        summary, language = found.summary, visit.language
        readings = () if summary.erased else read_view(_TIP, found.view, (), texts=texts_in(language))
        able = AFTER.get(summary.state, frozenset())
        mine = summary.officer == visit.person and summary.state == TIP_STATE_UNDER_ASSESSMENT
        ngos = self._ports.tips.ngos if self._ports.tips else {}
        shown: dict[str, Any] = {
            "found": found,
            "summary": summary,
            "state": _state(STATES, summary.state),
            "ngo": ngos.get(summary.ngo, summary.ngo),
            "given": [one for one in readings if one.state is FieldState.VALUE],
            "not_known": [one.label for one in readings if one.state is FieldState.NOT_KNOWN],
            "because": [language.say(one.text) for one in found.routing],
            "takes": TIP_STATE_UNDER_ASSESSMENT in able or (summary.state == TIP_STATE_UNDER_ASSESSMENT and not mine),
            "deeds": offered(summary.state, contact_held=found.contact_held, erased=summary.erased, proposed=bool(found.proposed)),
            "closed": CLOSE_REASONS.get(_name(messages.TipCloseReason, found.close_reason, "TIP_CLOSE_REASON_"), ""),
            "safeguards": [(_asked(one.code), one.requested_at) for one in found.safeguards],
            "answers": [(one.agency, _state(_ABROAD, one.state), one.received_at) for one in found.answers],
            "releases": [
                (one.manifest_digest.hex(), type_words(one.alert_type), one.recipients, one.released_at) for one in found.releases
            ],
            "done": "done" in visit.query,
        }
        return self._pages.page(visit, "tip.html", **shown)

    def take(self, visit: Visit) -> Response:
        """Take it up. Raises as `take_tip`."""
        return RedirectResponse(f"/tips/{take_tip(self._ports, visit.person, _reference(visit)).reference}?done", 303)

    def ask(self, visit: Visit) -> Response:
        """The page of one deed. Raises `NotPermitted`."""
        reference, deed = _reference(visit), _deed(visit)
        require(self._ports, visit.person, DESK)
        return self._deed_page(visit, reference, deed, {})

    def do(self, visit: Visit) -> Response:
        """Do it, or show the page again with what is missing. Raises as the deed's operation."""
        reference, deed = _reference(visit), _deed(visit)
        require(self._ports, visit.person, DESK)
        asked = Asked(tip=reference, choice=visit.form.get("choice", ""), reason=" ".join(visit.form.get("reason", "").split()))
        wrong = {}
        if deed.legend and asked.choice not in {value for value, _ in deed.choices(self._ports, visit.person, reference, visit.language)}:
            wrong["choice"] = CHOICE_MISSING
        if deed.reason and not asked.reason:
            wrong["reason"] = REASON_MISSING
        if wrong:
            return self._deed_page(visit, reference, deed, wrong)
        made = deed.run(self._ports, visit.person, asked)
        if isinstance(made, str):
            return RedirectResponse(made, 303)
        if made is not None:
            parts = [(part.name, value) for part, value in made.ListFields()]
            return self._pages.page(visit, "tip_contact.html", reference=reference, parts=parts)
        # What went to another desk is not to be seen any more.
        return RedirectResponse("/tips?done" if deed.name == "refer" else f"/tips/{reference}?done", 303)

    def ask_answer(self, visit: Visit) -> Response:
        """The page that tells a partner what became of its tip. Raises `NotPermitted`."""
        alert = visit.digest()
        require(self._ports, visit.person, DESK)
        return self._answer_page(visit, alert, "", ())

    def answer(self, visit: Visit) -> Response:
        """Tell it: the state alone. Raises as `answer_tip`."""
        alert, choice = visit.digest(), visit.form.get("choice", "")
        require(self._ports, visit.person, DESK)
        if choice not in _ABROAD:
            return self._answer_page(visit, alert, CHOICE_MISSING, ())
        # The same answer again, after a lost connection, is not a second one.
        name = b"\0".join((b"tip status", visit.person.encode(), alert.encode(), choice.encode()))
        request = messages.AnswerTipRequest(
            request_id=sha256(name).digest()[:16], alert=alert, state=TipState.Value(f"TIP_STATE_{choice}"), reason=_ANSWER_REASON
        )
        published = answer_tip(self._ports, visit.person, request, self._site.release)
        if published.problems:
            return self._answer_page(visit, alert, "", [one.code for one in published.problems])
        return RedirectResponse(f"/inbox/{alert}?reported", 303)

    def _deed_page(self, visit: Visit, reference: str, deed: Deed, wrong: Mapping[str, str]) -> Response:
        choices = deed.choices(self._ports, visit.person, reference, visit.language)
        shown: dict[str, Any] = {"reference": reference, "deed": deed, "choices": choices, "form": visit.form, "wrong": wrong}
        return self._pages.page(visit, "tip_deed.html", status=422 if wrong else 200, **shown)

    def _answer_page(self, visit: Visit, alert: str, wrong: str, codes: "list[str] | tuple[()]") -> Response:
        shown: dict[str, Any] = {"alert": alert, "states": _ABROAD.items(), "form": visit.form, "wrong": wrong, "codes": codes}
        return self._pages.page(visit, "tip_answer.html", status=422 if wrong or codes else 200, **shown)


def _reference(visit: Visit) -> str:
    if not REFERENCE.fullmatch(visit.place["tip"]):
        raise NotFound("PATH_UNKNOWN", "there is no such page")
    return visit.place["tip"]


def _deed(visit: Visit) -> Deed:
    found = next((deed for deed in DEEDS if deed.name == visit.place["deed"]), None)
    if found is None:
        raise NotFound("PATH_UNKNOWN", "there is no such page")
    return found


def _asked(code: int) -> str:
    return SAFEGUARDS[_name(messages.TipSafeguard, code, "TIP_SAFEGUARD_")]


def _name(enum: Any, number: int, prefix: str) -> str:
    return str(enum.Name(number)).removeprefix(prefix)


def _state(words: Mapping[str, str], state: int) -> str:
    name = _name(TipState, state, "TIP_STATE_")
    return words.get(name, name)
