"""One office's desk and audit services over a loopback connection, for tests of the doors and of the command line."""

from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import grpc
import pytest

from exchange.errors import NotFound, Unverified
from exchange.v1 import audit_service_pb2_grpc, desk_service_pb2_grpc, exchange_service_pb2
from node.cli import context
from node.operations.log_walk import SharedLogs
from node.rpc.audit_service import AuditService
from node.rpc.desk_service import DeskService
from node.workers.sequencer import Sequencer
from tests.rig import Office


class OpenDoor:
    """Stands for `node.rpc.identity.DeskDoor`, which has tests of its own."""

    def __init__(self, person: str | None) -> None:
        self.person = person

    def admit(self, _context: grpc.ServicerContext) -> str:
        if self.person is None:
            raise Unverified("TLS_UNKNOWN_DOMAIN", "synthetic")
        return self.person


@contextmanager
def audit_desk(office: Office, door: OpenDoor) -> Iterator[grpc.Channel]:
    """A connection to both services of an office; the door says who calls."""

    def fetch(_partner: str, _origin: str, _start: int) -> exchange_service_pb2.FetchEntriesResponse:
        raise AssertionError

    def connect(_partner: str) -> SharedLogs:
        raise NotFound("PARTNER_UNKNOWN", "nobody is reached here")

    server = grpc.server(futures.ThreadPoolExecutor(4))
    entrance: Any = door
    audit_service_pb2_grpc.add_AuditServiceServicer_to_server(AuditService(office.ports, entrance), server)
    desk = DeskService(office.ports, entrance, Sequencer(office.ports), fetch, connect)
    desk_service_pb2_grpc.add_DeskServiceServicer_to_server(desk, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel
    finally:
        server.stop(0).wait()


@contextmanager
def command_line(office: Office, name: str, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Within it the command line speaks to this office as that person."""
    with audit_desk(office, OpenDoor(office.person(name))) as channel:

        @contextmanager
        def open_channel() -> Iterator[grpc.Channel]:
            yield channel

        for module in (context, *_verbs()):
            if hasattr(module, "open_channel"):
                patch.setattr(module, "open_channel", open_channel)
        yield


def _verbs() -> Iterator[Any]:
    import importlib

    for name in ("show", "sample", "subject_report", "export"):
        yield importlib.import_module(f"node.cli.audit_{name}")
