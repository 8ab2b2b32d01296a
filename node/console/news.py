"""A page learns that something has come: a stream of events that says no more than the version of the inbox.

N1  Nothing of an alert, an agency or a person is in it. What is new a person asks for, by a link, and that is journalled.
N2  It keeps no session alive, and ends with it: a browser that is left alone is signed out as if it had asked for nothing.
N3  It is bounded: two streams a session, of which the newest stay; thirty in all; each ends by itself, and with the node.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from exchange.errors import ExchangeError
from node.console.page import Page
from node.console.site import Site
from node.console.visits import Visit
from node.operations.inbox_version import inbox_version
from node.operations.sessions import watch_session

OF_A_SESSION: Final = 2
IN_ALL: Final = 30
_EVERY: Final = 3.0
"""Seconds from one look to the next."""
_STEP: Final = 0.25
"""Seconds after which a stream notices that it is to end."""
_BUSY: Final = "retry: 60000\n\n"
_BEGIN: Final = "retry: 5000\n\n"


class _Stream:
    """One open stream."""

    ended = False


class News:
    """The streams of one console. They are opened, followed and ended in its event loop alone, so nothing here is locked."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._open: dict[bytes, list[_Stream]] = {}

    def pages(self) -> tuple[Page, ...]:
        """The one address."""
        return (Page(method="GET", path="/inbox/news", answer=self.answer, unasked=True),)

    def answer(self, visit: Visit) -> Response:
        """The stream. Raises `NotPermitted`."""
        inbox_version(self._site.ports, visit.person)
        return StreamingResponse(self._events(visit.secret), media_type="text/event-stream")

    async def _events(self, secret: bytes) -> AsyncIterator[str]:
        if sum(map(len, self._open.values())) >= IN_ALL:
            yield _BUSY
            return
        mine = _Stream()
        streams = self._open.setdefault(secret, [])
        streams.append(mine)
        for older in streams[:-OF_A_SESSION]:
            older.ended = True
        try:
            yield _BEGIN
            async for version in self._versions(secret, mine):
                yield f"event: inbox\ndata: {version}\n\n"
        finally:
            streams.remove(mine)
            if not streams:
                del self._open[secret]

    async def _versions(self, secret: bytes, mine: _Stream) -> AsyncIterator[str]:
        clock = asyncio.get_running_loop().time
        ends, said = clock() + self._site.stream_seconds, ""
        while True:
            version = await run_in_threadpool(self._version, secret)
            if not version:
                return
            if version != said:
                yield version
                said = version
            again = clock() + _EVERY
            while clock() < again:
                if mine.ended or self._site.ports.signals.stopped or clock() >= ends:
                    return
                await asyncio.sleep(_STEP)

    def _version(self, secret: bytes) -> str:
        session = watch_session(self._site.ports, secret)
        try:
            return inbox_version(self._site.ports, session.person) if session else ""
        except ExchangeError:
            return ""  # the role is gone, or the store does not answer: the page asks again, and is told
