"""After the release: withdraw, restrict, lift, tell one agency more. Each is a form, then a page that says whom it reaches, a passkey."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from exchange.errors import NotFound
from exchange.profile import alert_type
from exchange.v1 import control_pb2, disclosure_pb2
from exchange.v1 import desk_service_pb2 as messages
from node.confirmations import Confirmation
from node.console.confirm import Confirming
from node.console.page import Page
from node.console.pages import Pages
from node.console.preview_words import recipient_reference
from node.console.site import Site
from node.console.visits import Visit
from node.console.words import texts_in
from node.intake.problems import error, refuses
from node.operations import approve
from node.operations.approved import Approved
from node.operations.officers import LIAISON, require
from node.operations.outbox import get_status
from node.operations.reached import get_reach
from node.operations.recall import ATTEST_WITHIN_AT_MOST, ATTEST_WITHIN_DAYS, recall_alert
from node.operations.supplement import Weighed, supplement_alert, weigh_supplement

_ID_BYTES: Final = 16


def _said(text: str) -> str:
    """Mark a text for the catalogue that is looked up later."""
    return text


_WITHDRAWAL: Final[Mapping[str, str]] = {
    "WRONG_PERSON": _said("It is about the wrong person"),
    "NO_LONGER_NECESSARY": _said("It is no longer necessary"),
    "NOT_LAWFUL": _said("It should not have been sent: it was not lawful"),
    "SUPERSEDED": _said("Another alert has taken its place"),
    "COURT_ORDER": _said("A court ordered it"),
}
_RESTRICTION: Final[Mapping[str, str]] = {
    "ACCURACY_CONTESTED": _said("The person contests that it is right"),
    "UNDER_REVIEW": _said("It is being reviewed"),
    "KEPT_AS_EVIDENCE": _said("It must be kept as evidence"),
}
GROUNDS: Final[Mapping[str, str]] = {
    "RECIPIENT_ASKED": _said("The recipient asked for it"),
    "IDENTIFICATION": _said("It is needed to identify the person"),
    "RISK_TO_CHILD": _said("A child is at risk"),
    "OFFICER_SAFETY": _said("It is needed for the safety of officers"),
    "INVESTIGATION": _said("It is needed for an investigation"),
}
PROBLEMS: Final[Mapping[str, str]] = {
    "REASON_MISSING": _said("Say why this is necessary"),
}
"""What to tell a person, by code; other problems are told in English, as the node has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verb:
    """One kind of recall."""

    name: str
    title: str
    kind: "messages.RecallKind.ValueType"
    codes: Mapping[str, str]


VERBS: Final = (
    _Verb(name="withdraw", title=_said("Withdraw"), kind=messages.RECALL_KIND_WITHDRAWAL, codes=_WITHDRAWAL),
    _Verb(name="restrict", title=_said("Restrict"), kind=messages.RECALL_KIND_RESTRICTION, codes=_RESTRICTION),
    _Verb(name="lift", title=_said("Lift the restriction"), kind=messages.RECALL_KIND_LIFTING, codes={}),
)


