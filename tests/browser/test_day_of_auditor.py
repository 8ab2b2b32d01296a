"""The day of an auditor in London: everything is looked at through the browser, and then held against what Phnom Penh's node has."""

import json
import re
from pathlib import Path

import pytest

from exchange.v1 import desk_service_pb2 as desk
from tests.browser.offices import Building, Offices, Person
from tests.browser.test_days import drafted, release
from tests.system.nodes import ask, exchange, receipted, until

pytestmark = pytest.mark.system

LOG = "gb.alerts.example/disclosures/kh.alerts.example/1"


@pytest.fixture
def auditor(building: Building, both: Offices) -> Person:
    return building.officer(both.gb, "auditor")


def disclosed(building: Building, both: Offices, reference: str) -> str:
    """An alert that went to Phnom Penh, was read there, and is receipted; its digest."""
    digest = release(building.officer(both.gb, "liaison"), drafted(both, reference=reference))
    with ask(both.kh, "partner-border") as stub:
        until(lambda: digest in {one.manifest_digest.hex() for one in stub.ListInbox(desk.ListInboxRequest()).alerts})

    def whole() -> bool:
        size, done = receipted(both.gb, LOG)
        return size == done > 0

    until(whole)
    return digest


def newest(auditor: Person, digest: str) -> str:
    """Find the disclosures of one alert in the list; where the first stands."""
    auditor.goto("/audit/disclosures")
    auditor.reads("United Kingdom → Cambodia", "Travel alert")
    auditor.page.locator("summary").click()
    auditor.page.fill("#alert", digest)
    auditor.press("Show")
    auditor.reads("Receipted", "gb-to-kh-travel-alert-")
    auditor.click(".app-list__title a")
    return auditor.page.url.removeprefix(auditor.origin)


def test_one_disclosure_is_checked_again_and_opened_for_a_purpose(auditor: Person, building: Building, both: Offices) -> None:
    digest = disclosed(building, both, "EXAMPLE-81")
    place = newest(auditor, digest)
    auditor.reads("The checks, run again now", "The sender signed the checkpoint", "The recipient signed the receipt", digest)
    assert auditor.page.locator("main tbody tr").count() >= 15, "S1 to S4, D1 to D11 and what came after"
    assert "Does not hold" not in auditor.texts()
    assert "PLACEHOLDER" not in auditor.page.content(), "auditors see no content"
    auditor.press("Open who released it, and why")
    auditor.press("Open the record")
    auditor.reads("Choose the lawful purpose")
    auditor.page.check('[name="purpose"][value="LAWFULNESS"]')
    auditor.page.fill("#reason", "Inspection 2026-11")
    auditor.press("Open the record")
    auditor.reads("spiffe://gb.alerts.example/officer/heron", "To warn the countries on his way", "with the passkey")

    # That it was opened is in the journal; who opened the alert stands in its own list.
    auditor.goto("/audit/journal?code=OPENED")
    auditor.reads("OPENED #")
    auditor.goto(place)
    auditor.follow("Who opened this alert, and when")
    auditor.reads("Consultation: An alert of this office read ALERT #", "nca-ceop, United Kingdom")
    # What Phnom Penh holds of the same entry reads the same there, and who looked at it there stands there.
    other = building.officer(both.kh, "auditor")
    with ask(both.kh, "partner-border") as stub:
        stub.GetInboxAlert(desk.GetInboxAlertRequest(alert=digest))
    other.goto(f"/audit/alerts/{digest}")
    other.reads("Consultation", "GDI, Cambodia")
    other.goto(place)
    other.reads(digest, "Who released it, and why, is kept by the sender’s node")
    hashed = r"Hash of the entry: ([0-9a-f]{64})"
    auditor.goto(place)
    assert re.findall(hashed, auditor.texts()) == re.findall(hashed, other.texts()) != []


