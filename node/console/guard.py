"""What stands before the routes: whatever answers (a page, an asset, the router itself, nothing at all), K1 and K4 hold of it."""

from collections.abc import Awaitable, Callable

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from node.console.site import Site
from node.console.visits import HEADERS, TLS_HEADERS
from node.telemetry.logging import logger


class Guard:
    """Refuses another name before anything looks at the address, and gives every answer its headers."""

    def __init__(self, app: ASGIApp, *, site: Site, other_name: Callable[[Request], Awaitable[Response]]) -> None:
        self._app = app
        self._authority = site.authority
        self._headers = {**HEADERS, **(TLS_HEADERS if site.secure else {})}
        self._other_name = other_name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def secured(message: Message) -> None:
            nonlocal begun
            begun = True
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)  # an asset says itself how long it is kept
            await send(message)

        request = Request(scope)
        here = request.headers.getlist("host") == [self._authority]
        try:
            await (self._app if here else await self._other_name(request))(scope, receive, secured)
        except Exception as error:
            if begun:
                raise
            # The page of trouble may be what failed.
            logger().error("console request failed", error=type(error).__name__)
            await Response(status_code=500)(scope, receive, secured)
