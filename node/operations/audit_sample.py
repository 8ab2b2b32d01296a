"""A sample of a log, drawn by an auditor's nonce from a checkpoint that was signed before the node could know the nonce.

Whoever draws on their own machine (`exchange audit sample`) need not believe this; drawn here, the same nonce and the same checkpoint
give the same entries there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from exchange.directory import KnownNode
from exchange.errors import ExchangeError, Malformed, NotFound
from exchange.log import open_owned_checkpoint
from exchange.sampling import sample_indexes
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.merkle import leaf_hash, verify_inclusion
from exchange.tlog.tree import prove_inclusion
from node.operations.access import note_access
from node.operations.audit_proofs import LogTree, entry_in, tree_of
from node.operations.officers import AUDITOR, require
from node.ports import Ports
from node.store.journal import Event, Kind
from node.store.transaction import Transaction

AT_MOST: Final = 60
"""So many without a fault say, with 95 % confidence, that fewer than 5 % are faulty."""
NOTE_AT_MOST: Final = 16 * 1024
SHORTEST_NONCE: Final = 16
"""Characters: whoever signs the log could try all shorter ones first, and sign what draws the entries that suit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One entry of a sample; `code` says why it is not proved, empty if it is."""

    index: int
    entry: bytes
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What was drawn, in the order in which it was."""

    tree: Checkpoint
    drawn: Sequence[Drawn]


def draw_sample(ports: Ports, person: str, note: bytes, nonce: bytes, count: int) -> Sample:
    """Entries of the log that `note`, its owner's signed checkpoint, is of, each proved to be in that tree or not.

    Raises `Malformed` (SAMPLE_NONCE, SAMPLE_COUNT, CHECKPOINT_MALFORMED, PROOF_RANGE), `Unverified` (CHECKPOINT_SIGNATURE), `NotFound`
    (LOG_UNKNOWN, PARTNER_UNKNOWN).
    """
    require(ports, person, (AUDITOR,))
    if not 1 <= count <= AT_MOST:
        raise Malformed("SAMPLE_COUNT", f"a sample draws 1 to {AT_MOST} entries here; the command line draws more")
    if len(nonce.decode("utf-8", "replace")) < SHORTEST_NONCE:
        raise Malformed("SAMPLE_NONCE", f"a nonce has at least {SHORTEST_NONCE} characters, so that nobody can have tried it before")
    origin = note[:NOTE_AT_MOST].partition(b"\n")[0].decode("utf-8", "replace")
    signed = open_owned_checkpoint(note[:NOTE_AT_MOST], origin, _owner(ports, origin), None)
    with ports.store.read() as tx:
        tree = tree_of(ports, tx, signed.origin)
        if signed.size > tree.size:
            raise Malformed("PROOF_RANGE", "the log is not of that size: it is shorter than what was signed")
        drawn = [_proved(ports, tx, tree, signed, index) for index in sample_indexes(nonce, signed, count)]
    looked = [Event(code="PROOF", origin=signed.origin, index=one.index, count=1) for one in drawn]
    note_access(ports, Kind.JOURNAL_KIND_REVIEW, person, *looked)
    return Sample(tree=signed, drawn=drawn)


def _owner(ports: Ports, origin: str) -> KnownNode:
    owner = {ports.trust_domain: ports.known.own, **ports.known.nodes()}.get(origin.partition("/")[0])
    if owner is None:
        raise NotFound("PARTNER_UNKNOWN", "the owner of this log is not a partner")
    return owner


def _proved(ports: Ports, tx: Transaction, tree: LogTree, signed: Checkpoint, index: int) -> Drawn:
    try:
        entry = entry_in(ports, tx, tree, index)
    except ExchangeError as missing:
        return Drawn(index=index, entry=b"", code=missing.code)
    try:
        verify_inclusion(leaf_hash(entry), index, signed.size, prove_inclusion(tree.hashes, index, signed.size), signed.root)
    except ExchangeError as wrong:
        return Drawn(index=index, entry=entry, code=wrong.code)
    return Drawn(index=index, entry=entry, code="")
