"""The only clock and the only randomness of a node; everything above is given them."""

import secrets
import time
from datetime import UTC, datetime


class SystemClock:
    """Wall-clock time of this machine."""

    def now_ms(self) -> int:
        """Unix milliseconds, UTC."""
        return time.time_ns() // 1_000_000

    def now(self) -> datetime:
        """The same moment as an aware datetime."""
        return datetime.now(UTC)


def system_entropy(size: int) -> bytes:
    """`size` bytes from the operating system's generator."""
    return secrets.token_bytes(size)


def jitter() -> float:
    """A number from 0 to 1, so that nodes that lost the same partner do not all come back at once."""
    return secrets.randbelow(1_000_001) / 1_000_000
