"""`exchange evidence`: proof of one disclosure for an auditor or a court."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from exchange.errors import ExchangeError
from node.cli.command import Noun
from node.cli.context import ask, open_desk
from node.cli.document import document, enum_name, iso_time
from node.cli.errors import VERIFICATION_FAILED, Trouble, sentence
from node.cli.fingerprint import Fingerprint
from node.cli.output import facts, heading, note, party_name, show, time_text, words

if TYPE_CHECKING:
    from rich.console import Console

    from exchange.evidence import VerifiedEvidence

_LEVELS: Final = ("data", "contentless", "entry_only", "logged_only")


class Pin(click.ParamType[tuple[str, bytes]]):
    """TRUST_DOMAIN=FINGERPRINT."""

    name = "pin"

    def convert(self, value: str | tuple[str, bytes], param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, bytes]:
        """Read both parts; fails as a usage error."""
        if isinstance(value, tuple):
            return value
        trust_domain, equals, fingerprint = value.partition("=")
        if not trust_domain or not equals:
            self.fail("write a pin as gb.alerts.example=64 hex digits", param, ctx)
        return trust_domain.strip(), Fingerprint().convert(fingerprint, param, ctx)


@click.group(cls=Noun)
def evidence() -> None:
    """Export proof of one disclosure; verify it offline."""


@evidence.command()
@click.argument("origin")
@click.argument("index", type=click.IntRange(min=0))
@click.option(
    "--level",
    type=click.Choice(_LEVELS, case_sensitive=False),
    default="data",
    show_default=True,
    help="How much of the content goes along.",
)
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, writable=True, path_type=Path))
def export(origin: str, index: int, level: str, output: Path) -> None:
    """Write proof of the disclosure at INDEX of the log ORIGIN. The export itself is recorded.

    \b
    data         the manifest and what the recipient was shown
    contentless  the manifest alone: no personal data
    entry_only   after erasure: the entry, held by the recipient
    logged_only  refused or withheld: proves logging, never delivery
    """  # noqa: D301  click's own mark for text that it must not wrap
    from exchange.v1 import desk_service_pb2, evidence_pb2

    wanted = evidence_pb2.EvidenceLevel.Value(f"EVIDENCE_LEVEL_{level.upper()}")
    question = desk_service_pb2.ExportEvidenceRequest(origin=origin, index=index, level=wanted)
    with open_desk() as desk:
        data = ask(desk.ExportEvidence, question).evidence
    output.write_bytes(data)

    def draw(console: "Console") -> None:
        rows = (("log", f"{origin}, index {index}"), ("level", words(level)), ("file", f"{output}, {len(data)} bytes"))
        console.print(facts(rows))
        console.print(note(f"\nAnybody can verify it offline: exchange evidence verify {output} --pin …"))

    show({"file": str(output), "bytes": len(data), "origin": origin, "index": index, "level": level.upper()}, draw)


@evidence.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--pin",
    "pins",
    multiple=True,
    required=True,
    type=Pin(),
    metavar="TRUST_DOMAIN=FINGERPRINT",
    help="Fingerprint of each country's identity key, got apart from the file. Give one for every country that it names.",
)
@click.option("--content/--no-content", default=True, show_default=True, help="Show what the recipient was shown.")
def verify(file: Path, pins: tuple[tuple[str, bytes], ...], content: bool) -> None:  # noqa: FBT001  click calls it
    """Verify an evidence FILE: no node, no network, nothing but the fingerprints. Exit code 4 if it does not hold."""
    from exchange.evidence import verify_evidence

    try:
        proved = verify_evidence(file.read_bytes(), dict(pins))
    except ExchangeError as error:
        raise Trouble(
            VERIFICATION_FAILED,
            error.code,
            f"{file} proves nothing.",
            why=sentence(str(error)),
            next_step="Compare the fingerprints with those that the countries publish; if they are right, do not rely on the file.",
        ) from None
    data = _data(proved, content=content)
    show(data, lambda console: _draw(console, proved, data, content=content))


def _data(proved: "VerifiedEvidence", *, content: bool) -> dict[str, Any]:
    from exchange.v1.evidence_pb2 import EvidenceLevel
    from exchange.v1.receipt_pb2 import ExceptionCode
    from node.cli.alert_view import view_data

    shown = content and proved.alert is not None and proved.kind is not None
    return {
        "holds": True,
        "level": enum_name(EvidenceLevel.DESCRIPTOR, proved.level),
        "origin": proved.log.origin,
        "sender": proved.log.sender,
        "recipient": proved.log.recipient,
        "index": proved.index,
        "size": proved.size,
        "root": proved.root.hex(),
        "received_at": iso_time(proved.received_at),
        "exception": enum_name(ExceptionCode.DESCRIPTOR, proved.exception),
        "entry": document(proved.entry),
        "manifest": document(proved.manifest) if proved.manifest else None,
        "agreement": proved.agreement.instrument if proved.agreement else None,
        "clause": proved.clause.id if proved.clause else None,
        "alert": view_data(proved.kind.name, proved.view, _undisclosed(proved)) if shown and proved.kind else None,
    }


def _undisclosed(proved: "VerifiedEvidence") -> list[int]:
    return [number for number in proved.kind.numbers if number not in proved.entry.fields] if proved.kind else []


def _draw(console: "Console", proved: "VerifiedEvidence", data: Mapping[str, Any], *, content: bool) -> None:
    from node.cli.alert_view import draw_view

    meaning = {
        "DATA": "It was logged, delivered and receipted, and this is what the recipient was shown.",
        "CONTENTLESS": "It was logged, delivered and receipted. The content is not in the file.",
        "ENTRY_ONLY": "It was logged and receipted. The content has been erased.",
        "LOGGED_ONLY": "It was logged. The content was not accepted, or not sent: delivery is not proved.",
    }
    console.print(f"The proof holds. {meaning.get(data['level'], '')}\n", style="green")
    rows = (
        ("from", data["sender"]),
        ("to", data["recipient"]),
        ("audience", "\n".join(map(party_name, proved.entry.audience))),
        ("disclosed", time_text(proved.entry.disclosed_at)),
        ("receipted", time_text(proved.received_at)),
        ("refused", words(data["exception"]) if data["exception"] else ""),
        ("agreement", f"{data['agreement']}, clause {data['clause']}" if data["agreement"] else ""),
        ("manifest", proved.entry.manifest_digest.hex()),
        ("originator", proved.manifest.originator if proved.manifest else ""),
        ("log", f"{data['origin']}, index {proved.index} of {proved.size}"),
        ("root", proved.root.hex()),
    )
    console.print(facts(rows))
    if content and proved.kind and proved.alert is not None:
        console.print(heading("What the recipient was shown"))
        draw_view(console, proved.kind.name, proved.view, _undisclosed(proved))
