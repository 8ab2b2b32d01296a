"""Before anything leaves: each recipient × each field, shown or withheld, and the clause that decided; the same plan as release."""

from collections.abc import Sequence
from typing import Final

from exchange.encoding import cut
from exchange.profile import AlertType, alert_type
from exchange.v1 import desk_service_pb2, disclosure_pb2
from node.config import OfficerEntry
from node.intake.completeness import check_draft
from node.intake.problems import error, warning
from node.operations.caps import Caps, is_limited
from node.operations.duplicates import look, problems_of
from node.operations.officers import LIAISON, PARTNER_OFFICER, agency_of, require
from node.operations.planning import ENOUGH, REFUSALS, Plan, Planned, plan
from node.policy.gate import Obstacle
from node.ports import Ports

APPROVALS: Final = "CONDITION_APPROVALS"
"""The code of what only a second officer's approval is missing for."""
NAMELESS: Final = "RECIPIENT_NAMELESS"
"""The code of a recipient who is given neither a name nor a document."""

_KNOWN_BY: Final = frozenset({"documents", "names", "primary_name", "subject", "suspect"})
"""Fields by which a desk recognises who it is about."""


def check(ports: Ports, person: str, draft: desk_service_pb2.Draft) -> desk_service_pb2.CheckAlertResponse:
    """Say all that is wrong with a draft at once, by field."""
    officer = require(ports, person, (LIAISON, PARTNER_OFFICER))
    now = ports.clock.now_ms()
    problems = list(check_draft(draft, now))
    if not _unreadable(problems):
        problems += _nameless(_recipients(ports, draft, now, ENOUGH)[0], draft)
    problems += _duplicates(ports, person, officer, draft, problems)
    return desk_service_pb2.CheckAlertResponse(problems=problems)


def preview(ports: Ports, person: str, draft: desk_service_pb2.Draft) -> desk_service_pb2.PreviewAlertResponse:
    """Show what each recipient of a draft would see. Nothing of it is stored and nothing leaves.

    Of who has to wait for a second officer it says both: that nothing goes yet, and what will.
    """
    answer = preview_with(ports, person, draft)
    waiting = [one for one in answer.recipients if any(problem.code == APPROVALS for problem in one.denied)]
    if waiting:
        approved, _ = _recipients(ports, draft, ports.clock.now_ms(), ENOUGH)
        later = {one.recipient: one for one in approved}
        for one in waiting:
            one.MergeFrom(later[one.recipient])
    return answer


def preview_with(
    ports: Ports, person: str, draft: desk_service_pb2.Draft, *, approvals: int = 0, others: bool = True
) -> desk_service_pb2.PreviewAlertResponse:
    """What would go, once so many persons besides the author have approved it.

    Without `others` nobody looks who else tells of the person.
    """
    officer = require(ports, person, (LIAISON, PARTNER_OFFICER))
    now = ports.clock.now_ms()
    problems = list(check_draft(draft, now))
    if _unreadable(problems):
        return desk_service_pb2.PreviewAlertResponse(problems=problems)
    problems += _duplicates(ports, person, officer, draft, problems) if others else ()
    recipients, digest = _recipients(ports, draft, now, approvals)
    problems += _nameless(recipients, draft)
    return desk_service_pb2.PreviewAlertResponse(recipients=recipients, problems=problems, preview_digest=digest)


def _recipients(
    ports: Ports, draft: desk_service_pb2.Draft, now: int, approvals: int
) -> tuple[list[desk_service_pb2.RecipientPreview], bytes]:
    """What each would see, and the digest of that plan."""
    kind = alert_type(draft.alert_type)
    fragments = cut(draft.alert)
    decided = plan(draft, fragments, kind, ports.known, now, approvals=approvals)
    present = frozenset(fragments)
    recipients = [_shown(item, agency, kind, draft, present) for item in decided.planned for agency in item.audience]
    _show_limits(ports, recipients, now)
    recipients += [
        desk_service_pb2.RecipientPreview(recipient=recipient, denied=_denied(decided, recipient, code, "recipients"))
        for recipient, code in decided.refused.items()
    ]
    return sorted(recipients, key=lambda preview: preview.recipient), decided.digest


def told_nobody(recipient: str) -> str:
    """Name the place of a warning that this recipient learns of nobody in particular."""
    return f"recipients[{recipient}]"


