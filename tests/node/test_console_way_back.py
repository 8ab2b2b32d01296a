"""Whoever is asked to sign in is told why, and comes back to where they were; a link of another site leads nowhere by itself."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.console.visits import write_secret
from node.operations.sessions import IDLE_MS, WHOLE_MS
from node.operations.sign_in import forget_passkeys
from tests.console_issuer import asked_issuer, at, sign_in
from tests.console_site import NAVIGATED, SAME, Browser
from tests.federation import federation
from tests.rig import Office

LOST = "did not arrive, and was not kept"


@pytest.fixture
def kh(tmp_path: Path) -> Iterator[Office]:
    with federation(tmp_path, "kh") as made:
        yield made["kh"]


@pytest.fixture
def browser(kh: Office) -> Browser:
    return Browser(kh)


def test_a_session_that_ended_without_use_is_told_of_and_leads_back(kh: Office, browser: Browser) -> None:
    key = browser.enrol("border")
    browser.sign_in(key)
    kh.clock.pass_(IDLE_MS)
    assert browser.get("/inbox?page=0").headers["location"] == "/sign-in"
    page = browser.get("/sign-in").text
    assert "after 15 minutes without use" in page
    assert "come back to the page" in page
    assert LOST not in page
    assert browser.sign_in(key).headers["location"] == "/inbox?page=0"
    assert "__Host-way-back" not in browser.client.cookies
    assert "15 minutes" not in browser.get("/sign-in").text


def test_after_eight_hours_and_after_an_end_elsewhere_it_says_so(kh: Office, browser: Browser) -> None:
    browser.enter("border")
    kh.clock.pass_(WHOLE_MS)
    browser.get("/you")
    assert "after eight hours" in browser.get("/sign-in").text
    browser.client.cookies.clear()
    browser.sign_in(browser.enrol("border"))
    forget_passkeys(kh.ports, kh.person("administrator"), kh.person("border"))
    browser.get("/you")
    assert "ended elsewhere" in browser.get("/sign-in").text


def test_the_cookie_outlives_the_session_to_tell_why_it_ended(browser: Browser) -> None:
    set_cookie = browser.sign_in(browser.enrol("border")).headers["set-cookie"]
    assert f"Max-Age={2 * WHOLE_MS // 1000}" in set_cookie


def test_who_was_never_signed_in_or_signed_out_is_told_nothing(browser: Browser) -> None:
    browser.get("/you")
    assert "signed out" not in browser.get("/sign-in").text
    browser.enter("border").send("/sign-out", {})
    assert "signed out" not in browser.get("/sign-in").text


@pytest.mark.parametrize(
    ("sent", "page"),
    [
        ("/handover", "/handover"),
        ("/drafts/11111111111111111111111111111111/release", "/drafts/11111111111111111111111111111111"),
        ("/admin/partners/compare", "/admin/partners"),
        ("/screen", "/screen"),
    ],
)
def test_of_a_form_that_came_too_late_it_is_said_that_it_is_lost(kh: Office, browser: Browser, sent: str, page: str) -> None:
    key = browser.enrol("border")
    browser.sign_in(key)
    kh.clock.pass_(IDLE_MS)
    answer = browser.post(sent, {"note": "EXAMPLE, Thomas"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert LOST in browser.get("/sign-in").text
    assert browser.sign_in(key).headers["location"] == page


def test_who_signs_out_too_late_has_lost_nothing(kh: Office, browser: Browser) -> None:
    browser.enter("border")
    kh.clock.pass_(IDLE_MS)
    browser.post("/sign-out", {})
    assert LOST not in browser.get("/sign-in").text


def test_somebody_else_at_the_same_screen_begins_at_the_first_page(kh: Office, browser: Browser) -> None:
    other = browser.enrol("police")
    browser.enter("border")
    kh.clock.pass_(IDLE_MS)
    browser.get("/inbox")
    assert browser.sign_in(other).headers["location"] == "/"


def test_what_a_browser_makes_up_leads_nowhere(browser: Browser) -> None:
    key = browser.enrol("border")
    for made_up in ("x", write_secret(b"\0" * 32 + b"./inbox")):
        browser.client.cookies.clear()
        browser.client.cookies.set("__Host-way-back", made_up, domain="kh.localhost", path="/")
        assert browser.sign_in(key).headers["location"] == "/"
    ways = browser.console._ways_back
    for path in ("//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nb", "/a?b#c", "/é"):
        assert ways.to(ways.write(path, "", lost=False), "") == "/"


def test_the_cookie_holds_no_person(kh: Office, browser: Browser) -> None:
    browser.enter("border")
    kh.clock.pass_(IDLE_MS)
    (cookie,) = browser.get("/inbox").headers.get_list("set-cookie")
    first, *rest = [part.strip() for part in cookie.split(";")]
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax", "Max-Age=900"} <= set(rest)
    assert "border" not in first
    assert "set-cookie" not in browser.get("/inbox/news").headers, "which a browser asks for by itself"


def test_who_comes_by_the_agencys_account_comes_back_too(kh: Office) -> None:
    with asked_issuer(kh) as issuer:
        browser = at(kh, issuer)
        browser.get("/inbox?page=0")
        page = sign_in(browser, issuer).text
    assert '<meta http-equiv="refresh" content="0; url=/inbox?page=0">' in page
    assert 'href="/inbox?page=0"' in page


def test_a_page_says_how_long_its_session_stands(kh: Office, browser: Browser) -> None:
    def said() -> list[int]:
        return [int(number) for number in re.findall(r'data-(?:idle|whole)="(\d+)"', browser.get("/you").text)]

    browser.enter("border")
    assert said() == [IDLE_MS // 1000, WHOLE_MS // 1000]
    kh.clock.pass_(20_000)  # so short a while is not written down
    assert said() == [IDLE_MS // 1000 - 20, WHOLE_MS // 1000 - 20]
    for _ in range(38):
        kh.clock.pass_(WHOLE_MS // 40)
        said()
    kh.clock.pass_(WHOLE_MS // 40)
    assert said() == [WHOLE_MS // 40_000 - 20] * 2, "the eight hours end first"
    assert "data-idle" not in Browser(kh).get("/sign-in").text


def test_a_link_of_another_site_waits_for_a_person_who_is_signed_in(kh: Office, browser: Browser) -> None:
    browser.enter("border")
    held = browser.client.cookies.get("__Host-session") or ""
    browser.client.cookies.clear()  # as browsers do with a strict cookie
    before = kh.journal()
    page = browser.get("/inbox?page=0", **NAVIGATED)
    assert (page.status_code, 'href="/inbox?page=0"' in page.text) == (200, True)
    assert "refresh" not in page.text, "another site opens nothing by itself"
    assert "set-cookie" not in page.headers
    assert kh.journal() == before
    browser.client.cookies.set("__Host-session", held, domain="kh.localhost", path="/")
    assert browser.get("/inbox?page=0", **{**NAVIGATED, **SAME}).status_code == 200
    browser.client.cookies.clear()
    for asked in (SAME, {**NAVIGATED, "sec-fetch-mode": "cors"}, {**NAVIGATED, "sec-fetch-dest": "iframe"}, {"sec-fetch-site": "none"}):
        assert browser.get("/inbox", **{**NAVIGATED, **asked}).headers["location"] == "/sign-in"
