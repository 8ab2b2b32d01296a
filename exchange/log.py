"""A disclosure log seen from either side: one append-only Merkle log a direction, owned by the sender, mirrored by the recipient.

PROTOCOL.md, section 4. The recipient's checks of a stream; any failure ends the stream, without a receipt, with an alarm:

S1  BATCH_CAP               batch and entry caps
S2  NOT_THE_LOG_OWNER       the TLS partner is the log's owner, and the log is the one towards me
S3  LOG_MISMATCH            the leaves extend my mirror to the checkpoint's root
S4  CHECKPOINT_UNVERIFIED   the checkpoint is signed by a log key that is active now
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from exchange.directory import KnownNode, check_key
from exchange.encoding import CAP_BATCH, CAP_BATCH_DELIVERIES, CAP_ENTRY, CAP_STATEMENT, decode, encode
from exchange.errors import Conflict, ExchangeError, Malformed, Refused, Unverified
from exchange.signing import PublicKey, Signer, Verified, open_statement, sign_statement, statement_digest
from exchange.tlog.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from exchange.tlog.merkle import Frontier, leaf_hash
from exchange.tlog.note import NoteVerifier
from exchange.v1 import disclosure_pb2, statement_pb2
from exchange.values import TRUST_DOMAIN_PATTERN, node_of

_ORIGIN = re.compile(
    rf"(?P<sender>{TRUST_DOMAIN_PATTERN})/disclosures/(?P<recipient>{TRUST_DOMAIN_PATTERN})/(?P<generation>[1-9][0-9]{{0,8}})"
)
_RAW_ED25519 = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class LogName:
    """Which log: its origin is `<sender>/disclosures/<recipient>/<generation>`."""

    sender: str
    recipient: str
    generation: int

    @classmethod
    @lru_cache(maxsize=1024)  # every batch asks for the same few logs
    def parse(cls, origin: str) -> Self:
        """Read an origin; raises `Malformed` (ORIGIN_MALFORMED)."""
        match = _ORIGIN.fullmatch(origin)
        if match is None:
            raise Malformed("ORIGIN_MALFORMED", "not the origin of a disclosure log")
        return cls(sender=match["sender"], recipient=match["recipient"], generation=int(match["generation"]))

    @property
    def origin(self) -> str:
        """The name under which checkpoints are signed."""
        return f"{self.sender}/disclosures/{self.recipient}/{self.generation}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """What a good batch makes of a mirror."""

    frontier: Frontier
    checkpoint: Checkpoint
    leaves: tuple[bytes, ...]
    """Leaf hashes of the new entries, in order."""


def sign_log(name: LogName, frontier: Frontier, signer: Signer) -> bytes:
    """Sign the checkpoint of a log at `frontier`, a C2SP note. Whether it may be signed, the caller's high-water record says."""
    checkpoint = Checkpoint(origin=name.origin, size=frontier.size, root=frontier.root())
    return sign_checkpoint(checkpoint, raw_key(signer.spki), signer.sign)


def open_log_checkpoint(note: bytes, name: LogName, owner: KnownNode, at: int | None) -> Checkpoint:
    """Open a checkpoint that a log key of `owner`, in force at `at` (Unix milliseconds), must have signed.

    Without a time any key will do that was ever a log key and is not known as compromised: for an owner that is shown its own signature,
    which may be older than its newest key.

    Raises `Malformed` (CHECKPOINT_MALFORMED) and `Unverified` (CHECKPOINT_SIGNATURE, CHECKPOINT_ORIGIN).
    """
    return open_owned_checkpoint(note, name.origin, owner, at)


def open_owned_checkpoint(note: bytes, origin: str, owner: KnownNode, at: int | None, *, held_since: int | None = None) -> Checkpoint:
    """Open a checkpoint of any log that `owner` keeps, a journal too; as `open_log_checkpoint`.

    With `held_since`, a time (Unix milliseconds) at which others saw what is signed here, no key counts that was in other hands by then.
    """
    return open_checkpoint(note, log_verifiers(origin, owner, at, held_since=held_since), origin)


