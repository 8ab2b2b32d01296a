"""Correcting and updating in the console: a draft that begins with what the alert said, and what the desk abroad reads of it then."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from exchange.encoding import encode
from exchange.errors import NotFound
from exchange.profile import alert_type
from exchange.v1 import desk_service_pb2 as messages
from node.cli.alert_recall import CORRECTION_REASONS
from node.console.preview_words import recipient_reference
from node.intake.alert_file import load_alert_file
from node.intake.fill_in import fill_in, take_out
from node.operations import draft_box, outbox
from node.operations.inbox import get_inbox_alert
from node.operations.replacement_draft import begin_replacement, replacement
from node.tips.draft_file import draft_document
from tests import builders
from tests.confirming import Hands, entered, signed
from tests.console_site import Browser, Shown, field
from tests.countries import BORDER, DAY, HOUR, POLICE, agency, agreement, with_clause
from tests.federation import Federation, federation
from tests.node.test_alert_file import SAMPLES
from tests.recalls import WITHDRAWAL, recalled, replaced
from tests.rig import ROLES, Office, draft

pytestmark = pytest.mark.thorough

KH_BORDER, KH_POLICE, VN_BORDER = agency("kh", BORDER), agency("kh", POLICE), agency("vn", BORDER)
REASON = "synthetic reason"
ITINERARY, APPEARANCE = 11, 6


@pytest.fixture
def digest(two: Federation, gb: Office) -> str:
    return published(two, gb, KH_BORDER, KH_POLICE)


def published(made: Federation, office: Office, *to: str, **changes: Any) -> str:
    """An alert as the intake makes one, which was told, by its digest."""
    alert = builders.alert()
    fill_in(alert)
    answer = office.publish(draft(*to, alert=encode(alert), **changes))
    assert not answer.problems
    made.pump()
    return str(answer.manifest_digest.hex())


def begun(browser: Browser, digest: str, verb: str = "update", **form: str) -> str:
    """The address of a draft that takes that alert's place."""
    answer = browser.send(f"/sent/{digest}/{verb}", form)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"]).partition("?")[0]


def flown(browser: Browser, address: str, number: str = "XX 99") -> None:
    """Change the flight, as an officer does on the page of the journey."""
    page = browser.get(f"{address}/step/journey").text
    form = dict(re.findall(r'name="(f\.[^"]*)" value="([^"]*)"', page.replace("&#34;", "")))
    chosen = re.findall(r'<select[^>]*name="(f\.[^"]*)"[^>]*>(.*?)</select>', page, re.DOTALL)
    form |= {name: re.findall(r'value="([^"]*)" selected', inside)[0] for name, inside in chosen}
    form |= {"f.itinerary[0].service_number": number, "version": field(page, "version"), "action": "save"}
    assert browser.send(f"{address}/step/journey", form).status_code == 303


def shown_before(browser: Browser, address: str) -> Any:
    """The page that asks for the passkey."""
    page = browser.get(f"{address}/preview").text
    return browser.send(f"{address}/preview", {"preview": field(page, "preview"), "reason": REASON})


def sent(browser: Browser, hands: Hands, address: str) -> Any:
    page = shown_before(browser, address)
    assert page.status_code == 200, page.text
    return browser.post(f"{address}/release", signed(page.text, hands.key("liaison")))


def texts(page: str) -> str:
    return " ".join(text for _, text in Shown(page).texts)


def test_a_correction_by_form_and_what_the_desk_reads_of_it(two: Federation, gb: Office, hands: Hands, digest: str) -> None:
    kh, browser = two["kh"], entered(gb, "liaison", hands)
    assert f"/sent/{digest}/correct" in browser.get(f"/sent/{digest}").text
    assert [f'value="{code}"' in browser.get(f"/sent/{digest}/correct").text for code in CORRECTION_REASONS] == [True] * 5
    address = begun(browser, digest, "correct", code="FACTUAL_ERROR")
    flown(browser, address)
    preview = browser.get(f"{address}/preview").text
    assert "A correction: Something in it was not so" in texts(preview)
    assert f'href="/sent/{digest}"' in preview
    theirs = browser.get(f"{address}/preview/{recipient_reference(KH_BORDER)}?language=en").text
    answer = sent(browser, hands, address)
    found = re.fullmatch(r"/sent/([0-9a-f]{64})\?corrected", answer.headers["location"])
    assert found, answer.text
    new = found[1]
    two.pump()
    seen = get_inbox_alert(kh.ports, kh.person("border"), new)
    assert [one.field for one in seen.changes] == [ITINERARY]
    assert seen.replaces.hex() == digest
    # What the desk reads of the difference is what the preview of its page said.
    page = Browser(kh).enter("border").get(f"/inbox/{new}").text
    assert changed(page) == changed(theirs)
    assert "XX 99" in changed(page)
    old = Browser(kh).enter("border").get(f"/inbox/{digest}").text
    assert f'href="/inbox/{new}"' in old
    assert "Corrected" in texts(old)
    # And here each leads to the other.
    assert f'href="/sent/{digest}"' in browser.get(answer.headers["location"]).text
    mine = browser.get(f"/sent/{digest}").text
    assert f'href="/sent/{new}"' in mine
    assert f"/sent/{digest}/correct" not in mine
    with pytest.raises(NotFound):
        draft_box.get(gb.ports, gb.person("liaison"), bytes.fromhex(address.rpartition("/")[2]))
    assert not gb.fsck()
    assert not kh.fsck()


