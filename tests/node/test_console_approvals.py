"""Four eyes in the console: what waits for whom, what changes, an approval by passkey over exactly what was submitted, and taking back."""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from exchange.encoding import encode
from exchange.v1 import desk_service_pb2 as messages
from node.cli.main import run
from node.console.challenges import LIVES_MS
from node.console.preview_words import recipient_reference
from node.operations import approve, draft_box
from node.operations.identities import link_identity
from node.operations.sequence import sequence
from tests.confirming import Hands, entered, signed
from tests.console_site import Browser, Shown, field
from tests.countries import BORDER, POLICE, agency, agreement, with_clause
from tests.federation import Federation, federation
from tests.node.audit_desk import command_line
from tests.recalls import other_alert
from tests.rig import ROLES, Office, draft

pytestmark = pytest.mark.thorough

KH_BORDER = agency("kh", BORDER)
CLAUSE = "gb-kh-travelalert-border"
REASON = "synthetic reason"
GB_KH = "gb.alerts.example/disclosures/kh.alerts.example/1"


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh", with_clause(agreement(), CLAUSE, approvals=1))
        yield made


def submitted(gb: Office, by: str = "liaison", oral: str = "", **changes: Any) -> messages.Submission:
    request = messages.SubmitAlertRequest(draft=draft(KH_BORDER, **changes), reason=REASON, oral_approver=oral and gb.person(oral))
    return approve.submit(gb.ports, gb.person(by), request, lambda items: sequence(gb.ports, list(items))).submission


@pytest.fixture
def path(gb: Office) -> str:
    return f"/approvals/{submitted(gb).id.hex()}"


def codes(gb: Office) -> list[str]:
    return [code for kind, _, _, code in gb.journal() if kind in {"approval", "disclosure"}]


def texts(page: Any) -> list[str]:
    return [text for _, text in Shown(page.text).texts]


def test_whom_it_waits_for(gb: Office, path: str) -> None:
    read = f"{path}/read/{recipient_reference(KH_BORDER)}"
    for name in ROLES:
        browser = Browser(gb).enter(name)
        listed = browser.get("/approvals")
        assert listed.status_code == (200 if name in {"liaison", "second", "both"} else 403), name
        assert (path in listed.text) == (name in {"liaison", "second"})
        assert ("Waits for you" in listed.text) == (name == "second")
        status = 200 if name in {"liaison", "second"} else 404 if name == "both" else 403
        assert [browser.get(one).status_code for one in (path, f"{path}/approve", read)] == [status] * 3, name
        assert (f"{path}/approve" in browser.get(path).text) == (name == "second")
        assert (f"{path}/take-back" in browser.get(path).text) == (name == "liaison")
        assert ("data-passkey" in browser.get(f"{path}/approve").text) == (name == "second")
        if name != "liaison":
            assert browser.send(f"{path}/take-back", {}).status_code == (403 if status == 200 else status), name
    assert Browser(gb).get("/approvals").headers["location"] == "/sign-in"
    for wrong in ("0" * 32, "x", path.rpartition("/")[2][:8]):
        assert Browser(gb).enter("second").get(f"/approvals/{wrong}").status_code == 404
    assert codes(gb) == ["SUBMITTED"]


