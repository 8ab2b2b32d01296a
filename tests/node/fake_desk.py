"""A desk that says what a test tells it to, over the real TLS of a freshly set up node."""

import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from exchange.v1 import desk_service_pb2, desk_service_pb2_grpc
from node.keys.node_directory import NodeDirectory, example_plan, write_node_directory
from node.limits import SERVER_OPTIONS
from node.tls import TlsMaterial, server_credentials


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A call that fails as a node's would."""

    status: grpc.StatusCode
    reason: str = ""
    details: str = ""
    domain: str = "alert-exchange"


Answer = Message | list[Any] | Failure | Callable[[Any], Any]


@dataclass
class FakeDesk:
    """What it answers by method, and what it was asked."""

    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, Any]] = field(default_factory=list)
    delay: float = 0.0
    address: str = ""
    directory: Path = Path()
    stopping: threading.Event = field(default_factory=threading.Event)

    def context(self, who: str = "officer") -> str:
        return str(self.directory / f"{who}.toml")

    def the(self, method: str) -> Any:
        """The one question of that method."""
        (question,) = [question for name, question in self.asked if name == method]
        return question


def fail(context: grpc.ServicerContext, failure: Failure) -> None:
    info = error_details_pb2.ErrorInfo(reason=failure.reason, domain=failure.domain)
    wrapped = AnyMessage()
    wrapped.Pack(info)
    status = status_pb2.Status(code=failure.status.value[0], message=failure.details, details=[wrapped])
    if failure.reason:
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(failure.status, failure.details)


def servicer(desk: FakeDesk) -> desk_service_pb2_grpc.DeskServiceServicer:
    made = desk_service_pb2_grpc.DeskServiceServicer()  # type: ignore[abstract]  # its methods are set below

    def answer(method: str, question: Any, context: grpc.ServicerContext) -> Any:
        desk.asked.append((method, question))
        if desk.delay:
            desk.stopping.wait(desk.delay)
        said = desk.answers[method]
        if callable(said) and not isinstance(said, Message):
            said = said(question)
        if isinstance(said, Failure):
            fail(context, said)
        return said

    def unary(method: str) -> Callable[[Any, grpc.ServicerContext], Any]:
        return lambda question, context: answer(method, question, context)

    def stream(questions: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        for question in questions:
            yield answer("PublishAlerts", question, context)

    def told(method: str) -> Callable[[Any, grpc.ServicerContext], Any]:
        return lambda question, context: iter(answer(method, question, context))  # a list of messages

    for method in desk_service_pb2.DESCRIPTOR.services_by_name["DeskService"].methods:
        one_by_one = told if method.server_streaming else unary
        setattr(made, method.name, stream if method.client_streaming else one_by_one(method.name))
    return made


def set_up(directory: Path, country: str = "GB", port: int = 7443) -> NodeDirectory:
    return write_node_directory(example_plan(country), directory, now=datetime.now(UTC), vault_key=bytes(range(32)), port=port)


@contextmanager
def serve(directory: Path) -> Iterator[FakeDesk]:
    """Serve a fake desk with the certificates of a node's directory, whose contexts then name it."""
    material = TlsMaterial(
        private_key=(directory / "tls/desk.key").read_bytes(),
        certificate=(directory / "tls/desk.pem").read_bytes(),
        authorities=(directory / "office-ca.pem").read_bytes(),
    )
    desk = FakeDesk(directory=directory)
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4), options=SERVER_OPTIONS)
    desk_service_pb2_grpc.add_DeskServiceServicer_to_server(servicer(desk), server)
    port = server.add_secure_port("127.0.0.1:0", server_credentials(lambda: material, report=lambda _error: None))
    desk.address = f"127.0.0.1:{port}"
    for path in directory.glob("*.toml"):
        text = path.read_text("utf-8")
        if text.startswith("# EXAMPLE:"):
            lines = [f'desk = "{desk.address}"' if line.startswith("desk = ") else line for line in text.splitlines()]
            path.write_text("\n".join(lines) + "\n", "utf-8")
    server.start()
    try:
        yield desk
    finally:
        desk.stopping.set()
        server.stop(0).wait(5)
