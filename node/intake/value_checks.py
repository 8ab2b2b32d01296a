"""Whether each value of an alert is one: dates, countries, languages, ports, times, names, and the schema's own rules.

Run on the officer's machine when a file is read, and again by the node, which trusts no client.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

import protovalidate
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from exchange.v1.desk_service_pb2 import Problem
from exchange.v1.hit_report_pb2 import HitReport
from exchange.v1.people_pb2 import PersonName
from exchange.v1.travel_pb2 import Leg, LocalTime, Port
from node.intake.countries import COUNTRIES as COUNTRY_CODES
from node.intake.countries import NATIONALITY_CODES, CountryUnknown, country
from node.intake.edtf import EdtfInvalid, read_edtf
from node.intake.fill_in import PORT_OF_TIME, known_port
from node.intake.local_times import check_local_time, span
from node.intake.names import scripts_of
from node.intake.paths import at, item, look_through
from node.intake.ports import LocalTimeInvalid, PortInvalid, PortNotice, port
from node.intake.problems import capped, covers, error, notice, refusal, warning

PARTIAL_DATES: Final = frozenset(
    {
        "exchange.v1.Birth.date",
        "exchange.v1.CourtOrder.expires",
        "exchange.v1.PatternBulletin.period",
        "exchange.v1.Registration.since",
        "exchange.v1.Registration.until",
        "exchange.v1.ReturnTravel.date",
        "exchange.v1.RiskLevel.assessed",
        "exchange.v1.RiskLevel.review_by",
        "exchange.v1.Tip.observed",
        "exchange.v1.TravelDocument.expires",
        "exchange.v1.TravelDocument.issued",
    }
)
"""Text fields that hold an EDTF date. A test compares them with the comments in the schema."""

MONTHS: Final = frozenset({"exchange.v1.Conviction.month", "exchange.v1.NonConvictionBasis.since"})
"""Text fields that hold YYYY-MM or YYYY."""

COUNTRIES: Final = frozenset({"country", "issuer", "prosecuting_country"})
"""Names of text fields that hold an ICAO 9303 country code, in any message."""

LANGUAGES: Final = frozenset({"language", "languages"})
"""Names of text fields that hold a BCP 47 language tag, in any message."""

_Form = Callable[[str, str], Iterator[Problem]]

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?(-[A-Za-z0-9]{5,8})*")
_MONTH = re.compile(r"[0-9]{4}(-(0[1-9]|1[0-2]))?")
CONTROLS: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters but the line feed, and the marks that reorder text: either can make one text look like another."""

_NO_PORT = frozenset({"PORT_COUNTRY", "PORT_SYNTAX"})
_SCHEMA = {
    "string.max_len": ("the text is too long", "shorten it"),
    "string.min_len": ("this is missing", "write it"),
    "string.pattern": ("the text does not have the form that this field has", "write it in the form of the samples"),
    "bytes.len": ("a digest has another length", "write all 64 hexadecimal digits of it"),
    "repeated.min_items": ("there are too few, or none", "write what is missing"),
    "repeated.max_items": ("there are too many", "keep those that matter most"),
}


def check_values(message: Message, path: str = "") -> tuple[Problem, ...]:
    """Find every value in `message`, which stands at `path`, that is none, and every rule of the schema broken elsewhere."""
    found = list(capped(look_through(message, _look)))
    for problem in found:
        problem.field = at(path, problem.field)
    # Whoever names a port that is none yet has not forgotten its zone: it comes with the port.
    unread = {problem.field.removesuffix(".code") for problem in found if problem.code in _NO_PORT}
    broken = [problem.field for problem in found]
    found = [problem for problem in found if problem.code != "LOCAL_TIME_ZONE" or _port_beside(problem.field) not in unread]
    rules = capped(_schema_problems(message, path))
    return (*found, *(rule for rule in rules if not any(covers(field, rule.field) for field in broken)))


def _port_beside(path: str) -> str:
    """The path of the port whose clocks tell a time, by the path of that time's zone; empty for none."""
    whole, _, time = path.removesuffix(".zone").rpartition(".")
    port_of = {name: place for places in PORT_OF_TIME.values() for name, place in places.items()}
    return at(whole, port_of[time]) if time in port_of else ""


def _schema_problems(message: Message, start: str) -> Iterator[Problem]:
    for violation in protovalidate.collect_violations(message):
        path = start
        for element in violation.proto.field.elements if violation.proto.field else ():
            path = at(path, element.field_name)
            if element.subscript is not None:
                path += f"[{element.subscript.value}]"
        rule = violation.proto.rule_id
        # A rule's own message names the rule's bounds, never the value.
        said, remedy = _SCHEMA.get(rule, (violation.proto.message, "write it within these bounds"))
        limit = re.search(r"[0-9]+", violation.proto.message) if rule.endswith(("max_len", "max_items")) else None
        yield error(f"SCHEMA_{rule.upper().replace('.', '_')}", path, said, f"{remedy}: at most {limit[0]}" if limit else remedy)


@cache
def _texts_in(descriptor: Descriptor) -> tuple[tuple[str, bool, tuple[_Form, ...]], ...]:
    """List the text fields of a message type: name, whether it repeats, and the forms that it must have."""
    return tuple(
        (field.name, field.is_repeated, tuple(_forms(field))) for field in descriptor.fields if field.type == FieldDescriptor.TYPE_STRING
    )


def _forms(field: FieldDescriptor) -> Iterator[_Form]:
    if field.full_name in PARTIAL_DATES:
        yield _check_date
    if field.full_name in MONTHS:
        yield _check_month
    if field.full_name == "exchange.v1.Nationality.country":
        yield _check_nationality
    elif field.name in COUNTRIES:
        yield _check_country
    if field.name in LANGUAGES:
        yield _check_language


