"""`exchange alert`: from an officer's file to the desks abroad, and what became of it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from node.cli.alert_draft import draft
from node.cli.alert_recall import correct, reach, restrict, supplement, update, withdraw
from node.cli.alert_view import draw_alert, view_data
from node.cli.command import Noun
from node.cli.context import ask, open_desk, settings
from node.cli.drafts import DESPITE, Agency, FileDraft, batches, read_drafts
from node.cli.errors import REFUSED, SUCCESS, USAGE, Trouble, trouble_of
from node.cli.output import console, facts, heading, note, plain, progress, show, table
from node.cli.paging import collect
from node.cli.problems import has_errors, problem_list, problem_table
from node.cli.recall_view import draw_life
from node.cli.record_view import ERASED, draw_erased
from node.cli.today import today
from node.documents import document
from node.short_words import party_name, short, state_text, time_cell, time_text, words

if TYPE_CHECKING:
    from rich.console import Console

    from exchange.v1.desk_service_pb2 import (
        AlertSummary,
        DisclosureStatus,
        PreviewAlertResponse,
        Problem,
        PublishAlertsRequest,
        PublishedAlert,
    )
    from exchange.v1.desk_service_pb2_grpc import DeskServiceStub

_FILE: Final = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
_ROWS_SHOWN: Final = 40

Checked = list[tuple[FileDraft, "list[Problem]"]]


@click.group(cls=Noun)
def alert() -> None:
    """Check, preview and publish alerts, see what became of them, and take them back."""


@alert.command()
@click.argument("files", nargs=-1, required=True, type=_FILE, metavar="FILE...")
@click.option("--offline", is_flag=True, help="Check only what needs no node: the file and its values.")
def check(files: tuple[Path, ...], offline: bool) -> None:  # noqa: FBT001  click calls it
    """Say all that is wrong with alert files, by field, and how to mend it. Nothing is sent abroad.

    Exit code 2 if a file is wrong in itself, 3 if the node would refuse it.
    """
    from exchange.v1 import desk_service_pb2

    drafts = _read(files, ())
    checked: Checked = []
    if offline:
        checked = [(item, list(item.problems)) for item in drafts]
    else:
        with open_desk() as desk, progress("Checking", len(drafts)) as step:
            for item in drafts:
                found: Sequence[Problem] = ()
                if item.draft.alert_type:  # else there is nothing in the file that the node could judge
                    found = ask(desk.CheckAlert, desk_service_pb2.CheckAlertRequest(draft=item.draft)).problems
                checked.append((item, _joined(item.problems, found)))
                step(1)
    good = not any(has_errors(problems) for _, problems in checked)
    data = {
        "good": good,
        "files": [
            {"file": str(item.path), "good": not has_errors(problems), "problems": problem_list(problems)} for item, problems in checked
        ],
    }

    def draw(console: "Console") -> None:
        for item, problems in checked:
            if problems:
                console.print(f"\n{item.path}", style="bold")
                console.print(problem_table(problems))
        whole = sum(not has_errors(problems) for _, problems in checked)
        console.print(f"\n{whole} of {_files(len(checked))} can be sent.", style="green" if good else "red")

    show(data, draw)
    wrong = any(has_errors(item.problems) for item, _ in checked)
    click.get_current_context().exit(SUCCESS if good else USAGE if wrong else REFUSED)


@alert.command()
@click.argument("file", type=_FILE)
@click.option("--to", "recipients", multiple=True, type=Agency(), metavar="AGENCY", help="Instead of the file's recipients.")
@DESPITE
def preview(file: Path, recipients: tuple[str, ...], despite: tuple[str, ...]) -> None:
    """Show what each recipient would see of FILE, field by field, and the clause that decided. Nothing is sent.

    The node decides by the same code as at release, byte for byte. Exit code 3 if somebody would get nothing, or has to
    wait for a second officer's approval.
    """
    drafts = _readable(_read((file,), recipients, despite=despite))
    with open_desk() as desk:
        _preview(desk, drafts)


@alert.command()
@click.argument("files", nargs=-1, required=True, type=_FILE, metavar="FILE...")
@click.option("--reason", required=True, help="Why; kept in the authorisation record for your auditors, never in a log.")
@click.option("--to", "recipients", multiple=True, type=Agency(), metavar="AGENCY", help="Instead of the files' recipients.")
@click.option("--dry-run", is_flag=True, help="Only preview.")
@click.option("--again", is_flag=True, help="Release anew what these files published before, as further alerts.")
@DESPITE
@click.option("--urgent", is_flag=True, help="Declare that it could not wait; auditors look at it afterwards: `exchange audit urgent`.")
def publish(
    files: tuple[Path, ...],
    reason: str,
    recipients: tuple[str, ...],
    dry_run: bool,  # noqa: FBT001  click calls it
    again: bool,  # noqa: FBT001  click calls it
    despite: tuple[str, ...],
    urgent: bool,  # noqa: FBT001  click calls it
) -> None:
    """Release alert files to their recipients. Each is answered once its log entries are durable.

    The same command again, after a lost connection or Ctrl-C, publishes nothing twice. If one file is wrong, none is
    sent. Exit code 3 if the node refused one.
    """
    if not reason.strip():
        raise click.BadParameter("a reason is more than blanks", param_hint="--reason")
    drafts = _readable(_read(files, recipients, again=again, despite=despite))
    with open_desk() as desk:
        if dry_run:
            _preview(desk, drafts)
            return
        answers: list[PublishedAlert] = []
        try:
            with progress("Publishing", len(drafts)) as step:
                for answer in _stream(desk, drafts, reason, urgent=urgent):
                    answers.append(answer)
                    step(1)
        except Exception as error:
            trouble = trouble_of(error, settings().load().desk, settings().timeout)
            trouble.done = _published(drafts, answers)
            if answers and not settings().json:
                _draw_published(console(), drafts, answers)
            trouble.next_step = "Give the same command again: what was published is not published twice."
            raise trouble from error
    show(_published(drafts, answers), lambda screen: _draw_published(screen, drafts, answers))
    click.get_current_context().exit(REFUSED if any(answer.problems for answer in answers) else SUCCESS)


@alert.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="Alerts at most.")
def list_(limit: int) -> None:
    """List the alerts that your country originated, newest first."""
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:

        def page(size: int, token: str) -> "tuple[Sequence[AlertSummary], str]":
            question = desk_service_pb2.ListAlertsRequest(page_size=size, page_token=token)
            answer = ask(desk.ListAlerts, question)
            return answer.alerts, answer.next_page_token

        found, more = collect(page, limit)

    def draw(console: "Console") -> None:
        if not found:
            console.print(note("No alerts yet. Publish one: exchange alert publish FILE --reason …"))
            return
        rows = [
            (
                short(item.manifest_digest),
                plain(item.alert_type).rpartition(".")[2],
                time_cell(item.issued_at),
                time_cell(item.not_after),
                ", ".join(map(words, item.flags)) or "–",
            )
            for item in found
        ]
        console.print(table(("!alert", "type", "!issued (UTC)", "!expires (UTC)", "flags"), rows))
        if more:
            console.print(note(f"\nThere are more: --limit {limit * 2}"))

    show({"alerts": [document(item) for item in found], "more": more}, draw)


@alert.command("show")
@click.argument("alert_id", metavar="ALERT")
def show_(alert_id: str) -> None:
    """Show all that is known of ALERT: an id or digest, or the first 8 or more characters of one."""
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        answer = ask(desk.GetAlert, desk_service_pb2.GetAlertRequest(alert=alert_id))
    if ERASED in answer.summary.flags:
        left = {"summary": document(answer.summary), "alert": None, "disclosures": [document(item) for item in answer.disclosures]}
        show(left, lambda console: draw_erased(console, answer.summary, answer.disclosures))
        return
    data = {
        "summary": document(answer.summary),
        "handling": document(answer.handling),
        "alert": view_data(answer.summary.alert_type, answer.view, answer.undisclosed),
    }
    show(data, lambda console: draw_alert(console, answer.summary, answer.handling, answer.view, answer.undisclosed))


@alert.command()
@click.argument("alert_id", metavar="ALERT")
def status(alert_id: str) -> None:
    """Show what became of ALERT at each recipient, who read it, what was said of it since, and who owes an attestation of its purge.

    A receipt is the other node's. That a person opened it is known only once that desk acknowledges it.
    """
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        answer = ask(desk.GetAlertStatus, desk_service_pb2.GetAlertStatusRequest(alert=alert_id))

    def draw(console: "Console") -> None:
        summary = answer.summary
        rows: tuple[tuple[str, str], ...] = (("alert", summary.manifest_digest.hex()), ("issued", time_text(summary.issued_at)))
        if len(answer.manifests) > 1:
            rows += (("one after another", ", ".join(map(short, answer.manifests))),)
        console.print(facts(rows))
        console.print(heading("Disclosures") if answer.disclosures else note("\nIt was disclosed to nobody."))
        if answer.disclosures:
            drawn = [_status_row(item) for item in answer.disclosures]
            columns = ("to", "state", "!disclosed (UTC)", "!receipted (UTC)", "fields", "clause", "log index")
            console.print(table(columns, drawn, right=("fields", "log index")))
        draw_life(console, answer)

    show(document(answer), draw)


for verb in (draft, reach, update, correct, withdraw, restrict, supplement):
    alert.add_command(verb)


def readable_draft(path: Path) -> FileDraft:
    """Read one alert file that is right in itself; otherwise print what is not, and end with the code of usage."""
    return _readable(_read((path,), ()))[0]


def _read(paths: Sequence[Path], recipients: Sequence[str], *, again: bool = False, despite: Sequence[str] = ()) -> list[FileDraft]:
    from node.system import system_entropy

    salt = system_entropy(16) if again else b""

    with progress("Reading", len(paths)) as step:
        return read_drafts(paths, recipients, today=today(), salt=salt, step=step, despite=despite)


def _readable(drafts: list[FileDraft]) -> list[FileDraft]:
    """Return the drafts if all files are right in themselves; else print what is not, and end with the code of usage."""
    wrong = [item for item in drafts if has_errors(item.problems)]
    if not wrong:
        return drafts
    if not settings().json:
        screen = console(stderr=True)
        for item in wrong:
            screen.print(f"\n{item.path}", style="bold")
            screen.print(problem_table(item.problems))
        screen.print()
    raise Trouble(
        USAGE,
        "FILE_WRONG",
        f"{len(wrong)} of {_files(len(drafts))} cannot be sent as written.",
        next_step="Mend it, and check with `exchange alert check FILE`. Nothing was sent.",
        done={"files": [{"file": str(item.path), "problems": problem_list(item.problems)} for item in wrong]},
    )


def _joined(*groups: "Sequence[Problem]") -> "list[Problem]":
    """Join what the file's reading and the node found, each thing once."""
    joined = {(item.severity, item.code, item.field): item for group in groups for item in group}
    return list(joined.values())


