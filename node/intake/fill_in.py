"""What follows from what a file says: the script of a name, the name and country of a port, the zone of a time at a port."""

from typing import Any, Final

from google.protobuf.message import Message

from exchange.v1.people_pb2 import PersonName
from exchange.v1.travel_pb2 import LocalTime
from exchange.v1.travel_pb2 import Port as PortMessage
from node.intake.names import scripts_of
from node.intake.paths import messages_in
from node.intake.ports import Port, PortInvalid, port

PORT_OF_TIME: Final[dict[str, dict[str, str]]] = {
    "exchange.v1.Leg": {
        "departure": "departure_port",
        "earliest_departure": "departure_port",
        "arrival": "arrival_port",
    },
    "exchange.v1.HitReport": {"happened": "place"},
}
"""Which port's clocks the times of a message are told by."""
_FILLED: Final[dict[str, tuple[str, ...]]] = {"exchange.v1.PersonName": ("script",), "exchange.v1.Port": ("name", "country")}


def known_port(code: str) -> Port | None:
    """Look up a port; None without a code or for one that is no code at all."""
    try:
        return port(code) if code else None
    except PortInvalid:
        return None


def fill_in(message: Message) -> None:
    """Fill in what follows, here and in every message inside, where nothing is said. What cannot be told stays open."""
    for time, place in PORT_OF_TIME.get(message.DESCRIPTOR.full_name, {}).items():
        if message.HasField(time) and message.HasField(place):
            _fill_zone(getattr(message, time), getattr(message, place))
    if isinstance(message, PersonName):
        _fill_script(message)
    elif isinstance(message, PortMessage):
        _fill_port(message)
    for name, repeats in messages_in(message.DESCRIPTOR):
        if repeats or message.HasField(name):
            for inner in getattr(message, name) if repeats else (getattr(message, name),):
                fill_in(inner)


def take_out(message: Message) -> None:
    """Undo `fill_in`: take out, here and inside, what it would fill in again, so that it follows anew from what is said then."""
    for time in PORT_OF_TIME.get(message.DESCRIPTOR.full_name, {}):
        if message.HasField(time):
            _take_out(message, getattr(message, time), "zone")
    for name in _FILLED.get(message.DESCRIPTOR.full_name, ()):
        _take_out(message, message, name)
    for name, repeats in messages_in(message.DESCRIPTOR):
        if repeats or message.HasField(name):
            for inner in getattr(message, name) if repeats else (getattr(message, name),):
                take_out(inner)


def _take_out(whole: Message, part: Message, name: str) -> None:
    value, before = getattr(part, name), _filled(whole)
    part.ClearField(name)
    if _filled(whole) != before:
        setattr(part, name, value)


def _filled(message: Message) -> Message:
    copied = type(message)()
    copied.CopyFrom(message)
    fill_in(copied)
    return copied


def _fill_zone(when: LocalTime, place: PortMessage) -> None:
    known = known_port(place.code)
    if known and known.zone and not when.zone:
        when.zone = known.zone


def _fill_port(place: PortMessage) -> None:
    if known := known_port(place.code):
        place.code = known.code
        place.name = place.name or known.name or ""
        place.country = place.country or known.country or ""


def _fill_script(name: PersonName) -> None:
    scripts: Any = scripts_of((name.family, name.given, name.as_written))
    if scripts and not name.script:
        name.script = scripts[0]
