"""An agreement as tables: for each direction and alert type, each field by each class of recipient."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from node.cli.errors import USAGE, Trouble
from node.cli.output import facts, heading, note, plain
from node.documents import enum_name
from node.short_words import party_name, words

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from exchange.v1.agreement_pb2 import Agreement, Clause

_MARKS: Final[Mapping[str, tuple[str, str, str]]] = {
    "required": ("●", "green", "always sent, and must be known"),
    "permitted": ("○", "green", "sent unless the officer leaves it out"),
    "on_request": ("?", "yellow", "only with a reason of the case"),
    "forbidden": ("·", "dim", "never sent"),
}


def matrix_data(agreement: "Agreement", alert_type: str | None) -> list[dict[str, Any]]:
    """Every clause with its mark for each field by name; only of one alert type (short name) where that is given.

    Raises `Trouble` when the agreement has no clause of that type.
    """
    from exchange.v1.agreement_pb2 import AgencyClass

    clauses = _clauses(agreement, alert_type)
    return [
        {
            "clause": clause.id,
            "sender": clause.sender,
            "recipient": clause.recipient,
            "alert_type": clause.alert_type,
            "audience": enum_name(AgencyClass.DESCRIPTOR, clause.audience),
            "agencies": _agencies(agreement, clause),
            "fields": _marks(clause),
        }
        for clause in clauses
    ]


def draw_matrices(console: "Console", agreement: "Agreement", alert_type: str | None) -> None:
    """Print one table for each direction and alert type, the conditions below it, and the legend at the end."""
    groups: dict[tuple[str, str, str], list[Clause]] = {}
    for clause in _clauses(agreement, alert_type):
        groups.setdefault((clause.sender, clause.recipient, clause.alert_type), []).append(clause)
    for (sender, recipient, kind), clauses in groups.items():
        short = plain(kind).rpartition(".")[2]
        console.print(heading(f"{short}, from {sender} to {recipient}"))
        console.print(_table(agreement, clauses))
        together: dict[str, list[str]] = {}
        for clause in clauses:
            together.setdefault(_conditions(clause), []).append(clause.id)
        console.print(facts(("\n".join(ids), conditions) for conditions, ids in together.items()))
    if groups:
        console.print(note("\n" + "   ".join(f"{mark} {meaning}" for mark, _, meaning in _MARKS.values())))


def _clauses(agreement: "Agreement", alert_type: str | None) -> "list[Clause]":
    found = [clause for clause in agreement.clauses if alert_type in {None, clause.alert_type.rpartition(".")[2]}]
    if alert_type and not found:
        raise Trouble(
            USAGE,
            "ALERT_TYPE",
            "The agreement has no clause for that alert type.",
            next_step="Leave out --type to see those that it has.",
        )
    return found


def _agencies(agreement: "Agreement", clause: "Clause") -> list[str]:
    home = f"spiffe://{clause.recipient}/"
    return [item.agency for item in agreement.agencies if item.agency_class == clause.audience and item.agency.startswith(home)]


def _marks(clause: "Clause") -> dict[str, str]:
    from exchange.profile import alert_types

    kind = alert_types().get(clause.alert_type)
    named = {field.number: field.name for field in kind.fields} if kind else {}
    numbers = named.keys() | {*clause.required, *clause.permitted, *clause.on_request}
    lists = {"required": clause.required, "permitted": clause.permitted, "on_request": clause.on_request}
    return {
        named.get(number, f"field_{number}"): next((mark for mark, of in lists.items() if number in of), "forbidden")
        for number in sorted(numbers)
    }


def _table(agreement: "Agreement", clauses: "list[Clause]") -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from exchange.v1.agreement_pb2 import AgencyClass

    drawn = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, show_edge=False, padding=(0, 2, 0, 0))
    drawn.add_column("field", no_wrap=True)
    for clause in clauses:
        audience = words(enum_name(AgencyClass.DESCRIPTOR, clause.audience))
        agencies = "\n".join(party_name(plain(agency)) for agency in _agencies(agreement, clause)) or "nobody yet"
        drawn.add_column(Text(audience).append(f"\n{agencies}", style="dim"), justify="center")
    columns = [_marks(clause) for clause in clauses]
    for name in columns[0]:
        marks = [_MARKS[column.get(name, "forbidden")] for column in columns]
        drawn.add_row(name, *(Text(mark, style=style) for mark, style, _ in marks))
    return drawn


def _conditions(clause: "Clause") -> str:
    from node.documents import document

    data = document(clause)
    parts = [
        f"for {', '.join(map(words, data['purposes']))}",
        f"kept {clause.maximum_retention_days} days at most",
        {"NONE": "not passed on", "ASK": "passed on only if asked"}.get(data["onward"] or "NONE", ""),
        f"answer within {clause.response_hours} hours" if clause.response_hours else "",
        f"{clause.approvals} more to approve" if clause.approvals else "",
        f"conditions: {', '.join(map(words, data['transfer_conditions']))}" if clause.transfer_conditions else "",
        f"at most {clause.rate_cap_per_day} a day" if clause.rate_cap_per_day else "",
    ]
    return "; ".join(part for part in parts if part)
