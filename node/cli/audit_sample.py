"""`exchange audit sample`: entries that the auditor's nonce chooses, each proved to be in the signed tree."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from node.cli.audit_verdict import checkpoint_option, pin_option, proved_entry, signed_checkpoint
from node.cli.command import Verb
from node.cli.context import open_channel, settings
from node.cli.errors import REFUSED, SUCCESS, USAGE, VERIFICATION_FAILED, trouble_of
from node.cli.output import facts, note, progress, show, table
from node.documents import document, enum_name
from node.reports.audit_lists import short_party
from node.short_words import party_name, time_cell, words

if TYPE_CHECKING:
    from rich.console import Console


@click.command("sample", cls=Verb)
@click.option("--seed", "nonce", required=True, metavar="NONCE", help="Your own fresh words or dice: 1 to 256 bytes, never sent.")
@click.option("--n", "count", type=click.IntRange(1, 10_000), default=60, show_default=True, help="Entries to draw.")
@click.option("--log", "origin", default="", metavar="ORIGIN", help="Draw from this log of the node's own instead of its journal.")
@click.option(
    "--save-checkpoint", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Keep the checkpoint, to draw the same again."
)
@pin_option
@checkpoint_option
def sample(nonce: str, count: int, origin: str, save_checkpoint: Path | None, pin: bytes | None, checkpoint: Path | None) -> None:
    """Draw entries at random, so that nobody at the node can steer which, and prove each to be in the log. Exit code 4 if one is not.

    The indexes follow from your nonce and the root that the node signed before it could know the nonce: take a nonce that you have
    never used. 60 entries without a fault say, with 95 % confidence, that fewer than 5 % are faulty.
    """
    from exchange.sampling import sample_indexes
    from node.cli.audit_entries import decoded

    proved: list[tuple[int, str, Any]] = []
    failed: list[dict[str, Any]] = []
    with open_channel() as channel:
        signed = signed_checkpoint(channel, origin, pin, checkpoint)
        if save_checkpoint is not None:
            save_checkpoint.write_bytes(signed.note)
        drawn = sample_indexes(nonce.encode(), signed.checkpoint, count)
        with progress("entries", len(drawn)) as step:
            for index in drawn:
                try:
                    answer = proved_entry(channel, index, signed)
                    proved.append((index, *decoded(signed.checkpoint.origin, answer.entry)))
                except Exception as error:  # noqa: BLE001  also an entry that the node will not show is a finding
                    failed.append({"grade": "CRITICAL", "code": _code(error), "index": index})
                step(1)
    data = {
        "holds": not failed,
        "checkpoint": signed.data(),
        "indexes": drawn,
        "entries": [{"index": index, "decoded": document(entry)} for index, _, entry in proved],
        "findings": failed,
    }

    def draw(console: "Console") -> None:
        tree = signed.checkpoint
        console.print(facts((("log", f"{tree.origin}, {tree.size} entries"), ("root", tree.root.hex()), ("signature", signed.said))))
        console.print()
        rows = [_row(*one) for one in sorted(proved, key=lambda one: one[0])]
        console.print(table(("!index", "!at (UTC)", "what", "party or audience"), rows, right=("index",)))
        if failed:
            console.print(f"\n{len(failed)} of {len(drawn)} entries do not hold:", style="red")
            console.print(table(("!grade", "!code", "index"), [(one["grade"], one["code"], str(one["index"])) for one in failed]))
            return
        console.print(note(f"\n{len(proved)} entries, each proved to be in the log. Next: exchange audit open ENTRY --purpose …"))

    show(data, draw)
    click.get_current_context().exit(VERIFICATION_FAILED if failed else SUCCESS)


def _code(error: Exception) -> str:
    """Why an entry is not proved. Raises what says nothing about the entry: no connection, no permission."""
    trouble = trouble_of(error, "", settings().timeout)
    if trouble.exit_code in {REFUSED, VERIFICATION_FAILED, USAGE}:
        return trouble.code
    raise error


def _row(index: int, kind: str, entry: Any) -> tuple[str, str, str, str]:
    from exchange.v1.journal_pb2 import JournalKind

    if kind == "event":
        what = f"{words(enum_name(JournalKind.DESCRIPTOR, entry.kind))}, {entry.code}"
        return str(index), time_cell(entry.at), what, short_party(entry.party)
    return str(index), time_cell(entry.disclosed_at), entry.clause or "–", "\n".join(map(party_name, entry.audience))
