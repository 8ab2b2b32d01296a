"""`exchange request`: questions to other countries' agencies, their answers, and the clock that both sides see."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from node.cli.command import Noun
from node.cli.context import ask, open_desk, own_id
from node.cli.drafts import request_id
from node.cli.errors import USAGE, Trouble
from node.cli.output import note, show
from node.cli.reply import own_desk, show_said
from node.cli.request_view import case_table, draw_case
from node.documents import document

if TYPE_CHECKING:
    from rich.console import Console

    from exchange.v1.desk_service_pb2 import Draft
    from exchange.v1.desk_service_pb2_grpc import DeskServiceStub

_FILE: Final = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)

# Of the enums of control.proto and information.proto; written out so that the help page needs no schema. A test compares them.
CODES: Final = (
    "NO_LEGAL_BASIS",
    "NOT_NECESSARY",
    "INSUFFICIENT_GROUNDS",
    "NATIONAL_SECURITY",
    "ONGOING_INVESTIGATION",
    "HUMAN_RIGHTS",
    "AUTHORISATION_DENIED",
    "WRONG_PERSON",
    "NO_PERMIT",
)
BECAUSE: Final = {"court-order": "COURT_ORDER_NEEDED", "prosecutor-consent": "PROSECUTOR_CONSENT_NEEDED"}

_why = click.option("--reason", required=True, help="Why; kept in the authorisation record for your auditors, never in a log.")


@click.group(cls=Noun)
def request() -> None:
    """Ask another country's agency, answer or refuse in time, stop the clock."""


@request.command()
@click.argument("file", type=_FILE)
@_why
@click.option("--dry-run", is_flag=True, help="Only preview.")
@click.option("--again", is_flag=True, help="Ask anew what this file asked before.")
@click.option("--urgent", is_flag=True, help="Declare that the release could not wait. Urgency of the answer stands in the file.")
def send(file: Path, reason: str, dry_run: bool, again: bool, urgent: bool) -> None:  # noqa: FBT001  click calls it
    """Release FILE, a draft of type InformationRequest, to the agency that it names. Check it before: exchange alert check, preview.

    The same command again asks nothing twice. Exit code 3 if the node refused it.
    """
    from node.cli.alert import publish, readable_draft

    if readable_draft(file).draft.alert_type != "exchange.v1.InformationRequest":
        raise Trouble(
            USAGE,
            "NOT_A_REQUEST",
            f"{file} asks nothing.",
            next_step="Write `type: InformationRequest`; anything else goes by `exchange alert publish`.",
        )
    click.get_current_context().invoke(publish, files=(file,), reason=reason, recipients=(), dry_run=dry_run, again=again, urgent=urgent)


@request.command("list")
@click.option("--all", "settled_too", is_flag=True, help="Also those that are settled.")
def list_(settled_too: bool) -> None:  # noqa: FBT001  click calls it
    """List the questions that your agency was asked and those that it asked, what is due first first."""
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        answer = ask(desk.ListRequests, desk_service_pb2.ListRequestsRequest(all=settled_too))

    def draw(console: "Console") -> None:
        if not answer.requests:
            console.print(note("No request is open. Ask: exchange request send FILE --reason …"))
            return
        console.print(case_table(answer.requests))
        if answer.more:
            console.print(note("\nThere are older ones, which are not listed."))

    show(document(answer), draw)


@request.command("show")
@click.argument("reference", metavar="REF")
def show_(reference: str) -> None:
    """Show how request REF stands: its clock, and everything that either side said, with who and when.

    REF is a manifest digest, or the first 8 or more characters of it. What was asked: exchange inbox show, or alert show.
    """
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        answer = ask(desk.GetRequest, desk_service_pb2.GetRequestRequest(request=reference))

    def draw(console: "Console") -> None:
        for case in answer.cases:
            draw_case(console, case)

    show(document(answer), draw)


