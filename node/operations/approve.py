"""Four eyes: what is to be told waits until other officers have approved exactly what was previewed, and goes with the last approval.

Who wrote it never approves it. An approval is bound to the preview's digest, which covers every recipient, clause, agreement and byte:
after any change of agreement or policy that digest is another, and the submission is void. A submission is never edited: it is taken back,
and another submitted in its place, of which whoever looked at the one before is shown what is otherwise.
"""

from collections.abc import Sequence

from exchange.errors import Conflict, Malformed, NotFound, Refused
from exchange.v1 import desk_service_pb2
from exchange.v1.travel_alert_pb2 import TravelAlert
from node.confirmations import Confirmation, check_confirmation, read_confirmation
from node.operations import draft_box
from node.operations.access import note_access
from node.operations.approved import Approved, Together
from node.operations.draft_box import DraftContent, Replaces
from node.operations.drafted_again import typed_again
from node.operations.looks import note_look
from node.operations.officers import LIAISON, agency_of, require, turned_away
from node.operations.release import preview_changed
from node.operations.submitted import subject_of
from node.ports import Ports
from node.store.alerts import PREFIX_AT_LEAST
from node.store.directory import clear_alarm, raise_alarm
from node.store.envelope import SealingKey
from node.store.journal import Event, Kind
from node.store.submissions import (
    ApprovalRow,
    SubmissionRow,
    add_approval,
    add_submission,
    approvals_of,
    close_submission,
    confirm_approval,
    find_submission,
    submissions_of,
    unconfirmed,
)
from node.store.transaction import Transaction

CONFIRM_WITHIN_MS = 24 * 3_600_000
"""An oral approval is put in writing within a day."""
_KEY = "submissions"
_PURPOSE = b"submission\0"
_STATES = {
    "waiting": desk_service_pb2.SUBMISSION_STATE_WAITING,
    "released": desk_service_pb2.SUBMISSION_STATE_RELEASED,
    "void": desk_service_pb2.SUBMISSION_STATE_VOID,
    "taken back": desk_service_pb2.SUBMISSION_STATE_TAKEN_BACK,
    "lapsed": desk_service_pb2.SUBMISSION_STATE_LAPSED,
}


def submit(
    ports: Ports,
    person: str,
    request: desk_service_pb2.SubmitAlertRequest,
    release: Together,
    confirmation: Confirmation | None = None,
    lineage: bytes | None = None,
) -> desk_service_pb2.SubmitAlertResponse:
    """Let something wait for approval; or, on an oral approval, release it at once, to be put in writing within a day.

    `lineage` is that of the draft, if it was submitted before. The same again changes nothing. Raises `Refused` (APPROVAL_NOT_ASKED,
    ORAL_APPROVER, SUBMISSION_CLOSED: that in whose place it would stand), `NotPermitted` (NOT_THE_AUTHOR: of that), `Malformed`
    (SUBMISSION_SUBJECT), and `NotFound` as `get`, `supplement_alert` and `release_onward`.
    """
    author = require(ports, person, (LIAISON,))
    subject, now, agency = subject_of(request), ports.clock.now_ms(), agency_of(author)
    looked = subject.look(ports, person)
    if not looked.preview:
        return _turned_down(ports, person, looked.problems)
    if confirmation and check_confirmation(confirmation).said.get("preview") != looked.preview.hex():
        return _turned_down(ports, person, [preview_changed()])
    if not looked.needed:
        raise Refused("APPROVAL_NOT_ASKED", "no clause asks for an approval here: release it yourself")
    needed = looked.needed
    oral = _oral_approver(ports, person, agency, request.oral_approver, needed)
    kept = confirmation.encoded() if confirmation else b""
    instead = _own(ports, person, request.instead_of) if request.instead_of else None
    row = SubmissionRow(
        id=subject.request_id,
        lineage=instead.lineage if instead else lineage or subject.request_id,
        state="waiting",
        author=person,
        agency=agency,
        submitted_at=now,
        alert_type=looked.alert_type,
        needed=needed,
        preview=looked.preview,
        sealed=_key(ports).seal(_PURPOSE + subject.request_id, len(kept).to_bytes(4, "big") + kept + request.SerializeToString()),
    )
    with ports.store.write() as tx:
        held = find_submission(tx, row.id)
        if held is None:
            add_submission(tx, row)
            if instead:
                _take_back(ports, tx, person, instead)
            event = Event(code="SUBMITTED", subject=row.preview, justification=request.reason.strip(), confirmation=kept)
            ports.journal.record(tx, now, Kind.JOURNAL_KIND_APPROVAL, person, [event])
            if oral:
                add_approval(tx, row.id, ApprovalRow(person=oral, at=now, confirm_by=now + CONFIRM_WITHIN_MS, confirmed_at=0))
                event = Event(code="ORAL", subject=row.preview, justification=request.reason.strip(), urgent=True)
                ports.journal.record(tx, now, Kind.JOURNAL_KIND_APPROVAL, person, [event])
    if held is not None and (held.author != person or held.preview != row.preview):
        raise Conflict("SUBMISSION_OTHER", "something else was submitted of this before; to submit what would go now: --again")
    published = _release_if_complete(ports, row.id, release)
    return desk_service_pb2.SubmitAlertResponse(submission=_message(ports, person, row.id), published=published)


