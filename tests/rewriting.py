"""How a country would rewrite its copy of a log: rows, nodes, edge and high-water record, all consistent with the new entries."""

import hashlib
from collections.abc import Sequence

from exchange.log import LogName
from exchange.tlog.merkle import Frontier, leaf_hash
from exchange.tlog.tree import grow
from node.store import logs
from node.store.high_water import HighWater, LogKeys
from node.store.nodes import add_nodes
from tests.rig import Office


def entries_of(office: Office, name: LogName) -> list[bytes]:
    """The entries in that office's copy."""
    with office.ports.store.read() as tx:
        log = logs.find_log(tx, name.origin)
        assert log is not None
        return [row.entry for row in logs.entry_rows(tx, log.id, 0, log.size)]


def rewrite(office: Office, name: LogName, entries: Sequence[bytes]) -> None:
    """Replace the entries of that office's copy; receipts stay. The owner's high-water record follows, signed with its own key."""
    frontier, nodes = grow(Frontier.empty(), [leaf_hash(entry) for entry in entries])
    with office.ports.store.write() as tx:
        log = logs.find_log(tx, name.origin)
        assert log is not None
        tx.exec_driver_sql("DELETE FROM entries WHERE log_id = ?", (log.id,))
        tx.exec_driver_sql("DELETE FROM nodes WHERE log_id = ?", (log.id,))
        for index, entry in enumerate(entries):
            row = (log.id, index, entry, leaf_hash(entry))
            tx.exec_driver_sql("INSERT INTO entries (log_id, idx, entry, leaf) VALUES (?, ?, ?, ?)", row)
        add_nodes(tx, log.id, nodes)
        tx.exec_driver_sql("UPDATE logs SET size = ?, frontier = ? WHERE id = ?", (frontier.size, logs.pack(frontier), log.id))
    (office.directory / "high-water" / f"{hashlib.sha256(name.origin.encode()).hexdigest()}.note").unlink(missing_ok=True)
    HighWater(office.directory / "high-water", LogKeys.of(office.own, office.ports.signers.log)).advance(
        name.origin, frontier.size, frontier.root()
    )
    office.restart()
