"""The form in which an NGO tells what it saw: short steps that are saved, nothing that must be answered, and the status alone back."""

import gzip
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from exchange.errors import Conflict, NotFound
from exchange.v1 import desk_service_pb2 as messages
from exchange.v1.tip_pb2 import CONCERN_CODE_GROOMING, Tip
from node.config import OfficerEntry
from node.console.assets import load_assets
from node.console.tell_pages import MOST
from node.console.tell_steps import STEPS, Step
from node.operations import tip_desk, tip_form
from node.operations.officers import NotPermitted
from node.operations.tip_content import open_contact, open_tip
from node.operations.tip_erase import run_due
from node.operations.tip_form import begin_tip, is_ngo, open_draft, save_draft, submit_draft
from node.store import tips
from node.tips.plan import CallNow
from tests.console_site import Browser, Shown, field, site_of
from tests.countries import NGO, agency
from tests.federation import federation
from tests.refusals import refused
from tests.rig import Office
from tests.tips import EMERGENCY, HELPLINE, KH_BORDER, NGO_ID, OTHER_NGO, REPORTER, SECRET, new_id, saved, submitted, takes_tips

pytestmark = pytest.mark.thorough

FIRST_VIEW = 300_000
PAGE_BYTES = 60_000
WHOLE: Mapping[str, Mapping[str, str]] = {
    "danger": {"danger": "yes", "reason": "He is there with a child now."},
    "place": {"province": " siem  reap ", "district": "Svay Dangkum", "premises": "GUESTHOUSE", "year": "2026", "month": "5"},
    "person": {"name": SECRET, "name_other": "ម៉ាក", "description": "Tall.", "nationality": "GBR", "age": "60", "handles": "one\r\n\r\ntwo"},
    "children": {"concerns_GROOMING": "on", "count": "២", "bands_6_TO_12": "on", "guessed_YES": "on"},
    "reporter": {"anonymous": "yes", "contact_telephone": REPORTER, "custodian": "The hotline"},
}


@pytest.fixture(scope="module")
def kh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with federation(tmp_path_factory.mktemp("one"), "kh") as made:
        yield takes_tips(made["kh"])


@pytest.fixture
def browser(kh: Office) -> Browser:
    return Browser(kh).enter("ngo")


def begun(browser: Browser) -> str:
    """A new tip, by its reference."""
    answer = browser.send("/tell", {"tip": field(browser.get("/tell").text, "tip")})
    assert answer.status_code == 303
    found = re.fullmatch(r"/tell/(T-[0-9A-Z]{4}-[0-9A-Z]{4})/danger", answer.headers["location"])
    assert found
    return found[1]


def told(browser: Browser, form: Mapping[str, Mapping[str, str]] = WHOLE) -> str:
    """A tip whose steps were filled in."""
    reference = begun(browser)
    for step, fields in form.items():
        assert browser.send(f"/tell/{reference}/{step}", fields).status_code == 303
    return reference


def held(office: Office, reference: str) -> tuple[Tip, Any, Any]:
    """What the store has: the tip, the contact, the row."""
    with office.ports.store.read() as tx:
        row = tips.tip_called(tx, reference)
        assert row is not None
        contact = open_contact(office.ports, tx, row) if row.contact == "held" else None
        return open_tip(office.ports, tx, row), contact, row


def texts(page: str) -> list[str]:
    return [text for _, text in Shown(page).texts]


# -- the way through ---------------------------------------------------------------------------------------------------


