"""Questions with a clock as this office knows them: one case for each agency asked, from logs, receipts and relations alone.

Nothing of it is stored a second time. The asking country and the asked one hold the same entries, receipts and statements, so they
come to the same case; attempts to deliver, which only the asking node knows, it tells in its `State` (PROTOCOL.md, section 5).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.message import Message

from exchange.errors import NotFound
from exchange.profile import alert_type
from exchange.v1 import desk_service_pb2, disclosure_pb2
from exchange.v1.acknowledgement_pb2 import Acknowledgement
from exchange.v1.control_pb2 import Refusal, RefusalReason, Withdrawal
from exchange.v1.information_pb2 import URGENCY_URGENT, AuthorisationReason, InformationRequest, InformationResponse
from exchange.values import PartyId, node_of
from node.clocks import Clock, start_of, term_of
from node.operations.contents import purpose_of_alert, purpose_of_entry, unpack_content
from node.operations.recalled import short_name
from node.operations.states import entry_states
from node.ports import Ports
from node.request_course import Course, Deed, Happening, Judged, Side, begin, run
from node.store import alerts, logs
from node.store.alerts import AlertRow
from node.store.logs import EntryRow, LogRow
from node.store.requests import attempts_on
from node.store.transaction import Transaction

REQUEST: Final = InformationRequest.DESCRIPTOR.full_name
_REPLIES: Final = {kind.DESCRIPTOR.full_name: kind for kind in (InformationResponse, Refusal, Acknowledgement, Withdrawal)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One entry that tells of an alert and that no receipt excepts. Times are Unix milliseconds."""

    log: LogRow
    row: EntryRow
    entry: disclosure_pb2.Entry
    receipted_at: int
    """0 while there is no receipt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A question to one agency. Times are Unix milliseconds."""

    request: AlertRow
    asker: str
    asked: str
    """SPIFFE IDs of agencies."""
    course: Course
    judged: tuple[Judged, ...]
    clock: Clock | None
    started_by_attempts: bool
    term: int
    """Milliseconds; 0 if the question is erased."""
    urgent: bool

    @property
    def due_at(self) -> int:
        """When it is to be answered, 0 while nobody knows."""
        return self.clock.due_at or 0 if self.clock else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reply:
    row: AlertRow
    told: Sequence[Told]
    content: Any
    """None if it is erased."""


def cases_of(ports: Ports, tx: Transaction, request: AlertRow, now: int, *, agency: str = "") -> list[Case]:
    """Each agency's case of a question of ours, or of one that came for `agency`, that agency's."""
    told = told_of(ports, tx, request, excepted_too=True)
    asked = [agency] if agency else sorted({one for item in told for one in item.entry.audience})
    held = told_of(ports, tx, request)
    replies = _replies(ports, tx, request)
    return [_case(ports, tx, request, one, asked, [item for item in held if one in item.entry.audience], replies, now) for one in asked]


def told_of(ports: Ports, tx: Transaction, alert: AlertRow, *, excepted_too: bool = False) -> list[Told]:
    """The entries that tell of an alert of ours, or of one that came, in the order of their logs."""
    by_id = {log.id: log for log in logs.all_logs(tx) if log.outbound == alert.own}
    found = []
    for log_id, row in logs.entries_of_alert(tx, alert.id):
        if log_id not in by_id:
            continue
        state = entry_states(ports, tx, by_id[log_id], [row])[row.idx]
        if excepted_too or not state.exception:
            entry = disclosure_pb2.Entry.FromString(row.entry)
            found.append(Told(log=by_id[log_id], row=row, entry=entry, receipted_at=state.receipted_at))
    return found


def content_of(ports: Ports, tx: Transaction, alert: AlertRow, told: Iterable[Told]) -> Message | None:
    """What these entries told of an alert, so that both ends read the same; None once it is erased."""
    try:
        key = ports.vault.unwrap(tx, alert.period, alert.wrapped_key)
    except NotFound:
        return None
    fields: set[int] = set()
    openings = list(unpack_content(key.open(purpose_of_alert(alert.alert_id), alert.sealed or b"")).openings) if alert.own else []
    for one in told:
        fields |= set(one.entry.fields)
        if not alert.own and one.row.sealed is not None:
            openings += unpack_content(key.open(purpose_of_entry(alert.alert_id, one.log.name.origin), one.row.sealed)).openings
    fragments = {opening.field: opening.fragment for opening in openings if opening.field in fields}
    return alert_type(alert.alert_type).message.FromString(b"".join(fragments[number] for number in sorted(fragments)))


def acknowledgements(ports: Ports, tx: Transaction, alert: AlertRow) -> list[desk_service_pb2.AcknowledgementStatus]:
    """What persons abroad said of having read an alert of ours, oldest first: only agencies that were told of it."""
    audience = {agency for one in told_of(ports, tx, alert, excepted_too=True) for agency in one.entry.audience}
    found = [
        desk_service_pb2.AcknowledgementStatus(
            agency=reply.row.originator,
            manifest_digest=reply.row.digest,
            read_at=reply.content.read_at,
            acknowledged_at=min(one.entry.disclosed_at for one in _signed_for(reply.told)),
            action_decided_by=reply.content.action_decided_by,
        )
        for reply in _replies(ports, tx, alert)
        if isinstance(reply.content, Acknowledgement) and not reply.row.own and reply.row.originator in audience
    ]
    return sorted(found, key=lambda one: (one.acknowledged_at, one.manifest_digest))


