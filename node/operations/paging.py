"""Lists in pages (AIP-158): how many at once, and where the next page begins."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

from exchange.errors import Malformed

PAGE, PAGE_AT_MOST = 50, 500
FROM_THE_NEWEST = 2**63 - 1


def page_size(asked: int, at_most: int = PAGE_AT_MOST) -> int:
    """How many items a page holds; 0 asks for the default, too many for as many as there may be. Raises `Malformed` (PAGE_SIZE)."""
    if asked < 0:
        raise Malformed("PAGE_SIZE", "a page size is not negative")
    return min(asked or PAGE, at_most)


def page_token(of: str, before: int) -> str:
    """The token of the page of the list `of` that begins below row `before`."""
    return urlsafe_b64encode(f"{of} {before}".encode()).decode()


def read_token(of: str, token: str) -> int:
    """Undo `page_token`; the first page has no token. Raises `Malformed` (PAGE_TOKEN), also for a token of another list."""
    if not token:
        return FROM_THE_NEWEST
    try:
        name, _, before = urlsafe_b64decode(token).decode("ascii").partition(" ")
        if name == of and 0 < int(before) <= FROM_THE_NEWEST:
            return int(before)
    except ValueError:
        pass
    raise Malformed("PAGE_TOKEN", "the page token is not one that this list gave out: begin at its first page")
