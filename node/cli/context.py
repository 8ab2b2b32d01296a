"""Who asks, and of which node: the context file, and the one channel to that node's desk listener.

    desk = "127.0.0.1:7444"
    server_name = "desk.gb.alerts.example"
    ca = "office-ca.pem"
    certificate = "officers/heron.pem"
    key = "officers/heron.key"
    unit = "…"      # optional: how others reach this desk, for reports
    channel = "…"   # optional

Paths are relative to the file.
"""

import difflib
import os
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import click

from exchange.errors import ExchangeError, Malformed
from exchange.values import PartyId
from node.cli.errors import USAGE, Trouble, sentence

if TYPE_CHECKING:
    import grpc

    from exchange.v1.audit_service_pb2_grpc import AuditServiceStub
    from exchange.v1.desk_service_pb2_grpc import DeskServiceStub

CONTEXT_VARIABLE: Final = "EXCHANGE_CONTEXT"

Question = TypeVar("Question")
Answer = TypeVar("Answer")

_LONG_SECONDS: Final = 600.0
_REQUIRED: Final = ("desk", "server_name", "ca", "certificate", "key")
_OPTIONAL: Final = ("unit", "channel")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What one person needs to speak to the node's desk."""

    desk: str
    """host:port of the desk listener."""
    server: PartyId
    """Whom the listener must prove to be."""
    ca: Path
    certificate: Path
    key: Path
    unit: str = ""
    """The desk that a report names as its sender, and its channel; empty where the file says neither."""
    channel: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The options before the noun."""

    context: Path | None
    json: bool
    timeout: float
    """Seconds for one call."""

    def load(self) -> Context:
        """Read the context file that was named; raises `Trouble` when none was, or when it is wrong."""
        if self.context is None:
            raise Trouble(
                USAGE,
                "CONTEXT_MISSING",
                "It is not said who asks, and of which node.",
                why="This command talks to a node, and no context file is named.",
                next_step=f"Name one: exchange --context FILE …, or set {CONTEXT_VARIABLE}. "
                "`exchange node init` writes one for each officer.",
            )
        return load_context(self.context)


def settings() -> Settings:
    """The settings of the command that runs now."""
    found = click.get_current_context().find_object(Settings)
    if found is None:
        raise RuntimeError("a command ran outside the command line")
    return found


def load_context(path: Path) -> Context:
    """Read a context file; raises `Trouble` (CONTEXT_FILE) that names what is wrong in it."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        there = "There is no such file." if isinstance(error, FileNotFoundError) else f"It cannot be opened ({type(error).__name__})."
        raise _wrong(path, there) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _wrong(path, f"It cannot be read as TOML ({type(error).__name__}).") from None
    for key in table:
        if key not in {*_REQUIRED, *_OPTIONAL}:
            close = difflib.get_close_matches(key, [*_REQUIRED, *_OPTIONAL], n=1)
            raise _wrong(path, f"It has an unknown key, {key}" + (f"; did you mean {close[0]}?" if close else "."))
    missing = [key for key in _REQUIRED if key not in table]
    if missing:
        raise _wrong(path, f"It lacks {', '.join(missing)}.")
    if not all(isinstance(value, str) for value in table.values()):
        raise _wrong(path, "Every value must be a text in quotes.")
    try:
        role, _, trust_domain = table["server_name"].partition(".")
        server = PartyId(trust_domain=trust_domain, path=f"/{role}")
    except Malformed:
        raise _wrong(path, "server_name must be desk.<trust domain>.") from None
    here = path.resolve().parent
    return Context(
        desk=table["desk"],
        server=server,
        ca=here / table["ca"],
        certificate=here / table["certificate"],
        key=here / table["key"],
        unit=table.get("unit", ""),
        channel=table.get("channel", ""),
    )


def own_id() -> bytes:
    """The SPIFFE ID of the person who asks, as the context's certificate has it. Raises `Trouble` (CONTEXT_FILE)."""
    from cryptography import x509

    from node.tls import party_of

    path = settings().load().certificate
    try:
        return str(party_of(x509.load_pem_x509_certificate(path.read_bytes()))).encode()
    except (OSError, ValueError, ExchangeError):
        raise Trouble(
            USAGE,
            "CONTEXT_FILE",
            "The certificate of your context cannot be read.",
            why=f"{path} is no certificate of a person.",
            next_step="Check the path in the context file; it is relative to it.",
        ) from None


@contextmanager
def open_desk() -> Iterator["DeskServiceStub"]:
    """Connect to the desk of the current context. Raises as `open_channel`."""
    with open_channel() as channel:
        from exchange.v1.desk_service_pb2_grpc import DeskServiceStub

        yield DeskServiceStub(channel)


@contextmanager
def open_audit() -> Iterator["AuditServiceStub"]:
    """Connect to the desk of the current context as an auditor. Raises as `open_channel`."""
    with open_channel() as channel:
        from exchange.v1.audit_service_pb2_grpc import AuditServiceStub

        yield AuditServiceStub(channel)


@contextmanager
def open_channel() -> Iterator["grpc.Channel"]:
    """One connection to the desk of the current context.

    Raises `Trouble` when the context or its files are unusable; calls raise `grpc.RpcError`.
    """
    context = settings().load()
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # gRPC's own lines are no text for people
    from node.tls13 import pin_tls13

    pin_tls13()
    import grpc

    from node.keys.files import read_private_key
    from node.tls import TlsMaterial, channel_credentials, channel_options

    try:
        read_private_key(context.key)  # refuses a key that others can read
        material = TlsMaterial(
            private_key=context.key.read_bytes(),
            certificate=context.certificate.read_bytes(),
            authorities=context.ca.read_bytes(),
        )
        credentials = channel_credentials(material)
    except OSError as error:
        raise Trouble(
            USAGE,
            "CONTEXT_FILE",
            "A key or certificate of your context cannot be read.",
            why=f"{error.filename}: {error.strerror}.",
            next_step="Check the paths in the context file; they are relative to it.",
        ) from None
    except ExchangeError as error:
        raise Trouble(
            USAGE,
            error.code,
            "A key or certificate of your context cannot be used.",
            why=sentence(str(error)),
            next_step="Check the files that the context names: key, certificate and ca.",
        ) from None
    # Whatever proxy a workstation sets for the web, an officer's connection goes to the node itself.
    options = [*channel_options(context.server), ("grpc.enable_http_proxy", 0)]
    with grpc.secure_channel(context.desk, credentials, options=options) as channel:
        yield channel


def ask(call: "grpc.UnaryUnaryMultiCallable[Question, Answer]", question: Question) -> Answer:
    """Ask the desk one thing, and wait for the answer no longer than the person allows."""
    return call(question, timeout=settings().timeout)


def ask_long(call: "grpc.UnaryUnaryMultiCallable[Question, Answer]", question: Question) -> Answer:
    """Ask what takes the node a while, such as a look at all that it ever did: wait ten minutes, or longer if the person allows it."""
    return call(question, timeout=max(settings().timeout, _LONG_SECONDS))


def _wrong(path: Path, why: str) -> Trouble:
    return Trouble(
        USAGE,
        "CONTEXT_FILE",
        f"The context file {path} cannot be used.",
        why=why,
        next_step="`exchange node init` writes context files; docs/cli.md says what stands in one.",
    )