class RecallPages:
    """Forms about what was sent."""

    def __init__(self, site: Site, pages: Pages, confirming: Confirming) -> None:
        self._site = site
        self._ports = site.ports
        self._pages = pages
        self._confirming = confirming

    def pages(self) -> tuple[Page, ...]:
        """Every page of this family."""
        of_verbs = [
            page
            for verb in VERBS
            for page in (
                Page(method="GET", path=f"/sent/{{alert}}/{verb.name}", answer=partial(self.ask, verb)),
                Page(method="POST", path=f"/sent/{{alert}}/{verb.name}", answer=partial(self.recall, verb)),
            )
        ]
        return (
            *of_verbs,
            Page(method="GET", path="/sent/{alert}/supplement/{recipient}", answer=self.ask_more),
            Page(method="POST", path="/sent/{alert}/supplement/{recipient}", answer=self.supplement),
        )

    def ask(self, verb: _Verb, visit: Visit) -> Response:
        """The form. Raises as `get_reach`."""
        return self._form(verb, visit, self._reach(visit), [])

    def recall(self, verb: _Verb, visit: Visit) -> Response:
        """The form again with all that is wrong, the page that asks for the passkey, or, with that, the recall."""
        reach = self._reach(visit)
        problems = _recall_problems(verb, visit)
        if problems:
            return self._form(verb, visit, reach, problems)
        values = _recall_values(verb, visit, reach)
        taken = self._confirming.taken(visit, verb.name, values)
        if not isinstance(taken, Confirmation):
            return self._form(verb, visit, reach, [], asked=self._confirming.ask(visit, verb.name, values), stale=taken)
        question = messages.RecallAlertRequest(request_id=_request_id(taken), alert=visit.digest(), kind=verb.kind, reason=visit.reason)
        code = visit.form.get("code", "")
        if verb.codes is _WITHDRAWAL:
            question.withdrawal_reason = control_pb2.WithdrawalReason.Value(f"WITHDRAWAL_REASON_{code}")
            question.attest_within_days = _days(visit)
        elif verb.codes is _RESTRICTION:
            question.restriction_reason = control_pb2.RestrictionReason.Value(f"RESTRICTION_REASON_{code}")
        answer = recall_alert(self._ports, visit.person, question, self._site.release_together, taken)
        refused = [problem for control in answer.controls for problem in control.problems]
        if refused:
            return self._form(verb, visit, self._reach(visit), refused)
        return RedirectResponse(f"/sent/{visit.digest()}?{verb.name}", 303)

    def ask_more(self, visit: Visit) -> Response:
        """The form to tell one agency more. Raises as `get_reach`."""
        return self._more(visit, [])

    def supplement(self, visit: Visit) -> Response:
        """The form again, the page that asks for the passkey, or, with that, the disclosure."""
        recipient, numbers = self._recipient(visit), visit.ticked_fields
        ground = visit.form.get("ground", "")
        problems = [] if numbers else [error("FIELD_NONE", "fields", "no field was chosen", "choose at least one")]
        if not visit.reason:
            problems.append(error("REASON_MISSING", "reason", "no reason was given", "say why this is necessary"))
        if problems:
            return self._more(visit, problems)
        question = messages.SupplementAlertRequest(
            request_id=bytes(_ID_BYTES),
            alert=visit.digest(),
            recipient=recipient,
            fields=numbers,
            ground=disclosure_pb2.OnRequestGround.Value(f"ON_REQUEST_GROUND_{ground if ground in GROUNDS else 'UNSPECIFIED'}"),
            reason=visit.reason,
        )
        weighed = weigh_supplement(self._ports, visit.person, question)
        if not isinstance(weighed, Weighed):
            return self._more(visit, weighed)
        submits = weighed.allowed.clause.approvals > 0
        action = "submit" if submits else "supplement"
        values = {
            "alerts": [visit.digest()],
            "to": [recipient],
            "fields": numbers,
            "ground": ground,
            "preview": weighed.preview.hex(),
            "reason": visit.reason,
        }
        taken = self._confirming.taken(visit, action, values)
        if not isinstance(taken, Confirmation):
            return self._more(visit, [], asked=self._confirming.ask(visit, action, values), stale=taken, submits=submits)
        question.request_id = _request_id(taken)
        approved = Approved(seen=weighed.preview, confirmations=(taken,))
        return self._submit(visit, question, taken) if submits else self._tell(visit, question, approved)

    def _tell(self, visit: Visit, question: messages.SupplementAlertRequest, approved: Approved) -> Response:
        answer = supplement_alert(self._ports, visit.person, question, self._site.release_together, approved)
        if answer.published.problems:
            return self._more(visit, answer.published.problems)
        return RedirectResponse(f"/sent/{visit.digest()}?supplement", 303)

    def _submit(self, visit: Visit, question: messages.SupplementAlertRequest, confirmation: Confirmation) -> Response:
        submission = messages.SubmitAlertRequest(supplement=question, reason=question.reason)
        answer = approve.submit(self._ports, visit.person, submission, self._site.release_together, confirmation)
        if refuses(answer.problems):
            return self._more(visit, answer.problems)
        return RedirectResponse(f"/approvals/{answer.submission.id.hex()}?submitted", 303)

    def _reach(self, visit: Visit) -> Sequence[messages.Reached]:
        # Administrators recall in the node's name, on the command line; here they see no alerts.
        require(self._ports, visit.person, (LIAISON,))
        return get_reach(self._ports, visit.person, visit.digest()).reached

    def _recipient(self, visit: Visit) -> str:
        wanted = visit.place["recipient"]
        found = [one.agency for one in self._reach(visit) if not one.via and recipient_reference(one.agency) == wanted]
        if not found:
            raise NotFound("PATH_UNKNOWN", "there is no such page")
        return found[0]

    def _form(
        self, verb: _Verb, visit: Visit, reach: Sequence[messages.Reached], problems: Sequence[messages.Problem], **more: Any
    ) -> Response:
        stale = bool(more.get("stale"))
        return self._pages.page(
            visit,
            "recall.html",
            status=422 if problems or stale else 200,
            verb=verb,
            reference=visit.digest(),
            reach=sorted({(one.agency, one.via) for one in reach}),
            problems=problems,
            known=PROBLEMS,
            code=visit.form.get("code", ""),
            days=visit.form.get("days", str(ATTEST_WITHIN_DAYS)),
            reason=visit.form.get("reason", ""),
            **more,
        )

    def _more(self, visit: Visit, problems: Sequence[messages.Problem], **more: Any) -> Response:
        recipient, reference = self._recipient(visit), visit.digest()
        status = get_status(self._ports, visit.person, reference)
        told = {number for one in status.disclosures if recipient in one.disclosure.audience for number in one.disclosure.fields}
        texts = texts_in(visit.language)
        fields = [(one.number, texts.label(one.name)) for one in alert_type(status.summary.alert_type).fields if one.number not in told]
        stale = bool(more.get("stale"))
        return self._pages.page(
            visit,
            "supplement.html",
            status=422 if problems or stale else 200,
            reference=reference,
            recipient=recipient,
            address=f"/sent/{reference}/supplement/{visit.place['recipient']}",
            fields=fields,
            chosen=visit.ticked_fields,
            grounds=GROUNDS,
            ground=visit.form.get("ground", ""),
            problems=problems,
            known=PROBLEMS,
            reason=visit.form.get("reason", ""),
            **more,
        )


