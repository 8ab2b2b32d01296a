"""Who a node is: descriptors, chained from the pinned identity key, and when each key may be believed (PROTOCOL.md, section 1)."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from exchange.encoding import CAP_STATEMENT, decode, encode
from exchange.errors import Conflict, ExchangeError, Malformed, Refused, Unverified
from exchange.signing import PublicKey, Signer, key_id_of, open_statement, sign_statement, statement_digest
from exchange.v1 import agreement_pb2, directory_pb2, statement_pb2
from exchange.values import PartyId

SUITES = frozenset({directory_pb2.SUITE_ED25519, directory_pb2.SUITE_ECDSA_P256_SHA256})
_ED25519_ONLY = frozenset({directory_pb2.KEY_USE_LOG, directory_pb2.KEY_USE_WITNESS})

# Points of small order: under such a key, signatures can be made without any private key, for any message. Encodings of y, canonical and
# not, without the sign of x (RFC 8032 section 5.1.2); the list is that of libsodium's ge25519_has_small_order, and of table 6 in
# Chalkias, Garillot, Nikolaenko, "Taming the many EdDSAs" (2020).
_ED25519_SPKI = bytes.fromhex("302a300506032b6570032100")  # RFC 8410 section 4: all that stands before the 32 bytes of a key
_FIELD_PRIME = 2**255 - 19
_SMALL_ORDER = frozenset(
    {
        0,
        1,
        0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
        0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7,
        _FIELD_PRIME - 1,
        _FIELD_PRIME,
        _FIELD_PRIME + 1,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownNode:
    """A node as its newest verified descriptor describes it. It is a keyring of that node's keys."""

    trust_domain: str
    descriptor: directory_pb2.NodeDescriptor
    digest: bytes
    chain: tuple[statement_pb2.Statement, ...]
    """All descriptors from the pinned identity key on, oldest first."""
    keys: Mapping[bytes, PublicKey]
    agencies: Mapping[str, int]
    """SPIFFE ID to AgencyClass."""
    profiles: Mapping[str, tuple[bytes, ...]]
    """Alert type to the profile digests that the node understands, oldest first."""

    def find(self, key_id: bytes) -> PublicKey | None:
        """The key of that id, or None."""
        return self.keys.get(key_id)

    def log_keys(self) -> tuple[PublicKey, ...]:
        """Every key that was ever a log key."""
        return tuple(key for key in self.keys.values() if key.use == directory_pb2.KEY_USE_LOG)


def sign_descriptor(descriptor: directory_pb2.NodeDescriptor, identity: Signer) -> statement_pb2.Statement:
    """Sign a descriptor with the offline identity key."""
    return sign_statement("descriptor", encode(descriptor), [identity])


def check_key(key: PublicKey, party: str, at: int) -> None:
    """Raise `Unverified` unless `key` could speak for `party` at `at` (Unix milliseconds).

    The codes are KEY_NOT_FOR_PARTY, KEY_EARLY, KEY_EXPIRED, KEY_REVOKED.

    A compromised key is believed up to `compromised_since` at most. That says nothing of who really signed: a thief back-dates. So whoever
    has no receipt from before that moment must call `check_not_compromised` as well.
    """
    if party not in key.speaks_for:
        raise Unverified("KEY_NOT_FOR_PARTY", "the key does not speak for this party")
    if at < key.not_before:
        raise Unverified("KEY_EARLY", "the key was not yet in force")
    if at >= key.not_after:
        raise Unverified("KEY_EXPIRED", "the key was no longer in force")
    if any(at >= end for end in (key.revoked_at, key.compromised_since) if end):
        raise Unverified("KEY_REVOKED", "the key had been revoked")


def check_not_compromised(key: PublicKey, held_since: int | None = None) -> None:
    """Raise `Unverified` (KEY_COMPROMISED) if the key is known as compromised, whatever date the statement bears.

    `held_since` is the time (Unix milliseconds) at which somebody else's receipt proves that the statement existed, if one does.
    """
    if key.compromised_since and (held_since is None or held_since >= key.compromised_since):
        raise Unverified("KEY_COMPROMISED", "the key is known to be in other hands")


