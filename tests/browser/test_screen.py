"""A passenger list in a real browser, on a phone and without a script: sent as a file, the reasons seen, and the way back to the sender."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.chromium import Watch, window
from tests.browser.world import World

pytestmark = pytest.mark.system

LIST = "family_name,given_names,birth_date,sex,nationality\nEXAMPLE,THOMAS SPECIMENMR,1961-04-12,M,GBR\n"


def test_a_file_is_screened_on_a_phone_without_a_script(browser: Browser, shown: World, tmp_path: Path) -> None:
    watch = Watch(hosts=frozenset({urlsplit(shown.origin).netloc}))
    file = tmp_path / "EXAMPLE Thomas.csv"
    file.write_text(LIST, "utf-8")
    with window(browser, watch, java_script_enabled=False, viewport={"width": 360, "height": 800}) as page:
        shown.enter(page.context, "border")
        page.goto(f"{shown.origin}/screen")
        page.set_input_files("#list", file)
        page.click("main form button")
        expect(page.locator("main section")).to_have_count(1)
        expect(page.locator("main section td", has_text="+").first).to_be_visible()
        assert page.url == f"{shown.origin}/screen"
        with page.expect_popup() as opened:
            page.click("main section p a")
        expect(opened.value.locator("input[value=NOT_THIS_PERSON]")).to_be_visible()
        assert opened.value.evaluate("window.opener") is None
        expect(page.locator("main section")).to_have_count(1)  # the hits stay where they are
    watch.done()
