"""An administrator's pages about the node itself: the doctor, keys, officers, what waits, retention; and what every page keeps."""

import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from exchange.v1 import desk_service_pb2
from node.console import admin_pages
from node.operations import doctor
from node.operations.key_windows import KeyReport, KeyWindow, NodeKeys
from node.operations.retention import hold
from node.operations.waiting import ChannelState, LogState, Waiting
from node.surroundings import CertificateState
from tests.console_admin import address_of
from tests.console_site import Browser, Shown
from tests.countries import DAY, NOW, POLICE, agency, domain
from tests.federation import Federation, federation
from tests.node.test_console_languages import CODES, SAME_EVERYWHERE, source
from tests.reading_pages import HOSTILE, PAGE_BYTES, in_journal, offer_of, offered, texts
from tests.rig import ROLES, Office, draft

pytestmark = pytest.mark.thorough

GB, KH = domain("gb"), domain("kh")


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Federation]:
    """gb and kh have an agreement in force; vn is a stranger to both."""
    with federation(tmp_path, "gb", "kh", "vn") as made:
        made.connect("gb", "kh")
        yield made


@pytest.fixture
def gb(three: Federation) -> Office:
    return three["gb"]


@pytest.fixture
def browser(gb: Office) -> Browser:
    return Browser(gb).enter("administrator")


def test_a_code_is_shown_once_and_enrols_its_person(gb: Office, browser: Browser) -> None:
    page = browser.get("/admin/officers")
    path = f"/admin/officers/{address_of(gb.person('liaison'))}"
    assert f'href="{path}"' in page.text
    assert "no passkey" in texts(page)
    made = browser.send(f"{path}/enrol", {})
    code = re.search(r"[A-Z2-7]{4}(?:-[A-Z2-7]{4}){5}", made.text)
    assert code
    assert made.headers["cache-control"] == "no-store"
    assert f"{browser.origin}/enrol" in texts(made)
    assert "makes another code" in texts(made)
    assert code[0] not in browser.get(path).text
    assert "Code that waits" in texts(browser.get(path))
    assert "a code waits until" in texts(browser.get("/admin/officers"))
    assert Browser(gb).post("/enrol", {"code": code[0]}).status_code == 200
    assert in_journal(gb, "ENROLMENT")


def test_passkeys_and_sessions_are_taken_away_if_it_is_meant(gb: Office, browser: Browser) -> None:
    other = Browser(gb)
    key = other.enrol("police")
    assert other.sign_in(key).status_code == 303
    path = f"/admin/officers/{address_of(gb.person('police'))}"
    assert "in 1 browser" in texts(browser.get(path))
    assert "Confirm that you mean it" in texts(browser.send(f"{path}/forget", {}), 422)
    assert other.get("/you").status_code == 200
    done = browser.send(f"{path}/forget", {"meant": "yes"})
    assert (done.status_code, done.headers["location"]) == (303, path)
    assert other.get("/you").headers["location"] == "/sign-in"
    assert "Taken away: every passkey, code and session." in texts(browser.get(path))
    assert "Taken away" not in texts(browser.get(path))
    assert in_journal(gb, "PASSKEYS_REMOVED")


def test_who_takes_their_own_passkeys_or_the_last_ones_is_asked_once_more(gb: Office, browser: Browser) -> None:
    path = f"/admin/officers/{address_of(gb.person('administrator'))}"
    yours, last = "This is you", "No other administrator has a passkey"
    said = texts(browser.get(path))
    assert yours in said
    assert last not in said
    Browser(gb).enrol("administrator")
    assert last in texts(browser.get(path))
    page = browser.send(f"{path}/forget", {"meant": "yes"})
    assert "Confirm that you mean it" in texts(page, 422)
    assert 'href="#alone"' in page.text
    assert not in_journal(gb, "PASSKEYS_REMOVED")
    assert browser.send(f"{path}/forget", {"meant": "yes", "alone": "yes"}).status_code == 303
    assert in_journal(gb, "PASSKEYS_REMOVED")
    again = Browser(gb).enter("administrator")
    other = texts(again.get(f"/admin/officers/{address_of(gb.person('police'))}"))
    assert yours not in other
    assert last not in other


