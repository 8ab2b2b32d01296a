"""What an audit costs as a log grows: append, cold proof, check, export and reconciliation at 10,000, 100,000 and 1,000,000 entries.

    python -m benchmarks.audit [--quick] [--json]

Two offices in one process, each with its store as in operation (synchronous=FULL, secure_delete). The log is written by the store's own
`logs.grow` in batches of 64, with real entries, notes and receipts under real signatures at both ends, and the journal's ranges and
anchors. Its alerts stand erased, as they do in a long log after retention; what a check of contents costs is measured on alerts that are
released, delivered and receipted as always, at the end of the log.

- append: one batch of 64 entries to the end of the log, durably, per entry; with a receipt of it.
- cold proof: an inclusion proof for an index that was not asked for before, by a connection that has read nothing yet.
- check: the passes of `exchange audit fsck`, timed apart, in things a second of CPU (contents: alerts that are still here); then the whole
  by the clock, and its memory, in a process of its own; in parentheses, how much more that is than to open the store.
- export: evidence of one disclosure, made and verified, journalled durably.
- reconcile: both countries' copies of the log compared; left out where this version has no such operation.
"""

import argparse
import importlib
import importlib.util
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from exchange.encoding import encode
from exchange.log import sign_log
from exchange.receipt import issue
from exchange.tlog.checkpoint import Checkpoint
from exchange.tlog.merkle import Frontier, leaf_hash, verify_inclusion
from exchange.tlog.tree import prove_inclusion
from exchange.v1 import desk_service_pb2, disclosure_pb2, evidence_pb2
from node.operations.anchor import anchor_logs, checkpoint_journal
from node.operations.evidence import export_evidence
from node.operations.findings import Findings
from node.operations.fsck import check_everything
from node.operations.partners import load_known
from node.operations.records import Records
from node.operations.release import prepare
from node.operations.sequence import sequence
from node.store import alerts, logs
from node.store.engine import Store, open_store
from node.store.high_water import HighWater, LogKeys
from node.store.insert import insert_rows
from node.store.journal import Event, Kind
from node.store.nodes import StoredHashes
from node.store.tables import erasures
from node.store.vault import Vault
from tests import builders
from tests.countries import BORDER, NOW, POLICE, TRAVEL, agency, key, node
from tests.federation import Federation
from tests.rig import Office, counted_entropy, draft, master_key

SIZES = (10_000, 100_000, 1_000_000)
QUICK = (2_000, 10_000)
BATCH = 64
REAL = 640
"""Disclosures at the end of each log whose alerts are still here."""
COLUMNS = ("entries", "append µs", "proof p50 ms", "proof p99 ms", "tree /s", "entries /s", "receipts /s", "contents /s", "events /s",
           "check s", "check MiB", "export ms", "reconcile ms")  # fmt: skip


@dataclass(slots=True)
class Run:
    """What one size costs."""

    size: int
    append: float = 0.0
    """Seconds for an entry."""
    proofs: list[float] = field(default_factory=list)
    passes: dict[str, tuple[int, float]] = field(default_factory=dict)
    """By pass: how much it went through, in how many seconds of CPU."""
    wall: float = 0.0
    """Seconds for the whole check, by the clock."""
    memory: int = 0
    baseline: int = 0
    """Bytes: the peak of a process that checks, and that of one that only opens the store."""
    exports: list[float] = field(default_factory=list)
    reconciled: float | None = None

    def row(self) -> tuple[str, ...]:
        """One line of the table."""
        rates = [
            f"{done / seconds:,.0f}" if seconds else "–"
            for done, seconds in map(self._pass, ("tree", "entries", "signatures", "contents", "journal"))
        ]
        return (
            f"{self.size:,}",
            f"{self.append * 1e6:.0f}",
            f"{_percentile(self.proofs, 50) * 1e3:.2f}",
            f"{_percentile(self.proofs, 99) * 1e3:.2f}",
            *rates,
            f"{self.wall:.1f}",
            f"{self.memory / 2**20:.0f} (+{(self.memory - self.baseline) / 2**20:.0f})",
            f"{_percentile(self.exports, 50) * 1e3:.1f}",
            "–" if self.reconciled is None else f"{self.reconciled * 1e3:.1f}",
        )

    def _pass(self, name: str) -> tuple[int, float]:
        return self.passes.get(name, (0, 0.0))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="2,000 and 10,000 entries only")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--check", nargs=2, metavar=("DIRECTORY", "COUNTRY"), help=argparse.SUPPRESS)
    parser.add_argument("--open", nargs=2, metavar=("DIRECTORY", "COUNTRY"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.check or options.open:
        print(json.dumps(_alone(*(options.check or options.open), check=bool(options.check))))
        return
    runs = [measure(size) for size in (QUICK if options.quick else SIZES)]
    if options.json:
        print(json.dumps({"runs": [dict(zip(COLUMNS, run.row(), strict=True)) for run in runs], "cores": os.cpu_count()}))
        return
    rows = [COLUMNS, *(run.row() for run in runs)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(COLUMNS))]
    for row in rows:
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))


