"""Coming into the console: a code enrols a passkey once, a passkey signs in, a session ends; nothing else opens the door."""

import json
from collections.abc import Iterator
from dataclasses import replace
from html import escape
from pathlib import Path

import pytest

from exchange.errors import NotFound, Unverified
from node.console.challenges import LIVES_MS, Challenges
from node.operations import sign_in
from node.operations.officers import NotPermitted
from node.operations.sessions import IDLE_MS, WHOLE_MS
from node.operations.sign_in import CODE_MS, enrol_officer, forget_passkeys, sign_in_by_code
from tests.authenticator import PRESENT, Authenticator, b64, unb64
from tests.console_site import ORIGIN, Browser, field, options, site_of
from tests.federation import federation
from tests.refusals import refused
from tests.rig import Office

SIGNED_IN = "sign_in"
CODE_WRONG = "This code is not known, was used, or has expired."
TOO_LONG = "This page was open for too long"


@pytest.fixture
def kh(tmp_path: Path) -> Iterator[Office]:
    with federation(tmp_path, "kh") as made:
        yield made["kh"]


@pytest.fixture
def browser(kh: Office) -> Browser:
    return Browser(kh)


def said(kh: Office, *kinds: str) -> list[tuple[str, str]]:
    """(who, code) of what the journal holds of these kinds."""
    return [(who.rpartition("/")[2], code) for kind, who, _, code in kh.journal() if kind in kinds]


def test_a_code_enrols_a_passkey_that_signs_in(kh: Office, browser: Browser) -> None:
    assert browser.get("/work").headers["location"] == "/sign-in"
    key = browser.enrol("border")
    entered = browser.sign_in(key)
    assert (entered.status_code, entered.headers["location"]) == (303, "/work"), "where they were going"
    assert browser.get("/").headers["location"] == "/work"
    assert kh.person("border") in browser.get("/you").text
    assert said(kh, "access", SIGNED_IN) == [("administrator", "ENROLMENT"), ("border", "PASSKEY_ADDED"), ("border", "PASSKEY")]


def test_the_cookie_is_bound_to_this_site_and_to_no_script(browser: Browser) -> None:
    set_cookie = browser.sign_in(browser.enrol("border")).headers["set-cookie"]
    name, *rest = [part.strip() for part in set_cookie.split(";")]
    assert name.startswith("__Host-session=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=strict"} <= set(rest)
    assert not [part for part in rest if part.lower().startswith("domain")]


def test_a_code_works_once_for_a_day_and_a_newer_one_ends_it(kh: Office, browser: Browser) -> None:
    first, second = browser.code("border"), browser.code("border")
    assert CODE_WRONG in browser.post("/enrol", {"code": first}).text
    typed = second.lower().replace("-", " ")
    assert browser.answer_code(typed, Authenticator(ORIGIN)).status_code == 303
    assert CODE_WRONG in browser.post("/enrol", {"code": second}).text
    third = browser.code("border")
    kh.clock.pass_(CODE_MS)
    assert CODE_WRONG in browser.post("/enrol", {"code": third}).text


def test_a_code_that_is_used_between_two_pages_makes_no_second_passkey(browser: Browser) -> None:
    code = browser.code("border")
    page = browser.post("/enrol", {"code": code}).text
    assert browser.answer_code(code, Authenticator(ORIGIN)).status_code == 303
    late = Authenticator(ORIGIN, credential=b"\x22" * 32)
    form = {"code": code, "challenge": field(page, "challenge"), "answer": late.create(options(page))}
    assert CODE_WRONG in browser.post("/enrol/passkey", form).text
    assert "PASSKEY" in browser.sign_in(late).text


def test_only_administrators_let_people_in_and_only_people_of_the_roster(kh: Office) -> None:
    for name in ("border", "liaison", "auditor"):
        with pytest.raises(NotPermitted):
            enrol_officer(kh.ports, kh.person(name), kh.person("border"))
        with pytest.raises(NotPermitted):
            forget_passkeys(kh.ports, kh.person(name), kh.person("border"))
    for operation in (enrol_officer, forget_passkeys):
        with refused(NotFound, "OFFICER_UNKNOWN"):
            operation(kh.ports, kh.person("administrator"), "spiffe://kh.alerts.example/officer/nobody")