def open_joint_statement(statement: statement_pb2.Statement, name: str, nodes: Sequence[KnownNode]) -> tuple[tuple[PublicKey, str], ...]:
    """Open a statement that each of `nodes` must have signed: the keys, each with its node's trust domain, key ids ascending.

    Raises as `open_statement`; `Unverified` (SIGNERS) when one of the nodes signed for another.
    """
    keys = {key.key_id: (key, node.trust_domain) for node in nodes for key in node.keys.values()}
    opened = open_statement(statement, name, _Described({key_id: key for key_id, (key, _) in keys.items()}), signers=len(nodes))
    signed = tuple(keys[key.key_id] for key in opened)
    if {owner for _, owner in signed} != {node.trust_domain for node in nodes}:
        raise Unverified("SIGNERS", "each of the nodes must have signed")
    return signed


def open_descriptor_chain(statements: Sequence[statement_pb2.Statement], pinned: bytes) -> KnownNode:
    """Follow a chain of descriptors from the pinned identity key (its fingerprint, 32 bytes) to the newest.

    Each is signed by the identity key of its predecessor, or by the one that the predecessor announced. Keys never vanish and
    revocations are never taken back. Raises `Malformed` (DESCRIPTOR_MALFORMED, DESCRIPTOR_CHAIN_EMPTY), `Unverified`
    (DESCRIPTOR_UNVERIFIED, DESCRIPTOR_NOT_PINNED, DESCRIPTOR_CHAIN_BROKEN).
    """
    if not statements:
        raise Malformed("DESCRIPTOR_CHAIN_EMPTY", "there is no descriptor")
    node: KnownNode | None = None
    allowed = {pinned}
    for statement in statements:
        opened = _open_descriptor(statement)
        signer = statement.signatures[0].key_id
        if signer not in allowed:
            code = "DESCRIPTOR_CHAIN_BROKEN" if node else "DESCRIPTOR_NOT_PINNED"
            raise Unverified(code, "the descriptor is not signed by the identity key that was pinned or announced")
        if node is not None:
            _check_successor(node, opened)
        allowed = {signer, opened.descriptor.next_identity_key}
        node = KnownNode(
            trust_domain=opened.trust_domain,
            descriptor=opened.descriptor,
            digest=opened.digest,
            chain=(*node.chain, statement) if node else (statement,),
            keys=opened.keys,
            agencies=opened.agencies,
            profiles=opened.profiles,
        )
    assert node is not None  # noqa: S101 - there is at least one statement; said for the type checker
    return node


def advance(held: KnownNode, offered: KnownNode) -> KnownNode:
    """The node to believe from now on: `offered`, if its chain goes on where that of `held` ends.

    A chain that branches off is equivocation whatever its sequence: otherwise a thief of an identity key that was replaced long ago could
    grow a rival chain from the same pin. Raises `Refused` (DESCRIPTOR_OTHER_NODE, DESCRIPTOR_ROLLBACK) and `Conflict`
    (DESCRIPTOR_EQUIVOCATION).
    """
    if offered.trust_domain != held.trust_domain:
        raise Refused("DESCRIPTOR_OTHER_NODE", "the descriptor is another node's")
    if offered.descriptor.sequence < held.descriptor.sequence:
        raise Refused("DESCRIPTOR_ROLLBACK", "a newer descriptor is already known")
    if [statement_digest(s) for s in offered.chain[: len(held.chain)]] != [statement_digest(s) for s in held.chain]:
        raise Conflict("DESCRIPTOR_EQUIVOCATION", "two descriptors contradict each other in one place of the chain")
    return offered


def _open_descriptor(statement: statement_pb2.Statement) -> KnownNode:
    # A descriptor is signed by a key that it describes itself: the chain, not the descriptor, says whether to believe that key.
    try:
        claimed = directory_pb2.NodeDescriptor.FromString(statement.payload)
    except Exception:  # noqa: BLE001 - the parser's own words say nothing that a partner should read
        raise Malformed("DESCRIPTOR_MALFORMED", "the descriptor is not a protobuf message") from None
    keys = {key.key_id: key for key in map(_public_key, claimed.keys)}
    try:
        (key,) = open_statement(statement, "descriptor", _Described(keys))
        descriptor = decode(directory_pb2.NodeDescriptor, statement.payload, CAP_STATEMENT)
        node = str(PartyId(trust_domain=descriptor.trust_domain, path="/node"))
        check_key(key, node, descriptor.issued_at)
        check_not_compromised(key)
    except ExchangeError as error:
        raise Unverified("DESCRIPTOR_UNVERIFIED", f"the descriptor does not hold: {error.code}") from error
    _check_shape(descriptor, keys)
    return KnownNode(
        trust_domain=descriptor.trust_domain,
        descriptor=descriptor,
        digest=statement_digest(statement),
        chain=(statement,),
        keys=keys,
        agencies={agency.agency: agency.agency_class for agency in descriptor.agencies},
        profiles={understood.alert_type: tuple(understood.profiles) for understood in descriptor.understands},
    )


