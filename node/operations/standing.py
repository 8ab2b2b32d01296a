"""How a manifest stands: in force, or disputed, replaced, restricted, withdrawn. It follows from what is held of it, whoever came first.

Of several things the gravest counts: withdrawn for good; restricted until it is lifted; superseded while a successor is here; disputed
once a correction came and no successor; else active. What was erased stays erased. Both ends hold the same control alerts in the same
order (that of one log), so they come to the same standing: the races of docs/invariants.md have one outcome.

Where a log says that a recall there was, and what it said is lost with a database, the manifest is in doubt. That is never taken back and
weighs as much as a correction: whatever is known and graver counts, and when it ends, as a restriction does, the doubt is there again.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from exchange.profile import alert_types
from exchange.v1 import desk_service_pb2
from exchange.values import PartyId, node_of
from node.store import alerts, doubts, recalls
from node.store.alerts import AlertRow
from node.store.doubts import Doubt
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
    doubted_at: int = 0
    """When it came to light that something was said of it that is lost, Unix milliseconds; 0 if nothing is."""
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


def doubted(tx: Transaction, rows: Iterable[AlertRow]) -> dict[bytes, int]:
    """Digest of each of these manifests that is in doubt, to when the newest doubt was noted."""
    # A recall is not recalled, and so is not in doubt either.
    here = {row.digest: row for row in rows if not alert_types()[row.alert_type].control}
    found: dict[bytes, int] = {}
    for one in doubts.doubts_about(tx, here):
        if casts_doubt(here[one.referent], one):
            found[one.referent] = max(found.get(one.referent, 0), one.noted_at)
    return found


def casts_doubt(alert: AlertRow, doubt: Doubt) -> bool:
    """Whether it may be a recall that binds: logged by the originator's country, or forwarded by whoever was let pass the alert on."""
    return doubt.forwarded or doubt.sender == PartyId.parse(alert.originator).trust_domain


def state_of(held: Sequence[RecallKind], *, superseded: bool, in_doubt: bool) -> str:
    """The state of a manifest under the recalls that bind, in the order in which they took effect."""
    blocks = [kind for kind in held if kind in {RecallKind.RESTRICTION, RecallKind.LIFTING}]
    if RecallKind.WITHDRAWAL in held:
        return "withdrawn"
    if blocks and blocks[-1] is RecallKind.RESTRICTION:
        return "restricted"
    if superseded:
        return "superseded"
    return "disputed" if in_doubt or RecallKind.CORRECTION in held else "active"


def states_held(tx: Transaction, rows: Collection[AlertRow]) -> dict[bytes, str]:
    """Digest to the state that follows from what is stored of each alert; of one that was erased, that. A few questions for all of them."""
    digests = {row.digest for row in rows if row.state != "erased"}
    held: dict[bytes, list[RecallRow]] = {}
    for one in recalls.recalls_of(tx, digests):
        held.setdefault(one.referent, []).append(one)
    later = {(earlier, originator) for earlier, _, originator in alerts.successors_of(tx, digests)}
    in_doubt = doubted(tx, rows)
    found = {}
    for row in rows:
        # A recall is not recalled: it would bring back what it ended.
        said = () if alert_types()[row.alert_type].control else held.get(row.digest, ())
        kinds = [one.kind for one in binding(row, said)]
        state = state_of(kinds, superseded=(row.digest, row.originator) in later, in_doubt=row.digest in in_doubt)
        found[row.digest] = row.state if row.state == "erased" else state
    return found


def restate(tx: Transaction, digests: Collection[bytes]) -> list[bytes]:
    """Set the state of these manifests, those that are here, from what is held of them; `tx` must write. Returns whose state changed."""
    rows = alerts.by_digests(tx, digests).values()
    states = states_held(tx, rows)
    changed = [row for row in rows if row.state != states[row.digest]]
    for row in changed:
        alerts.set_state(tx, row.id, states[row.digest])
    return [row.digest for row in changed]


def recalled_now(tx: Transaction, alert: AlertRow) -> bool:
    """Whether an alert of ours that is not active was taken back or found wrong, or may have been: then nobody is told of it any more."""
    if alert.state in {"withdrawn", "disputed"} or doubted(tx, [alert]):
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
    state, doubted_at = alert.state, doubted(tx, [alert]).get(alert.digest, 0)
    found_wrong = bool(doubted_at) or any(one.kind is RecallKind.CORRECTION and one.control in mine for one in held)
    if state == "superseded" and not replaced_by and found_wrong:
        state = "disputed"
    withdrawn = any(one.kind is RecallKind.WITHDRAWAL for one in held)
    return Standing(
        state=state,
        recalls=tuple(one for one in held if one.control in mine),
        replaced_by=replaced_by,
        doubted_at=doubted_at,
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
