"""The next descriptor of a node: what its configuration says now, keys added, keys ended; signed by the identity key (docs/protocol.md, 1).

Nothing here touches a file but `read_own` and `write_own`. A chain is verified as partners will verify it before it is written.
"""

from datetime import timedelta
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from google.protobuf.message import DecodeError

from exchange.directory import KnownNode, open_descriptor_chain, sign_descriptor
from exchange.encoding import encode
from exchange.errors import Malformed, NotFound, Refused
from exchange.profile import alert_types
from exchange.signing import key_id_of
from exchange.v1 import agreement_pb2, directory_pb2, statement_pb2
from exchange.values import CLOCK_SKEW_MS, PartyId
from node.config import Config
from node.keys.files import read_certificate, write_public
from node.keys.signers import FileSigner

KEY_LIFE: Final = timedelta(days=730)
IDENTITY_LIFE: Final = timedelta(days=3652)
NEXT_UPDATE: Final = timedelta(days=90)
CHAIN_AT_MOST: Final = 1 << 20
"""Bytes of a serialized `DescriptorChain`."""
COMPROMISED: Final = directory_pb2.REVOCATION_REASON_COMPROMISED


def read_own(path: Path) -> KnownNode:
    """This node as its own descriptor file describes it, from its first identity key on.

    Raises `Malformed` (DESCRIPTOR_FILE) and as `open_descriptor_chain`.
    """
    try:
        chain = directory_pb2.DescriptorChain.FromString(path.read_bytes())
        statements = [statement_pb2.Statement.FromString(one) for one in chain.descriptors]
        pinned = statements[0].signatures[0].key_id
    except (OSError, DecodeError, IndexError):
        raise Malformed("DESCRIPTOR_FILE", "the node's descriptor file is absent or no such file: bring it back") from None
    return open_descriptor_chain(statements, pinned)


def write_own(path: Path, node: KnownNode) -> None:
    """Replace the descriptor file, whole or not at all. Raises `Refused` (DESCRIPTOR_CHAIN_LONG)."""
    chain = encode(directory_pb2.DescriptorChain(descriptors=[encode(one) for one in node.chain]))
    if len(chain) > CHAIN_AT_MOST:
        raise Refused("DESCRIPTOR_CHAIN_LONG", "with one more descriptor no partner would take the file: it is longer than 1 MiB")
    write_public(path, chain, overwrite=True)


def succeeded(own: KnownNode, changed: directory_pb2.NodeDescriptor, identity: FileSigner, now: int) -> KnownNode:
    """The node with `changed` as its next descriptor: numbered, dated `now` (Unix milliseconds), signed, and verified.

    Raises as `open_descriptor_chain`, as when the identity key is neither the last one nor the one announced.
    """
    descriptor = directory_pb2.NodeDescriptor()
    descriptor.CopyFrom(changed)
    descriptor.sequence = own.descriptor.sequence + 1
    descriptor.issued_at = now
    descriptor.next_update = now + NEXT_UPDATE // timedelta(milliseconds=1)
    pinned = own.chain[0].signatures[0].key_id
    return open_descriptor_chain([*own.chain, sign_descriptor(descriptor, identity)], pinned)


def as_configured(own: KnownNode, config: Config) -> directory_pb2.NodeDescriptor:
    """The descriptor with the endpoint, languages, agencies and authority of the configuration, and all that this version understands.

    What an older version understood stays, so that partners can go on with it. Raises as `read_certificate`.
    """
    descriptor = _copy(own)
    descriptor.endpoint = config.node.endpoint
    descriptor.languages[:] = config.node.languages
    del descriptor.agencies[:]
    descriptor.agencies.extend(
        directory_pb2.DescribedAgency(
            agency=str(agency.id), name=agency.name, agency_class=agreement_pb2.AgencyClass.Value(f"AGENCY_CLASS_{agency.agency_class}")
        )
        for agency in config.agencies
    )
    authority = read_certificate(config.tls.node_ca).public_bytes(Encoding.DER)
    if authority not in descriptor.node_ca:
        descriptor.node_ca.append(authority)
    del descriptor.understands[:]
    descriptor.understands.extend(
        directory_pb2.UnderstoodType(
            alert_type=name, profiles=[*(one for one in own.profiles.get(name, ()) if one != kind.digest), kind.digest]
        )
        for name, kind in sorted(alert_types().items())
    )
    return descriptor


def with_key(
    descriptor: directory_pb2.NodeDescriptor, signer: FileSigner, use: "directory_pb2.KeyUse.ValueType", party: PartyId, now: int
) -> None:
    """Describe one more key, in force from `now` less the skew allowed between clocks."""
    descriptor.keys.append(described(signer, use, party, now - CLOCK_SKEW_MS))


def with_end(
    descriptor: directory_pb2.NodeDescriptor, key_id: bytes, reason: "directory_pb2.RevocationReason.ValueType", now: int, since: int
) -> None:
    """Revoke a key at `now`; `since` is when it may have come into other hands, if that is the reason, else 0.

    Raises `Refused` (KEY_ENDED) unless this is stricter than what was said before.
    """
    key = next(key for key in descriptor.keys if key_id_of(key.public_key) == key_id)
    if key.revoked_at and not (since and (not key.compromised_since or since < key.compromised_since)):
        raise Refused("KEY_ENDED", "this key is revoked already, and a revocation is only ever made stricter")
    key.revoked_at = min(key.revoked_at or now, now)
    key.revocation_reason = reason
    key.compromised_since = since


def described(signer: FileSigner, use: "directory_pb2.KeyUse.ValueType", party: PartyId, started: int) -> directory_pb2.DescribedKey:
    """A key as descriptors list it: for one party, in force for two years from `started` (Unix milliseconds), an identity key for ten."""
    ed25519_key = isinstance(signer.private_key, ed25519.Ed25519PrivateKey)
    life = IDENTITY_LIFE if use == directory_pb2.KEY_USE_IDENTITY else KEY_LIFE
    return directory_pb2.DescribedKey(
        use=use,
        suite=directory_pb2.SUITE_ED25519 if ed25519_key else directory_pb2.SUITE_ECDSA_P256_SHA256,
        public_key=signer.spki,
        speaks_for=[str(party)],
        not_before=started,
        not_after=started + life // timedelta(milliseconds=1),
    )


def find_key(own: KnownNode, beginning: str) -> bytes:
    """The id of the one described key that begins with these hex digits, at least eight. Raises `NotFound` (KEY_NOT_FOUND)."""
    found = [key_id for key_id in own.keys if key_id.hex().startswith(beginning.lower())]
    if len(beginning) < 8 or len(found) != 1:
        raise NotFound("KEY_NOT_FOUND", "no described key has this id: give its first 8 digits or more, see `exchange key list`")
    return found[0]


def _copy(own: KnownNode) -> directory_pb2.NodeDescriptor:
    descriptor = directory_pb2.NodeDescriptor()
    descriptor.CopyFrom(own.descriptor)
    return descriptor
