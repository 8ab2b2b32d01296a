"""An administrator's pages about others: partners and agreements; nothing of a partner is believed or rendered."""

import re
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from html import unescape
from pathlib import Path

import pytest

from exchange.encoding import encode
from exchange.journal import SALT_SIZE
from exchange.v1 import desk_service_pb2
from exchange.v1.journal_pb2 import JournalAccountability
from node.cli.main import run as command_line
from node.confirmations import Confirmed, check_confirmation, read_confirmation
from node.console import admin_agreement_pages, admin_partner_pages
from node.console.admin_words import HEALTH_PLACES
from node.fingerprints import groups, held_back
from node.health_texts import TEXTS
from node.intake.descriptor_text import descriptor_of, read_descriptor
from node.operations import agreements, partners
from node.store.journal import ACCOUNTABILITY
from tests.confirming import Hands, signed
from tests.console_site import Browser, field
from tests.countries import DAY, NOW, POLICE, agency, agreement, changed, domain
from tests.federation import Federation, federation
from tests.reading_pages import HOSTILE, in_journal, offer_of, offered, texts
from tests.rig import Office, draft

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


@pytest.fixture
def hands(gb: Office) -> Hands:
    """Whose passkeys sign; the browser then is one in which the administrator has one."""
    made = Hands(gb)
    made.key("administrator")
    return made


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


def confirmed_events(office: Office, *codes: str) -> list[Confirmed]:
    """What persons signed for the journal's entries of these codes."""
    with office.ports.store.read() as tx:
        places = [place for place, one in enumerate(office.journal()) if one[3] in codes]
        details = [office.ports.journal.detail(tx, place, ACCOUNTABILITY) for place in places]
    kept = [JournalAccountability.FromString((one or b"")[SALT_SIZE:]).confirmation for one in details]
    return [check_confirmation(read_confirmation(one)) for one in kept if one]


def test_a_partner_is_added_by_the_group_that_was_heard(three: Federation, gb: Office, browser: Browser, hands: Hands) -> None:
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
    asked = browser.send("/admin/partners/compare", form)
    assert "All eight groups are as you heard them." in texts(asked)
    assert VN not in gb.ports.known.partners
    late = browser.post("/admin/partners/compare", signed(asked.text, hands.key("administrator")) | {"answer": "", "ticket": "AAAA"})
    assert late.status_code == 422
    done = browser.post("/admin/partners/compare", signed(asked.text, hands.key("administrator")))
    assert (done.status_code, done.headers["location"]) == (303, f"/admin/partners/{VN}")
    assert gb.ports.known.partners[VN].fingerprint == fingerprint
    assert "Done." in texts(browser.get(done.headers["location"]))
    assert "Done." not in texts(browser.get(f"/admin/partners/{VN}?done"))
    # Digits do as well, and the same partner again is the same partner.
    again = browser.send("/admin/partners/compare", {**form, "heard": heard.digits})
    assert browser.post("/admin/partners/compare", signed(again.text, hands.key("administrator"))).status_code == 303
    (kept, _) = confirmed_events(gb, "ADDED", "REFRESHED")
    assert (kept.action, kept.said["partner"], kept.said["fingerprint"]) == ("add_partner", VN, fingerprint.hex())
    assert kept.officer == gb.person("administrator")


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
        (cut, "not in the form that the protocol lays down"),
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


def test_an_offer_is_read_against_the_version_before_and_accepted(three: Federation, gb: Office, browser: Browser, hands: Hands) -> None:
    reference = offered(three, lambda content: content.clauses[0].ClearField("purposes") or content.clauses[0].purposes.append(2))
    path = f"/admin/agreements/{reference}"
    assert f'href="{path}"' in browser.get("/admin/agreements").text
    page = browser.get(f"{path}?done")
    said = texts(page)
    assert "Signed." not in said
    assert "Offered: you must accept" in said
    assert "Memorandum of understanding, synthetic" in said
    before = next(iter(gb.ports.known.agreements)).hex()
    assert f'href="/admin/agreements/{before}"' in page.text
    assert "Confirm that you read it" in texts(browser.send(path, {}), 422)
    assert bytes.fromhex(reference) not in gb.ports.known.agreements
    asked = browser.send(path, {"read": "yes"})
    assert asked.status_code == 200
    assert bytes.fromhex(reference) not in gb.ports.known.agreements
    key = hands.key("administrator")
    late = browser.post(path, signed(asked.text, key) | {"ticket": "AAAA"})
    assert (late.status_code, "Confirm it again" in late.text) == (422, True)
    done = browser.post(path, signed(asked.text, key))
    (kept,) = [one for one in confirmed_events(gb, "ACCEPTED") if one.said["agreement"] == reference]
    assert (kept.action, kept.said["partner"], kept.officer) == ("accept_agreement", KH, gb.person("administrator"))
    assert (done.status_code, done.headers["location"]) == (303, path)
    assert bytes.fromhex(reference) in gb.ports.known.agreements
    after = texts(browser.get(path))
    assert "In force" in after
    assert "Signed." in after
    assert "Signed." not in texts(browser.get(path))
    assert "Sign and accept" not in after
    assert "There is none before it." in texts(browser.get(f"/admin/agreements/{before}"))


