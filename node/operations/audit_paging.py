"""Pages of an auditor's list (AIP-158): a token is opaque, and good only for the list, filter and order that it was given for."""

import hashlib
import struct
from base64 import b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Sequence

from exchange.errors import Malformed

_DOMAIN = b"alert-exchange audit page\0"
_BINDING = 16
ORDERS = ("oldest", "newest")


def check_order(order_by: str) -> bool:
    """Whether a list begins with the newest; an empty order is the oldest first. Raises `Malformed` (ORDER_BY)."""
    if order_by and order_by not in ORDERS:
        raise Malformed("ORDER_BY", f"a list is ordered by {' or '.join(ORDERS)}")
    return order_by == "newest"


def digest_of(*asked: str) -> bytes:
    """32 bytes that stand for a list, its filter and its order: in a page token, and as the subject in the journal."""
    state = hashlib.sha256(_DOMAIN)
    for part in asked:
        data = part.encode()
        state.update(len(data).to_bytes(4, "big") + data)
    return state.digest()


def write_token(asked: bytes, position: Sequence[int]) -> str:
    """The token of the page that begins at `position`, of the list `asked` (as of `digest_of`)."""
    return urlsafe_b64encode(asked[:_BINDING] + struct.pack(f">{len(position)}Q", *position)).decode()


def read_token(asked: bytes, token: str, numbers: int) -> tuple[int, ...] | None:
    """The position in a token, so many numbers below 2⁶³; None for an empty one, which means the first page.

    Raises `Malformed` (PAGE_TOKEN), also for a token of another list, filter or order.
    """
    if not token:
        return None
    try:
        data = b64decode(token, altchars=b"-_", validate=True)
    except (Error, ValueError):
        data = b""
    position = data[_BINDING:]
    if data[:_BINDING] == asked[:_BINDING] and len(position) == 8 * numbers:
        found: tuple[int, ...] = struct.unpack(f">{numbers}Q", position)
        if max(found) < 2**63:
            return found
    raise Malformed("PAGE_TOKEN", "the page token is not one that this list gave out for this filter: begin at its first page")
