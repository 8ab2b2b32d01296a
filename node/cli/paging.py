"""Gathering a list that the desk gives page by page (AIP-158)."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

Item = TypeVar("Item")

_PAGE: Final = 200


def collect(page: Callable[[int, str], tuple[Sequence[Item], str]], limit: int) -> tuple[list[Item], bool]:
    """Ask for pages until there are `limit` items or no more; tell also whether there would be more.

    `page` is given how many items it may return and the token of the page, and returns items and the next token.
    """
    found: list[Item] = []
    token = ""
    while True:
        items, token = page(min(_PAGE, limit - len(found)), token)
        found += items[: limit - len(found)]
        if not token or len(found) >= limit:
            return found, bool(token)
