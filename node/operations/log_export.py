"""This node's copy of one disclosure log as a file, for a comparison without a network (PROTOCOL.md, section 9)."""

from collections.abc import Iterator

from exchange.errors import ExchangeError, NotFound
from exchange.log_file import write_log_parts
from exchange.v1 import log_file_pb2, statement_pb2
from node.operations.access import note_access
from node.operations.officers import ADMINISTRATOR, AUDITOR, LIAISON, require
from node.operations.proof import countries
from node.operations.sign import check_high_water, sign
from node.ports import Ports
from node.store import logs
from node.store.journal import Event, Kind
from node.store.logs import LogRow

_PAGE = 512


def export_log(ports: Ports, person: str, origin: str) -> Iterator[bytes]:
    """The bytes of the log's file in pieces, as the log stood when the export began; it is journalled before the first.

    Entries and receipts hold no content. Raises, before the first piece, `NotFound` (LOG_UNKNOWN, PARTNER_UNKNOWN).
    """
    require(ports, person, (AUDITOR, ADMINISTRATOR, LIAISON))
    with ports.store.read() as tx:
        log = logs.find_log(tx, origin)
        if log is None:
            raise NotFound("LOG_UNKNOWN", "there is no such log here: see `exchange log list`")
        sender, recipient = countries(ports.known, log)
    note_access(ports, Kind.JOURNAL_KIND_EXPORT, person, Event(code="LOG", origin=origin, count=log.size))
    header = log_file_pb2.LogFileHeader(
        version=1,
        origin=origin,
        holder=ports.trust_domain,
        size=log.size,
        written_at=ports.clock.now_ms(),
        sender_descriptors=sender.chain,
        recipient_descriptors=recipient.chain,
        checkpoint=newest_note(ports, log),
    )
    return write_log_parts(header, _entries(ports, log), _receipts(ports, log))


def newest_note(ports: Ports, log: LogRow) -> bytes:
    """The owner's signed note at the log's size: of a mirror the one that came with it, of our own one that we may sign now; else empty."""
    if not log.outbound:
        return log.checkpoint
    if log.state != "open" or not log.size:
        return b""
    try:
        check_high_water(ports, log)
        return sign(ports, log, log.frontier)
    except ExchangeError:  # it says why elsewhere: the log is stopped, with an alarm
        return b""


def _entries(ports: Ports, log: LogRow) -> Iterator[list[bytes]]:
    for start in range(0, log.size, _PAGE):
        with ports.store.read() as tx:
            page = logs.entry_rows(tx, log.id, start, min(start + _PAGE, log.size))
        yield [row.entry for row in page]


def _receipts(ports: Ports, log: LogRow) -> Iterator[list[log_file_pb2.LogFileReceipt]]:
    last = 0
    while True:
        with ports.store.read() as tx:
            page = logs.receipts_above(tx, log.id, last, _PAGE)
        if not page:
            return
        yield [
            log_file_pb2.LogFileReceipt(receipt=statement_pb2.Statement.FromString(row.statement), checkpoint=row.checkpoint)
            for row in page
        ]
        last = page[-1].size
