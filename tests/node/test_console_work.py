"""The work list of the console: what needs a person, when, and where it is done."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from exchange.v1 import desk_service_pb2
from node.cli.main import exchange
from node.console import desk_pages
from node.console.problem_words import words_of
from node.console.work_links import LINKS, work_link
from node.operations import approve, draft_box
from node.operations.draft_box import DraftContent
from node.operations.sequence import sequence
from tests.console_site import Browser, Shown, site_of
from tests.countries import BORDER, NOW, POLICE, agency, agreement, with_clause
from tests.federation import Federation, federation
from tests.rig import Office, draft


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    with federation(tmp_path_factory.mktemp("two"), "gb", "kh") as made:
        made.connect("gb", "kh")
        yield made


@pytest.fixture(scope="module")
def kh(two: Federation) -> Office:
    return two["kh"]


@pytest.fixture
def listed(kh: Office, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The work page of somebody with this one thing to do."""

    def show(name: str = "border", **changes: Any) -> str:
        found = desk_service_pb2.ListWorkResponse()
        found.items.add(**changes)
        monkeypatch.setattr(desk_pages, "list_work", lambda *_: found)
        return str(Browser(kh).enter(name).get("/work").text)

    return show


def test_work_shows_local_times_at_both_ends_and_here(two: Federation, kh: Office) -> None:
    published = two["gb"].publish(draft(agency("kh", BORDER), agency("kh", POLICE)))
    two.pump()
    browser = Browser(kh).enter("border")
    page = browser.get("/work").text
    assert f'href="/inbox/{published.manifest_digest.hex()}"' in page
    lands = page.partition("Lands")[2].partition("</dd>")[0]
    departs = page.partition("Departs")[2].partition("</dd>")[0]
    assert re.findall(r"\(([A-Z]\w+/\w+)\)", lands) == ["Asia/Bangkok", "Asia/Phnom_Penh"]
    assert re.findall(r"\(([A-Z]\w+/\w+)\)", departs) == ["Europe/London", "Asia/Phnom_Penh"]
    assert "(UTC)" not in page
    assert "Nothing needs you now." in Browser(kh).enter("ngo").get("/work").text


