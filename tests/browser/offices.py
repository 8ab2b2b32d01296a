"""London and Phnom Penh, each a process with its console; and people who work in them through a browser."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from exchange.v1 import desk_service_pb2 as desk
from tests.browser.chromium import Passkeys, Watch, window
from tests.system.nodes import Office, agree, ask, make_partners, set_up, start, template_agreement, until


@dataclass(frozen=True, slots=True, kw_only=True)
class Offices:
    """Two nodes that are partners."""

    gb: Office
    kh: Office

    def origin(self, office: Office) -> str:
        """Where a browser on this machine finds a console."""
        return f"http://{office.directory.name}.localhost:{_console_port(office)}"

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset(self.origin(office).removeprefix("http://") for office in (self.gb, self.kh))


@contextmanager
def offices(place: Path) -> Iterator[Offices]:
    """Both, running, with the agreement that `exchange agreement template` writes."""
    made = Offices(gb=set_up("GB", place), kh=set_up("KH", place))
    with ExitStack() as running:
        processes = []
        for office in (made.gb, made.kh):
            environment = {"EXCHANGE_CONSOLE_LISTEN": f"127.0.0.1:{_console_port(office)}"}
            process = start(office, environment=environment, ready=False)
            running.callback(process.kill)
            processes.append(process)
        for process in processes:
            process.wait_ready()
        make_partners(made.gb, made.kh)
        agree(made.gb, made.kh, template_agreement(made.gb, made.kh))
        yield made


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody at a window."""

    page: Page
    origin: str
    keys: Passkeys | None
    """None for whoever came by a code."""

    def goto(self, path: str) -> Page:
        """Type an address."""
        self.page.goto(self.origin + path)
        return self.page

    def press(self, name: str) -> None:
        """Press a button of what the page is about, and see what comes."""
        with self.page.expect_navigation():
            self.page.locator("main").get_by_role("button", name=name).click()

    def follow(self, name: str) -> None:
        """Follow a link of what the page is about."""
        with self.page.expect_navigation():
            self.page.locator("main").get_by_role("link", name=name).click()

    def texts(self) -> str:
        """What the page is about, as it is read."""
        return self.page.inner_text("main")

    def sees(self, text: str) -> None:
        """Look again until the page says so: what another country does takes a moment."""

        def shown() -> bool:
            if text in self.texts():
                return True
            self.page.reload()
            return text in self.texts()

        until(shown, every=0.2)


class Building:
    """Windows onto both consoles, all of them watched; they close when the building does."""

    def __init__(self, browser: Browser, both: Offices, closing: ExitStack) -> None:
        self.both = both
        self.watch = Watch(hosts=both.hosts)
        self._browser = browser
        self._closing = closing

    def open(self, office: Office, **settings: Any) -> Person:
        """A window in which nobody is signed in."""
        page = self._closing.enter_context(window(self._browser, self.watch, **settings))
        return Person(page=page, origin=self.both.origin(office), keys=None)

    def officer(self, office: Office, context: str, **settings: Any) -> Person:
        """Somebody of an office, who enrols a passkey with an administrator's code and signs in with it."""
        stranger = self.open(office, **settings)
        person = Person(page=stranger.page, origin=stranger.origin, keys=Passkeys(stranger.page))
        page = person.goto("/enrol")
        page.get_by_label("One-time code").fill(code_for(office, context))
        person.press("Continue")
        person.press("Make a passkey on this device")
        person.press("Sign in with a passkey")
        return person

    def trainee(self, office: Office, context: str, **settings: Any) -> Person:
        """Somebody of an office, who signs in by a code alone."""
        person = self.open(office, **settings)
        page = person.goto("/sign-in")
        page.get_by_label("One-time code").fill(code_for(office, context))
        person.press("Sign in with the code")
        return person


def code_for(office: Office, context: str) -> str:
    """What an administrator gives to the person of a context file."""
    with ask(office, context) as stub:
        party = stub.WhoAmI(desk.WhoAmIRequest()).party
    with ask(office, "administrator") as stub:
        return str(stub.EnrolOfficer(desk.EnrolOfficerRequest(officer=party)).code)


def _console_port(office: Office) -> int:
    return office.port + 3
