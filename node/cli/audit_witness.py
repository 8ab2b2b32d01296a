"""`exchange audit witness`: who cosigned this node's journal, whose it cosigns, and what contradicts."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from exchange.errors import ExchangeError
from node.cli.command import Noun
from node.cli.context import ask, open_desk
from node.cli.errors import SUCCESS, USAGE, VERIFICATION_FAILED, Trouble, sentence
from node.cli.output import facts, heading, note, show, table
from node.documents import iso_time
from node.short_words import time_cell, time_text

if TYPE_CHECKING:
    from rich.console import Console

    from exchange.v1.desk_service_pb2 import GetWitnessStatusResponse


@click.group(cls=Noun)
def witness() -> None:
    """Show how the witnesses stand, and keep what contradicts."""


@witness.command()
@click.option("--policy", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Your own policy file, instead of the node's.")
def status(policy: Path | None) -> None:
    """Show who cosigned this node's journal and when, and what went wrong. Exit code 4 on an alarm, or if the policy is not satisfied."""
    answer = _ask()
    checked = _checked(policy, answer) if policy else ("satisfied" if answer.policy_satisfied else "not satisfied")
    satisfied = checked == "satisfied" or not (policy or answer.policy_configured)
    data = _data(answer, checked if policy or answer.policy_configured else None)

    def draw(console: "Console") -> None:
        size = _size(answer.checkpoint)
        rows = (
            ("journal", answer.origin),
            ("shown up to", f"{size} entries, signed {time_text(answer.signed_at)}" if answer.checkpoint else "nothing yet"),
            ("policy", f"{'yours' if policy else 'of the node'}: {data['policy']}" if data["policy"] else "none configured"),
        )
        console.print(facts(rows))
        console.print(heading("Witnesses of this journal") if answer.witnesses else note("\nNobody is asked to witness this journal."))
        if answer.witnesses:
            states = [(item.name, str(item.size), time_cell(item.cosigned_at), item.code or "cosigned") for item in answer.witnesses]
            console.print(table(("witness", "size", "!cosigned (UTC)", "last answer"), states, right=("size",)))
        if answer.witnessed:
            console.print(heading("Journals that this node witnesses"))
            held = [(item.origin, str(item.size), time_cell(item.cosigned_at)) for item in answer.witnessed]
            console.print(table(("journal", "size", "!cosigned (UTC)"), held, right=("size",)))
        if answer.alarms:
            console.print(heading("Alarms"))
            rows_ = [(item.code, item.partner, item.origin, time_cell(item.at), "yes" if item.evidence else "–") for item in answer.alarms]
            console.print(table(("!alarm", "about", "where", "!since (UTC)", "evidence"), rows_))
            console.print(note("\ndocs/operations.md says what to do. Keep the evidence: exchange audit witness evidence --to DIRECTORY"))

    show(data, draw)
    click.get_current_context().exit(VERIFICATION_FAILED if answer.alarms or not satisfied else SUCCESS)


@witness.command()
@click.option("--to", "directory", required=True, type=click.Path(file_okay=False, path_type=Path), help="Where to write the files.")
def evidence(directory: Path) -> None:
    """Write what contradicts to files: signed checkpoints that anybody can verify, two in a file with an empty line between them."""
    kept = [alarm for alarm in _ask().alarms if alarm.evidence]
    directory.mkdir(parents=True, exist_ok=True)
    files = []
    for number, alarm in enumerate(kept, 1):
        path = directory / f"{number:03}-{alarm.code}.note"
        path.write_bytes(alarm.evidence)
        files.append({"file": str(path), "code": alarm.code, "partner": alarm.partner, "origin": alarm.origin, "at": iso_time(alarm.at)})

    def draw(console: "Console") -> None:
        if not files:
            console.print("Nothing contradicts, and nothing was kept.")
            return
        console.print(table(("!alarm", "about", "file"), [(str(item["code"]), str(item["partner"]), str(item["file"])) for item in files]))

    show({"files": files}, draw)


def _ask() -> "GetWitnessStatusResponse":
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        return ask(desk.GetWitnessStatus, desk_service_pb2.GetWitnessStatusRequest())


def _checked(policy: Path, answer: "GetWitnessStatusResponse") -> str:
    """Judge the node's checkpoint here, by the auditor's own policy, which must name the journal's key."""
    from exchange.tlog.policy import parse_policy
    from exchange.witness import check_policy

    try:
        parsed = parse_policy(policy.read_bytes())
    except ExchangeError as error:
        raise Trouble(
            USAGE, error.code, f"{policy} is no policy file.", why=sentence(str(error)), next_step="Correct that line, and try again."
        ) from None
    try:
        check_policy(parsed, answer.checkpoint)
    except ExchangeError as error:
        return f"not satisfied: {error.code}"
    return "satisfied"


def _size(checkpoint: bytes) -> int:
    from exchange.witness import claimed_checkpoint

    return claimed_checkpoint(checkpoint).size if checkpoint else 0


def _data(answer: "GetWitnessStatusResponse", policy: str | None) -> dict[str, Any]:
    return {
        "origin": answer.origin,
        "size": _size(answer.checkpoint),
        "signed_at": iso_time(answer.signed_at),
        "checkpoint": answer.checkpoint.decode("utf-8", "replace"),
        "policy": policy,
        "witnesses": [
            {
                "name": item.name,
                "organisation": item.organisation,
                "url": item.url or None,
                "size": item.size,
                "cosigned_at": iso_time(item.cosigned_at),
                "code": item.code or None,
            }
            for item in answer.witnesses
        ],
        "witnessed": [{"origin": item.origin, "size": item.size, "cosigned_at": iso_time(item.cosigned_at)} for item in answer.witnessed],
        "alarms": [
            {"code": item.code, "partner": item.partner, "origin": item.origin, "at": iso_time(item.at), "evidence": bool(item.evidence)}
            for item in answer.alarms
        ],
    }