def test_whoever_left_the_roster_is_listed_until_the_passkey_is_taken(gb: Office, browser: Browser) -> None:
    Browser(gb).enrol("police")
    left = gb.person("police")
    gb.ports = replace(gb.ports, officers={name: entry for name, entry in gb.ports.officers.items() if name != left})
    again = Browser(gb).enter("administrator")
    assert "Left the roster" in texts(again.get("/admin/officers"))
    path = f"/admin/officers/{address_of(left)}"
    assert "A code to enrol a passkey" not in texts(again.get(path))
    assert again.send(f"{path}/enrol", {}).status_code == 404
    assert again.send(f"{path}/forget", {"meant": "yes"}).headers["location"] == "/admin/officers"
    assert again.get(path).status_code == 404


def test_no_address_names_an_officer(gb: Office, browser: Browser) -> None:
    path = f"/admin/officers/{address_of(gb.person('liaison'))}"
    pages = [browser.get("/admin/officers"), browser.get(path), browser.send(f"{path}/forget", {}), browser.send(f"{path}/enrol", {})]
    for page in pages:
        for address in re.findall(r'(?:href|action)="([^"]*)"', page.text):
            assert not re.search(r"officer/|liaison|spiffe", address)
        (title,) = re.findall(r"<title>([^<]*)</title>", page.text)
        assert "liaison" not in title
    assert browser.get("/admin/officers/liaison").status_code == 404


# The doctor, keys, what waits, retention


def test_the_doctor_says_what_to_do(gb: Office, browser: Browser) -> None:
    said = texts(browser.get("/admin/doctor"))
    for words in (
        "There is one administrator only.",
        "exchange log fsck",
        "PARTNER_AWAY",
        f"exchange partner show {KH}",
        "Nothing is to be done now.",
    ):
        assert words in said
    assert "Nothing to do now" in texts(browser.get("/admin"))
    gb.clock.time = gb.ports.known.own.descriptor.next_update
    said = texts(Browser(gb).enter("administrator").get("/admin/doctor"))
    assert "This node’s next descriptor was due by" in said
    assert "exchange node describe" in said
    assert "1 thing to do now" in texts(Browser(gb).enter("administrator").get("/admin"))


