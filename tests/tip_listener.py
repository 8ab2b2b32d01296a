"""A listener for NGOs on a real socket of this machine, with real certificates, and a client of it."""

import http.client
import json
import socket
import ssl
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cryptography import x509

from exchange.values import format_uuid
from node.httpd import mutual_tls13
from node.store import tips
from node.system import SystemClock
from node.tipline.listener import TipListener
from node.tipline.rates import Rates
from node.tipline.service import tip_service
from tests.countries import domain
from tests.federation import federation
from tests.rig import Office
from tests.tips import NGO_ID, OTHER_NGO, new_id, plan

DOMAIN = domain("kh")
JSON = "application/json"
PROBLEM = "application/problem+json"


@dataclass(frozen=True)
class Reply:
    """What an HTTP server answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """Of a problem detail, whose form is checked with it."""
        assert self.headers["content-type"] == PROBLEM
        document = self.json
        assert (document["type"], document["status"]) == ("about:blank", self.status)
        assert document["title"] == http.client.responses[self.status]
        assert document["detail"]
        return str(document["code"])


@dataclass(frozen=True)
class Line:
    """A listener, and the files of its authority and of one NGO."""

    office: Office
    port: int
    keys: Path

    def context(self, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.keys / "ngo-ca.pem"))
        if certificate and key:
            context.load_cert_chain(certificate, key)
        return context

    def ngo(self) -> ssl.SSLContext:
        return self.context(self.keys / "ngos/aple.pem", self.keys / "ngos/aple.key")

    def raw(self, context: ssl.SSLContext) -> ssl.SSLSocket:
        return context.wrap_socket(socket.create_connection(("127.0.0.1", self.port), timeout=10), server_hostname=f"tips.{DOMAIN}")

    def ask(
        self, method: str, path: str, sent: bytes | None = None, *, tls: ssl.SSLContext | None = None, kind: str = JSON, **headers: str
    ) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.sock = self.raw(tls or self.ngo())
        try:
            types = {"Content-Type": kind} if sent is not None and kind else {}
            connection.request(
                method, path, body=sent, headers={**types, **{name.replace("_", "-"): text for name, text in headers.items()}}
            )
            response = connection.getresponse()
            return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
        finally:
            connection.close()

    def put(self, sent: bytes, tip: bytes | None = None, **more: Any) -> Reply:
        return self.ask("PUT", f"/v1/tips/{format_uuid(tip or new_id())}", sent, **more)


class serving:  # noqa: N801  a context manager, called like a function
    def __init__(self, directory: Path, keys: Path, *, rates: Rates | None = None, body_seconds: float = 10.0) -> None:
        self._federation = federation(directory, "kh")
        self._keys = keys
        self._options: dict[str, Any] = {"rates": rates, "body_seconds": body_seconds}

    def __enter__(self) -> Line:
        office = self._federation.__enter__()["kh"]
        known = plan(ngos={**plan().ngos, f"spiffe://{DOMAIN}/ngo/aple": "APLE (EXAMPLE)"})
        office.ports = replace(office.ports, tips=known, clock=SystemClock())
        authorities = x509.load_pem_x509_certificates((self._keys / "ngo-ca.pem").read_bytes())
        context = mutual_tls13(self._keys / "tls/tips.pem", self._keys / "tls/tips.key", self._keys / "ngo-ca.pem")
        self._listener = TipListener("127.0.0.1:0", tip_service(office.ports, authorities, **self._options), context)
        self._listener.start()
        return Line(office, self._listener.port, self._keys)

    def __exit__(self, *raised: object) -> None:
        self._listener.stop()
        self._federation.__exit__(*raised)


def kept(line: Line) -> int:
    with line.office.ports.store.read() as tx:
        return sum(len(tips.tips_of(tx, ngo, 0, 1000)) for ngo in (NGO_ID, OTHER_NGO, f"spiffe://{DOMAIN}/ngo/aple"))
