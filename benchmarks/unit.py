"""The unit in which CPU is told: one Ed25519 verification, measured at the time and under the load of what it is compared with."""

import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

MANIFEST_BYTES = 1_300
"""About what is signed for an alert of 34 slots."""
_BURST = 20


class Unit:
    """Bursts of verifications, added up. A burst pays for cold caches once, as a batch does."""

    def __init__(self) -> None:
        key = Ed25519PrivateKey.generate()
        self._public, self._message = key.public_key(), bytes(MANIFEST_BYTES)
        self._signature = key.sign(self._message)
        self.seconds = 0.0
        self._count = 0

    def measure(self) -> None:
        """One burst more."""
        before = time.thread_time()
        for _ in range(_BURST):
            self._public.verify(self._signature, self._message)
        self.seconds += time.thread_time() - before
        self._count += _BURST

    def micros(self) -> float:
        """CPU of one verification, microseconds."""
        return self.seconds / self._count * 1e6
