"""The HTTP server of the witness listener, in a thread of its own: bounded in connections, and in how long one may last.

uvicorn bounds neither how slowly a request's head may come nor how long a connection lives; the protocol here does both.
"""

import asyncio
import socket
import threading
from typing import Any, Final, cast

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from exchange.errors import Refused
from node.telemetry.logging import logger

HEAD_SECONDS: Final = 10.0
"""From the beginning of a connection to the end of its first request's head."""
CONNECTION_SECONDS: Final = 120.0
"""How long one connection may last, whatever it is used for."""
_CONNECTIONS: Final = 64
_HEAD_BYTES: Final = 8192


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 on one connection, which ends when it is slow to ask and when it has lasted long enough."""

    head_seconds = HEAD_SECONDS
    connection_seconds = CONNECTION_SECONDS

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Start both clocks."""
        super().connection_made(transport)
        self._clocks = [
            self.loop.call_later(self.head_seconds, self._end_if_silent),
            self.loop.call_later(self.connection_seconds, transport.abort),
        ]

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop them."""
        for clock in self._clocks:
            clock.cancel()
        super().connection_lost(exc)

    def _end_if_silent(self) -> None:
        if cast("object", self.cycle) is None:  # no request's head has come whole yet; uvicorn's annotation leaves the None out
            self.transport.abort()


class WitnessListener:
    """Binds when it is made to start, serves until it is stopped."""

    def __init__(self, address: str, application: Any) -> None:
        self._address = address
        config = uvicorn.Config(
            application,
            loop="asyncio",
            http=BoundedProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=_CONNECTIONS,
            backlog=_CONNECTIONS,
            timeout_keep_alive=75,  # a partner asks each minute
            timeout_graceful_shutdown=5,
            h11_max_incomplete_event_size=_HEAD_BYTES,
        )
        self._server = uvicorn.Server(config)
        self._thread: threading.Thread | None = None
        self._socket: socket.socket | None = None

    @property
    def port(self) -> int:
        """The port that it bound."""
        return int(self._socket.getsockname()[1]) if self._socket else 0

    def start(self) -> None:
        """Bind and serve. Raises `Refused` (ADDRESS_IN_USE)."""
        host, _, port = self._address.rpartition(":")
        host = host.strip("[]")
        try:
            family = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0][0]
            self._socket = socket.create_server((host, int(port)), family=family)
        except OSError:
            raise Refused(
                "ADDRESS_IN_USE", "the witness listener cannot bind its address: another program holds it, or it is not ours"
            ) from None
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="witness-listener")
        self._thread.start()
        logger().info("listening", address=self._address, kind="witness")

    def stop(self) -> None:
        """Take no new requests, let the running ones end, then cut what remains."""
        self._server.should_exit = True
        if self._thread:
            self._thread.join()
        if self._socket:
            self._socket.close()
