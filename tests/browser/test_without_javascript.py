"""Every page, and whole jobs, in a browser that runs no script."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.chromium import Watch, window
from tests.browser.world import World, every_page, world

pytestmark = pytest.mark.system

PAGES = every_page()
PEOPLE = sorted({page.who for page in PAGES})
NEEDED: Final = "A passkey needs JavaScript. Switch it on for this page and load it again, or use another browser or device."
_LINES: Final = "() => document.querySelector('main').innerText.split('\\n').map((line) => line.trim()).filter(Boolean)"
# What is hidden until a script has something to say: that the passkey was not used, that something came, that the session ends or ended.
_WRONG: Final = """() => {
  const shown = (one) => one.checkVisibility({ visibilityProperty: true })
  const found = []
  if ([...document.querySelectorAll('h1')].filter(shown).length !== 1) found.push('not one heading')
  for (const one of document.querySelectorAll('[hidden], .govuk-radios__conditional--hidden'))
    if (!one.matches('#passkey-failed, [data-news] > p, #idle, #idle-over')) found.push(`hidden: ${one.outerHTML.slice(0, 80)}`)
  for (const form of document.querySelectorAll('form')) {
    if (!shown(form)) continue
    const sends = [...form.elements].some((one) => one.type === 'submit' && !one.disabled && shown(one) && one.offsetWidth > 1)
    if (sends === form.matches('[data-passkey]')) found.push(`${form.action}: ${sends ? 'a button that does nothing' : 'no button'}`)
  }
  for (const one of document.querySelectorAll('button, input[type=button]'))
    if (shown(one) && (one.type !== 'submit' || !one.form)) found.push(`for scripts only: ${one.outerHTML.slice(0, 80)}`)
  const said = [...document.querySelectorAll('noscript')].some((one) => one.innerText.includes('%s'))
  if (document.querySelector('form[data-passkey]') && !said)
    found.push('nothing says that a passkey needs JavaScript')
  return found
}""".replace("%s", NEEDED)


@pytest.mark.parametrize("who", PEOPLE)
def test_every_page_has_all_that_it_has_with_scripts(browser: Browser, shown: World, who: str) -> None:
    found: list[str] = []
    with plain(browser, shown) as without, window(browser, Watch(hosts=frozenset()), bypass_csp=True) as scripted:
        for page in (without, scripted):
            shown.enter(page.context, who)
        for one in PAGES:
            if one.who != who:
                continue
            for _ in range(2):  # the first look at what waits for approval finds no look before it
                without.goto(shown.address(one.route))
            if one.sent is None and one.route != "/audit/journal":  # each look at it is in it
                scripted.goto(shown.address(one.route), wait_until="domcontentloaded")
                buttons = set(scripted.locator("form[data-passkey] button").all_inner_texts())
                # Whom the page asks besides; what a person left there is found without scripts too.
                lacking = set(scripted.evaluate(_LINES)) - set(without.evaluate(_LINES)) - buttons
                found += [f"{one.route}: not there: {line}" for line in lacking]
            if one.sent is not None:
                one.send(without)
            found += [f"{one.route} {'sent' * (one.sent is not None)}: {fault}" for fault in without.evaluate(_WRONG)]
    assert not found, "\n".join(found)


def test_the_page_to_sign_in_says_what_a_passkey_needs_and_what_to_do(browser: Browser, shown: World) -> None:
    with plain(browser, shown) as page:
        page.goto(f"{shown.origin}/sign-in")
        assert NEEDED in page.inner_text("main")
        expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
        page.get_by_role("link", name="I have a code to enrol a passkey").click()
        expect(page.get_by_label("Code")).to_be_visible()
    with window(browser, Watch(hosts=frozenset())) as scripted:
        scripted.goto(f"{shown.origin}/sign-in")
        expect(scripted.get_by_role("button", name="Sign in with a passkey")).to_be_visible()
        assert NEEDED not in scripted.inner_text("main")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An office of these tests alone, for what they do there stays."""
    with world(tmp_path_factory.mktemp("plain")) as made:
        yield made


