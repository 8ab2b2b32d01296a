"""Nodes that are partners already, for tests to copy; set up once, through the running nodes' own desks."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.nodes import Countries, NodeProcess, Nursery, agree, make_partners, set_up, start, template_agreement

TEST_SECONDS = 300
"""Longer than `nodes.PATIENCE_SECONDS` by far, so that a wait that is in vain says itself what it waited for."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that start nodes have more time than others, if they do not say themselves how much they need."""
    for item in items:
        if item.get_closest_marker("system") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(TEST_SECONDS))


@pytest.fixture(scope="session")
def template() -> Iterator[Countries]:
    """The United Kingdom, a partner of Cambodia and of Viet Nam, with the default agreement towards each."""
    with tempfile.TemporaryDirectory(prefix="exchange-template-") as directory:
        place = Path(directory)
        countries = Countries(gb=set_up("GB", place), kh=set_up("KH", place), vn=set_up("VN", place))
        running: list[NodeProcess] = []
        try:
            running += [start(office, ready=False) for office in countries.all()]
            for process in running:
                process.wait_ready()
            for partner in (countries.kh, countries.vn):
                make_partners(countries.gb, partner)
                agree(countries.gb, partner, template_agreement(countries.gb, partner))
        finally:
            codes = [process.stop() for process in running]
        assert codes == [0, 0, 0], "every node stops gracefully"
        for office in countries.all():
            office.log.unlink()
        yield countries


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.fixture
def countries(template: Countries, tmp_path: Path) -> Countries:
    """Fresh copies of the three nodes; none runs yet."""
    return template.copied(tmp_path)


@pytest.fixture
def running() -> Iterator[list[NodeProcess]]:
    """Processes that a test puts in are killed when it ends, however it ends."""
    processes: list[NodeProcess] = []
    yield processes
    for process in processes:
        process.kill()
