"""Who a certificate stands for, and everything that must not be believed about one."""

import dataclasses
import ipaddress
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from exchange.errors import Malformed, Unverified
from exchange.values import PartyId, node_of
from node.keys.files import certificate_pem, private_key_pem
from node.keys.issue import (
    Authority,
    issue_authority,
    issue_desk_leaf,
    issue_node_leaf,
    issue_person_leaf,
    new_tls_key,
)
from node.limits import CHANNEL_OPTIONS
from node.tls import (
    Listener,
    PeerIdentity,
    RevocationList,
    TlsMaterial,
    channel_options,
    check_current,
    check_material,
    key_fingerprint,
    party_of,
    peer_identity,
    verify_peer,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KH = "kh.alerts.example"
VN = "vn.alerts.example"
BOTH = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
NOTHING_REVOKED = RevocationList()
KH_NODE = (x509.UniformResourceIdentifier(f"spiffe://{KH}/node"), x509.DNSName(f"node.{KH}"))


def authority(domain: str, kind: str = "node") -> Authority:
    return issue_authority(domain, new_tls_key(), name=f"EXAMPLE {domain} {kind} authority", now=NOW)


def unconstrained(domain: str) -> Authority:
    """What a dishonest country makes: an authority without a name constraint, which may name anybody."""
    key = new_tls_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"EXAMPLE rogue {domain}")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1 << 100, NOW, NOW + timedelta(days=300))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(False, False, False, False, False, True, True, False, False),  # noqa: FBT003
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(trust_domain=domain, certificate=certificate, key=key)


def forge(
    issuer: Authority,
    names: Sequence[x509.GeneralName] | None,
    *,
    usages: Sequence[x509.ObjectIdentifier] | None = BOTH,
    days: int = 7,
    common_name: str = "EXAMPLE forged",
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None,
) -> x509.Certificate:
    """A leaf with whatever names an attacker who holds `issuer` likes."""
    public = (key or new_tls_key()).public_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = (
        x509.CertificateBuilder(issuer.certificate.subject, subject, public, 1 << 101, NOW, NOW + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
    )
    if usages is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    if names is not None:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer.key, hashes.SHA256())


def node_leaf(issuer: Authority, days: int = 7) -> x509.Certificate:
    return issue_node_leaf(issuer, new_tls_key().public_key(), name="EXAMPLE node", now=NOW, days=days)


def officer_leaf(issuer: Authority, path: str = "/officer/ibis") -> x509.Certificate:
    party = PartyId(trust_domain=issuer.trust_domain, path=path)
    return issue_person_leaf(issuer, party, new_tls_key().public_key(), name="EXAMPLE officer", now=NOW)


def verify(
    leaf: x509.Certificate | bytes,
    *authorities: Authority,
    listener: Listener = Listener.NODE,
    now: datetime = NOW,
    revoked: RevocationList = NOTHING_REVOKED,
) -> PeerIdentity:
    trust = {a.trust_domain: [a.certificate] for a in authorities}
    return verify_peer(leaf, trust=trust, now=now, listener=listener, revoked=revoked)


def refusal(leaf: x509.Certificate | bytes, *authorities: Authority, **how: object) -> str:
    with pytest.raises(Unverified) as caught:
        verify(leaf, *authorities, **how)  # type: ignore[arg-type]
    return caught.value.code


# -- what is believed ------------------------------------------------------------------------------------------------


def test_a_node_is_known_by_its_uri() -> None:
    kh = authority(KH)
    leaf = node_leaf(kh)
    identity = verify(certificate_pem(leaf), kh, authority(VN))
    assert identity.party == node_of(KH)
    assert identity.key == key_fingerprint(leaf)
    assert identity.issuer_key == key_fingerprint(kh.certificate)
    assert (identity.serial, identity.not_after) == (leaf.serial_number, leaf.not_valid_after_utc)


@pytest.mark.parametrize("path", ["/officer/ibis", "/auditor/myna"])
def test_a_person_is_known_by_the_uri_alone(path: str) -> None:
    office = authority(KH, "office")
    assert verify(officer_leaf(office, path), office, listener=Listener.DESK).party.path == path


def test_any_of_several_authorities_of_one_domain_serves_while_one_replaces_another() -> None:
    old, new = authority(KH), authority(KH)
    trust = {KH: [old.certificate, new.certificate]}
    for issuer in (old, new):
        identity = verify_peer(node_leaf(issuer), trust=trust, now=NOW, listener=Listener.NODE, revoked=NOTHING_REVOKED)
        assert identity.issuer_key == key_fingerprint(issuer.certificate)