@pytest.mark.parametrize(
    "change", ["origin", "party", "unverified", "unsigned", "other key", "no json", "no object", "garbage", "too long"]
)
def test_an_answer_that_does_not_hold_enters_nothing(kh: Office, browser: Browser, change: str) -> None:
    key = browser.enrol("border")
    page = browser.get("/sign-in").text
    asked = options(page)
    if change == "origin":
        key.origin = "https://evil.example"
    if change == "party":
        asked = json.dumps({**json.loads(asked), "rpId": "evil.example"})
    if change == "unverified":
        key.flags = PRESENT
    if change == "other key":
        key = Authenticator(ORIGIN, credential=key.credential)
    answer = key.get(asked)
    if change == "unsigned":
        document = json.loads(answer)
        document["response"]["signature"] = b64(bytes(reversed(unb64(document["response"]["signature"]))))
        answer = json.dumps(document)
    answer = {"no json": "{", "no object": "[]", "garbage": '{"id": 7, "response": null}', "too long": answer + " " * 20_000}.get(
        change, answer
    )
    refused_page = browser.post("/sign-in", {"challenge": field(page, "challenge"), "answer": answer})
    assert (refused_page.status_code, "PASSKEY" in refused_page.text) == (403, True)
    assert "set-cookie" not in refused_page.headers
    assert SIGNED_IN not in [kind for kind, *_ in kh.journal()]


def test_a_passkey_without_user_verification_is_not_enrolled(kh: Office, browser: Browser) -> None:
    weak = Authenticator(ORIGIN, flags=PRESENT)
    code = browser.code("border")
    assert browser.answer_code(code, weak).status_code == 403
    assert ("border", "PASSKEY_ADDED") not in said(kh, "access")
    assert browser.answer_code(code, Authenticator(ORIGIN)).status_code == 303, "a mistake does not use the code up"


def test_a_challenge_is_taken_once_and_in_time_and_for_its_purpose(kh: Office, browser: Browser) -> None:
    key = browser.enrol("border", Authenticator(ORIGIN, counts=False))
    page = browser.get("/sign-in").text
    form = {"challenge": field(page, "challenge"), "answer": key.get(options(page))}
    assert browser.post("/sign-in", form).status_code == 303
    browser.client.cookies.clear()
    assert TOO_LONG in browser.post("/sign-in", form).text
    old = browser.get("/sign-in").text
    kh.clock.pass_(5 * 60_000)
    assert TOO_LONG in browser.post("/sign-in", {"challenge": field(old, "challenge"), "answer": key.get(options(old))}).text
    enrolling = browser.post("/enrol", {"code": browser.code("police")}).text
    assert TOO_LONG in browser.post("/sign-in", {"challenge": field(enrolling, "challenge"), "answer": "{}"}).text
    for made_up in ("", "x", "é", "A" * 88):
        assert TOO_LONG in browser.post("/sign-in", {"challenge": made_up, "answer": "{}"}).text
    for _ in range(3):  # what is answered wrongly is neither kept nor used up
        assert "PASSKEY" in browser.post("/sign-in", {"challenge": field(browser.get("/sign-in").text, "challenge"), "answer": "{}"}).text
    # Another process has another key: a restart ends what was asked before.
    other = Browser(kh).get("/sign-in").text
    assert TOO_LONG in browser.post("/sign-in", {"challenge": field(other, "challenge"), "answer": key.get(options(other))}).text


def test_what_came_too_late_is_asked_for_once_more_on_the_same_page(kh: Office, browser: Browser) -> None:
    key = Authenticator(ORIGIN)
    code = browser.code("border")
    page = browser.post("/enrol", {"code": code}).text
    for path, makes in (("/enrol/passkey", key.create), ("/sign-in", key.get)):
        kh.clock.pass_(LIVES_MS)
        late = browser.post(path, {"code": code, "challenge": field(page, "challenge"), "answer": makes(options(page))})
        assert (late.status_code, TOO_LONG in late.text) == (403, True)
        again = {"code": code, "challenge": field(late.text, "challenge"), "answer": makes(options(late.text))}
        answer = browser.post(path, again)
        assert answer.status_code == 303
        if path != "/sign-in":
            assert "Your passkey was made." in browser.get(answer.headers["location"]).text
            page = browser.get("/sign-in").text
    assert browser.get("/you").status_code == 200


