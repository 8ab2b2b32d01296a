"""The day of a liaison officer in London who writes an alert from nothing, and of the border desk in Phnom Penh that reads it, in Khmer."""

from datetime import UTC, date, datetime, timedelta

import pytest

from node.intake.mrz import check_digit
from tests.browser.offices import Building, Offices, Person
from tests.browser.test_day_of_ngo import say
from tests.browser.test_days import drafted, release

pytestmark = pytest.mark.system

KHMER = "សុខ វិចិត្រ"
ROMANISED = "Sokh Vechetr"
NUMBER = "EX0007194"
WHY = "He asked a school for work with children"


def lines() -> tuple[str, str]:
    """Of a made-up passport, whose holder's day of birth nobody knows, as ICAO 9303 lays it out."""
    checked = [f"{part}{check_digit(part)}" for part in (NUMBER, "6104<<", "310822", "<" * 14)]
    return "P<GBREXEMPLAR<<MIREN".ljust(44, "<"), f"{checked[0]}GBR{checked[1]}M{checked[2]}{checked[3]}{check_digit(''.join(checked))}"


def date_in(days: int) -> date:
    """A day to come."""
    return datetime.now(UTC).date() + timedelta(days=days)


def flight(number: str, after: int) -> dict[str, str]:
    """Of the first leg: its number, and when it leaves and lands, by the clocks there."""
    leaves, lands = (f"{at.day} {at:%B %Y}" for at in (date_in(after), date_in(after + 1)))
    leg = {"service_number": number, "departure.local": f"{leaves} 21:30", "arrival.local": f"{lands} 16:05"}
    return {f"f.itinerary[0].{name}": value for name, value in leg.items()}


def step(liaison: Person, name: str, given: dict[str, str]) -> None:
    """From the task list: fill in a step, save it, and be back at the list."""
    liaison.follow(name)
    liaison.fill(given)
    liaison.press("Save and go on")
    assert liaison.page.url.endswith("?saved"), liaison.texts()


def read(person: Person) -> list[str]:
    """What the page of an alert says of its handling and of each field, told, unknown or withheld; a preview cannot know how it came."""
    said: list[str] = person.page.eval_on_selector_all(
        "main .app-handling__list li, main dl.govuk-summary-list > div, main h2, main h2 + p.govuk-body:not(:has(a))",
        "found => found.map(one => one.innerText)",
    )
    return said


def documents_and_names(liaison: Person) -> None:
    """Read a passport's lines, wrong and then right; a name in another script."""
    first, second = lines()
    liaison.follow("Documents")
    liaison.fill({"mrz": f"{first}\n{second[:9]}{(int(second[9]) + 1) % 10}{second[10:]}"})
    liaison.press("Read the lines")
    liaison.reads("There is a problem", "These lines cannot be right", "Line 2, positions 1 to 10")
    liaison.page.locator("main [role=alert] a").click()
    assert liaison.page.evaluate("document.activeElement.id") == "mrz", "the error leads to its field"
    liaison.fill({"mrz": f"{first}\n{second}"})
    liaison.press("Read the lines")
    liaison.reads("All check digits hold.", "EXEMPLAR, MIREN", NUMBER, "Born April 1961")
    liaison.press("Take it over")
    liaison.reads("Documents 1", f"Number: {NUMBER}")
    liaison.follow("Back to the draft")
    liaison.follow("Names")
    liaison.reads("Known already, as from a document or a port:", "EXEMPLAR MIREN")
    liaison.press("Add: All names")
    liaison.fill({"f.names[0].as_written": KHMER, "f.names[0].kind": "ALIAS"})
    liaison.press("Save and go on")
    liaison.follow("Names")
    liaison.press(f"Add: {ROMANISED}")
    liaison.reads(f"Khmer {KHMER} {ROMANISED}")
    liaison.press("Save and go on")


def birth_and_journey(liaison: Person) -> None:
    """A date that can mean two days, and then a part of one; a leg by the names of its ports."""
    liaison.follow("Birth and description")
    liaison.fill({"f.birth.date": "04/05/1961", "f.birth.place": "Northampton", "f.appearance.hair": "grey, cut short"})
    liaison.press("Save and go on")
    liaison.reads("There is a problem", "This can mean two days.")
    liaison.page.locator("main [role=alert] a").click()
    assert liaison.page.evaluate("document.activeElement.id") == "f-birth-date"
    liaison.fill({"f.birth.date": "April 1961"})
    liaison.press("Save and go on")
    liaison.follow("Journey")
    liaison.press("Add: Itinerary")
    ports = {"f.itinerary[0].departure_port.code": "Heathrow", "f.itinerary[0].arrival_port.code": "Phnom Penh"}
    liaison.fill({**flight("QX 417", 20), **ports})
    liaison.press("Save and go on")
    liaison.reads("There is a problem", "not the code of a port", "London Heathrow Airport (LHR; United Kingdom (GBR))", "(Europe/London)")
    liaison.press("KTI – ")
    liaison.reads("Techo International Airport (KTI; Cambodia (KHM))", "(Asia/Phnom_Penh)")
    liaison.press("Save and go on")


