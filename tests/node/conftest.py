"""Two offices that may tell each other, for every test that needs no others; a file that does has fixtures of the same names of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.confirming import Hands
from tests.federation import Federation, federation
from tests.rig import Office


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh")
        yield made


@pytest.fixture
def gb(two: Federation) -> Office:
    return two["gb"]


@pytest.fixture
def kh(two: Federation) -> Office:
    return two["kh"]


@pytest.fixture
def hands(gb: Office) -> Hands:
    """Persons of gb with passkeys of their own."""
    return Hands(gb)
