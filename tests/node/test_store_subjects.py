"""The subject index as the store keeps it: tokens stand at their places in a row, and nowhere else."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.store.engine import Store, open_store
from node.store.subjects import alerts_about, forget, index_alert, note_search
from node.store.vault import Vault

A, B, C = b"AAAAAAAA", b"BBBBBBBB", b"CCCCCCCC"
NOT_TEXT = b"\0\xff\xfe\0\x80\xc3\0\0"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "node.db")
    with opened.write() as tx:
        index_alert(tx, {1: A + B, 2: B, 3: b"", 4: C + A, 5: NOT_TEXT})
    yield opened
    opened.close()


def about(store: Store, *tokens: bytes) -> list[int]:
    with store.read() as tx:
        return alerts_about(tx, tokens)


def test_alerts_are_found_by_any_of_their_tokens(store: Store) -> None:
    assert about(store, A) == [1, 4]
    assert about(store, B) == [1, 2]
    assert about(store, A, C) == [1, 4]
    assert about(store) == []


def test_many_tokens_find_the_same_as_few(store: Store) -> None:
    others = [os.urandom(8) for _ in range(500)]
    assert about(store, A, B, *others) == about(store, A, B) == [1, 2, 4]


def test_a_token_across_two_is_none(store: Store) -> None:
    assert about(store, b"AAAABBBB") == []
    assert about(store, b"AAAABBBB", *(os.urandom(8) for _ in range(20))) == []


def test_what_more_comes_of_an_alert_is_added(store: Store) -> None:
    with store.write() as tx:
        index_alert(tx, {2: C, 3: A, 5: NOT_TEXT[::-1]})
    assert about(store, C) == [2, 4]
    assert about(store, B) == [1, 2]
    assert about(store, A) == [1, 3, 4]
    assert about(store, NOT_TEXT) == about(store, NOT_TEXT[::-1]) == [5]


def test_an_alert_is_forgotten_with_the_searches_that_found_nothing_else(store: Store) -> None:
    with store.write() as tx:
        note_search(tx, 1, 70, [1, 4])
        note_search(tx, 1, 71, [4])
        note_search(tx, 1, 72, [2])
    with store.write() as tx:
        assert forget(tx, [4]) == [(1, 71)]
        assert forget(tx, [1, 2]) == [(1, 70), (1, 72)]
        assert forget(tx, [1, 2, 4]) == []
    assert about(store, A, B, C) == []


def test_tokens_depend_on_the_master_key() -> None:
    one, other = Vault(b"1" * 32, os.urandom), Vault(b"2" * 32, os.urandom)
    assert one.subject_token(b"term") == Vault(b"1" * 32, os.urandom).subject_token(b"term")
    assert len({one.subject_token(b"term"), other.subject_token(b"term"), one.subject_token(b"other")}) == 3
    assert len(one.subject_token(b"term")) == 8
