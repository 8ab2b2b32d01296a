"""Fingerprints as two people compare them: digits and words say the same, and a slip of the tongue is noticed."""

from hashlib import sha256

import click
import pytest

from node.cli.fingerprint import Fingerprint
from node.cli.output import grouped, in_words
from node.fingerprints import GROUP, GROUPS, SIZE, groups, read_bytes

PRINT = bytes(range(0, 256, 8))
SAID = " ".join(group.words for group in groups(PRINT))


def test_digits_and_words_of_a_group_are_the_same_four_bytes() -> None:
    for group, start in zip(groups(PRINT), range(0, SIZE, GROUP), strict=True):
        four = PRINT[start : start + GROUP]
        assert read_bytes(group.words, GROUP) == read_bytes(group.digits, GROUP) == four
    assert [group.number for group in groups(PRINT)] == list(range(1, GROUPS + 1))


def test_the_list_is_the_one_that_others_use() -> None:
    # The example of the list's authors: the fingerprint of a key of Philip Zimmermann's.
    said = (
        "topmost Istanbul Pluto vagabond treadmill Pacific brackish dictator goldfish Medusa "
        "afflict bravado chatter revolver Dupont midsummer stopwatch whimsical cowbell bottomless"
    )
    assert read_bytes(said, 20) == bytes.fromhex("e58294f2e9a227486e8b061b31cc528fd7fa3f19")
    every = " ".join(group.words for byte in range(256) for group in groups(bytes([byte] * 2)))
    assert sha256(every.encode()).hexdigest() == "9693a08049c4c3c2d12ba922ee1ecd764060dfac52e6d2ec786b4ff07b388aa9"


def test_any_grouping_is_read() -> None:
    for text in (
        PRINT.hex(),
        grouped(PRINT),
        PRINT.hex(":"),
        f"0x{PRINT.hex().upper()}",
        SAID.upper(),
        SAID.replace(" ", "-"),
        in_words(PRINT),
    ):
        assert read_bytes(text, SIZE) == PRINT


@pytest.mark.parametrize("slip", ["left out", "twice", "changed places", "misheard", "another length", "half digits"])
def test_a_slip_is_noticed(slip: str) -> None:
    words = SAID.split()
    said = {
        "left out": words[:5] + words[6:],
        "twice": [*words[:5], words[5], *words[5:-1]],
        "changed places": [*words[:4], words[5], words[4], *words[6:]],
        "misheard": [*words[:-1], "aardwolf"],
        "another length": words[:-1],
        "half digits": [PRINT.hex()[:-1]],
    }[slip]
    assert read_bytes(" ".join(said), SIZE) is None


def test_the_command_line_takes_both() -> None:
    assert Fingerprint().convert(SAID, None, None) == Fingerprint().convert(PRINT.hex(), None, None) == PRINT
    with pytest.raises(click.BadParameter, match="64 hex digits, or its 32 words; there are 2 words"):
        Fingerprint().convert("aardvark adviser", None, None)
