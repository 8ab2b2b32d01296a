"""The benchmark runs and says all that it should. How fast anything is, no test asserts: that belongs to the machine."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.system.nodes import ROOT

pytestmark = pytest.mark.system


@pytest.fixture(scope="module", name="run")
def one_run() -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.throughput", "--quick", "--json"]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, timeout=110)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_every_figure_is_there_and_is_a_measurement(run: dict[str, Any]) -> None:
    figures = {path: value for path, value in _numbers(run) if not path.startswith("memory_growth")}
    for section in ("floor_us", "cpu_us_per_alert", "cpu_in_verifications", "idle_ms", "durable_ms", "open_loop_ms", "memory_mib"):
        assert any(path.startswith(section) for path in figures), section
    sides = {side: set(parts) for side, parts in run["parts_us_per_alert"].items()}
    assert sides == {"sender": {"prepare", "sequence", "deliver", "settle", "transport"}, "recipient": {"receive", "transport"}}
    # What a process used beyond its parts is a difference of two measurements, and of a short run's it may be below nothing.
    wrong = {path: value for path, value in figures.items() if value <= 0 and not path.endswith("transport")}
    assert not wrong


def test_percentiles_are_in_order(run: dict[str, Any]) -> None:
    latencies = [run["idle_ms"], run["durable_ms"], *run["open_loop_ms"].values()]
    assert all(found["p50"] <= found["p99"] for found in latencies)
    assert run["durable_ms"]["p50"] <= run["idle_ms"]["p50"], "nothing is receipted before it is durable"


def test_the_nodes_ran_as_durably_as_in_operation(run: dict[str, Any]) -> None:
    settings = run["settings"]
    assert settings["synchronous"] == "FULL"
    assert settings["journal_mode"] in {"wal", "truncate"}
    assert settings["high_water"] == "fsync of file and directory"


def test_what_follows_is_worked_out_of_the_figures(run: dict[str, Any]) -> None:
    said = re.search(r"use ([0-9]+) µs of CPU an alert", run["conclusions"][0])
    assert said is not None
    assert int(said[1]) == pytest.approx(sum(run["cpu_us_per_alert"].values()), abs=2)
    parts = [(spent, part, side) for side, found in run["parts_us_per_alert"].items() for part, spent in found.items()]
    _, part, side = max(parts)
    assert f"{part} at the {side}" in run["conclusions"][1]


def _numbers(value: Any, path: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _numbers(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _numbers(inner, f"{path}.{place}")
    elif isinstance(value, int | float):
        yield path, float(value)
