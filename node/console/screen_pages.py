"""A passenger list, by upload or pasted, against the alerts in force: the proposals and why, answered at once and kept nowhere."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from starlette.responses import Response

from exchange.v1 import desk_service_pb2 as messages
from node.console.languages import Language
from node.console.page import Page
from node.console.pages import DESK, Pages
from node.console.site import Site
from node.console.visits import Visit
from node.console.work_words import flag_words
from node.intake.problems import error
from node.matching.edifact import is_interchange
from node.matching.manifest import ManifestInvalid
from node.matching.rule_words import RAREST, RULES
from node.operations.mis_hits import suppressed
from node.operations.officers import LIAISON, require
from node.operations.screen import screen

EXPLAINED: Final = 7
"""Proposals told with their reasons; of more only passenger and alert are told, since a page goes over a poor line."""
_REASON_AT_MOST: Final = 500
_KEPT_AT_MOST: Final = 10_000
"""Characters of a pasted list that stand in the form again if something is wrong with it."""


def _said(text: str) -> str:
    """Mark a text for the catalogue that is looked up later."""
    return text


FORMATS: Final[Mapping[str, str]] = {
    "UNSPECIFIED": _said("Tell it from how the list begins"),
    "PAXLST": _said("PAXLST, as airlines send it"),
    "CSV": _said("CSV, a table with a head"),
}
"""By the name in `ManifestFormat`."""
_UNUSABLE: Final = _said("This list cannot be read as PAXLST. Nobody on it was compared with anything.")
_NO_TABLE: Final = _said("This list cannot be read as a table. Nobody on it was compared with anything.")
PROBLEMS: Final[Mapping[str, str]] = {
    "LIST_MISSING": _said("Attach a passenger list, or paste one."),
    "LIST_TWICE": _said("Attach a list or paste one, not both."),
    "PASTED_SIGNS": _said("This PAXLST message has letters that may change when they are pasted. Attach it as a file."),
    "REASON_MISSING": _said("Write why, for your auditors."),
    "CODE_MISSING": _said("Choose one."),
    "MANIFEST_EMPTY": _said("The list is empty."),
    "MANIFEST_NOBODY": _said("There is no passenger on the list."),
    "MANIFEST_PASSENGERS": _said("There are too many passengers on the list. Split it, and send the parts."),
    "MANIFEST_TOO_LARGE": _said("The list is too large. Split it, and send the parts."),
}
"""What to tell a person, by code; by the beginning of the code where there are many."""
FAMILIES: Final = {"CSV": _NO_TABLE, "EDIFACT": _UNUSABLE, "PAXLST": _UNUSABLE}
WARNINGS: Final[Mapping[str, str]] = {
    "NAME_CUT": _said("The name is too long for one: what follows was left aside."),
    "NAME_MISSING": _said("There is no name: only the document can be compared."),
    "COUNTRY_UNKNOWN": _said("A country is not a code of three letters: it was left aside."),
    "BIRTH_UNREADABLE": _said("The birth date is no date: it was left aside."),
    "BIRTH_IMPLAUSIBLE": _said("Nobody who travels was born then: the birth date was left aside."),
    "BIRTH_MISSING": _said("There is no birth date: only a document or a rare name can be recognised."),
    "SERVICE_DATE_UNREADABLE": _said("The day of the flight or sailing is no date: it was left aside."),
}
"""What of a passenger was left aside, by code."""
_PLACES: Final = {"list": "list", "why": "why", "format": "format"}


class ScreenPages:
    """Calls what `exchange screen` calls."""

    def __init__(self, site: Site, pages: Pages) -> None:
        self._site = site
        self._ports = site.ports
        self._pages = pages

    def pages(self) -> tuple[Page, ...]:
        """Every page of this family."""
        return (
            Page(method="GET", path="/screen", answer=self.ask),
            Page(method="POST", path="/screen", answer=self.screen, upload="list"),
        )

    def ask(self, visit: Visit) -> Response:
        """The form. Raises `NotPermitted`."""
        require(self._ports, visit.person, DESK)
        return self._form(visit, [])

    def screen(self, visit: Visit) -> Response:
        """Who of the list may be the person of an alert, or what is wrong with it. Raises as the operation `screen`."""
        require(self._ports, visit.person, DESK)
        pasted = visit.form.get("pasted", "").strip()
        kind = visit.form.get("format", "UNSPECIFIED")
        problems = []
        if not visit.upload and not pasted:
            problems.append(error("LIST_MISSING", "list", "there is no list", "attach or paste one"))
        elif visit.upload and pasted:
            problems.append(error("LIST_TWICE", "list", "there are two lists", "attach or paste one"))
        elif not pasted.isascii() and is_interchange(pasted.encode()):
            # Its head names a character set, which is not the browser's: letters would be read as others.
            problems.append(error("PASTED_SIGNS", "list", "letters may have changed", "attach the file"))
        if kind not in FORMATS:
            problems.append(error("CODE_MISSING", "format", "no such format", "choose one"))
        if not visit.form.get("why", "").strip() or len(visit.form["why"]) > _REASON_AT_MOST:
            problems.append(error("REASON_MISSING", "why", "it is not said why", "say it in a few words"))
        if problems:
            return self._form(visit, problems)
        question = messages.ScreenPassengersRequest(
            manifest=visit.upload or pasted.encode(),
            format=messages.ManifestFormat.Value(f"MANIFEST_FORMAT_{kind}"),
            reason=visit.form["why"].strip(),
        )
        try:
            answer = screen(self._ports, visit.person, question, self._site.watchlists, suppressed)
        except ManifestInvalid as refused:
            return self._form(visit, [error(refused.code, "list", str(refused), "look at the list")])
        return self._result(visit, answer)

    def _form(self, visit: Visit, problems: list[messages.Problem]) -> Response:
        known = {one.code: PROBLEMS.get(one.code) or FAMILIES.get(one.code.partition("_")[0], "") for one in problems}
        pasted = visit.form.get("pasted", "")
        shown: dict[str, Any] = {
            "problems": problems,
            "known": known,
            "problem_places": _PLACES,
            # Where and what, in the node's own words, which name a place and never what stands there.
            "details": [one.message for one in problems if one.code.partition("_")[0] in FAMILIES],
            "formats": FORMATS,
            "form": visit.form,
            "pasted": pasted if len(pasted) <= _KEPT_AT_MOST else "",
        }
        return self._pages.page(visit, "screen.html", status=422 if problems else 200, **shown)

    def _result(self, visit: Visit, answer: messages.ScreenPassengersResponse) -> Response:
        writes = LIAISON in self._ports.officers[visit.person].roles
        left: dict[int, list[tuple[str, str]]] = {}
        for one in answer.warnings:
            left.setdefault(one.place, []).append((WARNINGS.get(one.code, ""), one.code))
        shown: dict[str, Any] = {
            "answer": answer,
            "hits": [{**_hit(visit.language, one, writes=writes), "left": left.get(one.place, ())} for one in answer.proposals[:EXPLAINED]],
            "rarest": RAREST,
            "others": _others(visit.language, answer.proposals[EXPLAINED:], writes=writes),
            "warnings": [(one.place, WARNINGS.get(one.code, ""), one.code) for one in answer.warnings],
        }
        return self._pages.page(visit, "screen_hits.html", **shown)


def _hit(language: Language, one: messages.ScreeningProposal, *, writes: bool) -> dict[str, Any]:
    return {
        "one": one,
        **_alert(one.alert, writes=writes),
        "flags": [flag_words(flag) for flag in one.alert.flags],
        "disputed": "DISPUTED" in one.alert.flags,
        "points": language.tenths(one.points_tenths),
        "needed": language.tenths(one.needed_tenths),
        "reasons": [(RULES.get(reason.rule, reason.rule), reason, language.tenths(reason.tenths, signed=True)) for reason in one.reasons],
    }


def _others(language: Language, proposals: Iterable[messages.ScreeningProposal], *, writes: bool) -> list[dict[str, Any]]:
    """By alert, the passengers who may be its person."""
    found: dict[bytes, dict[str, Any]] = {}
    for one in proposals:
        known = found.setdefault(one.alert.manifest_digest, {**_alert(one.alert, writes=writes), "passengers": []})
        known["passengers"].append(language.number(one.place))
    return list(found.values())


def _alert(alert: messages.AlertSummary, *, writes: bool) -> dict[str, Any]:
    """Where an alert is read; one of the agency's own stands among what was sent, which liaison officers alone open."""
    reference, own = alert.manifest_digest.hex(), not alert.received_at
    return {"reference": reference, "own": own, "address": f"/inbox/{reference}" if not own else f"/sent/{reference}" if writes else ""}
