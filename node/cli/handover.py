"""`exchange handover`: from one shift of a desk to the next."""

from typing import TYPE_CHECKING, TextIO

import click

from node.cli.command import Noun
from node.cli.context import ask, open_desk
from node.cli.output import heading, note, plain, show, table
from node.cli.work import work_table
from node.documents import document
from node.short_words import party_name, short, time_text

if TYPE_CHECKING:
    from rich.console import Console

    from exchange.v1.desk_service_pb2 import HandoverNote


@click.group(cls=Noun)
def handover() -> None:
    """From shift to shift: a note, and all that is open."""


@handover.command()
@click.argument("file", type=click.File(encoding="utf-8"))
def write(file: TextIO) -> None:
    """Leave the text of FILE (`-` for standard input) for the next shift of your agency: sealed, and erased after 72 hours.

    Name nobody in it: name alerts by their references. What is open the next shift sees anyway.
    """
    from exchange.v1 import desk_service_pb2
    from node.system import system_entropy

    question = desk_service_pb2.HandOverRequest(request_id=system_entropy(16), note=file.read())
    with open_desk() as desk:
        made = ask(desk.HandOver, question).handover
    said = f"Left for the next shift: {short(made.id)}. It is erased {time_text(made.erase_by)}."
    show(document(made), lambda console: console.print(said))


@handover.command("show")
def show_() -> None:
    """Show the notes of the last shifts, and all that is open at your agency now, whomever it waits for."""
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        answer = ask(desk.GetHandover, desk_service_pb2.GetHandoverRequest())

    def draw(console: "Console") -> None:
        if not answer.handovers:
            console.print(note("No shift has left a note."))
        for one in answer.handovers:
            console.print(heading(f"{short(one.id)}  {party_name(one.author)}, {time_text(one.written_at)}"))
            console.print(plain(one.note))
            console.print(note(_taken(one)))
            console.print()
        if not answer.open:
            console.print(note("Nothing is open."))
            return
        console.print(table(*work_table(answer.open)))
        if answer.left_off:
            console.print(note(f"\nThere are {answer.left_off} more, all less urgent."))

    show(document(answer), draw)


@handover.command()
@click.argument("handover", metavar="NOTE")
def take(handover: str) -> None:
    """Say that you have read NOTE and take the shift: its id, or the first 8 digits or more."""
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        taken = ask(desk.TakeOver, desk_service_pb2.TakeOverRequest(handover=handover)).handover
    show(document(taken), lambda console: console.print(_taken(taken)))


def _taken(one: "HandoverNote") -> str:
    if one.taken_at:
        return f"Taken over by {party_name(one.taken_by)}, {time_text(one.taken_at)}."
    return f"Nobody has taken it over. Once you have read it: exchange handover take {short(one.id)}"
