"""Tampering with a node's database, at random and without its keys, and whether a check of the whole store names the place.

    python -m tests.tampering DIRECTORY FIRST COUNT      as JSON lines: seed, kind, and what became of it

`make_node` makes the node: more than 10,000 disclosures to seven countries and from two. Each tampering is drawn from its own seed and
done to a fresh copy of the database, which is then checked as a whole, as `exchange audit fsck` does. It counts as found only if a finding
that is critical or of priority names the log (or the journal) and a range of at most 256 entries that holds the place.
"""

import json
import random
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from node.operations.findings import Findings
from node.operations.fsck import check_everything
from node.operations.partners import load_known
from node.operations.records import Records
from node.operations.release import prepare
from node.operations.sequence import sequence
from node.operations.witnesses import sign_journal_checkpoint
from node.store.connections import sqlite_driver
from node.store.engine import open_store
from node.store.high_water import HighWater, LogKeys
from node.store.vault import Vault
from tests import tamperings_of_journal, tamperings_of_logs, tamperings_of_records
from tests.countries import BORDER, NGO, NOW, POLICE, agency, key, node
from tests.federation import Federation
from tests.rig import counted_entropy, draft, master_key
from tests.tamperer import KINDS, Tamperer

ALL_KINDS = (tamperings_of_logs, tamperings_of_records, tamperings_of_journal)
"""Imported so that they register what they can do."""
PARTNERS = ("kh", "vn", "la", "my", "ph", "sg", "th")
CLASSES = (BORDER, POLICE, NGO)
OUT, IN, AT_ONCE = 460, 180, 40
"""Alerts that gb sends, each to three agencies of each partner; that come in from kh, each to three; and that are released together."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One tampering, and what the check made of it."""

    seed: int
    kind: str
    named: bool
    width: int
    """Of the narrowest range that names it; 0 if none does."""
    codes: tuple[str, ...]


def make_node(directory: Path) -> Path:
    """Make gb's office after its work is done; returns its directory."""
    made = Federation(directory, "gb", *PARTNERS)
    try:
        for partner in PARTNERS:
            made.connect("gb", partner)
        gb, kh = made["gb"], made["kh"]
        told = [agency(partner, agency_class) for partner in PARTNERS for agency_class in CLASSES]
        for office, recipients, count in ((gb, told, OUT), (kh, [agency("gb", one) for one in CLASSES], IN)):
            for first in range(0, count, AT_ONCE):
                drafts = [draft(*recipients) for _ in range(min(AT_ONCE, count - first))]
                answers = sequence(
                    office.ports, [prepare(office.ports, office.person("liaison"), one, "synthetic reason") for one in drafts]
                )
                assert not any(answer.problems for answer in answers)
                with office.ports.store.write() as tx:
                    # One of each batch is held back while it is sent, so that there are exceptions.
                    tx.exec_driver_sql("UPDATE alerts SET state = 'withdrawn' WHERE id = (SELECT max(id) FROM alerts)")
                made.pump()
                with office.ports.store.write() as tx:
                    tx.exec_driver_sql("UPDATE alerts SET state = 'active' WHERE state = 'withdrawn'")  # no recall says otherwise
                made.clock.pass_(60_000)
                sign_journal_checkpoint(gb.ports)
        for received in gb.received("border")[:20]:
            gb.report(received.manifest_digest.hex())
        made.pump()
        sign_journal_checkpoint(gb.ports)
    finally:
        made.close()
    return directory / "gb"


def check(directory: Path, database: Path) -> Findings:
    """Check a database as a whole, as the node of `make_node` in that directory."""
    store = open_store(database, create=False)
    try:
        records = Records(
            store=store,
            vault=Vault(master_key("gb"), counted_entropy("check")),
            high_water=HighWater(directory / "high-water", LogKeys.of(node("gb"), key("gb", "log"))),
            known=load_known(store, node("gb"), NOW),
        )
        findings = Findings()
        for _ in check_everything(records, findings):
            pass
        return findings
    finally:
        store.close()


def attempt(directory: Path, scratch: Path, seed: int) -> Outcome:
    """Tamper once, with a copy, and check it."""
    database = scratch / "node.db"
    shutil.copy(directory / "data/node.db", database)
    randomness = random.Random(seed)
    kind = randomness.choice(sorted(KINDS))
    with closing(sqlite_driver().connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("BEGIN")
        place = KINDS[kind](Tamperer(connection, randomness))
        connection.execute("COMMIT")
    findings = check(directory, database)
    widths = [finding.count for finding in findings.found if place.is_named_by(finding)]
    codes = tuple(sorted({finding.code for finding in findings.found}))
    return Outcome(seed, kind, bool(widths), min(widths, default=0), codes)


def attempts(directory: Path, scratch: Path, seeds: Sequence[int]) -> Iterator[Outcome]:
    """Tamper once for each seed."""
    scratch.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        yield attempt(directory, scratch, seed)


def main() -> None:
    """Tamper with seeds FIRST up to FIRST + COUNT, each outcome a line of JSON."""
    directory, first, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    for outcome in attempts(directory, directory.parent / f"scratch-{first}", range(first, first + count)):
        sys.stdout.write(json.dumps([outcome.seed, outcome.kind, outcome.named, outcome.width, outcome.codes]) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
