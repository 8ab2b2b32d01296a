"""What a third party proves from files alone: in a process that can open neither network nor database, and has no office installed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from exchange.contradiction import contradict
from exchange.encoding import encode
from exchange.journal import journal_origin, sign_journal
from exchange.log import frontier_of
from exchange.tlog.merkle import leaf_hash
from tests.architecture.test_treaty_alone import PROGRAM, ROOT, installed_with_the_treaty
from tests.builders import evidence, note, world
from tests.countries import domain, key, node, pins
from tests.proofs import OVERSIGHT, anchor, cosigned, log_file, rewritten, witness_line

pytestmark = pytest.mark.thorough

# Runs after PROGRAM, which refuses every import but the treaty's: then sockets, processes and SQLite are taken away as well.
JUDGE = """
import io, json

def forbidden(event, arguments):
    if event.split(".")[0] in {"socket", "sqlite3", "subprocess", "os"} and event not in {"os.listdir", "os.scandir", "os.putenv"}:
        raise PermissionError(event)

sys.addaudithook(forbidden)
for name in ("sqlite3", "_sqlite3", "grpc", "sqlalchemy", "_socket"):
    sys.modules[name] = None
from exchange.contradiction import verify_contradiction
from exchange.errors import ExchangeError
from exchange.evidence import verify_evidence
from exchange.log_file import read_log_file
from exchange.reconcile import compare_copies, contradiction_of_note
from exchange.tlog.policy import parse_policy

case = json.loads(sys.argv[3])
pins = {name: bytes.fromhex(pin) for name, pin in case["pins"].items()}
files = {name: open(path, "rb").read() for name, path in case["files"].items()}
told = {}
try:
    if "contradiction" in files:
        shown = verify_contradiction(files["contradiction"], pins)
        told["convicted"] = [shown.trust_domain, shown.first.origin, shown.first.size, shown.second.size]
    if "evidence" in files:
        proved = verify_evidence(files["evidence"], pins, parse_policy(files["policy"]) if "policy" in files else None)
        told["disclosed"] = [proved.log.origin, proved.index, list(proved.entry.audience), proved.witnessed_at]
    if "log" in files:
        copy, flaws = read_log_file(io.BytesIO(files["log"]).read, pins)
        note = __import__("exchange.v1.evidence_pb2", fromlist=["x"]).EvidenceFile.FromString(files["evidence"]).checkpoint
        shown = verify_contradiction(contradiction_of_note(note, copy), pins)
        told["convicted"] = [shown.trust_domain, shown.first.origin, shown.first.size, shown.second.size]
except ExchangeError as error:
    told["refused"] = error.code
print(json.dumps(told))
"""


def judge(place: Path, countries: tuple[str, ...] = ("gb", "kh"), **files: bytes) -> dict[str, object]:
    """What the third party finds out, who has these countries' fingerprints."""
    paths = {}
    for name, data in files.items():
        paths[name] = str(place / name)
        (place / name).write_bytes(data)
    case = json.dumps({"pins": {name: pin.hex() for name, pin in pins(*countries).items()}, "files": paths})
    command = [sys.executable, "-c", PROGRAM + JUDGE, "exchange.errors", ",".join(installed_with_the_treaty()), case]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def shown(one: bytes, other: bytes, entries: list[bytes]) -> bytes:
    found = contradict(node("gb"), one, other, [leaf_hash(entry) for entry in entries])
    assert found is not None
    return found


@pytest.mark.parametrize("size", [4, 3, 7])
def test_the_sending_country_rewrote_its_log_with_its_own_keys(tmp_path: Path, size: int) -> None:
    # kh holds gb's signed checkpoint; gb now shows another history, just as correctly signed.
    held, now = note(world().entries), note(rewritten(1, size))
    told = judge(tmp_path, contradiction=shown(held, now, rewritten(1, size) if size > 4 else list(world().entries)))
    assert told["convicted"] == [domain("gb"), world().log.origin, min(4, size), max(4, size)]


def test_it_showed_two_witnesses_two_journals(tmp_path: Path) -> None:
    origin = journal_origin(domain("gb"), 1)
    one, other = [b"entry %d" % place for place in range(5)], [b"other %d" % place for place in range(8)]
    seen_by_kh = cosigned(sign_journal(origin, frontier_of(one), key("gb", "log")), "kh")
    seen_elsewhere = cosigned(sign_journal(origin, frontier_of(other), key("gb", "log")), OVERSIGHT)
    told = judge(tmp_path, contradiction=shown(seen_by_kh, seen_elsewhere, other))
    assert told["convicted"] == [domain("gb"), origin, 5, 8]


def test_it_denies_a_disclosure(tmp_path: Path) -> None:
    # kh's evidence, under the auditor's own policy; and gb's log as gb now shows it, without that entry.
    proof = evidence(world().entries, 2, world().delivery, 3, anchors=[anchor("kh", witnesses=("vn", OVERSIGHT))])
    rule = f"witness one {witness_line('vn')}\nwitness two {witness_line(OVERSIGHT)}\ngroup both all one two\nquorum both\n".encode()
    without = [*world().entries[:2], *world().entries[3:], b"later", b"latest"]
    told = judge(tmp_path, evidence=encode(proof), policy=rule, log=log_file("gb", without, receipts=[]))
    assert told["disclosed"][:3] == [world().log.origin, 2, list(world().entry.audience)]  # type: ignore[index]  # JSON
    assert told["disclosed"][3] > 0  # type: ignore[index]  # JSON
    assert told["convicted"] == [domain("gb"), world().log.origin, 4, 5]


def test_a_country_that_was_not_pinned_is_not_convicted(tmp_path: Path) -> None:
    told = judge(tmp_path, ("kh",), contradiction=shown(note(world().entries), note(rewritten()), rewritten()))
    assert told == {"refused": "EVIDENCE_NOT_PINNED"}


@pytest.mark.parametrize(
    "statement", ["import socket; socket.socket()", "import sqlite3", "import grpc", "import subprocess; subprocess.run('true')"]
)
def test_the_third_party_really_has_neither_network_nor_database(statement: str) -> None:
    program = PROGRAM + JUDGE.partition("from exchange.contradiction")[0] + statement
    command = [sys.executable, "-c", program, "exchange.errors", ",".join(installed_with_the_treaty()), "{}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "PermissionError" in done.stderr or "ModuleNotFoundError" in done.stderr or "ImportError" in done.stderr