def test_an_alert_is_found_read_and_reported_on(browser: Browser, own: World) -> None:
    with plain(browser, own, "border") as page:
        page.goto(f"{own.origin}/inbox")
        follow(page, own.places["alert"][:12])
        with page.expect_navigation():
            page.click('main a[href$="/report"]')
        press(page, "Send the report")
        page.get_by_role("alert").get_by_role("link").first.click()
        assert urlsplit(page.url).fragment == "outcome"
        page.check('[name="outcome"] >> nth=0')
        page.fill('[name="remarks"]', "He was met at the gate.")
        press(page, "Send the report")
        expect(page.locator("main")).to_contain_text("Your report was sent.")
        page.goto(f"{own.origin}/inbox")
        expect(page.locator("main")).not_to_contain_text("Not answered")


def test_an_alert_is_written_step_by_step(browser: Browser, own: World) -> None:
    with plain(browser, own, "liaison") as page:
        page.goto(f"{own.origin}/drafts/new")
        page.get_by_label("Travel alert").check()
        press(page, "Begin")
        draft = re.sub(r"/step/.*", "", page.url)
        page.goto(f"{draft}/step/names")
        page.fill("#f-primary_name-as_written", "EXAMPLE PERSON")
        press(page, "Save and go on")
        page.goto(f"{draft}/step/person")
        page.locator("details", has=page.locator("#f-birth-date")).locator("summary").first.click()
        page.fill("#f-birth-date", "about 1970")
        press(page, "Save and go on")
        page.goto(f"{draft}/check")
        page.locator('main a[href*="/step/"][href*="#"]').first.click()
        assert urlsplit(page.url).path.startswith(f"{urlsplit(draft).path}/step/"), "each problem leads to its field"
        page.goto(f"{draft}/step/names")
        assert page.input_value("#f-primary_name-as_written") == "EXAMPLE PERSON"


def test_a_tip_is_told(browser: Browser, own: World) -> None:
    with plain(browser, own, "ngo") as page:
        page.goto(f"{own.origin}/tell")
        press(page, "Begin a new tip")
        page.check('[name="danger"][value="no"]')
        while "/check" not in page.url:
            press(page, "Save and go on")
        press(page, "Send it now")
        expect(page.locator("main")).to_contain_text("A desk has it")


def test_an_auditor_chooses_what_is_listed(browser: Browser, own: World) -> None:
    with plain(browser, own, "auditor") as page:
        page.goto(f"{own.origin}/audit/disclosures")
        before = page.locator(".app-list__item").count()
        page.locator("summary").click()
        page.select_option("#direction", "OUTBOUND")
        press(page, "Show")
        assert 0 < page.locator(".app-list__item").count() < before
        page.fill("#alert", "nothing")
        press(page, "Show")
        page.get_by_role("alert").get_by_role("link").click()
        assert urlsplit(page.url).fragment == "alert"


def test_a_list_is_screened_and_a_language_chosen(browser: Browser, own: World) -> None:
    with plain(browser, own, "border") as page:
        page.goto(f"{own.origin}/screen")
        page.fill("#pasted", "family_name,given_names,birth_date,sex,nationality\nEXAMPLE,THOMAS SPECIMENMR,1961-04-12,M,GBR\n")
        with page.expect_navigation():
            page.locator("main form button").click()
        expect(page.locator("main section")).to_have_count(1)
        page.goto(f"{own.origin}/inbox")
        with page.expect_navigation():
            page.get_by_role("button", name="ខ្មែរ").click()
        assert urlsplit(page.url).path == "/inbox"
        assert page.get_attribute("html", "lang") == "km"


@contextmanager
def plain(browser: Browser, made: World, who: str = "", **settings: Any) -> Iterator[Page]:
    """A window that runs no script, with somebody of the office before it."""
    watch = Watch(hosts=frozenset({urlsplit(made.origin).netloc}))
    with window(browser, watch, java_script_enabled=False, **settings) as page:
        made.enter(page.context, who)
        yield page
    watch.done()


def press(page: Page, name: str) -> None:
    """Press a button of what the page is about, and see what comes."""
    with page.expect_navigation():
        page.locator("main").get_by_role("button", name=name).first.click()


def follow(page: Page, name: str) -> None:
    """Follow the first link that is called so."""
    with page.expect_navigation():
        page.locator("main").get_by_role("link", name=name).first.click()
