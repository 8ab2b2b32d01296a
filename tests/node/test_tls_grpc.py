"""Real connections on the loopback: TLS 1.3 both ways, the identity that a servicer sees, rotation, hostile peers."""

import dataclasses
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from exchange.errors import Malformed, Unverified
from exchange.values import PartyId, node_of
from node.keys.files import certificate_pem, private_key_pem
from node.keys.issue import Authority, issue_authority, issue_node_leaf, issue_person_leaf, new_tls_key
from node.limits import MAX_MESSAGE_BYTES, SERVER_OPTIONS
from node.tls import (
    Listener,
    RevocationList,
    TlsMaterial,
    channel_credentials,
    channel_options,
    key_fingerprint,
    peer_identity,
    server_credentials,
)

GB, KH, VN = (f"{country}.alerts.example" for country in ("gb", "kh", "vn"))
CALL = "/test.Echo/Who"


def authority(domain: str, kind: str = "node") -> Authority:
    return issue_authority(domain, new_tls_key(), name=f"EXAMPLE {domain} {kind} authority", now=datetime.now(UTC))


def node_material(issuer: Authority, *trusted: Authority) -> TlsMaterial:
    key = new_tls_key()
    leaf = issue_node_leaf(issuer, key.public_key(), name="EXAMPLE node", now=datetime.now(UTC), days=7)
    return material(key, leaf, *trusted)


def material(key: ec.EllipticCurvePrivateKey, leaf: x509.Certificate, *trusted: Authority) -> TlsMaterial:
    return TlsMaterial(
        private_key=private_key_pem(key, mark="EXAMPLE — never use in production"),
        certificate=certificate_pem(leaf, mark="EXAMPLE — never use in production"),
        authorities=b"".join(certificate_pem(a.certificate) for a in trusted),
    )


def minted(issuer: Authority, victim: str, *trusted: Authority) -> TlsMaterial:
    """A leaf of `issuer` that names another country's node."""
    imposter = dataclasses.replace(issuer, trust_domain=victim)
    return node_material(imposter, *trusted)


def without_constraint(domain: str) -> Authority:
    honest = authority(domain)
    builder = x509.CertificateBuilder(
        issuer_name=honest.certificate.subject,
        subject_name=honest.certificate.subject,
        public_key=honest.key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=honest.certificate.not_valid_before_utc,
        not_valid_after=honest.certificate.not_valid_after_utc,
    )
    for extension in honest.certificate.extensions:
        if not isinstance(extension.value, x509.NameConstraints):
            builder = builder.add_extension(extension.value, critical=extension.critical)
    return dataclasses.replace(honest, certificate=builder.sign(honest.key, hashes.SHA256()))


class Office(grpc.GenericRpcHandler):
    """A node of GB whose only call answers with who the caller is, or with the code of the refusal."""

    def __init__(self, trust: dict[str, list[x509.Certificate]]) -> None:
        self.trust = trust
        self.revoked = RevocationList()

    def service(self, _details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes]":
        return grpc.unary_unary_rpc_method_handler(self.who)

    def who(self, _request: bytes, context: grpc.ServicerContext) -> bytes:
        try:
            identity = peer_identity(
                context.auth_context(),
                trust=self.trust,
                now=datetime.now(UTC),
                listener=Listener.NODE,
                revoked=self.revoked,
            )
        except Unverified as error:
            return error.code.encode()
        return str(identity.party).encode()


@dataclasses.dataclass
class Running:
    """A listener, and what a test may change while it runs."""

    office: Office
    port: int
    gb: Authority
    serve: Callable[[], TlsMaterial]
    reports: list[Exception]


@pytest.fixture(scope="module")
def kh() -> Authority:
    return authority(KH)


@pytest.fixture(scope="module")
def rogue() -> Authority:
    return without_constraint(VN)


@pytest.fixture
def running(kh: Authority, rogue: Authority) -> Iterator[Running]:
    gb = authority(GB)
    first = node_material(gb, kh, rogue)
    office = Office({KH: [kh.certificate], VN: [rogue.certificate]})
    state = Running(office=office, port=0, gb=gb, serve=lambda: first, reports=[])
    server = grpc.server(futures.ThreadPoolExecutor(4), options=SERVER_OPTIONS)
    server.add_generic_rpc_handlers((office,))
    credentials = server_credentials(
        lambda: state.serve(),  # noqa: PLW0108  a test replaces `serve`, which must be looked up at each handshake
        report=state.reports.append,
    )
    state.port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    yield state
    server.stop(None).wait()


def ask(running: Running, client: TlsMaterial, message: bytes = b"", metadata: str = "") -> str:
    options = channel_options(node_of(GB))
    with grpc.secure_channel(f"127.0.0.1:{running.port}", channel_credentials(client), options) as channel:
        return caller(channel)(message, timeout=10, metadata=(("x-padding", metadata),)).decode()


