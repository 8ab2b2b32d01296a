"""The day on which London takes an alert back: what two desks in Phnom Penh do then, and who still owes London an attestation of it."""

import pytest

from tests.browser.offices import Building, Offices, Person
from tests.browser.test_day_of_ngo import say
from tests.browser.test_days import drafted, release

pytestmark = pytest.mark.system

PERSON = "PLACEHOLDER"


def owing(liaison: Person) -> dict[str, str]:
    """By agency, how its attestation stands, as the page of the alert says."""
    rows = liaison.page.locator("h2:has-text('Attestations of the purge') + ul > li").all_inner_texts()
    return {agency: stands.partition(",")[0].strip() for agency, _, stands in (row.partition(":") for row in rows)}


def attest(desk: Person, digest: str, copies: str) -> None:
    """Find on the work list that an alert is to be purged, and attest it; a form that is not filled in goes nowhere."""
    desk.goto("/work")
    desk.sees(digest[:12])
    desk.goto(f"/inbox/{digest}")
    desk.sees(say("Attest the purge"))
    desk.reads(say("Withdrawn: do not act on it. Remove every copy, take it off your lists, then attest the purge."))
    assert PERSON not in desk.page.content(), "nothing of him is left to read"
    desk.follow(say("Attest the purge"))
    desk.press(say("Attest the purge"))
    desk.reads(say("There is a problem"))
    desk.fill({"copies": copies, "lists_updated": "yes"})
    desk.press(say("Attest the purge"))
    desk.reads(say("Your agency has attested the purge."))


def test_an_alert_is_withdrawn_and_everybody_who_had_it_attests_that_it_is_gone(building: Building, both: Offices) -> None:
    liaison = building.officer(both.gb, "liaison")
    border, police = (building.officer(both.kh, name, locale="km") for name in ("partner-border", "partner-police"))
    digest = release(liaison, drafted(both, reference="EXAMPLE-41"))
    for somebody in (border, police):
        somebody.goto("/inbox")
        somebody.sees(digest[:12])
        somebody.click(f'a[href="/inbox/{digest}"]')
        somebody.reads(PERSON)

    liaison.follow("Withdraw it for good")
    liaison.press("Check and sign")
    liaison.reads("There is a problem", "AHTJP, Cambodia", "GDI, Cambodia")
    liaison.fill({"code": "WRONG_PERSON", "reason": "The register held another man of that name"})
    liaison.press("Check and sign")
    liaison.reads("It is about the wrong person", "Confirm this with your passkey.")
    liaison.press("Sign and send")
    liaison.reads("It is withdrawn. Each recipient owes an attestation of the purge.")
    assert owing(liaison) == {"AHTJP, Cambodia": "owed", "GDI, Cambodia": "owed"}

    attest(border, digest, "2")
    liaison.sees("attested")
    assert owing(liaison) == {"AHTJP, Cambodia": "owed", "GDI, Cambodia": "attested"}
    attest(police, digest, "0")
    liaison.awaits(liaison.page.locator("li", has_text="AHTJP, Cambodia: attested"))
    liaison.reads("What you said of it since", "Withdrawn")
    assert owing(liaison) == {"AHTJP, Cambodia": "attested", "GDI, Cambodia": "attested"}, "nobody owes anything"
    assert not liaison.page.get_by_role("link", name="Withdraw it for good").count()
    for somebody in (border, police):
        somebody.goto("/work")
        assert digest[:12] not in somebody.texts()
