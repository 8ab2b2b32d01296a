"""Signing in by the agency's OpenID Connect issuer: who comes in, and all the ways in which nobody does."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import structlog

from exchange.errors import Refused
from node.console.challenges import LIVES_MS, Challenges
from node.console.confirm import Confirming
from node.console.languages import load_languages
from node.console.oidc_pages import RETURN_PATH
from node.console.visits import Visit, read_secret
from node.links.issuer_link import AGAIN_SECONDS, IssuerLink
from node.oidc import naming
from node.operations.identities import link_identity
from node.operations.officers import NotPermitted
from node.store import identities
from tests.authenticator import Authenticator
from tests.console_issuer import START, asked_issuer, at, come_back, events, leave, nobody_came, sign_in
from tests.console_site import ORIGIN, SAME, Browser, field, issuer_link, options, site_of
from tests.drafts import begun
from tests.federation import federation
from tests.issuer import CLIENT, CODE, SECRET, SUBJECT, SyntheticIssuer, issuer, public_key, sign
from tests.node.test_id_tokens import by_hand
from tests.refusals import refused
from tests.rig import Office

pytestmark = pytest.mark.thorough


@pytest.fixture
def kh(tmp_path: Path) -> Iterator[Office]:
    with federation(tmp_path, "kh") as made:
        yield made["kh"]


@pytest.fixture
def idp(kh: Office) -> Iterator[SyntheticIssuer]:
    with asked_issuer(kh) as made:
        yield made


@pytest.fixture
def browser(kh: Office, idp: SyntheticIssuer) -> Browser:
    return at(kh, idp)


def test_whom_the_issuer_names_and_an_administrator_linked_is_signed_in(kh: Office, browser: Browser, idp: SyntheticIssuer) -> None:
    answer = sign_in(browser, idp)
    assert answer.status_code == 200
    assert '<meta http-equiv="refresh" content="0; url=/">' in answer.text
    assert browser.get("/", **SAME).headers["location"] == "/work"
    assert kh.person("liaison") in browser.get("/you").text
    assert events(kh) == [("access", "administrator", "IDENTITY_LINKED"), ("sign_in", "liaison", "OIDC")]
    assert SUBJECT not in str(kh.journal())


def test_the_cookies_are_bound_to_this_site_and_only_the_attempts_comes_with_another_sites_link(
    browser: Browser, idp: SyntheticIssuer
) -> None:
    begun = browser.get(START, **SAME)
    ended = come_back(browser, idp.authorize(begun.headers["location"]))
    gone, session, _way_back = sorted(ended.headers.get_list("set-cookie"))
    for cookie, name, site in (
        (begun.headers["set-cookie"], "__Host-attempt", "lax"),
        (gone, "__Host-attempt", "lax"),
        (session, "__Host-session", "strict"),
    ):
        first, *rest = [part.strip() for part in cookie.split(";")]
        assert first.startswith(f"{name}=")
        assert {"Secure", "HttpOnly", "Path=/", f"SameSite={site}"} <= set(rest)
        assert not [part for part in rest if part.lower().startswith("domain")]
    assert "Max-Age=300" in begun.headers["set-cookie"]
    assert "Max-Age=0" in gone
    assert "location" not in ended.headers, "a redirection would leave the session's cookie out"


def test_without_configuration_nothing_of_it_is_there(kh: Office) -> None:
    browser = Browser(kh, site_of(kh, issuer=None))
    assert "oidc" not in browser.get("/sign-in").text
    assert [browser.get(path, **SAME).status_code for path in (START, RETURN_PATH)] == [404, 404]
    with refused(Refused, "OIDC_NONE"):
        link_identity(kh.ports, kh.person("administrator"), kh.person("liaison"), SUBJECT)


def test_the_page_to_sign_in_names_whom_it_leads_to(browser: Browser, idp: SyntheticIssuer) -> None:
    page = browser.get("/sign-in").text
    assert f'href="{START}"' in page
    assert urlsplit(idp.url).netloc in page
    assert "data-passkey" in page
    sign_in(browser, idp)
    assert browser.get(START, **SAME).headers["location"] == "/"


def test_what_is_asked_is_the_code_flow_with_pkce_state_and_nonce(kh: Office, idp: SyntheticIssuer) -> None:
    browser = at(kh, idp, acr=("gold", "silver"), max_age=600, claim="employee")
    asked = [{name: values[0] for name, values in parse_qs(urlsplit(leave(browser)).query).items()} for _ in range(2)]
    for one in asked:
        assert one["redirect_uri"] == f"{ORIGIN}{RETURN_PATH}"
        assert (one["response_type"], one["code_challenge_method"]) == ("code", "S256")
        assert (one["scope"], one["max_age"], one["acr_values"]) == ("openid profile", "600", "gold silver")
        assert len({one["state"], one["nonce"], one["code_challenge"]}) == 3
    assert all(asked[0][name] != asked[1][name] for name in ("state", "nonce", "code_challenge"))
    plain = parse_qs(urlsplit(leave(at(kh, idp))).query)
    assert plain["scope"] == ["openid"]
    assert not plain.keys() & {"max_age", "acr_values"}


def test_the_code_is_redeemed_with_the_verifier_of_this_attempt(kh: Office, browser: Browser, idp: SyntheticIssuer) -> None:
    sign_in(browser, idp)
    form = idp.forms[0]
    assert (form["grant_type"], form["redirect_uri"], form["client_id"]) == ("authorization_code", f"{ORIGIN}{RETURN_PATH}", CLIENT)
    assert len(form["code_verifier"]) == 43
    # A code that somebody else was given: the issuer compares the verifier.
    other = at(kh, idp)
    stolen = parse_qs(urlsplit(idp.authorize(leave(other))).query)["code"][0]
    mine = parse_qs(urlsplit(leave(browser_again := at(kh, idp))).query)["state"][0]
    answer = come_back(browser_again, f"{ORIGIN}{RETURN_PATH}?code={stolen}&state={mine}")
    assert "OIDC_CODE" in answer.text


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"nonce": "other"}, "OIDC_NONCE"),
        ({"aud": "other"}, "OIDC_AUDIENCE"),
        ({"azp": "other"}, "OIDC_AUDIENCE"),
        ({"iss": "https://other.example"}, "OIDC_ISSUER"),
        ({"exp": 7}, "OIDC_TIME"),
        ({"sub": None}, "OIDC_CLAIM"),
        ({"sub": "example-subject-8"}, "OIDC_UNKNOWN"),
    ],
)
def test_a_token_that_does_not_hold_lets_nobody_in(browser: Browser, idp: SyntheticIssuer, claims: dict[str, Any], code: str) -> None:
    idp.claims = claims
    nobody_came(browser, sign_in(browser, idp), code)


def test_a_token_without_a_good_signature_lets_nobody_in(browser: Browser, idp: SyntheticIssuer) -> None:
    idp.token = lambda claims: by_hand({"alg": "none"}, lambda _: b"", claims)
    nobody_came(browser, sign_in(browser, idp), "OIDC_TOKEN")
    idp.token = lambda claims: sign(claims, "EdDSA", kid="ES256")
    nobody_came(browser, sign_in(browser, idp), "OIDC_KEY")


def test_how_closely_the_issuer_looks_is_asked_and_compared(kh: Office, idp: SyntheticIssuer) -> None:
    browser = at(kh, idp, acr=("gold",), amr=("hwk",), max_age=60)
    nobody_came(browser, sign_in(browser, idp), "OIDC_ASSURANCE")
    idp.claims = {"acr": "gold", "amr": ["hwk"], "auth_time": kh.clock.now_ms() // 1000}
    assert sign_in(browser, idp).status_code == 200


def test_a_key_that_is_new_is_asked_for(browser: Browser, idp: SyntheticIssuer) -> None:
    link = browser.site.issuer
    assert isinstance(link, IssuerLink)
    link.keys()
    assert link._keys is not None
    later = link._keys[0] + AGAIN_SECONDS + 1
    idp.token = lambda claims: sign(claims, "EdDSA")
    idp.keys = [public_key("EdDSA")]
    link._seconds = lambda: later
    assert sign_in(browser, idp).status_code == 200


def test_whoever_did_not_leave_from_this_browser_does_not_come_back(kh: Office, browser: Browser, idp: SyntheticIssuer) -> None:
    """A sign-in that somebody else began: as by a link that leads an officer into the attacker's account."""
    brought = idp.authorize(leave(browser))
    victim = at(kh, idp)
    victim.console = browser.console
    victim.client = type(browser.client)(browser.client.app, base_url=str(browser.client.base_url), follow_redirects=False)
    nobody_came(victim, come_back(victim, brought), "OIDC_STATE")
    leave(victim)
    nobody_came(victim, come_back(victim, brought), "OIDC_STATE")
    leave(victim)
    nobody_came(victim, come_back(victim, re.sub("state=[^&]*", "state=", brought)), "OIDC_STATE")
    assert idp.forms == [], "no code was even tried"
    assert come_back(browser, brought).status_code == 200


