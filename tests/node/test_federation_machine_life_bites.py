"""The machine finds planted defects of questions and of passing on: each within a few runs."""

from collections.abc import Callable
from typing import Any

import pytest

from exchange import disclosure
from node.operations import deliver, onward_release, receive, request_cases
from node.request_course import Deed
from tests.machine.life import Life
from tests.machine.running import search


def _clock_runs_on_at_one_end(patch: pytest.MonkeyPatch) -> None:
    """What the other side says to stop the clock reads as if it had merely read the question."""
    real = request_cases._deed

    def deed(reply: Any) -> Deed:
        found = real(reply)
        return Deed.ACKNOWLEDGED if found is Deed.SUSPENDED and not reply.row.own else found

    patch.setattr(request_cases, "_deed", deed)


def _attempts_untold(patch: pytest.MonkeyPatch) -> None:
    """The other end does not learn that it was tried to reach it."""
    patch.setattr(deliver, "told_in_state", lambda *_: [])


def _taken_without_leave(patch: pytest.MonkeyPatch) -> None:
    """Whatever a partner passes on is taken."""
    patch.setattr(disclosure, "_d3_originator", lambda *_: None)


def _passed_on_after_its_end(patch: pytest.MonkeyPatch) -> None:
    """A holder passes on under leave that has ended."""
    patch.setattr(onward_release, "check_permit", lambda *_, **__: None)
    patch.setattr(onward_release, "holds", lambda *_: True)


def _recall_not_forwarded(patch: pytest.MonkeyPatch) -> None:
    """A recall stays with the holder."""
    patch.setattr(receive, "note_forwards", lambda *_: None)


DEFECTS: list[Callable[[pytest.MonkeyPatch], None]] = [
    _clock_runs_on_at_one_end,
    _attempts_untold,
    _taken_without_leave,
    _passed_on_after_its_end,
    _recall_not_forwarded,
]


@pytest.mark.slow
@pytest.mark.timeout(2400)
@pytest.mark.parametrize("plant", DEFECTS, ids=lambda plant: plant.__name__.strip("_"))
def test_a_planted_defect_is_found(plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        search(Life)
