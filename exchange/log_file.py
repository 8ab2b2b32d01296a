"""One country's copy of one disclosure log as a file: read strictly, in memory that its leaf hashes bound (PROTOCOL.md, section 9).

The file is the line "alert-exchange/v1 log" and then records: u32 length ‖ LogFilePart. A copy is a claim: what does not hold in it
is told, not refused, so that the honest part can still be compared. Refused is only what cannot be read, or what is not about pinned
countries: LOG_FILE_MALFORMED, EVIDENCE_NOT_PINNED.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from exchange.directory import KnownNode
from exchange.encoding import CAP_ENTRY, decode, encode
from exchange.errors import ExchangeError, Malformed
from exchange.log import LogName, open_log_checkpoint
from exchange.pinned import PinnedNodes
from exchange.receipt import OpenedReceipt, open_receipt_of
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.merkle import Frontier, leaf_hash
from exchange.v1 import log_file_pb2

LOG_LINE = b"alert-exchange/v1 log\n"
CAP_PART = 8 * 1024 * 1024
_LENGTH = 4

Read = Callable[[int], bytes]
"""Gives the next bytes of a file, as many as asked for or, at its end, fewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldReceipt:
    """A receipt as one side holds it."""

    previous_size: int
    size: int
    received_at: int
    """Unix milliseconds."""
    statement: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCopy:
    """One country's copy of a log."""

    log: LogName
    sender: KnownNode
    holder: str
    """Trust domain: the log's sender or its recipient."""
    written_at: int
    """Unix milliseconds."""
    leaves: Sequence[bytes]
    receipts: Sequence[HeldReceipt]
    notes: Sequence[bytes]
    """The sender's signed notes that hold for these leaves, ascending by size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """Something in one copy that does not hold by itself. Codes: RECEIPT_UNVERIFIED, RECEIPT_ROOT, RECEIPT_TILES, CHECKPOINT_UNVERIFIED."""

    code: str
    index: int
    """The last entry that is concerned."""


def write_log_parts(
    header: log_file_pb2.LogFileHeader, entries: Iterator[Sequence[bytes]], receipts: Iterator[Sequence[log_file_pb2.LogFileReceipt]]
) -> Iterator[bytes]:
    """The bytes of a log's file, in pieces: one for each page of entries and of receipts."""
    yield LOG_LINE + _record(log_file_pb2.LogFilePart(header=header))
    for page in entries:
        yield _record(log_file_pb2.LogFilePart(entries=page))
    for held in receipts:
        yield _record(log_file_pb2.LogFilePart(receipts=held))


def read_log_file(read: Read, pins: Mapping[str, bytes]) -> tuple[LogCopy, list[Flaw]]:
    """A copy, and what in it does not hold by itself. Raises `Malformed` (LOG_FILE_MALFORMED) and `Unverified` (EVIDENCE_NOT_PINNED)."""
    header, parts = _header(read)
    pinned = PinnedNodes(pins)
    log = _log_name(header)
    sender, recipient = pinned.open(header.sender_descriptors), pinned.open(header.recipient_descriptors)
    if (sender.trust_domain, recipient.trust_domain) != (log.sender, log.recipient) or header.holder not in {log.sender, log.recipient}:
        raise _malformed("the descriptors or the holder are not those of the log's two countries")
    leaves: list[bytes] = []
    copied: list[log_file_pb2.LogFileReceipt] = []
    for part in parts:
        leaves += map(leaf_hash, part.entries)
        copied += part.receipts
    if len(leaves) != header.size:
        raise _malformed("the file does not hold as many entries as its header says")
    flaws: list[Flaw] = []
    notes: list[bytes] = []
    receipts = _Receipts(log=log, sender=sender, recipient=recipient, leaves=leaves, flaws=flaws, notes=notes).check(copied)
    if header.checkpoint:
        expected = Checkpoint(origin=log.origin, size=len(leaves), root=Frontier.empty().extend(leaves).root())
        if _is_signed(header.checkpoint, expected, log, sender, None):
            notes.append(header.checkpoint)
        else:
            flaws.append(Flaw(code="CHECKPOINT_UNVERIFIED", index=len(leaves) - 1))
    copy = LogCopy(
        log=log,
        sender=sender,
        holder=header.holder,
        written_at=header.written_at,
        leaves=leaves,
        receipts=receipts,
        notes=notes,
    )
    return copy, flaws


def pick_entries(read: Read, indexes: Collection[int]) -> dict[int, bytes]:
    """The entries at these indexes of a log's file. Raises `Malformed` (LOG_FILE_MALFORMED)."""
    _, parts = _header(read)
    found: dict[int, bytes] = {}
    start = 0
    for part in parts:
        found |= {start + place: entry for place, entry in enumerate(part.entries) if start + place in indexes}
        start += len(part.entries)
    return found