def test_an_offer_is_on_the_administrators_list_until_it_is_signed_or_over(three: Federation, gb: Office, browser: Browser) -> None:
    reference = offered(three)
    link = f'href="/admin/agreements/{reference}"'
    assert link in browser.get("/work").text
    assert "Agreement to read and sign" in texts(browser.get("/work"))
    assert link not in Browser(gb).enter("liaison").get("/work").text
    doctor = browser.get("/admin/doctor").text
    assert "AGREEMENT_OFFERED" in doctor
    assert f'href="/admin/partners/{KH}"' in doctor
    assert doctor.partition("AGREEMENT_OFFERED")[0].rpartition("</li>")[2].count('href="/admin/agreements"') == 1
    gb.clock.time = agreement().valid_until
    browser.enter("administrator")
    assert link not in browser.get("/work").text
    assert "AGREEMENT_OFFERED" not in browser.get("/admin/doctor").text
    gb.clock.time = NOW
    browser.enter("administrator")
    agreements.accept(gb.ports, gb.person("administrator"), reference)
    assert link not in browser.get("/work").text


def test_where_the_doctor_leads_an_administrator_may_go(browser: Browser) -> None:
    assert HEALTH_PLACES.keys() <= TEXTS.keys()
    for address, _ in HEALTH_PLACES.values():
        assert browser.get(address.format(subject=KH)).status_code == 200


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
        "anti-trafficking, Cambodia",
    ):
        assert words in said
    assert browser.get(f"{path}/Tip").status_code == 404
    assert browser.get(f"{path[:-1]}x").status_code == 404
    assert browser.get(path[:30]).status_code == 404
    assert browser.get(f"/admin/agreements/{'0' * 64}").status_code == 404


def test_an_agreement_is_written_read_and_signed(three: Federation, gb: Office, browser: Browser, hands: Hands) -> None:
    assert f'href="/admin/agreements/new?with={KH}"' in browser.get("/admin/agreements/new").text
    check = "/admin/agreements/new/check"
    assert browser.get(check).headers["location"] == browser.send(check, {"read": "yes"}).headers["location"] == "/admin/agreements/new"
    text = template(browser)
    before = agreements.list_agreements(gb.ports, gb.person("administrator"))
    sent = browser.send("/admin/agreements/new", {"text": text.replace("\n", "\r\n")})
    assert (sent.status_code, sent.headers["location"]) == (303, check), sent.text
    page = browser.get(check)
    said = texts(page)
    for words in ("Check the agreement", "What differs from the version before", "Taken away: ", "Memorandum of understanding", KH):
        assert words in said
    assert f'href="/admin/agreements/{next(iter(gb.ports.known.agreements)).hex()}"' in page.text
    assert "always sent" in texts(browser.get(f"{check}/TravelAlert"))
    assert browser.get(f"{check}/Nothing").status_code == 404
    # Whoever goes back finds what they wrote; others do not.
    assert template(browser, "") == text
    assert template(Browser(gb).enter("administrator"), "") == ""
    assert "Confirm that you read it" in texts(browser.send(check, {}), 422)
    asked = browser.send(check, {"read": "yes"})
    assert asked.status_code == 200
    key = hands.key("administrator")
    late = browser.post(check, signed(asked.text, key) | {"ticket": "AAAA"})
    assert (late.status_code, "Confirm it again" in late.text) == (422, True)
    assert agreements.list_agreements(gb.ports, gb.person("administrator")) == before
    done = browser.post(check, signed(asked.text, key))
    assert done.status_code == 303
    reference = done.headers["location"].rpartition("/")[2]
    (kept,) = [one for one in confirmed_events(gb, "PROPOSED") if one.action == "propose_agreement"]
    proposed = changed(agreements.get(gb.ports, gb.person("administrator"), reference).agreement, proposed_at=0)
    assert (kept.said["partner"], kept.said["content"]) == (KH, sha256(encode(proposed)).hexdigest())
    assert "Signed." in texts(browser.get(done.headers["location"]))
    assert template(browser, "") == ""
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


def template(browser: Browser, chosen: str = f"?with={KH}") -> str:
    area = re.search(r"<textarea[^>]*>(.*?)</textarea>", browser.get(f"/admin/agreements/new{chosen}").text, re.DOTALL)
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
