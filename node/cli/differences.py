"""What differs between two copies of a log, as a table, and the exit code that it means."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from node.cli.errors import SUCCESS, VERIFICATION_FAILED
from node.cli.output import heading, table
from node.documents import document
from node.short_words import short, time_cell, words

if TYPE_CHECKING:
    from rich.console import Console

    from exchange.v1.desk_service_pb2 import LogDifference


def exit_code(found: "Sequence[LogDifference]") -> int:
    """4 if anything is critical or of priority."""
    from exchange.v1 import desk_service_pb2 as messages

    grave = {messages.FINDING_GRADE_CRITICAL, messages.FINDING_GRADE_PRIORITY}
    return VERIFICATION_FAILED if any(one.grade in grave for one in found) else SUCCESS


def draw_differences(console: "Console", found: "Sequence[LogDifference]", *, good: str) -> None:
    """Draw the differences, or that there are none."""
    if not found:
        console.print(f"\n{good}", style="green")
        return
    console.print(heading("Differences"))
    rows = [
        (
            words(document(one)["grade"]),
            one.code,
            f"{one.origin} {one.index}" + (f"–{one.index + one.count - 1}" if one.count > 1 else ""),
            time_cell(one.disclosed_at),
            short(one.manifest_digest) or "–",
            one.message,
        )
        for one in found
    ]
    console.print(table(("grade", "!code", "where", "!disclosed (UTC)", "!alert", "what"), rows))
