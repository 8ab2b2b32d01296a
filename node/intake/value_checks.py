"""Whether each value of an alert is one: dates, countries, languages, ports, times, names, and the schema's own rules.

Run on the officer's machine when a file is read, and again by the node, which trusts no client.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

import protovalidate
from google.protobuf.message import Message

from exchange.v1.desk_service_pb2 import Problem
from exchange.v1.people_pb2 import PersonName
from exchange.v1.travel_pb2 import LocalTime, Port
from node.intake.countries import NATIONALITY_CODES, CountryUnknown, country
from node.intake.edtf import EdtfInvalid, read_edtf
from node.intake.fill_in import PORT_OF_TIME, known_port
from node.intake.local_times import check_local_time, span
from node.intake.names import scripts_of
from node.intake.paths import at, leaves, walk
from node.intake.ports import LocalTimeInvalid, PortInvalid, port
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

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?(-[A-Za-z0-9]{5,8})*")
_MONTH = re.compile(r"[0-9]{4}(-(0[1-9]|1[0-2]))?")
# Bidirectional controls can make one text look like another.
REORDERING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

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
    found = list(capped(problem for where, part in walk(message, path) for problem in _check_message(part, where)))
    broken = [problem.field for problem in found]
    return (*found, *(rule for rule in capped(_schema_problems(message, path)) if not any(covers(field, rule.field) for field in broken)))


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


def _check_message(message: Message, path: str) -> Iterator[Problem]:
    for where, name, value in leaves(message, path):
        if isinstance(value, str):
            yield from _check_text(f"{message.DESCRIPTOR.full_name}.{name}", value, where)
    if isinstance(message, PersonName):
        yield from _check_name(message, path)
    elif isinstance(message, Port):
        yield from _check_port(message, path)
    elif isinstance(message, LocalTime):
        yield from _check_time(message, path)
    for time, place in PORT_OF_TIME.get(message.DESCRIPTOR.full_name, {}).items():
        yield from _check_zone(getattr(message, time), getattr(message, place), at(path, time))


def _check_text(field: str, value: str, path: str) -> Iterator[Problem]:
    if any(_is_control(sign) for sign in value):
        yield error("TEXT_CONTROL", path, "the text holds control characters, which can hide or reorder it", "type it anew as plain text")
    name = field.rpartition(".")[2]
    try:
        if field in PARTIAL_DATES:
            read_edtf(value)
        elif name in COUNTRIES:
            country(value)
    except (EdtfInvalid, CountryUnknown) as invalid:
        yield refusal(invalid, path)
        return
    if field == "exchange.v1.Nationality.country" and value not in NATIONALITY_CODES:
        yield error("COUNTRY_ORGANISATION", path, "an organisation is nobody's nationality", "write a country, or XXX if unknown")
    if field in MONTHS and not _MONTH.fullmatch(value):
        yield error("MONTH_SYNTAX", path, "not a month or a year", "write YYYY-MM or YYYY")
    if name in LANGUAGES and not _LANGUAGE.fullmatch(value):
        yield error("LANGUAGE_SYNTAX", path, "not a language tag of BCP 47", "write one such as en-GB, km, th or zh-Hant")


def _is_control(sign: str) -> bool:
    return sign in REORDERING or (unicodedata.category(sign) == "Cc" and sign != "\n")


def _check_name(name: PersonName, path: str) -> Iterator[Problem]:
    if not (name.family or name.given or name.as_written):
        yield error("NAME_EMPTY", path, "there is no name in it", "write family, given or as_written")
    scripts = scripts_of((name.family, name.given, name.as_written))
    if scripts == ():
        remedy = "give each script as a name of its own: one as primary_name, the others under names"
        yield error("NAME_SCRIPT_MIXED", path, "one name holds letters of several scripts", remedy)
    elif scripts and name.script and name.script not in scripts:
        remedy = f"its letters say {scripts[0]}: write the name in the script that is named, or name the script it is in"
        yield error("NAME_SCRIPT", at(path, "script"), "the name's letters are not of this script", remedy)


def _check_port(place: Port, path: str) -> Iterator[Problem]:
    if not place.code:
        return
    try:
        known = port(place.code)
    except PortInvalid as invalid:
        yield refusal(invalid, at(path, "code"))
        return
    for said in known.notices:
        if said.code == "PORT_UNKNOWN" or not place.name:
            yield notice(said.code, said.message, at(path, "code"))
    if known.country and place.country and place.country != known.country:
        remedy = "compare code and country with the ticket"
        yield warning("PORT_COUNTRY", at(path, "country"), "the port of this code is in another country", remedy)


def _check_time(when: LocalTime, path: str) -> Iterator[Problem]:
    if when.local and not when.zone:
        remedy = "write the IANA zone behind the time, such as Asia/Phnom_Penh; a known port would give it by itself"
        yield error("LOCAL_TIME_ZONE", at(path, "zone"), "the time has no zone", remedy)
        return
    try:
        notices = check_local_time(when)
    except LocalTimeInvalid as invalid:
        yield refusal(invalid, at(path, "zone" if invalid.code == "LOCAL_TIME_ZONE" else "local"))
        return
    for said in notices:
        yield notice(said.code, said.message, at(path, "local"))


def _check_zone(when: LocalTime, place: Port, path: str) -> Iterator[Problem]:
    known = known_port(place.code)
    if not (known and known.zone and when.zone) or known.zone == when.zone:
        return
    here, there = span(when), span(LocalTime(local=when.local, zone=known.zone))
    if here and there and here != there:
        remedy = "write the time as the board at that port shows it, with that port's zone"
        yield warning("ZONE_OF_PORT", at(path, "zone"), "clocks at this port show another time than in this zone", remedy)
