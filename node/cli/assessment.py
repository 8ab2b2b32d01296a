"""`exchange assessment`: what was weighed before another country is told."""

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from node.cli.command import Noun
from node.cli.context import ask, open_desk
from node.cli.errors import USAGE, Trouble
from node.cli.output import facts, note, plain, show, table
from node.documents import document, enum_name
from node.short_words import party_name, short, time_cell, time_text, words

if TYPE_CHECKING:
    from rich.console import Console

    from exchange.v1.assessment_pb2 import TransferAssessment
    from exchange.v1.desk_service_pb2 import AssessmentSummary

_TEXTS = (
    "necessity",
    "proportionality",
    "adequacy",
    "safeguards",
    "special_circumstances",
    "overseas_security_and_justice",
    "death_penalty_assurance",
    "judicial_authorisation",
    "written_undertaking",
)


@click.group(cls=Noun)
def assessment() -> None:
    """Transfer assessments: what was weighed before another country is told."""


@assessment.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def record(file: Path) -> None:
    """Record an assessment from FILE, a TOML file as samples/assessments shows. Releases rest on it from then on."""
    from exchange.v1 import desk_service_pb2

    question = desk_service_pb2.RecordAssessmentRequest(assessment=_read(file))
    with open_desk() as desk:
        summary = ask(desk.RecordAssessment, question).summary

    def draw(console: "Console") -> None:
        console.print("Recorded, and journalled.", style="green")
        _draw(console, summary)

    show(document(summary), draw)


@assessment.command("list")
def list_() -> None:
    """List all assessments, newest first, and the policy in use."""
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        answer = ask(desk.ListAssessments, desk_service_pb2.ListAssessmentsRequest())

    def draw(console: "Console") -> None:
        policy = f"{answer.policy}, until {time_text(answer.policy_until)}" if answer.policy else "none: nothing is asked before a release"
        console.print(facts((("policy", policy),)))
        if not answer.assessments:
            console.print(note("\nNo assessments yet. Record one: exchange assessment record FILE"))
            return
        rows = [
            (
                short(item.digest),
                _state(item),
                item.assessment.destination,
                "\n".join(map(party_name, item.assessment.recipients)) or "every agency",
                time_cell(item.assessment.review_by),
            )
            for item in answer.assessments
        ]
        console.print(table(("!assessment", "state", "destination", "recipients", "!review by (UTC)"), rows))

    show(document(answer), draw)


@assessment.command("withdraw")
@click.argument("digest", metavar="ASSESSMENT")
def withdraw_(digest: str) -> None:
    """Take ASSESSMENT back: nothing more is released on the strength of it."""
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        summary = ask(desk.WithdrawAssessment, desk_service_pb2.WithdrawAssessmentRequest(assessment=digest)).summary
    show(document(summary), lambda console: _draw(console, summary))


def _read(file: Path) -> "TransferAssessment":
    from datetime import datetime

    from exchange.v1.assessment_pb2 import TransferAssessment

    try:
        given = tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise _wrong(file, "it is not TOML in UTF-8") from None
    unknown = set(given) - {"destination", "recipients", "review_by", *_TEXTS}
    if unknown:
        raise _wrong(file, f"unknown keys: {', '.join(sorted(map(plain, unknown)))}")
    texts = {name: given.get(name, "") for name in ("destination", *_TEXTS)}
    recipients, review_by = given.get("recipients", []), given.get("review_by")
    if not all(isinstance(text, str) for text in texts.values()):
        raise _wrong(file, "every key but recipients and review_by is a text")
    if not isinstance(recipients, list) or not all(isinstance(agency, str) for agency in recipients):
        raise _wrong(file, "recipients is a list of SPIFFE IDs")
    if not isinstance(review_by, datetime) or review_by.tzinfo is None:
        raise _wrong(file, "review_by is a time with its zone, e.g. 2027-06-30T00:00:00Z")
    return TransferAssessment(recipients=sorted(set(recipients)), review_by=int(review_by.timestamp() * 1000), **texts)


def _wrong(file: Path, why: str) -> Trouble:
    return Trouble(USAGE, "FILE_WRONG", f"{file} is no transfer assessment: {why}.", next_step="Mend it. Nothing was recorded.")


def _state(item: "AssessmentSummary") -> str:
    from exchange.v1.desk_service_pb2 import AssessmentState

    return words(enum_name(AssessmentState.DESCRIPTOR, item.state) or "unknown")


def _draw(console: "Console", item: "AssessmentSummary") -> None:
    content = item.assessment
    rows = (
        ("assessment", item.digest.hex()),
        ("state", _state(item)),
        ("destination", content.destination),
        ("recipients", ", ".join(map(party_name, content.recipients)) or "every agency"),
        ("policy", content.policy),
        ("assessed", f"{time_text(content.assessed_at)} by {party_name(content.assessed_by)}"),
        ("review by", time_text(content.review_by)),
        *((words(name), plain(getattr(content, name))) for name in _TEXTS),
    )
    console.print(facts(rows))
