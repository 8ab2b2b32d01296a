"""What is left of an alert when its content is gone, and what an auditor sees of any: who was told, when, which fields, which clause."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from node.cli.output import facts, heading, note, plain, table
from node.documents import document
from node.short_words import party_name, state_text, time_cell, time_text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from exchange.v1.desk_service_pb2 import AlertSummary, DisclosureStatus, LoggedDisclosure

ERASED = "ERASED"


def record_table(alert_type: str, told: "Iterable[LoggedDisclosure]") -> "Table":
    """One row for each disclosure, with the names of its fields."""
    names = _field_names(alert_type)
    rows = [
        (
            "\n".join(map(party_name, item.audience)),
            time_cell(item.disclosed_at),
            ", ".join(names.get(number, str(number)) for number in item.fields),
            item.clause or "–",
            f"{item.origin} {item.index}",
        )
        for item in told
    ]
    return table(("to", "!told (UTC)", "fields", "clause", "log and index"), rows)


def draw_status(console: "Console", alert_type: str, told: "Iterable[DisclosureStatus]") -> None:
    """Print the same with what became of each; the names of the fields below, for they are many."""
    from rich.padding import Padding

    names = _field_names(alert_type)
    rows, fields = [], []
    for item in told:
        data = document(item)
        rows.append(
            (
                "\n".join(map(party_name, item.disclosure.audience)),
                time_cell(item.disclosed_at),
                state_text(data["state"], data["exception"], data["withheld"]),
                item.disclosure.clause or "–",
            )
        )
        told_fields = ", ".join(names.get(number, str(number)) for number in item.disclosure.fields)
        fields.append((f"{item.disclosure.origin}#{item.disclosure.index}", told_fields))
    console.print(table(("to", "!told (UTC)", "state", "clause"), rows))
    for entry, named in fields:
        console.print(f"\n{plain(entry)}")
        console.print(Padding(named, (0, 0, 0, 2)))


def draw_erased(console: "Console", summary: "AlertSummary", told: "Iterable[LoggedDisclosure]") -> None:
    """Print what is left of an erased alert."""
    rows = (
        ("alert", summary.manifest_digest.hex()),
        ("type", plain(summary.alert_type).rpartition(".")[2]),
        ("from", party_name(summary.originator)),
        ("issued", time_text(summary.issued_at)),
        ("content", "erased"),
    )
    console.print(facts(rows))
    console.print(heading("Who was told"))
    console.print(record_table(summary.alert_type, told))
    console.print(
        note(
            "\nThe content is gone here. Evidence can be exported at level entry_only; exchange audit erasure-proof ALERT proves the rest."
        )
    )


def _field_names(alert_type: str) -> dict[int, str]:
    from exchange.profile import alert_types

    kind = alert_types().get(alert_type)
    return {field.number: field.name for field in kind.fields} if kind else {}
