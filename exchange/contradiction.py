"""Two things that one country signed and that cannot both be true, shown to a stranger (PROTOCOL.md, section 9).

Whoever rewrites a log with its own keys, or shows two partners two journals, signs two trees of which neither begins the other. Hashes of
the larger that lead to its root lead to one root only at the smaller size: if that is not the one that was signed, no data is needed
to see it. The checks, in order:

C1  CONTRADICTION_MALFORMED    the first line, the size, strict form, version; two notes or two receipts, and nothing else
C2  EVIDENCE_NOT_PINNED        as E2: the descriptors lead from the fingerprint that was given for their trust domain
C3  CONTRADICTION_UNVERIFIED   both are of one log of that country, and bear its signature by a key that is not known as compromised
C4  CONTRADICTION_NONE         they contradict each other
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from exchange.directory import KnownNode, check_not_compromised
from exchange.encoding import decode, encode
from exchange.errors import ExchangeError, Malformed, Unverified
from exchange.journal import parse_journal_origin
from exchange.log import LogName, open_owned_checkpoint
from exchange.pinned import PinnedNodes
from exchange.receipt import open_receipt_of
from exchange.tlog.checkpoint import Checkpoint, parse_checkpoint_text
from exchange.tlog.merkle import consistency_nodes, consistency_roots
from exchange.tlog.note import split_note
from exchange.v1 import evidence_pb2, statement_pb2

CONTRADICTION_LINE = b"alert-exchange/v1 contradiction\n"
CAP_CONTRADICTION = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradicted:
    """Who contradicted itself, about which log, and the two checkpoints: of the notes, or those that the two receipts are for."""

    trust_domain: str
    receipts: bool
    """Two receipts overlap; otherwise two signed checkpoints do not fit together."""
    first: Checkpoint
    second: Checkpoint


def write_contradiction(contradiction: evidence_pb2.Contradiction) -> bytes:
    """The bytes of a contradiction's file."""
    return CONTRADICTION_LINE + encode(contradiction)


def contradict(node: KnownNode, note: bytes, other: bytes, leaves: Sequence[bytes]) -> bytes | None:
    """The file that shows how two signed notes of one log or journal of `node` contradict each other; None if they do not.

    `leaves` are the leaf hashes of the tree that the note of the larger size is for. Raises as reading a note does.
    """
    smaller, larger = sorted((note, other), key=size_of)
    old, new = size_of(smaller), size_of(larger)
    hashes = consistency_nodes(leaves, old, new) if 0 < old < new else []
    contradiction = evidence_pb2.Contradiction(version=1, descriptors=node.chain, smaller=smaller, larger=larger, hashes=hashes)
    return _if_shown(contradiction, node)


def size_of(note: bytes) -> int:
    """The size that a note's checkpoint claims. Raises `Malformed` as reading one does."""
    return parse_checkpoint_text(split_note(note)[0]).size


def contradict_receipts(node: KnownNode, receipt: statement_pb2.Statement, other: statement_pb2.Statement) -> bytes | None:
    """The file that shows how two receipts of `node` for one log contradict each other; None if they do not."""
    contradiction = evidence_pb2.Contradiction(version=1, descriptors=node.chain, receipt=receipt, other_receipt=other)
    return _if_shown(contradiction, node)


def verify_contradiction(data: bytes, pins: Mapping[str, bytes]) -> Contradicted:
    """Verify the file. `pins` are as in `verify_evidence`. Raises `Malformed` and `Unverified` with the codes above."""
    contradiction = _c1_form(data)
    node = PinnedNodes(pins).open(contradiction.descriptors)
    if contradiction.smaller:
        first, second = _c3_note(contradiction.smaller, node), _c3_note(contradiction.larger, node)
        _c4_trees(contradiction, first, second)
        return Contradicted(trust_domain=node.trust_domain, receipts=False, first=first, second=second)
    (first, begins), (second, other_begins) = (
        _c3_receipt(statement, node) for statement in (contradiction.receipt, contradiction.other_receipt)
    )
    overlap = max(begins, other_begins) < min(first.size, second.size)
    if first.origin != second.origin or not overlap or contradiction.receipt.payload == contradiction.other_receipt.payload:
        raise Unverified("CONTRADICTION_NONE", "the two receipts are not of one log, do not overlap, or say the same")  # C4
    return Contradicted(trust_domain=node.trust_domain, receipts=True, first=first, second=second)


def _if_shown(contradiction: evidence_pb2.Contradiction, node: KnownNode) -> bytes | None:
    data = write_contradiction(contradiction)
    try:
        verify_contradiction(data, {node.trust_domain: node.chain[0].signatures[0].key_id})
    except Unverified:
        return None
    return data


def _c1_form(data: bytes) -> evidence_pb2.Contradiction:
    if not data.startswith(CONTRADICTION_LINE):
        raise Malformed("CONTRADICTION_MALFORMED", "the file does not begin as a contradiction does")  # C1
    try:
        contradiction = decode(evidence_pb2.Contradiction, data[len(CONTRADICTION_LINE) :], CAP_CONTRADICTION)
    except ExchangeError as error:
        raise Malformed("CONTRADICTION_MALFORMED", f"the file is not a contradiction: {error.code}") from error  # C1
    notes = (bool(contradiction.smaller), bool(contradiction.larger))
    receipts = (contradiction.HasField("receipt"), contradiction.HasField("other_receipt"))
    of_one_kind = (all(notes) and not any(receipts)) or (all(receipts) and not any(notes) and not contradiction.hashes)
    if contradiction.version != 1 or not of_one_kind:
        raise Malformed("CONTRADICTION_MALFORMED", "the file is of another version, or holds not two notes or two receipts")  # C1
    return contradiction


def _c3_note(note: bytes, node: KnownNode) -> Checkpoint:
    try:
        origin = parse_checkpoint_text(split_note(note)[0]).origin
        if _owner(origin) != node.trust_domain:
            raise Unverified("NOT_THE_LOG_OWNER", "the log is another country's")
        return open_owned_checkpoint(note, origin, node, None)
    except ExchangeError as error:
        raise Unverified("CONTRADICTION_UNVERIFIED", f"a note does not hold: {error.code}") from error  # C3


def _owner(origin: str) -> str:
    try:
        return parse_journal_origin(origin)[0]
    except Malformed:
        return LogName.parse(origin).sender


def _c3_receipt(statement: statement_pb2.Statement, node: KnownNode) -> tuple[Checkpoint, int]:
    try:
        opened = open_receipt_of(statement, node)
        check_not_compromised(opened.receipt.keys[0])
        if LogName.parse(opened.checkpoint.origin).recipient != node.trust_domain:
            raise Unverified("NOT_THE_RECIPIENT", "the log leads to another country")
    except ExchangeError as error:
        raise Unverified("CONTRADICTION_UNVERIFIED", f"a receipt does not hold: {error.code}") from error  # C3
    return opened.checkpoint, opened.receipt.value.previous_size


def _c4_trees(contradiction: evidence_pb2.Contradiction, first: Checkpoint, second: Checkpoint) -> None:
    failure = Unverified(
        "CONTRADICTION_NONE", "the two notes are not of one log, or the hashes do not show that they contradict each other"
    )
    if first.origin != second.origin:
        raise failure  # C4
    if first.size == second.size:
        if first.root == second.root or contradiction.hashes:
            raise failure  # C4
        return
    try:
        old_root, new_root = consistency_roots(first.size, second.size, contradiction.hashes)
    except ExchangeError as error:
        raise failure from error  # C4
    if new_root != second.root or old_root == first.root:
        raise failure  # C4