@pytest.mark.parametrize("planted", ["", "x", "AAAA", "A" * 75])
def test_a_cookie_that_this_console_did_not_make_is_none(browser: Browser, idp: SyntheticIssuer, planted: str) -> None:
    brought = idp.authorize(leave(browser))
    browser.client.cookies.clear()
    answer = come_back(browser, brought, cookie=f"__Host-attempt={planted}")
    assert answer.status_code == 403
    assert re.findall(r"<code>(\w+)</code>", answer.text)[0] in {"OIDC_STATE", "CHALLENGE"}
    assert idp.forms == []


def test_an_attempt_ends_after_five_minutes_and_is_no_other_challenge(kh: Office, browser: Browser, idp: SyntheticIssuer) -> None:
    brought = idp.authorize(leave(browser))
    kh.clock.pass_(LIVES_MS)
    nobody_came(browser, come_back(browser, brought), "CHALLENGE")
    page = browser.get("/sign-in").text
    challenge = re.findall(r'name="challenge" value="([^"]*)"', page)[0].rstrip("=")
    nobody_came(browser, come_back(browser, brought, cookie=f"__Host-attempt={challenge}"), "CHALLENGE")


def test_an_attempt_and_a_code_work_once(kh: Office, browser: Browser, idp: SyntheticIssuer, monkeypatch: pytest.MonkeyPatch) -> None:
    url = leave(browser)
    kept = str(browser.client.cookies.get("__Host-attempt"))
    brought = idp.authorize(url)
    assert come_back(browser, brought).status_code == 200
    assert "__Host-attempt" not in browser.client.cookies
    answer = come_back(browser, brought, cookie=f"__Host-attempt={kept}")
    assert (answer.status_code, "OIDC_CODE" in answer.text) == (403, True)
    # An issuer that gives two codes for one attempt lets nobody in twice.
    answer = come_back(browser, idp.authorize(url), cookie=f"__Host-attempt={kept}")
    assert (answer.status_code, "CHALLENGE" in answer.text) == (403, True)
    assert [code for _, _, code in events(kh)].count("OIDC") == 1


