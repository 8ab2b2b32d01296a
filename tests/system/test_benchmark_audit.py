"""The audit's benchmark runs and says all that it should. How fast anything is, no test asserts: that belongs to the machine."""

import json
import subprocess
import sys
from typing import Any

import pytest

from benchmarks.audit import COLUMNS, QUICK
from tests.system.nodes import ROOT

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]


def test_every_figure_is_a_measurement() -> None:
    command = [sys.executable, "-m", "benchmarks.audit", "--quick", "--json"]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, timeout=590)
    found: dict[str, Any] = json.loads(done.stdout)
    assert [run["entries"] for run in found["runs"]] == [f"{size:,}" for size in QUICK]
    for run in found["runs"]:
        assert tuple(run) == COLUMNS
        figures = {name: run[name].split(" ")[0].replace(",", "") for name in COLUMNS if run[name] != "–"}
        assert figures.keys() >= set(COLUMNS) - {"reconcile ms"}, "only what another part brings may be left out"
        assert all(float(value) > 0 for value in figures.values()), figures
        assert float(figures["proof p50 ms"]) <= float(figures["proof p99 ms"])
