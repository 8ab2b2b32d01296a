"""How often one NGO may ask: so many requests a minute, counted in memory."""

import threading
from typing import Final

A_MINUTE: Final = 240
"""A form saves at each step, and several people of one NGO may write at once."""
_MINUTE_MS: Final = 60_000


class Rates:
    """Counts by minute; what is over is forgotten. Safe to use from many threads."""

    def __init__(self, a_minute: int = A_MINUTE) -> None:
        self._a_minute = a_minute
        self._lock = threading.Lock()
        self._minute = 0
        self._counts: dict[str, int] = {}

    def take(self, ngo: str, now_ms: int) -> int:
        """Count one request; 0 if it may go on, else for how many seconds to wait."""
        minute = now_ms // _MINUTE_MS
        with self._lock:
            if minute != self._minute:
                self._minute, self._counts = minute, {}
            self._counts[ngo] = self._counts.get(ngo, 0) + 1
            over = self._counts[ngo] > self._a_minute
        return 60 - now_ms // 1000 % 60 if over else 0
