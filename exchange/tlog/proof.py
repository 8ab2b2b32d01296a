"""Proofs on paper: an entry's inclusion and the checkpoint that it leads to, as one text (C2SP tlog-proof).

Whoever has the entry and trusts the log's key needs nothing else: no database and no network.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from exchange.errors import Malformed
from exchange.tlog.checkpoint import MAX_SIZE
from exchange.tlog.merkle import HASH_BYTES

MAX_HASHES = 63
MAX_PROOF_BYTES = 1 << 20
_HEADER = b"c2sp.org/tlog-proof@v1\n"
_HASH_LINE = re.compile(rb"[A-Za-z0-9+/]{43}=\n")
_PROOF = re.compile(rb"c2sp\.org/tlog-proof@v1\n(?:extra ([A-Za-z0-9+/=]+)\n)?index (0|[1-9][0-9]{0,18})\n((?:[^\n]+\n)*)\n(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedProof:
    """An inclusion proof with its checkpoint; nothing in it is verified, and `extra` never can be.

    `hashes` lead from the leaf's sibling upwards, 32 bytes each (RFC 6962 section 2.1.1). `note` is the signed checkpoint, verbatim.
    Raises `Malformed` (PROOF_MALFORMED).
    """

    index: int
    hashes: tuple[bytes, ...]
    note: bytes
    extra: bytes = b""

    def __post_init__(self) -> None:
        if not 0 <= self.index <= MAX_SIZE or len(self.hashes) > MAX_HASHES or any(len(value) != HASH_BYTES for value in self.hashes):
            raise Malformed("PROOF_MALFORMED", "a proof has an index and at most 63 hashes of 32 bytes")
        if not self.note:
            raise Malformed("PROOF_MALFORMED", "a proof ends in a checkpoint")

    def text(self) -> bytes:
        """The proof as it stands in a file, conventionally named `….tlog-proof`."""
        extra = b"extra " + b64encode(self.extra) + b"\n" if self.extra else b""
        return _HEADER + extra + b"index %d\n" % self.index + hash_lines(self.hashes) + b"\n" + self.note


def parse_logged_proof(text: bytes) -> LoggedProof:
    """Read a proof, exactly as `LoggedProof.text` writes it. Raises `Malformed` (PROOF_MALFORMED)."""
    matched = _PROOF.fullmatch(text) if len(text) <= MAX_PROOF_BYTES else None
    if matched is None:
        raise Malformed("PROOF_MALFORMED", "a proof is a header, an index, hashes, a blank line and a checkpoint")
    extra, index, lines, note = matched.groups()
    try:
        decoded = b64decode(extra or b"", validate=True)
    except ValueError:
        raise Malformed("PROOF_MALFORMED", "extra data is base64") from None
    proof = LoggedProof(index=int(index), hashes=tuple(parse_hash_lines(lines, "PROOF_MALFORMED")), note=note, extra=decoded)
    if proof.text() != text:  # canonical base64, and extra data that is not empty
        raise Malformed("PROOF_MALFORMED", "a proof has one form")
    return proof


def hash_lines(hashes: Sequence[bytes]) -> bytes:
    """Hashes in base64, one a line."""
    return b"".join(b64encode(value) + b"\n" for value in hashes)


def parse_hash_lines(lines: bytes, code: str) -> list[bytes]:
    """Undo `hash_lines`: hashes of 32 bytes. Raises `Malformed` with `code` for any other line."""
    parts = lines.splitlines(keepends=True)
    hashes = [b64decode(part) for part in parts if _HASH_LINE.fullmatch(part)]
    if hash_lines(hashes) != lines:
        raise Malformed(code, "a hash is one line of canonical base64, 32 bytes")
    return hashes
