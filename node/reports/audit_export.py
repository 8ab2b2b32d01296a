"""An auditor's list as a file: CSV and PDF for people, JSON lines with everything for tools."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from exchange.tlog.checkpoint import Checkpoint
from node.reports.audit_lists import (
    DISCLOSURE_COLUMNS,
    EVENT_COLUMNS,
    both,
    disclosure_data,
    disclosure_row,
    event_data,
    event_row,
    heads,
    period_filter,
)
from node.reports.audit_register import read_register
from node.reports.audit_source import AuditSource
from node.reports.csv_file import write_csv
from node.reports.document import Report
from node.short_words import time_cell, time_text, words

LISTS: Final = ("events", "disclosures", "errors")
FORMATS: Final = ("csv", "jsonl", "pdf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which list, and how much of it. Times are Unix milliseconds, 0 for no bound."""

    what: str
    """One of `LISTS`; the register of mistakes takes no filter."""
    wanted: str = ""
    since: int = 0
    until: int = 0
    limit: int = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A list in its three shapes."""

    asked: Asked
    title: str
    columns: Sequence[str]
    shares: Sequence[float]
    rows: Sequence[Sequence[str]]
    data: Sequence[dict[str, Any]]
    more: bool


def read_list(source: AuditSource, asked: Asked) -> Exported:
    """What was asked for."""
    chosen = both(period_filter(asked.since, asked.until), asked.wanted)
    if asked.what == "events":
        events, more = source.events(chosen, asked.limit)
        return Exported(
            asked=asked,
            title="Events of the journal",
            columns=EVENT_COLUMNS,
            shares=(0.06, 0.15, 0.2, 0.14, 0.12, 0.14, 0.11, 0.08),
            rows=[event_row(event) for event in events],
            data=[event_data(event) for event in events],
            more=more,
        )
    if asked.what == "disclosures":
        records, more = source.disclosures(chosen, asked.limit)
        return Exported(
            asked=asked,
            title="Disclosures",
            columns=DISCLOSURE_COLUMNS,
            shares=(0.24, 0.13, 0.17, 0.12, 0.12, 0.12, 0.1),
            rows=[disclosure_row(record) for record in records],
            data=[disclosure_data(record) for record in records],
            more=more,
        )
    register, more = read_register(source, asked.since, asked.until, asked.limit)
    return Exported(
        asked=asked,
        title="Register of mistakes, corrections and near misses",
        columns=("grade", "at (UTC)", "what", "code", "partner", "where"),
        shares=(0.12, 0.13, 0.14, 0.2, 0.18, 0.23),
        rows=[(words(one.grade), time_cell(one.at), words(one.kind), one.code, one.partner, one.place) for one in register],
        data=[one.data() for one in register],
        more=more,
    )


def write_list(exported: Exported, form: str, tree: Checkpoint, said: str, now: int) -> bytes:
    """The list as a file of one of `FORMATS`. A PDF bears the journal's signed checkpoint, and what is known of it.

    No cell of a CSV is read as a formula by a spreadsheet.
    """
    if form == "csv":
        lines = [_flat(item) for item in exported.data]
        return write_csv(list(lines[0]) if lines else heads(exported.columns), [list(line.values()) for line in lines])
    if form == "jsonl":
        return "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in exported.data).encode()
    return _pdf(exported, tree, said, now)


def _pdf(exported: Exported, tree: Checkpoint, said: str, now: int) -> bytes:
    asked = exported.asked
    report = Report(
        title=exported.title,
        foot=f"{tree.origin}, {tree.size} entries, root {tree.root.hex()}",
        at=now,
    )
    report.facts(
        (
            ("made", time_text(now)),
            ("from", time_text(asked.since) if asked.since else "the beginning"),
            ("to", time_text(asked.until) if asked.until else "now"),
            ("filter", asked.wanted),
            ("lines", f"{len(exported.rows)}{', and there are more' if exported.more else ''}"),
            ("checkpoint", said),
        )
    )
    report.table(heads(exported.columns), exported.rows, exported.shares)
    return report.finish()


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
