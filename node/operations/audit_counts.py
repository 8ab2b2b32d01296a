"""Disclosures counted by day and by the way that they went, for a timeline and a flow between countries. Never content."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from node.filtering.parse import parse_filter
from node.operations.access import note_access
from node.operations.audit_disclosures import month_of
from node.operations.audit_paging import digest_of
from node.operations.disclosure_scan import DISCLOSURE_FIELDS, Position, partner_of, scan_page
from node.operations.officers import AUDITOR, require
from node.ports import Ports
from node.store.journal import Event, Kind

DAY_MS: Final = 24 * 3600 * 1000
AT_MOST: Final = 20_000
"""Entries that one count looks at, the newest of each log first: whoever has more narrows the time, or asks for statistics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What was counted, and among how many of all entries."""

    by_day: Mapping[tuple[int, bool], int]
    """By the first millisecond of the day (UTC) and whether they went out."""
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


def count_disclosures(ports: Ports, person: str, filter_text: str) -> Counted:
    """Disclosures for which the filter holds, counted. Raises `Malformed` (FILTER)."""
    require(ports, person, (AUDITOR,))
    wanted = parse_filter(filter_text, DISCLOSURE_FIELDS)
    days: Counter[tuple[int, bool]] = Counter()
    ways: Counter[tuple[str, str]] = Counter()
    rows: Counter[tuple[str, bool, str, str, str, int]] = Counter()
    scanned = total = 0
    position: Position | None = None
    while scanned < AT_MOST:
        with ports.store.read() as tx:
            page = scan_page(ports, tx, wanted, AT_MOST, position, newest=True)
        for one in page.found:
            days[one.entry.disclosed_at // DAY_MS * DAY_MS, one.log.outbound] += 1
            ways[one.log.name.sender, one.log.name.recipient] += 1
            kind, month = one.alert.alert_type if one.alert else "", month_of(one.entry.disclosed_at)
            rows[partner_of(one.log), one.log.outbound, month, kind, one.entry.clause, one.entry.purpose] += 1
        scanned += page.scanned
        total = max(total, page.total)
        position = page.following
        if position is None:
            break
    note_access(ports, Kind.JOURNAL_KIND_REVIEW, person, Event(code="STATISTICS", subject=digest_of("counts", filter_text)))
    return Counted(by_day=days, by_way=ways, by_row=rows, scanned=scanned, total=total)
