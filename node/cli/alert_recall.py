"""`exchange alert reach, update, correct, withdraw, restrict, supplement`: what becomes of an alert after its release."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from node.cli.command import Verb
from node.cli.context import ask, open_desk
from node.cli.drafts import FOR_APPROVAL, Agency, FileDraft, request_id
from node.cli.errors import REFUSED, SUCCESS, USAGE, Trouble
from node.cli.output import note, show, table
from node.cli.problems import problem_table
from node.documents import document
from node.short_words import party_name, short, time_cell

if TYPE_CHECKING:
    from rich.console import Console

    from exchange.v1.desk_service_pb2 import Problem, PublishedAlert, ReplaceAlertResponse
    from exchange.v1.desk_service_pb2_grpc import DeskServiceStub

_FILE: Final = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)

# Of the enums of control.proto and disclosure.proto; written out so that the help page needs no schema. A test compares them.
WITHDRAWAL_REASONS: Final = ("WRONG_PERSON", "NO_LONGER_NECESSARY", "NOT_LAWFUL", "SUPERSEDED", "COURT_ORDER")
RESTRICTION_REASONS: Final = ("ACCURACY_CONTESTED", "UNDER_REVIEW", "KEPT_AS_EVIDENCE")
CORRECTION_REASONS: Final = ("FACTUAL_ERROR", "WRONG_PERSON", "OUT_OF_DATE", "NOT_LAWFUL", "DISPUTED")
GROUNDS: Final = ("RECIPIENT_ASKED", "IDENTIFICATION", "RISK_TO_CHILD", "OFFICER_SAFETY", "INVESTIGATION")

_why = click.option("--reason", required=True, help="Why; kept in the authorisation record for your auditors, never in a log.")
_again = click.option("--again", is_flag=True, help="Mean it anew: the same command otherwise returns its first answer.")
_in_node_name = click.option("--in-node-name", is_flag=True, help="As an administrator, when the agency's own key is revoked.")


@click.command(cls=Verb)
@click.argument("alert_id", metavar="ALERT")
def reach(alert_id: str) -> None:
    """Show everybody who was ever told any field of ALERT, from the logs: whom a recall reaches."""
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        answer = ask(desk.GetReach, desk_service_pb2.GetReachRequest(alert=alert_id))

    def draw(console: "Console") -> None:
        if not answer.reached:
            console.print(note("Nobody was told of it."))
            return
        rows = [
            (
                party_name(one.agency),
                short(one.manifest_digest),
                str(len(one.fields)),
                time_cell(one.disclosed_at),
                "refused" if one.refused else "",
                f"passed on by {one.via}" if one.via else "",
            )
            for one in answer.reached
        ]
        console.print(table(("agency", "!manifest", "fields", "!disclosed (UTC)", "receipt", "how"), rows, right=("fields",)))

    show(document(answer), draw)


@click.command(cls=Verb)
@click.argument("alert_id", metavar="ALERT")
@click.option(
    "--code", required=True, type=click.Choice(WITHDRAWAL_REASONS, case_sensitive=False), help="The coded reason that others read."
)
@click.option("--within", type=click.IntRange(1, 90), default=7, show_default=True, metavar="DAYS", help="When an attestation is due.")
@_why
@_in_node_name
@_again
def withdraw(alert_id: str, code: str, within: int, reason: str, in_node_name: bool, again: bool) -> None:  # noqa: FBT001  click calls it
    """Recall ALERT from everybody who was ever told any of it, also after an agreement ended. It never comes back.

    Each recipient owes a signed attestation of the purge: `exchange alert status` shows who has not given it. Exit code 3 if the node
    refused it.
    """
    from exchange.v1 import control_pb2, desk_service_pb2

    question = desk_service_pb2.RecallAlertRequest(
        request_id=_id("withdraw", alert_id, code, again=again),
        alert=alert_id,
        kind=desk_service_pb2.RECALL_KIND_WITHDRAWAL,
        withdrawal_reason=control_pb2.WithdrawalReason.Value(f"WITHDRAWAL_REASON_{code.upper()}"),
        attest_within_days=within,
        reason=_meant(reason),
        in_node_name=in_node_name,
    )
    _recall(question, "Withdrawn")


@click.command(cls=Verb)
@click.argument("alert_id", metavar="ALERT")
@click.option("--code", type=click.Choice(RESTRICTION_REASONS, case_sensitive=False), help="The coded reason that others read.")
@click.option("--lift", is_flag=True, help="Lift an earlier restriction.")
@_why
@_in_node_name
@_again
def restrict(alert_id: str, code: str | None, lift: bool, reason: str, in_node_name: bool, again: bool) -> None:  # noqa: FBT001  click calls it
    """Block ALERT for the time being wherever it was told, or lift that again: nobody reads it or acts on it meanwhile.

    Exit code 3 if the node refused it.
    """
    from exchange.v1 import control_pb2, desk_service_pb2

    if code is None and not lift:
        raise click.UsageError("Missing option '--code'.")
    name = "lift" if lift else "restrict"
    question = desk_service_pb2.RecallAlertRequest(
        request_id=_id(name, alert_id, code or "", again=again),
        alert=alert_id,
        kind=desk_service_pb2.RECALL_KIND_LIFTING if lift else desk_service_pb2.RECALL_KIND_RESTRICTION,
        restriction_reason=control_pb2.RestrictionReason.Value(f"RESTRICTION_REASON_{code.upper()}")
        if code
        else control_pb2.RESTRICTION_REASON_UNSPECIFIED,
        reason=_meant(reason),
        in_node_name=in_node_name,
    )
    _recall(question, "The restriction is lifted" if lift else "Restricted")


@click.command(cls=Verb)
@click.argument("alert_id", metavar="ALERT")
@click.argument("file", type=_FILE)
@_why
@_again
def update(alert_id: str, file: Path, reason: str, again: bool) -> None:  # noqa: FBT001  click calls it
    """Put FILE in the place of ALERT, without fault: another flight, a longer validity.

    It goes to everybody who was told and whom a clause still admits, and to the recipients that FILE names besides. The desks see what
    changed. Exit code 3 if the node refused it.
    """
    _replace("update", alert_id, file, reason, again=again)


@click.command(cls=Verb)
@click.argument("alert_id", metavar="ALERT")
@click.argument("file", type=_FILE)
@click.option("--wrong", multiple=True, metavar="FIELD", help="A field that was wrong. Left out: every field in which FILE differs.")
@click.option(
    "--code",
    type=click.Choice(CORRECTION_REASONS, case_sensitive=False),
    default="FACTUAL_ERROR",
    show_default=True,
    help="What was wrong.",
)
@_why
@_again
def correct(alert_id: str, file: Path, wrong: tuple[str, ...], code: str, reason: str, again: bool) -> None:  # noqa: FBT001  click calls it
    """Correct ALERT by FILE: everybody who was told learns which fields were wrong.

    Those whom a clause still admits get the corrected alert in its place; the others read "disputed, do not act", without new values.
    Exit code 3 if the node refused it.
    """
    _replace("correct", alert_id, file, reason, again=again, code=code.upper(), wrong=wrong)


@click.command(cls=Verb)
@click.argument("alert_id", metavar="ALERT")
@click.option("--to", "recipient", required=True, type=Agency(), metavar="AGENCY", help="One agency that was told of the alert.")
@click.option("--field", "fields", multiple=True, required=True, metavar="FIELD", help="A field to tell besides; may be repeated.")
@click.option("--ground", type=click.Choice(GROUNDS, case_sensitive=False), help="The reason of this case, for fields on request.")
@click.option("--request", "asked", metavar="DIGEST", help="Of the request's manifest, if the recipient asked.")
@_why
@_again
@FOR_APPROVAL
def supplement(
    alert_id: str,
    recipient: str,
    fields: tuple[str, ...],
    ground: str | None,
    asked: str | None,
    reason: str,
    again: bool,  # noqa: FBT001  click calls it
    for_approval: bool,  # noqa: FBT001  click calls it
) -> None:
    """Tell one agency more fields of ALERT: the same manifest, and only what is new.

    Where a clause asks for a second officer, submit it for approval (--for-approval).

    The same command again tells nothing twice. Exit code 3 if the node refused it.
    """
    from exchange.v1 import desk_service_pb2, disclosure_pb2
    from node.cli.approval import submit_and_show

    digest = _digest(asked)
    with open_desk() as desk:
        numbers = _numbers(desk, alert_id, fields)
        question = desk_service_pb2.SupplementAlertRequest(
            request_id=_id("supplement", alert_id, recipient, *fields, again=again),
            alert=alert_id,
            recipient=recipient,
            fields=numbers,
            ground=disclosure_pb2.OnRequestGround.Value(f"ON_REQUEST_GROUND_{ground.upper()}")
            if ground
            else disclosure_pb2.ON_REQUEST_GROUND_UNSPECIFIED,
            request_digest=digest,
            reason=_meant(reason),
        )
        published = None if for_approval else ask(desk.SupplementAlert, question).published
    if published is None:
        submit_and_show(desk_service_pb2.SubmitAlertRequest(supplement=question, reason=question.reason))
        return

    def draw(console: "Console") -> None:
        if not _draw_refused(console, published.problems):
            console.print(f"{party_name(recipient)} is told: {', '.join(fields)}.", style="green")

    show(document(published), draw)
    click.get_current_context().exit(REFUSED if published.problems else SUCCESS)


def _recall(question: Any, done: str) -> None:
    with open_desk() as desk:
        answer = ask(desk.RecallAlert, question)
    refused = any(control.problems for control in answer.controls)

    def draw(console: "Console") -> None:
        for control in answer.controls:
            _draw_refused(console, control.problems)
        if refused:
            return
        console.print(f"{done}.", style="green")
        _draw_told(console, answer.controls, answer.waiting)

    show(document(answer), draw)
    click.get_current_context().exit(REFUSED if refused else SUCCESS)


def _replace(verb: str, alert_id: str, file: Path, reason: str, *, again: bool, code: str = "", wrong: Sequence[str] = ()) -> None:
    from exchange.v1 import control_pb2, desk_service_pb2
    from node.cli.alert import readable_draft

    item: FileDraft = readable_draft(file)
    item.draft.request_id = _id(verb, alert_id, code, *wrong, again=again, content=file.read_bytes())
    with open_desk() as desk:
        answer = ask(
            desk.ReplaceAlert,
            desk_service_pb2.ReplaceAlertRequest(
                alert=alert_id,
                draft=item.draft,
                correction_reason=control_pb2.CorrectionReason.Value(f"CORRECTION_REASON_{code or 'UNSPECIFIED'}"),
                wrong_fields=_fields_of(item.draft.alert_type, wrong),
                reason=_meant(reason),
                as_it_stands=True,
            ),
        )
    refused = bool(answer.replacement.problems)
    show(document(answer), lambda console: _draw_replaced(console, answer, verb))
    click.get_current_context().exit(REFUSED if refused else SUCCESS)


def _draw_replaced(console: "Console", answer: "ReplaceAlertResponse", verb: str) -> None:
    if _draw_refused(console, answer.replacement.problems):
        return
    if answer.HasField("replacement"):
        console.print(f"{'Updated' if verb == 'update' else 'Corrected'}: {short(answer.replacement.manifest_digest)}.", style="green")
        _draw_told(console, [answer.replacement], ())
    if answer.corrections:
        console.print("\nThese were told that what they hold is wrong or out of date:")
        _draw_told(console, answer.corrections, answer.waiting)
    if answer.not_admitted:
        names = ", ".join(map(party_name, answer.not_admitted))
        console.print(f"\nNo clause admits them to the new values any more: {names}.", style="yellow")
        console.print(note("If theirs asks for a second officer: exchange approval submit FILE, in which `supersedes` names this alert."))


def _draw_told(console: "Console", controls: "Sequence[PublishedAlert]", waiting: Sequence[str]) -> None:
    rows = [
        (short(control.manifest_digest), "\n".join(map(party_name, one.audience)), f"{one.origin} {one.index}")
        for control in controls
        for one in control.disclosures
    ]
    if rows:
        console.print(table(("!alert", "to", "log and index"), rows))
    if waiting:
        console.print(f"The log is stopped towards {', '.join(waiting)}: told as soon as it goes on.", style="yellow")


def _draw_refused(console: "Console", problems: "Sequence[Problem]") -> bool:
    if problems:
        console.print("This was refused:", style="bold")
        console.print(problem_table(problems))
    return bool(problems)


def _id(*said: str, again: bool, content: bytes = b"") -> bytes:
    """Derive the id from what is asked, so that asking the same again after a lost connection does nothing twice."""
    from node.system import system_entropy

    return request_id(*(part.encode() for part in said), content, system_entropy(16) if again else b"")


def _meant(reason: str) -> str:
    if not reason.strip():
        raise click.BadParameter("a reason is more than blanks", param_hint="--reason")
    return reason


def _digest(text: str | None) -> bytes:
    try:
        digest = bytes.fromhex(text or "")
    except ValueError:
        digest = b"?"
    if len(digest) not in {0, 32}:
        raise click.BadParameter("write the 64 hexadecimal digits of the request's digest", param_hint="--request")
    return digest


def _numbers(desk: "DeskServiceStub", alert_id: str, names: Sequence[str]) -> list[int]:
    from exchange.v1 import desk_service_pb2

    summary = ask(desk.GetAlertStatus, desk_service_pb2.GetAlertStatusRequest(alert=alert_id)).summary
    return _fields_of(summary.alert_type, names)


def _fields_of(alert_type_name: str, names: Sequence[str]) -> list[int]:
    from exchange.profile import alert_type

    numbers = {field.name: field.number for field in alert_type(alert_type_name).fields}
    unknown = [name for name in names if name not in numbers]
    if unknown:
        known = ", ".join(numbers)
        raise Trouble(USAGE, "FIELD_UNKNOWN", "This alert type has no such field.", next_step=f"Name one of {known}.")
    return sorted({numbers[name] for name in names})