def _preview(desk: "DeskServiceStub", drafts: Sequence[FileDraft]) -> None:
    from exchange.v1 import desk_service_pb2
    from node.cli.matrix import draw_matrix

    previews: list[tuple[FileDraft, PreviewAlertResponse]] = []
    with progress("Previewing", len(drafts)) as step:
        for item in drafts:
            previews.append((item, ask(desk.PreviewAlert, desk_service_pb2.PreviewAlertRequest(draft=item.draft))))
            step(1)
    refused = any(
        has_errors(answer.problems) or not answer.recipients or any(recipient.denied for recipient in answer.recipients)
        for _, answer in previews
    )

    def draw(console: "Console") -> None:
        for item, answer in previews:
            if len(previews) > 1:
                console.print(f"\n{item.path}\n", style="bold")
            problems = _joined(item.problems, answer.problems)
            if problems:
                console.print(problem_table(problems))
                console.print()
            draw_matrix(console, answer.recipients)
            if not answer.recipients and not item.draft.recipients:
                console.print("Nobody: the file names no recipient, and nobody is the default.", style="yellow")

    data = {"refused": refused, "previews": [{"file": str(item.path), **document(answer)} for item, answer in previews]}
    show(data, draw)
    click.get_current_context().exit(REFUSED if refused else SUCCESS)


