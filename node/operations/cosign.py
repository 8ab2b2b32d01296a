"""This node as a witness of its partners' journals (C2SP tlog-witness; `exchange.witness` has the checks).

Log keys are those of the partner's pinned descriptors that are in force now, so a new descriptor is honoured as soon as it is known.

Commit point: what was cosigned is durable when the writing transaction ends, and the cosignature leaves only after that. Reading the newest
checkpoint and replacing it are one transaction: of two requests that build on the same one, the second is told the new size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from exchange.errors import Conflict, ExchangeError, NotFound, Unverified
from exchange.journal import parse_journal_origin
from exchange.log import log_verifiers, raw_key
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.note import NoteVerifier, open_note, split_note
from exchange.witness import AddCheckpoint, check_continues, cosign, evidence_of, open_submitted
from node.operations.journal_alarm import alarm
from node.ports import Ports
from node.store.directory import alarms_about, clear_alarm, raise_alarm
from node.store.transaction import Transaction
from node.store.witnesses import WitnessedRow, all_witnessed, find_witnessed, put_witnessed

_FRESH_MS = 5_000
"""The same request again within this time is answered as before: whoever repeats it costs no commit."""
_JOURNALS_OF_ONE = 16
"""Generations of one partner's journal that are witnessed: each is a new name, which its owner may choose freely."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherSize:
    """The answer to a request that builds on another size than the newest checkpoint that this node cosigned."""

    size: int


def add_checkpoint(ports: Ports, body: bytes) -> bytes | OtherSize:
    """Cosign a partner's checkpoint that continues what this node has seen: a signature line, durable before it is returned.

    Raises as `AddCheckpoint.parse`, `open_submitted` and `check_continues`; `StoreFailed` when it cannot be stored. A contradiction that
    the partner's own signature proves is an alarm, with both checkpoints as evidence.
    """
    request = AddCheckpoint.parse(body)
    now = ports.clock.now_ms()
    checkpoint = open_submitted(request, lambda origin: _keys(ports, origin, now))
    # Only what the log's own keys signed is kept and shown: anybody may add other lines.
    signed = open_note(request.note, _keys(ports, checkpoint.origin, now))
    note = signed.text + b"\n" + b"".join(signature.line() for signature in signed.signatures)
    with ports.store.read() as tx:
        held = find_witnessed(tx, checkpoint.origin)
    if held and held.checkpoint == checkpoint and request.old_size == checkpoint.size and not request.proof and now - held.at < _FRESH_MS:
        return split_note(held.note)[1][-1].line()
    try:
        # Looked at before it is this request's turn to write: what is refused takes no turn from anybody.
        check_continues(request, checkpoint, held.checkpoint if held else None)
        with ports.store.write() as tx:
            held = find_witnessed(tx, checkpoint.origin)
            if held is None:
                _meet(ports, tx, checkpoint)
            check_continues(request, checkpoint, held.checkpoint if held else None)
            line = _cosigned(ports, note, now)
            put_witnessed(tx, WitnessedRow(checkpoint=checkpoint, at=now, note=note + line))
            for code in ("JOURNAL_UNPROVEN", "JOURNAL_STALE", "JOURNAL_SHRUNK"):
                clear_alarm(tx, code, partner=parse_journal_origin(checkpoint.origin)[0], origin=checkpoint.origin)
    except (Conflict, Unverified) as refused:
        _note_contradiction(ports, checkpoint, note, held, refused)
        if refused.code == "WITNESS_OTHER_SIZE":
            return OtherSize(size=held.checkpoint.size if held else 0)
        raise
    return line


def witnessed_note(ports: Ports, origin_hash: str) -> bytes:
    """The newest checkpoint of a partner's journal that this node cosigned, for whoever compares what witnesses saw.

    `origin_hash` is SHA-256 of the origin in lower-case hex. Raises `NotFound` (WITNESS_UNKNOWN_ORIGIN).
    """
    with ports.store.read() as tx:
        for row in all_witnessed(tx):
            if sha256(row.checkpoint.origin.encode()).hexdigest() == origin_hash:
                return row.note
    raise NotFound("WITNESS_UNKNOWN_ORIGIN", "this witness has cosigned no such log")


def _keys(ports: Ports, origin: str, now: int) -> Sequence[NoteVerifier]:
    try:
        owner, _ = parse_journal_origin(origin)
    except ExchangeError:
        return ()
    partner = ports.known.partners.get(owner)
    return () if partner is None or partner.suspended else log_verifiers(origin, partner.node, now)


def _meet(ports: Ports, tx: Transaction, checkpoint: Checkpoint) -> None:
    """The first checkpoint of a journal: the first of its partner, or one that follows another, which people must know of."""
    owner, generation = parse_journal_origin(checkpoint.origin)
    earlier = [known for row in all_witnessed(tx) for domain, known in [parse_journal_origin(row.checkpoint.origin)] if domain == owner]
    if not earlier:
        return
    if generation < max(earlier) or len(earlier) >= _JOURNALS_OF_ONE:
        raise NotFound("WITNESS_UNKNOWN_ORIGIN", "this witness knows a newer journal of that node")
    alarm(ports, tx, "JOURNAL_SUCCEEDED", origin=checkpoint.origin, partner=owner)


def _cosigned(ports: Ports, note: bytes, now: int) -> bytes:
    signer = ports.signers.witness
    return cosign(note, ports.trust_domain, raw_key(signer.spki), max(now // 1000, 1), signer.sign).line()


def _note_contradiction(ports: Ports, checkpoint: Checkpoint, note: bytes, held: WitnessedRow | None, refused: ExchangeError) -> None:
    """Raise the alarm, once: what is repeated writes nothing."""
    split = held is not None and held.checkpoint.size == checkpoint.size and held.checkpoint.root != checkpoint.root
    if not split and refused.code != "WITNESS_INCONSISTENT":
        return
    # With another size it is no proof: anybody may send a good checkpoint with hashes that are none.
    code = "JOURNAL_SPLIT" if split else "JOURNAL_UNPROVEN"
    with ports.store.read() as tx:
        known = code in alarms_about(tx, checkpoint.origin)
    if known:
        return
    owner, _ = parse_journal_origin(checkpoint.origin)
    evidence = evidence_of(held.note if held else b"", note)
    with ports.store.write() as tx:
        if split:
            alarm(ports, tx, "JOURNAL_SPLIT", origin=checkpoint.origin, partner=owner, evidence=evidence)
        else:
            raise_alarm(tx, ports.clock.now_ms(), "JOURNAL_UNPROVEN", partner=owner, origin=checkpoint.origin, evidence=evidence)
