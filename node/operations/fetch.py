"""What a partner may fetch of the logs between us: entries, a signed checkpoint, the newest receipt."""

from exchange.errors import Malformed, NotFound
from exchange.v1 import exchange_service_pb2 as messages
from exchange.v1 import statement_pb2
from node.operations.sign import check_high_water, sign
from node.ports import Ports
from node.store import logs
from node.store.logs import LogRow
from node.store.transaction import Transaction

_RESPONSE = 448 * 1024
_ENTRIES = 1024


def entries(ports: Ports, partner: str, request: messages.FetchEntriesRequest) -> messages.FetchEntriesResponse:
    """Entries from `request.from` on, as many as fit, with the sender's signed checkpoint after the last of them.

    Of our own log the checkpoint is signed for this answer; of our mirror it is one that the owner signed, so the entries end where a
    receipt does. Raises `NotFound` (LOG_UNKNOWN), `Malformed` (RANGE), and as `check_high_water`.
    """
    with ports.store.read() as tx:
        log = _between(tx, partner, request.origin)
        start = getattr(request, "from")
        if start >= log.size:
            raise Malformed("RANGE", "the log has no entry at that index")
        rows, room = [], _RESPONSE
        for row in logs.entry_rows(tx, log.id, start, min(log.size, start + _ENTRIES)):
            room -= len(row.entry) + 8
            if room < 0:
                break
            rows.append(row)
        end = start + len(rows)
        if log.outbound:
            frontier = logs.frontier_at(tx, log, end)
        else:
            covering = logs.receipt_covering(tx, log.id, end - 1)
            if covering is None or covering.size > end:
                earlier = [row for row in logs.receipts_above(tx, log.id, start, _ENTRIES) if row.size <= end]
                covering = earlier[-1] if earlier else None
            if covering is None:
                raise NotFound("LOG_UNKNOWN", "no signed checkpoint ends in this range")
            rows = rows[: covering.size - start]
            checkpoint = covering.checkpoint
    if log.outbound:
        check_high_water(ports, log)
        checkpoint = sign(ports, log, frontier)
    return messages.FetchEntriesResponse(entries=[row.entry for row in rows], checkpoint=checkpoint)


def latest_receipt(ports: Ports, partner: str, request: messages.LatestReceiptRequest) -> messages.LatestReceiptResponse:
    """The newest receipt of a log between the partner and us. Raises `NotFound` (LOG_UNKNOWN)."""
    with ports.store.read() as tx:
        newest = logs.newest_receipt(tx, _between(tx, partner, request.origin).id)
    if newest is None:
        return messages.LatestReceiptResponse()
    return messages.LatestReceiptResponse(receipt=statement_pb2.Statement.FromString(newest.statement))


def _between(tx: Transaction, partner: str, origin: str) -> LogRow:
    log = logs.find_log(tx, origin)
    if log is None or partner not in {log.name.sender, log.name.recipient}:
        raise NotFound("LOG_UNKNOWN", "there is no such log between us")
    return log
