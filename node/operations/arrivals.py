"""When a traveller arrives: what an inbox is sorted by."""

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from zoneinfo import ZoneInfo

from google.protobuf.message import Message

from exchange.v1 import travel_pb2
from exchange.v1.travel_alert_pb2 import TravelAlert
from node.intake.countries import CountryUnknown, country_of_alpha2

ITINERARY: Final = TravelAlert.DESCRIPTOR.fields_by_name["itinerary"].number


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A departure or an arrival."""

    at: int
    """Unix milliseconds."""
    zone: str
    """IANA zone of the port."""
    country: str
    """Of the port, an ICAO 9303 code; empty if it was not told."""
    port: str = ""
    """Its code, else its name; empty if neither was told."""
    service: str = ""
    """Number of the flight or other service; empty if it was not told."""


def landing(alert: Message, country: str = "") -> int:
    """When a TravelAlert's traveller first lands in that country (ICAO 9303 code), or lands at all if he is not known to land there.

    Unix milliseconds, 0 if no landing is known. Any of its fields may be missing.
    """
    return min((stop.at for stop in landings(alert, country)), default=0)


def landings(alert: Message | None, country: str) -> list[Stop]:
    """The landings that concern a country: those in it, or all where none is known to be; in order. None of any other alert."""
    return landings_in(alert, {country} if country else ())


def landings_in(alert: Message | None, countries: Collection[str]) -> list[Stop]:
    """As `landings`, of several countries."""
    found = stops(alert, "arrival")
    return [stop for stop in found if stop.country in countries] or found


def next_landings(alert: Message | None, countries: Collection[str], landed_since: int) -> list[Stop]:
    """Where the traveller lands next in each of these countries, just past included, or landed last; in none of them, anywhere."""
    found: dict[str, list[Stop]] = {}
    for stop in landings_in(alert, countries):
        found.setdefault(stop.country if stop.country in countries else "", []).append(stop)
    return [next((stop for stop in there if stop.at > landed_since), there[-1]) for there in found.values()]


def countries_of(parties: Iterable[str]) -> frozenset[str]:
    """The countries of these agencies, where their trust domains begin with the country's two letters; ICAO 9303 codes."""
    found = set()
    for label in {party.removeprefix("spiffe://").partition(".")[0].upper() for party in parties}:
        with suppress(CountryUnknown):
            found.add(country_of_alpha2(label).code)
    return frozenset(found)


def next_stops(here: Sequence[Stop], departures: Sequence[Stop], landed_since: int, now: int) -> tuple[Stop | None, Stop | None]:
    """(landing, departure) that come next: of the landings that concern a country, just past included; the departure only while ahead."""
    lands = next((stop for stop in here if stop.at > landed_since), here[0] if here else None)
    return lands, next((stop for stop in departures if stop.at > now), None)


def stops(alert: Message | None, which: Literal["departure", "arrival"]) -> list[Stop]:
    """When and in which zone the legs of a TravelAlert depart or arrive, in order; none of any other alert."""
    if not isinstance(alert, TravelAlert):
        return []
    legs = [leg for leg in alert.itinerary if leg.HasField(which)]
    places = [(leg, leg.departure, leg.departure_port) if which == "departure" else (leg, leg.arrival, leg.arrival_port) for leg in legs]
    found = (
        Stop(at=at, zone=time.zone, country=port.country, port=port.code or port.name, service=leg.service_number)
        for leg, time, port in places
        if (at := _moment(time))
    )
    return sorted(found, key=lambda stop: stop.at)


def _moment(time: travel_pb2.LocalTime) -> int:
    try:
        return int(datetime.fromisoformat(time.local).replace(tzinfo=ZoneInfo(time.zone)).timestamp() * 1000)
    except (ValueError, KeyError, OSError):
        return 0  # sorting must never refuse what the checks accepted