def test_numbers_are_drawn_and_both_countries_hold_the_same(auditor: Person, building: Building, both: Offices) -> None:
    disclosed(building, both, "EXAMPLE-82")
    auditor.goto("/audit/timeline")
    auditor.reads("Each bar is 1 day. By the clock of Europe/London.", "Sent by us")
    assert auditor.page.locator("svg.app-chart rect").count()
    auditor.follow("Flow between countries")
    auditor.reads("The wider a band, the more disclosures.")
    sent = auditor.page.locator("main tbody tr", has_text=re.compile("^United Kingdom")).locator("td").last.inner_text()
    with ask(both.kh, "auditor") as stub:
        (size,) = [log.size for log in stub.ListLogs(desk.ListLogsRequest()).logs if log.origin == LOG]
    assert int(sent) == size, "as many as Phnom Penh's copy of the log has"
    auditor.goto("/audit/reconcile")
    auditor.page.select_option("#partner", "kh.alerts.example")
    auditor.press("Compare now")
    auditor.page.wait_for_load_state()
    auditor.reads("Both countries hold the same record", f"{LOG} {size} {size} yes")
    auditor.goto("/audit/checks")
    auditor.page.check('[value="VERIFY"]')
    auditor.press("Check now")
    auditor.page.wait_for_load_state()
    auditor.reads("Everything that was checked holds.")
    auditor.goto("/audit/witnesses")
    auditor.reads("Witnesses of this journal", "Nobody is asked to witness this journal.", "Policy of this node")


def test_a_sample_is_drawn_and_a_finding_recorded(auditor: Person, building: Building, both: Offices) -> None:
    disclosed(building, both, "EXAMPLE-83")
    auditor.goto("/audit/samples")
    auditor.page.select_option("#log", LOG)
    auditor.press("Sign the state of this log")
    auditor.reads("The signed checkpoint", LOG)
    auditor.page.fill("#nonce", "4 2 6 1 3 5 5 1 2 6")
    auditor.page.fill("#count", "2")
    auditor.press("Draw the sample")
    auditor.reads("Open each, judge it, and record there what you found.")
    drawn = auditor.page.locator("main tbody tr")
    assert drawn.count() == 2
    assert [row.inner_text().endswith("Holds") for row in drawn.all()] == [True, True]
    auditor.click("tbody a")
    auditor.follow("Record what you found")
    auditor.page.locator("main input[type=radio]").last.check()
    auditor.page.fill("#words", "Nothing to object to; inspection 2026-11.")
    auditor.press("Record it")
    auditor.reads("Your finding stands in the journal.", "What auditors found")
    for _ in range(3):
        auditor.page.go_back()
    auditor.reads("Open each, judge it, and record there what you found.")
    assert auditor.page.locator("main tbody tr").count() == 2, "the sample is drawn again"
    auditor.goto("/audit/journal?code=FINDING_*")
    auditor.reads("FINDING_")
    assert "Nothing to object to" not in auditor.page.content(), "its words are sealed"


def test_an_export_is_signed_for_and_holds_at_both_nodes(auditor: Person, building: Building, both: Offices, tmp_path: Path) -> None:
    disclosed(building, both, "EXAMPLE-84")
    auditor.goto("/audit/export")
    auditor.page.check('[value="disclosures"]')
    auditor.page.check('[value="jsonl"]')
    auditor.press("Continue")
    auditor.reads("Confirm this with your passkey.", "JSONL")
    with auditor.page.expect_download() as started:
        auditor.page.get_by_role("button", name="Export this list").click()
    lines = [json.loads(line) for line in started.value.path().read_text("utf-8").splitlines()]
    mine = {(line["origin"], line["index"]): line["leaf_hash"] for line in lines if line["origin"] == LOG}
    assert len(mine) >= 2, "one for each desk that was told"
    # Phnom Penh's auditor exports the same from another database, and on each machine every hash is computed anew.
    context = {office: str(office.directory / "auditor.toml") for office in (both.gb, both.kh)}
    file = tmp_path / "theirs.jsonl"
    assert exchange("--context", context[both.kh], "audit", "export", "--format", "jsonl", "-o", str(file)) == 0
    theirs = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert {(line["origin"], line["index"]): line["leaf_hash"] for line in theirs if line["origin"] == LOG} == mine
    for office in (both.gb, both.kh):
        assert exchange("--context", context[office], "audit", "verify", LOG) == 0
    (origin, index), _ = min(mine.items())
    assert exchange("--context", context[both.kh], "audit", "show", f"{origin}#{index}") == 0
    auditor.goto("/audit/journal?kind=EXPORT")
    auditor.reads("DISCLOSURES #")
