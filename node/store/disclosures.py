"""What auditors ask about disclosures beside the entries themselves: the alerts' metadata, corrections, conflicts. No content."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, select

from exchange.errors import NotFound
from node.store.alerts import PREFIX_AT_LEAST
from node.store.plain import ask, ask_among, select_text
from node.store.tables import alerts, conflicts, supersessions


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFacts:
    """What is not content of an alert. Times are Unix milliseconds."""

    id: int
    alert_id: bytes
    digest: bytes
    own: bool
    alert_type: str
    originator: str
    issued_at: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertKey:
    """What unwraps an alert's data key."""

    alert_id: bytes
    period: str
    wrapped_key: bytes | None


_FACTS = [alerts.c[name] for name in AlertFacts.__slots__]
_BY_ID = select_text(alerts, _FACTS, "WHERE id IN")
_CORRECTED = select_text(supersessions, [supersessions.c.later, supersessions.c.earlier], "WHERE later IN")
_CONFLICTING = select_text(conflicts, [conflicts.c.idx], "WHERE log_id = ? AND idx >= ? AND idx < ?")
_TYPES = (
    "SELECT entries.entry, alerts.alert_type FROM entries LEFT JOIN alerts ON alerts.id = entries.alert_ref "
    "WHERE entries.log_id = ? AND entries.idx >= ? AND entries.idx < ? ORDER BY entries.idx"
)
_CORRECTING = (  # CROSS JOIN keeps SQLite to the order in which the tables are named.
    "SELECT DISTINCT entries.idx FROM entries CROSS JOIN alerts ON alerts.id = entries.alert_ref "
    "CROSS JOIN supersessions ON supersessions.later = alerts.digest WHERE entries.log_id = ? AND entries.idx >= ? AND entries.idx < ?"
)


def facts_by_id(tx: Connection, ids: Collection[int]) -> dict[int, AlertFacts]:
    """Alerts by row id."""
    found = {}
    for reference, alert_id, digest, own, *rest in ask_among(tx, _BY_ID, ids):
        alert_type, originator, issued_at, state = rest
        found[reference] = AlertFacts(
            id=reference,
            alert_id=alert_id,
            digest=digest,
            own=bool(own),
            alert_type=alert_type,
            originator=originator,
            issued_at=issued_at,
            state=state,
        )
    return found


def keys_by_id(tx: Connection, ids: Collection[int]) -> dict[int, AlertKey]:
    """Wrapped data keys by row id of the alert."""
    if not ids:
        return {}
    query = select(alerts.c.id, alerts.c.alert_id, alerts.c.period, alerts.c.wrapped_key).where(alerts.c.id.in_(list(ids)))
    return {row.id: AlertKey(alert_id=row.alert_id, period=row.period, wrapped_key=row.wrapped_key) for row in tx.execute(query)}


def find_facts(tx: Connection, text: str) -> AlertFacts:
    """The one alert, our own or received, whose id or digest begins with `text` (hex, hyphens allowed).

    Raises `NotFound`: ALERT_REFERENCE (no beginning of an id), ALERT_NOT_FOUND, ALERT_AMBIGUOUS.
    """
    wanted = text.replace("-", "").lower()
    if not PREFIX_AT_LEAST <= len(wanted) <= 64 or wanted.strip("0123456789abcdef"):
        raise NotFound("ALERT_REFERENCE", "give an alert id or a manifest digest in hex, or at least its first 8 characters")
    odd = len(wanted) % 2
    low, high = bytes.fromhex(wanted + "0" * odd), bytes.fromhex(wanted + "f" * odd) + b"\xff" * 32
    query = select(*_FACTS).where(alerts.c.alert_id.between(low, high) | alerts.c.digest.between(low, high)).limit(2)
    found = [AlertFacts(**row._asdict()) for row in tx.execute(query)]
    if not found:
        raise NotFound("ALERT_NOT_FOUND", "there is no such alert here")
    if len(found) > 1:
        raise NotFound("ALERT_AMBIGUOUS", "more than one alert begins like this: give more characters")
    return found[0]


def corrected_by(tx: Connection, digests: Collection[bytes]) -> dict[bytes, list[bytes]]:
    """Of these manifests, those that correct earlier ones, and which."""
    found: dict[bytes, list[bytes]] = {}
    for later, earlier in sorted(ask_among(tx, _CORRECTED, set(digests))):
        found.setdefault(later, []).append(earlier)
    return found


def correcting(tx: Connection, log_id: int, start: int, end: int) -> set[int]:
    """Indexes of a log from `start` up to `end` whose manifest corrects an earlier one."""
    return {index for (index,) in ask(tx, _CORRECTING, (log_id, start, end))}


def logged_types(tx: Connection, log_id: int, start: int, end: int) -> list[tuple[bytes, str]]:
    """(entry, type of its alert or empty) of a log from `start` up to `end`."""
    return [(entry, alert_type or "") for entry, alert_type in ask(tx, _TYPES, (log_id, start, end))]


def conflicting(tx: Connection, log_id: int, start: int, end: int) -> set[int]:
    """Indexes of a log from `start` up to `end` whose manifest contradicted another and was not taken into use."""
    return {index for (index,) in ask(tx, _CONFLICTING, (log_id, start, end))}
