"""The two sides of a comparison: a passenger on a list, and the subject of an alert as its recipient was told."""

from dataclasses import dataclass
from typing import Final

from node.intake.edtf import PartialDate
from node.matching.services import Service
from node.matching.spelling import Word, words_of

ALIASES_AT_MOST: Final = 40
TITLES: Final = frozenset({"mr", "mrs", "ms", "miss", "mstr", "master", "dr", "prof", "inf", "chd", "mrsdr", "mrdr"})
_RUN_ON_TITLES: Final = ("mstr", "miss", "mrs", "mr", "ms")
_RUN_ON_AT_LEAST: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Document:
    """A travel document: its number as written, and its issuer's code of ICAO Doc 9303-3, empty if unknown."""

    number: str
    issuer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Passenger:
    """One traveller of a list. `place` counts from 1, in the order of the list. No repr: personal data must not reach a log.

    `sex` is M, F or empty; `nationalities` are codes of ICAO Doc 9303-3; `native` is a name in its own script.
    """

    place: int
    family: str
    given: str
    native: str = ""
    birth: PartialDate | None = None
    sex: str = ""
    nationalities: tuple[str, ...] = ()
    documents: tuple[Document, ...] = ()
    services: tuple[Service, ...] = ()
    """The flight or sailing of the list."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Alias:
    """One name of a subject. `label` says which one it is in the alert (`primary_name`, `names[2]`); `text` is as a person reads it."""

    label: str
    text: str
    words: tuple[Word, ...]
    family: frozenset[Word] = frozenset()
    """Those of the family name, where the alert says which they are."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Subject:
    """Whom an alert is about, as far as it was told."""

    reference: int
    """Whatever names the alert to the caller."""
    aliases: tuple[Alias, ...]
    birth: PartialDate | None = None
    sex: str = ""
    nationalities: frozenset[str] = frozenset()
    documents: tuple[Document, ...] = ()
    services: frozenset[Service] = frozenset()
    """Flights and sailings that the alert names, each with the days of its departure and arrival, and once without a day."""


def aliases_of(label: str, family: str, given: str, as_written: str) -> list[Alias]:
    """The readings of one name: of its parts together, and of the form in its own script where that says something else."""
    parts = " ".join(part for part in (family, given) if part.strip())
    found: dict[tuple[Word, ...], Alias] = {}
    for text, first in ((parts, family if given.strip() else ""), (as_written, "")):
        families = words_of(first)
        for place, words in enumerate(words_of(text)):
            known = families[place] if place < len(families) else ()
            found.setdefault(words, Alias(label=label, text=text.strip(), words=words, family=frozenset(known)))
    return list(found.values())


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Shown:
    """One reading of a passenger's name; `family` are the words of the family name, empty where all stands in one field."""

    words: tuple[Word, ...]
    family: frozenset[Word] = frozenset()


def names_of(passenger: Passenger) -> list[Shown]:
    """The readings of a passenger's name, without titles; what may be a title or the end of a name is read both ways."""
    found: dict[tuple[Word, ...], Shown] = {}
    families = words_of(passenger.family) if passenger.given.strip() else []
    for given in dict.fromkeys((_untitled(passenger.given), passenger.given)):
        for place, words in enumerate(words_of(f"{passenger.family} {given}")):
            kept = tuple(word for word in words if word.spelt not in TITLES) or words
            found.setdefault(kept, Shown(words=kept, family=frozenset(families[place] if place < len(families) else ())))
    for words in words_of(passenger.native):
        found.setdefault(words, Shown(words=words))
    return list(found.values())


def _untitled(given: str) -> str:
    # Airlines write the title after the given names, often without a space: JOHN PAULMR.
    lower = given.lower()
    for title in _RUN_ON_TITLES:
        if lower.endswith(title) and len(lower) >= len(title) + _RUN_ON_AT_LEAST and not lower[: -len(title)].endswith(" "):
            return f"{given[: -len(title)]} {title}"
    return given
