"""Questions with a clock, and passing on; apart from `machines`, whose fixed seeds would mean others if more modules were loaded."""

from collections.abc import Mapping
from random import Random
from typing import ClassVar

from tests.countries import NGO
from tests.machine.asking import Asking
from tests.machine.books import place_of
from tests.machine.judicial import Judicial
from tests.machine.mishaps import Mishaps
from tests.machine.onward import Onward
from tests.machine.transitions import transition, transitions_of


class Life(Asking, Judicial, Onward, Mishaps):
    """Questions with a clock, and alerts that are passed on, between three countries. Of the NGOs no clause tells anything of either."""

    FIRST: ClassVar[int] = 6
    WEIGHTS: ClassVar[Mapping[str, int]] = {
        "supplement": 1,
        "replace": 3,
        "recall": 4,
        "agree": 2,
        "stream": 5,
        "time_passes": 3,
        "read": 1,
    }
    RARE: ClassVar[frozenset[str]] = Asking.RARE | Judicial.RARE | Onward.RARE
    OUTCOMES: ClassVar[frozenset[str]] = frozenset({"carry on: before a log was recovered"})
    DEEDS: ClassVar[tuple[str, ...]] = ("ask", "reply", "reply", "reply", "ask_leave", "decide_leave", "pass_on", "recall")

    def parties_abroad(self, country: str) -> list[str]:
        """Police and border."""
        return [party for party in super().parties_abroad(country) if place_of(party)[1] != NGO]

    @transition(
        weight=6,
        when=Mishaps.lapse.transition.when,  # type: ignore[attr-defined]  # as `transition` made it
        office=range(3),
        what=DEEDS,
        which=range(1_000),
        passed=(False, True, True),
        then=("", *DEEDS),
    )
    def lapse(self, *, office: int, what: str, which: int, passed: bool, then: str) -> None:
        """As everywhere, of what these families do; the office whose database is that of before goes on."""
        self.only = self.country(office)
        try:
            super().lapse(office=office, what=what, which=which, passed=passed, then=then, both=False)
        finally:
            self.only = ""

    @transition(weight=8, when=lambda self: not self.settled(), what=DEEDS, which=range(1_000))
    def carry_on(self, what: str, which: int) -> None:
        """An office goes on before anybody mends its log."""
        self.only = next(name for name in self.NAMES if any(log.stopped for log in self.books(name).out.values()))
        try:
            self.do_something(what, which)
        finally:
            self.only = ""
        self.happened("carry on: before a log was recovered")

    def do_something(self, what: str, which: int) -> None:
        """One transition by name, with choices that follow from `which`."""
        one = next(one for one in transitions_of(type(self)) if one.name == what)
        chance = Random(which)
        if one.when(self):
            one.function(self, **{name: chance.choice(values) for name, values in one.arguments.items()})
