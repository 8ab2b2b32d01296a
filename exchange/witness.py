"""Witnesses: what a witness checks before it cosigns a checkpoint, and when a checkpoint has been witnessed enough.

C2SP tlog-witness (add-checkpoint) and tlog-cosignature. A witness says that, as of a time, the largest consistent tree that it has seen of
a log has this root: two partners that were shown two journals cannot both have cosigned one. Its checks, by the standard's answers:

400  ADD_CHECKPOINT_MALFORMED  the request is not of its form, or the old size is above the checkpoint's
404  WITNESS_UNKNOWN_ORIGIN    the log is none that this witness knows
403  WITNESS_SIGNATURE         no key that speaks for the log signed, or a signature by one fails
409  WITNESS_OTHER_SIZE        the old size is not that of the newest checkpoint cosigned: the answer tells this size
422  WITNESS_INCONSISTENT      the checkpoint does not continue the newest one cosigned
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from exchange.errors import Conflict, ExchangeError, Malformed, NotFound, Unverified
from exchange.tlog.checkpoint import MAX_SIZE, Checkpoint, open_checkpoint, parse_checkpoint_text
from exchange.tlog.merkle import EMPTY_ROOT, verify_consistency
from exchange.tlog.note import CosignatureVerifier, NoteSignature, NoteVerifier, cosigned_at, open_note, sign_cosignature, split_note
from exchange.tlog.policy import Policy, organisation
from exchange.tlog.proof import hash_lines, parse_hash_lines
from exchange.tlog.tree import HashReader, root_at

MAX_PROOF_LINES = 63
MAX_REQUEST_BYTES = 32 * 1024
"""63 hashes take less than 3 KiB; the rest is room for a checkpoint that bears many signatures."""
MAX_RESPONSE_BYTES = 32 * 1024
SIZE_TYPE = "text/x.tlog.size"
"""Media type of the answer that tells the size of the newest checkpoint cosigned."""

_REQUEST = re.compile(rb"old (0|[1-9][0-9]{0,18})\n((?:[^\n]+\n)*)\n(.+)", re.DOTALL)
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,18})\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCheckpoint:
    """A request to cosign `note`, a signed checkpoint, proved to continue the tree of `old_size` leaves by hashes of 32 bytes."""

    old_size: int
    proof: tuple[bytes, ...]
    note: bytes

    def body(self) -> bytes:
        """The request's body."""
        return b"old %d\n" % self.old_size + hash_lines(self.proof) + b"\n" + self.note

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Read a request's body. Raises `Malformed` (ADD_CHECKPOINT_MALFORMED)."""
        matched = _REQUEST.fullmatch(body) if len(body) <= MAX_REQUEST_BYTES else None
        if matched is None:
            raise Malformed("ADD_CHECKPOINT_MALFORMED", "a request is an old size, hashes, a blank line and a checkpoint")
        old_size, lines, note = matched.groups()
        proof = parse_hash_lines(lines, "ADD_CHECKPOINT_MALFORMED")
        if int(old_size) > MAX_SIZE or len(proof) > MAX_PROOF_LINES:
            raise Malformed("ADD_CHECKPOINT_MALFORMED", "a size is below 2^63, and a proof has at most 63 hashes")
        return cls(old_size=int(old_size), proof=tuple(proof), note=note)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigned:
    """A witness's cosignature that holds: the key's name, who stands behind it, and when it was made, in seconds since 1970."""

    witness: str
    organisation: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessed:
    """A checkpoint that satisfies a policy, with every cosignature of its witnesses that holds, in the note's order."""

    checkpoint: Checkpoint
    cosigned: tuple[Cosigned, ...]


def claimed_checkpoint(note: bytes) -> Checkpoint:
    """What a note says it is, unverified: to find out whose keys to ask. Raises `Malformed` (ADD_CHECKPOINT_MALFORMED)."""
    try:
        text, _ = split_note(note)
        return parse_checkpoint_text(text)
    except Malformed as error:
        raise Malformed("ADD_CHECKPOINT_MALFORMED", str(error)) from error


def open_submitted(request: AddCheckpoint, keys: Callable[[str], Sequence[NoteVerifier]]) -> Checkpoint:
    """The checkpoint of a request, signed by one of the `keys` that this witness trusts for its origin (none: unknown).

    Raises `Malformed` (ADD_CHECKPOINT_MALFORMED), `NotFound` (WITNESS_UNKNOWN_ORIGIN), `Unverified` (WITNESS_SIGNATURE).
    """
    claimed = claimed_checkpoint(request.note)
    verifiers = keys(claimed.origin)
    if not verifiers:
        raise NotFound("WITNESS_UNKNOWN_ORIGIN", "this witness does not know the log")
    try:
        checkpoint = open_checkpoint(request.note, verifiers, claimed.origin)
    except ExchangeError as error:
        raise Unverified("WITNESS_SIGNATURE", "no trusted key signed for this log, or its signature does not hold") from error
    if request.old_size > checkpoint.size:
        raise Malformed("ADD_CHECKPOINT_MALFORMED", "the old size is above the checkpoint's")
    return checkpoint