def changed(page: str) -> str:
    """What a page says has changed."""
    return texts(page.partition("What changed</h2>")[2].partition("</main>")[0].partition('<h2 class="govuk-heading-m">')[0])


def test_an_update_by_form(two: Federation, gb: Office, hands: Hands, digest: str) -> None:
    kh, browser = two["kh"], entered(gb, "liaison", hands)
    address = begun(browser, digest)
    held = draft_box.get(gb.ports, gb.person("liaison"), bytes.fromhex(address.rpartition("/")[2])).content
    draft_box.change(
        gb.ports,
        gb.person("liaison"),
        bytes.fromhex(address.rpartition("/")[2]),
        1,
        lambda before: draft_box.DraftContent(document={**held.document, "not_after": "P25D"}, replaces=before.replaces),
    )
    preview = texts(browser.get(f"{address}/preview").text)
    assert "An update" in preview
    assert "No field reads otherwise." in preview
    answer = sent(browser, hands, address)
    new = re.fullmatch(r"/sent/([0-9a-f]{64})\?updated", answer.headers["location"])
    assert new, answer.text
    two.pump()
    assert get_inbox_alert(kh.ports, kh.person("police"), new[1]).summary.not_after > gb.clock.now_ms() + 24 * DAY
    status = outbox.get_status(gb.ports, gb.person("liaison"), new[1])
    assert [one.hex() for one in status.manifests] == [digest, new[1]]
    assert not status.recalls
    assert not gb.fsck()


def test_the_draft_says_what_the_alert_said_to_whom_it_was_told_and_no_more(two: Federation, gb: Office) -> None:
    digest = published(two, gb, KH_BORDER, KH_POLICE, unticked=[APPEARANCE], thread=b"\x07" * 32)
    me = gb.person("liaison")
    held = begin_replacement(gb.ports, me, digest, "FACTUAL_ERROR", ("itinerary",))
    assert isinstance(held, draft_box.HeldDraft)
    assert held.content.replaces == draft_box.Replaces(alert=digest, correction="FACTUAL_ERROR", wrong=("itinerary",))
    read = draft_box.read_draft(gb.ports, me, held.id)
    before = outbox.get_alert(gb.ports, me, digest)
    assert read.draft.alert == before.view
    assert read.draft.handling == before.handling
    assert (read.draft.not_after, read.draft.purpose) == (before.summary.not_after, 1)
    assert set(read.draft.recipients) == {KH_BORDER, KH_POLICE}
    assert [one.hex() for one in read.draft.supersedes] == [digest]
    assert read.draft.thread == b"\x07" * 32
    assert APPEARANCE in read.draft.unticked
    assert not [one for one in read.problems if one.severity == messages.SEVERITY_ERROR]
    asked = replacement(read.draft, held.content.replaces, REASON)
    assert (asked.correction_reason, list(asked.wrong_fields), asked.as_it_stands) == (1, [ITINERARY], True)
    # Ports and scripts follow from what is typed, so that another code is not beside the name of the one before.
    typed: Any = held.content.document["alert"]
    assert set(typed["itinerary"][0]["departure_port"]) == {"code"}
    # Another code, another request: the first answer is not this one's.
    again = draft_box.change(gb.ports, me, held.id, 1, lambda one: replace(one, replaces=draft_box.Replaces(alert=digest)))
    assert draft_box.read_held(gb.ports, again).draft.request_id != read.draft.request_id


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda one: one.stem)
def test_any_alert_comes_back_from_the_draft_as_the_same_bytes(sample: Path) -> None:
    loaded = load_alert_file(sample.read_text(), name=sample.name, today=date(2026, 6, 1))
    alert = alert_type(loaded.draft.alert_type).message.FromString(loaded.draft.alert)
    take_out(alert)
    loaded.draft.alert, whole = encode(alert), loaded.draft.alert
    document = {**json.loads(json.dumps(draft_document(loaded.draft)), parse_int=str), "language": "en"}
    again = load_alert_file(json.dumps(document), name="a.json", today=date(2026, 6, 1))
    assert again.draft.alert == whole
    assert again.draft.handling == loaded.draft.handling