def caller(channel: grpc.Channel) -> "grpc.UnaryUnaryMultiCallable[bytes, bytes]":
    return channel.unary_unary(CALL, bytes, bytes)


def status(error: Any) -> grpc.StatusCode:
    """The code of an `RpcError`, which the stub does not know to be a call as well."""
    code: grpc.StatusCode = error.code()
    return code


def python_client(running: Running, client: TlsMaterial, tmp_path: Path, newest: ssl.TLSVersion) -> ssl.SSLSocket:
    """Python's own TLS client, which can be held to an old version."""
    (tmp_path / "client.pem").write_bytes(client.certificate)
    (tmp_path / "client.key").write_bytes(client.private_key)
    context = ssl.create_default_context(cadata=client.authorities.decode())
    context.load_cert_chain(tmp_path / "client.pem", tmp_path / "client.key")
    context.maximum_version = newest
    context.set_alpn_protocols(["h2"])
    raw = socket.create_connection(("127.0.0.1", running.port), timeout=10)
    try:
        return context.wrap_socket(raw, server_hostname=f"node.{GB}")
    except BaseException:
        raw.close()
        raise


def served_serial(running: Running, client: TlsMaterial, tmp_path: Path) -> int:
    with python_client(running, client, tmp_path, ssl.TLSVersion.TLSv1_3) as connection:
        leaf = connection.getpeercert(binary_form=True)
    assert leaf
    return x509.load_der_x509_certificate(leaf).serial_number


def serial(served: TlsMaterial) -> int:
    return x509.load_pem_x509_certificate(served.certificate).serial_number


def unverifiable(running: Running, client: TlsMaterial) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        ask(running, client)
    assert status(caught.value) is grpc.StatusCode.UNAVAILABLE


def test_a_servicer_sees_the_partner(running: Running, kh: Authority) -> None:
    assert ask(running, node_material(kh, running.gb)) == f"spiffe://{KH}/node"


def test_a_country_minted_by_another_countrys_authority_passes_grpc_and_not_us(running: Running, rogue: Authority) -> None:
    assert ask(running, node_material(rogue, running.gb)) == f"spiffe://{VN}/node"
    assert ask(running, minted(rogue, KH, running.gb)) == "TLS_WRONG_CA"


def test_a_country_minted_under_our_constraint_does_not_even_pass_grpc(running: Running, kh: Authority) -> None:
    unverifiable(running, minted(kh, VN, running.gb))


def test_revocation_holds_from_the_next_call_on(running: Running, kh: Authority) -> None:
    client = node_material(kh, running.gb)
    options = channel_options(node_of(GB))
    with grpc.secure_channel(f"127.0.0.1:{running.port}", channel_credentials(client), options) as channel:
        call = caller(channel)
        assert call(b"", timeout=10) == f"spiffe://{KH}/node".encode()
        leaf = x509.load_pem_x509_certificate(client.certificate)
        issuer = key_fingerprint(kh.certificate)
        running.office.revoked = RevocationList(certificates=frozenset({(issuer, leaf.serial_number)}))
        assert call(b"", timeout=10) == b"TLS_REVOKED"


def test_an_officer_does_not_pass_the_node_listener(running: Running) -> None:
    office, key = authority(KH, "office"), new_tls_key()
    party = PartyId(trust_domain=KH, path="/officer/ibis")
    leaf = issue_person_leaf(office, party, key.public_key(), name="EXAMPLE officer", now=datetime.now(UTC))
    unverifiable(running, material(key, leaf, running.gb))


def test_who_shows_no_certificate_does_not_pass(running: Running) -> None:
    roots = certificate_pem(running.gb.certificate)
    options = channel_options(node_of(GB))
    credentials = grpc.ssl_channel_credentials(roots)
    with (
        grpc.secure_channel(f"127.0.0.1:{running.port}", credentials, options) as channel,
        pytest.raises(grpc.RpcError),
    ):
        caller(channel)(b"", timeout=10)


def test_a_client_refuses_another_countrys_server(running: Running, kh: Authority) -> None:
    client = node_material(kh, running.gb)
    for wrong in (
        dataclasses.replace(client, authorities=certificate_pem(kh.certificate)),  # the wrong root
        None,  # the right root, another name
    ):
        options = channel_options(node_of(GB if wrong else KH))
        credentials = channel_credentials(wrong or client)
        with (
            grpc.secure_channel(f"127.0.0.1:{running.port}", credentials, options) as channel,
            pytest.raises(grpc.RpcError),
        ):
            caller(channel)(b"", timeout=5)


