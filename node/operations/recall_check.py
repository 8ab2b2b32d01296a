"""Recalls against the control alerts that said so, doubts against the entries, and how each alert stands against both.

What is found has one of these codes: STATE_MISMATCH, RECALL_MISMATCH. So a withdrawn alert does not come back by an altered table.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from google.protobuf.message import Message

from exchange.encoding import CAP_ENTRY, decode
from exchange.errors import ExchangeError
from exchange.profile import AlertType, alert_types
from exchange.v1 import disclosure_pb2
from exchange.v1.control_pb2 import PurgeAttestation
from exchange.values import PartyId, node_of
from node.operations.recalled import attestation_row, recall_row, says_of
from node.operations.standing import casts_doubt, state_of
from node.store.alerts import AlertRow
from node.store.doubts import Doubt, doubts_between, noted_entries
from node.store.recalls import RecallKind
from node.store.scan_recalls import Said, recalls_between, said_between, successors_between
from node.store.transaction import Transaction

_KINDS = {kind.value.encode(): kind for kind in RecallKind}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallPage:
    """What the tables say of one page of alerts, by digest."""

    about: Mapping[bytes, list[tuple[bytes, bytes]]]
    successors: set[tuple[bytes, bytes]]
    said: Mapping[bytes, Said]
    doubts: Mapping[bytes, Sequence[Doubt]] = field(default_factory=dict)

    def stands_so(self, alert: AlertRow) -> bool:
        """Whether an alert stands as its recalls, its successors, and what was lost of its recalls say."""
        if alert.state == "erased":
            return True
        kind = alert_types().get(alert.alert_type)
        issuers = _issuers(alert)
        # A recall is not recalled.
        held = () if kind is None or kind.control else self.about.get(alert.digest, ())
        kinds = [_KINDS[said] for said, issuer in held if said in _KINDS and issuer in issuers]
        superseded = (alert.digest, alert.originator.encode()) in self.successors
        return alert.state == state_of(
            kinds, superseded=superseded, in_doubt=bool(issuers) and kind is not None and self._doubted(alert, kind)
        )

    def _doubted(self, alert: AlertRow, kind: AlertType) -> bool:
        return not kind.control and any(casts_doubt(alert, one) for one in self.doubts.get(alert.digest, ()))

    def says_so(self, alert: AlertRow, content: Message) -> bool:
        """Whether the tables say of a control alert what its own signed content says; of any other, that they say nothing."""
        return self.said.get(alert.digest) == _said(alert, content)


def recall_page(tx: Transaction, after: int, last: int) -> RecallPage:
    """What the tables say of the alerts with row ids above `after` up to, and with, `last`."""
    doubts: dict[bytes, list[Doubt]] = {}
    for one in doubts_between(tx, after, last):
        doubts.setdefault(one.referent, []).append(one)
    return RecallPage(
        about=recalls_between(tx, after, last),
        successors=successors_between(tx, after, last),
        said=said_between(tx, after, last),
        doubts=doubts,
    )


def unfounded_doubts(tx: Transaction) -> Iterator[tuple[str, int]]:
    """(origin, index) of each doubt that the entry at its place does not say, or whose entry did not come without its content."""
    for index, origin, control, referent, permit, data, alert_ref in noted_entries(tx):
        try:
            entry = decode(disclosure_pb2.Entry, data, CAP_ENTRY)
            founded = alert_ref is None and (entry.manifest_digest, says_of(entry), entry.permit_digest) == (control, referent, permit)
        except (ExchangeError, TypeError):
            founded = False
        if not founded:
            yield (origin or b"").decode("utf-8", "replace"), index


def _issuers(alert: AlertRow) -> set[bytes]:
    try:
        party = PartyId.parse(alert.originator)
    except ExchangeError:
        return set()  # said by the check of its manifest
    return {str(party).encode(), str(node_of(party.trust_domain)).encode()}


def _said(alert: AlertRow, content: Message) -> Said | None:
    own = bool(alert.own)
    if isinstance(content, PurgeAttestation):
        told = attestation_row(content, control=alert.digest, issuer=alert.originator, own=own, now=0)
        who = (told.attester.encode(), told.on_behalf_of.encode())
        return (told.referent, *who, own, told.copies_removed, told.lists_updated, told.exceptions.encode())
    row = recall_row(content, control=alert.digest, issuer=alert.originator, own=own, now=0)
    if row is None:
        return None
    words = (row.kind.encode(), row.reason.encode(), row.originator.encode())
    return (row.referent, *words, own, row.attest_by, row.wrong_fields, row.replaced_by)
