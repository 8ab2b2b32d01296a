"""What a partner may ask of this node's copies of the logs between the two, so that both can compare them hash by hash."""

from exchange.errors import Malformed, NotFound
from exchange.tlog.tree import root_at
from exchange.v1 import exchange_service_pb2 as messages
from exchange.v1 import statement_pb2
from node.operations.log_export import newest_note
from node.ports import Ports
from node.store import logs
from node.store.logs import LogRow, ReceiptRow
from node.store.nodes import StoredHashes, stored_leaves
from node.store.transaction import Transaction

LEAVES_AT_MOST = 8192
RECEIPTS_AT_MOST = 256
_RESPONSE = 448 * 1024


def heads(ports: Ports, partner: str) -> messages.GetLogHeadsResponse:
    """How far each log between `partner` (a trust domain) and this node reaches here."""
    with ports.store.read() as tx:
        between = sorted(
            (log for log in logs.all_logs(tx) if partner in {log.name.sender, log.name.recipient}), key=lambda log: log.name.origin
        )
        newest = {log.id: logs.newest_receipt(tx, log.id) for log in between}
    return messages.GetLogHeadsResponse(heads=[_head(ports, log, newest[log.id]) for log in between])


def root(ports: Ports, partner: str, request: messages.GetLogRootRequest) -> messages.GetLogRootResponse:
    """The root of the first `size` entries. Raises `NotFound` (LOG_UNKNOWN), `Malformed` (RANGE)."""
    with ports.store.read() as tx:
        log = _between(tx, partner, request.origin)
        if request.size > log.size:
            raise Malformed("RANGE", "the log is not as long as that")
        return messages.GetLogRootResponse(root=root_at(StoredHashes(tx, log.id), request.size))


def leaves(ports: Ports, partner: str, request: messages.GetLogLeavesRequest) -> messages.GetLogLeavesResponse:
    """Leaf hashes from `from` on, as many as one answer holds. Raises `NotFound` (LOG_UNKNOWN), `Malformed` (RANGE)."""
    start = getattr(request, "from")
    with ports.store.read() as tx:
        log = _between(tx, partner, request.origin)
        if start > log.size:
            raise Malformed("RANGE", "the log is not as long as that")
        found = stored_leaves(tx, log.id, start, min(start + LEAVES_AT_MOST, log.size))
    return messages.GetLogLeavesResponse(leaves=found)


def receipts(ports: Ports, partner: str, request: messages.GetLogReceiptsRequest) -> messages.GetLogReceiptsResponse:
    """Receipts above a size, as many as one answer holds. Raises `NotFound` (LOG_UNKNOWN)."""
    with ports.store.read() as tx:
        found = logs.receipts_above(tx, _between(tx, partner, request.origin).id, min(request.above, 2**62), RECEIPTS_AT_MOST)
    answer, room = messages.GetLogReceiptsResponse(), _RESPONSE
    for row in found:
        room -= len(row.statement) + 8
        if room < 0:
            break
        answer.receipts.append(statement_pb2.Statement.FromString(row.statement))
    return answer


def _head(ports: Ports, log: LogRow, newest: ReceiptRow | None) -> messages.LogHead:
    return messages.LogHead(
        origin=log.name.origin,
        size=log.size,
        root=log.frontier.root(),
        receipt=statement_pb2.Statement.FromString(newest.statement) if newest else None,
        checkpoint=newest_note(ports, log),
    )


def _between(tx: Transaction, partner: str, origin: str) -> LogRow:
    log = logs.find_log(tx, origin)
    if log is None or partner not in {log.name.sender, log.name.recipient}:
        raise NotFound("LOG_UNKNOWN", "there is no such log between us")
    return log