def measure(size: int) -> Run:
    """Build a log of that size and ask of it all that an audit asks."""
    run = Run(size)
    with tempfile.TemporaryDirectory() as place:
        made = Federation(Path(place) / "countries", "gb", "kh")
        try:
            made.connect("gb", "kh")
            gb, kh = made["gb"], made["kh"]
            run.append = _grow(gb, kh, size - REAL)
            _disclose(made, REAL)
            for office in (gb, kh):
                anchor_logs(office.ports)
                checkpoint_journal(office.ports)
            origin = gb.outbound(kh).name.origin
            run.exports = _exports(gb, origin, size)
            run.reconciled = _reconcile(made)
        finally:
            made.close()
        run.proofs = _proofs(gb.directory / "data/node.db", origin, size)
        told = _in_a_process("--check", gb.directory)
        run.passes = {name: (done, seconds) for name, (done, seconds) in told["passes"].items()}
        run.wall = told["wall"]
        run.memory, run.baseline = told["memory"], _in_a_process("--open", gb.directory)["memory"]
    return run


def _grow(gb: Office, kh: Office, count: int) -> float:
    """Write `count` entries to both copies of the log, receipted; returns seconds per entry of the owner's last hundred batches."""
    with gb.ports.store.write() as tx:
        logs.open_log(tx, builders.log_name("gb", "kh"), outbound=True)
    with kh.ports.store.write() as tx:
        logs.open_log(tx, builders.log_name("gb", "kh"), outbound=False)
    (agreed,) = gb.ports.known.agreements.values()
    allowed = builders.allowed(agreed, "gb", "kh", BORDER)
    template = disclosure_pb2.Entry(
        fields=allowed.fields,
        audience=[agency("kh", BORDER)],
        agreement_digest=allowed.agreement,
        clause=allowed.clause.id,
        purpose=builders.handling().permitted_purposes[0],
        disclosed_at=NOW,
    )
    spent: list[float] = []
    numbers = random.Random(7)  # noqa: S311 - synthetic values, the same in each run
    for start in range(0, count, BATCH):
        size = min(BATCH, count - start)
        rows = []
        for index in range(start, start + size):
            template.manifest_digest, template.authorisation = numbers.randbytes(32), numbers.randbytes(32)
            data = encode(template)
            rows.append(
                {
                    "idx": index,
                    "entry": data,
                    "leaf": leaf_hash(data),
                    "alert_ref": None,
                    "sealed": None,
                    "digest": template.manifest_digest,
                }
            )
        note, receipt = b"", None
        for office, outbound in ((gb, True), (kh, False)):
            began = time.perf_counter()
            log = office.outbound(kh) if outbound else office.mirror(gb)
            frontier = log.frontier.extend(row["leaf"] for row in rows)
            if receipt is None:
                note = sign_log(log.name, frontier, gb.ports.signers.log)
                checkpoint = Checkpoint(origin=log.name.origin, size=frontier.size, root=frontier.root())
                receipt = issue(checkpoint, start, NOW, [], kh.ports.signers.receipt).SerializeToString()
            _append(office, log, frontier, rows, note, receipt)
            if outbound:
                spent.append(time.perf_counter() - began)
    gb.ports.high_water.advance(log.name.origin, frontier.size, frontier.root())
    return statistics.median(spent[-100:]) / BATCH


def _append(office: Office, log: logs.LogRow, frontier: Frontier, rows: Sequence[dict[str, Any]], note: bytes, receipt: bytes) -> None:
    kind = Kind.JOURNAL_KIND_DISCLOSURE if log.outbound else Kind.JOURNAL_KIND_COLLECTION
    code = "RELEASED" if log.outbound else "RECEIVED"
    with office.ports.store.write() as tx:
        first = alerts.next_id(tx)
        erased = {
            "own": log.outbound,
            "alert_type": TRAVEL,
            "originator": agency("gb", POLICE),
            "issued_at": NOW,
            "not_after": NOW + 1,
            "training": True,
            "recorded_at": NOW,
            "arrives_at": 0,
            "state": "erased",
            "period": "2026-05",
            "wrapped_key": None,
            "sealed": None,
            "request_id": None,
            "erase_by": NOW,
            "due_at": 0,
        }
        insert_rows(
            tx,
            alerts.alerts,
            [{"id": first + place, "alert_id": row["digest"][:16], "digest": row["digest"], **erased} for place, row in enumerate(rows)],
        )
        if not log.outbound:
            alerts.put_in_inboxes(tx, [(agency("kh", BORDER), first + place) for place in range(len(rows))])
        new = [
            {"log_id": log.id, **{name: row[name] for name in ("idx", "entry", "leaf", "sealed")}, "alert_ref": first + place}
            for place, row in enumerate(rows)
        ]
        logs.grow(tx, log, frontier, new, disclosed_at=NOW, control_size=0, checkpoint=b"" if log.outbound else note)
        kept = logs.ReceiptRow(
            size=frontier.size, previous_size=log.size, received_at=NOW, frontier=frontier, checkpoint=note, statement=receipt
        )
        logs.add_receipt(tx, log.id, kept, [])
        gone = [{"alert_ref": first + place, "intended_at": NOW, "destroyed_at": NOW, "done_at": NOW} for place in range(len(rows))]
        insert_rows(tx, erasures, gone)
        events = [Event(code=step, subject=row["digest"]) for step in ("INTENDED", "DONE") for row in rows]
        office.ports.journal.record(tx, NOW, Kind.JOURNAL_KIND_ERASURE, office.domain, events)
        told = Event(code=code, origin=log.name.origin, index=log.size, count=len(rows))
        office.ports.journal.record(tx, NOW, kind, office.person("liaison") if log.outbound else "gb.alerts.example", [told])


