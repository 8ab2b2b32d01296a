"""`exchange audit subject-report`: what was told about one person, for that person, with lawful withholding."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from node.cli.audit_verdict import pin_option
from node.cli.command import Verb
from node.cli.context import ask, open_channel
from node.cli.distribution import draw_distributions, field_names
from node.cli.output import facts, heading, note, plain, show, table
from node.documents import document
from node.reports.audit_lists import disclosure_data, disclosure_row, place
from node.short_words import party_name, time_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from exchange.v1.audit_service_pb2 import DisclosureRecord, ReportSubjectResponse
    from node.cli.audit_verdict import Signed

GROUNDS: "Final[Mapping[str, tuple[str, str]]]" = {
    "inquiry": ("a", "to avoid obstructing an official or legal inquiry, investigation or procedure"),
    "crime": (
        "b",
        "to avoid prejudicing the prevention, detection, investigation or prosecution of criminal offences or the execution of penalties",
    ),
    "public-security": ("c", "to protect public security"),
    "national-security": ("d", "to protect national security"),
    "rights-of-others": ("e", "to protect the rights and freedoms of others"),
}
"""Of `exchange.v1.WithholdingGround`, in its order: the letter in both laws, and what it says. A test compares them."""


class Withheld(click.ParamType[tuple[str, str]]):
    """ALERT=GROUND."""

    name = "withheld"

    def convert(self, value: str | tuple[str, str], param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """(alert, ground); fails as a usage error that names the grounds."""
        if isinstance(value, tuple):
            return value
        alert, equals, ground = value.partition("=")
        if not equals or ground.lower() not in GROUNDS:
            self.fail(f"write ALERT=GROUND with a ground of the law: {', '.join(GROUNDS)}", param, ctx)
        return alert, ground.lower()


@click.command("subject-report", cls=Verb)
@click.argument("alerts", nargs=-1, required=True, metavar="ALERT...")
@click.option("--withhold", "withheld", multiple=True, type=Withheld(), metavar="ALERT=GROUND", help="Keep this part back, and say so.")
@click.option("--reason", default="", metavar="TEXT", help="Why the report is made, for the journal; never a person's name.")
@click.option("--name", default="", metavar="TEXT", help="Whom the paper is for, in any script. It stays on this machine.")
@click.option("--pdf", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write the report to this file.")
@pin_option
def subject_report(
    alerts: tuple[str, ...], withheld: tuple[tuple[str, str], ...], reason: str, name: str, pdf: Path | None, pin: bytes | None
) -> None:
    """Report what was told about one person: to whom, when, which fields, under which agreement. Values are not in it.

    The ALERTs are those that you know to be about that person (`exchange audit recipients --subject`).

    \b
    inquiry            not to obstruct an inquiry, investigation or procedure
    crime              not to prejudice prevention, detection, investigation, prosecution, penalties
    public-security    to protect public security
    national-security  to protect national security
    rights-of-others   to protect the rights and freedoms of others

    These grounds are those of Directive (EU) 2016/680 Art. 15(1) and UK DPA 2018 s.45(4), and there are no others.
    """  # noqa: D301  click's own mark for text that it must not wrap
    from exchange.v1 import audit_service_pb2
    from node.cli.audit_names import agency_names
    from node.cli.audit_verdict import signed_checkpoint

    question = audit_service_pb2.ReportSubjectRequest(alerts=alerts, justification=reason)
    for alert, ground in withheld:
        number = audit_service_pb2.WithholdingGround.Value(f"WITHHOLDING_GROUND_{ground.upper().replace('-', '_')}")
        question.withheld.add(alert=alert, ground=number)
    with open_channel() as channel:
        # Not before: it imports grpc, which must find TLS 1.3 pinned.
        from exchange.v1.audit_service_pb2_grpc import AuditServiceStub

        answer = ask(AuditServiceStub(channel).ReportSubject, question)
        if pdf is not None:
            pdf.write_bytes(_pdf(answer, name, agency_names(channel), signed_checkpoint(channel, "", pin)))
    data = document(answer)
    for said, reported in zip(data["alerts"], answer.alerts, strict=True):
        said["disclosures"] = [disclosure_data(record) for record in reported.disclosures]
    show({**data, "file": str(pdf) if pdf else None}, lambda console: _draw(console, answer, pdf))


def said_ground(number: int) -> str:
    """The ground in words, with its place in both laws."""
    letter, words_ = list(GROUNDS.values())[number - 1]
    return f"{words_} (Directive (EU) 2016/680 Art. 15(1)({letter}); UK Data Protection Act 2018 s.45(4)({letter}))"


_COLUMNS: Final = ("!entry", "!disclosed (UTC)", "to", "!clause", "purpose", "state")


def _row(record: "DisclosureRecord") -> tuple[str, ...]:
    """One disclosure without its type, which stands above, and with its log in few characters."""
    _, at, to, _, clause, purpose, state = disclosure_row(record)
    return place(record.origin, record.index, 1), at, to, clause, purpose, state


def _draw(console: "Console", answer: "ReportSubjectResponse", pdf: Path | None) -> None:
    for number, alert in enumerate(answer.alerts, 1):
        if alert.withheld:
            console.print(heading(f"Part {number} is withheld"))
            console.print(note(said_ground(alert.withheld)))
            continue
        console.print(heading(f"Part {number}: {plain(alert.alert_type).rpartition('.')[2]} of {time_text(alert.issued_at)}"))
        console.print(facts((("alert", alert.manifest_digest.hex()), ("from", party_name(alert.originator)), ("state", alert.state))))
        console.print(table(_COLUMNS, map(_row, alert.disclosures)))
        draw_distributions(console, alert.distributions)
    if pdf is not None:
        console.print(note(f"\nWritten to {pdf}"))


def _pdf(answer: "ReportSubjectResponse", name: str, names: dict[str, str], signed: "Signed") -> bytes:
    from exchange.v1.disclosure_pb2 import Entry
    from node.cli.audit_names import named
    from node.reports.document import Report

    tree = signed.checkpoint
    report = Report(
        title="What was disclosed about one person",
        foot=f"{answer.trust_domain}, {time_text(answer.at)}. Journal {tree.origin}, {tree.size} entries, root {tree.root.hex()}",
        at=answer.at,
    )
    report.facts((("about", name), ("made", time_text(answer.at)), ("by the node of", answer.trust_domain), ("signature", signed.said)))
    report.paragraph(
        "This says to whom information was disclosed between countries, when, which fields, and under which agreement. "
        "The values of the fields are not repeated here."
    )
    for number, alert in enumerate(answer.alerts, 1):
        if alert.withheld:
            report.heading(f"Part {number}: withheld")
            report.paragraph(f"This part is withheld {said_ground(alert.withheld)}.")
            report.paragraph("The person may ask the supervisory authority to check whether it is lawfully withheld, and may go to court.")
            continue
        report.heading(f"Part {number}: {alert.alert_type.rpartition('.')[2]}")
        report.facts(
            (
                ("issued", time_text(alert.issued_at)),
                ("by", named(alert.originator, names)),
                ("state", alert.state),
                ("manifest", alert.manifest_digest.hex()),
            )
        )
        rows = []
        for record in alert.disclosures:
            entry, row = Entry.FromString(record.entry), disclosure_row(record)
            under = f"{record.instrument}\n{entry.clause}" if record.instrument else entry.clause or "–"
            fields = ", ".join(item.replace("_", " ") for item in record.field_names) or ", ".join(map(str, entry.fields))
            rows.append(
                (row[1], "\n".join(named(agency, names) for agency in entry.audience), fields, f"{under}\n{row[5]}", row[6], row[0])
            )
        report.table(
            ("when (UTC)", "to", "which fields", "under, and for", "state", "log and index"), rows, (0.12, 0.22, 0.24, 0.16, 0.1, 0.16)
        )
        if alert.distributions:
            report.paragraph("Inside the country, what had come from abroad was passed on to:")
            inside = [
                (
                    time_text(one.distributed_at),
                    named(one.agency, names),
                    ", ".join(item.replace("_", " ") for item in field_names(one)),
                    f"{one.clause}, by {named(one.desk, names)}",
                )
                for one in alert.distributions
            ]
            report.table(("when (UTC)", "to", "which fields", "under, and by"), inside, (0.15, 0.3, 0.3, 0.25))
    return report.finish()