def _case(
    ports: Ports,
    tx: Transaction,
    request: AlertRow,
    asked: str,
    others: Collection[str],
    told: Sequence[Told],
    replies: Iterable[_Reply],
    now: int,
) -> Case:
    content: Any = content_of(ports, tx, request, told)
    asker = request.originator
    received = min((one.receipted_at for one in told if one.receipted_at), default=None)
    attempts = [at for one in told for at in attempts_on(tx, one.log.id, one.row.idx, one.entry.disclosed_at)]
    started = start_of(received, attempts)
    happenings = [one for reply in replies for one in _happening(reply, request, asked, others)]
    if received is not None:
        happenings.append(Happening(deed=Deed.RECEIPTED, side=Side.ASKED, party=str(node_of(_domain(asked))), at=received))
    happenings += _replaced(ports, tx, request, asked)
    pending = short_name(AuthorisationReason.DESCRIPTOR, content.authorisation_pending) if content else ""
    course, judged = run(begin(delivered=bool(told), pending=pending), happenings)
    term = term_of(content, _agreed_hours(ports, told)) if content else 0
    return Case(
        request=request,
        asker=asker,
        asked=asked,
        course=course,
        judged=judged,
        clock=course.clock(started_at=started, term=term, now=now) if term else None,
        started_by_attempts=started is not None and started != received,
        term=term,
        urgent=bool(content) and content.urgency == URGENCY_URGENT,
    )


def _agreed_hours(ports: Ports, told: Iterable[Told]) -> int:
    """The shortest time to answer that the clauses under which it was told agree on; 0 if none does."""
    known = ports.known.agreements
    clauses = [known[one.entry.agreement_digest].clauses.get(one.entry.clause) for one in told if one.entry.agreement_digest in known]
    return min((clause.response_hours for clause in clauses if clause and clause.response_hours), default=0)


def _replies(ports: Ports, tx: Transaction, alert: AlertRow) -> list[_Reply]:
    """What either side said about an alert, without what its receipt excepts: that is not held at the other end."""
    rows = [row for outbound in (False, True) for row in alerts.answers_to(tx, alert.digest, outbound=outbound)]
    digests = {row.digest for row in rows}
    found = []
    for row in rows:
        # A corrected reply is no second one.
        if row.alert_type not in _REPLIES or alerts.superseded_by(tx, row.digest) & digests:
            continue
        told = told_of(ports, tx, row)
        if told:
            found.append(_Reply(row=row, told=told, content=content_of(ports, tx, row, told)))
    return found


def _signed_for(told: Sequence[Told]) -> Sequence[Told]:
    """Of what was logged again after a log ended, what the other end signed for; each end has its own case, and its own receipts."""
    return [one for one in told if one.receipted_at] or told


def _happening(reply: _Reply, request: AlertRow, asked: str, others: Collection[str]) -> Iterable[Happening]:
    """What a reply is in the case of one agency: nothing if it is another's."""
    asker, author = request.originator, reply.row.originator
    if author in {asker, str(node_of(_domain(asker)))}:
        side, reader = Side.ASKER, asked
    elif author == asked:
        side, reader = Side.ASKED, asker
    elif reply.row.own or author in others or _domain(author) != _domain(asked):
        return  # of another agency that was asked, or of one at our own side that is no party to this
    else:
        side, reader = Side.STRANGER, asker
    told = _signed_for([one for one in reply.told if reader in one.entry.audience])
    if not told:
        return
    content, first = reply.content, told[0]
    stated: dict[str, Any] = {"deed": _deed(reply)}
    if content is not None:
        named = content.request_digest if isinstance(content, InformationResponse) else content.manifest_digest
        stated["names_it"] = named == request.digest
    if isinstance(content, Acknowledgement):
        reason = short_name(AuthorisationReason.DESCRIPTOR, content.authorisation_pending)
        stated |= {"read_at": content.read_at, "decided_by": content.action_decided_by, "reason": reason}
    elif isinstance(content, Refusal):
        stated["reason"] = short_name(RefusalReason.DESCRIPTOR, content.reason)
    yield Happening(side=side, party=author, at=first.entry.disclosed_at, place=first.row.idx, digest=reply.row.digest, **stated)


def _deed(reply: _Reply) -> Deed:
    if reply.row.alert_type == Acknowledgement.DESCRIPTOR.full_name:
        return Deed.SUSPENDED if reply.content is not None and reply.content.authorisation_pending else Deed.ACKNOWLEDGED
    deeds: Mapping[str, Deed] = {
        InformationResponse.DESCRIPTOR.full_name: Deed.ANSWERED,
        Refusal.DESCRIPTOR.full_name: Deed.REFUSED,
        Withdrawal.DESCRIPTOR.full_name: Deed.WITHDRAWN,
    }
    return deeds[reply.row.alert_type]


def _replaced(ports: Ports, tx: Transaction, request: AlertRow, asked: str) -> list[Happening]:
    """Questions of the same agency that took its place and that this agency was told of."""
    later = [digest for _, digest, originator in alerts.successors_of(tx, {request.digest}) if originator == request.originator]
    found = []
    for row in alerts.by_digests(tx, later).values():
        told = [one for one in told_of(ports, tx, row) if asked in one.entry.audience]
        if told:
            at, place = told[0].entry.disclosed_at, told[0].row.idx
            found.append(Happening(deed=Deed.REPLACED, side=Side.ASKER, party=row.originator, at=at, place=place, digest=row.digest))
    return found


def _domain(agency: str) -> str:
    return PartyId.parse(agency).trust_domain
