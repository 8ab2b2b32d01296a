"""Distribution, tips and emergencies within a country, beside recalls, crashes and old backups, at random: after each healing all is well.

As `test_federation_machine`, whose rules it keeps: the oracle is written from docs/national.md, docs/tips.md, docs/cli.md and
docs/protocol.md, and a transition or an outcome of these families that never came about fails the run.
`MACHINE_ROUNDS=100 pytest tests/node/test_federation_machine_within.py -s` takes so many seeds; `MACHINE_SEED` says from which.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.machine.core import Machine
from tests.machine.running import missing, run, told
from tests.machine.within import NEW, Within

AT_LEAST, AT_MOST = 2, 8
"""Seeds: until all has come about."""
ALONE = "MACHINE_ALONE"
"""Set in the process of its own."""


@pytest.mark.slow
@pytest.mark.timeout(0 if "MACHINE_ROUNDS" in os.environ else 1800)
def test_within_a_country_everything_is_as_its_pages_say() -> None:
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
        if not rounds and place >= AT_LEAST and not missing(Within, NEW):
            break
        run(Within, [first + place])
    print(told(Within))  # noqa: T201  the count is what the run is for
    assert not missing(Within, NEW), f"never taken, or never came about: {sorted(missing(Within, NEW))}"
