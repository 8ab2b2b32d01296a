"""A policy pack: what one country's law asks for before anything may be told to another, as data that its authority signs.

A pack is a C2SP signed note whose text is TOML. What it may say is closed: an unknown word makes the whole pack unreadable, since a
rule that is not understood would otherwise be a rule that is not kept.

```toml
policy = "gb-transfers"
version = 1
country = "GB"
issued_by = "…"
valid_from = 2026-01-01T00:00:00Z
valid_until = 2028-01-01T00:00:00Z

[countries]                      # which node stands in which country; to any other nothing goes
"vn.alerts.example" = "VN"

[[rules]]
id = "capital-punishment"
law = "…"
destinations = ["VN"]            # conditions: all of those given must hold
offence_classes = ["TRAFFICKING"]
needs = ["DEATH_PENALTY_ASSURANCE"]
withholds = ["HEALTH"]           # data categories that must not go at all
```
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from exchange.errors import Malformed, Refused, Unverified
from exchange.tlog.note import NoteVerifier, open_note
from exchange.v1.agreement_pb2 import AgencyClass
from exchange.v1.handling_pb2 import Purpose
from exchange.v1.offending_pb2 import OffenceClass
from exchange.v1.options_pb2 import DataCategory
from exchange.values import TRUST_DOMAIN_PATTERN

MAX_PACK_BYTES: Final = 256 * 1024

NEEDS: Final = frozenset(
    {
        "ASSESSMENT",
        "ADEQUACY",
        "SAFEGUARDS",
        "SPECIAL_CIRCUMSTANCES",
        "OVERSEAS_SECURITY_AND_JUSTICE",
        "DEATH_PENALTY_ASSURANCE",
        "JUDICIAL_AUTHORISATION",
        "WRITTEN_UNDERTAKING",
    }
)
"""What a rule may ask a transfer assessment to state."""

_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_TRUST_DOMAIN: Final = re.compile(TRUST_DOMAIN_PATTERN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. Each condition that is given must hold; an empty one always does."""

    id: str
    law: str
    """The provision, for people to read."""
    destinations: frozenset[str]
    """ISO 3166-1 codes."""
    classes: frozenset[int]
    """`AgencyClass` of the recipient."""
    alert_types: frozenset[str]
    """Short names, e.g. TravelAlert."""
    purposes: frozenset[int]
    offence_classes: frozenset[int]
    """Holds when the alert tells of any of them."""
    categories: frozenset[str]
    """Holds when a field of any of these data categories would go."""
    needs: frozenset[str]
    """Of `NEEDS`: what an assessment in force must state."""
    withholds: frozenset[str]
    """Data categories of which nothing may go."""

    @classmethod
    def of_clause(cls, needs: frozenset[str]) -> Self:
        """What a clause of the agreement itself asks for."""
        nothing: frozenset[Any] = frozenset()
        return cls(
            id="clause",
            law="the agreement's own clause",
            destinations=nothing,
            classes=nothing,
            alert_types=nothing,
            purposes=nothing,
            offence_classes=nothing,
            categories=nothing,
            needs=needs,
            withholds=nothing,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyPack:
    """All rules of one country, in force from `valid_from` up to `valid_until` (Unix milliseconds)."""

    name: str
    version: int
    country: str
    issued_by: str
    valid_from: int
    valid_until: int
    countries: Mapping[str, str]
    """Trust domain to ISO 3166-1 code."""
    rules: tuple[Rule, ...]

    @property
    def label(self) -> str:
        """How people and records name it."""
        return f"{self.name} version {self.version}"


def open_pack(note: bytes, verifier: NoteVerifier, country: str) -> PolicyPack:
    """Verify and read the pack of `country`, signed by the authority's key.

    Raises `Unverified` (POLICY_SIGNATURE), `Malformed` (POLICY_MALFORMED, with the place), `Refused` (POLICY_COUNTRY: another country's).
    """
    if len(note) > MAX_PACK_BYTES:
        raise Malformed("POLICY_MALFORMED", "a policy pack has at most 256 KiB")
    try:
        text = open_note(note, [verifier]).text
    except (Malformed, Unverified):
        raise Unverified("POLICY_SIGNATURE", "the policy pack is not signed by the key that the configuration names") from None
    pack = read_pack(text)
    if pack.country != country:
        raise Refused("POLICY_COUNTRY", "the policy pack is another country's than this node's")
    return pack


def read_pack(text: bytes) -> PolicyPack:
    """Read a pack's text, which proves nothing without its signature. Raises `Malformed` (POLICY_MALFORMED)."""
    try:
        table = tomllib.loads(text.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise _malformed("it is not TOML in UTF-8") from None
    table_reader = _Table("the pack", table)
    pack = PolicyPack(
        name=table_reader.matching("policy", _ID),
        version=table_reader.whole("version"),
        country=table_reader.matching("country", _COUNTRY),
        issued_by=table_reader.text("issued_by"),
        valid_from=table_reader.instant("valid_from"),
        valid_until=table_reader.instant("valid_until"),
        countries=table_reader.countries("countries"),
        rules=tuple(_rule(number, rule) for number, rule in enumerate(table_reader.tables("rules"))),
    )
    table_reader.nothing_else()
    if pack.valid_from >= pack.valid_until:
        raise _malformed("it ends before it begins")
    if len({rule.id for rule in pack.rules}) != len(pack.rules) or not pack.rules:
        raise _malformed("it has no rules, or two of one id")
    return pack


def _rule(number: int, table: Mapping[str, Any]) -> Rule:
    reader = _Table(f"rules[{number}]", table)
    rule = Rule(
        id=reader.matching("id", _ID),
        law=reader.text("law"),
        destinations=reader.words("destinations", None, _COUNTRY),
        classes=reader.numbers("classes", AgencyClass.items(), "AGENCY_CLASS_"),
        alert_types=reader.words("alert_types", None, re.compile(r"[A-Z][A-Za-z]{1,62}")),
        purposes=reader.numbers("purposes", Purpose.items(), "PURPOSE_"),
        offence_classes=reader.numbers("offence_classes", OffenceClass.items(), "OFFENCE_CLASS_"),
        categories=reader.words("categories", _CATEGORIES),
        needs=reader.words("needs", NEEDS),
        withholds=reader.words("withholds", _CATEGORIES),
    )
    reader.nothing_else()
    if not rule.needs and not rule.withholds:
        raise _malformed(f"rules[{number}] asks for nothing")
    return rule


_CATEGORIES: Final = frozenset(name.removeprefix("DATA_CATEGORY_") for name, number in DataCategory.items() if number)


class _Table:
    """One table of the file, each key asked for once."""

    def __init__(self, where: str, table: Mapping[str, Any]) -> None:
        self._where = where
        self._left = dict(table)

    def text(self, key: str) -> str:
        value = self._left.pop(key, None)
        if not isinstance(value, str) or not value.strip() or len(value) > 500:
            raise _malformed(f"{self._where}: {key} must be a text of at most 500 characters")
        return value

    def matching(self, key: str, pattern: re.Pattern[str]) -> str:
        value = self.text(key)
        if not pattern.fullmatch(value):
            raise _malformed(f"{self._where}: {key} has not the form that the page gives")
        return value

    def whole(self, key: str) -> int:
        value = self._left.pop(key, None)
        if type(value) is not int or value < 1:
            raise _malformed(f"{self._where}: {key} must be a whole number above 0")
        return value

    def instant(self, key: str) -> int:
        value = self._left.pop(key, None)
        if not isinstance(value, datetime) or value.tzinfo is None:
            raise _malformed(f"{self._where}: {key} must be a time with its zone")
        return int(value.timestamp() * 1000)

    def countries(self, key: str) -> Mapping[str, str]:
        value = self._left.pop(key, None)
        good = isinstance(value, dict) and all(
            _TRUST_DOMAIN.fullmatch(name) and isinstance(code, str) and _COUNTRY.fullmatch(code) for name, code in value.items()
        )
        if not good:
            raise _malformed(f"{self._where}: {key} must be a table of countries by trust domain")
        return dict(value or {})

    def tables(self, key: str) -> list[Mapping[str, Any]]:
        value = self._left.pop(key, None)
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise _malformed(f"{self._where}: {key} must be tables")
        return value

    def words(self, key: str, known: frozenset[str] | None, pattern: re.Pattern[str] | None = None) -> frozenset[str]:
        value = self._left.pop(key, [])
        good = isinstance(value, list) and all(
            isinstance(word, str) and (word in known if known is not None else pattern is None or pattern.fullmatch(word)) for word in value
        )
        if not good or len(set(value)) != len(value):
            raise _malformed(f"{self._where}: {key} must be a list of known words, each once")
        return frozenset(value)

    def numbers(self, key: str, names: Sequence[tuple[str, int]], prefix: str) -> frozenset[int]:
        known = {name.removeprefix(prefix): number for name, number in names if number}
        return frozenset(known[word] for word in self.words(key, frozenset(known)))

    def nothing_else(self) -> None:
        if self._left:
            raise _malformed(f"{self._where}: there are keys that this version does not know")


def _malformed(reason: str) -> Malformed:
    return Malformed("POLICY_MALFORMED", f"the policy pack cannot be read: {reason}")
