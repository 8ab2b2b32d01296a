"""Rows of disclosure logs: ours towards partners, and our mirrors of theirs."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select, update

from exchange.log import LogName
from exchange.tlog import tree
from exchange.tlog.merkle import Frontier
from node.store.insert import insert_rows
from node.store.nodes import StoredHashes, add_nodes, stored_between
from node.store.plain import ask, ask_among, ask_one, select_text, tell
from node.store.tables import entries, exceptions, logs, receipts, withheld

_HASH = 32

# Asked for every batch, hence as text (see `node.store.plain`).
_LOG_COLUMNS = [
    logs.c[name]
    for name in ("id", "origin", "outbound", "state", "size", "frontier", "last_disclosed_at", "control_size", "checkpoint", "confirmed_at")
]
_LOGS = select_text(logs, _LOG_COLUMNS, "ORDER BY id")
_LOG = select_text(logs, _LOG_COLUMNS, "WHERE origin = ?")
_NEWEST_LOG = select_text(logs, _LOG_COLUMNS, "WHERE partner = ? AND outbound = ? ORDER BY generation DESC LIMIT 1")
_GROW = "UPDATE logs SET size = ?, frontier = ?, checkpoint = ?, last_disclosed_at = ?, control_size = ? WHERE id = ?"
_IN_RANGE = "WHERE log_id = ? AND idx >= ? AND idx < ?"
_ENTRIES = select_text(
    entries, [entries.c.idx, entries.c.entry, entries.c.leaf, entries.c.alert_ref, entries.c.sealed], f"{_IN_RANGE} ORDER BY idx"
)
_OPEN_COLUMNS = [entries.c.idx, entries.c.entry, entries.c.leaf, entries.c.alert_ref]
_OPEN = select_text(entries, _OPEN_COLUMNS, f"{_IN_RANGE} ORDER BY idx")
_OPEN_AMONG = select_text(entries, _OPEN_COLUMNS, "WHERE log_id = ? AND idx IN")
_RECEIPT_COLUMNS = [receipts.c[name] for name in ("size", "previous_size", "received_at", "frontier", "checkpoint", "statement")]
_BELOW = select_text(
    receipts, [receipts.c.size, receipts.c.frontier], "WHERE log_id = ? AND size <= ? AND frontier != x'' ORDER BY size DESC LIMIT 1"
)
_OF_ALERTS = select_text(
    entries, [entries.c[name] for name in ("log_id", "idx", "entry", "leaf", "alert_ref", "sealed")], "WHERE alert_ref IN"
)
_TELLING = select_text(entries, [entries.c.alert_ref, entries.c.log_id], "WHERE alert_ref IN")
_NEWEST_RECEIPT = select_text(receipts, _RECEIPT_COLUMNS, "WHERE log_id = ? ORDER BY size DESC LIMIT 1")
_ABOVE = select_text(receipts, _RECEIPT_COLUMNS, "WHERE log_id = ? AND size > ? ORDER BY size LIMIT ?")
_RECEIPTS = 50
"""Read at once, where there may be one for each entry."""
_EXCEPTIONS = select_text(exceptions, [exceptions.c.idx, exceptions.c.code], _IN_RANGE)
_WITHHELD = select_text(withheld, [withheld.c.idx, withheld.c.code], _IN_RANGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """One log as the store holds it. Times are Unix milliseconds."""

    id: int
    name: LogName
    outbound: bool
    state: str
    frontier: Frontier
    last_disclosed_at: int
    control_size: int
    checkpoint: bytes
    """Of a mirror: the owner's signed note at its size."""
    confirmed_at: int

    @property
    def size(self) -> int:
        """Entries in the log."""
        return self.frontier.size


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptRow:
    """One receipt, given or got."""

    size: int
    previous_size: int
    received_at: int
    frontier: Frontier
    checkpoint: bytes
    statement: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRow:
    """What is open of an entry: nothing of it is sealed."""

    idx: int
    entry: bytes
    leaf: bytes
    alert_ref: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRow(OpenRow):
    """One entry. `sealed` is the authorisation record (outbound) or the openings (inbound), encrypted."""

    sealed: bytes | None


def pack(frontier: Frontier) -> bytes:
    """The hashes of a frontier, joined; the size is kept beside them."""
    return b"".join(frontier.hashes)


def unpack(size: int, packed: bytes) -> Frontier:
    """Undo `pack`; raises `Malformed` when the number of hashes does not fit the size."""
    return Frontier(size=size, hashes=tuple(packed[i : i + _HASH] for i in range(0, len(packed), _HASH)))


def all_logs(tx: Connection) -> list[LogRow]:
    """Every log, oldest first."""
    return [_log(row) for row in ask(tx, _LOGS)]


