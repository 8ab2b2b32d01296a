"""The machine of what happens within a country: distribution, tips, emergencies, beside all that happens between two.

Apart from `machines`: hypothesis draws also from the constants of the node's modules that are loaded, and those runs are to stay.
"""

import random
from collections import Counter
from pathlib import Path

from tests.machine.distributing import Distributing
from tests.machine.emergencies import Emergencies
from tests.machine.machines import TwoCountries
from tests.machine.tipping import HOME, Tipping
from tests.machine.transitions import transition

DONE = ("tell", "tell", "work_on", "convert", "tell_inside", "tell_inside", "confirm", "save_life", "save_life", "tell_of")
THEN = ("", "save_again", "save_again", "submit_tip", "distribute", "attest", "save_life", "save_life", "tell_of", "review")


class Within(Distributing, Tipping, Emergencies, TwoCountries):
    """All of it between two."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn: Counter[int] = Counter()

    def chance(self, drawn: int) -> random.Random:
        """A number that was drawn before says something else: hypothesis repeats itself, and there are many transitions to take.

        A step that is left out while a run is shrunk changes no other, but those of the same number.
        """
        again = self.drawn[drawn]
        self.drawn[drawn] += 1
        return random.Random(drawn + (again << 24))

    @transition(
        weight=7,
        when=lambda self: self.settled(),
        office=range(2),
        what=DONE,
        which=range(5),
        passed=(False, True, True),
        mended=(False, True),
        then=THEN,
    )
    def lapse_within(self, *, office: int, what: str, which: int, passed: bool, mended: bool, then: str) -> None:
        """An office does something, its database is that of before, and work goes on, perhaps after all that was lost is there again."""
        country = HOME if what in _TIPS else self.country(office)
        if what == "save_life":
            self.agree_emergency(office, 24, child=False)
            country, passed, then = self.country(office), True, then or what
        place = Path(self.place.name) / f"within-{self.lapses}"
        self.lapses += 1
        backup = (country, self.office(country).backup(place), self.oracle.backup(country))
        if what == "save_life":
            self.save_life(office, looked=False)
        else:
            self.do_something(what, which)
        if passed:
            self.flow()
        self.go_back(*backup)
        if mended:
            self.healed()
        if then == "save_life":
            self.save_life(office, looked=True)
        elif then:
            self.do_something(then, which)


_TIPS = ("tell", "work_on", "convert")
NEW = (Distributing, Tipping, Emergencies, Within)
"""The families of which all must come about; the others have a run of their own."""