def test_what_a_check_is_about_is_text_and_a_newer_code_is_shown(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    found = desk_service_pb2.ExamineNodeResponse(at=NOW)
    found.checks.add(code="ALARM", verdict=desk_service_pb2.HEALTH_VERDICT_ACT, subject=HOSTILE, at=NOW)
    found.checks.add(code="OF_A_NEWER_NODE", verdict=desk_service_pb2.HEALTH_VERDICT_LOOK)
    monkeypatch.setattr(admin_pages, "examine", lambda *_: found)
    page = browser.get("/admin/doctor")
    assert "OF_A_NEWER_NODE" in texts(page)
    assert "<script>alert" not in page.text
    assert "\u202e" not in page.text


def test_keys_have_a_countdown_and_a_command(gb: Office, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    said = texts(browser.get("/admin/keys"))
    for words in ("log", "receipt", "recall", "exchange key rotate", "exchange node describe", KH, "in 30 days"):
        assert words in said
    now = gb.clock.now_ms()
    soon = KeyWindow(key_id=b"\1" * 32, use="log", speaks_for="x", not_before=0, not_after=now + 9 * DAY, revoked=False, used=True)
    ended = replace(soon, use="receipt", not_after=now - 2 * DAY)
    spare = replace(soon, use="witness", used=False)
    own = NodeKeys(trust_domain=GB, sequence=7, next_update=now + DAY, keys=(ended, soon, spare))
    certificates = [
        CertificateState(name="node", not_before=now, not_after=now + DAY),
        CertificateState(name="desk", not_before=0, not_after=0),
    ]
    report = KeyReport(own=own, undescribed=["agreement"], partners=[replace(own, trust_domain=HOSTILE)], certificates=certificates)
    monkeypatch.setattr(admin_pages, "list_keys", lambda *_: report)
    page = browser.get("/admin/keys")
    said = texts(page)
    for words in ("in 9 days", "2 days ago", "in no descriptor", "cannot be read", "in 1 day", "number 7"):
        assert words in said
    mine = page.text.partition('id="partner-1"')[0]
    assert ">witness</code>" not in mine
    assert "<script>alert" not in page.text


def test_what_ends_soon_is_marked_where_the_doctor_tells_of_it(gb: Office, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    now = gb.clock.now_ms()
    certificates = [
        CertificateState(name=name, not_before=now - past * DAY, not_after=now + ahead * DAY)
        for name, past, ahead in (("year-14", 351, 14), ("year-16", 349, 16), ("week-2", 5, 2), ("week-3", 4, 3))
    ]
    key = KeyWindow(key_id=b"\1" * 32, use="log", speaks_for=GB, not_before=0, not_after=now + 29 * DAY, revoked=False, used=True)
    long = replace(key, key_id=b"\2" * 32, not_after=now + 1826 * DAY)
    own = NodeKeys(trust_domain=GB, sequence=7, next_update=now + DAY, keys=(key, replace(long, use="receipt")))
    abroad = NodeKeys(trust_domain=KH, sequence=7, next_update=now + DAY, keys=(key, long, replace(key, use="recall")))
    report = KeyReport(own=own, undescribed=[], partners=[abroad], certificates=certificates)
    monkeypatch.setattr(admin_pages, "list_keys", lambda *_: report)
    monkeypatch.setattr(doctor, "key_report", lambda _: report)
    page = browser.get("/admin/keys").text
    rows = re.findall(r"<code[^>]*>([^<]*)</code></th><td[^>]*>(.*?)</td>", page)
    assert [name for name, cell in rows if "govuk-tag--yellow" in cell] == ["year-14", "week-2", "log", "recall"]
    assert page.count("in 5 years") == 2
    told = [one for one in doctor.examine(gb.ports, gb.person("administrator")).checks if one.code.endswith(("E_ENDS", "Y_ENDS"))]
    said = [(one.code, one.subject, one.count) for one in told]
    assert said == [
        ("CERTIFICATE_ENDS", "year-14", 0),
        ("CERTIFICATE_ENDS", "week-2", 0),
        ("KEY_ENDS", "log", 0),
        ("PARTNER_KEY_ENDS", KH, 1),
    ]


def test_what_waits_is_shown_by_partner_and_way(gb: Office, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    assert KH not in texts(browser.get("/admin/outbox"))
    gb.publish(draft(agency("kh", POLICE)))
    assert KH in texts(browser.get("/admin/outbox"))
    log = LogState(partner=HOSTILE, origin="", stopped=True, size=9, receipted=4, receipted_at=NOW, attempts=3, tried_at=NOW)
    channel = ChannelState(name="mail", waits=1, given_up=2, attempts=7, last_at=NOW)
    waits = Waiting(logs=[log], recalls={HOSTILE: 2}, statements={HOSTILE: 1}, channels=[channel])
    monkeypatch.setattr(admin_pages, "list_waiting", lambda *_: waits)
    page = browser.get("/admin/outbox")
    said = texts(page)
    for words in ("5 / 9", "Log stopped", "2 recalls", "1 agreement", "mail"):
        assert words in said
    assert "<script>alert" not in page.text


def test_what_is_past_its_limit_is_listed_and_erased(three: Federation, gb: Office) -> None:
    first, held = (gb.publish(draft(agency("kh", POLICE))).manifest_digest.hex() for _ in range(2))
    three.pump()
    hold(gb.ports, gb.person("liaison"), held, "court order 7 (synthetic)")
    gb.clock.pass_(4000 * DAY)
    browser = Browser(gb).enter("administrator")
    page = browser.get("/admin/retention")
    said = texts(page)
    for words in (first[:12], held[:12], "erasure", "held past its limit", "nca-ceop, United Kingdom", "Travel alert, sent"):
        assert words in said
    assert "EXAMPLE" not in said
    done = browser.send("/admin/retention", {})
    assert (done.status_code, done.headers["location"]) == (303, "/admin/retention")
    said = texts(browser.get(done.headers["location"]))
    assert "1 was erased." in said
    assert first[:12] not in said
    assert held[:12] in said
    assert "erased." not in texts(browser.get("/admin/retention?erased=99"))
    assert browser.get("/admin/retention?after=made-up").status_code == 400


def test_a_long_list_goes_on_and_names_what_no_erasure_reaches(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    found = desk_service_pb2.ListRetentionResponse(next_page_token="12-3", copies=["node.db.before-1"])
    for _ in range(50):
        one = found.alerts.add(due=desk_service_pb2.RETENTION_DUE_REVIEW, erase_by=NOW, review_by=NOW)
        one.summary.manifest_digest, one.summary.alert_type = b"\1" * 32, "exchange.v1.TravelAlert"
        one.holds.add(agency="spiffe://kh.alerts.example/agency/<b>")
    monkeypatch.setattr(admin_pages, "list_due", lambda *_: found)
    page = browser.get("/admin/retention")
    assert 'href="/admin/retention?after=12-3"' in page.text
    assert "node.db.before-1" in page.text
    assert "<b>" not in page.text
    assert len(page.content) < PAGE_BYTES


# All of them


def every_page(three: Federation) -> Iterator[tuple[str, str, Any]]:
    """Every page and the answers of forms, in each language, by a name."""
    gb = three["gb"]
    reference = offered(three, lambda content: content.clauses.pop(0))
    gb.publish(draft(agency("kh", POLICE)))
    browser = Browser(gb).enter("administrator")
    text, _ = offer_of(three["vn"])
    officer = f"/admin/officers/{address_of(gb.person('liaison'))}"
    shown = ["", "/doctor", "/keys", "/outbox", "/retention", "/partners", "/partners/new", f"/partners/{KH}"]
    shown += [
        "/agreements",
        f"/agreements/new?with={KH}",
        f"/agreements/{reference}",
        f"/agreements/{reference}/TravelAlert",
        "/officers",
    ]
    forms: list[tuple[str, dict[str, str]]] = [
        ("/admin/partners/new", {"descriptor": "x"}),
        ("/admin/partners/new", {"descriptor": text}),
        ("/admin/partners/compare", {"descriptor": text}),
        (f"/admin/partners/{KH}", {"what": "suspend"}),
        (f"/admin/agreements/{reference}", {}),
        ("/admin/agreements/new", {"text": "", "emergency": "yes"}),
        ("/admin/agreements/new/check", {}),
        (f"{officer}/enrol", {}),
        (f"{officer}/forget", {}),
    ]
    for language in ("en", *CODES):
        browser.send("/language", {"language": language})
        for path in [*(f"/admin{one}" for one in shown), officer]:
            yield language, path, browser.get(path)
        area = re.search(r"<textarea[^>]*>(.*?)</textarea>", browser.get(f"/admin/agreements/new?with={KH}").text, re.DOTALL)
        assert area
        browser.send("/admin/agreements/new", {"text": unescape(area[1])})
        for path in ("new", "new/check", "new/check/TravelAlert"):
            yield language, path, browser.get(f"/admin/agreements/{path}")
        for path, form in forms:
            yield language, path, browser.send(path, form)


def test_every_page_is_small_labelled_and_in_its_language(three: Federation) -> None:
    said, plurals = source()
    english = (said | set(plurals)) - SAME_EVERYWHERE - set(ROLES)  # officers of the tests are called by words of the catalogue
    for language, path, answer in every_page(three):
        assert answer.status_code in {200, 422}, path
        assert len(answer.content) < PAGE_BYTES, path
        page = Shown(answer.text)
        tags = page.tags
        assert [tag for tag, _ in tags].count("h1") == 1, path
        names = [given["id"] for _, given in tags if given.get("id")]
        assert len(names) == len(set(names)), path
        labels = {given.get("for") for tag, given in tags if tag == "label"}
        inputs = {given.get("id") for tag, given in tags if tag in {"input", "textarea"} and given.get("type") != "hidden"}
        assert inputs <= labels, path
        described = {
            name for _, given in tags for key in ("aria-describedby", "aria-labelledby") for name in (given.get(key) or "").split()
        }
        assert described <= set(names), path
        assert not [1 for _, given in tags if given.get("style") or any(name.startswith("on") for name in given)], path
        if language != "en":
            assert not [text for lang, text in page.texts if lang != "en" and text in english], (language, path)


def test_who_is_no_administrator_is_not_led_there(gb: Office) -> None:
    assert 'href="/admin"' in Browser(gb).enter("administrator").get("/you").text
    for name in ("liaison", "police", "auditor"):
        assert 'href="/admin"' not in Browser(gb).enter(name).get("/you").text


def test_reading_by_an_auditor_is_recorded(gb: Office) -> None:
    auditor = Browser(gb).enter("auditor")
    before = len(gb.journal())
    auditor.get(f"/admin/partners/{KH}")
    auditor.get("/admin/agreements")
    assert [(kind, code) for kind, _, _, code in gb.journal()[before:]] == [("review", "PARTNER"), ("review", "AGREEMENTS")]
