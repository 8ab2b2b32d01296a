"""What stands in a log under one agreement: counted from the entries themselves, so that no counter can part from the log."""

from dataclasses import dataclass

from sqlalchemy import Connection

from exchange.v1.disclosure_pb2 import Entry
from node.store.logs import LogRow
from node.store.plain import ask, ask_one, select_text
from node.store.tables import entries

# SQLite looks for the digest in the bytes of an entry; whether it stands where an agreement's digest stands is then read.
_UNDER = select_text(
    entries, [entries.c.idx, entries.c.entry, entries.c.alert_ref], "WHERE log_id = ? AND idx >= ? AND instr(entry, ?) ORDER BY idx"
)
_ENTRY = select_text(entries, [entries.c.entry], "WHERE log_id = ? AND idx = ?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One entry under the agreement."""

    index: int
    entry: Entry
    kept: bool
    """Whether an alert stands behind it; of a mirror False for what was withheld or excepted."""


def entries_under(tx: Connection, log: LogRow, agreement: bytes, since: int = 0) -> list[Use]:
    """The entries of a log under the agreement of that digest, in order; of our own log only those disclosed from `since` on.

    Of a mirror all are looked at: its times are the sender's.
    """
    start = _first_since(tx, log, since) if log.outbound and since else 0
    rows = ask(tx, _UNDER, (log.id, start, agreement))
    uses = (Use(index=index, entry=Entry.FromString(data), kept=reference is not None) for index, data, reference in rows)
    return [use for use in uses if use.entry.agreement_digest == agreement]


def _first_since(tx: Connection, log: LogRow, since: int) -> int:
    """The first index disclosed at that time or later: times never fall within a log."""
    low, high = 0, log.size
    while low < high:
        middle = (low + high) // 2
        row = ask_one(tx, _ENTRY, (log.id, middle))
        # The entry of a succession has no time, and is the first.
        if row is not None and Entry.FromString(row[0]).disclosed_at < since:
            low = middle + 1
        else:
            high = middle
    return low
