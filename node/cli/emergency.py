"""`exchange emergency`: what was told to save life, without an approval beforehand, and the review that follows."""

from typing import TYPE_CHECKING

import click

from node.cli.command import Noun
from node.cli.context import ask, open_desk
from node.cli.output import facts, note, show, table
from node.documents import document
from node.short_words import party_name, short, time_cell, time_text

if TYPE_CHECKING:
    from rich.console import Console

    from exchange.v1.desk_service_pb2 import EmergencyUse


@click.group(cls=Noun)
def emergency() -> None:
    """What was told under agreements for an emergency: list, review."""


@emergency.command("list")
def list_() -> None:
    """List what was told under agreements for an emergency, newest first: officers what their agency told, auditors all of it."""
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        answer = ask(desk.ListEmergencies, desk_service_pb2.ListEmergenciesRequest())

    def draw(console: "Console") -> None:
        if not answer.uses:
            console.print(note("Nothing was told in an emergency."))
            return
        rows = [
            (short(use.agreement_digest), _way(use), short(use.manifest_digest), time_cell(use.at), _review(use)) for use in answer.uses
        ]
        console.print(table(("!agreement", "who to whom", "!alert", "!told (UTC)", "review"), rows))

    show(document(answer), draw)


@emergency.command()
@click.argument("agreement", metavar="AGREEMENT")
@click.option("--reason", required=True, help="What you found, for your auditors: was life at risk, was no more told than needed?")
def review(agreement: str, reason: str) -> None:
    """Review, as a second officer and within a day, what was released under AGREEMENT. Look at it first: `exchange alert show`.

    AGREEMENT is its digest, or the first 8 or more characters of it.
    """
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        use = ask(desk.ReviewEmergency, desk_service_pb2.ReviewEmergencyRequest(agreement=agreement, reason=reason)).use

    def draw(console: "Console") -> None:
        rows = (
            ("agreement", use.agreement_digest.hex()),
            ("alert", use.manifest_digest.hex()),
            ("told", _way(use)),
            ("review", _review(use)),
        )
        console.print(facts(rows))

    show(document(use), draw)


def _way(use: "EmergencyUse") -> str:
    return f"{party_name(use.agency)} to {use.partner}" if use.own else f"{party_name(use.agency)} to this country"


def _review(use: "EmergencyUse") -> str:
    if not use.own:
        return "–"
    if use.reviewed_at:
        return f"{party_name(use.reviewed_by)}, {time_text(use.reviewed_at)}"
    return f"due by {time_text(use.review_by)}"
