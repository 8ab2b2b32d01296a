"""Who knocks at which door, what cuts a stream that lives, and what a partner that means harm can do to the others: nothing."""

import queue
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from exchange.directory import sign_descriptor
from exchange.encoding import encode
from exchange.v1 import desk_service_pb2 as desk
from exchange.v1 import directory_pb2, disclosure_pb2, statement_pb2
from exchange.v1 import exchange_service_pb2 as messages
from exchange.v1.desk_service_pb2_grpc import DeskServiceStub
from exchange.v1.exchange_service_pb2_grpc import ExchangeServiceStub
from exchange.values import PartyId
from node.keys.files import certificate_pem, private_key_pem, read_certificate, read_private_key
from node.keys.issue import Authority, issue_node_leaf, new_tls_key
from node.keys.signers import file_signer
from node.limits import MAX_MESSAGE_BYTES, MAX_STREAMS_PER_CONNECTION
from node.rpc.identity import CALLS_AT_ONCE
from node.tls import TlsMaterial, channel_credentials, channel_options, key_fingerprint
from tests.system.nodes import (
    CALL_SECONDS,
    Countries,
    Ledger,
    NodeProcess,
    Nursery,
    Office,
    ask,
    draft,
    exchange,
    publish,
    reason_of,
    receipted,
    until,
)

pytestmark = pytest.mark.system

OWN_CONNECTION = ("grpc.use_local_subchannel_pool", 1)


def material_of(office: Office, authority: Office, *, leaf: str = "tls/node") -> TlsMaterial:
    """What `office` shows to the node of `authority`."""
    return TlsMaterial(
        private_key=(office.directory / f"{leaf}.key").read_bytes(),
        certificate=(office.directory / f"{leaf}.pem").read_bytes(),
        authorities=(authority.directory / "node-ca.pem").read_bytes(),
    )


@contextmanager
def knock(target: Office, material: TlsMaterial, *options: tuple[str, int]) -> Iterator[ExchangeServiceStub]:
    """A connection to the partner port of `target`, as whoever the material says."""
    named = channel_options(PartyId(trust_domain=target.trust_domain, path="/node"))
    with grpc.secure_channel(f"127.0.0.1:{target.port}", channel_credentials(material), options=[*named, *options]) as channel:
        yield ExchangeServiceStub(channel)


