"""Proofs on paper: one form, read back as written."""

import pytest

from exchange.errors import Malformed
from exchange.tlog.proof import MAX_PROOF_BYTES, LoggedProof, parse_logged_proof

GOOD = LoggedProof(index=7, hashes=(bytes(32), bytes([1]) * 32), note=b"a note\n", extra=b"x")
TEXT = GOOD.text()


def test_a_proof_is_read_as_it_was_written() -> None:
    assert parse_logged_proof(TEXT) == GOOD


@pytest.mark.parametrize(
    "text",
    [
        b"",
        TEXT + b"x" * MAX_PROOF_BYTES,
        TEXT.replace(b"extra eA==", b"extra eA="),
        TEXT.replace(b"extra eA==", b"extra e"),
        TEXT.replace(b"extra eA==", b"extra eB=="),
        TEXT.replace(b"extra eA==", b"extra ===="),
        TEXT.replace(b"index 7", b"index 07"),
        TEXT.replace(b"index 7", b"index 9223372036854775808"),
        TEXT.replace(b"A=\n", b"B=\n"),
        TEXT.replace(b"A=\n", b"A=\r\n"),
        TEXT.replace(b"A=\n", b"=\n"),
        TEXT.removesuffix(b"a note\n"),
    ],
)
def test_another_form_is_refused(text: bytes) -> None:
    with pytest.raises(Malformed) as refusal:
        parse_logged_proof(text)
    assert refusal.value.code == "PROOF_MALFORMED"


@pytest.mark.parametrize(
    "changes", [{"index": -1}, {"index": 1 << 63}, {"hashes": (bytes(31),)}, {"hashes": (bytes(32),) * 64}, {"note": b""}]
)
def test_a_proof_that_nobody_can_write_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(Malformed) as refusal:
        LoggedProof(**{"index": 0, "hashes": (), "note": b"n", **changes})  # type: ignore[arg-type] - each case is wrong in one value
    assert refusal.value.code == "PROOF_MALFORMED"
