"""Alerts and passengers for the matcher, made of synthetic persons: who is sought, how they come, and who merely travels."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from node.intake.edtf import read_edtf
from node.matching.people import Document, Passenger, Subject, aliases_of
from node.matching.services import Service
from tests.corpora import crossings, variants
from tests.corpora.persons import MAKERS, Person, person

GROUPS = tuple(MAKERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """A person and the alert about them."""

    person: Person
    subject: Subject
    leg: Service | None
    """The flight that the alert names."""


def alerts(count: int, seed: int = 1) -> Iterator[Sought]:
    """That many alerts, the groups in turn; a third of them with the name in its own script, half with a document, half with a flight."""
    rng, journeys = random.Random(seed), random.Random(f"journeys {seed}")
    for reference in range(count):
        who = person(rng, GROUPS[reference % len(GROUPS)])
        leg = crossings.told(journeys)
        yield Sought(person=who, subject=_subject(rng, who, reference, leg), leg=leg)


def _subject(rng: random.Random, who: Person, reference: int, leg: Service | None) -> Subject:
    aliases = aliases_of("primary_name", who.family, " ".join(who.given), "")
    # Hong Kong's spelling cannot be told from Pinyin without the characters, so Chinese alerts nearly always have them.
    if who.native and rng.random() < (0.95 if who.group == "Chinese" else 0.33):
        aliases += aliases_of("names[0]", "", "", who.native)
    return Subject(
        reference=reference,
        aliases=tuple(aliases),
        birth=read_edtf(variants.told_birth(rng, who.born)),
        sex=who.sex if rng.random() < 0.95 else "",
        nationalities=frozenset({who.country} if rng.random() < 0.95 else ()),
        documents=(Document(number=who.number, issuer=who.country),) if rng.random() < 0.5 else (),
        services=crossings.of_alert(leg),
    )


def returning(rng: random.Random, sought: Sought) -> tuple[str, Passenger]:
    """The sought person under a variant of the name; two of five whose passport the alert knows still travel on it."""
    who = sought.person
    kind, (family, given) = variants.variant(rng, who)
    known = bool(sought.subject.documents) and rng.random() < 0.4
    number = who.number if known else f"Z{rng.randrange(10**8):08d}"
    born = variants.shown_birth(rng, who.born).isoformat()
    return kind, _passenger(who, family, given, born, number, crossings.of_list(_apart(number), sought.leg))


def with_misread_document(rng: random.Random, who: Person) -> Passenger:
    """The sought person with the known passport, its number misread, under a variant of the name."""
    _, (family, given) = variants.variant(rng, who)
    return _passenger(who, family, given, who.born.isoformat(), variants.misread(rng, who.number))


def innocent(rng: random.Random, group: str) -> Passenger:
    """A traveller whom no alert is about."""
    who = person(rng, group)
    return _passenger(
        who, variants.zone(who.family), variants.zone(" ".join(who.given)), who.born.isoformat(), who.number,
        crossings.of_list(_apart(who.number)),
    )  # fmt: skip


def _apart(number: str) -> random.Random:
    """Journeys are drawn apart, so that the same persons come under the same names with them and without."""
    return random.Random(number)


def _passenger(who: Person, family: str, given: str, born: str, number: str, services: tuple[Service, ...] = ()) -> Passenger:
    return Passenger(
        place=1, family=family, given=given, birth=read_edtf(born), sex=who.sex, nationalities=(who.country,),
        documents=(Document(number=number, issuer=who.country),), services=services,
    )  # fmt: skip
