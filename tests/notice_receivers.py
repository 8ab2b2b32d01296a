"""Real servers that take notices and misbehave as a test tells them: an HTTP receiver, and a mail server.

`second_signature` says what Standard Webhooks asks for, written from its page and not from the node's code.
"""

import base64
import hashlib
import hmac
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

HANG, CLOSE, DRIP = "hang", "close", "drip"
Behaviour = int | str
"""A status to answer with; or to answer never, to close without an answer, to answer a byte at a time."""


def second_signature(secret: bytes, headers: Mapping[str, str], body: bytes) -> str:
    """The signature of a webhook: base64 of HMAC-SHA256 over `webhook-id.webhook-timestamp.body`, after its version."""
    signed = headers["webhook-id"].encode() + b"." + headers["webhook-timestamp"].encode() + b"." + body
    return "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()


@dataclass(slots=True)
class Taken:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Receiver:
    """What an HTTP server was sent, and how it is to answer: one behaviour for each request, the last for all others."""

    url: str = ""
    taken: list[Taken] = field(default_factory=list)
    behaviours: list[Behaviour] = field(default_factory=lambda: [204])
    stopping: Event = field(default_factory=Event)

    @property
    def ids(self) -> list[str]:
        return [one.headers["webhook-id"] for one in self.taken]

    def next_behaviour(self) -> Behaviour:
        return self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]


@contextmanager
def receiving(certificate: Path | None = None) -> Iterator[Receiver]:
    """An HTTP receiver; with a PEM file of key and certificate, under TLS."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.taken.append(Taken(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            behaviour = receiver.next_behaviour()
            if behaviour == HANG:
                receiver.stopping.wait(20)
            elif behaviour == DRIP:
                self._drip()
            if isinstance(behaviour, str):
                self.close_connection = True
                return
            self.send_response(behaviour)
            if 300 <= behaviour < 400:
                self.send_header("location", "/elsewhere")
            self.send_header("content-length", "0")
            self.end_headers()

        def _drip(self) -> None:
            try:
                while not receiver.stopping.wait(0.05):
                    self.wfile.write(b"H")
            except OSError:
                pass

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that refuses the certificate is no news
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    receiver.url = f"{'https' if certificate else 'http'}://localhost:{server.server_port}/hook"
    try:
        yield receiver
    finally:
        receiver.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Mailbox:
    """What a mail server took: (recipients, message) each; it refuses one recipient, and answers messages as it is told."""

    port: int = 0
    messages: list[tuple[tuple[str, ...], bytes]] = field(default_factory=list)
    refuse: str = ""
    answers: list[str] = field(default_factory=lambda: ["250 OK"])
    logins: list[tuple[str, str]] = field(default_factory=list)
    hangs_up: bool = False
    """Whether it ends the connection instead of saying good-bye."""

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802  the library's name
        if address == self.refuse:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  the library's name
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer.startswith("250"):
            self.messages.append((tuple(envelope.rcpt_tos), envelope.content))
        return answer

    async def handle_QUIT(self, server: Any, _session: Any, _envelope: Any) -> str:  # noqa: N802  the library's name
        if self.hangs_up:
            server.transport.abort()
        return "221 bye"

    def check(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, login: Any) -> AuthResult:
        assert isinstance(login, LoginPassword)
        self.logins.append((login.login.decode(), login.password.decode()))
        return AuthResult(success=login.password == b"synthetic password", handled=False)


@contextmanager
def mailing(certificate: Path | None = None, *, at_once: bool = False, login: bool = False) -> Iterator[Mailbox]:
    """A mail server: without TLS; or with a PEM file under STARTTLS, or `at_once` under TLS from the first byte on."""
    box = Mailbox(port=free_port())
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    options: dict[str, Any] = {"authenticator": box.check, "auth_required": not at_once, "auth_require_tls": not at_once} if login else {}
    if context is not None and not at_once:
        options |= {"tls_context": context, "require_starttls": True}
    controller = Controller(box, hostname="localhost", port=box.port, ssl_context=context if at_once else None, **options)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


@contextmanager
def silent() -> Iterator[int]:
    """A port whose server lets everybody connect and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@cache
def _certificate(name: str) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"EXAMPLE {name}")])
    today = datetime.now(UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 1 << 100, today - timedelta(days=1), today + timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    certificate = builder.sign(key, hashes.SHA256())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(Encoding.PEM)


def certificate_for(name: str, directory: Path) -> Path:
    """A PEM file of a key and its own certificate for that host, which is its own authority too."""
    path = directory / f"{name}.pem"
    path.write_bytes(_certificate(name))
    return path
