"""Two countries and three, and whatever officers, administrators and mishaps do to them, at random: after each healing all is well.

The machine stands in `tests/machine`: its oracle (`books`, `oracle`) is written from docs/protocol.md and shares no code with the node.
Every run prints how often each transition was taken and each outcome of the closed list came about; one that never did fails the run.

The seeds are fixed and taken in order, so that a run is the same everywhere. It ends with the first seed after `AT_LEAST` by which every
outcome has come about. `MACHINE_ROUNDS=100 pytest tests/node/test_federation_machine.py -s` takes so many; `MACHINE_SEED` says from which.
"""

import os

import pytest

from tests.machine.core import Machine
from tests.machine.machines import ThreeCountries, TwoCountries
from tests.machine.running import missing, run, told

AT_LEAST, AT_MOST = 4, 20
"""Seeds. One takes twelve runs of sixty steps: some 12 s of a core for two countries, and 18 s for three."""


@pytest.mark.slow
@pytest.mark.timeout(0 if "MACHINE_ROUNDS" in os.environ else 900)
@pytest.mark.parametrize("machine", [TwoCountries, ThreeCountries], ids=lambda machine: machine.__name__)
def test_after_each_healing_everything_is_as_the_protocol_says(machine: type[Machine]) -> None:
    first, rounds = int(os.environ.get("MACHINE_SEED", "1")), int(os.environ.get("MACHINE_ROUNDS", "0"))
    machine.tally.clear()
    for place in range(rounds or AT_MOST):
        if not rounds and place >= AT_LEAST and not missing(machine):
            break
        run(machine, [first + place])
    print(told(machine))  # noqa: T201  the count is what the run is for
    assert not missing(machine), f"never taken, or never came about: {sorted(missing(machine))}"
