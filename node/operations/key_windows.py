"""When keys and certificates begin and end, this node's own and partners': for administrators, who renew them in time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from exchange.directory import KnownNode
from exchange.signing import PublicKey
from exchange.v1 import directory_pb2
from node.operations.officers import ADMINISTRATOR, require
from node.ports import Ports
from node.surroundings import CertificateState


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyWindow:
    """One key of one node. Times are Unix milliseconds."""

    key_id: bytes
    use: str
    """As `exchange key rotate` names it."""
    speaks_for: str
    not_before: int
    not_after: int
    """Its end as described, or when it was revoked or stolen, if that is earlier."""
    revoked: bool
    used: bool
    """This node signs with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeKeys:
    """The keys of one node."""

    trust_domain: str
    sequence: int
    """Of its newest descriptor."""
    next_update: int
    """By when the next one is due."""
    keys: Sequence[KeyWindow]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyReport:
    """All that ends."""

    own: NodeKeys
    undescribed: Sequence[str]
    """Uses for which this node signs with a key that its descriptor does not have: partners refuse it."""
    partners: Sequence[NodeKeys]
    certificates: Sequence[CertificateState]


def list_keys(ports: Ports, person: str) -> KeyReport:
    """Every key and certificate, the first to end first. Raises `NotPermitted` (ROLE_MISSING)."""
    require(ports, person, (ADMINISTRATOR,))
    return key_report(ports)


def key_report(ports: Ports) -> KeyReport:
    """The same, for whoever has asked already whether it may be seen."""
    used = _used(ports)
    own = ports.known.own
    return KeyReport(
        own=_windows(own, used),
        undescribed=sorted(use for key_id, use in used.items() if own.find(key_id) is None),
        partners=[_windows(partner.node, {}) for _, partner in sorted(ports.known.partners.items())],
        certificates=sorted(ports.surroundings.read_certificates(), key=lambda one: one.not_after),
    )


def _used(ports: Ports) -> dict[bytes, str]:
    signers = ports.signers
    named = {"agreement": signers.agreement, "log": signers.log, "receipt": signers.receipt, "witness": signers.witness}
    used = {signer.key_id: use for use, signer in named.items()}
    return used | {signer.key_id: _statement(party) for party, signer in signers.statement.items()}


def _statement(party: str) -> str:
    _, slash, slug = party.partition("/agency/")
    return f"statement --agency {slug}" if slash else "recall"


def _windows(node: KnownNode, used: Mapping[bytes, str]) -> NodeKeys:
    windows = [_window(key, used) for key in node.keys.values()]
    return NodeKeys(
        trust_domain=node.trust_domain,
        sequence=node.descriptor.sequence,
        next_update=node.descriptor.next_update,
        keys=sorted(windows, key=lambda one: (one.not_after, one.use, one.key_id)),
    )


def _window(key: PublicKey, used: Mapping[bytes, str]) -> KeyWindow:
    party = min(key.speaks_for)
    name = directory_pb2.KeyUse.Name(directory_pb2.KeyUse.ValueType(key.use)).removeprefix("KEY_USE_").lower()
    ends = [end for end in (key.revoked_at, key.compromised_since) if end]
    return KeyWindow(
        key_id=key.key_id,
        use=_statement(party) if name == "statement" else name,
        speaks_for=party,
        not_before=key.not_before,
        not_after=min([key.not_after, *ends]),
        revoked=bool(ends),
        used=key.key_id in used,
    )
