"""The stored nodes of the trees made anew from their leaves: they are derived, and proofs need them."""

from collections.abc import Iterator

from exchange.errors import Conflict
from exchange.tlog.merkle import Frontier
from exchange.tlog.tree import Climb, Node
from node.operations.officers import ADMINISTRATOR, require
from node.ports import Ports
from node.store import logs
from node.store.nodes import add_nodes, drop_nodes, journal_log
from node.store.scan import Leaves, leaves_of_journal, leaves_of_log
from node.store.transaction import Transaction

_CHUNK = 4096


def rebuild_nodes(ports: Ports, person: str) -> int:
    """Store every node of every tree anew; returns how many there are. Writers wait meanwhile: some seconds for a million entries.

    Raises `Conflict` (TREE_NOT_REBUILT) and changes nothing if the leaves of a log or of the journal do not lead to its recorded edge:
    then something else was altered, and a check names it. `NotPermitted` (ROLE_MISSING).
    """
    require(ports, person, (ADMINISTRATOR,))
    count = 0
    with ports.store.write() as tx:
        for log in logs.all_logs(tx):
            count += _rebuild(tx, log.id, leaves_of_log(log.id), log.frontier)
        edge = ports.journal.edge(tx)
        count += _rebuild(tx, journal_log(edge.generation), leaves_of_journal(edge.generation), edge.frontier)
    return count


def _rebuild(tx: Transaction, log_id: int, leaves: Leaves, edge: Frontier) -> int:
    climb = Climb()
    nodes = list(_climb(tx, climb, leaves, edge.size))
    if climb.frontier() != edge:
        raise Conflict("TREE_NOT_REBUILT", "the leaves of a log do not lead to its recorded edge: check the records first")
    drop_nodes(tx, log_id)
    add_nodes(tx, log_id, nodes)
    return len(nodes)


def _climb(tx: Transaction, climb: Climb, leaves: Leaves, size: int) -> Iterator[Node]:
    for start in range(0, size, _CHUNK):
        rows = leaves.read(tx, start, min(start + _CHUNK, size))
        yield from climb.add([row[2] for row in rows])
