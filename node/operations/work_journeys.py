"""When the travellers of drafts and submissions depart and land, for the few of a work list that a person is shown.

Both are sealed, so each is opened for that: not more of them than a person looks at, and nothing else of them is told.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Final

from exchange.errors import NotFound
from exchange.v1.desk_service_pb2 import WORK_KIND_APPROVAL_TO_GIVE, WORK_KIND_DRAFT_TO_FINISH, WorkItem
from node.operations import approve, draft_box
from node.operations.arrivals import countries_of, next_landings, stops
from node.operations.inbox_times import Times
from node.operations.officers import agency_of, require
from node.operations.work_item import LANDED_MS, WORKERS
from node.ports import Ports

OPENED_AT_MOST: Final = 10
_JOURNEYS: Final = {WORK_KIND_APPROVAL_TO_GIVE: approve.journey, WORK_KIND_DRAFT_TO_FINISH: draft_box.journey}


def list_journeys(ports: Ports, person: str, listed: Iterable[WorkItem]) -> Mapping[bytes, Times]:
    """Of these things, by reference, which `list_work` has just listed for the person, and journalled; the first alone."""
    wanted = [one for one in listed if one.kind in _JOURNEYS][:OPENED_AT_MOST]
    if not wanted:
        return {}
    agency = agency_of(require(ports, person, WORKERS))
    now, found = ports.clock.now_ms(), {}
    for one in wanted:
        with suppress(NotFound):  # released or discarded since it was listed
            alert, recipients = _JOURNEYS[one.kind](ports, agency, one.reference)
            lands = next_landings(alert, countries_of(recipients), now - LANDED_MS)
            departs = next((stop for stop in stops(alert, "departure") if stop.at > now), None)
            found[one.reference] = Times(lands=lands[0] if lands else None, departs=departs)
    return found
