"""What a file of evidence proves, for people and for scripts."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from node.cli.output import facts, heading, note, table
from node.documents import document, enum_name, iso_time
from node.short_words import party_name, short, time_cell, time_text, words

if TYPE_CHECKING:
    from rich.console import Console

    from exchange.contradiction import Contradicted
    from exchange.evidence import VerifiedEvidence

_MEANING: Mapping[str, str] = {
    "DATA": "It was logged, delivered and receipted, and this is what the recipient was shown.",
    "CONTENTLESS": "It was logged, delivered and receipted. The content is not in the file.",
    "ENTRY_ONLY": "It was logged and receipted. The content has been erased.",
    "LOGGED_ONLY": "It was logged. The content was not accepted, or not sent: delivery is not proved.",
}


def evidence_data(proved: "VerifiedEvidence", *, content: bool) -> dict[str, Any]:
    """What one disclosure's proof says."""
    from exchange.v1.evidence_pb2 import EvidenceLevel
    from exchange.v1.receipt_pb2 import ExceptionCode
    from node.cli.alert_view import view_data

    shown = content and proved.alert is not None and proved.kind is not None
    return {
        "level": enum_name(EvidenceLevel.DESCRIPTOR, proved.level),
        "origin": proved.log.origin,
        "sender": proved.log.sender,
        "recipient": proved.log.recipient,
        "index": proved.index,
        "size": proved.size,
        "root": proved.root.hex(),
        "received_at": iso_time(proved.received_at),
        "witnessed_at": iso_time(proved.witnessed_at),
        "anchors": [
            {"journal": one.journal, "index": one.index, "receipt": one.receipt, "witnessed_at": iso_time(one.witnessed_at)}
            for one in proved.anchors
        ],
        "exception": enum_name(ExceptionCode.DESCRIPTOR, proved.exception),
        "entry": document(proved.entry),
        "manifest": document(proved.manifest) if proved.manifest else None,
        "agreement": proved.agreement.instrument if proved.agreement else None,
        "clause": proved.clause.id if proved.clause else None,
        "alert": view_data(proved.kind.name, proved.view, _undisclosed(proved)) if shown and proved.kind else None,
    }


def bundle_data(proved: "Sequence[VerifiedEvidence]", *, content: bool) -> dict[str, Any]:
    """What each disclosure of a bundle proves."""
    return {"holds": True, "disclosures": [evidence_data(one, content=content) for one in proved]}


def contradiction_data(shown: "Contradicted") -> dict[str, Any]:
    """Who contradicted itself, and how."""
    pair = [{"size": checkpoint.size, "root": checkpoint.root.hex()} for checkpoint in (shown.first, shown.second)]
    kind = "RECEIPTS" if shown.receipts else "CHECKPOINTS"
    return {"holds": True, "contradiction": kind, "trust_domain": shown.trust_domain, "origin": shown.first.origin, "signed": pair}


def draw_evidence(console: "Console", proved: "VerifiedEvidence", data: Mapping[str, Any], *, content: bool) -> None:
    """Draw one disclosure's proof."""
    from node.cli.alert_view import draw_view

    console.print(f"The proof holds. {_MEANING.get(data['level'], '')}\n", style="green")
    rows = (
        ("from", data["sender"]),
        ("to", data["recipient"]),
        ("audience", "\n".join(map(party_name, proved.entry.audience))),
        ("disclosed", time_text(proved.entry.disclosed_at)),
        ("receipted", time_text(proved.received_at)),
        ("witnessed", f"by {time_text(proved.witnessed_at)}, under your policy" if proved.witnessed_at else ""),
        ("refused", words(data["exception"]) if data["exception"] else ""),
        ("agreement", f"{data['agreement']}, clause {data['clause']}" if data["agreement"] else ""),
        ("manifest", proved.entry.manifest_digest.hex()),
        ("originator", proved.manifest.originator if proved.manifest else ""),
        ("log", f"{data['origin']}, index {proved.index} of {proved.size}"),
        ("root", proved.root.hex()),
        ("anchored in", "\n".join(f"{one.journal}, index {one.index}" for one in proved.anchors)),
    )
    console.print(facts(rows))
    if content and proved.kind and proved.alert is not None:
        console.print(heading("What the recipient was shown"))
        draw_view(console, proved.kind.name, proved.view, _undisclosed(proved))


def draw_bundle(console: "Console", proved: "Sequence[VerifiedEvidence]") -> None:
    """Draw what each disclosure of a bundle proves, a line each."""
    from exchange.v1.evidence_pb2 import EvidenceLevel

    console.print(f"The proof holds, of each of {len(proved)} disclosures.", style="green")
    levels = [enum_name(EvidenceLevel.DESCRIPTOR, one.level) or "" for one in proved]
    logs: dict[str, list[tuple[str, ...]]] = {}
    for one, level in zip(proved, levels, strict=True):
        row = (
            str(one.index),
            time_cell(one.entry.disclosed_at),
            "\n".join(map(party_name, one.entry.audience)),
            one.kind.name.rpartition(".")[2] if one.kind else "–",
            words(level),
            time_cell(one.received_at),
            short(one.entry.manifest_digest),
        )
        logs.setdefault(one.log.origin, []).append(row)
    columns = ("index", "!disclosed (UTC)", "to", "what", "!proves", "!receipted (UTC)", "!alert")
    for origin, rows in logs.items():
        console.print(heading(origin))
        console.print(table(columns, rows, right=("index",)))
    console.print()
    for level in sorted(set(levels), key=list(_MEANING).index):
        console.print(note(f"{words(level)}: {_MEANING[level]}"))
    if all(one.witnessed_at for one in proved):
        console.print(note(f"Under your policy all were witnessed by {time_text(max(one.witnessed_at for one in proved))}."))
    console.print(note("It proves these. It does not prove that there were no others."))


def draw_contradiction(console: "Console", shown: "Contradicted") -> None:
    """Draw who contradicted itself."""
    what = "receipts for the same entries" if shown.receipts else "histories of one log"
    console.print(f"The proof holds. {shown.trust_domain} signed two {what} that cannot both be true.\n", style="green")
    rows = [("log", shown.first.origin)]
    rows += [("signed", f"size {checkpoint.size}, root {checkpoint.root.hex()}") for checkpoint in (shown.first, shown.second)]
    console.print(facts(rows))


def _undisclosed(proved: "VerifiedEvidence") -> list[int]:
    return [number for number in proved.kind.numbers if number not in proved.entry.fields] if proved.kind else []
