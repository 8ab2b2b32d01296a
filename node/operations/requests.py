"""What an office does with questions that have a clock: list and read them, answer, refuse, stop and start the clock."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from exchange.encoding import encode
from exchange.errors import NotFound
from exchange.v1 import desk_service_pb2
from exchange.v1.acknowledgement_pb2 import Acknowledgement
from exchange.v1.control_pb2 import Refusal
from exchange.v1.information_pb2 import AuthorisationReason, InformationResponse
from exchange.v1.journal_pb2 import JournalPersonal
from exchange.values import PartyId, node_of
from node.clocks import HOUR
from node.intake.problems import error
from node.operations import control_drafts
from node.operations.access import note_access
from node.operations.inbox import DESK
from node.operations.officers import agency_of, require
from node.operations.release import NotReleased, Prepared, prepare
from node.operations.reply import reply_draft
from node.operations.request_cases import REQUEST, Case, cases_of, told_of
from node.operations.request_rules import refused
from node.ports import Ports
from node.request_course import Breach, Judged, Side
from node.store import alerts, recalls
from node.store.alerts import AlertRow
from node.store.journal import Event, Kind
from node.store.journal_queries import first_seen
from node.store.requests import requests_of
from node.store.transaction import Transaction

Release = Callable[[Prepared | NotReleased], desk_service_pb2.PublishedAlert]
LISTED: Final = 250
"""Questions asked, and questions that came, that a list looks at: the newest."""
_LATEST: Final = 2**62
_RESPONSE: Final = InformationResponse.DESCRIPTOR.full_name


def list_requests(ports: Ports, person: str, request: desk_service_pb2.ListRequestsRequest) -> desk_service_pb2.ListRequestsResponse:
    """The questions that the caller's agency asked, or was asked, and that are open, or all; what is due first comes first."""
    agency = agency_of(require(ports, person, DESK))
    now = ports.clock.now_ms()
    with ports.store.read() as tx:
        rows = requests_of(tx, agency, LISTED + 1)
        kept = [row for side in (True, False) for row in [row for row in rows if row.own is side][:LISTED]]
        cases = [case for row in kept for case in cases_of(ports, tx, row, now, agency="" if row.own else agency)]
        cases = [case for case in cases if request.all or not case.course.settled]
        found = [_message(tx, case) for case in sorted(cases, key=_urgency)]
    seen = JournalPersonal(results=[row.digest for row in kept])
    note_access(ports, Kind.JOURNAL_KIND_CONSULTATION, person, Event(code="REQUESTS", personal=seen))
    return desk_service_pb2.ListRequestsResponse(requests=found, more=len(kept) < len(rows))


def get_request(ports: Ports, person: str, reference: str) -> desk_service_pb2.GetRequestResponse:
    """How one question stands, and all that was said about it. Raises `NotFound` as `alerts.find`, and REQUEST_NOT_FOUND."""
    agency = agency_of(require(ports, person, DESK))
    with ports.store.read() as tx:
        row = find_request(tx, reference, agency)
        cases = cases_of(ports, tx, row, ports.clock.now_ms(), agency="" if row.own else agency)
        found = [_message(tx, case) for case in cases]
    note_access(ports, Kind.JOURNAL_KIND_CONSULTATION, person, Event(code="REQUEST", subject=row.digest))
    return desk_service_pb2.GetRequestResponse(cases=found)


