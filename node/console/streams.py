"""Pages whose numbers take a while: the beginning is sent at once, the rest as it comes, in the order in which it stands on the page."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator
from typing import Final, Generic, TypeVar

from exchange.errors import ExchangeError
from node.telemetry.logging import logger

FLUSH: Final = "<!-- -->"
"""Where a template lets go of what it has."""
_SECONDS: Final = 2.0
"""Between two lines that say how far something is."""
_running: Final = threading.Lock()

Step = TypeVar("Step")


class Run(Generic[Step]):
    """Long work that a template asks for where its result is to stand."""

    def __init__(self, steps: Callable[[], Iterable[Step]], seconds: float = _SECONDS) -> None:
        self._steps = steps
        self._seconds = seconds
        self.all: list[Step] = []
        """Every step, once `progress` ended."""
        self.trouble = ""
        """The code of what ended it before its time; empty if nothing did."""

    def progress(self) -> Iterator[Step]:
        """Some of the steps, as they come: no more of them than somebody can read.

        One piece of long work at a time (BUSY): whoever presses twice does not slow everybody down.
        """
        if not _running.acquire(blocking=False):
            self.trouble = "BUSY"
            return
        shown = time.monotonic()
        try:
            for step in self._steps():
                self.all.append(step)
                if time.monotonic() - shown >= self._seconds:
                    shown = time.monotonic()
                    yield step
        except ExchangeError as refused:
            self.trouble = refused.code
        except Exception as error:  # noqa: BLE001 - half of the page is with the browser: it learns that the rest failed, and no more
            logger().error("console request failed", error=type(error).__name__)
            self.trouble = "INTERNAL"
        finally:
            _running.release()


async def stream(pieces: Generator[str]) -> AsyncIterator[bytes]:
    """The pieces of a page as a body, made in a thread of their own, each part sent where the template lets it go.

    The thread ends with the page, or soon after the browser went away.
    """
    loop, sent, gone = asyncio.get_running_loop(), asyncio.Queue[bytes | None](), threading.Event()

    def make() -> None:
        held: list[str] = []
        try:
            for piece in pieces:
                held.append(piece)
                if FLUSH in piece:
                    loop.call_soon_threadsafe(sent.put_nowait, "".join(held).encode())
                    held.clear()
                if gone.is_set():
                    return
        finally:
            pieces.close()
            loop.call_soon_threadsafe(sent.put_nowait, "".join(held).encode())
            loop.call_soon_threadsafe(sent.put_nowait, None)

    made = loop.run_in_executor(None, make)
    try:
        while (part := await sent.get()) is not None:
            yield part
        await made
    finally:
        gone.set()
