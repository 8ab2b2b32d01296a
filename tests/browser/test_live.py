"""While somebody writes an alert the page says what each recipient would see of it, without a word more than what changed."""

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from node.operations import draft_box
from node.operations.draft_box import DraftContent
from tests.browser.chromium import Watch, window
from tests.browser.world import World
from tests.countries import POLICE, agency
from tests.node.test_console_release import DOCUMENT

pytestmark = pytest.mark.system
_ADDED = """
window.said = []
new MutationObserver((all) => { for (const one of all) for (const node of one.addedNodes) window.said.push(node.textContent.trim()) })
  .observe(document.querySelector('[data-live-list]'), { childList: true, subtree: true, characterData: true })
"""


@pytest.mark.parametrize("script", [True, False])
def test_what_each_recipient_would_see_follows_what_is_typed(browser: Browser, shown: World, script: bool) -> None:  # noqa: FBT001  pytest
    office = shown.office
    document: Any = {**DOCUMENT, "recipients": [agency("gb", POLICE)]}
    held = draft_box.create(office.ports, office.person("liaison"), DraftContent(document=document, reason="synthetic reason"))
    watch = Watch(hosts=frozenset({shown.origin.removeprefix("http://")}))
    with window(browser, watch, java_script_enabled=script) as page:
        shown.enter(page.context, "liaison")
        page.goto(f"{shown.origin}/drafts/{held.id.hex()}/step/send")
        listed = page.locator("[data-live-list]")
        before = listed.inner_text()
        assert "shown:" in before
        assert "left out" not in before
        page.get_by_text("Leave out for everybody").first.click()
        page.locator('[name="f.leave_out=risk_narrative"]').check(force=True)
        if not script:
            page.wait_for_timeout(1_500)
            assert listed.inner_text() == before, "without scripts it follows at the next saved step"
            page.get_by_role("button", name="Save and go on").click()
            expect(page.locator("[data-live-list]")).to_contain_text("left out: 1")
        else:
            expect(listed).to_contain_text("left out: 1")
            # What says the same is not put in anew: a screen reader says what changed, and only that.
            page.evaluate(_ADDED)
            page.locator('[name="f.reason"]').fill("another synthetic reason")
            page.wait_for_timeout(1_500)
            assert page.evaluate("window.said") == []
            page.locator('[name="f.leave_out=risk_level"]').check(force=True)
            expect(listed).to_contain_text("left out: 2")
            assert len(page.evaluate("window.said")) == 1
    watch.done()
    after = draft_box.get(office.ports, office.person("liaison"), held.id)
    assert (after.version == held.version) == script, "typing keeps nothing; saving does"
