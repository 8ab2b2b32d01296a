"""Every case of the data of others in this folder is run and counted from the folder; README.md names the one that is not passed."""

import hashlib
import json
from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from exchange.errors import Conflict, ExchangeError, Malformed, NotFound, Unverified
from exchange.tlog.checkpoint import Checkpoint, sign_checkpoint
from exchange.tlog.merkle import verify_consistency, verify_inclusion
from exchange.tlog.note import NoteVerifier
from exchange.tlog.policy import parse_policy
from exchange.tlog.proof import LoggedProof, parse_logged_proof
from exchange.tlog.tiles import Tile, tile_shapes, tiles_of
from exchange.witness import AddCheckpoint, check_continues, open_submitted
from tests.vectors import test_shared_vectors as shared

HERE = Path(__file__).parent
MATERIAL = {"source", "log_vkey", "log_skey_test", "other_vkey", "checkpoint_5", "checkpoint_8", "consistency_5_8_hex", "name"}
"""Keys that hold what cases are made of, or say where they come from."""
DEVIATION = "consistency.json/consistency/additional/sizes-are-equal-one-and-proof-is-empty.json"

Case = tuple[str, Callable[[], None]]


def load(name: str) -> Any:
    return json.loads((HERE / name).read_text(encoding="utf-8"))


def case_count(data: Any) -> int:
    """How many cases a file holds: the elements of its lists, and what stands alone."""
    if isinstance(data, list):
        return len(data)
    return sum(len(value) if isinstance(value, list) else 1 for key, value in data.items() if key not in MATERIAL)


def refused(code: str, act: Callable[[], object]) -> None:
    with pytest.raises(ExchangeError) as refusal:
        act()
    assert refusal.value.code == code


def proofs(name: str) -> Iterator[Case]:
    for case in load(name):
        hashes = shared.hashes(case["proof"])

        def verify(case: dict[str, Any] = case, hashes: list[bytes] = hashes) -> None:
            if "leafIdx" in case:
                verify_inclusion(b64decode(case["leafHash"]), case["leafIdx"], case["treeSize"], hashes, b64decode(case["root"]))
            else:
                verify_consistency(case["size1"], b64decode(case["root1"]), case["size2"], b64decode(case["root2"]), hashes)

        def agree(case: dict[str, Any] = case, verify: Callable[[], None] = verify) -> None:
            try:
                verify()
            except Unverified:
                assert case["wantErr"]
            else:
                assert not case["wantErr"]

        yield case["name"], agree


def reference_tree() -> Iterator[Case]:
    data = load("rfc6962_reference.json")
    for key in data.keys() - MATERIAL:
        for number in range(len(data[key]) if isinstance(data[key], list) else 1):
            yield f"{key}/{number}", shared.test_reference_tree


def signed_notes() -> Iterator[Case]:
    data = load("signed_note.json")
    for vkey in data["vkey_ok"]:
        yield vkey, lambda vkey=vkey: shared.test_vkey(vkey)
    for vkey in data["vkey_bad"]:
        yield vkey, lambda vkey=vkey: refused("VKEY_MALFORMED", lambda: NoteVerifier.from_vkey(vkey))
    yield "vkey_bad_rule", shared.test_bad_vkeys
    yield "sign", shared.test_signing_gives_the_same_note
    for case in data["open"]:
        yield case["name"], lambda case=case: shared.test_open_note(case)
    for note in data["open_nonutf8_hex"]:
        yield "not utf-8", lambda note=note: shared.test_note_that_is_not_utf8(note)


def tree_notes() -> Iterator[Case]:
    yield "record_hash", shared.test_record_hash
    yield "tree_text", shared.test_tree_text
    for number in range(len(load("tree_note.json")["tree_text_bad"])):
        yield f"tree_text_bad/{number}", shared.test_bad_tree_text


def bad_checkpoints() -> Iterator[Case]:
    for text in load("checkpoint_bad.json")["checkpoint_unmarshal_bad"]:
        yield text, lambda text=text: shared.test_bad_checkpoints(text, extensions=False)


def c2sp_examples() -> Iterator[Case]:
    yield "signed_note_verifies", shared.test_signed_note_example_verifies
    yield "parse_only", c2sp_parse_only


def c2sp_parse_only() -> None:
    shared.test_note_example_with_a_blank_line_in_its_text()
    shared.test_cosigned_checkpoint_example()
    body = load("c2sp_examples.json")["parse_only"]["add_checkpoint_body"].encode()
    request = AddCheckpoint.parse(body)
    assert (request.old_size, len(request.proof), request.body()) == (20852014, 4, body)


