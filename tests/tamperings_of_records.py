"""Kinds of tampering with receipts, checkpoints, edges and alerts."""

from tests.tamperer import Kind, Place, Tamperer, kind

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
    # Of neighbours the last, whose next place is free to be moved to.
    row = with_.one(
        "SELECT * FROM exceptions AS one WHERE NOT EXISTS (SELECT 1 FROM exceptions WHERE log_id = one.log_id AND idx = one.idx + 1)"
    )
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
