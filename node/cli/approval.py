"""`exchange approval`: four eyes. A draft waits until a second officer has looked at exactly what would go, and approved it."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from node.cli.command import Noun
from node.cli.context import ask, open_desk, settings
from node.cli.drafts import DESPITE, Agency, read_drafts
from node.cli.errors import REFUSED, SUCCESS, USAGE, Trouble
from node.cli.output import facts, note, plain, show, table
from node.cli.problems import has_errors, problem_list, problem_table
from node.cli.today import today
from node.documents import document, enum_name
from node.short_words import party_name, short, time_cell, time_text, words

if TYPE_CHECKING:
    from rich.console import Console

    from exchange.v1.desk_service_pb2 import GetSubmissionResponse, PublishedAlert, Submission, SubmitAlertRequest

_CLOSED: Final = frozenset({"void", "taken back", "lapsed"})
_TURNS: Final = {
    "APPROVE": "yes",
    "PUT_IN_WRITING": "in writing",
    "AUTHOR": "no: yours",
    "GIVEN": "no: given",
}
_FILE: Final = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)


@click.group(cls=Noun)
def approval() -> None:
    """Four eyes: submit a draft, look at what waits, approve it."""


@approval.command()
@click.argument("file", type=_FILE)
@click.option("--reason", required=True, help="Why; kept in the authorisation record for your auditors, never in a log.")
@click.option("--to", "recipients", multiple=True, type=Agency(), metavar="AGENCY", help="Instead of the file's recipients.")
@click.option(
    "--oral-approval",
    default="",
    metavar="OFFICER",
    help="SPIFFE ID of the officer who approved by word of mouth, in an emergency: released at once, to be put in writing within a day.",
)
@click.option("--again", is_flag=True, help="Submit anew a file whose submission is void, was taken back or has lapsed.")
@click.option(
    "--instead-of",
    default="",
    metavar="SUBMISSION",
    help="Take back that one of yours, which still waits, in the same step. Whoever looked at it is shown what differs.",
)
@DESPITE
def submit(
    file: Path,
    reason: str,
    recipients: tuple[str, ...],
    oral_approval: str,
    again: bool,  # noqa: FBT001  click calls it
    instead_of: str,
    despite: tuple[str, ...],
) -> None:
    """Submit an alert file for a second officer's approval. Exit code 3 if it could not be released even then.

    The same command again submits nothing twice.
    """
    from exchange.v1 import desk_service_pb2
    from node.system import system_entropy

    # The same command again has the same salt, and submits nothing twice.
    salt = system_entropy(16) if again else instead_of.encode()
    (draft,) = read_drafts((file,), recipients, today=today(), salt=salt, step=lambda _: None, despite=despite)
    if has_errors(draft.problems):
        raise Trouble(
            USAGE,
            "FILE_WRONG",
            f"{file} cannot be sent as written.",
            next_step=f"Mend it, and check with `exchange alert check {file}`. Nothing was submitted.",
            done={"problems": problem_list(draft.problems)},
        )
    question = desk_service_pb2.SubmitAlertRequest(draft=draft.draft, reason=reason, oral_approver=oral_approval, instead_of=instead_of)
    submit_and_show(question)


def submit_and_show(question: "SubmitAlertRequest") -> None:
    """Submit something, show what became of it, and exit: 3 if it could not be released even when it is approved."""
    with open_desk() as desk:
        answer = ask(desk.SubmitAlert, question)

    def draw(console: "Console") -> None:
        if answer.problems:
            console.print(problem_table(answer.problems))
            return
        _draw(console, answer.submission)
        if answer.HasField("published"):
            _draw_published(console, answer.published)
        else:
            console.print(note(f"\n{_next_step(answer.submission)}"))

    show(document(answer), draw)
    refused = has_errors(answer.problems) or answer.published.problems or _state(answer.submission) in _CLOSED
    click.get_current_context().exit(REFUSED if refused else SUCCESS)


@approval.command("list")
def list_() -> None:
    """List your agency's submissions, newest first, and who approved them."""
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        answer = ask(desk.ListSubmissions, desk_service_pb2.ListSubmissionsRequest())

    def draw(console: "Console") -> None:
        if not answer.submissions:
            console.print(note("Nothing was submitted yet: exchange approval submit FILE --reason …"))
            return
        rows = [
            (
                short(item.id),
                _state(item),
                plain(item.alert_type).rpartition(".")[2],
                party_name(item.author),
                f"{len(item.approvals)} of {item.approvals_needed}",
                _turn(item),
                ", ".join(party_name(one) for one in item.recipients) or "–",
                time_cell(item.submitted_at),
                _until(item),
            )
            for item in answer.submissions
        ]
        heads = ("!submission", "state", "type", "author", "approvals", "!for you", "to", "!submitted (UTC)", "!until (UTC)")
        console.print(table(heads, rows))

    show(document(answer), draw)


@approval.command("show")
@click.argument("submission", metavar="SUBMISSION")
def show_(submission: str) -> None:
    """Show SUBMISSION, what each recipient would see of it, and what differs since you looked at it, or at the one before it."""
    from node.cli.since_view import since_data

    answer = _get(submission)
    show({**document(answer), "since": since_data(answer)}, lambda console: _draw_whole(console, answer))


