"""The machines that run: every family of transitions, over two countries and over three."""

from typing import ClassVar

from tests.machine.deciding import Deciding
from tests.machine.keeping import Keeping
from tests.machine.mishaps import Mishaps
from tests.machine.recalling import Recalling


class TwoCountries(Recalling, Deciding, Keeping, Mishaps):
    """All of it between two."""


class ThreeCountries(TwoCountries):
    """And with a third that learns of recalls at another time."""

    NAMES: ClassVar[tuple[str, ...]] = ("gb", "kh", "vn")
    OUTCOMES: ClassVar[frozenset[str]] = frozenset({"publish: released to several countries"})

    def several(self) -> None:
        """Which needs a third."""
        self.happened("publish: released to several countries")