def test_a_tip_goes_from_the_first_page_to_the_desk_and_only_its_status_comes_back(kh: Office, browser: Browser) -> None:
    reference = begun(browser)
    where = f"/tell/{reference}/danger"
    for step in STEPS:
        assert where == f"/tell/{reference}/{step.name}"
        answer = browser.send(where, WHOLE[step.name])
        assert answer.status_code == 303
        where = answer.headers["location"]
    assert where == f"/tell/{reference}/check"
    page = browser.get(where).text
    assert all(any(words in text for text in texts(page)) for words in (SECRET, "ម៉ាក", "The hotline", "guesthouse"))
    assert REPORTER not in page
    sent = browser.send(f"/tell/{reference}/send", {})
    assert (sent.status_code, sent.headers["location"]) == (303, f"/tell/{reference}?sent")
    tip, contact, row = held(kh, reference)
    assert (row.ngo, row.agency, row.danger) == (NGO_ID, KH_BORDER, True)
    assert (tip.observed, tip.place.area.province, tip.child.count) == ("2026-05", "siem reap", 2)
    assert list(tip.concerns) == [CONCERN_CODE_GROOMING]
    assert tip.reporter_organisation == "Hotline (EXAMPLE)"
    assert (tip.anonymous, tip.child.age_uncertain, list(tip.suspects[0].online_handles)) == (True, True, ["one", "two"])
    assert [(one.as_written, one.script) for one in tip.suspects[0].names_as_heard] == [(SECRET, "Latn"), ("ម៉ាក", "Khmr")]
    assert contact.telephone == REPORTER
    status = browser.get(f"/tell/{reference}?sent").text
    assert {reference, "A desk has it", "117", "1280"} <= set(texts(status))
    for page in (status, browser.get("/tell").text):
        assert SECRET not in page
        assert "Tall." not in page


def test_what_a_person_of_an_ngo_did_is_in_the_journal_in_the_persons_name(kh: Office, browser: Browser) -> None:
    before = len(kh.journal())
    reference = told(browser, {"danger": {"danger": "no"}})
    browser.get(f"/tell/{reference}/check")
    browser.send(f"/tell/{reference}/send", {})
    done = [(kind, who.rpartition("/")[2], code) for kind, who, _, code in kh.journal()[before:]]
    assert done == [
        ("collection", "ngo", "TIP_SAVED"),
        ("consultation", "ngo", "TIP"),
        ("collection", "ngo", "TIP_SAVED"),
        ("consultation", "ngo", "TIP"),
        ("collection", "ngo", "TIP_RECEIVED"),
    ]


def test_nothing_must_be_answered(kh: Office, browser: Browser) -> None:
    reference = begun(browser)
    for step in STEPS:
        assert browser.send(f"/tell/{reference}/{step.name}", {}).status_code == 303
    page = browser.get(f"/tell/{reference}/check").text
    assert "You can send it as it is. If you know them, 9 more answers would help the desk." in page
    assert browser.send(f"/tell/{reference}/send", {}).status_code == 303
    tip, contact, row = held(kh, reference)
    assert {name.name for name, _ in tip.ListFields()} == {"reporter_organisation", "language"}
    assert (contact, row.state) == (None, 1)


def test_each_question_can_be_left_open_again(kh: Office, browser: Browser) -> None:
    reference = told(browser)
    for step in STEPS:
        browser.send(f"/tell/{reference}/{step.name}", {"forget_YES": "on"} if step is STEPS[-1] else {})
    tip, contact, _ = held(kh, reference)
    assert {name.name for name, _ in tip.ListFields()} == {"reporter_organisation", "language"}
    assert contact is None


def test_the_same_beginning_twice_is_one_tip_and_the_same_end_too(kh: Office, browser: Browser) -> None:
    form = {"tip": field(browser.get("/tell").text, "tip")}
    first, second = (browser.send("/tell", form).headers["location"] for _ in range(2))
    assert first == second
    reference = first.split("/")[2]
    before = len(kh.journal())
    for _ in range(2):
        assert browser.send(f"/tell/{reference}/send", {}).headers["location"] == f"/tell/{reference}?sent"
    assert [code for *_, code in kh.journal()[before:]] == ["TIP_RECEIVED"]
    for wrong in ("", "x", "0" * 32, "A" * 32):
        assert browser.send("/tell", {"tip": wrong}).status_code == 400


