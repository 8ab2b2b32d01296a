"""An issuer, and browsers of a console that asks it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from node.console.oidc_pages import RETURN_PATH
from node.operations.identities import link_identity
from tests.console_site import NAVIGATED, ORIGIN, SAME, Browser, issuer_link, site_of
from tests.issuer import SUBJECT, SyntheticIssuer, issuer
from tests.rig import Office

START = "/sign-in/oidc"


@contextmanager
def asked_issuer(office: Office) -> Iterator[SyntheticIssuer]:
    """The one that this office asks; it means the liaison officer."""
    with issuer(office.clock.now_ms) as made:
        office.ports = replace(office.ports, issuer=made.url)
        link_identity(office.ports, office.person("administrator"), office.person("liaison"), SUBJECT)
        yield made


def at(kh: Office, idp: SyntheticIssuer, **client: Any) -> Browser:
    """A browser of a console that asks this issuer."""
    return Browser(kh, site_of(kh, issuer=issuer_link(idp, **client), demo_sign_in=False))


def leave(browser: Browser) -> str:
    """The link on the page to sign in: where it leads."""
    answer = browser.get(START, **SAME)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def come_back(browser: Browser, url: str, **headers: str) -> Any:
    """What the issuer sends the browser back with."""
    assert url.startswith(f"{ORIGIN}{RETURN_PATH}?")
    return browser.get(url.removeprefix(ORIGIN), **{**NAVIGATED, **headers})


def sign_in(browser: Browser, idp: SyntheticIssuer) -> Any:
    return come_back(browser, idp.authorize(leave(browser)))


def nobody_came(browser: Browser, answer: Any, code: str, status: int = 403) -> None:
    assert (answer.status_code, re.findall(r"<code>(\w+)</code>", answer.text)) == (status, [code])
    assert "__Host-session" not in str(answer.headers.get_list("set-cookie"))
    assert ("sign_in", "OIDC") not in [(kind, said) for kind, _, said, *_ in events(browser.office)]


def events(office: Office) -> list[tuple[str, str, str]]:
    return [(kind, who.rpartition("/")[2], code) for kind, who, _, code in office.journal()]
