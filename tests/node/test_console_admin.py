"""An administrator's pages: what they show, what they change, what they refuse, and that nothing of a partner is believed or rendered."""

import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from exchange.v1 import desk_service_pb2
from node.cli.main import run as command_line
from node.console import admin_agreement_pages, admin_pages, admin_partner_pages
from node.fingerprints import groups, held_back
from node.intake.descriptor_text import descriptor_of, read_descriptor, write_descriptor
from node.operations import agreements, partners
from node.operations.agreements import draft as propose
from node.operations.key_windows import KeyReport, KeyWindow, NodeKeys
from node.operations.retention import hold
from node.operations.waiting import ChannelState, LogState, Waiting
from node.store.journal import ACCOUNTABILITY
from node.surroundings import CertificateState
from tests.console_admin import address_of
from tests.console_site import Browser, Shown, field
from tests.countries import DAY, NOW, POLICE, agency, agreement, changed, domain
from tests.federation import Federation, federation
from tests.node.test_console_languages import CODES, SAME_EVERYWHERE, source
from tests.rig import ROLES, Office, draft

PAGE_BYTES = 60_000
HOSTILE = '<script>alert(1)</script>\u202e"{{ 7*7 }}'
GB, KH, VN = domain("gb"), domain("kh"), domain("vn")


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


def texts(answer: Any, status: int = 200) -> str:
    """What a person reads, on one line."""
    assert answer.status_code == status, answer.text
    return " ".join(text for _, text in Shown(answer.text).texts)


def offer_of(office: Office) -> tuple[str, bytes]:
    """What an administrator sends to another, and what is read out."""
    own = partners.own_descriptor(office.ports, office.person("administrator"))
    return write_descriptor(own.descriptors), own.identity_fingerprint


def in_journal(office: Office, code: str) -> list[str]:
    """Why, of every entry with that code that says so."""
    with office.ports.store.read() as tx:
        rows = office.ports.journal.rows(tx, 0, office.ports.journal.edge(tx).frontier.size)
        details = [office.ports.journal.detail(tx, row.idx, ACCOUNTABILITY) for row in rows if row.code == code]
    return [(detail or b"").decode("utf-8", "replace") for detail in details]


# Partners


def test_what_a_partner_needs_is_shown_in_words_and_digits(gb: Office, browser: Browser) -> None:
    page = browser.get("/admin/partners")
    said = texts(page)
    text, fingerprint = offer_of(gb)
    for group in groups(fingerprint):
        assert group.words in said
        assert group.digits in said
    assert read_descriptor(page.text) == read_descriptor(text)
    assert KH in said
    assert "Not connected" in said


def test_a_partner_is_added_by_the_group_that_was_heard(three: Federation, gb: Office, browser: Browser) -> None:
    text, fingerprint = offer_of(three["vn"])
    compared = browser.send("/admin/partners/new", {"descriptor": f"Dear colleague,\r\n{text}"})
    said = texts(compared)
    hidden = held_back(fingerprint)
    for group in groups(fingerprint):
        assert (group.words in said, group.digits in said) == (group.number != hidden, group.number != hidden)
    assert VN in said
    assert VN not in gb.ports.known.partners
    heard = groups(fingerprint)[hidden - 1]
    form = {"descriptor": field(compared.text, "descriptor"), "heard": heard.words.upper(), "same": "yes"}
    done = browser.send("/admin/partners/compare", form)
    assert (done.status_code, done.headers["location"]) == (303, f"/admin/partners/{VN}?done")
    assert gb.ports.known.partners[VN].fingerprint == fingerprint
    assert "Done." in texts(browser.get(done.headers["location"]))
    # Digits do as well, and the same partner again is the same partner.
    assert browser.send("/admin/partners/compare", {**form, "heard": heard.digits}).status_code == 303


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"heard": ""}, "Write the four words"),
        ({"heard": "aardvark absurd"}, "Write the four words"),
        ({"same": ""}, "Confirm that you compared every other group"),
        ({"heard": "0000 0000"}, "What you heard is not what this descriptor has."),
    ],
)
def test_a_partner_that_was_not_compared_is_not_added(three: Federation, browser: Browser, change: dict[str, str], words: str) -> None:
    text, fingerprint = offer_of(three["vn"])
    heard = groups(fingerprint)[held_back(fingerprint) - 1]
    form = {"descriptor": text, "heard": heard.words, "same": "yes"} | change
    answer = browser.send("/admin/partners/compare", form)
    said = texts(answer, 422)
    assert words in said
    assert heard.digits not in said
    assert VN not in browser.office.ports.known.partners
    assert "<title>Error" in answer.text


