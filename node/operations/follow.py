"""What was distributed inside the country follows its alert: who was told of one is told of the other in its place, at once and no more.

An update or a correction takes the place of an alert for its desk. An agency that the desk had told would else go on acting on the old
one until an officer distributes again. So the same fields go of the new one, as far as the desk was told them, under the national clauses
as they are now, in the transaction that takes it in; where they admit nothing any more, the agency reads that the old one is disputed.
"""

from collections.abc import Mapping, Sequence

from exchange.agreement import Request
from exchange.disclosure import Disclosure
from exchange.handling import clause_handling, combine
from exchange.v1 import handling_pb2
from node.operations.distribute import Told, Way, decide_way, distribution_row, handling_problem, told_event
from node.operations.inside import keep_distributions
from node.ports import Ports
from node.store import alerts, inside
from node.store.inside import DistributionRow
from node.store.journal import Kind
from node.store.transaction import Transaction

_BY_ITSELF = "follows an alert in whose place this one came: "


def follow(ports: Ports, tx: Transaction, kept: Sequence[tuple[int, Disclosure]], references: Mapping[bytes, int], now: int) -> None:
    """Distribute what a batch brought in the place of alerts that were distributed. `references` are row ids by digest."""
    done: set[tuple[bytes, str]] = set()
    for _, disclosure in kept:
        if not disclosure.manifest.value.supersedes:
            continue
        for desk in disclosure.entry.audience:
            if (disclosure.manifest.digest, desk) not in done:
                done.add((disclosure.manifest.digest, desk))
                _follow(ports, tx, _of(kept, disclosure.manifest.digest, desk), desk, references, now)


def _of(kept: Sequence[tuple[int, Disclosure]], digest: bytes, desk: str) -> list[Disclosure]:
    return [one for _, one in kept if one.manifest.digest == digest and desk in one.entry.audience]


def _follow(ports: Ports, tx: Transaction, told_now: Sequence[Disclosure], desk: str, references: Mapping[bytes, int], now: int) -> None:
    manifest, kind = told_now[0].manifest, told_now[0].kind
    alert = alerts.by_ids(tx, [references[manifest.digest]])[references[manifest.digest]]
    earlier = {row.id: row for row in alerts.by_digests(tx, manifest.value.supersedes).values() if row.originator == alert.originator}
    before = [row for row in inside.of_alerts(tx, earlier.keys()) if row.desk == desk and row.live(now)]
    already = {row.agency for row in inside.of_alert(tx, alert.id) if row.desk == desk}
    told = Told(
        desk=desk,
        alert=alert,
        kind=kind,
        held=frozenset(number for one in told_now for number in one.entry.fields),
        handling=_handling(told_now),
    )
    for agency in sorted({row.agency for row in before} - already):
        rows = [row for row in before if row.agency == agency]
        # Those of the newest that the agency was told: the officer's decision as it stands.
        newest = [row for row in rows if row.alert_ref == max(one.alert_ref for one in rows)]
        way = _way(ports, told, newest, now)
        if way is not None:
            digest = earlier[newest[-1].alert_ref].digest
            keep_distributions(tx, [distribution_row(told, way, newest[-1].purpose, now) | {"follows": digest}])
            event = told_event(alert.digest, way, newest[-1].purpose, _BY_ITSELF + digest.hex()[:16])
            ports.journal.record(tx, now, Kind.JOURNAL_KIND_DISCLOSURE, ports.trust_domain, [event])


def _handling(told_now: Sequence[Disclosure]) -> handling_pb2.Handling:
    found = [told_now[0].manifest.value.handling]
    for one in told_now:
        found += [clause_handling(one.clause)] if one.clause is not None else []
        found += [one.entry.stricter] if one.entry.HasField("stricter") else []
    return combine(*found)


def _way(ports: Ports, told: Told, rows: Sequence[DistributionRow], now: int) -> Way | None:
    purpose = rows[-1].purpose
    wanted = frozenset(number for row in rows for number in row.fields)
    ground = max(row.ground for row in rows)
    request = Request(
        sender=ports.trust_domain,
        recipient=ports.trust_domain,
        agency=rows[-1].agency,
        alert_type=told.kind.name,
        purpose=purpose,
        fields=told.kind.profile,
        at=now,
        unticked=told.kind.profile - wanted,
        granted=wanted & ports.national.on_request(rows[-1].clause) if ground else frozenset(),
    )
    way = None if handling_problem(told.handling, purpose) else decide_way(ports, told, request, ground)
    return way if isinstance(way, Way) else None