def test_a_server_refuses_tls_12(running: Running, kh: Authority, tmp_path: Path) -> None:
    client = node_material(kh, running.gb)
    with python_client(running, client, tmp_path, ssl.TLSVersion.TLSv1_3) as connection:
        assert connection.version() == "TLSv1.3"
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        python_client(running, client, tmp_path, ssl.TLSVersion.TLSv1_2)


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2])
def test_a_client_refuses_tls_12_even_with_an_rsa_leaf(newest: ssl.TLSVersion, tmp_path: Path, kh: Authority) -> None:
    gb, key = authority(GB), rsa.generate_private_key(65537, 2048)
    pattern = issue_node_leaf(gb, new_tls_key().public_key(), name="EXAMPLE node", now=datetime.now(UTC), days=7)
    builder = x509.CertificateBuilder(
        issuer_name=pattern.issuer,
        subject_name=pattern.subject,
        public_key=key.public_key(),
        serial_number=pattern.serial_number,
        not_valid_before=pattern.not_valid_before_utc,
        not_valid_after=pattern.not_valid_after_utc,
    )
    for extension in pattern.extensions:
        builder = builder.add_extension(extension.value, critical=extension.critical)
    (tmp_path / "s.pem").write_bytes(certificate_pem(builder.sign(gb.key, hashes.SHA256())))
    (tmp_path / "s.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "s.pem", tmp_path / "s.key")
    context.maximum_version = newest
    context.set_alpn_protocols(["h2"])
    outcome: list[str | None] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            raw, _ = listener.accept()
            try:
                with context.wrap_socket(raw, server_side=True) as connection:
                    outcome.append(connection.version())
            except OSError as error:
                raw.close()
                outcome.append(getattr(error, "reason", None))

        thread = threading.Thread(target=accept)
        thread.start()
        target = f"127.0.0.1:{listener.getsockname()[1]}"
        credentials = channel_credentials(node_material(kh, gb))
        with (
            grpc.secure_channel(target, credentials, channel_options(node_of(GB))) as channel,
            pytest.raises(grpc.RpcError),
        ):
            caller(channel)(b"", timeout=5)
        thread.join(10)
    assert outcome == ["TLSv1.3" if newest is ssl.TLSVersion.TLSv1_3 else "NO_SHARED_CIPHER"]


def test_a_leaf_rotates_without_a_restart(running: Running, kh: Authority, rogue: Authority, tmp_path: Path) -> None:
    client = node_material(kh, running.gb)
    first = running.serve()
    options = channel_options(node_of(GB))
    with grpc.secure_channel(f"127.0.0.1:{running.port}", channel_credentials(client), options) as channel:
        call = caller(channel)
        assert call(b"", timeout=10)
        assert served_serial(running, client, tmp_path) == serial(first)

        second = node_material(running.gb, kh, rogue)
        running.serve = lambda: second
        assert served_serial(running, client, tmp_path) == serial(second) != serial(first)
        assert call(b"", timeout=10)  # the connection that was open goes on

        def broken() -> TlsMaterial:
            raise OSError("the disk is gone")

        running.serve = broken
        assert served_serial(running, client, tmp_path) == serial(second)
        torn = dataclasses.replace(second, private_key=first.private_key)
        running.serve = lambda: torn
        assert served_serial(running, client, tmp_path) == serial(second)
    assert [type(error) for error in running.reports] == [OSError, Malformed]


def test_a_partner_that_is_taken_out_of_the_pool_no_longer_connects(running: Running, kh: Authority, rogue: Authority) -> None:
    client = node_material(kh, running.gb)
    assert ask(running, client)
    fewer = node_material(running.gb, rogue)
    running.serve = lambda: fewer
    unverifiable(running, client)
    assert ask(running, node_material(rogue, running.gb))


def test_messages_and_headers_have_caps(running: Running, kh: Authority) -> None:
    client = node_material(kh, running.gb)
    assert ask(running, client, metadata="x" * 2000)
    with pytest.raises(grpc.RpcError) as caught:
        ask(running, client, metadata="x" * 9000)
    assert status(caught.value) is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert ask(running, client, message=bytes(MAX_MESSAGE_BYTES))
    # A hostile client has no caps of its own.
    options = [("grpc.ssl_target_name_override", f"node.{GB}")]
    with (
        grpc.secure_channel(f"127.0.0.1:{running.port}", channel_credentials(client), options) as channel,
        pytest.raises(grpc.RpcError) as caught,
    ):
        caller(channel)(bytes(MAX_MESSAGE_BYTES + 1), timeout=10)
    assert status(caught.value) is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_second_listener_cannot_take_a_share_of_the_port(running: Running) -> None:
    second = grpc.server(futures.ThreadPoolExecutor(1), options=SERVER_OPTIONS)
    credentials = server_credentials(running.serve, report=running.reports.append)
    with pytest.raises(RuntimeError):
        second.add_secure_port(f"127.0.0.1:{running.port}", credentials)
    second.stop(None).wait()


@pytest.mark.slow
def test_a_connection_that_stalls_in_the_handshake_is_ended(running: Running) -> None:
    with socket.create_connection(("127.0.0.1", running.port), timeout=15) as silent:
        started = time.monotonic()
        assert silent.recv(1) == b""
        assert 3 < time.monotonic() - started < 10