def test_the_time_may_be_given_in_any_zone() -> None:
    kh = authority(KH)
    leaf = node_leaf(kh)
    last = leaf.not_valid_after_utc.astimezone(datetime.strptime("+0700", "%z").tzinfo)
    assert verify(leaf, kh, now=last).party == node_of(KH)
    assert refusal(leaf, kh, now=last + timedelta(seconds=1)) == "TLS_EXPIRED"


# -- names -----------------------------------------------------------------------------------------------------------

URI = x509.UniformResourceIdentifier
DNS = x509.DNSName


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (None, "TLS_NO_URI"),
        ([DNS(f"node.{KH}")], "TLS_NO_URI"),
        ([*KH_NODE, URI(f"spiffe://{VN}/node")], "TLS_TWO_URI"),
        ([*KH_NODE, URI(f"spiffe://{KH}/node")], "TLS_TWO_URI"),
        ([URI(f"https://{KH}/node"), DNS(f"node.{KH}")], "TLS_BAD_SPIFFE"),
        ([URI(f"spiffe://{KH}"), DNS(f"node.{KH}")], "TLS_BAD_SPIFFE"),
        ([URI(f"spiffe://{KH.upper()}/node"), DNS(f"node.{KH}")], "TLS_BAD_SPIFFE"),
        ([URI(f"spiffe://{KH}:443/node"), DNS(f"node.{KH}")], "TLS_BAD_SPIFFE"),
        ([URI(f"spiffe://{KH}/node?as=admin"), DNS(f"node.{KH}")], "TLS_BAD_SPIFFE"),
        ([URI(f"spiffe://{KH}/../node"), DNS(f"node.{KH}")], "TLS_BAD_SPIFFE"),
        ([URI(f"spiffe://{KH}/node")], "TLS_DNS_MISMATCH"),
        ([URI(f"spiffe://{KH}/node"), DNS(f"desk.{KH}")], "TLS_DNS_MISMATCH"),
        ([URI(f"spiffe://{KH}/node"), DNS(f"node.{VN}")], "TLS_DNS_MISMATCH"),
        ([*KH_NODE, DNS(f"extra.{KH}")], "TLS_DNS_MISMATCH"),
        ([URI(f"spiffe://{KH}/officer/ibis"), DNS(f"node.{KH}")], "TLS_DNS_MISMATCH"),
        ([URI(f"spiffe://{KH}/officer/ibis"), DNS(f"officer.{KH}")], "TLS_DNS_MISMATCH"),
        ([*KH_NODE, x509.RFC822Name(f"duty@{KH}")], "TLS_OTHER_NAME"),
        ([*KH_NODE, x509.IPAddress(ipaddress.ip_address("192.0.2.1"))], "TLS_OTHER_NAME"),
    ],
)
def test_a_leaf_names_one_party_and_nothing_else(names: list[x509.GeneralName] | None, code: str) -> None:
    kh = unconstrained(KH)
    assert refusal(forge(kh, names), kh) == code


def test_a_common_name_is_never_read() -> None:
    kh = authority(KH)
    only = forge(kh, None, common_name=f"spiffe://{KH}/node")
    assert refusal(only, kh) == "TLS_NO_URI"
    assert party_of(forge(kh, KH_NODE, common_name=f"spiffe://{VN}/node")) == node_of(KH)


def test_a_desk_listener_is_a_party_with_a_dns_name() -> None:
    office = authority(KH, "office")
    leaf = issue_desk_leaf(office, new_tls_key().public_key(), name="EXAMPLE desk", now=NOW)
    assert str(party_of(leaf)) == f"spiffe://{KH}/desk"


# -- authorities -----------------------------------------------------------------------------------------------------


def test_a_partner_that_mints_another_countrys_identity_is_refused() -> None:
    kh, rogue = authority(KH), unconstrained(VN)
    minted = forge(rogue, KH_NODE)
    assert refusal(minted, kh, rogue) == "TLS_WRONG_CA"
    # The same leaf would pass if any authority in the pool were enough, so it is the trust domain that refuses it.
    pooled = Authority(trust_domain=KH, certificate=rogue.certificate, key=rogue.key)
    assert verify(minted, pooled).party == node_of(KH)


def test_an_authority_may_not_issue_outside_its_dns_constraint() -> None:
    constrained, free = authority(VN), unconstrained(VN)
    for issuer, accepted in ((constrained, False), (free, True)):
        as_kh = Authority(trust_domain=KH, certificate=issuer.certificate, key=issuer.key)
        leaf = forge(issuer, KH_NODE)
        if accepted:
            assert verify(leaf, as_kh).party == node_of(KH)
        else:
            assert refusal(leaf, as_kh) == "TLS_WRONG_CA"


def test_an_authority_with_the_same_name_but_another_key_is_refused() -> None:
    assert refusal(node_leaf(authority(KH)), authority(KH)) == "TLS_WRONG_CA"