def test_what_the_command_line_refuses_begins_no_draft(two: Federation, gb: Office, hands: Hands, digest: str) -> None:
    browser = entered(gb, "liaison", hands)
    for name in ROLES:
        status = 200 if name in {"liaison", "second"} else 404 if name == "both" else 403
        for verb in ("correct", "update"):
            assert Browser(gb).enter(name).get(f"/sent/{digest}/{verb}").status_code == status, (name, verb)
            if status != 200:
                form = {"code": "FACTUAL_ERROR"}
                assert Browser(gb).enter(name).send(f"/sent/{digest}/{verb}", form).status_code == status, (name, verb)
    for wrong in ({}, {"code": "MADE_UP"}, {"code": "UNSPECIFIED"}):
        answer = browser.send(f"/sent/{digest}/correct", wrong)
        assert (answer.status_code, 'href="#code"' in answer.text) == (422, True)
    newer = replaced(gb, bytes.fromhex(digest)).replacement.manifest_digest.hex()
    for verb, form in (("update", {}), ("correct", {"code": "DISPUTED"})):
        answer = browser.send(f"/sent/{digest}/{verb}", form)
        assert (answer.status_code, "Another alert took this one’s place." in answer.text) == (422, True)
    recalled(gb, bytes.fromhex(newer), WITHDRAWAL)
    answer = browser.send(f"/sent/{newer}/update", {})
    assert (answer.status_code, "This alert was withdrawn" in answer.text) == (422, True)
    assert draft_box.list_drafts(gb.ports, gb.person("liaison")) == []


def test_of_two_replacements_the_first_holds(two: Federation, gb: Office, hands: Hands, digest: str) -> None:
    browser = entered(gb, "liaison", hands)
    address = begun(browser, digest)
    flown(browser, address)
    page = shown_before(browser, address)
    # Between the page and the passkey a colleague replaces it by the command line.
    replaced(gb, bytes.fromhex(digest))
    answer = browser.post(f"{address}/release", signed(page.text, hands.key("liaison")))
    assert answer.status_code == 422
    assert "Another alert took this one’s place. Go to that one." in answer.text or "ALREADY_SUPERSEDED" in answer.text
    assert "This cannot be released yet." in browser.get(f"{address}/preview").text
    assert not gb.fsck()


def test_what_was_wrong_is_said_otherwise_in_the_draft(two: Federation, gb: Office, hands: Hands, digest: str) -> None:
    browser = entered(gb, "liaison", hands)
    address = begun(browser, digest, "correct", code="FACTUAL_ERROR")
    assert f'href="{address}/correction"' in browser.get(address).text
    assert "nothing yet" in texts(browser.get(f"{address}/preview").text)
    page = browser.get(f"{address}/correction").text
    sent_form = {"code": "DISPUTED", f"field-{ITINERARY}": "yes", "version": field(page, "version")}
    assert browser.send(f"{address}/correction", {**sent_form, "code": ""}).status_code == 422
    assert browser.send(f"{address}/correction", sent_form).status_code == 303
    assert browser.send(f"{address}/correction", {**sent_form, "code": "NOT_LAWFUL"}).status_code == 409, "an older version was seen"
    said = texts(browser.get(f"{address}/preview").text)
    assert "A correction: The person contests that it is right" in said
    assert "Named as wrong: Itinerary" in said
    # A colleague reads it, and changes nothing; what corrects nothing has no such page.
    other = Browser(gb).enter("second")
    assert "Save and go on" not in other.get(f"{address}/correction").text
    assert other.send(f"{address}/correction", sent_form).status_code == 403
    assert browser.get(f"{begun(browser, digest)}/correction").status_code == 404
    # Nothing but the field that is named was wrong: that goes as well, without another value.
    answer = sent(browser, hands, address)
    two.pump()
    new = answer.headers["location"].removeprefix("/sent/").partition("?")[0]
    (notice,) = get_inbox_alert(two["kh"].ports, two["kh"].person("border"), digest).recalls
    assert (notice.reason, list(notice.wrong_fields)) == ("DISPUTED", [ITINERARY])
    assert not get_inbox_alert(two["kh"].ports, two["kh"].person("border"), new).changes


def test_nothing_changed_corrects_nothing(gb: Office, hands: Hands, digest: str) -> None:
    browser = entered(gb, "liaison", hands)
    address = begun(browser, digest, "correct", code="FACTUAL_ERROR")
    page = browser.get(f"{address}/preview").text
    assert "Nothing differs from the alert that it would replace. Change something, or say what was wrong." in texts(page)
    assert "This cannot be released yet." in page
    assert browser.send(f"{address}/release", {"preview": "", "reason": REASON}).status_code == 422


