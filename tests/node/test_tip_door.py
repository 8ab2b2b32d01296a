"""The listener for NGOs as anybody reaches it: real sockets, mutual TLS 1.3, and who may come in."""

import http.client
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from exchange.errors import Malformed
from exchange.values import PartyId, format_uuid
from node.httpd import mutual_tls13
from node.keys.files import certificate_pem, private_key_pem, read_certificate, read_private_key
from node.keys.issue import Authority, issue_authority, issue_ngo_leaf, issue_person_leaf, new_tls_key
from node.keys.node_directory import example_plan
from node.keys.party_files import Terms, write_party
from node.tipline.listener import TipListener
from node.tipline.service import tip_service
from tests.refusals import refused
from tests.tip_listener import DOMAIN, JSON, Line, kept, serving
from tests.tips import EMERGENCY, HELPLINE, REPORTER, SECRET, body, new_id


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cambodia's example certificates."""
    directory = tmp_path_factory.mktemp("keys")
    write_party(example_plan("KH"), directory, Terms(now=datetime.now(UTC)))
    return directory


@pytest.fixture
def line(tmp_path: Path, keys: Path) -> Iterator[Line]:
    """Cambodia, whose plan knows the NGO of the example certificates."""
    with serving(tmp_path, keys) as made:
        yield made


# -- a tip -----------------------------------------------------------------------------------------------------------


def test_a_tip_is_saved_submitted_and_asked_after(line: Line) -> None:
    tip = new_id()
    first = line.put(body({"place": {"area": {"province": "Siem Reap"}}}), tip)
    assert (first.status, first.headers["content-type"], first.headers["cache-control"]) == (201, JSON, "no-store")
    answer = first.json
    assert answer["id"] == format_uuid(tip)
    assert answer["state"] == "DRAFT"
    assert answer["completeness"]["score"] == 15
    assert answer["completeness"]["missing"][0].keys() == {"field", "ask", "weight"}
    assert answer["call_now"] == [{"name": one.name, "channel": one.channel} for one in (HELPLINE, EMERGENCY)]
    again = line.put(body(contact={"telephone": REPORTER}), tip)
    assert (again.status, again.json["reference"]) == (200, answer["reference"])
    for _ in range(2):
        sent = line.ask("POST", f"/v1/tips/{format_uuid(tip)}/submit")
        assert (sent.status, sent.json["state"]) == (200, "RECEIVED")
    status = line.ask("GET", f"/v1/tips/{format_uuid(tip)}")
    assert status.json == {
        "id": format_uuid(tip),
        "reference": answer["reference"],
        "state": "RECEIVED",
        "erased": False,
        "call_now": answer["call_now"],
        "safeguarding_requests": [],
        "abroad": [],
    }
    listed = line.ask("GET", "/v1/tips").json
    assert listed == {"tips": [{name: status.json[name] for name in ("id", "reference", "state", "erased")}], "next": None}
    for reply in (first, again, sent, status):
        for secret in (SECRET, REPORTER, "grey beard"):
            assert secret.encode() not in reply.body


def test_who_came_is_journalled_once_a_connection(line: Line) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", line.port, timeout=20)
    connection.sock = line.raw(line.ngo())
    for _ in range(3):
        connection.request("GET", "/v1/tips")
        connection.getresponse().read()
    connection.close()
    events = [(kind, who) for kind, who, _, _ in line.office.journal()]
    assert events.count(("sign_in", f"spiffe://{DOMAIN}/ngo/aple")) == 1


def test_errors_have_codes_and_change_nothing(line: Line) -> None:
    tip = new_id()
    path = f"/v1/tips/{format_uuid(tip)}"
    assert line.ask("GET", path).code == "TIP_UNKNOWN"
    assert line.ask("POST", f"{path}/submit").code == "TIP_UNKNOWN"
    assert line.ask("POST", f"{path}/submit", b"{}").code == "BODY_UNEXPECTED"
    assert line.ask("GET", "/v1/other").code == "PATH_UNKNOWN"
    assert line.ask("DELETE", path).code == "METHOD_UNKNOWN"
    for query in ("after=-1", "after=x", "after=1&x=2", "after=" + "9" * 30):
        assert (line.ask("GET", f"/v1/tips?{query}").code, line.ask("GET", f"/v1/tips?{query}").status) == ("QUERY", 400)
    for wrong in ("1", format_uuid(tip).upper().replace("0", "A"), format_uuid(bytes(16)), format_uuid(tip) + "0", "%2e%2e"):
        reply = line.ask("PUT", f"/v1/tips/{wrong}", body())
        assert (reply.code, reply.status) == ("TIP_ID", 400), wrong
    line.put(body(), tip)
    line.ask("POST", f"{path}/submit")
    late = line.put(body({}), tip)
    assert (late.status, late.code) == (409, "TIP_SUBMITTED")
    assert kept(line) == 1


# -- who may come ----------------------------------------------------------------------------------------------------


def minted(directory: Path, issue: Callable[[], tuple[Any, x509.Certificate]]) -> tuple[Path, Path]:
    key, certificate = issue()
    paths = directory / "x.pem", directory / "x.key"
    paths[0].write_bytes(certificate_pem(certificate, mark=""))
    paths[1].write_bytes(private_key_pem(key, mark=""))
    return paths


