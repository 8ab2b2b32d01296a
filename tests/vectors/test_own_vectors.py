"""The vectors of our own protocol: unchanged, and true by hashlib and cryptography alone."""

import hashlib
import json
from base64 import b64decode
from itertools import pairwise
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from exchange.evidence import verify_evidence
from exchange.v1 import evidence_pb2, travel_alert_pb2
from tests.vectors.make_own import OWN, text_of, vectors


def load(name: str) -> Any:
    return json.loads((OWN / f"{name}.json").read_text(encoding="utf-8"))


def unhex(text: str) -> bytes:
    return bytes.fromhex(text)


def u32(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value


@pytest.mark.parametrize("name", vectors())
def test_the_protocol_has_not_changed(name: str) -> None:
    """When a change is meant: run `python -m tests.vectors.make_own`, and say in the commit whether page or code was wrong."""
    assert (OWN / f"{name}.json").read_text(encoding="utf-8") == text_of(vectors()[name])


def test_no_vector_lies_about() -> None:
    assert {path.name for path in OWN.iterdir()} == {f"{name}.json" for name in vectors()}


def test_profile_digests() -> None:
    profiles = load("profiles")
    assert len(profiles) == 18
    for profile in profiles.values():
        text = "".join(f"{line}\n" for line in profile["text"])
        assert hashlib.sha256(text.encode()).hexdigest() == profile["digest"]


def test_slots_and_authorisation() -> None:
    given = load("slots")
    start = b"alert-exchange/v1 slot\0" + unhex(given["alert_id"]) + unhex(given["profile"])
    for slot in given["slots"]:
        committed = start + slot["field"].to_bytes(2, "big") + unhex(slot["salt"]) + u32(unhex(slot["fragment"]))
        assert hashlib.sha256(committed).hexdigest() == slot["slot"]
    assert "".join(slot["fragment"] for slot in given["slots"]) == given["alert"]
    assert len(given["slots"]) == len({slot["salt"] for slot in given["slots"]}) == 34
    assert travel_alert_pb2.TravelAlert.FromString(unhex(given["alert"])).booking_reference == "EXMPL7"
    record = given["authorisation"]
    committed = b"alert-exchange/v1 authorisation\0" + unhex(record["salt"]) + u32(unhex(record["record"]))
    assert hashlib.sha256(committed).hexdigest() == record["commitment"]


@pytest.mark.parametrize("given", [*load("statements").values(), load("receipt")], ids=[*load("statements"), "receipt"])
def test_statements(given: dict[str, Any]) -> None:
    payload = unhex(given["payload"])
    kind = given["type"].encode()
    message = b" ".join([b"DSSEv1", str(len(kind)).encode(), kind, str(len(payload)).encode(), payload])
    assert hashlib.sha256(message).hexdigest() == given["digest"]
    keys = {known["key_id"]: unhex(known["spki"]) for known in given["keys"].values()}
    assert all(hashlib.sha256(spki).hexdigest() == key_id for key_id, spki in keys.items())
    assert len(given["signatures"]) == len(keys)
    assert all(first["key_id"] < second["key_id"] for first, second in pairwise(given["signatures"]))
    for signature in given["signatures"]:
        raw = keys[signature["key_id"]].removeprefix(unhex("302a300506032b6570032100"))
        Ed25519PublicKey.from_public_bytes(raw).verify(unhex(signature["signature"]), message)


def test_log_and_checkpoint() -> None:
    given = load("log")
    leaves = [hashlib.sha256(b"\0" + unhex(one["entry"])).digest() for one in given["entries"]]
    assert [leaf.hex() for leaf in leaves] == [one["leaf"] for one in given["entries"]]
    left, right = (hashlib.sha256(b"\1" + a + b).digest() for a, b in (leaves[:2], leaves[2:]))
    assert hashlib.sha256(b"\1" + left + right).hexdigest() == given["root"]
    text, _, line = given["checkpoint"].partition("\n\n")
    origin, size, root = text.split("\n")
    assert (origin, size) == ("gb.alerts.example/disclosures/kh.alerts.example/1", "4")
    assert b64decode(root).hex() == given["root"]
    dash, name, encoded = line.rstrip("\n").split(" ")
    raw, signature = unhex(given["log_key"])[-32:], b64decode(encoded)
    assert (dash, name) == ("—", origin)
    assert signature[:4] == hashlib.sha256(origin.encode() + b"\n\x01" + raw).digest()[:4]
    Ed25519PublicKey.from_public_bytes(raw).verify(signature[4:], f"{text}\n".encode())
    assert load("receipt")["checkpoint_text"] == f"{text}\n"


def test_evidence() -> None:
    given = load("evidence")
    proved = verify_evidence(unhex(given["file"]), {name: unhex(pin) for name, pin in given["pins"].items()})
    assert (proved.level, proved.index, list(proved.entry.fields)) == (evidence_pb2.EVIDENCE_LEVEL_DATA, given["index"], given["fields"])
    assert proved.view.hex() == given["view"]
    slots = {slot["field"]: slot for slot in load("slots")["slots"]}
    assert "".join(slots[number]["fragment"] for number in given["fields"]) == given["view"]
    assert proved.root.hex() == load("log")["root"]
