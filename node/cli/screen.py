"""`exchange screen`: a passenger list against the alerts in force."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from node.cli.command import Verb
from node.cli.context import open_desk, settings
from node.cli.errors import USAGE, Trouble
from node.cli.output import facts, heading, note, show, table
from node.documents import document
from node.matching.rule_words import RAREST, RULES
from node.short_words import party_name, short, words

if TYPE_CHECKING:
    from rich.console import Console

    from exchange.v1.desk_service_pb2 import ScreeningProposal, ScreenPassengersResponse

_FORMATS: Final = ("auto", "paxlst", "csv")
_LARGEST: Final = 900 * 1024
"""As `node.matching.manifest.LARGEST`, which is slow to import; a test compares them."""

_FIRST_SECONDS: Final = 120.0
"""The first screening after a node's start reads every alert: half a minute for 100,000 of them."""

DISPUTED: Final = "Disputed: something in this alert was wrong. Do not act on it; ask its originator."


@click.command(cls=Verb)
@click.argument("manifest", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--format",
    "kind",
    type=click.Choice(_FORMATS, case_sensitive=False),
    default="auto",
    show_default=True,
    help="UN/EDIFACT PAXLST or CSV; auto tells from its beginning.",
)
@click.option("--reason", default="Screening of a passenger list on arrival", show_default=True, help="Why, for your auditors.")
def screen(manifest: Path, kind: str, reason: str) -> None:
    """Compare the passenger list MANIFEST with the alerts in force.

    Each line that comes up is a proposal: look at the person and the document before you decide anything. Nothing of the other
    passengers is kept. That you screened is recorded.
    """
    from exchange.v1 import desk_service_pb2

    data = _read(manifest)
    wanted = (
        desk_service_pb2.MANIFEST_FORMAT_UNSPECIFIED
        if kind == "auto"
        else desk_service_pb2.ManifestFormat.Value(f"MANIFEST_FORMAT_{kind.upper()}")
    )
    with open_desk() as desk:
        question = desk_service_pb2.ScreenPassengersRequest(manifest=data, format=wanted, reason=reason)
        answer: ScreenPassengersResponse = desk.ScreenPassengers(question, timeout=max(settings().timeout, _FIRST_SECONDS))
    show(_data(answer), lambda console: _draw(console, answer))


def _read(manifest: Path) -> bytes:
    if manifest.stat().st_size > _LARGEST:
        raise Trouble(
            USAGE,
            "MANIFEST_TOO_LARGE",
            "The passenger list is too large for one question.",
            why=f"It has more than {_LARGEST} bytes.",
            next_step="Split it, each part with its own head, and screen the parts.",
        )
    return manifest.read_bytes()


def _data(answer: "ScreenPassengersResponse") -> dict[str, Any]:
    data = document(answer)
    for proposal in data["proposals"]:
        for name in ("points", "needed"):
            proposal[name] = proposal.pop(f"{name}_tenths") / 10
        for reason in proposal["reasons"]:
            reason["points"] = reason.pop("tenths") / 10
    return data


def _draw(console: "Console", answer: "ScreenPassengersResponse") -> None:
    of = f" of {answer.service}" if answer.service else ""
    console.print(f"{answer.passengers} travellers{of} compared with {answer.alerts} alert{'' if answer.alerts == 1 else 's'} in force.")
    if not answer.proposals:
        console.print("Nobody is proposed.", style="green")
    else:
        console.print(note("Each is a proposal: look at the person and the document before you decide anything."))
    for proposal in answer.proposals:
        _draw_proposal(console, proposal)
    if answer.left_off:
        console.print(note(f"\n{answer.left_off} more were left off: so many say that the list was not read as it was meant."))
    if answer.known_mis_hits:
        console.print(note(f"\n{answer.known_mis_hits} not proposed again: found before to be somebody else."))
    if answer.warnings:
        console.print(heading("Left aside"))
        console.print(table(("passenger", "what"), ((str(w.place or "list"), w.message) for w in answer.warnings), right=("passenger",)))


def _draw_proposal(console: "Console", proposal: "ScreeningProposal") -> None:
    name = " / ".join(part for part in (proposal.family_name, proposal.given_names, proposal.native_name) if part)
    console.print(heading(f"Passenger {proposal.place}: {name or '(no name)'}"))
    number = f"{proposal.document_number} {proposal.document_issuer}".strip()
    rows = (
        ("born", proposal.birth_date),
        ("document", number),
        ("may be", f"{proposal.alias_text} ({proposal.alias})"),
        ("of alert", f"{short(proposal.alert.manifest_digest)} from {party_name(proposal.alert.originator)}"),
        ("flags", ", ".join(map(words, proposal.alert.flags))),
        ("points", f"{proposal.points_tenths / 10:.1f}, of {proposal.needed_tenths / 10:.1f} needed"),
        ("by accident", f"{'less than ' * (proposal.one_stranger_in >= RAREST)}one stranger in {proposal.one_stranger_in:,}"),
    )
    console.print(facts(rows))
    if "DISPUTED" in proposal.alert.flags:
        console.print(DISPUTED, style="bold red")
    lines = [
        (RULES.get(r.rule, r.rule), r.told or "–", r.shown or "–", str(r.bearers or ""), f"{r.tenths / 10:+.1f}") for r in proposal.reasons
    ]
    console.print(table(("rule", "alert", "list", "alerts with such", "points"), lines, right=("alerts with such", "points")))
    console.print(note(f"The alert: exchange inbox show {short(proposal.alert.manifest_digest)}"))
