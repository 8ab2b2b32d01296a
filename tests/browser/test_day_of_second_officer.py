"""The day of a second officer in Phnom Penh, and what London reads of it: two consoles, two nodes, three people."""

import re
from typing import Any

import pytest

from exchange.v1 import desk_service_pb2 as desk
from tests.browser.offices import Building, Offices, Person
from tests.browser.test_days import drafted
from tests.system.nodes import ask

pytestmark = pytest.mark.system

WHY = "To warn the countries on his way"


def submit(liaison: Person, draft: str, why: str = WHY) -> str:
    """Look at the preview, sign, and let it wait; where it waits."""
    liaison.goto(f"{draft}/preview")
    liaison.page.get_by_label("Why is this necessary?").fill(why)
    liaison.press("Check and sign")
    liaison.press("Sign and submit")
    found = re.search(r"(/approvals/[0-9a-f]{32})\?submitted$", liaison.page.url)
    assert found, liaison.page.url
    return found[1]


def approve(second: Person) -> str:
    """Approve what is shown, with the passkey; which alert went."""
    second.press("Approve")
    second.reads("With the last approval it is released at once.", "Digest of the preview", WHY)
    second.press("Sign and approve")
    second.reads("Withdraw it for good")
    return second.page.url.partition("/sent/")[2].partition("?")[0]


def inbox(both: Offices) -> dict[str, Any]:
    """What London's border agency was told, by digest."""
    with ask(both.gb, "partner-border") as stub:
        return {one.manifest_digest.hex(): one for one in stub.ListInbox(desk.ListInboxRequest()).alerts}


def test_what_a_second_officer_approves_leaves_then_and_so_does_what_changed_since(building: Building, both: Offices) -> None:
    liaison, second = building.officer(both.kh, "liaison"), building.officer(both.kh, "officer")
    border = building.officer(both.gb, "partner-border")
    before = inbox(both).keys()
    place = submit(liaison, drafted(both, by="KH", reference="EXAMPLE-71"))
    liaison.reads("A colleague approves it.", "0 of 1", "Take it back")
    assert not liaison.page.get_by_role("button", name="Approve").count(), "who wrote it never approves it"

    second.goto("/work")
    second.reads("Release to approve")
    second.click(f'a[href="{place}"]')
    second.reads("What would go now is exactly what was submitted.", "What each recipient will see", WHY)
    assert inbox(both).keys() == before, "nothing leaves before that"
    digest = approve(second)
    border.goto("/inbox")
    border.sees(digest[:12])
    border.page.goto(f"{border.origin}/inbox/{digest}")
    border.reads("PLACEHOLDER")

    # He flies on another day: the second officer reads what is otherwise than it was.
    place = submit(liaison, drafted(both, by="KH", reference="EXAMPLE-71", alert={"sex": "FEMALE"}, supersedes=[digest]))
    second.goto("/approvals")
    second.reads("Waits for you")
    second.click(f'a[href="{place}"]')
    second.reads("What changes", f"It takes the place of an alert that was sent: {digest[:12]}", "Sex Before male Now female")
    newer = approve(second)
    assert newer != digest
    border.goto(f"/inbox/{newer}")
    border.sees("female")
    border.reads("PLACEHOLDER")
    assert inbox(both).keys() - before == {digest, newer}
    second.goto(place)
    second.reads("Released", "1 of 1")


def test_what_changed_since_the_second_officer_looked_is_shown(building: Building, both: Offices) -> None:
    """They look; the author takes it back, changes one thing, and submits it anew; they read that one thing, and again at each look."""
    liaison, second = building.officer(both.kh, "liaison"), building.officer(both.kh, "officer")
    place = submit(liaison, drafted(both, by="KH", reference="EXAMPLE-72"))
    second.goto(place)
    assert "you last looked" not in second.texts()
    second.goto(place)
    second.reads("Nothing has changed since you last looked on")
    liaison.press("Take it back")
    liaison.reads("It was taken back, and is your draft again.")
    anew = submit(liaison, liaison.page.url.removeprefix(liaison.origin).partition("?")[0], "To warn the countries on his other way")
    assert anew != place
    for _ in range(2):
        second.goto(anew)
        second.reads("Since you last looked on", f"Reason Before {WHY} Now To warn the countries on his other way")
        assert second.page.locator(".app-since h3").count() == 1, "nothing else has changed"
    second.page.set_viewport_size({"width": 360, "height": 740})
    assert second.page.evaluate("document.documentElement.scrollWidth") <= 360
    liaison.goto(anew)
    assert "you last looked" not in liaison.texts()
    liaison.press("Take it back")
