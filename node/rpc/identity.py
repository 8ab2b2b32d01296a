"""Who is calling: proved by the peer's certificate on each call, and asked again while a stream lives."""

from collections.abc import Mapping, Sequence

import grpc
from cryptography import x509

from exchange.errors import Unverified
from node.operations.officers import NotPermitted
from node.ports import Known, Ports
from node.tls import Listener, PeerIdentity, RevocationList, check_current, peer_identity


class PartnerDoor:
    """The listener for partners' nodes: each country's node certificate must come from that country's own authority."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._read: tuple[Known, Mapping[str, Sequence[x509.Certificate]], RevocationList] | None = None

    def admit(self, context: grpc.ServicerContext) -> PeerIdentity:
        """Prove the caller's identity. Raises `Unverified` (TLS_…) and `NotPermitted` (PARTNER_SUSPENDED)."""
        trust, revoked = self._trust()
        identity = peer_identity(
            context.auth_context(),
            trust=trust,
            now=self._ports.clock.now(),
            listener=Listener.NODE,
            revoked=revoked,
        )
        self._check_partner(identity)
        return identity

    def check(self, identity: PeerIdentity) -> None:
        """Ask again: expiry, revocation and suspension end a living stream. Raises as `admit`."""
        _, revoked = self._trust()
        check_current(identity, now=self._ports.clock.now(), revoked=revoked)
        self._check_partner(identity)

    def _check_partner(self, identity: PeerIdentity) -> None:
        partner = self._ports.known.partners.get(identity.party.trust_domain)
        if partner is None:
            raise Unverified("TLS_UNKNOWN_DOMAIN", "this trust domain is not a partner")
        if partner.suspended:
            raise NotPermitted("PARTNER_SUSPENDED", "this partner is suspended")

    def _trust(self) -> tuple[Mapping[str, Sequence[x509.Certificate]], RevocationList]:
        known = self._ports.known
        if self._read is None or self._read[0] is not known:
            nodes = known.nodes().values()
            trust = {node.trust_domain: [x509.load_der_x509_certificate(der) for der in node.descriptor.node_ca] for node in nodes}
            revoked = frozenset(key.key_id for node in nodes for key in node.descriptor.revoked_tls_keys)
            self._read = (known, trust, RevocationList(keys=revoked))
        return self._read[1], self._read[2]


class DeskDoor:
    """The listener for this country's own officers and auditors."""

    def __init__(self, ports: Ports, office_authorities: Sequence[x509.Certificate]) -> None:
        self._ports = ports
        self._trust = {ports.trust_domain: office_authorities}

    def admit(self, context: grpc.ServicerContext) -> str:
        """The SPIFFE ID of the caller. Raises `Unverified` (TLS_…)."""
        identity = peer_identity(
            context.auth_context(),
            trust=self._trust,
            now=self._ports.clock.now(),
            listener=Listener.DESK,
            revoked=RevocationList(),
        )
        return str(identity.party)
