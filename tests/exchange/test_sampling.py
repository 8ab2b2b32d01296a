"""A sample that nobody can steer: the derivation, redrawn here from its description; fairness, and no repeats."""

from collections import Counter
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.errors import Malformed
from exchange.sampling import sample_indexes
from exchange.tlog.checkpoint import Checkpoint
from tests.refusals import refused

ROOT = sha256(b"synthetic root").digest()


def at(size: int, root: bytes = ROOT) -> Checkpoint:
    return Checkpoint(origin="gb.alerts.example/journal/1", size=size, root=root)


def number_of(nonce: bytes, root: bytes, size: int, counter: int) -> int:
    text = b"alert-exchange/v1 sample\x00" + len(nonce).to_bytes(2, "big") + nonce + root
    return int.from_bytes(sha256(text + size.to_bytes(8, "big") + counter.to_bytes(8, "big")).digest()[:8], "big")


def redrawn(nonce: bytes, root: bytes, size: int, count: int) -> list[int]:
    """The page's derivation, written down a second time."""
    found: list[int] = []
    counter = 0
    while len(found) < min(count, size):
        number = number_of(nonce, root, size, counter)
        counter += 1
        if number < (2**64 // size) * size and number % size not in found:
            found.append(number % size)
    return found


@given(nonce=st.binary(min_size=1, max_size=256), size=st.integers(0, 2**63 - 1), count=st.integers(1, 30))
def test_the_sample_is_the_one_of_the_page(nonce: bytes, size: int, count: int) -> None:
    drawn = sample_indexes(nonce, at(size), count)
    assert drawn == (redrawn(nonce, ROOT, size, count) if size else [])
    assert len(set(drawn)) == len(drawn) == min(count, size)


def test_a_number_that_would_favour_low_indexes_is_passed_over() -> None:
    size = 3 * 2**61  # the largest multiple below 2⁶⁴ is twice that: one number in four lies above it
    numbers = [number_of(b"n", ROOT, size, counter) for counter in range(60)]
    assert any(number >= 2 * size for number in numbers)
    assert sample_indexes(b"n", at(size), 40) == [number % size for number in numbers if number < 2 * size][:40]


def test_a_sample_as_large_as_the_log_is_the_log() -> None:
    assert sorted(sample_indexes(b"n", at(50), 50)) == sorted(sample_indexes(b"n", at(50), 60)) == list(range(50))


def test_another_nonce_root_or_size_draws_another_sample() -> None:
    drawn = {
        tuple(sample_indexes(nonce, at(size, root), 20)) for nonce in (b"a", b"b") for size in (999, 1000) for root in (ROOT, b"r" * 32)
    }
    assert len(drawn) == 8


def test_every_index_is_equally_likely() -> None:
    counted = Counter(sample_indexes(b"nonce %d" % number, at(5), 1)[0] for number in range(5000))
    assert set(counted) == set(range(5))
    assert all(900 < count < 1100 for count in counted.values())


@pytest.mark.parametrize("nonce", [b"", b"n" * 257])
def test_a_nonce_has_1_to_256_bytes(nonce: bytes) -> None:
    with refused(Malformed, "SAMPLE_NONCE"):
        sample_indexes(nonce, at(5), 1)


def test_a_sample_draws_something() -> None:
    with refused(Malformed, "SAMPLE_COUNT"):
        sample_indexes(b"n", at(5), 0)