def _stream(desk: "DeskServiceStub", drafts: Sequence[FileDraft], reason: str, *, urgent: bool) -> "Iterator[PublishedAlert]":
    from exchange.v1 import desk_service_pb2

    packed = list(batches(drafts))

    def questions() -> "Iterator[PublishAlertsRequest]":
        for batch in packed:
            yield desk_service_pb2.PublishAlertsRequest(drafts=[item.draft for item in batch], reason=reason, urgent=urgent)

    # A stream has one deadline for all of it: as long as that many single calls might take.
    answers = desk.PublishAlerts(questions(), timeout=settings().timeout * len(packed))
    waiting = iter(drafts)
    for answer in answers:
        for published in answer.alerts:
            asked = next(waiting, None)
            if asked is None or asked.draft.request_id != published.request_id:
                raise _out_of_order()
            yield published
    if next(waiting, None) is not None:
        raise _out_of_order()


def _out_of_order() -> Trouble:
    return Trouble(1, "ANSWER_ORDER", "The node's answers do not belong to what was asked.", why="A defect of the node's program.")


def _published(drafts: Sequence[FileDraft], answers: "Sequence[PublishedAlert]") -> dict[str, Any]:
    alerts = [
        {"file": str(item.path), "published": not answer.problems, **document(answer)}
        for item, answer in zip(drafts, answers, strict=False)
    ]
    return {
        "asked": len(drafts),
        "published": sum(alert["published"] for alert in alerts),
        "refused": sum(not alert["published"] for alert in alerts),
        "alerts": alerts,
    }


