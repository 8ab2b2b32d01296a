"""`exchange audit show`: one entry, and the proof that it is in its log."""

from typing import TYPE_CHECKING, Any

import click

from node.cli.audit_verdict import Place, Signed, checkpoint_option, pin_option, proved_entry, signed_checkpoint
from node.cli.command import Verb
from node.cli.context import open_channel
from node.cli.output import facts, plain, show
from node.documents import document, enum_name
from node.short_words import party_name, time_text, words

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console


@click.command("show", cls=Verb)
@click.argument("entry", type=Place(), metavar="ENTRY")
@pin_option
@checkpoint_option
def show_(entry: tuple[str, int], pin: bytes | None, checkpoint: "Path | None") -> None:
    """Show ENTRY, an index in the journal or ORIGIN#INDEX, and prove here that it is in the signed tree. Exit code 4 if it is not."""
    from node.cli.audit_entries import decoded

    origin, index = entry
    with open_channel() as channel:
        signed = signed_checkpoint(channel, origin, pin, checkpoint)
        proof = proved_entry(channel, index, signed)
    kind, message = decoded(proof.origin, proof.entry)
    data = {
        "holds": True,
        "index": index,
        "entry": proof.entry.hex(),
        "decoded": document(message),
        "checkpoint": signed.data(),
        "inclusion_proof": [item.hex() for item in proof.hashes],
    }
    show(data, lambda console: _draw(console, kind, message, index, signed))


def _draw(console: "Console", kind: str, message: Any, index: int, signed: Signed) -> None:
    console.print("The entry is in the log.\n", style="green")
    rows = [("entry", f"{signed.checkpoint.origin}#{index}")]
    rows += _event_facts(message) if kind == "event" else _disclosure_facts(message)
    rows += [
        ("log", f"{signed.checkpoint.size} entries, root {signed.checkpoint.root.hex()}"),
        ("signature", signed.said),
    ]
    console.print(facts(rows))


def _event_facts(entry: Any) -> list[tuple[str, str]]:
    from exchange.v1.journal_pb2 import JournalKind

    return [
        ("at", time_text(entry.at)),
        ("what", f"{words(enum_name(JournalKind.DESCRIPTOR, entry.kind))}, {entry.code}"),
        ("party", party_name(entry.party)),
        ("with", party_name(entry.counterparty)),
        ("about", f"{entry.origin}, {entry.count} entries from {entry.index}" if entry.count else entry.origin),
        ("subject", entry.subject.hex()),
        ("root", entry.root.hex()),
        ("who and why", f"committed: {entry.accountability.hex()}" if entry.accountability else ""),
        ("personal", f"committed: {entry.personal.hex()}" if entry.personal else ""),
    ]


def _disclosure_facts(entry: Any) -> list[tuple[str, str]]:
    data = document(entry)
    return [
        ("disclosed", time_text(entry.disclosed_at)),
        ("to", "\n".join(map(party_name, entry.audience))),
        ("fields", ", ".join(map(str, entry.fields))),
        ("clause", f"{entry.clause} of {entry.agreement_digest.hex()}" if entry.clause else ""),
        ("purpose", words(data["purpose"])),
        ("ground", words(data["on_request_ground"]) if data["on_request_ground"] else ""),
        ("manifest", entry.manifest_digest.hex()),
        ("who and why", f"committed: {entry.authorisation.hex()}" if entry.authorisation else ""),
        ("succession", plain(entry.succession.hex())),
    ]
