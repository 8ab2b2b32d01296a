"""Who is calling: proved by the peer's certificate on each call, and asked again while a stream lives."""

import threading
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence

import grpc
from cryptography import x509

from exchange.errors import Refused, Unverified
from node.operations.access import note_access
from node.operations.officers import NotPermitted
from node.ports import Known, Ports
from node.store.journal import Event, Kind
from node.tls import Listener, PeerIdentity, RevocationList, check_current, peer_identity

CALLS_AT_ONCE = 8
"""Of one partner: a node needs a subscription and a call beside it. More would take the listener's threads from the other partners."""


CONNECTIONS_REMEMBERED = 1024
"""Of officers: whoever calls again on a connection older than these is recorded as signing in again."""


class PartnerDoor:
    """The listener for partners' nodes: each country's node certificate must come from that country's own authority."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._read: tuple[Known, Mapping[str, Sequence[x509.Certificate]], Mapping[str, RevocationList]] | None = None
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()

    def admit(self, context: grpc.ServicerContext) -> PeerIdentity:
        """Prove the caller's identity. Raises `Unverified` (TLS_…), `NotPermitted` (PARTNER_SUSPENDED) and `Refused` (TOO_MANY_CALLS)."""
        trust, _ = self._trust()
        identity = peer_identity(
            context.auth_context(),
            trust=trust,
            now=self._ports.clock.now(),
            listener=Listener.NODE,
            revoked=RevocationList(),  # whose list counts is known only now: `check` asks it
        )
        self.check(identity)
        self._take_place(identity.party.trust_domain, context)
        return identity

    def check(self, identity: PeerIdentity) -> None:
        """Ask again: expiry, revocation and suspension end a living stream. Raises as `admit`."""
        self._check_partner(identity)
        _, revoked = self._trust()
        # Only its owner revokes a key: no country can shut another out.
        check_current(identity, now=self._ports.clock.now(), revoked=revoked.get(identity.party.trust_domain, RevocationList()))

    def _check_partner(self, identity: PeerIdentity) -> None:
        partner = self._ports.known.partners.get(identity.party.trust_domain)
        if partner is None:
            raise Unverified("TLS_UNKNOWN_DOMAIN", "this trust domain is not a partner")
        if partner.suspended:
            raise NotPermitted("PARTNER_SUSPENDED", "this partner is suspended")

    def _take_place(self, partner: str, context: grpc.ServicerContext) -> None:
        with self._lock:
            if self._calls[partner] >= CALLS_AT_ONCE:
                raise Refused("TOO_MANY_CALLS", "this partner has too many calls under way")
            self._calls[partner] += 1

        def leave() -> None:
            with self._lock:
                self._calls[partner] -= 1

        if not context.add_callback(leave):
            leave()  # the call is over already

    def _trust(self) -> tuple[Mapping[str, Sequence[x509.Certificate]], Mapping[str, RevocationList]]:
        known = self._ports.known
        if self._read is None or self._read[0] is not known:
            nodes = known.nodes().values()
            trust = {node.trust_domain: [x509.load_der_x509_certificate(der) for der in node.descriptor.node_ca] for node in nodes}
            revoked = {
                node.trust_domain: RevocationList(keys=frozenset(key.key_id for key in node.descriptor.revoked_tls_keys)) for node in nodes
            }
            self._read = (known, trust, revoked)
        return self._read[1], self._read[2]


class DeskDoor:
    """The listener for this country's own officers and auditors."""

    def __init__(self, ports: Ports, office_authorities: Sequence[x509.Certificate]) -> None:
        self._ports = ports
        self._trust = {ports.trust_domain: office_authorities}
        self._lock = threading.Lock()
        self._signed_in: OrderedDict[tuple[str, str], None] = OrderedDict()

    def admit(self, context: grpc.ServicerContext) -> str:
        """The SPIFFE ID of the caller, recorded as a sign-in at the first call of each connection. Raises `Unverified` (TLS_…)."""
        identity = peer_identity(
            context.auth_context(),
            trust=self._trust,
            now=self._ports.clock.now(),
            listener=Listener.DESK,
            revoked=RevocationList(),
        )
        person = str(identity.party)
        self._note_sign_in(person, context.peer())
        return person

    def _note_sign_in(self, person: str, connection: str) -> None:
        with self._lock:
            if (person, connection) in self._signed_in:
                return
            # Recorded first: whoever cannot be recorded is not let in.
            note_access(self._ports, Kind.JOURNAL_KIND_SIGN_IN, person, Event(code="CERTIFICATE"))
            self._signed_in[person, connection] = None
            if len(self._signed_in) > CONNECTIONS_REMEMBERED:
                self._signed_in.popitem(last=False)
