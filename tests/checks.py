"""Re-verifies the whole of a stopped node, and of two nodes against each other and against what officers were told.

`check_node` is the node's own `fsck` on its files, and everything that ever left the node: its logs must be consistent with every
checkpoint that it ever signed, and it must hold every receipt that it ever sent. `check_pair` adds what no node can know alone.
Both return what is wrong, and nothing when all is well. `snapshot` copies a node that is running or was killed, to check it as it stands.
"""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from exchange.log import LogName, open_log_checkpoint
from exchange.receipt import open_receipt_of
from exchange.tlog.checkpoint import Checkpoint
from exchange.v1 import desk_service_pb2, disclosure_pb2, statement_pb2
from node.config import load_config
from node.keys.next_descriptor import read_own
from node.keys.signers import open_signer
from node.operations.contents import purpose_of_alert, purpose_of_entry, unpack_content
from node.operations.fsck import check_store
from node.operations.partners import load_known
from node.ports import Known
from node.store import alerts, logs
from node.store.alerts import AlertRow
from node.store.connections import sqlite_driver
from node.store.engine import Store, open_store
from node.store.high_water import HighWater, LogKeys
from node.store.logs import LogRow
from node.store.transaction import Transaction
from node.store.vault import Vault, read_master_key
from node.system import SystemClock, system_entropy

RELEASED = "released.jsonl"
"""What left a node, written by `tests.system.labelled_node` before it left: one JSON object a line."""
_ENTRIES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that must never be."""

    node: str
    code: str
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppedNode:
    """A node's files, open for checking."""

    known: Known
    store: Store
    vault: Vault
    high_water: HighWater
    released: Sequence[tuple[str, bytes]]
    """Kind (checkpoint, alive, receipt) and content of what left the node."""

    @property
    def name(self) -> str:
        return self.known.own.trust_domain

    def problem(self, code: str, where: str = "") -> Problem:
        return Problem(node=self.name, code=code, where=where)


@contextmanager
def opened(directory: Path) -> Iterator[StoppedNode]:
    """Open the files of a node that does not run. Recovers the database as the node itself would."""
    config = load_config(directory / "node.toml", {})
    own = read_own(config.store.descriptors)
    store = open_store(config.store.database, create=False)
    try:
        yield StoppedNode(
            known=load_known(store, own, SystemClock().now_ms()),
            store=store,
            vault=Vault(read_master_key(Path(config.store.vault_key.removeprefix("file:"))), system_entropy),
            high_water=HighWater(config.store.high_water, LogKeys.of(own, open_signer(config.keys.log))),
            released=_released(directory / RELEASED),
        )
    finally:
        store.close()


def snapshot(directory: Path, place: Path, *, running: bool) -> Path:
    """A copy of a node as it stands; of one that was killed, with the journal that it left.

    What was released is read first, then the high-water records, and the database last: all of the former must be found in the latter.
    """
    copy = place / directory.name
    if copy.exists():
        shutil.rmtree(copy)
    copy.mkdir(parents=True)
    if (directory / RELEASED).exists():
        shutil.copy(directory / RELEASED, copy)
    shutil.copytree(directory, copy, ignore=shutil.ignore_patterns("data", "*.new", RELEASED), dirs_exist_ok=True)
    (copy / "data").mkdir()
    if running:
        driver = sqlite_driver()
        uri = f"{(directory / 'data/node.db').absolute().as_uri()}?mode=ro"
        with closing(driver.connect(uri, uri=True)) as source, closing(driver.connect(copy / "data/node.db")) as target:
            source.backup(target)
    else:
        for path in (directory / "data").glob("node.db*"):
            if not path.name.endswith(("-shm", ".lock")):
                shutil.copy(path, copy / "data")
    return copy


def check_node(directory: Path) -> list[Problem]:
    """Everything that can be verified of one stopped node."""
    with opened(directory) as node:
        return [*_check_alone(node)]


