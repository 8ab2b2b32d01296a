"""`exchange whoami`: the quickest way to see that a context works."""

import click

from node.cli.command import Verb
from node.cli.context import ask, open_desk
from node.cli.output import facts, show
from node.documents import document
from node.short_words import words


@click.command(cls=Verb)
def whoami() -> None:
    """Show who you are to the node, and in which roles."""
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        answer = ask(desk.WhoAmI, desk_service_pb2.WhoAmIRequest())
    data = document(answer)
    roles = ", ".join(words(role) for role in data["roles"])
    rows = (
        ("you", answer.party),
        ("roles", roles or "none"),
        ("agency", answer.agency),
        ("node", answer.trust_domain),
        ("kind", "training: no real alerts" if answer.training else "production"),
    )
    show(data, lambda console: console.print(facts(rows)))
