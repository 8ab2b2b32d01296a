"""Who still owes an attestation of a purge, and how urgently: what an originator watches after a withdrawal.

All of it follows from the logs, the attestations and the clock; nothing is stored, so nothing can be forgotten.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from exchange.v1 import desk_service_pb2
from exchange.values import PartyId
from node.notify.plan import Term
from node.operations.onward_reach import onward_holders, third_countries
from node.operations.reach import lineage, tellings
from node.ports import Ports
from node.store import alerts, recalls
from node.store.alerts import AlertRow
from node.store.envelope import DAY_MS
from node.store.recalls import AttestationRow, RecallRow
from node.store.transaction import Transaction

ESCALATE_AFTER_MS: Final = 3 * DAY_MS
"""An attestation is escalated once it is overdue by as much as it had been given, and by this at least."""
OPEN: Final = (
    desk_service_pb2.ATTESTATION_STAGE_OWED,
    desk_service_pb2.ATTESTATION_STAGE_REMINDER,
    desk_service_pb2.ATTESTATION_STAGE_OVERDUE,
    desk_service_pb2.ATTESTATION_STAGE_ESCALATED,
)
"""Stages in which something is still to be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """One agency's attestation for one withdrawn manifest, given or not. Times are Unix milliseconds."""

    manifest: AlertRow
    agency: str
    stage: "desk_service_pb2.AttestationStage.ValueType"
    attest_by: int
    attestation: AttestationRow | None
    on_behalf_of: tuple[str, ...]
    via: str = ""
    """Trust domain of whoever passed it on to `agency`, which is then the third country's node; empty if we told it."""


def attestations_owed(ports: Ports, tx: Transaction) -> list[Owed]:
    """All that is still owed to this country, most urgent first: what a person must see to."""
    withdrawn = {one.referent for one in recalls.withdrawals(tx, own=True)}
    found = [one for row in alerts.by_digests(tx, withdrawn).values() for one in of_manifest(tx, row, ports.clock.now_ms())]
    return sorted((one for one in found if one.stage in OPEN), key=lambda one: (-one.stage, one.attest_by, one.agency))


def of_lineage(ports: Ports, tx: Transaction, row: AlertRow) -> list[Owed]:
    """What each agency owes or gave for each manifest of an alert of ours; empty until it is withdrawn."""
    return [owed for one in lineage(tx, row) for owed in of_manifest(tx, one, ports.clock.now_ms())]


def of_manifest(tx: Transaction, row: AlertRow, now: int) -> list[Owed]:
    """What each agency that was told of one manifest owes or gave for it."""
    withdrawals = [one for one in recalls.recalls_of(tx, {row.digest}) if one.own and one.kind is recalls.RecallKind.WITHDRAWAL]
    if not withdrawals:
        return []
    first = withdrawals[0]
    told = tellings(tx, row)
    # A receipt that excepts an entry is the partner's signature that nothing of it is held there.
    held = {agency for one in told if not one.exception for agency in one.entry.audience}
    # What counts is an attestation of all that was told; not one after the withdrawal, which may stand here anew, since a restored
    # backup lost the first, while whoever has attested that owes nothing and says no more.
    newest = {agency: one.entry.disclosed_at for one in told for agency in one.entry.audience}
    given = recalls.attestations_of(tx, {row.digest}, own=False)
    direct = [
        _owed(
            row,
            agency,
            first,
            [one for one in given if _speaks_for(one.attester, agency) and one.recorded_at >= disclosed_at],
            held=agency in held,
            now=now,
        )
        for agency, disclosed_at in sorted(newest.items())
    ]
    later = [one for one in given if one.recorded_at >= first.recorded_at]
    return direct + [
        _owed_onward(row, third, via, first, [one for one in later if (one.on_behalf_of, _domain(one.attester)) == (third, via)], now)
        for third, via in sorted(onward_holders(tx, row))
    ]


