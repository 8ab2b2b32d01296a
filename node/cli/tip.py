"""`exchange tip`: what NGOs told this country, from the first look to the answer; and the NGO's own side of it, `send` and `ask`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from node.cli.command import Noun
from node.cli.context import ask, open_desk, own_id
from node.cli.drafts import Agency, request_id
from node.cli.errors import REFUSED, SUCCESS, USAGE, Trouble
from node.cli.output import facts, note, plain, show
from node.cli.problems import problem_list, problem_table
from node.cli.tip_send import ask_, send
from node.cli.tip_view import draw_tip, draw_tips, tip_data
from node.documents import document
from node.short_words import words

if TYPE_CHECKING:
    from rich.console import Console

    from exchange.v1.desk_service_pb2 import TipSummary

# Of the enums of desk_service.proto, handling.proto and tip.proto; written out so that the help page needs no schema. A test compares them.
CLOSE_REASONS: Final = ("DEALT_WITH", "NOT_SUBSTANTIATED", "DUPLICATE", "OUT_OF_SCOPE")
SAFEGUARDS: Final = (
    "CALL_EMERGENCY_POLICE",
    "CALL_THIS_DESK",
    "KEEP_THE_CHILD_SAFE",
    "DO_NOT_CONFRONT",
    "DO_NOT_QUESTION_THE_CHILD",
    "PRESERVE_EVIDENCE",
    "MEDICAL_CARE",
)
PURPOSES: Final = ("PREVENTION", "DETECTION", "INVESTIGATION", "PROSECUTION", "BORDER_CONTROL", "CHILD_SAFEGUARDING", "SAVE_LIFE")
STATES: Final = ("RECEIVED", "UNDER_ASSESSMENT", "ACTED_UPON", "REFERRED", "CLOSED")
TYPES: Final = {
    "request": "InformationRequest",
    "warning": "SubjectWarning",
    "travel-alert": "TravelAlert",
    "tip": "Tip",
}
"""What a tip can become, by the name of it here."""

_why = click.option("--reason", required=True, help="Why; kept sealed for your auditors.")


@click.group(cls=Noun)
def tip() -> None:
    """Tips of NGOs: look, take, assess, pass on; and an NGO's own side: send, ask."""


@tip.command("list")
@click.option("--all", "all_", is_flag=True, help="Also what is closed.")
def list_(all_: bool) -> None:  # noqa: FBT001  click calls it
    """List the tips at your desk: what waits for a first look first, by when that is due."""
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        answer = ask(desk.ListTips, desk_service_pb2.ListTipsRequest(all=all_))
    show(document(answer), lambda console: draw_tips(console, answer))


@tip.command("show")
@click.argument("reference", metavar="TIP")
def show_(reference: str) -> None:
    """Show TIP, why it is at your desk, and what became of it. Whoever reported it is never shown with it."""
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        answer = ask(desk.GetTip, desk_service_pb2.GetTipRequest(tip=reference))
    show(tip_data(answer), lambda console: draw_tip(console, answer))


@tip.command()
@click.argument("reference", metavar="TIP")
def take(reference: str) -> None:
    """Take TIP up: it is under assessment, and the clock of the first look stops."""
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        _show_state(ask(desk.TakeTip, desk_service_pb2.TakeTipRequest(tip=reference)).tip)


@tip.command()
@click.argument("reference", metavar="TIP")
@click.option("--state", required=True, type=click.Choice(("under-assessment", "acted-upon"), case_sensitive=False), help="How it stands.")
@_why
def assess(reference: str, state: str, reason: str) -> None:
    """Say that TIP was acted upon in this country, or take it up once more. The NGO reads the state alone."""
    from exchange.v1 import desk_service_pb2
    from exchange.v1.tip_pb2 import TipState

    number = TipState.Value(f"TIP_STATE_{state.upper().replace('-', '_')}")
    with open_desk() as desk:
        _show_state(ask(desk.AssessTip, desk_service_pb2.AssessTipRequest(tip=reference, state=number, reason=reason)).tip)


@tip.command()
@click.argument("reference", metavar="TIP")
@click.option("--to", "agency", required=True, type=Agency(), metavar="AGENCY", help="Another agency of this country.")
@_why
def refer(reference: str, agency: str, reason: str) -> None:
    """Give TIP to another desk of this country. Yours sees it no more."""
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        _show_state(ask(desk.ReferTip, desk_service_pb2.ReferTipRequest(tip=reference, agency=agency, reason=reason)).tip)


@tip.command()
@click.argument("reference", metavar="TIP")
@click.option("--reason-code", "code", required=True, type=click.Choice(CLOSE_REASONS, case_sensitive=False), help="The coded reason.")
@_why
def close(reference: str, code: str, reason: str) -> None:
    """Close TIP. Closed is closed: what is learned later is another tip."""
    from exchange.v1 import desk_service_pb2

    number = desk_service_pb2.TipCloseReason.Value(f"TIP_CLOSE_REASON_{code.upper()}")
    with open_desk() as desk:
        _show_state(ask(desk.CloseTip, desk_service_pb2.CloseTipRequest(tip=reference, code=number, reason=reason)).tip)


@tip.command()
@click.argument("reference", metavar="TIP")
@click.option(
    "--text-code", "code", required=True, type=click.Choice(SAFEGUARDS, case_sensitive=False), help="What the NGO is asked to do."
)
def safeguard(reference: str, code: str) -> None:
    """Ask the NGO that sent TIP for something that keeps a child safe. It reads the request and the status, and nothing else."""
    from exchange.v1 import desk_service_pb2

    number = desk_service_pb2.TipSafeguard.Value(f"TIP_SAFEGUARD_{code.upper()}")
    with open_desk() as desk:
        _show_state(ask(desk.SafeguardTip, desk_service_pb2.SafeguardTipRequest(tip=reference, code=number)).tip)


