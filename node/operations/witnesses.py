"""The witnesses of this node's own journal: who they are, what they are asked, what their answers mean.

The network lies between these operations (`node.workers.witnessing`). A witness that says anything else than "cosigned" is told apart:
it may be late (WITNESS_STALE, by time), or hold a checkpoint that contradicts this node's journal though this node's own key signed it.
Then the database was rolled back or the log key is stolen: the journal is not signed again, and both checkpoints are kept as evidence.
"""

from dataclasses import dataclass, replace

from exchange.directory import check_key
from exchange.errors import Conflict, ExchangeError, Unverified
from exchange.journal import open_journal_checkpoint, parse_journal_origin
from exchange.log import log_verifiers, raw_key
from exchange.signing import PublicKey
from exchange.tlog.checkpoint import Checkpoint, parse_checkpoint_text
from exchange.tlog.note import CosignatureVerifier, split_note
from exchange.tlog.policy import organisation
from exchange.tlog.tree import prove_consistency, root_at
from exchange.v1 import directory_pb2
from exchange.values import node_of
from exchange.witness import AddCheckpoint, check_policy, evidence_of, take_cosignature, witness_name
from node.operations.anchor import anchor_logs, checkpoint_journal
from node.operations.journal_alarm import alarm
from node.ports import Partner, Ports
from node.store.directory import clear_alarm, raise_alarm
from node.store.nodes import StoredHashes, journal_log
from node.store.transaction import Transaction
from node.store.witnesses import WitnessRow, add_cosignature, all_witnesses, find_witness, keep_checkpoint, newest_checkpoint, put_witness


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """Somebody who is asked to cosign: the name of the key, whose it is, where, and the keys that count now."""

    name: str
    organisation: str
    url: str
    keys: tuple[CosignatureVerifier, ...]


def asked_witnesses(ports: Ports) -> list[Witness]:
    """Who is asked: partners whose address the configuration gives, then those of the policy file that have one; never this node."""
    now = ports.clock.now_ms()
    asked: list[Witness] = []
    for trust_domain, url in ports.witnessing.urls.items():
        partner = ports.known.partners.get(trust_domain)
        if partner and not partner.suspended and (keys := _witness_keys(partner, now)):
            asked.append(Witness(name=witness_name(trust_domain), organisation=trust_domain, url=url, keys=keys))
    known = {key.public_key for witness in asked for key in witness.keys}
    policy = ports.witnessing.policy
    for listed in policy.witnesses.values() if policy else ():
        whose = organisation(listed.key.name)
        if listed.url and listed.key.public_key not in known and whose != ports.trust_domain:
            asked.append(Witness(name=listed.key.name, organisation=whose, url=listed.url.rstrip("/"), keys=(listed.key,)))
    return asked


def sign_journal_checkpoint(ports: Ports) -> bytes:
    """Anchor every log that has grown, then sign the journal as it stands and keep the checkpoint: a C2SP note.

    Raises as `checkpoint_journal`: then nothing was signed, and JOURNAL_ROLLBACK or JOURNAL_FORK is an alarm.
    """
    anchor_logs(ports)
    try:
        note = checkpoint_journal(ports)
    except Conflict as refused:
        with ports.store.read() as tx:
            origin = ports.journal.origin(tx)
        with ports.store.write() as tx:
            raise_alarm(
                tx, ports.clock.now_ms(), refused.code, partner=ports.trust_domain, origin=origin, evidence=ports.high_water.note(origin)
            )
        raise
    checkpoint = parse_checkpoint_text(split_note(note)[0])
    with ports.store.write() as tx:
        keep_checkpoint(tx, checkpoint.origin, checkpoint.size, ports.clock.now_ms(), note)
    return note


def request_for(ports: Ports, note: bytes, witness: Witness, old_size: int | None = None) -> AddCheckpoint:
    """What to ask a witness about this checkpoint, from the size that it cosigned last, or that it has just told."""
    checkpoint = parse_checkpoint_text(split_note(note)[0])
    _, generation = parse_journal_origin(checkpoint.origin)
    with ports.store.read() as tx:
        if old_size is None:
            known = find_witness(tx, checkpoint.origin, witness.name)
            old_size = known.size if known else 0
        stored = StoredHashes(tx, journal_log(generation))
        proof = prove_consistency(stored, old_size, checkpoint.size) if old_size else []
    return AddCheckpoint(old_size=old_size, proof=tuple(proof), note=note)