def test_everything_that_is_wrong_with_a_comparison_is_said_at_once(three: Federation, browser: Browser) -> None:
    page = browser.send("/admin/partners/compare", {"descriptor": offer_of(three["vn"])[0], "heard": '"><b>'})
    assert {'href="#heard"', 'href="#same"'} <= set(re.findall(r'href="#\w+"', page.text))
    assert "&#34;&gt;&lt;b&gt;" in page.text


def test_what_is_no_descriptor_to_add_is_told_where_it_was_pasted(three: Federation, gb: Office, browser: Browser) -> None:
    own, _ = offer_of(gb)
    cut = "\n".join(line for number, line in enumerate(offer_of(three["vn"])[0].splitlines()) if number != 3)
    for text, words in (
        ("", "Paste the whole text"),
        (HOSTILE, "Paste the whole text"),
        (own, "your own node"),
        (cut, "The node refused this"),
    ):
        page = browser.send("/admin/partners/new", {"descriptor": text})
        assert words in texts(page, 422)
        assert 'href="#descriptor"' in page.text
        assert "<script>alert" not in page.text


def test_a_second_fingerprint_for_one_partner_is_refused(gb: Office, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    held = gb.ports.known
    other = replace(held.partners[KH], fingerprint=b"\1" * 32)
    gb.ports.acquaintance.known = replace(held, partners={KH: other})
    monkeypatch.setattr(admin_partner_pages, "read_descriptor", lambda _: partners.own_chain(held.partners[KH].node))
    assert "known already, with another fingerprint" in texts(browser.send("/admin/partners/new", {"descriptor": "x"}), 422)


def test_a_partner_is_suspended_and_resumed_with_a_reason(gb: Office, browser: Browser) -> None:
    path = f"/admin/partners/{KH}"
    refused = browser.send(path, {"what": "suspend", "reason": "  "})
    assert "Say why: your auditors will read it" in texts(refused, 422)
    assert browser.send(path, {"what": "suspend", "reason": "x" * 501}).status_code == 422
    assert not gb.ports.known.partners[KH].suspended
    assert browser.send(path, {"what": "suspend", "reason": "a stolen key (synthetic)"}).status_code == 303
    assert gb.ports.known.partners[KH].suspended
    assert "Suspended" in texts(browser.get(path))
    assert "Suspended" in texts(browser.get("/admin/partners"))
    assert browser.send(path, {"what": "resume", "reason": "a new key (synthetic)"}).status_code == 303
    assert not gb.ports.known.partners[KH].suspended
    assert "a stolen key (synthetic)" in in_journal(gb, "SUSPENDED")[0]
    assert "a new key (synthetic)" in in_journal(gb, "RESUMED")[0]


def test_a_partner_that_is_not_there_has_no_page(browser: Browser) -> None:
    assert browser.get("/admin/partners/xx.alerts.example").status_code == 404
    assert browser.send("/admin/partners/xx.alerts.example", {"what": "suspend", "reason": "x"}).status_code == 404


def test_when_a_partner_was_last_heard_of_is_shown(three: Federation, gb: Office, browser: Browser) -> None:
    gb.publish(draft(agency("kh", POLICE)))
    three.pump()
    (one,) = partners.list_partners(gb.ports, gb.person("administrator"))
    assert one.heard_at == gb.clock.time
    assert "Last heard of never" not in texts(browser.get("/admin/partners"))


def test_others_may_read_partners_and_find_no_form(gb: Office) -> None:
    for name in ("liaison", "auditor"):
        page = Browser(gb).enter(name).get(f"/admin/partners/{KH}").text
        assert 'name="reason"' not in page
        assert 'href="/admin/partners/new"' not in Browser(gb).enter(name).get("/admin/partners").text


def test_what_a_partner_says_of_itself_is_text(gb: Office, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    said = desk_service_pb2.PartnerSummary(
        trust_domain=HOSTILE, endpoint=HOSTILE, identity_fingerprint=bytes(32), languages=[HOSTILE], alarms=["<b>"]
    )
    said.agencies.add(agency=HOSTILE, name=HOSTILE, agency_class=99)  # type: ignore[arg-type]  # of a newer schema
    monkeypatch.setattr(admin_partner_pages, "get_partner", lambda *_: said)
    monkeypatch.setattr(admin_partner_pages, "list_partners", lambda *_: [said])
    monkeypatch.setattr(admin_partner_pages, "offered_partner", lambda *_: said)
    pages = [browser.get(f"/admin/partners/{KH}"), browser.get("/admin/partners")]
    pages.append(browser.send("/admin/partners/new", {"descriptor": offer_of(gb)[0]}))
    for page in pages:
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "\u202e" not in page.text
        assert "{{ 7*7 }}" in page.text


def test_a_descriptor_as_text_is_read_from_whatever_stands_around_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], gb: Office
) -> None:
    text, _ = offer_of(gb)
    chain = partners.own_chain(gb.own)
    assert read_descriptor(f"> \n{text}\n--\nregards") == chain
    assert read_descriptor(text.replace("\n", "\r\n")) == chain
    assert descriptor_of(text.encode()) == descriptor_of(chain) == chain
    for broken in ("", text[:200], text.replace("A", "!", 1), "-----BEGIN EXCHANGE DESCRIPTOR-----\n-----END EXCHANGE DESCRIPTOR-----"):
        assert read_descriptor(broken) is None
    for name, data in (("descriptor.pb", chain), ("descriptor.txt", text.encode())):
        (tmp_path / name).write_bytes(data)
        assert command_line(["node", "descriptor", "--file", str(tmp_path / name), "--text"]) == 0
        assert capsys.readouterr().out == text


