"""What a machine readable zone adds to an alert, and where it contradicts what the file says besides (ICAO Doc 9303).

The zone fills what the file leaves open: of the document itself, and of its holder, which is the message that has the
documents: `primary_name` or `name`, `birth`, `sex` and `nationalities`, where that message has them. About one document the
zone and the file must agree. About a person they may differ, because documents are forged and names change: that is a warning.
"""

from datetime import date
from typing import Any

from google.protobuf.message import Message

from exchange.v1.desk_service_pb2 import Problem
from exchange.v1.people_pb2 import (
    BIRTH_BASIS_DOCUMENT,
    DOCUMENT_TYPE_IDENTITY_CARD,
    DOCUMENT_TYPE_OTHER,
    DOCUMENT_TYPE_PASSPORT,
    NAME_KIND_LEGAL,
    NAME_ORDER_FAMILY_FIRST,
    NAME_STRENGTH_STRONG,
    NATIONALITY_BASIS_DOCUMENT,
    SEX_FEMALE,
    SEX_MALE,
    SEX_NOT_SPECIFIED_IN_DOCUMENT,
    Birth,
    Nationality,
    PersonName,
)
from node.intake.edtf import EdtfInvalid, read_edtf
from node.intake.mrz import MachineReadableZone
from node.intake.names import romanised
from node.intake.paths import at
from node.intake.problems import error, warning

_TYPES = {"P": DOCUMENT_TYPE_PASSPORT, "I": DOCUMENT_TYPE_IDENTITY_CARD}
_SEXES = {"M": SEX_MALE, "F": SEX_FEMALE, "X": SEX_NOT_SPECIFIED_IN_DOCUMENT}


def fill_document(document: Any, zone: MachineReadableZone, *, today: date, path: str) -> list[Problem]:
    """Fill number, issuer, expiry and type of a `TravelDocument` from its zone; tell what contradicts it."""
    if not document.type:
        document.type = _TYPES.get(zone.document_code[0], DOCUMENT_TYPE_OTHER)
    found = []
    expires = zone.expiry_edtf(today) or ""
    for name, read in (("number", zone.document_number), ("issuer", zone.issuing_state), ("expires", expires)):
        given = getattr(document, name)
        if not given:
            setattr(document, name, read)
        elif read and (_apart(given, read) if name == "expires" else given != read):
            remedy = "compare both with the document and keep one"
            found.append(error("MRZ_CONTRADICTS", at(path, name), "this is not what the machine readable zone says", remedy))
    return found


def fill_holder(holder: Any, zone: MachineReadableZone, *, today: date, path: str, document: str) -> list[Problem]:
    """Fill name, birth, sex and nationality of the holder where the file leaves them open; warn where it differs."""
    fields = holder.DESCRIPTOR.fields_by_name
    differing = []
    name = next((known for known in ("primary_name", "name") if known in fields), None)
    if name and _fill_name(holder, name, zone):
        differing.append(name)
    if "birth" in fields and _fill_birth(holder, zone.birth_edtf(today)):
        differing.append("birth")
    if "sex" in fields and _fill_sex(holder, _SEXES[zone.sex]):
        differing.append("sex")
    if "nationalities" in fields and _fill_nationality(holder, zone.nationality):
        differing.append("nationalities")
    found = [
        warning(
            "MRZ_DIFFERS",
            at(path, field),
            f"this differs from the machine readable zone of {document}",
            "mend it if it is a slip; leave it if the document is what is wrong",
        )
        for field in differing
    ]
    if name and zone.names_truncated:
        remedy = "compare the name with the rest of the document, where it stands in full"
        found.append(warning("MRZ_TRUNCATED", at(path, name), "the name in the zone may be cut short", remedy))
    return found


def _fill_name(holder: Message, field: str, zone: MachineReadableZone) -> bool:
    given = getattr(holder, field)
    if not holder.HasField(field):
        given.CopyFrom(
            PersonName(
                family=zone.surname,
                given=zone.given_names,
                as_written=f"{zone.surname} {zone.given_names}".strip(),
                script="Latn",
                order=NAME_ORDER_FAMILY_FIRST,
                kind=NAME_KIND_LEGAL,
                strength=NAME_STRENGTH_STRONG,
            )
        )
        return False
    words = romanised(f"{given.family} {given.given} {given.as_written}")
    latin = given.script == "Latn" or any("A" <= letter <= "Z" for word in words for letter in word)
    return latin and not words & romanised(f"{zone.surname} {zone.given_names}")


def _fill_birth(holder: Any, read: str | None) -> bool:
    if read is None:
        return False
    if not holder.birth.date:
        holder.birth.MergeFrom(Birth(date=read, basis=holder.birth.basis or BIRTH_BASIS_DOCUMENT))
        return False
    return _apart(holder.birth.date, read)


def _fill_sex(holder: Any, read: int) -> bool:
    if not holder.HasField("sex"):
        holder.sex = read
        return False
    return bool(holder.sex != read)


def _fill_nationality(holder: Any, read: str) -> bool:
    if not holder.nationalities:
        holder.nationalities.append(Nationality(country=read, basis=NATIONALITY_BASIS_DOCUMENT))
        return False
    return all(nationality.country != read for nationality in holder.nationalities)


def _apart(given: str, read: str) -> bool:
    """Tell whether two partial dates cannot mean the same day. A date that cannot be read is told elsewhere."""
    try:
        one, other = read_edtf(given), read_edtf(read)
    except EdtfInvalid:
        return False
    return one.latest() < other.earliest() or other.latest() < one.earliest()
