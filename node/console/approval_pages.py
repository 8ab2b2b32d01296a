"""Four eyes in the console: what waits for a second officer, exactly as it would go, and the passkey that approves it."""

import math
from collections.abc import Sequence
from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from exchange.v1 import desk_service_pb2 as messages
from node.confirmations import Confirmation
from node.console.confirm import Confirming
from node.console.despite import in_console
from node.console.page import Page
from node.console.pages import Pages
from node.console.preview_reading import changed_fields, reading_page
from node.console.preview_words import matrix
from node.console.since_words import since_view
from node.console.site import Site
from node.console.visits import Visit
from node.console.words import texts_in, type_words
from node.intake.problems import refuses
from node.operations import approve

_BY_ITS_AUTHOR: Final = ", which its author then says in the preview of the draft"
_SHOWN: Final = 40
"""More on one page would be too much for a poor line."""


def _said(text: str) -> str:
    """Mark a text for the catalogue that is looked up later."""
    return text


STATES: Final = {
    messages.SUBMISSION_STATE_WAITING: _said("Waits for approval"),
    messages.SUBMISSION_STATE_RELEASED: _said("Released"),
    messages.SUBMISSION_STATE_VOID: _said("Void: what would go had changed"),
    messages.SUBMISSION_STATE_TAKEN_BACK: _said("Taken back"),
    messages.SUBMISSION_STATE_LAPSED: _said("Erased: nobody decided within 30 days"),
}


WHY_NOT: Final = {
    messages.APPROVAL_TURN_AUTHOR: _said("Not for you: you wrote it, a colleague approves it"),
    messages.APPROVAL_TURN_GIVEN: _said("Not for you: you have approved it, another colleague’s approval is missing"),
}
"""Why what waits is not for the person to approve."""


class ApprovalPages:
    """Pages of what was submitted for approval."""

    def __init__(self, site: Site, pages: Pages, confirming: Confirming) -> None:
        self._site = site
        self._ports = site.ports
        self._pages = pages
        self._confirming = confirming

    def pages(self) -> tuple[Page, ...]:
        """Every page of this family."""
        return (
            Page(method="GET", path="/approvals", answer=self.listed),
            Page(method="GET", path="/approvals/{submission}", answer=self.show),
            Page(method="GET", path="/approvals/{submission}/approve", answer=self.ask),
            Page(method="POST", path="/approvals/{submission}/approve", answer=self.approve),
            Page(method="POST", path="/approvals/{submission}/take-back", answer=self.take_back),
            Page(method="GET", path="/approvals/{submission}/read/{recipient}", answer=self.read),
        )

    def listed(self, visit: Visit) -> Response:
        """What waits for the person, what they submitted, and what is over."""
        rows = [_row(one, visit.person) for one in approve.list_submissions(self._ports, visit.person)]
        rows.sort(key=lambda row: (not row["for_me"], not row["waits"], row["until"] or math.inf))
        return self._pages.page(visit, "approvals.html", rows=rows[:_SHOWN], left_off=max(0, len(rows) - _SHOWN))

    def show(self, visit: Visit) -> Response:
        """One submission: what each recipient would see, and what differs from the alert whose place it takes."""
        return self._show(visit, self._got(visit))

    def ask(self, visit: Visit) -> Response:
        """The last page before an approval. Raises as `approve.get`."""
        answer = self._got(visit)
        if not _row(answer.submission, visit.person)["for_me"] or _changed(answer):
            return self._show(visit, answer)
        return self._ask(visit, answer)

    def approve(self, visit: Visit) -> Response:
        """Approve what was shown; the last approval releases it. Raises as `approve.approve` and `Confirming.take`."""
        answer = self._got(visit)
        confirmation = self._confirming.taken(visit, "approve", _values(answer.submission))
        if not isinstance(confirmation, Confirmation):
            return self._ask(visit, answer, stale=True)
        question = messages.ApproveSubmissionRequest(submission=answer.submission.id.hex(), preview_digest=answer.submission.preview_digest)
        given = approve.approve(self._ports, visit.person, question, self._site.release_together, confirmation)
        if refuses(given.published.problems):
            return self._show(visit, self._got(visit), given.published.problems)
        if given.published.manifest_digest:
            return RedirectResponse(f"/sent/{given.published.manifest_digest.hex()}?released", 303)
        return RedirectResponse(f"/approvals/{answer.submission.id.hex()}?approved", 303)

    def take_back(self, visit: Visit) -> Response:
        """End a submission of one's own that waits; a draft is one's own again. Raises as `approve.take_back`."""
        taken = approve.take_back(self._ports, visit.person, visit.identifier("submission").hex(), keep_draft=True)
        if taken.draft:
            return RedirectResponse(f"/drafts/{taken.draft.hex()}?back", 303)
        return RedirectResponse(f"/approvals/{taken.submission.id.hex()}", 303)

    def read(self, visit: Visit) -> Response:
        """What was submitted as one recipient's desk will read it."""
        answer = self._got(visit)
        return reading_page(self._site, self._pages, visit, answer.draft, answer.preview, back=f"/approvals/{answer.submission.id.hex()}")

    def _got(self, visit: Visit) -> messages.GetSubmissionResponse:
        return approve.get(self._ports, visit.person, visit.identifier("submission").hex())

    def _ask(self, visit: Visit, answer: messages.GetSubmissionResponse, *, stale: bool = False) -> Response:
        asked = self._confirming.ask(visit, "approve", _values(answer.submission))
        values = {"row": _row(answer.submission, visit.person), "asked": asked, "stale": stale, "reason": answer.reason}
        return self._pages.page(visit, "approve.html", status=422 if stale else 200, **values, matrix=self._matrix(visit, answer))

    def _show(self, visit: Visit, answer: messages.GetSubmissionResponse, refused: Sequence[messages.Problem] = ()) -> Response:
        return self._pages.page(
            visit,
            "approval.html",
            status=422 if refused else 200,
            row=_row(answer.submission, visit.person),
            open=answer.HasField("preview"),
            about=_about(answer),
            reason=answer.reason,
            changed=_changed(answer),
            since=since_view(answer, visit, self._site.zone),
            problems=[in_console(one, instead=_BY_ITS_AUTHOR) for one in (*refused, *answer.preview.problems)],
            matrix=self._matrix(visit, answer),
            base=f"/approvals/{answer.submission.id.hex()}/read" if answer.HasField("draft") else "",
            earlier=[one.hex() for one in answer.draft.supersedes],
            changes=list(changed_fields(self._ports, visit, answer.draft)) if answer.HasField("draft") else [],
            done=[name for name in ("submitted", "approved") if name in visit.query],
        )

    def _matrix(self, visit: Visit, answer: messages.GetSubmissionResponse) -> Any:
        return matrix(answer.preview, visit.language, texts_in(visit.language))


