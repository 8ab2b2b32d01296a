"""A client of transparency logs, written from the C2SP specifications (signed-note, tlog-checkpoint, tlog-cosignature, tlog-tiles) alone.

It stands for the stock tools of that ecosystem: it imports nothing of this product, and follows a log by its checkpoint and tiles.
"""

import base64
import hashlib
import urllib.error
import urllib.request
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Untrue(Exception):
    """The log shows something that does not hold."""


@dataclass(frozen=True)
class Head:
    """A verified tree head."""

    origin: str
    size: int
    root: bytes


def key_id(name: str, kind: int, key: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + key).digest()[:4]


def get(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=20) as response:  # noqa: S310 - the test's own address
            return bytes(response.read())
    except urllib.error.HTTPError as error:
        raise Untrue(f"{error.code}") from None


def signatures(note: bytes) -> tuple[bytes, list[tuple[str, bytes, bytes]]]:
    """The signed text, and (name, key id, signature) of each line."""
    text, _, lines = note.rpartition(b"\n\n")
    found = []
    for line in lines.decode().splitlines():
        dash, name, encoded = line.split(" ")
        raw = base64.b64decode(encoded, validate=True)
        if dash != "\u2014":
            raise Untrue("not a signature line")
        found.append((name, raw[:4], raw[4:]))
    return text + b"\n", found


def verify_head(note: bytes, origin: str, key: bytes) -> Head:
    """Check the log's own signature."""
    text, lines = signatures(note)
    name, size, root = text.decode().splitlines()[:3]
    good = [signature for who, identity, signature in lines if (who, identity) == (origin, key_id(origin, 1, key))]
    if name != origin or not good:
        raise Untrue("not this log's checkpoint")
    for signature in good:
        check(key, signature, text)
    return Head(origin=name, size=int(size), root=base64.b64decode(root, validate=True))


def verify_cosignature(note: bytes, witness: str, key: bytes) -> int:
    """Check a witness's cosignature; returns when it was made, in seconds since 1970."""
    text, lines = signatures(note)
    for who, identity, signature in lines:
        if (who, identity) == (witness, key_id(witness, 4, key)):
            at = int.from_bytes(signature[:8], "big")
            check(key, signature[8:], f"cosignature/v1\ntime {at}\n".encode() + text)
            return at
    raise Untrue("that witness has not cosigned")


def check(key: bytes, signature: bytes, message: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        raise Untrue("a signature does not hold") from None


def tile_path(level: int, index: int, width: int) -> str:
    groups = [f"{index % 1000:03d}"]
    while index >= 1000:
        index //= 1000
        groups.insert(0, f"x{index % 1000:03d}")
    return f"tile/{level}/{'/'.join(groups)}" + (f".p/{width}" if width < 256 else "")


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def tree_hash(hashes: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1 over subtree hashes that stand for whole subtrees of one width."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    half = 1
    while half * 2 < len(hashes):
        half *= 2
    return node(tree_hash(hashes[:half]), tree_hash(hashes[half:]))


class Follower:
    """Remembers the newest head of one log, and moves on only to one that continues it."""

    def __init__(self, prefix: str, origin: str, key: bytes) -> None:
        self.prefix, self.origin, self.key = prefix, origin, key
        self.head: Head | None = None
        self.fetched: list[str] = []

    def update(self) -> Head:
        """Fetch the checkpoint, rebuild both roots from tiles, and compare."""
        head = verify_head(get(f"{self.prefix}/checkpoint"), self.origin, self.key)
        leaves = self.level(0, head.size)
        if tree_hash(leaves) != head.root:
            raise Untrue("the tiles are not of the tree that was signed")
        for level in range(1, 3):  # each hash of an upper tile is that of a whole tile below
            below = self.level(level - 1, head.size)
            expected = [tree_hash(below[at : at + 256]) for at in range(0, len(below) - 255, 256)]
            if self.level(level, head.size) != expected:
                raise Untrue("an upper tile is not of the tiles below")
        if self.head is not None and (self.head.size > head.size or tree_hash(leaves[: self.head.size]) != self.head.root):
            raise Untrue("the log was rolled back or rewritten")
        self.head = head
        return head

    def level(self, level: int, size: int) -> list[bytes]:
        """All hashes of one level."""
        count, hashes = size >> 8 * level, b""
        for index in range(-(-count // 256)):
            path = tile_path(level, index, min(256, count - index * 256))
            self.fetched.append(path)
            hashes += get(f"{self.prefix}/{path}")
        if len(hashes) != 32 * count:
            raise Untrue("a tile has another width than asked for")
        return [hashes[at : at + 32] for at in range(0, len(hashes), 32)]
