"""Whether everybody is shown the same journal of a partner: what this node cosigned is compared with what others show.

A node that keeps two journals needs two sets of witnesses. So each witness asks the others what they cosigned, and the partner itself what
it publishes. The network lies outside: a caller brings the notes, and hashes of the tree where two sizes differ.
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from exchange.errors import Conflict, ExchangeError, Unverified
from exchange.journal import open_journal_checkpoint, parse_journal_origin
from exchange.tlog.tree import HashReader
from exchange.witness import check_one_history, evidence_of
from node.operations.journal_alarm import alarm
from node.ports import Ports
from node.store.directory import alarms_about, clear_alarm, raise_alarm
from node.store.transaction import Transaction
from node.store.witnesses import WitnessedRow, all_witnessed

_GOING = ("JOURNAL_UNPROVEN", "JOURNAL_SHRUNK")


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Somewhere to look: the address of somebody who may show a partner's journal that this node has cosigned."""

    held: WitnessedRow
    """What this node had cosigned before it looked."""
    owner: str
    url: str
    """Of the signed checkpoint."""
    tiles: str
    """Prefix of the owner's own tiles of this journal; empty if the configuration gives no address for it."""
    by_owner: bool
    """Whether the address is the owner's own."""


def views(ports: Ports) -> list[View]:
    """Where to look now: for each partner's newest journal at the partner itself, and at every other witness that is a partner."""
    with ports.store.read() as tx:
        newest = _newest(ports, tx)
    found: list[View] = []
    for owner, held in newest.items():
        origin = held.checkpoint.origin
        own = ports.witnessing.urls.get(owner, "")
        tiles = f"{own}/journal/{parse_journal_origin(origin)[1]}" if own else ""
        if own:
            found.append(View(held=held, owner=owner, url=f"{tiles}/checkpoint", tiles=tiles, by_owner=True))
        name = sha256(origin.encode()).hexdigest()  # as C2SP tlog-witness names a log
        found += [
            View(held=held, owner=owner, url=f"{url}/{name}/checkpoint", tiles=tiles, by_owner=False)
            for other, url in ports.witnessing.urls.items()
            if other != owner
        ]
    return found


def compare_view(ports: Ports, view: View, shown: bytes, tree: Callable[[int], HashReader]) -> None:
    """Compare what somebody shows of a partner's journal with what this node cosigned; `tree` reads the owner's hashes at a size.

    Raises what opening the note raises: it is then none that the partner signed, and proves nothing; and what `tree` raises. `Conflict`
    (JOURNAL_SPLIT: the two contradict each other; JOURNAL_SHRUNK: the partner itself shows less than it had cosigned) and `Unverified`
    (JOURNAL_UNPROVEN) are alarms.
    """
    held = view.held.checkpoint
    checkpoint = open_journal_checkpoint(shown, ports.known.partners[view.owner].node, None)
    if checkpoint.origin != held.origin:
        raise Unverified("CHECKPOINT_ORIGIN", "the checkpoint is of another journal")
    try:
        if view.by_owner and checkpoint.size < held.size:
            raise Conflict("JOURNAL_SHRUNK", "the partner shows less of its journal than this node has cosigned")
        check_one_history(held, checkpoint, tree(max(held.size, checkpoint.size)))
    except (Conflict, Unverified) as refused:
        _raise(ports, view, shown, refused)
        raise
    _clear(ports, view)


def note_silence(ports: Ports) -> None:
    """Raise JOURNAL_STALE for each partner that has not shown its journal to this node for five heartbeats; it goes when it does."""
    now = ports.clock.now_ms()
    with ports.store.read() as tx:
        silent = {
            owner: held
            for owner, held in _newest(ports, tx).items()
            if now - held.at >= ports.witnessing.stale_ms and "JOURNAL_STALE" not in alarms_about(tx, held.checkpoint.origin)
        }
    if silent:
        with ports.store.write() as tx:
            for owner, held in silent.items():
                raise_alarm(tx, now, "JOURNAL_STALE", partner=owner, origin=held.checkpoint.origin, evidence=held.note)


def _newest(ports: Ports, tx: Transaction) -> dict[str, WitnessedRow]:
    """The newest journal of each partner that this node witnesses, by trust domain."""
    newest: dict[str, tuple[int, WitnessedRow]] = {}
    for row in all_witnessed(tx):
        owner, generation = parse_journal_origin(row.checkpoint.origin)
        partner = ports.known.partners.get(owner)
        if partner and not partner.suspended and (owner not in newest or newest[owner][0] < generation):
            newest[owner] = generation, row
    return {owner: row for owner, (_, row) in newest.items()}


def _raise(ports: Ports, view: View, shown: bytes, refused: ExchangeError) -> None:
    origin, evidence = view.held.checkpoint.origin, evidence_of(view.held.note, shown)
    with ports.store.write() as tx:
        if refused.code == "JOURNAL_SPLIT":
            alarm(ports, tx, "JOURNAL_SPLIT", origin=origin, partner=view.owner, evidence=evidence)
        elif refused.code == "JOURNAL_SHRUNK":
            alarm(ports, tx, "JOURNAL_SHRUNK", origin=origin, partner=view.owner, evidence=evidence)
        else:
            raise_alarm(tx, ports.clock.now_ms(), "JOURNAL_UNPROVEN", partner=view.owner, origin=origin, evidence=evidence)


def _clear(ports: Ports, view: View) -> None:
    origin = view.held.checkpoint.origin
    with ports.store.read() as tx:
        gone = [code for code in _GOING if code in alarms_about(tx, origin) and (view.by_owner or code != "JOURNAL_SHRUNK")]
    if gone:
        with ports.store.write() as tx:
            for code in gone:
                clear_alarm(tx, code, partner=view.owner, origin=origin)