def check_continues(request: AddCheckpoint, checkpoint: Checkpoint, newest: Checkpoint | None) -> None:
    """Check that `checkpoint` continues the newest one that this witness cosigned, if any. To be called where the answer is stored.

    Raises `Conflict` (WITNESS_OTHER_SIZE), `Unverified` (WITNESS_INCONSISTENT).
    """
    if request.old_size != (newest.size if newest else 0):
        raise Conflict("WITNESS_OTHER_SIZE", "this witness has cosigned another size")
    failure = Unverified("WITNESS_INCONSISTENT", "the checkpoint does not continue the newest one that was cosigned")
    if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
        raise failure
    if newest is None or newest.size == 0:
        if request.proof:
            raise failure
        return
    try:
        verify_consistency(newest.size, newest.root, checkpoint.size, checkpoint.root, request.proof)
    except Unverified as error:
        raise failure from error


def cosign(note: bytes, trust_domain: str, public_key: bytes, at: int, sign: Callable[[bytes], bytes]) -> NoteSignature:
    """This node's cosignature as a witness of a checkpoint that it has checked and stored, as of `at`, in seconds since 1970.

    `public_key` is the raw Ed25519 key of 32 bytes, `sign` returns its signature. Raises `Malformed` as `sign_cosignature`.
    """
    text, _ = split_note(note)
    return sign_cosignature(text, witness_name(trust_domain), public_key, at, sign)


def take_cosignature(note: bytes, response: bytes, witness: Sequence[CosignatureVerifier]) -> NoteSignature:
    """The first cosignature by a key of `witness` in what it answered to this checkpoint; what other keys signed is left out.

    Raises `Malformed` (NOTE_MALFORMED), `Unverified` (as `open_note`: NOTE_SIGNATURE, NOTE_UNSIGNED) and (COSIGNATURE_WITHOUT_TIME).
    """
    text, _ = split_note(note)
    opened = open_note(text + b"\n" + response, witness)
    if opened.text != text:
        raise Malformed("NOTE_MALFORMED", "a witness answers with signature lines and nothing else")
    if cosigned_at(opened.signatures[0]) == 0:
        raise Unverified("COSIGNATURE_WITHOUT_TIME", "a witness's cosignature of a checkpoint says when it was made")
    return opened.signatures[0]


def parse_other_size(body: bytes) -> int:
    """The size that a witness answered beside 409. Raises `Malformed` (WITNESS_ANSWER)."""
    matched = _SIZE.fullmatch(body)
    if matched is None or int(matched[1]) > MAX_SIZE:
        raise Malformed("WITNESS_ANSWER", "a witness answers another size as a number in one line")
    return int(matched[1])


def check_policy(policy: Policy, note: bytes, logs: Sequence[NoteVerifier] = ()) -> Witnessed:
    """Check that a checkpoint is signed by its log and cosigned by enough witnesses, counted by organisation (`exchange.tlog.policy`).

    `logs` are the log keys that are known from elsewhere, such as a pinned descriptor; a policy that lists logs must list the signer too.
    Raises `Malformed` (CHECKPOINT_MALFORMED), `Unverified` (POLICY_LOG: no log is known, or none of these signed; POLICY_COSIGNATURE: a
    listed witness's cosignature fails; POLICY_QUORUM: the witnesses are not enough).
    """
    checkpoint = None
    for keys in (policy.logs, logs):
        if keys:
            try:
                checkpoint = open_checkpoint(note, keys)
            except Unverified as error:
                raise Unverified("POLICY_LOG", f"no log that is trusted signed the checkpoint: {error.code}") from error
    if checkpoint is None:
        raise Unverified("POLICY_LOG", "neither the policy nor anything else names a log")
    witnesses = [witness.key for witness in policy.witnesses.values()]
    try:
        opened = open_note(note, witnesses)
        pairs = list(zip(opened.verified, opened.signatures, strict=True))
    except Unverified as error:
        if error.code != "NOTE_UNSIGNED":
            raise Unverified("POLICY_COSIGNATURE", "a cosignature by a trusted witness does not hold") from error
        pairs = []
    if not policy.satisfied([verifier for verifier, _ in pairs], own=organisation(checkpoint.origin)):
        raise Unverified("POLICY_QUORUM", "the policy asks for more witnesses than have cosigned")
    cosigned = tuple(
        Cosigned(witness=verifier.name, organisation=organisation(verifier.name), at=cosigned_at(signature))
        for verifier, signature in pairs
    )
    return Witnessed(checkpoint=checkpoint, cosigned=cosigned)


def check_one_history(first: Checkpoint, second: Checkpoint, tree: HashReader) -> None:
    """Check that two signed checkpoints of one log are of one history, given hashes that claim to be of the larger one's tree.

    Raises `Conflict` (JOURNAL_SPLIT: they contradict each other, which both signatures together prove to anybody), `Unverified`
    (JOURNAL_UNPROVEN: the hashes are not of that tree, so nothing is known).
    """
    small, large = sorted((first, second), key=lambda checkpoint: checkpoint.size)
    split = Conflict("JOURNAL_SPLIT", "two signed checkpoints of one log are of two histories")
    if small.size == large.size:
        if small.root != large.root:
            raise split
        return
    if root_at(tree, large.size) != large.root:
        raise Unverified("JOURNAL_UNPROVEN", "the hashes are not of the tree that was signed")
    if root_at(tree, small.size) != small.root:
        raise split


def evidence_of(held: bytes, shown: bytes) -> bytes:
    """Two signed notes that contradict each other as one text to keep: what was known first, an empty line, what came later."""
    return held + b"\n" + shown


def witness_name(trust_domain: str) -> str:
    """The name of a node's witness key (PROTOCOL.md, section 1)."""
    return f"{trust_domain}/witness"
