"""Data written by others, listed in the README.md beside this file with the single case from which we deviate."""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from exchange.errors import Malformed, Unverified
from exchange.tlog.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint_text
from exchange.tlog.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    verify_consistency,
    verify_inclusion,
)
from exchange.tlog.note import NoteVerifier, cosigned_at, open_note, sign_note, split_note

HERE = Path(__file__).parent


def load(name: str) -> Any:
    return json.loads((HERE / name).read_text(encoding="utf-8"))


INCLUSION = load("inclusion.json")
CONSISTENCY = load("consistency.json")
REFERENCE = load("rfc6962_reference.json")
SIGNED_NOTE = load("signed_note.json")
TREE_NOTE = load("tree_note.json")
C2SP = load("c2sp_examples.json")
CHECKPOINT_BAD = load("checkpoint_bad.json")["checkpoint_unmarshal_bad"]

# README.md, last line: "One good consistency case (...) has 12-byte roots: the single accepted deviation."
DEVIATION = "consistency/additional/sizes-are-equal-one-and-proof-is-empty.json"


def case_name(case: dict[str, Any]) -> str:
    return str(case["name"])


def hashes(encoded: list[str] | None) -> list[bytes]:
    return [b64decode(value) for value in encoded or []]


def test_no_case_was_lost() -> None:
    for cases in (INCLUSION, CONSISTENCY):
        assert len({case["name"] for case in cases}) == 98
        assert sum(not case["wantErr"] for case in cases) == 6


@pytest.mark.parametrize("case", INCLUSION, ids=case_name)
def test_inclusion(case: dict[str, Any]) -> None:
    leaf, tree = hashes([case["leafHash"], case["root"]])

    def verify() -> None:
        verify_inclusion(leaf, case["leafIdx"], case["treeSize"], hashes(case["proof"]), tree)

    if case["wantErr"]:
        with pytest.raises(Unverified) as refusal:
            verify()
        assert refusal.value.code == "INCLUSION_INVALID"
    else:
        verify()


@pytest.mark.parametrize("case", CONSISTENCY, ids=case_name)
def test_consistency(case: dict[str, Any]) -> None:
    old_root, new_root = hashes([case["root1"], case["root2"]])

    def verify() -> None:
        verify_consistency(case["size1"], old_root, case["size2"], new_root, hashes(case["proof"]))

    if case["wantErr"] or case["name"] == DEVIATION:
        with pytest.raises(Unverified) as refusal:
            verify()
        assert refusal.value.code == "CONSISTENCY_INVALID"
    else:
        verify()


def test_the_deviation_is_a_good_case_of_short_roots_and_the_only_one() -> None:
    short = [
        case["name"]
        for case in CONSISTENCY
        if not case["wantErr"] and {len(value) for value in hashes([case["root1"], case["root2"]])} != {32}
    ]
    assert short == [DEVIATION]


def test_reference_tree() -> None:
    leaves = [leaf_hash(bytes.fromhex(entry)) for entry in REFERENCE["leaf_inputs_hex"]]
    level = leaves
    for expected in REFERENCE["node_hashes_by_level_hex"]:
        assert [value.hex() for value in level] == expected
        level = [node_hash(*level[index : index + 2]) for index in range(0, len(level) - 1, 2)]
    assert level == []
    for size, expected in enumerate(REFERENCE["root_hashes_by_size_hex"]):
        assert root(leaves[:size]).hex() == expected
        assert Frontier.empty().extend(leaves[:size]).root().hex() == expected
    assert EMPTY_ROOT.hex() == REFERENCE["known_hashes"]["empty_root"]
    assert leaf_hash(b"").hex() == REFERENCE["known_hashes"]["empty_leaf"]


def test_our_proofs_are_the_good_cases_of_the_reference_tree() -> None:
    leaves = [leaf_hash(bytes.fromhex(entry)) for entry in REFERENCE["leaf_inputs_hex"]]
    compared = 0
    for case in INCLUSION:
        if not case["wantErr"]:
            assert inclusion_proof(leaves, case["leafIdx"], case["treeSize"]) == hashes(case["proof"])
            compared += 1
    for case in CONSISTENCY:
        if not case["wantErr"] and case["name"] != DEVIATION:
            assert consistency_proof(leaves, case["size1"], case["size2"]) == hashes(case["proof"])
            compared += 1
    assert compared == 11


def test_record_hash() -> None:
    for record, expected in TREE_NOTE["record_hash"]:
        assert leaf_hash(record.encode()) == b64decode(expected)


@pytest.mark.parametrize("vkey", SIGNED_NOTE["vkey_ok"])
def test_vkey(vkey: str) -> None:
    assert NoteVerifier.from_vkey(vkey).vkey == vkey


def bad_vkeys() -> list[str]:
    """The listed ones, and those of `vkey_bad_rule`: every proper substring, and every single byte incremented."""
    good = SIGNED_NOTE["vkey_ok"][0]
    assert good.startswith("PeterNeumann+")
    cuts = {good[start:end] for start in range(len(good)) for end in range(start, len(good) + 1)} - {good}
    bumps = [good[:at] + chr(ord(good[at]) + 1) + good[at + 1 :] for at in range(len(good))]
    return [*SIGNED_NOTE["vkey_bad"], *sorted(cuts), *bumps]


