"""`exchange audit export`: lists in a file, for other tools or on paper."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from node.cli.audit_register import read_register
from node.cli.audit_verdict import pin_option
from node.cli.audit_words import (
    DISCLOSURE_COLUMNS,
    EVENT_COLUMNS,
    Day,
    both,
    disclosure_data,
    disclosure_row,
    event_data,
    event_row,
    filter_option,
    heads,
    list_disclosures,
    list_events,
    period_filter,
)
from node.cli.command import Verb
from node.cli.context import open_channel
from node.cli.errors import USAGE, Trouble
from node.cli.output import facts, note, show, time_cell, time_text, words

if TYPE_CHECKING:
    from rich.console import Console

    from exchange.v1.audit_service_pb2_grpc import AuditServiceStub
    from node.cli.audit_verdict import Signed

_MOST: Final = 1_000_000
_LISTS: Final = ("events", "disclosures", "errors")
_FORMATS: Final = ("csv", "jsonl", "pdf")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Exported:
    """A list in its three shapes."""

    title: str
    columns: Sequence[str]
    shares: Sequence[float]
    rows: Sequence[Sequence[str]]
    data: Sequence[dict[str, Any]]
    more: bool


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
    from node.reports.csv_file import write_csv

    if what == "errors" and wanted:
        raise Trouble(USAGE, "USAGE", "The register of mistakes takes no filter.", next_step="Narrow it by --since and --until.")
    with open_channel() as channel:
        # Not before: it imports grpc, which must find TLS 1.3 pinned.
        from exchange.v1.audit_service_pb2_grpc import AuditServiceStub

        exported = _read(AuditServiceStub(channel), what, wanted, since, until, limit)
        signed = signed_checkpoint(channel, "", pin)
    if form == "csv":
        lines = [_flat(item) for item in exported.data]
        data = write_csv(list(lines[0]) if lines else heads(exported.columns), [list(line.values()) for line in lines])
    elif form == "jsonl":
        data = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in exported.data).encode()
    else:
        data = _pdf(exported, signed, wanted, since, until)
    output.write_bytes(data)

    def draw(console: "Console") -> None:
        console.print(facts((("file", f"{output}, {len(data)} bytes"), ("lines", str(len(exported.rows))), ("signature", signed.said))))
        if exported.more:
            console.print(note(f"\nThere is more than that: --limit {limit * 2}, or a shorter time."))

    shown = {"file": str(output), "bytes": len(data), "lines": len(exported.rows), "more": exported.more}
    show({**shown, "checkpoint": signed.data()}, draw)


def _flat(item: dict[str, Any]) -> dict[str, str]:
    """One line for a spreadsheet: the entry's own fields beside those of the list, several values in one cell."""
    fields = {name: value for name, value in item.items() if name not in {"entry", "decoded"}}
    fields |= {f"entry {name}": value for name, value in item.get("decoded", {}).items()}
    return {name.replace("_", " "): _cell(value) for name, value in fields.items()}


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)


def _read(audit: "AuditServiceStub", what: str, wanted: str, since: int, until: int, limit: int) -> _Exported:
    chosen = both(period_filter(since, until), wanted)
    if what == "events":
        events, more = list_events(audit, chosen, limit, for_export=True)
        return _Exported(
            title="Events of the journal",
            columns=EVENT_COLUMNS,
            shares=(0.06, 0.15, 0.2, 0.14, 0.12, 0.14, 0.11, 0.08),
            rows=[event_row(event) for event in events],
            data=[event_data(event) for event in events],
            more=more,
        )
    if what == "disclosures":
        records, more = list_disclosures(audit, chosen, limit, for_export=True)
        return _Exported(
            title="Disclosures",
            columns=DISCLOSURE_COLUMNS,
            shares=(0.24, 0.13, 0.17, 0.12, 0.12, 0.12, 0.1),
            rows=[disclosure_row(record) for record in records],
            data=[disclosure_data(record) for record in records],
            more=more,
        )
    register, more = read_register(audit, since, until, limit, for_export=True)
    return _Exported(
        title="Register of mistakes, corrections and near misses",
        columns=("grade", "at (UTC)", "what", "code", "partner", "where"),
        shares=(0.12, 0.13, 0.14, 0.2, 0.18, 0.23),
        rows=[(words(one.grade), time_cell(one.at), words(one.kind), one.code, one.partner, one.place) for one in register],
        data=[one.data() for one in register],
        more=more,
    )


def _pdf(exported: _Exported, signed: "Signed", wanted: str, since: int, until: int) -> bytes:
    from node.reports.document import Report
    from node.system import SystemClock

    tree, now = signed.checkpoint, SystemClock().now_ms()
    report = Report(
        title=exported.title,
        foot=f"{tree.origin}, {tree.size} entries, root {tree.root.hex()}",
        at=now,
    )
    report.facts(
        (
            ("made", time_text(now)),
            ("from", time_text(since) if since else "the beginning"),
            ("to", time_text(until) if until else "now"),
            ("filter", wanted),
            ("lines", f"{len(exported.rows)}{', and there are more' if exported.more else ''}"),
            ("checkpoint", signed.said),
        )
    )
    report.table(heads(exported.columns), exported.rows, exported.shares)
    return report.finish()
