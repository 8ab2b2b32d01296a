"""A page that nobody uses warns, and then hides what it shows; what was typed comes back to the same person, and to nobody else."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import axe
from tests.browser.chromium import Watch, window
from tests.browser.world import World

pytestmark = pytest.mark.system
TYPED = "Half a sentence"


@contextmanager
def left_alone(browser: Browser, shown: World, minutes: int) -> Iterator[Page]:
    """The border desk's page, with something typed, so long after it was opened."""
    watch = Watch(hosts=frozenset({urlsplit(shown.origin).netloc}))
    with window(browser, watch) as page:
        page.clock.install()
        shown.enter(page.context, "border")
        page.goto(f"{shown.origin}/handover")
        page.fill('main [name="note"]', TYPED)
        expect(page.locator("#idle")).to_be_hidden()
        page.clock.fast_forward(minutes * 60_000)
        page.clock.run_for(2_000)
        yield page
    watch.done()


def test_two_minutes_before_its_end_a_person_is_warned_and_may_stay(browser: Browser, shown: World) -> None:
    with left_alone(browser, shown, 14) as page:
        expect(page.get_by_role("alert")).to_contain_text("signed out in two minutes")
        expect(page.locator(".app-idle__left")).to_have_text("0:58")
        assert not axe.faults_beside_policy(page)
        with page.expect_response("**/you"):
            page.get_by_role("button", name="Stay signed in").click()
        expect(page.locator("#idle")).to_be_hidden()
        page.clock.run_for(2_000)
        expect(page.locator('main [name="note"]')).to_have_value(TYPED)


def test_at_its_end_nothing_stays_on_the_screen_until_the_same_person_is_back(browser: Browser, shown: World) -> None:
    with left_alone(browser, shown, 16) as page:
        expect(page.get_by_role("heading", name="You were signed out")).to_be_focused()
        for part in ("main", "header", "nav", "footer"):
            expect(page.locator(part).first).to_be_hidden()
        assert not axe.faults_beside_policy(page)
        before = page.locator("main [name=token]").first.input_value()
        shown.enter(page.context, "border")
        other = page.context.new_page()
        other.goto(f"{shown.origin}/you")
        expect(page.locator('main [name="note"]')).to_have_value(TYPED)
        expect(page.locator('main [name="note"]')).to_be_visible()
        assert page.locator("main [name=token]").first.input_value() != before
        with page.expect_navigation():
            page.locator("main form button").first.click()
        assert "FORM_TOKEN" not in page.inner_text("main")


def test_whoever_else_signs_in_finds_the_first_page_in_its_place(browser: Browser, shown: World) -> None:
    with left_alone(browser, shown, 16) as page:
        shown.enter(page.context, "police")
        other = page.context.new_page()
        other.goto(f"{shown.origin}/you")
        page.wait_for_url("**/work")
        assert TYPED not in page.content()


def test_an_old_page_to_sign_in_asks_anew_before_it_asks_for_the_passkey(browser: Browser, shown: World) -> None:
    watch = Watch(hosts=frozenset({urlsplit(shown.origin).netloc}))
    with window(browser, watch) as page:
        page.clock.install()
        page.goto(f"{shown.origin}/sign-in")
        first = page.locator("form[data-passkey] [name=challenge]").input_value()
        page.clock.fast_forward(5 * 60_000)
        with page.expect_response("**/sign-in"):
            page.get_by_role("button", name="Sign in with a passkey").click()
        expect(page.locator("form[data-passkey] [name=challenge]")).not_to_have_value(first)
    watch.done()