def _about(answer: messages.GetSubmissionResponse) -> tuple[str, str]:
    """What it is, if it is no new alert, and the address of the alert that it tells more of."""
    if answer.HasField("supplement"):
        return _said("More of an alert that was sent"), f"/sent/{answer.supplement.alert}"
    return (_said("An alert of others, passed on with their leave"), "") if answer.HasField("onward") else ("", "")


def _changed(answer: messages.GetSubmissionResponse) -> bool:
    return answer.HasField("preview") and answer.preview.preview_digest != answer.submission.preview_digest


def _values(submission: messages.Submission) -> dict[str, Any]:
    return {"preview": submission.preview_digest.hex(), "submission": submission.id.hex()}


def _row(submission: messages.Submission, person: str) -> dict[str, Any]:
    waits = submission.state == messages.SUBMISSION_STATE_WAITING
    mine = submission.author == person
    turn = submission.turn
    to_write = [one.confirm_by for one in submission.approvals if one.oral and not one.confirmed_at]
    until = [one for one in (submission.lands_at, submission.not_after, *to_write) if one]
    return {
        "reference": submission.id.hex(),
        "kind": type_words(submission.alert_type),
        "state": STATES.get(submission.state, ""),
        "author": submission.author,
        "at": submission.submitted_at,
        "needed": submission.approvals_needed,
        "approvals": list(submission.approvals),
        "preview": submission.preview_digest.hex(),
        "waits": waits,
        "mine": mine,
        "oral": turn == messages.APPROVAL_TURN_PUT_IN_WRITING,
        "for_me": turn in {messages.APPROVAL_TURN_APPROVE, messages.APPROVAL_TURN_PUT_IN_WRITING},
        "turn": WHY_NOT.get(turn, ""),
        "recipients": list(submission.recipients),
        "not_after": submission.not_after,
        "lands_at": submission.lands_at,
        "lands_zone": submission.lands_zone,
        "write_by": min(to_write, default=0),
        "until": min(until, default=0),
    }