def of_third_parties(ports: Ports, tx: Transaction, row: AlertRow) -> list[Owed]:
    """What third countries owe or gave for a manifest that was passed on: of ours as holders report it; as holder, what they told us.

    Empty until it is withdrawn.
    """
    now = ports.clock.now_ms()
    if row.own:
        return [one for one in of_manifest(tx, row, now) if one.via]
    withdrawals = [one for one in recalls.recalls_of(tx, {row.digest}) if one.kind is recalls.RecallKind.WITHDRAWAL and not one.own]
    return [
        Owed(
            manifest=row,
            agency=agency,
            stage=_stage(withdrawals[0], third.of(agency), now),
            attest_by=withdrawals[0].attest_by,
            attestation=third.of(agency),
            on_behalf_of=(),
            via=ports.trust_domain,
        )
        for third in (third_countries(tx, row.digest) if withdrawals else ())
        for agency in sorted(third.agencies)
    ]


def status(one: Owed) -> desk_service_pb2.AttestationStatus:
    """One of these as a person reads it."""
    given = one.attestation
    return desk_service_pb2.AttestationStatus(
        agency=one.agency,
        manifest_digest=one.manifest.digest,
        stage=one.stage,
        attest_by=one.attest_by,
        attested_at=given.recorded_at if given else 0,
        copies_removed=given.copies_removed if given else 0,
        local_lists_updated=bool(given and given.lists_updated),
        exceptions=given.exceptions.split(",") if given and given.exceptions else (),
        on_behalf_of=one.on_behalf_of,
        via=one.via,
    )


def stage_of(recall: RecallRow, now: int) -> "desk_service_pb2.AttestationStage.ValueType":
    """How urgent an attestation is that has not come."""
    given = max(recall.attest_by - recall.recorded_at, 0)
    if now < recall.recorded_at + given // 2:
        return desk_service_pb2.ATTESTATION_STAGE_OWED
    if now < recall.attest_by:
        return desk_service_pb2.ATTESTATION_STAGE_REMINDER
    if now < recall.attest_by + max(given, ESCALATE_AFTER_MS):
        return desk_service_pb2.ATTESTATION_STAGE_OVERDUE
    return desk_service_pb2.ATTESTATION_STAGE_ESCALATED


def attestation_term(recall: RecallRow) -> Term:
    """By when an attestation is due, reminded of and escalated, as `stage_of` has it; escalated daily until it has come."""
    given = max(recall.attest_by - recall.recorded_at, 0)
    due_at = max(recall.attest_by, recall.recorded_at)
    return Term(
        raised_at=recall.recorded_at,
        due_at=due_at,
        remind_at=recall.recorded_at + given // 2,
        escalate_at=due_at + max(given, ESCALATE_AFTER_MS),
        insistent=True,
    )


def _owed(row: AlertRow, agency: str, recall: RecallRow, given: Sequence[AttestationRow], *, held: bool, now: int) -> Owed:
    own = [one for one in given if not one.on_behalf_of]
    last = own[-1] if own else None
    stage = _stage(recall, last, now) if held else desk_service_pb2.ATTESTATION_STAGE_NOT_HELD
    return Owed(
        manifest=row, agency=agency, stage=stage, attest_by=recall.attest_by, attestation=last, on_behalf_of=tuple(_third_parties(given))
    )


def _owed_onward(row: AlertRow, third: str, via: str, recall: RecallRow, given: Sequence[AttestationRow], now: int) -> Owed:
    last = given[-1] if given else None
    return Owed(
        manifest=row,
        agency=third,
        stage=_stage(recall, last, now),
        attest_by=recall.attest_by,
        attestation=last,
        on_behalf_of=(),
        via=via,
    )


def _stage(recall: RecallRow, given: AttestationRow | None, now: int) -> "desk_service_pb2.AttestationStage.ValueType":
    return desk_service_pb2.ATTESTATION_STAGE_ATTESTED if given is not None and given.complete else stage_of(recall, now)


def _speaks_for(attester: str, agency: str) -> bool:
    """An agency attests for itself, a node for every agency behind it."""
    return attester == agency or (PartyId.parse(attester).role == "node" and _domain(attester) == _domain(agency))


def _third_parties(given: Iterable[AttestationRow]) -> list[str]:
    return sorted({one.on_behalf_of for one in given if one.on_behalf_of and one.complete})


def _domain(party: str) -> str:
    return PartyId.parse(party).trust_domain
