"""`exchange audit consistency`: that a later checkpoint of the journal continues an earlier one, or one that the auditor saved."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from exchange.errors import ExchangeError
from node.cli.command import Verb
from node.cli.context import ask, open_desk
from node.cli.errors import USAGE, VERIFICATION_FAILED, Trouble, sentence
from node.cli.fingerprint import Fingerprint
from node.cli.output import facts, note, show

if TYPE_CHECKING:
    from rich.console import Console

    from exchange.directory import KnownNode
    from exchange.tlog.checkpoint import Checkpoint


@click.command(cls=Verb)
@click.option("--from", "first", type=click.IntRange(min=1), help="Size of the earlier checkpoint, one that was shown to anybody.")
@click.option("--note", "saved", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A checkpoint that you saved, instead.")
@click.option("--to", "second", type=click.IntRange(min=1), default=None, help="Size of the later checkpoint.  [default: the newest]")
@click.option("--pin", type=Fingerprint(), help="Fingerprint of the node's identity key. Without it, the node's own word is taken.")
@click.option("--policy", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Your policy file: who must have cosigned.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Save the later one, for next time.")
def consistency(
    first: int | None, saved: Path | None, second: int | None, pin: bytes | None, policy: Path | None, output: Path | None
) -> None:
    """Prove that the journal only grew between two of its signed checkpoints. Exit code 4 if it did not.

    Give the earlier one as a size, or as a file that you saved before: then nobody can have changed it meanwhile.
    """
    from exchange.v1 import desk_service_pb2

    if (first is None) == (saved is None):
        raise click.UsageError("Give either --from or --note.")
    kept = saved.read_bytes() if saved else b""
    origin, size = _claimed(kept) if saved else ("", first or 0)
    question = desk_service_pb2.GetJournalConsistencyRequest(origin=origin, first_size=size, second_size=second or 0)
    with open_desk() as desk:
        owner = _owner(ask(desk.GetOwnDescriptor, desk_service_pb2.GetOwnDescriptorRequest()).descriptors, pin)
        answer = ask(desk.GetJournalConsistency, question)
    earlier, later = _open(kept or answer.first, owner, "earlier"), _open(answer.second, owner, "later")
    _compare(earlier, later, list(answer.hashes))
    cosigned = _cosigned(policy, answer.second, owner, later.origin) if policy else []
    if output:
        output.write_bytes(answer.second)
    data: dict[str, Any] = {
        "holds": True,
        "origin": later.origin,
        "first": {"size": earlier.size, "root": earlier.root.hex()},
        "second": {"size": later.size, "root": later.root.hex()},
        "pinned": pin is not None,
        "cosigned": cosigned,
    }

    def draw(console: "Console") -> None:
        console.print(f"The journal only grew: {earlier.size} entries, then {later.size}.\n", style="green")
        rows = (
            ("journal", later.origin),
            ("earlier root", earlier.root.hex()),
            ("later root", later.root.hex()),
            ("cosigned by", "\n".join(f"{item['witness']} at {item['at']}" for item in cosigned)),
            ("saved to", str(output) if output else ""),
        )
        console.print(facts(rows))
        if pin is None:
            console.print(note("\nThe node itself said which keys are its own: give --pin to rely on nobody's word."))

    show(data, draw)


def _claimed(kept: bytes) -> tuple[str, int]:
    from exchange.witness import claimed_checkpoint

    try:
        claimed = claimed_checkpoint(kept)
    except ExchangeError as error:
        raise Trouble(USAGE, error.code, "The saved file is no checkpoint.", why=sentence(str(error)), next_step="Give another.") from None
    return claimed.origin, claimed.size


def _owner(chain: bytes, pin: bytes | None) -> "KnownNode":
    from exchange.directory import open_descriptor_chain
    from exchange.v1 import directory_pb2, statement_pb2

    statements = [statement_pb2.Statement.FromString(one) for one in directory_pb2.DescriptorChain.FromString(chain).descriptors]
    try:
        return open_descriptor_chain(statements, pin or statements[0].signatures[0].key_id)
    except ExchangeError as error:
        _fail(error.code, "The node's descriptor does not lead from the key that you pinned.", str(error))


def _open(shown: bytes, owner: "KnownNode", which: str) -> "Checkpoint":
    from exchange.journal import open_journal_checkpoint

    if not shown:
        raise Trouble(
            USAGE,
            "CHECKPOINT_UNKNOWN",
            "The node showed nobody a checkpoint of that size.",
            next_step="Take a size that `exchange audit witness status` or a saved checkpoint names.",
        )
    try:
        return open_journal_checkpoint(shown, owner, None)
    except ExchangeError as error:
        _fail(error.code, f"The {which} checkpoint is not signed by the node.", str(error))


def _compare(earlier: "Checkpoint", later: "Checkpoint", hashes: list[bytes]) -> None:
    from exchange.tlog.merkle import verify_consistency

    if later.origin != earlier.origin:
        _fail("CHECKPOINT_ORIGIN", "The two checkpoints are of two journals.", "the origins differ")
    if later.size < earlier.size:
        _fail("JOURNAL_SHRUNK", "The node shows less of its journal than it had signed.", "it was restored from a backup, or rewritten")
    try:
        verify_consistency(earlier.size, earlier.root, later.size, later.root, hashes)
    except ExchangeError as error:
        _fail("JOURNAL_SPLIT", "The later checkpoint does not continue the earlier one.", str(error))


def _cosigned(policy: Path, shown: bytes, owner: "KnownNode", origin: str) -> list[dict[str, str]]:
    from exchange.log import log_verifiers
    from exchange.tlog.policy import parse_policy
    from exchange.witness import check_policy
    from node.documents import iso_time

    try:
        parsed = parse_policy(policy.read_bytes())
    except ExchangeError as error:
        raise Trouble(
            USAGE, error.code, f"{policy} is no policy file.", why=sentence(str(error)), next_step="Correct that line, and try again."
        ) from None
    try:
        witnessed = check_policy(parsed, shown, log_verifiers(origin, owner, None))
    except ExchangeError as error:
        _fail(error.code, "The later checkpoint does not satisfy your policy.", str(error))
    return [
        {"witness": item.witness, "organisation": item.organisation, "at": iso_time(item.at * 1000) or ""} for item in witnessed.cosigned
    ]


def _fail(code: str, what: str, why: str) -> NoReturn:
    raise Trouble(
        VERIFICATION_FAILED,
        code,
        what,
        why=sentence(why),
        next_step="Keep both checkpoints, and ask each witness for the one that it cosigned: exchange audit witness status.",
    )
