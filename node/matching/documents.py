"""Numbers of travel documents: the same, the same to a careless reader, or one slip apart.

Source of the check digit: ICAO Doc 9303-3, 4.9. Numbers are compared without spaces and signs, in capitals.
"""

from dataclasses import dataclass
from math import log2
from typing import Final

from rapidfuzz.distance import OSA

from node.intake.mrz import check_digit
from node.matching.people import Document

SHORTEST: Final = 5
_CHECKED: Final = 9
"""Signs of a number that fill the field of a zone; the check digit is the next."""
_LOOK_ALIKE: Final = str.maketrans("OQDILZSBG", "000112586")


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentAgreement:
    """`rule` names what was found; `chance` is the share of strangers of whom the same would be found with one given document."""

    rule: str
    chance: float
    outweighs: bool = False
    """The very document of the alert: it counts, whatever the name of whoever shows it."""

    @property
    def points(self) -> float:
        """Bits of evidence."""
        return -log2(self.chance)


_SAME: Final = DocumentAgreement(rule="DOCUMENT_SAME", chance=1e-10, outweighs=True)
_SAME_NUMBER: Final = DocumentAgreement(rule="DOCUMENT_SAME_NUMBER", chance=1e-7, outweighs=True)
_ALIKE: Final = DocumentAgreement(rule="DOCUMENT_LOOKS_ALIKE", chance=3e-9)
_ALIKE_NUMBER: Final = DocumentAgreement(rule="DOCUMENT_NUMBER_LOOKS_ALIKE", chance=1e-6)
_SLIP: Final = DocumentAgreement(rule="DOCUMENT_ONE_SLIP", chance=3e-6)
_SLIP_CHECKED: Final = DocumentAgreement(rule="DOCUMENT_ONE_SLIP_CHECK_DIGIT", chance=3e-7)

DOCUMENT_RULES: Final = (_SAME, _SAME_NUMBER, _ALIKE, _ALIKE_NUMBER, _SLIP_CHECKED, _SLIP)


def plain_number(number: str) -> str:
    """Capitals and digits alone; empty if too short to tell anybody from anybody."""
    plain = "".join(sign for sign in number.upper() if sign.isascii() and sign.isalnum())[:40]
    return plain if len(plain) >= SHORTEST else ""


def alike(plain: str) -> str:
    """What a careless reader makes of a number: 0 and O, 1 and I, 2 and Z, 5 and S, 8 and B, 6 and G are one."""
    return plain.translate(_LOOK_ALIKE)


def readings(number: str) -> tuple[str, ...]:
    """The number, and without its tenth sign where that is the check digit of the nine before, as some lists give it."""
    plain = plain_number(number)
    if len(plain) == _CHECKED + 1 and plain[-1].isdigit() and check_digit(plain[:-1]) == int(plain[-1]):
        return plain, plain[:-1]
    return (plain,) if plain else ()


def agreement(told: Document, shown: Document) -> DocumentAgreement | None:
    """Compare the alert's document (`told`) with the passenger's (`shown`); None if they are two documents."""
    one = plain_number(told.number)
    same_issuer = bool(told.issuer) and told.issuer == shown.issuer
    found = [_number(one, other, same_issuer=same_issuer) for other in readings(shown.number)] if one else []
    if one and same_issuer:
        found.append(_by_check_digit(one, plain_number(shown.number)))
    return min((item for item in found if item), key=lambda item: item.chance, default=None)


def _number(one: str, other: str, *, same_issuer: bool) -> DocumentAgreement | None:
    if one == other:
        return _SAME if same_issuer else _SAME_NUMBER
    if alike(one) == alike(other):
        return _ALIKE if same_issuer else _ALIKE_NUMBER
    if same_issuer and min(len(one), len(other)) >= 7 and OSA.distance(alike(one), alike(other), score_cutoff=1) == 1:
        return _SLIP
    return None


def _by_check_digit(one: str, other: str) -> DocumentAgreement | None:
    """Nine signs misread in one place, but followed by the check digit of the right ones."""
    if len(one) != _CHECKED or len(other) != _CHECKED + 1 or not other[-1].isdigit() or check_digit(one) != int(other[-1]):
        return None
    return _SLIP_CHECKED if OSA.distance(alike(one), alike(other[:-1]), score_cutoff=1) <= 1 else None