def test_what_would_go_is_shown_and_approved_by_passkey(
    two: Federation, gb: Office, hands: Hands, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = entered(gb, "second", hands)
    page = browser.get(path)
    assert "What would go now is exactly what was submitted." in texts(page)
    assert REASON in texts(page)
    rows = {row[0]: row[1:] for row in re.findall(r'<th scope="row">(.*?) <span.*?</th><td class="is-(\w+)"', page.text)}
    assert rows["Name as in the document"] == ("shown",)
    answer = browser.post(f"{path}/approve", signed(browser.get(f"{path}/approve").text, hands.key("second")))
    assert answer.status_code == 303
    digest = re.fullmatch(r"/sent/([0-9a-f]{64})\?released", answer.headers["location"])
    assert digest
    two.pump()
    assert "EXAMPLE, Thomas" in Browser(two["kh"]).enter("border").get(f"/inbox/{digest[1]}").text
    assert codes(gb) == ["SUBMITTED", "GIVEN", "RELEASED"]
    given = next(place for place, one in enumerate(gb.journal()) if one[3] == "GIVEN")
    with command_line(gb, "auditor", monkeypatch):
        for entry in (f"{GB_KH}#0", str(given)):
            assert run(["audit", "open", entry, "--purpose", "lawfulness", "--reason", "inspection", "--json"]) == 0
    closed = Browser(gb).enter("liaison").get(path)
    assert {"Released", "1 of 1"} <= set(texts(closed))
    assert "EXAMPLE, Thomas" not in closed.text


def test_nobody_approves_with_anothers_passkey_or_too_late_or_twice(gb: Office, hands: Hands, path: str) -> None:
    browser = entered(gb, "second", hands)
    page = browser.get(f"{path}/approve").text
    assert browser.post(f"{path}/approve", signed(page, hands.key("liaison"))).status_code == 403
    other = f"/approvals/{submitted(gb, alert=encode(other_alert())).id.hex()}"
    assert browser.post(f"{other}/approve", signed(page, hands.key("second"))).status_code == 422
    gb.clock.pass_(LIVES_MS)
    late = browser.post(f"{path}/approve", signed(page, hands.key("second")))
    assert (late.status_code, "Confirm it again" in late.text) == (422, True)
    assert codes(gb) == ["SUBMITTED"] * 2
    form = signed(late.text, hands.key("second"))
    assert browser.post(f"{path}/approve", form).status_code == 303
    assert browser.post(f"{path}/approve", form).status_code in {403, 422}


def test_who_came_by_an_issuers_word_and_has_no_passkey_is_told_how_to_get_one(gb: Office, hands: Hands, path: str) -> None:
    gb.ports = replace(gb.ports, issuer="https://id.example")
    link_identity(gb.ports, gb.person("administrator"), gb.person("second"), "example-subject")
    browser = Browser(gb).enter("second", "OIDC")
    page = browser.get(f"{path}/approve").text
    assert "you have none here" in page
    assert 'href="/enrol"' in page
    assert "data-passkey" not in page
    hands.key("second")
    page = browser.get(f"{path}/approve").text
    assert "you have none here" not in page
    assert "data-passkey" in page


def test_what_is_known_of_the_same_person_is_for_its_author_to_say(gb: Office, path: str) -> None:
    assert not gb.publish(draft(agency("kh", POLICE))).problems
    page = Browser(gb).enter("second").get(path).text
    assert "--despite-duplicate" not in page
    assert "which its author then says in the preview of the draft" in page


def test_the_author_does_not_approve(gb: Office, hands: Hands, path: str) -> None:
    """Not even with a page that a colleague was shown, or one of their own making."""
    author, colleague = entered(gb, "liaison", hands), Browser(gb).enter("second")
    form = signed(colleague.get(f"{path}/approve").text, hands.key("liaison"))
    assert author.send(f"{path}/approve", form).status_code == 422
    page = author.send(f"{path}/approve", {"ticket": ""})
    answer = author.post(f"{path}/approve", signed(page.text, hands.key("liaison")))
    assert (answer.status_code, "APPROVER_IS_AUTHOR" in answer.text) == (403, True)
    assert codes(gb) == ["SUBMITTED"]


def test_what_changed_since_is_said_and_not_approved(gb: Office, two: Federation, hands: Hands, path: str) -> None:
    shown = approve.get(gb.ports, gb.person("second"), path.rpartition("/")[2])
    shown.preview.preview_digest = b"\x07" * 32
    browser = entered(gb, "second", hands)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(approve, "get", lambda *_: shown)
        for address in (path, f"{path}/approve"):
            page = browser.get(address)
            assert "What would go now is not what was submitted" in page.text
            assert "data-passkey" not in page.text
            assert f'href="{path}/approve"' not in page.text
            assert f'action="{path}/approve"' not in page.text


def test_what_differs_from_the_alert_before_it(gb: Office, two: Federation, hands: Hands) -> None:
    first = entered(gb, "second", hands)
    path = f"/approvals/{submitted(gb).id.hex()}"
    answer = first.post(f"{path}/approve", signed(first.get(f"{path}/approve").text, hands.key("second")))
    digest = bytes.fromhex(answer.headers["location"][len("/sent/") :][:64])
    later = f"/approvals/{submitted(gb, alert=encode(other_alert()), supersedes=[digest]).id.hex()}"
    page = first.get(later)
    changes = page.text.partition("What changes")[2].partition("app-matrix")[0]
    assert "Itinerary" in changes
    assert "XX 99" in changes
    assert "Name as in the document" not in changes
    assert f"/sent/{digest.hex()}" in changes


def test_taken_back_by_its_author(gb: Office, hands: Hands, path: str) -> None:
    browser = Browser(gb).enter("liaison")
    draft = re.fullmatch(r"(/drafts/[0-9a-f]{32})\?back", browser.send(f"{path}/take-back", {}).headers["location"])
    assert draft
    assert "is your draft again" in browser.get(f"{draft[1]}?back").text
    assert REASON in browser.get(f"{draft[1]}/preview").text
    assert "Taken back" in texts(browser.get(path))
    answer = browser.send(f"{path}/take-back", {})
    assert (answer.status_code, "SUBMISSION_CLOSED" in answer.text) == (409, True)
    colleague = entered(gb, "second", hands)
    assert "data-passkey" not in colleague.get(f"{path}/approve").text
    assert codes(gb) == ["SUBMITTED", "TAKEN_BACK"]


def _otherwise(document: dict[str, Any], before: draft_box.DraftContent) -> draft_box.DraftContent:
    return replace(before, document=document, reason="another reason")


def test_what_changed_since_the_last_look_is_shown_again_and_again(gb: Office, hands: Hands, path: str) -> None:
    colleague, author = entered(gb, "second", hands), entered(gb, "liaison", hands)
    assert "you last looked" not in colleague.get(path).text
    assert "Nothing has changed since you last looked" in colleague.get(path).text
    assert "you last looked" not in author.get(path).text
    gb.clock.pass_(600_000)
    draft = author.send(f"{path}/take-back", {}).headers["location"].partition("?")[0]
    held = draft_box.get(gb.ports, gb.person("liaison"), bytes.fromhex(draft.rpartition("/")[2]))
    changed = {**held.content.document, "alert": {**cast("dict[str, Any]", held.content.document["alert"]), "sex": "FEMALE"}}
    edit = partial(_otherwise, changed)
    draft_box.change(gb.ports, gb.person("liaison"), held.id, held.version, edit)
    preview = author.get(f"{draft}/preview").text
    check = author.send(f"{draft}/preview", {"reason": "another reason", "preview": field(preview, "preview")})
    answer = author.post(f"{draft}/release", signed(check.text, hands.key("liaison")))
    anew = answer.headers["location"].partition("?")[0]
    assert anew != path
    for _ in range(2):
        page = colleague.get(anew)
        top = page.text.partition('id="since"')[2].partition("</section>")[0]
        assert "Since you last looked on" in top
        for said in ("Sex", "female", "Reason", REASON, "another reason"):
            assert said in top, said
        assert "Name as in the document" not in top
    assert anew not in author.get("/drafts").text
    answer = colleague.post(f"{anew}/approve", signed(colleague.get(f"{anew}/approve").text, hands.key("second")))
    assert "?released" in answer.headers["location"]
    assert "you last looked" not in colleague.get(anew).text


def test_the_list_says_for_whom_to_whom_and_until_when(gb: Office, hands: Hands, path: str) -> None:
    rows = texts(entered(gb, "second", hands).get("/approvals"))
    assert {"Waits for you", "Recipients", "Lands", "Expires"} <= set(rows)
    assert "30 May 2026, 19:20 (Asia/Phnom_Penh)" in rows, "not where he changes planes"
    own = entered(gb, "liaison", hands).get("/approvals")
    assert "Not for you: you wrote it, a colleague approves it" in texts(own)
    assert "EXAMPLE" not in own.text


def test_an_approval_by_word_of_mouth_is_put_in_writing(gb: Office, hands: Hands) -> None:
    path = f"/approvals/{submitted(gb, oral='second').id.hex()}"
    browser = entered(gb, "second", hands)
    assert "Waits for you" in browser.get("/approvals").text
    page = browser.get(path)
    assert "Put it in writing" in page.text
    assert "to be put in writing by" in page.text
    answer = browser.post(f"{path}/approve", signed(browser.get(f"{path}/approve").text, hands.key("second")))
    assert answer.headers["location"] == f"{path}?approved"
    assert "put in writing" in browser.get(path).text
    assert "Waits for you" not in browser.get("/approvals").text


def test_pages_are_small_and_hostile_reasons_stay_text(gb: Office, hands: Hands, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    browser = entered(gb, "second", hands)
    shown = approve.get(gb.ports, gb.person("second"), path.rpartition("/")[2])
    shown.reason = "<b>\u202e{{ 7*7 }}"
    monkeypatch.setattr(approve, "get", lambda *_: shown)
    many = [shown.submission] * 200
    monkeypatch.setattr(approve, "list_submissions", lambda *_: many)
    for language in ("en", "km"):
        browser.send("/language", {"language": language})
        for address in ("/approvals", path, f"{path}/approve"):
            page = browser.get(address).text
            assert len(page.encode()) < 60_000
            assert "<b>" not in page
            assert "\u202e" not in page
    assert "160" in browser.get("/approvals").text
