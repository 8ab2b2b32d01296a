"""`exchange alert draft`: a file that its author goes on with in the console."""

from pathlib import Path

import click

from node.cli.command import Verb
from node.cli.context import ask, open_desk
from node.cli.output import facts, show
from node.documents import document
from node.short_words import time_text

_FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)


@click.command(cls=Verb)
@click.argument("file", type=_FILE)
@click.option("--reason", default="", help="Why it is to be released, where you know that already.")
def draft(file: Path, reason: str) -> None:
    """Keep FILE as a draft of yours, half-filled or wrong as it may be, to go on with in the web console. Nothing is sent.

    It is erased when you release or discard it, and thirty days after its last change.
    """
    from exchange.v1 import desk_service_pb2

    try:
        text = file.read_text("utf-8")
    except UnicodeDecodeError:
        raise click.BadParameter("the file is not UTF-8: save it as UTF-8", param_hint="FILE") from None
    with open_desk() as desk:
        answer = ask(desk.KeepDraft, desk_service_pb2.KeepDraftRequest(document=text, reason=reason))
    rows = (("draft", answer.id.hex()), ("erase by", time_text(answer.erase_by)), ("in the console", f"/drafts/{answer.id.hex()}"))
    show(document(answer), lambda console: console.print(facts(rows)))
