"""`exchange audit export`: lists in a file, for other tools or on paper."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from node.cli.audit_verdict import pin_option
from node.cli.audit_words import Day, Listed, filter_option
from node.cli.command import Verb
from node.cli.context import open_channel
from node.cli.errors import USAGE, Trouble
from node.cli.output import facts, note, show

if TYPE_CHECKING:
    from rich.console import Console

_MOST: Final = 1_000_000


@click.command("export", cls=Verb)
@click.option(
    "--what", type=click.Choice(("events", "disclosures", "errors")), default="disclosures", show_default=True, help="Which list."
)
@click.option(
    "--format", "form", type=click.Choice(("csv", "jsonl", "pdf")), required=True, help="CSV and PDF are for people, JSONL has everything."
)
@filter_option
@click.option("--since", type=Day(), default=0, metavar="DAY", help="From this day on.")
@click.option("--until", type=Day(), default=0, metavar="DAY", help="Up to, and not with, this day.")
@click.option("--limit", type=click.IntRange(1, _MOST), default=100_000, show_default=True, help="Lines at most.")
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, writable=True, path_type=Path))
@pin_option
def export(what: str, form: str, wanted: str, since: int, until: int, limit: int, output: Path, pin: bytes | None) -> None:
    """Write a list to a file. That it was exported is journalled. No cell of the CSV is read as a formula by a spreadsheet.

    The PDF bears the journal's signed checkpoint at the foot of each page.
    """
    from node.cli.audit_verdict import signed_checkpoint
    from node.reports.audit_export import Asked, read_list, write_list
    from node.system import SystemClock

    if what == "errors" and wanted:
        raise Trouble(USAGE, "USAGE", "The register of mistakes takes no filter.", next_step="Narrow it by --since and --until.")
    with open_channel() as channel:
        # Not before: it imports grpc, which must find TLS 1.3 pinned.
        from exchange.v1.audit_service_pb2_grpc import AuditServiceStub

        asked = Asked(what=what, wanted=wanted, since=since, until=until, limit=limit)
        exported = read_list(Listed(audit=AuditServiceStub(channel), for_export=True), asked)
        signed = signed_checkpoint(channel, "", pin)
    data = write_list(exported, form, signed.checkpoint, signed.said, SystemClock().now_ms())
    output.write_bytes(data)

    def draw(console: "Console") -> None:
        console.print(facts((("file", f"{output}, {len(data)} bytes"), ("lines", str(len(exported.rows))), ("signature", signed.said))))
        if exported.more:
            console.print(note(f"\nThere is more than that: --limit {limit * 2}, or a shorter time."))

    shown = {"file": str(output), "bytes": len(data), "lines": len(exported.rows), "more": exported.more}
    show({**shown, "checkpoint": signed.data()}, draw)
