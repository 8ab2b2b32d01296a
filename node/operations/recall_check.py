"""Recalls against the control alerts that said so, and how each alert stands against its recalls.

What is found has one of these codes: STATE_MISMATCH, RECALL_MISMATCH. So a withdrawn alert does not come back by an altered table.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from google.protobuf.message import Message

from exchange.errors import ExchangeError
from exchange.profile import alert_types
from exchange.v1.control_pb2 import PurgeAttestation
from exchange.values import PartyId, node_of
from node.operations.recalled import attestation_row, recall_row
from node.operations.standing import state_of
from node.store.alerts import AlertRow
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

    def stands_so(self, alert: AlertRow) -> bool:
        """Whether an alert stands as its recalls and successors say.

        What a recall of ours said that was lost with a database is not known any more; then the safe reading stands.
        """
        if alert.state == "erased" or (alert.own and alert.state == "disputed"):
            return True
        kind = alert_types().get(alert.alert_type)
        issuers = _issuers(alert)
        # A recall is not recalled.
        held = () if kind is None or kind.control else self.about.get(alert.digest, ())
        kinds = [_KINDS[said] for said, issuer in held if said in _KINDS and issuer in issuers]
        superseded = (alert.digest, alert.originator.encode()) in self.successors
        return alert.state == state_of(kinds, superseded=superseded)

    def says_so(self, alert: AlertRow, content: Message) -> bool:
        """Whether the tables say of a control alert what its own signed content says; of any other, that they say nothing."""
        return self.said.get(alert.digest) == _said(alert, content)


def recall_page(tx: Transaction, after: int, last: int) -> RecallPage:
    """What the tables say of the alerts with row ids above `after` up to, and with, `last`."""
    return RecallPage(
        about=recalls_between(tx, after, last), successors=successors_between(tx, after, last), said=said_between(tx, after, last)
    )


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
