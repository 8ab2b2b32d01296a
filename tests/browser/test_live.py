"""While somebody writes an alert the page says what each recipient would see of it, without a word more than what changed."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from exchange.profile import alert_type
from node.console.preview_words import recipient_reference
from node.operations import draft_box
from node.operations.draft_box import DraftContent
from tests.browser.chromium import Watch, window
from tests.browser.world import World
from tests.countries import BORDER, POLICE, TRAVEL, agency
from tests.node.test_console_release import DOCUMENT

pytestmark = pytest.mark.system
GB_POLICE, GB_BORDER = agency("gb", POLICE), agency("gb", BORDER)
NUMBERS = {field.name: str(field.number) for field in alert_type(TRAVEL).fields}
_ADDED = """
window.said = []
window.put = []
const gather = (where, into) => new MutationObserver((all) => { for (const one of all) for (const node of one.addedNodes) into(node) })
  .observe(document.querySelector(where), { childList: true, subtree: true, characterData: true })
gather('[data-live-list="recipients"]', (node) => window.said.push(node.textContent.trim()))
gather('.app-matrix--live', (node) => window.put.push(node.dataset?.key ?? node.textContent))
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
        listed = page.locator("[data-live-list=recipients]")
        before = listed.inner_text()
        assert "shown:" in before
        assert "left out" not in before
        page.get_by_text("Leave out for everybody").first.click()
        page.locator('[name="f.leave_out=risk_narrative"]').check(force=True)
        if not script:
            page.wait_for_timeout(1_500)
            assert listed.inner_text() == before, "without scripts it follows at the next saved step"
            page.get_by_role("button", name="Save and go on").click()
            expect(page.locator("[data-live-list=recipients]")).to_contain_text("left out: 1")
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


def cells(page: Page, name: str) -> list[str]:
    """What the row of a field says, recipient by recipient."""
    return page.locator(f'.app-matrix--live tr[data-key="{NUMBERS[name]}"] td').all_inner_texts()


def test_a_field_that_is_typed_changes_its_row_alone(browser: Browser, shown: World) -> None:
    office = shown.office
    document: Any = {**DOCUMENT, "recipients": [GB_BORDER, GB_POLICE]}
    held = draft_box.create(office.ports, office.person("liaison"), DraftContent(document=document, reason="synthetic reason"))
    watch = Watch(hosts=frozenset({shown.origin.removeprefix("http://")}))
    with window(browser, watch, viewport={"width": 360, "height": 800}) as page:
        shown.enter(page.context, "liaison")
        page.goto(f"{shown.origin}/drafts/{held.id.hex()}/step/person")
        assert cells(page, "sex") == ["“not known”", "“not known”"]
        assert cells(page, "appearance") == ["needs a reason", "“not known”"]
        page.evaluate(_ADDED)
        page.locator('[name="f.sex"]').select_option(index=1)
        expect(page.locator(f'.app-matrix--live tr[data-key="{NUMBERS["sex"]}"] td').first).to_have_text("shown")
        assert cells(page, "sex") == ["shown", "shown"]
        # The row of that field, the two that count, and no other; a screen reader is told the new numbers of either recipient.
        rows = [NUMBERS["sex"], "shown", "unknown"]
        assert page.evaluate("window.put") == rows
        assert len(page.evaluate("window.said")) == 2
        # Whoever is chosen reads it, with what was typed and is not saved; who types stays where they are.
        page.locator("#reader").select_option(recipient_reference(GB_POLICE))
        expect(page.locator("#read article")).to_contain_text("1961")
        page.locator('[name="f.birth.date"]').fill("1962")
        expect(page.locator("#read article")).to_contain_text("1962")
        assert page.locator("#reader").input_value() == recipient_reference(GB_POLICE)
        assert page.evaluate("document.activeElement.name") == "f.birth.date"
        assert page.evaluate("window.put") == rows
        # A telephone scrolls the table within its own bounds, which the keyboard reaches.
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        region = page.locator(".app-matrix--live")
        region.focus()
        assert region.evaluate("one => one === document.activeElement && one.scrollHeight > one.clientHeight")
    watch.done()
    assert draft_box.get(office.ports, office.person("liaison"), held.id).version == held.version


def test_without_scripts_the_button_beside_it_saves_and_shows_it(browser: Browser, shown: World) -> None:
    office = shown.office
    document: Any = {**DOCUMENT, "recipients": [GB_POLICE]}
    held = draft_box.create(office.ports, office.person("liaison"), DraftContent(document=document, reason="synthetic reason"))
    watch = Watch(hosts=frozenset({shown.origin.removeprefix("http://")}))
    with window(browser, watch, java_script_enabled=False) as page:
        shown.enter(page.context, "liaison")
        page.goto(f"{shown.origin}/drafts/{held.id.hex()}/step/person")
        page.locator('[name="f.birth.date"]').fill("1962")
        page.locator("#reader").select_option(recipient_reference(GB_POLICE))
        page.get_by_role("button", name="Save, and read it").click()
        expect(page.locator("#read article")).to_contain_text("1962")
        # What is read of the draft as a whole, where nothing is typed.
        page.goto(f"{shown.origin}/drafts/{held.id.hex()}")
        page.locator("#reader").select_option(recipient_reference(GB_POLICE))
        page.get_by_role("button", name="Show").click()
        expect(page.locator("#read article")).to_contain_text("1962")
    watch.done()
