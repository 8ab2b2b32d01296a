"""`exchange audit compare`: two files that speak of one log, without a network."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from exchange.errors import ExchangeError
from node.cli.command import Verb
from node.cli.differences import draw_differences, exit_code
from node.cli.errors import USAGE, VERIFICATION_FAILED, Trouble, sentence
from node.cli.output import show, table
from node.cli.pins import PINS
from node.documents import document
from node.short_words import short

if TYPE_CHECKING:
    from rich.console import Console

    from exchange.log_file import Flaw, LogCopy
    from exchange.reconcile import Difference
    from exchange.v1.desk_service_pb2 import LogDifference


@click.command("compare", cls=Verb)
@click.argument("one", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("other", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@PINS
@click.option(
    "--contradiction",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="If the log's owner signed two histories, write the proof of it to this file.",
)
def compare(one: Path, other: Path, pins: tuple[tuple[str, bytes], ...], contradiction: Path | None) -> None:
    """Compare two copies of a log (`exchange log export`), or a copy with a signed checkpoint or a file of evidence.

    Nothing is asked of any node. Exit code 4 if a finding is critical or of priority.
    """
    by_domain = dict(pins)
    files = sorted((_open(path, by_domain) for path in (one, other)), key=lambda file: file.copy is None)
    first, second = files
    if first.copy is None:
        raise Trouble(
            USAGE,
            "NO_COPY",
            "Neither file is a copy of a log.",
            why="Two checkpoints of different sizes tell nothing without the hashes between them.",
            next_step="Export a copy: exchange log export ORIGIN -o FILE.",
        )
    try:
        found, proof = _of_copies(first, second) if second.copy is not None else _of_note(first.copy, second.note)
    except ExchangeError as error:
        raise Trouble(VERIFICATION_FAILED, error.code, "The files cannot be compared.", why=sentence(str(error))) from None
    if contradiction is not None and proof:
        contradiction.write_bytes(proof)
    data = {"equal": not found, "contradiction": bool(proof), "differences": [document(item) for item in found]}

    def draw(console: "Console") -> None:
        console.print(table(("!file", "what", "entries", "!root"), [_shown(file) for file in files], right=("entries",)))
        draw_differences(console, found, good="Both files are of one history.")

    show(data, draw)
    click.get_current_context().exit(exit_code(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """A copy of a log with what does not hold in it, or else a note."""

    path: Path
    copy: "LogCopy | None"
    flaws: "list[Flaw]"
    note: bytes


def _shown(file: _File) -> tuple[str, str, str, str]:
    """A row that says which tree a file speaks of."""
    from exchange.tlog.checkpoint import parse_checkpoint_text
    from exchange.tlog.merkle import root

    if file.copy is not None:
        return file.path.name, f"copy of {file.copy.holder}", str(len(file.copy.leaves)), short(root(file.copy.leaves))
    signed = parse_checkpoint_text(file.note.partition(b"\n\n")[0] + b"\n")
    return file.path.name, "signed checkpoint", str(signed.size), short(signed.root)


def _open(path: Path, pins: dict[str, bytes]) -> _File:
    from exchange.errors import Malformed
    from exchange.evidence import verify_evidence
    from exchange.log_file import LOG_LINE, read_log_file
    from exchange.tlog.note import split_note
    from exchange.v1.evidence_pb2 import EvidenceFile

    try:
        with path.open("rb") as file:
            if file.read(len(LOG_LINE)) == LOG_LINE:
                file.seek(0)
                copy, flaws = read_log_file(file.read, pins)
                return _File(path=path, copy=copy, flaws=flaws, note=b"")
            file.seek(0)
            data = file.read()
        try:
            split_note(data)
        except Malformed:
            verify_evidence(data, pins)
            data = EvidenceFile.FromString(data).checkpoint
        return _File(path=path, copy=None, flaws=[], note=data)
    except ExchangeError as error:
        raise Trouble(
            VERIFICATION_FAILED,
            error.code,
            f"{path} cannot be used.",
            why=sentence(str(error)),
            next_step="Give a log's file, a signed checkpoint or a file of evidence, and the fingerprints of its countries.",
        ) from None


def _of_copies(first: _File, second: _File) -> "tuple[list[LogDifference], bytes]":
    from exchange.errors import Malformed
    from exchange.log_file import pick_entries
    from exchange.reconcile import compare_copies, contradiction_of

    copies = [file.copy for file in (first, second) if file.copy is not None]
    if copies[0].log != copies[1].log:
        raise Malformed("ANOTHER_LOG", "the two files are of different logs")
    if copies[0].holder == copies[1].holder:
        sender_file, recipient_file = first, second
    else:
        sender_file, recipient_file = sorted(
            (first, second), key=lambda file: file.copy is None or file.copy.holder != file.copy.log.sender
        )
    sender, recipient = sender_file.copy, recipient_file.copy
    assert sender is not None  # noqa: S101 - both files are copies; said for the type checker
    assert recipient is not None  # noqa: S101 - as above
    differences = compare_copies(sender, recipient)
    wanted = {one.index for one in differences}
    entries: dict[int, bytes] = {}
    for file in (recipient_file, sender_file):
        with file.path.open("rb") as stream:
            entries |= pick_entries(stream.read, wanted)
    now = max(sender.written_at, recipient.written_at)
    found = [_finding(sender.log.origin, one, entries.get(one.index, b""), now) for one in differences]
    for file in (sender_file, recipient_file):
        found += [_flaw(file, flaw) for flaw in file.flaws]
    return found, contradiction_of(sender, recipient) or b""


def _of_note(copy: "LogCopy", note: bytes) -> "tuple[list[LogDifference], bytes]":
    from exchange.errors import Malformed
    from exchange.log import open_log_checkpoint
    from exchange.reconcile import Code, Difference, contradiction_of_note
    from exchange.tlog.merkle import root

    signed = open_log_checkpoint(note, copy.log, copy.sender, None)
    if signed.size > len(copy.leaves):
        raise Malformed("COPY_TOO_SHORT", "the copy does not reach to the size of the checkpoint")
    if root(copy.leaves[: signed.size]) == signed.root:
        return [], b""
    difference = Difference(code=Code.DIFFERENT_CONTENT, index=0, count=signed.size)
    return [_finding(copy.log.origin, difference, b"", copy.written_at)], contradiction_of_note(note, copy) or b""


def _finding(origin: str, one: "Difference", entry: bytes, now: int) -> "LogDifference":
    from google.protobuf.message import DecodeError

    from exchange.reconcile import MEANING, grade
    from exchange.v1.desk_service_pb2 import FindingGrade, LogDifference
    from exchange.v1.disclosure_pb2 import Entry

    try:
        told = Entry.FromString(entry)
    except DecodeError:  # whatever stands in somebody's file
        told = Entry()
    return LogDifference(
        code=one.code,
        origin=origin,
        index=one.index,
        count=one.count,
        grade=FindingGrade.Value(f"FINDING_GRADE_{grade(one, told.disclosed_at, now)}"),
        sender_leaf=one.sender_leaf,
        recipient_leaf=one.recipient_leaf,
        manifest_digest=told.manifest_digest,
        disclosed_at=told.disclosed_at,
        message=MEANING[one.code],
    )


def _flaw(file: _File, flaw: "Flaw") -> "LogDifference":
    from exchange.v1.desk_service_pb2 import FINDING_GRADE_CRITICAL, LogDifference

    assert file.copy is not None  # noqa: S101 - only a copy has flaws; said for the type checker
    return LogDifference(
        code=flaw.code,
        origin=file.copy.log.origin,
        index=max(flaw.index, 0),
        count=1,
        grade=FINDING_GRADE_CRITICAL,
        message=f"in the copy of {file.copy.holder} this does not hold by itself",
    )