@pytest.mark.parametrize(("path", "typed"), [("/enrol", "ABCD-EFGX"), ("/sign-in/code", "ABCD-EFGX"), ("/enrol", "<b>")])
def test_a_mistyped_code_stands_in_its_field_again(kh: Office, path: str, typed: str) -> None:
    browser = Browser(kh, site_of(kh, ports=replace(kh.ports, training=True)))
    answer = browser.post(path, {"code": typed})
    assert answer.status_code == 403
    assert f'value="{escape(typed)}"' in answer.text
    assert CODE_WRONG in answer.text
    assert 'href="#code"' in answer.text
    assert "<b>" not in answer.text


def test_digits_that_look_like_letters_are_read_as_these(kh: Office, browser: Browser) -> None:
    code = sign_in.enrol_officer(kh.ports, kh.person("administrator"), kh.person("border")).code
    for letter, digit in (("O", "0"), ("I", "1"), ("B", "8")):
        assert sign_in._digest(f"AB{letter}-2") == sign_in._digest(f"ab{digit} 2")
    assert browser.answer_code(code.translate(str.maketrans("OIB", "018")), Authenticator(ORIGIN)).status_code == 303


def test_nothing_is_kept_of_a_challenge_that_nobody_answered_well(kh: Office) -> None:
    challenges = Challenges(kh.ports)
    made = challenges.new("x")
    for _ in range(100):
        assert challenges.check("x", made) == made
    assert not challenges._spent
    challenges.spend(made)
    with refused(Unverified, "CHALLENGE"):
        challenges.spend(made)
    kh.clock.pass_(LIVES_MS)
    challenges.spend(challenges.new("x"))
    assert len(challenges._spent) == 1


def test_a_second_passkey_is_enrolled_while_signed_in(kh: Office, browser: Browser) -> None:
    browser.enter("border")
    code = browser.code("border")
    form = {"code": code, "token": field(browser.get("/enrol").text, "token")}
    page = browser.post("/enrol", form).text
    second = Authenticator(ORIGIN, credential=b"\x33" * 32)
    answer = {"code": code, "challenge": field(page, "challenge"), "answer": second.create(options(page)), "token": field(page, "token")}
    assert browser.post("/enrol/passkey", answer).status_code == 303
    assert Browser(kh).sign_in(second).status_code == 303


def test_a_copied_authenticator_is_noticed_by_its_count(browser: Browser) -> None:
    key = browser.enrol("border")
    assert browser.sign_in(key).status_code == 303
    browser.client.cookies.clear()
    key.count -= 1
    assert "PASSKEY" in browser.sign_in(key).text


def test_a_lost_key_is_taken_away_with_its_sessions_and_codes(kh: Office, browser: Browser) -> None:
    key = browser.enrol("border")
    browser.sign_in(key)
    code = browser.code("border")
    other = Browser(kh).enter("police")
    assert forget_passkeys(kh.ports, kh.person("administrator"), kh.person("border")).passkeys == 1
    assert browser.get("/work").headers["location"] == "/sign-in"
    assert "PASSKEY" in browser.sign_in(key).text
    assert CODE_WRONG in browser.post("/enrol", {"code": code}).text
    assert other.get("/work").status_code == 200
    assert ("administrator", "PASSKEYS_REMOVED") in said(kh, "access")


def test_one_authenticator_is_enrolled_once(browser: Browser) -> None:
    key = browser.enrol("border")
    assert browser.answer_code(browser.code("police"), key).status_code == 403


def test_a_session_ends_without_use_and_in_any_case(kh: Office, browser: Browser) -> None:
    browser.enter("border")
    for _ in range(3):
        kh.clock.pass_(IDLE_MS - 60_000)
        assert browser.get("/you").status_code == 200
    kh.clock.pass_(IDLE_MS)
    assert browser.get("/you").headers["location"] == "/sign-in"
    browser.client.cookies.clear()
    browser.enter("border")
    step = WHOLE_MS // 40
    for _ in range(39):
        kh.clock.pass_(step)
        assert browser.get("/you").status_code == 200
    kh.clock.pass_(step)
    assert browser.get("/you").headers["location"] == "/sign-in"


def test_whoever_leaves_the_roster_leaves_the_console(kh: Office, browser: Browser) -> None:
    key = browser.enrol("border")
    browser.sign_in(key)
    officers = {name: entry for name, entry in kh.ports.officers.items() if name != kh.person("border")}
    kh.ports = replace(kh.ports, officers=officers)
    later = Browser(kh)
    later.client.cookies = browser.client.cookies
    assert later.get("/you").headers["location"] == "/sign-in"
    assert "PASSKEY" in later.sign_in(key).text


