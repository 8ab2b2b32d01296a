"""Disclosures counted by day and by the way that they went, for a timeline and a flow between countries. Never content."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from node.filtering.parse import parse_filter
from node.filtering.terms import Filter
from node.operations.access import note_access
from node.operations.audit_disclosures import month_of
from node.operations.audit_paging import digest_of
from node.operations.disclosure_scan import DISCLOSURE_FIELDS, Position, partner_of, scan_page
from node.operations.officers import AUDITOR, require
from node.operations.tallies import Sort, Tallies, day_of
from node.ports import Ports
from node.store.journal import Event, Kind
from node.store.logs import LogRow

AT_MOST: Final = 20_000
"""Entries that are looked at one by one, the newest of each log first: whoever has more narrows the time, or asks for statistics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What was counted, and among how many of all entries."""

    by_day: Mapping[tuple[int, bool], int]
    """By the day, as `node.operations.tallies.day_of` says it, and whether they went out."""
    by_way: Mapping[tuple[str, str], int]
    """By the trust domains of sender and recipient."""
    by_row: Mapping[tuple[str, bool, str, str, str, int], int]
    """By partner, whether they went out, month, type, clause and purpose."""
    scanned: int
    total: int

    @property
    def whole(self) -> bool:
        """Whether every entry that the filter may hold for was looked at."""
        return self.scanned >= self.total


def count_disclosures(ports: Ports, person: str, filter_text: str, tallies: Tallies) -> Counted:
    """Disclosures for which the filter holds, counted: all of them where `tallies` can say it. Raises `Malformed` (FILTER)."""
    require(ports, person, (AUDITOR,))
    wanted = parse_filter(filter_text, DISCLOSURE_FIELDS)
    counted = _tallied(tallies.count(ports, wanted)) or _looked_at(ports, wanted, tallies.zone)
    note_access(ports, Kind.JOURNAL_KIND_REVIEW, person, Event(code="STATISTICS", subject=digest_of("counts", filter_text)))
    return counted


def _tallied(found: list[tuple[LogRow, Mapping[Sort, int]]] | None) -> Counted | None:
    if found is None:
        return None
    counting, total = _Counting(), sum(log.size for log, _ in found)
    for log, numbers in found:
        for sort, number in numbers.items():
            counting.add(log, sort, number)
    return counting.counted(total, total)


def _looked_at(ports: Ports, wanted: Filter, zone: ZoneInfo) -> Counted:
    counting = _Counting()
    scanned = total = 0
    position: Position | None = None
    while scanned < AT_MOST:
        with ports.store.read() as tx:
            page = scan_page(ports, tx, wanted, AT_MOST, position, newest=True)
        for one in page.found:
            kind = one.alert.alert_type if one.alert else ""
            counting.add(one.log, Sort(day_of(one.entry, zone), kind, one.entry.clause, one.entry.purpose), 1)
        scanned += page.scanned
        total = max(total, page.total)
        position = page.following
        if position is None:
            break
    return counting.counted(scanned, total)


class _Counting:
    def __init__(self) -> None:
        self._days: Counter[tuple[int, bool]] = Counter()
        self._ways: Counter[tuple[str, str]] = Counter()
        self._rows: Counter[tuple[str, bool, str, str, str, int]] = Counter()

    def add(self, log: LogRow, sort: Sort, number: int) -> None:
        self._days[sort.day, log.outbound] += number
        self._ways[log.name.sender, log.name.recipient] += number
        self._rows[partner_of(log), log.outbound, month_of(sort.day), sort.alert_type, sort.clause, sort.purpose] += number

    def counted(self, scanned: int, total: int) -> Counted:
        return Counted(by_day=self._days, by_way=self._ways, by_row=self._rows, scanned=scanned, total=total)