def answer_request(
    ports: Ports, person: str, request: desk_service_pb2.AnswerRequestRequest, release: Release
) -> desk_service_pb2.PublishedAlert:
    """Answer a question that came for the caller's agency; `release` gives the answer its place in the log.

    The draft may leave out what it answers, to whom it goes, its purpose and its end. Raises as `alerts.find` and `prepare`.
    """
    agency = agency_of(require(ports, person, DESK))
    draft = request.draft
    with ports.store.read() as tx:
        row = find_request(tx, request.request, agency)
        told = [one for one in told_of(ports, tx, row, excepted_too=True) if agency in one.entry.audience]
    if row.own or not told:
        return release(_not_released(draft.request_id, person, refused(Breach.NOT_ASKED)))
    if draft.alert_type != _RESPONSE:
        problem = error("TYPE_UNKNOWN", "type", "a request is answered by an InformationResponse", "write `type: InformationResponse`")
        return release(_not_released(draft.request_id, person, problem))
    answer = InformationResponse.FromString(draft.alert)
    if {answer.request_digest, draft.in_reply_to} - {b"", row.digest} or set(draft.recipients) - {row.originator}:
        return release(_not_released(draft.request_id, person, refused(Breach.OTHER)))
    answer.request_digest = row.digest
    filled = reply_draft(
        ports,
        answer,
        request_id=draft.request_id,
        recipients=(row.originator,),
        purpose=draft.purpose or told[-1].entry.purpose,
        about=row.digest,
        thread=draft.thread or told[-1].entry.thread,
    )
    whole = desk_service_pb2.Draft()
    whole.CopyFrom(draft)
    whole.alert = encode(answer)
    whole.in_reply_to, whole.thread = filled.in_reply_to, filled.thread
    whole.recipients[:] = filled.recipients
    whole.purpose = draft.purpose or filled.purpose
    if not draft.handling.ByteSize():
        whole.handling.CopyFrom(filled.handling)
    elif not draft.handling.permitted_purposes:
        whole.handling.permitted_purposes.append(whole.purpose)
    whole.not_after = draft.not_after or filled.not_after
    return release(prepare(ports, person, whole, request.reason))


def refuse_request(
    ports: Ports, person: str, request: desk_service_pb2.RefuseRequestRequest, release: Release
) -> desk_service_pb2.PublishedAlert:
    """Refuse to answer, with a coded reason that the asking agency reads. It needs no agreement. Raises as `alerts.find`."""
    agency = agency_of(require(ports, person, DESK))
    with ports.store.read() as tx:
        row = find_request(tx, request.request, agency)
    if row.own:
        return release(_not_released(request.request_id, person, refused(Breach.NOT_ASKED)))
    if not request.code:
        problem = error("REASON_CODE", "code", "it is not said for which coded reason", "write --code")
        return release(_not_released(request.request_id, person, problem))
    draft = desk_service_pb2.Draft(
        request_id=request.request_id,
        alert_type=Refusal.DESCRIPTOR.full_name,
        alert=encode(Refusal(manifest_digest=row.digest, reason=request.code)),
        recipients=[row.originator],
        in_reply_to=row.digest,
    )
    return release(control_drafts.prepare_all(ports, person, [draft], request.reason)[0])


def suspend_request(
    ports: Ports, person: str, request: desk_service_pb2.SuspendRequestRequest, release: Release
) -> desk_service_pb2.PublishedAlert:
    """Stop the clock of a question while a judicial authorisation is pending, or start it again: by either of the two agencies.

    The other one learns it, and why, by an `Acknowledgement`. Raises as `alerts.find` and `prepare`.
    """
    agency = agency_of(require(ports, person, DESK))
    now = ports.clock.now_ms()
    with ports.store.read() as tx:
        row = find_request(tx, request.request, agency)
        cases = [case for case in cases_of(ports, tx, row, now, agency="" if row.own else agency) if not case.course.settled]
        side = Side.ASKER if row.own else Side.ASKED
        # To start it again is for those towards whom it was stopped.
        concerned = [case for case in cases if request.because or side in case.course.pending] or cases
        told = told_of(ports, tx, row, excepted_too=True)
    problem = _suspension_problem(request.because, concerned, side)
    if problem:
        return release(_not_released(request.request_id, person, problem))
    said = Acknowledgement(manifest_digest=row.digest, read_at=now, authorisation_pending=request.because or None)
    if request.HasField("desk"):
        said.desk.CopyFrom(request.desk)
    draft = reply_draft(
        ports,
        said,
        request_id=request.request_id,
        recipients=tuple(case.asked for case in concerned) if row.own else (row.originator,),
        purpose=told[-1].entry.purpose,
        about=row.digest,
        thread=told[-1].entry.thread,
    )
    return release(prepare(ports, person, draft, request.reason))