def test_a_leaf_cannot_issue() -> None:
    kh = authority(KH)
    key = new_tls_key()
    leaf = issue_node_leaf(kh, key.public_key(), name="EXAMPLE node", now=NOW, days=7)
    as_authority = Authority(trust_domain=KH, certificate=leaf, key=key)
    assert refusal(forge(as_authority, KH_NODE), kh) == "TLS_WRONG_CA"
    assert refusal(forge(as_authority, KH_NODE), as_authority) == "TLS_WRONG_CA"


def test_a_trust_domain_that_nobody_admitted_is_refused() -> None:
    kh = authority(KH)
    assert refusal(node_leaf(kh), authority(VN)) == "TLS_UNKNOWN_DOMAIN"
    assert refusal(node_leaf(kh)) == "TLS_UNKNOWN_DOMAIN"
    with pytest.raises(Unverified) as caught:
        verify_peer(node_leaf(kh), trust={KH: []}, now=NOW, listener=Listener.NODE, revoked=NOTHING_REVOKED)
    assert caught.value.code == "TLS_UNKNOWN_DOMAIN"


# -- listeners and purposes ------------------------------------------------------------------------------------------


def test_the_office_authority_does_not_open_the_node_listener() -> None:
    node, office = authority(KH), authority(KH, "office")
    assert refusal(forge(office, KH_NODE), node) == "TLS_WRONG_CA"
    assert refusal(officer_leaf(office), node) == "TLS_PURPOSE"


def test_the_node_authority_does_not_open_the_desk_listener() -> None:
    node, office = authority(KH), authority(KH, "office")
    officer = forge(node, [URI(f"spiffe://{KH}/officer/ibis")])
    assert refusal(officer, office, listener=Listener.DESK) == "TLS_WRONG_CA"
    assert refusal(node_leaf(node), office, listener=Listener.DESK) == "TLS_PURPOSE"


def test_an_officer_is_refused_at_the_node_listener_even_under_the_node_authority() -> None:
    node = authority(KH)
    assert refusal(forge(node, [URI(f"spiffe://{KH}/officer/ibis")]), node) == "TLS_PURPOSE"
    assert refusal(forge(node, [URI(f"spiffe://{KH}/node/second")]), node) == "TLS_PURPOSE"


def test_the_desk_listeners_own_certificate_opens_neither_door() -> None:
    office = authority(KH, "office")
    leaf = issue_desk_leaf(office, new_tls_key().public_key(), name="EXAMPLE desk", now=NOW)
    for listener in Listener:
        assert refusal(leaf, office, listener=listener) == "TLS_PURPOSE"


@pytest.mark.parametrize("usages", [None, [ExtendedKeyUsageOID.SERVER_AUTH], [ExtendedKeyUsageOID.CODE_SIGNING]])
def test_a_leaf_that_is_not_for_client_authentication_is_refused(usages: list[x509.ObjectIdentifier] | None) -> None:
    kh = authority(KH)
    assert refusal(forge(kh, KH_NODE, usages=usages), kh) == "TLS_PURPOSE"


