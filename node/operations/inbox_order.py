"""The order of an inbox: who lands next first, then all else, the newest first.

First stands what may be acted upon of travellers who land, or landed at most two hours ago and may still stand at the desk, as far as the
agency was told when. A page's token names where the page before ended and the moment at which the first was asked for, so that the border
between the two parts stays while somebody reads on, and nothing falls between them.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, replace
from typing import Final

from exchange.errors import Malformed
from node.operations.paging import FROM_THE_NEWEST
from node.operations.work_item import LANDED_MS
from node.store.alerts import AlertRow
from node.store.landings import landings_for, page_landing, page_rest
from node.store.transaction import Transaction

_LIST: Final = "inbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a page begins."""

    since: int
    """Who lands from then on (Unix milliseconds) stands first."""
    lands_at: int
    """Among these, where to go on; 0 once they are all told."""
    before: int
    """Below which row."""


def read_place(token: str, now: int) -> Place:
    """Where the page of a token begins; no token is the first page, asked for `now`. Raises `Malformed` (PAGE_TOKEN)."""
    if not token:
        return Place(since=max(now - LANDED_MS, 1), lands_at=max(now - LANDED_MS, 1), before=FROM_THE_NEWEST)
    try:
        name, *numbers = urlsafe_b64decode(token).decode("ascii").split(" ")
        since, lands_at, before = map(int, numbers)
        in_bounds = 0 < since < FROM_THE_NEWEST and 0 < before <= FROM_THE_NEWEST
        if name == _LIST and in_bounds and (lands_at == 0 or since <= lands_at < FROM_THE_NEWEST):
            return Place(since=since, lands_at=lands_at, before=before)
    except ValueError:
        pass
    raise Malformed("PAGE_TOKEN", "the page token is not one that this list gave out: begin at its first page")


def page_of(tx: Transaction, agency: str, place: Place, size: int) -> tuple[list[AlertRow], str]:
    """So many alerts from there on, and the token of the page after them: empty where the list ends."""
    first: list[AlertRow] = []
    rest = place
    if place.lands_at:
        first = page_landing(tx, agency, (place.lands_at, place.before), size + 1)
        if len(first) > size:
            last = first[size - 1].id
            return first[:size], _token(replace(place, lands_at=landings_for(tx, [last], agency)[last], before=last))
        rest = replace(place, lands_at=0, before=FROM_THE_NEWEST)
    rows = first + page_rest(tx, agency, place.since, rest.before, size + 1 - len(first))
    if len(rows) <= size:
        return rows, ""
    # A page may end where the first part does: then the next begins at the newest of the rest.
    return rows[:size], _token(rest if len(first) == size else replace(rest, before=rows[size - 1].id))


def _token(place: Place) -> str:
    return urlsafe_b64encode(f"{_LIST} {place.since} {place.lands_at} {place.before}".encode()).decode()
