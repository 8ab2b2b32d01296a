"""The first descriptor of a node: who it is, its keys, what it understands; signed by its identity key (PROTOCOL.md, 1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding

from exchange.directory import sign_descriptor
from exchange.encoding import encode
from exchange.profile import alert_types
from exchange.v1 import agreement_pb2, directory_pb2
from exchange.values import CLOCK_SKEW_MS, PartyId, node_of
from node.keys.files import read_certificate
from node.keys.next_descriptor import NEXT_UPDATE, described
from node.keys.party_plan import PartyPlan
from node.keys.signers import file_signer

NODE_USES: Final[Mapping[str, "directory_pb2.KeyUse.ValueType"]] = {
    "agreement": directory_pb2.KEY_USE_AGREEMENT,
    "log": directory_pb2.KEY_USE_LOG,
    "receipt": directory_pb2.KEY_USE_RECEIPT,
    "witness": directory_pb2.KEY_USE_WITNESS,
    # Of the node itself: with it a node recalls in the name of an agency whose own key is revoked.
    "recall": directory_pb2.KEY_USE_STATEMENT,
    "identity": directory_pb2.KEY_USE_IDENTITY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedDescriptor:
    """What a partner is given."""

    chain: bytes
    """Serialized `DescriptorChain` of one descriptor."""
    fingerprint: bytes
    """SHA-256 of the identity key's SubjectPublicKeyInfo, 32 bytes: what partners compare out of band."""


def first_descriptor(plan: PartyPlan, directory: Path, *, endpoint: str, now: datetime, training: bool) -> SignedDescriptor:
    """Describe the party whose keys `node.keys.party_files.write_party` wrote to `directory`, and sign it.

    Keys are in force from `now` less the skew allowed between clocks. Raises what reading a key or certificate raises.
    """
    started = int(now.timestamp() * 1000) - CLOCK_SKEW_MS
    node = node_of(plan.trust_domain)
    identity = file_signer(directory / "keys/identity.key")
    keys = [described(file_signer(directory / f"keys/{name}.key"), use, node, started) for name, use in NODE_USES.items()]
    keys += [
        described(
            file_signer(directory / f"keys/statement-{agency.slug}.key"),
            directory_pb2.KEY_USE_STATEMENT,
            PartyId(trust_domain=plan.trust_domain, path=agency.path),
            started,
        )
        for agency in plan.agencies
        if agency.originates
    ]
    descriptor = directory_pb2.NodeDescriptor(
        version=1,
        trust_domain=plan.trust_domain,
        endpoint=endpoint,
        node_ca=[read_certificate(directory / "node-ca.pem").public_bytes(Encoding.DER)],
        keys=keys,
        understands=[directory_pb2.UnderstoodType(alert_type=name, profiles=[kind.digest]) for name, kind in sorted(alert_types().items())],
        languages=plan.languages,
        agencies=[
            directory_pb2.DescribedAgency(
                agency=str(PartyId(trust_domain=plan.trust_domain, path=agency.path)),
                name=agency.name,
                agency_class=agreement_pb2.AgencyClass.Value(f"AGENCY_CLASS_{agency.agency_class}"),
            )
            for agency in plan.agencies
        ],
        sequence=1,
        issued_at=int(now.timestamp() * 1000),
        next_update=int((now + NEXT_UPDATE).timestamp() * 1000),
        next_identity_key=file_signer(directory / "keys/identity-next.key").key_id,
        training=training,
    )
    chain = directory_pb2.DescriptorChain(descriptors=[encode(sign_descriptor(descriptor, identity))])
    return SignedDescriptor(chain=encode(chain), fingerprint=identity.key_id)
