"""How an alert stands for an agency that was told of it by a desk of its own country: at once as it stands for the desk (docs/national.md).

There is one copy of the content, so what the originator takes back, restricts or lets expire is gone for every agency in one moment.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from exchange.v1 import control_pb2, desk_service_pb2, disclosure_pb2, handling_pb2
from node.operations.arrivals import ITINERARY
from node.operations.standing import Standing, binding, standing_for, successor_given
from node.store import alerts, inside, logs, recalls
from node.store.alerts import AlertRow
from node.store.inside import DistributionRow, PurgeRow
from node.store.landings import pass_landing
from node.store.recalls import RecallKind
from node.store.transaction import Transaction


def standing_of(tx: Transaction, alert: AlertRow, agency: str, now: int) -> Standing:
    """How a received alert stands for one agency, however that was told of it. `now` in Unix milliseconds."""
    rows = inside.of_agency(tx, alert.id, agency)
    if not rows or agency in alerts.inboxes_of(tx, alert.id):
        return standing_for(tx, alert, agency)
    held = binding(alert, recalls.recalls_of(tx, {alert.digest}))
    controls = {one.control for one in held}
    desks = {row.desk for row in rows}
    told = {control for desk in desks for control in recalls.controls_in_inbox(tx, desk, controls)}
    replaced_by = successor_given(tx, alert, agency)
    state = alert.state
    if state == "superseded" and not replaced_by:
        state = "disputed"  # its desk reads something else in its place, and nothing admits this agency to that
    if state not in {"withdrawn", "erased"} and not any(row.live(now) for row in rows):
        state = "erased"
    withdrawn = any(one.kind is RecallKind.WITHDRAWAL for one in held)
    return Standing(
        state=state,
        recalls=tuple(one for one in held if one.control in told),
        replaced_by=replaced_by,
        owes_attestation=withdrawn and not complete(inside.purges_of(tx, [alert.id]).get((alert.id, agency))),
        inside=True,
        more_at_desk=state in {"active", "disputed"} and any(_more(tx, alert, rows, desk) for desk in desks),
    )


def complete(purge: PurgeRow | None) -> bool:
    """Whether a confirmation leaves nothing to be asked: lists are updated, or it says on what ground something stays."""
    return purge is not None and (purge.lists_updated or bool(purge.exceptions))


def desk_fields(tx: Transaction, alert: AlertRow, desk: str) -> frozenset[int]:
    """Numbers of the fields that a desk was told of a received alert, and whose content is still here."""
    found: set[int] = set()
    mirrors = {log.id for log in logs.all_logs(tx) if not log.outbound}
    for log_id, row in logs.entries_of_alert(tx, alert.id):
        entry = disclosure_pb2.Entry.FromString(row.entry)
        if log_id in mirrors and row.sealed is not None and desk in entry.audience:
            found.update(entry.fields)
    return frozenset(found)


def waiting_inside(tx: Transaction, alert: AlertRow, desk: str) -> dict[str, PurgeRow | None]:
    """Each agency that `desk` told of an alert and that owes the confirmation of its purge to the desk: what it has said so far."""
    abroad = alerts.inboxes_of(tx, alert.id)
    agencies = {row.agency for row in inside.of_alert(tx, alert.id) if row.desk == desk} - abroad
    said = inside.purges_of(tx, [alert.id])
    return {agency: said.get((alert.id, agency)) for agency in sorted(agencies)}


def keep_distributions(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep what a desk told agencies of its country; who is told the journey knows when he lands. `tx` must write."""
    inside.distribute(tx, rows)
    for row in rows:
        if ITINERARY in row["fields"]:
            pass_landing(tx, row["alert_ref"], row["desk"], row["agency"])


def in_force(row: DistributionRow) -> handling_pb2.Handling:
    """The handling under which something was distributed."""
    return handling_pb2.Handling.FromString(row.handling)


def distribution(alert: AlertRow, row: DistributionRow, purge: PurgeRow | None) -> desk_service_pb2.Distribution:
    """A distribution as a person reads it. Never content."""
    return desk_service_pb2.Distribution(
        alert_id=alert.alert_id,
        manifest_digest=alert.digest,
        alert_type=alert.alert_type,
        desk=row.desk,
        agency=row.agency,
        fields=list(row.fields),
        clause=row.clause,
        national_clauses=row.rules,
        purpose=handling_pb2.Purpose.ValueType(row.purpose),
        distributed_at=row.at,
        erase_by=min(row.erase_by, alert.erase_by) if alert.erase_by else row.erase_by,
        follows=row.follows,
        purged_at=purge.at if purge else 0,
        copies_removed=purge.copies_removed if purge else 0,
        local_lists_updated=purge.lists_updated if purge else False,
        exceptions=list(exceptions_of(purge)),
        state=alert.state,
    )


def exceptions_of(purge: PurgeRow | None) -> Iterator[control_pb2.PurgeException.ValueType]:
    """The grounds on which an agency says that something stays."""
    for name in purge.exceptions.split(",") if purge and purge.exceptions else ():
        yield control_pb2.PurgeException.Value(f"PURGE_EXCEPTION_{name}")


def distributions_of(tx: Transaction, alert: AlertRow) -> list[desk_service_pb2.Distribution]:
    """Every distribution of one alert inside the country, oldest first."""
    purges = inside.purges_of(tx, [alert.id])
    return [distribution(alert, row, purges.get((alert.id, row.agency))) for row in inside.of_alert(tx, alert.id)]


def _more(tx: Transaction, alert: AlertRow, rows: list[DistributionRow], desk: str) -> bool:
    known = {number for row in rows if row.desk == desk for number in row.desk_fields}
    return bool(desk_fields(tx, alert, desk) - known)
