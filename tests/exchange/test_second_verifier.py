"""Two verifiers that share no code agree on every good file, and on files of which a byte was altered, cut out, put in or swapped."""

import ast
import random
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from exchange.encoding import encode
from exchange.errors import ExchangeError
from exchange.tlog.policy import Policy
from exchange.v1 import evidence_pb2
from tests import second_verifier
from tests.builders import control_entry, delivery, evidence, receipt, sealed, withdrawal, world
from tests.countries import changed, pins
from tests.exchange.test_contradiction import of_sizes, receipts
from tests.proofs import OVERSIGHT, anchor, bundle, bundle_file, policy, receipt_entry
from tests.second_opinion import BOTH

PINS = pins("gb", "kh", "vn")
RULE = policy("kh", "vn", OVERSIGHT, quorum="2")
TAMPERINGS = 120
"""Of each file."""


def _file(level: int = 1, **changes: object) -> bytes:
    agreed = {} if level < 3 else {"agreement": None}
    return encode(changed(evidence(world().entries, 2, world().delivery, level), **agreed | changes))


def _recall() -> bytes:
    recall = sealed(withdrawal(world().sealed.digest), counter=5)
    delivered = delivery(recall, control_entry(recall, world().sealed.digest))
    entries = [*world().entries[:2], delivered.entry]
    return encode(changed(evidence(entries, 2, delivered), agreement=None))


_SEEN = [anchor("kh", witnesses=("vn", OVERSIGHT)), anchor("gb", receipt_entry("gb"), witnesses=("kh", OVERSIGHT))]
GOOD: Mapping[str, tuple[bytes, Policy | None]] = {
    "data": (_file(), None),
    "contentless": (_file(2), None),
    "entry only": (_file(3), None),
    "logged only": (_file(4, receipt=receipt(world().entries, exceptions=[(2, 16)])), None),
    "recall": (_recall(), None),
    "anchored": (_file(3, anchors=_SEEN), None),
    "witnessed": (_file(3, anchors=_SEEN), RULE),
    "bundle": (bundle_file(bundle()), None),
    "contradiction": (of_sizes(3, 7), None),
    "receipts": (receipts(), None),
}


def judge_of(data: bytes) -> Callable[..., object]:
    """The treaty's verifier for what the first line says, together with the second."""
    if data.startswith(b"alert-exchange/v1 evidence-bundle\n"):
        return BOTH["verify_bundle"]
    return BOTH["verify_contradiction" if data.startswith(b"alert-exchange/v1 contradiction\n") else "verify_evidence"]


def tampered(data: bytes, chance: random.Random) -> bytes:
    """The file with one byte altered, a piece cut out, put in or swapped, or its end cut off."""
    spoiled, place = bytearray(data), chance.randrange(len(data))
    match chance.randrange(6):
        case 0 | 1:
            spoiled[place] ^= 1 << chance.randrange(8)
        case 2:
            del spoiled[place : place + chance.choice((1, 32))]
        case 3:
            spoiled[place:place] = data[chance.randrange(len(data)) :][: chance.choice((1, 32))]
        case 4:
            other = chance.randrange(len(data))
            spoiled[place], spoiled[other] = spoiled[other], spoiled[place]
        case _:
            del spoiled[place:]
    return bytes(spoiled)


@pytest.mark.parametrize("name", GOOD)
def test_both_believe_every_good_file(name: str) -> None:
    data, rule = GOOD[name]
    judge_of(data)(data, PINS, *([rule] if rule else []))


@pytest.mark.parametrize("name", GOOD)
def test_both_refuse_a_tampered_file_under_one_code(name: str) -> None:
    data, rule = GOOD[name]
    chance = random.Random(name)
    refused: set[str] = set()
    held = 0
    for _ in range(TAMPERINGS):
        spoiled = tampered(data, chance)
        try:
            judge_of(spoiled)(spoiled, PINS, *([rule] if rule else []))
        except ExchangeError as refusal:
            refused.add(refusal.code)
        else:
            held += spoiled != data
    assert len(refused) > 2
    # Who has no policy does not look at cosignatures; whatever else is in a file is checked.
    assert held <= (TAMPERINGS // 5 if name == "anchored" else 0), f"{held} of {TAMPERINGS} tampered files were believed"


def test_the_second_verifier_shares_nothing_with_the_first_and_is_short() -> None:
    for module in (second_verifier, __import__("tests.proto_runtime", fromlist=["x"])):
        source = Path(str(module.__file__)).read_text("utf-8")
        imported = {name for found in ast.walk(ast.parse(source)) for name in _imported(found)}
        assert not any(name.split(".")[0] in {"exchange", "node"} for name in imported), imported
    assert len(Path(str(second_verifier.__file__)).read_text("utf-8").splitlines()) < 400
    assert evidence_pb2.EvidenceFile is not second_verifier.kind("EvidenceFile")


def _imported(found: ast.AST) -> list[str]:
    if isinstance(found, ast.Import):
        return [name.name for name in found.names]
    return [found.module or ""] if isinstance(found, ast.ImportFrom) else []