def _draw_published(screen: "Console", drafts: Sequence[FileDraft], answers: "Sequence[PublishedAlert]") -> None:
    done = [(item, answer) for item, answer in zip(drafts, answers, strict=False) if not answer.problems]
    refused = [(item, answer) for item, answer in zip(drafts, answers, strict=False) if answer.problems]
    rows = [
        (
            short(answer.manifest_digest),
            item.path.name,
            "\n".join(map(party_name, disclosure.audience)),
            str(len(disclosure.fields)),
            disclosure.clause or "–",
            str(disclosure.index),
        )
        for item, answer in done
        for disclosure in answer.disclosures
    ]
    if rows:
        columns = ("!alert", "file", "to", "fields", "clause", "log index")
        screen.print(table(columns, rows[:_ROWS_SHOWN], right=("fields", "log index")))
    if len(rows) > _ROWS_SHOWN:
        screen.print(note(f"… and {len(rows) - _ROWS_SHOWN} disclosures more: exchange alert list"))
    for item, answer in refused:
        screen.print(f"\n{item.path} was refused:", style="bold")
        screen.print(problem_table(answer.problems))
    summary = f"\n{len(done)} of {_files(len(drafts))} published."
    screen.print(summary, style="green" if len(done) == len(drafts) else "yellow")


def _files(number: int) -> str:
    return "1 file" if number == 1 else f"{number} files"


def _status_row(item: "DisclosureStatus") -> tuple[str, ...]:
    data = document(item)
    return (
        "\n".join(map(party_name, item.disclosure.audience)),
        state_text(data["state"], data["exception"], data["withheld"]),
        time_cell(item.disclosed_at),
        time_cell(item.receipted_at),
        str(len(item.disclosure.fields)),
        item.disclosure.clause or "–",
        str(item.disclosure.index),
    )
