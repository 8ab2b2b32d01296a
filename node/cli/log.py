"""`exchange log`: the disclosure logs that this node owns, and its mirrors of the partners'."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from node.cli.command import Noun
from node.cli.context import ask, open_desk
from node.cli.output import console, facts, heading, note, show, table
from node.cli.summaries import logs_table
from node.documents import document
from node.short_words import party_name, short, state_text, time_cell

if TYPE_CHECKING:
    from rich.console import Console


_EXPORT_SECONDS: Final = 3600.0
"""A log of a million entries is half a gigabyte."""


@click.group(cls=Noun)
def log() -> None:
    """Disclosure logs: list, show, verify."""


@log.command("list")
def list_() -> None:
    """List every log in both directions, with the one hash to compare with the partner's."""
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        answer = ask(desk.ListLogs, desk_service_pb2.ListLogsRequest())

    def draw(console: "Console") -> None:
        if not answer.logs:
            console.print(note("No logs yet: the first begins when a partner is added."))
            return
        console.print(logs_table(answer.logs))
        console.print(note("\nThe same size and root at both countries: both hold the same record."))

    show(document(answer), draw)


@log.command("show")
@click.argument("origin")
@click.option("--from", "start", type=click.IntRange(min=0), default=0, show_default=True, help="First index.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="Entries at most.")
def show_(origin: str, start: int, limit: int) -> None:
    """Show the log ORIGIN and its entries: who was told what, under which clause. No content is in it."""
    from exchange.v1 import desk_service_pb2, disclosure_pb2

    question = desk_service_pb2.GetLogRequest(origin=origin, page_size=limit)
    setattr(question, "from", start)
    with open_desk() as desk:
        answer = ask(desk.GetLog, question)
    data = document(answer)
    entries = [disclosure_pb2.Entry.FromString(item.entry) for item in answer.entries]
    for item, entry in zip(data["entries"], entries, strict=True):
        item["decoded"] = document(entry)
    data["checkpoint"] = answer.checkpoint.decode("utf-8", "replace")

    def draw(console: "Console") -> None:
        summary = answer.log
        rows = (
            ("log", summary.origin),
            ("kept", "as its owner" if summary.outbound else "as a mirror of the partner's"),
            ("state", summary.state),
            ("size", f"{summary.size}, of which {summary.receipted_size} receipted"),
            ("root", summary.root.hex()),
        )
        console.print(facts(rows))
        console.print(heading("Entries") if entries else note("\nNo entries here."))
        if entries:
            drawn = [
                (
                    str(item["index"]),
                    time_cell(entry.disclosed_at),
                    "\n".join(map(party_name, entry.audience)) or "–",
                    str(len(entry.fields)),
                    entry.clause or "–",
                    state_text(item["state"], item["exception"], item["withheld"]),
                    short(entry.manifest_digest),
                )
                for item, entry in zip(data["entries"], entries, strict=True)
            ]
            columns = ("index", "!disclosed (UTC)", "to", "fields", "clause", "state", "!alert")
            console.print(table(columns, drawn, right=("index", "fields")))
        if entries and answer.entries[-1].index + 1 < summary.size:
            console.print(note(f"\nMore: exchange log show {summary.origin} --from {answer.entries[-1].index + 1}"))

    show(data, draw)


@log.command()
@click.argument("origin", required=False, default="")
def verify(origin: str) -> None:
    """Recompute every hash and signature of the log ORIGIN, or of all logs. Exit code 4 if one does not hold."""
    from exchange.v1.desk_service_pb2 import CHECK_SCOPE_VERIFY
    from node.cli.checking import check

    check(CHECK_SCOPE_VERIFY, origin, good="Every entry, checkpoint and receipt holds.")


@log.command()
def fsck() -> None:
    """Check the node's whole store against its logs: nothing lost, nothing twice. Exit code 4 on an error."""
    from exchange.v1.desk_service_pb2 import CHECK_SCOPE_FSCK
    from node.cli.checking import check

    check(CHECK_SCOPE_FSCK, "", good="Store and logs agree.")


@log.command()
@click.argument("origin")
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, writable=True, path_type=Path))
def export(origin: str, output: Path) -> None:
    """Write this node's copy of the log ORIGIN to a file: entries, receipts, checkpoints; no content. This is recorded.

    The other country does the same; `exchange audit compare` then compares both, without a network.
    """
    from exchange.v1 import desk_service_pb2

    size = 0
    with open_desk() as desk, output.open("wb") as file, console(stderr=True).status("Writing…") as status:
        for answer in desk.ExportLog(desk_service_pb2.ExportLogRequest(origin=origin), timeout=_EXPORT_SECONDS):
            size += file.write(answer.part)
            status.update(f"Writing: {size} bytes")
    show(
        {"file": str(output), "bytes": size, "origin": origin},
        lambda screen: screen.print(facts((("log", origin), ("file", f"{output}, {size} bytes")))),
    )


@log.command()
@click.argument("origin")
def recover(origin: str) -> None:
    """Adopt from the partner the signed entries of ORIGIN that a restored database of ours lacks, so that signing goes on.

    What was disclosed is whole again; the content of what is adopted stays lost here.
    """
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        answer = ask(desk.RecoverLog, desk_service_pb2.RecoverLogRequest(origin=origin))

    def draw(console: "Console") -> None:
        console.print(f"Adopted {answer.adopted} entries; the log is {answer.log.state} again.", style="green")
        console.print(logs_table([answer.log]))

    show(document(answer), draw)


@log.command()
@click.argument("origin")
def end(origin: str) -> None:
    """End the log ORIGIN so that its successor can begin: proposes it for ours, countersigns it for a partner's.

    Both countries must have signed. What the partner had not receipted is then logged again under the successor.
    """
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        answer = ask(desk.EndLog, desk_service_pb2.EndLogRequest(origin=origin))

    def draw(console: "Console") -> None:
        accepted = answer.state == "accepted"
        console.print("Both countries have signed: the log has ended." if accepted else "Proposed; the partner has to accept it.")
        if not accepted:
            console.print(note(f"\nAt the partner: exchange log end {answer.ended_origin}"))

    show(document(answer), draw)