def _turned_down(ports: Ports, person: str, problems: Sequence[desk_service_pb2.Problem]) -> desk_service_pb2.SubmitAlertResponse:
    codes = sorted({problem.code for problem in problems if problem.severity == desk_service_pb2.SEVERITY_ERROR})
    with ports.store.write() as tx:
        events = [Event(code=code) for code in codes]
        ports.journal.record(tx, ports.clock.now_ms(), Kind.JOURNAL_KIND_REFUSAL, person, events)
    return desk_service_pb2.SubmitAlertResponse(problems=problems)


def approve(
    ports: Ports,
    person: str,
    request: desk_service_pb2.ApproveSubmissionRequest,
    release: Together,
    confirmation: Confirmation | None = None,
) -> desk_service_pb2.ApproveSubmissionResponse:
    """Approve what was previewed; the last approval that is missing releases it. To approve again changes nothing.

    Raises `NotPermitted` (APPROVER_IS_AUTHOR), `Conflict` (PREVIEW_CHANGED: another preview than the one looked at; or than was
    submitted, then it is void), `Refused` (SUBMISSION_CLOSED), `NotFound` as `get`.
    """
    officer = require(ports, person, (LIAISON,))
    row = _find(ports, agency_of(officer), request.submission)
    if person == row.author:
        raise turned_away(ports, person, "APPROVER_IS_AUTHOR", "who wrote a draft does not approve it: ask a colleague")
    now = ports.clock.now_ms()
    kept = confirmation.encoded() if confirmation else b""
    mine = next((approval for approval in _approvals(ports, row.id) if approval.person == person), None)
    if mine is not None and mine.confirm_by and not mine.confirmed_at:
        with ports.store.write() as tx:
            confirm_approval(tx, row.id, person, now)
            given = Event(code="GIVEN", subject=row.preview, confirmation=kept)
            ports.journal.record(tx, now, Kind.JOURNAL_KIND_APPROVAL, person, [given])
            clear_alarm(tx, "ORAL_APPROVAL_UNCONFIRMED", partner=ports.trust_domain, origin=row.id.hex())
    elif mine is None:
        _approve(ports, person, row, request.preview_digest, now, kept)
    published = _release_if_complete(ports, row.id, release)
    return desk_service_pb2.ApproveSubmissionResponse(submission=_message(ports, person, row.id), published=published)