def test_what_waits_for_others_stands_below_with_its_journey_and_is_no_work(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh", with_clause(agreement("gb", "kh"), "gb-kh-travelalert-border", approvals=1))
        gb = made["gb"]
        wanted = desk_service_pb2.SubmitAlertRequest(draft=draft(agency("kh", BORDER)), reason="synthetic reason")
        approve.submit(gb.ports, gb.person("liaison"), wanted, lambda items: sequence(gb.ports, list(items)))
        now = Browser(gb).enter("liaison").get("/work").text
        author, colleague = (Browser(gb).enter(name).get("/work?all").text for name in ("liaison", "second"))
    assert "Waits for a colleague’s approval" not in now
    assert 'href="/work?all#waiting"' in now
    assert "Nothing needs you now." in author
    below = " ".join(text for _, text in Shown(author.partition('id="waiting"')[2]).texts)
    assert "Waits for a colleague’s approval" in below
    assert "Waits for a colleague’s approval" not in colleague
    for page in (below, " ".join(text for _, text in Shown(colleague).texts)):
        assert "Departs 29 May 2026, 21:40 (Europe/London)" in page
        assert "Lands 30 May 2026, 19:20 (Asia/Phnom_Penh)" in page


def test_a_draft_says_when_its_traveller_departs_and_lands(two: Federation) -> None:
    gb = two["gb"]
    legs = [{"departure_port": "LHR", "departure": "2026-06-04T21:30", "arrival_port": "BKK", "arrival": "2026-06-05T15:10"}]
    legs += [{"departure_port": "BKK", "arrival_port": "KTI", "arrival": "2026-06-05T18:30"}, {"arrival_port": "?"}]  # half of it typed
    document = {"type": "TravelAlert", "recipients": [agency("kh", BORDER)], "alert": {"itinerary": legs}}
    draft_box.create(gb.ports, gb.person("liaison"), DraftContent(document=document))
    draft_box.create(gb.ports, gb.person("liaison"), DraftContent(document={"type": "PatternBulletin"}))
    page = " ".join(text for _, text in Shown(Browser(gb).enter("liaison").get("/work").text).texts)
    assert "Departs 4 Jun 2026, 21:30 (Europe/London)" in page
    assert "Lands 5 Jun 2026, 18:30 (Asia/Phnom_Penh)" in page
    assert page.count("Lands") == 1


def test_a_time_that_is_the_same_here_stands_once(listed: Any) -> None:
    page = listed(
        kind=desk_service_pb2.WORK_KIND_ALERT_TO_ACKNOWLEDGE, lands_at=NOW, zone="Asia/Phnom_Penh", command="exchange inbox show 1"
    )
    assert page.count("(Asia/Phnom_Penh)") == 1


def test_without_a_zone_times_are_universal(two: Federation, kh: Office) -> None:
    two["gb"].publish(draft(agency("kh", BORDER)))
    two.pump()
    page = Browser(kh, site_of(kh, zone="UTC")).enter("border").get("/inbox").text
    assert "(UTC)" in page
    assert "Phnom_Penh" not in page


def test_work_without_a_page_names_its_command(kh: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    found = desk_service_pb2.ListWorkResponse(left_off=2)
    found.items.add(kind=desk_service_pb2.WORK_KIND_ALARM, reference=b"12345678", overdue=True, escalated=True, command="exchange made up")
    monkeypatch.setattr(desk_pages, "list_work", lambda *_: found)
    texts = [text for _, text in Shown(Browser(kh).enter("administrator").get("/work").text).texts]
    assert {"Alarm", "Overdue", "Escalated", "exchange made up", "2 more are not shown."} <= set(texts)


def test_work_leads_to_the_page_where_it_is_done(listed: Any) -> None:
    reference = b"\x0a" * 32
    page = listed(
        kind=desk_service_pb2.WORK_KIND_ALERT_TO_REPORT, reference=reference, command=f"exchange inbox report {reference.hex()[:12]}"
    )
    assert f'href="/inbox/{reference.hex()}/report"' in page
    assert "exchange inbox report" not in page


def test_what_a_receipt_refused_is_not_looked_for_in_the_inbox() -> None:
    item = desk_service_pb2.WorkItem(
        kind=desk_service_pb2.WORK_KIND_REFUSAL_TO_READ, reference=b"\x0a" * 32, command="exchange alert status 0a0a0a0a0a0a"
    )
    assert not work_link(item).startswith("/inbox")


def test_what_a_command_names_is_quoted_in_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.console.work_links.LINKS", {"exchange partner show": "/partners/{named}"})
    assert work_link(desk_service_pb2.WorkItem(command="exchange partner show a/../?b")) == "/partners/a%2F..%2F%3Fb"
    assert not work_link(desk_service_pb2.WorkItem())


def test_each_link_is_from_a_command_to_a_page(kh: Office) -> None:
    pages = {re.sub(r"\{\w+\}", "{}", page.path) for page in Browser(kh).console.pages if page.method == "GET"}
    for words, address in LINKS.items():
        program, noun, verb = words.split()
        group = exchange.get_command(click.Context(exchange), noun)
        assert program == "exchange"
        assert isinstance(group, click.Group)
        assert group.get_command(click.Context(group), verb), words
        assert re.sub(r"\{\w+\}", "{}", address) in pages, words


def test_the_inbox_shows_when_he_departs_and_lands_by_the_clocks_there_and_here(two: Federation, kh: Office) -> None:
    two["gb"].publish(draft(agency("kh", BORDER)))
    two.pump()
    page = Browser(kh).enter("border").get("/inbox").text
    lands = page.partition("Lands")[2].partition("</dd>")[0]
    departs = page.partition("Departs")[2].partition("</dd>")[0]
    assert re.findall(r"\(([A-Z]\w+/\w+)\)", lands) == ["Asia/Bangkok", "Asia/Phnom_Penh"]
    assert re.findall(r"\(([A-Z]\w+/\w+)\)", departs) == ["Europe/London", "Asia/Phnom_Penh"]


def test_an_alarm_says_what_happened_and_what_to_do(listed: Any) -> None:
    page = listed(kind=desk_service_pb2.WORK_KIND_ALARM, detail="LOGS_DIFFER", command="exchange audit")
    assert words_of("LOGS_DIFFER") in page
    assert "<code>LOGS_DIFFER</code>" in page


def test_of_what_waits_for_others_ten_are_shown(kh: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    found = desk_service_pb2.ListWorkResponse()
    for number in range(1 + 12):
        kind = desk_service_pb2.WORK_KIND_ATTESTATION_TO_COME
        found.items.add(kind=kind, reference=number.to_bytes(32, "big"), raised_at=NOW, later=number > 0)
    monkeypatch.setattr(desk_pages, "list_work", lambda *_: found)
    page = Browser(kh).enter("police").get("/work?all").text
    assert page.count("Attestation that has not come") == 1 + 10
    assert "2 more are not shown." in page