def sign(liaison: Person, why: str, button: str) -> str:
    """From the preview: check what goes, and sign; which alert it became."""
    liaison.fill({"reason": why})
    liaison.press("Check and sign")
    liaison.reads("Confirm this with your passkey.", why)
    liaison.press(button)
    return liaison.page.url.partition("/sent/")[2].partition("?")[0]


def replace(liaison: Person, verb: str, name: str, given: dict[str, str], why: str) -> str:
    """From the page of an alert: put another in its place in which one step reads otherwise; which it is."""
    liaison.follow(verb)
    if verb.startswith("Correct"):
        liaison.fill({"code": "FACTUAL_ERROR"})
    liaison.press("Begin the draft")
    step(liaison, name, given)
    liaison.follow("What each recipient will see")
    liaison.reads("What changes", "Before", "Now")
    return sign(liaison, why, "Sign and send")


def test_an_alert_is_written_from_nothing_and_read_as_it_was_previewed(building: Building, both: Offices) -> None:
    building.traces.about("EXEMPLAR", "MIREN", NUMBER, "Northampton", ROMANISED)
    liaison, border = building.officer(both.gb, "liaison"), building.officer(both.kh, "partner-border", locale="km")
    liaison.goto("/drafts")
    liaison.press("Write an alert")
    liaison.press("Begin")
    documents_and_names(liaison)
    birth_and_journey(liaison)
    step(liaison, "What to do, and whom to call", {"f.requested_action": "VERIFY_IDENTITY"})
    step(liaison, "Where it comes from", {"f.grading:.source": "A", "f.grading:.certainty": "FACT"})
    told = {f"f.recipients={both.kh.agency(slug)}": "1" for slug in ("gdi", "ahtjp")}
    step(liaison, "Recipients, handling and reason", {**told, "f.purpose": "PREVENTION", "f.not_after": "40", "f.reason": WHY})
    liaison.reads("No problems")

    # What the desk will read is read in London first, in Khmer; and then in Phnom Penh, letter by letter.
    liaison.follow("What each recipient will see")
    liaison.follow("Read it as the desk of gdi")
    liaison.reads("EXEMPLAR MIREN", KHMER, ROMANISED, NUMBER, "QX 417", "Northampton")
    promised = read(liaison)
    assert "grey, cut short" not in liaison.texts(), "the clause gives that on request only"
    liaison.follow("Back to the preview")
    digest = sign(liaison, WHY, "Sign and release")
    border.goto("/inbox")
    border.sees(digest[:12])
    border.click(f'a[href="/inbox/{digest}"]')
    assert border.page.get_attribute("html", "lang") == "km"
    assert read(border) == promised


def test_an_alert_is_corrected_updated_and_more_is_told_of_it(building: Building, both: Offices) -> None:
    liaison, border = building.officer(both.gb, "liaison"), building.officer(both.kh, "partner-border", locale="km")
    ports = {"departure_port": "LHR", "arrival_port": "KTI"}
    own = {"itinerary": [{**ports, "service_number": "QX 417", "departure": f"{date_in(20)}T21:30", "arrival": f"{date_in(21)}T16:05"}]}
    digest = release(liaison, drafted(both, reference="EXAMPLE-21", alert=own))

    # What was wrong is corrected: the desk reads the difference, and of the alert before nothing but where the truth stands.
    corrected = replace(liaison, "Correct what was wrong", "Birth and description", {"f.birth.place": "Nottingham"}, "The register says so")
    border.goto(f"/inbox/{digest}")
    border.sees(say("Replaced"))
    border.reads(say("Replaced: read the alert in its place, which says what changed."))
    assert "Leeds" not in border.texts()
    border.follow(say("The alert in its place"))
    assert border.page.url.endswith(corrected)
    border.reads(say("What changed"), "Leeds", "Nottingham")
    assert "Leeds" not in "\n".join(read(border))

    # He flies on another day, on another flight: it stands first, and no other landing is named.
    updated = replace(liaison, "Update what has changed", "Journey", flight("QX 419", 24), "He was booked anew")
    border.goto("/inbox")
    border.sees(updated[:12])
    border.reads()
    rows = {
        one: border.page.locator(".app-list__item", has=border.page.locator(f'a[href="/inbox/{one}"]'))
        for one in (updated, corrected, digest)
    }
    assert [say("Lands") in row.inner_text() for row in rows.values()] == [True, False, False]
    order = border.page.locator(".app-list__title a").evaluate_all("links => links.map(one => one.getAttribute('href').slice(7))")
    assert min(rows, key=order.index) == updated
    border.click(f'a[href="/inbox/{updated}"]')
    border.reads(say("What changed"), "QX 417", "QX 419")
    assert "QX 417" not in "\n".join(read(border))

    # The desk cannot tell him from others: it is told one thing more, for a reason of the case.
    assert "white, short" not in border.texts()
    liaison.follow("Tell GDI, Cambodia more")
    liaison.fill({"field-6": "yes", "reason": "The desk cannot tell him from others"})
    liaison.press("Check and sign")
    liaison.reads("The clause gives this only for a reason of the case. Choose one.")
    liaison.fill({"ground": "IDENTIFICATION"})
    liaison.press("Check and sign")
    liaison.press("Sign and send")
    liaison.reads("That agency is told more.")
    border.sees("white, short")
    border.reads("QX 419", "Nottingham")
