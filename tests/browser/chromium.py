"""Debian's Chromium, driven by Playwright; and a watch over everything that its pages must never do."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Frame, Page, Request, sync_playwright

_FLAGS: Final = (
    "--no-sandbox",  # in a container its own sandbox cannot be built; it opens our own pages alone
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_MISSING: Final = "These tests drive a real browser, and Chromium was not found. On Debian or Ubuntu run: apt-get install chromium"
TITLE: Final = "title: "
"""What a page's title stands behind where each page tells it to the watch."""
_REPORT: Final = """
document.addEventListener('securitypolicyviolation', (said) =>
  console.error(`CSP ${said.effectiveDirective} ${said.blockedURI} ${said.sourceFile}:${said.lineNumber} ${said.sample}`))
document.addEventListener('DOMContentLoaded', () => console.debug(`title: ${document.title}`))
"""
_ANSWERED: Final = "Failed to load resource: the server responded with a status of "
"""What Chromium says of every page that is a refusal; whether it should be one is for the test to say."""
_PERSONAL: Final = ("thomas", "specimen", "925076473", "ex-2026", "exmpl7", "xx586", "xx 586")
"""Of the person whom the alerts of the tests are about, in small letters."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window."""
    path = shutil.which("chromium")
    if path is None:
        pytest.fail(_MISSING, pytrace=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        yield browser
        browser.close()


@dataclass
class Watch:
    """Notes what pages of `hosts` do that they must not. `done` fails if there is anything."""

    hosts: frozenset[str]
    """host:port of each console."""
    noted: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        """Watch every page of a context."""
        context.add_init_script(_REPORT)
        context.on("request", self._request)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.noted.append(f"script: {error.error}"))
        context.on("page", lambda page: page.on("framenavigated", self._address))

    def done(self) -> None:
        """Everything so far was as it should be."""
        noted, self.noted = self.noted, []
        assert not noted, "\n".join(noted)

    def _request(self, request: Request) -> None:
        if urlsplit(request.url).netloc not in self.hosts:
            self.noted.append(f"a request left the consoles: {request.url}")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "debug" and message.text.startswith(TITLE):
            self._check_personal("title", message.text)
        elif message.type in {"error", "warning"} and not self._is_answer(message):
            self.noted.append(f"{message.location.get('url')}: {message.text}")

    @staticmethod
    def _is_answer(message: ConsoleMessage) -> bool:
        return message.text.startswith(_ANSWERED) and "/assets/" not in message.location.get("url", "")

    def _address(self, frame: Frame) -> None:
        self._check_personal("address", frame.url)

    def _check_personal(self, where: str, text: str) -> None:
        found = [word for word in _PERSONAL if word in unquote(text).lower()]
        if found:
            self.noted.append(f"personal data in the {where}: {text}")


@contextmanager
def window(browser: Browser, watch: Watch, **settings: Any) -> Iterator[Page]:
    """A window of somebody's own: nothing of it is kept. Settings are those of Playwright's contexts."""
    context = browser.new_context(**{"locale": "en-GB", **settings})
    context.set_default_timeout(20_000)
    watch.over(context)
    try:
        yield context.new_page()
    finally:
        context.close()


class Passkeys:
    """An authenticator within one window: verifies its user, keeps passkeys, is touched by itself."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("WebAuthn.enable")
        made = self._session.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2",
                    "transport": "internal",
                    "hasResidentKey": True,
                    "hasUserVerification": True,
                    "isUserVerified": True,
                    "automaticPresenceSimulation": True,
                }
            },
        )
        self._id = made["authenticatorId"]

    def verifies(self, verified: bool) -> None:  # noqa: FBT001  it is the fact itself
        """Whether its user's finger or code is the right one from now on."""
        self._session.send("WebAuthn.setUserVerified", {"authenticatorId": self._id, "isUserVerified": verified})
