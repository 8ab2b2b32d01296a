"""Stored nodes of a log's tree: what is kept beside the leaves, and what is proved from it."""

import random
from collections.abc import Iterator

import pytest

from exchange.log import LogName
from exchange.tlog import merkle, tree
from exchange.tlog.merkle import leaf_hash
from node.store import logs
from node.store.engine import Store, open_store
from node.store.errors import StoreFailed
from node.store.nodes import StoredHashes
from tests.refusals import refused

SIZE = 66_000
NAME = LogName(sender="gb.alerts.example", recipient="kh.alerts.example", generation=1)
ENTRIES = [b"%d" % number for number in range(SIZE)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, int]]:
    """A log of 66,000 entries, grown in batches of many sizes, and another log before it."""
    store = open_store(tmp_path_factory.mktemp("nodes") / "node.db")
    randomness = random.Random(7)
    with store.write() as tx:
        logs.open_log(tx, LogName(sender="gb.alerts.example", recipient="vn.alerts.example", generation=1), outbound=True)
        log = logs.open_log(tx, NAME, outbound=True)
        while log.size < SIZE:
            count = min(randomness.choice((1, 64, 255, 256, 257, 700)), SIZE - log.size)
            rows = [
                {"log_id": log.id, "idx": index, "entry": ENTRIES[index], "leaf": LEAVES[index], "alert_ref": None, "sealed": None}
                for index in range(log.size, log.size + count)
            ]
            frontier = log.frontier.extend(LEAVES[log.size : log.size + count])
            logs.grow(tx, log, frontier, rows, disclosed_at=1, control_size=0)
            found = logs.find_log(tx, NAME.origin)
            assert found is not None
            log = found
    yield store, log.id
    store.close()


def test_a_log_keeps_one_node_for_each_complete_tile_of_every_level(grown: tuple[Store, int]) -> None:
    store, log_id = grown
    with store.read() as tx:
        held = tx.exec_driver_sql("SELECT log_id, level, idx, hash FROM nodes ORDER BY level, idx").fetchall()
    expected = [(log_id, 1, index, merkle.root(LEAVES[index * 256 : index * 256 + 256])) for index in range(SIZE // 256)]
    assert [tuple(row) for row in held] == [*expected, (log_id, 2, 0, merkle.root(LEAVES[:65536]))]


@pytest.mark.parametrize("size", [1, 255, 256, 257, 4097, SIZE - 1, SIZE])
def test_frontiers_and_proofs_come_from_the_database(grown: tuple[Store, int], size: int) -> None:
    store, log_id = grown
    with store.read() as tx:
        log = logs.find_log(tx, NAME.origin)
        assert log is not None
        assert logs.frontier_at(tx, log, size) == merkle.Frontier.empty().extend(LEAVES[:size])
        proof = tree.prove_inclusion(StoredHashes(tx, log_id), size // 3, size)
        merkle.verify_inclusion(LEAVES[size // 3], size // 3, size, proof, merkle.root(LEAVES[:size]))


@pytest.mark.parametrize(
    ("statement", "level"),
    [
        ("DELETE FROM nodes WHERE level = 1 AND idx = 256", 1),
        ("DELETE FROM nodes WHERE level = 2", 2),
        ("DELETE FROM entries WHERE idx = 65999", 0),
    ],
)
def test_a_hash_that_is_missing_stops_a_proof(grown: tuple[Store, int], statement: str, level: int) -> None:
    store, log_id = grown

    class UndoneError(Exception):
        pass

    with pytest.raises(UndoneError), store.write() as tx:  # noqa: PT012  what the block did is rolled back by its end
        tx.exec_driver_sql(statement)
        with refused(StoreFailed, "TREE_INCOMPLETE"):
            tree.prove_inclusion(StoredHashes(tx, log_id), 65_998 if level == 0 else 65_990 if level == 1 else 65_900, SIZE)
        raise UndoneError


def test_a_missing_leaf_is_no_shorter_log(grown: tuple[Store, int]) -> None:
    store, _ = grown

    class UndoneError(Exception):
        pass

    with pytest.raises(UndoneError), store.write() as tx:  # noqa: PT012  what the block did is rolled back by its end
        log = logs.find_log(tx, NAME.origin)
        assert log is not None
        receipt = logs.ReceiptRow(
            size=SIZE - 100,
            previous_size=0,
            received_at=1,
            frontier=logs.frontier_at(tx, log, SIZE - 100),
            checkpoint=b"",
            statement=b"",
        )
        logs.add_receipt(tx, log.id, receipt, [])
        assert logs.frontier_at(tx, log, SIZE - 50) == merkle.Frontier.empty().extend(LEAVES[: SIZE - 50])
        tx.exec_driver_sql("DELETE FROM entries WHERE idx = ?", (SIZE - 60,))
        with refused(StoreFailed, "TREE_INCOMPLETE"):
            logs.frontier_at(tx, log, SIZE - 50)
        raise UndoneError
