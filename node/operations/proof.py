"""What proves one disclosure, from what this node holds: for an evidence file and for a bundle alike (PROTOCOL.md, section 9)."""

from collections.abc import Mapping, Sequence

from exchange.directory import KnownNode
from exchange.errors import NotFound, Refused
from exchange.profile import alert_types
from exchange.v1 import disclosure_pb2, evidence_pb2, manifest_pb2, statement_pb2
from exchange.values import PartyId
from node.config import OfficerEntry
from node.operations.contents import purpose_of_alert, purpose_of_entry, unpack_content
from node.operations.held_content import held_content
from node.operations.officers import AUDITOR, LIAISON, PARTNER_OFFICER, NotPermitted
from node.operations.partners import own_fingerprint
from node.ports import Known, Ports
from node.store import alerts, logs, onward
from node.store.alerts import AlertRow
from node.store.directory import all_agreements
from node.store.logs import EntryRow, LogRow, ReceiptRow
from node.store.transaction import Transaction

DATA, LOGGED_ONLY = evidence_pb2.EVIDENCE_LEVEL_DATA, evidence_pb2.EVIDENCE_LEVEL_LOGGED_ONLY
PROVERS = (LIAISON, PARTNER_OFFICER, AUDITOR)


def check_may_have(
    tx: Transaction, officer: OfficerEntry, log: LogRow, entry: disclosure_pb2.Entry, alert: AlertRow | None, level: int
) -> None:
    """Raise `NotPermitted` (EVIDENCE_NOT_YOURS) unless the person's agency sent or was given this, or an auditor asks without data."""
    agency = str(officer.agency) if officer.agency else ""
    if log.outbound:
        theirs = LIAISON in officer.roles and alert is not None and _sent(tx, entry, alert, agency)
    else:
        theirs = bool({LIAISON, PARTNER_OFFICER} & set(officer.roles)) and agency in entry.audience
    if not theirs and (AUDITOR not in officer.roles or level == DATA):
        raise NotPermitted("EVIDENCE_NOT_YOURS", "evidence with content is for the agency concerned, without it also for an auditor")


def _sent(tx: Transaction, entry: disclosure_pb2.Entry, alert: AlertRow, agency: str) -> bool:
    """Whether an agency of ours disclosed this: it originated the alert, or passed it on. A recall that was forwarded was for it too."""
    if alert.own:
        return alert.originator == agency
    if alert_types()[alert.alert_type].control:
        return agency in alerts.inboxes_of(tx, alert.id)
    notices = onward.notices_about(tx, {alert.digest}, own=True)
    return any((one.holder, one.permit) == (agency, entry.permit_digest) for one in notices)


def covering_receipt(tx: Transaction, log: LogRow, index: int) -> ReceiptRow:
    """The receipt whose range holds `index`, with the sender's checkpoint. Raises `Refused` (NOT_RECEIPTED, CHECKPOINT_MISSING)."""
    receipt = logs.receipt_covering(tx, log.id, index)
    if receipt is None:
        raise Refused("NOT_RECEIPTED", "the recipient has not receipted this yet: there is no proof without its signature")
    if not receipt.checkpoint:
        raise Refused(
            "CHECKPOINT_MISSING", "the sender's checkpoint was lost with a restored backup: ask the other country for this evidence"
        )
    return receipt


def countries(known: Known, log: LogRow) -> tuple[KnownNode, KnownNode]:
    """Sender and recipient of a log. Raises `NotFound` (PARTNER_UNKNOWN)."""
    nodes = {known.own.trust_domain: known.own, **known.nodes()}
    if log.name.sender not in nodes or log.name.recipient not in nodes:
        raise NotFound("PARTNER_UNKNOWN", "the other country of this log is not a partner any more")
    return nodes[log.name.sender], nodes[log.name.recipient]


def pins_of(known: Known) -> Mapping[str, bytes]:
    """Every fingerprint that this node pinned, and its own: with these it verifies what it gives out."""
    pins = {trust_domain: partner.fingerprint for trust_domain, partner in known.partners.items()}
    return {known.own.trust_domain: own_fingerprint(known.own), **pins}


class Contents:
    """Opens what is sealed beside entries, each alert once."""

    def __init__(self, ports: Ports, tx: Transaction) -> None:
        self._ports = ports
        self._tx = tx
        self._opened: dict[int, disclosure_pb2.Delivery] = {}
        # Also agreements that no longer verify now: they are judged at the time of the receipt.
        self._agreements = {row.digest: row.statement for row in all_agreements(tx)}

    def agreement(self, digest: bytes) -> statement_pb2.Statement | None:
        """An agreement by its digest."""
        found = self._agreements.get(digest)
        return statement_pb2.Statement.FromString(found) if found is not None else None

    def permit(self, digest: bytes) -> statement_pb2.Statement | None:
        """A permit by its digest."""
        return onward.find_permit(self._tx, digest) if digest else None

    def manifest(self, alert: AlertRow) -> statement_pb2.Statement:
        """The manifest statement of an alert that is not erased."""
        return self._content(alert).manifest

    def openings(self, log: LogRow, row: EntryRow, entry: disclosure_pb2.Entry, alert: AlertRow) -> list[manifest_pb2.Opening]:
        """The openings that went with one entry."""
        opened: Sequence[manifest_pb2.Opening] = self._content(alert).openings
        if log.outbound and not alert.own:
            opened = held_content(self._ports, self._tx, alert).openings
        if not log.outbound:
            data_key = self._ports.vault.unwrap(self._tx, alert.period, alert.wrapped_key)
            opened = unpack_content(data_key.open(purpose_of_entry(alert.alert_id, log.name.origin), row.sealed or b"")).openings
        fields = set(entry.fields)
        return [opening for opening in opened if opening.field in fields]

    def originator(self, alert: AlertRow, log: LogRow) -> KnownNode | None:
        """The node of the originator of what was passed on; None if the sender's own agency originated it."""
        node = self._ports.known.nodes().get(PartyId.parse(alert.originator).trust_domain)
        return node if node is not None and node.trust_domain != log.name.sender else None

    def _content(self, alert: AlertRow) -> disclosure_pb2.Delivery:
        if alert.id not in self._opened:
            data_key = self._ports.vault.unwrap(self._tx, alert.period, alert.wrapped_key)
            self._opened[alert.id] = unpack_content(data_key.open(purpose_of_alert(alert.alert_id), alert.sealed or b""))
        return self._opened[alert.id]
