"""The pages of drafts: the list, a new one, its task list, a page for each step, and all that is wrong at once.

Every POST saves what was typed, right or wrong. What releases a draft stands elsewhere.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from exchange.errors import Conflict, Malformed, NotFound
from exchange.profile import alert_type
from exchange.v1.desk_service_pb2 import SEVERITY_ERROR, Problem
from node.console.compose_conflict import differing, stand_of, still
from node.console.compose_form import Composer, Part, anchor
from node.console.compose_mrz import MrzRead, read_lines
from node.console.compose_steps import (
    SEND,
    Edit,
    Reading,
    Step,
    add_document,
    add_romanisation,
    documents_path,
    names_beside,
    parts_of,
    place_of,
    standings,
    step_of,
    steps_of,
    typed_in,
)
from node.console.compose_words import ENVELOPE, STEPS
from node.console.despite import in_console, named_by
from node.console.languages import Language
from node.console.live import Live, live
from node.console.page import Page
from node.console.pages import Pages
from node.console.problem_words import problem_words
from node.console.sent_words import CORRECTIONS
from node.console.site import Site
from node.console.visits import Visit
from node.console.words import party_words, texts_in, type_words
from node.intake.completeness import check_draft, needed_fields
from node.intake.plain_document import Plain
from node.intake.problems import error, merge
from node.operations import draft_box
from node.operations.addressees import list_addressees
from node.operations.draft_box import DraftContent, HeldDraft
from node.operations.officers import LIAISON, agency_of, require
from node.operations.preview import check
from node.reading_values import partial_date

TYPES: Final = (
    "exchange.v1.TravelAlert",
    "exchange.v1.SubjectWarning",
    "exchange.v1.InformationRequest",
    "exchange.v1.ProsecutionCoordination",
    "exchange.v1.PatternBulletin",
)
"""What is composed here; everything else answers an alert, and begins at its page or with its command."""
_SEXES: Final = {"F": "SEX_FEMALE", "M": "SEX_MALE", "X": "SEX_NOT_SPECIFIED_IN_DOCUMENT"}
LISTED: Final = 50
"""Drafts on one page."""
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_GRANT: Final = "exchange.v1.OnRequestGrant"
_BUTTON: Final = re.compile(r"(add|open|remove|romanise|set):([a-z0-9_.\[\]]{1,200})(?:=([A-Z0-9]{3,5}))?")


def _said(text: str) -> str:
    """Mark a text for the catalogue that is looked up later."""
    return text


class ComposePages:
    """Pages for liaison officers; whose draft it is, the operation asks."""

    def __init__(self, site: Site, pages: Pages) -> None:
        self._site = site
        self._ports = site.ports
        self._pages = pages

    def pages(self) -> tuple[Page, ...]:
        """Every page of this family."""
        return (
            Page(method="GET", path="/drafts", answer=self.drafts),
            Page(method="GET", path="/drafts/new", answer=self.ask_type),
            Page(method="POST", path="/drafts/new", answer=self.begin),
            Page(method="GET", path="/drafts/{draft}", answer=self.tasks),
            Page(method="GET", path="/drafts/{draft}/check", answer=self.check),
            Page(method="GET", path="/drafts/{draft}/discard", answer=self.ask_discard),
            Page(method="POST", path="/drafts/{draft}/discard", answer=self.discard),
            Page(method="GET", path="/drafts/{draft}/step/{part}", answer=self.step),
            Page(method="POST", path="/drafts/{draft}/step/{part}", answer=self.save),
            Page(method="POST", path="/drafts/{draft}/step/{part}/live", answer=self.live),
        )

    def drafts(self, visit: Visit) -> Response:
        """The drafts of the person's agency, so many at once. Raises `NotPermitted`."""
        found = draft_box.list_drafts(self._ports, visit.person)
        start = int(visit.query["from"]) if _NUMBER.fullmatch(visit.query.get("from", "")) else 0
        rows = [{"item": one, "kind": _kind_words(one.alert_type)} for one in found[start : start + LISTED]]
        older = start + LISTED if len(found) > start + LISTED else 0
        return self._pages.page(visit, "compose_list.html", rows=rows, older=older, gone="gone" in visit.query)

    def ask_type(self, visit: Visit) -> Response:
        """What is to be written. Raises `NotPermitted`."""
        require(self._ports, visit.person, (LIAISON,))
        return self._type_page(visit)

    def begin(self, visit: Visit) -> Response:
        """A new draft. Raises as `draft_box.create`."""
        agency = agency_of(require(self._ports, visit.person, (LIAISON,)))
        kind = visit.form.get("type", "")
        if kind not in TYPES:
            return self._type_page(visit, wrong=True)
        alert: dict[str, Plain] = {}
        desk = self._site.desks.get(agency)
        if desk is not None and "contact_desk" in {field.name for field in alert_type(kind).fields}:
            alert["contact_desk"] = {"unit": desk.unit, "channel": desk.channel}
        document: dict[str, Plain] = {"type": kind.rpartition(".")[2], "language": visit.language.code, "alert": alert}
        held = draft_box.create(self._ports, visit.person, DraftContent(document=document))
        return RedirectResponse(_address(held), 303)

    def tasks(self, visit: Visit) -> Response:
        """How each step of a draft stands. Raises as `draft_box.get`."""
        held = draft_box.get(self._ports, visit.person, visit.identifier("draft"))
        reading = self._read(held)
        needed = needed_fields(reading.kind.name)
        present = {field.name for field, _ in reading.alert.ListFields()}
        stood = [
            {"title": STEPS[one.step.code], "code": one.step.code, "state": one.state, "warnings": one.warnings}
            for one in standings(reading)
        ]
        counts: dict[str, Any] = {
            "needed": (len(present & set(needed)), len(needed)),
            "helpful": (len(present - set(needed)), len(reading.kind.fields) - len(needed)),
        }
        errors = sum(problem.severity == SEVERITY_ERROR for problem in reading.problems)
        shown: dict[str, Any] = {"steps": stood, "errors": errors, "live": self._live(visit, reading)}
        return self._draft_page(visit, "compose_tasks.html", held, **shown, **counts)

    def check(self, visit: Visit) -> Response:
        """All that is wrong with a draft, as release would find it. Raises as `draft_box.get`, and as `preview.check`."""
        held = draft_box.get(self._ports, visit.person, visit.identifier("draft"))
        whole = draft_box.read_held(self._ports, held)
        reading = self._read(held, check(self._ports, visit.person, whole.draft).problems)
        composer = self._composer(visit, reading)
        shown = {step.code: parts_of(composer, step, reading, self._addressees(visit, step)) for step in steps_of(reading.kind.name)}
        groups: dict[bool, dict[str, list[dict[str, Any]]]] = {True: {}, False: {}}
        for step in steps_of(reading.kind.name):
            for problem in reading.problems:
                if step_of(problem, reading) != step.code:
                    continue
                place = place_of(problem, shown[step.code], reading)
                href = f"{_address(held)}/step/{step.code}{'#' + anchor(place) if place else ''}"
                href = f"{_address(held)}/preview#known" if named_by(problem) else href
                said = {**self._said(visit.language, problem, shown[step.code], place), "href": href}
                groups[problem.severity == SEVERITY_ERROR].setdefault(STEPS[step.code], []).append(said)
        return self._draft_page(visit, "compose_check.html", held, errors=groups[True], warnings=groups[False])

    def ask_discard(self, visit: Visit) -> Response:
        """Whether a draft is to go. Raises as `draft_box.get`."""
        return self._draft_page(visit, "compose_discard.html", draft_box.get(self._ports, visit.person, visit.identifier("draft")))

    def discard(self, visit: Visit) -> Response:
        """Let a draft go. Raises as `draft_box.discard`."""
        draft_box.discard(self._ports, visit.person, visit.identifier("draft"))
        return RedirectResponse("/drafts?gone", 303)

    def step(self, visit: Visit) -> Response:
        """One step of a draft. Raises as `draft_box.get`, and `NotFound` (PATH_UNKNOWN)."""
        held = draft_box.get(self._ports, visit.person, visit.identifier("draft"))
        return self._step_page(visit, held, more=visit.query.get("more", ""))

    def save(self, visit: Visit) -> Response:
        """Save a step, right or wrong, and do what the button says. Raises as `draft_box.change`, `Malformed` (FORM).

        What another window saved of the same step is shown beside what was typed here.
        """
        edit, lines = _edit(visit.form), visit.form.get("mrz", "")

        def edited(before: DraftContent) -> DraftContent:
            reading = self._read_content(before)
            step = _step(visit, reading)
            after = typed_in(self._composer(visit, reading), step, reading, visit.form, edit)
            if edit.verb == "romanise":
                return add_romanisation(self._read_content(after), edit.path)
            read = read_lines(lines)
            taken = edit.verb == "mrz-take" and read.zone is not None and _mrz_here(step, reading)
            return add_document(self._read_content(after), read.lines) if taken else after

        def unless(before: DraftContent) -> bool:
            return still(visit.form, _step(visit, self._read_content(before)), before)

        identifier, seen = visit.identifier("draft"), seen_version(visit.form)
        try:
            held = draft_box.change(self._ports, visit.person, identifier, seen, edited, unless)
        except Conflict:
            held = draft_box.get(self._ports, visit.person, identifier)
            return self._step_page(visit, held, typed=edited(held.content), mrz=read_lines(lines) if lines.strip() else None)
        here = f"{_address(held)}/step/{visit.place['part']}"
        if edit.verb == "read" and (reader := visit.form.get("reader", "")):
            return RedirectResponse(f"{here}?{urlencode({'reader': reader})}#read", 303)
        if edit.verb in {"add", "open"}:
            return RedirectResponse(f"{here}?more={edit.path}#{anchor(edit.path)}", 303)
        if edit.verb in {"remove", "romanise", "set"}:
            return RedirectResponse(f"{here}#{anchor(edit.path.rpartition('[')[0] or edit.path)}", 303)
        read = read_lines(lines)
        if edit.verb == "mrz" or (edit.verb == "mrz-take" and read.zone is None):
            return self._step_page(visit, held, mrz=read)
        if edit.verb == "mrz-take":
            return RedirectResponse(f"{here}?taken", 303)
        if self._untaken(visit, held, read):
            return self._step_page(visit, held, saved=True, mrz=read)
        answer = self._step_page(visit, held, saved=True)
        return answer if answer.status_code == 422 else RedirectResponse(f"{_address(held)}?saved", 303)

    def _untaken(self, visit: Visit, held: HeldDraft, read: MrzRead) -> bool:
        """Whether lines were pasted and are nowhere in the draft: they must not be lost."""
        reading = self._read(held)
        if not read.lines or not _mrz_here(_step(visit, reading), reading):
            return False
        return read.zone is None or add_document(reading, read.lines) != held.content

    def live(self, visit: Visit) -> Response:
        """What each recipient would see with what is being typed, of which nothing is saved. Raises as `draft_box.try_out`."""

        def edited(before: DraftContent) -> DraftContent:
            reading = self._read_content(before)
            return typed_in(self._composer(visit, reading), _step(visit, reading), reading, visit.form, Edit())

        identifier = visit.identifier("draft")
        reading = self._read_content(draft_box.try_out(self._ports, visit.person, identifier, edited))
        shown: dict[str, Any] = {"live": self._live(visit, reading), "address": f"/drafts/{identifier.hex()}", "as_typed": True}
        return self._pages.page(visit, "live.html", **shown)

    def _live(self, visit: Visit, reading: Reading) -> Live:
        return live(self._site, self._pages, visit, reading)

    def _step_page(
        self,
        visit: Visit,
        held: HeldDraft,
        *,
        more: str = "",
        saved: bool = False,
        mrz: MrzRead | None = None,
        typed: DraftContent | None = None,
    ) -> Response:
        reading, texts = self._read_content(typed or held.content), texts_in(visit.language)
        step = _step(visit, reading)
        composer = self._composer(visit, reading, more)
        addressees = self._addressees(visit, step)
        parts = parts_of(composer, step, reading, addressees)
        other = parts_of(composer, step, self._read(held), addressees) if typed else parts
        mine = [problem for problem in reading.problems if step_of(problem, reading) == step.code]
        wrong: dict[str, list[dict[str, Any]]] = {}
        listed = []
        # What was never begun is not wrong yet, unless a person says that it is done.
        for problem in mine:
            place = place_of(problem, parts, reading)
            begun = any(part.path == place and not part.empty for whole in parts for part in whole.all_parts())
            if saved or begun or problem.code == "GRADING_MISSING":
                said = self._said(visit.language, problem, parts, place)
                wrong.setdefault(place, []).append(said)
                if problem.severity == SEVERITY_ERROR:
                    listed.append({**said, "href": f"#{anchor(place)}" if place else "#main-content"})
        order = [f"#{part.anchor}" for whole in parts for part in whole.all_parts()]
        listed.sort(key=lambda one: order.index(one["href"]) if one["href"] in order else -1)
        return self._draft_page(
            visit,
            "compose_step.html",
            held,
            status=409 if typed else 422 if (saved and listed) or (mrz and (saved or not mrz.zone)) else 200,
            step=step.code,
            stand=stand_of(held.content, step),
            conflict=typed is not None,
            differing=differing(other, parts),
            title=STEPS[step.code],
            live=self._live(visit, reading),
            parts=parts,
            wrong=wrong,
            listed=listed if saved else [],
            mrz=mrz or MrzRead(lines=()),
            mrz_wrong=_mrz_wrong(mrz, saved=saved),
            names=names_beside(reading, composer) if step.code == "names" else (),
            mrz_here=_mrz_here(step, reading),
            today=self._ports.clock.now().date(),
            dated=lambda text: partial_date(text, texts) if text else "–",
            countries=texts.countries,
            sexes={letter: texts.value(name, "SEX_") for letter, name in _SEXES.items()},
            open={place.partition(".")[0].partition("[")[0] for place in (*wrong, more)},
        )

    def _draft_page(self, visit: Visit, template: str, held: HeldDraft, *, status: int = 200, **values: Any) -> Response:
        summary = held.summary
        shown = {
            "address": _address(held),
            "reference": held.id.hex()[:8],
            "kind": _kind_words(summary.alert_type),
            "draft": summary,
            "noted": "saved" in visit.query,
            "taken": "taken" in visit.query,
            "begun": "begun" in visit.query,
            "back": "back" in visit.query,
            "replaces": self._replaces(held),
        }
        return self._pages.page(visit, template, status=status, **shown, **values)

    def _replaces(self, held: HeldDraft) -> dict[str, str] | None:
        replaces = held.content.replaces
        if replaces is None:
            return None
        return {"alert": replaces.alert, "reason": CORRECTIONS.get(replaces.correction, "")}

    def _type_page(self, visit: Visit, *, wrong: bool = False) -> Response:
        types = [(name, type_words(name)) for name in TYPES]
        return self._pages.page(visit, "compose_new.html", status=422 if wrong else 200, types=types, wrong=wrong)

    def _read(self, held: HeldDraft, more: Sequence[Problem] = ()) -> Reading:
        return self._read_content(held.content, more)

    def _read_content(self, content: DraftContent, more: Sequence[Problem] = ()) -> Reading:
        loaded = draft_box.read_content(self._ports, content)
        kind = alert_type(loaded.draft.alert_type)
        alert = kind.message.FromString(loaded.draft.alert)
        reason = () if content.reason.strip() else (error("REASON_MISSING", "reason", "no reason was given", "say why this is necessary"),)
        problems = merge(loaded.problems, reason, check_draft(loaded.draft, self._ports.clock.now_ms()), more)
        return Reading(content=content, kind=kind, draft=loaded.draft, alert=alert, problems=problems)

    def _said(self, language: Language, problem: Problem, parts: Sequence[Part], place: str) -> dict[str, Any]:
        words, problem = problem_words(language, problem.code), in_console(problem)
        return {
            "label": _label(language, parts, place, problem.field),
            "text": words,
            "english": "" if words else f"{problem.message[:1].upper()}{problem.message[1:]}: {problem.remedy}.",
            "code": problem.code,
            "error": problem.severity == SEVERITY_ERROR,
        }

    def _composer(self, visit: Visit, reading: Reading, more: str = "") -> Composer:
        texts = replace(texts_in(visit.language), zone=self._site.zone)
        chosen = reading.content.document.get("recipients")
        recipients = [str(one) for one in chosen] if isinstance(chosen, list) else []
        choices = {
            f"{_GRANT}.recipient": [(one, party_words(visit.language, one)) for one in recipients],
            f"{_GRANT}.field": [(field.name, texts.label(field.name)) for field in reading.kind.fields],
        }
        return Composer(
            language=visit.language, texts=texts, choices=choices, today=self._ports.clock.now().date(), zone=self._site.zone, more=more
        )

    def _addressees(self, visit: Visit, step: Step) -> list[tuple[str, str]]:
        if step.code != SEND:
            return []
        found = list_addressees(self._ports, visit.person)
        without = visit.language.say("no agreement yet")
        return [(one.agency, party_words(visit.language, one.agency) + ("" if one.agreed else f" – {without}")) for one in found]