def log_verifiers(origin: str, owner: KnownNode, at: int | None, *, held_since: int | None = None) -> list[NoteVerifier]:
    """The keys that may sign a log of `owner` at `at`, under the log's name; the rest is as in `open_owned_checkpoint`."""
    node = str(node_of(owner.trust_domain))
    keys = [key for key in owner.log_keys() if _active(key, node, at) and not _stolen(key, held_since)]
    return [NoteVerifier(name=origin, public_key=raw_key(key.spki)) for key in keys]


def extend(name: LogName, frontier: Frontier, batch: disclosure_pb2.Batch, sender: KnownNode, me: str, now: int) -> Extension:
    """Run S1 to S4 on a batch that `sender` (the TLS partner) sent to `me` (a trust domain), whose mirror stands at `frontier`.

    The signature is checked before the root, so that a root which does not match is known to be the owner's own contradiction.
    """
    too_large = (
        not 1 <= len(batch.deliveries) <= CAP_BATCH_DELIVERIES
        or batch.ByteSize() > CAP_BATCH
        or any(len(delivery.entry) > CAP_ENTRY for delivery in batch.deliveries)
    )
    if too_large:
        raise Malformed("BATCH_CAP", "the batch or an entry in it is larger than the protocol allows, or the batch is empty")  # S1
    if (name.sender, name.recipient) != (sender.trust_domain, me):
        raise Unverified("NOT_THE_LOG_OWNER", "this log does not lead from that partner to this node")  # S2
    leaves = tuple(leaf_hash(delivery.entry) for delivery in batch.deliveries)
    after = frontier.extend(leaves)
    checkpoint = Checkpoint(origin=name.origin, size=after.size, root=after.root())
    claimed = checkpoint
    try:
        claimed = open_log_checkpoint(batch.checkpoint, name, sender, now)
    except ExchangeError as error:
        raise Unverified("CHECKPOINT_UNVERIFIED", f"the checkpoint does not hold: {error.code}") from error  # S4
    if claimed != checkpoint:
        raise Conflict("LOG_MISMATCH", "the entries do not extend this node's mirror to the checkpoint that was signed")  # S3
    return Extension(frontier=after, checkpoint=checkpoint, leaves=leaves)


def sign_alive(name: LogName, frontier: Frontier, now: int, signer: Signer) -> statement_pb2.Statement:
    """Say that the log stands at `frontier` at `now`: while this is fresh, an alert is confirmed valid (PROTOCOL.md, section 5)."""
    alive = disclosure_pb2.Alive(origin=name.origin, size=frontier.size, root=frontier.root(), time=now)
    return sign_statement("alive", encode(alive), [signer])


def open_alive(statement: statement_pb2.Statement, owner: KnownNode, now: int) -> Verified[disclosure_pb2.Alive]:
    """Open an `alive` that a log key of `owner`, in force now, signed. Raises as `open_statement` and `check_key` do."""
    (key,) = open_statement(statement, "alive", owner)
    check_key(key, str(node_of(owner.trust_domain)), now)
    alive = decode(disclosure_pb2.Alive, statement.payload, CAP_STATEMENT)
    if LogName.parse(alive.origin).sender != owner.trust_domain:
        raise Refused("NOT_THE_LOG_OWNER", "this log is not that partner's")
    return Verified(value=alive, digest=statement_digest(statement), statement=statement, keys=(key,))


def raw_key(spki: bytes) -> bytes:
    """The 32 raw bytes of an Ed25519 SubjectPublicKeyInfo (RFC 8410 section 4): they stand at its end."""
    return spki[-_RAW_ED25519:]


def frontier_of(entries: Sequence[bytes]) -> Frontier:
    """The frontier of a log that holds exactly these entries."""
    return Frontier.empty().extend(leaf_hash(entry) for entry in entries)


def _active(key: PublicKey, node: str, at: int | None) -> bool:
    if at is None:
        return not key.compromised_since
    try:
        check_key(key, node, at)
    except Unverified:
        return False
    return True


def _stolen(key: PublicKey, by: int | None) -> bool:
    return by is not None and 0 < key.compromised_since <= by
