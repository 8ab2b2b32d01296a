"""The day of an NGO in Cambodia: a tip on a small phone, in Khmer; what the police make of it; and what comes back, and nothing else."""

import re

import pytest

from exchange.v1 import desk_service_pb2 as desk
from node.console.languages import load_languages
from node.tips.safeguards import SAFEGUARDS
from tests.browser.offices import Building, Offices, Person
from tests.system.nodes import ask

pytestmark = pytest.mark.system

PHONE = {"width": 360, "height": 740}
SEEN = "បុរសម្នាក់មកជាមួយកុមារជារៀងរាល់ថ្ងៃ"
"""A man comes with a child every day."""
WHERE = "សៀមរាប"


def say(text: str) -> str:
    """A text of the console in Khmer."""
    said = load_languages()["km"].say(text)
    assert said != text
    return said


def looks(ngo: Person, *texts: str) -> None:
    """The page says so in Khmer, and is no wider than the phone."""
    ngo.reads(*texts)
    assert ngo.page.get_attribute("html", "lang") == "km"
    assert ngo.page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]


def go_on(ngo: Person, **fields: str) -> None:
    """Fill in what is known of one step, and save it."""
    for name, value in fields.items():
        ngo.page.fill(f'main [name="{name}"]', value)
    ngo.press(say("Save and go on"))


def triage(police: Person, reference: str) -> None:
    """What waits, what was told, and what is asked of the organisation."""
    police.goto("/work")
    police.reads("Tip to look at")
    police.click(f'a[href="/tips/{reference}"]')
    police.reads("A child may be in danger", "Nobody has looked", SEEN, "Nothing of this is a fact yet.")
    police.press("Take it up")
    police.reads("Under assessment")
    police.follow("Ask the organisation for something")
    police.page.check('main [name="choice"][value="DO_NOT_CONFRONT"]')
    police.press("Ask the organisation for something")
    police.reads("It was recorded.", SAFEGUARDS["DO_NOT_CONFRONT"])


def test_a_tip_is_told_on_a_phone_and_a_desk_asks_for_something(building: Building, both: Offices) -> None:
    ngo = building.officer(both.kh, "partner-ngo", locale="km", viewport=PHONE)
    police = building.officer(both.kh, "partner-police")
    ngo.goto("/")
    assert ngo.page.url == f"{ngo.origin}/tell"
    looks(ngo, say("Tell what you saw"), say("There are none yet."), "Emergency police (EXAMPLE)")
    ngo.press(say("Begin a new tip"))
    found = re.search(r"/tell/(T-[0-9A-Z]{4}-[0-9A-Z]{4})/danger$", ngo.page.url)
    assert found
    reference = found[1]
    looks(ngo, reference, "Emergency police (EXAMPLE)")
    ngo.page.check('main [name="danger"][value="yes"]')
    go_on(ngo, reason="គាត់នៅទីនោះឥឡូវនេះ")
    go_on(ngo, province=WHERE, year="2026")

    # The line breaks. What was saved is there, whom it is for has not seen it, and nothing has to be known to go on.
    ngo.goto("/tell")
    looks(ngo, reference, say("Not sent yet"))
    police.goto("/tips")
    police.reads("No tip is at your desk.")
    ngo.follow(reference)
    looks(ngo, WHERE, say("Look through it, and send it"))
    ngo.goto(f"/tell/{reference}/person")
    go_on(ngo, description=SEEN)
    ngo.page.check('main [name="concerns_ALONE_WITH_CHILDREN"]')
    go_on(ngo)
    looks(ngo)
    ngo.press(say("Save, and go to the end"))
    looks(ngo, reference, SEEN, say("Say it when you call."))
    ngo.page.get_by_role("button", name=say("Send it now")).first.click()
    ngo.page.wait_for_url("**?sent")
    looks(ngo, reference, say("A desk has it"))

    triage(police, reference)
    ngo.goto("/tell")
    looks(ngo, say("The desk asks you"), say(SAFEGUARDS["DO_NOT_CONFRONT"]))
    ngo.click(f'a[href="/tell/{reference}"]')
    looks(ngo, say("Somebody works on it"), say(SAFEGUARDS["DO_NOT_CONFRONT"]))
    assert SEEN not in ngo.texts(), "once it is sent it is not shown here again"
    answer = ngo.goto(f"/tips/{reference}")
    assert SEEN not in answer.content(), "what a desk makes of it is for the desk"

    # Nobody decided to tell London: its node holds nothing of it.
    with ask(both.gb, "liaison") as stub:
        assert not stub.ListTips(desk.ListTipsRequest(all=True)).tips
    held = b"".join(path.read_bytes() for path in both.gb.database.parent.iterdir() if path.is_file())
    assert reference.encode() not in held
