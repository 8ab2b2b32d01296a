"""The thread that erases: what it does at each turn, that a failure does not end it, and that its log names nobody."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from node.operations import retention
from node.store import alerts
from node.store.engine import Store
from node.store.errors import StoreFailed
from node.workers.retention import RetentionKeeper
from tests.countries import DAY, POLICE, agency
from tests.federation import Federation, federation
from tests.rig import draft


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh")
        made["gb"].publish(draft(agency("kh", POLICE)))
        made.pump()
        yield made


def states(made: Federation) -> list[str]:
    with made["kh"].ports.store.read() as tx:
        return [row.state for row in alerts.every(tx)]


def turn(keeper: RetentionKeeper) -> list[str]:
    with capture_logs() as logged:
        keeper._once()
    return [line["event"] for line in logged]


def test_a_turn_erases_what_is_due_and_says_how_much(two: Federation) -> None:
    keeper = RetentionKeeper(two["kh"].ports)
    assert (turn(keeper), states(two)) == ([], ["active"])
    two.clock.pass_(180 * DAY)
    (two["kh"].directory / "data/node.db.before-0").write_bytes(b"old")
    assert (turn(keeper), states(two)) == (["erased", "erasure does not reach copies of the database"], ["erased"])
    assert turn(keeper) == []


@pytest.mark.parametrize("failure", [StoreFailed("STORE_LOCKED", "busy"), RuntimeError("a defect")])
def test_a_turn_that_fails_says_so_and_the_next_goes_on(two: Federation, monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    keeper = RetentionKeeper(two["kh"].ports)
    two.clock.pass_(180 * DAY)

    def fail(_self: Store) -> None:
        raise failure

    with monkeypatch.context() as patched:
        patched.setattr(Store, "empty_journal", fail)
        assert turn(keeper) == ["erasure failed"]
    turn(keeper)
    assert states(two) == ["erased"]
    assert [code for kind, *_, code in two["kh"].journal() if kind == "erasure"][:2] == ["INTENDED", "DONE"]


def test_months_are_looked_at_once_a_day(two: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def note(_ports: object, _actor: str, *, months: bool) -> retention.messages.RunRetentionResponse:
        asked.append(months)
        return retention.messages.RunRetentionResponse()

    monkeypatch.setattr(retention, "run_due", note)
    keeper = RetentionKeeper(two["kh"].ports)
    for hours in (0, 0, 0, 1, 0):
        two.clock.pass_(hours * DAY)
        turn(keeper)
    assert asked == [True, False, False, True, False]


def test_it_starts_and_stops(two: Federation) -> None:
    two.clock.pass_(180 * DAY)
    keeper = RetentionKeeper(two["kh"].ports, every_seconds=0.01)
    keeper.start()
    done = threading.Event()
    for _ in range(1500):
        if states(two) == ["erased"]:
            break
        done.wait(0.02)
    keeper.stop()
    assert states(two) == ["erased"]
