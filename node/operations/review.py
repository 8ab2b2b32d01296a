"""What an auditor asks of the logs: how they stand, what is in them, whether they hold. Never content."""

from exchange.errors import ExchangeError, NotFound
from exchange.v1 import desk_service_pb2, disclosure_pb2, receipt_pb2
from node.operations.access import note_access
from node.operations.officers import ADMINISTRATOR, AUDITOR, LIAISON, require
from node.operations.paging import page_size
from node.operations.sign import check_high_water, sign
from node.operations.states import entry_states
from node.ports import Ports
from node.store import logs
from node.store.journal import Event, Kind
from node.store.logs import LogRow, ReceiptRow
from node.store.transaction import Transaction

REVIEWERS = (AUDITOR, ADMINISTRATOR, LIAISON)
_ENTRIES_AT_MOST = 200
"""Of 4 KiB each at most: below what one message carries."""


def list_logs(ports: Ports, person: str) -> list[desk_service_pb2.LogSummary]:
    """Every log in both directions, oldest first."""
    require(ports, person, REVIEWERS)
    with ports.store.read() as tx:
        found = [_summary(log, logs.newest_receipt(tx, log.id)) for log in logs.all_logs(tx)]
    note_access(ports, Kind.JOURNAL_KIND_REVIEW, person, Event(code="LOGS"))
    return found


def get_log(ports: Ports, person: str, request: desk_service_pb2.GetLogRequest) -> desk_service_pb2.GetLogResponse:
    """A page of one log's entries, with its newest signed checkpoint. Raises `NotFound` (LOG_UNKNOWN), `Malformed` (PAGE_SIZE)."""
    require(ports, person, (AUDITOR, LIAISON))
    start = getattr(request, "from")
    size = page_size(request.page_size, _ENTRIES_AT_MOST)
    with ports.store.read() as tx:
        log = _log(tx, request.origin)
        newest = logs.newest_receipt(tx, log.id)
        rows = logs.entry_rows(tx, log.id, min(start, log.size), min(start + size, log.size))
        states = entry_states(ports, tx, log, rows)
    note_access(ports, Kind.JOURNAL_KIND_REVIEW, person, Event(code="LOG", origin=log.name.origin))
    return desk_service_pb2.GetLogResponse(
        log=_summary(log, newest),
        entries=[
            desk_service_pb2.LogEntry(
                index=row.idx,
                entry=row.entry,
                leaf_hash=row.leaf,
                state=states[row.idx].state,
                exception=receipt_pb2.ExceptionCode.ValueType(states[row.idx].exception),
                withheld=disclosure_pb2.WithheldCode.ValueType(states[row.idx].withheld),
            )
            for row in rows
        ],
        checkpoint=newest_checkpoint(ports, log, newest),
    )


def log_summaries(ports: Ports, origin: str = "") -> list[desk_service_pb2.LogSummary]:
    """How one log stands, or with "" every one. Raises `NotFound` (LOG_UNKNOWN)."""
    with ports.store.read() as tx:
        found = [_log(tx, origin)] if origin else logs.all_logs(tx)
        return [_summary(log, logs.newest_receipt(tx, log.id)) for log in found]


def log_summary(ports: Ports, origin: str) -> desk_service_pb2.LogSummary:
    """How one log stands. Raises `NotFound` (LOG_UNKNOWN)."""
    with ports.store.read() as tx:
        log = _log(tx, origin)
        return _summary(log, logs.newest_receipt(tx, log.id))


def _log(tx: Transaction, origin: str) -> LogRow:
    log = logs.find_log(tx, origin)
    if log is None:
        raise NotFound("LOG_UNKNOWN", "there is no such log here: see `exchange log list`")
    return log


def _summary(log: LogRow, newest: ReceiptRow | None) -> desk_service_pb2.LogSummary:
    return desk_service_pb2.LogSummary(
        origin=log.name.origin,
        outbound=log.outbound,
        size=log.size,
        root=log.frontier.root(),
        receipted_size=newest.size if newest else 0,
        state=log.state,
        last_entry_at=log.last_disclosed_at,
    )


def newest_checkpoint(ports: Ports, log: LogRow, newest: ReceiptRow | None) -> bytes:
    """The note at the log's size if this node may sign it now; otherwise the one that the newest receipt is for."""
    receipted = newest.checkpoint if newest else b""
    if not log.outbound or log.state != "open" or not log.size or (newest and newest.size == log.size):
        return receipted
    try:
        check_high_water(ports, log)
        return sign(ports, log, log.frontier)
    except ExchangeError:
        return receipted