def find_log(tx: Connection, origin: str) -> LogRow | None:
    """The log of that origin."""
    row = ask_one(tx, _LOG, (origin,))
    return _log(row) if row else None


def newest_log(tx: Connection, partner: str, *, outbound: bool) -> LogRow | None:
    """The log of the highest generation in that direction."""
    row = ask_one(tx, _NEWEST_LOG, (partner, outbound))
    return _log(row) if row else None


def open_log(tx: Connection, name: LogName, *, outbound: bool) -> LogRow:
    """Create an empty log."""
    values = {
        "origin": name.origin,
        "partner": name.recipient if outbound else name.sender,
        "outbound": outbound,
        "generation": name.generation,
        "state": "open",
        "size": 0,
        "frontier": b"",
        "last_disclosed_at": 0,
        "control_size": 0,
        "checkpoint": b"",
        "confirmed_at": 0,
    }
    tx.execute(logs.insert().values(values))
    (row,) = ask(tx, _LOG, (name.origin,))
    return _log(row)


def grow(
    tx: Connection,
    log: LogRow,
    frontier: Frontier,
    new: Sequence[Mapping[str, Any]],
    *,
    disclosed_at: int,
    control_size: int,
    checkpoint: bytes = b"",
) -> None:
    """Append entry rows and move the log's edge to `frontier`; a mirror's with the owner's note of it."""
    insert_rows(tx, entries, new)
    if log.size // tree.TILE_WIDTH != frontier.size // tree.TILE_WIDTH:
        add_nodes(tx, log.id, tree.grow(log.frontier, [row["leaf"] for row in new])[1])
    tell(tx, _GROW, (frontier.size, pack(frontier), checkpoint, disclosed_at, control_size, log.id))


def set_state(tx: Connection, log_id: int, state: str) -> None:
    """Stop, end or reopen a log."""
    tx.execute(update(logs).where(logs.c.id == log_id).values(state=state))


def confirm(tx: Connection, log_id: int, at: int) -> None:
    """Note the time of the newest `alive` that the mirror has reached."""
    tx.execute(update(logs).where(logs.c.id == log_id).values(confirmed_at=at))


def entry_rows(tx: Connection, log_id: int, start: int, end: int) -> list[EntryRow]:
    """Entries from `start` up to, and not with, `end`."""
    return [_entry(*row) for row in ask(tx, _ENTRIES, (log_id, start, end))]


def open_rows(tx: Connection, log_id: int, start: int, end: int) -> list[OpenRow]:
    """What is open of these entries: most of an entry is sealed, and costs as much to read."""
    return _open(ask(tx, _OPEN, (log_id, start, end)))


def open_rows_among(tx: Connection, log_id: int, indexes: Collection[int]) -> list[OpenRow]:
    """The same of these entries alone, in the order of their log."""
    return _open(sorted(ask_among(tx, _OPEN_AMONG, indexes, (log_id,))))


def entries_of_alerts(tx: Connection, alert_refs: Collection[int]) -> list[tuple[int, EntryRow]]:
    """(log id, entry) of every disclosure of these alerts, in the order in which they were logged."""
    found = [(log_id, _entry(*row)) for log_id, *row in ask_among(tx, _OF_ALERTS, alert_refs)]
    return sorted(found, key=lambda one: (one[0], one[1].idx))


def entries_of_alert(tx: Connection, alert_ref: int) -> list[tuple[int, EntryRow]]:
    """As `entries_of_alerts`, of one."""
    return entries_of_alerts(tx, [alert_ref])


def logs_telling(tx: Connection, references: Collection[int]) -> dict[int, set[int]]:
    """Ids of the logs that disclose each of these alerts, by alert row."""
    found: dict[int, set[int]] = {}
    for reference, log_id in ask_among(tx, _TELLING, references):
        found.setdefault(reference, set()).add(log_id)
    return found


def entries_without_alert(tx: Connection, log_ids: Collection[int]) -> list[tuple[int, EntryRow]]:
    """(log id, entry) of what stands in these logs with nothing behind it: adopted, excepted, or a succession. Few."""
    query = select(entries).where(entries.c.alert_ref.is_(None), entries.c.log_id.in_(list(log_ids)))
    return [
        (row.log_id, _entry(row.idx, row.entry, row.leaf, row.alert_ref, row.sealed))
        for row in tx.execute(query.order_by(entries.c.log_id, entries.c.idx))
    ]


def frontier_at(tx: Connection, log: LogRow, size: int) -> Frontier:
    """The frontier when the log had `size` entries, from a receipt a little below, or else from the stored nodes.

    Raises `StoreFailed` (TREE_INCOMPLETE) if a leaf or node that it needs is not stored.
    """
    if size == log.size:
        return log.frontier
    row = ask_one(tx, _BELOW, (log.id, size))
    if row is not None and size - row[0] <= tree.TILE_WIDTH:
        return unpack(*row).extend(stored_between(tx, log.id, 0, row[0], size))
    return tree.frontier_at(StoredHashes(tx, log.id), size)


