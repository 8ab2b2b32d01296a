"""Every tampering with what is stored is found by a check of the whole store, and its place is named: 1,000 of 1,000."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from exchange.v1 import desk_service_pb2
from tests.countries import changed
from tests.tamperer import KINDS, WIDEST, Place
from tests.tampering import attempt, check, make_node

TAMPERINGS = 1000
WORKERS = 2
PATIENCE = 3600
"""Seconds: on a machine that does nothing else it takes about eight minutes."""
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A node of 10,000 disclosures, outbound and mirrored."""
    return make_node(tmp_path_factory.mktemp("tampering") / "countries")


@pytest.mark.slow
@pytest.mark.timeout(PATIENCE)
def test_every_one_of_a_thousand_tamperings_is_found_and_its_place_named(made: Path, tmp_path: Path) -> None:
    clean = check(made, made / "data/node.db")
    assert [str(finding) for finding in clean.found] == []
    assert clean.counts["entries read"] >= 10_000
    assert min(clean.counts[name] for name in ("alerts originated", "alerts received", "anchors", "details")) > 50
    began = time.monotonic()
    share = TAMPERINGS // WORKERS
    running = []
    for first in range(0, TAMPERINGS, share):
        with (tmp_path / str(first)).open("wb") as told:
            command = [sys.executable, "-m", "tests.tampering", str(made), str(first), str(share)]
            running.append(subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=told))
    assert [worker.wait(PATIENCE) for worker in running] == [0] * WORKERS
    outcomes = [json.loads(line) for file in sorted(tmp_path.iterdir()) for line in file.read_text("utf-8").splitlines()]
    found, exact = Counter[str](), 0
    missed = []
    for seed, kind, named, width, codes in outcomes:
        found[kind] += named
        exact += width == 1
        if not named:
            missed.append((seed, kind, codes))
    sys.stdout.write(f"\n{sum(found.values())} of {len(outcomes)} found and named in {time.monotonic() - began:.0f} s, ")
    sys.stdout.write(f"{exact} to the very entry, the others within one receipt or node\n")
    for kind, count in sorted(found.items()):
        sys.stdout.write(f"{count:5}  {kind}\n")
    assert missed == []
    assert len(outcomes) == TAMPERINGS
    assert found.keys() == KINDS.keys(), "every kind was drawn at least once"


@pytest.mark.slow
@pytest.mark.timeout(PATIENCE)
def test_what_is_not_looked_for_is_not_found(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The campaign can fail: where the check of leaves is taken away, a tampering with an entry's bytes passes for clean or unnamed."""
    only = "entries.leaf: byte changed"
    monkeypatch.setattr("tests.tampering.KINDS", {only: KINDS[only]})
    assert attempt(made, tmp_path, 1).named
    monkeypatch.setattr("node.operations.tree_check._Checker._wrong", lambda *_args, **_more: None)
    monkeypatch.setattr("node.operations.tree_check._Checker._meet", lambda *_args: None)
    assert not attempt(made, tmp_path, 1).named


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({}, True),
        ({"index": 4, "count": 3}, True),
        ({"index": 7}, False),
        ({"index": -1, "count": 0}, False),
        ({"index": 0, "count": WIDEST}, True),
        ({"index": 0, "count": WIDEST + 1}, False),
        ({"origin": "another log"}, False),
        ({"severity": desk_service_pb2.SEVERITY_WARNING}, False),
    ],
)
def test_a_place_is_named_only_by_an_error_with_a_narrow_range_that_holds_it(changes: dict[str, Any], *, named: bool) -> None:
    finding = desk_service_pb2.Finding(origin="log", index=6, count=1, severity=desk_service_pb2.SEVERITY_ERROR)
    assert Place("log", range(6, 7)).is_named_by(changed(finding, **changes)) == named
