"""`exchange audit reconcile`: this country's logs and a partner's, over the network."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from node.cli.command import Verb
from node.cli.context import open_desk, settings
from node.cli.differences import draw_differences, exit_code
from node.cli.output import console, note, show, table
from node.cli.period import Period
from node.documents import document
from node.short_words import short

if TYPE_CHECKING:
    from rich.console import Console


@click.command("reconcile", cls=Verb)
@click.option("--with", "partner", required=True, metavar="TRUST_DOMAIN", help="The partner.")
@click.option("--period", type=Period(), default=(0, 0), metavar="FROM..UNTIL", help="Only what was disclosed on these days.")
@click.option(
    "--contradiction",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="If the partner signed two histories, write the proof of it to this file.",
)
def reconcile(partner: str, period: tuple[int, int], contradiction: Path | None) -> None:
    """Compare every log with a partner: one hash each, and on a difference down to the first entry that differs.

    Without the network, exchange files instead: `exchange log export`, then `exchange audit compare`.

    Exit code 4 if a finding is critical or of priority.
    """
    from exchange.v1.desk_service_pb2 import ReconcileRequest, ReconcileResponse

    request = ReconcileRequest(partner=partner, until=period[1])
    setattr(request, "from", period[0])
    finished = ReconcileResponse()
    with open_desk() as desk, console(stderr=True).status("Comparing…") as status:
        for answer in desk.Reconcile(request, timeout=max(settings().timeout, _SECONDS)):
            finished = answer
            if not answer.finished:
                status.update(f"Comparing {answer.progress_origin}: {answer.progress} hashes fetched")
    found = list(finished.differences)
    proof = next((one.contradiction for one in found if one.contradiction), b"")
    if contradiction is not None and proof:
        contradiction.write_bytes(proof)

    def draw(screen: "Console") -> None:
        rows = [
            (
                log.origin,
                str(log.size),
                str(log.partner_size),
                "yes" if (log.size, log.root) == (log.partner_size, log.partner_root) else "no",
            )
            for log in finished.logs
        ]
        screen.print(table(("log", "here", "there", "equal"), rows, right=("here", "there")))
        draw_differences(screen, found, good="Both countries hold the same record.")
        if not found:
            screen.print(note(_BY_HASHES))
        if proof:
            screen.print(f"\nThe partner signed two histories ({short(proof)}…): keep the proof with --contradiction FILE.", style="red")

    data = {"equal": not found, "logs": [document(log) for log in finished.logs], "differences": [document(one) for one in found]}
    show(data, draw)
    click.get_current_context().exit(exit_code(found))


_BY_HASHES = "That is what the kept hashes say. That the entries lead to them, `exchange audit fsck` shows on either side."
"""An entry that was altered beside its hash is equal here."""

_SECONDS = 600.0
"""A walk down two logs of a million entries takes longer than an ordinary answer."""
