"""A draft and what would go of it: to whom, whether a colleague approves it first, what stands against it, and what its author confirms."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from exchange.v1 import desk_service_pb2 as messages
from node.console.preview_words import waits_for_approval
from node.intake.problems import refuses
from node.operations.draft_box import ReadDraft, Replaces
from node.operations.planning import ENOUGH
from node.operations.preview import preview_with
from node.operations.replace import Foreseen, foresee
from node.operations.replacement_draft import replacement
from node.ports import Ports


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Outlook:
    """What would go of what was typed. No repr: it is about a person."""

    draft: messages.Draft
    """As it would go."""
    answer: messages.PreviewAlertResponse
    submits: bool
    """Whether a colleague has to approve it first."""
    foreseen: Foreseen | None = None
    """Of a draft that takes an alert's place."""
    waiting: frozenset[str] = frozenset()
    """Who gets it only after a second officer's approval."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Previewed:
    """One draft, and what would go of it. No repr: it holds what was typed."""

    read: ReadDraft
    outlook: Outlook

    @property
    def draft(self) -> messages.Draft:
        """As it would go."""
        return self.outlook.draft

    @property
    def answer(self) -> messages.PreviewAlertResponse:
        """What each recipient would see."""
        return self.outlook.answer

    @property
    def submits(self) -> bool:
        """Whether a colleague has to approve it first."""
        return self.outlook.submits

    @property
    def foreseen(self) -> Foreseen | None:
        """Of a draft that takes an alert's place."""
        return self.outlook.foreseen

    @property
    def problems(self) -> list[messages.Problem]:
        """Of the file and of the node, each thing once."""
        joined = {(one.severity, one.code, one.field): one for group in (self.read.problems, self.answer.problems) for one in group}
        return list(joined.values())

    @property
    def ready(self) -> bool:
        """Whether it could go as it is."""
        reached = self.answer.recipients or (self.foreseen and self.foreseen.noticed)
        return bool(reached) and not refuses(self.problems) and not any(one.denied for one in self.answer.recipients)

    @property
    def replaces(self) -> Replaces | None:
        """The alert whose place it takes."""
        return self.read.held.content.replaces

    @property
    def digest(self) -> str:
        """Of all that is shown, in hex."""
        return self.answer.preview_digest.hex()

    @property
    def action(self) -> str:
        """What its author confirms."""
        return "submit" if self.submits else "replace" if self.foreseen else "release"


def look(ports: Ports, person: str, read: ReadDraft, reason: str) -> Previewed:
    """What would go of a draft that was read. Raises as `preview_with` and `foresee`."""
    return Previewed(read=read, outlook=look_ahead(ports, person, read.draft, read.held.content.replaces, reason))


def look_ahead(ports: Ports, person: str, draft: messages.Draft, replaces: Replaces | None, reason: str, *, others: bool = True) -> Outlook:
    """What would go: for the preview, and for whoever is still typing. `others`, and what it raises, as `preview_with` and `foresee`."""
    if replaces and draft.alert_type:
        return _foreseen(ports, person, draft, replaces, reason, others=others)
    answer = preview_with(ports, person, draft, others=others)
    submits = waits_for_approval(answer)
    if submits:
        answer = preview_with(ports, person, draft, approvals=ENOUGH, others=others)
    return Outlook(draft=draft, answer=answer, submits=submits, waiting=_waiting(ports, answer))


def _foreseen(ports: Ports, person: str, draft: messages.Draft, replaces: Replaces, reason: str, *, others: bool) -> Outlook:
    request = replacement(draft, replaces, reason)
    found = foresee(ports, person, request, others=others)
    # A correction waits for nobody: who is given no new values learns at once that the old ones are wrong.
    submits = not replaces.correction and (found.waits or waits_for_approval(found.shown))
    if submits:
        found = foresee(ports, person, request, approvals=ENOUGH, others=others)
    return Outlook(draft=found.draft, answer=found.shown, submits=submits, foreseen=found, waiting=_waiting(ports, found.shown))


def _waiting(ports: Ports, answer: messages.PreviewAlertResponse) -> frozenset[str]:
    given = (one for one in answer.recipients if not one.denied)
    return frozenset(one.recipient for one in given if ports.known.agreements[one.agreement_digest].clauses[one.clause].approvals)


def said_of(found: Previewed, reason: str, *, urgent: bool) -> dict[str, Any]:
    """What its author confirms: the preview by its digest, which covers every recipient, clause and byte, and what stands beside it."""
    draft, foreseen, replaces = found.draft, found.foreseen, found.replaces
    # What waits for a second officer tells nobody yet that anything was wrong.
    noticed = foreseen.noticed if foreseen and not found.submits else ()
    said: dict[str, Any] = {
        "preview": found.digest,
        "reason": reason,
        "to": sorted({*(one.recipient for one in found.answer.recipients), *noticed}),
        "handling": sha256(draft.handling.SerializeToString(deterministic=True)).hexdigest(),
        "not_after": draft.not_after,
        "urgent": urgent,
    }
    if foreseen and replaces:
        said |= {
            "alerts": [one.hex() for one in foreseen.alerts],
            "correction": replaces.correction,
            "wrong": list(foreseen.wrong) if replaces.correction else [],
        }
    return said
