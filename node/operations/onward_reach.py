"""Who holds an alert abroad because it was passed on: at the originator as permits and notices say it, at the holder as its own logs do.

A recall binds whoever got the alert from the holder as well. The holder forwards it under the permit, expired or not (PROTOCOL.md,
section 8): noted in the transaction that brings the recall, and sent as soon as the log towards the third country takes it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from exchange.v1 import disclosure_pb2, permit_pb2
from exchange.values import PartyId
from node.operations.reach import Telling, tellings
from node.operations.standing import binding
from node.store import alerts, logs, onward, recalls
from node.store.alerts import AlertRow
from node.store.recalls import AttestationRow
from node.store.transaction import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class ThirdCountry:
    """A country to which this node passed an alert on, and what it attested after a withdrawal."""

    domain: str
    told: tuple[Telling, ...]
    attestations: tuple[AttestationRow, ...]
    """Of its agencies or its node, oldest first."""

    @property
    def agencies(self) -> set[str]:
        """Those that were told and did not except it."""
        return {agency for one in self.told if not one.exception for agency in one.entry.audience}

    def of(self, agency: str) -> AttestationRow | None:
        """The newest attestation for one agency."""
        return next((one for one in reversed(self.attestations) if _speaks_for(one.attester, agency)), None)

    @property
    def attested(self) -> bool:
        """Whether nothing is owed there any more; a receipt that excepts all of it proves that nothing is held."""
        return all((given := self.of(agency)) is not None and given.complete for agency in self.agencies)


def onward_tellings(tx: Transaction, manifest: bytes) -> list[Telling]:
    """Every entry of ours that passed on a manifest of another country, also if that manifest is not here any more."""
    row = alerts.by_digests(tx, {manifest}).get(manifest)
    if row is not None:
        return [] if row.own else [one for one in tellings(tx, row) if one.entry.permit_digest]
    ours = {log.id: log for log in logs.all_logs(tx) if log.outbound}
    found = []
    for log_id, entry_row in logs.entries_without_alert(tx, ours.keys()):
        entry = disclosure_pb2.Entry.FromString(entry_row.entry)
        if entry.manifest_digest == manifest and entry.permit_digest:
            exception = logs.exception_codes(tx, log_id, entry_row.idx, entry_row.idx + 1).get(entry_row.idx, 0)
            found.append(Telling(log=ours[log_id], index=entry_row.idx, entry=entry, exception=exception))
    return found


def third_countries(tx: Transaction, manifest: bytes) -> list[ThirdCountry]:
    """The countries to which this node passed a manifest on, by trust domain."""
    by_domain: dict[str, list[Telling]] = {}
    for one in onward_tellings(tx, manifest):
        by_domain.setdefault(one.log.name.recipient, []).append(one)
    given = recalls.attestations_of(tx, {manifest}, own=False)
    return [
        ThirdCountry(
            domain=domain,
            told=tuple(told),
            attestations=tuple(one for one in given if PartyId.parse(one.attester).trust_domain == domain and not one.on_behalf_of),
        )
        for domain, told in sorted(by_domain.items())
    ]


def passed_on_by(tx: Transaction, manifest: bytes, agency: str) -> list[ThirdCountry]:
    """Those for which one agency answers: it passed the alert on, or the notice was lost with a database and nobody knows who did."""
    notices = onward.notices_about(tx, {manifest}, own=True)
    by = {(PartyId.parse(one.third_party).trust_domain, one.holder) for one in notices if one.third_party}
    known = {domain for domain, _ in by}
    return [one for one in third_countries(tx, manifest) if (one.domain, agency) in by or one.domain not in known]


def note_forwards(tx: Transaction, manifests: Collection[bytes]) -> None:
    """Note which third countries are still to be told of recalls of these manifests; `tx` must write. The same again changes nothing."""
    for manifest in manifests:
        told = onward_tellings(tx, manifest)
        if not told:
            continue
        row = alerts.by_digests(tx, {manifest}).get(manifest)
        held = [one for one in recalls.recalls_of(tx, {manifest}) if not one.own]
        for recall in binding(row, held) if row is not None else held:
            control = alerts.by_digests(tx, {recall.control}).get(recall.control)
            reached = {one.log.name.recipient for one in tellings(tx, control)} if control is not None else set()
            for domain in {one.log.name.recipient for one in told} - reached:
                recalls.note_untold(tx, recall.control, domain)


def leave_given(tx: Transaction, manifest: bytes) -> dict[str, set[str]]:
    """Trust domain of each country that we let pass a manifest of ours on, to the nodes that it may tell."""
    found: dict[str, set[str]] = {}
    for statement in onward.permits_about(tx, manifest):
        permit = permit_pb2.Permit.FromString(statement.payload)
        found.setdefault(PartyId.parse(permit.holder).trust_domain, set()).add(permit.third_party)
    return found


def onward_notices(tx: Transaction, row: AlertRow) -> list[onward.NoticeRow]:
    """What was said of passing on a manifest of ours, oldest first.

    A notice counts if its country was told of the manifest: nobody passes on what they never had.
    """
    told = {one.log.name.recipient for one in tellings(tx, row)}
    notices = onward.notices_about(tx, {row.digest}, own=False)
    return [one for one in notices if one.third_party and PartyId.parse(one.holder).trust_domain in told]


def onward_holders(tx: Transaction, row: AlertRow) -> Mapping[tuple[str, str], onward.NoticeRow]:
    """(Third country's node, trust domain of whoever passed it on) of a manifest of ours, each with its first notice."""
    found: dict[tuple[str, str], onward.NoticeRow] = {}
    for notice in onward_notices(tx, row):
        found.setdefault((notice.third_party, PartyId.parse(notice.holder).trust_domain), notice)
    return found


def _speaks_for(attester: str, agency: str) -> bool:
    """An agency attests for itself, a node for every agency behind it."""
    return attester == agency or PartyId.parse(attester).role == "node"