def tiles() -> Iterator[Case]:
    data = load("tiles.json")
    for path, expected in data["tile_paths"]:
        yield path, lambda path=path, expected=expected: same_tile(path, expected)
    for old, new, count in data["new_tiles_height10"]:
        yield f"{old}-{new}", lambda old=old, new=new, count=count: same_growth(old, new, count)
    yield "tiles_example", tiles_example


def same_tile(path: str, expected: list[int] | None) -> None:
    """Go writes the tile's height behind `tile/`; C2SP leaves it out, since it is always 8: there a whole tile has 256 hashes."""
    _, height, rest = path.split("/", 2)
    if expected is None:
        refused("TILE_MALFORMED", lambda: Tile.parse(f"tile/{rest}"))
        return
    _, level, index, width = expected
    tile = Tile(level=level, index=index, width=256 if width == 1 << int(height) else width)
    assert Tile.parse(f"tile/{rest}") == tile
    assert tile.path == f"tile/{rest}"


def same_growth(old: int, new: int, count: int) -> None:
    assert len(set(tile_shapes(new, 1 << 10)) - set(tile_shapes(old, 1 << 10))) == count


def tiles_example() -> None:
    example = load("tiles.json")["tiles_example"]
    found = tiles_of(example["size"])
    for level in range(3):
        assert sum(tile.level == level and tile.width == 256 for tile in found) == example.get(f"full_l{level}", 0)
        assert [tile.width for tile in found if tile.level == level and tile.width < 256] == [example[f"partial_l{level}"]]
    index, path = example["index_path"]
    assert Tile(level=0, index=index).path == f"tile/0/{path}"


def proof_and_policy() -> Iterator[Case]:
    data = load("proof_and_policy.json")
    for case in data["tlog_proof_marshal"]:
        yield f"proof {case['index']}", lambda case=case: same_proof(case)
    for text in data["tlog_proof_bad"]:
        yield text, lambda text=text: refused("PROOF_MALFORMED", lambda: parse_logged_proof(text.encode()))
    for case in data["policy_ok"]:
        yield "policy", lambda case=case: same_policy(case)
    for text in data["policy_bad"]:
        yield text, lambda text=text: refused("POLICY_MALFORMED", lambda: parse_policy(text.encode()))


def same_proof(case: dict[str, Any]) -> None:
    hashes = tuple(hashlib.sha256(text.encode()).digest() for text in case["hash_preimages"])
    proof = LoggedProof(index=case["index"], hashes=hashes, note=case["checkpoint"].encode(), extra=(case["extra"] or "").encode())
    assert parse_logged_proof(proof.text()) == proof
    assert proof.text().decode() == case.get("want", proof.text().decode())


def same_policy(case: dict[str, Any]) -> None:
    policy = parse_policy(case["policy"].encode())
    keys = [witness.key for witness in policy.witnesses.values()]
    assert len(keys) == case["n"]
    assert policy.satisfied(keys, own="log.example")
    assert not policy.satisfied(keys[:1], own="log.example")


def witness() -> Iterator[Case]:
    for name in load("witness.json")["update_cases"]:
        yield name, WITNESS_CASES[name]


def _monkeys() -> tuple[NoteVerifier, bytes, bytes, tuple[bytes, ...]]:
    data = load("witness.json")
    proof = tuple(bytes.fromhex(value) for value in data["consistency_5_8_hex"])
    return NoteVerifier.from_vkey(data["log_vkey"]), data["checkpoint_5"].encode(), data["checkpoint_8"].encode(), proof


def _submit(note: bytes, old: int, proof: tuple[bytes, ...] = (), newest: Checkpoint | None = None, vkey: str = "log_vkey") -> Checkpoint:
    log = NoteVerifier.from_vkey(load("witness.json")[vkey])
    known = {log.name: [log]} if vkey == "log_vkey" else {"monkeys": [NoteVerifier(name="monkeys", public_key=log.public_key)]}
    request = AddCheckpoint.parse(AddCheckpoint(old_size=old, proof=proof, note=note).body())
    checkpoint = open_submitted(request, lambda origin: known.get(origin, []))
    check_continues(request, checkpoint, newest)
    return checkpoint


def _five() -> Checkpoint:
    return _submit(_monkeys()[1], 0)


