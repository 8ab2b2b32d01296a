"""The journal: by one call every operation records, inside its own transaction, that it happened.

An entry is metadata and commitments. Who did it and why (accountability), and whom it was about (personal), are sealed in rows of their
own, so that the second can be erased and the first kept. An office that cannot journal stops: the transaction that fails to record fails.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, delete, select

from exchange.encoding import encode
from exchange.journal import SALT_SIZE, commit_detail, encode_journal_entry, journal_origin
from exchange.tlog.merkle import Frontier, leaf_hash
from exchange.tlog.tree import grow
from exchange.v1 import journal_pb2
from exchange.v1.journal_pb2 import JournalAccountability, JournalEntry, JournalPersonal
from exchange.values import PartyId, node_of
from node.store.engine import Store
from node.store.envelope import SealingKey
from node.store.insert import insert_rows
from node.store.logs import pack, unpack
from node.store.nodes import add_nodes, journal_log
from node.store.tables import journal, journal_details, journals
from node.store.vault import Vault

Kind = journal_pb2.JournalKind
"""What can have happened; LED Art. 25 and UK DPA s.62 name the first six."""

ACCOUNTABILITY: Final = "accountability"
PERSONAL: Final = "personal"

# As text, since every transaction that writes asks for it.
_EDGE: Final = "SELECT generation, size, frontier, last_at FROM journals ORDER BY generation DESC LIMIT 1"
_MOVE: Final = "UPDATE journals SET size = ?, frontier = ?, last_at = ? WHERE generation = ?"
_ANCHORED: Final = "SELECT count FROM journal WHERE origin = ? AND first = 0 AND kind = ? ORDER BY generation DESC, idx DESC LIMIT 1"
_SAYS: Final = "SELECT 1 FROM journal WHERE subject = ? AND kind = ? LIMIT 1"
_ROWS: Final = (
    select(journal)
    .where(journal.c.generation == bindparam("of"), journal.c.idx >= bindparam("start"), journal.c.idx < bindparam("end"))
    .order_by(journal.c.idx)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened: the fields of a `JournalEntry`, and what of its details is known."""

    code: str
    subject: bytes = b""
    counterparty: str = ""
    origin: str = ""
    index: int = 0
    count: int = 0
    root: bytes = b""
    justification: str = ""
    purpose: str = ""
    urgent: bool = False
    confirmation: bytes = b""
    """What the person signed with a passkey: JSON of `node.confirmations`."""
    personal: JournalPersonal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting:
    """What a person is at this node."""

    agency: str
    """SPIFFE ID; empty for whoever belongs to none."""
    roles: str
    """As in the roster, joined by commas."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRow:
    """One entry as the store holds it."""

    idx: int
    entry: bytes
    leaf: bytes
    at: int
    kind: int
    code: str
    party: str
    subject: bytes
    counterparty: str
    origin: str
    first: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEdge:
    """The newest journal and its right edge."""

    generation: int
    frontier: Frontier
    last_at: int
    """Unix milliseconds of the last entry; 0 while there is none."""


class Journal:
    """The journal of one node; made by `open_journal`. Safe to use from many threads, as the store's transactions are."""

    def __init__(
        self, trust_domain: str, roster: Mapping[str, Acting], keys: Mapping[str, SealingKey], entropy: Callable[[int], bytes]
    ) -> None:
        self.trust_domain = trust_domain
        self._node = str(node_of(trust_domain))
        self._roster = roster
        self._keys = keys
        self._entropy = entropy

    def record(
        self, tx: Connection, at: int, kind: Kind.ValueType, actor: str, events: Iterable[Event], *, acting: Acting | None = None
    ) -> None:
        """Append what `actor` (a SPIFFE ID, or a trust domain for its node) did at `at`, Unix milliseconds; `tx` must write.

        Which person it was stands only in the sealed detail, with what that person is here (`acting`; the roster's word if left out); the
        entry names their agency, or the node. Raises `Malformed` (JOURNAL_ENTRY_MALFORMED): then nothing of the transaction may stand.
        """
        acting = acting or self._roster.get(actor)
        edge = self.edge(tx)
        last_at = max(edge.last_at, at)
        rows: list[dict[str, Any]] = []
        details: list[dict[str, Any]] = []
        for event in events:
            place = {"generation": edge.generation, "idx": edge.frontier.size + len(rows)}
            entry = self._entry(last_at, kind, self._party(actor, acting), event)
            for group, record in _records(actor, acting, event):
                salted = self._entropy(SALT_SIZE) + record
                setattr(entry, group, commit_detail(salted[:SALT_SIZE], record))
                details.append({**place, "detail_group": group, "sealed": self._keys[group].seal(_purpose(place, group), salted)})
            data = encode_journal_entry(entry)
            rows.append({**place, "entry": data, "leaf": leaf_hash(data), **columns(entry)})
        if not rows:
            return
        insert_rows(tx, journal, rows)
        insert_rows(tx, journal_details, details)
        frontier, nodes = grow(edge.frontier, [row["leaf"] for row in rows])
        add_nodes(tx, journal_log(edge.generation), nodes)
        tx.exec_driver_sql(_MOVE, (frontier.size, pack(frontier), last_at, edge.generation))

    def succeed(self, tx: Connection, at: int, actor: str) -> None:
        """Begin the next generation, whose first entry says how far this one reached and with what root. `tx` must write.

        For a journal that cannot go on, as after a restored backup: what was recorded since is lost here, and its witnesses know it.
        """
        ended = self.edge(tx)
        insert_rows(tx, journals, [{"generation": ended.generation + 1, "size": 0, "frontier": b"", "last_at": ended.last_at}])
        origin = journal_origin(self.trust_domain, ended.generation)
        follows = Event(code="FOLLOWS", origin=origin, count=ended.frontier.size, root=ended.frontier.root())
        self.record(tx, at, Kind.JOURNAL_KIND_SUCCESSION, actor, [follows])

    def edge(self, tx: Connection) -> JournalEdge:
        """The newest journal and how far it reaches."""
        row = tx.exec_driver_sql(_EDGE).one()
        return JournalEdge(generation=row.generation, frontier=unpack(row.size, row.frontier), last_at=row.last_at)

    def origin(self, tx: Connection) -> str:
        """The name under which its checkpoints are signed."""
        return journal_origin(self.trust_domain, self.edge(tx).generation)

    def anchored(self, tx: Connection, origin: str) -> int:
        """The size of a disclosure log in its newest anchor, 0 if there is none."""
        return tx.exec_driver_sql(_ANCHORED, (origin, Kind.JOURNAL_KIND_ANCHOR)).scalar() or 0

    def says(self, tx: Connection, kind: Kind.ValueType, subject: bytes) -> bool:
        """Whether an entry of that kind has that subject."""
        return tx.exec_driver_sql(_SAYS, (subject, kind)).first() is not None

    def rows(self, tx: Connection, start: int, end: int, *, generation: int | None = None) -> list[JournalRow]:
        """Entries from `start` up to, and not with, `end`, of the newest journal or of an earlier one."""
        of = self.edge(tx).generation if generation is None else generation
        return [_row(row) for row in tx.execute(_ROWS, {"of": of, "start": start, "end": end})]

    def detail(self, tx: Connection, index: int, group: str, *, generation: int | None = None) -> bytes | None:
        """Salt and record of one detail; None if there was none, or it was erased. Raises `StoreFailed` (VAULT_TAMPERED)."""
        place = {"generation": self.edge(tx).generation if generation is None else generation, "idx": index}
        query = select(journal_details.c.sealed).where(*_at(place, group))
        sealed: bytes | None = tx.execute(query).scalar_one_or_none()
        return None if sealed is None else self._keys[group].open(_purpose(place, group), sealed)

    def details(self, tx: Connection, group: str, start: int, limit: int, *, generation: int) -> list[tuple[JournalRow, bytes]]:
        """At most `limit` entries from `start` on that have a detail of the group, each with its salt and record; oldest first.

        Raises `StoreFailed` (VAULT_TAMPERED).
        """
        same = (journal_details.c.generation == journal.c.generation) & (journal_details.c.idx == journal.c.idx)
        query = select(journal, journal_details.c.sealed).join(journal_details, same)
        query = query.where(journal.c.generation == generation, journal.c.idx >= start, journal_details.c.detail_group == group)
        found = []
        for row in tx.execute(query.order_by(journal.c.idx).limit(limit)):
            place = {"generation": generation, "idx": row.idx}
            found.append((_row(row), self._keys[group].open(_purpose(place, group), row.sealed)))
        return found

    def erase_detail(self, tx: Connection, index: int, group: str, *, generation: int | None = None) -> None:
        """Erase one detail for good; the entry keeps its commitment, which then tells nothing. `tx` must write."""
        place = {"generation": self.edge(tx).generation if generation is None else generation, "idx": index}
        tx.execute(delete(journal_details).where(*_at(place, group)))

    def _entry(self, at: int, kind: Kind.ValueType, party: str, event: Event) -> JournalEntry:
        return JournalEntry(
            kind=kind,
            code=event.code,
            at=at,
            party=party,
            subject=event.subject,
            counterparty=event.counterparty,
            origin=event.origin,
            index=event.index,
            count=event.count,
            root=event.root,
        )

    def _party(self, actor: str, acting: Acting | None) -> str:
        if not actor.startswith("spiffe://"):
            return str(node_of(actor))
        if not _is_person(actor):
            return actor
        return acting.agency if acting and acting.agency else self._node


