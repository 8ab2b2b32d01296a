"""Who an alert is about, under a key: rows of 8-byte tokens that say nothing without the master key, and go with their alert."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from sqlalchemy import Connection, bindparam, delete

from node.store.insert import insert_rows
from node.store.plain import ask_among, select_text
from node.store.tables import searches, subject_index

TOKEN: Final = 8

_ADD: Final = (
    "INSERT INTO subject_index (alert_ref, tokens) VALUES (?, ?) ON CONFLICT (alert_ref) DO UPDATE SET "
    "tokens = CAST(tokens || excluded.tokens AS BLOB)"
)
_ALL: Final = "SELECT alert_ref, tokens FROM subject_index {where} ORDER BY alert_ref"
_OF: Final = select_text(subject_index, [subject_index.c.alert_ref, subject_index.c.tokens], "WHERE alert_ref IN")
_FEW: Final = 8
_CHUNK: Final = 4096
_FORGET = delete(subject_index).where(subject_index.c.alert_ref.in_(bindparam("among", expanding=True)))
_UNLINK = (
    delete(searches).where(searches.c.alert_ref.in_(bindparam("among", expanding=True))).returning(searches.c.generation, searches.c.idx)
)


def index_alert(tx: Connection, tokens: Mapping[int, bytes]) -> None:
    """Add joined tokens by alert row; to what more of an alert has come in for, they are added. Nothing is kept of an alert without any."""
    rows = [pair for pair in tokens.items() if pair[1]]
    if rows:
        tx.exec_driver_sql(_ADD, rows)


def alerts_about(tx: Connection, tokens: Collection[bytes]) -> list[int]:
    """Rows of the alerts that have one of these tokens, oldest first. The whole index is read: some seconds for a million alerts."""
    wanted = frozenset(tokens)
    found = []
    # A few tokens are looked for by SQLite itself, which is quicker; where in the blob they must stand is still to be seen.
    few = " OR ".join(["instr(tokens, ?)"] * len(wanted)) if 0 < len(wanted) <= _FEW else ""
    cursor = tx.exec_driver_sql(_ALL.format(where=f"WHERE {few}" if few else ""), tuple(wanted) if few else ())
    while rows := cursor.fetchmany(_CHUNK):
        for reference, joined in rows:
            if not wanted.isdisjoint(joined[at : at + TOKEN] for at in range(0, len(joined), TOKEN)):
                found.append(reference)
    return found


def every_token(tx: Connection) -> Iterator[tuple[int, bytes]]:
    """(alert row, joined tokens) of the whole index."""
    cursor = tx.exec_driver_sql(_ALL.format(where=""))
    while rows := cursor.fetchmany(_CHUNK):
        yield from ((reference, joined) for reference, joined in rows)


def tokens_of_alerts(tx: Connection, references: Collection[int]) -> dict[int, frozenset[bytes]]:
    """What the index has of each of these alerts; of one that names nobody nothing."""
    return {
        reference: frozenset(joined[at : at + TOKEN] for at in range(0, len(joined), TOKEN))
        for reference, joined in ask_among(tx, _OF, references)
    }


def note_search(tx: Connection, generation: int, index: int, found: Iterable[int]) -> None:
    """Note which alerts the search found that stands at `index` of the journal."""
    insert_rows(tx, searches, [{"alert_ref": reference, "generation": generation, "idx": index} for reference in found])


def forget(tx: Connection, references: Collection[int]) -> list[tuple[int, int]]:
    """Drop what the index holds of these alerts; returns (generation, index) of the searches that found them and now nothing else."""
    tx.execute(_FORGET, {"among": list(references)})
    gone = tx.execute(_UNLINK, {"among": list(references)}).all()
    left = "SELECT 1 FROM searches WHERE generation = ? AND idx = ? LIMIT 1"
    entries = sorted({(row.generation, row.idx) for row in gone})
    return [entry for entry in entries if tx.exec_driver_sql(left, entry).first() is None]
