"""Every file of evidence that a test of the treaty verifies is verified a second time, by an implementation that shares nothing with it."""

import os
from types import ModuleType

import pytest

from tests.second_opinion import BOTH


@pytest.fixture(autouse=True)
def _second_opinion(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both must hold, or both must fail under one code. Not where a check is disabled on purpose."""
    module = request.module
    if "BITE_RULE" in os.environ or not isinstance(module, ModuleType):
        return
    for name, judge in BOTH.items():
        if hasattr(module, name):
            monkeypatch.setattr(module, name, judge)
