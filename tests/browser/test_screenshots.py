"""Pictures of the main pages, small enough for the documentation; kept where CONSOLE_SCREENSHOTS names a directory: `make screenshots`."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.chromium import Watch, window
from tests.browser.offices import Building, Offices
from tests.browser.test_days import drafted
from tests.browser.world import World

pytestmark = pytest.mark.system
LARGEST = 150_000


@pytest.mark.parametrize(
    ("name", "who", "route", "settings"),
    [
        ("work", "liaison", "/work", {}),
        ("draft", "liaison", "/drafts/{draft}", {}),
        ("sent", "liaison", "/sent/{own}", {}),
        ("inbox", "border", "/inbox", {}),
        ("handover", "border", "/handover", {}),
        ("alert", "border", "/inbox/{alert}", {}),
        ("alert-dark", "border", "/inbox/{alert}", {"color_scheme": "dark"}),
        ("tip-khmer-phone", "ngo", "/tell/{tip}/danger", {"locale": "km", "viewport": {"width": 360, "height": 740}}),
        ("flow", "auditor", "/audit/flow", {}),
        ("disclosure", "auditor", "/audit/disclosures/kh.alerts.example/gb.alerts.example/1/0", {}),
    ],
)
def test_a_picture_is_made(
    browser: Browser, shown: World, name: str, who: str, route: str, settings: dict[str, object], tmp_path: Path
) -> None:
    with window(browser, Watch(hosts=frozenset()), **{"viewport": {"width": 1000, "height": 1000}, **settings}) as page:
        shown.enter(page.context, who)
        page.goto(shown.address(route))
        page.evaluate("document.fonts.ready")
        keep(page, name, tmp_path)


def test_a_picture_of_the_preview_is_made(building: Building, both: Offices, tmp_path: Path) -> None:
    """Of the demonstration's own draft, for two agencies abroad."""
    liaison = building.trainee(both.gb, "liaison", viewport={"width": 1000, "height": 1000})
    liaison.goto(f"{drafted(both, reference='EXAMPLE-9')}/preview")
    keep(liaison.page, "preview", tmp_path)


def keep(page: Page, name: str, elsewhere: Path) -> None:
    picture = Path(os.environ.get("CONSOLE_SCREENSHOTS", elsewhere)) / f"{name}.png"
    page.screenshot(path=picture)
    assert picture.stat().st_size <= LARGEST