def _record(part: log_file_pb2.LogFilePart) -> bytes:
    data = encode(part)
    return len(data).to_bytes(_LENGTH, "big") + data


def _header(read: Read) -> tuple[log_file_pb2.LogFileHeader, Iterator[log_file_pb2.LogFilePart]]:
    if read(len(LOG_LINE)) != LOG_LINE:
        raise _malformed("the file does not begin as a log's file does")
    parts = _parts(read)
    first = next(parts, None)
    if first is None or not first.HasField("header") or first.entries or first.receipts or first.header.version != 1:
        raise _malformed("the file does not begin with a header of this version")
    return first.header, _body(parts)


def _body(parts: Iterator[log_file_pb2.LogFilePart]) -> Iterator[log_file_pb2.LogFilePart]:
    receipts = False
    for part in parts:
        receipts = receipts or bool(part.receipts)
        if part.HasField("header") or bool(part.entries) == bool(part.receipts) or (receipts and part.entries):
            raise _malformed("a record holds entries, or receipts after all entries, and nothing else")
        if any(len(entry) > CAP_ENTRY for entry in part.entries):
            raise _malformed("an entry is larger than the protocol allows")
        yield part


def _parts(read: Read) -> Iterator[log_file_pb2.LogFilePart]:
    while prefix := read(_LENGTH):
        length = int.from_bytes(prefix, "big")
        if len(prefix) < _LENGTH or length > CAP_PART:
            raise _malformed("a record is cut short or too large")
        data = read(length)
        if len(data) != length:
            raise _malformed("a record is cut short or too large")
        try:
            yield decode(log_file_pb2.LogFilePart, data, CAP_PART)
        except ExchangeError as error:
            raise _malformed(f"a record does not hold: {error.code}") from error


def _log_name(header: log_file_pb2.LogFileHeader) -> LogName:
    try:
        return LogName.parse(header.origin)
    except ExchangeError as error:
        raise _malformed("the file is not of a disclosure log") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Receipts:
    """Checks the receipts of a copy against its own entries."""

    log: LogName
    sender: KnownNode
    recipient: KnownNode
    leaves: Sequence[bytes]
    flaws: list[Flaw]
    notes: list[bytes]

    def check(self, copied: Sequence[log_file_pb2.LogFileReceipt]) -> list[HeldReceipt]:
        """The receipts whose signatures hold; of all, what does not."""
        held: list[HeldReceipt] = []
        tiled, frontier = 0, Frontier.empty()
        for one in copied:
            opened = self._open(one)
            if opened is None:
                continue
            receipt, checkpoint = opened.receipt.value, opened.checkpoint
            if receipt.previous_size != tiled or checkpoint.origin != self.log.origin:
                self.flaws.append(Flaw(code="RECEIPT_TILES", index=checkpoint.size - 1))
            tiled = max(tiled, checkpoint.size)
            fits = frontier.size <= checkpoint.size <= len(self.leaves)
            if fits:
                frontier = frontier.extend(self.leaves[frontier.size : checkpoint.size])
                fits = checkpoint.root == frontier.root()
                if not fits:
                    self.flaws.append(Flaw(code="RECEIPT_ROOT", index=checkpoint.size - 1))
            if one.checkpoint and not _is_signed(one.checkpoint, checkpoint, self.log, self.sender, receipt.received_at):
                self.flaws.append(Flaw(code="CHECKPOINT_UNVERIFIED", index=checkpoint.size - 1))
            elif one.checkpoint and fits:
                self.notes.append(one.checkpoint)
            statement = one.receipt.SerializeToString(deterministic=True)
            held.append(
                HeldReceipt(previous_size=receipt.previous_size, size=checkpoint.size, received_at=receipt.received_at, statement=statement)
            )
        return held

    def _open(self, one: log_file_pb2.LogFileReceipt) -> OpenedReceipt | None:
        try:
            return open_receipt_of(one.receipt, self.recipient)
        except ExchangeError:
            self.flaws.append(Flaw(code="RECEIPT_UNVERIFIED", index=-1))
            return None


def _is_signed(note: bytes, expected: Checkpoint, log: LogName, sender: KnownNode, at: int | None) -> bool:
    try:
        return open_log_checkpoint(note, log, sender, at) == expected
    except ExchangeError:
        return False


def _malformed(reason: str) -> Malformed:
    return Malformed("LOG_FILE_MALFORMED", reason)
