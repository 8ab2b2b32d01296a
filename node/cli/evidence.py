"""`exchange evidence`: proof for an auditor or a court."""

from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from exchange.errors import ExchangeError
from node.cli.command import Noun
from node.cli.context import ask, open_desk, settings
from node.cli.errors import REFUSED, USAGE, VERIFICATION_FAILED, Trouble, sentence
from node.cli.output import facts, heading, note, show, table
from node.cli.period import Period
from node.cli.pins import PINS, read_policy
from node.cli.subject import BORN_HELP, REASON_HELP, SUBJECT_HELP, find_subject, subject_text
from node.documents import document
from node.short_words import words

if TYPE_CHECKING:
    from rich.console import Console

    from exchange.v1.desk_service_pb2 import ExportBundleRequest, LeftOut
    from exchange.v1.desk_service_pb2_grpc import DeskServiceStub

_LEVELS: Final = ("data", "contentless", "entry_only", "logged_only")


@click.group(cls=Noun)
def evidence() -> None:
    """Export proof of disclosures; verify it offline."""


@evidence.command()
@click.argument("origin", required=False, default="")
@click.argument("index", type=click.IntRange(min=0), required=False)
@click.option("--level", type=click.Choice(_LEVELS, case_sensitive=False), help="Of one disclosure: how much of it goes along.")
@click.option("--alert", default="", help="Everything about one alert: its id or digest.")
@click.option("--digest", "digests", multiple=True, metavar="HEX", help="Everything about these manifests, whole digests.")
@click.option("--partner", default="", metavar="TRUST_DOMAIN", help="Everything told to and by one partner.")
@click.option(
    "--period", type=Period(), default=(0, 0), metavar="FROM..UNTIL", help="With --partner: only what was disclosed on these days."
)
@click.option("--subject", default="", metavar="TEXT", help=f"Everything about one person. {SUBJECT_HELP}")
@click.option("--born", default="", metavar="DATE", help=f"With --subject. {BORN_HELP}")
@click.option("--reason", default="", help=f"With --subject. {REASON_HELP}")
@click.option(
    "--data/--no-data",
    "content",
    default=None,
    help="With what the recipients were shown, or without. By default with it; by --subject without, as an auditor is not given it.",
)
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, writable=True, path_type=Path))
def export(  # noqa: PLR0913, PLR0917  an option each
    origin: str,
    index: int | None,
    level: str | None,
    alert: str,
    digests: tuple[str, ...],
    partner: str,
    period: tuple[int, int],
    subject: str,
    born: str,
    reason: str,
    content: bool | None,  # noqa: FBT001  click calls it
    output: Path,
) -> None:
    """Write proof to one file: of the disclosure at INDEX of the log ORIGIN, of an alert, of all with a partner, or about one person.

    This is recorded; so is the search for a person, before it is answered. Only an auditor searches.

    \b
    data         the manifest and what the recipient was shown
    contentless  the manifest alone: no personal data
    entry_only   after erasure: the entry, held by the recipient
    logged_only  refused or withheld: proves logging, never delivery
    """  # noqa: D301  click's own mark for text that it must not wrap
    from exchange.v1 import desk_service_pb2

    scopes = [bool(origin), bool(alert), bool(digests), bool(partner), bool(subject)]
    if sum(scopes) != 1 or bool(origin) != (index is not None) or (any(period) and not partner) or (level and not origin):
        raise click.UsageError("name one scope: ORIGIN and INDEX, --alert, --digest, --partner with or without --period, or --subject")
    if bool(subject) != bool(reason.strip()) or (born and not subject):
        raise click.UsageError("--subject needs a --reason; --reason and --born belong to --subject")
    if content is None:
        content = not subject
    if subject:
        _export_about(subject_text(subject), born, reason, output, content=content)
        return
    if origin and index is not None and (level or content):
        _export_one(origin, index, level or "data", output)
        return
    request = desk_service_pb2.ExportBundleRequest(
        origin=origin,
        index=index or 0,
        alert=alert,
        digests=[_digest(digest) for digest in digests],
        partner=partner,
        until=period[1],
        content=content,
    )
    setattr(request, "from", period[0])
    with open_desk() as desk:
        _export_many(desk, request, output)


