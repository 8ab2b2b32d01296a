"""The day of the police desk in Phnom Penh, in Khmer, from a passenger list to the next shift; and what London hears of it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from exchange.v1 import desk_service_pb2 as desk
from node.keys.node_directory import fingerprint_of
from tests.browser.offices import Building, Offices, Person
from tests.browser.test_day_of_ngo import say
from tests.browser.test_days import drafted, release
from tests.system.nodes import ask, set_up

pytestmark = pytest.mark.system

VIETNAM = "spiffe://vn.alerts.example/agency/immigration"
SEEN = "អ្នកដំណើរមានស្លាកស្នាមនៅលើដៃ"
"""The traveller has a scar on the hand."""
WHY = "គាត់អាចបន្តដំណើរទៅវៀតណាម"
"""He may travel on to Viet Nam."""


@pytest.fixture
def vietnam(both: Offices, tmp_path: Path) -> Iterator[str]:
    """An agency of a third country, which Cambodia knows and London does not."""
    chain = (set_up("VN", tmp_path).directory / "descriptor.pb").read_bytes()
    with ask(both.kh, "administrator") as stub:
        stub.AddPartner(desk.AddPartnerRequest(descriptors=chain, fingerprint=fingerprint_of(chain)))
        yield VIETNAM
        stub.SuspendPartner(desk.SuspendPartnerRequest(trust_domain="vn.alerts.example", reason="It is of this test alone"))


def opened(police: Person, digest: str) -> None:
    """Wait for an alert at the desk, and open it."""
    police.goto("/inbox")
    police.sees(digest[:12])
    police.click(f'a[href="/inbox/{digest}"]')


def test_a_passenger_list_hits_and_it_is_somebody_else(building: Building, both: Offices, tmp_path: Path) -> None:
    building.traces.about("BYSTANDER", "EXAMPLE31", "Passengers of the noon flight")
    liaison, police = building.officer(both.gb, "liaison"), building.officer(both.kh, "partner-police", locale="km")
    digest = release(liaison, drafted(both, reference="EXAMPLE-31"))
    opened(police, digest)
    police.follow(say("Say that you read it"))
    police.reads(say("Say that you read it"))
    police.press(say("Say that it was read"))
    police.reads(say("The sender learns that you read it."))

    file = tmp_path / "Passengers of the noon flight.csv"
    columns = "family_name,given_names,birth_date,sex,nationality,document_number,document_issuer"
    file.write_text(f"{columns}\nBYSTANDER,QUITE,1977-01-01,F,FRA,ZZ1234,FRA\nPLACEHOLDER,BRIAN,1974-11-02,M,GBR,EXAMPLE31,GBR\n", "utf-8")
    police.goto("/screen")
    police.page.set_input_files("#list", file)
    police.press(say("Screen the list"))
    # Why he comes up stands beside him, rule by rule; who does not come up is not named.
    police.reads("PLACEHOLDER / BRIAN", digest[:12], say("the very document"), "EXAMPLE31", "1974-11-02", say("Points"))
    assert "BYSTANDER" not in police.texts()
    with police.page.expect_popup() as opens:
        police.page.locator("main").get_by_role("link", name=say("Report back, also that it is not this person")).click()
    beside = replace(police, page=opens.value)
    assert beside.page.url == f"{police.origin}/inbox/{digest}/report"
    beside.fill({"outcome": "NOT_THIS_PERSON", "remarks": SEEN})
    beside.press(say("Send the report"))
    beside.reads(say("Your report was sent."))
    police.reads("PLACEHOLDER / BRIAN")

    told = liaison.page.locator("section.app-recipient", has_text="AHTJP, Cambodia")
    liaison.awaits(told.locator("li.is-done", has_text="Reported"))
    assert told.locator("li.is-done", has_text="Opened by a person, as that agency says:").count() == 1
    liaison.click("section.app-recipient a[href^='/inbox/']")
    liaison.reads("not this person", SEEN)


def test_a_question_goes_to_london_and_its_answer_comes_back(building: Building, both: Offices) -> None:
    liaison, asker = building.officer(both.gb, "liaison"), building.officer(both.kh, "liaison")
    digest = release(liaison, drafted(both, reference="EXAMPLE-32"))
    opened(asker, digest)
    asker.press("Ask the sender a question")
    asker.reads("Information request", "Has problems")
    for name, given in (
        ("Birth and description", {"f.subject.name.as_written": "PLACEHOLDER, EXAMPLE-32"}),
        ("Why", {"f.questions=CRIMINAL_RECORD": "1", "f.details": "Was he forbidden to work with children?"}),
        ("What to do", {"f.urgency": "URGENT", "f.urgency_grounds=CHILD_AT_RISK": "1", "f.purpose": "PREVENTION"}),
        ("Recipients", {"f.purpose": "PREVENTION", "f.not_after": "20", "f.reason": "He is to meet a school"}),
    ):
        asker.follow(name)
        asker.fill(given)
        asker.press("Save and go on")
    asker.follow("What each recipient will see")
    asker.press("Check and sign")
    asker.press("Sign and release")
    request = asker.page.url.partition("/sent/")[2].partition("?")[0]

    liaison.goto("/requests")
    liaison.sees(request[:12])
    liaison.click(f'a[href="/requests/{request}"]')
    liaison.reads("Asked of us: AHTJP, Cambodia", "Urgent", "Clock runs")
    liaison.press("Answer")
    liaison.press("Send the answer")
    liaison.reads("There is a problem")
    liaison.fill({"answer-1": "ANSWER_CODE_YES", "text-1": "A court forbade him to teach.", "why": "They ask for a child at risk"})
    liaison.press("Send the answer")
    liaison.reads("Your answer was sent.", "State Answered", "Clock in time")
    asker.goto(f"/requests/{request}")
    asker.sees("State\nAnswered")
    asker.click("a[href^='/inbox/']")
    asker.reads("Information response", "A court forbade him to teach.")
    assert "They ask for a child at risk" not in asker.texts(), "why London answered stays in London"


def test_leave_to_pass_on_is_asked_and_granted_in_part(building: Building, both: Offices, vietnam: str) -> None:
    liaison, police = building.officer(both.gb, "liaison"), building.officer(both.kh, "partner-police", locale="km")
    digest = release(liaison, drafted(both, reference="EXAMPLE-33"))
    opened(police, digest)
    police.follow(say("Ask leave to pass on"))
    fields = dict.fromkeys(("field-1", "field-3", "field-30"), "yes")
    until = f"{datetime.now(UTC).date() + timedelta(days=9)} 18:00"
    police.fill({"kind": "ONWARD", "third_party": vietnam, **fields, "purpose": "PURPOSE_PREVENTION", "until": until})
    police.press(say("Ask"))
    police.reads(say("There is a problem"))
    police.fill({"reason": WHY})
    police.press(say("Ask"))
    police.reads(say("You have asked. The decision comes to your inbox."))
    request = police.page.url.partition("/leave/")[2].partition("?")[0]

    liaison.goto("/work")
    liaison.sees(request[:12])
    liaison.click(f'a[href="/leave/{request}"]')
    liaison.reads("Who asks AHTJP, Cambodia", "For immigration, Vietnam", "Name as in the document, Birth, Requested action")
    liaison.follow("Read why they ask")
    liaison.reads(WHY)
    liaison.goto(f"/leave/{request}")
    liaison.press("Grant or deny")
    liaison.fill({"grant": "GRANT", "reason": "Who he is and what to do are enough"})
    liaison.page.uncheck('main [name="field-3"]')
    liaison.press("Check and sign")
    liaison.reads("Your decision Grant it", "Fields Name as in the document, Requested action", "Confirm this with your passkey.")
    liaison.press("Sign and send")
    liaison.reads("You have granted it.")

    police.goto(f"/leave/{request}")
    police.sees(say("Granted"))
    police.reads(say("Fields granted"))
    police.follow(say("Read the decision"))
    police.reads("Who he is and what to do are enough")


def test_one_shift_hands_over_to_the_next(building: Building, both: Offices) -> None:
    liaison, police = building.officer(both.gb, "liaison"), building.officer(both.kh, "partner-police", locale="km")
    following = building.officer(both.kh, "liaison")
    digest = release(liaison, drafted(both, reference="EXAMPLE-34"))
    opened(police, digest)
    note = f"សូមពិនិត្យ {digest[:12]} នៅពេលល្ងាច"
    police.goto("/work")
    police.follow(say("Shift handover"))
    police.reads(digest[:12])
    police.fill({"note": note})
    police.press(say("Leave the note"))
    police.reads(say("Your note waits for the next shift."), say("nobody yet"), note)
    assert not police.page.get_by_role("button", name=say("I have read this and take over")).count(), "nobody takes over from oneself"
    following.goto("/work")
    following.reads("Note of the shift before")
    following.follow("Shift handover")
    following.reads(note, "nobody yet", "Alert to report on", digest[:12])
    following.press("I have read this and take over")
    following.reads("You have taken over.", "Taken over by sarus, Cambodia")
    following.goto("/work")
    assert "Note of the shift before" not in following.texts()
    police.page.reload()
    police.reads("sarus, កម្ពុជា")
