"""Whatever a day must not leave behind is found where it is planted; otherwise a day that leaves nothing would prove nothing."""

import json
from urllib.parse import quote

import pytest

from tests.browser.offices import Building, Offices
from tests.browser.traces import found_in, free_texts, texts_in

pytestmark = pytest.mark.system

PLANTED = "Planted Somebody"
KHMER = "សុខ វិចិត្រ"


@pytest.mark.parametrize("script", [f"history.pushState(null, '', '/sign-in?q={quote(PLANTED)}')", f"fetch('/x/{PLANTED.upper()}')"])
def test_a_name_in_an_address_is_found(building: Building, both: Offices, script: str) -> None:
    somebody = building.open(both.gb)
    somebody.goto("/sign-in")
    building.traces.about(PLANTED)
    building.traces.done()
    with somebody.page.expect_event("framenavigated" if "history" in script else "response"):
        somebody.page.evaluate(script)
    with pytest.raises(AssertionError, match=f"an address.*{PLANTED}"):
        building.traces.done()
    building.traces.secret.discard(PLANTED)


def test_a_name_in_a_title_is_found(building: Building, both: Offices) -> None:
    somebody = building.open(both.kh)
    somebody.page.route("**/sign-in", lambda route: route.fulfill(body=f"<title>{PLANTED}</title>", content_type="text/html"))
    with somebody.page.expect_console_message():
        somebody.goto("/sign-in")
    building.traces.about(PLANTED)
    with pytest.raises(AssertionError, match=f"a title.*{PLANTED}"):
        building.traces.done()
    building.traces.secret.discard(PLANTED)


@pytest.mark.parametrize("name", ["gb", "kh"])
def test_a_name_in_the_log_of_either_node_is_found(building: Building, both: Offices, name: str) -> None:
    log = getattr(both, name).log
    assert "stream up" in log.read_text("utf-8"), "what the node says is there"
    words = f"Planted in {name}"
    building.traces.about(words)
    building.traces.done()
    with log.open("a", encoding="utf-8") as end:
        end.write(f"something {words.upper()} happened\n")
    with pytest.raises(AssertionError, match=words):
        building.traces.done()
    building.traces.secret.discard(words)


def test_what_is_sent_with_a_form_is_kept_in_mind(building: Building, both: Offices) -> None:
    somebody = building.open(both.gb)
    somebody.goto("/enrol").fill("#code", f" {PLANTED} ")
    with somebody.page.expect_navigation():
        somebody.page.locator("main form button").click()
    assert PLANTED in building.traces.secret
    assert "PLACEHOLDER" in building.traces.secret, "and so is the person of the sample"


def test_names_are_found_as_addresses_and_logs_write_them() -> None:
    for text in (KHMER, quote(KHMER), quote(KHMER).replace("%20", "+"), json.dumps({"event": KHMER})):
        assert found_in(f"a {text} b", {KHMER, "another"}) == {KHMER}
    assert list(free_texts("a=SHORT&b=One+name&c=" + quote("a b\n" + KHMER + "\nNAME"))) == ["One name", KHMER]
    assert list(texts_in({"a": ["CODE_1", "Lower", {"b": "12.4.1961", "c": 7}]})) == ["Lower", "12.4.1961"]
