"""How many disclosures there are of each sort, counted once for each entry, since a log only grows.

Days are those of one time zone, in which people read the times. What is counted is what the signed entry says and does not change: its
day, clause and purpose, and beside it the type of its alert. A filter that asks for nothing else is answered from these counts; for any
other, entries are looked at one by one. They live as long as the process, and what was altered in the database since is found by `audit
fsck`, not by counting again.
"""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from exchange.v1.disclosure_pb2 import Entry
from node.documents import loosely
from node.filtering.match import match
from node.filtering.terms import And, Comparison, Filter, Not, Or
from node.operations.disclosure_scan import of_log, short_type
from node.ports import Ports
from node.store import logs
from node.store.disclosures import logged_types
from node.store.logs import LogRow

DAY_MS: Final = 24 * 3600 * 1000
_CHUNK: Final = 5000
_UTC: Final = ZoneInfo("UTC")


class Sort(NamedTuple):
    """What is alike for all disclosures that are counted together."""

    day: int
    """As `day_of` says it."""
    alert_type: str
    clause: str
    purpose: int


@dataclass(slots=True)
class _Counted:
    origin: str
    upto: int = 0
    numbers: Counter[Sort] = field(default_factory=Counter)


class Tallies:
    """The counts of one node. Safe to use from many threads."""

    def __init__(self, zone: str = "UTC") -> None:
        self.zone: Final = ZoneInfo(zone)
        """Whose days are counted."""
        self._lock = threading.Lock()
        self._by_log: dict[int, _Counted] = {}

    def count(self, ports: Ports, wanted: Filter) -> list[tuple[LogRow, Mapping[Sort, int]]] | None:
        """By log, how many disclosures of each sort fit; None if these counts do not say whether a filter holds. Successions are none."""
        days = _by_days(wanted, self.zone)
        with ports.store.read() as tx:
            known = [log for log in logs.all_logs(tx) if match(wanted, of_log(log)) is not False]
        found: list[tuple[LogRow, Mapping[Sort, int]]] = []
        for log in known:
            fitting = {}
            for sort, number in self._of(ports, log).items():
                at = {"at": _first_of(sort.day, self.zone)} if days else {}
                holds = match(wanted, {**of_log(log), **_values(sort), **at})
                if holds is None:
                    return None
                if holds:
                    fitting[sort] = number
            found.append((log, fitting))
        return found

    def _of(self, ports: Ports, log: LogRow) -> dict[Sort, int]:
        with self._lock:
            counted = self._by_log.get(log.id)
            if counted is None or counted.origin != log.name.origin or counted.upto > log.size:
                counted = self._by_log[log.id] = _Counted(origin=log.name.origin)
            while counted.upto < log.size:
                end = min(counted.upto + _CHUNK, log.size)
                with ports.store.read() as tx:
                    rows = logged_types(tx, log.id, counted.upto, end)
                counted.numbers.update(sort for sort in (_sort(row, self.zone) for row in rows) if sort is not None)
                counted.upto = end
            return dict(counted.numbers)


def _sort(row: tuple[bytes, str], zone: ZoneInfo) -> Sort | None:
    entry = loosely(Entry, row[0])
    if entry.succession:
        return None
    return Sort(day_of(entry, zone), row[1], entry.clause, entry.purpose)


def day_of(entry: Entry, zone: ZoneInfo) -> int:
    """The day of this zone on which it was disclosed, as the first millisecond that a day of this date has in UTC."""
    return _day_at(entry.disclosed_at, zone)


def day_start(day: date, zone: ZoneInfo) -> int:
    """The first millisecond of a day by the clocks of a zone: where they go forward over midnight, the one at which they do."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * 1000


def _day_at(at: int, zone: ZoneInfo) -> int:
    try:
        return day_start(datetime.fromtimestamp(at // 1000, zone).date(), _UTC)
    except (ValueError, OverflowError, OSError):
        return at // DAY_MS * DAY_MS  # outside the calendar, as a partner may have signed it


def _first_of(day: int, zone: ZoneInfo) -> int:
    try:
        return day_start(datetime.fromtimestamp(day // 1000, UTC).date(), zone)
    except (ValueError, OverflowError, OSError):
        return day


def _values(sort: Sort) -> dict[str, Any]:
    return {"alert_type": short_type(sort.alert_type), "clause": sort.clause, "purpose": sort.purpose}


def _by_days(wanted: Filter, zone: ZoneInfo) -> bool:
    """Whether it holds for a moment of a day just if it holds for the day's first."""
    if isinstance(wanted, (And, Or)):
        return all(_by_days(part, zone) for part in wanted.parts)
    if isinstance(wanted, Not):
        return _by_days(wanted.part, zone)
    if wanted.field != "at":
        return True
    if not isinstance(wanted, Comparison) or wanted.operator not in {">=", "<"} or not isinstance(wanted.value, int):
        return False
    return _first_of(_day_at(wanted.value, zone), zone) == wanted.value
