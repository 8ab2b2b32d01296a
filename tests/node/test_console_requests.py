"""Questions between agencies in the console: the list, one with its clock, the answer, the refusal, the clock for a court."""

import re
from collections.abc import Iterator

import pytest

from exchange.v1 import desk_service_pb2 as messages
from exchange.v1.information_pb2 import InformationResponse
from node.console import request_pages
from node.console.request_pages import CLOCKS, DEEDS, STATES
from node.operations.inbox import get_inbox_alert
from tests.asking import asked, asking_agreement, state
from tests.console_site import Browser, Shown, field, site_of
from tests.federation import Federation, federation
from tests.rig import ROLES, Office

WHY = "A synthetic reason that stays here"


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    with federation(tmp_path_factory.mktemp("two"), "gb", "kh") as made:
        made.connect("gb", "kh", asking_agreement())
        yield made


@pytest.fixture(scope="module")
def kh(two: Federation) -> Office:
    return two["kh"]


@pytest.fixture
def question(two: Federation) -> bytes:
    digest = asked(two["gb"])
    two.pump()
    return digest


@pytest.fixture
def police(kh: Office) -> Browser:
    return Browser(kh).enter("police")


def texts(page: str) -> list[str]:
    return [text for _, text in Shown(page).texts]


def test_who_may_see_a_request(kh: Office, question: bytes) -> None:
    for name in ROLES:
        browser = Browser(kh).enter(name)
        wanted = 200 if name in {"liaison", "second", "police"} else 403 if name in {"auditor", "administrator"} else 404
        assert browser.get(f"/requests/{question.hex()}").status_code == wanted, name
        may_answer = {"liaison": 200, "second": 200, "both": 404}.get(name, 403)
        assert browser.get(f"/requests/{question.hex()}/answer").status_code == may_answer, name
    for wrong in (question.hex()[:12], question.hex().upper(), "0" * 64):
        assert Browser(kh).enter("police").get(f"/requests/{wrong}").status_code == 404


def test_the_list_has_what_is_open_and_the_work_leads_there(kh: Office, question: bytes, police: Browser) -> None:
    page = police.get("/requests").text
    assert f'href="/requests/{question.hex()}"' in page
    assert {"Asked of us", "Urgent", "Received", "runs"} <= {
        text.partition(" ")[0] if text == "" else text for _, text in Shown(page).texts
    }
    assert f'href="/requests/{question.hex()}"' in police.get("/work").text
    assert f'href="/requests/{question.hex()}"' in police.get(f"/inbox/{question.hex()}").text
    assert "nca" in page


def test_an_answer_goes_to_who_asked_once(two: Federation, kh: Office, question: bytes) -> None:
    police = Browser(kh).enter("liaison")
    path = f"/requests/{question.hex()}"
    form = police.get(f"{path}/answer").text
    assert "criminal record" in form.lower()
    sent = {"answer-1": "ANSWER_CODE_NO_TRACE", "text-1": "Nothing\r\nis known.", "why": WHY}
    for _ in range(2):  # as when a person presses twice
        answer = police.send(f"{path}/answer", sent)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{path}?answered")
    assert "Your answer was sent." in police.get(f"{path}?answered").text
    two.pump()
    assert state(kh, question)[0] == "ANSWERED"
    gb = Browser(two["gb"]).enter("liaison")
    (said,) = [one for one in two["gb"].received("liaison") if one.alert_type.endswith("InformationResponse")][:1]
    page = gb.get(f"/inbox/{said.manifest_digest.hex()}").text
    assert "Nothing is known." in page
    assert WHY not in page
    # From their request the askers come to what was answered.
    assert f'href="/inbox/{said.manifest_digest.hex()}"' in gb.get(path).text
    settled = police.get(path).text
    assert f'href="{path}/answer"' not in settled
    assert f'href="{path}"' not in police.get("/requests").text
    assert f'href="{path}"' in police.get("/requests?all").text


