"""What became of each entry of a log, as far as this node knows."""

from collections.abc import Sequence
from dataclasses import dataclass

from exchange.v1 import desk_service_pb2
from node.ports import Ports
from node.store import logs
from node.store.logs import LogRow, OpenRow
from node.store.transaction import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryState:
    """How far one disclosure got. Codes are 0 and times (Unix milliseconds) 0 where there is none."""

    state: "desk_service_pb2.DisclosureState.ValueType"
    exception: int
    withheld: int
    receipted_at: int


def entry_states(ports: Ports, tx: Transaction, log: LogRow, rows: Sequence[OpenRow]) -> dict[int, EntryState]:
    """The states of `rows`, entries of `log` in ascending order, by index."""
    if not rows:
        return {}
    start, end = rows[0].idx, rows[-1].idx + 1
    excepted, withheld = logs.exception_codes(tx, log.id, start, end), logs.withheld_codes(tx, log.id, start, end)
    mark = ports.high_water.get(log.name.origin) if log.outbound else None
    signed = mark.size if mark else 0
    receipts = logs.receipts_covering(tx, log.id, start, end)
    receipt = next(receipts, None)
    states = {}
    for row in rows:
        while receipt is not None and row.idx >= receipt.size:
            receipt = next(receipts, None)
        exception = excepted.get(row.idx, 0)
        if exception:
            state = desk_service_pb2.DISCLOSURE_STATE_EXCEPTED
        elif receipt is not None:
            state = desk_service_pb2.DISCLOSURE_STATE_RECEIPTED
        elif row.idx < signed:
            # Covered by a checkpoint that was signed to be sent: counts as disclosed from here on.
            state = desk_service_pb2.DISCLOSURE_STATE_DELIVERED
        else:
            state = desk_service_pb2.DISCLOSURE_STATE_LOGGED
        held = receipt is not None and not exception
        states[row.idx] = EntryState(
            state=state,
            exception=exception,
            withheld=0 if held else withheld.get(row.idx, 0),
            receipted_at=receipt.received_at if receipt else 0,
        )
    return states
