"""What was sent, in the console: the list, what became of it at each recipient, and recalls and supplements by form and passkey."""

import re
from pathlib import Path
from typing import Any

import pytest

from exchange.v1 import desk_service_pb2 as messages
from node.cli.alert_recall import GROUNDS, RESTRICTION_REASONS, WITHDRAWAL_REASONS
from node.console import recall_pages, sent_pages
from node.console.challenges import LIVES_MS
from node.console.preview_words import recipient_reference
from node.operations import approve
from tests.confirming import Hands, entered, signed
from tests.console_site import Browser, Shown
from tests.countries import BORDER, POLICE, TRAVEL, agency, agreement, with_clause
from tests.federation import Federation, federation
from tests.recalls import attested, together
from tests.rig import ROLES, Office, draft

pytestmark = pytest.mark.thorough

KH_BORDER, KH_POLICE = agency("kh", BORDER), agency("kh", POLICE)
REASON = "synthetic reason"
APPEARANCE = 6


@pytest.fixture
def digest(two: Federation, gb: Office) -> str:
    published = gb.publish(draft(KH_BORDER, KH_POLICE))
    two.pump()
    return published.manifest_digest.hex()


def confirmed(browser: Browser, hands: Hands, path: str, form: dict[str, str]) -> Any:
    """What comes of a form and of the passkey that the page after it asks for."""
    page = browser.send(path, form)
    assert page.status_code == 200, page.text
    return browser.post(path, signed(page.text, hands.key("liaison")))


def texts(page: Any) -> list[str]:
    return [text for _, text in Shown(page.text).texts]


def test_only_liaison_officers_of_the_agency_see_what_was_sent(gb: Office, digest: str) -> None:
    supplement = f"/sent/{digest}/supplement/{recipient_reference(KH_BORDER)}"
    for name in ROLES:
        browser = Browser(gb).enter(name)
        listed = browser.get("/sent")
        assert listed.status_code == (200 if name in {"liaison", "second", "both"} else 403), name
        assert (digest in listed.text) == (name in {"liaison", "second"})
        own = {"liaison", "second"}
        status = 200 if name in own else 404 if name == "both" else 403
        for path in (f"/sent/{digest}", *(f"/sent/{digest}/{verb}" for verb in ("withdraw", "restrict", "lift")), supplement):
            answer = browser.get(path)
            assert answer.status_code == status, (name, path)
            assert ("EXAMPLE, Thomas" in answer.text) == (name in own and path == f"/sent/{digest}")
        for path in (f"/sent/{digest}/withdraw", f"/sent/{digest}/restrict"):
            form = {"code": "WRONG_PERSON" if path.endswith("withdraw") else "UNDER_REVIEW", "days": "7", "reason": REASON, "ticket": "x"}
            assert browser.send(path, form).status_code == (422 if name in own else status), name
    assert Browser(gb).get("/sent").headers["location"] == "/sign-in"
    for wrong in ("0" * 64, digest[:12], digest.upper()):
        assert Browser(gb).enter("liaison").get(f"/sent/{wrong}").status_code == 404
    assert not [code for kind, _, _, code in gb.journal() if kind == "alteration"]


def test_the_list_says_whom_each_alert_reached_how_far_and_where_the_traveller_lands_there(
    two: Federation, gb: Office, digest: str
) -> None:
    two["kh"].report(digest)
    gb.publish(draft(KH_BORDER))
    two.pump()
    waiting = gb.publish(draft(KH_BORDER)).manifest_digest.hex()
    listed = Browser(gb).enter("liaison").get("/sent").text
    told = {
        one: " ".join(text for _, text in Shown(part).texts)
        for one, _, part in (part.partition('"') for part in listed.split('href="/sent/')[1:])
    }
    assert "anti-trafficking, Cambodia : Receipted" in told[digest] or "anti-trafficking, Cambodia : Reported" in told[digest]
    assert told[digest].count("Reported") == 1
    assert "immigration, Cambodia : Logged" in told[waiting]
    # He changes planes in Bangkok, and lands in the country that was told.
    assert "Lands 30 May 2026, 19:20 (Asia/Phnom_Penh) Expires" in told[waiting]
    assert "Bangkok" not in listed


