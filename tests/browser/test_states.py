"""Pages that are reached by doing something, and pages that refuse: for everybody's eyes and hands as well, in every language."""

from collections.abc import Iterator
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from node.console import desk_pages
from node.console.compose_steps import steps_of
from node.fingerprints import groups, held_back
from node.intake.descriptor_text import write_descriptor
from node.operations.partners import own_chain
from tests.browser import axe
from tests.browser.chromium import Watch, window
from tests.browser.test_every_page import LANGUAGES, WIDTHS
from tests.browser.world import World
from tests.countries import TRAVEL

pytestmark = pytest.mark.system

GB_KH: Final = "gb.alerts.example/disclosures/kh.alerts.example/1"


@pytest.fixture(params=LANGUAGES)
def page(browser: Browser, shown: World, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A window in one language."""
    watch = Watch(hosts=frozenset({urlsplit(shown.origin).netloc}))
    with window(browser, watch, locale=request.param, bypass_csp=True) as opened:
        yield opened
        assert opened.get_attribute("html", "lang") == request.param
    watch.done()


def judge(page: Page, status: int = 200, answer: Any = None) -> None:
    """axe-core finds nothing, and nothing is wider than a phone."""
    assert answer is None or answer.status == status, f"{page.url}: {answer.status}"
    found = axe.faults(page)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        if (needed := page.evaluate("document.documentElement.scrollWidth")) > width:
            found.append(f"{needed} pixels wide on a screen of {width}")
    page.set_viewport_size({"width": 1280, "height": 800})
    assert not found, f"{page.url}: " + "\n".join(found)


def press(page: Page, within: str = "main") -> Any:
    """Press the last button of the form, and see what comes."""
    with page.expect_navigation() as coming:
        page.locator(f"{within} form button").last.click()
    return coming.value


def test_a_sample_that_was_drawn(page: Page, shown: World) -> None:
    shown.enter(page.context, "auditor")
    page.goto(f"{shown.origin}/audit/samples?log={GB_KH}")
    judge(page, 422, press(page))
    page.fill("#nonce", "dice 4 2 6 1 3 3 5")
    page.fill("#count", "1")
    judge(page, 200, press(page))
    assert page.locator("main tbody tr").count() == 1


def test_a_partner_whose_fingerprint_is_compared(page: Page, shown: World) -> None:
    partner = shown.office.ports.known.partners["vn.alerts.example"]
    shown.enter(page.context, "administrator")
    page.goto(f"{shown.origin}/admin/partners/new")
    page.fill("#descriptor", write_descriptor(own_chain(partner.node)))
    judge(page, 200, press(page))
    judge(page, 422, press(page))
    page.fill("#heard", groups(partner.fingerprint)[held_back(partner.fingerprint) - 1].digits)
    page.check("#same")
    judge(page, 200, press(page))
    assert page.locator("form[data-passkey]").count() == 1, "the passkey is asked for"


def test_every_step_of_an_alert_with_all_that_is_wrong(page: Page, shown: World) -> None:
    shown.enter(page.context, "liaison")
    page.goto(f"{shown.origin}/drafts/new")
    press(page)
    draft, refused = page.url, []
    for step in steps_of(TRAVEL):
        page.goto(f"{draft}/step/{step.code}")
        for field in page.locator("main input[type=text]:visible").all()[:40]:
            field.fill("\u202e<b>31 February")
        for field in page.locator("main select:visible").all():
            field.select_option(index=1)
        answer = press(page, ".app-beside")
        if answer.status == 422:
            refused.append(step.code)
            judge(page)
    assert len(refused) >= 4, refused


def test_what_refuses(page: Page, shown: World, monkeypatch: pytest.MonkeyPatch) -> None:
    shown.enter(page.context, "liaison")
    draft = f"{shown.origin}/drafts/{shown.places['draft']}/step/names"
    page.goto(draft)
    page.fill("#f-primary_name-as_written", "SOMEBODY ELSE EXAMPLE")
    page.evaluate("document.querySelector('main [name=version]').value = '7'")
    page.evaluate("document.querySelector('main [name=stand]').value = 'x'")
    judge(page, 409, press(page, ".app-beside"))
    page.goto(draft)
    page.evaluate("document.querySelector('main [name=version]').value = 'x'")
    judge(page, 400, press(page, ".app-beside"))
    page.goto(draft)
    page.evaluate("document.querySelector('main [type=hidden]').value = 'x'")
    judge(page, 403, press(page, ".app-beside"))
    for path, status in (("/audit", 403), ("/nothing", 404), ("/language", 405)):
        judge(page, status, page.goto(shown.origin + path))

    def broken(*_: Any) -> NoReturn:
        raise RuntimeError("synthetic")

    monkeypatch.setattr(desk_pages, "whoami", broken)
    judge(page, 500, page.goto(f"{shown.origin}/you"))
    page.context.clear_cookies()
    page.goto(f"{shown.origin}/sign-in")
    with page.expect_navigation() as coming:
        page.click('a[href="/sign-in/oidc"]')
    judge(page, 503, coming.value)


def test_signed_out(page: Page, shown: World) -> None:
    shown.enter(page.context, "border")
    page.goto(f"{shown.origin}/inbox")
    answer = press(page, "footer")
    judge(page, 200, answer)
    assert urlsplit(page.url).path == "/sign-in"
    page.goto(f"{shown.origin}/inbox")
    assert urlsplit(page.url).path == "/sign-in"
