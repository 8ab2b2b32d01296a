"""Whether an alert says enough to be acted on. Checked by the node before release, never by a recipient.

The schema's rules must hold for every subset of an alert's fields (PROTOCOL.md, 3), so what an alert *needs* is asked here:
every field that the default clauses require of any audience, and what one field makes necessary in another. What is not
known of a child never blocks sending (OPSC Art. 8): no field about a child is ever needed.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any, Final

from google.protobuf.message import Message
from protovalidate import collect_violations

from exchange.encoding import CAP_DELIVERY, CAP_FRAGMENT, cut, decode
from exchange.errors import Malformed
from exchange.handling import check_handling
from exchange.profile import AlertType, alert_type
from exchange.v1.desk_service_pb2 import Draft, Problem
from exchange.v1.hit_report_pb2 import (
    HIT_OUTCOME_CANNOT_EXECUTE,
    HIT_OUTCOME_CONFIRMED,
    HIT_OUTCOME_NOT_THIS_PERSON,
    HitReport,
)
from exchange.v1.information_pb2 import URGENCY_URGENT, InformationRequest
from exchange.v1.pattern_bulletin_pb2 import PatternBulletin
from exchange.v1.people_pb2 import Grading
from exchange.v1.prosecution_pb2 import (
    NE_BIS_IN_IDEM_EARLIER_PROCEEDINGS,
    NE_BIS_IN_IDEM_PENDING,
    PROSECUTION_STATE_CHARGED,
    PROSECUTION_STATE_TRIED,
    ProsecutionCoordination,
)
from exchange.v1.subject_warning_pb2 import SubjectWarning
from exchange.v1.tip_pb2 import Tip
from exchange.v1.travel_alert_pb2 import TravelAlert
from node.intake.alert_file import read_agency
from node.intake.local_times import span
from node.intake.paths import at, item
from node.intake.plausibility import check_plausibility
from node.intake.problems import FIELD_MISSING, error, merge, refusal, warning
from node.intake.value_checks import check_values

# Of a recall or an answer only these: its other fields say more where there is more to say.
_CONTROL_NEEDS: Final = frozenset({"manifest_digest", "reason"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One draft, looked at."""

    alert: Message | None
    """Decoded; None if it could not be, which is then among the problems."""
    problems: tuple[Problem, ...]


def check_release(draft: Draft, now_ms: int) -> tuple[Problem, ...]:
    """Find what must stop the release of a draft at `now_ms` (Unix milliseconds): its form, the schema's rules, what it lacks.

    Whether dates, ports and names are plausible was asked when the file was read and checked (`check_draft`): that is advice, and
    asking it again costs more than everything else at release together.
    """
    return check_releases([draft], now_ms)[0].problems


def check_releases(drafts: Sequence[Draft], now_ms: int) -> list[Checked]:
    """The same of many drafts, each in its place. The schema's rules are asked of all of them in one go, which is quicker."""
    read = [_read(draft) for draft in drafts]
    violated = [isinstance(alert, Message) and bool(collect_violations(alert, fail_fast=True)) for alert in read]
    return [
        Checked(alert=alert, problems=_found(draft, alert, now_ms, violated=broken))
        if isinstance(alert, Message)
        else Checked(alert=None, problems=merge([refusal(alert, "type" if alert.code == "ALERT_TYPE_UNKNOWN" else "alert")]))
        for draft, alert, broken in zip(drafts, read, violated, strict=True)
    ]


def _read(draft: Draft) -> Message | Malformed:
    try:
        return decode(alert_type(draft.alert_type).message, draft.alert, CAP_DELIVERY)
    except Malformed as refused:
        return refused


def _found(draft: Draft, alert: Message, now_ms: int, *, violated: bool) -> tuple[Problem, ...]:
    kind = alert_type(draft.alert_type)
    found = [*_check_envelope(draft, kind, now_ms), *_check_needs(kind, alert), *_BY_TYPE.get(kind.message, _nothing_more)(alert)]
    if violated:
        found += check_values(alert)
    return merge(found) if found else ()


