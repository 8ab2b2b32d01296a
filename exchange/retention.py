"""How long an alert is kept: the shortest of what binds its holder wins (PROTOCOL.md, sections 6, 7 and 11).

A recipient is bound by the handling of the manifest and of each entry, by the clause of each entry, and by its national rule; the days
count from its receipt. The originator is bound by its own handling and its national rule; the days count from release. Clauses say what
the other side may keep, so they do not bind the originator. A legal hold puts erasure off for as long as it lasts, and nothing else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

DAY_MS: Final = 24 * 3600 * 1000
LONGEST_DAYS: Final = 36_525
"""A hundred years, as in `handling.proto`: more is a mistake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NationalRule:
    """What the law of the holder's country allows, in days of 24 hours. There is always a limit (LED Art. 5)."""

    default_days: int = 1825
    """Five years, as INTERPOL's Rules on the Processing of Data (Art. 49) set for a first retention."""
    by_type: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """By full name of the alert type, e.g. exchange.v1.Tip, where it is another."""
    review_days: int = 365
    """How often the need for storage is reviewed while the limit is further off."""

    def days(self, alert_type: str) -> int:
        """The national limit for one type of alert."""
        return self.by_type.get(alert_type, self.default_days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """When one alert is to be reviewed and erased: Unix milliseconds."""

    erase_by: int
    review_by: int
    """The next review; 0 if the limit comes first."""

    @property
    def next_at(self) -> int:
        """When something is due next."""
        return self.review_by or self.erase_by


class Due(StrEnum):
    """What is to be done about an alert now."""

    NOTHING = "nothing"
    REVIEW = "review"
    ERASE = "erase"
    HELD = "held"
    """Its limit has passed, and a legal hold keeps it."""


def erase_by(start: int, stated: Iterable[int], national_days: int) -> int:
    """The moment from which an alert is kept no longer. `stated` are the days of handlings and clauses, 0 where one says nothing."""
    return start + min([national_days, *(days for days in stated if days)]) * DAY_MS


def term(start: int, limit: int, review_days: int, reviewed_at: int = 0) -> Term:
    """The term of what is kept from `start` until `limit`, last reviewed at `reviewed_at` (0 if never).

    Reviews are every `review_days` after the start, or after the last review; one that would not come before the limit falls away.
    """
    review = max(start, reviewed_at) + review_days * DAY_MS
    return Term(erase_by=limit, review_by=review if review < limit else 0)


def due(kept: Term, now: int, *, held: bool) -> Due:
    """What is due at `now`, Unix milliseconds; from its limit on an alert is kept no longer, unless it is held."""
    if now >= kept.erase_by:
        return Due.HELD if held else Due.ERASE
    return Due.REVIEW if kept.review_by and now >= kept.review_by else Due.NOTHING