# Agreements


def offered(three: Federation, edit: Any = None) -> str:
    """An agreement that kh proposed to gb, by digest."""
    content = changed(agreement(), instrument="Second memorandum, synthetic")
    if edit:
        edit(content)
    made = propose(three["kh"].ports, three["kh"].person("administrator"), content)
    three.carry()
    return made.digest.hex()


def test_an_offer_is_read_against_the_version_before_and_accepted(three: Federation, gb: Office, browser: Browser) -> None:
    reference = offered(three, lambda content: content.clauses[0].ClearField("purposes") or content.clauses[0].purposes.append(2))
    path = f"/admin/agreements/{reference}"
    assert f'href="{path}"' in browser.get("/admin/agreements").text
    page = browser.get(path)
    said = texts(page)
    assert "Offered: you must accept" in said
    assert "Memorandum of understanding, synthetic" in said
    before = next(iter(gb.ports.known.agreements)).hex()
    assert f'href="/admin/agreements/{before}"' in page.text
    assert "Confirm that you read it" in texts(browser.send(path, {}), 422)
    assert bytes.fromhex(reference) not in gb.ports.known.agreements
    done = browser.send(path, {"read": "yes"})
    assert (done.status_code, done.headers["location"]) == (303, f"{path}?done")
    assert bytes.fromhex(reference) in gb.ports.known.agreements
    after = texts(browser.get(f"{path}?done"))
    assert "In force" in after
    assert "Sign and accept" not in after
    assert "There is none before it." in texts(browser.get(f"/admin/agreements/{before}"))


def test_nobody_else_finds_the_form_to_accept(three: Federation, gb: Office) -> None:
    path = f"/admin/agreements/{offered(three)}"
    for name in ("liaison", "auditor"):
        other = Browser(gb).enter(name)
        assert 'name="read"' not in other.get(path).text
        assert other.send(path, {"read": "yes"}).status_code == 403
    assert agreements.get(gb.ports, gb.person("administrator"), path[-64:]).state == desk_service_pb2.AGREEMENT_STATE_OFFERED


def test_an_agreement_is_shown_as_tables(gb: Office, browser: Browser) -> None:
    path = f"/admin/agreements/{next(iter(gb.ports.known.agreements)).hex()}"
    page = browser.get(path)
    assert f'href="{path}/TravelAlert"' in page.text
    said = texts(browser.get(f"{path}/TravelAlert"))
    for words in (
        f"From {GB} to {KH}",
        "Kept, days at most",
        "Purposes",
        "always sent",
        "Name as in the document",
        "identity",
        "anti-trafficking (kh)",
    ):
        assert words in said
    assert browser.get(f"{path}/Tip").status_code == 404
    assert browser.get(f"{path[:-1]}x").status_code == 404
    assert browser.get(path[:30]).status_code == 404
    assert browser.get(f"/admin/agreements/{'0' * 64}").status_code == 404


def test_an_agreement_is_written_from_a_text_that_has_everything(three: Federation, gb: Office, browser: Browser) -> None:
    assert f'href="/admin/agreements/new?with={KH}"' in browser.get("/admin/agreements/new").text
    sent = browser.send("/admin/agreements/new", {"text": template(browser).replace("\n", "\r\n")})
    assert sent.status_code == 303, sent.text
    reference = sent.headers["location"].split("/")[3].split("?")[0]
    three.carry()
    held = agreements.get(three["kh"].ports, three["kh"].person("administrator"), reference)
    assert held.state == desk_service_pb2.AGREEMENT_STATE_OFFERED
    assert "Proposed: the partner must accept" in texts(browser.get(f"/admin/agreements/{reference}"))
    assert browser.get("/admin/agreements/new?with=xx.alerts.example").status_code == 404


