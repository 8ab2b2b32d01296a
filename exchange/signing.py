"""Signed statements: bytes are signed and kept, never re-encoded to verify (DSSE v1 protocol; PROTOCOL.md, section 2)."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Generic, Protocol, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key

from exchange.encoding import CAP_STATEMENT
from exchange.errors import Malformed, Unverified
from exchange.v1 import directory_pb2, statement_pb2

T_co = TypeVar("T_co", covariant=True)

_USES = {
    "manifest": directory_pb2.KEY_USE_STATEMENT,
    "permit": directory_pb2.KEY_USE_STATEMENT,
    "agreement": directory_pb2.KEY_USE_AGREEMENT,
    "log-succession": directory_pb2.KEY_USE_AGREEMENT,
    "receipt": directory_pb2.KEY_USE_RECEIPT,
    "alive": directory_pb2.KEY_USE_LOG,
    "descriptor": directory_pb2.KEY_USE_IDENTITY,
}
"""Each statement's name and the one use of the keys that may sign it."""


class Signer(Protocol):
    """A private key wherever it lives: in a file, in a token."""

    @property
    def spki(self) -> bytes:
        """SubjectPublicKeyInfo in DER."""
        ...

    @property
    def key_id(self) -> bytes:
        """SHA-256 of the SubjectPublicKeyInfo in DER, 32 bytes."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Sign under the key's own suite: 64 bytes for either suite of v1."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A key as its owner's descriptor describes it. Times are Unix milliseconds."""

    key_id: bytes
    use: int
    suite: int
    spki: bytes
    speaks_for: frozenset[str]
    not_before: int
    not_after: int
    revoked_at: int = 0
    compromised_since: int = 0


class Keyring(Protocol):
    """Whoever can say which key an id names."""

    def find(self, key_id: bytes) -> PublicKey | None:
        """The described key of that id, or None."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified(Generic[T_co]):
    """A value whose signatures held. Unverified content has no type to live in."""

    value: T_co
    digest: bytes
    """Digest of the statement, 32 bytes."""
    statement: statement_pb2.Statement
    keys: tuple[PublicKey, ...]


def statement_type(name: str) -> str:
    """The media type of a statement, e.g. application/vnd.alert-exchange.manifest.v1+protobuf."""
    return f"application/vnd.alert-exchange.{name}.v1+protobuf"


def pae(kind: str, payload: bytes) -> bytes:
    """DSSE pre-authentication encoding: what is really signed (DSSE protocol, "PAE")."""
    return b"DSSEv1 %d %b %d %b" % (len(kind.encode()), kind.encode(), len(payload), payload)


def statement_digest(statement: statement_pb2.Statement) -> bytes:
    """H(PAE(type, payload)): signatures are not part of what a statement is."""
    return hashlib.sha256(pae(statement.type, statement.payload)).digest()


def key_id_of(spki: bytes) -> bytes:
    """H(SubjectPublicKeyInfo DER)."""
    return hashlib.sha256(spki).digest()


def sign_statement(name: str, payload: bytes, signers: Sequence[Signer]) -> statement_pb2.Statement:
    """Sign `payload` as the statement `name` with each of `signers`."""
    kind = statement_type(name)
    message = pae(kind, payload)
    signatures = [
        statement_pb2.Signature(key_id=signer.key_id, signature=signer.sign(message)) for signer in sorted(signers, key=lambda s: s.key_id)
    ]
    return statement_pb2.Statement(type=kind, payload=payload, signatures=signatures)


def add_signature(statement: statement_pb2.Statement, signer: Signer) -> statement_pb2.Statement:
    """The same statement with one more signature, key ids ascending."""
    signature = statement_pb2.Signature(key_id=signer.key_id, signature=signer.sign(pae(statement.type, statement.payload)))
    return statement_pb2.Statement(
        type=statement.type,
        payload=statement.payload,
        signatures=sorted([*statement.signatures, signature], key=lambda s: s.key_id),
    )


def open_statement(statement: statement_pb2.Statement, name: str, keyring: Keyring, *, signers: int = 1) -> tuple[PublicKey, ...]:
    """Check that `statement` is a `name` with exactly `signers` good signatures; return the keys, key ids ascending.

    Whether a key was in force, and for whom it speaks, depends on a time and a role that the caller knows: see `exchange.directory`.
    Raises `Malformed`: STATEMENT_TOO_LARGE, STATEMENT_TYPE, SIGNATURE_COUNT, SIGNATURE_ORDER; `Unverified`: KEY_UNKNOWN,
    KEY_USE, SUITE_UNKNOWN, SIGNATURE_INVALID.
    """
    if len(statement.payload) > CAP_STATEMENT or statement.ByteSize() > CAP_STATEMENT:
        raise Malformed("STATEMENT_TOO_LARGE", "the statement is larger than the protocol allows")
    if statement.type != statement_type(name):
        raise Malformed("STATEMENT_TYPE", "the statement is of another type than is expected here")
    ids = [signature.key_id for signature in statement.signatures]
    if len(ids) != signers:
        raise Malformed("SIGNATURE_COUNT", "the statement does not have exactly the required signers")
    if any(a >= b for a, b in pairwise(ids)):
        raise Malformed("SIGNATURE_ORDER", "key ids ascend, without duplicates")
    message = pae(statement.type, statement.payload)
    keys = []
    for signature in statement.signatures:
        key = keyring.find(signature.key_id)
        if key is None:
            raise Unverified("KEY_UNKNOWN", "no descriptor names the key that signed")
        if key.use != _USES[name]:
            raise Unverified("KEY_USE", "the key may not sign statements of this type")
        verify_signature(key, signature.signature, message)
        keys.append(key)
    return tuple(keys)


def verify_signature(key: PublicKey, signature: bytes, message: bytes) -> None:
    """Verify under the suite that the key's descriptor states. Raises `Unverified`: SUITE_UNKNOWN, SIGNATURE_INVALID."""
    public = _load(key.spki)
    try:
        if key.suite == directory_pb2.SUITE_ED25519 and isinstance(public, ed25519.Ed25519PublicKey):
            public.verify(signature, message)
        elif key.suite == directory_pb2.SUITE_ECDSA_P256_SHA256 and isinstance(public, ec.EllipticCurvePublicKey):
            if len(signature) != 64 or not isinstance(public.curve, ec.SECP256R1):
                raise InvalidSignature
            r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
            public.verify(encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
        else:
            raise Unverified("SUITE_UNKNOWN", "the key's signature suite is not one that is accepted")
    except InvalidSignature:
        raise Unverified("SIGNATURE_INVALID", "the signature does not hold") from None


@lru_cache(maxsize=1024)
def _load(spki: bytes) -> object:
    try:
        return load_der_public_key(spki)
    except Exception:  # noqa: BLE001 - whatever the parser says, such a key verifies nothing
        return None