def test_signing_out_ends_the_session_here_and_not_another(kh: Office, browser: Browser) -> None:
    browser.enter("border")
    other = Browser(kh).enter("border")
    kept = browser.client.cookies.get("__Host-session")
    assert browser.send("/sign-out", {}).headers["location"] == "/sign-in"
    browser.client.cookies.set("__Host-session", kept or "", domain="kh.localhost", path="/")
    assert browser.get("/you").headers["location"] == "/sign-in"
    assert other.get("/you").status_code == 200


def test_a_session_that_somebody_planted_is_not_taken_over(kh: Office, browser: Browser) -> None:
    thief = Browser(kh).enter("police")
    planted = thief.client.cookies.get("__Host-session") or ""
    browser.client.cookies.set("__Host-session", planted, domain="kh.localhost", path="/")
    key = Browser(kh).enrol("border")
    browser.client.cookies.clear()
    browser.sign_in(key)
    own = browser.client.cookies.get("__Host-session")
    assert own
    assert own != planted
    assert kh.person("police") in thief.get("/you").text
    browser.client.cookies.clear()
    for made_up in ("", "a", "!", "é", planted + "=", planted[:-1]):
        shown = browser.client.get("/you", headers={"cookie": f"__Host-session={made_up}".encode()})
        assert shown.headers["location"] == "/sign-in"


def test_whoever_is_signed_in_is_not_asked_to(kh: Office) -> None:
    assert Browser(kh, site_of(kh, demo_sign_in=False)).enter("border").get("/sign-in").headers["location"] == "/"


def test_in_a_demonstration_a_code_takes_the_place_of_whoever_is_signed_in(kh: Office) -> None:
    browser = Browser(kh, site_of(kh, ports=replace(kh.ports, training=True))).enter("border")
    first = browser.client.cookies.get("__Host-session") or ""
    page = browser.get("/sign-in").text
    assert "takes your place" in page
    form = {"code": browser.code("auditor"), "token": field(page, "token")}
    assert "FORM_TOKEN" in browser.post("/sign-in/code", {**form, "token": ""}).text
    assert browser.post("/sign-in/code", form).status_code == 303
    assert kh.person("auditor") in browser.get("/you").text
    browser.client.cookies.set("__Host-session", first, domain="kh.localhost", path="/")
    assert browser.get("/you").headers["location"] == "/sign-in"


def test_a_code_alone_signs_in_on_a_training_node_once(kh: Office) -> None:
    browser = Browser(kh, site_of(kh, ports=replace(kh.ports, training=True)))
    code = browser.code("border")
    assert browser.post("/sign-in/code", {"code": code}).status_code == 303
    assert said(kh, SIGNED_IN) == [("border", "DEMO_CODE")]
    browser.client.cookies.clear()
    assert CODE_WRONG in browser.post("/sign-in/code", {"code": code}).text


def test_no_other_node_takes_a_code_for_a_passkey(kh: Office) -> None:
    strict = Browser(kh, site_of(kh, demo_sign_in=False))
    code = strict.code("border")
    assert strict.post("/sign-in/code", {"code": code}).status_code == 404
    assert "/sign-in/code" not in strict.get("/sign-in").text
    with pytest.raises(Exception, match="code"):
        sign_in_by_code(kh.ports, code)  # whose ports are not in training
    assert strict.answer_code(code, Authenticator(ORIGIN)).status_code == 303


def test_the_store_holds_no_code_and_no_session(kh: Office, browser: Browser) -> None:
    code = browser.code("police")
    browser.enter("border")
    secret = browser.client.cookies.get("__Host-session") or ""
    kh.close()
    kept = b"".join(path.read_bytes() for path in kh.directory.rglob("*") if path.is_file())
    kh.open()
    assert len(secret) > 40
    for hidden in (secret.encode(), unb64(secret), code.encode(), code.replace("-", "").encode()):
        assert hidden not in kept


def test_a_device_that_has_a_passkey_of_the_person_is_asked_to_make_no_second_one(kh: Office, browser: Browser) -> None:
    key = browser.enrol("liaison")
    page = browser.post("/enrol", {"code": browser.code("liaison")}).text
    (known,) = json.loads(options(page))["excludeCredentials"]
    assert unb64(known["id"]) == key.credential
    page = browser.post("/enrol", {"code": browser.code("border")}).text
    assert json.loads(options(page))["excludeCredentials"] == []
