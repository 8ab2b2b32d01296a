"""What is printed: how an alert may be handled stands on each sheet, and nothing does that only a screen needs."""

from urllib.parse import urlsplit

import pypdfium2
import pytest
from playwright.sync_api import Browser

from tests.browser.chromium import Watch, window
from tests.browser.test_every_page import LANGUAGES
from tests.browser.world import World

pytestmark = pytest.mark.system

SHEETS = ("A4", "A5")
READ = {"/inbox/{alert}": "border", "/drafts/{draft}/preview/{reader}": "liaison", "/approvals/{submission}/read/{other_reader}": "second"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("route", READ)
def test_each_sheet_of_an_alert_says_how_it_may_be_handled(browser: Browser, shown: World, route: str, language: str) -> None:
    watch = Watch(hosts=frozenset({urlsplit(shown.origin).netloc}))
    with window(browser, watch, locale=language, bypass_csp=True) as page:
        shown.enter(page.context, READ[route])
        page.goto(shown.address(route))
        banner = page.inner_text(".app-handling__list").split("\n")
        for name in SHEETS:
            sheets = read(page.pdf(format=name))
            assert len(sheets) > (name == "A5"), "there is more than one sheet"
            for number, sheet in enumerate(sheets, 1):
                assert [line for line in banner if joined(line) not in sheet] == [], f"{name}, sheet {number}: {sheet}"
        page.emulate_media(media="print")
        for text in ("main h1", "main dd", ".app-handling li"):
            family = page.eval_on_selector(text, "(one) => getComputedStyle(one).fontFamily")
            assert family.startswith('"Noto Sans"'), "a machine may have no Khmer of its own"
        for hidden in ("nav", "footer", ".govuk-button", ".govuk-back-link", ".govuk-skip-link"):
            for one in page.locator(hidden).all():
                assert not one.is_visible(), f"{hidden} is printed"
    watch.done()


def read(pdf: bytes) -> list[str]:
    """What each sheet says."""
    return [joined(sheet.get_textpage().get_text_range()) for sheet in pypdfium2.PdfDocument(pdf)]


def joined(text: str) -> str:
    """Its Latin letters and digits: lines break elsewhere on paper, and Khmer and Thai are drawn in another order than they are written."""
    return "".join(sign for sign in text if sign.isascii() and sign.isalnum())
