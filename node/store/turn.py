"""One thread works at a time on what takes much of the interpreter: releases, deliveries, receipts, and batches that come in.

The interpreter runs one thread anyway. But a thread lets go of it at every statement that SQLite runs, and where another one computes it
gets it back only after the switch interval, 5 ms: a transaction of a dozen statements then takes ten times as long as it works. Whoever
takes turns here waits once, and is not disturbed. A commit ends the turn before it waits for the disk; a high-water record does not.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class WorkTurn:
    """Who works now, and who is next: in the order in which they came. Not for a thread that has it already."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._holder: int | None = None
        self._next: deque[tuple[int, threading.Lock]] = deque()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait for the turn, and keep it until the block ends, or `end` is called in it. Never wait in it for another that needs it."""
        self._take()
        try:
            yield
        finally:
            self.end()

    def end(self) -> None:
        """Let the next one work. Without effect in a thread whose turn it is not."""
        with self._guard:
            if self._holder != threading.get_ident():
                return
            if not self._next:
                self._holder = None
                return
            self._holder, gate = self._next.popleft()
        gate.release()

    def _take(self) -> None:
        mine = threading.get_ident()
        with self._guard:
            if self._holder is None:
                self._holder = mine
                return
            gate = threading.Lock()
            gate.acquire()
            self._next.append((mine, gate))
        gate.acquire()
