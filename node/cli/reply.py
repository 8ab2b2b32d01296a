"""What short replies have in common: the desk that sends them, times as a person writes them, and what came of it."""

from typing import TYPE_CHECKING

import click

from node.cli.context import settings
from node.cli.errors import REFUSED, SUCCESS, USAGE, Trouble
from node.cli.output import facts, show
from node.cli.problems import problem_table
from node.documents import document
from node.short_words import party_name

if TYPE_CHECKING:
    from rich.console import Console

    from exchange.v1.desk_service_pb2 import PublishedAlert
    from exchange.v1.people_pb2 import ContactDesk


def own_desk() -> "ContactDesk":
    """The desk that the context names; raises `Trouble` (CONTACT_MISSING) if it names none."""
    from exchange.v1.people_pb2 import ContactDesk

    context = settings().load()
    if not (context.unit and context.channel):
        raise Trouble(
            USAGE,
            "CONTACT_MISSING",
            "It is not said which desk sends this, and how it is reached.",
            why="Whoever reads it must be able to call you.",
            next_step="Write `unit` and `channel` into your context file.",
        )
    return ContactDesk(unit=context.unit, channel=context.channel)


def read_time(text: str, option: str) -> int:
    """A point in time as an option gives it, in Unix milliseconds; fails as a usage error."""
    from node.intake.instants import InstantInvalid, read_instant

    try:
        return read_instant(text)
    except InstantInvalid as invalid:
        raise click.BadParameter(str(invalid), param_hint=option) from None


def show_said(published: "PublishedAlert", done: str) -> None:
    """Print what came of a reply, and end with code 3 if it was refused."""

    def draw(console: "Console") -> None:
        if published.problems:
            console.print("This was refused:", style="bold")
            console.print(problem_table(published.problems))
            return
        console.print(done, style="green")
        told = ", ".join(party_name(agency) for one in published.disclosures for agency in one.audience)
        console.print(facts((("alert", published.manifest_digest.hex()), ("told", told))))

    show(document(published), draw)
    click.get_current_context().exit(REFUSED if published.problems else SUCCESS)
