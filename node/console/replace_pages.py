"""To correct an alert that was sent, or to update it: a form that begins a draft in its place, which is then composed like any other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from starlette.responses import RedirectResponse, Response

from exchange.errors import NotFound
from exchange.profile import alert_type
from exchange.v1 import desk_service_pb2 as messages
from node.console.compose_pages import TYPES, seen_version
from node.console.page import Page
from node.console.pages import Pages
from node.console.recall_pages import PROBLEMS
from node.console.sent_words import CORRECTIONS
from node.console.site import Site
from node.console.visits import Visit
from node.console.words import texts_in
from node.intake.problems import error
from node.operations import draft_box
from node.operations.draft_box import DraftContent, HeldDraft, Replaces
from node.operations.officers import LIAISON, require
from node.operations.outbox import get_status
from node.operations.replacement_draft import begin_replacement


def _said(text: str) -> str:
    """Mark a text for the catalogue that is looked up later."""
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verb:
    """One way to put another alert in an alert's place."""

    name: str
    title: str


CORRECT: Final = _Verb(name="correct", title=_said("Correct"))
UPDATE: Final = _Verb(name="update", title=_said("Update"))


class ReplacePages:
    """Forms that begin a draft, and the one that says what was wrong."""

    def __init__(self, site: Site, pages: Pages) -> None:
        self._ports = site.ports
        self._pages = pages

    def pages(self) -> tuple[Page, ...]:
        """Every page of this family."""
        of_verbs = [
            page
            for verb in (CORRECT, UPDATE)
            for page in (
                Page(method="GET", path=f"/sent/{{alert}}/{verb.name}", answer=partial(self.ask, verb)),
                Page(method="POST", path=f"/sent/{{alert}}/{verb.name}", answer=partial(self.begin, verb)),
            )
        ]
        return (
            *of_verbs,
            Page(method="GET", path="/drafts/{draft}/correction", answer=self.ask_again),
            Page(method="POST", path="/drafts/{draft}/correction", answer=self.change),
        )

    def ask(self, verb: _Verb, visit: Visit) -> Response:
        """The form. Raises as `get_status`, and `NotFound` (PATH_UNKNOWN) for what is not composed here."""
        return self._form(visit, verb, self._kind(visit), Replaces(alert=visit.digest()), [])

    def begin(self, verb: _Verb, visit: Visit) -> Response:
        """The form again with all that is wrong, or a new draft, which says what the alert said. Raises as `begin_replacement`."""
        kind = self._kind(visit)
        wanted = _typed(visit, verb, kind, visit.digest())
        problems = _problems(verb, wanted)
        if not problems:
            begun = begin_replacement(self._ports, visit.person, wanted.alert, wanted.correction, wanted.wrong)
            if isinstance(begun, HeldDraft):
                return RedirectResponse(f"/drafts/{begun.id.hex()}?begun", 303)
            problems = [begun]
        return self._form(visit, verb, kind, wanted, problems)

    def ask_again(self, visit: Visit) -> Response:
        """What was wrong, as a draft says it. Raises as `draft_box.get`, and `NotFound` (PATH_UNKNOWN) where it corrects nothing."""
        held = draft_box.get(self._ports, visit.person, visit.identifier("draft"))
        return self._form(visit, CORRECT, held.summary.alert_type, _replaces(held.content), [], held)

    def change(self, visit: Visit) -> Response:
        """Say otherwise what was wrong. Raises as `draft_box.change` and as `ask_again`."""
        held = draft_box.get(self._ports, visit.person, visit.identifier("draft"))
        wanted = _typed(visit, CORRECT, held.summary.alert_type, _replaces(held.content).alert)
        problems = _problems(CORRECT, wanted)
        if problems:
            return self._form(visit, CORRECT, held.summary.alert_type, wanted, problems, held)
        edited = partial(_changed, wanted)
        held = draft_box.change(self._ports, visit.person, held.id, seen_version(visit.form), edited)
        return RedirectResponse(f"/drafts/{held.id.hex()}?saved", 303)

    def _kind(self, visit: Visit) -> str:
        require(self._ports, visit.person, (LIAISON,))
        kind = get_status(self._ports, visit.person, visit.digest()).summary.alert_type
        if kind not in TYPES:
            raise NotFound("PATH_UNKNOWN", "alerts of this type are not composed here")
        return kind

    def _form(
        self,
        visit: Visit,
        verb: _Verb,
        kind: str,
        replaces: Replaces,
        problems: Sequence[messages.Problem],
        held: HeldDraft | None = None,
    ) -> Response:
        texts = texts_in(visit.language)
        return self._pages.page(
            visit,
            "replace.html",
            status=422 if problems else 200,
            verb=verb,
            reference=replaces.alert,
            address=f"/drafts/{held.id.hex()}/correction" if held else f"/sent/{replaces.alert}/{verb.name}",
            draft=held,
            reasons=CORRECTIONS,
            fields=[(one.number, texts.label(one.name), one.name in replaces.wrong) for one in alert_type(kind).fields],
            code=replaces.correction,
            problems=problems,
            known=PROBLEMS,
        )


def _typed(visit: Visit, verb: _Verb, kind: str, alert: str) -> Replaces:
    if verb is UPDATE:
        return Replaces(alert=alert)
    chosen = set(visit.ticked_fields)
    wrong = tuple(one.name for one in alert_type(kind).fields if one.number in chosen)
    return Replaces(alert=alert, correction=visit.form.get("code", ""), wrong=wrong)


def _problems(verb: _Verb, wanted: Replaces) -> list[messages.Problem]:
    if verb is UPDATE or wanted.correction in CORRECTIONS:
        return []
    return [error("REASON_CODE", "code", "it is not said for which coded reason", "choose one")]


def _changed(wanted: Replaces, before: DraftContent) -> DraftContent:
    return replace(before, replaces=wanted)


def _replaces(content: DraftContent) -> Replaces:
    if content.replaces is None or not content.replaces.correction:
        raise NotFound("PATH_UNKNOWN", "this draft corrects nothing")
    return content.replaces
