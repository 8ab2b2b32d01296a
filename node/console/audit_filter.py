"""What an auditor chooses from a list, by a form of its own fields, as a filter of the operations and as the query of a link."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, timedelta
from typing import Final, Self
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from exchange.profile import alert_types
from exchange.v1.journal_pb2 import JournalKind
from node.console.audit_words import OUTCOMES
from node.operations.disclosure_scan import short_type
from node.operations.tallies import day_start
from node.reports.audit_lists import both, period_filter

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_CODE: Final = re.compile(r"[A-Z][A-Z0-9_]{0,47}\*?")
_OUTCOME_FILTERS: Final[Mapping[str, str]] = {
    "LOGGED": "state = LOGGED",
    "DELIVERED": "state = DELIVERED",
    "RECEIPTED": "state = RECEIPTED",
    "EXCEPTED": "state = EXCEPTED",
    "WITHHELD": "withheld:*",
    "CORRECTION": "correction = true",
    "CONFLICT": "conflict = true",
    "EMERGENCY": "emergency = true",
}
DIRECTIONS: Final = ("OUTBOUND", "INBOUND")


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A time as it was typed: days by the clock of the console, as its pages show times, the last one included."""

    since: str = ""
    until: str = ""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Self:
        """The known fields of a query or a form; others are left where they are."""
        return cls(**{field.name: given.get(field.name, "").strip() for field in fields(cls)})

    @property
    def query(self) -> str:
        """The same choice in a link."""
        return urlencode({name: value for name, value in asdict(self).items() if value})

    @property
    def problems(self) -> list[str]:
        """Names of the fields that hold no day."""
        return [name for name in ("since", "until") if getattr(self, name) and _day(getattr(self, name)) is None]

    def bounds(self, zone: str) -> tuple[int, int]:
        """From up to and not with, Unix milliseconds, by the clocks of this zone; 0 for no bound."""
        first, last = _day(self.since), _day(self.until)
        # Nothing happened before 1970; the calendar's last day has none after it.
        since = max(day_start(first, ZoneInfo(zone)), 0) if first else 0
        return since, max(day_start(last + timedelta(days=1), ZoneInfo(zone)), 1) if last and last < date.max else 0

    def filter(self, zone: str) -> str:
        """For the operations. Ask for `problems` first."""
        return period_filter(*self.bounds(zone))


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosureChoice(Period):
    """Which disclosures."""

    partner: str = ""
    direction: str = ""
    agency: str = ""
    kind: str = ""
    """Short name of an alert type."""
    outcome: str = ""
    alert: str = ""
    """Digest of a manifest."""

    @property
    def problems(self) -> list[str]:
        """Names of the fields that hold nothing that can be asked for."""
        wrong = {
            "direction": self.direction not in {"", *DIRECTIONS},
            "kind": self.kind not in {"", *map(short_type, alert_types())},
            "outcome": self.outcome not in {"", *OUTCOMES},
            "alert": bool(self.alert) and not _DIGEST.fullmatch(self.alert),
        }
        return [*Period.problems.__get__(self), *(name for name, is_wrong in wrong.items() if is_wrong)]

    def filter(self, zone: str) -> str:
        """For the operations. Ask for `problems` first."""
        return both(
            period_filter(*self.bounds(zone)),
            f"partner = {_quoted(self.partner)}" if self.partner else "",
            f"direction = {self.direction}" if self.direction else "",
            f"audience:{_quoted(self.agency)}" if self.agency else "",
            f"alert_type = {self.kind}" if self.kind else "",
            _OUTCOME_FILTERS.get(self.outcome, ""),
            f"manifest = {self.alert}" if self.alert else "",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EventChoice(Period):
    """Which events of the journal."""

    kind: str = ""
    code: str = ""
    alert: str = ""

    @property
    def problems(self) -> list[str]:
        """Names of the fields that hold nothing that can be asked for."""
        wrong = {
            "kind": bool(self.kind) and self.kind not in KINDS,
            "code": bool(self.code) and not _CODE.fullmatch(self.code.upper()),
            "alert": bool(self.alert) and not _DIGEST.fullmatch(self.alert),
        }
        return [*Period.problems.__get__(self), *(name for name, is_wrong in wrong.items() if is_wrong)]

    def filter(self, zone: str) -> str:
        """For the operations. Ask for `problems` first."""
        return both(
            period_filter(*self.bounds(zone)),
            f"kind = {self.kind}" if self.kind else "",
            f"code = {self.code.upper()}" if self.code else "",
            f"subject = {self.alert}" if self.alert else "",
        )


KINDS: Final[Sequence[str]] = tuple(name.removeprefix("JOURNAL_KIND_") for name, number in JournalKind.items() if number)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else None
    except ValueError:
        return None