def _recall_problems(verb: _Verb, visit: Visit) -> list[messages.Problem]:
    problems = []
    if verb.codes and visit.form.get("code", "") not in verb.codes:
        problems.append(error("REASON_CODE", "code", "no coded reason was chosen", "choose one"))
    if verb.codes is _WITHDRAWAL and not 1 <= _days(visit) <= ATTEST_WITHIN_AT_MOST:
        problems.append(error("ATTEST_WITHIN", "days", "an attestation is due within 1 to 90 days", "write another number"))
    if not visit.reason:
        problems.append(error("REASON_MISSING", "reason", "no reason was given", "say why this is necessary"))
    return problems


def _recall_values(verb: _Verb, visit: Visit, reach: Sequence[messages.Reached]) -> dict[str, Any]:
    """What is confirmed: the manifests, whom they were told to, and what is said of it."""
    return {
        "alerts": sorted({one.manifest_digest.hex() for one in reach}),
        "to": sorted({one.agency for one in reach}),
        "code": visit.form.get("code", "") if verb.codes else "",
        "days": _days(visit) if verb.codes is _WITHDRAWAL else 0,
        "reason": visit.reason,
    }


def _request_id(confirmation: Confirmation) -> bytes:
    return sha256(b"alert-exchange/v1 console request\0" + confirmation.ticket).digest()[:_ID_BYTES]


def _days(visit: Visit) -> int:
    text = visit.form.get("days", "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 2 else 0
