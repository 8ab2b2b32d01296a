"""UN/EDIFACT PAXLST: the passenger list that airlines send (WCO/IATA/ICAO guidelines on advance passenger information, appendix II A).

What is read of the flight: TDT carrier and number, DTM+189 and DTM+232 its days. Of each traveller (NAD+FL, or FM for crew), whatever else
stands between: ATT+2 sex, DTM+329 birth, NAT+2 nationality, DOC the document's number, LOC+91 its issuer. Lists differ in order and repeat
groups; segments that are not known are passed over.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from node.matching.edifact import Segment, segments_of
from node.matching.manifest import Gathered, ManifestInvalid, PassengerList, check_size, number_of, sex_of
from node.matching.people import Document, Passenger
from node.matching.services import Service, crossings, day_of, service_number

_TRAVELLERS: Final = frozenset({"FL", "FM", "DDU", "DDT"})
"""Function codes of NAD: passenger, crew member, in transit in either direction."""
_SHORT_DATE, _LONG_DATE = 6, 8
_FLIGHT_TIMES: Final = frozenset({"189", "232"})
_WITHOUT_CENTURY: Final = frozenset({"101", "201"})
"""Forms of a time that begin with two digits of the year: YYMMDD, YYMMDDhhmm."""
_DOCUMENTS_AT_MOST: Final = 10
_LEGS_AT_MOST: Final = 10
_VISA: Final = "V"


@dataclass(slots=True)
class _Traveller:
    names: tuple[str, ...]
    sex: str = ""
    birth: str = ""
    nationalities: list[str] = field(default_factory=list)
    documents: list[list[str]] = field(default_factory=list)


def read_paxlst(data: bytes, today: date) -> PassengerList:
    """Read all passenger lists of an interchange as one.

    Raises `ManifestInvalid` as `segments_of`, and MANIFEST_EMPTY, MANIFEST_TOO_LARGE, MANIFEST_PASSENGERS, MANIFEST_NOBODY, PAXLST_TYPE,
    PAXLST_MESSAGE.
    """
    check_size(data)
    segments = segments_of(data)
    gathered = Gathered(today)
    service = ""
    for message in _messages(segments):
        for segment in message:
            if _tag(segment) == "TDT" and not service:
                service = _component(segment, 2)[:20]
        flown = _flown(message)
        for traveller in _travellers(message):
            _add(gathered, traveller, flown)
    return gathered.whole("PAXLST", "".join(sign for sign in service if sign.isalnum()))


def _messages(segments: Sequence[Segment]) -> Iterator[list[Segment]]:
    current: list[Segment] | None = None
    seen = False
    for place, segment in enumerate(segments, 1):
        tag = _tag(segment)
        if tag == "UNH":
            if _component(segment, 2) != "PAXLST":
                raise ManifestInvalid("PAXLST_TYPE", f"the message that begins at segment {place} is no PAXLST")
            if current is not None:
                raise ManifestInvalid("PAXLST_MESSAGE", f"a message begins at segment {place} before the one before it ends")
            current = []
        elif tag == "UNT":
            if current is None:
                raise ManifestInvalid("PAXLST_MESSAGE", f"a message ends at segment {place} and none has begun")
            yield current
            current, seen = None, True
        elif current is not None:
            current.append(segment)
    if current is not None or not seen:
        raise ManifestInvalid("PAXLST_MESSAGE", "there is no message, or the last one has no end: the list was cut off")


def _flown(message: list[Segment]) -> tuple[Service, ...]:
    """The flights of a message, each with the days that are given behind it."""
    legs: list[tuple[str, list[date | None]]] = []
    for segment in message:
        if _tag(segment) == "TDT":
            legs.append((service_number(_component(segment, 2), _component(segment, 5)), []))
        elif _tag(segment) == "DTM" and legs and _component(segment, 1) in _FLIGHT_TIMES:
            legs[-1][1].append(_flight_day(segment))
    return tuple(dict.fromkeys(crossing for number, days in legs[:_LEGS_AT_MOST] for crossing in crossings(number, days[:_LEGS_AT_MOST])))


def _flight_day(segment: Segment) -> date | None:
    written = _component(segment, 1, 1)
    return day_of(f"20{written}"[:_LONG_DATE] if _component(segment, 1, 2) in _WITHOUT_CENTURY else written[:_LONG_DATE])


def _travellers(message: list[Segment]) -> Iterator[_Traveller]:
    current: _Traveller | None = None
    for segment in message:
        tag = _tag(segment)
        if tag == "NAD":
            if current is not None:
                yield current
            current = _Traveller(_names(segment)) if _component(segment, 1) in _TRAVELLERS else None
        elif current is not None:
            _take(current, tag, segment)
    if current is not None:
        yield current


def _take(traveller: _Traveller, tag: str, segment: Segment) -> None:
    qualifier = _component(segment, 1)
    if tag == "ATT" and qualifier == "2":
        traveller.sex = sex_of(_component(segment, 3) or _component(segment, 2))
    elif tag == "DTM" and qualifier == "329":
        traveller.birth = _component(segment, 1, 1)
    elif tag == "NAT":
        traveller.nationalities.append(_component(segment, 2))
    elif tag == "DOC" and not qualifier.upper().startswith(_VISA):
        traveller.documents.append([_component(segment, 2), ""])
    elif tag == "DOC":
        traveller.documents.append(["", ""])  # what follows belongs to the visa, which tells nobody from anybody
    elif tag == "LOC" and qualifier == "91" and traveller.documents:
        traveller.documents[-1][1] = _component(segment, 2)


def _names(segment: Segment) -> tuple[str, ...]:
    # Party name (element 5, C080: family, given, further given names); some put it into C058 before it.
    for place in (4, 3):
        if place < len(segment) and any(part.strip() for part in segment[place]):
            return segment[place]
    return ()


def _add(gathered: Gathered, traveller: _Traveller, flown: tuple[Service, ...]) -> None:
    place = len(gathered.passengers) + 1
    family, given = (traveller.names[:1] or ("",))[0], " ".join(part for part in traveller.names[1:3] if part)
    documents = [(number_of(number), issuer) for number, issuer in traveller.documents[:_DOCUMENTS_AT_MOST] if number.strip()]
    nationalities = [gathered.country(place, code) for code in traveller.nationalities[:_DOCUMENTS_AT_MOST]]
    passenger = Passenger(
        place=place,
        family=gathered.name(place, family),
        given=gathered.name(place, given),
        birth=gathered.born(place, _birth(gathered, traveller.birth)),
        sex=traveller.sex,
        nationalities=tuple(dict.fromkeys(code for code in nationalities if code)),
        documents=tuple(Document(number=number, issuer=gathered.country(place, issuer)) for number, issuer in documents),
        services=flown,
    )
    if not passenger.family and not passenger.given:
        gathered.warn(place, "NAME_MISSING", "there is no name: only the document can be compared")
    if passenger.birth is None and not traveller.birth:
        gathered.warn(place, "BIRTH_MISSING", "there is no birth date: only a document or a rare name can be recognised")
    gathered.add(passenger)


def _birth(gathered: Gathered, text: str) -> str:
    text = text.strip()
    if not text.isdigit() or not text.isascii():
        return text
    if not text.strip("0"):
        return ""
    if len(text) == _SHORT_DATE:
        return gathered.two_digit_year(text)
    if len(text) == _LONG_DATE:
        parts = (text[:4], text[4:6], text[6:])
        return "-".join(parts[: parts.index("00") if "00" in parts else 3])
    return text


def _tag(segment: Segment) -> str:
    return segment[0][0].strip().upper()


def _component(segment: Segment, element: int, component: int = 0) -> str:
    if element >= len(segment) or component >= len(segment[element]):
        return ""
    return segment[element][component].strip()