def check_pair(
    sender: Path,
    recipient: Path,
    answered: Mapping[bytes, Sequence[desk_service_pb2.PublishedAlert]],
    asked: set[bytes],
    *,
    healed: bool,
) -> list[Problem]:
    """Everything that can be verified of a sender and a recipient that do not run.

    `asked` are all request ids that officers sent to the sender, `answered` what they were told. `healed` says that both had the
    time to catch up: then nothing may be missing anywhere.
    """
    with opened(sender) as ours, opened(recipient) as theirs:
        problems = [*_check_alone(ours), *_check_alone(theirs)]
        with ours.store.read() as here, theirs.store.read() as there:
            problems += _check_answers(ours, here, answered, asked)
            for log in logs.all_logs(here):
                if log.outbound and log.name.recipient == theirs.name:
                    mirror = logs.find_log(there, log.name.origin)
                    problems += _check_log(ours, here, theirs, there, log, mirror, healed=healed)
        return problems


def _check_alone(node: StoppedNode) -> Iterator[Problem]:
    found = check_store(node.store, node.vault, node.high_water, node.known).found
    for finding in found:
        if finding.severity == desk_service_pb2.SEVERITY_ERROR:
            yield node.problem(finding.code, f"{finding.origin}#{finding.index} {finding.message}")
    with node.store.read() as tx:
        by_origin = {log.name.origin: log for log in logs.all_logs(tx)}
        for kind, content in node.released:
            if kind == "receipt":
                yield from _check_released_receipt(node, tx, content)
            else:
                yield from _check_released_root(node, tx, by_origin, _signed(node, kind, content))


def _signed(node: StoppedNode, kind: str, content: bytes) -> Checkpoint:
    if kind == "alive":
        alive = disclosure_pb2.Alive.FromString(content)
        return Checkpoint(origin=alive.origin, size=alive.size, root=alive.root)
    origin = content.partition(b"\n")[0].decode()
    return open_log_checkpoint(content, LogName.parse(origin), node.known.own, SystemClock().now_ms())


def _check_released_root(node: StoppedNode, tx: Transaction, by_origin: Mapping[str, LogRow], signed: Checkpoint) -> Iterator[Problem]:
    log = by_origin.get(signed.origin)
    where = f"{signed.origin}#{signed.size}"
    if log is None or signed.size > log.size:
        yield node.problem("SIGNED_BEYOND_LOG", where)
    elif logs.frontier_at(tx, log, signed.size).root() != signed.root:
        yield node.problem("SIGNED_OTHER_ROOT", where)
    mark = node.high_water.get(signed.origin)
    if signed.size > (mark.size if mark else 0):
        yield node.problem("SIGNED_ABOVE_HIGH_WATER", where)


def _check_released_receipt(node: StoppedNode, tx: Transaction, content: bytes) -> Iterator[Problem]:
    checkpoint = open_receipt_of(statement_pb2.Statement.FromString(content), node.known.own).checkpoint
    log = logs.find_log(tx, checkpoint.origin)
    held = logs.receipt_covering(tx, log.id, checkpoint.size - 1) if log else None
    if log is None or held is None or held.statement != content or log.size < checkpoint.size:
        yield node.problem("RECEIPT_NOT_DURABLE", f"{checkpoint.origin}#{checkpoint.size}")


def _check_answers(
    node: StoppedNode, tx: Transaction, answered: Mapping[bytes, Sequence[desk_service_pb2.PublishedAlert]], asked: set[bytes]
) -> Iterator[Problem]:
    """Every answer is durable and the only one; nothing was released that nobody asked for."""
    by_request = alerts.by_requests(tx, asked)
    origins = {log.id: log.name.origin for log in logs.all_logs(tx)}
    for request_id, answers in answered.items():
        alert = by_request.get(request_id)
        if len({(answer.alert_id, answer.manifest_digest) for answer in answers}) != 1:
            yield node.problem("RELEASED_TWICE", request_id.hex())
        if alert is None or alert.digest != answers[0].manifest_digest:
            yield node.problem("ANSWER_NOT_DURABLE", request_id.hex())
            continue
        logged = {(origins[log_id], row.idx) for log_id, row in logs.entries_of_alert(tx, alert.id)}
        if {(told.origin, told.index) for answer in answers for told in answer.disclosures} != logged:
            yield node.problem("ANSWER_OTHER_ENTRIES", request_id.hex())
    requested = {alert.id for alert in by_request.values()}
    for alert in alerts.every(tx):
        if alert.own and alert.id not in requested:
            yield node.problem("RELEASED_UNASKED", alert.digest.hex())


