"""Coming in through a real browser: passkeys, the code of a demonstration, and languages."""

import pytest
from playwright.sync_api import expect

from tests.browser.offices import Building, Offices, code_for

pytestmark = pytest.mark.system


def test_an_officer_enrols_a_passkey_and_signs_in_with_it(building: Building, both: Offices) -> None:
    border = building.officer(both.kh, "partner-border")
    assert border.page.url == f"{border.origin}/work"
    with border.page.expect_navigation():
        border.page.get_by_role("button", name="Sign out").click()
    assert border.page.url == f"{border.origin}/sign-in"
    assert border.keys is not None
    border.keys.verifies(False)  # noqa: FBT003  the finger is somebody else's
    border.page.get_by_role("button", name="Sign in with a passkey").click()
    expect(border.page.get_by_role("alert")).to_have_text("The passkey was not used. Try again, or use another browser or device.")
    border.keys.verifies(True)  # noqa: FBT003  the finger is the right one
    border.page.wait_for_timeout(1100)  # within a second a second press counts as none
    border.press("Sign in with a passkey")
    assert border.page.url == f"{border.origin}/work"


def test_a_device_makes_no_second_passkey_for_one_person(building: Building, both: Offices) -> None:
    border = building.officer(both.kh, "partner-border")
    border.goto("/enrol").fill("#code", code_for(both.kh, "partner-border"))
    with border.page.expect_navigation():
        border.page.locator('main form[action="/enrol"] button').click()
    border.page.locator("main form[data-passkey=create] button").click()
    expect(border.page.get_by_role("alert")).to_have_text("The passkey was not made. Try again, or use another browser or device.")


def test_the_passkey_of_one_country_is_offered_to_no_other(building: Building, both: Offices) -> None:
    border = building.officer(both.kh, "partner-border")
    border.page.goto(f"{both.origin(both.gb)}/sign-in")
    border.page.get_by_role("button", name="Sign in with a passkey").click()
    expect(border.page.get_by_role("alert")).to_be_visible()


def test_a_link_fills_in_its_code_and_a_person_presses_the_button(building: Building, both: Offices) -> None:
    person = building.open(both.kh)
    code = code_for(both.kh, "partner-border")
    for _ in range(2):
        page = person.goto(f"/sign-in#{code}")
        expect(page.get_by_label("One-time code")).to_have_value(code)
        assert page.url == f"{person.origin}/sign-in", "the code is out of the address"
    page.keyboard.press("Enter")
    page.wait_for_url("**/work")
    # The next link of the same console is for somebody else: without leaving the page, too.
    page = person.goto("/sign-in")
    page.evaluate("(code) => { location.hash = code }", code_for(both.kh, "auditor"))
    expect(page.get_by_label("One-time code")).not_to_have_value("")
    person.press("Sign in with the code")
    assert "auditor" in person.goto("/you").inner_text("main").lower()
    for other in ("<b>", "x", "main-content"):
        expect(person.goto(f"/sign-in#{other}").get_by_label("One-time code")).to_have_value("")


@pytest.mark.parametrize(("language", "title"), [("km", "ចូល"), ("th", "เข้าสู่ระบบ"), ("vi", "Đăng nhập"), ("fr", "Sign in")])
def test_the_browsers_language_is_the_pages(building: Building, both: Offices, language: str, title: str) -> None:
    person = building.open(both.kh, locale=language)
    page = person.goto("/sign-in")
    assert title in page.title()
    with page.expect_navigation():
        page.get_by_role("button", name="Tiếng Việt").click()
    assert page.get_attribute("html", "lang") == "vi"
    assert person.goto("/enrol").get_attribute("html", "lang") == "vi"
