"""Rows of tips, and of what was released, answered and asked for under them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, case, func, or_, select, update

from exchange.v1 import journal_pb2
from exchange.v1.tip_pb2 import TIP_STATE_CLOSED, TIP_STATE_RECEIVED, TIP_STATE_REFERRED
from node.store.insert import insert_rows
from node.store.tables import journal
from node.store.tip_tables import tip_answers, tip_releases, tip_safeguards, tips

HELD: Final = "held"
DESTROYED: Final = "destroyed"
ERASED: Final = "erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class TipRow:
    """One tip as the store holds it: see `node.store.tip_tables`. Times are Unix milliseconds, 0 for never."""

    id: int
    ngo: str
    tip_id: bytes
    reference: str
    state: int
    agency: str
    because: str
    danger: bool
    saved_at: int
    submitted_at: int
    look_by: int
    looked_at: int
    officer: str
    close_reason: int
    digest: bytes | None
    erase_by: int
    period: str
    wrapped_key: bytes | None
    sealed: bytes | None
    content: str
    contact_key: bytes | None
    contact_sealed: bytes | None
    contact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRow:
    """What an agency abroad said of a tip."""

    manifest: bytes
    tip: bytes
    agency: str
    state: int
    received_at: int


def add_tip(tx: Connection, row: TipRow) -> None:
    """Keep a new tip; its `id` is given by the store. Raises `sqlalchemy.exc.IntegrityError` where the NGO used the id before."""
    values = asdict(row)
    del values["id"]
    insert_rows(tx, tips, [values])


def change_tip(tx: Connection, tip: int, values: Mapping[str, Any]) -> None:
    """Set these columns of a tip."""
    tx.execute(update(tips).where(tips.c.id == tip).values(**values))


def tip_of(tx: Connection, ngo: str, tip_id: bytes) -> TipRow | None:
    """The tip of that id that an NGO made."""
    return _one(tx.execute(select(tips).where(tips.c.ngo == ngo, tips.c.tip_id == tip_id)).first())


def tip_called(tx: Connection, reference: str) -> TipRow | None:
    """The tip of that reference."""
    return _one(tx.execute(select(tips).where(tips.c.reference == reference)).first())


def tip_with(tx: Connection, digest: bytes) -> TipRow | None:
    """The tip whose submitted content has that digest."""
    return _one(tx.execute(select(tips).where(tips.c.digest == digest)).first())


def tips_of(tx: Connection, ngo: str, after: int, limit: int) -> list[TipRow]:
    """Those of one NGO with row ids above `after`, oldest first."""
    return [_tip(row) for row in tx.execute(select(tips).where(tips.c.ngo == ngo, tips.c.id > after).order_by(tips.c.id).limit(limit))]


def newest_of(tx: Connection, ngo: str, before: int, limit: int) -> list[TipRow]:
    """Those of one NGO with row ids below `before` (0: all), newest first."""
    query = select(tips).where(tips.c.ngo == ngo).order_by(tips.c.id.desc()).limit(limit)
    return [_tip(row) for row in tx.execute(query.where(tips.c.id < before) if before else query)]


def asked_of(tx: Connection, ngo: str, limit: int) -> list[tuple[str, int, int]]:
    """(reference, code, time) of the safeguarding requests to one NGO about tips that are not closed, newest first."""
    query = (
        select(tips.c.reference, tip_safeguards.c.code, tip_safeguards.c.requested_at)
        .join(tip_safeguards, tip_safeguards.c.tip == tips.c.digest)
        .where(tips.c.ngo == ngo, tips.c.state != int(TIP_STATE_CLOSED))
        .order_by(tip_safeguards.c.id.desc())
        .limit(limit)
    )
    return [(row.reference, row.code, row.requested_at) for row in tx.execute(query)]


def drafts_of(tx: Connection, ngo: str) -> int:
    """How many drafts of an NGO are here that are not erased."""
    query = select(func.count()).where(tips.c.ngo == ngo, tips.c.state == 0, tips.c.content == HELD)
    return tx.execute(query).scalar() or 0


def tips_at(tx: Connection, agency: str, limit: int, *, closed: bool) -> list[TipRow]:
    """Those of one desk: what waits for a first look by when it is due, then the rest, newest first."""
    waiting = tips.c.state.in_((int(TIP_STATE_RECEIVED), int(TIP_STATE_REFERRED)))
    query = select(tips).where(tips.c.agency == agency, tips.c.state != 0)
    if not closed:
        query = query.where(tips.c.state != int(TIP_STATE_CLOSED))
    ordered = query.order_by(waiting.desc(), case((waiting, tips.c.look_by), else_=0), tips.c.submitted_at.desc())
    return [_tip(row) for row in tx.execute(ordered.limit(limit))]


def count_at(tx: Connection, agency: str, *, closed: bool) -> int:
    """How many a desk has."""
    query = select(func.count()).where(tips.c.agency == agency, tips.c.state != 0)
    return tx.execute(query if closed else query.where(tips.c.state != int(TIP_STATE_CLOSED))).scalar() or 0


def tips_past(tx: Connection, now: int, limit: int) -> list[TipRow]:
    """Those whose limit has passed, and of which something is still held."""
    held = or_(tips.c.content == HELD, tips.c.contact == HELD)
    return [_tip(row) for row in tx.execute(select(tips).where(tips.c.erase_by <= now, held).order_by(tips.c.id).limit(limit))]


def count_past(tx: Connection, now: int) -> int:
    """How many there are of these."""
    held = or_(tips.c.content == HELD, tips.c.contact == HELD)
    return tx.execute(select(func.count()).where(tips.c.erase_by <= now, held)).scalar() or 0


def page_tips(tx: Connection, after: int, limit: int) -> list[TipRow]:
    """Those with row ids above `after`, oldest first: for whoever checks the store."""
    return [_tip(row) for row in tx.execute(select(tips).where(tips.c.id > after).order_by(tips.c.id).limit(limit))]


def unrecorded(tx: Connection, limit: int) -> list[bytes]:
    """Digests of tips of which the journal does not say that they came, or, of erased ones, that they were to go."""
    about = journal.c.subject == tips.c.digest
    came = select(journal.c.idx).where(about, journal.c.kind == journal_pb2.JOURNAL_KIND_COLLECTION, journal.c.code == "TIP_RECEIVED")
    went = select(journal.c.idx).where(about, journal.c.kind == journal_pb2.JOURNAL_KIND_ERASURE, journal.c.code == "TIP_INTENDED")
    silent = or_(~came.exists(), and_(tips.c.content != HELD, ~went.exists()))
    return list(tx.execute(select(tips.c.digest).where(tips.c.digest.is_not(None), silent).limit(limit)).scalars())


def lost(tx: Connection, limit: int) -> list[bytes]:
    """Digests of tips that came, as the journal says, and of which nothing is here."""
    here = select(tips.c.id).where(tips.c.digest == journal.c.subject)
    said = (journal.c.kind == journal_pb2.JOURNAL_KIND_COLLECTION, journal.c.code == "TIP_RECEIVED")
    return list(tx.execute(select(journal.c.subject).where(*said, ~here.exists()).limit(limit)).scalars())


def half_erased(tx: Connection, limit: int) -> list[TipRow]:
    """Those of which something was destroyed in the tables and may still stand in the database's journal."""
    gone = or_(tips.c.content == DESTROYED, tips.c.contact == DESTROYED)
    return [_tip(row) for row in tx.execute(select(tips).where(gone).order_by(tips.c.id).limit(limit))]


