"""London and Phnom Penh, each a process with its console; and people who work in them through a browser."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page

from exchange.v1 import desk_service_pb2 as desk
from node.cli.demo_sample import unfinished_sample
from tests.browser import axe
from tests.browser.chromium import Passkeys, Watch, window
from tests.browser.traces import Traces, texts_in
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
    """Both, running, and agreed."""
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
        agree(made.gb, made.kh, agreement(made))
        yield made


def agreement(both: Offices, **changes: tuple[str, str]) -> str:
    """The file of `exchange agreement template`, by which Cambodia's travel alerts wait for a second officer; with changes of clauses.

    Each change is of the clauses whose id begins so (with underscores): one line, and what stands in its place.
    """
    head, *clauses = template_agreement(both.gb, both.kh).split("[[clauses]]\n")
    kind = 'alert_type = "TravelAlert"\n'
    for begins, (line, instead) in {"kh_to_gb_travel_alert": (kind, f"{kind}approvals = 1\n"), **changes}.items():
        id_ = f'id = "{begins.replace("_", "-")}'
        clauses = [clause.replace(line, instead) if clause.startswith(id_) else clause for clause in clauses]
    return "[[clauses]]\n".join((head, *clauses))


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
        button = self.page.locator("main").get_by_role("button", name=name, include_hidden=True)
        self.unfold(button)
        with self.page.expect_navigation():
            button.click()

    def follow(self, name: str) -> None:
        """Follow a link of what the page is about."""
        with self.page.expect_navigation():
            self.page.locator("main").get_by_role("link", name=name).click()

    def click(self, selector: str) -> None:
        """Follow the first link or press the first button of what the page is about that a selector finds, and see what comes."""
        with self.page.expect_navigation():
            self.page.locator(f"main {selector}").first.click()

    def fill(self, given: Mapping[str, str]) -> None:
        """Type into fields, choose their values or tick them, by their names in the form; what is folded away is unfolded."""
        for name, value in given.items():
            named = self.page.locator(f'main [name="{name}"]')
            kind = named.first.evaluate("field => field.type")
            ticked = kind in {"radio", "checkbox"}
            field = self.page.locator(f'main [name="{name}"][value="{value}"]') if ticked else named
            self.unfold(field)
            if ticked:
                field.check()
            elif kind == "select-one":
                field.select_option(value)
            else:
                field.fill(value)

    def unfold(self, what: Locator) -> None:
        """Open what something is folded away in, if it is."""
        if what.first.evaluate("one => one.closest('details')?.open === false"):
            what.first.locator("xpath=ancestor::details[1]/summary").click()

    def texts(self) -> str:
        """What the page is about, as it is read."""
        return self.page.inner_text("main")

    def reads(self, *texts: str) -> None:
        """What the page is about says all of it, and axe-core finds nothing on it."""
        said = " ".join(self.texts().split())
        assert [text for text in texts if text not in said] == [], f"{self.page.url}: {said}"
        found = axe.faults_beside_policy(self.page)
        assert not found, f"{self.page.url}: " + "\n".join(found)

    def sees(self, text: str) -> None:
        """Look again until the page says so: what another country does takes a moment."""
        self._look_again(lambda: text in self.texts())

    def awaits(self, what: Locator) -> None:
        """Look again until it is on the page."""
        self._look_again(lambda: what.count() > 0)

    def _look_again(self, shown: Callable[[], bool]) -> None:
        def seen() -> bool:
            if shown():
                return True
            self.page.reload()
            return shown()

        until(seen, every=0.2)


class Building:
    """Windows onto both consoles, all of them watched; they close when the building does."""

    def __init__(self, browser: Browser, both: Offices, closing: ExitStack) -> None:
        self.both = both
        self.watch = Watch(hosts=both.hosts)
        self.traces = Traces(logs=[both.gb.log, both.kh.log])
        self.traces.about("PLACEHOLDER", *texts_in(json.loads(unfinished_sample("GB", "KH"))["alert"]))
        self._browser = browser
        self._closing = closing

    def open(self, office: Office, **settings: Any) -> Person:
        """A window in which nobody is signed in."""
        page = self._closing.enter_context(window(self._browser, self.watch, **settings))
        self.traces.over(page)
        return Person(page=page, origin=self.both.origin(office), keys=None)

    def officer(self, office: Office, context: str, **settings: Any) -> Person:
        """Somebody of an office, who enrols a passkey with an administrator's code and signs in with it."""
        return self.enrol(office, code_for(office, context), **settings)

    def enrol(self, office: Office, code: str, **settings: Any) -> Person:
        """Whoever has an administrator's code, in any language: enrols a passkey and signs in with it."""
        stranger = self.open(office, **settings)
        person = Person(page=stranger.page, origin=stranger.origin, keys=Passkeys(stranger.page))
        person.goto("/enrol").fill("#code", code)
        for form in ('form[action="/enrol"]', "form[data-passkey=create]", "form[data-passkey=get]"):
            with person.page.expect_navigation():
                person.page.locator(f"main {form} button").click()
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
