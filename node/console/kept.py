"""What a session keeps from one page to the next, in memory alone: what was just done, told once, and a text that is not signed yet."""

import threading
from typing import Any, Final

from node.console.visits import Visit

AT_MOST: Final = 64
"""Things of all sessions together; the oldest goes first, and with a restart everything."""


class Kept:
    """By session and name. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[tuple[str, str], Any] = {}

    def put(self, visit: Visit, name: str, value: Any) -> None:
        """Keep something in place of what has the name."""
        with self._lock:
            self._held.pop((visit.token, name), None)
            self._held[visit.token, name] = value
            while len(self._held) > AT_MOST:
                del self._held[next(iter(self._held))]

    def get(self, visit: Visit, name: str) -> Any:
        """What is kept; None for nothing."""
        with self._lock:
            return self._held.get((visit.token, name))

    def take(self, visit: Visit, name: str) -> Any:
        """The same, once."""
        with self._lock:
            return self._held.pop((visit.token, name), None)
