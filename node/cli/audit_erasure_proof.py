"""`exchange audit erasure-proof`: the node's word is not taken for it; signature and proofs are verified here."""

from typing import TYPE_CHECKING, Any

import click

from exchange.errors import ExchangeError, Unverified
from node.cli.command import Verb
from node.cli.context import ask, open_desk
from node.cli.errors import SUCCESS, VERIFICATION_FAILED, Trouble, sentence
from node.cli.fingerprint import Fingerprint
from node.cli.output import facts, heading, show, table
from node.cli.record_view import draw_status
from node.documents import document
from node.short_words import time_cell, words

if TYPE_CHECKING:
    from rich.console import Console

    from exchange.v1.desk_service_pb2 import GetErasureProofResponse


@click.command("erasure-proof", cls=Verb)
@click.argument("alert_id", metavar="ALERT")
@click.option(
    "--fingerprint", required=True, type=Fingerprint(), help="Of the node's identity key, 64 hex digits, got apart from the node."
)
def erasure_proof(alert_id: str, fingerprint: bytes) -> None:
    """Prove that ALERT was erased, when, and that every log that discloses it still holds. Exit code 4 if something does not.

    Verified here: the journal's checkpoint under the node's keys, and that intent and deed are below it.
    """
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        answer = ask(desk.GetErasureProof, desk_service_pb2.GetErasureProofRequest(alert=alert_id))
    try:
        events = verified(answer, fingerprint)
    except ExchangeError as error:
        raise Trouble(
            VERIFICATION_FAILED,
            error.code,
            "The erasure is not proved.",
            why=sentence(str(error)),
            next_step="Compare the fingerprint with the one that the country publishes; if it is right, tell its inspectorate.",
        ) from None
    done = bool(events) and events[-1]["code"] == "DONE"
    failed = not done or any(finding.severity == desk_service_pb2.SEVERITY_ERROR for finding in answer.findings)

    def draw(console: "Console") -> None:
        summary = answer.retention.summary
        rows = (("alert", summary.manifest_digest.hex()), ("state", "erased" if done else "not erased yet"))
        console.print(facts(rows))
        console.print(heading("In the journal, proved below its signed checkpoint"))
        shown = [(words(event["code"]), time_cell(event["at_ms"]), str(event["index"])) for event in events]
        console.print(table(("event", "!at (UTC)", "journal index"), shown, right=("journal index",)))
        console.print(heading("What is left: who was told"))
        draw_status(console, summary.alert_type, answer.disclosures)
        console.print(heading("Logs that disclose it, recomputed"))
        logs = [(log.origin, str(log.size), log.root.hex()[:12]) for log in answer.logs]
        console.print(table(("log", "size", "!root"), logs, right=("size",)))
        if answer.findings:
            console.print(heading("Findings"))
            findings = [
                (finding.code, f"{finding.origin} {finding.index}" if finding.origin else "", finding.message)
                for finding in answer.findings
            ]
            console.print(table(("!code", "where", "what"), findings))
        else:
            console.print("\nEvery entry, checkpoint and receipt of them holds.", style="green")

    told = [{name: value for name, value in event.items() if name != "at_ms"} for event in events]
    show({"proved": not failed, "events": told, **document(answer)}, draw)
    click.get_current_context().exit(VERIFICATION_FAILED if failed else SUCCESS)


def verified(answer: "GetErasureProofResponse", fingerprint: bytes) -> list[dict[str, Any]]:
    """The journal's events about the erasure, oldest first, each proved; raises what does not hold."""
    from exchange.directory import open_descriptor_chain
    from exchange.journal import open_journal_checkpoint, open_journal_entry
    from exchange.tlog.merkle import leaf_hash, verify_inclusion
    from exchange.v1 import directory_pb2, journal_pb2, statement_pb2
    from node.documents import iso_time

    chain = directory_pb2.DescriptorChain.FromString(answer.descriptors).descriptors
    owner = open_descriptor_chain([statement_pb2.Statement.FromString(one) for one in chain], fingerprint)
    checkpoint = open_journal_checkpoint(answer.checkpoint, owner, None)
    events = []
    for one in answer.entries:
        verify_inclusion(leaf_hash(one.entry), one.index, checkpoint.size, list(one.inclusion_proof), checkpoint.root)
        entry = open_journal_entry(one.entry)
        if entry.kind != journal_pb2.JOURNAL_KIND_ERASURE or entry.subject != answer.retention.summary.manifest_digest:
            raise Unverified("ERASURE_OTHER", "an entry of the journal is about something else")
        events.append({"code": entry.code, "index": one.index, "at": iso_time(entry.at), "at_ms": entry.at})
    return events
