"""Passing on as the tables tell it against what the alerts said, and each entry that passed something on against its permit.

What is found has one of these codes: ONWARD_MISMATCH, PERMIT_MISMATCH. So nobody abroad is forgotten by an altered table.
"""

from dataclasses import astuple

from google.protobuf.message import DecodeError, Message

from exchange.errors import ExchangeError
from exchange.onward import check_permit, check_scope, open_permit
from exchange.profile import alert_type
from exchange.signing import statement_digest
from exchange.v1 import disclosure_pb2, manifest_pb2, statement_pb2
from exchange.values import PartyId, node_of
from node.operations.onward_kept import said
from node.ports import Known
from node.store.alerts import AlertRow
from node.store.logs import LogRow
from node.store.onward import NoticeRow
from node.store.scan_onward import Said, permit_bytes
from node.store.transaction import Transaction


def says_so(told: Said | None, alert: AlertRow, content: Message) -> bool:
    """Whether the tables say of an alert what it said of passing on; of one that said nothing, that there is nothing."""
    row = said(content, digest=alert.digest, issuer=alert.originator, own=alert.own, now=0)
    if row is None or told is None:
        return row is None and told is None
    values = astuple(row) if isinstance(row, NoticeRow) else astuple(row)[:-1]  # without the time at which it was recorded
    return told == tuple(value.encode() if isinstance(value, str) else value for value in values)


def permitted_so(tx: Transaction, known: Known, log: LogRow, entry: disclosure_pb2.Entry, manifest: manifest_pb2.Manifest) -> bool:
    """Whether an entry of another country's alert names a permit that is here, holds, and covers it. Others need none."""
    if manifest.originator.startswith(f"spiffe://{log.name.sender}/"):
        return True  # nearly every one, and it need not be taken apart
    originator = PartyId.parse(manifest.originator).trust_domain
    node = known.own if originator == known.own.trust_domain else known.nodes().get(originator)
    control = alert_type(manifest.alert_type).control
    try:
        statement = statement_pb2.Statement.FromString(permit_bytes(tx, entry.permit_digest))
        if node is None or statement_digest(statement) != entry.permit_digest:
            return False
        permit = open_permit(statement, node, held_since=entry.disclosed_at).value
        check_permit(
            permit,
            manifest_digest=entry.in_reply_to if control else entry.manifest_digest,
            holder=str(node_of(log.name.sender)),
            third_party=str(node_of(log.name.recipient)),
            recall=control,
            at=entry.disclosed_at,
        )
        check_scope(permit, manifest, entry, recall=control)
    except (ExchangeError, DecodeError, TypeError):
        return False
    return True
