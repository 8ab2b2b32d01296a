"""What a list of sent alerts says of each besides its summary: whom it reached and how far, and where the traveller lands there."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from exchange.v1 import desk_service_pb2, disclosure_pb2
from exchange.v1.travel_alert_pb2 import TravelAlert
from node.operations.arrivals import ITINERARY, Stop, countries_of, next_landings
from node.operations.contents import purpose_of_alert, unpack_content
from node.operations.officers import LIAISON, agency_of, require
from node.operations.states import entry_states
from node.operations.summaries import is_report
from node.operations.work_item import LANDED_MS
from node.ports import Ports
from node.store import alerts, logs
from node.store.alerts import AlertRow
from node.store.logs import EntryRow
from node.store.transaction import Transaction

_NOT_AHEAD: Final = frozenset({"ERASED", "EXPIRED", "SUPERSEDED", "WITHDRAWN"})
"""Flags of alerts by which nobody waits for a landing any more: they are not opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """One alert."""

    told: Mapping[str, "desk_service_pb2.DisclosureState.ValueType"]
    """How far what was told last got, by the SPIFFE ID of the agency that it is for."""
    lands: Sequence[Stop]
    """In each country that was told, or where it is known to land, if in none of them."""


def list_reached(ports: Ports, person: str, listed: Iterable[desk_service_pb2.AlertSummary]) -> Mapping[bytes, Reached]:
    """Of these alerts, by digest, which `list_alerts` has just listed for the person, and journalled."""
    agency = agency_of(require(ports, person, (LIAISON,)))
    summaries = {one.manifest_digest: one for one in listed}
    with ports.store.read() as tx:
        rows = [row for row in alerts.by_digests(tx, list(summaries)).values() if row.own and row.originator == agency]
        told = _told(ports, tx, rows)
        return {row.digest: Reached(told=told[row.id], lands=_lands(ports, tx, row, summaries[row.digest], told[row.id])) for row in rows}


def journey_of(ports: Ports, tx: Transaction, row: AlertRow) -> TravelAlert:
    """The itinerary of an alert of one's own, and nothing else of it; empty where there is none any more."""
    if row.alert_type != TravelAlert.DESCRIPTOR.full_name or row.wrapped_key is None or row.sealed is None:
        return TravelAlert()
    content = unpack_content(ports.vault.unwrap(tx, row.period, row.wrapped_key).open(purpose_of_alert(row.alert_id), row.sealed))
    return TravelAlert.FromString(b"".join(one.fragment for one in content.openings if one.field == ITINERARY))


def _lands(ports: Ports, tx: Transaction, row: AlertRow, summary: desk_service_pb2.AlertSummary, told: Collection[str]) -> Sequence[Stop]:
    if not summary.arrives_at or _NOT_AHEAD & set(summary.flags):
        return ()
    return next_landings(journey_of(ports, tx, row), countries_of(told), ports.clock.now_ms() - LANDED_MS)


def _told(ports: Ports, tx: Transaction, rows: Sequence[AlertRow]) -> Mapping[int, dict[str, "desk_service_pb2.DisclosureState.ValueType"]]:
    """A few questions for all of them: a list is long."""
    ids, digests = {row.digest: row.id for row in rows}, [row.digest for row in rows]
    found: dict[int, dict[str, desk_service_pb2.DisclosureState.ValueType]] = {row.id: {} for row in rows}
    by_log: dict[int, list[EntryRow]] = {}
    for log_id, entry in logs.entries_of_alerts(tx, list(found)):
        by_log.setdefault(log_id, []).append(entry)
    for log in logs.all_logs(tx):
        for entry, state in zip(by_log.get(log.id, ()), entry_states(ports, tx, log, by_log.get(log.id, ())).values(), strict=True):
            said = disclosure_pb2.Entry.FromString(entry.entry)
            if said.manifest_digest in ids:
                found[ids[said.manifest_digest]] |= dict.fromkeys(said.audience, state.state)
    for answer in alerts.answered_among(tx, digests):
        told = found[ids[answer.answered]]
        if answer.originator in told and is_report(answer.alert_type):
            told[answer.originator] = desk_service_pb2.DISCLOSURE_STATE_REPORTED
    return found