def find_request(tx: Transaction, reference: str, agency: str) -> AlertRow:
    """The question of that id or digest that came for an agency of ours, or that it asked.

    Raises `NotFound` as `alerts.find`, and REQUEST_NOT_FOUND for an alert that asks nothing.
    """
    try:
        row = alerts.find(tx, reference, inbox_of=agency)
    except NotFound as missing:
        if missing.code != "ALERT_NOT_FOUND":
            raise
        row = alerts.find(tx, reference, originator=agency)
    if row.alert_type != REQUEST:
        raise NotFound("REQUEST_NOT_FOUND", "this alert is no request: see exchange request list")
    return row


def _suspension_problem(because: int, cases: Sequence[Case], side: Side) -> desk_service_pb2.Problem | None:
    if because and because not in AuthorisationReason.values():
        return error("REASON_CODE", "because", "there is no such reason", "write one that the command offers")
    if not cases:
        return error("REQUEST_SETTLED", "request", "nothing is awaited of this request any more", "see: exchange request show")
    if not because and all(side not in case.course.pending for case in cases):
        return refused(Breach.NOT_SUSPENDED)
    return None


def _urgency(case: Case) -> tuple[bool, int, int]:
    due = case.clock.due_at if case.clock else None
    return case.course.settled, _LATEST if due is None else due, -case.request.id


def _message(tx: Transaction, case: Case) -> desk_service_pb2.RequestCase:
    clock = case.clock
    opened = 0 if case.request.own else first_seen(tx, case.request.digest, "INBOX_ALERT", case.asked)
    return desk_service_pb2.RequestCase(
        manifest_digest=case.request.digest,
        own=case.request.own,
        asker=case.asker,
        asked=case.asked,
        state=_state(case),
        clock=_clock_state(case),
        started_at=clock.started_at if clock else 0,
        started_by_attempts=case.started_by_attempts,
        due_at=case.due_at,
        stopped_because=clock.reason if clock else "",
        term_hours=-(-case.term // HOUR),
        issued_at=case.request.issued_at,
        not_after=case.request.not_after,
        urgent=case.urgent,
        opened_at=opened,
        events=_events(tx, case),
    )


def _state(case: Case) -> "desk_service_pb2.RequestState.ValueType":
    return desk_service_pb2.RequestState.Value(f"REQUEST_STATE_{case.course.state.name}")


def _clock_state(case: Case) -> "desk_service_pb2.RequestClockState.ValueType":
    return desk_service_pb2.RequestClockState.Value(f"REQUEST_CLOCK_STATE_{case.clock.state.name if case.clock else 'UNSPECIFIED'}")


def _events(tx: Transaction, case: Case) -> Iterator[desk_service_pb2.RequestEvent]:
    withdrawn = recalls.withdrawn_by(tx, {judged.happening.digest for judged in case.judged})
    for judged in case.judged:
        party = judged.happening.party
        own = {party, str(node_of(PartyId.parse(party).trust_domain))}
        yield _event(judged, withdrawn=not own.isdisjoint(withdrawn.get(judged.happening.digest, ())))


def _event(judged: Judged, *, withdrawn: bool) -> desk_service_pb2.RequestEvent:
    one = judged.happening
    return desk_service_pb2.RequestEvent(
        deed=desk_service_pb2.RequestDeed.Value(f"REQUEST_DEED_{one.deed.name}"),
        party=one.party,
        at=one.at,
        manifest_digest=one.digest,
        reason=one.reason,
        breach=judged.breach.value if judged.breach else "",
        read_at=one.read_at,
        action_decided_by=one.decided_by,
        withdrawn=withdrawn,
    )


def _not_released(request_id: bytes, person: str, problem: desk_service_pb2.Problem) -> NotReleased:
    return NotReleased(request_id=request_id, officer=person, problems=(problem,))