@tip.command()
@click.argument("reference", metavar="TIP")
@click.option("--purpose", required=True, type=click.Choice(PURPOSES, case_sensitive=False), help="What for.")
@_why
def contact(reference: str, purpose: str, reason: str) -> None:
    """Open the escrow of TIP: how its reporter can be reached. Recorded, with purpose and reason, before you see it."""
    from exchange.v1 import desk_service_pb2
    from exchange.v1.handling_pb2 import Purpose

    question = desk_service_pb2.OpenTipContactRequest(tip=reference, purpose=Purpose.Value(f"PURPOSE_{purpose.upper()}"), reason=reason)
    with open_desk() as desk:
        answer = ask(desk.OpenTipContact, question).contact
    rows = [(field.name.replace("_", " "), value) for field, value in answer.ListFields()]
    show(document(answer), lambda console: console.print(facts(rows)))


@tip.command()
@click.argument("reference", metavar="TIP")
@click.option("--to", "kind", required=True, type=click.Choice(tuple(TYPES), case_sensitive=False), help="What it becomes.")
@click.option("--partner", type=Agency(), metavar="AGENCY", help="An agency abroad. Left out: that of the suspect's country.")
@click.option("--suspect", type=click.IntRange(1, 8), default=1, show_default=True, help="Of several, which.")
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the draft there; otherwise it is printed.")
def convert(reference: str, kind: str, partner: str | None, suspect: int, out: Path | None) -> None:
    """Make a draft for another country of TIP, which keeps its thread. Nothing is sent: an officer completes and publishes it."""
    from exchange.v1 import desk_service_pb2
    from node.tips.draft_file import write_draft

    question = desk_service_pb2.ConvertTipRequest(
        tip=reference, alert_type=f"exchange.v1.{TYPES[kind.lower()]}", partner=partner or "", suspect=suspect - 1
    )
    with open_desk() as desk:
        draft = ask(desk.ConvertTip, question).draft
        problems = ask(desk.CheckAlert, desk_service_pb2.CheckAlertRequest(draft=draft)).problems
    text = write_draft(draft, f"Made of the tip {reference.strip().upper()}. Complete it, and check it: exchange alert check FILE")
    if out is not None:
        _write_new(out, text)
    data = {"file": str(out) if out else None, "draft": text, "problems": problem_list(problems), "thread": draft.thread.hex()}

    def draw(console: "Console") -> None:
        if out is None:
            console.out(plain(text), highlight=False)
        if problems:
            console.print(problem_table(problems))
        where = f"Written: {out}. " if out else ""
        console.print(note(f"\n{where}Next: complete it, then exchange alert check, preview and publish."))

    show(data, draw)


@tip.command()
@click.argument("alert_id", metavar="ALERT")
@click.option("--state", required=True, type=click.Choice(STATES, case_sensitive=False), help="What became of it here.")
@click.option("--reason", default="Status of a tip to the country that passed it on", show_default=True, help="Why, for your auditors.")
def answer(alert_id: str, state: str, reason: str) -> None:
    """Tell the country that passed ALERT on, a tip in your inbox, what became of it: the state alone. Exit code 3 if refused."""
    from exchange.v1 import desk_service_pb2
    from exchange.v1.tip_pb2 import TipState

    question = desk_service_pb2.AnswerTipRequest(
        request_id=request_id(b"tip answer", own_id(), alert_id.encode(), state.upper().encode()),
        alert=alert_id,
        state=TipState.Value(f"TIP_STATE_{state.upper()}"),
        reason=reason,
    )
    with open_desk() as desk:
        published = ask(desk.AnswerTip, question).published

    def draw(console: "Console") -> None:
        if published.problems:
            console.print(problem_table(published.problems))
        else:
            console.print(f"Answered: {words(state.upper())}.", style="green")

    show(document(published), draw)
    click.get_current_context().exit(REFUSED if published.problems else SUCCESS)


@tip.command()
@click.argument("reference", metavar="TIP")
@click.option("--contact", "contact_alone", is_flag=True, help="Only how the reporter can be reached.")
@_why
def erase(reference: str, contact_alone: bool, reason: str) -> None:  # noqa: FBT001  click calls it
    """Erase TIP before its limit, or with --contact only how its reporter can be reached. It cannot be taken back."""
    from exchange.v1 import desk_service_pb2

    question = desk_service_pb2.EraseTipRequest(tip=reference, contact_alone=contact_alone, reason=reason)
    with open_desk() as desk:
        erased = ask(desk.EraseTip, question).tip
    what = "The contact details are erased." if contact_alone else "The tip is erased: only what became of it is left."
    show(document(erased), lambda console: console.print(what, style="green"))


tip.add_command(send)
tip.add_command(ask_)


def _show_state(summary: "TipSummary") -> None:
    data = document(summary)
    show(data, lambda console: console.print(f"{plain(summary.reference)}: {words(data['state'])}", style="green"))


def _write_new(out: Path, text: str) -> None:
    # It tells of a person: nobody else on this machine reads it, and nothing that is there is overwritten.
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        next_step = "Name another file. Nothing was written."
        raise Trouble(USAGE, "FILE_WRITE", f"{out} cannot be written.", why=f"{error.strerror}.", next_step=next_step) from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