def get(ports: Ports, person: str, reference: str) -> desk_service_pb2.GetSubmissionResponse:
    """One submission with its draft, what would go now, and what is otherwise since the caller looked, which is a look again.

    Raises `NotFound` (SUBMISSION_REFERENCE, SUBMISSION_NOT_FOUND, SUBMISSION_AMBIGUOUS).
    """
    officer = require(ports, person, (LIAISON,))
    row = _find(ports, agency_of(officer), reference)
    looks = Event(code="SUBMISSION", subject=row.preview)
    answer = desk_service_pb2.GetSubmissionResponse(submission=_message(ports, person, row.id))
    if row.sealed is not None:
        request, _ = _opened(ports, row, row.sealed)
        for name in ("draft", "supplement", "onward"):
            if request.HasField(name):
                getattr(answer, name).CopyFrom(getattr(request, name))
        answer.reason = request.reason
        answer.preview.CopyFrom(subject_of(request).show(ports, person))
    if row.sealed is None or row.author == person:  # whoever wrote it knows what they changed
        note_access(ports, Kind.JOURNAL_KIND_CONSULTATION, person, looks)
    elif since := note_look(ports, _key(ports), person, row.lineage, answer, looks):
        answer.since.CopyFrom(since)
    return answer


def list_submissions(ports: Ports, person: str) -> list[desk_service_pb2.Submission]:
    """Those of the caller's agency, newest first."""
    agency = agency_of(require(ports, person, (LIAISON,)))
    with ports.store.read() as tx:
        rows = submissions_of(tx, agency)
    return [_message(ports, person, row.id) for row in rows]


def take_back(ports: Ports, person: str, reference: str, *, keep_draft: bool = False) -> desk_service_pb2.TakeBackSubmissionResponse:
    """End a submission that still waits, and with `keep_draft` keep what it said as a draft of the caller, if it was one.

    Raises `NotPermitted` (NOT_THE_AUTHOR), `Refused` (SUBMISSION_CLOSED; DRAFTS_TOO_MANY: it waits still), `NotFound` as `get`.
    """
    row = _own(ports, person, reference)
    kept = None
    if keep_draft and row.sealed is not None:
        request, _ = _opened(ports, row, row.sealed)
        if request.HasField("draft"):
            kept = draft_box.prepared(ports, person, _typed(request), row.lineage)
    with ports.store.write() as tx:
        if kept:
            draft_box.add(ports, tx, kept)
        _take_back(ports, tx, person, row)
    return desk_service_pb2.TakeBackSubmissionResponse(submission=_message(ports, person, row.id), draft=kept.id if kept else b"")


def watch_oral_approvals(ports: Ports) -> None:
    """Raise the alarm for each oral approval that is not in writing in time."""
    now = ports.clock.now_ms()
    with ports.store.read() as tx:
        late = unconfirmed(tx, now)
    if late:
        with ports.store.write() as tx:
            for submission in late:
                raise_alarm(tx, now, "ORAL_APPROVAL_UNCONFIRMED", partner=ports.trust_domain, origin=submission.hex())


def _own(ports: Ports, person: str, reference: str) -> SubmissionRow:
    row = _find(ports, agency_of(require(ports, person, (LIAISON,))), reference)
    if row.author != person:
        raise turned_away(ports, person, "NOT_THE_AUTHOR", "only who submitted a draft takes it back")
    return row


def _take_back(ports: Ports, tx: Transaction, person: str, row: SubmissionRow) -> None:
    """What stands in its place, or is kept of it, is in the same transaction before."""
    _still_waiting(find_submission(tx, row.id))
    close_submission(tx, row.id, "taken back")
    event = Event(code="TAKEN_BACK", subject=row.preview)
    ports.journal.record(tx, ports.clock.now_ms(), Kind.JOURNAL_KIND_APPROVAL, person, [event])


