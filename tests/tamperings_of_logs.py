"""Kinds of tampering with entries, leaves and nodes."""

from collections.abc import Sequence

from exchange.tlog.merkle import leaf_hash
from exchange.tlog.tree import Climb
from node.store.logs import pack
from tests.tamperer import WIDEST, Kind, Place, Row, Tamperer, kind

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
