"""A person by whose name or document an auditor looks: asked for once, the same way by every command that does."""

from typing import TYPE_CHECKING

import click

from node.cli.context import ask

if TYPE_CHECKING:
    from exchange.v1.desk_service_pb2 import FindRecipientsResponse
    from exchange.v1.desk_service_pb2_grpc import DeskServiceStub

SUBJECT_HELP = "A name, or without --born the number of a document; - reads it from input."
BORN_HELP = "Birth date as far as known: 1961-04-12, 1961-04, 1961, 196X."
REASON_HELP = "Why you look for this person; kept in the journal with the question."


def subject_text(subject: str) -> str:
    """What --subject says, or for - what is typed: so that it stands neither in the shell's history nor in the list of processes."""
    typed: str = click.prompt("Name, or number of a document", err=True) if subject == "-" else subject
    return typed


def find_subject(desk: "DeskServiceStub", subject: str, born: str, reason: str) -> "FindRecipientsResponse":
    """Everything here about one person; the question is journalled before it is answered."""
    from exchange.v1 import desk_service_pb2

    return ask(desk.FindRecipients, desk_service_pb2.FindRecipientsRequest(subject=subject, born=born, reason=reason))
