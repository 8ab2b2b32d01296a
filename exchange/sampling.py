"""A sample of a log that neither its owner nor anybody else can steer: drawn from the auditor's nonce and the signed root.

The owner signed the root before it knew the nonce, and the nonce alone decides what is drawn. So the auditor takes the checkpoint
first and chooses a fresh nonce after it; then anybody can draw the same sample again (docs/protocol.md, section 10).
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import Final

from exchange.errors import Malformed
from exchange.tlog.checkpoint import Checkpoint

LONGEST_NONCE: Final = 256
"""Bytes."""
_DOMAIN: Final = b"alert-exchange/v1 sample\0"
_NUMBERS: Final = 1 << 64


def sample_indexes(nonce: bytes, checkpoint: Checkpoint, count: int) -> list[int]:
    """`count` different indexes of the log in the order in which they are drawn, or all of it if it has no more.

    The i-th number is the first 8 bytes of H(domain ‖ u16 length of the nonce ‖ nonce ‖ root ‖ u64 size ‖ u64 i). A number at or above
    the largest multiple of the size is passed over, so that every index is equally likely, and so is one drawn before.
    Raises `Malformed` (SAMPLE_NONCE, SAMPLE_COUNT).
    """
    if not 1 <= len(nonce) <= LONGEST_NONCE:
        raise Malformed("SAMPLE_NONCE", f"a nonce has 1 to {LONGEST_NONCE} bytes")
    if count < 1:
        raise Malformed("SAMPLE_COUNT", "a sample draws at least one entry")
    wanted = min(count, checkpoint.size)
    drawn: dict[int, None] = {}
    numbers = _numbers(nonce, checkpoint)
    while len(drawn) < wanted:
        drawn[next(numbers)] = None
    return list(drawn)


def _numbers(nonce: bytes, checkpoint: Checkpoint) -> Iterator[int]:
    """Indexes without end, each equally likely; the log is not empty."""
    prefix = sha256(_DOMAIN + len(nonce).to_bytes(2, "big") + nonce + checkpoint.root + checkpoint.size.to_bytes(8, "big"))
    fair = _NUMBERS - _NUMBERS % checkpoint.size
    counter = 0
    while True:
        state = prefix.copy()
        state.update(counter.to_bytes(8, "big"))
        number = int.from_bytes(state.digest()[:8], "big")
        counter += 1
        if number < fair:
            yield number % checkpoint.size
