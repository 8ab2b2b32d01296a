"""`exchange doctor`: what is wrong with your node, or will be soon, and what to do. For administrators."""

from typing import TYPE_CHECKING, Any

import click

from node.cli.command import Verb
from node.cli.context import ask, open_desk
from node.cli.errors import VERIFICATION_FAILED
from node.cli.output import heading, note, plain, show
from node.documents import document
from node.short_words import time_text

if TYPE_CHECKING:
    from rich.console import Console

    from exchange.v1.desk_service_pb2 import HealthCheck


@click.command(cls=Verb)
def doctor() -> int:
    """Examine your node from one end to the other: what to do now, what to look at, what is good.

    Partners, witnesses and servers are not asked: it tells what the node recorded when it last heard of them. Ends with 4 if something
    is to be done now.
    """
    from exchange.v1 import desk_service_pb2 as messages

    with open_desk() as desk:
        answer = ask(desk.ExamineNode, messages.ExamineNodeRequest())
    data = document(answer)
    data["checks"] = [{**told, **_words(one)} for told, one in zip(data["checks"], answer.checks, strict=True)]
    titles = (
        (messages.HEALTH_VERDICT_ACT, "To do now"),
        (messages.HEALTH_VERDICT_LOOK, "To look at"),
        (messages.HEALTH_VERDICT_GOOD, "Good"),
    )

    def draw(console: "Console") -> None:
        for verdict, title in titles:
            found = [one for one in answer.checks if one.verdict == verdict]
            if found:
                console.print(heading(title))
                console.print(_table(found, good=verdict == messages.HEALTH_VERDICT_GOOD))
        console.print(note("\nA node knows nothing of its backups: try one, by docs/operations.md."))

    show(data, draw)
    return VERIFICATION_FAILED if any(one.verdict == messages.HEALTH_VERDICT_ACT for one in answer.checks) else 0


def _words(one: "HealthCheck") -> dict[str, Any]:
    from node.health_texts import TEXTS, HealthText

    text = TEXTS.get(one.code, HealthText(why=one.code))
    values = {"subject": plain(one.subject), "count": one.count, "at": time_text(one.at)}
    return {"why": text.why % values, "do": text.do, "command": text.command % values}


def _table(found: "list[HealthCheck]", *, good: bool) -> Any:
    from rich.table import Table
    from rich.text import Text

    drawn = Table.grid(padding=(0, 2, 0, 0))
    drawn.add_column(no_wrap=True)
    drawn.add_column()
    for one in found:
        words = _words(one)
        what = Text(words["why"])
        for more in (words["do"], words["command"]):
            if more and not good:
                what.append(f"\n{more}", style="italic")
        drawn.add_row(Text(one.code, style="dim"), what)
    return drawn
