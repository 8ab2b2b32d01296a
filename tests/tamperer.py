"""What an attacker with a node's database file and without its keys can change, and where that is."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from exchange.tlog.tree import TILE_WIDTH
from exchange.v1 import desk_service_pb2

WIDEST = TILE_WIDTH
"""Entries in the widest range that still names a place: those under one stored node."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tampering is: a log or the journal, and every index that would name it."""

    origin: str
    indexes: range

    def is_named_by(self, finding: desk_service_pb2.Finding) -> bool:
        named = range(finding.index, finding.index + finding.count)
        return (
            finding.severity == desk_service_pb2.SEVERITY_ERROR
            and finding.origin == self.origin
            and 0 < finding.count <= WIDEST
            and named.start < self.indexes.stop
            and self.indexes.start < named.stop
        )


class Tamperer:
    """Changes what an attacker with the file and without the keys can change; each change is made sure to be one."""

    def __init__(self, connection: Any, randomness: random.Random) -> None:
        self._connection = connection
        self.random = randomness

    def rows(self, statement: str, *values: Any) -> list[Row]:
        cursor = self._connection.execute(statement, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def run(self, statement: str, *values: Any) -> None:
        assert self._connection.execute(statement, values).rowcount > 0, statement

    def one(self, statement: str, *values: Any) -> Row:
        return self.random.choice(self.rows(statement, *values))

    # Where

    def origin(self, log_id: int) -> str:
        origin: str = self.rows("SELECT origin FROM logs WHERE id = ?", log_id)[0]["origin"]
        return origin

    def entry(self, columns: str = "log_id, idx", where: str = "1") -> Row:
        """A random entry; every log is as likely as another."""
        log = self.one("SELECT id, size FROM logs WHERE size > 0")
        return self.one(f"SELECT {columns} FROM entries WHERE log_id = ? AND {where}", log["id"])

    def at(self, log_id: int, *indexes: int) -> Place:
        return Place(self.origin(log_id), range(min(indexes), max(indexes) + 1))

    def receipt(self, columns: str) -> tuple[Row, Place]:
        row = self.one(f"SELECT log_id, size, previous_size, {columns} FROM receipts")
        return row, Place(self.origin(row["log_id"]), range(row["previous_size"], row["size"]))

    def node(self) -> tuple[Row, Place]:
        row = self.one("SELECT * FROM nodes WHERE level = 1")
        origin = JOURNAL if row["log_id"] == 0 else self.origin(row["log_id"])
        return row, Place(origin, range(row["idx"] * WIDEST, (row["idx"] + 1) * WIDEST))

    # What

    def other_byte(self, value: Any) -> Any:
        """The same with one byte changed."""
        data = bytearray(value if isinstance(value, bytes) else value.encode())
        data[self.random.randrange(len(data))] ^= self.random.randrange(1, 256)
        return bytes(data)

    def other_length(self, value: bytes) -> bytes:
        """The same cut short, at either end, or with something put in."""
        place = self.random.randrange(len(value))
        return self.random.choice(
            (value[:place], value[place + 1 :], value[:place] + self.random.randbytes(self.random.randint(1, 40)) + value[place:])
        )


JOURNAL = "gb.alerts.example/journal/1"
Kind = Callable[[Tamperer], Place]
KINDS: dict[str, Kind] = {}


def kind(name: str) -> Callable[[Kind], Kind]:
    def keep(tampering: Kind) -> Kind:
        assert name not in KINDS
        KINDS[name] = tampering
        return tampering

    return keep
