"""A check of the node's records as every command that asks for one shows it: a bar while it runs, then what was found."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from node.cli.context import open_desk
from node.cli.errors import SUCCESS, VERIFICATION_FAILED
from node.cli.output import facts, heading, note, progress, show, table
from node.cli.summaries import logs_table
from node.documents import document
from node.short_words import words

if TYPE_CHECKING:
    from rich.console import Console

    from exchange.v1.desk_service_pb2 import CheckProgress, CheckScope, CheckSummary, Finding


@dataclass(slots=True)
class _Passes:
    """How long each pass took, by the clock of whoever watches, and how much it went through."""

    seconds: dict[str, float] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)
    _at: float = field(default_factory=time.monotonic)
    _in: tuple[str, str, int] = ("", "", 0)

    def step(self, now: "CheckProgress") -> None:
        name = getattr(now, "pass")
        passed, origin, done = self._in
        moment = time.monotonic()
        if passed:
            self.seconds[passed] = self.seconds.get(passed, 0.0) + moment - self._at
        if (passed, origin) == (name, now.origin):
            self.done[name] = self.done.get(name, 0) + now.done - done
        self._at, self._in = moment, (name, now.origin, now.done)


def check(scope: "CheckScope.ValueType", origin: str, *, good: str, rebuild_nodes: bool = False) -> None:
    """Run a check and show it; ends the command with 4 if anything was found that must never be, or a duty that was missed."""
    from exchange.v1 import desk_service_pb2
    from exchange.v1.desk_service_pb2 import SEVERITY_ERROR

    findings: list[Finding] = []
    summary = desk_service_pb2.CheckSummary()
    passes = _Passes()
    question = desk_service_pb2.CheckRecordsRequest(scope=scope, origin=origin, rebuild_nodes=rebuild_nodes)
    with open_desk() as desk, progress("checking", 1000) as advance:
        shown = 0
        # No limit of time: what takes long says how far it is.
        for answer in desk.CheckRecords(question):
            if answer.HasField("progress"):
                passes.step(answer.progress)
                permille = 1000 * answer.progress.done // max(answer.progress.total, 1)
                advance(permille - shown)
                shown = permille
            findings += answer.findings
            if answer.HasField("summary"):
                summary = answer.summary
    failed = any(finding.severity == SEVERITY_ERROR for finding in findings)
    data = {
        "holds": not failed,
        "findings": [document(finding) for finding in findings],
        **document(summary),
        "passes": [{"pass": name, "done": passes.done.get(name, 0), "seconds": round(passes.seconds[name], 3)} for name in passes.seconds],
    }

    def draw(console: "Console") -> None:
        _draw(console, findings, summary, passes, good)

    show(data, draw)
    click.get_current_context().exit(VERIFICATION_FAILED if failed else SUCCESS)


def _draw(console: "Console", findings: "Sequence[Finding]", summary: "CheckSummary", passes: _Passes, good: str) -> None:
    if summary.logs:
        console.print(logs_table(summary.logs))
    rows = [(name, f"{passes.done.get(name, 0)} in {seconds:.1f} s") for name, seconds in passes.seconds.items()]
    console.print(heading("Checked"))
    console.print(facts([*((item.name, str(item.value)) for item in summary.counts if item.name != "findings"), *rows]))
    if not findings:
        console.print(f"\n{good}", style="green")
        return
    console.print(heading("Findings"))
    console.print(table(("!grade", "!code", "log", "!entry", "what"), [_row(finding) for finding in findings], right=("entry",)))
    total = next((item.value for item in summary.counts if item.name == "findings"), 0)
    if total > len(findings):
        console.print(note(f"\n{total - len(findings)} more were counted and are not shown: mend these first."))


def _row(finding: "Finding") -> tuple[str, ...]:
    found: dict[str, Any] = document(finding)
    entries = ""
    if finding.index >= 0:
        entries = str(finding.index) if finding.count < 2 else f"{finding.index}–{finding.index + finding.count - 1}"
    return words(found["grade"]), finding.code, finding.origin, entries, finding.message
