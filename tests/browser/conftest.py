"""A browser, and a console with something on every page."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser

from tests.browser.chromium import chromium
from tests.browser.offices import Building, Offices, offices
from tests.browser.world import World, world


# For each file of tests: Playwright keeps an event loop in this thread, with which later tests could not run their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("world")) as made:
        yield made


@pytest.fixture(scope="session")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Offices]:
    with offices(tmp_path_factory.mktemp("offices")) as made:
        yield made


@pytest.fixture
def building(browser: Browser, both: Offices) -> Iterator[Building]:
    with ExitStack() as closing:
        made = Building(browser, both, closing)
        yield made
        made.watch.done()
        made.traces.done()
