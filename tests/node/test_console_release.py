"""From a draft to its release in the console: what is shown is what goes, byte for byte, signed by a passkey, or nothing goes."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exchange.v1 import desk_service_pb2 as messages
from node.console import preview_reading, previewed
from node.console.challenges import LIVES_MS
from node.console.deed_problems import NOBODY_GETS_IT
from node.console.preview_words import recipient_reference
from node.operations import draft_box, planning
from node.operations.contents import SALT, purpose_of_entry
from node.operations.draft_box import DraftContent
from node.operations.inbox import get_inbox_alert
from node.operations.preview import preview_with
from node.store import alerts, logs
from tests.confirming import Hands, entered, signed
from tests.console_site import Browser, Shown, field, site_of
from tests.countries import BORDER, DAY, NGO, POLICE, agency, agreement, with_clause
from tests.federation import Federation, federation
from tests.rig import ROLES, Office

pytestmark = pytest.mark.thorough

KH_BORDER, KH_POLICE, KH_NGO = agency("kh", BORDER), agency("kh", POLICE), agency("kh", NGO)
CLAUSE = "gb-kh-travelalert-border"
REASON = "synthetic reason"
HOSTILE = '<b>\u202eEXAMPLE {{ 7*7 }}"'
DOCUMENT = {
    "type": "TravelAlert",
    "language": "en",
    "purpose": "PREVENTION",
    "not_after": "P20D",
    "handling": {"codes": ["H1"], "permitted_purposes": ["PREVENTION", "BORDER_CONTROL"], "judicial_use": "ASK", "onward": "NONE"},
    "alert": {
        "primary_name": "EXAMPLE, Thomas Specimen",
        "birth": {"date": "1961-04-12", "country": "GBR"},
        "nationalities": ["GBR"],
        "documents": [{"number": "925076473", "issuer": "GBR", "type": "PASSPORT"}],
        "itinerary": [
            {
                "mode": "AIR",
                "departure_port": "LHR",
                "departure": "2026-06-04T21:30",
                "arrival_port": "BKK",
                "arrival": "2026-06-05T15:10",
                "confidence": "BOOKED",
                "source": "API",
            }
        ],
        "risk_level": {"band": "HIGH"},
        "risk_narrative": "Synthetic: seeks unsupervised access.",
        "requested_action": "SECONDARY_INTERVIEW",
        "contact_desk": {"unit": "Example desk", "channel": "+44 20 7946 0000", "languages": ["en"]},
    },
}


def drafted(gb: Office, *to: str, by: str = "liaison", reason: str = REASON, **alert: Any) -> str:
    """The address of a draft."""
    document: Any = {**DOCUMENT, "recipients": list(to), "alert": {**DOCUMENT["alert"], **alert}}  # type: ignore[dict-item]  # of JSON
    held = draft_box.create(gb.ports, gb.person(by), DraftContent(document=document, reason=reason))
    return f"/drafts/{held.id.hex()}"


def checked(browser: Browser, draft: str, **more: str) -> Any:
    """The answer to the form of the preview, as it stands."""
    page = browser.get(f"{draft}/preview").text
    return browser.send(f"{draft}/preview", {"preview": field(page, "preview"), "reason": REASON, **more})


def test_what_was_shown_is_what_goes_byte_for_byte(two: Federation, gb: Office, hands: Hands) -> None:
    graded: Any = [{"source": "B", "information": "2", "certainty": "FACT"}, {"field": "birth", "source": "A"}]
    draft = drafted(gb, KH_BORDER, KH_POLICE, deadlines={"acknowledge_by": "2027-03-05T23:00Z"}, grading=graded)
    browser = entered(gb, "liaison", hands)
    read = draft_box.read_draft(gb.ports, gb.person("liaison"), bytes.fromhex(draft.rpartition("/")[2]))
    promised = preview_with(gb.ports, gb.person("liaison"), read.draft)
    shown = {one: browser.get(f"{draft}/preview/{recipient_reference(one)}?language=en") for one in (KH_BORDER, KH_POLICE)}
    page = checked(browser, draft)
    assert page.status_code == 200
    answer = browser.post(f"{draft}/release", signed(page.text, hands.key("liaison")))
    assert answer.status_code == 303
    digest = re.fullmatch(r"/sent/([0-9a-f]{64})\?released", answer.headers["location"])
    assert digest
    two.pump()
    kh = two["kh"]
    for one in promised.recipients:
        name = {KH_BORDER: "border", KH_POLICE: "police"}[one.recipient]
        got = get_inbox_alert(kh.ports, kh.person(name), digest[1])
        assert got.view == one.view
        opened = {f.field for f in one.fields if f.visibility in {messages.VISIBILITY_SHOWN, messages.VISIBILITY_SHOWN_NOT_KNOWN}}
        assert set(got.undisclosed) == {f.field for f in one.fields} - opened
        # And what the desk reads on its own page is what the preview of that page said, line by line.
        theirs = Browser(kh).enter(name).get(f"/inbox/{digest[1]}").text
        assert fields(theirs) == fields(shown[one.recipient].text)
        assert handling(theirs) == handling(shown[one.recipient].text)
        # By the clocks of that country, and in words.
        assert "Acknowledge by: 6 March 2027, 06:00 (Asia/Phnom_Penh); 5 March 2027, 23:00 UTC" in fields(theirs)
        assert any("Languages: English (en)" in line for line in fields(theirs))
    sent = fields(browser.get(f"/sent/{digest[1]}").text)
    assert "Acknowledge by: 5 March 2027, 23:00 (Europe/London); 5 March 2027, 23:00 UTC" in sent
    assert "Birth (Source: A – reliable in every case)" in sent
    assert not gb.fsck()
    assert not kh.fsck()


def fields(page: str) -> list[str]:
    """What a page says of the fields, in order."""
    lists = re.findall(r'<dl class="govuk-summary-list">.*?</dl>', page, re.DOTALL)
    silent = re.findall(
        r"(?:no value|not told):</?[^<]*|(?:You were told that there is no value|Whether there is a value was not told):[^<]*", page
    )
    return [text for part in (*lists, *silent) for _, text in Shown(part).texts]


def handling(page: str) -> str:
    (found,) = re.findall(r'<ul class="app-handling__list">.*?</ul>', page, re.DOTALL)
    return str(found)


def test_the_preview_says_for_each_recipient_what_it_sees_and_by_which_clause(gb: Office, hands: Hands) -> None:
    draft = drafted(gb, KH_BORDER, KH_POLICE)
    page = entered(gb, "liaison", hands).get(f"{draft}/preview").text
    head = [text for _, text in Shown(page.partition('<thead data-live-list="head">')[2].partition("</thead>")[0]).texts]
    assert (head[0], len(head)) == ("Field", 3)
    rows = {
        cells[0]: cells[1:]
        for row in re.findall(r"<tr .*?</tr>", page.partition('<tbody data-live-list="fields">')[2].partition("</tfoot>")[0], re.DOTALL)
        for cells in [[text for _, text in Shown(row).texts]]
    }
    assert rows["Name as in the document"][1:] == ["shown", "shown"]
    assert rows["Court orders"][1:] == ["“not known”", "“not known”"]
    columns = {clause: place for place, clause in enumerate(rows["Decided by the clause"])}
    assert rows["Risk in words"][1:][columns[CLAUSE]] == "withheld"
    assert rows["Risk level"][1:][columns[CLAUSE]] == "needs a reason"
    assert page.count("app-recipient") == 2


def test_the_page_one_signs_names_whom_it_is_about_and_neither_title_nor_address_does(gb: Office, hands: Hands) -> None:
    page = checked(entered(gb, "liaison", hands), drafted(gb, KH_BORDER))
    assert "About EXAMPLE, Thomas Specimen" in " ".join(text for _, text in Shown(page.text).texts)
    assert "EXAMPLE" not in page.text.partition("<title>")[2].partition("</title>")[0]
    assert "EXAMPLE" not in str(page.url)


def test_the_desks_page_is_shown_in_a_language_of_that_country(gb: Office, hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview_reading, "languages_at", lambda *_: ("en", "lo", "km"))
    draft = drafted(gb, KH_BORDER)
    browser = entered(gb, "liaison", hands)
    address = f"{draft}/preview/{recipient_reference(KH_BORDER)}"
    page = browser.get(address)
    assert page.headers["content-language"] == "km"
    assert '<html lang="km"' in page.text
    assert "EXAMPLE, Thomas Specimen" in page.text
    assert "/report" not in page.text
    assert browser.get(f"{address}?language=th").headers["content-language"] == "th"
    assert browser.get(f"{address}?language=xx").headers["content-language"] == "km"
    monkeypatch.setattr(preview_reading, "languages_at", lambda *_: ())
    assert browser.get(address).headers["content-language"] == "en"
    assert browser.get(f"{draft}/preview/{'0' * 16}").status_code == 404


def test_the_desks_page_tells_times_by_the_clock_there(gb: Office) -> None:
    address = f"{drafted(gb, KH_BORDER)}/preview/{recipient_reference(KH_BORDER)}?language=en"
    page = Browser(gb, site_of(gb, zone="Europe/London")).enter("liaison").get(address).text
    told = re.findall(r"<dt>(Issued|Expires)</dt><dd>[^<]*\(([^)]*)\)</dd>", page)
    assert told == [("Issued", "Asia/Phnom_Penh"), ("Expires", "Asia/Phnom_Penh")]


def test_a_draft_is_shown_to_colleagues_and_released_by_its_author_only(gb: Office, hands: Hands) -> None:
    draft = drafted(gb, KH_BORDER)
    read = f"{draft}/preview/{recipient_reference(KH_BORDER)}"
    mine = entered(gb, "liaison", hands)
    digest = field(mine.get(f"{draft}/preview").text, "preview")
    form = {"preview": digest, "reason": REASON}
    for name in ROLES:
        browser = Browser(gb).enter(name)
        status = 200 if name in {"liaison", "second"} else 404 if name == "both" else 403
        assert [browser.get(path).status_code for path in (f"{draft}/preview", read)] == [status] * 2, name
        if name != "liaison":
            for path in (f"{draft}/preview", f"{draft}/release"):
                assert browser.send(path, form).status_code == (403 if status == 200 else status), name
    assert "Only its author" in Browser(gb).enter("second").get(f"{draft}/preview").text
    assert Browser(gb).get(f"{draft}/preview").headers["location"] == "/sign-in"
    for wrong in ("0" * 32, "x", draft.rpartition("/")[2].upper()):
        assert mine.get(f"/drafts/{wrong}/preview").status_code == 404


def test_what_changed_since_it_was_shown_is_shown_again_and_not_sent(two: Federation, gb: Office, hands: Hands) -> None:
    draft = drafted(gb, KH_BORDER)
    browser = entered(gb, "liaison", hands)
    page = checked(browser, draft).text
    identifier = bytes.fromhex(draft.rpartition("/")[2])
    draft_box.change(
        gb.ports, gb.person("liaison"), identifier, 1, lambda one: replace(one, document={**one.document, "leave_out": ["documents"]})
    )
    answer = browser.post(f"{draft}/release", signed(page, hands.key("liaison")))
    assert (answer.status_code, "has changed since you looked" in answer.text) == (422, True)
    # The digest of the new preview does not help: it was not what the passkey signed.
    form = signed(page, hands.key("liaison")) | {"preview": field(answer.text, "preview")}
    answer = browser.post(f"{draft}/release", form)
    assert (answer.status_code, "Confirm it again" in answer.text) == (422, True)
    assert not [code for kind, _, _, code in gb.journal() if kind == "disclosure"]


@pytest.mark.parametrize("change", ["reason", "urgent"])
def test_what_the_officer_says_besides_is_signed_too(gb: Office, hands: Hands, change: str) -> None:
    draft = drafted(gb, KH_BORDER)
    browser = entered(gb, "liaison", hands)
    form = signed(checked(browser, draft).text, hands.key("liaison"))
    changed = {"reason": "another"} if change == "reason" else {"urgent": "yes"}
    answer = browser.post(f"{draft}/release", form | changed)
    assert (answer.status_code, "Confirm it again" in answer.text) == (422, True)
    assert browser.post(f"{draft}/release", form).status_code == 303


def test_a_passkey_is_needed_in_time_and_of_the_author(gb: Office, hands: Hands) -> None:
    draft = drafted(gb, KH_BORDER)
    browser = entered(gb, "liaison", hands)
    page = checked(browser, draft).text
    other = hands.key("second")
    for answer in ("", "{}", signed(page, other)["answer"]):
        refused = browser.post(f"{draft}/release", signed(page, hands.key("liaison")) | {"answer": answer})
        assert (refused.status_code, "PASSKEY" in refused.text) == (403, True)
    gb.clock.pass_(LIVES_MS)
    late = browser.post(f"{draft}/release", signed(page, hands.key("liaison")))
    assert (late.status_code, "Confirm it again" in late.text) == (422, True)
    assert browser.post(f"{draft}/release", signed(late.text, hands.key("liaison"))).status_code == 303
    assert browser.get(f"{draft}/preview").status_code == 404
    assert [code for kind, _, _, code in gb.journal() if kind == "disclosure"] == ["RELEASED"]


def test_all_that_is_missing_is_said_at_once(gb: Office, hands: Hands) -> None:
    browser = entered(gb, "liaison", hands)
    draft = drafted(gb)
    page = browser.get(f"{draft}/preview").text
    assert "nobody is the default" in page
    assert "Check and sign" not in page
    draft = drafted(gb, KH_BORDER, reason="")
    answer = checked(browser, draft, reason=" ", preview="0")
    assert answer.status_code == 422
    texts = [text for _, text in Shown(answer.text).texts]
    assert {"What would go has changed since you looked. Look at it again.", "Say why this is necessary"} <= set(texts)
    draft = drafted(gb, KH_BORDER, "spiffe://xx.alerts.example/agency/nobody")
    page = browser.get(f"{draft}/preview").text
    assert "Nothing can go to nobody, xx.alerts.example" in page
    assert "PARTNER_UNKNOWN" in page
    assert "Check and sign" not in page
    answer = browser.send(f"{draft}/preview", {"preview": field_or_none(page), "reason": REASON})
    assert answer.status_code == 422


def field_or_none(page: str) -> str:
    found = re.search(r'name="preview" value="([^"]*)"', page)
    return found[1] if found else ""


def test_other_alerts_about_the_same_person_are_told(gb: Office, hands: Hands) -> None:
    browser = entered(gb, "liaison", hands)
    draft = drafted(gb, KH_BORDER)
    assert browser.post(f"{draft}/release", signed(checked(browser, draft).text, hands.key("liaison"))).status_code == 303
    page = browser.get(f"{drafted(gb, KH_BORDER)}/preview").text
    assert "SUBJECT_ALREADY_ALERTED" in page


def test_what_the_node_refuses_at_last_is_said(gb: Office, hands: Hands) -> None:
    problem = messages.Problem(code="SOMETHING_NEW", message="the log <is> stopped", remedy="wait")
    site = site_of(gb, release_together=lambda _: [messages.PublishedAlert(problems=[problem])])
    hands.key("liaison")
    browser = Browser(gb, site).enter("liaison")
    draft = drafted(gb, KH_BORDER)
    answer = browser.post(f"{draft}/release", signed(checked(browser, draft).text, hands.key("liaison")))
    assert answer.status_code == 422
    assert "The node refused this: SOMETHING_NEW" in answer.text
    assert "the log &lt;is&gt; stopped" in answer.text
    assert browser.get(f"{draft}/preview").status_code == 200


def test_hostile_values_and_long_lists_stay_text_and_small(gb: Office, hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    draft = drafted(gb, KH_BORDER, primary_name=HOSTILE.replace("\u202e", ""))
    browser = entered(gb, "liaison", hands)
    page = checked(browser, draft, reason=HOSTILE).text
    assert "<b>" not in page
    assert "\u202e" not in page.partition("<form")[0]
    answer = messages.PreviewAlertResponse()
    for number in range(12):
        one = answer.recipients.add(
            recipient=f"spiffe://xx.alerts.example/agency/<b>{number}", clause="<i>clause", agreement_digest=b"\x01" * 32
        )
        for place in range(1, 41):
            one.fields.add(field=place, name=f"<u>{place}", category="PERSON", visibility=messages.Visibility.ValueType(1 + place % 5))
    monkeypatch.setattr(previewed, "preview_with", lambda *_, **__: answer)
    for language in ("en", "km"):
        browser.send("/language", {"language": language})
        page = browser.get(f"{draft}/preview").text
        assert not re.search(r"<[bi]>|<u>", page)
        assert len(page.encode()) < 60_000


def test_whoever_came_in_by_a_training_code_confirms_without_a_passkey_and_the_record_says_so(two: Federation, gb: Office) -> None:
    site = site_of(gb, ports=replace(gb.ports, training=True))
    browser, draft = Browser(gb, site), drafted(gb, KH_BORDER)
    assert browser.post("/sign-in/code", {"code": browser.code("liaison")}).status_code == 303
    page = checked(browser, draft).text
    assert "data-passkey" not in page
    assert "The record will say that none was shown." in page
    form = {name: field(page, name) for name in ("ticket", "preview", "reason")}
    digest = bytes.fromhex(browser.send(f"{draft}/release", form).headers["location"][len("/sent/") :][:64])
    with gb.ports.store.read() as tx:
        (row,) = alerts.by_digests(tx, {digest}).values()
        ((_, entry),) = logs.entries_of_alert(tx, row.id)
        key = gb.ports.vault.unwrap(tx, row.period, row.wrapped_key)
    record = json.loads(key.open(purpose_of_entry(row.alert_id, gb.outbound(two["kh"]).name.origin), entry.sealed or b"")[SALT:])
    (kept,) = record["confirmations"]
    assert kept["passkey"] is None
    assert json.loads(kept["said"])["preview"] == record["preview"]


def test_a_release_that_needs_approval_is_submitted(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh", with_clause(agreement(), CLAUSE, approvals=1))
        gb, hands = made["gb"], Hands(made["gb"])
        draft = drafted(gb, KH_BORDER)
        browser = entered(gb, "liaison", hands)
        assert "The clause asks for a second officer’s approval." in browser.get(f"{draft}/preview").text
        page = checked(browser, draft)
        assert "Sign and submit" in page.text
        answer = browser.post(f"{draft}/release", signed(page.text, hands.key("liaison")))
        assert re.fullmatch(r"/approvals/[0-9a-f]{32}\?submitted", answer.headers["location"])
        assert [code for kind, _, _, code in gb.journal() if kind in {"approval", "disclosure"}] == ["SUBMITTED"]
        assert browser.get(f"{draft}/preview").status_code == 404


def test_nothing_personal_stands_in_addresses_and_titles(gb: Office, hands: Hands) -> None:
    draft = drafted(gb, KH_BORDER)
    browser = entered(gb, "liaison", hands)
    pages = [browser.get(f"{draft}/preview"), browser.get(f"{draft}/preview/{recipient_reference(KH_BORDER)}"), checked(browser, draft)]
    for page in pages:
        found = re.findall(r'(?:href|action|src)="([^"]*)"', page.text)
        assert not [one for one in found if re.search(r"EXAMPLE|Thomas|925076473|synthetic", one)]
        (title,) = re.findall(r"<title>([^<]*)</title>", page.text)
        assert not re.search(r"EXAMPLE|Thomas|925076473", title)


def test_handling_and_expiry_are_confirmed_too(gb: Office, hands: Hands) -> None:
    """They are no part of the digest of the preview: whoever changes them in another window has to look again."""
    draft = drafted(gb, KH_BORDER)
    browser = entered(gb, "liaison", hands)
    page = checked(browser, draft).text
    identifier = bytes.fromhex(draft.rpartition("/")[2])
    draft_box.change(
        gb.ports, gb.person("liaison"), identifier, 1, lambda one: replace(one, document={**one.document, "not_after": "P10D"})
    )
    answer = browser.post(f"{draft}/release", signed(page, hands.key("liaison")))
    assert (answer.status_code, "Confirm it again" in answer.text) == (422, True)


def test_an_agreement_that_ended_meanwhile_lets_nothing_go(gb: Office, hands: Hands) -> None:
    draft = drafted(gb, KH_BORDER)
    browser = entered(gb, "liaison", hands)
    page = checked(browser, draft).text
    gb.clock.pass_(400 * DAY)
    browser = entered(gb, "liaison", hands)
    assert browser.post(f"{draft}/release", signed(page, hands.key("liaison"))).status_code in {403, 404, 422}
    assert not [code for kind, _, _, code in gb.journal() if kind == "disclosure"]


def test_why_nothing_goes_is_said_in_each_language(gb: Office, hands: Hands) -> None:
    assert set(planning.REFUSALS) <= set(NOBODY_GETS_IT)
    browser = entered(gb, "liaison", hands)
    draft = drafted(gb, "spiffe://xx.alerts.example/agency/nobody")
    browser.send("/language", {"language": "vi"})
    page = browser.get(f"{draft}/preview").text
    assert "Ở đây không biết đối tác nào tên này. Hãy nhờ quản trị viên xử lý việc đó." in page
    assert "no partner of this trust domain is known here" not in page