def _disclose(made: Federation, count: int) -> None:
    gb = made["gb"]
    for start in range(0, count, BATCH):
        drafts = [draft(agency("kh", BORDER)) for _ in range(min(BATCH, count - start))]
        answers = sequence(gb.ports, [prepare(gb.ports, gb.person("liaison"), one, "A benchmark.") for one in drafts])
        assert not any(answer.problems for answer in answers)
        made.pump()


def _proofs(database: Path, origin: str, size: int) -> list[float]:
    """Seconds for each of 200 inclusion proofs, each by a connection that has read nothing of the log yet."""
    spent = []
    numbers = random.Random(8)  # noqa: S311 - which entries are asked for
    for index in numbers.sample(range(size), 200):
        store: Store = open_store(database, create=False)
        try:
            with store.read() as tx:
                log = logs.find_log(tx, origin)
                assert log is not None
                began = time.perf_counter()
                proof = prove_inclusion(StoredHashes(tx, log.id), index, size)
                spent.append(time.perf_counter() - began)
                (row,) = logs.entry_rows(tx, log.id, index, index + 1)
            verify_inclusion(row.leaf, index, size, proof, log.frontier.root())
        finally:
            store.close()
    return spent


def _exports(gb: Office, origin: str, size: int) -> list[float]:
    spent = []
    for index in range(size - REAL, size, REAL // 40):
        began = time.perf_counter()
        export_evidence(gb.ports, gb.person("auditor"), origin, index, evidence_pb2.EVIDENCE_LEVEL_CONTENTLESS)
        spent.append(time.perf_counter() - began)
    return spent


def _reconcile(made: Federation) -> float | None:
    """Seconds to compare every log between the two, median of 20; None where this version cannot."""
    if importlib.util.find_spec("node.operations.reconcile") is None:
        return None
    compare, shared = importlib.import_module("node.operations.reconcile"), importlib.import_module("node.operations.shared_log")
    gb, kh = made["gb"], made["kh"]

    class EqualLogs:
        """A partner whose logs are equal is asked for nothing but its heads."""

        def log_heads(self) -> Any:
            return shared.heads(kh.ports, gb.domain)

    spent = []
    for _ in range(20):
        began = time.perf_counter()
        request = desk_service_pb2.ReconcileRequest(partner=kh.domain)
        *_, last = compare.reconcile(gb.ports, gb.person("auditor"), request, EqualLogs())
        spent.append(time.perf_counter() - began)
        assert not last.differences
    return statistics.median(spent)


def _in_a_process(what: str, directory: Path) -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-m", "benchmarks.audit", what, str(directory), "gb"], check=True, stdout=subprocess.PIPE)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _alone(directory: str, country: str, *, check: bool) -> dict[str, Any]:
    store = open_store(Path(directory) / "data/node.db", create=False)
    passes: dict[str, list[float]] = {}
    try:
        records = Records(
            store=store,
            vault=Vault(master_key(country), counted_entropy("benchmark")),
            high_water=HighWater(Path(directory) / "high-water", LogKeys.of(node(country), key(country, "log"))),
            known=load_known(store, node(country), NOW),
        )
        findings = Findings()
        last, at, cpu = None, time.perf_counter(), time.process_time()
        for step in check_everything(records, findings) if check else ():
            if last is not None and (last.name != "contents" or last.done >= last.total - REAL):  # those before are erased
                spent = passes.setdefault(last.name, [0, 0.0])
                spent[0] += step.done - last.done if (step.name, step.origin) == (last.name, last.origin) else 0
                spent[1] += time.process_time() - cpu
            last, cpu = step, time.process_time()
        wall = time.perf_counter() - at
        assert not findings.found, findings.found[:5]
    finally:
        store.close()
    passes.setdefault("signatures", [0, 0.0])[0] = findings.counts["receipts"]
    return {"passes": passes, "wall": wall, "memory": _greatest_bytes()}


def _greatest_bytes() -> int:
    """The most memory that this process had resident (proc(5), VmHWM); getrusage also counts what its parent had before exec."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def _percentile(values: Sequence[float], percent: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) * percent // 100, len(ordered) - 1)] if ordered else 0.0


if __name__ == "__main__":
    main()
