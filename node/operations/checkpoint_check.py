"""Every kept checkpoint of this node's journal, and of its partners' journals that it cosigned, with every signature on it.

What is found has one of these codes: JOURNAL_CHECKPOINT (its own signature or its text does not hold), COSIGNATURE_UNVERIFIED,
WITNESSED_MISMATCH; and, from the pass over the journal's tree, JOURNAL_CHECKPOINT_ROOT. Cosignatures of witnesses that are no partners
are counted and not checked: their keys stand in the auditor's policy, not here.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from exchange.directory import KnownNode
from exchange.errors import ExchangeError, Unverified
from exchange.journal import open_journal_checkpoint
from exchange.log import raw_key
from exchange.tlog.checkpoint import Checkpoint, parse_checkpoint_text
from exchange.tlog.note import CosignatureVerifier, NoteSignature, split_note
from exchange.v1 import directory_pb2
from exchange.witness import witness_name
from node.operations.findings import Findings, Step
from node.operations.tree_check import Expectations, Expected
from node.ports import Known
from node.store.engine import Store
from node.store.scan_checkpoints import KeptCheckpoint, checkpoints_after, checkpoints_between, cosigned_journals
from node.store.transaction import Transaction

_PAGE: Final = 256


def expected_checkpoints(origin: str) -> Expectations:
    """The roots that kept checkpoints of a journal say it had: for the pass over its tree."""

    def expected(tx: Transaction, start: int, end: int) -> Iterable[Expected]:
        for kept in checkpoints_between(tx, origin, start, end):
            try:
                root = parse_checkpoint_text(split_note(kept.note)[0]).root
            except (ExchangeError, TypeError):
                continue  # said where the signatures are checked
            message = "the journal has another root than a checkpoint that was shown"
            yield Expected(size=kept.size, root=root, code="JOURNAL_CHECKPOINT_ROOT", message=message)

    return expected


def check_checkpoints(store: Store, known: Known, findings: Findings) -> Iterator[Step]:
    """Verify every kept checkpoint; what is wrong is added to `findings`."""
    checker = _Checker(known=known, findings=findings)
    last: KeptCheckpoint | None = None
    done = 0
    while True:
        yield Step("checkpoints", "", done, done + 1)
        with store.read() as tx:
            page = checkpoints_after(tx, last, _PAGE)
        for kept in page:
            checker.check_own(kept)
        done += len(page)
        if len(page) < _PAGE:
            break
        last = page[-1]
    with store.read() as tx:
        cosigned = cosigned_journals(tx)
    for one in cosigned:
        checker.check_cosigned(one)
    yield Step("checkpoints", "", done, done)


@dataclass(slots=True, kw_only=True)
class _Checker:
    known: Known
    findings: Findings

    def check_own(self, kept: KeptCheckpoint) -> None:
        """A checkpoint of our journal: the row, our signature first, then each witness's."""
        self.findings.counts["checkpoints"] += 1
        try:
            said = open_journal_checkpoint(kept.note, self.known.own, None)
            if (said.origin, said.size) != (kept.origin, kept.size):
                raise Unverified("CHECKPOINT_OTHER")
            text, lines = split_note(kept.note)
            if [line.name == kept.origin for line in lines] != [True] + [False] * (len(lines) - 1):
                raise Unverified("CHECKPOINT_LINES")
        except (ExchangeError, TypeError, AttributeError) as refused:
            message = f"a checkpoint of the journal does not hold: {getattr(refused, 'code', 'NOT_BYTES')}"
            self._wrong("JOURNAL_CHECKPOINT", message, kept)
            return
        self._check_cosignatures(kept, text, lines[1:])

    def check_cosigned(self, kept: KeptCheckpoint) -> None:
        """A checkpoint of a partner's journal that we cosigned: its signature and ours."""
        self.findings.counts["cosigned journals"] += 1
        nodes = self.known.nodes()
        partner = nodes.get(kept.origin.partition("/")[0])
        if partner is None:
            return
        try:
            said = open_journal_checkpoint(kept.note, partner, None)
            if said != Checkpoint(origin=kept.origin, size=kept.size, root=kept.root):
                raise Unverified("CHECKPOINT_OTHER")
            text, lines = split_note(kept.note)
            ours = [line for line in lines if line.name == witness_name(self.known.own.trust_domain)]
            if not ours:
                raise Unverified("COSIGNATURE_MISSING")
        except (ExchangeError, TypeError, AttributeError) as refused:
            message = f"what this node cosigned of a partner's journal does not hold: {getattr(refused, 'code', 'NOT_BYTES')}"
            self._wrong("WITNESSED_MISMATCH", message, kept)
            return
        self._check_cosignatures(kept, text, [line for line in lines if line.name != kept.origin])

    def _check_cosignatures(self, kept: KeptCheckpoint, text: bytes, lines: Sequence[NoteSignature]) -> None:
        everybody = {witness_name(name): node for name, node in {self.known.own.trust_domain: self.known.own, **self.known.nodes()}.items()}
        for line in lines:
            witness = everybody.get(line.name)
            if witness is None:
                self.findings.counts["cosignatures of others, not checked"] += 1
                continue
            self.findings.counts["cosignatures"] += 1
            try:
                _verify(line, text, witness)
            except ExchangeError:
                self._wrong("COSIGNATURE_UNVERIFIED", "a witness's cosignature of a checkpoint does not hold", kept)

    def _wrong(self, code: str, message: str, kept: KeptCheckpoint) -> None:
        self.findings.error(code, message, origin=kept.origin, index=max(kept.size - 1, 0))


def _verify(line: NoteSignature, text: bytes, witness: KnownNode) -> None:
    for key in witness.keys.values():
        if key.use == directory_pb2.KEY_USE_WITNESS:
            verifier = CosignatureVerifier(name=line.name, public_key=raw_key(key.spki))
            if verifier.key_id == line.key_id:
                verifier.verify(text, line.signature)
                return
    raise Unverified("KEY_UNKNOWN")
