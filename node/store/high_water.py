"""The high-water record of each log that this node signs, kept outside the database and its backups.

PROTOCOL.md, 4: a node signs nothing unless its tree at the high-water size has the recorded root, and the record is
advanced before a checkpoint leaves. So a database restored from an old backup cannot sign a second history.

The record is a checkpoint, signed by the node's log key and verified whenever it is read: nobody who can write to its disk, but has
not the key, lowers it unseen, and it proves to others what was signed. Signed in advance, it leaves no more than the record does.

Commit point: an advance is durable when `HighWater.advance` returns, which is when the directory that names the new file
has been synced.
"""

import hashlib
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from exchange.directory import KnownNode
from exchange.errors import Conflict, ExchangeError
from exchange.log import raw_key
from exchange.signing import Signer
from exchange.tlog.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from exchange.tlog.note import NoteVerifier
from node.store.durable import sync_directory
from node.store.errors import StoreFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How far a log was signed: its size in entries, and its root (32 bytes) at that size."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LogKeys:
    """The node's log key, and the raw Ed25519 keys (32 bytes) of every log key that it ever had: a record may be older than the key."""

    signer: Signer
    ever: Sequence[bytes]

    @classmethod
    def of(cls, own: KnownNode, signer: Signer) -> "LogKeys":
        """Those of a node as its own descriptor lists them (a stolen one too, since its logs are yet to be ended), and the one in use."""
        return cls(signer=signer, ever=tuple({raw_key(spki) for spki in (signer.spki, *(key.spki for key in own.log_keys()))}))


class HighWater:
    """The records in one directory, a small file for each log. Who holds the lock of the store may use it."""

    def __init__(self, directory: Path, keys: LogKeys) -> None:
        self._directory = directory
        self._keys = keys
        self._records: dict[str, tuple[Mark, bytes]] = {}
        self._turn = threading.Lock()

    def get(self, origin: str) -> Mark | None:
        """The record of a log; None if it was never signed, which only an empty log may be: the caller compares.

        Raises `StoreFailed` (HIGH_WATER_UNREADABLE: torn, altered or inaccessible; nothing may then be signed).
        """
        with self._turn:
            record = self._get(origin)
            return record[0] if record else None

    def note(self, origin: str) -> bytes | None:
        """The record of a log as it stands: a signed checkpoint, C2SP note. None and errors as for `get`."""
        with self._turn:
            record = self._get(origin)
            return record[1] if record else None

    def advance(self, origin: str, size: int, root: bytes) -> bytes:
        """Raise the record of a log, durably before this returns, and give it: a signed checkpoint, C2SP note. To repeat it is harmless.

        Raises `Conflict` (HIGH_WATER_LOWERED: the record is already higher; HIGH_WATER_FORK: it has another root at this
        size), `StoreFailed` (HIGH_WATER_UNREADABLE as for `get`, HIGH_WATER_FULL: the disk does not take it; the record
        is then the old or the new one, whole in either case).
        """
        mark = Mark(size=size, root=root)
        with self._turn:
            record = self._get(origin)
            known = record[0] if record else None
            if record and known == mark:
                return record[1]
            if known and size < known.size:
                raise Conflict("HIGH_WATER_LOWERED", "the log was signed at a greater size already")
            if known and size == known.size:
                raise Conflict("HIGH_WATER_FORK", "the log was signed at this size with another root")
            signer = self._keys.signer
            note = sign_checkpoint(Checkpoint(origin=origin, size=size, root=root), raw_key(signer.spki), signer.sign)
            self._write(origin, note)
            self._records[origin] = mark, note
            return note

    def _get(self, origin: str) -> tuple[Mark, bytes] | None:
        if record := self._records.get(origin):
            return record
        try:
            # Absent is only what a directory that can be read does not list: a directory that is gone, or a name that
            # leads nowhere, is a record that was lost.
            if self._path(origin) not in self._directory.iterdir():
                return None
            note = self._path(origin).read_bytes()
            verifiers = [NoteVerifier(name=origin, public_key=key) for key in self._keys.ever]
            checkpoint = open_checkpoint(note, verifiers, origin)
        except (OSError, ExchangeError):
            raise StoreFailed(
                "HIGH_WATER_UNREADABLE",
                "the high-water record of a log cannot be read, so nothing is signed: restore it from where it was kept, "
                "or end the log and open its successor",
            ) from None
        record = self._records[origin] = Mark(size=checkpoint.size, root=checkpoint.root), note
        return record

    def _write(self, origin: str, note: bytes) -> None:
        path = self._path(origin)
        aside = path.with_suffix(".new")
        try:
            descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(note)
                file.flush()
                os.fsync(descriptor)
            aside.replace(path)
            sync_directory(self._directory)
        except OSError as error:
            # Which of the two records is on disk is no longer known: the next question reads it again.
            self._records.pop(origin, None)
            raise StoreFailed(
                "HIGH_WATER_FULL", "the disk does not take the high-water record, so nothing is signed: free space first"
            ) from error

    def _path(self, origin: str) -> Path:
        return self._directory / f"{hashlib.sha256(origin.encode()).hexdigest()}.note"
