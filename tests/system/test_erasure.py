"""Two running nodes, an alert erased at both: through the command line, over restarts and a kill, and nothing of the person is left."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from exchange.v1 import desk_service_pb2 as messages
from node.cli.audit_erasure_proof import erasure_proof
from node.cli.audit_recipients import recipients
from node.cli.context import Settings
from node.keys.node_directory import fingerprint_of
from tests import person
from tests.byte_scan import scan
from tests.system.nodes import CALL_SECONDS, Countries, NodeProcess, Office, ask, draft, exchange, receipted, start, until

pytestmark = pytest.mark.system

REASON = "Synthetic reason: the person is Aloysius Quentin Vorbildmann"
WHY = ("--reason", "erasure on request 1 (synthetic)")


def context(office: Office, who: str) -> str:
    return str(office.directory / f"{who}.toml")


def run(office: Office, who: str, *words: str) -> int:
    return exchange("--context", context(office, who), "--json", *words)


@pytest.fixture
def told(countries: Countries, running: list[NodeProcess]) -> tuple[Countries, str]:
    """gb told kh's border desk of the made-up person, and the desk read it. Only one agency of kh has it."""
    gb, kh = countries.gb, countries.kh
    running += [start(gb), start(kh)]
    with ask(gb) as desk:
        wanted = draft(1, [kh.agency("gdi")], content=person.alert())
        (answer,) = desk.PublishAlerts(iter([messages.PublishAlertsRequest(drafts=[wanted], reason=REASON)]), timeout=CALL_SECONDS)
    (published,) = answer.alerts
    assert not published.problems
    until(lambda: receipted(gb, gb.outbound(kh)) == (1, 1))
    digest = published.manifest_digest.hex()
    assert run(kh, "partner-border", "inbox", "show", digest) == 0
    return countries, digest


def asked(office: Office, command: object, *words: str, text: str | None = None) -> tuple[int, dict[str, object]]:
    """A verb of `exchange audit`, asked by the auditor."""
    settings = Settings(context=Path(context(office, "auditor")), json=True, timeout=CALL_SECONDS)
    result = CliRunner().invoke(command, list(words), obj=settings, input=text)  # type: ignore[arg-type]
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, json.loads(result.stdout.splitlines()[-1])


def test_an_erasure_from_the_question_who_was_told_to_its_proof(
    told: tuple[Countries, str], running: list[NodeProcess], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    countries, digest = told
    gb, kh = countries.gb, countries.kh
    for name in person.NAMES:
        code, answer = asked(
            gb, recipients, "--subject", "-", "--born", person.BORN, "--reason", "complaint 1", text=f"{name.as_written}\n"
        )
        (found,) = answer["alerts"]  # type: ignore[misc]  # JSON
        assert (code, found["summary"]["manifest_digest"]) == (0, digest)
        assert found["disclosures"][0]["disclosure"]["audience"] == [kh.agency("gdi")]
    assert run(gb, "officer", "retention", "hold", digest, *WHY) == 0
    assert run(gb, "officer", "retention", "erase", digest, "--yes", *WHY) == 3
    assert run(gb, "officer", "retention", "release", digest, *WHY) == 0
    assert run(gb, "officer", "retention", "erase", digest, "--yes", *WHY) == 0
    assert run(kh, "partner-border", "retention", "erase", digest, "--yes", *WHY) == 0
    capsys.readouterr()
    assert run(gb, "officer", "alert", "show", digest) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["alert"], record["disclosures"][0]["audience"]) == (None, [kh.agency("gdi")])
    assert record["disclosures"][0]["fields"]
    assert run(kh, "partner-border", "inbox", "show", digest) == 0
    assert run(gb, "auditor", "log", "fsck") == run(kh, "auditor", "log", "fsck") == 0
    for office in (gb, kh):
        fingerprint = fingerprint_of((office.directory / "descriptor.pb").read_bytes()).hex()
        code, proof = asked(office, erasure_proof, digest, "--fingerprint", fingerprint)
        assert (code, proof["proved"]) == (0, True)
        assert [event["code"] for event in proof["events"]] == ["INTENDED", "DONE"]  # type: ignore[attr-defined]  # JSON
    proof_file = tmp_path / "evidence.pb"
    words = ("evidence", "export", gb.outbound(kh), "0", "-o", str(proof_file), "--level")
    assert run(gb, "officer", *words, "data") == 3
    assert run(gb, "officer", *words, "entry_only") == 0
    pins = [f"{one.trust_domain}={fingerprint_of((one.directory / 'descriptor.pb').read_bytes()).hex()}" for one in (gb, kh)]
    assert exchange("evidence", "verify", str(proof_file), "--pin", pins[0], "--pin", pins[1]) == 0
    _, nobody = asked(
        gb, recipients, "--subject", "-", "--born", person.BORN, "--reason", "complaint 1", text="Aloysius Quentin Vorbildmann\n"
    )
    assert nobody["alerts"] == []
    assert_nothing_left(countries, [REASON], "while the nodes run")
    assert [process.stop() for process in running] == [0, 0]
    assert_nothing_left(countries, [REASON], "after they stopped")
    for office in (gb, kh):
        shutil.copytree(office.directory / "data", tmp_path / "backup" / office.directory.name)
    assert scan([tmp_path], [*person.VALUES, REASON]) == []


def assert_nothing_left(countries: Countries, more: list[str], when: str) -> None:
    for office in (countries.gb, countries.kh):
        places = [office.directory / "data", office.directory / "high-water", office.log]
        assert all(place.exists() for place in places)
        assert scan(places, [*person.VALUES, *more]) == [], when


def test_what_is_past_its_limit_goes_by_itself(told: tuple[Countries, str], running: list[NodeProcess]) -> None:
    countries, digest = told
    assert [process.stop() for process in running] == [0, 0]
    _move_limit(countries.kh)
    running.append(start(countries.kh))
    with ask(countries.kh, "partner-border") as desk:
        until(lambda: "ERASED" in desk.GetInboxAlert(messages.GetInboxAlertRequest(alert=digest)).summary.flags)
    until(lambda: "erased" in countries.kh.log.read_text("utf-8"))  # said after it is done


def _move_limit(office: Office) -> None:
    """As if the alert had come a year ago."""
    import sqlite3

    with sqlite3.connect(office.database) as database:
        database.execute("UPDATE alerts SET erase_by = 1, due_at = 1 WHERE due_at > 0")
    database.close()