def test_a_step_shows_what_was_saved_and_goes_to_the_end_when_asked(kh: Office, browser: Browser) -> None:
    reference = told(browser)
    person = browser.get(f"/tell/{reference}/person").text
    assert f'value="{SECRET}"' in person
    assert '<option value="GBR" selected>' in person
    assert "one\ntwo" in person
    children = browser.get(f"/tell/{reference}/children").text
    assert len(re.findall(r'type="checkbox"[^>]* checked', children)) == 3
    assert 'value="2"' in children
    place = browser.get(f"/tell/{reference}/place").text
    assert '<option value="GUESTHOUSE" selected>' in place
    assert re.search(r'name="month"[^>]*value="5"', place)
    danger = browser.get(f"/tell/{reference}/danger").text
    assert re.search(r'value="yes" checked', danger)
    reporter = browser.get(f"/tell/{reference}/reporter").text
    assert REPORTER not in reporter
    assert "kept sealed" in reporter
    ended = browser.send(f"/tell/{reference}/danger", {**WHOLE["danger"], "go": "check"})
    assert ended.headers["location"] == f"/tell/{reference}/check"


def test_contact_details_stay_unless_others_are_written_or_they_are_to_go(kh: Office, browser: Browser) -> None:
    reference = told(browser)
    browser.send(f"/tell/{reference}/reporter", {"anonymous": "no"})
    assert held(kh, reference)[1].telephone == REPORTER
    browser.send(f"/tell/{reference}/reporter", {"contact_email": "night@example.org"})
    contact = held(kh, reference)[1]
    assert (contact.email, contact.telephone) == ("night@example.org", "")
    browser.send(f"/tell/{reference}/reporter", {"forget_YES": "on"})
    assert held(kh, reference)[1] is None


# -- what is wrong -----------------------------------------------------------------------------------------------------


def test_all_that_is_wrong_is_said_beside_its_question_and_nothing_is_lost(kh: Office, browser: Browser) -> None:
    reference = begun(browser)
    page = browser.send(f"/tell/{reference}/person", {"name": "Марк Mark", "vehicle": "x" * 300, "description": "kept <b>words</b>"})
    assert page.status_code == 422
    assert "<title>Error: Whom did you see?" in page.text
    assert {"#name", "#vehicle"} <= {given.get("href") for tag, given in Shown(page.text).tags if tag == "a"}
    assert "letters of two scripts" in page.text
    assert "This is longer than 200 characters: only its beginning is saved." in page.text
    assert "What could be read on this page is saved." in page.text
    assert ("x" * 300) in page.text
    assert "kept &lt;b&gt;words" in page.text
    (suspect,) = held(kh, reference)[0].suspects
    assert (suspect.vehicle, suspect.description[0].text, list(suspect.names_as_heard)) == ("x" * 200, "kept <b>words</b>", [])
    marked = browser.send(f"/tell/{reference}/danger", {"reason": "a\u202eb"})
    assert (marked.status_code, "hide or reorder letters" in marked.text, "\u202e" in texts(marked.text)) == (422, True, False)
    when = browser.send(f"/tell/{reference}/place", {"day": "31", "month": "2", "year": "2026"})
    assert (when.status_code, 'href="#day"' in when.text) == (422, True)
    count = browser.send(f"/tell/{reference}/children", {"count": "many"})
    assert (count.status_code, "Write a whole number" in count.text) == (422, True)
    reporter = browser.send(f"/tell/{reference}/reporter", {"contact_other": "x" * 201})
    assert (reporter.status_code, 'href="#contact_other"' in reporter.text) == (422, True)
    many = browser.send(f"/tell/{reference}/person", {"handles": "\n".join(map(str, range(17)))})
    assert (many.status_code, "These are too many" in many.text) == (422, True)