def test_everything_that_is_wrong_with_an_agreement_is_said(browser: Browser) -> None:
    page = browser.send("/admin/agreements/new", {"text": f'instrument = "{HOSTILE[:25]}"\nunknown = 1'})
    said = texts(page, 422)
    assert said.count("The node says, in English:") > 3
    assert "<script>alert" not in page.text
    assert 'href="#text"' in page.text


def template(browser: Browser) -> str:
    area = re.search(r"<textarea[^>]*>(.*?)</textarea>", browser.get(f"/admin/agreements/new?with={KH}").text, re.DOTALL)
    assert area
    return unescape(area[1]).strip()


def test_an_emergency_is_said_twice_or_not_at_all(browser: Browser) -> None:
    page = browser.send("/admin/agreements/new", {"text": template(browser), "emergency": "yes"})
    assert "Say below whether this agreement is for an emergency" in texts(page, 422)
    assert 'href="#emergency"' in page.text


def test_what_the_node_refuses_of_an_agreement_is_told(gb: Office, browser: Browser) -> None:
    text = template(browser)
    partners.suspend_partner(gb.ports, gb.person("administrator"), KH, resume=False)
    assert "The other party is suspended" in texts(browser.send("/admin/agreements/new", {"text": text}), 422)
    gb.clock.pass_(400 * DAY)
    partners.suspend_partner(gb.ports, gb.person("administrator"), KH, resume=True)
    assert "write a later end" in texts(Browser(gb).enter("administrator").send("/admin/agreements/new", {"text": text}), 422)


def test_what_an_agreement_says_is_text(gb: Office, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    content = changed(agreement(), instrument=HOSTILE)
    content.parties[0].legal_basis = HOSTILE
    content.agencies[0].agency = f"spiffe://{KH}/agency/{HOSTILE}"
    content.clauses[0].id = HOSTILE
    content.clauses[0].recipient = HOSTILE
    before = desk_service_pb2.AgreementSummary(digest=b"\1" * 32, state=3, agreement=agreement())  # type: ignore[arg-type]  # by number
    one = desk_service_pb2.AgreementSummary(digest=b"\2" * 32, state=2, agreement=content)  # type: ignore[arg-type]  # by number
    monkeypatch.setattr(admin_agreement_pages, "get", lambda *_: one)
    monkeypatch.setattr(admin_agreement_pages, "list_agreements", lambda *_: [before, one])
    for path in ("", f"/{'02' * 32}", f"/{'02' * 32}/HitReport", f"/{'02' * 32}/TravelAlert"):
        page = browser.get(f"/admin/agreements{path}")
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "\u202e" not in page.text


# Officers


def test_a_code_is_shown_once_and_enrols_its_person(gb: Office, browser: Browser) -> None:
    page = browser.get("/admin/officers")
    path = f"/admin/officers/{address_of(gb.person('liaison'))}"
    assert f'href="{path}"' in page.text
    assert "no passkey" in texts(page)
    made = browser.send(f"{path}/enrol", {})
    code = re.search(r"[A-Z2-7]{4}(?:-[A-Z2-7]{4}){5}", made.text)
    assert code
    assert made.headers["cache-control"] == "no-store"
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
    assert (done.status_code, done.headers["location"]) == (303, f"{path}?forgotten")
    assert other.get("/you").headers["location"] == "/sign-in"
    assert "Taken away: every passkey, code and session." in texts(browser.get(f"{path}?forgotten"))
    assert in_journal(gb, "PASSKEYS_REMOVED")


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
    for words in (first[:12], held[:12], "erasure", "held past its limit", "nca-ceop (gb)", "Travel alert, sent"):
        assert words in said
    assert "EXAMPLE" not in said
    done = browser.send("/admin/retention", {})
    assert (done.status_code, done.headers["location"]) == (303, "/admin/retention?erased=1")
    said = texts(browser.get(done.headers["location"]))
    assert "1 was erased." in said
    assert first[:12] not in said
    assert held[:12] in said
    for made_up in ("x", "-1", "9" * 40, "٣"):
        assert "erased." not in texts(browser.get(f"/admin/retention?erased={quote(made_up)}"))
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
    shown = ["", "/doctor", "/keys", "/outbox", "/retention", "/retention?erased=3", "/partners", "/partners/new", f"/partners/{KH}?done"]
    shown += [
        "/agreements",
        f"/agreements/new?with={KH}",
        f"/agreements/{reference}?done",
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
        (f"{officer}/enrol", {}),
        (f"{officer}/forget", {}),
    ]
    for language in ("en", *CODES):
        browser.send("/language", {"language": language})
        for path in [*(f"/admin{one}" for one in shown), f"{officer}?forgotten"]:
            yield language, path, browser.get(path)
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
