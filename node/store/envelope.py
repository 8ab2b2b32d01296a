"""Authenticated encryption at rest: AES-256-GCM (NIST SP 800-38D) with random 96-bit nonces.

A sealed value is nonce[12] ‖ ciphertext ‖ tag[16]. What it is for (its *purpose*) is authenticated with it, so that a
value moved to another alert or another column no longer opens. With random nonces one key may seal 2^32 values (SP
800-38D, 8.3): a key for one month's alerts stays far below.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from node.store.errors import StoreFailed

KEY_SIZE: Final = 32
NONCE_SIZE: Final = 12

DAY_MS: Final = 24 * 3600 * 1000
_LAST_MS: Final = 253_402_300_799_000
"""9999-12-31T23:59:59Z, where the calendar of the periods ends."""


class SealingKey:
    """A 32-byte key that seals and opens. It cannot be read back or printed."""

    __slots__ = ("_cipher", "_entropy")

    def __init__(self, key: bytes, entropy: Callable[[int], bytes]) -> None:
        if len(key) != KEY_SIZE:
            raise ValueError("a sealing key has 32 bytes")
        self._cipher = AESGCM(key)
        self._entropy = entropy

    def seal(self, purpose: bytes, plaintext: bytes) -> bytes:
        """Encrypt; the result is 28 bytes longer and opens only under the same purpose."""
        nonce = self._entropy(NONCE_SIZE)
        return nonce + self._cipher.encrypt(nonce, plaintext, purpose)

    def open(self, purpose: bytes, sealed: bytes) -> bytes:
        """Decrypt. Raises `StoreFailed` (VAULT_TAMPERED): altered, cut, moved, or sealed under another key."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_SIZE], sealed[NONCE_SIZE:], purpose)
        except (InvalidTag, ValueError):
            raise StoreFailed(
                "VAULT_TAMPERED", "a sealed value does not open: it was altered or moved, or the master key is another"
            ) from None


def period_of(not_after_ms: int, now_ms: int) -> str:
    """The month (UTC, `YYYY-MM`) in which an alert expires, whose key wraps the alert's own.

    A control alert never expires (`not_after` 0): it is kept with the alerts that expire a year (365 days) from now.
    """
    expiry = min(not_after_ms or now_ms + 365 * DAY_MS, _LAST_MS)
    day = datetime.fromtimestamp(expiry // 1000, UTC)
    return f"{day.year:04d}-{day.month:02d}"
