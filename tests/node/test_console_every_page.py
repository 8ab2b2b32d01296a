"""Every page of the console, as each person who may open it sees it: in the language that was chosen, and small enough for a poor line."""

import re
from collections.abc import Iterator

import pytest

from node.console.languages import load_languages
from tests.browser.world import every_page, one_of_each
from tests.console_site import Browser, Shown
from tests.node.test_console_languages import CODES, SAME_EVERYWHERE, source
from tests.rig import ROLES

pytestmark = pytest.mark.thorough
PAGE_BYTES = 60_000


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[str, str], str]]:
    """Each by language and route."""
    found: dict[tuple[str, str], str] = {}
    with one_of_each(tmp_path_factory.mktemp("one")) as (office, places):
        browsers: dict[str, Browser] = {}
        for page in every_page():
            browser = browsers.setdefault(page.who, Browser(office).enter(page.who) if page.who else Browser(office))
            session = browser.client.cookies.get("__Host-session")
            address = re.sub(r"\{(\w+)\}", lambda name: places[name[1]], page.route)
            for language in ("en", *CODES):
                chosen = f"__Host-language={language}" + (f"; __Host-session={session}" if session else "")
                found[language, page.route] = browser.get(address, cookie=chosen).text
        yield found


def test_no_text_of_a_page_is_left_in_english(pages: dict[tuple[str, str], str]) -> None:
    texts, plurals = source()
    # Officers of these tests are called by what they are.
    english = {text for text in texts | set(plurals) if text not in SAME_EVERYWHERE | set(ROLES)}
    left = {
        (language, route, text)
        for (language, route), page in pages.items()
        for lang, text in Shown(page).texts
        if language != "en" and lang != "en" and text in english
    }
    assert not left
    assert any(text in english for _, text in Shown(pages["en", "/work"]).texts), "what is looked for is found where it is to be"


def test_no_page_is_too_large_for_a_poor_line(pages: dict[tuple[str, str], str]) -> None:
    sizes = {place: len(page.encode()) for place, page in pages.items()}
    assert len(sizes) > 300
    assert not {place: size for place, size in sizes.items() if size > PAGE_BYTES}


def test_countries_have_names_and_no_codes(pages: dict[tuple[str, str], str]) -> None:
    bare = {"gb", "kh", "vn", "GB", "KH", "VN", "GBR", "KHM", "VNM"}
    left = {
        (language, route, text)
        for (language, route), page in pages.items()
        for _, text in Shown(page).texts
        if text in bare or re.search(r"\((gb|kh|vn|GB|KH|VN)\)", text)
    }
    assert not left
    khmer = [text for _, text in Shown(pages["km", "/inbox"]).texts]
    kingdom = load_languages()["km"].country("gb.alerts.example")
    assert kingdom != "gb.alerts.example"
    assert any(text.endswith(f", {kingdom}") for text in khmer), "an agency stands with its country"