def test_a_timeline_for_each_recipient(two: Federation, gb: Office, digest: str) -> None:
    two["kh"].report(digest)
    two.pump()
    page = Browser(gb).enter("liaison").get(f"/sent/{digest}")
    lists = [[text for _, text in Shown(one).texts] for one in re.findall(r'<ol class="app-timeline">.*?</ol>', page.text, re.DOTALL)]
    assert len(lists) == 2
    for one in lists:
        assert [text.partition(":")[0] for text in one if not re.fullmatch(r"[0-9a-f]{12}|.*#\d+|the proof|, .* \d+", text)] == [
            "Queued",
            "Logged",
            "Delivered",
            "Receipted",
            "Opened by a person, as that agency says",
            "Reported",
        ]
        assert "gb.alerts.example/disclosures/kh.alerts.example/1#" in " ".join(one)
    reported = [one for one in lists if re.fullmatch(r"[0-9a-f]{12}", one[-1])]
    assert len(reported) == 1
    assert "Reported: not yet" in " ".join(next(one for one in lists if one not in reported))
    link = re.search(r'href="(/inbox/[0-9a-f]{64})"', page.text)
    assert link
    assert Browser(gb).enter("liaison").get(link[1]).status_code == 200


def test_what_has_not_left_yet_and_what_was_refused(gb: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = gb.publish(draft(KH_BORDER)).manifest_digest.hex()
    page = " ".join(texts(Browser(gb).enter("liaison").get(f"/sent/{waiting}")))
    assert "Delivered: not yet Receipted: not yet" in page
    real = sent_pages.get_status

    def changed(*arguments: Any) -> messages.GetAlertStatusResponse:
        answer = real(*arguments)
        other = answer.disclosures.add()
        other.CopyFrom(answer.disclosures[0])
        answer.disclosures[0].state = messages.DISCLOSURE_STATE_EXCEPTED
        answer.disclosures[0].exception = 3  # type: ignore[assignment]  # MANIFEST_UNVERIFIED
        other.withheld = 1  # type: ignore[assignment]  # WITHDRAWN
        answer.waiting.append("kh.<b>alerts.example")
        return answer

    monkeypatch.setattr(sent_pages, "get_status", changed)
    answer = Browser(gb).enter("liaison").get(f"/sent/{waiting}")
    page = " ".join(texts(answer))
    assert "Refused by their node MANIFEST_UNVERIFIED" in page
    assert "Withheld by this node WITHDRAWN" in page
    assert "<b>" not in answer.text


def test_withdrawn_by_form_and_passkey_and_who_owes_the_attestation(two: Federation, gb: Office, hands: Hands, digest: str) -> None:
    browser, path = entered(gb, "liaison", hands), f"/sent/{digest}/withdraw"
    assert [choice in browser.get(path).text for choice in WITHDRAWAL_REASONS] == [True] * 5
    answer = confirmed(browser, hands, path, {"code": "WRONG_PERSON", "days": "5", "reason": REASON})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/sent/{digest}?withdraw")
    two.pump()
    page = browser.get(answer.headers["location"])
    said = " ".join(texts(page))
    assert "It is withdrawn." in said
    assert said.count("owed") >= 2
    assert f"/sent/{digest}/withdraw" not in page.text
    attested(two["kh"], bytes.fromhex(digest))
    two.pump()
    said = " ".join(texts(browser.get(f"/sent/{digest}")))
    assert "attested" in said
    again = browser.send(path, {"code": "WRONG_PERSON", "days": "5", "reason": REASON})
    answer = browser.post(path, signed(again.text, hands.key("liaison")))
    assert (answer.status_code, "This alert was withdrawn" in answer.text) == (422, True)
    assert not gb.fsck()


def test_restricted_and_lifted(two: Federation, gb: Office, hands: Hands, digest: str) -> None:
    browser = entered(gb, "liaison", hands)
    assert [choice in browser.get(f"/sent/{digest}/restrict").text for choice in RESTRICTION_REASONS] == [True] * 3
    form = {"code": "UNDER_REVIEW", "reason": REASON}
    assert confirmed(browser, hands, f"/sent/{digest}/restrict", form).headers["location"] == f"/sent/{digest}?restrict"
    two.pump()
    page = browser.get(f"/sent/{digest}").text
    assert f"/sent/{digest}/lift" in page
    assert f"/sent/{digest}/restrict" not in page
    assert "supplement" not in page
    assert confirmed(browser, hands, f"/sent/{digest}/lift", {"reason": REASON}).headers["location"] == f"/sent/{digest}?lift"
    assert [code for kind, _, _, code in gb.journal() if kind == "alteration"] == ["RESTRICTED", "LIFTED"]


def test_all_that_is_wrong_with_a_recall_is_said_at_once(gb: Office, hands: Hands, digest: str) -> None:
    browser = entered(gb, "liaison", hands)
    answer = browser.send(f"/sent/{digest}/withdraw", {"code": "MADE_UP", "days": "99", "reason": " "})
    assert answer.status_code == 422
    for place, words in (("code", "Choose the reason"), ("days", "from 1 to 90"), ("reason", "Say why")):
        assert re.search(rf'<a href="#{place}">{words}|<a href="#{place}">Write a number of days from 1 to 90', answer.text), place
    for days in ("0", "", "x", "-1", "٣", "1000"):
        assert browser.send(f"/sent/{digest}/withdraw", {"code": "WRONG_PERSON", "days": days, "reason": REASON}).status_code == 422
    assert browser.send(f"/sent/{digest}/restrict", {"code": "WRONG_PERSON", "reason": REASON}).status_code == 422


@pytest.mark.parametrize("changed", [{"code": "COURT_ORDER"}, {"days": "9"}, {"reason": "another"}])
def test_a_recall_says_what_was_signed(gb: Office, hands: Hands, digest: str, changed: dict[str, str]) -> None:
    browser, path = entered(gb, "liaison", hands), f"/sent/{digest}/withdraw"
    form = signed(browser.send(path, {"code": "WRONG_PERSON", "days": "5", "reason": REASON}).text, hands.key("liaison"))
    answer = browser.post(path, form | changed)
    assert (answer.status_code, "Confirm it again" in answer.text) == (422, True)
    assert not [code for kind, _, _, code in gb.journal() if kind == "alteration"]


def test_a_recall_of_somebody_else_or_too_late_does_nothing(gb: Office, hands: Hands, digest: str) -> None:
    browser, path = entered(gb, "liaison", hands), f"/sent/{digest}/withdraw"
    page = browser.send(path, {"code": "WRONG_PERSON", "days": "5", "reason": REASON}).text
    assert browser.post(path, signed(page, hands.key("second"))).status_code == 403
    gb.clock.pass_(LIVES_MS)
    assert browser.post(path, signed(page, hands.key("liaison"))).status_code == 422
    assert not [code for kind, _, _, code in gb.journal() if kind == "alteration"]


def test_whoever_is_told_between_the_page_and_the_passkey_is_shown_first(two: Federation, gb: Office, hands: Hands) -> None:
    digest = gb.publish(draft(KH_BORDER)).manifest_digest
    browser, path = entered(gb, "liaison", hands), f"/sent/{digest.hex()}/withdraw"
    page = browser.send(path, {"code": "WRONG_PERSON", "days": "5", "reason": REASON}).text
    gb.publish(draft(KH_POLICE, supersedes=[digest]))
    answer = browser.post(path, signed(page, hands.key("liaison")))
    assert answer.status_code == 422
    assert not [code for kind, _, _, code in gb.journal() if kind == "alteration" and code == "WITHDRAWN"]


def test_one_agency_is_told_more(two: Federation, gb: Office, hands: Hands, digest: str) -> None:
    browser = entered(gb, "liaison", hands)
    path = f"/sent/{digest}/supplement/{recipient_reference(KH_BORDER)}"
    page = browser.get(path)
    assert f'name="field-{APPEARANCE}"' in page.text
    assert 'name="field-1"' not in page.text
    assert [choice in page.text for choice in GROUNDS] == [True] * 5
    wrong = browser.send(path, {"reason": ""})
    assert (wrong.status_code, {"Choose at least one field", "Say why this is necessary"} <= set(texts(wrong))) == (422, True)
    form = {f"field-{APPEARANCE}": "yes", "reason": REASON}
    refused = browser.send(path, form)
    assert (refused.status_code, "Choose one." in refused.text) == (422, True)
    answer = confirmed(browser, hands, path, {**form, "ground": "INVESTIGATION"})
    assert answer.headers["location"] == f"/sent/{digest}?supplement"
    assert "That agency is told more." in texts(browser.get(answer.headers["location"]))
    assert f'name="field-{APPEARANCE}"' not in browser.get(path).text
    page = browser.send(path, {"field-7": "yes", "reason": REASON, "ground": "INVESTIGATION"}).text
    other = browser.post(path, signed(page, hands.key("liaison")) | {"ground": "RISK_TO_CHILD"})
    assert (other.status_code, "Confirm it again" in other.text) == (422, True)
    assert browser.get(f"/sent/{digest}/supplement/{'0' * 16}").status_code == 404
    assert not gb.fsck()


def test_more_that_a_colleague_has_to_approve_is_submitted(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh", with_clause(agreement(), "gb-kh-travelalert-border", approvals=1))
        gb, hands = made["gb"], Hands(made["gb"])
        wanted = messages.SubmitAlertRequest(draft=draft(KH_BORDER), reason=REASON)
        first = approve.submit(gb.ports, gb.person("liaison"), wanted, together(gb)).submission
        given = messages.ApproveSubmissionRequest(submission=first.id.hex(), preview_digest=first.preview_digest)
        digest = approve.approve(gb.ports, gb.person("second"), given, together(gb)).published.manifest_digest.hex()
        browser, path = entered(gb, "liaison", hands), f"/sent/{digest}/supplement/{recipient_reference(KH_BORDER)}"
        answer = confirmed(browser, hands, path, {f"field-{APPEARANCE}": "yes", "reason": REASON, "ground": "INVESTIGATION"})
        waiting = re.fullmatch(r"(/approvals/[0-9a-f]{32})\?submitted", answer.headers["location"])
        assert waiting
        colleague = entered(gb, "second", hands)
        page = colleague.get(waiting[1])
        assert "More of an alert that was sent" in texts(page)
        assert f"{waiting[1]}/read" not in page.text
        form = signed(colleague.get(f"{waiting[1]}/approve").text, hands.key("second"))
        assert colleague.post(f"{waiting[1]}/approve", form).headers["location"] == f"/sent/{digest}?released"
        assert [code for kind, _, _, code in gb.journal() if kind == "disclosure"] == ["RELEASED"] * 2
        assert not gb.fsck()


def test_the_list_goes_on_and_stays_small(gb: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = Browser(gb).enter("liaison")
    assert "Your agency has sent no alert." in browser.get("/sent").text
    assert "PAGE_TOKEN" in browser.get("/sent?after=made-up").text
    found = messages.ListAlertsResponse(next_page_token="a b&c")
    for number in range(50):
        flags = ["RESTRICTED", "SUPERSEDED"]
        found.alerts.add(alert_type=TRAVEL, manifest_digest=bytes([number]) * 32, issued_at=1, not_after=2, arrives_at=3, flags=flags)
    monkeypatch.setattr(sent_pages, "list_alerts", lambda *_: found)
    for language in ("en", "km"):
        browser.send("/language", {"language": language})
        page = browser.get("/sent").text
        assert 'href="/sent?after=a%20b%26c"' in page
        assert len(page.encode()) < 60_000


def test_pages_are_small_and_name_nobody_outside_their_text(gb: Office, hands: Hands, digest: str) -> None:
    browser = entered(gb, "liaison", hands)
    more = f"/sent/{digest}/supplement/{recipient_reference(KH_BORDER)}"
    for language in ("en", "km"):
        browser.send("/language", {"language": language})
        for path in (f"/sent/{digest}", f"/sent/{digest}/withdraw", more):
            page = browser.get(path).text
            assert len(page.encode()) < 60_000
            for address in re.findall(r'(?:href|action|src)="([^"]*)"', page):
                assert not re.search(r"EXAMPLE|Thomas|925076473", address)
            assert not re.search(r"EXAMPLE|Thomas|925076473", next(iter(re.findall(r"<title>([^<]*)</title>", page))))
            tags = Shown(page).tags
            names = [given.get("id") for _, given in tags if given.get("id")]
            assert len(names) == len(set(names))
            labels = {given.get("for") for tag, given in tags if tag == "label"}
            assert {given.get("id") for tag, given in tags if tag in {"input", "textarea"} and given.get("type") != "hidden"} <= labels


def test_reasons_are_those_of_the_schema() -> None:
    verbs = {verb.name: verb for verb in recall_pages.VERBS}
    assert tuple(verbs["withdraw"].codes) == WITHDRAWAL_REASONS
    assert tuple(verbs["restrict"].codes) == RESTRICTION_REASONS
    assert tuple(recall_pages.GROUNDS) == GROUNDS