def test_one_answer_that_cannot_be_read_costs_no_other(kh: Office, browser: Browser) -> None:
    reference = told(browser)
    typed = {"province": "Kampot", "district": "d" * 101, "day": "", "month": "5", "year": "yesterday"}
    page = browser.send(f"/tell/{reference}/place", typed)
    assert (page.status_code, 'value="yesterday"' in page.text, 'href="#day"' in page.text) == (422, True, True)
    again = browser.get(f"/tell/{reference}/place").text
    assert 'value="Kampot"' in again
    tip = held(kh, reference)[0]
    assert (tip.place.area.province, tip.place.area.district, tip.observed) == ("Kampot", "d" * 100, "2026-05")
    wrong = browser.send(f"/tell/{reference}/reporter", {"anonymous": "yes", "contact_name": "Sokha", "contact_other": "a\u202eb"})
    assert wrong.status_code == 422
    tip, contact, _ = held(kh, reference)
    assert (tip.anonymous, contact.name, contact.other) == (True, "Sokha", "")


@pytest.mark.parametrize(("step", "name"), [(step, ask.name) for step in STEPS for ask in step.asks if ask.name in MOST])
def test_an_answer_holds_as_much_as_the_form_says(browser: Browser, step: Step, name: str) -> None:
    path = f"/tell/{told(browser, {})}/{step.name}"
    assert browser.send(path, {name: "x" * MOST[name]}).status_code == 303
    page = browser.send(path, {name: "x" * (MOST[name] + 1)})
    assert (page.status_code, f"longer than {MOST[name]:,} characters" in page.text) == (422, True)
    if step.name in {"danger", "person"} and name in {"reason", "description"}:
        assert "At most 2,000 characters." in page.text


def test_links_and_markup_are_only_text(kh: Office, browser: Browser) -> None:
    reference = told(browser, {"danger": {"reason": "see https://example.org <script>alert(1)</script> {{ 7*7 }}"}})
    for path in ("danger", "check"):
        page = browser.get(f"/tell/{reference}/{path}").text
        assert "<script>alert" not in page
        assert 'href="https://example.org' not in page
        assert "{{ 7*7 }}" in page


def test_what_a_program_wrote_is_shown_whole_before_it_is_sent(kh: Office, browser: Browser) -> None:
    made = saved(kh).reference
    page = browser.get(f"/tell/{made}/check").text
    assert any("Siem Reap" in text and "KHM" in text for text in texts(page))


def test_choices_that_are_none_say_nothing(kh: Office, browser: Browser) -> None:
    reference = told(browser, {"place": {"premises": "CASTLE"}, "danger": {"danger": "perhaps"}, "children": {"concerns_OTHER": "on"}})
    tip = held(kh, reference)[0]
    assert (tip.HasField("place"), tip.HasField("immediate_danger"), list(tip.concerns)) == (False, False, [])


# -- whose it is -------------------------------------------------------------------------------------------------------


def test_another_organisations_tip_is_not_there(kh: Office, browser: Browser) -> None:
    other = submitted(kh, ngo=OTHER_NGO).reference
    for path in (f"/tell/{other}", f"/tell/{other}/check", f"/tell/{other}/danger"):
        answer = browser.get(path)
        assert (answer.status_code, "TIP_UNKNOWN" in answer.text) == (404, True)
    for path in (f"/tell/{other}/send", f"/tell/{other}/danger"):
        assert browser.send(path, {}).status_code == 404
    assert other not in browser.get("/tell").text
    for wrong in ("T-0000-0000/danger", "t-0000-0000", "T-00000000", "T-IIII-0000", "%2e%2e", "T-0000-0000/nothing"):
        assert browser.get(f"/tell/{wrong}").status_code == 404


def test_what_was_submitted_is_read_and_changed_no_more(kh: Office, browser: Browser) -> None:
    reference = told(browser)
    submit_draft(kh.ports, kh.person("ngo"), reference)
    for path in ("check", "danger"):
        answer = browser.get(f"/tell/{reference}/{path}")
        assert (answer.status_code, "TIP_SUBMITTED" in answer.text, SECRET in answer.text) == (409, True, False)
    assert browser.send(f"/tell/{reference}/danger", {"danger": "no"}).status_code == 409
    with refused(Conflict, "TIP_SUBMITTED"):
        save_draft(kh.ports, kh.person("ngo"), reference, Tip(), None)
    with refused(NotFound, "TIP_UNKNOWN"):
        open_draft(kh.ports, kh.person("ngo"), "T-0000-0000")