@request.command()
@click.argument("reference", metavar="REF")
@click.argument("file", type=_FILE, required=False)
@click.option("--no-trace", is_flag=True, help="Instead of FILE: nothing is known, to every question.")
@_why
def answer(reference: str, file: Path | None, no_trace: bool, reason: str) -> None:  # noqa: FBT001  click calls it
    """Answer request REF by FILE, a draft of type InformationResponse; what it answers and to whom it goes, the node fills in.

    The same command again answers nothing twice. Exit code 3 if the node refused it, as after another answer or a refusal.
    """
    from exchange.v1 import desk_service_pb2

    if (file is None) is not no_trace:
        raise click.UsageError("Give FILE, or --no-trace.")
    with open_desk() as desk:
        draft = _no_trace(desk, reference) if file is None else _from_file(file)
        draft.request_id = request_id(b"answer", own_id(), reference.encode(), file.read_bytes() if file else b"no trace")
        question = desk_service_pb2.AnswerRequestRequest(request=reference, draft=draft, reason=_meant(reason))
        published = ask(desk.AnswerRequest, question).published
    show_said(published, "Answered.")


@request.command()
@click.argument("reference", metavar="REF")
@click.option("--code", required=True, type=click.Choice(CODES, case_sensitive=False), help="The coded reason that the other side reads.")
@_why
def refuse(reference: str, code: str, reason: str) -> None:
    """Refuse to answer request REF, with a coded reason. It goes without an agreement. Exit code 3 if the node refused it."""
    from exchange.v1 import control_pb2, desk_service_pb2

    question = desk_service_pb2.RefuseRequestRequest(
        request_id=request_id(b"refuse", own_id(), reference.encode(), code.upper().encode()),
        request=reference,
        code=control_pb2.RefusalReason.Value(f"REFUSAL_REASON_{code.upper()}"),
        reason=_meant(reason),
    )
    with open_desk() as desk:
        published = ask(desk.RefuseRequest, question).published
    show_said(published, "Refused.")


@request.command()
@click.argument("reference", metavar="REF")
@click.option("--because", required=True, type=click.Choice(tuple(BECAUSE)), help="Which judicial authorisation is pending.")
@_why
def suspend(reference: str, because: str, reason: str) -> None:
    """Stop the clock of request REF while a judicial authorisation is pending. Both sides see it, and why. Exit code 3 if refused."""
    _suspend(reference, BECAUSE[because], reason, "The clock stands still.")


@request.command()
@click.argument("reference", metavar="REF")
@_why
def resume(reference: str, reason: str) -> None:
    """Start the clock of request REF again, which your agency had stopped. Exit code 3 if the node refused it."""
    _suspend(reference, "UNSPECIFIED", reason, "The clock runs again.")


def _suspend(reference: str, because: str, reason: str, done: str) -> None:
    from exchange.v1 import desk_service_pb2, information_pb2
    from node.system import system_entropy

    question = desk_service_pb2.SuspendRequestRequest(
        request_id=system_entropy(16),  # to stop it again, after it was started, is something new
        request=reference,
        because=information_pb2.AuthorisationReason.Value(f"AUTHORISATION_REASON_{because}"),
        desk=own_desk(),
        reason=_meant(reason),
    )
    with open_desk() as desk:
        published = ask(desk.SuspendRequest, question).published
    show_said(published, done)


def _from_file(file: Path) -> "Draft":
    from node.cli.alert import readable_draft

    return readable_draft(file).draft


def _no_trace(desk: "DeskServiceStub", reference: str) -> "Draft":
    """Nothing known, to each question of the request as this agency was given it."""
    from exchange.encoding import encode
    from exchange.v1 import desk_service_pb2
    from exchange.v1.information_pb2 import ANSWER_CODE_NO_TRACE, Answer, InformationRequest, InformationResponse

    shown = ask(desk.GetInboxAlert, desk_service_pb2.GetInboxAlertRequest(alert=reference))
    asked = InformationRequest.FromString(shown.view).questions
    answers = [Answer(question=question, answer=ANSWER_CODE_NO_TRACE) for question in asked]
    content = InformationResponse(request_digest=shown.summary.manifest_digest, answers=answers, contact_desk=own_desk())
    return desk_service_pb2.Draft(alert_type=InformationResponse.DESCRIPTOR.full_name, alert=encode(content))


def _meant(reason: str) -> str:
    if not reason.strip():
        raise click.BadParameter("a reason is more than blanks", param_hint="--reason")
    return reason
