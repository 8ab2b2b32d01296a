"""How logs stand, as a table."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from node.cli.output import table
from node.short_words import short

if TYPE_CHECKING:
    from rich.table import Table

    from exchange.v1.desk_service_pb2 import LogSummary


def logs_table(logs: "Sequence[LogSummary]") -> "Table":
    """Each log with its size and root: the one hash to compare with the partner's."""
    rows = [(item.origin, str(item.size), str(item.receipted_size), item.state or "–", short(item.root) or "–") for item in logs]
    return table(("log", "size", "receipted", "state", "!root"), rows, right=("size", "receipted"))