@approval.command()
@click.argument("submission", metavar="SUBMISSION")
@click.option("--yes", is_flag=True, help="Do not ask: you have looked at it with `exchange approval show`.")
def give(submission: str, yes: bool) -> None:  # noqa: FBT001  click calls it
    """Look at what SUBMISSION would send, and approve it. The last approval releases it. Also puts an oral approval in writing."""
    from exchange.v1 import desk_service_pb2

    looked = _get(submission)
    if not yes:
        if settings().json:
            raise Trouble(USAGE, "CONFIRMATION", "Nobody can be asked with --json.", next_step="Look at it, then give --yes.")
        from node.cli.output import console

        _draw_whole(console(), looked)
        click.confirm("Approve exactly this?", abort=True)
    question = desk_service_pb2.ApproveSubmissionRequest(submission=submission, preview_digest=looked.submission.preview_digest)
    with open_desk() as desk:
        answer = ask(desk.ApproveSubmission, question)

    def draw(screen: "Console") -> None:
        _draw(screen, answer.submission)
        if answer.HasField("published"):
            _draw_published(screen, answer.published)

    show(document(answer), draw)
    click.get_current_context().exit(REFUSED if answer.published.problems else SUCCESS)


@approval.command("take-back")
@click.argument("submission", metavar="SUBMISSION")
@click.option("--keep-draft", is_flag=True, help="Keep what it said as a draft of yours in the console, to change and submit anew.")
def take_back(submission: str, keep_draft: bool) -> None:  # noqa: FBT001  click calls it
    """Take back a SUBMISSION of yours that still waits."""
    from exchange.v1 import desk_service_pb2

    question = desk_service_pb2.TakeBackSubmissionRequest(submission=submission, keep_draft=keep_draft)
    with open_desk() as desk:
        answer = ask(desk.TakeBackSubmission, question)
    taken = answer.submission

    def draw(console: "Console") -> None:
        _draw(console, taken)
        if answer.draft:
            console.print(note(f"It is your draft again, in the console: /drafts/{answer.draft.hex()}"))

    show({**document(taken), "draft": answer.draft.hex() or None}, draw)


def _get(submission: str) -> "GetSubmissionResponse":
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        return ask(desk.GetSubmission, desk_service_pb2.GetSubmissionRequest(submission=submission))


def _next_step(item: "Submission") -> str:
    """What follows for a file that was submitted, now or by the same command before."""
    state = _state(item)
    if state in _CLOSED:
        return f"This was submitted before, and is {state}: nobody can approve it. To submit the file anew: --again"
    if state == "released":
        return f"This was submitted before, and is released: exchange approval show {short(item.id)}"
    return f"A colleague approves it: exchange approval give {short(item.id)}"


def _state(item: "Submission") -> str:
    from exchange.v1.desk_service_pb2 import SubmissionState

    return words(enum_name(SubmissionState.DESCRIPTOR, item.state) or "unknown")


def _turn(item: "Submission") -> str:
    from exchange.v1.desk_service_pb2 import ApprovalTurn

    name = enum_name(ApprovalTurn.DESCRIPTOR, item.turn) or ""
    return _TURNS.get(name, "–")


def _until(item: "Submission") -> str:
    """The landing, the end of its validity, or when an oral approval must be in writing: what comes first."""
    to_write = [one.confirm_by for one in item.approvals if one.oral and not one.confirmed_at]
    return time_cell(min((one for one in (item.lands_at, item.not_after, *to_write) if one), default=0))


def _draw(console: "Console", item: "Submission") -> None:
    approvals = [
        f"{party_name(given.person)}, {time_text(given.at)}{_oral(given.confirm_by, given.confirmed_at)}" for given in item.approvals
    ]
    rows = (
        ("submission", item.id.hex()),
        ("state", _state(item)),
        ("author", party_name(item.author)),
        ("submitted", time_text(item.submitted_at)),
        ("approvals", f"{len(item.approvals)} of {item.approvals_needed}"),
        *(("approved by", text) for text in approvals),
        ("preview", item.preview_digest.hex()),
    )
    console.print(facts(rows))


def _oral(confirm_by: int, confirmed_at: int) -> str:
    if not confirm_by:
        return ""
    return f", oral, in writing {time_text(confirmed_at)}" if confirmed_at else f", oral, in writing by {time_text(confirm_by)}"


def _draw_whole(console: "Console", answer: "GetSubmissionResponse") -> None:
    from node.cli.matrix import draw_matrix
    from node.cli.since_view import draw_since

    draw_since(console, answer)  # first: whoever has looked before looks for what differs
    _draw(console, answer.submission)
    if answer.HasField("draft"):
        known = tuple(("in spite of", plain(reference)) for reference in answer.draft.despite)
        console.print(facts((("reason", plain(answer.reason)), *known)))
    elif answer.reason:
        what = ("tells more of", answer.supplement.alert) if answer.HasField("supplement") else ("passes on under", answer.onward.request)
        console.print(facts((("reason", plain(answer.reason)), (what[0], plain(what[1])))))
    if answer.reason:
        if answer.preview.problems:
            console.print(problem_table(answer.preview.problems))
        console.print()
        draw_matrix(console, answer.preview.recipients)


def _draw_published(console: "Console", published: "PublishedAlert") -> None:
    if published.problems:
        console.print(problem_table(published.problems))
        return
    console.print(f"\nReleased: {published.manifest_digest.hex()}", style="green")
