"""Checkpoints: a log's origin, size and root as the text of a signed note (C2SP tlog-checkpoint v1.0.0).

Our logs write no extension lines, and the name of a log's key is its origin (PROTOCOL.md sections 1 and 4).
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from exchange.errors import Malformed, Unverified
from exchange.tlog.merkle import HASH_BYTES
from exchange.tlog.note import NoteVerifier, check_note_text, open_note, sign_note

MAX_SIZE = (1 << 63) - 1  # what every language and database we meet can count

_ORIGIN = re.compile(r"[^\x00-\x1f\ud800-\udfff]+")
_LINES = re.compile(rb"([^\n]+)\n(0|[1-9][0-9]{0,18})\n([A-Za-z0-9+/]{43}=)\n((?:[^\n]+\n)*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a log claims to be: `size` entries (0 to 2^63 - 1) under the 32-byte `root`, by the name of `origin`.

    Raises Malformed CHECKPOINT_MALFORMED.
    """

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        if not _ORIGIN.fullmatch(self.origin):
            raise Malformed("CHECKPOINT_MALFORMED", "an origin is one line of text")
        if not 0 <= self.size <= MAX_SIZE:
            raise Malformed("CHECKPOINT_MALFORMED", "a log's size is from 0 to below 2^63")
        if len(self.root) != HASH_BYTES:
            raise Malformed("CHECKPOINT_MALFORMED", "a root is exactly 32 bytes")

    def text(self) -> bytes:
        """Return the note text: origin, size in decimal and root in base64, each a line ended by LF."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n".encode()


def parse_checkpoint_text(text: bytes, *, extensions: bool = False) -> Checkpoint:
    """Read a checkpoint's text, which proves nothing without its note's signatures.

    With `extensions`, lines that another kind of log put below the third are allowed and left out. Raises Malformed
    CHECKPOINT_MALFORMED for whatever `Checkpoint.text` would not write.
    """
    try:
        check_note_text(text)
    except Malformed as error:
        raise Malformed("CHECKPOINT_MALFORMED", str(error)) from error
    lines = _LINES.fullmatch(text)
    if lines is None:
        raise Malformed("CHECKPOINT_MALFORMED", "a checkpoint is three lines: origin, size, root")
    origin, size, encoded_root, extension_lines = lines.groups()
    root = b64decode(encoded_root)
    if b64encode(root) != encoded_root:
        raise Malformed("CHECKPOINT_MALFORMED", "a root is written in canonical base64")
    if extension_lines and not extensions:
        raise Malformed("CHECKPOINT_MALFORMED", "a checkpoint has no extension lines")
    return Checkpoint(origin=origin.decode(), size=int(size), root=root)


def sign_checkpoint(checkpoint: Checkpoint, public_key: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    """Sign a checkpoint by a key of its log and return the note; arguments and errors are those of `sign_note`.

    That it is consistent with all that was signed before is for the caller to know.
    """
    return sign_note(checkpoint.text(), checkpoint.origin, public_key, sign)


def open_checkpoint(note: bytes, verifiers: Sequence[NoteVerifier], origin: str | None = None) -> Checkpoint:
    """Verify a signed checkpoint of one of our logs against its log's keys.

    `origin` narrows the answer to one log; without it any log is taken that a key which signed is named after. Raises
    Malformed CHECKPOINT_MALFORMED; Unverified CHECKPOINT_SIGNATURE when none of these keys signed or a signature of one
    fails; Unverified CHECKPOINT_ORIGIN when it is of another log than `origin`, or than its keys are named after.
    """
    try:
        opened = open_note(note, verifiers)
    except Malformed as error:
        raise Malformed("CHECKPOINT_MALFORMED", str(error)) from error
    except Unverified as error:
        raise Unverified("CHECKPOINT_SIGNATURE", str(error)) from error
    checkpoint = parse_checkpoint_text(opened.text)
    if checkpoint.origin not in {verifier.name for verifier in opened.verified}:
        raise Unverified("CHECKPOINT_ORIGIN", "the checkpoint's origin is not the name of a key that signed it")
    if origin is not None and checkpoint.origin != origin:
        raise Unverified("CHECKPOINT_ORIGIN", "the checkpoint is of another log")
    return checkpoint