def _step(visit: Visit, reading: Reading) -> Step:
    step = next((step for step in steps_of(reading.kind.name) if step.code == visit.place["part"]), None)
    if step is None:
        raise NotFound("PATH_UNKNOWN", "a draft of this type has no such step")
    return step


def _address(held: HeldDraft) -> str:
    return f"/drafts/{held.id.hex()}"


def seen_version(form: Mapping[str, str]) -> int:
    """Which version of the draft whoever sent a form saw. Raises `Malformed` (FORM)."""
    version = form.get("version", "")
    if not _NUMBER.fullmatch(version):
        raise Malformed("FORM", "the form does not say which version of the draft was seen")
    return int(version)


def _edit(form: Mapping[str, str]) -> Edit:
    action = form.get("action", "")
    if found := _BUTTON.fullmatch(action):
        return Edit(verb=found[1], path=found[2], value=found[3] or "")
    return Edit(verb=action if action in {"mrz", "mrz-take", "read"} else "")


def _mrz_here(step: Step, reading: Reading) -> bool:
    return documents_path(reading.kind).partition(".")[0] in step.fields


def _mrz_wrong(mrz: MrzRead | None, *, saved: bool) -> str:
    if mrz is None:
        return ""
    if not mrz.lines:
        return _said("There are no lines to read yet. Paste them first.")
    if mrz.zone is None:
        return _said("These lines cannot be right as they stand. Compare each character with the document: 0 and O, 1 and I look alike.")
    return _said("These lines were read, and not taken over yet. Take them over, or empty the field.") if saved else ""


def _kind_words(alert_type_name: str) -> str:
    return type_words(alert_type_name) if alert_type_name else ""


def _label(language: Language, parts: Sequence[Part], place: str, path: str) -> str:
    """What the field of a problem is called: the whole field, and the part of it."""
    if path.startswith("recipients[spiffe:"):
        return party_words(language, path.partition("[")[2].removesuffix("]"))
    within = [
        part
        for whole in parts
        for part in whole.all_parts()
        if place and (part.path == place or place.startswith((f"{part.path}.", f"{part.path}[", f"{part.path}:")))
    ]
    labels = [part.label for part in within]
    if not labels:
        return language.say(ENVELOPE.get(path, ""))
    # Of what lies deep inside a row, as a port inside a leg, which row and which part of it.
    row = next((part.label for part in within[:-2] if part.path.endswith("]")), "")
    return f"{row}: {labels[-2]}" if row else ": ".join(labels[-2:])
