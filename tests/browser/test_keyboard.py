"""Every page by keyboard alone: all is reached in the order in which it stands, one sees where one is, and nothing traps."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from tests.browser import keyboard
from tests.browser.chromium import Watch, window
from tests.browser.world import World, every_page

pytestmark = pytest.mark.system

PAGES = every_page()
PEOPLE = sorted({page.who for page in PAGES})

WRONG = {
    "<a href=/a>1</a><button tabindex=-1>2</button>": "at 1 comes",
    "<style>a { outline: 0 !important }</style><a href=/a>1</a>": "nothing shows the focus on A  1",
    "<input style='position: fixed; left: -9in'>": "nothing shows the focus on INPUT",
    "<input onkeydown='event.preventDefault()'><a href=/a>1</a>": "(1 of 2)",
    "<a class=govuk-skip-link href=#gone>Skip</a><main id=main-content tabindex=-1></main>": "the skip link leads past nothing",
}
"""A page's body, and what is to be found on it."""


@pytest.mark.parametrize(("body", "fault"), WRONG.items(), ids=range(len(WRONG)))
def test_what_is_wrong_is_found(browser: Browser, body: str, fault: str) -> None:
    with window(browser, Watch(hosts=frozenset())) as opened:
        opened.set_content(body)
        found = keyboard.faults(opened)
    assert any(fault in one for one in found), found


@pytest.mark.parametrize("who", PEOPLE)
def test_every_page_is_used_by_keyboard_alone(browser: Browser, shown: World, who: str) -> None:
    watch = Watch(hosts=frozenset({urlsplit(shown.origin).netloc}))
    found: list[str] = []
    with window(browser, watch, bypass_csp=True) as opened:
        shown.enter(opened.context, who)
        for page in PAGES:
            if page.who == who:
                opened.goto(shown.address(page.route), wait_until="domcontentloaded")
                if page.sent is not None:
                    page.send(opened)
                found += [f"{page.route} {'sent' * (page.sent is not None)}: {fault}" for fault in keyboard.faults(opened)]
    assert not found, "\n".join(found)
