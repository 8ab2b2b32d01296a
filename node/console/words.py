"""The words for what an alert says, in the language of a person: the tables of `node.reading_texts`, each word from the catalogue."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Final

from babel.core import get_global
from babel.dates import get_month_names
from google.protobuf.descriptor import Descriptor, EnumDescriptor

from exchange.profile import alert_types
from node import health_texts
from node.console.languages import Language
from node.intake.countries import COUNTRIES, Country
from node.intake.fields import enum_prefix
from node.matching.rule_words import RULES
from node.reading_texts import ENGLISH, Texts
from node.reading_values import safe_text
from node.tips.routing import REASONS
from node.tips.safeguards import SAFEGUARDS

_TEMPLATES: Final = (
    *("not_known", "not_disclosed", "fact", "assessment", "yes", "no", "unknown_code", "span", "uncertain", "approximate"),
    *("uncertain_and_approximate", "local_time", "instant", "machine_translated", "arrow", "whole"),
)
"""The fields of `Texts` that are words by themselves; days and months are written as the language does."""


@cache
def field_names() -> frozenset[str]:
    """Every field that an alert of any type can hold, however deep."""
    return frozenset(field.name for message in _messages() for field in message.fields)


@cache
def enum_values() -> Mapping[str, str]:
    """Every enum value that an alert can hold, by full name, in English words."""
    found: dict[str, str] = {}
    for message in _messages():
        for enum in {field.enum_type for field in message.fields if field.enum_type}:
            found |= _words_of(enum)
    return found


def categories() -> frozenset[str]:
    """Every category of fields."""
    return frozenset(field.category for kind in alert_types().values() for field in kind.fields)


def english_words() -> Iterator[str]:
    """Every English word or template that `texts_in` looks up."""
    yield from (getattr(ENGLISH, name) for name in _TEMPLATES)
    yield from (ENGLISH.label(name) for name in field_names())
    yield from enum_values().values()
    yield from (ENGLISH.category(name) for name in categories())
    yield from ENGLISH.scripts.values()
    yield from health_texts.english_texts()
    yield from map(type_words, alert_types())
    yield from SAFEGUARDS.values()
    yield from REASONS.values()
    yield from RULES.values()
    yield from (country.name for country in COUNTRIES.values() if country.alpha2 is None)


def type_words(name: str) -> str:
    """What people call a type of alert, in English: `exchange.v1.TravelAlert` is a Travel alert."""
    short = name.rpartition(".")[2]
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in short).strip()
    return spaced[:1].upper() + spaced[1:]


def party_words(language: Language, spiffe_id: str) -> str:
    """What an agency is called on a page, and its country in that language; other names as they are."""
    return safe_text(language.party(spiffe_id))


@cache
def texts_in(language: Language) -> Texts:
    """The tables of words in a language."""
    months = get_month_names("wide", locale=language.locale)
    return replace(
        ENGLISH,
        **{name: language.say(getattr(ENGLISH, name)) for name in _TEMPLATES},
        months=tuple(months[number] for number in range(1, 13)),
        labels={name: language.say(ENGLISH.label(name)) for name in field_names()},
        values={name: language.say(words) for name, words in enum_values().items()},
        categories={name: language.say(ENGLISH.category(name)) for name in categories()},
        scripts={code: language.say(words) for code, words in ENGLISH.scripts.items()},
        countries={code: _country(language, country) for code, country in COUNTRIES.items()},
        languages=language.locale.languages,
    )


def texts_at(language: Language, party: str) -> Texts:
    """The same, with points in time told by the clocks of the country of an agency or trust domain, if it has but one zone."""
    country = party.removeprefix("spiffe://").partition("/")[0].partition(".")[0].upper()
    zones = get_global("territory_zones").get(country, ())
    return replace(texts_in(language), zone=zones[0] if len(zones) == 1 else "")


def _country(language: Language, country: Country) -> str:
    named = language.locale.territories.get(country.alpha2) if country.alpha2 else None
    return named or language.say(country.name)


@cache
def _messages() -> tuple[Descriptor, ...]:
    found: dict[str, Descriptor] = {}
    waiting: list[Any] = [kind.message.DESCRIPTOR for kind in alert_types().values()]
    while waiting:
        message = waiting.pop()
        if message.full_name not in found:
            found[message.full_name] = message
            waiting += [field.message_type for field in message.fields if field.message_type]
    return tuple(found.values())


def _words_of(enum: EnumDescriptor) -> dict[str, str]:
    prefix = enum_prefix(enum)
    return {value.name: ENGLISH.value(value.name, prefix) for value in enum.values if value.number}
