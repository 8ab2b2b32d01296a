"""`exchange inbox`: what came in for your desk, and the answer to it."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from node.cli.alert_view import draw_alert, view_data
from node.cli.command import Noun
from node.cli.context import ask, open_desk, own_id, settings
from node.cli.drafts import request_id
from node.cli.errors import REFUSED, SUCCESS
from node.cli.output import facts, note, plain, show, table
from node.cli.paging import collect
from node.cli.problems import problem_table
from node.cli.recall_view import advice, attest_note, changed, draw_changes, draw_recalls, judicial_use
from node.cli.record_view import ERASED, draw_erased
from node.cli.reply import own_desk, read_time, show_said
from node.documents import document
from node.short_words import party_name, short, time_cell, time_text, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from exchange.v1.desk_service_pb2 import AlertSummary, GetInboxAlertResponse

OUTCOMES: Final = (
    "NO_MATCH",
    "POSSIBLE_MATCH",
    "CONFIRMED",
    "NOT_THIS_PERSON",
    "NOT_BOARDED",
    "ADMITTED",
    "ADMITTED_WITH_CONDITIONS",
    "REFUSED_ENTRY",
    "RETURNED",
    "ARRESTED",
    "DEPARTED",
    "CHILD_SAFEGUARDED",
    "CANNOT_EXECUTE",
)
"""Of `exchange.v1.HitOutcome`; written out so that the help page needs no schema. A test compares them."""
EXCEPTIONS: Final = ("LEGAL_HOLD", "OWN_INVESTIGATION", "AUDIT_RECORD", "PASSED_ON")
"""Of `exchange.v1.PurgeException`, likewise."""


@click.group(cls=Noun)
def inbox() -> None:
    """Read what came in for your desk, acknowledge, report back, and attest a purge."""


@inbox.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="Alerts at most.")
def list_(limit: int) -> None:
    """List what came in for your agency, what arrives next first."""
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:

        def page(size: int, token: str) -> "tuple[Sequence[AlertSummary], str]":
            answer = ask(desk.ListInbox, desk_service_pb2.ListInboxRequest(page_size=size, page_token=token))
            return answer.alerts, answer.next_page_token

        found, more = collect(page, limit)

    def draw(console: "Console") -> None:
        if not found:
            console.print(note("Nothing has come in for your agency."))
            return
        rows = [
            (
                short(item.manifest_digest),
                plain(item.alert_type).rpartition(".")[2],
                party_name(item.originator),
                time_cell(item.arrives_at),
                time_cell(item.received_at),
                "yes" if item.answered else "no",
                ", ".join(map(words, item.flags)) or "–",
            )
            for item in found
        ]
        console.print(table(("!alert", "type", "from", "!arrives (UTC)", "!received (UTC)", "answered", "flags"), rows))
        if more:
            console.print(note(f"\nThere are more: --limit {limit * 2}"))

    show({"alerts": [document(item) for item in found], "more": more}, draw)


@inbox.command("show")
@click.argument("alert_id", metavar="ALERT")
def show_(alert_id: str) -> None:
    """Show ALERT as your agency was given it: an id or digest, or the first 8 or more characters of one.

    A value, "not known" (the originator has none) and "not disclosed" (you were not told) are three different things.
    """
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        answer = ask(desk.GetInboxAlert, desk_service_pb2.GetInboxAlertRequest(alert=alert_id))
    whole = document(answer)
    if ERASED in answer.summary.flags:
        left = {name: value for name, value in whole.items() if name not in {"view", "handling"}}
        show({**left, "alert": None}, lambda console: draw_erased(console, answer.summary, answer.disclosures))
        return
    data = {
        **{name: value for name, value in whole.items() if name not in {"view", "undisclosed", "changes"}},
        "changes": [{name: value for name, value in one.items() if name != "label"} for one in changed(answer)],
        "alert": None if answer.blocked else view_data(answer.summary.alert_type, answer.view, answer.undisclosed),
    }

    def draw(console: "Console") -> None:
        if said := advice(answer):
            console.print(f"{said}\n", style="bold red")
        view = None if answer.blocked else answer.view
        draw_changes(console, answer)  # first: whoever has read the one before looks for the new flight
        draw_alert(console, answer.summary, answer.handling, view, answer.undisclosed, facts_too=_facts(answer))
        draw_recalls(console, answer.summary.alert_type, answer.recalls)

    show(data, draw)


@inbox.command()
@click.argument("alert_id", metavar="ALERT")
@click.option("--outcome", required=True, type=click.Choice(OUTCOMES, case_sensitive=False), help="What happened.")
@click.option("--place", metavar="CODE", help="Port: IATA or UN/LOCODE, e.g. KTI or KHKOS.")
@click.option("--at", "happened", metavar="TIME", help="Local time there, e.g. 2027-03-04T18:20.")
@click.option("--document", "shown", metavar="TYPE:ISSUER:NUMBER", help="Document shown, e.g. PASSPORT:UTO:L898902C3.")
@click.option("--remarks", metavar="TEXT", help="In your own words; never a victim's name.")
@click.option("--language", default="en", show_default=True, metavar="TAG", help="Of the remarks (BCP 47).")
@click.option("--reason", default="Report to the originator", show_default=True, help="Why, for your auditors.")
@click.option(
    "--file",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="More of the report: YAML or JSON, in the field names of HitReport.",
)
def report(  # noqa: PLR0913, PLR0917  one argument for each option
    alert_id: str,
    outcome: str,
    place: str | None,
    happened: str | None,
    shown: str | None,
    remarks: str | None,
    language: str,
    reason: str,
    file: Path | None,
) -> None:
    """Report to the originator's police what happened with ALERT.

    Options are added to what FILE says, and win over it. Exit code 3 if the node refused it.
    """
    from exchange.v1 import desk_service_pb2
    from node.cli.hit_report import Said, read_report

    said = Said(outcome=outcome.upper(), place=place, happened=happened, document=shown, remarks=remarks)
    content = read_report(said, file, language=language, context=settings().load())
    # The same report again, after a lost connection, is not a second report.
    asked = request_id(own_id(), alert_id.encode(), content.SerializeToString(deterministic=True))
    question = desk_service_pb2.ReportHitRequest(request_id=asked, alert=alert_id, report=content, reason=reason)
    with open_desk() as desk:
        answer = ask(desk.ReportHit, question)
    published = answer.published

    def draw(console: "Console") -> None:
        if answer.HasField("kept"):
            console.print(f"Reported: {words(outcome)}.", style="green")
            console.print(note(f"No agreement lets your agency report abroad: {party_name(answer.kept.desk)} has it, and reports on."))
            return
        if published.problems:
            console.print("The report was refused:", style="bold")
            console.print(problem_table(published.problems))
            return
        console.print(f"Reported: {words(outcome)}.", style="green")
        names = {field.number: field.name for field in content.DESCRIPTOR.fields}
        rows = [
            (
                "\n".join(map(party_name, item.audience)),
                "\n".join(names.get(number, str(number)) for number in item.fields),
                item.clause or "–",
                f"{item.origin} {item.index}",
            )
            for item in published.disclosures
        ]
        console.print(facts((("report", published.manifest_digest.hex()),)))
        console.print(table(("to", "fields", "clause", "log and index"), rows))

    show({**document(published), "kept": document(answer)["kept"]}, draw)
    click.get_current_context().exit(REFUSED if published.problems else SUCCESS)


@inbox.command()
@click.argument("alert_id", metavar="ALERT")
@click.option("--decide-by", metavar="TIME", help="By when you decide what to do, with its zone, e.g. 2027-03-04T18:00+07:00.")
@click.option("--reason", default="Read at the desk", show_default=True, help="Why, for your auditors.")
def acknowledge(alert_id: str, decide_by: str | None, reason: str) -> None:
    """Tell the originator that a person here has read ALERT, when it was first opened, and by when action is decided.

    A receipt only says that your node holds it. Exit code 3 if the node refused it, as when nobody has opened it yet.
    """
    from exchange.v1 import desk_service_pb2

    question = desk_service_pb2.AcknowledgeAlertRequest(
        # The same again, after a lost connection, is not a second one.
        request_id=request_id(own_id(), b"acknowledge", alert_id.encode(), (decide_by or "").encode()),
        alert=alert_id,
        action_decided_by=read_time(decide_by, "--decide-by") if decide_by else 0,
        desk=own_desk(),
        reason=reason,
    )
    with open_desk() as desk:
        published = ask(desk.AcknowledgeAlert, question).published
    show_said(published, "Acknowledged.")


@inbox.command()
@click.argument("alert_id", metavar="ALERT")
@click.option("--copies", required=True, type=click.IntRange(0, 1_000_000), help="How many copies were removed outside the node.")
@click.option("--lists-updated", is_flag=True, help="Local lists and systems no longer hold it.")
@click.option(
    "--exception",
    "exceptions",
    multiple=True,
    type=click.Choice(EXCEPTIONS, case_sensitive=False),
    help="Why something stays.",
)
@click.option("--reason", default="Purge after a withdrawal", show_default=True, help="Why, for your auditors.")
def attest(alert_id: str, copies: int, lists_updated: bool, exceptions: tuple[str, ...], reason: str) -> None:  # noqa: FBT001  click calls it
    """Sign for your agency that the withdrawn ALERT is purged: first do it, then say so.

    The node erases its own copy once every agency that was given the alert has attested. Exit code 3 if the node refused it.
    """
    from exchange.v1 import control_pb2, desk_service_pb2

    if not (lists_updated or exceptions):
        raise click.UsageError("Say --lists-updated once that is done, or on what ground something stays: --exception.")
    named = [control_pb2.PurgeException.Value(f"PURGE_EXCEPTION_{name.upper()}") for name in exceptions]
    asked = request_id(b"attest", own_id(), alert_id.encode(), str((copies, lists_updated, sorted(named))).encode())
    question = desk_service_pb2.AttestPurgeRequest(
        request_id=asked, alert=alert_id, copies_removed=copies, local_lists_updated=lists_updated, exceptions=named, reason=reason
    )
    with open_desk() as desk:
        answer = ask(desk.AttestPurge, question)
    refused = any(one.problems for one in answer.attestations)

    def draw(console: "Console") -> None:
        if refused:
            console.print("The attestation was refused:", style="bold")
            console.print(problem_table([problem for one in answer.attestations for problem in one.problems]))
            return
        console.print("Attested.", style="green")
        console.print("The content is erased here." if answer.erased else "The content stays blocked here.")

    show(document(answer), draw)
    click.get_current_context().exit(REFUSED if refused else SUCCESS)


def _facts(answer: "GetInboxAlertResponse") -> list[tuple[str, str]]:
    if answer.confirmed_now:
        valid = "confirmed, now"
    elif answer.confirmed_at:
        valid = f"not confirmed since {time_text(answer.confirmed_at)}: ask before you act on it"
    else:
        valid = "never confirmed: ask before you act on it"
    originator = answer.summary.originator.removeprefix("spiffe://").partition("/")[0]
    senders = dict.fromkeys(item.origin.partition("/")[0] for item in answer.disclosures)
    return [
        ("passed on by", ", ".join(sender for sender in senders if sender != originator)),
        ("received", time_text(answer.summary.received_at)),
        ("still valid", valid),
        ("erase by", time_text(answer.erase_by)),
        ("answered", "yes" if answer.summary.answered else "not yet"),
        ("attest by", attest_note(answer)),
        ("judicial use", judicial_use(answer)),
        ("given under", ", ".join(dict.fromkeys(item.clause or "no clause" for item in answer.disclosures))),
        ("told by", ", ".join(dict.fromkeys(f"{party_name(one.desk)}, {one.clause}" for one in answer.distributions))),
    ]
