"""Which alerts have a token of the subject index, answered from memory: a release asks it, and must not wait for a scan of the index.

It may name an alert that does not have the token any more, or never came to be, as after a transaction that failed: whoever asks looks
into the index before believing it. It never leaves one out. Tokens say nothing without the master key (`node.store.subjects`).
"""

import threading
from typing import Final

from node.store.engine import Store
from node.store.subjects import TOKEN, every_token

_HEAD: Final = 2
_REST: Final = TOKEN - _HEAD
_REFERENCE: Final = 5
_RECORD: Final = _REST + _REFERENCE


class SubjectTable:
    """Tokens in buckets by their first two bytes: eleven bytes for each token, and one short search for each question."""

    def __init__(self) -> None:
        self._buckets: dict[bytes, bytearray] = {}
        self._loaded = False
        self._lock = threading.Lock()

    def load(self, store: Store) -> None:
        """Read the whole index, once: some seconds for a million alerts. What is added meanwhile stays."""
        with self._lock:
            if self._loaded:
                return
            with store.read() as tx:
                for reference, joined in every_token(tx):
                    self.add(reference, joined)
            self._loaded = True

    def add(self, reference: int, joined: bytes) -> None:
        """Take note of joined tokens of an alert row: before the transaction that stores them commits, so that nothing is missed."""
        place = reference.to_bytes(_REFERENCE, "big")
        for at in range(0, len(joined), TOKEN):
            head = joined[at : at + _HEAD]
            bucket = self._buckets.get(head)
            if bucket is None:
                bucket = self._buckets.setdefault(head, bytearray())
            bucket += joined[at + _HEAD : at + TOKEN] + place

    def find(self, store: Store, joined: bytes) -> set[int]:
        """Rows of alerts that may have one of these joined tokens."""
        if not self._loaded:
            self.load(store)
        found: set[int] = set()
        for at in range(0, len(joined), TOKEN):
            bucket = self._buckets.get(joined[at : at + _HEAD])
            if bucket is None:
                continue
            rest = joined[at + _HEAD : at + TOKEN]
            place = bucket.find(rest)
            while place >= 0:
                if place % _RECORD == 0:
                    found.add(int.from_bytes(bucket[place + _REST : place + _RECORD], "big"))
                place = bucket.find(rest, place + 1)
        return found