def newest_receipt(tx: Connection, log_id: int) -> ReceiptRow | None:
    """The receipt of the greatest size."""
    row = ask_one(tx, _NEWEST_RECEIPT, (log_id,))
    return _receipt(row) if row else None


def receipts_above(tx: Connection, log_id: int, size: int, limit: int) -> list[ReceiptRow]:
    """Receipts greater than `size`, smallest first."""
    return [_receipt(row) for row in ask(tx, _ABOVE, (log_id, size, limit))]


def receipt_covering(tx: Connection, log_id: int, index: int) -> ReceiptRow | None:
    """The receipt whose range holds `index`."""
    return next(iter(receipts_above(tx, log_id, index, 1)), None)


def receipts_covering(tx: Connection, log_id: int, start: int, end: int) -> Iterator[ReceiptRow]:
    """The receipts whose ranges hold entries from `start` up to `end`, smallest first, read as they are needed."""
    while start < end:
        found = receipts_above(tx, log_id, start, _RECEIPTS)
        yield from found
        start = found[-1].size if found else end


def add_receipt(tx: Connection, log_id: int, receipt: ReceiptRow, excepted: Iterable[tuple[int, int]]) -> None:
    """Keep a receipt and the (index, ExceptionCode) pairs that it excepts."""
    kept = {
        "log_id": log_id,
        "size": receipt.size,
        "previous_size": receipt.previous_size,
        "received_at": receipt.received_at,
        "frontier": pack(receipt.frontier),
        "checkpoint": receipt.checkpoint,
        "statement": receipt.statement,
    }
    insert_rows(tx, receipts, [kept])
    rows = [{"log_id": log_id, "idx": index, "code": code} for index, code in excepted]
    if rows:
        insert_rows(tx, exceptions, rows)


def complete_receipt(tx: Connection, log_id: int, size: int, frontier: Frontier, checkpoint: bytes) -> None:
    """Give an adopted receipt the frontier and checkpoint that the entries, delivered again, have now proved."""
    query = update(receipts).where(receipts.c.log_id == log_id, receipts.c.size == size)
    tx.execute(query.values(frontier=pack(frontier), checkpoint=checkpoint))


def exception_codes(tx: Connection, log_id: int, start: int, end: int) -> dict[int, int]:
    """Index to ExceptionCode from `start` up to, and not with, `end`."""
    return dict(ask(tx, _EXCEPTIONS, (log_id, start, end)))


def withheld_codes(tx: Connection, log_id: int, start: int, end: int) -> dict[int, int]:
    """Index to WithheldCode from `start` up to, and not with, `end`."""
    return dict(ask(tx, _WITHHELD, (log_id, start, end)))


def note_withheld(tx: Connection, log_id: int, codes: Mapping[int, int]) -> None:
    """Remember which contents were withheld; what was withheld once stays noted with its first code."""
    known = withheld_codes(tx, log_id, min(codes), max(codes) + 1)
    rows = [{"log_id": log_id, "idx": index, "code": code} for index, code in codes.items() if index not in known]
    if rows:
        insert_rows(tx, withheld, rows)


def count_entries(tx: Connection, log_id: int) -> int:
    """Rows of one log, counted: for verification only."""
    return tx.execute(select(func.count()).select_from(entries).where(entries.c.log_id == log_id)).scalar_one()


def _log(row: Sequence[Any]) -> LogRow:
    log_id, origin, outbound, state, size, frontier, last_disclosed_at, control_size, checkpoint, confirmed_at = row
    return LogRow(
        id=log_id,
        name=LogName.parse(origin),
        outbound=bool(outbound),
        state=state,
        frontier=unpack(size, frontier),
        last_disclosed_at=last_disclosed_at,
        control_size=control_size,
        checkpoint=checkpoint,
        confirmed_at=confirmed_at,
    )


def _receipt(row: Sequence[Any]) -> ReceiptRow:
    size, previous_size, received_at, frontier, checkpoint, statement = row
    return ReceiptRow(
        size=size,
        previous_size=previous_size,
        received_at=received_at,
        frontier=unpack(size, frontier) if frontier else Frontier.empty(),
        checkpoint=checkpoint,
        statement=statement,
    )


def _open(rows: Iterable[Sequence[Any]]) -> list[OpenRow]:
    return [OpenRow(idx=idx, entry=entry, leaf=leaf, alert_ref=alert_ref) for idx, entry, leaf, alert_ref in rows]


def _entry(idx: int, entry: bytes, leaf: bytes, alert_ref: int | None, sealed: bytes | None) -> EntryRow:
    return EntryRow(idx=idx, entry=entry, leaf=leaf, alert_ref=alert_ref, sealed=sealed)
