"""A pytest plugin for `tests/bite.py`: runs only the tests of one rule, and reports what became of each and which `exchange` was tested.

It is copied beside the spoilt package and told by BITE_RULE which rule (empty: every test that has one), by BITE_REPORT where to write.
"""

import json
import os
import sys
from pathlib import Path

import pytest

RULE = os.environ["BITE_RULE"]
REPORT = Path(os.environ["BITE_REPORT"])

green: list[str] = []
red: dict[str, str] = {}
"""Tests that ran and failed, with what they said."""
broken: list[str] = []
"""What did not come so far as to run."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = [item for item in items if any(RULE in {"", *mark.args} for mark in item.iter_markers("rule"))]


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed:
        broken.append(report.nodeid)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.failed and report.when == "call":
        crash = getattr(report.longrepr, "reprcrash", None)
        red[report.nodeid] = crash.message.partition("\n")[0] if crash else ""
    elif report.failed:
        broken.append(report.nodeid)
    elif report.passed and report.when == "call":
        green.append(report.nodeid)


def pytest_sessionfinish() -> None:
    names = ("exchange", "exchange.")
    imported = {name: module.__file__ for name, module in sys.modules.items() if name.startswith(names[1]) or name == names[0]}
    REPORT.write_text(json.dumps({"green": green, "red": red, "broken": broken, "imported": imported}), encoding="utf-8")
