"""Issue the certificates of PROTOCOL.md, 1: authorities of a party for its node, its office and its NGOs, and their leaves.

The node authority issues to nothing but the node; the office authority issues to the desk listener, officers and
auditors; the NGO authority to the listener for tips and to NGOs. So no kind can pass for another at its listener. All
may issue for one trust domain only, by a DNS name constraint (RFC 5280 section 4.2.1.10) and with path length 0. There
is no URI name constraint: `cryptography.x509.verification` refuses any chain that has one, and `node.tls.verify_peer`
binds the URI to its authority instead. P-256 throughout, because gRPC refuses Ed25519 leaves.

What somebody may do is never in a certificate: roles are the node's own records.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from exchange.errors import Refused
from exchange.values import CLOCK_SKEW_MS, PartyId, node_of

AUTHORITY_DAYS: Final = 1826
DESK_DAYS: Final = 90
OFFICER_DAYS: Final = 365
NODE_LEAF_MAX_DAYS: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A certificate authority of one trust domain, able to issue."""

    trust_domain: str
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)


def new_tls_key() -> ec.EllipticCurvePrivateKey:
    """Make a fresh P-256 key for a certificate."""
    return ec.generate_private_key(ec.SECP256R1())


def issue_authority(trust_domain: str, key: ec.EllipticCurvePrivateKey, *, name: str, now: datetime) -> Authority:
    """Make a self-signed authority for one trust domain; `name`, its common name, must differ from the other's."""
    subject = _name(name)
    builder = (
        _certificate(subject, subject, key.public_key(), now=now, days=AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
        .add_extension(x509.NameConstraints(permitted_subtrees=[x509.DNSName(trust_domain)], excluded_subtrees=None), critical=True)
    )
    return Authority(trust_domain=trust_domain, certificate=builder.sign(key, hashes.SHA256()), key=key)


def issue_node_leaf(
    authority: Authority, public_key: ec.EllipticCurvePublicKey, *, name: str, now: datetime, days: int
) -> x509.Certificate:
    """Issue the node's certificate, for both ends of a connection; raises `Refused` (LEAF_LIFE) unless 1 to 7 days."""
    if not 1 <= days <= NODE_LEAF_MAX_DAYS:
        raise Refused("LEAF_LIFE", f"a node's certificate lives from 1 to {NODE_LEAF_MAX_DAYS} days")
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    party = node_of(authority.trust_domain)
    return _leaf(authority, party, public_key, usages=usages, name=name, now=now, days=days)


def issue_desk_leaf(authority: Authority, public_key: ec.EllipticCurvePublicKey, *, name: str, now: datetime) -> x509.Certificate:
    """Issue the certificate that the node's listener for officers shows; of the office authority."""
    party = PartyId(trust_domain=authority.trust_domain, path="/desk")
    usages = [ExtendedKeyUsageOID.SERVER_AUTH]
    return _leaf(authority, party, public_key, usages=usages, name=name, now=now, days=DESK_DAYS)


def issue_tips_leaf(authority: Authority, public_key: ec.EllipticCurvePublicKey, *, name: str, now: datetime) -> x509.Certificate:
    """Issue the certificate that the node's listener for NGOs shows; of the NGO authority."""
    party = PartyId(trust_domain=authority.trust_domain, path="/tips")
    return _leaf(authority, party, public_key, usages=[ExtendedKeyUsageOID.SERVER_AUTH], name=name, now=now, days=DESK_DAYS)


def issue_ngo_leaf(
    authority: Authority, party: PartyId, public_key: ec.EllipticCurvePublicKey, *, name: str, now: datetime
) -> x509.Certificate:
    """Issue an NGO's client certificate; of the NGO authority.

    Raises `Refused` (LEAF_PARTY) for any other sort of party or another trust domain.
    """
    if party.role != "ngo" or party.trust_domain != authority.trust_domain:
        raise Refused("LEAF_PARTY", "an NGO authority issues to NGOs of its own trust domain")
    return _leaf(authority, party, public_key, usages=[ExtendedKeyUsageOID.CLIENT_AUTH], name=name, now=now, days=OFFICER_DAYS)


def issue_person_leaf(
    authority: Authority, party: PartyId, public_key: ec.EllipticCurvePublicKey, *, name: str, now: datetime
) -> x509.Certificate:
    """Issue an officer's or auditor's client certificate; of the office authority.

    Raises `Refused` (LEAF_PARTY) for any other sort of party or another trust domain.
    """
    if party.role not in {"officer", "auditor"} or party.trust_domain != authority.trust_domain:
        raise Refused("LEAF_PARTY", "an office authority issues to officers and auditors of its own trust domain")
    usages = [ExtendedKeyUsageOID.CLIENT_AUTH]
    return _leaf(authority, party, public_key, usages=usages, name=name, now=now, days=OFFICER_DAYS)


def _leaf(
    authority: Authority,
    party: PartyId,
    public_key: ec.EllipticCurvePublicKey,
    *,
    usages: Sequence[x509.ObjectIdentifier],
    name: str,
    now: datetime,
    days: int,
) -> x509.Certificate:
    names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(str(party))]
    if party.role in {"node", "desk", "tips"}:
        names.append(x509.DNSName(f"{party.role}.{party.trust_domain}"))
    builder = (
        _certificate(_name(name), authority.certificate.subject, public_key, now=now, days=days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
    )
    return builder.sign(authority.key, hashes.SHA256())


def _certificate(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, *, now: datetime, days: int
) -> x509.CertificateBuilder:
    # It starts in the past by the skew allowed between honest clocks, so that a partner whose clock is behind accepts
    # it at once.
    start = now - timedelta(milliseconds=CLOCK_SKEW_MS)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
