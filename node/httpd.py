"""An HTTP server in a thread of its own: bounded in connections, and in how long one may last.

uvicorn bounds neither how slowly a request's head may come nor how long a connection lives; the protocol here does both. With a TLS
context of `mutual_tls13` it also says to the application who is at the other end: `request.state.leaf`, the certificate in DER, and
`request.state.greeted`, a list for whatever the application wants to remember of the connection.
"""

import asyncio
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, Final, cast

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from exchange.errors import Malformed, Refused
from node.telemetry.logging import logger

HEAD_SECONDS: Final = 10.0
"""From the beginning of a connection to the end of its first request's head."""
CONNECTION_SECONDS: Final = 120.0
"""How long one connection may last, whatever it is used for."""
HANDSHAKE_SECONDS: Final = 5.0
"""For TLS: until it is done a connection is not among those that are counted."""
_CONNECTIONS: Final = 64
_HEAD_BYTES: Final = 8192

_Scope = MutableMapping[str, Any]
_Channel = Callable[..., Awaitable[Any]]


class _Proved:
    """The application for one connection: each request knows the certificate that the connection was opened with."""

    def __init__(self, application: Any, leaf: bytes) -> None:
        self._application = application
        self._known: dict[str, Any] = {"leaf": leaf, "greeted": []}

    async def __call__(self, scope: _Scope, receive: _Channel, send: _Channel) -> None:
        scope.setdefault("state", {}).update(self._known)
        await self._application(scope, receive, send)


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
        tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        if tls is not None:
            self.app = cast("Any", _Proved(self.app, tls.getpeercert(binary_form=True) or b""))

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop them."""
        for clock in self._clocks:
            clock.cancel()
        super().connection_lost(exc)

    def _end_if_silent(self) -> None:
        if cast("object", self.cycle) is None:  # no request's head has come whole yet; uvicorn's annotation leaves the None out
            self.transport.abort()


class PatientLoop(asyncio.SelectorEventLoop):
    """An event loop whose servers wait for a handshake no longer than `HANDSHAKE_SECONDS`: asyncio would wait a minute."""

    async def create_server(self, *args: Any, **options: Any) -> asyncio.Server:
        """As asyncio's own."""
        if options.get("ssl") is not None:
            options["ssl_handshake_timeout"] = HANDSHAKE_SECONDS
        return await super().create_server(*args, **options)


class HttpListener:
    """Binds when it is made to start, serves until it is stopped."""

    def __init__(self, address: str, application: Any, kind: str, *, tls: ssl.SSLContext | None = None) -> None:
        self._address = address
        self._kind = kind
        config = uvicorn.Config(
            application,
            loop="node.httpd:PatientLoop",
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
        config.load()
        config.ssl = tls
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
                "ADDRESS_IN_USE", f"the {self._kind} listener cannot bind its address: another program holds it, or it is not ours"
            ) from None
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name=f"{self._kind}-listener")
        self._thread.start()
        logger().info("listening", address=self._address, kind=self._kind)

    def stop(self) -> None:
        """Take no new requests, let the running ones end, then cut what remains."""
        self._server.should_exit = True
        if self._thread:
            self._thread.join()
        if self._socket:
            self._socket.close()


def mutual_tls13(certificate: Path, key: Path, authority: Path) -> ssl.SSLContext:
    """TLS 1.3 alone, for whoever shows a certificate of that one authority; nobody resumes a session without showing it again.

    Raises `Malformed` (TLS_MATERIAL): a file is not there, is not PEM, or the key is not the certificate's.
    """
    context = server_tls13(certificate, key)
    context.num_tickets = 0
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_verify_locations(authority)
    except (OSError, ssl.SSLError):
        raise _unreadable() from None
    return context


def server_tls13(certificate: Path, key: Path) -> ssl.SSLContext:
    """TLS 1.3 alone, for browsers, which show no certificate. Raises `Malformed` (TLS_MATERIAL)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError):
        raise _unreadable() from None
    return context


def _unreadable() -> Malformed:
    return Malformed("TLS_MATERIAL", "the TLS key, certificate or authority of the listener cannot be read")
