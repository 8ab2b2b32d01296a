"""Real nodes: a question goes out, its clock is started by its asker, stopped and started by the agency asked, and it is answered once."""

from pathlib import Path
from typing import Any

import pytest

from tests.system.nodes import Countries, NodeProcess, Nursery, until
from tests.system.test_recall import Desk

pytestmark = pytest.mark.system

SAMPLES = Path(__file__).parents[2] / "samples"


def test_a_question_is_asked_and_answered_under_one_clock(
    countries: Countries, nursery: Nursery, running: list[NodeProcess], capsys: pytest.CaptureFixture[str]
) -> None:
    gb, kh = countries.gb, countries.kh
    at_gb, at_kh = Desk(gb, capsys), Desk(kh, capsys)
    running += [nursery.start(gb), nursery.start(kh)]
    why = ("--reason", "A system test.")
    sent = at_gb("officer", "request", "send", str(SAMPLES / "information-request-gb-kh.yaml"), *why)
    digest: str = sent["alerts"][0]["manifest_digest"]

    def cases() -> list[dict[str, Any]]:
        return [desk("officer", "request", "show", digest)["cases"][0] for desk in (at_gb, at_kh)]

    def both(state: str, clock: str) -> bool:
        return all((one["state"], one["clock"]) == (state, clock) for one in cases())

    until(lambda: at_kh("officer", "request", "list")["requests"])
    until(lambda: both("SUSPENDED", "STOPPED"))
    at_gb("officer", "request", "resume", digest, *why)
    until(lambda: both("RECEIPTED", "RUNNING"))
    assert cases()[1]["opened_at"] is None
    at_kh("officer", "inbox", "show", digest)
    assert cases()[1]["opened_at"]
    at_kh("officer", "inbox", "acknowledge", digest)
    until(lambda: both("ACKNOWLEDGED", "RUNNING"))
    at_kh("officer", "request", "suspend", digest, "--because", "court-order", *why)
    until(lambda: both("SUSPENDED", "STOPPED"))
    at_kh("officer", "request", "resume", digest, *why)
    until(lambda: both("ACKNOWLEDGED", "RUNNING"))
    here, there = cases()
    assert here["due_at"] == there["due_at"]
    at_kh("officer", "request", "answer", digest, "--no-trace", *why)
    until(lambda: both("ANSWERED", "MET"))
    refused = at_kh("officer", "request", "refuse", digest, "--code", "NOT_NECESSARY", *why, code=3)
    assert [problem["code"] for problem in refused["problems"]] == ["REQUEST_ANSWERED"]
    (read,) = at_gb("officer", "alert", "status", digest)["acknowledgements"][:1]
    assert read["agency"] == kh.agency("ahtjp")
    for desk in (at_gb, at_kh):
        assert desk("auditor", "log", "fsck")["findings"] == []
