"""Two countries and three, and whatever officers, administrators and mishaps do to them, at random: after each healing all is well.

The machine stands in `tests/machine`: its oracle (`books`, `oracle`) is written from docs/protocol.md and shares no code with the node.
The run prints how often each transition was taken and each outcome of the closed list came about; one that never did fails it.

The seeds are fixed and taken in order, and the run has a process of its own, since hypothesis also draws from the constants of whatever
modules are loaded: so it is the same everywhere. Some of two countries, then of three until every outcome has come about.
`MACHINE_ROUNDS=100 pytest tests/node/test_federation_machine.py -s` takes so many of each; `MACHINE_SEED` says from which.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.machine.core import Machine
from tests.machine.machines import ThreeCountries, TwoCountries
from tests.machine.running import missing, run, told

OF_TWO, OF_THREE, AT_MOST = 3, 3, 14
"""Seeds of either, and of three at most. One takes twelve runs of sixty steps: some 20 s of a core."""
ALONE = "MACHINE_ALONE"
"""Set in the process of its own."""


@pytest.mark.slow
@pytest.mark.timeout(0 if "MACHINE_ROUNDS" in os.environ else 1800)
def test_after_each_healing_everything_is_as_the_protocol_says() -> None:
    if ALONE not in os.environ:
        here = Path(__file__)
        command = [sys.executable, "-m", "pytest", "-n", "0", "-q", "-s", "-p", "no:cacheprovider", str(here)]
        environment = {**os.environ, ALONE: "yes"}
        done = subprocess.run(command, cwd=here.parent.parent.parent, env=environment, capture_output=True, text=True, check=False)
        sys.stdout.write(done.stdout)
        assert done.returncode == 0, done.stdout
        return
    first, rounds = int(os.environ.get("MACHINE_SEED", "1")), int(os.environ.get("MACHINE_ROUNDS", "0"))
    Machine.tally.clear()
    run(TwoCountries, range(first, first + (rounds or OF_TWO)))
    for place in range(rounds or AT_MOST):
        if not rounds and place >= OF_THREE and not missing(ThreeCountries):
            break
        run(ThreeCountries, [first + place])
    print(told(ThreeCountries))  # noqa: T201  the count is what the run is for
    assert not missing(ThreeCountries), f"never taken, or never came about: {sorted(missing(ThreeCountries))}"
