"""`exchange officer`: who may come into the console. For administrators."""

from typing import TYPE_CHECKING

import click

from node.cli.command import Noun
from node.cli.context import ask, open_desk
from node.cli.output import facts, note, show, table
from node.documents import document
from node.short_words import time_cell, time_text, words

if TYPE_CHECKING:
    from rich.console import Console


@click.group(cls=Noun)
def officer() -> None:
    """Let an officer into the web console, or take it from them: list, enrol, link, unlink, forget."""


@officer.command("list")
def list_() -> None:
    """List everybody of the roster: roles, passkeys, a code that waits, and who is signed in now."""
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        answer = ask(desk.ListOfficers, desk_service_pb2.ListOfficersRequest())
    data = document(answer)

    def draw(console: "Console") -> None:
        linked = any(one.subject for one in answer.officers)
        rows = [
            (
                one.officer.removeprefix("spiffe://"),
                ", ".join(map(words, told["roles"])) if one.listed else "left: forget",
                str(one.passkeys),
                time_cell(one.code_expires_at),
                time_cell(one.seen_at),
                *((one.subject,) if linked else ()),
            )
            for one, told in zip(answer.officers, data["officers"], strict=True)
        ]
        titles = ("!officer", "roles", "passkeys", "!code until (UTC)", "!signed in (UTC)", *(("subject",) if linked else ()))
        console.print(table(titles, rows, right=("passkeys",)))

    show(data, draw)


@officer.command()
@click.argument("person", metavar="SPIFFE-ID")
def enrol(person: str) -> None:
    """Make a one-time code by which an officer of the roster enrols a passkey; it works for a day, and ends any code before it.

    Give it to that person alone, and not by the mailbox that it protects.
    """
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        answer = ask(desk.EnrolOfficer, desk_service_pb2.EnrolOfficerRequest(officer=person))

    def draw(console: "Console") -> None:
        console.print(facts((("code", answer.code), ("works until", time_text(answer.expires_at)))))
        console.print(note("\nShown once. It is typed into the page /enrol of the console."))

    show(document(answer), draw)


@officer.command()
@click.argument("person", metavar="SPIFFE-ID")
@click.argument("subject")
def link(person: str, subject: str) -> None:
    """Say whom the agency's OpenID Connect issuer means by SUBJECT: an officer of the roster, who is no administrator.

    SUBJECT is the value of the claim that the node's configuration names, exactly as the issuer writes it. What was linked before ends.
    """
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        answer = ask(desk.LinkIdentity, desk_service_pb2.LinkIdentityRequest(officer=person, subject=subject))
    show(document(answer), lambda console: console.print(facts((("issuer", answer.issuer), ("subject", subject), ("comes in as", person)))))


@officer.command()
@click.argument("person", metavar="SPIFFE-ID")
def unlink(person: str) -> None:
    """Take an officer's way in by the OpenID Connect issuer away; passkeys stay, sessions end."""
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        answer = ask(desk.UnlinkIdentity, desk_service_pb2.UnlinkIdentityRequest(officer=person))
    show(document(answer), lambda console: console.print("Unlinked, and every session ended.", style="green"))


@officer.command()
@click.argument("person", metavar="SPIFFE-ID")
def forget(person: str) -> None:
    """Take every passkey, code, session and link from a person, as when a key is lost or an officer leaves."""
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        answer = ask(desk.ForgetPasskeys, desk_service_pb2.ForgetPasskeysRequest(officer=person))
    show(document(answer), lambda console: console.print(f"Taken away: {answer.passkeys} passkeys, and every session.", style="green"))