def test_only_who_works_for_an_organisation_of_the_plan_tells(kh: Office) -> None:
    for name, code in (("police", "NGO_UNKNOWN"), ("administrator", "ROLE_MISSING"), ("auditor", "ROLE_MISSING")):
        before = len(kh.journal())
        with refused(NotPermitted, code):
            begin_tip(kh.ports, kh.person(name), new_id(), "en")
        assert [code for *_, code in kh.journal()[before:]] == [code]
        assert '"/tell"' not in Browser(kh).enter(name).get("/you").text
    nobody = OfficerEntry(id=kh.ports.officers[kh.person("ngo")].id, roles=("auditor",), agency=kh.ports.officers[kh.person("ngo")].agency)
    assert not is_ngo(kh.ports, nobody)
    assert not is_ngo(kh.ports, None)


def test_an_organisation_begins_with_the_form_and_is_led_to_nothing_else(browser: Browser) -> None:
    assert browser.get("/").headers["location"] == "/tell"
    page = browser.get("/tell").text
    assert re.findall(r'href="(/[a-z]+)"', page[page.index("<nav") : page.index("</nav>")]) == ["/tell", "/you"]


# -- what is shown -----------------------------------------------------------------------------------------------------


def test_whom_to_call_stands_before_any_question(kh: Office, browser: Browser) -> None:
    reference = begun(browser)
    for path in ("", f"/{reference}/danger", f"/{reference}/check"):
        page = browser.get(f"/tell{path}").text
        assert page.index('href="tel:117"') < page.index("<button", page.index("<main"))
        assert EMERGENCY.name in page
        assert HELPLINE.name not in page
    browser.send(f"/tell/{reference}/place", {"province": "Siem Reap"})
    assert 'href="tel:1280"' in browser.get(f"/tell/{reference}/check").text


def test_a_channel_that_is_no_number_is_text(kh: Office) -> None:

    calls = (CallNow(name="<b>Desk</b>\u202e", channel="javascript:alert(1)", provinces=frozenset()),)
    before, kh.ports = kh.ports, takes_tips(kh, contacts=calls).ports
    try:
        page = Browser(kh).enter("ngo").get("/tell").text
    finally:
        kh.ports = before
    assert "&lt;b&gt;Desk" in page
    assert 'href="javascript' not in page
    assert "\u202e" not in page


def test_what_a_desk_asks_for_stands_first_and_states_in_words(kh: Office, browser: Browser) -> None:
    reference = told(browser)
    submit_draft(kh.ports, kh.person("ngo"), reference)
    tip_desk.take_tip(kh.ports, kh.person("border"), reference)
    asked = messages.SafeguardTipRequest(tip=reference, code=messages.TIP_SAFEGUARD_DO_NOT_CONFRONT)
    tip_desk.safeguard_tip(kh.ports, kh.person("border"), asked)
    for path in ("/tell", f"/tell/{reference}"):
        shown = texts(browser.get(path).text)
        assert "The desk asks you" in shown
        assert any(text.startswith("Do not confront the suspect") for text in shown)
        assert "Somebody works on it" in shown
        assert not any("border" in text for text in shown)
    closing = messages.CloseTipRequest(tip=reference, code=messages.TIP_CLOSE_REASON_DEALT_WITH, reason="synthetic")
    tip_desk.close_tip(kh.ports, kh.person("border"), closing)
    assert "Do not confront" not in browser.get("/tell").text
    assert "Closed" in texts(browser.get(f"/tell/{reference}").text)


def test_the_list_is_the_newest_first_and_goes_on(kh: Office, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tip_form, "LISTED_AT_MOST", 2)
    made = [begun(browser) for _ in range(3)]
    page = browser.get("/tell").text
    assert re.findall(r'href="/tell/(T-[^"]+)"', page) == [made[2], made[1]]
    (older,) = re.findall(r'href="(/tell\?before=\d+)"', page)
    assert re.findall(r'href="/tell/(T-[^"]+)"', browser.get(older).text)[0] == made[0]
    assert browser.get("/tell?before=x").status_code == 400


