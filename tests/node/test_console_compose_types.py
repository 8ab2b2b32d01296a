"""Composing other things than a short travel alert: every type, long lists, and what stands around an alert."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from exchange.profile import alert_type
from node.console import compose_pages
from node.console.compose_pages import TYPES
from node.console.compose_steps import steps_of
from node.operations import draft_box
from node.operations.draft_box import DraftContent
from tests.console_site import Browser
from tests.drafts import MRZ, Writer, begun
from tests.federation import Federation, federation
from tests.rig import Office

PAGE_BYTES = 60_000


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    with federation(tmp_path_factory.mktemp("two"), "gb", "kh") as made:
        made.connect("gb", "kh")
        yield made


@pytest.fixture(scope="module")
def gb(two: Federation) -> Office:
    return two["gb"]


@pytest.fixture
def writer(gb: Office) -> Writer:
    return Writer(gb)


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_has_a_page_for_each_of_its_fields(gb: Office, kind: str) -> None:
    writer = Writer(gb, kind=kind)
    assert {name for step in steps_of(kind) for name in step.fields} == {field.name for field in alert_type(kind).fields}
    for step in steps_of(kind):
        page = writer.page(step.code)
        assert len(page.encode()) <= PAGE_BYTES
        for name in step.fields:
            assert f'id="f-{name}"' in page or f'id="f-{name}-more"' in page, name
    assert writer.save(steps_of(kind)[0].code, {}).status_code in {303, 422}


def test_a_long_journey_and_many_convictions_stay_a_page(gb: Office) -> None:
    leg = {"mode": "AIR", "departure_port": {"code": "LHR"}, "departure": {"local": "2027-03-04T21:30"}, "arrival_port": {"code": "KTI"}}
    content = DraftContent(document={"type": "TravelAlert", "alert": {"itinerary": [dict(leg) for _ in range(8)]}})
    writer = Writer(gb, draft=begun(gb, content=content))
    page = writer.page("journey")
    assert len(page.encode()) <= PAGE_BYTES
    assert 'name="f.itinerary[3].carrier"' not in page
    opened = writer.save("journey", {}, "open:itinerary[3]").headers["location"]
    assert 'name="f.itinerary[3].carrier"' in writer.browser.get(opened.partition("#")[0]).text
    writer.save("journey", {"itinerary[3].carrier": "Example Airways"})
    assert [leg.carrier for leg in writer.read().itinerary] == ["", "", "", "Example Airways", "", "", "", ""]
    writer.save("journey", {}, "remove:itinerary[0]")
    assert [leg.carrier for leg in writer.read().itinerary] == ["", "", "Example Airways", "", "", "", ""]


def test_a_text_keeps_its_language_and_what_no_form_shows(gb: Office) -> None:
    alert: Any = {
        "risk_narrative": [{"language": "km", "text": "Synthetic."}, {"language": "en", "text": "Another."}],
        "documents": [{"mrz": MRZ.split("\n"), "status": "VALID"}],
    }
    writer = Writer(gb, draft=begun(gb, content=DraftContent(document={"type": "TravelAlert", "alert": alert, "originator": "kept"})))
    writer.save("why", {"risk_narrative": "Changed."})
    writer.save("documents", {"documents[0].status": "STOLEN"})
    assert writer.alert()["risk_narrative"] == [{"language": "km", "text": "Changed."}, {"language": "en", "text": "Another."}]
    assert writer.alert()["documents"] == [{"mrz": MRZ.split("\n"), "status": "STOLEN"}]
    assert writer.held().document["originator"] == "kept"


def test_drafts_of_ones_own_stand_in_the_work_list(gb: Office) -> None:
    before = len([one for one in draft_box.list_drafts(gb.ports, gb.person("second")) if one.mine])
    draft = begun(gb, "second")
    page = Browser(gb).enter("second").get("/work").text
    assert page.count("Draft of yours, not released yet") == before + 1
    assert f'href="/drafts/{draft}"' in page
    assert f'href="/drafts/{draft}/preview"' in page, "and so does what would go"
    assert draft not in Browser(gb).enter("liaison").get("/work").text
    assert 'href="/drafts' not in Browser(gb).enter("police").get("/work").text


def test_errors_stand_in_the_order_of_the_page(writer: Writer) -> None:
    form = {"birth.date": "soon", "birth.country": "Atlantis", "appearance.height_cm": "tall", "nationalities[0].country": "?"}
    page = writer.save("person", form).text
    summary = page.partition("govuk-error-summary__list")[2].partition("</ul>")[0]
    found = re.findall(r'href="#([^"]+)"', summary)
    assert found == ["f-birth-date", "f-birth-country", "f-nationalities-0-country", "f-appearance-height_cm"]


def test_a_long_list_of_drafts_goes_on_where_the_page_ends(two: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    kh = two["kh"]
    monkeypatch.setattr(compose_pages, "LISTED", 2)
    mine = {begun(kh) for _ in range(3)}
    browser = Browser(kh).enter("liaison")
    first, second = browser.get("/drafts").text, browser.get("/drafts?from=2").text
    assert set(re.findall(r"/drafts/([0-9a-f]{32})", first + second)) == mine
    assert 'href="/drafts?from=2"' in first
    assert "Older ones" not in second
    assert browser.get("/drafts?from=-1x").text.count("/drafts/") == first.count("/drafts/")


def test_what_is_folded_away_opens_where_a_row_is_added(writer: Writer) -> None:
    folded = writer.page("person").partition('id="f-appearance-more"')[2]
    assert folded
    opened = writer.browser.get(f"/drafts/{writer.draft}/step/person?more=appearance.permanent_marks").text
    assert 'id="f-appearance-more"' not in opened
    assert 'name="f.appearance.permanent_marks[0].location"' in opened


def test_a_request_and_what_stands_around_it_have_a_purpose_each(gb: Office) -> None:
    writer = Writer(gb, kind="exchange.v1.InformationRequest")
    here = f"/drafts/{writer.draft}/step"
    assert f'href="{here}/action#f-purpose"' in writer.browser.get(f"/drafts/{writer.draft}/check").text
    writer.save("action", {"purpose": "DETECTION"})
    assert f'href="{here}/send#f-purpose"' in writer.browser.get(f"/drafts/{writer.draft}/check").text
    writer.save("send", {"purpose": "DETECTION"})
    assert "f-purpose" not in writer.browser.get(f"/drafts/{writer.draft}/check").text
    assert (writer.alert()["purpose"], writer.held().document["purpose"]) == ("DETECTION", "DETECTION")


def test_the_lines_of_a_document_are_pasted_where_the_person_is_described(gb: Office) -> None:
    writer = Writer(gb, kind="exchange.v1.InformationRequest")
    assert 'name="mrz"' in writer.page("person")
    writer.save("person", {"mrz": MRZ}, "mrz-take")
    assert writer.read().subject.documents[0].number == "999000001"
    assert 'name="mrz"' not in writer.page("why")


def test_deadlines_are_taken_by_the_clocks_of_the_console(writer: Writer) -> None:
    assert "Times are of Asia/Phnom_Penh." in writer.page("action")
    writer.save("action", {"deadlines.acknowledge_by": "5 March 2027 06:00", "deadlines.feed_back_by": "31 March 2027"})
    assert writer.alert()["deadlines"] == {"acknowledge_by": "2027-03-05T06:00+07:00", "feed_back_by": "2027-03-31T23:59+07:00"}
    for typed, kept in (
        ("3 months", r"P(89|9[0-2])D"),
        ("31 March 2027", r"2027-03-31T23:59\+07:00"),
        ("2027-03-04T18:00Z", "2027-03-04T18:00Z"),
    ):
        writer.save("send", {"not_after": typed})
        assert re.fullmatch(kept, str(writer.held().document["not_after"]))
    assert "5 Mar 2027, 01:00 (Asia/Phnom_Penh)" in writer.page("send")