class Stream:
    """A subscription that a test keeps open."""

    def __init__(self, stub: ExchangeServiceStub, *, greet: bool = True) -> None:
        self._requests: queue.Queue[messages.SubscribeRequest | None] = queue.Queue()
        self.call = stub.Subscribe(iter(self._requests.get, None))
        if greet:
            self._requests.put(messages.SubscribeRequest(hello=disclosure_pb2.Hello(time=time.time_ns() // 1_000_000)))
            assert next(self.call).HasField("state")

    def end(self) -> tuple[grpc.StatusCode, str, float]:
        """Read until the stream ends: how, with which code, and when (monotonic seconds)."""
        with suppress(grpc.RpcError):
            for _ in self.call:
                pass
        return self.call.code(), reason_of(self.call), time.monotonic()

    def close(self) -> None:
        self._requests.put(None)
        self.call.cancel()


def refusal(stub: ExchangeServiceStub) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as error:
        stub.GetDescriptor(messages.GetDescriptorRequest(), timeout=CALL_SECONDS)
    return error.value


def short_lived(office: Office, authority: Office, seconds: float) -> TlsMaterial:
    """A leaf of the office's own authority that expires `seconds` from now."""
    key = read_private_key(office.directory / "node-ca.key")
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    issuer = Authority(trust_domain=office.trust_domain, certificate=read_certificate(office.directory / "node-ca.pem"), key=key)
    leaf_key = new_tls_key()
    started = datetime.now(UTC) + timedelta(seconds=seconds + 120) - timedelta(days=1)
    leaf = issue_node_leaf(issuer, leaf_key.public_key(), name="EXAMPLE node", now=started, days=1)
    return TlsMaterial(
        private_key=private_key_pem(leaf_key, mark="EXAMPLE"),
        certificate=certificate_pem(leaf),
        authorities=(authority.directory / "node-ca.pem").read_bytes(),
    )


def revoking_descriptor(office: Office, leaf: x509.Certificate) -> bytes:
    """The office's next descriptor, which lists the key of a TLS leaf as revoked; with the chain that leads to it."""
    chain = directory_pb2.DescriptorChain.FromString((office.directory / "descriptor.pb").read_bytes())
    newest = directory_pb2.NodeDescriptor.FromString(statement_pb2.Statement.FromString(chain.descriptors[-1]).payload)
    newest.sequence += 1
    newest.issued_at = time.time_ns() // 1_000_000
    newest.revoked_tls_keys.add(key_id=key_fingerprint(leaf))
    chain.descriptors.append(encode(sign_descriptor(newest, file_signer(office.directory / "keys/identity.key"))))
    return encode(chain)


def test_either_certificate_is_refused_at_the_others_port(countries: Countries, nursery: Nursery, running: list[NodeProcess]) -> None:
    gb, kh = countries.gb, countries.kh
    running.append(nursery.start(gb))
    with knock(gb, material_of(kh, gb)) as stub:
        assert stub.GetDescriptor(messages.GetDescriptorRequest(), timeout=CALL_SECONDS).descriptors
    with knock(gb, material_of(gb, gb, leaf="officers/heron")) as stub:
        assert refusal(stub).code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAUTHENTICATED}
    stranger = gb.directory / "stranger.toml"
    text = (gb.directory / "officer.toml").read_text("utf-8")
    for kind in ("pem", "key"):
        (gb.directory / f"officers/kh-node.{kind}").write_bytes((kh.directory / f"tls/node.{kind}").read_bytes())
    (gb.directory / "officers/kh-node.key").chmod(0o600)
    stranger.write_text(text.replace("officers/swallow", "officers/kh-node"), "utf-8")
    assert exchange("--context", str(stranger), "whoami") == 5
    assert exchange("--context", str(gb.directory / "officer.toml"), "whoami") == 0


def test_a_suspended_partner_is_cut_off_within_a_second(countries: Countries, nursery: Nursery, running: list[NodeProcess]) -> None:
    gb, kh = countries.gb, countries.kh
    running.append(nursery.start(gb))
    with knock(gb, material_of(kh, gb)) as stub, ask(gb, "administrator") as administrator:
        stream = Stream(stub)
        administrator.SuspendPartner(desk.SuspendPartnerRequest(trust_domain=kh.trust_domain))
        suspended = time.monotonic()
        code, reason, ended = stream.end()
        assert (code, reason) == (grpc.StatusCode.PERMISSION_DENIED, "PARTNER_SUSPENDED")
        assert ended - suspended < 1
        assert reason_of(refusal(stub)) == "PARTNER_SUSPENDED"
        administrator.SuspendPartner(desk.SuspendPartnerRequest(trust_domain=kh.trust_domain, resume=True))
        Stream(stub).close()


def test_suspension_ends_both_directions_and_what_is_logged_waits(
    countries: Countries, nursery: Nursery, running: list[NodeProcess]
) -> None:
    gb, kh, ledger = countries.gb, countries.kh, Ledger()
    running += [nursery.start(gb), nursery.start(kh)]
    with ask(gb) as officer, ask(gb, "administrator") as administrator:

        def partner() -> desk.PartnerSummary:
            return administrator.GetPartner(desk.GetPartnerRequest(trust_domain=kh.trust_domain)).partner

        until(lambda: partner().inbound_stream_up and partner().outbound_stream_up)
        administrator.SuspendPartner(desk.SuspendPartnerRequest(trust_domain=kh.trust_domain))
        until(lambda: not partner().inbound_stream_up and not partner().outbound_stream_up, 1)
        (response,) = officer.PublishAlerts(iter([desk.PublishAlertsRequest(drafts=[draft(0, [kh.agency("gdi")])], reason="Test.")]))
        assert [problem.code for problem in response.alerts[0].problems] == ["PARTNER_SUSPENDED"]
        administrator.SuspendPartner(desk.SuspendPartnerRequest(trust_domain=kh.trust_domain, resume=True))
        publish(officer, [draft(1, [kh.agency("gdi")])], ledger)
        until(lambda: receipted(gb, gb.outbound(kh)) == (1, 1))


def test_a_revoked_certificate_is_cut_off_within_a_second(countries: Countries, nursery: Nursery, running: list[NodeProcess]) -> None:
    gb, kh = countries.gb, countries.kh
    running.append(nursery.start(gb))
    leaf = read_certificate(kh.directory / "tls/node.pem")
    with knock(gb, material_of(kh, gb)) as stub, ask(gb, "administrator") as administrator:
        stream = Stream(stub)
        pinned = administrator.GetPartner(desk.GetPartnerRequest(trust_domain=kh.trust_domain)).partner.identity_fingerprint
        administrator.AddPartner(desk.AddPartnerRequest(descriptors=revoking_descriptor(kh, leaf), fingerprint=pinned))
        revoked = time.monotonic()
        code, reason, ended = stream.end()
        assert (code, reason) == (grpc.StatusCode.UNAUTHENTICATED, "TLS_REVOKED")
        assert ended - revoked < 1
        assert reason_of(refusal(stub)) == "TLS_REVOKED"
    with knock(gb, short_lived(kh, gb, 3600)) as stub:
        Stream(stub).close()


def test_an_expired_certificate_is_cut_off_within_a_second(countries: Countries, nursery: Nursery, running: list[NodeProcess]) -> None:
    gb, kh = countries.gb, countries.kh
    running.append(nursery.start(gb))
    material = short_lived(kh, gb, 3)
    expires = x509.load_pem_x509_certificate(material.certificate).not_valid_after_utc
    with knock(gb, material) as stub:
        stream = Stream(stub)
        code, reason, _ = stream.end()
        late = (datetime.now(UTC) - expires).total_seconds()
        assert (code, reason) == (grpc.StatusCode.UNAUTHENTICATED, "TLS_EXPIRED")
        assert 0 < late < 1
        assert reason_of(refusal(stub)) == "TLS_EXPIRED"


def test_text_of_an_exception_never_reaches_a_peer(countries: Countries, nursery: Nursery, running: list[NodeProcess]) -> None:
    gb, kh = countries.gb, countries.kh
    running.append(nursery.start(gb, defects=["unforeseen exceptions"]))
    with knock(gb, material_of(kh, gb)) as stub:
        with pytest.raises(grpc.RpcError) as error:
            stub.FetchEntries(messages.FetchEntriesRequest(origin=gb.outbound(kh)), timeout=CALL_SECONDS)
        assert (error.value.code(), error.value.details()) == (grpc.StatusCode.INTERNAL, "INTERNAL")
        requests = iter([messages.SubscribeRequest(hello=disclosure_pb2.Hello(time=0))])
        with pytest.raises(grpc.RpcError) as error:
            next(stub.Subscribe(requests, timeout=CALL_SECONDS))
        assert (error.value.code(), error.value.details()) == (grpc.StatusCode.INTERNAL, "INTERNAL")
        # Of a refusal that was foreseen, a partner reads its code and no sentence.
        with pytest.raises(grpc.RpcError) as error:
            stub.LatestReceipt(messages.LatestReceiptRequest(origin="no.such/disclosures/log.example/1"), timeout=CALL_SECONDS)
        assert error.value.details() == reason_of(error.value) == "LOG_UNKNOWN"
    log = gb.log.read_text("utf-8")
    assert "unforeseen" in log
    assert "SECRET" not in log


def test_messages_and_metadata_have_caps_at_the_partner_port(countries: Countries, nursery: Nursery, running: list[NodeProcess]) -> None:
    gb, kh = countries.gb, countries.kh
    running.append(nursery.start(gb))
    unlimited = ("grpc.max_send_message_length", -1)
    with knock(gb, material_of(kh, gb), unlimited) as stub:
        huge = statement_pb2.Statement(payload=bytes(2 * MAX_MESSAGE_BYTES))
        with pytest.raises(grpc.RpcError) as error:
            stub.ProposeAgreement(messages.ProposeAgreementRequest(agreement=huge), timeout=CALL_SECONDS)
        assert error.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        with pytest.raises(grpc.RpcError) as error:
            stub.GetDescriptor(messages.GetDescriptorRequest(), metadata=(("x-long", "x" * 16_384),), timeout=CALL_SECONDS)
        assert error.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        stub.GetDescriptor(messages.GetDescriptorRequest(), timeout=CALL_SECONDS)


def test_a_handshake_that_stalls_is_ended(countries: Countries, nursery: Nursery, running: list[NodeProcess]) -> None:
    gb, kh = countries.gb, countries.kh
    running.append(nursery.start(gb))
    with socket.create_connection(("127.0.0.1", gb.port)) as silent:
        silent.settimeout(12)
        began = time.monotonic()
        assert silent.recv(1) == b""
        assert time.monotonic() - began < 10
    # One that speaks TLS and then no HTTP/2 ends too.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_cert_chain(kh.directory / "tls/node.pem", kh.directory / "tls/node.key")
    context.load_verify_locations(gb.directory / "node-ca.pem")
    with (
        socket.create_connection(("127.0.0.1", gb.port)) as raw,
        context.wrap_socket(raw, server_hostname=f"node.{gb.trust_domain}") as idle,
    ):
        idle.settimeout(12)
        with suppress(ConnectionResetError):
            while idle.recv(1024):
                pass


def test_a_partner_that_hangs_delays_nobody(countries: Countries, nursery: Nursery, running: list[NodeProcess]) -> None:
    import signal

    gb, kh, vn, ledger = countries.gb, countries.kh, countries.vn, Ledger()
    hanging = nursery.start(vn)
    running += [nursery.start(gb), nursery.start(kh), hanging]
    with ask(gb) as officer:
        publish(officer, [draft(0, [kh.agency("gdi"), vn_border(vn)])], ledger)
        until(lambda: receipted(gb, gb.outbound(kh)) == (1, 1) and receipted(gb, gb.outbound(vn)) == (1, 1))
        hanging.send(signal.SIGSTOP)
        waits = []
        for number in range(1, 41):
            began = time.monotonic()
            publish(officer, [draft(number, [kh.agency("gdi"), vn_border(vn)])], ledger)
            until(lambda size=number + 1: receipted(gb, gb.outbound(kh)) == (size, size), every=0.002)  # type: ignore[misc]
            waits.append(time.monotonic() - began)
        assert sorted(waits)[20] < 0.5, "half of the alerts are receipted at once"
        assert receipted(gb, gb.outbound(vn)) == (41, 1)
        hanging.send(signal.SIGCONT)
        until(lambda: receipted(gb, gb.outbound(vn)) == (41, 41))


def test_a_partner_that_opens_every_stream_it_can_delays_nobody(countries: Countries, nursery: Nursery, running: list[NodeProcess]) -> None:
    gb, kh, vn, ledger = countries.gb, countries.kh, countries.vn, Ledger()
    running.append(nursery.start(gb))
    with ExitStack() as stack:
        streams: list[Stream] = []
        for _ in range(10):
            stub = stack.enter_context(knock(gb, material_of(vn, gb), OWN_CONNECTION))
            for _ in range(MAX_STREAMS_PER_CONNECTION):
                streams.append(Stream(stub, greet=False))
                stack.callback(streams[-1].close)
        until(lambda: sum(reason_of(stream.call) == "TOO_MANY_CALLS" for stream in streams if not stream.call.is_active()) > 96)
        assert sum(stream.call.is_active() for stream in streams) >= CALLS_AT_ONCE
        running.append(nursery.start(kh))
        with ask(gb) as officer:
            publish(officer, [draft(0, [kh.agency("gdi")])], ledger)
        until(lambda: receipted(gb, gb.outbound(kh)) == (1, 1), 5)
    # What it held is free again for it, too, once its calls have ended.
    with knock(gb, material_of(vn, gb), OWN_CONNECTION) as stub:
        until(lambda: described(stub))


def test_a_connection_carries_only_so_many_streams(countries: Countries, nursery: Nursery, running: list[NodeProcess]) -> None:
    gb, kh = countries.gb, countries.kh
    running.append(nursery.start(gb))
    officer = material_of(gb, gb, leaf="officers/heron")
    stuck = TlsMaterial(
        private_key=officer.private_key, certificate=officer.certificate, authorities=(gb.directory / "office-ca.pem").read_bytes()
    )
    options = [*channel_options(PartyId(trust_domain=gb.trust_domain, path="/desk")), OWN_CONNECTION]
    with ExitStack() as stack:
        channel = stack.enter_context(grpc.secure_channel(f"127.0.0.1:{gb.port + 1}", channel_credentials(stuck), options=options))
        release = threading.Event()
        stack.callback(release.set)
        stub = DeskServiceStub(channel)
        waiting = [stub.PublishAlerts(_nothing_until(release)) for _ in range(MAX_STREAMS_PER_CONNECTION)]

        def full() -> bool:
            try:
                stub.WhoAmI(desk.WhoAmIRequest(), timeout=0.5)
            except grpc.RpcError as error:
                return error.code() == grpc.StatusCode.DEADLINE_EXCEEDED
            return False

        until(full)
        assert all(call.is_active() for call in waiting)
        with ask(gb) as another:
            assert another.WhoAmI(desk.WhoAmIRequest(), timeout=CALL_SECONDS).trust_domain == gb.trust_domain
        with knock(gb, material_of(kh, gb)) as partner:
            assert described(partner)
        release.set()
        until(lambda: not full())


def described(stub: ExchangeServiceStub) -> bool:
    with suppress(grpc.RpcError):
        return bool(stub.GetDescriptor(messages.GetDescriptorRequest(), timeout=CALL_SECONDS).descriptors)
    return False


def _nothing_until(release: threading.Event) -> Iterator[desk.PublishAlertsRequest]:
    release.wait()
    yield from ()


def vn_border(vn: Office) -> str:
    from node.keys.node_directory import example_plan

    return vn.agency(next(agency.slug for agency in example_plan("VN").agencies if agency.agency_class == "BORDER"))
