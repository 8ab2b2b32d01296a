"""The preview: each field, each recipient, what it would see of it, and the clause that decided."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from node.cli.output import plain
from node.cli.problems import problem_table
from node.documents import enum_name
from node.short_words import party_name, words

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from exchange.v1.desk_service_pb2 import RecipientPreview

_MARKS: Final[Mapping[str, tuple[str, str, str]]] = {
    "SHOWN": ("●", "green", "shown"),
    "SHOWN_NOT_KNOWN": ("○", "cyan", "shown as: not known"),
    "NEEDS_REASON": ("?", "yellow", "withheld: needs a reason of this case (on_request)"),
    "UNTICKED": ("□", "yellow", "withheld: left out by you (leave_out)"),
    "FORBIDDEN": ("·", "dim", "withheld: the clause does not permit it"),
}


def draw_matrix(console: "Console", recipients: "Sequence[RecipientPreview]") -> None:
    """Print the matrix, its legend, and why nothing can go to whom, or not yet."""
    open_to = [recipient for recipient in recipients if recipient.fields]
    if open_to:
        console.print(_matrix(open_to))
        console.print(_legend(open_to))
    for recipient in recipients:
        if recipient.denied:
            name = party_name(plain(recipient.recipient))
            console.print(f"\nNothing goes to {name} yet:" if recipient.fields else f"\nNothing can go to {name}:", style="bold")
            console.print(problem_table(recipient.denied))
    for recipient in open_to:
        _draw_limits(console, recipient)


def _draw_limits(console: "Console", recipient: "RecipientPreview") -> None:
    name = party_name(plain(recipient.recipient))
    if recipient.emergency:
        console.print(f"{name}: by an agreement for an emergency, once; a colleague reviews it within a day.", style="yellow")
    if recipient.rate_cap_per_day:
        console.print(f"{name}: {recipient.rate_left} of {recipient.rate_cap_per_day} releases a day are left under this clause.")


def _matrix(recipients: "Sequence[RecipientPreview]") -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, show_edge=False, padding=(0, 2, 0, 0))
    drawn.add_column("field", no_wrap=True)
    drawn.add_column("category", style="dim", no_wrap=True)
    for recipient in recipients:
        drawn.add_column(party_name(plain(recipient.recipient)), justify="center")
    names = {f.field: (plain(f.name), words(f.category)) for recipient in recipients for f in recipient.fields}
    seen = [_visibilities(recipient) for recipient in recipients]
    for number, (name, category) in sorted(names.items()):
        drawn.add_row(name, category, *(_mark(column.get(number, "FORBIDDEN")) for column in seen))
    drawn.add_section()
    shown = [sum(visibility.startswith("SHOWN") for visibility in column.values()) for column in seen]
    drawn.add_row(Text("shown", style="bold"), "", *(Text(f"{count} of {len(names)}", style="bold") for count in shown))
    drawn.add_row("clause", "", *(Text(plain(recipient.clause or "–")) for recipient in recipients))
    return drawn


def _visibilities(recipient: "RecipientPreview") -> dict[int, str]:
    from exchange.v1.desk_service_pb2 import Visibility

    # What this version cannot name is not shown to anybody as disclosed.
    return {field.field: enum_name(Visibility.DESCRIPTOR, field.visibility) or "FORBIDDEN" for field in recipient.fields}


def _mark(visibility: str) -> "Text":
    from rich.text import Text

    mark, style, _ = _MARKS.get(visibility, ("·", "dim", ""))
    return Text(mark, style=style)


def _legend(recipients: "Sequence[RecipientPreview]") -> "Text":
    from rich.text import Text

    used = {visibility for recipient in recipients for visibility in _visibilities(recipient).values()}
    legend = Text("\n")
    for visibility, (mark, style, meaning) in _MARKS.items():
        if visibility in used:
            legend.append(f"{mark} ", style=style).append(f"{meaning}\n", style="dim")
    return legend
