"""A desk works on tips in the console: what waits first, one tip as text, each deed as the command line does it, and refusals alike."""

import re
from collections.abc import Iterator

import pytest

from exchange.v1 import desk_service_pb2 as messages
from exchange.v1 import tip_pb2
from node.console import tip_pages
from node.console.tip_deeds import CLOSE_REASONS, DEEDS, offered
from node.operations import draft_box, tip_line
from node.operations.tip_convert import convert_tip
from node.operations.tip_desk import get_tip, other_desks
from node.tips.states import AFTER
from tests.console_site import Browser, Shown
from tests.countries import NGO, POLICE, agency, changed
from tests.federation import Federation, federation
from tests.rig import Office
from tests.tips import KH_BORDER, NGO_ID, REPORTER, SECRET, calm, content, finished, submitted, takes_tips, tips_agreement

pytestmark = pytest.mark.thorough

WHY = "synthetic reason"


@pytest.fixture(scope="module")
def kh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with federation(tmp_path_factory.mktemp("one"), "kh") as made:
        yield takes_tips(made["kh"])


@pytest.fixture
def police(kh: Office) -> Browser:
    return Browser(kh).enter("police")


def came(office: Office, **more: object) -> str:
    """A tip at the national desk, by reference."""
    return submitted(office, **{"tip": calm(), **more}).reference


def state(office: Office, reference: str, name: str = "police") -> int:
    return get_tip(office.ports, office.person(name), reference).summary.state


def texts(page: str) -> list[str]:
    return [text for _, text in Shown(page).texts]


def codes(office: Office, before: int) -> list[tuple[str, str, str]]:
    return [(kind, who.rpartition("/")[2], code) for kind, who, _, code in office.journal()[before:]]


def test_a_tip_is_taken_acted_upon_and_closed(kh: Office, police: Browser) -> None:
    reference = came(kh)
    before = len(kh.journal())
    assert reference in police.get("/tips").text
    page = police.get(f"/tips/{reference}").text
    assert "Take it up" in page
    assert f"/tips/{reference}/acted" not in page
    taken = police.send(f"/tips/{reference}/take", {})
    assert (taken.status_code, taken.headers["location"]) == (303, f"/tips/{reference}?done")
    page = police.get(f"/tips/{reference}?done").text
    assert {"Under assessment", "It was recorded."} <= set(texts(page))
    assert "Take it up" not in page
    assert police.send(f"/tips/{reference}/acted", {"reason": WHY}).status_code == 303
    assert state(kh, reference) == tip_pb2.TIP_STATE_ACTED_UPON
    assert police.send(f"/tips/{reference}/close", {"choice": "DEALT_WITH", "reason": WHY}).status_code == 303
    assert "Closed: Dealt with" in texts(police.get(f"/tips/{reference}").text)
    assert reference not in police.get("/tips").text
    assert reference in police.get("/tips?all").text
    done = [one for one in codes(kh, before) if one[0] == "alteration"]
    assert done == [("alteration", "police", code) for code in ("TIP_TAKEN", "TIP_ACTED_UPON", "TIP_CLOSED")]


def test_what_was_told_is_text_and_the_reporter_is_not_there(kh: Office, police: Browser) -> None:
    hostile = 'see https://example.org/<script>alert(1)</script> {{ 7*7 }} "onload='
    reference = came(kh, tip=calm(evidence_custodian=hostile), contact={"telephone": REPORTER})
    page = police.get(f"/tips/{reference}").text
    assert "<script>alert" not in page
    assert 'href="https://example.org' not in page
    assert "{{ 7*7 }}" in page
    assert any(SECRET in text for text in texts(page))
    assert REPORTER not in page
    assert "Hotline (EXAMPLE)" in texts(page)
    assert "How the reporter can be reached is in escrow." in texts(page)
    assert not re.search(SECRET, "".join(re.findall(r'<title>[^<]*|(?:href|action)="[^"]*"', page)))