@evidence.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@PINS
@click.option(
    "--policy",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Your own witness policy (C2SP tlog-policy): the file must prove that enough of these witnesses had seen it.",
)
@click.option("--content/--no-content", default=True, show_default=True, help="Show what the recipients were shown.")
def verify(file: Path, pins: tuple[tuple[str, bytes], ...], policy: Path | None, content: bool) -> None:  # noqa: FBT001  click calls it
    """Verify a FILE of evidence, a bundle or a contradiction: no node, no network. Exit code 4 if it does not hold."""
    from exchange.contradiction import CONTRADICTION_LINE, verify_contradiction
    from exchange.evidence import verify_evidence
    from exchange.evidence_bundle import BUNDLE_LINE, verify_bundle
    from node.cli.evidence_view import bundle_data, contradiction_data, draw_bundle, draw_contradiction, draw_evidence, evidence_data

    rule, data = read_policy(policy), file.read_bytes()
    try:
        if data.startswith(CONTRADICTION_LINE):
            shown = verify_contradiction(data, dict(pins))
            show(contradiction_data(shown), lambda console: draw_contradiction(console, shown))
        elif data.startswith(BUNDLE_LINE):
            many = verify_bundle(data, dict(pins), rule)
            show(bundle_data(many, content=content), lambda console: draw_bundle(console, many))
        else:
            one = verify_evidence(data, dict(pins), rule)
            told = {"holds": True, **evidence_data(one, content=content)}
            show(told, lambda console: draw_evidence(console, one, told, content=content))
    except ExchangeError as error:
        raise Trouble(
            VERIFICATION_FAILED,
            error.code,
            f"{file} proves nothing.",
            why=sentence(str(error)),
            next_step="Compare the fingerprints with those that the countries publish; if they are right, do not rely on the file.",
        ) from None


def _export_one(origin: str, index: int, level: str, output: Path) -> None:
    from exchange.v1 import desk_service_pb2, evidence_pb2

    wanted = evidence_pb2.EvidenceLevel.Value(f"EVIDENCE_LEVEL_{level.upper()}")
    question = desk_service_pb2.ExportEvidenceRequest(origin=origin, index=index, level=wanted)
    with open_desk() as desk:
        data = ask(desk.ExportEvidence, question).evidence
    output.write_bytes(data)
    rows = (("log", f"{origin}, index {index}"), ("level", words(level)))
    told = {"file": str(output), "bytes": len(data), "origin": origin, "index": index, "level": level.upper()}
    show(told, lambda console: _draw(console, rows, output, len(data), ()))


def _export_about(subject: str, born: str, reason: str, output: Path, *, content: bool) -> None:
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        found = find_subject(desk, subject, born, reason)
        if not found.alerts:
            raise Trouble(
                REFUSED,
                "SUBJECT_NOT_FOUND",
                "Nothing that is kept here names this person.",
                why="The index has names with birth dates, and numbers of documents, as alerts state them; nothing of what was erased.",
                next_step="Try another spelling or the number of a document; what you know by its digest: --digest. No file was written.",
            )
        digests = [item.summary.manifest_digest for item in found.alerts]
        request = desk_service_pb2.ExportBundleRequest(digests=digests, content=content)
        _export_many(desk, request, output, alerts=len(digests), older=found.left_out)


def _export_many(
    desk: "DeskServiceStub", request: "ExportBundleRequest", output: Path, *, alerts: int | None = None, older: int = 0
) -> None:
    """Write a bundle. Of a search, `alerts` were found and are its scope, and so many `older` ones were found and are not."""
    size = disclosures = 0
    left_out: list[LeftOut] = []
    answers = iter(desk.ExportBundle(request, timeout=settings().timeout))
    first = next(answers)  # a refusal comes before the file is touched
    with output.open("wb") as file:
        for answer in chain([first], answers):
            size += file.write(answer.part)
            left_out += answer.left_out
            disclosures = disclosures or answer.disclosures
    told: Mapping[str, Any] = {
        "file": str(output),
        "bytes": size,
        "disclosures": disclosures,
        "left_out": [document(one) for one in left_out],
    }
    rows: tuple[tuple[str, str], ...] = (("disclosures", str(disclosures)),)
    if alerts is not None:
        told = {**told, "alerts": alerts, "older_left_out": older}
        rows = (("alerts", f"{alerts} that name this person"), *rows)
    if older:
        rows = (*rows, ("left out", f"{older} older alerts that name this person: the file does not speak of them"))
    if alerts is not None:
        rows = (*rows, ("note", "the same name and birth date can be another person's: compare documents"))
    show(told, lambda console: _draw(console, rows, output, size, left_out))


def _draw(console: "Console", rows: tuple[tuple[str, str], ...], output: Path, size: int, left_out: "tuple[()] | list[LeftOut]") -> None:
    console.print(facts((*rows, ("file", f"{output}, {size} bytes"))))
    if left_out:
        console.print(heading("Not in the file"))
        console.print(table(("log", "index", "why"), [(one.origin, str(one.index), words(one.code)) for one in left_out], right=("index",)))
    console.print(note(f"\nAnybody can verify it offline: exchange evidence verify {output} --pin …"))


def _digest(text: str) -> bytes:
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise Trouble(USAGE, "DIGEST", "A digest is not whole.", why="A manifest's digest is 64 hex digits.")
    return digest
