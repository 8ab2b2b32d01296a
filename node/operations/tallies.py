"""How many disclosures there are of each sort, counted once for each entry, since a log only grows.

What is counted is what the signed entry says and does not change: its day, clause and purpose, and beside it the type of its alert. A
filter that asks for nothing else is answered from these counts; for any other, entries are looked at one by one. They live as long as
the process, and what was altered in the database since is found by `audit fsck`, not by counting again.
"""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

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


class Sort(NamedTuple):
    """What is alike for all disclosures that are counted together."""

    day: int
    """Its first millisecond (UTC)."""
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

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_log: dict[int, _Counted] = {}

    def count(self, ports: Ports, wanted: Filter) -> list[tuple[LogRow, Mapping[Sort, int]]] | None:
        """By log, how many disclosures of each sort fit; None if these counts do not say whether a filter holds. Successions are none."""
        days = _by_days(wanted)
        with ports.store.read() as tx:
            known = [log for log in logs.all_logs(tx) if match(wanted, of_log(log)) is not False]
        found: list[tuple[LogRow, Mapping[Sort, int]]] = []
        for log in known:
            fitting = {}
            for sort, number in self._of(ports, log).items():
                holds = match(wanted, {**of_log(log), **_values(sort), **({"at": sort.day} if days else {})})
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
                counted.numbers.update(sort for sort in map(_sort, rows) if sort is not None)
                counted.upto = end
            return dict(counted.numbers)


def _sort(row: tuple[bytes, str]) -> Sort | None:
    entry = loosely(Entry, row[0])
    if entry.succession:
        return None
    return Sort(day_of(entry), row[1], entry.clause, entry.purpose)


def day_of(entry: Entry) -> int:
    """The first millisecond of the day (UTC) on which it was disclosed."""
    return entry.disclosed_at // DAY_MS * DAY_MS


def _values(sort: Sort) -> dict[str, Any]:
    return {"alert_type": short_type(sort.alert_type), "clause": sort.clause, "purpose": sort.purpose}


def _by_days(wanted: Filter) -> bool:
    """Whether it holds for a moment of a day just if it holds for the day's first."""
    if isinstance(wanted, (And, Or)):
        return all(_by_days(part) for part in wanted.parts)
    if isinstance(wanted, Not):
        return _by_days(wanted.part)
    if wanted.field != "at":
        return True
    return isinstance(wanted, Comparison) and wanted.operator in {">=", "<"} and isinstance(wanted.value, int) and not wanted.value % DAY_MS
