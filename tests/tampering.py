"""Tampering with a node's database, at random and without its keys, and whether a check of the whole store names the place.

    python -m tests.tampering DIRECTORY FIRST COUNT      as JSON lines: seed, kind, and what became of it

`make_node` makes the node: more than 10,000 disclosures to seven countries and from two. Each tampering is drawn from its own seed and
done to a fresh copy of the database, which is then checked as a whole, as `exchange audit fsck` does. It counts as found only if a finding
that is critical or of priority names the log (or the journal) and a range of at most 256 entries that holds the place.
"""

import json
import random
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exchange.tlog.merkle import Frontier, leaf_hash
from exchange.tlog.tree import Climb
from exchange.v1 import desk_service_pb2
from node.operations.anchor import anchor_logs, checkpoint_journal
from node.operations.findings import Findings
from node.operations.fsck import check_everything
from node.operations.partners import load_known
from node.operations.records import Records
from node.operations.release import prepare
from node.operations.sequence import sequence
from node.store.connections import sqlite_driver
from node.store.engine import open_store
from node.store.high_water import HighWater
from node.store.logs import pack
from node.store.vault import Vault
from tests.countries import BORDER, NGO, NOW, POLICE, agency, node
from tests.federation import Federation
from tests.rig import counted_entropy, draft, master_key

PARTNERS = ("kh", "vn", "la", "my", "ph", "sg", "th")
CLASSES = (BORDER, POLICE, NGO)
OUT, IN, AT_ONCE = 460, 180, 40
"""Alerts that gb sends, each to three agencies of each partner; that come in from kh, each to three; and that are released together."""
WIDEST = 256
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


@dataclass(frozen=True, slots=True)
class Outcome:
    """One tampering, and what the check made of it."""

    seed: int
    kind: str
    named: bool
    width: int
    """Of the narrowest range that names it; 0 if none does."""
    codes: tuple[str, ...]


def make_node(directory: Path) -> Path:
    """Make gb's office after its work is done; returns its directory."""
    made = Federation(directory, "gb", *PARTNERS)
    try:
        for partner in PARTNERS:
            made.connect("gb", partner)
        gb, kh = made["gb"], made["kh"]
        told = [agency(partner, agency_class) for partner in PARTNERS for agency_class in CLASSES]
        for office, recipients, count in ((gb, told, OUT), (kh, [agency("gb", one) for one in CLASSES], IN)):
            for first in range(0, count, AT_ONCE):
                drafts = [draft(*recipients) for _ in range(min(AT_ONCE, count - first))]
                answers = sequence(
                    office.ports, [prepare(office.ports, office.person("liaison"), one, "synthetic reason") for one in drafts]
                )
                assert not any(answer.problems for answer in answers)
                with office.ports.store.write() as tx:
                    # One of each batch is withdrawn before it is sent, so that there are exceptions.
                    tx.exec_driver_sql("UPDATE alerts SET state = 'withdrawn' WHERE id = (SELECT max(id) FROM alerts)")
                made.pump()
                made.clock.pass_(60_000)
                anchor_logs(gb.ports)
        for received in gb.received("border")[:20]:
            gb.report(received.manifest_digest.hex())
        made.pump()
        anchor_logs(gb.ports)
        checkpoint_journal(gb.ports)
    finally:
        made.close()
    return directory / "gb"


def check(directory: Path, database: Path) -> Findings:
    """Check a database as a whole, as the node of `make_node` in that directory."""
    store = open_store(database, create=False)
    try:
        records = Records(
            store=store,
            vault=Vault(master_key("gb"), counted_entropy("check")),
            high_water=HighWater(directory / "high-water"),
            known=load_known(store, node("gb"), NOW),
        )
        findings = Findings()
        for _ in check_everything(records, findings):
            pass
        return findings
    finally:
        store.close()


