"""Challenges for passkeys, of which nothing is kept until one was answered well: nobody fills a table by opening the sign-in page."""

import hmac
import struct
import threading
from base64 import urlsafe_b64decode
from hashlib import sha256
from typing import Final

from exchange.errors import Unverified
from node.ports import Ports

STALE: Final = "CHALLENGE"
"""The code of an answer that came too late, twice, or to something else."""
LIVES_MS: Final = 5 * 60_000
_NONCE: Final = 16
_HEAD: Final = struct.Struct(">q")
_HEAD_BYTES: Final = _HEAD.size + _NONCE


class Challenges:
    """Makes challenges and takes each back once. Safe to use from many threads."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._key = ports.entropy(32)
        self._lock = threading.Lock()
        self._spent: dict[bytes, int] = {}

    def new(self, purpose: str) -> bytes:
        """A challenge that can be answered for five minutes, for this purpose alone."""
        head = _HEAD.pack(self._ports.clock.now_ms()) + self._ports.entropy(_NONCE)
        return head + self._mark(purpose, head)

    def check(self, purpose: str, challenge: bytes) -> bytes:
        """The challenge, if it is ours, for this purpose, and not too old. Raises `Unverified` (CHALLENGE)."""
        head = challenge[:_HEAD_BYTES]
        if len(head) < _HEAD_BYTES or not hmac.compare_digest(challenge[_HEAD_BYTES:], self._mark(purpose, head)):
            raise _stale()
        if not 0 <= self._ports.clock.now_ms() - self._made(head) < LIVES_MS:
            raise _stale()
        return challenge

    def derived(self, purpose: str, challenge: bytes) -> bytes:
        """32 bytes that follow from a challenge, for a purpose; whoever holds the challenge cannot tell them."""
        return hmac.new(self._key, b"derived\0" + purpose.encode() + b"\0" + challenge, sha256).digest()

    def spend(self, challenge: bytes) -> None:
        """Take back, once, one that was answered well. Raises `Unverified` (CHALLENGE)."""
        head = challenge[:_HEAD_BYTES]
        now = self._ports.clock.now_ms()
        with self._lock:
            self._spent = {spent: until for spent, until in self._spent.items() if until > now}
            if head in self._spent:
                raise _stale()
            self._spent[head] = self._made(head) + LIVES_MS

    @staticmethod
    def _made(head: bytes) -> int:
        (made,) = _HEAD.unpack_from(head)
        return int(made)

    def _mark(self, purpose: str, head: bytes) -> bytes:
        return hmac.new(self._key, purpose.encode() + b"\0" + head, sha256).digest()


def read_challenge(text: str) -> bytes:
    """The bytes that a form's field holds. Raises `Unverified` (CHALLENGE)."""
    try:
        return urlsafe_b64decode(text.encode())
    except ValueError:
        raise _stale() from None


def _stale() -> Unverified:
    return Unverified(STALE, "this page was open for too long, or was sent twice: begin again")