def check_draft(draft: Draft, now_ms: int) -> tuple[Problem, ...]:
    """Find all that is wrong with a draft, its alert included, at `now_ms` (Unix milliseconds)."""
    try:
        kind = alert_type(draft.alert_type)
        alert = decode(kind.message, draft.alert, CAP_DELIVERY)
        fragments = cut(draft.alert)
    except Malformed as refused:
        return merge([refusal(refused, "type" if refused.code == "ALERT_TYPE_UNKNOWN" else "alert")])
    names = {field.number: field.name for field in kind.fields}
    large = [
        error("FIELD_TOO_LARGE", names[number], "this field is larger than the protocol carries", "shorten it")
        for number, fragment in fragments.items()
        if len(fragment) > CAP_FRAGMENT
    ]
    envelope = chain(_check_envelope(draft, kind, now_ms), _check_not_after_journey(draft, alert, now_ms))
    return merge(large, envelope, check_alert(kind.name, alert, now_ms))


def check_alert(alert_type_name: str, alert: Message, now_ms: int) -> tuple[Problem, ...]:
    """Find all that is wrong with an alert by itself, by field, errors first. `now_ms` in Unix milliseconds.

    Raises `Malformed` (ALERT_TYPE_UNKNOWN).
    """
    kind = alert_type(alert_type_name)
    present = frozenset(field.name for field, _ in alert.ListFields())
    return merge(
        check_values(alert),
        _check_needs(kind, alert),
        _BY_TYPE.get(kind.message, _nothing_more)(alert),
        _check_gradings(kind, alert, present),
        check_plausibility(alert, now_ms),
    )


def _missing(path: str, message: str, remedy: str) -> Problem:
    return error(FIELD_MISSING, path, message, remedy)


def _check_needs(kind: AlertType, alert: Message) -> Iterator[Problem]:
    for name in needed_fields(kind.name):
        if not _is_present(alert, name):
            said = "recipients cannot act without it" if not kind.control else "it is what this is about"
            yield _missing(name, "this is missing", f"write it: {said}")


@cache
def needed_fields(alert_type_name: str) -> tuple[str, ...]:
    """Names of the fields without which some recipient cannot act. Raises `Malformed` (ALERT_TYPE_UNKNOWN)."""
    kind = alert_type(alert_type_name)
    return tuple(field.name for field in kind.fields if (field.name in _CONTROL_NEEDS if kind.control else "R" in field.default_marks))


def _is_present(alert: Message, name: str) -> bool:
    repeated = alert.DESCRIPTOR.fields_by_name[name].is_repeated
    return bool(getattr(alert, name)) if repeated else alert.HasField(name)


def _nothing_more(_: Any) -> Iterator[Problem]:
    yield from ()


def _check_travel_alert(alert: TravelAlert) -> Iterator[Problem]:
    if not (alert.itinerary or alert.HasField("destination_area")):
        remedy = "write at least one leg, or the destination_area; without a journey a SubjectWarning is meant"
        yield _missing("itinerary", "a travel alert says neither how nor where to the person travels", remedy)
    for index, leg in enumerate(alert.itinerary):
        if not (leg.HasField("departure_port") or leg.HasField("arrival_port")):
            remedy = "write departure_port, arrival_port or both"
            yield warning("LEG_WITHOUT_PORT", item("itinerary", index), "this leg names no port", remedy)


def _check_hit_report(report: HitReport) -> Iterator[Problem]:
    unable = report.outcome == HIT_OUTCOME_CANNOT_EXECUTE
    if unable and not report.cannot_execute_reason:
        remedy = "write one of the reasons that the field has"
        yield _missing("cannot_execute_reason", "an alert that cannot be executed needs a reason", remedy)
    if report.cannot_execute_reason and not unable:
        remedy = "take the reason out, or write CANNOT_EXECUTE"
        yield error("REASON_WITHOUT_OUTCOME", "cannot_execute_reason", "the outcome is not CANNOT_EXECUTE", remedy)
    if report.outcome == HIT_OUTCOME_NOT_THIS_PERSON and not report.document_shown.number:
        remedy = "write the document that the person showed: only by that the same mistake can be kept from happening again"
        yield warning("MIS_HIT_UNKNOWN", "document_shown", "it is not said which document was shown", remedy)
    if report.outcome in {HIT_OUTCOME_CONFIRMED, HIT_OUTCOME_NOT_THIS_PERSON} and not report.identity_basis:
        remedy = "write DOCUMENT, BIOMETRICS or NAME_AND_BIRTH"
        yield warning("IDENTITY_BASIS_MISSING", "identity_basis", "it is not said what the identification rests on", remedy)


