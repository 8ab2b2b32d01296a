"""Which alerts an agency still has to answer: two questions that go by an index and stop early, since an inbox may be long."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from node.store.plain import ask
from node.store.tables import NOT_TRAVEL

ACKNOWLEDGEMENT: Final = "exchange.v1.Acknowledgement"
NO_REPORTS: Final = frozenset({ACKNOWLEDGEMENT, "exchange.v1.InformationRequest", "exchange.v1.OnwardNotice", "exchange.v1.OnwardRequest"})
"""What names an alert and says nothing of what happened: somebody read it, asks something of it, or passed it on."""

_OPEN: Final = (
    "alerts.state = 'active' AND alerts.alert_type IN {types} AND (alerts.not_after = 0 OR alerts.not_after > ?) "
    "AND NOT EXISTS (SELECT 1 FROM answers CROSS JOIN alerts AS mine ON mine.digest = answers.answer "
    "WHERE answers.answered = alerts.digest AND answers.outbound AND NOT answers.mis_hit "
    "AND mine.originator = ? AND mine.alert_type NOT IN {said})"
)
_TOLD: Final = "EXISTS (SELECT 1 FROM inbox WHERE inbox.agency = ? AND inbox.alert_ref = alerts.id)"
# CROSS JOIN keeps SQLite to the order in which the tables are named.
_LANDING: Final = (
    "SELECT alerts.id FROM landings CROSS JOIN alerts ON alerts.id = landings.alert_ref "  # noqa: S608 - our own text, values are bound
    f"WHERE landings.agency = ? AND landings.lands_at >= ? AND {_TOLD} AND {_OPEN} ORDER BY landings.lands_at, landings.alert_ref LIMIT ?"
)
_NEWEST: Final = (
    "SELECT alerts.id FROM inbox CROSS JOIN alerts ON alerts.id = inbox.alert_ref "  # noqa: S608 - our own text, values are bound
    f"WHERE inbox.agency = ? AND {_OPEN} ORDER BY inbox.alert_ref DESC LIMIT ?"
)
_ACKNOWLEDGED: Final = (
    "SELECT alerts.id FROM alerts AS said CROSS JOIN answers ON answers.answer = said.digest AND answers.outbound "  # noqa: S608 - our own text, values are bound
    f"CROSS JOIN alerts ON alerts.digest = answers.answered WHERE said.{NOT_TRAVEL} AND said.alert_type = ? AND said.originator = ? "
    f"AND {_TOLD} AND {_OPEN} ORDER BY said.id DESC LIMIT ?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """An alert (its row) that an agency was given and has not reported on, and whether it has acknowledged it."""

    alert_ref: int
    acknowledged: bool


def unanswered(tx: Connection, agency: str, types: Collection[str], *, since: int, now: int, limit: int) -> list[Unanswered]:
    """Alerts of these types in force that the agency has not reported on. Times are Unix milliseconds.

    That somebody else came is no report on the person whom the alert is about.

    First so many unacknowledged ones whose traveller, as the agency was told, lands at `since` or later, the next landing first; then so
    many of all unacknowledged ones, the newest first; then so many of those that it has acknowledged, the last of these first.
    """
    found: dict[int, Unanswered] = {}
    for text, begins, acknowledged in (
        (_LANDING, (agency, since, agency), False),
        (_NEWEST, (agency,), False),
        (_ACKNOWLEDGED, (ACKNOWLEDGEMENT, agency, agency), True),
    ):
        said = NO_REPORTS if acknowledged else NO_REPORTS - {ACKNOWLEDGEMENT}
        question = text.format(types=_marks(types), said=_marks(said))
        for (reference,) in ask(tx, question, (*begins, *sorted(types), now, agency, *sorted(said), limit)):
            found.setdefault(reference, Unanswered(alert_ref=reference, acknowledged=acknowledged))
    return list(found.values())


def _marks(values: Collection[str]) -> str:
    return f"({', '.join('?' * len(values))})"
