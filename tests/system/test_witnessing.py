"""Two real nodes witness each other's journals, a stock client follows one, and an auditor asks how it stands."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from exchange.log import raw_key
from exchange.tlog.checkpoint import Checkpoint, sign_checkpoint
from exchange.tlog.note import CosignatureVerifier, NoteVerifier
from exchange.v1.desk_service_pb2 import GetWitnessStatusRequest
from exchange.v1.directory_pb2 import KEY_USE_LOG, KEY_USE_WITNESS
from node.cli.audit_consistency import consistency
from node.cli.audit_witness import witness
from node.cli.context import Settings
from node.cli.errors import Trouble
from node.keys.next_descriptor import read_own
from node.keys.signers import open_signer
from tests.system.nodes import Countries, NodeProcess, Office, ask, exchange, start, until
from tests.tlog_follower import Follower, verify_cosignature
from tests.witnessing import ask as http

pytestmark = pytest.mark.system


def address(office: Office) -> str:
    return f"http://127.0.0.1:{office.port + 2}"


def ask_each_other(*offices: Office) -> None:
    """Each asks every other to witness its journal, once a second so that a test need not wait for minutes."""
    for office in offices:
        urls = "".join(f'"{other.trust_domain}" = "{address(other)}"\n' for other in offices if other is not office)
        with office.config.open("a", encoding="utf-8") as config:
            config.write(f"\n[witness]\nevery_seconds = 1\n[witness.urls]\n{urls}")


def public_key(office: Office, use: int) -> bytes:
    (key,) = [key for key in read_own(office.directory / "descriptor.pb").keys.values() if key.use == use]
    return raw_key(key.spki)


def origin(office: Office, generation: int = 1) -> str:
    return f"{office.trust_domain}/journal/{generation}"


def shown(office: Office, generation: int = 1) -> bytes:
    return http(address(office), "GET", f"/journal/{generation}/checkpoint").body


def size_of(note: bytes) -> int:
    return int(note.split(b"\n")[1])


def cosigned(office: Office, by: Office, generation: int = 1) -> bool:
    """Whether the newest checkpoint that a node shows bears the other's cosignature."""
    try:
        verify_cosignature(shown(office, generation), f"{by.trust_domain}/witness", public_key(by, KEY_USE_WITNESS))
    except Exception:  # noqa: BLE001 - whatever is missing: not yet
        return False
    return True