def _check_information_request(request: InformationRequest) -> Iterator[Problem]:
    if request.urgency == URGENCY_URGENT and not request.urgency_grounds:
        remedy = "write at least one ground, such as CHILD_AT_RISK"
        yield _missing("urgency_grounds", "an urgent request needs a ground", remedy)
    subject = request.subject
    if request.HasField("subject") and not (subject.HasField("name") or subject.documents):
        remedy = "write a name or a document"
        yield _missing("subject.name", "nobody can be found by this subject", remedy)


def _check_tip(tip: Tip) -> Iterator[Problem]:
    if tip.immediate_danger.present and not tip.immediate_danger.reason:
        remedy = "write in a sentence what the danger is"
        yield warning("DANGER_UNEXPLAINED", "immediate_danger.reason", "the danger is not explained", remedy)
    if not (tip.suspects or tip.HasField("place")):
        remedy = "write where it was, or what the person looked like"
        yield warning("TIP_VAGUE", "place", "neither a place nor a person is described", remedy)


def _check_subject_warning(alert: SubjectWarning) -> Iterator[Problem]:
    grounds = (alert.HasField("conviction_summary"), alert.convictions, alert.non_conviction_basis, alert.HasField("registration"))
    if not any((*grounds, alert.court_orders)):
        remedy = "write a conviction, a registration, an order, or what is known otherwise"
        yield warning("WARNING_GROUND_MISSING", "conviction_summary", "it is not said on what the warning rests", remedy)


def _check_prosecution(alert: ProsecutionCoordination) -> Iterator[Problem]:
    if alert.HasField("suspect") and not alert.suspect.HasField("name"):
        yield _missing("suspect.name", "nobody can be found by this suspect", "write the name")
    if not alert.extraterritorial_basis:
        remedy = "write NATIONALITY, RESIDENCE, TERRITORY or UNIVERSAL"
        yield warning("BASIS_MISSING", "extraterritorial_basis", "it is not said why that country may prosecute", remedy)
    if alert.ne_bis_in_idem == NE_BIS_IN_IDEM_EARLIER_PROCEEDINGS and not alert.case_references:
        yield _missing("case_references", "earlier proceedings are named, and not which", "write the reference of each")
    if alert.ne_bis_in_idem == NE_BIS_IN_IDEM_PENDING and alert.state in {PROSECUTION_STATE_CHARGED, PROSECUTION_STATE_TRIED}:
        remedy = "check whether there were earlier proceedings: nobody is tried twice"
        yield warning("NE_BIS_IN_IDEM_PENDING", "ne_bis_in_idem", "it is charged or tried, and not yet checked", remedy)


def _check_pattern(alert: PatternBulletin) -> Iterator[Problem]:
    for name in ("summary", "what_to_look_for"):
        for index, text in enumerate(getattr(alert, name)):
            if _POINTS_AT_SOMEBODY.search(text.text):
                remedy = "take out addresses, numbers of documents and telephones: a bulletin tells of nobody"
                yield warning("PATTERN_PERSONAL", item(name, index), "this may point at a person", remedy)


_POINTS_AT_SOMEBODY: Final = re.compile(
    r"@|[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{2,4}|[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"|(?<![0-9])(?!(?:19|20)[0-9]{2}[ -](?:19|20)[0-9]{2}(?![0-9]))(?:[0-9][ -]?){6}"
)
"""An address, a day, a number of a document or a telephone; not a span of years. Names no rule can tell: the officer's eye must."""

