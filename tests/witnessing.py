"""Offices with their witness listeners, on real sockets of this machine."""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from exchange.v1 import journal_pb2
from node.ports import WitnessPlan
from node.store.journal import Event
from node.witnessing.listener import WitnessListener
from node.witnessing.service import witness_service
from node.workers.witnessing import Web, Witnessing
from tests.rig import Office


@dataclass(frozen=True)
class Reply:
    """What an HTTP server answered."""

    status: int
    kind: str
    body: bytes


@contextmanager
def serving(office: Office, body_seconds: float = 10.0) -> Iterator[str]:
    """The witness listener of an office; gives its address."""
    listener = WitnessListener("127.0.0.1:0", witness_service(office.ports, body_seconds=body_seconds))
    listener.start()
    try:
        yield f"http://127.0.0.1:{listener.port}"
    finally:
        listener.stop()


def ask(url: str, method: str, path: str, body: bytes | None = None) -> Reply:
    """One request, as any HTTP client makes it."""
    host, _, port = url.removeprefix("http://").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=20)
    try:
        connection.request(method, path, body=body)
        response = connection.getresponse()
        return Reply(status=response.status, kind=response.headers.get("Content-Type", ""), body=response.read())
    finally:
        connection.close()


def witnessed_by(office: Office, urls: dict[str, str], policy: WitnessPlan | None = None) -> None:
    """Say who is asked to witness this office's journal."""
    plan = policy or WitnessPlan()
    office.ports = replace(office.ports, witnessing=replace(plan, urls=urls))


def heartbeat(office: Office, web: Web | None = None) -> None:
    """One heartbeat of an office."""
    Witnessing(office.ports, lambda: None, web).beat()


def happens(office: Office, times: int = 1) -> None:
    """Let the office's journal grow."""
    with office.ports.store.write() as tx:
        events = [Event(code="CERTIFICATE") for _ in range(times)]
        office.ports.journal.record(tx, office.clock.now_ms(), journal_pb2.JOURNAL_KIND_SIGN_IN, office.domain, events)
