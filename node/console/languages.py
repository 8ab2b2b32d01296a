"""The languages of the console: one catalogue a language below `locale/`, English being what stands in the source.

A catalogue marks each text that no native reviewer has seen; tests keep every catalogue complete. Another language is another file.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from importlib.resources import files
from io import BytesIO
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale
from babel.dates import format_date, format_datetime, format_timedelta
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import NullTranslations, Translations

ENGLISH: Final = "en"
_CHOICE: Final = re.compile(r"\s*([a-zA-Z]{2,3})(?:-[a-zA-Z0-9-]*)?\s*(?:;\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?\s*")
_CHOICES_AT_MOST: Final = 20
_ACRONYM: Final = 5
_TWO_YEARS: Final = timedelta(days=730)


@dataclass(frozen=True)
class Language:
    """One language: its words, dates, numbers and names of countries."""

    code: str
    translations: NullTranslations

    @cached_property
    def locale(self) -> Locale:
        """As Unicode's CLDR knows it."""
        return Locale(self.code)

    @property
    def own_name(self) -> str:
        """What its speakers call it."""
        name = self.locale.get_display_name(self.code) or self.code
        return name[:1].upper() + name[1:]

    def say(self, text: str, **values: object) -> str:
        """The text in this language, its places filled."""
        said = self.translations.ugettext(text) if text else ""
        return said % values if values else said

    def count(self, one: str, many: str, number: int) -> str:
        """The text for so many, with the number in it."""
        return self.translations.ungettext(one, many, number) % {"num": format_decimal(number, locale=self.locale)}

    def number(self, number: int) -> str:
        """A number by itself."""
        return format_decimal(number, locale=self.locale)

    def tenths(self, number: int, *, signed: bool = False) -> str:
        """A number of tenths, with one place after the decimal sign."""
        return format_decimal(number / 10, "+#,##0.0;-#,##0.0" if signed else "#,##0.0", locale=self.locale)

    def day(self, unix_ms: int) -> str:
        """The day (UTC) of a point in time."""
        return format_date(datetime.fromtimestamp(unix_ms / 1000, UTC), "d MMM y", locale=self.locale)

    def country(self, trust_domain: str) -> str:
        """The country of a trust domain, where the domain begins with its two letters; else the domain."""
        label = trust_domain.partition(".")[0].upper()
        return self.locale.territories.get(label, trust_domain) if re.fullmatch("[A-Z]{2}", label) else trust_domain

    def party(self, spiffe_id: str) -> str:
        """What an agency is called, and its country: `GDI, Cambodia`; a node's country; others as they are. Not made safe for a page."""
        domain, _, path = spiffe_id.removeprefix("spiffe://").partition("/")
        kind, _, slug = path.partition("/")
        if path == "node":
            return self.say("Node of %(country)s", country=self.country(domain))
        if kind == "officer" and slug:
            return f"{slug}, {self.country(domain)}"
        if kind != "agency" or not slug:
            return spiffe_id if path else self.country(domain)
        # Few letters without a break are an acronym.
        name = slug.upper() if len(slug) <= _ACRONYM else slug
        return f"{name}, {self.country(domain)}"

    def moment(self, unix_ms: int, zone: str = "UTC") -> str:
        """A point in time at a place, to the minute, with the zone's name; empty for none."""
        if not unix_ms:
            return ""
        try:
            place = ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError):
            place, zone = ZoneInfo("UTC"), "UTC"
        at = datetime.fromtimestamp(unix_ms / 1000, UTC).astimezone(place)
        return f"{format_datetime(at, 'd MMM y, HH:mm', locale=self.locale)} ({zone})"

    def away(self, milliseconds: int) -> str:
        """How far ahead something is, or, below 0, how long ago, in days from a day on: `in 45 days`; in years from two on."""
        span = timedelta(milliseconds=milliseconds)
        if abs(span) < timedelta(days=1):
            return format_timedelta(span, add_direction=True, locale=self.locale)
        if abs(span) >= _TWO_YEARS:
            return format_timedelta(span, granularity="year", add_direction=True, locale=self.locale)
        # No unit is worth that many, so that it stays with days.
        return format_timedelta(span, granularity="day", threshold=10**9, add_direction=True, locale=self.locale)


def _read(code: str) -> Language:
    if code == ENGLISH:
        return Language(code, NullTranslations())
    with (files("node.console") / "locale" / f"{code}.po").open("rb") as file:
        catalogue = read_po(file, locale=code)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Language(code, Translations(compiled))


@cache
def load_languages() -> Mapping[str, Language]:
    """Every language that has a catalogue, English first."""
    found = sorted(entry.name.removesuffix(".po") for entry in (files("node.console") / "locale").iterdir() if entry.name.endswith(".po"))
    return {code: _read(code) for code in (ENGLISH, *found)}


def choose(languages: Mapping[str, Language], chosen: str, accepted: str, own: str = ENGLISH) -> Language:
    """What the person chose, or what the browser asks for (Accept-Language) as far as it is there, or English.

    `own` is the node's, for browsers that ask for nothing.
    """
    if chosen in languages:
        return languages[chosen]
    if accepted.strip() in {"", "*"}:
        return languages.get(own, languages[ENGLISH])
    wanted: list[tuple[float, int, str]] = []
    for place, part in enumerate(accepted.split(",")[:_CHOICES_AT_MOST]):
        matched = _CHOICE.fullmatch(part)
        if matched and matched[1].lower() in languages:
            wanted.append((-float(matched[2] or 1), place, matched[1].lower()))
    best = min(wanted, default=(0.0, 0, ENGLISH))
    return languages[best[2] if best[0] else ENGLISH]