def _look(message: Message) -> Iterator[Problem]:
    for name, repeats, forms in _texts_in(message.DESCRIPTOR):
        value = getattr(message, name)
        if repeats:
            for index, element in enumerate(value):
                yield from _check_text(element, item(name, index), forms)
        elif value and (forms or CONTROLS.search(value)):
            yield from _check_text(value, name, forms)
    if check := _BY_TYPE.get(type(message)):
        yield from check(message)


def _check_text(value: str, path: str, forms: tuple[_Form, ...]) -> Iterator[Problem]:
    if CONTROLS.search(value):
        said = "the text holds control characters, which can hide or reorder it"
        yield error("TEXT_CONTROL", path, said, "type it anew as plain text")
    for check in forms:
        yield from check(value, path)


def _check_date(value: str, path: str) -> Iterator[Problem]:
    try:
        read_edtf(value)
    except EdtfInvalid as invalid:
        yield refusal(invalid, path)


def _check_month(value: str, path: str) -> Iterator[Problem]:
    if not _MONTH.fullmatch(value):
        yield error("MONTH_SYNTAX", path, "not a month or a year", "write YYYY-MM or YYYY")


def _check_country(value: str, path: str) -> Iterator[Problem]:
    try:
        country(value)
    except CountryUnknown as invalid:
        yield refusal(invalid, path)


def _check_nationality(value: str, path: str) -> Iterator[Problem]:
    if value in NATIONALITY_CODES:
        return
    yield from _check_country(value, path)
    if value in COUNTRY_CODES:
        said = "an organisation is nobody's nationality"
        yield error("COUNTRY_ORGANISATION", path, said, "write a country, or XXX if unknown")


def _check_language(value: str, path: str) -> Iterator[Problem]:
    if not _LANGUAGE.fullmatch(value):
        yield error("LANGUAGE_SYNTAX", path, "not a language tag of BCP 47", "write one such as en-GB, km, th or zh-Hant")


def _check_name(name: PersonName) -> Iterator[Problem]:
    if not (name.family or name.given or name.as_written):
        yield error("NAME_EMPTY", "", "there is no name in it", "write family, given or as_written")
    scripts = scripts_of((name.family, name.given, name.as_written))
    if scripts == ():
        remedy = "give each script as a name of its own: one as primary_name, the others under names"
        yield error("NAME_SCRIPT_MIXED", "", "one name holds letters of several scripts", remedy)
    elif scripts and name.script and name.script not in scripts:
        remedy = f"its letters say {scripts[0]}: write the name in the script that is named, or name the script it is in"
        yield error("NAME_SCRIPT", "script", "the name's letters are not of this script", remedy)


def _check_port(place: Port) -> Iterator[Problem]:
    if not place.code:
        return
    try:
        known = port(place.code)
    except PortInvalid as invalid:
        yield refusal(invalid, "code")
        return
    for said in known.notices:
        if said.code == "PORT_UNKNOWN" or not place.name:
            yield notice(said.code, said.message, "code")
    if known.country and place.country and place.country != known.country:
        remedy = "compare code and country with the ticket"
        yield warning("PORT_COUNTRY", "country", "the port of this code is in another country", remedy)


def _check_time(when: LocalTime) -> Iterator[Problem]:
    # What is no time in any zone is said to be none before its zone is asked for.
    placed = when if when.zone or not when.local else LocalTime(local=when.local, zone="UTC")
    notices: tuple[PortNotice, ...] = ()
    try:
        notices = check_local_time(placed)
    except LocalTimeInvalid as invalid:
        yield refusal(invalid, "zone" if invalid.code == "LOCAL_TIME_ZONE" else "local")
    if placed is not when:
        remedy = "write the IANA zone behind the time, such as Asia/Phnom_Penh; a known port would give it by itself"
        yield error("LOCAL_TIME_ZONE", "zone", "the time has no zone", remedy)
        return
    for said in notices:
        yield notice(said.code, said.message, "local")


def _check_leg(leg: Leg) -> Iterator[Problem]:
    if leg.departure_port.code and leg.departure_port.code == leg.arrival_port.code:
        said, remedy = "this leg ends at the port where it begins", "compare both ports with the ticket"
        yield warning("LEG_NOWHERE", "arrival_port.code", said, remedy)
    yield from _check_zone(leg.departure, leg.departure_port, "departure")
    yield from _check_zone(leg.earliest_departure, leg.departure_port, "earliest_departure")
    yield from _check_zone(leg.arrival, leg.arrival_port, "arrival")


def _check_hit(report: HitReport) -> Iterator[Problem]:
    yield from _check_zone(report.happened, report.place, "happened")


def _check_zone(when: LocalTime, place: Port, path: str) -> Iterator[Problem]:
    known = known_port(place.code)
    if not (known and known.zone and when.zone) or known.zone == when.zone:
        return
    here, there = span(when), span(LocalTime(local=when.local, zone=known.zone))
    if here and there and here != there:
        remedy = "write the time as the board at that port shows it, with that port's zone"
        yield warning("ZONE_OF_PORT", at(path, "zone"), "clocks at this port show another time than in this zone", remedy)


_BY_TYPE: Final[dict[type[Message], Callable[[Any], Iterator[Problem]]]] = {
    HitReport: _check_hit,
    Leg: _check_leg,
    LocalTime: _check_time,
    PersonName: _check_name,
    Port: _check_port,
}