@dataclass(frozen=True, slots=True)
class _Described:
    keys: Mapping[bytes, PublicKey]

    def find(self, key_id: bytes) -> PublicKey | None:
        return self.keys.get(key_id)


def _public_key(described: directory_pb2.DescribedKey) -> PublicKey:
    return PublicKey(
        key_id=key_id_of(described.public_key),
        use=described.use,
        suite=described.suite,
        spki=described.public_key,
        speaks_for=frozenset(described.speaks_for),
        not_before=described.not_before,
        not_after=described.not_after,
        revoked_at=described.revoked_at,
        compromised_since=described.compromised_since,
    )


def _check_shape(descriptor: directory_pb2.NodeDescriptor, keys: Mapping[bytes, PublicKey]) -> None:
    compromised = directory_pb2.REVOCATION_REASON_COMPROMISED
    inside = f"spiffe://{descriptor.trust_domain}/"
    wrong = (
        descriptor.version != 1
        or not descriptor.node_ca
        or len(descriptor.next_identity_key) != hashlib.sha256().digest_size
        or len(keys) != len(descriptor.keys)
        or any(not all(str(PartyId.parse(party)).startswith(inside) for party in key.speaks_for) for key in keys.values())
        or any(key.use in _ED25519_ONLY and key.suite != directory_pb2.SUITE_ED25519 for key in keys.values())
        or not all(_is_sound(key.spki) for key in keys.values() if key.suite == directory_pb2.SUITE_ED25519)
        or any(bool(k.compromised_since) != (k.revocation_reason == compromised) for k in descriptor.keys)
        or any(bool(k.revoked_at) != bool(k.revocation_reason) for k in descriptor.keys)
        or any(not agency.agency.startswith(f"{inside}agency/") for agency in descriptor.agencies)
        or any(agency.agency_class == agreement_pb2.AGENCY_CLASS_UNSPECIFIED for agency in descriptor.agencies)
        or len({agency.agency for agency in descriptor.agencies}) != len(descriptor.agencies)
        or len({known.alert_type for known in descriptor.understands}) != len(descriptor.understands)
        or any(len(digest) != hashlib.sha256().digest_size for known in descriptor.understands for digest in known.profiles)
    )
    if wrong:
        raise Malformed("DESCRIPTOR_MALFORMED", "the descriptor breaks a rule of its form")


def _is_sound(spki: bytes) -> bool:
    raw = spki.removeprefix(_ED25519_SPKI)
    without_sign = int.from_bytes(raw, "little") % 2**255
    return len(raw) == 32 and len(spki) == len(_ED25519_SPKI) + 32 and without_sign not in _SMALL_ORDER


def _check_successor(before: KnownNode, after: KnownNode) -> None:
    broken = (
        after.trust_domain != before.trust_domain
        or after.descriptor.sequence <= before.descriptor.sequence
        or not before.keys.keys() <= after.keys.keys()
        or any(before.keys[i].use != after.keys[i].use or before.keys[i].suite != after.keys[i].suite for i in before.keys)
        or any(_taken_back(key.revoked_at, after.keys[i].revoked_at) for i, key in before.keys.items())
        or any(_taken_back(key.compromised_since, after.keys[i].compromised_since) for i, key in before.keys.items())
    )
    if broken:
        raise Unverified("DESCRIPTOR_CHAIN_BROKEN", "a descriptor drops a key, takes back a revocation or does not follow its predecessor")


def _taken_back(before: int, after: int) -> bool:
    # To put a revocation off is to take it back for a while.
    return bool(before) and not 0 < after <= before
