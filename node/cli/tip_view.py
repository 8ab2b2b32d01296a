"""Tips as a desk reads them: what waits, and one of them whole. Whatever an NGO wrote is shown as plain text."""

from typing import TYPE_CHECKING, Any, Final

from node.cli.alert_view import draw_view, view_data
from node.cli.output import facts, heading, note, table
from node.documents import document
from node.short_words import party_name, short, time_cell, time_text, words

if TYPE_CHECKING:
    from rich.console import Console

    from exchange.v1.desk_service_pb2 import GetTipResponse, ListTipsResponse, TipSummary

_TYPE: Final = "exchange.v1.Tip"


def draw_tips(console: "Console", answer: "ListTipsResponse") -> None:
    """Draw what a desk has."""
    if not answer.tips:
        console.print(note("No tip is at your desk."))
        return
    rows = [
        (
            one.reference,
            words(document(one)["state"]),
            "in danger" if one.danger else "–",
            _look(one),
            time_cell(one.submitted_at),
            party_name(one.officer).rpartition("/")[2] or "–",
        )
        for one in answer.tips
    ]
    console.print(table(("!tip", "state", "a child", "!first look (UTC)", "!submitted (UTC)", "taken by"), rows))
    if answer.left_off:
        console.print(note(f"\n{answer.left_off} more are not listed: close what is done."))


def draw_tip(console: "Console", answer: "GetTipResponse") -> None:
    """Draw one tip."""
    summary = answer.summary
    data = document(answer)
    console.print(facts(_facts(answer, data)))
    if summary.erased:
        console.print(note("\nIt is erased: only what became of it is left."))
    else:
        draw_view(console, _TYPE, answer.view, ())
    if answer.missing:
        console.print(heading(f"What would help ({answer.score} of 100)"))
        console.print(facts((one.field, one.text) for one in answer.missing))
    if answer.releases:
        console.print(heading("Acted upon by"))
        rows = [
            (
                short(one.manifest_digest),
                one.alert_type.rpartition(".")[2],
                "\n".join(map(party_name, one.recipients)),
                time_cell(one.released_at),
            )
            for one in answer.releases
        ]
        console.print(table(("!alert", "type", "to", "!released (UTC)"), rows))
    if answer.answers:
        console.print(heading("Said abroad"))
        said_abroad = [
            (party_name(one.agency), words(said["state"]), time_cell(one.received_at))
            for one, said in zip(answer.answers, data["answers"], strict=True)
        ]
        console.print(table(("agency", "state", "!received (UTC)"), said_abroad))
    if answer.safeguards:
        console.print(heading("Asked of the NGO"))
        asked = [
            (words(said["code"]), time_cell(one.requested_at)) for one, said in zip(answer.safeguards, data["safeguards"], strict=True)
        ]
        console.print(table(("what", "!when (UTC)"), asked))


def tip_data(answer: "GetTipResponse") -> dict[str, Any]:
    """One tip for scripts: the content in the shape of an alert file."""
    whole = document(answer)
    content = None if answer.summary.erased else view_data(_TYPE, answer.view, ())["alert"]
    return {**{name: value for name, value in whole.items() if name != "view"}, "tip": content}


def _facts(answer: "GetTipResponse", data: dict[str, Any]) -> list[tuple[str, str]]:
    summary = answer.summary
    return [
        ("tip", summary.reference),
        ("state", words(data["summary"]["state"])),
        ("a child", "may be in danger" if summary.danger else "no danger known"),
        ("at the desk of", party_name(summary.agency)),
        ("because", "; ".join(one.text for one in answer.routing)),
        ("first look", _look(summary)),
        ("taken by", summary.officer),
        ("from", summary.ngo),
        ("submitted", time_text(summary.submitted_at)),
        ("contact", "in escrow: exchange tip contact" if answer.contact_held else "none held"),
        ("proposed", "\n".join(f"tell {party_name(agency)}: exchange tip convert" for agency in answer.proposed)),
        ("closed as", words(data["close_reason"]) if answer.close_reason else ""),
        ("erase by", time_text(summary.erase_by) if summary.erase_by else ""),
        ("thread", summary.digest.hex()),
    ]


def _look(summary: "TipSummary") -> str:
    late = "LATE, " if summary.late else ""
    return f"{late}{'looked' if summary.looked_at else 'by'} {time_cell(summary.looked_at or summary.look_by)}"
