"""Kinds of tampering with the journal and its details."""

from exchange.tlog.merkle import Frontier, leaf_hash
from exchange.tlog.tree import Climb
from node.store.logs import pack
from tests.tamperer import JOURNAL, Kind, Place, Tamperer, kind


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


def _change_checkpoint(how: str) -> Kind:
    def tamper(with_: Tamperer) -> Place:
        row = with_.one("SELECT * FROM journal_checkpoints")
        with_.run("UPDATE journal_checkpoints SET note = ? WHERE size = ?", getattr(with_, how)(row["note"]), row["size"])
        return Place(JOURNAL, range(row["size"] - 1, row["size"]))

    return tamper


kind("journal_checkpoints.note: byte changed")(_change_checkpoint("other_byte"))
kind("journal_checkpoints.note: cut or lengthened")(_change_checkpoint("other_length"))


@kind("journal_checkpoints.note: swapped")
def _(with_: Tamperer) -> Place:
    one, other = with_.random.sample(with_.rows("SELECT * FROM journal_checkpoints"), 2)
    for target, content in ((one, other), (other, one)):
        with_.run("UPDATE journal_checkpoints SET note = ? WHERE size = ?", content["note"], target["size"])
    return Place(JOURNAL, range(one["size"] - 1, one["size"]))