def audit(command: Any, office: Office, *words: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    """An auditor's command with `--json`: its exit code and answer."""
    capsys.readouterr()
    settings = Settings(json=True, timeout=20, context=office.directory / "auditor.toml")
    try:
        code = command.main(args=list(words), obj=settings, standalone_mode=False)
    except Trouble as trouble:
        return trouble.exit_code, {"code": trouble.code}
    return int(code or 0), json.loads(capsys.readouterr().out)


@pytest.fixture
def pair(countries: Countries, running: list[NodeProcess]) -> tuple[Office, Office]:
    """Two countries that witness each other, and run."""
    gb, kh = countries.gb, countries.kh
    ask_each_other(gb, kh)
    running += [start(gb, ready=False), start(kh, ready=False)]
    for process in running:
        process.wait_ready()
    until(lambda: cosigned(gb, kh) and cosigned(kh, gb))
    return gb, kh


def test_two_nodes_witness_each_other_and_a_stock_client_follows(
    pair: tuple[Office, Office], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    gb, kh = pair
    follower = Follower(f"{address(gb)}/journal/1", origin(gb), public_key(gb, KEY_USE_LOG))
    first = follower.update()
    saved = tmp_path / "saved.note"
    saved.write_bytes(shown(gb))

    # Whatever an officer does is journalled, so the journal grows and is cosigned again.
    assert exchange("--context", str(gb.directory / "officer.toml"), "inbox", "list") == 0
    until(lambda: follower.update().size > first.size and cosigned(gb, kh))

    policy = tmp_path / "policy"
    log = NoteVerifier(name=origin(gb), public_key=public_key(gb, KEY_USE_LOG)).vkey
    other = CosignatureVerifier(name=f"{kh.trust_domain}/witness", public_key=public_key(kh, KEY_USE_WITNESS)).vkey
    policy.write_text(f"log {log}\nwitness kh {other}\nquorum kh\n", encoding="utf-8")

    code, status = audit(witness, gb, "status", "--policy", str(policy), capsys=capsys)
    assert (code, status["policy"], status["alarms"]) == (0, "satisfied", [])
    assert [(item["name"], item["code"]) for item in status["witnesses"]] == [(f"{kh.trust_domain}/witness", None)]
    assert [item["origin"] for item in status["witnessed"]] == [origin(kh)]

    until(lambda: cosigned(gb, kh))
    fingerprint = read_own(gb.directory / "descriptor.pb").chain[0].signatures[0].key_id.hex()
    later = tmp_path / "later.note"
    words = ("--note", str(saved), "--pin", fingerprint, "--policy", str(policy), "-o", str(later))
    answers: list[tuple[int, dict[str, Any]]] = []

    def proves() -> bool:  # the newest checkpoint is cosigned a moment after it is shown
        answers.append(audit(consistency, gb, *words, capsys=capsys))
        return answers[-1][0] == 0

    until(proves)
    code, proved = answers[-1]
    assert (code, proved["holds"], proved["pinned"]) == (0, True, True)
    assert proved["first"]["size"] < proved["second"]["size"]
    assert [item["organisation"] for item in proved["cosigned"]] == [kh.trust_domain]
    assert later.read_bytes().startswith(origin(gb).encode())

    code, proved = audit(consistency, gb, "--from", str(proved["first"]["size"]), "--to", str(proved["second"]["size"]), capsys=capsys)
    assert (code, proved["holds"], proved["pinned"]) == (0, True, False)

    for wrong, expected in (
        (("--note", str(saved), "--pin", "00" * 32), (4, "DESCRIPTOR_NOT_PINNED")),
        (("--from", "99999999"), (2, "CHECKPOINT_UNKNOWN")),
        (("--from", "1", "--to", "99999999"), (3, "CHECKPOINT_UNKNOWN")),
    ):
        code, answer = audit(consistency, gb, *wrong, capsys=capsys)
        assert (code, answer["code"]) == expected
    code, answer = audit(witness, gb, "evidence", "--to", str(tmp_path / "evidence"), capsys=capsys)
    assert (code, answer["files"]) == (0, [])


def test_a_note_that_the_node_never_continued_is_found(
    pair: tuple[Office, Office], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    gb, kh = pair
    saved = tmp_path / "forged.note"
    signer = open_signer(f"file:{gb.directory}/keys/log.key")
    for size, code in ((5, "JOURNAL_SPLIT"), (10_000, "JOURNAL_SHRUNK")):
        forged = Checkpoint(origin=origin(gb), size=size, root=bytes(32))
        saved.write_bytes(sign_checkpoint(forged, raw_key(signer.spki), signer.sign))
        assert audit(consistency, gb, "--note", str(saved), capsys=capsys) == (4, {"code": code})
    saved.write_bytes(forged.text())
    assert audit(consistency, gb, "--note", str(saved), capsys=capsys) == (2, {"code": "ADD_CHECKPOINT_MALFORMED"})
    saved.write_bytes(shown(kh))
    assert audit(consistency, gb, "--note", str(saved), capsys=capsys) == (3, {"code": "JOURNAL_UNKNOWN"})


def test_a_node_that_was_restored_does_not_open_until_its_journal_has_a_successor(
    pair: tuple[Office, Office], running: list[NodeProcess], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    gb, kh = pair
    running[0].stop()
    shutil.copytree(gb.directory / "data", tmp_path / "backup")
    running[0] = start(gb)
    until(lambda: cosigned(gb, kh), 30)  # the witness listener opens last
    before = size_of(shown(gb))
    assert exchange("--context", str(gb.directory / "officer.toml"), "inbox", "list") == 0
    until(lambda: size_of(shown(gb)) > before and cosigned(gb, kh))
    running[0].stop()
    shutil.rmtree(gb.directory / "data")
    shutil.copytree(tmp_path / "backup", gb.directory / "data")

    refused = start(gb, ready=False)
    running.append(refused)
    assert refused.wait_dead()
    assert refused.exit_code() == 3
    assert "JOURNAL_ROLLBACK" in gb.log.read_text("utf-8")
    assert "succeed-journal" in gb.log.read_text("utf-8")

    capsys.readouterr()
    assert exchange("--json", "node", "succeed-journal", "--config", str(gb.config)) == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["ended"], done["successor"], done["code"]) == (origin(gb), origin(gb, 2), "JOURNAL_ROLLBACK")
    assert done["held"] < done["signed"]
    assert exchange("node", "succeed-journal", "--config", str(gb.config)) == 3, "only once, and only where it is needed"

    running[0] = start(gb)
    until(lambda: cosigned(gb, kh, 2))
    code, status = audit(witness, kh, "status", capsys=capsys)
    assert code == 4
    assert {alarm["code"] for alarm in status["alarms"]} >= {"JOURNAL_SUCCEEDED"}
    code, status = audit(witness, gb, "status", capsys=capsys)
    assert (code, status["origin"]) == (4, origin(gb, 2))
    code, answer = audit(witness, gb, "evidence", "--to", str(tmp_path / "evidence"), capsys=capsys)
    (kept,) = [item for item in answer["files"] if item["code"] == "JOURNAL_ROLLBACK"]
    assert Path(kept["file"]).read_bytes().startswith(f"{origin(gb)}\n{done['signed']}\n".encode())


def test_a_witness_that_is_gone_is_an_alarm(pair: tuple[Office, Office], running: list[NodeProcess]) -> None:
    gb, kh = pair
    running[1].stop()

    def stale() -> bool:
        with ask(gb, "administrator") as stub:
            answer = stub.GetWitnessStatus(GetWitnessStatusRequest())
        return {"WITNESS_STALE", "JOURNAL_STALE"} <= {alarm.code for alarm in answer.alarms}

    until(stale)
    running[1] = start(kh)
    until(lambda: not stale())
