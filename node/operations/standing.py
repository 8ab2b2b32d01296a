"""How a manifest stands: in force, or disputed, replaced, restricted, withdrawn. It follows from what is held of it, whoever came first.

Of several things the gravest counts: withdrawn for good; restricted until it is lifted; superseded while a successor is here; disputed
once a correction came and no successor; else active. What was erased stays erased. Both ends hold the same control alerts in the same
order (that of one log), so they come to the same standing: the races of docs/invariants.md have one outcome.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from exchange.profile import alert_types
from exchange.v1 import desk_service_pb2
from exchange.values import PartyId, node_of
from node.store import alerts, recalls
from node.store.alerts import AlertRow
from node.store.recalls import RecallKind, RecallRow
from node.store.transaction import Transaction

_KINDS = {
    RecallKind.WITHDRAWAL: desk_service_pb2.RECALL_KIND_WITHDRAWAL,
    RecallKind.RESTRICTION: desk_service_pb2.RECALL_KIND_RESTRICTION,
    RecallKind.LIFTING: desk_service_pb2.RECALL_KIND_LIFTING,
    RecallKind.CORRECTION: desk_service_pb2.RECALL_KIND_CORRECTION,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an alert stands for one agency that was given it."""

    state: str
    """As in the table, but for what this agency alone was told or not told."""
    recalls: tuple[RecallRow, ...]
    replaced_by: bytes
    """Digest of the newest successor that this agency was given, or empty."""
    owes_attestation: bool
    inside: bool = False
    """Whether the agency was told by a desk of its own country, and owes it, not the originator, the confirmation of a purge."""
    more_at_desk: bool = False
    """Whether that desk has been told more of the alert since."""

    @property
    def flags(self) -> list[str]:
        """What a person must see before acting."""
        flags = [] if self.state == "active" else [self.state.upper()]
        if self.state == "erased" and any(one.kind is RecallKind.WITHDRAWAL for one in self.recalls):
            flags.append("WITHDRAWN")
        if self.owes_attestation:
            flags.append("PURGE_OWED" if self.inside else "ATTESTATION_OWED")
        if self.more_at_desk:
            flags.append("MORE_AT_DESK")
        return flags


def binding(alert: AlertRow, held: Iterable[RecallRow]) -> list[RecallRow]:
    """Those of the recalls about an alert that its originator or that one's node issued: no others bind (PROTOCOL.md, section 7)."""
    issuers = {alert.originator, str(node_of(PartyId.parse(alert.originator).trust_domain))}
    return [one for one in held if one.originator in issuers]


def state_of(held: Sequence[RecallKind], *, superseded: bool) -> str:
    """The state of a manifest under the recalls that bind, in the order in which they took effect."""
    blocks = [kind for kind in held if kind in {RecallKind.RESTRICTION, RecallKind.LIFTING}]
    if RecallKind.WITHDRAWAL in held:
        return "withdrawn"
    if blocks and blocks[-1] is RecallKind.RESTRICTION:
        return "restricted"
    if superseded:
        return "superseded"
    return "disputed" if RecallKind.CORRECTION in held else "active"


def states_held(tx: Transaction, rows: Collection[AlertRow]) -> dict[bytes, str]:
    """Digest to the state that follows from what is stored of each alert; of one that was erased, that. A few questions for all of them."""
    digests = {row.digest for row in rows if row.state != "erased"}
    held: dict[bytes, list[RecallRow]] = {}
    for one in recalls.recalls_of(tx, digests):
        held.setdefault(one.referent, []).append(one)
    later = {(earlier, originator) for earlier, _, originator in alerts.successors_of(tx, digests)}
    found = {}
    for row in rows:
        # A recall is not recalled: it would bring back what it ended.
        said = () if alert_types()[row.alert_type].control else held.get(row.digest, ())
        state = state_of([one.kind for one in binding(row, said)], superseded=(row.digest, row.originator) in later)
        found[row.digest] = row.state if row.state == "erased" else state
    return found


def restate(tx: Transaction, digests: Collection[bytes]) -> None:
    """Set the state of these manifests, those that are here, from what is held of them; `tx` must write."""
    rows = alerts.by_digests(tx, digests).values()
    states = states_held(tx, rows)
    for row in rows:
        if row.state != states[row.digest]:
            alerts.set_state(tx, row.id, states[row.digest])


def recalled_now(tx: Transaction, alert: AlertRow) -> bool:
    """Whether an alert of ours that is not active was taken back or found wrong: then nobody is told of it any more."""
    if alert.state in {"withdrawn", "disputed"}:
        return True
    held = binding(alert, recalls.recalls_of(tx, {alert.digest}))
    return any(one.kind in {RecallKind.WITHDRAWAL, RecallKind.CORRECTION} for one in held)


def standing_for(tx: Transaction, alert: AlertRow, agency: str) -> Standing:
    """How a received alert stands for one agency; a successor or a correction that went to another agency is nothing to it."""
    if alert.state == "active":
        return Standing(state="active", recalls=(), replaced_by=b"", owes_attestation=False)
    held = binding(alert, recalls.recalls_of(tx, {alert.digest}))
    mine = recalls.controls_in_inbox(tx, agency, {one.control for one in held})
    replaced_by = successor_given(tx, alert, agency)
    state = alert.state
    if state == "superseded" and not replaced_by and any(one.kind is RecallKind.CORRECTION and one.control in mine for one in held):
        state = "disputed"
    withdrawn = any(one.kind is RecallKind.WITHDRAWAL for one in held)
    return Standing(
        state=state,
        recalls=tuple(one for one in held if one.control in mine),
        replaced_by=replaced_by,
        owes_attestation=withdrawn and not attested(tx, alert.digest, agency),
    )


def attested(tx: Transaction, referent: bytes, agency: str) -> bool:
    """Whether an agency of ours has attested the purge of a manifest."""
    given = recalls.attestations_of(tx, {referent}, own=True)
    return any(one.complete and one.attester == agency and not one.on_behalf_of for one in given)


def notice(row: RecallRow) -> desk_service_pb2.RecallNotice:
    """A recall as a person reads it."""
    return desk_service_pb2.RecallNotice(
        control_digest=row.control,
        manifest_digest=row.referent,
        kind=_KINDS[row.kind],
        reason=row.reason,
        recorded_at=row.recorded_at,
        attest_by=row.attest_by,
        wrong_fields=list(row.wrong_fields),
        replaced_by=row.replaced_by,
    )


def successor_given(tx: Transaction, alert: AlertRow, agency: str) -> bytes:
    """Digest of the newest alert in the place of this one that the agency was given, from abroad or inside the country; or empty."""
    later = [digest for _, digest, originator in alerts.successors_of(tx, {alert.digest}) if originator == alert.originator]
    given = [row for row in alerts.by_digests(tx, later).values() if agency in alerts.told_of(tx, row.id)]
    return max(given, key=lambda row: row.id).digest if given else b""