def _signed(size: int, root: bytes) -> bytes:
    """A checkpoint by the test key that the data brings."""
    data = load("witness.json")
    seed = b64decode(data["log_skey_test"].split("+", 4)[4])[1:]
    key = Ed25519PrivateKey.from_private_bytes(seed)
    assert key.public_key().public_bytes_raw() == NoteVerifier.from_vkey(data["log_vkey"]).public_key
    return sign_checkpoint(Checkpoint(origin="monkeys", size=size, root=root), key.public_key().public_bytes_raw(), key.sign)


def _good() -> None:
    assert _submit(_monkeys()[2], 5, _monkeys()[3], _five()).size == 8


def _other_size() -> None:
    with pytest.raises(Conflict) as refusal:
        _submit(_monkeys()[2], 2, _monkeys()[3], _five())
    assert refusal.value.code == "WITNESS_OTHER_SIZE"


def _inconsistent(*arguments: Any) -> None:
    with pytest.raises(Unverified) as refusal:
        _submit(*arguments)
    assert refusal.value.code == "WITNESS_INCONSISTENT"


def _too_large_old() -> None:
    with pytest.raises(Malformed) as refusal:
        _submit(_monkeys()[1], 8, (), _submit(_monkeys()[2], 0))
    assert refusal.value.code == "ADD_CHECKPOINT_MALFORMED"


def _unknown_origin() -> None:
    with pytest.raises(NotFound) as refusal:
        open_submitted(AddCheckpoint(old_size=0, proof=(), note=_monkeys()[1]), lambda _: [])
    assert refusal.value.code == "WITNESS_UNKNOWN_ORIGIN"


def _bad_signature() -> None:
    with pytest.raises(Unverified) as refusal:
        _submit(_monkeys()[1], 0, vkey="other_vkey")
    assert refusal.value.code == "WITNESS_SIGNATURE"


WITNESS_CASES: dict[str, Callable[[], None]] = {
    "5->8 with proof: 200": _good,
    "claimed old 2 while state 5: 409 body 5": _other_size,
    "0->5 with non-empty proof: 422": lambda: _inconsistent(_monkeys()[1], 0, _monkeys()[3]),
    "5->5 same root: 200": lambda: check_same(_submit(_monkeys()[1], 5, (), _five())),
    "5->5 different root: spec 422 (this Go code maps ErrRootMismatch to 409)": lambda: _inconsistent(
        _signed(5, bytes(32)), 5, (), _five()
    ),
    "4->5 empty proof: 422": lambda: _inconsistent(_monkeys()[1], 4, (), _submit(_signed(4, bytes(32)), 0)),
    "8->5: 400": _too_large_old,
    "5->8 garbage proof: 422": lambda: _inconsistent(_monkeys()[2], 5, tuple(bytes([n]) * 32 for n in range(4)), _five()),
    "unknown origin: 404": _unknown_origin,
    "bad signature: 403": _bad_signature,
}


def check_same(checkpoint: Checkpoint) -> None:
    assert checkpoint == _five()


RUNS: dict[str, Callable[[], Iterator[Case]]] = {
    "inclusion.json": lambda: proofs("inclusion.json"),
    "consistency.json": lambda: proofs("consistency.json"),
    "rfc6962_reference.json": reference_tree,
    "signed_note.json": signed_notes,
    "tree_note.json": tree_notes,
    "checkpoint_bad.json": bad_checkpoints,
    "c2sp_examples.json": c2sp_examples,
    "tiles.json": tiles,
    "proof_and_policy.json": proof_and_policy,
    "witness.json": witness,
}


def test_every_file_of_the_folder_is_run() -> None:
    assert {path.name for path in HERE.glob("*.json")} == set(RUNS)


def test_all_cases_pass_but_the_deviation() -> None:
    passed, failed = 0, []
    for file, run in RUNS.items():
        for name, check in run():
            try:
                check()
            except (AssertionError, ExchangeError, pytest.fail.Exception):
                failed.append(f"{file}/{name}")
            else:
                passed += 1
    assert failed == [DEVIATION]
    assert passed == sum(case_count(load(path.name)) for path in HERE.glob("*.json")) - 1


def test_the_readme_names_the_deviation() -> None:
    readme = (HERE / "README.md").read_text(encoding="utf-8")
    assert '"sizes are equal (one) and proof is empty"' in readme
    assert all(file in readme for file in RUNS)