def test_the_reporter_is_reached_for_a_purpose_and_a_reason_by_who_took_the_tip(kh: Office, police: Browser) -> None:
    reference = came(kh, contact={"telephone": REPORTER, "other": "<b>\u200e"})
    form = {"choice": "CHILD_SAFEGUARDING", "reason": WHY}
    refused = police.send(f"/tips/{reference}/contact", form)
    assert (refused.status_code, "CONTACT_NOT_YOURS" in refused.text, REPORTER in refused.text) == (403, True, False)
    police.send(f"/tips/{reference}/take", {})
    for missing in ({}, {"choice": "CHILD_SAFEGUARDING"}, {"reason": WHY}, {"choice": "UNSPECIFIED", "reason": WHY}):
        page = police.send(f"/tips/{reference}/contact", missing)
        assert (page.status_code, REPORTER in page.text) == (422, False)
    before = len(kh.journal())
    shown = police.send(f"/tips/{reference}/contact", form)
    assert (shown.status_code, REPORTER in shown.text, "&lt;b&gt;" in shown.text) == (200, True, True)
    assert shown.headers["cache-control"] == "no-store"
    assert codes(kh, before)[-1] == ("consultation", "police", "TIP_CONTACT")
    assert Browser(kh).enter("liaison").send(f"/tips/{reference}/contact", form).status_code == 200


def test_an_organisation_is_asked_and_reads_it(kh: Office, police: Browser) -> None:
    reference = came(kh)
    assert police.send(f"/tips/{reference}/safeguard", {"choice": "DO_NOT_CONFRONT"}).status_code == 303
    assert "Asked of the organisation" in police.get(f"/tips/{reference}").text
    assert "Do not confront the suspect" in Browser(kh).enter("ngo").get(f"/tell/{reference}").text


def test_what_is_referred_is_seen_no_more_and_never_goes_to_an_organisation(kh: Office, police: Browser) -> None:
    reference = came(kh)
    police.send(f"/tips/{reference}/take", {})
    page = police.get(f"/tips/{reference}/refer").text
    assert re.findall(r'name="choice" type="radio" value="([^"]*)"', page) == [KH_BORDER] == other_desks(kh.ports, kh.person("police"))
    assert agency("kh", NGO) not in page
    assert police.send(f"/tips/{reference}/refer", {"choice": agency("kh", NGO), "reason": WHY}).status_code == 422
    gone = police.send(f"/tips/{reference}/refer", {"choice": KH_BORDER, "reason": WHY})
    assert gone.headers["location"] == "/tips?done"
    assert police.get(f"/tips/{reference}").status_code == 404
    assert reference not in police.get("/tips").text
    assert "another desk of this country referred it here" in Browser(kh).enter("border").get(f"/tips/{reference}").text


def test_a_tip_is_erased_in_part_or_whole(kh: Office, police: Browser) -> None:
    reference = came(kh, contact={"telephone": REPORTER})
    assert police.send(f"/tips/{reference}/erase", {"choice": "contact", "reason": WHY}).status_code == 303
    page = police.get(f"/tips/{reference}").text
    assert "Nothing is held of how the reporter can be reached." in page
    assert f"/tips/{reference}/contact" not in page
    assert any(SECRET in text for text in texts(page))
    assert police.send(f"/tips/{reference}/erase", {"choice": "all", "reason": WHY}).status_code == 303
    page = police.get(f"/tips/{reference}").text
    assert SECRET not in page
    assert "It is erased: only what became of it is left." in texts(page)
    assert f"/tips/{reference}/erase" not in page


def test_what_is_missing_is_said_beside_its_field_and_what_was_typed_stays(kh: Office, police: Browser) -> None:
    reference = came(kh)
    police.send(f"/tips/{reference}/take", {})
    page = police.send(f"/tips/{reference}/close", {"choice": "BORED"})
    assert page.status_code == 422
    assert "<title>Error: Close the tip" in page.text
    assert {"#choice", "#reason"} <= {given.get("href") for tag, given in Shown(page.text).tags if tag == "a"}
    page = police.send(f"/tips/{reference}/close", {"reason": "kept </textarea> words"})
    assert "kept &lt;/textarea&gt; words" in page.text
    page = police.send(f"/tips/{reference}/close", {"choice": "DUPLICATE"})
    assert re.search(r'value="DUPLICATE" checked', page.text)
    assert state(kh, reference) == tip_pb2.TIP_STATE_UNDER_ASSESSMENT


def test_a_deed_that_the_state_does_not_allow_is_refused(kh: Office, police: Browser) -> None:
    reference = came(kh)
    refused = police.send(f"/tips/{reference}/close", {"choice": "DUPLICATE", "reason": WHY})
    assert (refused.status_code, "TIP_STATE" in refused.text) == (409, True)
    for path in (f"/tips/{reference}/burn", "/tips/T-0000", "/tips/%2e%2e"):
        assert police.get(path).status_code == 404