def add_release(tx: Connection, tip: bytes, manifest: bytes, at: int) -> None:
    """Note that something was released under a tip's thread."""
    insert_rows(tx, tip_releases, [{"tip": tip, "manifest": manifest, "released_at": at}], present_stay=True)


def releases_of(tx: Connection, tip: bytes) -> list[tuple[bytes, int]]:
    """(manifest, time) of what was released under a tip's thread, oldest first."""
    query = select(tip_releases).where(tip_releases.c.tip == tip).order_by(tip_releases.c.released_at, tip_releases.c.manifest)
    return [(row.manifest, row.released_at) for row in tx.execute(query)]


def tip_released_as(tx: Connection, manifest: bytes) -> bytes | None:
    """The digest of the tip under whose thread a manifest was released."""
    digest: bytes | None = tx.execute(select(tip_releases.c.tip).where(tip_releases.c.manifest == manifest).limit(1)).scalar_one_or_none()
    return digest


def add_answer(tx: Connection, row: AnswerRow) -> None:
    """Keep what an agency abroad said; the same manifest again changes nothing."""
    insert_rows(tx, tip_answers, [asdict(row)], present_stay=True)


def answers_about(tx: Connection, tip: bytes) -> list[AnswerRow]:
    """What agencies abroad said of a tip, oldest first."""
    query = select(tip_answers).where(tip_answers.c.tip == tip).order_by(tip_answers.c.received_at, tip_answers.c.manifest)
    return [AnswerRow(**{name: getattr(row, name) for name in AnswerRow.__slots__}) for row in tx.execute(query)]


def add_safeguard(tx: Connection, tip: bytes, code: int, at: int) -> None:
    """Keep a safeguarding request to the NGO."""
    insert_rows(tx, tip_safeguards, [{"tip": tip, "code": code, "requested_at": at}])


def safeguards_of(tx: Connection, tip: bytes) -> list[tuple[int, int]]:
    """(code, time) of the safeguarding requests, oldest first."""
    query = select(tip_safeguards).where(tip_safeguards.c.tip == tip).order_by(tip_safeguards.c.id)
    return [(row.code, row.requested_at) for row in tx.execute(query)]


def _one(row: Row[Any] | None) -> TipRow | None:
    return _tip(row) if row else None


def _tip(row: Sequence[Any]) -> TipRow:
    return TipRow(**{name: getattr(row, name) for name in TipRow.__slots__})
