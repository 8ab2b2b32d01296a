"""`exchange distribution`: a desk tells other agencies of its own country what came from abroad, by national clauses."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from node.cli.command import Noun
from node.cli.context import ask, open_desk, own_id
from node.cli.drafts import Agency, request_id
from node.cli.errors import REFUSED, SUCCESS, USAGE, Trouble
from node.cli.output import facts, heading, note, plain, show, table
from node.cli.paging import collect
from node.cli.problems import has_errors, problem_table
from node.documents import document
from node.short_words import party_name, short, time_cell, words

if TYPE_CHECKING:
    from rich.console import Console

    from exchange.v1.desk_service_pb2 import Distribution, DistributionDraft, InsideReport
    from exchange.v1.desk_service_pb2_grpc import DeskServiceStub

# Of the enums of disclosure.proto, handling.proto and control.proto; written out so that the help page needs no schema. A test compares.
GROUNDS: Final = ("RECIPIENT_ASKED", "IDENTIFICATION", "RISK_TO_CHILD", "OFFICER_SAFETY", "INVESTIGATION")
PURPOSES: Final = (
    "PREVENTION",
    "DETECTION",
    "INVESTIGATION",
    "PROSECUTION",
    "BORDER_CONTROL",
    "CHILD_SAFEGUARDING",
    "SAVE_LIFE",
)
EXCEPTIONS: Final = ("LEGAL_HOLD", "OWN_INVESTIGATION", "AUDIT_RECORD")

Wrapped = Callable[..., Any]


@click.group(cls=Noun)
def distribution() -> None:
    """Tell other agencies of your own country what came from abroad, as its national clauses allow."""


def _what(command: Wrapped) -> Wrapped:
    """The options of `preview` and `send` that say what goes to whom."""
    options = (
        click.argument("alert_id", metavar="ALERT"),
        click.option("--to", "agencies", multiple=True, required=True, type=Agency(), help="An agency of your country. May be repeated."),
        click.option("--purpose", type=click.Choice(PURPOSES, case_sensitive=False), help="Instead of that for which the alert came."),
        click.option("--unticked", multiple=True, metavar="FIELD", help="A permitted field that you leave out. May be repeated."),
        click.option("--grant", "grants", multiple=True, metavar="FIELD", help="A field that goes only on request. May be repeated."),
        click.option("--ground", type=click.Choice(GROUNDS, case_sensitive=False), help="Why the fields on request go."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@distribution.command()
@_what
def preview(
    alert_id: str, agencies: tuple[str, ...], purpose: str | None, unticked: tuple[str, ...], grants: tuple[str, ...], ground: str | None
) -> None:
    """Show what each agency would see of ALERT, which came for yours from abroad. Nothing goes."""
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        draft = _draft(desk, alert_id, agencies, purpose, unticked, grants, ground)
        answer = ask(desk.PreviewDistribution, desk_service_pb2.PreviewDistributionRequest(draft=draft))
    refused = has_errors(answer.problems) or any(one.denied for one in answer.recipients)

    def draw(console: "Console") -> None:
        from node.cli.matrix import draw_matrix

        if answer.problems:
            console.print(problem_table(answer.problems))
        draw_matrix(console, answer.recipients)

    show(document(answer), draw)
    click.get_current_context().exit(REFUSED if refused else SUCCESS)


@distribution.command()
@_what
@click.option("--reason", required=True, help="Why; kept in the journal for your auditors.")
@click.option("--again", is_flag=True, help="Mean it anew: the same command otherwise returns its first answer.")
def send(
    alert_id: str,
    agencies: tuple[str, ...],
    purpose: str | None,
    unticked: tuple[str, ...],
    grants: tuple[str, ...],
    ground: str | None,
    reason: str,
    again: bool,  # noqa: FBT001  click calls it
) -> None:
    """Tell agencies of your country what the national clauses allow of ALERT: all that you name, or none.

    Look first: `preview`. The same command again tells nothing twice. Exit code 3 if the node refused it.
    """
    from exchange.v1 import desk_service_pb2
    from node.system import system_entropy

    if not reason.strip():
        raise click.BadParameter("a reason is more than blanks", param_hint="--reason")
    with open_desk() as desk:
        draft = _draft(desk, alert_id, agencies, purpose, unticked, grants, ground)
        draft.reason = reason
        said = (b"distribute", draft.SerializeToString(deterministic=True))
        draft.request_id = request_id(own_id(), *said, system_entropy(16) if again else b"")
        answer = ask(desk.DistributeAlert, desk_service_pb2.DistributeAlertRequest(draft=draft))

    def draw(console: "Console") -> None:
        if answer.problems:
            console.print("Nobody was told:", style="bold")
            console.print(problem_table(answer.problems))
            return
        console.print("Distributed.", style="green")
        _draw_distributions(console, answer.distributions)

    show(document(answer), draw)
    click.get_current_context().exit(REFUSED if answer.problems else SUCCESS)


@distribution.command("list")
@click.argument("alert_id", metavar="[ALERT]", default="")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="Distributions at most.")
def list_(alert_id: str, limit: int) -> None:
    """List whom your agency told inside the country, and the reports that wait for it; or all of ALERT. Auditors name an ALERT."""
    from exchange.v1 import desk_service_pb2

    reports: list[InsideReport] = []
    with open_desk() as desk:

        def page(size: int, token: str) -> "tuple[Sequence[Distribution], str]":
            question = desk_service_pb2.ListDistributionsRequest(alert=alert_id, page_size=size, page_token=token)
            answer = ask(desk.ListDistributions, question)
            reports[:] = answer.reports
            return answer.distributions, answer.next_page_token

        found, more = collect(page, limit)

    def draw(console: "Console") -> None:
        if not found:
            console.print(note("Nobody inside the country was told."))
        else:
            _draw_distributions(console, found)
        if more:
            console.print(note(f"\nThere are more: --limit {limit * 2}"))
        _draw_reports(console, reports)

    data = {"distributions": [document(one) for one in found], "more": more, "reports": [document(one) for one in reports]}
    show(data, draw)


@distribution.command()
@click.argument("report", type=click.IntRange(1, 2**63 - 1), metavar="REPORT")
@click.option("--reason", default="Report of an agency of this country", show_default=True, help="Why, for your auditors.")
def forward(report: int, reason: str) -> None:
    """Report abroad, in the name of your agency, what an agency that you told has reported: REPORT, by its number in `list`.

    Exit code 3 if the node refused it.
    """
    from exchange.v1 import desk_service_pb2

    asked = request_id(own_id(), b"forward", str(report).encode())
    question = desk_service_pb2.ForwardReportRequest(request_id=asked, report=report, reason=reason)
    with open_desk() as desk:
        published = ask(desk.ForwardReport, question).published

    def draw(console: "Console") -> None:
        if published.problems:
            console.print("The report was refused:", style="bold")
            console.print(problem_table(published.problems))
            return
        console.print("Reported to the originator.", style="green")
        console.print(facts((("report", published.manifest_digest.hex()),)))

    show(document(published), draw)
    click.get_current_context().exit(REFUSED if published.problems else SUCCESS)


@distribution.command("confirm-purge")
@click.argument("alert_id", metavar="ALERT")
@click.option("--copies", required=True, type=click.IntRange(0, 1_000_000), help="How many copies were removed outside the node.")
@click.option("--lists-updated", is_flag=True, help="Local lists and systems no longer hold it.")
@click.option("--exception", "exceptions", multiple=True, type=click.Choice(EXCEPTIONS, case_sensitive=False), help="Why something stays.")
@click.option("--reason", default="Purge after a withdrawal", show_default=True, help="Why, for your auditors.")
def confirm_purge(alert_id: str, copies: int, lists_updated: bool, exceptions: tuple[str, ...], reason: str) -> None:  # noqa: FBT001  click calls it
    """Confirm to the desk that told you that the withdrawn ALERT is purged: first do it, then say so. It stays inside the country.

    The desk attests abroad only once every agency that it told has confirmed. Exit code 3 if the node refused it.
    """
    from exchange.v1 import control_pb2, desk_service_pb2

    if not (lists_updated or exceptions):
        raise click.UsageError("Say --lists-updated once that is done, or on what ground something stays: --exception.")
    question = desk_service_pb2.ConfirmPurgeRequest(
        alert=alert_id,
        copies_removed=copies,
        local_lists_updated=lists_updated,
        exceptions=[control_pb2.PurgeException.Value(f"PURGE_EXCEPTION_{name.upper()}") for name in exceptions],
        reason=reason,
    )
    with open_desk() as desk:
        answer = ask(desk.ConfirmPurge, question)

    def draw(console: "Console") -> None:
        if answer.problems:
            console.print("The confirmation was refused:", style="bold")
            console.print(problem_table(answer.problems))
            return
        console.print("Confirmed to your desk.", style="green")

    show(document(answer), draw)
    click.get_current_context().exit(REFUSED if answer.problems else SUCCESS)


def _draft(
    desk: "DeskServiceStub",
    alert_id: str,
    agencies: Sequence[str],
    purpose: str | None,
    unticked: Sequence[str],
    grants: Sequence[str],
    ground: str | None,
) -> "DistributionDraft":
    from exchange.v1 import desk_service_pb2, disclosure_pb2, handling_pb2

    if bool(grants) != bool(ground):
        raise click.UsageError("A field on request and its ground belong together: --grant FIELD --ground GROUND.")
    draft = desk_service_pb2.DistributionDraft(alert=alert_id, agencies=sorted(set(agencies)))
    if purpose:
        draft.purpose = handling_pb2.Purpose.Value(f"PURPOSE_{purpose.upper()}")
    if unticked or grants:
        # The type says which fields there are; the draft names nobody yet, so nothing of the content is asked for.
        bare = desk_service_pb2.PreviewDistributionRequest(draft=desk_service_pb2.DistributionDraft(alert=alert_id))
        numbers = _numbers(ask(desk.PreviewDistribution, bare).summary.alert_type)
        draft.unticked.extend(sorted({numbers(name) for name in unticked}))
        named = disclosure_pb2.OnRequestGround.Value(f"ON_REQUEST_GROUND_{(ground or '').upper()}") if grants else 0
        for agency in draft.agencies:
            for number in sorted({numbers(name) for name in grants}):
                draft.on_request.add(recipient=agency, field=number, ground=disclosure_pb2.OnRequestGround.ValueType(named))
    return draft


def _numbers(alert_type_name: str) -> Callable[[str], int]:
    from exchange.profile import alert_type

    known = {field.name: field.number for field in alert_type(alert_type_name).fields}

    def number(name: str) -> int:
        if name not in known:
            raise Trouble(USAGE, "FIELD_UNKNOWN", "This alert type has no such field.", next_step=f"Name one of {', '.join(known)}.")
        return known[name]

    return number


def draw_distributions(console: "Console", distributions: "Sequence[Distribution]") -> None:
    """Print who inside the country was told, under a heading of its own; nothing if nobody was."""
    if distributions:
        console.print(heading("Inside the country"))
        _draw_distributions(console, distributions)


def _draw_distributions(console: "Console", distributions: "Sequence[Distribution]") -> None:
    rows = [
        (
            short(one.manifest_digest),
            party_name(one.desk),
            party_name(one.agency),
            ", ".join(field_names(one)),
            plain(one.clause),
            time_cell(one.distributed_at),
            _state(one),
        )
        for one in distributions
    ]
    console.print(table(("!alert", "by", "to", "fields", "clause", "!told (UTC)", "state"), rows))


def field_names(one: "Distribution") -> list[str]:
    """The fields that went, by name."""
    from exchange.profile import alert_types

    known = alert_types().get(one.alert_type)
    names = {field.number: field.name for field in known.fields} if known else {}
    return [names.get(number, str(number)) for number in one.fields]


def _state(one: "Distribution") -> str:
    if not one.purged_at:
        return f"{plain(one.state)}, until {time_cell(one.erase_by)}"
    kept = ", ".join(map(words, document(one)["exceptions"]))
    return f"{plain(one.state)}, purge confirmed{f' but for {kept}' if kept else ''}"


def _draw_reports(console: "Console", reports: "Sequence[InsideReport]") -> None:
    if not reports:
        return
    console.print(heading("Reports of agencies that you told"))
    rows = [
        (
            str(one.report),
            short(one.manifest_digest),
            party_name(one.agency),
            words(document(one.content)["outcome"] or "–") if one.HasField("content") else "erased",
            time_cell(one.reported_at),
            short(one.forwarded) if one.forwarded else "waits: exchange distribution forward" if one.HasField("content") else "–",
        )
        for one in reports
    ]
    console.print(table(("report", "!alert", "from", "outcome", "!reported (UTC)", "reported abroad"), rows, right=("report",)))
