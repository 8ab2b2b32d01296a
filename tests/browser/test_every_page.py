"""Each page of the console in a real browser: for everybody's eyes and hands, in every language, on a phone, in the dark."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from node.console.languages import load_languages
from tests.browser import axe, colours
from tests.browser.chromium import Watch, window
from tests.browser.world import Shown, World, every_page, unseen

pytestmark = pytest.mark.system

LANGUAGES = ("en", *sorted(load_languages().keys() - {"en"}))
PAGES = every_page()
WIDTHS = (360, 640)
"""A phone; and a screen of 1280 at 200 %."""
LONG_WORDS = {"/audit/flow", "/audit/disclosures/{sender}/{recipient}/{generation}/{index}", "/drafts/{draft}/step/names"}
"""Pages that were too wide in the font of the system."""
NOWHERE = "/nothing"
CONTRAST = "color-contrast"
HIDDEN = """() => [...document.querySelectorAll("main table")].filter((table) => !table.checkVisibility()
  && !table.closest("details:not([open])")
  && !(table.closest(".app-matrix") && document.querySelector("main .app-fields--beside")?.checkVisibility())
).map((table) => table.textContent.trim().slice(0, 60))"""
"""Tables that a narrow screen does not show, and shows nothing in their place."""


def ids(page: Shown) -> str:
    return " ".join(part for part in (page.route, page.who, "sent" * (page.sent is not None), *(page.sent or ())) if part)


class Windows:
    """One window a language, kept for the next page, and whoever is signed in there."""

    def __init__(self, browser: Browser, world: World) -> None:
        self.watch = Watch(hosts=frozenset({urlsplit(world.origin).netloc}))
        self._browser = browser
        self._world = world
        self._open: dict[tuple[str, bool], Page] = {}
        self._all = ExitStack()

    def close(self) -> None:
        self._all.close()

    def show(self, shown: Shown, language: str, *, strict: bool = False) -> Page:
        """Open a page; only `strict` windows hold to its policy, which lets no test look into it by a script of its own."""
        if (language, strict) not in self._open:
            opened = window(self._browser, self.watch, locale=language, bypass_csp=not strict)
            self._open[language, strict] = self._all.enter_context(opened)
        page = self._open[language, strict]
        self._world.enter(page.context, shown.who)
        address = self._world.address(shown.route)
        answer = page.goto(address)
        assert answer is not None
        assert (answer.ok, urlsplit(page.url).path) == (shown.route != NOWHERE, urlsplit(address).path)
        if shown.sent is not None:
            shown.send(page)
        # What a recipient will read is written in its own language.
        assert page.get_attribute("html", "lang") == language or re.search(r"/(preview|read)/", shown.route)
        return page


@pytest.fixture(scope="module")
def windows(browser: Browser, shown: World) -> Iterator[Windows]:
    made = Windows(browser, shown)
    yield made
    made.close()


def test_no_route_is_left_out() -> None:
    assert unseen(PAGES) == []
    assert "/inbox/{alert}" in unseen([page for page in PAGES if not page.route.startswith("/inbox")])


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_it_is_for_everybody(windows: Windows, page: Shown) -> None:
    """axe-core finds nothing, nothing is wider than the screen, and no table is left out on a narrow one."""
    found: list[str] = []
    for language in LANGUAGES:
        opened = windows.show(page, language)
        found += [f"{language}: {fault}" for fault in axe.faults(opened)]
        for width in WIDTHS:
            opened.set_viewport_size({"width": width, "height": 800})
            needed = opened.evaluate("document.documentElement.scrollWidth")
            if needed > width:
                found.append(f"{language}: {needed} pixels wide on a screen of {width}")
            found += [f"{language}: hidden at {width}: {table}" for table in opened.evaluate(HIDDEN)]
        opened.set_viewport_size({"width": 1280, "height": 800})
    assert not found, "\n".join(found)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_phone_shows_when_keys_end(windows: Windows, language: str) -> None:
    opened = windows.show(Shown(route="/admin/keys", who="administrator"), language)
    opened.set_viewport_size({"width": WIDTHS[0], "height": 800})
    edges = opened.evaluate(
        "[...document.querySelectorAll('main tbody td:nth-child(2)')].map((cell) => cell.getBoundingClientRect().right)"
    )
    opened.set_viewport_size({"width": 1280, "height": 800})
    assert edges
    assert max(edges) <= WIDTHS[0]


@pytest.mark.parametrize("page", [page for page in PAGES if page.route in LONG_WORDS and page.sent is None], ids=ids)
def test_before_the_fonts_have_come_it_is_not_wider_than_a_phone(browser: Browser, shown: World, page: Shown) -> None:
    with window(browser, Watch(hosts=frozenset()), viewport={"width": WIDTHS[0], "height": 800}) as opened:
        opened.route("**/*.woff2", lambda route: route.abort())
        shown.enter(opened.context, page.who)
        opened.goto(shown.address(page.route))
        assert opened.evaluate("() => document.documentElement.scrollWidth") == WIDTHS[0]


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_it_is_readable_in_the_dark_in_strong_contrast_and_in_the_readers_own_colours(windows: Windows, page: Shown) -> None:
    opened = windows.show(page, "en")
    found = colours.faint(opened)
    shades = []
    for setting in ({"color_scheme": "dark"}, {"color_scheme": "light", "contrast": "more"}, {"color_scheme": "dark", "contrast": "more"}):
        opened.emulate_media(**setting)
        shades.append(opened.evaluate("getComputedStyle(document.documentElement).backgroundColor"))
        found += [f"{setting}: {fault}" for fault in (*axe.faults(opened, CONTRAST), *colours.faint(opened))]
    opened.emulate_media(color_scheme="light", contrast="no-preference", forced_colors="active")
    found += colours.lost_in_forced_colours(opened)
    opened.emulate_media(forced_colors="none")
    assert not found, "\n".join(found)
    assert shades == ["rgb(16, 22, 31)", "rgb(255, 255, 255)", "rgb(16, 22, 31)"]


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_it_keeps_its_policy_and_asks_nobody_else(windows: Windows, page: Shown) -> None:
    opened = windows.show(page, "en", strict=True)
    opened.evaluate("document.fonts.ready")
    windows.watch.done()
