"""A passenger list as comma-separated values (RFC 4180), with a head that names its columns.

| column | content |
|---|---|
| `family_name`, `given_names` | as in the document; at least one of the two |
| `native_name` | in its own script |
| `birth_date` | YYYY-MM-DD, or what is known of it in EDTF level 1: 1961-04, 1961, 196X |
| `sex` | M or F |
| `nationality`, `document_issuer` | codes of three letters, ICAO Doc 9303-3 |
| `document_number` | with or without its check digit |
| `service` | flight or sailing, carrier and number, the same on every line |
| `service_date` | YYYY-MM-DD, the day on which it departs or arrives, the same on every line |

UTF-8, with or without byte order mark, or UTF-16 with one. Commas, semicolons or tabs, as the head has them. Other columns are refused:
what is not needed is not to be sent.
"""

import csv
import io
from datetime import date
from typing import Final

from node.matching.manifest import Gathered, ManifestInvalid, PassengerList, check_size, number_of, sex_of
from node.matching.people import Document, Passenger
from node.matching.services import crossings, day_of, service_number

COLUMNS: Final = (
    "family_name", "given_names", "native_name", "birth_date", "sex", "nationality", "document_number", "document_issuer", "service",
    "service_date",
)  # fmt: skip
_FIELD_AT_MOST: Final = 2000


def read_passenger_csv(data: bytes, today: date) -> PassengerList:
    """Read a list. Raises `ManifestInvalid`: MANIFEST_…, CSV_TEXT, CSV_COLUMN, CSV_COLUMNS, CSV_LINE."""
    check_size(data)
    text = _text(data)
    head, _, _ = text.partition("\n")
    delimiter = max(",;\t", key=head.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    gathered = Gathered(today)
    services: list[str] = []
    try:
        columns = _columns(next(lines, []))
        for line in lines:
            if not any(cell.strip() for cell in line):
                continue
            if len(line) != len(columns) or any(len(cell) > _FIELD_AT_MOST for cell in line):
                raise ManifestInvalid("CSV_LINE", f"line {lines.line_num} has not one plain cell for each column of the head")
            row = dict(zip(columns, line, strict=True))
            services.append(row.get("service", "").strip())
            _add(gathered, row)
    except csv.Error:
        raise ManifestInvalid("CSV_LINE", f"line {lines.line_num} is no comma-separated line: look for a quotation mark") from None
    service = services[0] if len(set(services)) == 1 else ""
    return gathered.whole("CSV", "".join(sign for sign in service[:20] if sign.isalnum()))


def _text(data: bytes) -> str:
    charset = "utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        text = data.decode(charset)
    except UnicodeDecodeError:
        raise ManifestInvalid("CSV_TEXT", "the list is not in UTF-8, nor in UTF-16 with a byte order mark") from None
    if "\0" in text:
        raise ManifestInvalid("CSV_TEXT", "there is a zero byte in the list")
    return text


def _columns(head: list[str]) -> list[str]:
    columns = [cell.strip().lower() for cell in head]
    for place, column in enumerate(columns, 1):
        if column not in COLUMNS:
            raise ManifestInvalid("CSV_COLUMN", f"column {place} of the head is not one of {', '.join(COLUMNS)}")
    if len(set(columns)) < len(columns) or not {"family_name", "given_names", "native_name", "document_number"}.intersection(columns):
        raise ManifestInvalid("CSV_COLUMNS", "a column stands twice, or there is none with a name or a document number")
    return columns


def _add(gathered: Gathered, row: dict[str, str]) -> None:
    place = len(gathered.passengers) + 1
    number = number_of(row.get("document_number", ""))
    issuer = gathered.country(place, row.get("document_issuer", ""))
    nationality = gathered.country(place, row.get("nationality", ""))
    written = row.get("birth_date", "").strip()
    day = day_of(row.get("service_date", "").strip())
    passenger = Passenger(
        place=place,
        family=gathered.name(place, row.get("family_name", "")),
        given=gathered.name(place, row.get("given_names", "")),
        native=gathered.name(place, row.get("native_name", "")),
        birth=gathered.born(place, written),
        sex=sex_of(row.get("sex", "")),
        nationalities=(nationality,) if nationality else (),
        documents=(Document(number=number, issuer=issuer),) if number else (),
        services=crossings(service_number(row.get("service", "")), [day]),
    )
    if day is None and row.get("service_date", "").strip():
        gathered.warn(place, "SERVICE_DATE_UNREADABLE", "the day of the flight or sailing is no date: it was left aside")
    if not (passenger.family or passenger.given or passenger.native):
        gathered.warn(place, "NAME_MISSING", "there is no name: only the document can be compared")
    if passenger.birth is None and not written:
        gathered.warn(place, "BIRTH_MISSING", "there is no birth date: only a document or a rare name can be recognised")
    gathered.add(passenger)
