"""How a question stands, for people: its state and clock on a line, and everything that was said about it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from node.cli.output import facts, heading, note, table
from node.documents import document
from node.short_words import party_name, short, time_cell, time_text, words

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from exchange.v1.desk_service_pb2 import RequestCase


def case_table(cases: "Iterable[RequestCase]") -> "Table":
    """A line for each question to each agency."""
    rows = [
        (
            short(one.manifest_digest),
            f"to {party_name(one.asked)}" if one.own else f"from {party_name(one.asker)}",
            words(document(one)["state"]),
            _clock(one),
            time_cell(one.due_at),
            "urgent" if one.urgent else "",
        )
        for one in cases
    ]
    return table(("!request", "", "state", "clock", "!due (UTC)", ""), rows)


def draw_case(console: "Console", case: "RequestCase") -> None:
    """One question to one agency, whole."""
    rows = [
        ("request", case.manifest_digest.hex()),
        ("asked by", party_name(case.asker)),
        ("asked", party_name(case.asked)),
        ("state", words(document(case)["state"])),
        ("clock", _clock(case)),
        ("started", _started(case)),
        ("due", time_text(case.due_at)),
        ("term", f"{case.term_hours} hours" if case.term_hours else "–"),
        ("ends", time_text(case.not_after)),
        ("opened here", time_text(case.opened_at) if not case.own else ""),
    ]
    console.print(facts([(name, value) for name, value in rows if value]))
    if not case.events:
        console.print(note("\nNothing has come of it yet."))
        return
    console.print(heading("What was said"))
    console.print(table(("what", "who", "!when (UTC)", "!read (UTC)", "why", "against the rules"), map(_event, document(case)["events"])))


def _clock(case: "RequestCase") -> str:
    state = document(case)["clock"]
    if state is None:
        return "not started" if not case.started_at and not case.events else "–"
    return f"{words(state)}: {words(case.stopped_because)}" if case.stopped_because else words(state)


def _started(case: "RequestCase") -> str:
    if not case.started_at:
        return "–"
    by = "by the third attempt to deliver it" if case.started_by_attempts else "by the receipt"
    return f"{time_text(case.started_at)}, {by}"


def _event(one: dict[str, Any]) -> tuple[str, ...]:
    def cell(name: str) -> str:
        return (one[name] or "–").replace("T", " ")[:16]

    why = words(one["reason"] or None)
    if one["withdrawn"]:
        why = "withdrawn since" if not one["reason"] else f"{why}, withdrawn since"
    return (words(one["deed"]), party_name(one["party"]), cell("at"), cell("read_at"), why, one["breach"] or "")
