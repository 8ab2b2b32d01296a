"""The machine of what happens within a country finds defects that are planted: each within a few runs."""

from collections.abc import Callable
from typing import Any

import pytest

from exchange.errors import ExchangeError
from node.operations import attest, caps, inbox, planning, release, tip_desk, tip_line
from node.store import inside, tips
from tests.machine.running import search
from tests.machine.within import Within

FOUND = (AssertionError, pytest.fail.Exception, ExchangeError)
"""What a machine stops at: something is otherwise, a refusal did not come, or one came that nothing explains."""


def _shows_what_another_agency_was_told(patch: pytest.MonkeyPatch) -> None:
    """An agency reads the fields that were distributed to others."""

    def live(ports: Any, tx: Any, row: Any, _agency: str) -> Any:
        return [one for one in inside.of_alert(tx, row.id) if one.live(ports.clock.now_ms())]

    patch.setattr(inbox, "_live", live)


def _keeps_for_ever(patch: pytest.MonkeyPatch) -> None:
    """An agency reads on when its own time is over."""
    patch.setattr(inside.DistributionRow, "live", lambda row, _now: not row.ended_at)


def _attests_before_the_others(patch: pytest.MonkeyPatch) -> None:
    """A desk attests a purge that agencies of its country have not confirmed."""
    patch.setattr(attest, "unconfirmed", lambda *_: [])


def _visible_after_a_referral(patch: pytest.MonkeyPatch) -> None:
    """A desk still finds the tips that it gave away."""

    def find(tx: Any, _agency: str, reference: str) -> Any:
        row = tips.tip_called(tx, tip_desk.read_reference(reference))
        if row is None:
            raise tip_desk.unknown()
        return row

    patch.setattr(tip_desk, "find", find)


def _clock_runs_on(patch: pytest.MonkeyPatch) -> None:
    """The clock of a tip that was referred does not begin anew."""
    real = tips.change_tip

    def change(tx: Any, tip: int, values: Any) -> None:
        real(tx, tip, {name: value for name, value in values.items() if name != "look_by" or "submitted_at" in values})

    patch.setattr(tip_desk.tips, "change_tip", change)


def _changes_after_it_was_submitted(patch: pytest.MonkeyPatch) -> None:
    """A tip that a desk has takes another content."""
    patch.setattr(tip_line, "DRAFT", tip_line.TIP_STATE_RECEIVED)


def _emergency_is_used_again(patch: pytest.MonkeyPatch) -> None:
    """An agreement for an emergency lets a second alert go."""
    real = caps.Caps.obstacle

    def obstacle(self: Any, *given: Any, **options: Any) -> Any:
        found = real(self, *given, **options)
        return None if found is not None and found.code == "EMERGENCY_USED" else found

    patch.setattr(planning, "_unspent", lambda known: known.agreements.values())
    patch.setattr(caps.Caps, "obstacle", obstacle)


def _cap_is_not_counted(patch: pytest.MonkeyPatch) -> None:
    """A clause is used as often as anybody likes."""
    real = caps.is_limited
    patch.setattr(caps, "is_limited", lambda agreed, clause: agreed.agreement.emergency and real(agreed, clause))


def _duplicates_pass(patch: pytest.MonkeyPatch) -> None:
    """Nobody is asked about the other alert."""
    patch.setattr(release, "problems_of", lambda *_, **__: [])


DEFECTS: list[Callable[[pytest.MonkeyPatch], None]] = [
    _shows_what_another_agency_was_told,
    _keeps_for_ever,
    _attests_before_the_others,
    _visible_after_a_referral,
    _clock_runs_on,
    _changes_after_it_was_submitted,
    _emergency_is_used_again,
    _cap_is_not_counted,
    _duplicates_pass,
]


@pytest.mark.slow
@pytest.mark.timeout(2400)
@pytest.mark.parametrize("plant", DEFECTS, ids=lambda plant: plant.__name__.strip("_"))
def test_a_planted_defect_is_found(plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    with pytest.raises(FOUND):
        search(Within)
