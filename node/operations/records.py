"""This node's records, opened to be checked, and how each log stands in them."""

from dataclasses import dataclass
from functools import partial

from exchange.errors import ExchangeError
from exchange.log import LogName
from exchange.tlog.merkle import Frontier
from exchange.tlog.tree import frontier_at
from node.operations.findings import Findings
from node.operations.log_check import LogView, view_log
from node.ports import Known
from node.store.engine import Store
from node.store.high_water import HighWater
from node.store.logs import LogRow, unpack
from node.store.nodes import StoredHashes
from node.store.scan_logs import LogRecord, log_length, log_records
from node.store.transaction import Transaction
from node.store.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """Where this node's records are, open to be checked."""

    store: Store
    vault: Vault
    high_water: HighWater
    known: Known


def views_of(records: Records, findings: Findings) -> list[LogView]:
    """Every log as it can be checked; what is wrong with their rows (LOG_ROW, ENTRY_MISSING) is added to `findings`."""
    with records.store.read() as tx:
        found = [_view(tx, record, records.known, findings) for record in log_records(tx)]
    return [view for view in found if view is not None]


def _view(tx: Transaction, record: LogRecord, known: Known, findings: Findings) -> LogView | None:
    """What can be checked of a log; None if its row does not even name one."""
    wrong = partial(findings.error, "LOG_ROW", origin=record.origin)
    try:
        name = LogName.parse(record.origin)
    except ExchangeError:
        wrong("the row of a log does not name one")
        return None
    outbound = name.sender == known.own.trust_domain
    partner = name.recipient if outbound else name.sender
    if (record.partner, bool(record.outbound), record.generation) != (partner, outbound, name.generation):
        wrong("what stands beside the log's origin is not what it says")
    length = log_length(tx, record.id)
    edge: Frontier | None = None
    try:
        edge = unpack(record.size, record.frontier)
    except (ExchangeError, TypeError):
        wrong("the recorded edge of the log is none", index=length)
    size = length if edge is None else edge.size
    missing = max(size - length, 0)
    if missing:
        findings.error("ENTRY_MISSING", "the log ends before its recorded size", origin=record.origin, index=length, count=missing)
        edge, size = None, length
    try:
        frontier = edge if edge is not None else frontier_at(StoredHashes(tx, record.id), size)
    except (ExchangeError, TypeError):
        frontier = Frontier(size=size, hashes=(bytes(32),) * size.bit_count())  # never compared: only its size counts
    log = LogRow(
        id=record.id,
        name=name,
        outbound=outbound,
        state=record.state,
        frontier=frontier,
        last_disclosed_at=0,
        control_size=0,
        checkpoint=record.checkpoint,
        confirmed_at=0,
    )
    return view_log(tx, log, edge, missing)
