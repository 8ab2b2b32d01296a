"""What a release rests on beside its author: who approved exactly what was previewed, and what they signed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from exchange.v1 import desk_service_pb2
from node.confirmations import Confirmation
from node.operations.release import NotReleased, Prepared

Together = Callable[[Sequence[Prepared | NotReleased]], list[desk_service_pb2.PublishedAlert]]
"""Gives releases their places, all at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """The approvals of one submission."""

    approvers: tuple[str, ...] = ()
    """SPIFFE IDs."""
    urgent: bool = False
    """By word of mouth."""
    seen: bytes = b""
    """Digest of the preview that was approved; empty where nobody was asked."""
    confirmations: tuple[Confirmation, ...] = ()


ALONE: Final = Approved()
"""By its author alone."""