@pytest.fixture
def ending(tmp_path: Path) -> Iterator[Federation]:
    """Three countries, of which gb's agreement with vn ends after an hour."""
    with federation(tmp_path, "gb", "kh", "vn") as made:
        made.connect("gb", "kh")
        made.connect("gb", "vn", agreement("gb", "vn", valid_until=made.clock.now_ms() + HOUR))
        yield made


@pytest.mark.parametrize("verb", ["correct", "update"])
def test_whoever_no_clause_admits_any_more_learns_that_and_no_new_value(ending: Federation, verb: str) -> None:
    gb, vn = ending["gb"], ending["vn"]
    hands = Hands(gb)
    digest = published(ending, gb, KH_BORDER, VN_BORDER)
    ending.clock.time += 2 * HOUR
    browser = entered(gb, "liaison", hands)
    address = begun(browser, digest, verb, code="FACTUAL_ERROR")
    flown(browser, address)
    said = texts(browser.get(f"{address}/preview").text)
    assert "They were told before, and are given no new values" in said
    assert ("They learn which fields were wrong" in said) == (verb == "correct")
    assert ("They learn that what they hold is out of date." in said) == (verb == "update")
    page = texts(shown_before(browser, address).text)
    assert ("They learn that it was wrong" if verb == "correct" else "They learn that it is out of date") in page
    answer = sent(browser, hands, address)
    assert answer.status_code == 303, answer.text
    ending.pump()
    seen = get_inbox_alert(vn.ports, vn.person("border"), digest)
    assert "DISPUTED" in seen.summary.flags
    assert not gb.fsck()
    assert not vn.fsck()


@pytest.fixture
def eyes(tmp_path: Path) -> Iterator[Federation]:
    """Two countries; what goes to the border police needs a second officer once its first alert was told."""
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh")
        yield made


def to_approve(made: Federation) -> None:
    """From now on a clause asks for a second officer."""
    made.connect("gb", "kh", with_clause(agreement("gb", "kh"), "gb-kh-travelalert-border", approvals=1))


def test_an_update_that_needs_a_second_officer_waits_for_one(eyes: Federation) -> None:
    gb, kh = eyes["gb"], eyes["kh"]
    hands = Hands(gb)
    digest = published(eyes, gb, KH_BORDER, KH_POLICE)
    to_approve(eyes)
    browser = entered(gb, "liaison", hands)
    address = begun(browser, digest)
    flown(browser, address)
    assert "asks for a second officer" in texts(browser.get(f"{address}/preview").text)
    answer = sent(browser, hands, address)
    waiting = answer.headers["location"].partition("?")[0]
    assert waiting.startswith("/approvals/"), answer.text
    second = entered(gb, "second", hands)
    assert "XX 99" in texts(second.get(waiting).text)
    page = second.get(f"{waiting}/approve").text
    released = second.post(f"{waiting}/approve", signed(page, hands.key("second")))
    new = released.headers["location"].removeprefix("/sent/").partition("?")[0]
    eyes.pump()
    for name in ("border", "police"):
        assert get_inbox_alert(kh.ports, kh.person(name), new).replaces.hex() == digest
    assert not gb.fsck()


def test_a_correction_waits_for_nobody_and_the_new_values_for_a_second_officer(eyes: Federation) -> None:
    gb, kh = eyes["gb"], eyes["kh"]
    hands = Hands(gb)
    digest = published(eyes, gb, KH_BORDER, KH_POLICE)
    to_approve(eyes)
    browser = entered(gb, "liaison", hands)
    address = begun(browser, digest, "correct", code="FACTUAL_ERROR")
    flown(browser, address)
    assert "Sign the correction first" in texts(browser.get(f"{address}/preview").text)
    answer = sent(browser, hands, address)
    assert answer.headers["location"] == f"{address}/preview?corrected", answer.text
    eyes.pump()
    assert "DISPUTED" in get_inbox_alert(kh.ports, kh.person("border"), digest).summary.flags
    between = get_inbox_alert(kh.ports, kh.person("police"), digest).replaced_by.hex()
    assert between
    waiting = sent(browser, hands, address).headers["location"].partition("?")[0]
    second = entered(gb, "second", hands)
    page = second.get(f"{waiting}/approve").text
    released = second.post(f"{waiting}/approve", signed(page, hands.key("second")))
    new = released.headers["location"].removeprefix("/sent/").partition("?")[0]
    eyes.pump()
    assert get_inbox_alert(kh.ports, kh.person("border"), new).replaces.hex() == digest
    assert get_inbox_alert(kh.ports, kh.person("police"), new).replaces.hex() == between
    assert not gb.fsck()
    assert not kh.fsck()