def test_bad_vkeys() -> None:
    for vkey in bad_vkeys():
        with pytest.raises(Malformed) as refusal:
            NoteVerifier.from_vkey(vkey)
        assert refusal.value.code == "VKEY_MALFORMED"


def test_signing_gives_the_same_note() -> None:
    vector = SIGNED_NOTE["sign"]
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(vector["seed_hex"]))
    note = sign_note(vector["text"].encode(), "PeterNeumann", key.public_key().public_bytes_raw(), key.sign)
    assert note == vector["note"].encode()


# What the reference implementation answers, in our codes.
CODES = {
    "malformed note": "NOTE_MALFORMED",
    "note has no verifiable signatures": "NOTE_UNSIGNED",
    "ambiguous key": "NOTE_KEY_AMBIGUOUS",
    "invalid signature for key": "NOTE_SIGNATURE",
}


@pytest.mark.parametrize("case", SIGNED_NOTE["open"], ids=case_name)
def test_open_note(case: dict[str, Any]) -> None:
    note = case["note"].encode()
    verifiers = [NoteVerifier.from_vkey(vkey) for vkey in case["verifiers"]]
    if not case["ok"]:
        with pytest.raises((Malformed, Unverified)) as refusal:
            open_note(note, verifiers)
        assert refusal.value.code == CODES[case["err"]]
        return
    opened = open_note(note, verifiers)
    assert opened.text.decode() == SIGNED_NOTE["sign"]["text"]
    assert [verifier.name for verifier in opened.verified] == case["verified"]
    distinct = dict.fromkeys(split_note(note)[1])  # repeated identical lines count once, as in the reference
    assert [signature.name for signature in distinct if signature not in opened.signatures] == case["unverified"]


@pytest.mark.parametrize("note", SIGNED_NOTE["open_nonutf8_hex"], ids=len)
def test_note_that_is_not_utf8(note: str) -> None:
    with pytest.raises(Malformed) as refusal:
        open_note(bytes.fromhex(note), [NoteVerifier.from_vkey(SIGNED_NOTE["vkey_ok"][0])])
    assert refusal.value.code == "NOTE_MALFORMED"


def test_tree_text() -> None:
    text = TREE_NOTE["tree_text"].encode()
    checkpoint = parse_checkpoint_text(text)
    assert checkpoint == Checkpoint(origin="go.sum database tree", size=123456789012, root=b64decode(TREE_NOTE["record_hash"][0][1]))
    assert checkpoint.text() == text


def test_bad_tree_text() -> None:
    other_log, *malformed = (text.encode() for text in TREE_NOTE["tree_text_bad"])
    for text in malformed:
        with pytest.raises(Malformed) as refusal:
            parse_checkpoint_text(text)
        assert refusal.value.code == "CHECKPOINT_MALFORMED"
    # The first is a good text of another log, which only the expected origin tells apart.
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    log = NoteVerifier(name="example.com/log", public_key=key.public_key().public_bytes_raw())
    with pytest.raises(Unverified) as unverified:
        open_checkpoint(sign_note(other_log, log.name, log.public_key, key.sign), [log], "go.sum database tree")
    assert unverified.value.code == "CHECKPOINT_ORIGIN"


@pytest.mark.parametrize("text", CHECKPOINT_BAD)
@pytest.mark.parametrize("extensions", [False, True])
def test_bad_checkpoints(text: str, extensions: bool) -> None:  # noqa: FBT001 - a parameter of the test
    with pytest.raises(Malformed) as refusal:
        parse_checkpoint_text(text.encode(), extensions=extensions)
    assert refusal.value.code == "CHECKPOINT_MALFORMED"


def test_signed_note_example_verifies() -> None:
    example = C2SP["signed_note_verifies"]
    verifier = NoteVerifier.from_vkey(example["vkey"])
    opened = open_note(example["note"].encode(), [verifier])
    assert (opened.text, opened.verified) == (b"This is an example message.\n", (verifier,))


def test_note_example_with_a_blank_line_in_its_text() -> None:
    text, signatures = split_note(C2SP["parse_only"]["note_with_blank_line_in_text"].encode())
    assert text.decode().endswith("raggio di sole:\n\ned è subito sera.\n")
    assert [signature.name for signature in signatures] == ["quasimodo.example/salvatore"]


def test_cosigned_checkpoint_example() -> None:
    note = C2SP["parse_only"]["cosigned_checkpoint"].encode()
    text, (log, witness) = split_note(note)
    checkpoint = parse_checkpoint_text(text)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert checkpoint.text() == text
    assert (log.name, witness.name) == (checkpoint.origin, "witness.example.com/w1")
    assert (len(log.signature), len(witness.signature)) == (64, 72)
    assert cosigned_at(witness) == C2SP["parse_only"]["cosignature_timestamp"]
    assert text + b"\n" + log.line() + witness.line() == note
