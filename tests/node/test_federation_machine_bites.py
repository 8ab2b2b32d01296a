"""The machine finds defects that are planted: each within a few runs, and nothing where nothing is planted."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from node.operations import attest, deliver, inbox, recall, recalled, standing
from node.store.recalls import RecallKind
from tests.machine.machines import TwoCountries
from tests.machine.running import search


def _reads_again(patch: pytest.MonkeyPatch) -> None:
    """A withdrawn alert is shown."""
    blocked = {state: code for state, code in inbox._BLOCKED.items() if state != "withdrawn"}
    patch.setattr(inbox, "_BLOCKED", blocked)


def _recall_lost_on_arrival(patch: pytest.MonkeyPatch) -> None:
    """A withdrawal that comes in is kept as an alert and does nothing."""
    real = recalled.keep_control

    def keep(tx: Any, alert: Any, **said: Any) -> Any:
        return None if recalled.kind_of(alert) is RecallKind.WITHDRAWAL and not said["own"] else real(tx, alert, **said)

    patch.setattr(recalled, "keep_control", keep)


def _recall_reaches_too_few(patch: pytest.MonkeyPatch) -> None:
    """A recall goes to the first agency only that was told."""
    real = recall.audiences

    def some(told: Any) -> Any:
        return {partner: frozenset(sorted(agencies)[:1]) for partner, agencies in real(told).items()}

    patch.setattr(recall, "audiences", some)
    patch.setattr(recall, "holders", lambda tx, row: some(recall.tellings(tx, row)))


def _attestation_lost(patch: pytest.MonkeyPatch) -> None:
    """An attestation is answered and goes to nobody."""
    real = attest.prepare_control

    def unsent(*given: Any, **options: Any) -> Any:
        made = real(*given, **options)
        return replace(made, entries=())

    patch.setattr(attest, "prepare_control", unsent)


def _sent_after_all(patch: pytest.MonkeyPatch) -> None:
    """What was withdrawn before it left is sent."""
    patch.setattr(deliver, "recalled_now", lambda *_: False)


def _doubt_forgotten(patch: pytest.MonkeyPatch) -> None:
    """That something was said of an alert, and is lost, counts for nothing."""
    patch.setattr(standing, "doubted", lambda *_: {})


DEFECTS: list[Callable[[pytest.MonkeyPatch], None]] = [
    _reads_again,
    _recall_lost_on_arrival,
    _recall_reaches_too_few,
    _attestation_lost,
    _sent_after_all,
    _doubt_forgotten,
]


@pytest.mark.slow
@pytest.mark.timeout(2400)
@pytest.mark.parametrize("plant", DEFECTS, ids=lambda plant: plant.__name__.strip("_"))
def test_a_planted_defect_is_found(plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        search(TwoCountries)