def _nameless(recipients: Sequence[desk_service_pb2.RecipientPreview], draft: desk_service_pb2.Draft) -> list[desk_service_pb2.Problem]:
    """Warn of each recipient who would be told of a person, and nothing by which to know them. Some are to be told so little: no error."""
    fields, present = alert_type(draft.alert_type).fields, cut(draft.alert)
    known_by = {field.number for field in fields if field.name in _KNOWN_BY and field.number in present}
    shown = desk_service_pb2.VISIBILITY_SHOWN
    return [
        warning(NAMELESS, told_nobody(one.recipient), "a recipient is given no name and no document", "see whether they can act on it")
        for one in recipients
        if known_by and not one.denied and not any(field.field in known_by and field.visibility == shown for field in one.fields)
    ]


def _unreadable(problems: Sequence[desk_service_pb2.Problem]) -> bool:
    return any(problem.field in {"type", "alert"} for problem in problems)


def _duplicates(
    ports: Ports, person: str, officer: OfficerEntry, draft: desk_service_pb2.Draft, problems: Sequence[desk_service_pb2.Problem]
) -> list[desk_service_pb2.Problem]:
    """What else is here about the same person. A warning: the officer who knows of it may release all the same."""
    if _unreadable(problems):
        return []
    return problems_of(look(ports, person, draft, agency_of(officer)).duplicates, draft.despite, refuse=False)


def _show_limits(ports: Ports, recipients: Sequence[desk_service_pb2.RecipientPreview], now: int) -> None:
    """Say of clauses that may be used only so often what is left, and refuse what is not: release counts again in its transaction."""
    agreements = ports.known.agreements
    limited = [item for item in recipients if is_limited(agreements[item.agreement_digest], item.clause)]
    if not limited:
        return
    with ports.store.read() as tx:
        caps = Caps(ports.known, tx, now)
        for item in limited:
            agreed = agreements[item.agreement_digest]
            item.emergency = agreed.agreement.emergency
            item.rate_cap_per_day = agreed.clauses[item.clause].rate_cap_per_day
            item.rate_left = caps.left(item.agreement_digest, item.clause)
            problem = caps.obstacle([disclosure_pb2.Entry(agreement_digest=item.agreement_digest, clause=item.clause)])
            if problem is not None:
                item.denied.append(problem)


def refusals(decided: Plan) -> list[desk_service_pb2.Problem]:
    """One problem for each recipient that can be sent nothing, the recipient named in the field path."""
    return [
        problem for recipient, code in decided.refused.items() for problem in _denied(decided, recipient, code, f"recipients[{recipient}]")
    ]


def denials_of(decided: Plan, recipient: str) -> list[desk_service_pb2.Problem]:
    """Why one recipient can be sent nothing; empty where the plan does not refuse it."""
    return _denied(decided, recipient, decided.refused[recipient], "recipients") if recipient in decided.refused else []


def _denied(decided: Plan, recipient: str, code: str, field: str) -> list[desk_service_pb2.Problem]:
    return denials(code, field, decided.obstacles.get(recipient, ()))


def denials(code: str, field: str, obstacles: Sequence[Obstacle] = ()) -> list[desk_service_pb2.Problem]:
    """What a person reads when a recipient can be sent nothing: one problem, or one for each rule of the policy that says so."""
    message, remedy = REFUSALS[code]
    if not obstacles:
        return [error(code, field, message, remedy)]
    # Each rule speaks for itself: which one, by what law, and what it misses.
    return [
        error(code, field, "; ".join(part for part in (message, obstacle.detail, obstacle.rule, obstacle.law) if part), remedy)
        for obstacle in obstacles
    ]


def _shown(
    item: Planned, agency: str, kind: AlertType, draft: desk_service_pb2.Draft, present: frozenset[int]
) -> desk_service_pb2.RecipientPreview:
    clause, goes = item.allowed.clause, frozenset(item.allowed.fields)
    granted = {grant.field for grant in draft.on_request if grant.recipient == agency}
    wanted = {*clause.permitted, *(granted & set(clause.on_request))}
    fields = []
    for field in kind.fields:
        if field.number in goes:
            shown, absent = desk_service_pb2.VISIBILITY_SHOWN, desk_service_pb2.VISIBILITY_SHOWN_NOT_KNOWN
            visibility = shown if field.number in present else absent
        elif field.number in draft.unticked and field.number in wanted:
            visibility = desk_service_pb2.VISIBILITY_UNTICKED
        elif field.number in clause.on_request:
            visibility = desk_service_pb2.VISIBILITY_NEEDS_REASON
        else:
            visibility = desk_service_pb2.VISIBILITY_FORBIDDEN
        fields.append(desk_service_pb2.FieldPreview(field=field.number, name=field.name, category=field.category, visibility=visibility))
    return desk_service_pb2.RecipientPreview(
        recipient=agency, agreement_digest=item.allowed.agreement, clause=clause.id, fields=fields, view=item.view
    )
