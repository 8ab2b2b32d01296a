"""Mutual TLS: which party a certificate stands for, whether it still does, and gRPC credentials that ask the question.

Identity (PROTOCOL.md, 1) is the one URI SAN of the leaf, a SPIFFE ID; the common name is never read. A node's leaf also
has exactly one DNS SAN, `node.<trust domain>`, because gRPC checks a server by its DNS name; an officer's or auditor's
has none.

gRPC accepts a client whose chain ends at *any* authority in the listener's pool, so a partner's authority could mint
another country's name. `verify_peer` therefore starts again from the leaf: it must be issued, directly, by an authority
of the trust domain that its own URI names. The leaf is all that gRPC hands to a servicer and all that is needed, since
our authorities have path length 0.

The Python API of gRPC takes no revocation list, and a resumed session or a long stream outlives a certificate. So call
`peer_identity` at the start of every RPC and `check_current` at least each second of a stream. A client never sees the
server's certificate through that API: what bounds a stolen server leaf is its life of at most 7 days, which
`verify_peer` holds every node to.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from exchange.errors import Malformed, Unverified
from exchange.values import PartyId
from node.limits import CHANNEL_OPTIONS
from node.tls13 import pin_tls13

if TYPE_CHECKING:
    import grpc

NODE_LEAF_LIFE: Final = timedelta(days=7)


class Listener(Enum):
    """Which door somebody knocks at; the value is the roles (first path segment of the SPIFFE ID) admitted there."""

    NODE = frozenset({"node"})
    DESK = frozenset({"officer", "auditor"})
    TIPS = frozenset({"ngo"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationList:
    """Certificates no longer to be believed: all that hold a key, authorities included, or one by one."""

    keys: frozenset[bytes] = frozenset()
    """SHA-256 of the SubjectPublicKeyInfo, 32 bytes each."""
    certificates: frozenset[tuple[bytes, int]] = frozenset()
    """SHA-256 of the issuer's SubjectPublicKeyInfo, and the serial number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerIdentity:
    """Who is at the other end, as its certificate proved it, and what `check_current` needs to ask again later."""

    party: PartyId
    key: bytes
    """SHA-256 of the leaf's SubjectPublicKeyInfo."""
    issuer_key: bytes
    """SHA-256 of its authority's SubjectPublicKeyInfo."""
    serial: int
    not_before: datetime
    not_after: datetime
    """The earlier end of leaf and authority."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsMaterial:
    """What one side brings: its key and leaf, and the authorities that may vouch for the other side; all PEM."""

    private_key: bytes = field(repr=False)
    certificate: bytes
    authorities: bytes


def key_fingerprint(certificate: x509.Certificate) -> bytes:
    """SHA-256 of the certificate's SubjectPublicKeyInfo in DER, 32 bytes; the same as a key id of the protocol."""
    return hashlib.sha256(certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()


def party_of(leaf: x509.Certificate) -> PartyId:
    """Read the identity that a leaf claims; nothing is proved until `verify_peer`.

    Raises `Unverified`: TLS_NO_URI, TLS_TWO_URI, TLS_BAD_SPIFFE, TLS_OTHER_NAME (a SAN that is neither URI nor DNS),
    TLS_DNS_MISMATCH (not exactly `node.<trust domain>` for a node, `desk.<trust domain>` for a desk listener,
    `tips.<trust domain>` for a listener for NGOs, none for anybody else).
    """
    try:
        names = _extensions(leaf).get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        raise Unverified("TLS_NO_URI", "the certificate names no party: it has no subject alternative name") from None
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    hosts = names.get_values_for_type(x509.DNSName)
    if not uris:
        raise Unverified("TLS_NO_URI", "the certificate names no party: it has no URI subject alternative name")
    if len(uris) > 1:
        raise Unverified("TLS_TWO_URI", "the certificate names more than one party")
    if len(uris) + len(hosts) != len(names):
        raise Unverified("TLS_OTHER_NAME", "the certificate has a subject alternative name that is neither URI nor DNS")
    try:
        party = PartyId.parse(uris[0])
    except Malformed:
        raise Unverified("TLS_BAD_SPIFFE", "the certificate's URI is not a SPIFFE ID") from None
    wanted = [f"{party.role}.{party.trust_domain}"] if party.path in {"/node", "/desk", "/tips"} else []
    if hosts != wanted:
        raise Unverified("TLS_DNS_MISMATCH", "the certificate's DNS names do not belong to the party that it names")
    return party


def verify_peer(
    leaf: x509.Certificate | bytes,
    *,
    trust: Mapping[str, Sequence[x509.Certificate]],
    now: datetime,
    listener: Listener,
    revoked: RevocationList,
) -> PeerIdentity:
    """Prove who stands behind a client certificate, at this listener and at this time.

    `leaf` is a certificate or its PEM; `trust` maps a trust domain to its authorities of the right kind (node
    authorities of the partners for `Listener.NODE`, our own office authority for `Listener.DESK`, our own authority for
    NGOs for `Listener.TIPS`); `now` is aware.
    Validation follows RFC 5280 as narrowed by `cryptography.x509.verification`, with no intermediate. Raises
    `Unverified` with the codes of `party_of` and:

    - TLS_UNREADABLE: not a certificate.
    - TLS_PURPOSE: a party of the wrong sort for this listener, or a leaf that is not for client authentication.
    - TLS_KEY_KIND: a leaf whose key is not on P-256.
    - TLS_LIFETIME: a node's leaf made to live longer than 7 days.
    - TLS_NOT_YET_VALID, TLS_EXPIRED, TLS_REVOKED: as `check_current`.
    - TLS_UNKNOWN_DOMAIN: nobody of that trust domain is known here.
    - TLS_WRONG_CA: no authority of the trust domain that the leaf names issued it, or that authority may not (DNS
      constraint, its own expiry).
    """
    certificate = _read(leaf)
    party = party_of(certificate)
    _check_sort(certificate, party, listener)
    authorities = trust.get(party.trust_domain, ())
    if not authorities:
        raise Unverified("TLS_UNKNOWN_DOMAIN", "the certificate names a trust domain that is not admitted here")
    issuer = _issuer(certificate, authorities, now)
    identity = PeerIdentity(
        party=party,
        key=key_fingerprint(certificate),
        issuer_key=key_fingerprint(issuer),
        serial=certificate.serial_number,
        not_before=certificate.not_valid_before_utc,
        not_after=min(certificate.not_valid_after_utc, issuer.not_valid_after_utc),
    )
    check_current(identity, now=now, revoked=revoked)
    return identity


def check_current(identity: PeerIdentity, *, now: datetime, revoked: RevocationList) -> None:
    """Ask again whether a proved identity still holds: cheap enough for every second of every stream.

    Raises `Unverified`: TLS_NOT_YET_VALID, TLS_EXPIRED, TLS_REVOKED.
    """
    if now < identity.not_before:
        raise Unverified("TLS_NOT_YET_VALID", "the certificate is not valid yet: check both clocks")
    if now > identity.not_after:
        raise Unverified("TLS_EXPIRED", "the certificate has expired: its owner must renew it")
    if not revoked.keys.isdisjoint({identity.key, identity.issuer_key}) or (identity.issuer_key, identity.serial) in revoked.certificates:
        raise Unverified("TLS_REVOKED", "the certificate, its key or its authority was revoked")


def peer_identity(
    auth_context: Mapping[str, Any],  # sequences of bytes; the stub of grpc says bytes
    *,
    trust: Mapping[str, Sequence[x509.Certificate]],
    now: datetime,
    listener: Listener,
    revoked: RevocationList,
) -> PeerIdentity:
    """Prove who calls, from `grpc.ServicerContext.auth_context()`.

    Raises `Unverified` with the codes of `verify_peer` and TLS_VERSION (not TLS 1.3), TLS_NO_CERTIFICATE (none was
    shown).
    """
    if list(auth_context.get("ssl_tls_version", ())) != [b"TLSv1.3"]:
        raise Unverified("TLS_VERSION", "the connection is not TLS 1.3")
    shown = list(auth_context.get("x509_pem_cert", ()))
    if len(shown) != 1:
        raise Unverified("TLS_NO_CERTIFICATE", "the connection shows no certificate of the peer")
    return verify_peer(shown[0], trust=trust, now=now, listener=listener, revoked=revoked)


def check_material(material: TlsMaterial) -> None:
    """Refuse a pair of files caught in the middle of a rotation, or empty roots, before gRPC serves them to everybody.

    Raises `Malformed`: TLS_MATERIAL (a PEM that does not read, or no authority), TLS_KEY_MISMATCH (the key is not the
    leaf's).
    """
    try:
        key = load_pem_private_key(material.private_key, None)
        leaf = x509.load_pem_x509_certificate(material.certificate)
        x509.load_pem_x509_certificates(material.authorities)
    except (ValueError, TypeError):
        raise Malformed("TLS_MATERIAL", "the TLS key, certificate or authorities cannot be read as PEM") from None
    if key.public_key() != leaf.public_key():
        raise Malformed("TLS_KEY_MISMATCH", "the TLS key does not belong to the TLS certificate")


def server_credentials(fetch: Callable[[], TlsMaterial], *, report: Callable[[Exception], None]) -> "grpc.ServerCredentials":
    """Credentials of a listener that asks everybody for a certificate and follows `fetch` without a restart.

    `fetch` is called once now and again at each handshake, on gRPC's threads. If it fails later, or returns a
    mismatched pair, the last good material stays in use and `report` (which must not raise) is told: gRPC would
    otherwise refuse everybody. Raises what `fetch` and `check_material` raise the first time, and `RuntimeError` from
    `pin_tls13`.
    """
    pin_tls13()
    import grpc

    served = fetch()
    check_material(served)

    def configuration(material: TlsMaterial) -> grpc.ServerCertificateConfiguration:
        pair = (material.private_key, material.certificate)
        return grpc.ssl_server_certificate_configuration([pair], root_certificates=material.authorities)

    def refetch() -> grpc.ServerCertificateConfiguration | None:
        nonlocal served
        try:
            material = fetch()
            if material == served:
                return None
            check_material(material)
            replacement = configuration(material)
        except Exception as error:  # noqa: BLE001  an exception here would refuse every handshake
            report(error)
            return None
        served = material
        return replacement

    return grpc.dynamic_ssl_server_credentials(
        configuration(served),
        refetch,  # type: ignore[arg-type]  # the stub forgets that None means "unchanged"
        require_client_authentication=True,
    )


def channel_credentials(material: TlsMaterial) -> "grpc.ChannelCredentials":
    """Credentials towards one partner, whose authority is the only root. A new leaf needs a new channel.

    Raises as `check_material`, and `RuntimeError` from `pin_tls13`.
    """
    pin_tls13()
    import grpc

    check_material(material)
    return grpc.ssl_channel_credentials(material.authorities, material.private_key, material.certificate)


def channel_options(server: PartyId) -> list[tuple[str, str | int]]:
    """All options of a channel: the limits, and the DNS name that the server must prove, whatever its address."""
    return [*CHANNEL_OPTIONS, ("grpc.ssl_target_name_override", f"{server.role}.{server.trust_domain}")]


def _read(leaf: x509.Certificate | bytes) -> x509.Certificate:
    if isinstance(leaf, x509.Certificate):
        return leaf
    try:
        return x509.load_pem_x509_certificate(leaf)
    except ValueError:
        raise Unverified("TLS_UNREADABLE", "the certificate cannot be read") from None


def _extensions(certificate: x509.Certificate) -> x509.Extensions:
    try:
        return certificate.extensions
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        raise Unverified("TLS_UNREADABLE", "the certificate's extensions cannot be read") from None


def _check_sort(certificate: x509.Certificate, party: PartyId, listener: Listener) -> None:
    if party.role not in listener.value or (listener is Listener.NODE and party.path != "/node"):
        raise Unverified("TLS_PURPOSE", "a party of this sort is not admitted at this listener")
    try:
        usage = _extensions(certificate).get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        raise Unverified("TLS_PURPOSE", "the certificate does not say that it is for client authentication") from None
    if ExtendedKeyUsageOID.CLIENT_AUTH not in usage:
        raise Unverified("TLS_PURPOSE", "the certificate is not for client authentication")
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise Unverified("TLS_KEY_KIND", "the certificate's key is not on P-256")
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    if listener is Listener.NODE and life > NODE_LEAF_LIFE:
        raise Unverified("TLS_LIFETIME", "a node's certificate is made to live longer than 7 days")


def _issuer(certificate: x509.Certificate, authorities: Sequence[x509.Certificate], now: datetime) -> x509.Certificate:
    # The chain is judged at a time when the leaf claims to be valid, so that a wrong authority and a wrong time have
    # codes of their own; `check_current` then judges the time itself.
    at = min(max(now, certificate.not_valid_before_utc), certificate.not_valid_after_utc)
    policy = PolicyBuilder().store(Store(list(authorities))).time(at).max_chain_depth(0)
    try:
        return policy.build_client_verifier().verify(certificate, []).chain[-1]
    except VerificationError:
        raise Unverified("TLS_WRONG_CA", "no authority of the trust domain that the certificate names has issued it rightly") from None
