"""One signature, many minimal views: an alert is cut into fields, each committed to, all signed at once (PROTOCOL.md, section 3)."""

import hashlib
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from exchange.encoding import CAP_FRAGMENT, CAP_MANIFEST, decode, encode, varint
from exchange.errors import Malformed
from exchange.handling import check_handling
from exchange.profile import AlertType, alert_type
from exchange.signing import Signer, sign_statement, statement_digest
from exchange.v1 import disclosure_pb2, handling_pb2, manifest_pb2, statement_pb2
from exchange.values import PartyId, check_uuid7

SALT_SIZE = 32
_SLOT = b"alert-exchange/v1 slot\0"
_SUPERSEDES_AT_MOST = 32
_DIGEST = hashlib.sha256().digest_size

# Tags and sizes of an Opening as a record of `Delivery.openings`. Field numbers up to 64 take one byte.
_OPENING, _FIELD, _SALT, _FRAGMENT = b"\x1a", b"\x08", b"\x12\x20", b"\x1a"
_UP_TO_SALT = 2 + len(_SALT) + SALT_SIZE
_UP_TO_FRAGMENT = _UP_TO_SALT + len(_FRAGMENT)
_SALT_OF_EACH = struct.Struct(f"{SALT_SIZE}s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A signed manifest with everything that opens it."""

    statement: statement_pb2.Statement
    digest: bytes
    manifest: manifest_pb2.Manifest
    opened: bytes
    """Every field of the profile opened, ascending: the records of `Delivery.openings`, as they are encoded."""

    @property
    def openings(self) -> Mapping[int, manifest_pb2.Opening]:
        """The same, decoded: by field number, ascending."""
        return {opening.field: opening for opening in disclosure_pb2.Delivery.FromString(self.opened).openings}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsigned:
    """A manifest that commits to every field, and everything that opens it, before the signature."""

    manifest: manifest_pb2.Manifest
    payload: bytes
    opened: bytes
    """As in `Sealed`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What a manifest says besides its commitments. Times are Unix milliseconds."""

    alert_id: bytes
    originator: str
    issued_at: int
    not_after: int
    handling: handling_pb2.Handling
    training: bool
    supersedes: Sequence[bytes] = ()


def seal(kind: AlertType, fragments: Mapping[int, bytes], envelope: Envelope, salts: bytes, signer: Signer) -> Sealed:
    """Commit to every field of the profile and sign: `draw_up` and `sign_manifest`, whose arguments and errors are these."""
    return sign_manifest(draw_up(kind, fragments, envelope, salts), signer)


def draw_up(kind: AlertType, fragments: Mapping[int, bytes], envelope: Envelope, salts: bytes) -> Unsigned:
    """Commit to every field of the profile.

    `fragments` is the alert's deterministic encoding, cut (`exchange.encoding.cut`); `salts` holds 32 fresh random bytes for each field of
    the profile. Raises `Malformed`: SALTS, FRAGMENT_TOO_LARGE, MANIFEST_TOO_LARGE, and what `check_manifest` raises.
    """
    if len(salts) != SALT_SIZE * len(kind.numbers):
        raise Malformed("SALTS", "one salt of 32 bytes is needed for each field")
    if max(map(len, fragments.values()), default=0) > CAP_FRAGMENT:
        raise Malformed("FRAGMENT_TOO_LARGE", "a field is larger than the protocol allows")
    slots, opened = _commit(Committer(envelope.alert_id, kind.digest), kind.numbers, fragments, salts)
    manifest = manifest_pb2.Manifest(
        version=1,
        alert_id=envelope.alert_id,
        alert_type=kind.name,
        profile=kind.digest,
        originator=envelope.originator,
        issued_at=envelope.issued_at,
        not_after=envelope.not_after,
        supersedes=envelope.supersedes,
        handling=envelope.handling,
        training=envelope.training,
        slots=slots,
    )
    check_manifest(manifest)
    payload = encode(manifest)
    if len(payload) > CAP_MANIFEST:
        raise Malformed("MANIFEST_TOO_LARGE", "the manifest is larger than the protocol allows")
    return Unsigned(manifest=manifest, payload=payload, opened=opened)


def sign_manifest(unsigned: Unsigned, signer: Signer) -> Sealed:
    """Sign what was drawn up."""
    statement = sign_statement("manifest", unsigned.payload, [signer])
    return Sealed(statement=statement, digest=statement_digest(statement), manifest=unsigned.manifest, opened=unsigned.opened)


class Committer:
    """Computes SLOT(n) for the fields of one alert; the common beginning is hashed once."""

    __slots__ = ("_start",)

    def __init__(self, alert_id: bytes, profile: bytes) -> None:
        self._start = hashlib.sha256(_SLOT + alert_id + profile)

    def slot(self, field: int, salt: bytes, fragment: bytes) -> bytes:
        r"""H("alert-exchange/v1 slot\0" || alert_id || profile || u16 n || salt || u32 len || fragment), 32 bytes."""
        state = self._start.copy()
        state.update(field.to_bytes(2, "big") + salt + len(fragment).to_bytes(4, "big") + fragment)
        return state.digest()


def _commit(committer: Committer, numbers: Sequence[int], fragments: Mapping[int, bytes], salts: bytes) -> tuple[list[bytes], bytes]:
    # Joined by hand: some thirty messages for each alert would cost more than to hash what they hold.
    slot, fragment_of = committer.slot, fragments.get
    slots: list[bytes] = []
    opened: list[bytes] = []
    for number, (salt,) in zip(numbers, _SALT_OF_EACH.iter_unpack(salts), strict=True):
        fragment = fragment_of(number, b"")
        slots.append(slot(number, salt, fragment))
        if fragment:
            length = varint(len(fragment))
            inner = varint(_UP_TO_FRAGMENT + len(length) + len(fragment))
            opened += (_OPENING, inner, _FIELD, varint(number), _SALT, salt, _FRAGMENT, length, fragment)
        else:
            opened += (_OPENING, varint(_UP_TO_SALT), _FIELD, varint(number), _SALT, salt)
    return slots, b"".join(opened)


def decode_manifest(payload: bytes) -> manifest_pb2.Manifest:
    """Decode a manifest strictly and check its form. Raises as `decode` and `check_manifest` do."""
    manifest = decode(manifest_pb2.Manifest, payload, CAP_MANIFEST)
    check_manifest(manifest)
    return manifest


def check_manifest(manifest: manifest_pb2.Manifest) -> AlertType:
    """Return the manifest's alert type if its form holds.

    Raises `Malformed`: MANIFEST_MALFORMED, ALERT_TYPE_UNKNOWN, PROFILE_UNKNOWN, SLOT_COUNT, HANDLING_MALFORMED.
    """
    if manifest.version != 1 or PartyId.parse(manifest.originator).role not in {"agency", "node"}:
        raise Malformed("MANIFEST_MALFORMED", "the manifest breaks a rule of its form")
    check_uuid7(manifest.alert_id)
    supersedes = list(manifest.supersedes)
    if supersedes and (
        len(supersedes) > _SUPERSEDES_AT_MOST or len(set(supersedes)) != len(supersedes) or set(map(len, supersedes)) != {_DIGEST}
    ):
        raise Malformed("MANIFEST_MALFORMED", "the superseded manifests are not at most 32 different digests")
    check_handling(manifest.handling)
    kind = alert_type(manifest.alert_type)
    if manifest.issued_at <= 0 or (manifest.not_after != 0 if kind.control else manifest.not_after <= manifest.issued_at):
        raise Malformed("MANIFEST_MALFORMED", "a control alert never expires; any other expires after it is issued")
    if manifest.profile != kind.digest:
        raise Malformed("PROFILE_UNKNOWN", "the alert was sealed under a profile that is not known here")
    if len(manifest.slots) != len(kind.numbers) or set(map(len, manifest.slots)) != {_DIGEST}:
        raise Malformed("SLOT_COUNT", "the manifest does not commit to every field of the profile exactly once")
    return kind