def test_only_a_page_of_this_site_begins_it(browser: Browser, idp: SyntheticIssuer) -> None:
    for site in ("cross-site", "same-site", "none", ""):
        answer = browser.get(START, **({"sec-fetch-site": site} if site else {}))
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
        assert "set-cookie" not in answer.headers
    assert idp.asked == []


def test_only_a_whole_window_comes_back_and_says_everything_once(browser: Browser, idp: SyntheticIssuer) -> None:
    for headers in ({"sec-fetch-dest": "iframe"}, {"sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}, {"sec-fetch-mode": "no-cors"}):
        nobody_came(browser, come_back(browser, idp.authorize(leave(browser)), **headers), "CROSS_SITE")
    for twice in ("state=x", "code=x", "iss=x"):
        brought = idp.authorize(leave(browser))
        answer = come_back(browser, f"{brought}&iss={idp.url}&{twice}")
        nobody_came(browser, answer, "FORM", 400)
    answer = browser.client.post(RETURN_PATH, headers={**SAME})
    assert answer.status_code == 405


def test_another_issuer_that_answers_is_found_out(browser: Browser, idp: SyntheticIssuer) -> None:
    idp.answer = {"iss": "https://other.example"}
    nobody_came(browser, sign_in(browser, idp), "OIDC_ISSUER")
    assert idp.forms == []
    idp.answer = {"iss": idp.url}
    assert sign_in(browser, idp).status_code == 200


def test_an_issuer_that_says_it_names_itself_does(browser: Browser, idp: SyntheticIssuer) -> None:
    idp.metadata = {"authorization_response_iss_parameter_supported": True}
    nobody_came(browser, sign_in(browser, idp), "OIDC_ISSUER")
    assert idp.forms == []


@pytest.mark.parametrize(
    "answer", [{"code": "", "error": "access_denied"}, {"error": "x"}, {"code": ""}, {"code": "é"}, {"code": "x" * 4097}]
)
def test_an_issuer_that_lets_nobody_in_is_believed(browser: Browser, idp: SyntheticIssuer, answer: dict[str, str]) -> None:
    idp.answer = answer
    nobody_came(browser, sign_in(browser, idp), "OIDC_DENIED", 409)
    assert idp.forms == []


def test_there_is_no_address_to_be_sent_on_to(browser: Browser, idp: SyntheticIssuer) -> None:
    evil = "https://evil.example/"
    answer = browser.get(f"{START}?next={evil}&redirect_uri={evil}&state={evil}", **SAME)
    assert "evil" not in answer.headers["location"]
    ended = come_back(browser, f"{idp.authorize(answer.headers['location'])}&next={evil}&redirect_uri={evil}")
    assert ended.status_code == 200
    assert "evil" not in ended.text


def test_an_issuer_that_is_down_says_so_and_passkeys_still_work(kh: Office, browser: Browser, idp: SyntheticIssuer) -> None:
    key = browser.enrol("liaison")
    brought = idp.authorize(leave(browser))
    idp.token_status = 503
    nobody_came(browser, come_back(browser, brought), "OIDC_UNREACHABLE", 503)
    idp.token_status = 401
    nobody_came(browser, sign_in(browser, idp), "OIDC_CLIENT", 409)
    with unreachable(kh) as down:
        answer = down.get(START, **SAME)
        nobody_came(down, answer, "OIDC_UNREACHABLE", 503)
        assert "passkey" in answer.text
        assert down.get("/sign-in").status_code == 200
        assert down.sign_in(key).status_code == 303


@contextmanager
def unreachable(kh: Office) -> Iterator[Browser]:
    with issuer(kh.clock.now_ms) as gone:
        link = issuer_link(gone)
    yield Browser(kh, site_of(kh, issuer=link, demo_sign_in=False))


def test_a_session_that_somebody_planted_is_not_taken_over(kh: Office, browser: Browser, idp: SyntheticIssuer) -> None:
    brought = idp.authorize(leave(browser))
    browser.enter("border")
    planted = browser.client.cookies.get("__Host-session")
    assert come_back(browser, brought).status_code == 200
    fresh = browser.client.cookies.get("__Host-session")
    assert fresh != planted
    assert kh.person("liaison") in browser.get("/you").text
    browser.client.cookies.set("__Host-session", str(planted), domain=browser.site.host, path="/")
    assert browser.get("/you").headers["location"] == "/sign-in", "the one before was signed out"


def test_what_another_issuer_says_of_the_same_subject_counts_for_nothing(kh: Office, idp: SyntheticIssuer) -> None:
    with issuer(kh.clock.now_ms) as other:
        kh.ports = replace(kh.ports, issuer=other.url)
        browser = at(kh, other)
        nobody_came(browser, sign_in(browser, other), "OIDC_UNKNOWN")
        # Nor does one that was asked until yesterday, and still is by this page.
        before = at(kh, idp)
        nobody_came(before, sign_in(before, idp), "OIDC_UNKNOWN")


def test_who_was_linked_by_one_claim_is_nobody_by_another(kh: Office, idp: SyntheticIssuer) -> None:
    """A number of the staff may be what the issuer calls somebody else."""
    idp.claims = {"sub": "example-subject-8", "employee": SUBJECT}
    kh.ports = replace(kh.ports, issuer=naming(idp.url, "employee"))
    browser = at(kh, idp, claim="employee")
    nobody_came(browser, sign_in(browser, idp), "OIDC_UNKNOWN")
    link_identity(kh.ports, kh.person("administrator"), kh.person("border"), SUBJECT)
    assert sign_in(browser, idp).status_code == 200
    assert kh.person("border") in browser.get("/you").text


def test_an_administrator_comes_in_by_passkey_alone(kh: Office, browser: Browser, idp: SyntheticIssuer) -> None:
    administrator = kh.person("administrator")
    with refused(Refused, "OIDC_ADMINISTRATOR"):
        link_identity(kh.ports, administrator, administrator, "example-subject-9")
    # Also one who became administrator since.
    with kh.ports.store.write() as tx:
        identities.put_identity(tx, administrator, idp.url, "example-subject-9", 0)
    idp.subject = "example-subject-9"
    nobody_came(browser, sign_in(browser, idp), "OIDC_ADMINISTRATOR", 409)


def test_no_log_and_no_page_holds_a_code_a_token_or_a_subject(
    browser: Browser, idp: SyntheticIssuer, capfd: pytest.CaptureFixture[str]
) -> None:
    tokens = []
    idp.token = lambda claims: tokens.append(sign(claims)) or tokens[-1]  # type: ignore[func-returns-value]  # the list is what is wanted
    with structlog.testing.capture_logs() as logged:
        pages = [sign_in(browser, idp).text]
        for idp.claims in ({"nonce": "other"}, {"sub": "example-subject-8"}):
            pages.append(sign_in(at(browser.office, idp), idp).text)
    said = str(logged) + "".join(capfd.readouterr()) + "".join(pages)
    assert len(tokens) == 3
    assert not [text for text in (*tokens, CODE, "example-subject", idp.forms[0]["code_verifier"]) if text in said]
    assert [record["code"] for record in logged] == ["OIDC_NONCE", "OIDC_UNKNOWN"]


def test_a_confidential_client_shows_its_secret_as_the_issuer_takes_it(kh: Office, idp: SyntheticIssuer) -> None:
    idp.secret = SECRET
    assert sign_in(at(kh, idp, secret=SECRET), idp).status_code == 200
    assert idp.authorizations[-1].startswith("Basic ")
    assert not idp.forms[-1].keys() & {"client_id", "client_secret"}
    idp.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert sign_in(at(kh, idp, secret=SECRET), idp).status_code == 200
    assert (idp.authorizations[-1], idp.forms[-1]["client_secret"]) == ("", SECRET)
    browser = at(kh, idp, secret="other")
    assert "OIDC_CLIENT" in sign_in(browser, idp).text


def test_who_came_by_the_issuers_word_releases_nothing_without_a_passkey(kh: Office, browser: Browser, idp: SyntheticIssuer) -> None:
    sign_in(browser, idp)
    secret = read_secret(str(browser.client.cookies.get("__Host-session")))
    confirming = Confirming(browser.site, Challenges(kh.ports))
    visit = Visit(
        person=kh.person("liaison"),
        secret=secret,
        began_by="OIDC",
        language=load_languages()["en"],
        place={},
        query={},
        form={"answer": "{}"},
    )
    asked = confirming.ask(visit, "release", {"digest": "x"})
    assert asked.missing
    with pytest.raises(NotPermitted):
        confirming.take(replace(visit, form={"answer": "{}", "ticket": asked.ticket}), "release", {"digest": "x"})
    page = browser.get(f"/drafts/{begun(kh)}/preview")
    assert page.status_code == 200
    # An administrator's code and a passkey later the same session asks for it as any other.
    browser.send("/language", {"language": "en"})
    code = browser.code("liaison")
    offered = browser.send("/enrol", {"code": code}).text
    key = Authenticator(ORIGIN)
    kept = browser.send("/enrol/passkey", {"code": code, "challenge": field(offered, "challenge"), "answer": key.create(options(offered))})
    assert kept.status_code == 303
    assert not confirming.ask(visit, "release", {"digest": "x"}).missing
