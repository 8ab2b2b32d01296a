"""Real nodes: an alert is told, updated, withdrawn while the recipient is down, attested by its agencies, and gone; and it stays gone."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.system.nodes import Countries, Ledger, NodeProcess, Nursery, Office, ask, draft, exchange, publish, receipted, until

pytestmark = pytest.mark.system


class Desk:
    """The command line of the people of one office."""

    def __init__(self, office: Office, capsys: pytest.CaptureFixture[str]) -> None:
        self._office = office
        self._capsys = capsys

    def __call__(self, who: str, *words: str, code: int = 0) -> Any:
        self._capsys.readouterr()
        assert exchange("--context", str(self._office.directory / f"{who}.toml"), "--json", *words) == code
        return json.loads(self._capsys.readouterr().out)

    def flags(self, who: str, digest: str) -> list[str]:
        """What the inbox of that person's agency says of an alert."""
        found = [one for one in self(who, "inbox", "list")["alerts"] if one["manifest_digest"] == digest]
        return [flag for one in found for flag in one["flags"] if flag != "NOT_CONFIRMED"]


def in_sync(one: Office, other: Office) -> bool:
    size, done = receipted(one, one.outbound(other))
    return size == done


def test_an_alert_is_withdrawn_everywhere_attested_and_does_not_come_back(
    countries: Countries, nursery: Nursery, running: list[NodeProcess], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gb, kh = countries.gb, countries.kh
    at_gb, at_kh = Desk(gb, capsys), Desk(kh, capsys)
    ledger = Ledger()
    recipient = nursery.start(kh)
    running += [nursery.start(gb), recipient]
    with ask(gb) as stub:
        publish(stub, [draft(1, [kh.agency("gdi"), kh.agency("ahtjp")])], ledger)
    digest = at_gb("officer", "alert", "list")["alerts"][0]["manifest_digest"]
    until(lambda: in_sync(gb, kh))
    assert at_kh("partner-border", "inbox", "show", digest)["alert"]["alert"]["primary_name"]["family"] == "EXAMPLE"
    # A copy of the recipient's database from before the recall.
    recipient.stop()
    shutil.copytree(kh.directory / "data", tmp_path / "backup")
    # The recall is logged while the recipient is down, and reaches it as soon as it is back.
    answer = at_gb("officer", "alert", "withdraw", digest, "--code", "WRONG_PERSON", "--reason", "A system test.")
    assert {agency for one in answer["controls"][0]["disclosures"] for agency in one["audience"]} == {kh.agency("gdi"), kh.agency("ahtjp")}
    again = at_gb("officer", "alert", "withdraw", digest, "--code", "WRONG_PERSON", "--reason", "A system test.")
    assert again["controls"] == answer["controls"]
    recipient = nursery.start(kh)
    running.append(recipient)
    until(lambda: at_kh.flags("partner-border", digest) == ["WITHDRAWN", "ATTESTATION_OWED"])
    blocked = at_kh("partner-border", "inbox", "show", digest)
    assert (blocked["blocked"], blocked["alert"]) == ("WITHDRAWN", None)
    owed = at_gb("officer", "alert", "status", digest)["attestations"]
    assert {(one["agency"], one["stage"]) for one in owed} == {(kh.agency("gdi"), "OWED"), (kh.agency("ahtjp"), "OWED")}
    # Both agencies attest; the content goes with the second.
    assert at_kh("partner-border", "inbox", "attest", digest, "--copies", "0", "--lists-updated")["erased"] == []
    assert at_kh("officer", "inbox", "attest", digest, "--copies", "0", "--lists-updated")["erased"] == [digest]
    until(lambda: {one["stage"] for one in at_gb("officer", "alert", "status", digest)["attestations"]} == {"ATTESTED"})
    assert at_kh.flags("partner-border", digest) == ["ERASED", "WITHDRAWN"]
    for desk in (at_gb, at_kh):
        checked = desk("auditor", "log", "fsck")
        assert (checked["holds"], checked["findings"]) == (True, [])
    for process in running:
        if process.alive():
            process.stop()
    # The backup comes back, and the alert does not.
    shutil.rmtree(kh.directory / "data")
    shutil.copytree(tmp_path / "backup", kh.directory / "data")
    assert exchange("node", "succeed-journal", "--config", str(kh.config)) == 0
    running += [nursery.start(gb), nursery.start(kh)]
    until(lambda: at_kh.flags("partner-border", digest) == ["WITHDRAWN", "ATTESTATION_OWED"])
    assert at_kh("partner-border", "inbox", "show", digest)["alert"] is None
