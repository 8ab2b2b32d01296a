"""The life of a tip at the desks, and by when somebody must have looked. Pure: the store keeps what is decided here."""

from collections.abc import Mapping
from typing import Final

from exchange.errors import Conflict
from exchange.v1.tip_pb2 import (
    TIP_STATE_ACTED_UPON,
    TIP_STATE_CLOSED,
    TIP_STATE_RECEIVED,
    TIP_STATE_REFERRED,
    TIP_STATE_UNDER_ASSESSMENT,
    TipState,
)

State = TipState
"""Where a tip stands: one of its numbers, or `DRAFT`."""

DRAFT: Final = 0
"""Saved by the NGO and not submitted: no desk sees it."""

AFTER: Final[Mapping[int, frozenset[int]]] = {
    TIP_STATE_RECEIVED: frozenset({TIP_STATE_UNDER_ASSESSMENT}),
    TIP_STATE_UNDER_ASSESSMENT: frozenset({TIP_STATE_ACTED_UPON, TIP_STATE_REFERRED, TIP_STATE_CLOSED}),
    TIP_STATE_REFERRED: frozenset({TIP_STATE_UNDER_ASSESSMENT}),
    TIP_STATE_ACTED_UPON: frozenset({TIP_STATE_UNDER_ASSESSMENT, TIP_STATE_CLOSED}),
    TIP_STATE_CLOSED: frozenset(),
}
"""What each state may become. Nobody acts on, refers or closes what nobody has looked at; what is closed stays closed."""

WAITING: Final = frozenset({TIP_STATE_RECEIVED, TIP_STATE_REFERRED})
"""A desk has it and nobody there has looked: the clock runs."""


def check_step(now: int, wanted: int) -> int:
    """The state that a tip takes. Raises `Conflict` (TIP_STATE) if it can't become that from where it stands."""
    if wanted not in AFTER.get(now, frozenset()):
        raise Conflict("TIP_STATE", "a tip can't go from the state that it is in to this one: see `exchange tip show`")
    return wanted


def is_late(state: int, *, look_by: int, looked_at: int, now: int) -> bool:
    """Whether the first look came, or still waits, after its time. Times are Unix milliseconds; `looked_at` is 0 while nobody has."""
    if state == DRAFT:
        return False
    return looked_at > look_by if looked_at else state in WAITING and now > look_by
