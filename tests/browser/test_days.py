"""Whole days of people in two countries, through real browsers and two real nodes."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from playwright.sync_api import expect

from exchange.v1 import desk_service_pb2 as desk
from node.cli.demo_sample import unfinished_sample
from tests.browser.offices import Building, Offices, Person
from tests.system.nodes import ask

pytestmark = pytest.mark.system


def drafted(
    both: Offices,
    context: str = "liaison",
    reference: str = "EXAMPLE-1",
    *,
    by: str = "GB",
    alert: Mapping[str, Any] | None = None,
    supersedes: Sequence[str] = (),
) -> str:
    """The address of a draft that is ready: of somebody else each time, since of one man only one alert is in force.

    In London or, `by` KH, in Phnom Penh; `alert` is what else differs from the sample.
    """
    document = json.loads(unfinished_sample(by, "KH" if by == "GB" else "GB"))
    if supersedes:
        document["supersedes"] = list(supersedes)
    document["alert"]["primary_name"] = f"PLACEHOLDER, {reference}"
    del document["alert"]["names"]
    document["alert"]["documents"][0]["number"] = reference.replace("-", "")
    document["alert"] |= {"national_reference": reference, **(alert or {})}
    with ask(both.gb if by == "GB" else both.kh, context) as stub:
        return f"/drafts/{stub.KeepDraft(desk.KeepDraftRequest(document=json.dumps(document))).id.hex()}"


def release(liaison: Person, draft: str) -> str:
    """Look at what each recipient will see, sign, and release; where what was sent is."""
    liaison.goto(draft)
    liaison.follow("What each recipient will see")
    liaison.page.get_by_label("Why is this necessary?").fill("To warn the countries on his way")
    liaison.press("Check and sign")
    liaison.press("Sign and release")
    assert "/sent/" in liaison.page.url
    return liaison.page.url.partition("/sent/")[2].partition("?")[0]


def test_an_alert_goes_from_a_draft_in_london_to_a_report_from_phnom_penh(building: Building, both: Offices) -> None:
    liaison, border = building.officer(both.gb, "liaison"), building.officer(both.kh, "partner-border")
    border.goto("/inbox")
    news = border.page.get_by_role("link", name="Something new has come")
    expect(news).to_be_hidden()
    digest = release(liaison, drafted(both))
    # The inbox that is open says so by itself, and shows nothing until somebody asks for it.
    expect(news).to_be_visible(timeout=30_000)
    assert digest[:12] not in border.texts()
    border.follow("Something new has come: show it")
    border.sees(digest[:12])
    border.page.goto(f"{border.origin}/inbox/{digest}")
    assert "PLACEHOLDER" in border.texts()
    border.goto(f"/inbox/{digest}/report")
    border.press("Send the report")
    expect(border.page.get_by_role("alert")).to_be_visible()
    border.page.locator("main input[type=radio]").first.check()
    border.page.locator("main textarea").fill("He was met at the gate.")
    border.press("Send the report")
    liaison.goto(f"/sent/{digest}")
    liaison.sees("Reported")


def test_without_javascript_the_same_is_done_by_a_training_code(building: Building, both: Offices) -> None:
    liaison = building.trainee(both.gb, "liaison", java_script_enabled=False)
    border = building.trainee(both.kh, "partner-border", java_script_enabled=False)
    digest = release(liaison, drafted(both, reference="EXAMPLE-2"))
    border.goto("/inbox")
    border.sees(digest[:12])
    border.page.goto(f"{border.origin}/inbox/{digest}")
    assert "PLACEHOLDER" in border.texts()


def test_an_alert_is_released_by_keyboard_alone(building: Building, both: Offices) -> None:
    """Every step is reached by the tabulator and taken by a key, what has the focus is seen to have it, and nothing traps it."""
    liaison = building.trainee(both.gb, "liaison")
    page = liaison.goto(f"{drafted(both, reference='EXAMPLE-3')}/preview")
    tab_to(liaison, "reason")
    page.keyboard.type("To warn the countries on his way")
    tab_to(liaison, "Check and sign")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    tab_to(liaison, "Sign and release")
    with page.expect_navigation():
        page.keyboard.press("Space")
    assert "/sent/" in page.url
    # Once around: the focus comes back to the beginning.
    for _ in range(80):
        page.keyboard.press("Tab")
        if "govuk-skip-link" in str(page.evaluate("document.activeElement.className")):
            break
    else:
        pytest.fail("the focus does not come around")


def tab_to(person: Person, name: str) -> None:
    """Press the tabulator until what is called so has the focus, and shows it."""
    for _ in range(80):
        person.page.keyboard.press("Tab")
        at = person.page.evaluate(
            "() => { const at = document.activeElement, look = getComputedStyle(at);"
            " return [at.id, at.textContent.trim(), look.outlineStyle !== 'none' || look.boxShadow !== 'none', at.tagName] }"
        )
        assert at[2] or at[3] == "BODY", f"nothing shows that {at[:2]} has the focus"
        if name in at[:2]:
            return
    pytest.fail(f"{name} is not reached")
