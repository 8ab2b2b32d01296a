"""When a traveller first arrives: what an inbox is sorted by."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from zoneinfo import ZoneInfo

from google.protobuf.message import Message

from exchange.v1 import travel_pb2
from exchange.v1.travel_alert_pb2 import TravelAlert

ITINERARY: Final = TravelAlert.DESCRIPTOR.fields_by_name["itinerary"].number


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A departure or an arrival."""

    at: int
    """Unix milliseconds."""
    zone: str
    """IANA zone of the port."""


def earliest_arrival(alert: Message) -> int:
    """The earliest arrival of a TravelAlert's itinerary in Unix milliseconds, 0 if none is known. Any of its fields may be missing."""
    return min((stop.at for stop in stops(alert, "arrival")), default=0)


def stops(alert: Message | None, which: Literal["departure", "arrival"]) -> list[Stop]:
    """When and in which zone the legs of a TravelAlert depart or arrive, in order; none of any other alert."""
    if not isinstance(alert, TravelAlert):
        return []
    times = [leg.departure if which == "departure" else leg.arrival for leg in alert.itinerary if leg.HasField(which)]
    return sorted((Stop(at=at, zone=time.zone) for time in times if (at := _moment(time))), key=lambda stop: stop.at)


def _moment(time: travel_pb2.LocalTime) -> int:
    try:
        return int(datetime.fromisoformat(time.local).replace(tzinfo=ZoneInfo(time.zone)).timestamp() * 1000)
    except (ValueError, KeyError, OSError):
        return 0  # sorting must never refuse what the checks accepted
