"""A real node that takes tips: an NGO's file over HTTPS, the desk that is nearest, and back to the NGO the status alone."""

import json
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.byte_scan import hits
from tests.system.nodes import ROOT, Countries, NodeProcess, exchange, start, until

pytestmark = pytest.mark.system

SECRETS = ("grey beard", "EXAMPLE night worker", "red motorcycle")


def answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def test_a_tip_goes_from_an_ngos_file_to_the_local_desk_and_its_status_back(
    countries: Countries, running: list[NodeProcess], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    kh = countries.kh
    plan = kh.directory / "ngos/plan.toml"
    local = f'\n[[desks]]\nprovinces = ["Siem Reap"]\nagency = "{kh.agency("gdi")}"\n'
    abroad = f'\n[[countries]]\ncode = "GBR"\nagency = "{countries.gb.agency("nca-ceop")}"\n'
    plan.write_text(plan.read_text("utf-8") + local + abroad, "utf-8")
    port = kh.port + 3
    process = start(kh, environment={"EXCHANGE_TIPS_LISTEN": f"127.0.0.1:{port}"})
    running.append(process)
    until(lambda: answers(port))

    def at(who: str, *words: str, code: int = 0) -> Any:
        capsys.readouterr()
        context = ("--context", str(kh.directory / f"{who}.toml")) if who else ()
        assert exchange(*context, "--json", *words) == code
        return json.loads(capsys.readouterr().out)

    stem = kh.directory / "ngos/aple"
    way = ("--url", f"https://127.0.0.1:{port}", "--cert", f"{stem}.pem", "--key", f"{stem}.key", "--ca", str(kh.directory / "ngo-ca.pem"))
    sent = at("", "tip", "send", str(ROOT / "samples/tips/siem-reap.yaml"), *way)
    assert (sent["state"], sent["completeness"]["score"]) == ("RECEIVED", 100)
    assert sent["call_now"]
    (waiting,) = at("partner-border", "tip", "list")["tips"]
    assert (waiting["reference"], waiting["danger"], waiting["late"]) == (sent["reference"], True, False)
    assert at("liaison", "tip", "list")["tips"] == []
    assert at("liaison", "tip", "show", sent["reference"], code=3)["error"]["code"] == "TIP_UNKNOWN"
    at("partner-border", "tip", "take", sent["reference"])
    opened = at("partner-border", "tip", "contact", sent["reference"], "--purpose", "CHILD_SAFEGUARDING", "--reason", "A system test.")
    assert opened["name"] == "EXAMPLE night worker"
    at("partner-border", "tip", "safeguard", sent["reference"], "--text-code", "DO_NOT_CONFRONT")
    draft = tmp_path / "request.yaml"
    made = at("partner-border", "tip", "convert", sent["reference"], "--to", "request", "--out", str(draft))
    assert "contact_desk" in {problem["field"] for problem in made["problems"]}
    assert made["thread"] in draft.read_text("utf-8")
    at("partner-border", "tip", "close", sent["reference"], "--reason-code", "DEALT_WITH", "--reason", "A system test.")
    status = at("", "tip", "ask", sent["id"], *way)
    assert (status["state"], [one["code"] for one in status["safeguarding_requests"]]) == ("CLOSED", ["DO_NOT_CONFRONT"])
    assert status.keys() == {"id", "reference", "state", "erased", "call_now", "safeguarding_requests", "abroad"}
    listed = at("auditor", "audit", "list", "--limit", "200")
    assert {"TIP_RECEIVED", "TIP_TAKEN", "TIP_CONTACT", "TIP_CLOSED"} <= set(json.dumps(listed).split(chr(34)))
    assert process.stop() == 0
    for path in (kh.log, *kh.directory.glob("data/*")):
        assert list(hits(path.read_bytes(), SECRETS)) == [], path.name


def test_without_an_address_nobody_listens(countries: Countries, running: list[NodeProcess]) -> None:
    running.append(start(countries.kh))
    assert not answers(countries.kh.port + 3)
