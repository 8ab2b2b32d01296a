"""Of whom an officer said that this is not the person of an alert: keyed hashes, from which nobody is found and no file grows.

A mis-hit is kept under the *first* manifest of an alert, so that it holds for all that supersede it. Tokens are made by
`Vault.mis_hit_token`; a screening asks `suppressed` before it proposes anybody.
"""

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, delete, select

from node.store.insert import insert_rows
from node.store.plain import ask_among, select_text
from node.store.recall_tables import mis_hits
from node.store.tables import alerts

_TOKENS = select_text(mis_hits, [mis_hits.c.first, mis_hits.c.token], "WHERE token IN")


def remember(tx: Connection, first: bytes, tokens: Iterable[bytes]) -> None:
    """Remember tokens (32 bytes each) against the alert whose first manifest has the digest `first`."""
    insert_rows(tx, mis_hits, [{"first": first, "token": token} for token in sorted(set(tokens))], present_stay=True)


def suppressed(tx: Connection, tokens: Collection[bytes]) -> set[tuple[bytes, bytes]]:
    """Every (first manifest, token) that was said to be no match, among these tokens."""
    return {(first, token) for first, token in ask_among(tx, _TOKENS, tokens)}


def erased_firsts(tx: Connection) -> set[bytes]:
    """The first manifests against which something is kept although they are erased."""
    query = select(mis_hits.c.first).join(alerts, alerts.c.digest == mis_hits.c.first).where(alerts.c.state == "erased")
    return set(tx.execute(query).scalars())


def forget(tx: Connection, firsts: Collection[bytes]) -> None:
    """Drop what is kept against these alerts: with an alert that is erased nobody can be mistaken for its person any more."""
    tx.execute(delete(mis_hits).where(mis_hits.c.first.in_(list(firsts))))
