"""Leave to pass on in the console: asked for from an alert, listed on both sides, granted in part or denied, and used with a passkey."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from exchange.v1 import desk_service_pb2 as messages
from exchange.v1 import handling_pb2
from node.console import leave_pages
from node.console.leave_pages import STATES
from node.operations import assess
from node.policy.pack import read_pack
from tests.confirming import Hands, entered, signed
from tests.console_site import Browser, Shown, site_of
from tests.countries import POLICE, agency, node_id, with_clause
from tests.federation import Federation
from tests.node.test_policy import TEXT, weighed
from tests.onward import ACTION, BIRTH, FIELDS, KH_POLICE, NAME, VN_BORDER, agreed, asked, settle, state, summary, three
from tests.recalls import shown as read
from tests.rig import ROLES, Office, draft

pytestmark = pytest.mark.thorough

WHY = "A synthetic reason of the case"


@pytest.fixture
def federated(tmp_path: Path) -> Iterator[Federation]:
    made = three(tmp_path)
    yield made
    made.close()


@pytest.fixture
def kh(federated: Federation) -> Office:
    return federated["kh"]


@pytest.fixture
def gb(federated: Federation) -> Office:
    return federated["gb"]


@pytest.fixture
def told(federated: Federation) -> bytes:
    """What gb's police told kh's."""
    digest = federated["gb"].publish(draft(KH_POLICE)).manifest_digest
    settle(federated)
    return digest


def soon(office: Office, days: int = 1) -> str:
    """A time to come, by the clock of the console."""
    return f"{(office.ports.clock.now() + timedelta(days=days)).date().isoformat()} 18:00"


def form(office: Office, *fields: int, **changes: str) -> dict[str, str]:
    """A question that is filled in."""
    chosen = {f"field-{number}": "yes" for number in fields or FIELDS}
    said = {"kind": "ONWARD", "third_party": VN_BORDER, "purpose": "PURPOSE_PREVENTION", "until": soon(office), "reason": WHY}
    return {**said, **chosen, **changes}


def request_of(federated: Federation, told: bytes, **changes: Any) -> bytes:
    """A question that came to gb."""
    digest = asked(federated["kh"], told, name="police", **changes).manifest_digest
    assert digest
    settle(federated)
    return digest


def texts(page: str) -> set[str]:
    return {text for _, text in Shown(page).texts}


def test_leave_is_asked_from_an_alert_and_both_sides_list_it(federated: Federation, gb: Office, kh: Office, told: bytes) -> None:
    police = Browser(kh).enter("police")
    assert f'href="/inbox/{told.hex()}/leave"' in police.get(f"/inbox/{told.hex()}").text
    page = police.get(f"/inbox/{told.hex()}/leave").text
    assert f'value="{VN_BORDER}"' in page
    assert 'value="spiffe://gb.' not in page
    for _ in range(2):  # as when a person presses twice
        answer = police.send(f"/inbox/{told.hex()}/leave", form(kh, NAME, ACTION))
        assert answer.status_code == 303, answer.text
    path = answer.headers["location"]
    assert "You have asked." in police.get(path).text
    settle(federated)
    request = bytes.fromhex(path.removeprefix("/leave/").removesuffix("?asked"))
    found = summary(gb, request, "liaison")
    assert (list(found.fields), found.third_party, found.judicial_use) == ([NAME, ACTION], VN_BORDER, False)
    for office, words in ((kh, "Asked by us"), (gb, "Asked of us")):
        listed = Browser(office).enter("liaison").get("/leave").text
        assert listed.count('href="/leave/') == 1
        assert words in texts(listed)
    liaison = Browser(gb).enter("liaison")
    assert f'href="/leave/{request.hex()}"' in liaison.get("/work").text
    assert f'href="/leave/{request.hex()}"' in liaison.get(f"/inbox/{request.hex()}").text
    assert WHY in liaison.get(f"/inbox/{request.hex()}").text


def test_use_in_court_is_another_question(federated: Federation, gb: Office, kh: Office, told: bytes) -> None:
    answer = Browser(kh).enter("police").send(f"/inbox/{told.hex()}/leave", form(kh, kind="COURT"))
    assert answer.status_code == 303, answer.text
    settle(federated)
    (one,) = leave_pages.list_onward(gb.ports, gb.person("liaison")).onward
    assert one.judicial_use
    page = Browser(kh).enter("liaison").get(f"/leave/{one.request_digest.hex()}")
    assert "Leave to use it in court" in page.text
    assert Browser(kh).enter("liaison").get(f"/leave/{one.request_digest.hex()}/pass-on").status_code == 404


def test_all_that_is_missing_of_a_question_is_said_at_once(kh: Office, told: bytes) -> None:
    police, path = Browser(kh).enter("police"), f"/inbox/{told.hex()}/leave"
    empty = police.send(path, {"kind": "ONWARD", "until": "soon <b>", "reason": " "})
    assert empty.status_code == 422
    for place in ("third_party", "fields", "until", "reason"):
        assert f'<a href="#{place}">' in empty.text, place
    assert "<b>" not in empty.text
    assert '<a href="#kind">' in police.send(path, form(kh, kind="MADE_UP")).text
    assert '<a href="#until">' in police.send(path, form(kh, until="")).text
    assert '<a href="#purpose">' in police.send(path, form(kh, purpose="PURPOSE_PROSECUTION")).text
    for third in (agency("gb", POLICE), KH_POLICE, "<script>"):
        wrong = police.send(path, form(kh, third_party=third))
        assert (wrong.status_code, "Choose an agency of another country." in wrong.text) == (422, True)
    assert "was not told one of these fields" in police.send(path, form(kh, 99)).text
    assert "expires" in police.send(path, form(kh, until=soon(kh, 4000))).text
    bare = Browser(kh, site_of(kh, desks={})).enter("police")
    assert "how your agency is reached" in bare.send(path, form(kh)).text


def test_what_cannot_be_asked_is_not_offered(federated: Federation, kh: Office) -> None:
    handling = draft(KH_POLICE).handling
    handling.onward = handling_pb2.ONWARD_RULE_NONE
    handling.judicial_use = handling_pb2.JUDICIAL_USE_NONE
    digest = federated["gb"].publish(draft(KH_POLICE, handling=handling)).manifest_digest.hex()
    settle(federated)
    police = Browser(kh).enter("police")
    assert "There is no leave to ask for" in police.get(f"/inbox/{digest}/leave").text
    wrong = police.send(f"/inbox/{digest}/leave", form(kh))
    assert (wrong.status_code, "rules out passing on" in wrong.text) == (422, True)


def test_who_sees_a_question_and_who_decides(federated: Federation, gb: Office, kh: Office, told: bytes) -> None:
    request = request_of(federated, told).hex()
    for name in ROLES:
        for office, verb, other in ((gb, "decide", "pass-on"), (kh, "pass-on", "decide")):
            browser = Browser(office).enter(name)
            own = name in {"liaison", "second", "police"}
            refused = 403 if name in {"auditor", "administrator"} else 404
            assert browser.get(f"/leave/{request}").status_code == (200 if own else refused), name
            may = {"liaison": 200, "second": 200, "both": 404}.get(name, 403)
            assert browser.get(f"/leave/{request}/{verb}").status_code == may, name
            assert browser.send(f"/leave/{request}/{verb}", {"reason": ""}).status_code == (422 if may == 200 else may), name
            assert browser.get(f"/leave/{request}/{other}").status_code == (404 if may == 200 else may), name
            assert (f'/leave/{request}/decide"' in browser.get(f"/leave/{request}").text) == (may == 200 and verb == "decide"), name
    for wrong in (request[:12], request.upper(), "0" * 64):
        assert Browser(gb).enter("liaison").get(f"/leave/{wrong}").status_code == 404


def test_a_part_is_granted_and_an_earlier_end(federated: Federation, gb: Office, kh: Office, told: bytes) -> None:
    request = request_of(federated, told)
    hands = Hands(gb)
    liaison, path = entered(gb, "liaison", hands), f"/leave/{request.hex()}"
    page = liaison.get(f"{path}/decide").text
    assert page.count(" checked") == len(FIELDS)
    sent = {"grant": "GRANT", "until": soon(gb), "reason": WHY} | {f"field-{number}": "yes" for number in (NAME, BIRTH)}
    page = liaison.send(f"{path}/decide", sent)
    assert (page.status_code, WHY in page.text) == (200, True)
    assert state(gb, request, "liaison") == "ASKED"
    given = signed(page.text, hands.key("liaison"))
    more = liaison.post(f"{path}/decide", given | {f"field-{ACTION}": "yes"})
    assert (more.status_code, "Confirm it again" in more.text) == (422, True)
    assert liaison.post(f"{path}/decide", signed(page.text, hands.key("second"))).status_code == 403
    assert state(gb, request, "liaison") == "ASKED"
    given = signed(liaison.send(f"{path}/decide", sent).text, hands.key("liaison"))
    answer = liaison.post(f"{path}/decide", given)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path}?granted")
    twice = liaison.post(f"{path}/decide", given)  # as when a person presses twice
    assert (twice.status_code, "decided already" in twice.text) == (422, True)
    settle(federated)
    found = summary(kh, request, "liaison")
    assert (state(kh, request, "liaison"), list(found.granted_fields)) == ("GRANTED", [NAME, BIRTH])
    assert found.granted_until < found.until
    asker = Browser(kh).enter("liaison")
    assert f'href="{path}/pass-on"' in asker.get(path).text
    (decision,) = re.findall(r'href="(/inbox/[0-9a-f]{64})">Read the decision', asker.get(path).text)
    assert WHY in asker.get(decision).text
    assert f'href="{path}/decide"' not in liaison.get(path).text
    again = liaison.send(f"{path}/decide", {**sent, "reason": "another"})
    assert (again.status_code, "decided already" in again.text) == (422, True)


def test_it_is_denied_with_a_reason(federated: Federation, gb: Office, kh: Office, told: bytes) -> None:
    request = request_of(federated, told)
    hands = Hands(gb)
    liaison, path = entered(gb, "liaison", hands), f"/leave/{request.hex()}/decide"
    page = liaison.send(path, {"grant": "DENY", "until": "whenever", "reason": WHY, f"field-{NAME}": "yes"}).text
    answer = liaison.post(path, signed(page, hands.key("liaison")))
    assert answer.headers["location"] == f"/leave/{request.hex()}?denied"
    settle(federated)
    assert state(kh, request, "liaison") == "DENIED"
    assert "pass-on" not in Browser(kh).enter("liaison").get(f"/leave/{request.hex()}").text


def test_what_is_wrong_with_a_decision_is_said(federated: Federation, gb: Office, told: bytes) -> None:
    request = request_of(federated, told)
    liaison, path = Browser(gb).enter("liaison"), f"/leave/{request.hex()}/decide"
    nothing = liaison.send(path, {"until": "", "reason": ""}).text
    assert '<a href="#grant">' in nothing
    assert '<a href="#reason">' in nothing
    wrong = liaison.send(path, {"grant": "GRANT", "until": "soon", "reason": WHY}).text
    assert '<a href="#fields">' in wrong
    assert '<a href="#until">' in wrong
    named = {"grant": "GRANT", "reason": WHY, f"field-{NAME}": "yes"}
    assert "later than was asked" in liaison.send(path, {**named, "until": soon(gb, 30)}).text
    assert "was not asked for" in liaison.send(path, {**named, "field-99": "yes"}).text
    assert state(gb, request, "liaison") == "ASKED"


def test_what_the_transfer_rules_refuse_stands_in_the_summary(federated: Federation, gb: Office, kh: Office, told: bytes) -> None:
    text = TEXT.replace(b'"kh.alerts.example" = "KH"', b'"kh.alerts.example" = "KH"\n"vn.alerts.example" = "VN"')
    gb.ports.acquaintance.known = replace(gb.ports.known, policy=read_pack(text))
    assess.record_assessment(gb.ports, gb.person("liaison"), weighed(destination=kh.domain))
    request = request_of(federated, told)
    named = {"grant": "GRANT", "until": "", "reason": WHY} | {f"field-{number}": "yes" for number in FIELDS}
    refused = Browser(gb).enter("liaison").send(f"/leave/{request.hex()}/decide", named)
    assert (refused.status_code, "No transfer assessment for this recipient is in force." in refused.text) == (422, True)


def test_it_is_passed_on_with_a_passkey(federated: Federation, gb: Office, kh: Office, told: bytes) -> None:
    request, hands = request_of(federated, told), Hands(kh)
    grant(federated, request)
    liaison, path = entered(kh, "liaison", hands), f"/leave/{request.hex()}"
    assert '<a href="#reason">' in liaison.send(f"{path}/pass-on", {"reason": " "}).text
    page = liaison.send(f"{path}/pass-on", {"reason": WHY})
    assert (page.status_code, "border-guard, Vietnam" in page.text) == (200, True)
    sent = signed(page.text, hands.key("liaison"))
    other = liaison.post(f"{path}/pass-on", sent | {"reason": "another"})
    assert (other.status_code, "Confirm it again" in other.text) == (422, True)
    assert liaison.post(f"{path}/pass-on", signed(page.text, hands.key("second"))).status_code == 403
    settle(federated)
    assert federated["vn"].received("border") == []
    answer = liaison.post(f"{path}/pass-on", signed(liaison.send(f"{path}/pass-on", {"reason": WHY}).text, hands.key("liaison")))
    assert (answer.status_code, answer.headers.get("location")) == (303, f"{path}?passed_on"), answer.text
    settle(federated)
    assert read(federated["vn"], told).summary.originator == agency("gb", POLICE)
    assert state(gb, request, "liaison") == "PASSED_ON"
    assert "kh.alerts.example/disclosures/vn.alerts.example" in liaison.get(path).text
    assert WHY not in Browser(gb).enter("liaison").get(path).text
    assert [code for office in (gb, kh, federated["vn"]) for code in office.fsck()] == []


def test_leave_for_a_country_is_used_by_naming_an_agency(federated: Federation, kh: Office, told: bytes) -> None:
    asking = Browser(kh).enter("police")
    asked_for = asking.send(f"/inbox/{told.hex()}/leave", form(kh, third_party=node_id("vn"))).headers["location"]
    settle(federated)
    request, hands = bytes.fromhex(asked_for[7:71]), Hands(kh)
    grant(federated, request)
    liaison, path = entered(kh, "liaison", hands), f"/leave/{request.hex()}/pass-on"
    assert f'value="{VN_BORDER}"' in liaison.get(path).text
    wrong = liaison.send(path, {"reason": WHY, "third_party": ""})
    assert (wrong.status_code, '<a href="#third_party">' in wrong.text) == (422, True)
    page = liaison.send(path, {"reason": WHY, "third_party": VN_BORDER}).text
    assert liaison.post(path, signed(page, hands.key("liaison"))).status_code == 303
    settle(federated)
    assert len(federated["vn"].received("border")) == 1


def test_without_a_permit_nothing_is_passed_on(federated: Federation, kh: Office, told: bytes) -> None:
    request = request_of(federated, told)
    refused = Browser(kh).enter("liaison").send(f"/leave/{request.hex()}/pass-on", {"reason": WHY})
    assert (refused.status_code, "There is no permit for this." in refused.text) == (422, True)


def test_where_the_clause_asks_for_it_a_second_officer_approves(tmp_path: Path) -> None:
    made = Federation(tmp_path, "gb", "kh", "vn")
    made.connect("gb", "kh", agreed("gb", "kh"))
    made.connect("gb", "vn", agreed("gb", "vn"))
    made.connect("kh", "vn", with_clause(agreed("kh", "vn"), "kh-vn-travelalert-border", approvals=1))
    kh = made["kh"]
    told = made["gb"].publish(draft(KH_POLICE)).manifest_digest
    settle(made)
    request, hands = request_of(made, told), Hands(kh)
    grant(made, request)
    liaison, path = entered(kh, "liaison", hands), f"/leave/{request.hex()}/pass-on"
    page = liaison.send(path, {"reason": WHY})
    assert "Sign and submit" in page.text
    answer = liaison.post(path, signed(page.text, hands.key("liaison")))
    assert re.fullmatch(r"/approvals/[0-9a-f]{32}\?submitted", answer.headers["location"])
    settle(made)
    assert made["vn"].received("border") == []
    waiting = answer.headers["location"].partition("?")[0]
    second = entered(kh, "second", hands)
    approved = second.post(f"{waiting}/approve", signed(second.get(f"{waiting}/approve").text, hands.key("second")))
    assert approved.status_code == 303, approved.text
    settle(made)
    assert [one.manifest_digest for one in made["vn"].received("border")] == [told]
    assert kh.fsck() == []
    made.close()


def test_what_partners_say_is_text_and_nothing_personal_stands_in_an_address(
    federated: Federation, gb: Office, told: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = request_of(federated, told).hex()
    liaison = Browser(gb).enter("liaison")
    for page in (liaison.get(path).text for path in ("/leave", f"/leave/{request}", f"/leave/{request}/decide")):
        assert not [one for one in re.findall(r'(?:href|action)="([^"]*)"', page) if "EXAMPLE" in one]
        assert len(page.encode()) < 60_000
    found = messages.GetOnwardResponse()
    found.summary.request_digest, found.summary.manifest_digest = b"\x07" * 32, b"\x08" * 32
    found.summary.asker = "spiffe://kh.alerts.example/agency/<b>\u202enca"
    found.summary.third_party = "spiffe://<i>\u202e.example/agency/<u>"
    found.summary.fields.append(4000)
    found.summary.purpose = 99  # type: ignore[assignment]  # of a later version
    monkeypatch.setattr(leave_pages, "get_onward", lambda *_: found)
    page = liaison.get(f"/leave/{'07' * 32}").text
    assert "4000" in page
    assert not re.search("<(b|i|u)>", page.partition("<main")[2])
    assert "\u202e" not in page


def test_every_state_has_its_words() -> None:
    assert set(STATES) == set(messages.OnwardState.values()) - {0}


def grant(made: Federation, request: bytes) -> None:
    """Grant all that was asked."""
    named = {"grant": "GRANT", "until": "", "reason": WHY} | {f"field-{number}": "yes" for number in FIELDS}
    hands = Hands(made["gb"])
    liaison, path = entered(made["gb"], "liaison", hands), f"/leave/{request.hex()}/decide"
    assert liaison.post(path, signed(liaison.send(path, named).text, hands.key("liaison"))).status_code == 303
    settle(made)
