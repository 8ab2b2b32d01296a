"""What is possible and yet unlikely, or possible only on paper: journeys that end before they begin, people too young or old.

Found in any alert type that has such fields; nothing here stops a release but a journey that cannot be.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from functools import cache
from typing import Final

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from exchange.v1.desk_service_pb2 import Problem
from exchange.v1.offending_pb2 import Deadlines
from exchange.v1.people_pb2 import Birth, TravelDocument
from exchange.v1.travel_pb2 import Leg
from node.intake.edtf import EdtfInvalid, PartialDate, read_edtf
from node.intake.instants import instant
from node.intake.local_times import span
from node.intake.paths import at, item, look_through
from node.intake.problems import error, warning

_YOUNGEST: Final = 10
"""Years below which hardly anybody is a known offender or a grown companion."""
_OLDEST: Final = 110


def check_plausibility(alert: Message, now_ms: int) -> list[Problem]:
    """Look at dates and journeys against each other and against `now_ms` (Unix milliseconds)."""
    now = instant(now_ms) or datetime.max.replace(tzinfo=UTC)

    def look(message: Message) -> Iterator[Problem]:
        if isinstance(message, Birth):
            yield from _check_birth(message, now.date())
        elif isinstance(message, TravelDocument):
            yield from _check_document(message, now.date())
        elif isinstance(message, Deadlines):
            yield from _check_deadlines(message, now_ms)
        for name in _journeys_in(message.DESCRIPTOR):
            yield from _check_journey(getattr(message, name), name, now)

    return look_through(alert, look)


@cache
def _journeys_in(descriptor: Descriptor) -> tuple[str, ...]:
    return tuple(field.name for field in descriptor.fields if field.message_type is Leg.DESCRIPTOR and field.is_repeated)


def _check_journey(legs: Sequence[Leg], path: str, now: datetime) -> Iterator[Problem]:
    arrived = None
    ends: list[datetime] = []
    for index, leg in enumerate(legs):
        where = item(path, index)
        departure, arrival, earliest = span(leg.departure), span(leg.arrival), span(leg.earliest_departure)
        if departure and arrival and arrival[1] < departure[0]:
            remedy = "compare both times and their zones with the ticket"
            yield error("LEG_BACKWARDS", at(where, "arrival"), "the arrival is before the departure", remedy)
        if departure and earliest and departure[1] < earliest[0]:
            said = "the departure is before the earliest departure"
            yield warning("LEG_TOO_EARLY", at(where, "earliest_departure"), said, "compare both times")
        if arrived and departure and departure[1] < arrived[0]:
            said = "this leg departs before the one above it arrives"
            remedy = "put the legs in the order of the journey, or mend the times"
            yield warning("LEGS_OUT_OF_ORDER", at(where, "departure"), said, remedy)
        arrived = arrival
        ends += [moment[1] for moment in (departure, arrival) if moment]
    if ends and max(ends) < now:
        remedy = "check the years; if the journey is over, say what the alert is for"
        yield warning("JOURNEY_OVER", path, "the whole journey lies in the past", remedy)


def _partial(text: str) -> PartialDate | None:
    try:
        return read_edtf(text)
    except EdtfInvalid:
        return None  # told where values are checked


def _check_birth(birth: Birth, today: date) -> Iterator[Problem]:
    born = _partial(birth.date)
    if born is None:
        return
    if born.earliest() > today:
        yield error("BIRTH_FUTURE", "date", "the birth date lies in the future", "check the year")
    elif born.earliest().year > today.year - _YOUNGEST or born.latest().year < today.year - _OLDEST:
        said = f"the person would be under {_YOUNGEST} or over {_OLDEST} years old"
        yield warning("BIRTH_UNLIKELY", "date", said, "check the year")


def _check_document(document: TravelDocument, today: date) -> Iterator[Problem]:
    issued, expires = _partial(document.issued), _partial(document.expires)
    if issued and expires and expires.latest() < issued.earliest():
        remedy = "compare both dates with the document"
        yield error("DOCUMENT_BACKWARDS", "expires", "the document expires before it was issued", remedy)
    if expires and expires.latest() < today and not document.status:
        remedy = "write `status: EXPIRED`, or another status"
        yield warning("DOCUMENT_EXPIRED", "expires", "the document has expired", remedy)


def _check_deadlines(deadlines: Deadlines, now_ms: int) -> Iterator[Problem]:
    for name in ("acknowledge_by", "feed_back_by"):
        if 0 < getattr(deadlines, name) <= now_ms:
            yield warning("DEADLINE_OVER", name, "this deadline has passed", "set a later one")
    if 0 < deadlines.feed_back_by < deadlines.acknowledge_by:
        remedy = "feedback comes after acknowledgement: mend one of the two"
        yield warning("DEADLINES_OUT_OF_ORDER", "feed_back_by", "feedback is due before acknowledgement", remedy)
