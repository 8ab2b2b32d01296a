"""Two countries and three, and whatever officers, administrators and mishaps do to them, at random: after each healing all is well.

The machine stands in `tests/machine`: its oracle (`books`, `oracle`) is written from docs/protocol.md and shares no code with the node.
Every run prints how often each transition was taken and each outcome of the closed list came about; one that never did fails the run.

The seeds are fixed, so that a run is the same everywhere. `MACHINE_ROUNDS=100 pytest tests/node/test_federation_machine.py -s` goes on
with so many further seeds, `MACHINE_SEED` says from which one.
"""

import os

import pytest

from tests.machine.core import Machine
from tests.machine.machines import ThreeCountries, TwoCountries
from tests.machine.running import missing, run, told

SEEDS = {TwoCountries: 5, ThreeCountries: 5}
"""How many seeds each takes: enough that each outcome comes about, in less than three minutes on two cores."""


@pytest.mark.slow
@pytest.mark.timeout(0 if "MACHINE_ROUNDS" in os.environ else 900)
@pytest.mark.parametrize("machine", SEEDS, ids=lambda machine: machine.__name__)
def test_after_each_healing_everything_is_as_the_protocol_says(machine: type[Machine]) -> None:
    first = int(os.environ.get("MACHINE_SEED", "1"))
    machine.tally.clear()
    run(machine, range(first, first + int(os.environ.get("MACHINE_ROUNDS", SEEDS[machine]))))
    print(told(machine))  # noqa: T201  the count is what the run is for
    assert not missing(machine), f"never taken, or never came about: {sorted(missing(machine))}"
