"""Made-up countries for tests: their parties, keys, descriptors and agreements. Fixed keys and times, nothing random.

Three countries mostly: gb sends, kh receives, vn is the third party.
Every function returns a fresh value, so that a test may spoil what it got;
only what `node()` returns is shared: copy before spoiling (`changed`).
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from google.protobuf.message import Message

from exchange.agreement import Agreed, open_agreement
from exchange.directory import KnownNode, open_descriptor_chain, sign_descriptor
from exchange.encoding import encode
from exchange.profile import alert_type, alert_types
from exchange.signing import Signer, sign_statement
from exchange.v1 import (
    agreement_pb2,
    directory_pb2,
    handling_pb2,
    statement_pb2,
)
from exchange.values import node_of

AnyMessage = TypeVar("AnyMessage", bound=Message)

HOUR = 3_600_000
DAY = 24 * HOUR
NOW = 1_780_000_000_000
"""When deliveries arrive, Unix milliseconds (28 May 2026)."""
ISSUED = NOW - HOUR
DISCLOSED = NOW - 60_000
KEYS_FROM, KEYS_UNTIL = NOW - 100 * DAY, NOW + 265 * DAY
AGREED_FROM, AGREED_UNTIL = NOW - 30 * DAY, NOW + 335 * DAY
PROPOSED = NOW - 31 * DAY
DESCRIBED = NOW - 50 * DAY

BORDER, POLICE, NGO = agreement_pb2.AGENCY_CLASS_BORDER, agreement_pb2.AGENCY_CLASS_POLICE, agreement_pb2.AGENCY_CLASS_NGO
AUDIENCES: dict[int, str] = {BORDER: "border", POLICE: "police", NGO: "ngo"}
"""The classes in the order of an alert field's default marks, and what a clause id calls them."""
PURPOSES = (handling_pb2.PURPOSE_PREVENTION, handling_pb2.PURPOSE_BORDER_CONTROL, handling_pb2.PURPOSE_CHILD_SAFEGUARDING)

TRAVEL, HIT = "exchange.v1.TravelAlert", "exchange.v1.HitReport"

_AGENCIES: dict[str, dict[int, str]] = {
    "gb": {BORDER: "border-force", POLICE: "nca-ceop", NGO: "safe-children-trust"},
    "kh": {BORDER: "immigration", POLICE: "anti-trafficking", NGO: "child-helpline"},
    "vn": {BORDER: "border-guard", POLICE: "criminal-police", NGO: "children-fund"},
    **{
        country: {BORDER: "border-office", POLICE: "police-office", NGO: "children-office"}
        for country in ("la", "my", "ph", "sg", "th")  # for those tests that need many partners
    },
}
_USES = {
    "agreement": directory_pb2.KEY_USE_AGREEMENT,
    "log": directory_pb2.KEY_USE_LOG,
    "receipt": directory_pb2.KEY_USE_RECEIPT,
    "witness": directory_pb2.KEY_USE_WITNESS,
    "identity": directory_pb2.KEY_USE_IDENTITY,
}


# Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledKey:
    """A private key made from a label: the Signer of `exchange.signing`."""

    suite: int
    spki: bytes
    key_id: bytes
    sign: Callable[[bytes], bytes] = field(repr=False)


@cache
def ed25519_key(label: str) -> LabelledKey:
    """The Ed25519 key of that label."""
    private = ed25519.Ed25519PrivateKey.from_private_bytes(hashlib.sha256(label.encode()).digest())
    return _key(directory_pb2.SUITE_ED25519, private.public_key(), private.sign)


