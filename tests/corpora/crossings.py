"""Flights that alerts name and travellers take, drawn apart from the persons: what a list of an airline has besides names.

Half of the alerts tell of a journey, and the others of a person alone. Seven of ten persons whose journey was told come by it; one takes
the same flight on another day, the others come another way. Innocent travellers sit on the very flights of the alerts: 400 services on 60
days, the most used thirty times as often as the least. One list in twenty does not say its day.
"""

import random
from datetime import timedelta
from itertools import accumulate
from typing import Final

from node.matching.services import Service, crossings
from tests.corpora.persons import TODAY

_SERVICES: Final = tuple(f"{carrier}{number}" for carrier in ("XX", "YQ", "ZX", "QX", "8Q") for number in range(101, 181))
_WEIGHTS: Final = tuple(accumulate(1 / (place + 13) for place in range(len(_SERVICES))))
_DAYS: Final = 60
_TOLD, _AS_TOLD, _ANOTHER_DAY, _OVERNIGHT, _UNDATED = 0.5, 0.7, 0.8, 0.2, 0.05


def taken(rng: random.Random) -> Service:
    """A flight and the day of its departure, as anybody may take it."""
    return Service(rng.choices(_SERVICES, cum_weights=_WEIGHTS)[0], TODAY + timedelta(rng.randrange(_DAYS)))


def told(rng: random.Random) -> Service | None:
    """The flight of an alert's itinerary, if it has one."""
    return taken(rng) if rng.random() < _TOLD else None


def of_alert(leg: Service | None) -> frozenset[Service]:
    """As the watch list reads an itinerary: by the days of departure and arrival, and once without a day."""
    return frozenset((*_dated(leg), Service(leg.number, None))) if leg else frozenset()


def of_list(rng: random.Random, leg: Service | None = None) -> tuple[Service, ...]:
    """What the list says of the flight on which the person of that alert, or anybody, travels."""
    way = rng.random()
    if leg is None or leg.day is None or way >= _ANOTHER_DAY:
        flown = taken(rng)
    elif way < _AS_TOLD:
        flown = leg
    else:
        flown = Service(leg.number, leg.day + timedelta(rng.choice((-2, -1, 1, 2, 7))))
    return crossings(flown.number, () if rng.random() < _UNDATED else [each.day for each in _dated(flown)])


def _dated(leg: Service) -> tuple[Service, ...]:
    # A fifth of the services arrive on the day after; which, is seen by the last figure of their number.
    overnight = leg.day is not None and int(leg.number[-1]) < 10 * _OVERNIGHT
    return crossings(leg.number, [leg.day, leg.day + timedelta(1)] if leg.day and overnight else [leg.day])
