"""What requests, decisions, permits and notices of passing on say, kept in the transaction that releases or receives them.

All that is said is kept as it was said, whoever says it; what it is worth is asked where it is used: a decision counts only if the
originator made it, a permit only if it verifies, a notice only if whoever gives it was told.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from google.protobuf.message import DecodeError, Message

from exchange.disclosure import Disclosure
from exchange.errors import ExchangeError
from exchange.onward import open_permit
from exchange.signing import statement_digest
from exchange.v1 import desk_service_pb2, disclosure_pb2, permit_pb2, statement_pb2
from exchange.v1.onward_pb2 import OnwardDecision, OnwardNotice, OnwardRequest
from exchange.values import PartyId, node_of
from node.ports import Ports
from node.store import onward
from node.store.directory import raise_alarm
from node.store.logs import LogRow
from node.store.onward import DecisionRow, NoticeRow, RequestRow
from node.store.transaction import Transaction

Guard = Callable[[Transaction], desk_service_pb2.Problem | None]
"""Asked in the transaction that would release something: why it cannot be, as the store stands then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The consequence of a request, decision or notice of ours: it is kept here too, a decision with the permit that it grants."""

    alert: Message
    digest: bytes
    issuer: str
    guard: Guard | None = None
    permit: statement_pb2.Statement | None = None
    journal: Callable[[Ports, Transaction, int], None] | None = None

    def obstacle(self, _ports: Ports, tx: Transaction) -> desk_service_pb2.Problem | None:
        """Whatever the guard finds."""
        return self.guard(tx) if self.guard else None

    def take_effect(self, ports: Ports, tx: Transaction, now: int) -> None:
        """Keep it."""
        keep(tx, self.alert, digest=self.digest, issuer=self.issuer, own=True, now=now)
        if self.permit is not None:
            manifest = permit_pb2.Permit.FromString(self.permit.payload).manifest_digest
            onward.add_permit(tx, statement_digest(self.permit), manifest, self.permit)
        if self.journal is not None:
            self.journal(ports, tx, now)


def take_onward(
    ports: Ports,
    tx: Transaction,
    log: LogRow,
    batch: disclosure_pb2.Batch,
    kept: Sequence[tuple[int, Disclosure]],
    new: Collection[bytes],
    now: int,
) -> None:
    """Keep what a batch says of passing on: requests, decisions and notices, and the permits that came along and hold."""
    for index, disclosure in kept:
        digest, alert, issuer = disclosure.manifest.digest, disclosure.alert, disclosure.manifest.value.originator
        if digest in new and isinstance(alert, (OnwardRequest, OnwardDecision, OnwardNotice)):
            keep(tx, alert, digest=digest, issuer=issuer, own=False, now=now)
        wanted = disclosure.entry.permit_digest
        if isinstance(alert, OnwardDecision) and issuer_is_sender(issuer, log):
            wanted = alert.permit_digest
        if wanted:
            _keep_permit(ports, tx, batch.deliveries[index - log.size].attached, wanted)
        if isinstance(alert, OnwardNotice) and digest in new and not _permitted(tx, alert, issuer):
            raise_alarm(tx, now, "ONWARD_WITHOUT_PERMIT", partner=log.name.sender, origin=log.name.origin)


def issuer_is_sender(issuer: str, log: LogRow) -> bool:
    """Whether an alert comes from its own originator's node."""
    return PartyId.parse(issuer).trust_domain == log.name.sender


def keep(tx: Transaction, alert: Message, *, digest: bytes, issuer: str, own: bool, now: int) -> None:
    """Keep what an alert says of passing on; any other alert says nothing."""
    row = said(alert, digest=digest, issuer=issuer, own=own, now=now)
    if isinstance(row, RequestRow):
        onward.add_request(tx, row)
    elif isinstance(row, DecisionRow):
        onward.add_decision(tx, row)
    elif isinstance(row, NoticeRow):
        onward.add_notice(tx, row)


def said(alert: Message, *, digest: bytes, issuer: str, own: bool, now: int) -> RequestRow | DecisionRow | NoticeRow | None:
    """The row of a request, a decision or a notice; None for any other alert. Texts that are no party's id are left out."""
    if isinstance(alert, OnwardRequest):
        return RequestRow(
            request=digest,
            manifest=alert.manifest_digest,
            own=own,
            asker=issuer,
            third_party=_party(alert.third_party),
            fields=_fields(alert.fields),
            purpose=alert.purpose,
            until=max(alert.until, 0),
            judicial=alert.judicial_use,
            recorded_at=now,
        )
    if isinstance(alert, OnwardDecision):
        return DecisionRow(
            decision=digest,
            request=alert.request_digest,
            own=own,
            decider=issuer,
            granted=alert.granted,
            permit=alert.permit_digest if alert.granted else b"",
            until=max(alert.until, 0) if alert.granted else 0,
            recorded_at=now,
        )
    if isinstance(alert, OnwardNotice):
        third_party = _party(alert.third_party)
        return NoticeRow(
            notice=digest,
            permit=alert.permit_digest,
            manifest=alert.manifest_digest,
            holder=issuer,
            third_party=str(node_of(PartyId.parse(third_party).trust_domain)) if third_party else "",
            fields=_fields(alert.fields),
            passed_on_at=max(alert.passed_on_at, 0),
            own=own,
        )
    return None


def _keep_permit(ports: Ports, tx: Transaction, attached: Sequence[statement_pb2.Statement], digest: bytes) -> None:
    """Keep an attached permit if it is the one that is named and its originator signed it."""
    for statement in attached:
        if statement_digest(statement) != digest:
            continue
        try:
            loose = permit_pb2.Permit.FromString(statement.payload)
            originator = ports.known.nodes().get(PartyId.parse(loose.originator).trust_domain)
            permit = open_permit(statement, originator).value if originator else None
        except (ExchangeError, DecodeError):
            return
        if permit is not None:
            onward.add_permit(tx, digest, permit.manifest_digest, statement)
        return


def _permitted(tx: Transaction, notice: OnwardNotice, issuer: str) -> bool:
    """Whether leave of ours covers what a notice says. Who says that they did without is not kept from saying it."""
    statement = onward.find_permit(tx, notice.permit_digest)
    if statement is None:
        return False
    permit = permit_pb2.Permit.FromString(statement.payload)
    party = _party(notice.third_party)
    return (
        permit.manifest_digest == notice.manifest_digest
        and permit.holder == str(node_of(PartyId.parse(issuer).trust_domain))
        and bool(party)
        and permit.third_party == str(node_of(PartyId.parse(party).trust_domain))
        and set(notice.fields) <= set(permit.fields)
    )


def _fields(numbers: Sequence[int]) -> bytes:
    return bytes(sorted({number for number in numbers if 1 <= number <= 64}))


def _party(text: str) -> str:
    """A SPIFFE ID, or nothing."""
    try:
        return str(PartyId.parse(text))
    except ExchangeError:
        return ""