def test_each_deed_is_offered_where_it_leads_somewhere() -> None:
    for now in AFTER:
        names = {deed.name for deed in offered(now, contact_held=True, erased=False, proposed=True)}
        looked = now in {tip_pb2.TIP_STATE_UNDER_ASSESSMENT, tip_pb2.TIP_STATE_ACTED_UPON}
        assert names == {deed.name for deed in DEEDS if not deed.to or deed.to in AFTER[now]} - (set() if looked else {"convert"})
        assert "convert" not in {deed.name for deed in offered(now, contact_held=True, erased=False, proposed=False)}
    for words, enum in ((CLOSE_REASONS, messages.TipCloseReason), (tip_pages.STATES, tip_pb2.TipState)):
        prefix = enum.Name(0).removesuffix("UNSPECIFIED")
        assert set(words) == {value.name.removeprefix(prefix) for value in enum.DESCRIPTOR.values if value.number}


def test_whose_tips_it_may_be_finds_them_in_the_navigation_and_in_the_work(kh: Office, police: Browser) -> None:
    reference = came(kh)
    assert 'href="/tips"' in police.get("/you").text
    assert f'href="/tips/{reference}"' in police.get("/work").text
    for name in ("ngo", "auditor", "administrator"):
        assert 'href="/tips"' not in Browser(kh).enter(name).get("/you").text
    assert Browser(kh).enter("border").get(f"/tips/{reference}").status_code == 404


def test_danger_and_lateness_are_said_in_words(kh: Office) -> None:
    reference = submitted(kh, tip=content()).reference
    kh.clock.pass_(2 * 3_600_000)
    page = Browser(kh).enter("border").get("/tips").text
    item = page[page.index(reference) :]
    assert "A child may be in danger" in item
    assert "Late" in item