def _check_log(
    ours: StoppedNode,
    here: Transaction,
    theirs: StoppedNode,
    there: Transaction,
    log: LogRow,
    mirror: LogRow | None,
    *,
    healed: bool,
) -> Iterator[Problem]:
    """One log at its owner and at its mirror."""
    receipts = logs.receipts_above(here, log.id, 0, _ENTRIES)
    receipted = receipts[-1].size if receipts else 0
    held = mirror.size if mirror else 0
    if held > log.size:
        yield theirs.problem("ENTRY_NOT_AT_OWNER", f"{log.name.origin}#{log.size}")
    if receipted > held:
        yield theirs.problem("RECEIPTED_NOT_HELD", f"{log.name.origin}#{held}")
    if healed and not log.size == held == receipted:
        yield ours.problem("NOT_RECEIPTED", f"{log.name.origin}: {log.size} logged, {held} mirrored, {receipted} receipted")
    if mirror is None:
        return
    given = {row.size: row.statement for row in logs.receipts_above(there, mirror.id, 0, _ENTRIES)}
    for row in receipts:
        if given.get(row.size) != row.statement:
            yield theirs.problem("RECEIPT_DIFFERS", f"{log.name.origin}#{row.size}")
    excepted = logs.exception_codes(there, mirror.id, 0, _ENTRIES)
    if healed and excepted:
        yield theirs.problem("EXCEPTED", f"{log.name.origin}: {sorted(excepted.items())}")
    mine = _disclosed(ours, here, log)
    for index, (entry, content) in _disclosed(theirs, there, mirror).items():
        if index not in mine:
            continue
        logged, known = mine[index]
        if logged != entry:
            yield theirs.problem("ENTRY_DIFFERS", f"{log.name.origin}#{index}")
        elif content is None and index not in excepted:
            yield theirs.problem("CONTENT_MISSING", f"{log.name.origin}#{index}")
        elif content is not None and known is not None and content != _given(entry, known):
            # An owner that was restored from a backup adopts its entries and has lost their content.
            yield theirs.problem("CONTENT_DIFFERS", f"{log.name.origin}#{index}")


Content = tuple[bytes, tuple[tuple[int, bytes, bytes], ...]]
"""The manifest statement, and openings as (field, salt, fragment)."""


def _disclosed(node: StoppedNode, tx: Transaction, log: LogRow) -> dict[int, tuple[bytes, Content | None]]:
    """Index to entry and content: all that the originator has, or what a recipient was given; None if nothing was kept."""
    rows = logs.entry_rows(tx, log.id, 0, log.size)
    owners = alerts.by_ids(tx, {row.alert_ref for row in rows if row.alert_ref is not None})
    found: dict[int, tuple[bytes, Content | None]] = {}
    for row in rows:
        alert = owners.get(row.alert_ref or 0)
        content = None
        if alert is not None:
            sealed = None if log.outbound else row.sealed
            content = _content(node, tx, alert, log.name.origin, sealed)
        found[row.idx] = (row.entry, content)
    return found


def _content(node: StoppedNode, tx: Transaction, alert: AlertRow, origin: str, sealed: bytes | None) -> Content:
    key = node.vault.unwrap(tx, alert.period, alert.wrapped_key)
    kept = unpack_content(key.open(purpose_of_alert(alert.alert_id), alert.sealed or b""))
    openings = kept.openings
    if sealed is not None:
        openings = unpack_content(key.open(purpose_of_entry(alert.alert_id, origin), sealed)).openings
    manifest = kept.manifest.SerializeToString(deterministic=True)
    return manifest, tuple((opening.field, opening.salt, opening.fragment) for opening in openings)


def _given(entry: bytes, content: Content) -> Content:
    """What a recipient must hold of an originator's alert: the manifest, and exactly the openings that the entry names."""
    fields = set(disclosure_pb2.Entry.FromString(entry).fields)
    return content[0], tuple(opening for opening in content[1] if opening[0] in fields)


def _released(path: Path) -> list[tuple[str, bytes]]:
    if not path.exists():
        return []
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.endswith("}")]
    return [(line["kind"], bytes.fromhex(line["content"])) for line in lines]