def authority(keys: Path, kind: str = "ngo") -> Authority:
    key: Any = read_private_key(keys / f"{kind}-ca.key")
    return Authority(trust_domain=DOMAIN, certificate=read_certificate(keys / f"{kind}-ca.pem"), key=key)


def leaf(issuer: Authority, slug: str = "aple", *, now: datetime | None = None, trust_domain: str = DOMAIN) -> tuple[Any, x509.Certificate]:
    key = new_tls_key()
    party = PartyId(trust_domain=trust_domain, path=f"/ngo/{slug}")
    issuer = replace(issuer, trust_domain=trust_domain)
    return key, issue_ngo_leaf(issuer, party, key.public_key(), name="x", now=now or datetime.now(UTC))


def shut_out(line: Line, context: ssl.SSLContext) -> bool:
    """Whether TLS lets nobody in: in TLS 1.3 a client learns it with the first answer."""
    try:
        with line.raw(context) as connection:
            connection.sendall(b"GET /v1/tips HTTP/1.1\r\nHost: x\r\n\r\n")
            return connection.recv(1) == b""
    except (ssl.SSLError, ConnectionError):
        return True


def test_an_ngo_of_the_authority_comes_in(line: Line) -> None:
    assert not shut_out(line, line.ngo())


def test_nobody_comes_in_without_a_certificate(line: Line) -> None:
    assert shut_out(line, line.context())


@pytest.mark.parametrize("stem", ["officers/sarus", "tls/node", "tls/desk"])
def test_nobody_comes_in_with_a_certificate_of_the_office_or_the_node(line: Line, stem: str) -> None:
    assert shut_out(line, line.context(line.keys / f"{stem}.pem", line.keys / f"{stem}.key"))


def test_nobody_comes_in_with_a_certificate_of_another_authority(line: Line, tmp_path: Path) -> None:
    key = new_tls_key()
    other = issue_authority(DOMAIN, key, name="EXAMPLE Cambodia ngo authority", now=datetime.now(UTC))
    assert shut_out(line, line.context(*minted(tmp_path, lambda: leaf(other))))


def test_nobody_comes_in_with_an_expired_certificate(line: Line, keys: Path, tmp_path: Path) -> None:
    old = datetime.now(UTC) - timedelta(days=366)
    assert shut_out(line, line.context(*minted(tmp_path, lambda: leaf(authority(keys), now=old))))


def test_nobody_comes_in_over_an_older_tls(line: Line) -> None:
    context = line.ngo()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    assert shut_out(line, context)


def test_an_officer_whose_certificate_the_ngo_authority_issued_is_no_ngo(line: Line, keys: Path, tmp_path: Path) -> None:
    def issue() -> tuple[Any, x509.Certificate]:
        key = new_tls_key()
        party = PartyId(trust_domain=DOMAIN, path="/officer/sarus")
        return key, issue_person_leaf(authority(keys), party, key.public_key(), name="x", now=datetime.now(UTC))

    reply = line.ask("GET", "/v1/tips", tls=line.context(*minted(tmp_path, issue)))
    assert (reply.status, reply.code) == (403, "TLS_PURPOSE")


def test_an_ngo_of_another_country_is_not_admitted(line: Line, keys: Path, tmp_path: Path) -> None:
    files = minted(tmp_path, lambda: leaf(authority(keys), trust_domain="vn.alerts.example"))
    reply = line.ask("GET", "/v1/tips", tls=line.context(*files))
    assert (reply.status, reply.code) == (403, "TLS_UNKNOWN_DOMAIN")


def test_an_ngo_that_the_plan_does_not_name_is_turned_away(line: Line, keys: Path, tmp_path: Path) -> None:
    context = line.context(*minted(tmp_path, lambda: leaf(authority(keys), "stranger")))
    for method, path, sent in (("GET", "/v1/tips", None), ("PUT", f"/v1/tips/{format_uuid(new_id())}", body())):
        reply = line.ask(method, path, sent, tls=context)
        assert (reply.status, reply.code) == (403, "NGO_UNKNOWN")
    assert kept(line) == 0


def test_an_identity_that_ends_on_a_living_connection_is_asked_for_again(line: Line) -> None:
    class Later:
        def now(self) -> datetime:
            return datetime.now(UTC) + timedelta(days=366)

        def now_ms(self) -> int:
            return int(self.now().timestamp() * 1000)

    authorities = x509.load_pem_x509_certificates((line.keys / "ngo-ca.pem").read_bytes())
    context = mutual_tls13(line.keys / "tls/tips.pem", line.keys / "tls/tips.key", line.keys / "ngo-ca.pem")
    later = TipListener("127.0.0.1:0", tip_service(replace(line.office.ports, clock=Later()), authorities), context)
    later.start()
    try:
        reply = replace(line, port=later.port).ask("GET", "/v1/tips")
        assert (reply.status, reply.code) == (403, "TLS_EXPIRED")
    finally:
        later.stop()


@pytest.mark.parametrize("missing", ["tls/tips.pem", "tls/tips.key", "ngo-ca.pem"])
def test_a_listener_without_its_files_does_not_begin(keys: Path, tmp_path: Path, missing: str) -> None:
    paths = [tmp_path / "none" if name == missing else keys / name for name in ("tls/tips.pem", "tls/tips.key", "ngo-ca.pem")]
    with refused(Malformed, "TLS_MATERIAL"):
        mutual_tls13(paths[0], paths[1], paths[2])
