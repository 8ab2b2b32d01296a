"""`exchange agreement`: what two countries agreed to tell each other."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from node.cli.agreement_matrix import draw_matrices, matrix_data
from node.cli.command import Noun
from node.cli.context import ask, open_desk, settings
from node.cli.errors import USAGE, Trouble
from node.cli.output import console, facts, heading, note, plain, show, table
from node.cli.problems import has_errors, problem_list, problem_table
from node.documents import document
from node.short_words import party_name, short, time_cell, time_text, words

if TYPE_CHECKING:
    from rich.console import Console

    from exchange.v1.agreement_pb2 import Agreement
    from exchange.v1.desk_service_pb2 import AgreementSummary


@click.group(cls=Noun)
def agreement() -> None:
    """What two countries agreed to tell each other."""


@agreement.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--emergency", is_flag=True, help="To save life: FILE says emergency = true, a ground, one clause, 24 hours at most.")
def propose(file: Path, emergency: bool) -> None:  # noqa: FBT001  click calls it
    """Sign the agreement in FILE (TOML) for your country and propose it to the partner. It binds nobody yet."""
    from exchange.v1 import desk_service_pb2

    content = _load(file)
    if content.emergency != emergency:
        said = "is for an emergency" if content.emergency else "is not for an emergency"
        remedy = "Give --emergency if you mean it." if content.emergency else "Write emergency = true into it, or leave --emergency out."
        raise Trouble(USAGE, "EMERGENCY_UNCLEAR", f"{file} {said}, and the command says otherwise.", next_step=remedy)
    question = desk_service_pb2.DraftAgreementRequest(agreement=content)
    with open_desk() as desk:
        summary = ask(desk.DraftAgreement, question).summary

    def draw(console: "Console") -> None:
        _draw_summary(console, summary)
        console.print(note(f"\nThe partner accepts it with: exchange agreement accept {short(summary.digest)}"))

    show(document(summary), draw)


@agreement.command()
@click.argument("digest", metavar="AGREEMENT")
def accept(digest: str) -> None:
    """Countersign AGREEMENT, which the partner proposed: from then on it binds both. Read it first (`show`).

    AGREEMENT is its digest, or the first 8 or more characters of it.
    """
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        summary = ask(desk.AcceptAgreement, desk_service_pb2.AcceptAgreementRequest(agreement=digest)).summary
    show(document(summary), lambda console: _draw_summary(console, summary))


@agreement.command("list")
def list_() -> None:
    """List all agreements and proposals."""
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        answer = ask(desk.ListAgreements, desk_service_pb2.ListAgreementsRequest())

    def draw(console: "Console") -> None:
        if not answer.agreements:
            console.print(note("No agreements yet. Begin with: exchange agreement template --with COUNTRY"))
            return
        rows = [
            (
                short(item.digest),
                _state(item),
                " and ".join(party.trust_domain for party in item.agreement.parties),
                item.agreement.instrument,
                time_cell(item.agreement.valid_until),
            )
            for item in answer.agreements
        ]
        console.print(table(("!agreement", "state", "between", "instrument", "!until (UTC)"), rows))

    show(document(answer), draw)


@agreement.command("show")
@click.argument("digest", metavar="AGREEMENT")
@click.option("--type", "alert_type", metavar="TYPE", help="Only this alert type, e.g. TravelAlert.")
def show_(digest: str, alert_type: str | None) -> None:
    """Show AGREEMENT as tables of recipient by field: what is required, permitted, on request, and never told."""
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        summary = ask(desk.GetAgreement, desk_service_pb2.GetAgreementRequest(agreement=digest)).summary

    def draw(console: "Console") -> None:
        _draw_summary(console, summary)
        draw_matrices(console, summary.agreement, alert_type)

    show({**document(summary), "matrix": matrix_data(summary.agreement, alert_type)}, draw)


@agreement.command()
@click.argument("digest", metavar="AGREEMENT")
@click.argument("earlier", metavar="[BEFORE]", required=False)
def diff(digest: str, earlier: str | None) -> None:
    """Tell what differs between AGREEMENT and the version before it, or BEFORE: terms, agencies, clauses, field by field."""
    from exchange.v1 import desk_service_pb2
    from node.agreement_changes import version_before
    from node.cli.agreement_diff import diff_data, draw_diff

    with open_desk() as desk:
        now = ask(desk.GetAgreement, desk_service_pb2.GetAgreementRequest(agreement=digest)).summary
        if earlier:
            before = ask(desk.GetAgreement, desk_service_pb2.GetAgreementRequest(agreement=earlier)).summary
        else:
            found = version_before(ask(desk.ListAgreements, desk_service_pb2.ListAgreementsRequest()).agreements, now)
            before = found or desk_service_pb2.AgreementSummary()
    changes = diff_data(before.agreement, now.agreement) if before.digest else []

    def draw(console: "Console") -> None:
        if not before.digest:
            console.print(note("There is no version before it."))
            return
        console.print(facts((("agreement", now.digest.hex()), ("before", before.digest.hex()))))
        draw_diff(console, changes)

    show({"agreement": now.digest.hex(), "before": before.digest.hex() or None, "changes": changes}, draw)


@agreement.command()
@click.option("--with", "partner", required=True, metavar="COUNTRY", help="A partner: its trust domain, or its first label, e.g. kh.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write it there instead.")
@click.option("--days", type=click.IntRange(1, 3653), default=365, show_default=True, help="How long it is in force.")
def template(partner: str, output: Path | None, days: int) -> None:
    """Print an agreement with COUNTRY to start from: TOML, with default marks for every class of agency on both sides."""
    from datetime import UTC, datetime, time, timedelta

    from node.cli.sides import both_sides
    from node.cli.today import today
    from node.intake.agreement_template import agreement_template

    with open_desk() as desk:
        ours, theirs = both_sides(desk, partner)
    start = datetime.combine(today(), time(), UTC)
    text = agreement_template(ours, theirs, valid_from=start, valid_until=start + timedelta(days=days))
    if output:
        output.write_text(text, "utf-8")

    def draw(_console: "Console") -> None:
        if not output:
            click.echo(text)
            return
        _console.print(facts((("between", f"{ours.trust_domain} and {theirs.trust_domain}"), ("file", str(output)))))
        _console.print(note(f"\nRead and change it, then: exchange agreement propose {output}"))

    show({"file": str(output) if output else None, "toml": text}, draw)


def _load(file: Path) -> "Agreement":
    from node.intake.agreement_file import load_agreement_file

    try:
        loaded = load_agreement_file(file.read_text("utf-8"))
    except UnicodeDecodeError:
        raise Trouble(USAGE, "DOCUMENT_ENCODING", f"{file} is not a text file.", next_step="Save it as UTF-8, and try again.") from None
    if loaded.problems and not settings().json:
        screen = console(stderr=True)
        screen.print(problem_table(loaded.problems))
        screen.print()
    if has_errors(loaded.problems):
        raise Trouble(
            USAGE,
            "FILE_WRONG",
            f"{file} cannot be proposed as written.",
            next_step="Mend it and propose it again. `exchange agreement template` prints one that is right.",
            done={"problems": problem_list(loaded.problems)},
        )
    return loaded.agreement


def _state(item: "AgreementSummary") -> str:
    state = document(item)["state"]
    if state == "ACCEPTED":
        return "in force" if item.in_force else "accepted, not in force now"
    waiting = {"PROPOSED": "proposed: the partner must accept", "OFFERED": "offered: you must accept"}
    return waiting.get(state, words(state))


def _draw_summary(console: "Console", summary: "AgreementSummary") -> None:
    from exchange.v1.agreement_pb2 import AgencyClass, EmergencyGround
    from node.documents import enum_name

    content = summary.agreement
    rows = (
        ("agreement", summary.digest.hex()),
        ("state", _state(summary)),
        ("instrument", content.instrument),
        ("in force", f"from {time_text(content.valid_from)} until {time_text(content.valid_until)}"),
        (
            "emergency",
            f"to save life: {words(enum_name(EmergencyGround.DESCRIPTOR, content.emergency_ground))}" if content.emergency else "",
        ),
        *((party.trust_domain, party.legal_basis) for party in content.parties),
    )
    console.print(facts((plain(name), value) for name, value in rows))
    if content.agencies:
        console.print(heading("Agencies"))
        agencies = [(party_name(item.agency), words(enum_name(AgencyClass.DESCRIPTOR, item.agency_class))) for item in content.agencies]
        console.print(table(("!agency", "class"), agencies))
