"""Coming in by an OpenID Connect issuer that is another site, in a real browser: what it does with the cookies is what this is about."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, expect

from exchange.v1 import desk_service_pb2 as desk
from tests.browser import axe
from tests.browser.chromium import Watch, window
from tests.browser.test_every_page import LANGUAGES
from tests.issuer import CLIENT, SUBJECT, SyntheticIssuer, issuer
from tests.system.nodes import Office, ask, set_up, start

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def idp() -> Iterator[SyntheticIssuer]:
    with issuer(lambda: time.time_ns() // 1_000_000) as made:
        yield made


@pytest.fixture(scope="module")
def kh(tmp_path_factory: pytest.TempPathFactory, idp: SyntheticIssuer) -> Iterator[Office]:
    office = set_up("KH", tmp_path_factory.mktemp("oidc"))
    environment = {
        "EXCHANGE_CONSOLE_LISTEN": f"127.0.0.1:{office.port + 3}",
        "EXCHANGE_OIDC_ISSUER": idp.url,
        "EXCHANGE_OIDC_CLIENT_ID": CLIENT,
    }
    process = start(office, environment=environment)
    yield office
    process.kill()


@pytest.fixture
def page(browser: Browser, kh: Office, idp: SyntheticIssuer) -> Iterator[Page]:
    watch = Watch(hosts=frozenset({origin(kh).removeprefix("http://"), idp.url.removeprefix("http://")}))
    with ExitStack() as closing:
        yield closing.enter_context(window(browser, watch))
        watch.done()


def origin(office: Office) -> str:
    return f"http://kh.localhost:{office.port + 3}"


def cookies(page: Page, office: Office) -> list[tuple[str, str]]:
    """What the browser keeps of the console."""
    return [(one["name"], one["sameSite"]) for one in page.context.cookies(origin(office).replace("http:", "https:"))]


def officer(office: Office, context: str) -> str:
    with ask(office, context) as stub:
        return str(stub.WhoAmI(desk.WhoAmIRequest()).party)


def link(office: Office, person: str, subject: str) -> None:
    with ask(office, "administrator") as stub:
        stub.LinkIdentity(desk.LinkIdentityRequest(officer=person, subject=subject))


def test_an_officer_comes_in_by_an_issuer_on_another_site(page: Page, kh: Office, idp: SyntheticIssuer) -> None:
    who = officer(kh, "partner-border")
    link(kh, who, SUBJECT)
    page.goto(f"{origin(kh)}/sign-in")
    page.get_by_role("button", name="Sign in with your agency’s account").click()
    page.wait_for_url(f"{idp.url}/authorize?**")
    assert cookies(page, kh) == [("__Host-attempt", "Lax")]
    page.get_by_role("button", name="I am who I am").click()
    page.wait_for_url(f"{origin(kh)}/work")
    assert cookies(page, kh) == [("__Host-session", "Strict")]
    page.goto(f"{origin(kh)}/you")
    assert who in page.inner_text("main")
    with page.expect_navigation():
        page.get_by_role("button", name="Sign out").click()
    assert page.url == f"{origin(kh)}/sign-in"


def test_without_javascript_too(browser: Browser, kh: Office, idp: SyntheticIssuer) -> None:
    link(kh, officer(kh, "partner-border"), SUBJECT)
    watch = Watch(hosts=frozenset({origin(kh).removeprefix("http://"), idp.url.removeprefix("http://")}))
    with window(browser, watch, java_script_enabled=False) as plain:
        plain.goto(f"{origin(kh)}/sign-in")
        plain.get_by_role("button", name="Sign in with your agency’s account").click()
        plain.get_by_role("button", name="I am who I am").click()
        plain.wait_for_url(f"{origin(kh)}/work")
    watch.done()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_on_which_one_comes_back_is_for_everybody(browser: Browser, kh: Office, idp: SyntheticIssuer, language: str) -> None:
    link(kh, officer(kh, "partner-border"), SUBJECT)
    with window(browser, Watch(hosts=frozenset()), locale=language, bypass_csp=True) as page:
        # It leads on by itself, at once: an answer without content leaves it where it is.
        page.route(f"{origin(kh)}/", lambda route: route.fulfill(status=204))
        page.goto(f"{origin(kh)}/sign-in")
        page.click('a[href="/sign-in/oidc"]')
        page.get_by_role("button", name="I am who I am").click()
        page.wait_for_url(f"{origin(kh)}/sign-in/oidc/return?**")
        assert page.get_attribute("html", "lang") == language
        assert axe.faults(page) == []


def test_somebody_whom_the_node_does_not_know_reads_what_to_do(page: Page, kh: Office, idp: SyntheticIssuer) -> None:
    idp.subject = "example-subject-8"
    page.goto(f"{origin(kh)}/sign-in")
    page.get_by_role("button", name="Sign in with your agency’s account").click()
    page.get_by_role("button", name="I am who I am").click()
    expect(page.get_by_text("OIDC_UNKNOWN")).to_be_visible()
    page.get_by_role("link", name="Go to the first page").click()
    page.wait_for_url(f"{origin(kh)}/sign-in")


def test_another_sites_link_begins_nothing(page: Page, kh: Office, idp: SyntheticIssuer) -> None:
    page.goto(f"{idp.url}/authorize?x")
    before = list(idp.asked)
    page.evaluate("(address) => { location.href = address }", f"{origin(kh)}/sign-in/oidc")
    page.wait_for_url(f"{origin(kh)}/sign-in")
    assert idp.asked == before
    assert cookies(page, kh) == []
