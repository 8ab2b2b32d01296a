"""When a traveller first arrives: what an inbox is sorted by."""

from datetime import datetime
from zoneinfo import ZoneInfo

from google.protobuf.message import Message

from exchange.v1 import travel_alert_pb2, travel_pb2


def earliest_arrival(alert: Message) -> int:
    """The earliest arrival of a TravelAlert's itinerary in Unix milliseconds, 0 if none is known. Any of its fields may be missing."""
    return min((moment for moment, _ in _arrivals(alert)), default=0)


def arrival_zone(alert: Message | None) -> str:
    """The IANA zone of the port of that arrival; empty if none is known."""
    return min(_arrivals(alert), default=(0, ""))[1]


def _arrivals(alert: Message | None) -> list[tuple[int, str]]:
    if not isinstance(alert, travel_alert_pb2.TravelAlert):
        return []
    return [(moment, leg.arrival.zone) for leg in alert.itinerary if leg.HasField("arrival") and (moment := _moment(leg.arrival))]


def _moment(time: travel_pb2.LocalTime) -> int:
    try:
        return int(datetime.fromisoformat(time.local).replace(tzinfo=ZoneInfo(time.zone)).timestamp() * 1000)
    except (ValueError, KeyError, OSError):
        return 0  # sorting must never refuse what the checks accepted