def _records(actor: str, acting: Acting | None, event: Event) -> Iterable[tuple[str, bytes]]:
    person = _is_person(actor)
    if person or event.justification:
        record = JournalAccountability(
            person=actor if person else "",
            roles=acting.roles if acting else "",
            justification=event.justification,
            purpose=event.purpose,
            urgent=event.urgent,
            confirmation=event.confirmation,
        )
        yield ACCOUNTABILITY, encode(record)
    if event.personal is not None:
        yield PERSONAL, encode(event.personal)


def open_journal(store: Store, vault: Vault, trust_domain: str, roster: Mapping[str, Acting], entropy: Callable[[int], bytes]) -> Journal:
    """The journal of this node, with the keys of its details; the first time both are made, durably. Raises as `Vault.lasting_key`."""
    keys = {group: vault.lasting_key(store, f"journal-{group}") for group in (ACCOUNTABILITY, PERSONAL)}
    with store.write() as tx:
        if tx.exec_driver_sql(_EDGE).first() is None:
            insert_rows(tx, journals, [{"generation": 1, "size": 0, "frontier": b"", "last_at": 0}])
    return Journal(trust_domain, roster, keys, entropy)


def columns(entry: JournalEntry) -> dict[str, Any]:
    """What stands beside an entry, to be searched."""
    return {
        "at": entry.at,
        "kind": entry.kind,
        "code": entry.code,
        "party": entry.party,
        "subject": entry.subject,
        "counterparty": entry.counterparty,
        "origin": entry.origin,
        "first": entry.index,
        "count": entry.count,
    }


def purpose_of_detail(generation: int, index: int, group: str) -> bytes:
    """What a sealed detail is bound to, so that it cannot be moved to another entry."""
    return _purpose({"generation": generation, "idx": index}, group)


def _is_person(actor: str) -> bool:
    return actor.startswith("spiffe://") and PartyId.parse(actor).role not in {"node", "agency"}


def _purpose(place: Mapping[str, int], group: str) -> bytes:
    return f"journal detail {place['generation']} {place['idx']} {group}".encode()


def _at(place: Mapping[str, int], group: str) -> tuple[Any, ...]:
    table = journal_details.c
    return table.generation == place["generation"], table.idx == place["idx"], table.detail_group == group


def _row(row: Row[Any]) -> JournalRow:
    return JournalRow(**{name: getattr(row, name) for name in JournalRow.__slots__})
