"""Three countries that ask each other questions and pass alerts on, at random: after each healing all is well.

As `test_federation_machine`, with fixed seeds and a process of its own, and the families that are new in `Life`: each of their transitions
and outcomes comes about. `MACHINE_ROUNDS=100 pytest tests/node/test_federation_machine_life.py -s` takes so many seeds; `MACHINE_SEED`
says from which.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.machine.core import Machine
from tests.machine.life import Life
from tests.machine.machines import ThreeCountries
from tests.machine.running import missing, run, told

AT_LEAST, AT_MOST = 2, 8
"""Seeds. One takes twelve runs of sixty steps: some 40 s of a core."""
ALONE = "MACHINE_ALONE"
"""Set in the process of its own."""


@pytest.mark.slow
@pytest.mark.timeout(0 if "MACHINE_ROUNDS" in os.environ else 1800)
def test_after_each_healing_questions_and_what_was_passed_on_are_as_the_protocol_says() -> None:
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
    for place in range(rounds or AT_MOST):
        if not rounds and place >= AT_LEAST and not missing(Life, beside=ThreeCountries):
            break
        run(Life, [first + place])
    print(told(Life))  # noqa: T201  the count is what the run is for
    never = missing(Life, beside=ThreeCountries)
    assert not never, f"never taken, or never came about: {sorted(never)}"