def _typed(request: desk_service_pb2.SubmitAlertRequest) -> DraftContent:
    """What was submitted, as a draft to go on with."""
    draft = request.draft
    replaces = Replaces(alert=draft.supersedes[-1].hex()) if draft.supersedes else None
    return DraftContent(document=typed_again(draft), reason=request.reason, replaces=replaces, despite=tuple(draft.despite))


def _approve(ports: Ports, person: str, row: SubmissionRow, looked_at: bytes, now: int, kept: bytes) -> None:
    if row.sealed is None:
        raise _closed()
    goes = subject_of(_opened(ports, row, row.sealed)[0]).preview(ports, row.author)
    sealed = _key(ports).seal(_approval(row.id, person), kept) if kept else None
    changed = goes != row.preview
    with ports.store.write() as tx:
        _still_waiting(find_submission(tx, row.id))
        if changed:
            close_submission(tx, row.id, "void")
            ports.journal.record(tx, now, Kind.JOURNAL_KIND_APPROVAL, person, [Event(code="VOID", subject=row.preview)])
        elif looked_at == row.preview:
            add_approval(tx, row.id, ApprovalRow(person=person, at=now, confirm_by=0, confirmed_at=0, confirmation=sealed))
            given = Event(code="GIVEN", subject=row.preview, confirmation=kept)
            ports.journal.record(tx, now, Kind.JOURNAL_KIND_APPROVAL, person, [given])
    if changed:
        raise Conflict(
            "PREVIEW_CHANGED",
            "what would go is no longer what was submitted: it is void; its author looks at it and submits it anew (--again)",
        )
    if looked_at != row.preview:
        raise Conflict("PREVIEW_CHANGED", "this is not the preview that you looked at: look again, then approve")


def _release_if_complete(ports: Ports, identifier: bytes, release: Together) -> desk_service_pb2.PublishedAlert | None:
    with ports.store.read() as tx:
        row, given = find_submission(tx, identifier), approvals_of(tx, identifier)
    if row is None or row.sealed is None or len(given) < row.needed:
        return None
    request, kept = _opened(ports, row, row.sealed)
    confirmations = [kept] if kept else []
    confirmations += [
        read_confirmation(_key(ports).open(_approval(row.id, approval.person), approval.confirmation))
        for approval in given
        if approval.confirmation is not None
    ]
    approved = Approved(
        approvers=tuple(approval.person for approval in given),
        urgent=any(approval.confirm_by for approval in given),
        seen=row.preview,
        confirmations=tuple(confirmations),
    )
    published = subject_of(request).release(ports, row.author, approved, release)
    if not published.problems:
        # Released under its own request id: after a crash here the next call releases nothing twice.
        with ports.store.write() as tx:
            close_submission(tx, identifier, "released")
    return published


def _oral_approver(ports: Ports, author: str, agency: str, approver: str, needed: int) -> str:
    if not approver:
        return ""
    entry = ports.officers.get(approver)
    if entry is None or approver == author or LIAISON not in entry.roles or str(entry.agency) != agency or needed > 1:
        raise Refused("ORAL_APPROVER", "an oral approval is one other liaison officer's of your agency, where one approval is enough")
    return approver


def _find(ports: Ports, agency: str, reference: str) -> SubmissionRow:
    wanted = reference.strip().lower().replace("-", "")
    if len(wanted) < PREFIX_AT_LEAST or not all(character in "0123456789abcdef" for character in wanted):
        raise NotFound("SUBMISSION_REFERENCE", "give a submission's id in hex, or at least its first 8 characters")
    with ports.store.read() as tx:
        found = [row for row in submissions_of(tx, agency) if row.id.hex().startswith(wanted)]
    if len(found) != 1:
        code = "SUBMISSION_AMBIGUOUS" if found else "SUBMISSION_NOT_FOUND"
        raise NotFound(code, "no submission of your agency, or more than one, begins like this: see `exchange approval list`")
    return found[0]