@cache
def p256_key(label: str) -> LabelledKey:
    """The P-256 key of that label, whose signatures are deterministic (RFC 6979) and raw r‖s."""
    secret = int.from_bytes(hashlib.sha256(label.encode()).digest(), "big") >> 1
    private = ec.derive_private_key(secret, ec.SECP256R1())

    def sign(data: bytes) -> bytes:
        r, s = decode_dss_signature(private.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return _key(directory_pb2.SUITE_ECDSA_P256_SHA256, private.public_key(), sign)


def key(country: str, name: str) -> LabelledKey:
    """A country's key: `agreement`, `log`, `receipt`, `witness`, `identity`, `identity-2` (announced), `node` (statements of the node
    itself) or the name of an agency (its statements). The border agency's is P-256, all others are Ed25519.
    """
    if name == agency_name(country, BORDER):
        return p256_key(f"{country}/{name}")
    return ed25519_key(f"{country}/{name}")


# Parties and descriptors


def domain(country: str) -> str:
    """The trust domain, e.g. gb.alerts.example."""
    return f"{country}.alerts.example"


def node_id(country: str) -> str:
    """SPIFFE ID of the node."""
    return str(node_of(domain(country)))


def agency_name(country: str, agency_class: int) -> str:
    """Last segment of the agency's SPIFFE ID, which is also what `key` calls its key."""
    return _AGENCIES[country][agency_class]


def agency(country: str, agency_class: int) -> str:
    """SPIFFE ID of the agency of that class."""
    return f"spiffe://{domain(country)}/agency/{agency_name(country, agency_class)}"


def described_key(signer: LabelledKey, use: int, speaks_for: str, **changes: Any) -> directory_pb2.DescribedKey:
    """A key as a descriptor lists it."""
    described = directory_pb2.DescribedKey(
        use=directory_pb2.KeyUse.ValueType(use),
        suite=directory_pb2.Suite.ValueType(signer.suite),
        public_key=signer.spki,
        speaks_for=[speaks_for],
        not_before=KEYS_FROM,
        not_after=KEYS_UNTIL,
    )
    return changed(described, **changes)


def descriptor(country: str, **changes: Any) -> directory_pb2.NodeDescriptor:
    """The country's first descriptor: node keys in the order of `_USES`, then the statement keys of its agencies and of the node."""
    described = directory_pb2.NodeDescriptor(
        version=1,
        trust_domain=domain(country),
        endpoint=f"node.{domain(country)}:7443",
        node_ca=[f"{country} node CA".encode()],
        keys=[
            *(described_key(key(country, name), use, node_id(country)) for name, use in _USES.items()),
            *(
                described_key(key(country, name), directory_pb2.KEY_USE_STATEMENT, agency(country, agency_class))
                for agency_class, name in _AGENCIES[country].items()
            ),
            described_key(key(country, "node"), directory_pb2.KEY_USE_STATEMENT, node_id(country)),
        ],
        understands=[directory_pb2.UnderstoodType(alert_type=kind.name, profiles=[kind.digest]) for kind in alert_types().values()],
        languages=["en"],
        agencies=[
            directory_pb2.DescribedAgency(
                agency=agency(country, agency_class), name=name, agency_class=agreement_pb2.AgencyClass.ValueType(agency_class)
            )
            for agency_class, name in _AGENCIES[country].items()
        ],
        sequence=1,
        issued_at=DESCRIBED,
        next_update=NOW + 30 * DAY,
        next_identity_key=key(country, "identity-2").key_id,
    )
    return changed(described, **changes)


def with_key(node_descriptor: directory_pb2.NodeDescriptor, signer: Signer, **changes: Any) -> directory_pb2.NodeDescriptor:
    """The descriptor with other words about that key, e.g. revoked_at."""
    copy = changed(node_descriptor)
    (described,) = (described for described in copy.keys if described.public_key == signer.spki)
    described.CopyFrom(changed(described, **changes))
    return copy


def compromised(since: int) -> dict[str, Any]:
    """Words about a key that was stolen at `since`, for `with_key`."""
    return {"revoked_at": NOW - 1, "revocation_reason": directory_pb2.REVOCATION_REASON_COMPROMISED, "compromised_since": since}


def known(*descriptors: directory_pb2.NodeDescriptor) -> KnownNode:
    """The node of a chain of descriptors, all signed by its first identity key, which is pinned."""
    country = descriptors[0].trust_domain.partition(".")[0]
    identity = key(country, "identity")
    return open_descriptor_chain([sign_descriptor(described, identity) for described in descriptors], identity.key_id)


@cache
def node(country: str) -> KnownNode:
    """The country's node as its partners know it. Shared: do not spoil."""
    return known(descriptor(country))


def pins(*countries: str) -> dict[str, bytes]:
    """Fingerprints of identity keys by trust domain."""
    return {domain(country): key(country, "identity").key_id for country in countries}


# Agreements


def clause(sender: str, recipient: str, agency_class: int, kind: str = TRAVEL, **changes: Any) -> agreement_pb2.Clause:
    """What one class of agency at `recipient` is told by `sender`: the default marks of the alert type."""
    place = list(AUDIENCES).index(agency_class)
    marks = {f.number: f.default_marks[place] for f in alert_type(kind).fields}
    wanted = agreement_pb2.Clause(
        id=f"{sender}-{recipient}-{kind.rpartition('.')[2].lower()}-{AUDIENCES[agency_class]}",
        sender=domain(sender),
        recipient=domain(recipient),
        audience=agreement_pb2.AgencyClass.ValueType(agency_class),
        alert_type=kind,
        purposes=PURPOSES,
        required=[number for number, mark in marks.items() if mark == "R"],
        permitted=[number for number, mark in marks.items() if mark == "M"],
        on_request=[number for number, mark in marks.items() if mark == "C"],
        maximum_retention_days=365,
        onward=handling_pb2.ONWARD_RULE_ASK,
    )
    return changed(wanted, **changes)


def agreement(one: str = "gb", other: str = "kh", **changes: Any) -> agreement_pb2.Agreement:
    """An agreement with default clauses for travel alerts and hit reports to BORDER, POLICE and NGO, both ways."""
    directions = ((one, other), (other, one))
    clauses = [clause(*way, agency_class, kind) for way in directions for agency_class in AUDIENCES for kind in (TRAVEL, HIT)]
    agreed_upon = agreement_pb2.Agreement(
        version=1,
        instrument="Memorandum of understanding, synthetic",
        parties=[
            agreement_pb2.AgreementParty(trust_domain=domain(country), legal_basis="Example Act, section 1")
            for country in sorted((one, other))
        ],
        valid_from=AGREED_FROM,
        valid_until=AGREED_UNTIL,
        agencies=sorted(
            (
                agreement_pb2.ClassifiedAgency(
                    agency=agency(country, agency_class), agency_class=agreement_pb2.AgencyClass.ValueType(agency_class)
                )
                for country in (one, other)
                for agency_class in AUDIENCES
            ),
            key=lambda classified: classified.agency,
        ),
        clauses=sorted(clauses, key=lambda c: c.id),
        proposed_at=PROPOSED,
    )
    return changed(agreed_upon, **changes)


def emergency(**changes: Any) -> agreement_pb2.Agreement:
    """An agreement to save life, of twelve hours: gb's police tell kh's police of one alert, in five fields."""
    ordinary = clause("gb", "kh", POLICE)
    only = changed(ordinary, purposes=[handling_pb2.PURPOSE_SAVE_LIFE], required=[1, 30, 33], permitted=[3, 11], on_request=[])
    wanted = agreement(
        instrument="Emergency, synthetic",
        valid_from=NOW - HOUR,
        valid_until=NOW + 11 * HOUR,
        clauses=[changed(only, id="emergency")],
        emergency=True,
        emergency_ground=agreement_pb2.EMERGENCY_GROUND_RISK_TO_LIFE,
    )
    return changed(wanted, **changes)


def with_clause(agreed_upon: agreement_pb2.Agreement, clause_id: str, **changes: Any) -> agreement_pb2.Agreement:
    """The agreement with one clause changed."""
    copy = changed(agreed_upon)
    (found,) = (c for c in copy.clauses if c.id == clause_id)
    found.CopyFrom(changed(found, **changes))
    return copy


def countersigned(agreed_upon: agreement_pb2.Agreement, one: str = "gb", other: str = "kh") -> statement_pb2.Statement:
    """The agreement under the signatures of both nodes, whatever its content."""
    return sign_statement("agreement", encode(agreed_upon), [key(one, "agreement"), key(other, "agreement")])


def agreed(agreed_upon: agreement_pb2.Agreement | None = None, one: str = "gb", other: str = "kh") -> Agreed:
    """The agreement (by default that of `agreement()`) in force between two nodes."""
    return open_agreement(countersigned(agreed_upon or agreement(one, other), one, other), [node(one), node(other)])


# Spoiling


def changed(message: AnyMessage, **changes: Any) -> AnyMessage:
    """A copy of a protobuf message with other fields; None clears one."""
    copy = type(message)()
    copy.CopyFrom(message)
    for name, value in changes.items():
        copy.ClearField(name)
        if value is None:
            continue
        if isinstance(value, Message):
            getattr(copy, name).CopyFrom(value)
        elif isinstance(value, str | bytes | int):
            setattr(copy, name, value)
        else:
            getattr(copy, name).extend(value)
    return copy


def _key(suite: int, public: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey, sign: Callable[[bytes], bytes]) -> LabelledKey:
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return LabelledKey(suite=suite, spki=spki, key_id=hashlib.sha256(spki).digest(), sign=sign)