def take_answer(ports: Ports, note: bytes, witness: Witness, response: bytes) -> None:
    """Take the cosignature that a witness answered with. Raises as `take_cosignature`: then nothing is kept."""
    signature = take_cosignature(note, response, witness.keys)
    checkpoint = parse_checkpoint_text(split_note(note)[0])
    now = ports.clock.now_ms()
    with ports.store.write() as tx:
        known = find_witness(tx, checkpoint.origin, witness.name)
        row = WitnessRow(
            name=witness.name,
            size=checkpoint.size,
            at=now,
            line=signature.line(),
            asked_at=known.asked_at if known else now,
            code="",
        )
        put_witness(tx, checkpoint.origin, row)
        add_cosignature(tx, checkpoint.origin, checkpoint.size, signature)
        clear_alarm(tx, "WITNESS_STALE", partner=witness.organisation, origin=witness.name)


def take_refusal(ports: Ports, note: bytes, witness: Witness, code: str) -> None:
    """Note that a witness did not cosign, and why; after five heartbeats without one it is an alarm, which goes when it cosigns again."""
    checkpoint = parse_checkpoint_text(split_note(note)[0])
    now = ports.clock.now_ms()
    with ports.store.write() as tx:
        known = find_witness(tx, checkpoint.origin, witness.name)
        row = known or WitnessRow(name=witness.name, size=0, at=0, line=b"", asked_at=now, code=code)
        put_witness(tx, checkpoint.origin, replace(row, code=code))
        if now - max(row.at, row.asked_at) >= ports.witnessing.stale_ms:
            raise_alarm(tx, now, "WITNESS_STALE", partner=witness.organisation, origin=witness.name)


def take_shown(ports: Ports, note: bytes, shown: bytes) -> None:
    """Compare a checkpoint of this node's journal, as somebody else shows it, with the journal itself.

    Raises what opening it raises: then it is none that this node ever signed. `Conflict` (JOURNAL_ROLLBACK: it is of a greater size than
    this node has; JOURNAL_FORK: of another history): the alarm is raised, with both sides, and the journal is not signed again.
    """
    theirs = open_journal_checkpoint(shown, ports.known.own, None)
    ours = parse_checkpoint_text(split_note(note)[0])
    if theirs.origin != ours.origin:
        raise Unverified("CHECKPOINT_ORIGIN", "the checkpoint is of another journal")
    with ports.store.read() as tx:
        contradiction = _contradiction(tx, ours, theirs)
    if contradiction is None:
        return
    with ports.store.write() as tx:
        alarm(ports, tx, contradiction.code, origin=ours.origin, evidence=evidence_of(note, shown))
    raise contradiction


def judge_quorum(ports: Ports, enough_at: int) -> int:
    """When the node's own policy was satisfied last (Unix milliseconds), given when it was before.

    Only cosignatures of the last five heartbeats count. JOURNAL_UNWITNESSED is raised when it has not been for as long.
    """
    policy = ports.witnessing.policy
    now = ports.clock.now_ms()
    if policy is None:
        return now
    with ports.store.read() as tx:
        origin = ports.journal.origin(tx)
        note = _fresh_note(tx, origin, now - ports.witnessing.stale_ms)
    try:
        check_policy(policy, note, log_verifiers(origin, ports.known.own, None))
    except ExchangeError:
        if now - enough_at >= ports.witnessing.stale_ms:
            with ports.store.write() as tx:
                raise_alarm(tx, now, "JOURNAL_UNWITNESSED", partner=ports.trust_domain, origin=origin)
        return enough_at
    with ports.store.write() as tx:
        clear_alarm(tx, "JOURNAL_UNWITNESSED", partner=ports.trust_domain, origin=origin)
    return now


def _fresh_note(tx: Transaction, origin: str, since: int) -> bytes:
    kept = newest_checkpoint(tx, origin)
    if kept is None:
        return b""
    text, signatures = split_note(kept.note)
    lines = [signature.line() for signature in signatures if signature.name == origin]
    lines += [row.line for row in all_witnesses(tx, origin) if row.size == kept.size and row.at > since and row.line]
    return text + b"\n" + b"".join(lines)


def _contradiction(tx: Transaction, ours: Checkpoint, theirs: Checkpoint) -> Conflict | None:
    if theirs.size > ours.size:
        return Conflict("JOURNAL_ROLLBACK", "somebody holds more of this journal, signed by this node, than this node does")
    _, generation = parse_journal_origin(ours.origin)
    if root_at(StoredHashes(tx, journal_log(generation)), theirs.size) != theirs.root:
        return Conflict("JOURNAL_FORK", "somebody holds another history of this journal, signed by this node")
    return None


def _witness_keys(partner: Partner, now: int) -> tuple[CosignatureVerifier, ...]:
    name = witness_name(partner.node.trust_domain)
    return tuple(
        CosignatureVerifier(name=name, public_key=raw_key(key.spki))
        for key in partner.node.keys.values()
        if key.use == directory_pb2.KEY_USE_WITNESS and _in_force(key, str(node_of(partner.node.trust_domain)), now)
    )


def _in_force(key: PublicKey, node: str, now: int) -> bool:
    try:
        check_key(key, node, now)
    except Unverified:
        return False
    return True