def filled(form: str, **changes: str) -> dict[str, str]:
    """What a browser sends of an answer: the hidden field as the page has it."""
    return {"answer-1": "ANSWER_CODE_YES", "why": WHY, "records": field(form, "records"), **changes}


def test_convictions_are_told_field_by_field(two: Federation, kh: Office, question: bytes) -> None:
    liaison, path = Browser(kh).enter("liaison"), f"/requests/{question.hex()}/answer"
    page = liaison.get(path).text
    assert "<details" in page
    assert 'name="f.convictions[0].statute"' not in page
    added = liaison.send(path, filled(page, action="add:convictions"))
    assert added.status_code == 200
    assert 'name="f.convictions[0].statute"' in added.text
    assert not [one for one in two["gb"].received("liaison") if one.manifest_digest == question]
    one = {"f.convictions[0].statute": "Example Act, s. 2", "f.convictions[0].month": "March 1999", "f.convictions[0].spent": "false"}
    one |= {"f.convictions[0].offence_class": "GROOMING", "f.registration.status": "REGISTERED", "f.court_orders[0].kind": "TRAVEL_BAN"}
    sent = liaison.send(path, filled(added.text, **one, action="send"))
    assert sent.status_code == 303, texts(sent.text)
    two.pump()
    gb = two["gb"]
    (said,) = [one for one in gb.received("liaison") if one.alert_type.endswith("InformationResponse")][:1]
    view = get_inbox_alert(gb.ports, gb.person("liaison"), said.manifest_digest.hex()).view
    told = InformationResponse.FromString(view)
    (conviction,) = told.convictions
    assert (conviction.statute, conviction.month, conviction.spent) == ("Example Act, s. 2", "1999-03", False)
    assert (told.registration.status, told.court_orders[0].kind) == (1, 1)
    assert told.answers[0].answer == 1


def test_many_rows_stay_though_few_are_open(kh: Office, question: bytes) -> None:
    liaison, path = Browser(kh).enter("liaison"), f"/requests/{question.hex()}/answer"
    page = liaison.get(path).text
    for number in range(6):
        typed = {f"f.convictions[{number}].statute": f"Example Act, s. {number}"}
        page = liaison.send(path, filled(page, **typed, action="add:convictions")).text
    assert 'name="f.convictions[6].statute"' in page
    assert 'name="f.convictions[2].statute"' not in page
    assert "Example Act, s. 2" in page
    opened = liaison.send(path, filled(page, action="open:convictions[2]")).text
    assert 'name="f.convictions[2].statute" value="Example Act, s. 2"' in opened
    removed = liaison.send(path, filled(opened, action="remove:convictions[2]")).text
    assert "Example Act, s. 2" not in removed
    assert all(f"Example Act, s. {number}" in removed for number in (0, 1, 3, 4, 5))


def test_what_is_wrong_with_a_record_stands_beside_it(kh: Office, question: bytes) -> None:
    liaison, path = Browser(kh).enter("liaison"), f"/requests/{question.hex()}/answer"
    page = liaison.get(path).text
    wrong = {"f.convictions[0].month": "in his youth", "f.convictions[0].country": "Atlantis <b>"}
    answer = liaison.send(path, filled(page, **wrong, action="send", why=""))
    assert answer.status_code == 422
    assert answer.text.count("govuk-error-summary__title") == 1
    assert {'href="#f-convictions-0-month"', 'href="#f-convictions-0-country"', 'href="#why"'} <= set(
        re.findall(r'href="#[\w-]+"', answer.text)
    )
    assert "in his youth" in answer.text
    assert "<b>" not in answer.text
    for held in ("[", '{"answers": []}', "[1]"):
        assert liaison.send(path, filled(page) | {"records": held}).status_code == 400


def test_what_is_missing_of_an_answer_is_said(kh: Office, question: bytes) -> None:
    police = Browser(kh).enter("liaison")
    path = f"/requests/{question.hex()}/answer"
    page = police.send(path, {"answer-1": "MADE_UP", "text-1": "<script>", "why": " "})
    assert page.status_code == 422
    assert {"Choose an answer to each question.", "Write why, for your auditors."} <= set(texts(page.text))
    assert 'href="#answer-1"' in page.text
    assert 'href="#why"' in page.text
    assert "&lt;script&gt;" in page.text


