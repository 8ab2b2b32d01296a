"""`exchange work`: what needs a person now, most urgent first."""

from typing import TYPE_CHECKING, Any, Final

import click

from node.cli.command import Noun
from node.cli.context import ask, open_desk
from node.cli.output import note, plain, show, table
from node.documents import document, enum_name, moment_of
from node.short_words import party_name, short, time_text, words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from exchange.v1.desk_service_pb2 import WorkItem

_ZONED: Final = "%Y-%m-%d %H:%M"


@click.group(cls=Noun)
def work() -> None:
    """What needs you now, most urgent first."""


@work.command("list")
@click.option("--all", "everything", is_flag=True, help="Also what needs nobody yet: it waits for others, was looked at, or is due later.")
def list_(everything: bool) -> None:  # noqa: FBT001  click calls it
    """List what needs you or your agency: what lands next, what is overdue, what is due, and the command that comes next."""
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        answer = ask(desk.ListWork, desk_service_pb2.ListWorkRequest(all=everything))

    def draw(console: "Console") -> None:
        if not answer.items:
            console.print(note("Nothing needs you now." if everything else "Nothing needs you now. What comes later: --all"))
            return
        console.print(table(*work_table(answer.items)))
        if answer.left_off:
            console.print(note(f"\nThere are {answer.left_off} more, all less urgent."))

    items = [
        {
            **document(item),
            "due_local": _local(item.due_at, item.zone),
            "lands_local": _local(item.lands_at, item.zone),
            "departs_local": _local(item.departs_at, item.departs_zone),
        }
        for item in answer.items
    ]
    show({"work": items, "left_off": answer.left_off}, draw)


@work.command()
@click.argument("alarm")
@click.option("--reason", required=True, help="What you found and did; kept sealed, and journalled.")
def settle(alarm: str, reason: str) -> None:
    """Set ALARM aside once you have looked into it: its reference, or the first 8 digits. It comes back if its cause does.

    What was kept as evidence stays.
    """
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        done = ask(desk.SettleAlarm, desk_service_pb2.SettleAlarmRequest(reference=alarm, reason=reason))
    about = " ".join(filter(None, (party_name(done.partner), done.origin)))
    show(document(done), lambda console: console.print(f"Set aside: {done.code}, {plain(about)}."))


def work_table(items: "Iterable[WorkItem]") -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Head and rows of a table of work."""
    return ("what", "!reference", "with", "!due", "!next"), [_row(item) for item in items]


def _row(item: "WorkItem") -> tuple[str, ...]:
    state = "escalated" if item.escalated else "overdue" if item.overdue else "later" if item.later else ""
    due = [text for text in (state, _due(item.due_at, item.zone)) if text]
    if item.lands_at and item.lands_at != item.due_at:
        due.append(f"lands {_due(item.lands_at, item.zone)}")
    detail = words(item.detail) if item.detail.isupper() else item.detail
    if item.departs_at:
        due.append(f"departs {_due(item.departs_at, item.departs_zone)}")
    what = "\n".join(filter(None, (words(_kind(item)), plain(detail))))
    return what, short(item.reference), party_name(item.counterparty) or "–", "\n".join(due) or "–", plain(item.command) or "in the console"


def _kind(item: "WorkItem") -> str:
    from exchange.v1.desk_service_pb2 import WorkKind

    return enum_name(WorkKind.DESCRIPTOR, item.kind) or "unknown"


def _due(milliseconds: int, zone: str) -> str:
    local = _local(milliseconds, zone)
    there = f"{local.rpartition(' ')[0]} {_city(zone)}" if local else ""
    return "\n".join(filter(None, (there, time_text(milliseconds)))) if milliseconds else ""


def _city(zone: str) -> str:
    return plain(zone.rpartition("/")[2].replace("_", " "))


def _local(milliseconds: int, zone: str) -> str | None:
    """The time that the clock at that port shows, and its zone; None if there is none, or the zone is not one that is known here."""
    from zoneinfo import ZoneInfo

    moment: Any = moment_of(milliseconds)
    if moment is None or not zone:
        return None
    try:
        return f"{moment.astimezone(ZoneInfo(zone)).strftime(_ZONED)} {zone}"
    except (ValueError, KeyError, OSError, OverflowError):
        return None
