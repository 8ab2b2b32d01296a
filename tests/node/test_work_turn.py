"""Whose turn it is to work: one at a time, first come first served, and nobody's while the disk is waited for."""

import threading
from pathlib import Path

from node.store.engine import open_store
from node.store.turn import WorkTurn
from tests.system.nodes import until

PATIENCE_SECONDS = 30


def waiting(turn: WorkTurn, name: str, seen: list[str]) -> threading.Thread:
    """A thread that wants to work; returns once it stands in line."""
    before = len(turn._next)

    def work() -> None:
        with turn.held():
            seen.append(name)

    thread = threading.Thread(target=work)
    thread.start()
    until(lambda: len(turn._next) > before)
    return thread


def test_they_work_one_at_a_time_in_the_order_in_which_they_came() -> None:
    turn, seen = WorkTurn(), list[str]()
    with turn.held():
        threads = [waiting(turn, name, seen) for name in ("first", "second", "third")]
        seen.append("holder")
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert seen == ["holder", "first", "second", "third"]


def test_who_comes_back_at_once_stands_behind_who_waits() -> None:
    turn, seen = WorkTurn(), list[str]()
    with turn.held():
        thread = waiting(turn, "other", seen)
    with turn.held():
        seen.append("again")
    thread.join(PATIENCE_SECONDS)
    assert seen == ["other", "again"]


def test_a_turn_that_ended_early_is_not_ended_again_for_the_next_one() -> None:
    turn, seen = WorkTurn(), list[str]()
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with turn.held():
            inside.set()
            assert leave.wait(PATIENCE_SECONDS)
            seen.append("other")

    with turn.held():
        turn.end()
        holder = threading.Thread(target=other)
        holder.start()
        assert inside.wait(PATIENCE_SECONDS)
        turn.end()  # no longer ours to end
        last = waiting(turn, "last", seen)
    leave.set()
    for thread in (holder, last):
        thread.join(PATIENCE_SECONDS)
    assert seen == ["other", "last"]


def test_a_commit_ends_the_turn_before_it_waits_for_the_disk(tmp_path: Path) -> None:
    store, seen = open_store(tmp_path / "node.db"), list[str]()
    with store.work.held():
        thread = waiting(store.work, "other", seen)
        with store.write():
            assert seen == []
        thread.join(PATIENCE_SECONDS)
        assert seen == ["other"]
    store.close()


def test_what_fails_ends_the_turn_as_well(tmp_path: Path) -> None:
    store, seen = open_store(tmp_path / "node.db"), list[str]()
    try:
        with store.work.held(), store.write():
            raise KeyError
    except KeyError:
        pass
    with store.work.held():
        seen.append("next")
    store.close()
    assert seen == ["next"]