def test_long_lists_are_small_pages(kh: Office, police: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    found = messages.ListTipsResponse(left_off=7)
    for _ in range(500):
        times = {"look_by": 1, "submitted_at": 1}
        found.tips.add(reference="T-0000-0000", danger=True, late=True, state=tip_pb2.TIP_STATE_REFERRED, officer="x" * 60, **times)
    monkeypatch.setattr(tip_pages, "list_tips", lambda *_: found)
    for language in ("en", "km"):
        police.send("/language", {"language": language})
        page = police.get("/tips")
        assert len(page.content) < 60_000
    police.send("/language", {"language": "en"})
    assert "457 more are not shown." in police.get("/tips").text


def test_each_field_has_its_label(kh: Office, police: Browser) -> None:
    reference = came(kh, contact={"telephone": REPORTER})
    for path in ("/tips", f"/tips/{reference}", *(f"/tips/{reference}/{deed.name}" for deed in DEEDS)):
        tags = Shown(police.get(path).text).tags
        assert [tag for tag, _ in tags].count("h1") == 1
        names = [given["id"] for _, given in tags if given.get("id")]
        assert len(names) == len(set(names)), path
        labels = {given.get("for") for tag, given in tags if tag == "label"}
        inputs = {given.get("id") for tag, given in tags if tag in {"input", "textarea"} and given.get("type") != "hidden"}
        assert inputs <= labels, path


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    with federation(tmp_path_factory.mktemp("two"), "gb", "kh") as made:
        takes_tips(made["kh"])
        made.connect("gb", "kh", tips_agreement())
        yield made


def test_what_became_of_a_partners_tip_is_told_back_once(two: Federation) -> None:
    kh, gb = two["kh"], two["gb"]
    tip = submitted(kh, tip=calm())
    kh_police = Browser(kh).enter("police")
    kh_police.send(f"/tips/{tip.reference}/take", {})
    request = messages.ConvertTipRequest(tip=tip.reference, alert_type="exchange.v1.Tip", partner=agency("gb", POLICE))
    told = kh.publish(finished(convert_tip(kh.ports, kh.person("police"), request)))
    assert not told.problems
    two.pump()
    digest = told.manifest_digest.hex()
    browser = Browser(gb).enter("police")
    assert f'href="/inbox/{digest}/tip-status"' in browser.get(f"/inbox/{digest}").text
    assert browser.send(f"/inbox/{digest}/tip-status", {"choice": "DRAFT"}).status_code == 422
    for _ in range(2):  # as when a person presses twice
        answer = browser.send(f"/inbox/{digest}/tip-status", {"choice": "UNDER_ASSESSMENT"})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/inbox/{digest}?reported")
    two.pump()
    page = kh_police.get(f"/tips/{tip.reference}").text
    assert "Other countries say" in page
    assert page.count("Under assessment, ") == 1
    assert "Acted upon by" in page
    status = tip_line.tip_status(kh.ports, NGO_ID, tip.tip_id)
    assert list(status.abroad) == [tip_pb2.TIP_STATE_UNDER_ASSESSMENT]
    assert "Somebody works on it" in texts(Browser(kh).enter("ngo").get(f"/tell/{tip.reference}").text)


def test_what_is_no_tip_is_not_answered_by_a_state(two: Federation) -> None:
    browser = Browser(two["gb"]).enter("police")
    assert browser.send(f"/inbox/{'0' * 64}/tip-status", {"choice": "CLOSED"}).status_code == 404
    assert browser.get("/inbox/x/tip-status").status_code == 404


@pytest.mark.parametrize("kind", ["InformationRequest", "SubjectWarning", "TravelAlert", "Tip"])
def test_a_tip_becomes_a_draft_that_keeps_its_thread(two: Federation, kind: str) -> None:
    kh = two["kh"]
    tip = submitted(kh, tip=calm())
    liaison = Browser(kh).enter("liaison")
    assert f"/tips/{tip.reference}/convert" not in liaison.get(f"/tips/{tip.reference}").text
    liaison.send(f"/tips/{tip.reference}/take", {})
    assert f"/tips/{tip.reference}/convert" in liaison.get(f"/tips/{tip.reference}").text
    choice = f"exchange.v1.{kind} {agency('gb', POLICE)}"
    assert f'value="{choice}"' in liaison.get(f"/tips/{tip.reference}/convert").text
    made = liaison.send(f"/tips/{tip.reference}/convert", {"choice": choice})
    assert made.status_code == 303
    page = liaison.get(made.headers["location"])
    assert page.status_code == 200
    read = draft_box.read_draft(kh.ports, kh.person("liaison"), bytes.fromhex(made.headers["location"].rpartition("/")[2]))
    request = messages.ConvertTipRequest(tip=tip.reference, alert_type=f"exchange.v1.{kind}", partner=agency("gb", POLICE))
    wanted = convert_tip(kh.ports, kh.person("liaison"), request)
    assert read.draft.thread == wanted.thread
    assert changed(read.draft, request_id=b"") == wanted
    before = len(kh.journal())
    for other in (f"exchange.v1.Withdrawal {agency('gb', POLICE)}", f"exchange.v1.{kind} {agency('gb', NGO)}", kind):
        assert liaison.send(f"/tips/{tip.reference}/convert", {"choice": other}).status_code == 422
    assert ("consultation", "liaison", "TIP") in codes(kh, before)
    police = Browser(kh).enter("police").send(f"/tips/{tip.reference}/convert", {"choice": choice})
    assert (police.status_code, "ROLE_MISSING" in police.text) == (403, True)


def test_of_several_suspects_it_is_said_whom_a_draft_is_about(two: Federation) -> None:
    kh = two["kh"]
    first = calm()["suspects"][0]
    second = first | {"names_as_heard": [{"as_written": "Second EXAMPLE", "strength": "WEAK"}]}
    tip = submitted(kh, tip=calm(suspects=[first, second]))
    liaison = Browser(kh).enter("liaison")
    liaison.send(f"/tips/{tip.reference}/take", {})
    page = liaison.get(f"/tips/{tip.reference}/convert").text
    choice = f"exchange.v1.SubjectWarning {agency('gb', POLICE)}"
    assert [f'value="{choice}{end}"' in page for end in ("", " 0", " 1", " 2")] == [False, True, True, False]
    assert f'value="exchange.v1.Tip {agency("gb", POLICE)}"' in page
    assert "about suspect 2" in page
    made = liaison.send(f"/tips/{tip.reference}/convert", {"choice": f"{choice} 1"})
    read = draft_box.read_draft(kh.ports, kh.person("liaison"), bytes.fromhex(made.headers["location"].rpartition("/")[2]))
    assert b"Second EXAMPLE" in read.draft.alert
    assert liaison.send(f"/tips/{tip.reference}/convert", {"choice": f"{choice} 2"}).status_code == 422