_BY_TYPE: Final[dict[type[Message], Callable[[Any], Iterator[Problem]]]] = {
    TravelAlert: _check_travel_alert,
    HitReport: _check_hit_report,
    InformationRequest: _check_information_request,
    Tip: _check_tip,
    SubjectWarning: _check_subject_warning,
    ProsecutionCoordination: _check_prosecution,
    PatternBulletin: _check_pattern,
}


def _check_gradings(kind: AlertType, alert: Message, present: frozenset[str]) -> Iterator[Problem]:
    descriptor: Any = kind.message.DESCRIPTOR
    grading = descriptor.fields_by_name.get("grading")
    if grading is None or grading.message_type is not Grading.DESCRIPTOR:
        return
    graded = {given.field for given in alert.grading}  # type: ignore[attr-defined]  # known only from the descriptor
    names = {field.name for field in kind.fields}
    for index, given in enumerate(alert.grading):  # type: ignore[attr-defined]  # as above
        if given.field and given.field not in names:
            path = at(item("grading", index), "field")
            yield error("GRADING_FIELD", path, "this alert type has no such field", "name a field of the alert, or none")
    if "" in graded:
        return
    for field in kind.fields:
        if field.category == "ASSESSMENT" and field.name in present and field.name not in graded:
            remedy = "add a grading that names it, or one for the whole alert"
            yield warning("GRADING_MISSING", field.name, "an assessment without a grading", remedy)


def _check_envelope(draft: Draft, kind: AlertType, now_ms: int) -> Iterator[Problem]:
    if not draft.recipients and not kind.control:  # whom a recall or an answer must reach, the node knows
        yield warning("RECIPIENTS_NONE", "recipients", "the alert reaches nobody", "name the agencies it is for")
    for index, recipient in enumerate(draft.recipients):
        if isinstance(problem := read_agency(recipient, item("recipients", index)), Problem):
            yield problem
    if draft.originator and isinstance(problem := read_agency(draft.originator, "originator"), Problem):
        yield problem
    if not draft.purpose and not kind.control:
        yield _missing("purpose", "it is not said what the alert is for", "write a purpose, such as PREVENTION")
    try:
        check_handling(draft.handling)
    except Malformed as refused:
        yield refusal(refused, "handling")
    yield from _check_not_after(draft, kind, now_ms)
    recipients = frozenset(draft.recipients)
    for index, grant in enumerate(draft.on_request):
        if grant.recipient not in recipients:
            remedy = "name it under recipients as well, or take this out"
            path = at(item("on_request", index), "recipient")
            yield error("GRANT_RECIPIENT", path, "this agency is not a recipient of the alert", remedy)
    for name, numbers in (("leave_out", draft.unticked), ("on_request", [grant.field for grant in draft.on_request])):
        for index, number in enumerate(numbers):
            if number not in kind.numbers:
                yield error("FIELD_UNKNOWN", item(name, index), "this alert type has no such field", "name one that it has")


def _check_not_after(draft: Draft, kind: AlertType, now_ms: int) -> Iterator[Problem]:
    if kind.control:
        if draft.not_after:
            yield error("NOT_AFTER_CONTROL", "not_after", "a recall or an answer does not expire", "leave not_after out")
    elif not draft.not_after:
        remedy = "write until when the alert holds, such as P30D or 2027-03-04T18:00Z"
        yield _missing("not_after", "it is not said when the alert expires", remedy)
    elif draft.not_after <= now_ms:
        yield error("NOT_AFTER_OVER", "not_after", "the alert would have expired already", "write a later time")


def _check_not_after_journey(draft: Draft, alert: Message, now_ms: int) -> Iterator[Problem]:
    if draft.not_after > now_ms and isinstance(alert, TravelAlert):
        arrivals = [moment for leg in alert.itinerary if (moment := span(leg.arrival))]
        if arrivals and max(last for _, last in arrivals).timestamp() * 1000 > draft.not_after:
            remedy = "write a time after the last arrival"
            yield warning("NOT_AFTER_EARLY", "not_after", "the alert expires before the journey ends", remedy)
