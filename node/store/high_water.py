"""The high-water record of each log that this node signs, kept outside the database and its backups.

PROTOCOL.md, 4: a node signs nothing unless its tree at the high-water size has the recorded root, and the record is
advanced before a checkpoint leaves. So a database restored from an old backup cannot sign a second history.

Commit point: an advance is durable when `HighWater.advance` returns, which is when the directory that names the new file
has been synced.
"""

import hashlib
import json
import os
import threading
from dataclasses import dataclass
from pathlib import Path

from exchange.errors import Conflict
from node.store.durable import sync_directory
from node.store.errors import StoreFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How far a log was signed: its size in entries, and its root (32 bytes) at that size."""

    size: int
    root: bytes


class HighWater:
    """The records in one directory, a small file for each log. Who holds the lock of the store may use it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._marks: dict[str, Mark] = {}
        self._turn = threading.Lock()

    def get(self, origin: str) -> Mark | None:
        """The record of a log; None if it was never signed, which only an empty log may be: the caller compares.

        Raises `StoreFailed` (HIGH_WATER_UNREADABLE: torn, altered or inaccessible; nothing may then be signed).
        """
        with self._turn:
            return self._get(origin)

    def advance(self, origin: str, size: int, root: bytes) -> None:
        """Raise the record of a log, durably before this returns; to repeat it is harmless.

        Raises `Conflict` (HIGH_WATER_LOWERED: the record is already higher; HIGH_WATER_FORK: it has another root at this
        size), `StoreFailed` (HIGH_WATER_UNREADABLE as for `get`, HIGH_WATER_FULL: the disk does not take it; the record
        is then the old or the new one, whole in either case).
        """
        mark = _checked(Mark(size=size, root=root))
        with self._turn:
            known = self._get(origin)
            if known == mark:
                return
            if known and size < known.size:
                raise Conflict("HIGH_WATER_LOWERED", "the log was signed at a greater size already")
            if known and size == known.size:
                raise Conflict("HIGH_WATER_FORK", "the log was signed at this size with another root")
            self._write(origin, mark)
            self._marks[origin] = mark

    def _get(self, origin: str) -> Mark | None:
        if mark := self._marks.get(origin):
            return mark
        try:
            # Absent is only what a directory that can be read does not list: a directory that is gone, or a name that
            # leads nowhere, is a record that was lost.
            if self._path(origin) not in self._directory.iterdir():
                return None
            mark = _parse(self._path(origin).read_bytes(), origin)
        except (OSError, ValueError, TypeError, KeyError):
            raise StoreFailed(
                "HIGH_WATER_UNREADABLE",
                "the high-water record of a log cannot be read, so nothing is signed: restore it from where it was kept, "
                "or end the log and open its successor",
            ) from None
        self._marks[origin] = mark
        return mark

    def _write(self, origin: str, mark: Mark) -> None:
        path = self._path(origin)
        content = json.dumps({"origin": origin, "size": mark.size, "root": mark.root.hex()}).encode()
        aside = path.with_suffix(".new")
        try:
            descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            aside.replace(path)
            sync_directory(self._directory)
        except OSError as error:
            # Which of the two records is on disk is no longer known: the next question reads it again.
            self._marks.pop(origin, None)
            raise StoreFailed(
                "HIGH_WATER_FULL", "the disk does not take the high-water record, so nothing is signed: free space first"
            ) from error

    def _path(self, origin: str) -> Path:
        return self._directory / f"{hashlib.sha256(origin.encode()).hexdigest()}.json"


def _parse(content: bytes, origin: str) -> Mark:
    record = json.loads(content)
    if set(record) != {"origin", "size", "root"} or record["origin"] != origin or type(record["size"]) is not int:
        raise ValueError("not the record of this log")
    return _checked(Mark(size=record["size"], root=bytes.fromhex(record["root"])))


def _checked(mark: Mark) -> Mark:
    if mark.size < 0 or len(mark.root) != 32:
        raise ValueError("a size is not negative, a root has 32 bytes")
    return mark