def test_a_draft_that_nobody_touched_is_gone_and_says_so(kh: Office, browser: Browser) -> None:

    reference = told(browser)
    kh.clock.pass_(15 * 86_400_000)
    run_due(kh.ports, kh.domain)
    browser.enter("ngo")
    shown = texts(browser.get(f"/tell/{reference}").text)
    assert "Erased" in shown
    assert browser.get(f"/tell/{reference}/danger").status_code == 404
    assert "Erased" in texts(browser.get("/tell").text)


# -- on a poor line ----------------------------------------------------------------------------------------------------


def test_the_first_view_in_khmer_is_small(kh: Office) -> None:
    browser = Browser(kh, site_of(kh, language="km")).enter("ngo")
    reference = told(browser)
    page = browser.get("/tell")
    assert page.headers["content-language"] == "km"
    for path in ("", f"/{reference}/check", *(f"/{reference}/{step.name}" for step in STEPS)):
        content = browser.get(f"/tell{path}").content
        assert len(content) < PAGE_BYTES, path
    try:
        assets = load_assets().by_name
    except NotFound:
        pytest.skip("assets were not built")
    wanted = ["console.css", "console.js", "govuk-frontend.min.js", "icon.svg"]
    wanted += [name for name in assets if "khmer" in name or "noto-sans-latin-4" in name or "noto-sans-latin-7" in name]
    weights = [len(assets[name].packed or assets[name].data) for name in wanted]
    assert len(weights) == 8
    assert sum(weights) + len(gzip.compress(page.content)) < FIRST_VIEW


def test_the_language_is_the_nodes_unless_the_browser_or_the_person_says_otherwise(kh: Office) -> None:
    browser = Browser(kh, site_of(kh, language="km")).enter("ngo")
    assert browser.get("/tell").headers["content-language"] == "km"
    assert browser.get("/tell", **{"accept-language": "en-US,en;q=0.9"}).headers["content-language"] == "en"
    browser.send("/language", {"language": "vi"})
    assert browser.get("/tell").headers["content-language"] == "vi"


def test_no_address_and_no_title_tells_of_anybody(kh: Office, browser: Browser) -> None:
    reference = told(browser)
    known = re.compile(
        rf"/(tell(/{reference}(/(danger|place|person|children|reporter|check|send))?|/T-[0-9A-Z-]+|\?before=\d+)?|work|inbox|you|language"
        r"|sign-in|sign-out|assets/\w+/[\w.-]+)?|#[a-z-]+|tel:\d+"
    )
    for path in ("", f"/{reference}/check", *(f"/{reference}/{step.name}" for step in STEPS)):
        page = browser.get(f"/tell{path}").text
        assert [one for one in re.findall(r'(?:href|action|src)="([^"]*)"', page) if not known.fullmatch(one)] == []
        (title,) = re.findall(r"<title>([^<]*)</title>", page)
        assert SECRET not in title


def test_each_question_has_its_label(browser: Browser) -> None:
    reference = told(browser)
    for path in ("", f"/{reference}/check", *(f"/{reference}/{step.name}" for step in STEPS)):
        tags = Shown(browser.get(f"/tell{path}").text).tags
        assert [tag for tag, _ in tags].count("h1") == 1
        names = [given["id"] for _, given in tags if given.get("id")]
        assert len(names) == len(set(names)), path
        labels = {given.get("for") for tag, given in tags if tag == "label"}
        inputs = {given.get("id") for tag, given in tags if tag in {"input", "textarea", "select"} and given.get("type") != "hidden"}
        assert inputs <= labels, path
        described = {name for _, given in tags for name in (given.get("aria-describedby") or "").split()}
        assert described <= set(names), path


def test_the_ngo_of_the_plan_is_the_agency_of_the_roster(kh: Office) -> None:
    assert kh.ports.tips is not None
    assert kh.ports.tips.agencies == {agency("kh", NGO): NGO_ID}