def test_a_refusal_has_a_coded_reason(two: Federation, kh: Office, question: bytes, police: Browser) -> None:
    path = f"/requests/{question.hex()}"
    wrong = police.send(f"{path}/refuse", {"why": WHY})
    assert (wrong.status_code, 'href="#code"' in wrong.text) == (422, True)
    done = police.send(f"{path}/refuse", {"code": "REFUSAL_REASON_NO_LEGAL_BASIS", "why": WHY})
    assert (done.status_code, done.headers["location"]) == (303, f"{path}?refused")
    two.pump()
    assert state(kh, question)[0] == "REFUSED"
    assert any("no legal basis" in text for text in texts(police.get(path).text))


def test_the_clock_stands_still_for_a_court_and_runs_again(two: Federation, kh: Office, question: bytes, police: Browser) -> None:
    path = f"/requests/{question.hex()}"
    wrong = police.send(f"{path}/clock", {"because": "WEATHER", "why": WHY})
    assert (wrong.status_code, 'href="#because"' in wrong.text) == (422, True)
    too_early = police.send(f"{path}/clock", {"because": "RESUME", "why": WHY})
    assert (too_early.status_code, "The node refused this" in too_early.text) == (422, True)
    stopped = police.send(f"{path}/clock", {"because": "AUTHORISATION_REASON_COURT_ORDER_NEEDED", "why": WHY})
    assert (stopped.status_code, stopped.headers["location"]) == (303, f"{path}?stopped")
    two.pump()
    assert state(kh, question)[1] == "STOPPED"
    assert any(text.startswith("stands still: ") for text in texts(police.get(path).text))
    assert police.send(f"{path}/clock", {"because": "RESUME", "why": WHY}).headers["location"] == f"{path}?started"
    two.pump()
    assert state(kh, question)[1] == "RUNNING"


def test_an_agency_without_a_desk_answers_nothing(kh: Office, question: bytes) -> None:
    browser = Browser(kh, site_of(kh, desks={})).enter("liaison")
    page = browser.send(f"/requests/{question.hex()}/answer", {"answer-1": "ANSWER_CODE_NO", "why": WHY})
    assert (page.status_code, "how your agency is reached" in page.text) == (422, True)


def test_nothing_personal_stands_in_an_address_or_a_title(kh: Office, question: bytes) -> None:
    path = f"/requests/{question.hex()}"
    liaison = Browser(kh).enter("liaison")
    for page in (liaison.get(one).text for one in ("/requests", path, f"{path}/answer", f"{path}/refuse", f"{path}/clock")):
        (title,) = re.findall(r"<title>([^<]*)</title>", page)
        assert "EXAMPLE" not in title
        assert not [one for one in re.findall(r'(?:href|action)="([^"]*)"', page) if "EXAMPLE" in one]
        assert len(page.encode()) < 60_000


def test_what_partners_say_is_shown_as_text(kh: Office, monkeypatch: pytest.MonkeyPatch, police: Browser) -> None:
    found = messages.GetRequestResponse()
    case = found.cases.add(manifest_digest=b"\x07" * 32, asker="spiffe://gb.alerts.example/agency/<b>\u202enca", stopped_because="<i>")
    case.events.add(deed=messages.REQUEST_DEED_REFUSED, party="<u>", reason="<s>", breach="<em>")
    monkeypatch.setattr(request_pages, "get_request", lambda *_: found)
    page = police.get(f"/requests/{'07' * 32}").text
    assert not re.search("<(b|i|u|s|em)>", page.partition("<main")[2])
    assert "\u202e" not in page


def test_every_state_has_its_words() -> None:
    for words, enum in ((STATES, messages.RequestState), (CLOCKS, messages.RequestClockState), (DEEDS, messages.RequestDeed)):
        numbers = set(enum.values()) if words is CLOCKS else set(enum.values()) - {0}
        assert set(words) == numbers
