"""Where the page of an entry is: named by its log and its index, which tell nothing of a person."""

import re
from typing import Final

from exchange.errors import ExchangeError, NotFound
from exchange.journal import is_journal_origin, journal_origin, parse_journal_origin
from exchange.log import LogName
from node.console.visits import Visit

NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,17}")
GENERATION: Final = re.compile(r"[1-9][0-9]{0,8}")


def place_path(origin: str, index: int) -> str:
    """Where the page of one entry is, of a journal or of a disclosure log; empty for what is neither."""
    try:
        if is_journal_origin(origin):
            return f"/audit/journal/{parse_journal_origin(origin)[1]}/{index}"
        name = LogName.parse(origin)
    except ExchangeError:
        return ""
    return f"/audit/disclosures/{name.sender}/{name.recipient}/{name.generation}/{index}"


def place_of(visit: Visit, trust_domain: str) -> tuple[str, int]:
    """(origin, index) of what the path of a page names, a journal's or a disclosure log's. Raises `NotFound` (PATH_UNKNOWN)."""
    place = visit.place
    if GENERATION.fullmatch(place["generation"]) and NUMBER.fullmatch(place["index"]):
        if "sender" in place:
            origin = f"{place['sender']}/disclosures/{place['recipient']}/{place['generation']}"
        else:
            origin = journal_origin(trust_domain, int(place["generation"]))
        if place_path(origin, 0):
            return origin, int(place["index"])
    raise NotFound("PATH_UNKNOWN", "there is no such page")
