"""The console's pages: who may open which, what one alert shows, and the report that goes back."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exchange.encoding import encode
from exchange.v1 import desk_service_pb2, handling_pb2, hit_report_pb2, people_pb2, travel_alert_pb2
from node.console import desk_pages, report_form, report_pages
from node.console.page import Page
from node.operations.arrivals import Stop
from node.operations.inbox_times import Times
from node.operations.tip_form import begin_tip, submit_draft
from tests import builders
from tests.console_opens import GIVEN, IN_PATHS, NEW, OPENS
from tests.console_site import CHANNEL, Browser, Shown, field, site_of
from tests.countries import BORDER, NOW, POLICE, TRAVEL, agency
from tests.drafts import begun
from tests.federation import Federation, federation
from tests.rig import ROLES, Office, draft
from tests.tips import new_id, takes_tips

pytestmark = pytest.mark.thorough

PAGE_BYTES = 60_000
SEEN = {"primary": "EXAMPLE, Thomas Specimen"}


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    with federation(tmp_path_factory.mktemp("two"), "gb", "kh") as made:
        made.connect("gb", "kh")
        yield made


@pytest.fixture(scope="module")
def digest(two: Federation) -> str:
    return told(two)


@pytest.fixture(scope="module")
def kh(two: Federation) -> Office:
    return takes_tips(two["kh"])


def told(two: Federation, **changes: Any) -> str:
    """An alert that the border agency and the police were told, by digest."""
    published = two["gb"].publish(draft(agency("kh", BORDER), agency("kh", POLICE), **changes))
    assert not published.problems
    two.pump()
    return published.manifest_digest.hex()


def ask(browser: Browser, page: Page, digest: str) -> Any:
    path = (
        browser.fill(page.path)
        .replace("{alert}", digest)
        .replace("{request}", digest)
        .replace("{step}", "danger")
        .replace("{deed}", "safeguard")
    )
    if "{tip}" in path:
        office, ngo = browser.office, browser.office.person("ngo")
        tip = begin_tip(office.ports, ngo, new_id(), "en")
        if path.startswith("/tips"):
            submit_draft(office.ports, ngo, tip)
        path = path.replace("{tip}", tip)
    if "{draft}" in path:
        path = path.replace("{draft}", begun(browser.office)).replace("{part}", "names")
    path = path.format(**IN_PATHS)
    if page.method == "GET":
        return browser.get(path)
    form = {
        "language": "en",
        "type": TRAVEL,
        "version": "1",
        "f.primary_name.as_written": "EXAMPLE, Nobody",
        "outcome": "ADMITTED",
        "copies": "0",
        "lists_updated": "yes",
        "code": "x",
        "challenge": "x",
        "answer": "{}",
        "anyway": "yes",
        "tip": new_id().hex(),
        "choice": "DO_NOT_CONFRONT",
        "reason": "synthetic",
    }
    return browser.send(path, form) if "__Host-session" in browser.client.cookies else browser.post(path, form)


def test_every_page_opens_to_whom_it_should(two: Federation, kh: Office, digest: str) -> None:
    pages = Browser(kh).console.pages
    assert {(page.method, page.path) for page in pages} == set(OPENS)
    for name in ROLES:
        browser = Browser(kh).enter(name)
        for page in sorted(pages, key=lambda one: one.path == "/sign-out"):
            who, status = OPENS[page.method, page.path]
            answer = ask(browser, page, digest)
            if name in who:
                assert answer.status_code == status, (name, page.path)
            else:
                assert answer.status_code in {403, 404, 409}, (name, page.path)
            if name not in GIVEN:
                assert "EXAMPLE, Thomas" not in answer.text


def test_whoever_is_not_signed_in_sees_the_entrance_only(kh: Office, digest: str) -> None:
    for page in Browser(kh).console.pages:
        answer = ask(Browser(kh), page, digest)
        if page.open:
            assert answer.status_code == NEW.get((page.method, page.path), 403), page.path
        else:
            assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in"), page.path
        assert "__Host-session" not in answer.headers.get("set-cookie", "")


def test_what_is_refused_is_recorded_and_what_is_opened_is_consulted(two: Federation, kh: Office) -> None:
    digest = told(two)
    border, auditor = Browser(kh).enter("border"), Browser(kh).enter("auditor")
    before = len(kh.journal())
    border.get(f"/inbox/{digest}")
    border.get("/inbox")
    border.get("/work")
    auditor.get(f"/inbox/{digest}")
    assert [(kind, who.rpartition("/")[2], what, code) for kind, who, what, code in kh.journal()[before:]] == [
        ("consultation", "border", digest, "INBOX_ALERT"),
        ("consultation", "border", "", "INBOX"),
        ("consultation", "border", "", "WORK"),
        ("refusal", "auditor", "", "ROLE_MISSING"),
    ]


def test_an_alert_of_another_agency_is_not_there(two: Federation, kh: Office) -> None:
    other = two["gb"].publish(draft(agency("kh", POLICE))).manifest_digest.hex()
    two.pump()
    border = Browser(kh).enter("border")
    for reference in (other, "0" * 64):
        answer = border.get(f"/inbox/{reference}")
        assert (answer.status_code, "ALERT_NOT_FOUND" in answer.text) == (404, True)
        assert border.send(f"/inbox/{reference}/report", {"outcome": "ADMITTED"}).status_code == 404
    for reference in (other[:12], other.upper(), f"{other}x", "%2e%2e%2fyou"):
        assert border.get(f"/inbox/{reference}").status_code == 404
    assert Browser(kh).enter("police").get(f"/inbox/{other}").status_code == 200


def test_a_field_is_a_value_or_not_known_or_not_disclosed(kh: Office, digest: str) -> None:
    page = Browser(kh).enter("border").get(f"/inbox/{digest}").text
    known, _, rest = page.partition("Not known to the sender")
    not_known, _, not_disclosed = rest.partition("Not disclosed to you")
    assert "EXAMPLE, Thomas Specimen" in known
    assert "Court orders" in not_known
    assert "Risk in words" in not_disclosed
    assert "Risk in words" not in known + not_known


def test_an_alert_opens_with_its_handling_what_to_do_and_whom_to_call(kh: Office, digest: str) -> None:
    texts = [text for _, text in Shown(Browser(kh).enter("border").get(f"/inbox/{digest}").text).texts]
    order = [
        "Handling",
        "H1, H2",
        "Still valid",
        "What to do, and whom to call",
        "Requested action",
        "Report back",
        "Name as in the document",
    ]
    assert [text for text in texts if text in order] == order
    assert "in court only with the sender’s leave" in texts
    assert "confirmed, now" in texts
    assert any("+44 20 7946 0000" in text for text in texts)


def graded(**more: Any) -> desk_service_pb2.GetInboxAlertResponse:
    """What a partner could have sent: names with markup and marks, a grading, a photograph that is not there."""
    alert = builders.alert()
    alert.primary_name.as_written = '<script>alert(1)</script>"\u202eEXAMPLE {{ 7*7 }}'
    alert.facial_image.digest = b"\x01" * 32
    alert.grading.add(field="birth", certainty=people_pb2.CERTAINTY_FACT)
    alert.grading.add(field="documents", certainty=people_pb2.CERTAINTY_ASSESSMENT)
    answer = desk_service_pb2.GetInboxAlertResponse(view=encode(alert), **more)
    answer.summary.alert_type = TRAVEL
    answer.summary.manifest_digest = b"\x07" * 32
    answer.summary.originator = "spiffe://gb.alerts.example/agency/<b>nca</b>"
    return answer


@pytest.fixture
def shown(kh: Office, monkeypatch: pytest.MonkeyPatch) -> Any:
    def show(answer: desk_service_pb2.GetInboxAlertResponse) -> str:
        monkeypatch.setattr(desk_pages, "get_inbox_alert", lambda *_: answer)
        return str(Browser(kh).enter("border").get(f"/inbox/{'0' * 64}").text)

    return show


def test_letters_that_look_like_others_are_pointed_out(shown: Any) -> None:
    answer = graded()
    alert = builders.alert()
    assert "cannot be seen" not in shown(answer)
    alert.primary_name.as_written = "EX\u0410MPLE Tho\u200bmas"
    alert.documents[0].number = "925\u041e64730"
    answer.view = encode(alert)
    texts = [text for _, text in Shown(shown(answer)).texts]
    assert any("letters that look like others" in text for text in texts)
    for word, sign in (("EX\u0410MPLE", "U+0410"), ("Tho\u200bmas", "U+200B"), ("925\u041e64730", "U+041E")):
        assert texts[texts.index(word) + 1] == sign


def test_what_partners_write_is_shown_as_text(shown: Any) -> None:
    page = shown(graded())
    assert "<script>alert" not in page
    assert "<b>nca" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "{{ 7*7 }}" in page
    assert "\u202e" not in page
    assert "\ufffdEXAMPLE" in page
    assert "would have reordered or hidden text" in page
    title = next(iter(re.findall(r"<title>([^<]*)</title>", page)))
    assert title.startswith("Travel alert 070707070707")


def test_facts_and_assessments_stand_apart(shown: Any) -> None:
    page = shown(graded())
    facts, _, rest = page.partition('id="facts"')[2].partition('id="ungraded"')
    ungraded, _, assessments = rest.partition('id="assessments"')
    assert "Birth" in facts
    assert "Name as in the document" in ungraded
    assert ">Documents<" in assessments
    assert ">Documents<" not in facts + ungraded  # among the facts it stands in the gradings alone
    assert "A photograph is never sent" in page


def test_that_the_sender_graded_nothing_is_said_only_by_whoever_was_shown_its_gradings(shown: Any) -> None:
    answer, alert = graded(), builders.alert()
    alert.ClearField("grading")
    answer.view = encode(alert)
    assert "Not graded by the sender" in shown(answer)
    answer.undisclosed.append(alert.DESCRIPTOR.fields_by_name["grading"].number)
    page = shown(answer)
    assert "Not graded by the sender" not in page
    assert "How sure the sender is was not disclosed to you" in page


@pytest.mark.parametrize(("undisclosed", "said"), [(True, True), (False, False)])
def test_whom_to_ask_for_a_photograph_is_said_unless_there_is_none(shown: Any, undisclosed: bool, said: bool) -> None:  # noqa: FBT001  pytest
    answer = graded()
    alert = builders.alert()
    alert.ClearField("facial_image")
    answer.view = encode(alert)
    if undisclosed:
        answer.undisclosed.append(alert.DESCRIPTOR.fields_by_name["facial_image"].number)
    assert ("A photograph is never sent" in shown(answer)) == said


def test_what_may_not_be_acted_upon_says_so_and_shows_nothing(shown: Any) -> None:
    withdrawn = graded(blocked=desk_service_pb2.BLOCKED_WITHDRAWN)
    withdrawn.ClearField("view")
    page = shown(withdrawn)
    assert "Withdrawn: do not act on it." in page
    assert "EXAMPLE" not in page
    assert "Report back" not in page
    replaced = graded(blocked=desk_service_pb2.BLOCKED_REPLACED, replaced_by=b"\x09" * 32)
    assert f'href="/inbox/{"09" * 32}"' in shown(replaced)
    owed = graded(blocked=desk_service_pb2.BLOCKED_WITHDRAWN, attest_by=NOW)
    assert f'href="/inbox/{"07" * 32}/confirm-purge"' in shown(owed)
    owed.summary.flags.append("ATTESTATION_OWED")
    assert f'href="/inbox/{"07" * 32}/attest"' in shown(owed)
    disputed = graded()
    disputed.summary.flags.append("DISPUTED")
    assert "Disputed: do not act on it." in shown(disputed)


def test_what_changed_and_what_was_said_since_is_shown(shown: Any) -> None:
    field_number = travel_alert_pb2.TravelAlert.DESCRIPTOR.fields_by_name["sex"].number
    before = travel_alert_pb2.TravelAlert(sex=people_pb2.SEX_FEMALE)
    now = travel_alert_pb2.TravelAlert(sex=people_pb2.SEX_MALE)
    answer = graded(replaces=b"\x05" * 32, handling=handling_pb2.Handling(confirm_before_coercive_action=True))
    answer.changes.add(field=field_number, before=encode(before), now=encode(now), told_before=True, told_now=True)
    answer.recalls.add(kind=desk_service_pb2.RECALL_KIND_CORRECTION, reason="FACTUAL_ERROR", recorded_at=NOW)
    page = shown(answer)
    assert f'href="/inbox/{"05" * 32}"' in page
    texts = [text for _, text in Shown(page).texts]
    changed = texts[texts.index("What changed") :]
    assert changed[changed.index("Before") + 1] == "female"
    assert changed[changed.index("Now") + 1] == "male"
    assert any(text.startswith("Corrected, factual error: ") for text in texts)
    assert "confirm with the sender before any coercive action" in texts


def test_a_report_reaches_the_originator_once(two: Federation, kh: Office) -> None:
    reference = told(two)
    before = {one.manifest_digest for one in two["gb"].received("liaison")}
    browser = Browser(kh).enter("border")
    form = {"outcome": "NOT_THIS_PERSON", "place": " kti ", "remarks": "Two men,\r\nboth known."}
    for _ in range(2):  # as when a person presses twice
        sent = browser.send(f"/inbox/{reference}/report", form)
        assert (sent.status_code, sent.headers["location"]) == (303, f"/inbox/{reference}?reported")
    page = browser.get(f"/inbox/{reference}?reported").text
    assert "Your report was sent." in page
    assert [text for _, text in Shown(page).texts if text in {"yes", "not yet"}] == ["yes"]
    two.pump()
    (row,) = [
        one for one in two["gb"].received("liaison") if one.alert_type == "exchange.v1.HitReport" and one.manifest_digest not in before
    ]
    gb = Browser(two["gb"]).enter("liaison")
    texts = [text for _, text in Shown(gb.get(f"/inbox/{row.manifest_digest.hex()}").text).texts]
    assert "not this person" in texts
    assert any("Two men, both known." in text for text in texts)
    assert any(CHANNEL in text for text in texts)


def test_everything_that_is_wrong_with_a_report_is_said_beside_its_field(kh: Office, digest: str) -> None:
    browser = Browser(kh).enter("border")
    page = browser.send(f"/inbox/{digest}/report", {"outcome": "ARRESTED", "place": '"><b>', "remarks": "kept words"})
    assert page.status_code == 422
    assert "<title>Error: report back" in page.text
    assert 'href="#outcome"' in page.text
    assert 'href="#place"' in page.text
    assert "Choose what happened" in page.text
    assert "Write three capital letters" in page.text
    assert "kept words" in page.text
    assert "&#34;&gt;&lt;b&gt;" in page.text
    for name in ("outcome", "place", "remarks"):
        assert f'id="{name}"' in page.text
    assert field(page.text, "token")


def test_an_agency_without_a_desk_cannot_report(kh: Office, digest: str) -> None:
    browser = Browser(kh, site_of(kh, desks={})).enter("border")
    page = browser.send(f"/inbox/{digest}/report", {"outcome": "ADMITTED"})
    assert (page.status_code, "how your agency is reached" in page.text) == (422, True)


def test_what_the_node_refuses_of_a_report_is_shown(kh: Office, digest: str, monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = desk_service_pb2.ReportHitResponse()
    refusal.published.problems.add(code="NO_AGREEMENT", field="", message="no <agreement>", remedy="ask\u202e")
    monkeypatch.setattr(report_pages, "answer", lambda *_: refusal)
    page = Browser(kh).enter("border").send(f"/inbox/{digest}/report", {"outcome": "ADMITTED"})
    assert page.status_code == 422
    assert "The node refused this: NO_AGREEMENT" in page.text
    assert '<span lang="en">no &lt;agreement&gt;. ask\ufffd</span>' in page.text


def test_the_four_outcomes_are_of_the_schema() -> None:
    assert len(report_form.OUTCOMES) == 4
    assert "NOT_THIS_PERSON" in report_form.OUTCOMES
    assert all(f"HIT_OUTCOME_{name}" in hit_report_pb2.HitOutcome.keys() for name in report_form.OUTCOMES)  # noqa: SIM118  an enum wrapper


def test_the_inbox_stands_in_the_order_of_the_operation(kh: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    now = kh.ports.clock.now_ms()
    found = desk_service_pb2.ListInboxResponse(next_page_token="a b&c")
    for number, lands in enumerate((0, now + 5000, now - 5000, now + 1000), start=1):
        found.alerts.add(alert_type=TRAVEL, manifest_digest=bytes([number]) * 32, arrives_at=lands, received_at=now + number)
    monkeypatch.setattr(desk_pages, "list_inbox", lambda *_: found)
    page = Browser(kh).enter("border").get("/inbox").text
    assert [link[:2] for link in re.findall(r'href="/inbox/([0-9a-f]{64})"', page)] == ["01", "02", "03", "04"]
    assert 'href="/inbox?after=a%20b%26c"' in page


def test_the_list_goes_on_where_the_page_ends(kh: Office, digest: str) -> None:
    browser = Browser(kh).enter("border")
    assert digest in browser.get("/inbox").text
    assert "PAGE_TOKEN" in browser.get("/inbox?after=made-up").text


def test_no_address_and_no_title_holds_personal_data(kh: Office, digest: str) -> None:
    browser = Browser(kh).enter("border")
    for path in ("/work", "/inbox", f"/inbox/{digest}", f"/inbox/{digest}/report"):
        page = browser.get(path).text
        addresses = re.findall(r'(?:href|action|src)="([^"]*)"', page)
        known = re.compile(
            r"/(requests|screen|handover|inbox(/[0-9a-f]{64}(/report(/full)?|/acknowledge|/ask|/leave)?)?|work(\?all#waiting)?|tips|you|language|sign-in|sign-out"
            r"|assets/\w+/[\w.-]+)?|#[a-z-]+"
        )
        assert [one for one in addresses if not known.fullmatch(one)] == []
        (title,) = re.findall(r"<title>([^<]*)</title>", page)
        assert not re.search(r"EXAMPLE|Thomas|925076473", title)


def test_pages_are_small(kh: Office, digest: str) -> None:
    browser = Browser(kh).enter("border")
    for language in ("en", "km"):
        browser.send("/language", {"language": language})
        for path in ("/work", "/inbox", f"/inbox/{digest}", f"/inbox/{digest}/report"):
            assert len(browser.get(path).content) < PAGE_BYTES


def test_long_lists_are_small_pages_too(kh: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    work, came = desk_service_pb2.ListWorkResponse(left_off=7), desk_service_pb2.ListInboxResponse(next_page_token="x" * 40)
    who = f"spiffe://{'x' * 40}.example/agency/{'y' * 20}"
    for number in range(1000):
        kind = desk_service_pb2.WORK_KIND_ALERT_TO_ACKNOWLEDGE
        times = {"raised_at": NOW, "due_at": NOW, "lands_at": NOW, "departs_at": NOW}
        zones = {"zone": "Asia/Phnom_Penh", "departs_zone": "Europe/London"}
        work.items.add(kind=kind, reference=number.to_bytes(32, "big"), counterparty=who, overdue=True, escalated=True, **times, **zones)
    for _ in range(50):
        flags = ["NOT_CONFIRMED", "CONFLICT"]
        came.alerts.add(
            alert_type=TRAVEL,
            manifest_digest=b"\x01" * 32,
            originator=f"spiffe://{'x' * 20}.example/agency/{'y' * 10}",
            arrives_at=NOW,
            received_at=NOW,
            flags=flags,
        )
    stop = Stop(at=NOW, zone="Asia/Phnom_Penh", country="KHM", port="KTI", service="XX 1234")
    times = Times(lands=stop, departs=replace(stop, zone="Europe/London"))
    monkeypatch.setattr(desk_pages, "list_work", lambda *_: work)
    monkeypatch.setattr(desk_pages, "list_inbox", lambda *_: came)
    monkeypatch.setattr(desk_pages, "list_times", lambda *_: {b"\x01" * 32: times})
    browser = Browser(kh).enter("border")
    assert "957 more are not shown." in browser.get("/work").text
    for language in ("en", "km"):
        browser.send("/language", {"language": language})
        for path in ("/work", "/inbox"):
            assert len(browser.get(path).content) < PAGE_BYTES, (language, path)


def test_each_field_of_a_page_has_its_label_and_each_page_its_parts(kh: Office, digest: str) -> None:
    browser = Browser(kh).enter("border")
    paths = ["/work", "/inbox", "/you", f"/inbox/{digest}", f"/inbox/{digest}/report"]
    pages = [browser.get(path).text for path in paths] + [Browser(kh).get(path).text for path in ("/sign-in", "/enrol")]
    for page in pages:
        tags = Shown(page).tags
        assert [tag for tag, _ in tags].count("h1") == 1
        assert [tag for tag, _ in tags].count("main") == 1
        names = [given.get("id") for _, given in tags if given.get("id")]
        assert len(names) == len(set(names))
        labels = {given.get("for") for tag, given in tags if tag == "label"}
        inputs = {given.get("id") for tag, given in tags if tag in {"input", "textarea"} and given.get("type") != "hidden"}
        assert inputs <= labels
        described = {name for _, given in tags for name in (given.get("aria-describedby") or "").split()}
        assert described <= set(names)


def test_templates_are_all_used() -> None:
    root = Path(desk_pages.__file__).parent
    source = "".join(path.read_text("utf-8") for path in (*root.glob("*.py"), *root.glob("templates/*.html")))
    for path in root.glob("templates/*.html"):
        assert f'"{path.name}"' in source
