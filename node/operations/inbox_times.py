"""When and where the travellers of an inbox land and depart next, and on which service: so far as the agency was told."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from exchange.v1.desk_service_pb2 import AlertSummary
from exchange.v1.travel_alert_pb2 import TravelAlert
from node.operations.arrivals import ITINERARY, Stop, landings, next_stops, stops
from node.operations.inbox import DESK, fragments_of, given_of, told_now
from node.operations.officers import agency_of, require
from node.operations.work_item import LANDED_MS
from node.ports import Ports
from node.store import alerts

_TRAVEL: Final = TravelAlert.DESCRIPTOR.full_name
_NOT_SHOWN: Final = frozenset({"ERASED", "RESTRICTED", "SUPERSEDED", "WITHDRAWN"})
"""Flags of alerts whose content is not shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Of one alert; None where nothing is known."""

    lands: Stop | None
    departs: Stop | None


def list_times(ports: Ports, person: str, listed: Iterable[AlertSummary]) -> Mapping[bytes, Times]:
    """Of these alerts, by digest, which `list_inbox` has just listed for the person, and journalled; those without a clock are left out."""
    agency = agency_of(require(ports, person, DESK))
    now = ports.clock.now_ms()
    wanted = [one.manifest_digest for one in listed if one.alert_type == _TRAVEL and one.arrives_at and not _NOT_SHOWN & set(one.flags)]
    found: dict[bytes, Times] = {}
    with ports.store.read() as tx:
        rows = [row for row in alerts.by_digests(tx, wanted).values() if row.wrapped_key is not None]
        given = given_of(tx, [row.id for row in rows], agency)
        for row in rows:
            # Whoever was told inside the country alone was given a part of what a desk was given.
            told = fragments_of(ports, tx, row, given[row.id]) if given[row.id] else told_now(ports, tx, row, agency)
            journey = TravelAlert.FromString(told.get(ITINERARY, b""))
            lands, departs = next_stops(landings(journey, ports.country), stops(journey, "departure"), now - LANDED_MS, now)
            if lands or departs:
                found[row.digest] = Times(lands=lands, departs=departs)
    return found
