"""Proofs, checkpoints and tiles that a node gives to an auditor's own verifier."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exchange.errors import Malformed, NotFound
from exchange.journal import open_journal_checkpoint
from exchange.tlog.checkpoint import parse_checkpoint_text
from exchange.tlog.merkle import Frontier, leaf_hash, verify_consistency, verify_inclusion
from exchange.v1 import audit_service_pb2
from node.operations import audit_proofs
from node.store.journal import Event, Kind
from tests.federation import Federation
from tests.node.audit_office import (
    GB_KH,
    JOURNAL,
    KH_GB,
    auditor,
    events,
    newest,
    told,
)
from tests.refusals import refused


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    with told(tmp_path) as made:
        yield made


def test_every_entry_is_proved_to_be_in_the_signed_journal(two: Federation) -> None:
    gb = two["gb"]
    note = audit_proofs.get_checkpoint(gb.ports, auditor(gb), "").checkpoint
    tree = open_journal_checkpoint(note, gb.own, None)
    assert tree.size == len(gb.journal())
    for index in range(tree.size):
        question = audit_service_pb2.GetProofRequest(index=index, size=tree.size)
        proof = audit_proofs.get_proof(gb.ports, auditor(gb), question)
        verify_inclusion(leaf_hash(proof.entry), index, tree.size, proof.hashes, tree.root)
    assert newest(gb) == ("review", auditor(gb), f"{JOURNAL}#{tree.size - 1}+1", "PROOF")


@pytest.mark.parametrize("origin", [GB_KH, KH_GB])
def test_every_entry_of_a_disclosure_log_is_proved(two: Federation, origin: str) -> None:

    gb = two["gb"]
    note = audit_proofs.get_checkpoint(gb.ports, auditor(gb), origin).checkpoint
    tree = parse_checkpoint_text(note.partition(b"\n\n")[0] + b"\n")
    assert (tree.origin, tree.size) == (origin, 4 if origin == GB_KH else 1)
    for index in range(tree.size):
        proof = audit_proofs.get_proof(gb.ports, auditor(gb), audit_service_pb2.GetProofRequest(origin=origin, index=index))
        verify_inclusion(leaf_hash(proof.entry), index, tree.size, proof.hashes, tree.root)


def test_a_later_journal_continues_an_earlier_one(two: Federation) -> None:
    gb = two["gb"]
    leaves = [leaf_hash(event.entry) for event in events(gb).events]
    root = [Frontier.empty().extend(leaves[:size]).root() for size in range(len(leaves) + 1)]
    for first, second in ((1, 2), (3, len(leaves)), (len(leaves), len(leaves))):
        question = audit_service_pb2.GetConsistencyRequest(first_size=first, second_size=second)
        proof = audit_proofs.get_consistency(gb.ports, auditor(gb), question)
        verify_consistency(first, root[first], second, root[second], proof.hashes)
    for first, second in ((0, 3), (3, 2), (1, 10_000)):
        with refused(Malformed, "PROOF_RANGE"):
            audit_proofs.get_consistency(
                gb.ports, auditor(gb), audit_service_pb2.GetConsistencyRequest(first_size=first, second_size=second)
            )


def test_tiles_are_leaves_and_nodes(two: Federation) -> None:
    gb = two["gb"]
    with gb.ports.store.write() as tx:
        many = [Event(code="LOGS") for _ in range(600)]
        gb.ports.journal.record(tx, two.clock.now_ms(), Kind.JOURNAL_KIND_REVIEW, auditor(gb), many)
        leaves = [row.leaf for row in gb.ports.journal.rows(tx, 0, 1000)]

    def tile(level: int, index: int, wide: int, origin: str = "") -> bytes:
        question = audit_service_pb2.GetTileRequest(origin=origin, level=level, index=index, width=wide)
        return audit_proofs.get_tile(gb.ports, auditor(gb), question).hashes

    assert tile(0, 1, 256) == b"".join(leaves[256:512])
    assert tile(0, 2, len(leaves) - 512) == b"".join(leaves[512:])
    assert tile(1, 0, 2) == b"".join(Frontier.empty().extend(leaves[start : start + 256]).root() for start in (0, 256))
    assert len(tile(0, 0, 4, GB_KH)) == 4 * 32
    for level, index, wide in ((0, 2, 256), (1, 0, 3), (2, 0, 1), (7, 0, 1), (0, 2**62, 1)):
        with refused(NotFound, "TILE_UNKNOWN"):
            tile(level, index, wide)
    for level, wide in ((0, 0), (0, 257), (8, 1)):
        with refused(Malformed, "TILE_RANGE"):
            tile(level, 0, wide)


def test_what_is_not_there_is_not_proved(two: Federation) -> None:
    gb = two["gb"]

    def ask(**fields: Any) -> audit_service_pb2.GetProofResponse:
        return audit_proofs.get_proof(gb.ports, auditor(gb), audit_service_pb2.GetProofRequest(**fields))

    with refused(NotFound, "LOG_UNKNOWN"):
        ask(origin="gb.alerts.example/disclosures/vn.alerts.example/1")
    with refused(NotFound, "LOG_UNKNOWN"):
        audit_proofs.get_checkpoint(gb.ports, auditor(gb), "kh.alerts.example/journal/1")
    with refused(NotFound, "ENTRY_UNKNOWN"):
        ask(origin=GB_KH, index=4)
    with refused(Malformed, "PROOF_RANGE"):
        ask(origin=GB_KH, index=3, size=5)
    with refused(Malformed, "PROOF_RANGE"):
        ask(origin=GB_KH, index=3, size=2)
