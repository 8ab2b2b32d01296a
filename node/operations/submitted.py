"""What may wait for a second officer: a draft, more of an alert for an agency that was told of it, or an alert to be passed on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from google.protobuf.message import Message

from exchange.agreement import Allowed
from exchange.encoding import cut
from exchange.errors import Malformed, NotFound
from exchange.profile import AlertType, alert_type
from exchange.v1 import desk_service_pb2
from node.intake.completeness import check_release
from node.intake.problems import error, refuses
from node.operations.approved import Approved, Together
from node.operations.arrivals import countries_of, next_landings
from node.operations.duplicates import look, problems_of
from node.operations.officers import LIAISON, agency_of, require
from node.operations.onward_list import asked_by
from node.operations.onward_release import OnwardPlan, release_onward, weigh_onward
from node.operations.planning import ENOUGH, Plan, plan
from node.operations.preview import preview_with, refusals
from node.operations.release import prepare
from node.operations.sent_rows import journey_of
from node.operations.supplement import Weighed, supplement_alert, weigh_supplement
from node.ports import Ports
from node.store import alerts


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What would go, once everybody has approved it; or why nothing would."""

    alert_type: str = ""
    needed: int = 0
    """Approvals."""
    preview: bytes = b""
    """Digest of all that would go; empty if nothing would."""
    shown: desk_service_pb2.PreviewAlertResponse = field(default_factory=desk_service_pb2.PreviewAlertResponse)
    problems: tuple[desk_service_pb2.Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """To whom it would go, and until when that matters: what a list says of it. Times are Unix milliseconds, 0 for none."""

    recipients: Sequence[str]
    """SPIFFE IDs of agencies."""
    not_after: int = 0
    lands_at: int = 0
    """When the traveller lands next in a recipient's country, or anywhere, if in none of them; if everywhere already, when last."""
    lands_zone: str = ""


class Subject(Protocol):
    """One thing that waits."""

    @property
    def request_id(self) -> bytes:
        """By which it is released once, and known until then."""
        ...

    def waiting(self, ports: Ports, agency: str) -> Waiting:
        """What a list says of it while it waits at that agency."""
        ...

    def look(self, ports: Ports, person: str) -> Looked:
        """What would go now; everything that is asked at its release is asked."""
        ...

    def preview(self, ports: Ports, person: str) -> bytes:
        """The digest of what would go now, and nothing more is asked."""
        ...

    def show(self, ports: Ports, person: str) -> desk_service_pb2.PreviewAlertResponse:
        """The same for people to read."""
        ...

    def release(self, ports: Ports, person: str, approved: Approved, release: Together) -> desk_service_pb2.PublishedAlert:
        """Release exactly what was approved, in the name of its author."""
        ...


def subject_of(request: desk_service_pb2.SubmitAlertRequest) -> Subject:
    """What a request submits. Raises `Malformed` (SUBMISSION_SUBJECT) if that is more than one thing."""
    if request.HasField("draft") + request.HasField("supplement") + request.HasField("onward") > 1:
        raise Malformed("SUBMISSION_SUBJECT", "a submission is a draft, or more of an alert, or what is passed on: one of them")
    reason = request.reason.strip()
    if request.HasField("supplement"):
        more = desk_service_pb2.SupplementAlertRequest()
        more.CopyFrom(request.supplement)
        more.reason = reason
        return _More(request=more)
    if request.HasField("onward"):
        onward = desk_service_pb2.ReleaseOnwardRequest()
        onward.CopyFrom(request.onward)
        onward.reason = reason
        return _PassedOn(request=onward)
    return _New(draft=request.draft, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class _New:
    """A draft of an alert."""

    draft: desk_service_pb2.Draft
    reason: str

    @property
    def request_id(self) -> bytes:
        return self.draft.request_id

    def waiting(self, ports: Ports, _agency: str) -> Waiting:
        alert = alert_type(self.draft.alert_type).message.FromString(self.draft.alert)
        return _waiting(ports, self.draft.recipients, self.draft.not_after, alert)

    def look(self, ports: Ports, person: str) -> Looked:
        problems = [*check_release(self.draft, ports.clock.now_ms())]
        if not self.reason:
            problems.append(error("REASON_MISSING", "reason", "no reason was given", "say why this is necessary: --reason"))
        if len(self.draft.request_id) != 16:
            problems.append(error("REQUEST_ID", "request_id", "the request id is not 16 bytes", "use the exchange command line"))
        if refuses(problems):
            return Looked(problems=tuple(problems))
        decided = self._plan(ports)
        if decided.refused or not decided.planned:
            return Looked(problems=(*refusals(decided), *problems))
        compared = look(ports, person, self.draft, agency_of(require(ports, person, (LIAISON,))))
        if ports.duplicates_refuse and (found := problems_of(compared.duplicates, self.draft.despite, refuse=True)):
            return Looked(problems=(*found, *problems))
        needed = max(item.allowed.clause.approvals for item in decided.planned)
        return Looked(alert_type=self.draft.alert_type, needed=needed, preview=decided.digest)

    def preview(self, ports: Ports, _person: str) -> bytes:
        return self._plan(ports).digest

    def show(self, ports: Ports, person: str) -> desk_service_pb2.PreviewAlertResponse:
        return preview_with(ports, person, self.draft, approvals=ENOUGH)

    def release(self, ports: Ports, person: str, approved: Approved, release: Together) -> desk_service_pb2.PublishedAlert:
        prepared = prepare(
            ports,
            person,
            self.draft,
            self.reason,
            approvers=approved.approvers,
            urgent=approved.urgent,
            seen=approved.seen,
            confirmations=approved.confirmations,
        )
        (published,) = release([prepared])
        return published

    def _plan(self, ports: Ports) -> Plan:
        draft, now = self.draft, ports.clock.now_ms()
        return plan(draft, cut(draft.alert), alert_type(draft.alert_type), ports.known, now, approvals=ENOUGH)


@dataclass(frozen=True, slots=True, kw_only=True)
class _More:
    """More of an alert for one agency."""

    request: desk_service_pb2.SupplementAlertRequest

    @property
    def request_id(self) -> bytes:
        return self.request.request_id

    def waiting(self, ports: Ports, agency: str) -> Waiting:
        told = (self.request.recipient,)
        try:
            with ports.store.read() as tx:
                row = alerts.find(tx, self.request.alert, originator=agency)
                return _waiting(ports, told, row.not_after, journey_of(ports, tx, row))
        except NotFound:
            return Waiting(recipients=told)

    def look(self, ports: Ports, person: str) -> Looked:
        found = weigh_supplement(ports, person, self.request)
        if not isinstance(found, Weighed):
            return Looked(problems=tuple(found))
        shown = _going(found.kind, found.allowed, self.request.recipient, found.present, found.view)
        return Looked(
            alert_type=found.kind.name,
            needed=found.allowed.clause.approvals,
            preview=found.preview,
            shown=desk_service_pb2.PreviewAlertResponse(recipients=[shown], preview_digest=found.preview),
        )

    def preview(self, ports: Ports, person: str) -> bytes:
        return self.look(ports, person).preview

    def show(self, ports: Ports, person: str) -> desk_service_pb2.PreviewAlertResponse:
        return _shown(self.look(ports, person))

    def release(self, ports: Ports, person: str, approved: Approved, release: Together) -> desk_service_pb2.PublishedAlert:
        return supplement_alert(ports, person, self.request, release, approved=approved).published


@dataclass(frozen=True, slots=True, kw_only=True)
class _PassedOn:
    """An alert of others, under its originator's permit."""

    request: desk_service_pb2.ReleaseOnwardRequest

    @property
    def request_id(self) -> bytes:
        return self.request.request_id

    def waiting(self, ports: Ports, agency: str) -> Waiting:
        try:
            with ports.store.read() as tx:
                asked = asked_by(tx, agency, self.request.request)
        except NotFound:
            return Waiting(recipients=self.request.recipients)
        return Waiting(recipients=self.request.recipients or (asked.third_party,), not_after=asked.until)

    def look(self, ports: Ports, person: str) -> Looked:
        found = weigh_onward(ports, person, self.request)
        if not isinstance(found, OnwardPlan):
            return Looked(problems=tuple(found))
        planned = found.decided.planned
        shown = [_going(found.kind, item.allowed, agency, found.present, item.view) for item in planned for agency in item.audience]
        return Looked(
            alert_type=found.kind.name,
            needed=max(item.allowed.clause.approvals for item in planned),
            preview=found.decided.digest,
            shown=desk_service_pb2.PreviewAlertResponse(recipients=shown, preview_digest=found.decided.digest),
        )

    def preview(self, ports: Ports, person: str) -> bytes:
        return self.look(ports, person).preview

    def show(self, ports: Ports, person: str) -> desk_service_pb2.PreviewAlertResponse:
        return _shown(self.look(ports, person))

    def release(self, ports: Ports, person: str, approved: Approved, release: Together) -> desk_service_pb2.PublishedAlert:
        answer = release_onward(ports, person, self.request, release, approved)
        if answer.notice.problems and not answer.released.problems:
            answer.released.problems.extend(answer.notice.problems)
        return answer.released


def _waiting(ports: Ports, recipients: Sequence[str], not_after: int, alert: Message) -> Waiting:
    now = ports.clock.now_ms()
    found = next_landings(alert, countries_of(recipients), now)
    lands = next((one for one in found if one.at > now), found[-1] if found else None)
    return Waiting(recipients=recipients, not_after=not_after, lands_at=lands.at if lands else 0, lands_zone=lands.zone if lands else "")


def _going(kind: AlertType, allowed: Allowed, agency: str, present: frozenset[int], view: bytes) -> desk_service_pb2.RecipientPreview:
    """What goes to one agency; of what does not go nothing is said, for it may have been told before."""
    goes = frozenset(allowed.fields)
    shown, unknown = desk_service_pb2.VISIBILITY_SHOWN, desk_service_pb2.VISIBILITY_SHOWN_NOT_KNOWN
    fields = [
        desk_service_pb2.FieldPreview(
            field=one.number, name=one.name, category=one.category, visibility=shown if one.number in present else unknown
        )
        for one in kind.fields
        if one.number in goes
    ]
    return desk_service_pb2.RecipientPreview(
        recipient=agency, agreement_digest=allowed.agreement, clause=allowed.clause.id, fields=fields, view=view
    )


def _shown(looked: Looked) -> desk_service_pb2.PreviewAlertResponse:
    shown = desk_service_pb2.PreviewAlertResponse(problems=looked.problems)
    shown.MergeFrom(looked.shown)
    return shown
