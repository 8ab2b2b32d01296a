"""One alert as a person reads it: what it is, how it may be handled, and every field in one of three states."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from node.cli.output import facts, heading, note, plain
from node.documents import document
from node.short_words import party_name, time_text, words

if TYPE_CHECKING:
    from rich.console import Console

    from exchange.v1.desk_service_pb2 import AlertSummary
    from exchange.v1.handling_pb2 import Handling
    from node.reading import FieldReading


def view_data(alert_type: str, view: bytes, undisclosed: Collection[int]) -> dict[str, Any]:
    """Return the alert in the shape of an alert file: null is not known; `not_disclosed` names what was not told.

    Raises `Malformed` when the view is no alert of that type.
    """
    from node.reading import to_json

    return dict(to_json(alert_type, view, undisclosed))


def draw_alert(
    console: "Console",
    summary: "AlertSummary",
    handling: "Handling",
    view: bytes | None,
    undisclosed: Collection[int],
    *,
    facts_too: Sequence[tuple[str, str]] = (),
) -> None:
    """Print an alert whole, or without its content if `view` is None. `facts_too` are further facts, by name."""
    rows = (
        ("alert", summary.manifest_digest.hex()),
        ("id", _uuid(summary.alert_id)),
        ("type", plain(summary.alert_type).rpartition(".")[2] + (", TRAINING" if summary.training else "")),
        ("from", party_name(summary.originator)),
        ("issued", time_text(summary.issued_at)),
        ("expires", time_text(summary.not_after) if summary.not_after else ""),
        ("flags", ", ".join(map(words, summary.flags))),
        *facts_too,
        ("handling", _handling(handling)),
    )
    console.print(facts(rows))
    if view is not None:
        draw_view(console, summary.alert_type, view, undisclosed)


def draw_view(console: "Console", alert_type: str, view: bytes, undisclosed: Collection[int]) -> None:
    """Print every field: values by category, then what is not known, then what was not disclosed."""
    from node.reading import FieldState, read_view

    readings = read_view(alert_type, view, undisclosed)
    groups: dict[str, list[FieldReading]] = {}
    for reading in readings:
        if reading.state is FieldState.VALUE:
            groups.setdefault(reading.category_label, []).append(reading)
    for category, members in groups.items():
        console.print(heading(category[:1].upper() + category[1:]))
        console.print(facts((_label(reading), "\n".join(reading.lines)) for reading in members))
    for state, title in (
        (FieldState.NOT_KNOWN, "Not known (the originator has no value)"),
        (FieldState.NOT_DISCLOSED, "Not disclosed (whether there is a value was not told)"),
    ):
        labels = [reading.label for reading in readings if reading.state is state]
        if labels:
            console.print(heading(title))
            console.print(note(", ".join(labels)))


def _label(reading: "FieldReading") -> str:
    return f"{reading.label} ({reading.certainty_label})" if reading.certainty_label else reading.label


def _handling(handling: "Handling") -> str:
    data = document(handling)
    parts = [
        ", ".join(data["codes"]) or "H0",
        f"for {', '.join(map(words, data['permitted_purposes']))}" if data["permitted_purposes"] else "for no purpose stated",
        {"ALLOWED": "may be used in court", "ASK": "in court only if asked"}.get(data["judicial_use"], "not for use in court"),
        "passed on only if asked" if data["onward"] == "ASK" else "not to be passed on",
        f"kept {handling.retention_days} days at most" if handling.retention_days else "",
        "confirm before coercive action" if handling.confirm_before_coercive_action else "",
    ]
    return "\n".join(part for part in parts if part)


def _uuid(raw: bytes) -> str:
    from exchange.values import format_uuid

    return format_uuid(raw) if raw else ""
