"""What the pass over a tree finds in a log of 66,000 entries, and how narrowly it names the place."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from exchange.log import LogName
from exchange.tlog.merkle import Frontier, leaf_hash
from node.operations.findings import Findings
from node.operations.tree_check import Expected, Tree, check_tree
from node.store import logs
from node.store.engine import Store, open_store
from node.store.scan import leaves_of_log

pytestmark = pytest.mark.thorough

SIZE = 66_000
NAME = LogName(sender="gb.alerts.example", recipient="kh.alerts.example", generation=1)
LEAVES = [leaf_hash(b"%d" % number) for number in range(SIZE)]
EDGES = (300, 500, 512, 700, 65_536, 65_600, SIZE)
"""Sizes at which something was signed."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    made = open_store(tmp_path_factory.mktemp("tree") / "node.db")
    with made.write() as tx:
        log = logs.open_log(tx, NAME, outbound=True)
        rows = [
            {"log_id": log.id, "idx": index, "entry": b"%d" % index, "leaf": leaf, "alert_ref": None, "sealed": None}
            for index, leaf in enumerate(LEAVES)
        ]
        logs.grow(tx, log, Frontier.empty().extend(LEAVES), rows, disclosed_at=1, control_size=0)
    yield made
    made.close()


class UndoneError(Exception):
    """Ends a transaction that was only tried out."""


class Spoiled:
    """Reads what a transaction has changed and will take back."""

    def __init__(self, tx: Any) -> None:
        self._tx = tx

    def read(self) -> "Spoiled":
        return self

    def __enter__(self) -> Any:
        return self._tx

    def __exit__(self, *_error: object) -> None:
        return None


Checked = Callable[..., list[tuple[str, int, int]]]


@pytest.fixture
def checked(store: Store) -> Checked:
    """(code, index, count) of what is found after some statements, which are then undone."""

    def check(*statements: str, edges: tuple[int, ...] = EDGES, size: int = SIZE, missing: int = 0) -> list[tuple[str, int, int]]:
        findings = Findings()

        def expected(_tx: Any, start: int, end: int) -> Iterator[Expected]:
            for at in edges:
                if start < at <= end:
                    yield Expected(size=at, root=Frontier.empty().extend(LEAVES[:at]).root(), code="EDGE", message="synthetic")

        with pytest.raises(UndoneError), store.write() as tx:  # noqa: PT012  what the block did is rolled back by its end
            for statement in statements:
                tx.exec_driver_sql(statement)
            log = logs.find_log(tx, NAME.origin)
            assert log is not None
            edge = Frontier.empty().extend(LEAVES[:size])
            tree = Tree(
                origin=NAME.origin,
                log_id=log.id,
                leaves=leaves_of_log(log.id),
                size=size,
                edge=edge if not missing else None,
                expected=[expected],
                missing=missing,
            )
            for step in check_tree(Spoiled(tx), tree, findings):  # type: ignore[arg-type]  # it only reads
                assert (step.name, step.origin, step.total) == ("tree", NAME.origin, size)
            raise UndoneError
        assert {finding.origin for finding in findings.found} <= {NAME.origin}
        return [(finding.code, finding.index, finding.count) for finding in findings.found]

    return check


OTHER = leaf_hash(b"another").hex()


def test_nothing_is_found_in_a_sound_tree(checked: Checked) -> None:
    assert checked() == []
    assert checked(edges=(256, 512, 65_536)) == []


def test_an_entry_that_is_not_its_leaf_is_named_and_nothing_else(checked: Checked) -> None:
    assert checked("UPDATE entries SET entry = x'00' WHERE idx = 400") == [("ENTRY_LEAF", 400, 1)]
    assert checked("UPDATE entries SET entry = 'text' WHERE idx = 400") == [("ENTRY_LEAF", 400, 1)]
    assert checked("UPDATE entries SET leaf = x'00' WHERE idx = 400") == [("ENTRY_LEAF", 400, 1)]