def journey(ports: Ports, agency: str, identifier: bytes) -> tuple[TravelAlert, Sequence[str]]:
    """What a draft that waits at that agency says, and whom it is for: for a list, that tells when its traveller lands; empty for others.

    Raises `NotFound` (SUBMISSION_NOT_FOUND).
    """
    with ports.store.read() as tx:
        row = find_submission(tx, identifier)
    if row is None or row.agency != agency or row.sealed is None:
        raise NotFound("SUBMISSION_NOT_FOUND", "your agency has no such submission that waits")
    draft = _opened(ports, row, row.sealed)[0].draft
    if draft.alert_type != TravelAlert.DESCRIPTOR.full_name:
        return TravelAlert(), ()
    return TravelAlert.FromString(draft.alert), draft.recipients


def _opened(ports: Ports, row: SubmissionRow, sealed: bytes) -> tuple[desk_service_pb2.SubmitAlertRequest, Confirmation | None]:
    """What was submitted, and what its author signed."""
    content = _key(ports).open(_PURPOSE + row.id, sealed)
    begins = 4 + int.from_bytes(content[:4], "big")
    kept = read_confirmation(content[4:begins]) if begins > 4 else None
    return desk_service_pb2.SubmitAlertRequest.FromString(content[begins:]), kept


def _key(ports: Ports) -> SealingKey:
    return ports.vault.lasting_key(ports.store, _KEY)


def _approval(submission: bytes, person: str) -> bytes:
    """What the sealed confirmation of one approval is bound to."""
    return b"approval\0" + submission + person.encode()


def _approvals(ports: Ports, identifier: bytes) -> list[ApprovalRow]:
    with ports.store.read() as tx:
        return approvals_of(tx, identifier)


def _still_waiting(row: SubmissionRow | None) -> None:
    if row is None or row.state != "waiting":
        raise _closed()


def _closed() -> Refused:
    return Refused("SUBMISSION_CLOSED", "it was released, taken back or voided already, or waited too long")


def _message(ports: Ports, person: str, identifier: bytes) -> desk_service_pb2.Submission:
    with ports.store.read() as tx:
        row, given = find_submission(tx, identifier), approvals_of(tx, identifier)
    if row is None:
        raise Malformed("SUBMISSION_NOT_FOUND", "the submission is gone")
    found = desk_service_pb2.Submission(
        id=row.id,
        state=_STATES[row.state],
        author=row.author,
        submitted_at=row.submitted_at,
        alert_type=row.alert_type,
        approvals_needed=row.needed,
        approvals=[
            desk_service_pb2.Approval(
                person=approval.person,
                at=approval.at,
                oral=bool(approval.confirm_by),
                confirm_by=approval.confirm_by,
                confirmed_at=approval.confirmed_at,
            )
            for approval in given
        ],
        preview_digest=row.preview,
        turn=_turn(row, given, person),
    )
    if row.sealed is not None:
        # Nothing else of what it says: a list is no consultation of it.
        waiting = subject_of(_opened(ports, row, row.sealed)[0]).waiting(ports, row.agency)
        found.recipients.extend(waiting.recipients)
        found.not_after, found.lands_at, found.lands_zone = waiting.not_after, waiting.lands_at, waiting.lands_zone
    return found


def _turn(row: SubmissionRow, given: Sequence[ApprovalRow], person: str) -> desk_service_pb2.ApprovalTurn.ValueType:
    if any(one.person == person and one.confirm_by and not one.confirmed_at for one in given):
        return desk_service_pb2.APPROVAL_TURN_PUT_IN_WRITING
    if row.state != "waiting":
        return desk_service_pb2.APPROVAL_TURN_OVER
    if person == row.author:
        return desk_service_pb2.APPROVAL_TURN_AUTHOR
    approved = any(one.person == person for one in given)
    return desk_service_pb2.APPROVAL_TURN_GIVEN if approved else desk_service_pb2.APPROVAL_TURN_APPROVE