@pytest.mark.parametrize("key", [rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP384R1())])
def test_a_leaf_is_on_p256(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
    kh = authority(KH)
    assert refusal(forge(kh, KH_NODE, key=key), kh) == "TLS_KEY_KIND"


def test_what_is_no_certificate_is_refused() -> None:
    assert refusal(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", authority(KH)) == "TLS_UNREADABLE"


# -- time and revocation ---------------------------------------------------------------------------------------------


def test_a_certificate_is_refused_before_and_after_its_time() -> None:
    kh = authority(KH)
    leaf = node_leaf(kh)
    assert refusal(leaf, kh, now=leaf.not_valid_before_utc - timedelta(seconds=1)) == "TLS_NOT_YET_VALID"
    assert refusal(leaf, kh, now=leaf.not_valid_after_utc + timedelta(seconds=1)) == "TLS_EXPIRED"
    for edge in (leaf.not_valid_before_utc, leaf.not_valid_after_utc):
        assert verify(leaf, kh, now=edge).party == node_of(KH)


def test_an_identity_ends_with_its_authority() -> None:
    office = authority(KH, "office")
    end = office.certificate.not_valid_after_utc
    leaf = forge(office, [URI(f"spiffe://{KH}/officer/ibis")], days=4000)
    identity = verify(leaf, office, listener=Listener.DESK)
    assert identity.not_after == end
    assert refusal(leaf, office, listener=Listener.DESK, now=end + timedelta(seconds=1)) == "TLS_WRONG_CA"


def test_a_nodes_certificate_lives_at_most_seven_days() -> None:
    kh = authority(KH)
    assert verify(forge(kh, KH_NODE, days=7), kh).party == node_of(KH)
    assert refusal(forge(kh, KH_NODE, days=8), kh) == "TLS_LIFETIME"


def test_revocation_reaches_a_key_a_certificate_and_an_authority() -> None:
    kh = authority(KH)
    leaf, other = node_leaf(kh), node_leaf(kh)
    root = key_fingerprint(kh.certificate)
    lists = {
        "key": RevocationList(keys=frozenset({key_fingerprint(leaf)})),
        "certificate": RevocationList(certificates=frozenset({(root, leaf.serial_number)})),
    }
    for revoked in lists.values():
        assert refusal(leaf, kh, revoked=revoked) == "TLS_REVOKED"
        assert verify(other, kh, revoked=revoked).party == node_of(KH)
    assert refusal(other, kh, revoked=RevocationList(keys=frozenset({root}))) == "TLS_REVOKED"
    elsewhere = RevocationList(certificates=frozenset({(bytes(32), leaf.serial_number)}))
    assert verify(leaf, kh, revoked=elsewhere).party == node_of(KH)


def test_a_proved_identity_can_end_in_the_middle_of_a_stream() -> None:
    kh = authority(KH)
    identity = verify(node_leaf(kh), kh)
    check_current(identity, now=NOW, revoked=NOTHING_REVOKED)
    with pytest.raises(Unverified) as caught:
        check_current(identity, now=NOW, revoked=RevocationList(keys=frozenset({identity.key})))
    assert caught.value.code == "TLS_REVOKED"
    with pytest.raises(Unverified) as caught:
        check_current(identity, now=NOW + timedelta(days=8), revoked=NOTHING_REVOKED)
    assert caught.value.code == "TLS_EXPIRED"


# -- what gRPC tells a servicer --------------------------------------------------------------------------------------


def test_the_auth_context_must_show_tls_13_and_one_certificate() -> None:
    kh = authority(KH)
    good = {"ssl_tls_version": [b"TLSv1.3"], "x509_pem_cert": [certificate_pem(node_leaf(kh))]}
    trust = {KH: [kh.certificate]}

    def ask(context: dict[str, list[bytes]]) -> PeerIdentity:
        return peer_identity(context, trust=trust, now=NOW, listener=Listener.NODE, revoked=NOTHING_REVOKED)

    assert ask(good).party == node_of(KH)
    for change, code in (
        ({"ssl_tls_version": [b"TLSv1.2"]}, "TLS_VERSION"),
        ({"ssl_tls_version": []}, "TLS_VERSION"),
        ({"x509_pem_cert": []}, "TLS_NO_CERTIFICATE"),
        # What gRPC says about the names is not asked: only the certificate is.
        ({"x509_pem_cert": [], "peer_uri": [b"spiffe://kh.alerts.example/node"]}, "TLS_NO_CERTIFICATE"),
    ):
        with pytest.raises(Unverified) as caught:
            ask({**good, **change})
        assert caught.value.code == code


# -- material and options --------------------------------------------------------------------------------------------


def test_material_caught_in_the_middle_of_a_rotation_is_refused() -> None:
    kh, key = authority(KH), new_tls_key()
    leaf = issue_node_leaf(kh, key.public_key(), name="EXAMPLE node", now=NOW, days=7)
    good = TlsMaterial(
        private_key=private_key_pem(key),
        certificate=certificate_pem(leaf),
        authorities=certificate_pem(kh.certificate),
    )
    check_material(good)
    for change, code in (
        ({"private_key": private_key_pem(new_tls_key())}, "TLS_KEY_MISMATCH"),
        ({"private_key": b""}, "TLS_MATERIAL"),
        ({"certificate": b""}, "TLS_MATERIAL"),
        ({"authorities": b""}, "TLS_MATERIAL"),
    ):
        with pytest.raises(Malformed) as caught:
            check_material(dataclasses.replace(good, **change))
        assert caught.value.code == code
    assert "PRIVATE KEY" not in repr(good)


def test_a_channel_demands_the_dns_name_of_the_party_that_it_means() -> None:
    options = channel_options(node_of(KH))
    assert ("grpc.ssl_target_name_override", f"node.{KH}") in options
    assert options[: len(CHANNEL_OPTIONS)] == list(CHANNEL_OPTIONS)
    assert channel_options(PartyId(trust_domain=KH, path="/desk"))[-1][1] == f"desk.{KH}"


@pytest.mark.parametrize(
    ("program", "status"),
    [
        ("from node.tls13 import pin_tls13; pin_tls13(); import grpc; pin_tls13()", 0),
        ("import grpc; from node.tls13 import pin_tls13; pin_tls13()", 1),
    ],
)
def test_tls13_is_pinned_before_grpc_is_imported_or_not_at_all(program: str, status: int) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "GRPC_SSL_CIPHER_SUITES"}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert ("TLS 1.2 could no longer be refused" in done.stderr) == bool(status)