def test_a_rewritten_entry_is_named_up_to_what_was_signed_next_and_later_faults_apart(checked: Checked) -> None:
    rewritten = f"UPDATE entries SET entry = CAST('another' AS BLOB), leaf = x'{OTHER}' WHERE idx = "
    assert checked(rewritten + "400") == [("EDGE", 300, 200), ("TREE_NODE", 256, 256)]
    assert checked(rewritten + "400", rewritten + "60000") == [
        ("EDGE", 300, 200),
        ("TREE_NODE", 256, 256),
        ("TREE_NODE", 60_000 // 256 * 256, 256),
    ]
    assert checked(rewritten + "65990") == [("EDGE", 65_600, 400), ("LOG_FRONTIER", 65_600, 400)]


def test_a_gap_is_named_and_the_log_goes_on_behind_it(checked: Checked) -> None:
    assert checked("DELETE FROM entries WHERE idx BETWEEN 400 AND 402") == [("ENTRY_MISSING", 400, 3)]
    assert checked("DELETE FROM entries WHERE idx IN (0, 5, 60000)") == [
        ("ENTRY_MISSING", 0, 1),
        ("ENTRY_MISSING", 5, 1),
        ("ENTRY_MISSING", 60_000, 1),
    ]
    assert checked("DELETE FROM entries WHERE idx = 65999") == [("ENTRY_MISSING", 65_999, 1), ("LOG_FRONTIER", 65_600, 400)]


def test_entries_that_moved_down_over_a_deleted_one_are_named_up_to_what_was_signed_next(checked: Checked) -> None:
    """The gap is at the end, and nothing was signed there that could still be met: what is sound below it says where it may have been."""
    moved = (
        "DELETE FROM entries WHERE idx = 65700",
        "UPDATE entries SET idx = -idx WHERE idx > 65700",
        "UPDATE entries SET idx = -idx - 1 WHERE idx < 0",
    )
    found = checked(*moved, size=SIZE - 1, missing=1)
    assert found == [("TREE_NODE", 65_536, 256), ("LOG_FRONTIER", 65_600, 400)]
    last = (
        "DELETE FROM entries WHERE idx = 65900",
        "UPDATE entries SET idx = -idx WHERE idx > 65900",
        "UPDATE entries SET idx = -idx - 1 WHERE idx < 0",
    )
    assert checked(*last, size=SIZE - 1, missing=1) == [("LOG_FRONTIER", 65_600, 400)]


def test_what_was_signed_before_a_gap_is_still_met(checked: Checked) -> None:
    """A rewritten entry with its leaf, and a gap behind it in the same tile: the signed size between the two tells them apart."""
    rewritten = f"UPDATE entries SET entry = CAST('another' AS BLOB), leaf = x'{OTHER}' WHERE idx = 290"
    assert checked(rewritten, "DELETE FROM entries WHERE idx = 400") == [("ENTRY_MISSING", 400, 1), ("EDGE", 0, 300)]


def test_behind_a_gap_without_a_node_nothing_is_known(checked: Checked) -> None:
    found = checked("DELETE FROM entries WHERE idx = 400", "DELETE FROM nodes WHERE level = 1 AND idx = 1")
    assert found == [("ENTRY_MISSING", 400, 1), ("TREE_NODE_MISSING", 256, 256), ("LOG_FRONTIER", 300, SIZE - 300)]


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        (f"UPDATE nodes SET hash = x'{OTHER}' WHERE level = 1 AND idx = 3", [("TREE_NODE", 768, 256)]),
        ("UPDATE nodes SET hash = x'00' WHERE level = 1 AND idx = 3", [("TREE_NODE_MISSING", 768, 256)]),
        ("DELETE FROM nodes WHERE level = 1 AND idx = 3", [("TREE_NODE_MISSING", 768, 256)]),
        (f"UPDATE nodes SET hash = x'{OTHER}' WHERE level = 2", [("TREE_NODE", 0, 65_536)]),
        ("DELETE FROM nodes WHERE level = 2", [("TREE_NODE_MISSING", 0, 65_536)]),
        ("INSERT INTO nodes SELECT log_id, 1, 257, hash FROM nodes WHERE level = 2", [("TREE_NODE_SURPLUS", SIZE, 1)]),
        ("INSERT INTO nodes SELECT log_id, 2, 1, hash FROM nodes WHERE level = 2", [("TREE_NODE_SURPLUS", SIZE, 1)]),
        ("INSERT INTO nodes SELECT log_id, 3, 0, hash FROM nodes WHERE level = 2", [("TREE_NODE_SURPLUS", SIZE, 1)]),
        ("INSERT INTO nodes SELECT log_id, 0, 0, hash FROM nodes WHERE level = 2", [("TREE_NODE_SURPLUS", SIZE, 1)]),
        ("INSERT INTO nodes SELECT log_id, 1, -1, hash FROM nodes WHERE level = 2", [("TREE_NODE_SURPLUS", SIZE, 1)]),
    ],
)
def test_every_stored_node_is_checked(checked: Checked, statement: str, found: list[tuple[str, int, int]]) -> None:
    assert checked(statement) == found


def test_a_node_that_was_made_anew_over_altered_entries_meets_no_edge(checked: Checked) -> None:
    altered = list(LEAVES)
    altered[400] = leaf_hash(b"another")
    node = Frontier.empty().extend(altered[256:512]).root().hex()
    found = checked(
        f"UPDATE entries SET entry = CAST('another' AS BLOB), leaf = x'{OTHER}' WHERE idx = 400",
        f"UPDATE nodes SET hash = x'{node}' WHERE level = 1 AND idx = 1",
    )
    assert found[:2] == [("EDGE", 300, 200), ("EDGE", 300, 212)]
    assert found[-1] == ("LOG_FRONTIER", 300, SIZE - 300)


def test_a_shorter_size_than_the_nodes_say_is_found(checked: Checked) -> None:
    assert ("TREE_NODE_SURPLUS", 65_700, 1) in checked(edges=(), size=65_700)


def test_chunks_do_not_matter(checked: Checked, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = random.Random(9)
    indexes = sorted(numbers.sample(range(SIZE), 5))
    statements = [f"UPDATE entries SET entry = x'00' WHERE idx = {index}" for index in indexes]
    whole = checked(*statements)
    monkeypatch.setattr("node.operations.tree_check.CHUNK", 256)
    assert checked(*statements) == whole == [("ENTRY_LEAF", index, 1) for index in indexes]