def attempt(directory: Path, scratch: Path, seed: int) -> Outcome:
    """Tamper once, with a copy, and check it."""
    database = scratch / "node.db"
    shutil.copy(directory / "data/node.db", database)
    randomness = random.Random(seed)
    kind = randomness.choice(sorted(KINDS))
    with closing(sqlite_driver().connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("BEGIN")
        place = KINDS[kind](Tamperer(connection, randomness))
        connection.execute("COMMIT")
    findings = check(directory, database)
    widths = [finding.count for finding in findings.found if place.is_named_by(finding)]
    codes = tuple(sorted({finding.code for finding in findings.found}))
    return Outcome(seed, kind, bool(widths), min(widths, default=0), codes)


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


# Entries and leaves


def _change_entry(column: str, how: str) -> Kind:
    def tamper(with_: Tamperer) -> Place:
        row = with_.entry(f"log_id, idx, {column}", f"{column} IS NOT NULL")
        with_.run(
            f"UPDATE entries SET {column} = ? WHERE log_id = ? AND idx = ?", getattr(with_, how)(row[column]), row["log_id"], row["idx"]
        )
        return with_.at(row["log_id"], row["idx"])

    return tamper


for _column in ("entry", "leaf", "sealed"):
    for _how, _what in (("other_byte", "byte changed"), ("other_length", "cut or lengthened")):
        kind(f"entries.{_column}: {_what}")(_change_entry(_column, _how))


def _swap_entries(columns: Sequence[str]) -> Kind:
    def tamper(with_: Tamperer) -> Place:
        names = ", ".join(columns)
        one = with_.entry(f"log_id, idx, {names}")
        other = with_.one(f"SELECT log_id, idx, {names} FROM entries WHERE log_id = ? AND idx <> ? AND {columns[0]} IS NOT ?",
                          one["log_id"], one["idx"], one[columns[0]])  # fmt: skip
        for place, content in ((one, other), (other, one)):
            sets = ", ".join(f"{name} = ?" for name in columns)
            with_.run(
                f"UPDATE entries SET {sets} WHERE log_id = ? AND idx = ?",
                *(content[name] for name in columns),
                place["log_id"],
                place["idx"],
            )
        return with_.at(one["log_id"], one["idx"])

    return tamper


for _columns in (("entry",), ("leaf",), ("sealed",), ("alert_ref",), ("entry", "leaf"), ("entry", "leaf", "alert_ref", "sealed")):
    kind(f"entries.{'+'.join(_columns)}: swapped")(_swap_entries(_columns))


@kind("entries: deleted")
def _(with_: Tamperer) -> Place:
    row = with_.entry()
    with_.run("DELETE FROM entries WHERE log_id = ? AND idx = ?", row["log_id"], row["idx"])
    return with_.at(row["log_id"], row["idx"])


@kind("entries: inserted beyond the end")
def _(with_: Tamperer) -> Place:
    row = with_.entry()
    size = with_.rows("SELECT size FROM logs WHERE id = ?", row["log_id"])[0]["size"] + with_.random.choice((0, 0, 7))
    with_.run("INSERT INTO entries SELECT log_id, ?, entry, leaf, alert_ref, sealed FROM entries WHERE log_id = ? AND idx = ?",
              size, row["log_id"], row["idx"])  # fmt: skip
    return with_.at(row["log_id"], size)


@kind("entries: inserted, those after it moved up")
def _(with_: Tamperer) -> Place:
    row = with_.entry()
    _move(with_, row["log_id"], row["idx"], 1)
    with_.run("INSERT INTO entries SELECT log_id, ?, entry, leaf, alert_ref, sealed FROM entries WHERE log_id = ? AND idx = ?",
              row["idx"], row["log_id"], 0 if row["idx"] else 1)  # fmt: skip
    return with_.at(row["log_id"], row["idx"])


@kind("entries: deleted, those after it moved down")
def _(with_: Tamperer) -> Place:
    row = with_.entry()
    with_.run("DELETE FROM entries WHERE log_id = ? AND idx = ?", row["log_id"], row["idx"])
    _move(with_, row["log_id"], row["idx"] + 1, -1)
    return with_.at(row["log_id"], row["idx"])


@kind("entries: the last ones cut off")
def _(with_: Tamperer) -> Place:
    log = with_.one("SELECT id, size FROM logs WHERE size > 0")
    cut = with_.random.randint(1, min(WIDEST, log["size"]))
    with_.run("DELETE FROM entries WHERE log_id = ? AND idx >= ?", log["id"], log["size"] - cut)
    return with_.at(log["id"], log["size"] - cut)


@kind("entries: moved to another log")
def _(with_: Tamperer) -> Place:
    row = with_.entry()
    other = with_.one("SELECT id, size FROM logs WHERE id <> ?", row["log_id"])
    with_.run("UPDATE entries SET log_id = ?, idx = ? WHERE log_id = ? AND idx = ?", other["id"], other["size"], row["log_id"], row["idx"])
    return with_.at(row["log_id"], row["idx"])


@kind("entries.alert_ref: another alert")
def _(with_: Tamperer) -> Place:
    row = with_.entry("log_id, idx, alert_ref", "alert_ref IS NOT NULL")
    with_.run(
        "UPDATE entries SET alert_ref = alert_ref + ? WHERE log_id = ? AND idx = ?", with_.random.choice((-1, 1)), row["log_id"], row["idx"]
    )
    return with_.at(row["log_id"], row["idx"])


@kind("entries.sealed: deleted")
def _(with_: Tamperer) -> Place:
    row = with_.entry("log_id, idx", "sealed IS NOT NULL")
    with_.run("UPDATE entries SET sealed = NULL WHERE log_id = ? AND idx = ?", row["log_id"], row["idx"])
    return with_.at(row["log_id"], row["idx"])


@kind("entries: rewritten with its leaf")
def _(with_: Tamperer) -> Place:
    row = with_.entry("log_id, idx, entry")
    _rewrite(with_, row)
    return with_.at(row["log_id"], row["idx"])


@kind("entries: rewritten with leaf, nodes and edges")
def _(with_: Tamperer) -> Place:
    row = with_.entry("log_id, idx, entry")
    _rewrite(with_, row)
    _regrow(with_, row["log_id"])
    return with_.at(row["log_id"], row["idx"])


@kind("entries: deleted, and all proofs that can be made anew")
def _(with_: Tamperer) -> Place:
    row = with_.entry()
    with_.run("DELETE FROM entries WHERE log_id = ? AND idx = ?", row["log_id"], row["idx"])
    _move(with_, row["log_id"], row["idx"] + 1, -1)
    with_.run("UPDATE logs SET size = size - 1 WHERE id = ?", row["log_id"])
    _regrow(with_, row["log_id"])
    return with_.at(row["log_id"], row["idx"])


@kind("log: its end cut off, with receipts, nodes and edge")
def _(with_: Tamperer) -> Place:
    log = with_.one("SELECT id, size FROM logs WHERE size > 64")
    receipt = with_.one("SELECT * FROM receipts WHERE log_id = ? AND size < ? AND size >= ?", log["id"], log["size"], log["size"] - WIDEST)
    for statement in (
        "DELETE FROM entries WHERE log_id = ? AND idx >= ?",
        "DELETE FROM exceptions WHERE log_id = ? AND idx >= ?",
        "DELETE FROM withheld WHERE log_id = ? AND idx >= ?",
        "DELETE FROM receipts WHERE log_id = ? AND size > ?",
    ):
        with_._connection.execute(statement, (log["id"], receipt["size"]))
    with_.run("UPDATE logs SET size = ?, checkpoint = CASE WHEN outbound THEN checkpoint ELSE ? END WHERE id = ?",
              receipt["size"], receipt["checkpoint"], log["id"])  # fmt: skip
    _regrow(with_, log["id"])
    return with_.at(log["id"], receipt["size"])


def _move(with_: Tamperer, log_id: int, start: int, by: int) -> None:
    indexes = [row["idx"] for row in with_.rows("SELECT idx FROM entries WHERE log_id = ? AND idx >= ? ORDER BY idx", log_id, start)]
    for index in sorted(indexes, reverse=by > 0):
        with_.run("UPDATE entries SET idx = ? WHERE log_id = ? AND idx = ?", index + by, log_id, index)


def _rewrite(with_: Tamperer, row: Row) -> None:
    data = with_.other_byte(row["entry"])
    with_.run("UPDATE entries SET entry = ?, leaf = ? WHERE log_id = ? AND idx = ?", data, leaf_hash(data), row["log_id"], row["idx"])


def _regrow(with_: Tamperer, log_id: int) -> None:
    """Make every node and edge of a log anew from its entries, as whoever has no keys can."""
    size = with_.rows("SELECT size FROM logs WHERE id = ?", log_id)[0]["size"]
    leaves = [row["leaf"] for row in with_.rows("SELECT leaf FROM entries WHERE log_id = ? AND idx < ? ORDER BY idx", log_id, size)]
    edges = {row["size"] for row in with_.rows("SELECT size FROM receipts WHERE log_id = ?", log_id)}
    with_._connection.execute("DELETE FROM nodes WHERE log_id = ?", (log_id,))
    climb = Climb()
    for leaf in leaves:
        for node_ in climb.add([leaf]):
            with_.run("INSERT INTO nodes VALUES (?, ?, ?, ?)", log_id, node_.level, node_.index, node_.hash)
        if climb.size in edges:
            with_.run("UPDATE receipts SET frontier = ? WHERE log_id = ? AND size = ?", pack(climb.frontier()), log_id, climb.size)
    with_.run("UPDATE logs SET frontier = ? WHERE id = ?", pack(climb.frontier()), log_id)


# Nodes


@kind("nodes.hash: byte changed")
def _(with_: Tamperer) -> Place:
    row, place = with_.node()
    with_.run(
        "UPDATE nodes SET hash = ? WHERE log_id = ? AND level = 1 AND idx = ?", with_.other_byte(row["hash"]), row["log_id"], row["idx"]
    )
    return place


@kind("nodes.hash: cut or lengthened")
def _(with_: Tamperer) -> Place:
    row, place = with_.node()
    with_.run(
        "UPDATE nodes SET hash = ? WHERE log_id = ? AND level = 1 AND idx = ?", with_.other_length(row["hash"]), row["log_id"], row["idx"]
    )
    return place


@kind("nodes: deleted")
def _(with_: Tamperer) -> Place:
    row, place = with_.node()
    with_.run("DELETE FROM nodes WHERE log_id = ? AND level = 1 AND idx = ?", row["log_id"], row["idx"])
    return place


@kind("nodes: swapped")
def _(with_: Tamperer) -> Place:
    row, place = with_.node()
    other = with_.one("SELECT * FROM nodes WHERE level = 1 AND hash <> ?", row["hash"])
    for target, content in ((row, other), (other, row)):
        with_.run("UPDATE nodes SET hash = ? WHERE log_id = ? AND level = 1 AND idx = ?", content["hash"], target["log_id"], target["idx"])
    return place


@kind("nodes: inserted")
def _(with_: Tamperer) -> Place:
    log = with_.one("SELECT id, size FROM logs WHERE size > 0")
    level = with_.random.choice((1, 2, 3))
    with_.run("INSERT INTO nodes VALUES (?, ?, ?, ?)", log["id"], level, log["size"] >> 8 * level, with_.random.randbytes(32))
    return with_.at(log["id"], log["size"])


# Checkpoints, receipts and edges


def _change_receipt(column: str, how: str) -> Kind:
    def tamper(with_: Tamperer) -> Place:
        row, place = with_.receipt(column)
        with_.run(
            f"UPDATE receipts SET {column} = ? WHERE log_id = ? AND size = ?", getattr(with_, how)(row[column]), row["log_id"], row["size"]
        )
        return place

    return tamper


for _column in ("statement", "checkpoint", "frontier"):
    for _how, _what in (("other_byte", "byte changed"), ("other_length", "cut or lengthened")):
        kind(f"receipts.{_column}: {_what}")(_change_receipt(_column, _how))


def _swap_receipts(column: str) -> Kind:
    def tamper(with_: Tamperer) -> Place:
        one, place = with_.receipt(column)
        other = with_.one(f"SELECT log_id, size, {column} FROM receipts WHERE {column} <> ?", one[column])
        for target, content in ((one, other), (other, one)):
            with_.run(f"UPDATE receipts SET {column} = ? WHERE log_id = ? AND size = ?", content[column], target["log_id"], target["size"])
        return place

    return tamper


for _column in ("statement", "checkpoint", "frontier"):
    kind(f"receipts.{_column}: swapped")(_swap_receipts(_column))


@kind("receipts.previous_size or received_at: changed")
def _(with_: Tamperer) -> Place:
    column = with_.random.choice(("previous_size", "received_at"))
    row, place = with_.receipt(column)
    with_.run(
        f"UPDATE receipts SET {column} = {column} + ? WHERE log_id = ? AND size = ?",
        with_.random.choice((-1, 1, 256)),
        row["log_id"],
        row["size"],
    )
    return place


@kind("receipts.size: changed")
def _(with_: Tamperer) -> Place:
    row, place = with_.receipt("size")
    with_.run("UPDATE receipts SET size = size - 1 WHERE log_id = ? AND size = ?", row["log_id"], row["size"])
    return place


@kind("receipts: deleted")
def _(with_: Tamperer) -> Place:
    row, place = with_.receipt("size")
    with_.run("DELETE FROM receipts WHERE log_id = ? AND size = ?", row["log_id"], row["size"])
    # Of the last one, only the entries that nobody receipted tell: see `the last receipt` below.
    later = with_.rows("SELECT size FROM receipts WHERE log_id = ? AND size > ? ORDER BY size LIMIT 1", row["log_id"], row["size"])
    return Place(place.origin, range(place.indexes.start, later[0]["size"] if later else row["size"]))


@kind("receipts: inserted")
def _(with_: Tamperer) -> Place:
    row, place = with_.receipt("size")
    with_.run("INSERT INTO receipts SELECT log_id, size - 1, previous_size, received_at, frontier, checkpoint, statement FROM receipts "
              "WHERE log_id = ? AND size = ?", row["log_id"], row["size"])  # fmt: skip
    return place


@kind("exceptions: changed, deleted or inserted")
def _(with_: Tamperer) -> Place:
    row = with_.one("SELECT * FROM exceptions")
    what = with_.random.choice(("UPDATE exceptions SET code = code + 1", "UPDATE exceptions SET idx = idx + 1", "DELETE FROM exceptions"))
    with_.run(f"{what} WHERE log_id = ? AND idx = ?", row["log_id"], row["idx"])
    return with_.at(row["log_id"], row["idx"])


@kind("exceptions: inserted")
def _(with_: Tamperer) -> Place:
    row = with_.entry("log_id, idx", "NOT EXISTS (SELECT 1 FROM exceptions x WHERE x.log_id = entries.log_id AND x.idx = entries.idx)")
    with_.run("INSERT INTO exceptions VALUES (?, ?, ?)", row["log_id"], row["idx"], with_.random.randint(1, 16))
    return with_.at(row["log_id"], row["idx"])


@kind("logs.frontier: byte changed, cut or lengthened")
def _(with_: Tamperer) -> Place:
    log = with_.one("SELECT id, size, frontier FROM logs WHERE size > 0")
    change = with_.random.choice((with_.other_byte, with_.other_length))
    with_.run("UPDATE logs SET frontier = ? WHERE id = ?", change(log["frontier"]), log["id"])
    return with_.at(log["id"], log["size"] - 1, log["size"])


@kind("logs.size: changed")
def _(with_: Tamperer) -> Place:
    log = with_.one("SELECT id, size FROM logs WHERE size > 300")
    size = with_.random.choice((log["size"] - 1, log["size"] + 1, log["size"] - 256, log["size"] + 256))
    with_.run("UPDATE logs SET size = ? WHERE id = ?", size, log["id"])
    return with_.at(log["id"], min(size, log["size"]) - 1, max(size, log["size"]))


@kind("logs.checkpoint: byte changed, cut or lengthened")
def _(with_: Tamperer) -> Place:
    log = with_.one("SELECT id, size, checkpoint FROM logs WHERE size > 0 AND NOT outbound")
    change = with_.random.choice((with_.other_byte, with_.other_length))
    with_.run("UPDATE logs SET checkpoint = ? WHERE id = ?", change(log["checkpoint"]), log["id"])
    return with_.at(log["id"], log["size"] - 1)


# Alerts


def _change_alert(column: str, how: str) -> Kind:
    def tamper(with_: Tamperer) -> Place:
        row = with_.one(f"SELECT id, {column} FROM alerts WHERE {column} IS NOT NULL")
        with_.run(f"UPDATE alerts SET {column} = ? WHERE id = ?", getattr(with_, how)(row[column]), row["id"])
        return _of_alert(with_, row["id"])

    return tamper


for _column in ("sealed", "wrapped_key", "digest", "alert_id", "alert_type", "originator"):
    for _how, _what in (("other_byte", "byte changed"), ("other_length", "cut or lengthened")):
        if _how == "other_byte" or _column in {"sealed", "wrapped_key"}:
            kind(f"alerts.{_column}: {_what}")(_change_alert(_column, _how))


@kind("alerts: a number changed")
def _(with_: Tamperer) -> Place:
    row = with_.one("SELECT id FROM alerts")
    place = _of_alert(with_, row["id"])
    with_.run(
        f"UPDATE alerts SET {with_.random.choice(('issued_at', 'not_after'))} = ? WHERE id = ?", with_.random.randrange(2**40), row["id"]
    )
    return place


@kind("alerts: deleted")
def _(with_: Tamperer) -> Place:
    row = with_.one("SELECT id FROM alerts")
    place = _of_alert(with_, row["id"])
    with_.run("DELETE FROM alerts WHERE id = ?", row["id"])
    return place


@kind("alerts.sealed or wrapped_key: swapped or deleted")
def _(with_: Tamperer) -> Place:
    column = with_.random.choice(("sealed", "wrapped_key"))
    one, other = with_.random.sample(with_.rows(f"SELECT id, {column} FROM alerts"), 2)
    if with_.random.random() < 0.3:
        with_.run(f"UPDATE alerts SET {column} = NULL WHERE id = ?", one["id"])
        return _of_alert(with_, one["id"])
    for target, content in ((one, other), (other, one)):
        with_.run(f"UPDATE alerts SET {column} = ? WHERE id = ?", content[column], target["id"])
    return _of_alert(with_, one["id"])


@kind("inbox: deleted or inserted")
def _(with_: Tamperer) -> Place:
    row = with_.one("SELECT * FROM inbox")
    if with_.random.random() < 0.5:
        with_.run("DELETE FROM inbox WHERE agency = ? AND alert_ref = ?", row["agency"], row["alert_ref"])
        return _of_alert(with_, row["alert_ref"])
    own = with_.one("SELECT id FROM alerts WHERE own")
    with_.run("INSERT INTO inbox VALUES (?, ?)", row["agency"], own["id"])
    return _of_alert(with_, own["id"])


@kind("answers: changed or deleted")
def _(with_: Tamperer) -> Place:
    row = with_.one("SELECT * FROM answers")
    alert = with_.rows("SELECT id FROM alerts WHERE digest = ?", row["answer"])[0]
    if with_.random.random() < 0.5:
        with_.run("DELETE FROM answers WHERE answer = ?", row["answer"])
    else:
        with_.run("UPDATE answers SET answered = ? WHERE answer = ?", with_.other_byte(row["answered"]), row["answer"])
    return _of_alert(with_, alert["id"])


def _of_alert(with_: Tamperer, alert_id: int) -> Place:
    first = with_.rows("SELECT log_id, idx FROM entries WHERE alert_ref = ? ORDER BY log_id, idx LIMIT 1", alert_id)[0]
    return with_.at(first["log_id"], first["idx"])


# The journal


def _change_journal(column: str, how: str) -> Kind:
    def tamper(with_: Tamperer) -> Place:
        row = with_.one(f"SELECT idx, {column} FROM journal WHERE length({column}) > 0")
        with_.run(f"UPDATE journal SET {column} = ? WHERE idx = ?", getattr(with_, how)(row[column]), row["idx"])
        return Place(JOURNAL, range(row["idx"], row["idx"] + 1))

    return tamper


for _column in ("entry", "leaf", "code", "party", "subject", "counterparty", "origin"):
    kind(f"journal.{_column}: byte changed")(_change_journal(_column, "other_byte"))
for _column in ("entry", "leaf"):
    kind(f"journal.{_column}: cut or lengthened")(_change_journal(_column, "other_length"))


@kind("journal: a number changed")
def _(with_: Tamperer) -> Place:
    row = with_.one("SELECT idx FROM journal")
    column = with_.random.choice(("at", "kind", "first", "count"))
    with_.run(f"UPDATE journal SET {column} = {column} + ? WHERE idx = ?", with_.random.choice((-1, 1, 1000)), row["idx"])
    return Place(JOURNAL, range(row["idx"], row["idx"] + 1))


@kind("journal: deleted")
def _(with_: Tamperer) -> Place:
    row = with_.one("SELECT idx FROM journal")
    with_.run("DELETE FROM journal WHERE idx = ?", row["idx"])
    return Place(JOURNAL, range(row["idx"], row["idx"] + 1))


@kind("journal: swapped")
def _(with_: Tamperer) -> Place:
    one, other = with_.random.sample(with_.rows("SELECT idx, entry, leaf FROM journal"), 2)
    for target, content in ((one, other), (other, one)):
        with_.run("UPDATE journal SET entry = ?, leaf = ? WHERE idx = ?", content["entry"], content["leaf"], target["idx"])
    return Place(JOURNAL, range(one["idx"], one["idx"] + 1))


@kind("journal: the last ones cut off")
def _(with_: Tamperer) -> Place:
    (journal,) = with_.rows("SELECT size FROM journals")
    cut = with_.random.randint(1, 20)
    with_.run("DELETE FROM journal WHERE idx >= ?", journal["size"] - cut)
    return Place(JOURNAL, range(journal["size"] - cut, journal["size"]))


@kind("journal: the last ones cut off, with nodes and edge")
def _(with_: Tamperer) -> Place:
    (journal,) = with_.rows("SELECT size FROM journals")
    size = journal["size"] - with_.random.randint(1, 20)
    with_.run("DELETE FROM journal WHERE idx >= ?", size)
    with_._connection.execute("DELETE FROM journal_details WHERE idx >= ?", (size,))
    frontier = Frontier.empty().extend(row["leaf"] for row in with_.rows("SELECT leaf FROM journal ORDER BY idx"))
    with_._connection.execute("DELETE FROM nodes WHERE log_id = 0 AND level = 1 AND idx >= ?", (size // 256,))
    at = with_.rows("SELECT at FROM journal WHERE idx = ?", size - 1)[0]["at"]
    with_.run("UPDATE journals SET size = ?, frontier = ?, last_at = ?", size, pack(frontier), at)
    return Place(JOURNAL, range(size, journal["size"]))


@kind("journal: rewritten with leaf, nodes and edge")
def _(with_: Tamperer) -> Place:
    row = with_.one("SELECT idx, entry FROM journal")
    data = with_.other_byte(row["entry"])
    with_.run("UPDATE journal SET entry = ?, leaf = ? WHERE idx = ?", data, leaf_hash(data), row["idx"])
    climb = Climb()
    with_._connection.execute("DELETE FROM nodes WHERE log_id = 0")
    for node_ in climb.add([one["leaf"] for one in with_.rows("SELECT leaf FROM journal ORDER BY idx")]):
        with_.run("INSERT INTO nodes VALUES (0, ?, ?, ?)", node_.level, node_.index, node_.hash)
    with_.run("UPDATE journals SET frontier = ?", pack(climb.frontier()))
    return Place(JOURNAL, range(row["idx"], row["idx"] + 1))


@kind("journals: edge changed")
def _(with_: Tamperer) -> Place:
    (journal,) = with_.rows("SELECT size, frontier FROM journals")
    with_.run("UPDATE journals SET frontier = ?", with_.random.choice((with_.other_byte, with_.other_length))(journal["frontier"]))
    return Place(JOURNAL, range(journal["size"] - 1, journal["size"] + 1))


def _change_detail(how: str) -> Kind:
    def tamper(with_: Tamperer) -> Place:
        row = with_.one("SELECT * FROM journal_details")
        with_.run("UPDATE journal_details SET sealed = ? WHERE idx = ? AND detail_group = ?", getattr(with_, how)(row["sealed"]),
                  row["idx"], row["detail_group"])  # fmt: skip
        return Place(JOURNAL, range(row["idx"], row["idx"] + 1))

    return tamper


kind("journal_details.sealed: byte changed")(_change_detail("other_byte"))
kind("journal_details.sealed: cut or lengthened")(_change_detail("other_length"))


@kind("journal_details: deleted, moved or swapped")
def _(with_: Tamperer) -> Place:
    one, other = with_.random.sample(with_.rows("SELECT * FROM journal_details"), 2)
    what = with_.random.choice(("delete", "move", "swap"))
    at = (one["idx"], one["detail_group"])
    if what == "delete":
        with_.run("DELETE FROM journal_details WHERE idx = ? AND detail_group = ?", *at)
    elif what == "move":
        with_.run("UPDATE journal_details SET detail_group = ? WHERE idx = ? AND detail_group = ?", "other", *at)
    else:
        for target, content in ((one, other), (other, one)):
            with_.run(
                "UPDATE journal_details SET sealed = ? WHERE idx = ? AND detail_group = ?",
                content["sealed"],
                target["idx"],
                target["detail_group"],
            )
    return Place(JOURNAL, range(one["idx"], one["idx"] + 1))


def attempts(directory: Path, scratch: Path, seeds: Sequence[int]) -> Iterator[Outcome]:
    """Tamper once for each seed."""
    scratch.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        yield attempt(directory, scratch, seed)


def main() -> None:
    """Tamper with seeds FIRST up to FIRST + COUNT, each outcome a line of JSON."""
    directory, first, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    for outcome in attempts(directory, directory.parent / f"scratch-{first}", range(first, first + count)):
        print(json.dumps([outcome.seed, outcome.kind, outcome.named, outcome.width, outcome.codes]), flush=True)


if __name__ == "__main__":
    main()
