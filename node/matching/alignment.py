"""Which word of an alias stands for which word of a passenger's name, whatever their order and however they were joined."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from rapidfuzz.distance import OSA

from node.matching.spelling import Word, joined

SPELT, SOUNDING, BONES, NEAR, INITIAL = range(5)
"""How two words agree, from narrow to wide."""

RULES: Final = ("NAME_SAME", "NAME_SOUNDS_ALIKE", "NAME_CONSONANTS", "NAME_NEAR", "NAME_INITIAL")
JOINED_RULE: Final = "NAME_JOINED"

_ONE_SLIP, _TWO_SLIPS = 3, 8
"""Letters that a word needs for one slip, or two, to leave it recognisable."""
_CUT_AT_LEAST: Final = 4
_JOINED_SOUNDING, _JOINED_BONES, _JOINED_NEAR = 3, 4, 7
"""Consonants, consonants and letters that a joined word needs to agree by sound, by consonants, or but for a slip."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Words of the alias (`told`) and of the passenger (`shown`) that agree; several on one side were written as one on the other."""

    level: int
    told: tuple[Word, ...]
    shown: tuple[Word, ...]

    @property
    def joined(self) -> bool:
        """Whether several words on one side are one on the other."""
        return len(self.told) > 1 or len(self.shown) > 1


@dataclass(frozen=True, slots=True)
class Alignment:
    """All pairs, the narrowest first, and what is left over on either side, in order."""

    pairs: tuple[Pair, ...]
    told: tuple[Word, ...]
    shown: tuple[Word, ...]


def near(one: str, other: str) -> bool:
    """Whether one or two slips of the pen (letter changed, lost, added, or two exchanged) make one of the other."""
    shorter = min(len(one), len(other))
    if shorter < _ONE_SLIP:
        return False
    slips = 2 if shorter >= _TWO_SLIPS else 1
    return OSA.distance(one, other, score_cutoff=slips) <= slips


def cut(whole: str, part: str) -> bool:
    """Whether `part` is the beginning of `whole`, as where a field was too short."""
    return _CUT_AT_LEAST <= len(part) < len(whole) and whole.startswith(part)


def align(told: tuple[Word, ...], shown: tuple[Word, ...]) -> Alignment:
    """Pair the words of two names, narrow agreements first."""
    left, right = list(told), list(shown)
    pairs: list[Pair] = []
    _take(SPELT, _same_spelling, left, right, pairs)
    if left and right:
        _take_joined(left, right, pairs)
    for level, agree in ((SOUNDING, _same_sound), (BONES, _same_bones), (NEAR, _near)):
        if not left or not right:
            break
        _take(level, agree, left, right, pairs)
    if left and right:
        _take(INITIAL, _initial, left, right, pairs)
    return Alignment(tuple(pairs), tuple(left), tuple(right))


def in_order(aligned: Alignment, told: tuple[Word, ...], shown: tuple[Word, ...]) -> bool:
    """Whether the words that agree follow each other alike on both sides, once the beginning of one may have been put at its end."""
    one = _in_turn(told, [(pair.told, pair.told) for pair in aligned.pairs])
    other = _in_turn(shown, [(pair.shown, pair.told) for pair in aligned.pairs])
    return any(one == other[turn:] + other[:turn] for turn in range(len(one) or 1))


def _in_turn(words: tuple[Word, ...], runs: list[tuple[tuple[Word, ...], tuple[Word, ...]]]) -> list[tuple[Word, ...]]:
    """What stands beside each run, in the order in which the runs stand among the words."""
    left: list[Word | None] = [*words]
    found = []
    for run, beside in runs:
        place = left.index(run[0])
        left[place] = None
        found.append((place, beside))
    return [beside for _, beside in sorted(found, key=lambda item: item[0])]


def _take(level: int, agree: Callable[[Word, Word], bool], left: list[Word], right: list[Word], pairs: list[Pair]) -> None:
    for one in tuple(left):
        for other in right:
            if agree(one, other):
                pairs.append(Pair(level, (one,), (other,)))
                left.remove(one)
                right.remove(other)
                break


def _take_joined(left: list[Word], right: list[Word], pairs: list[Pair]) -> None:
    """Pair runs of neighbours on one side with one word on the other."""
    for one in tuple(right):
        if (run := _run_of(left, one)) is not None:
            level, words = run
            pairs.append(Pair(level, words, (one,)))
            right.remove(one)
            for word in words:
                left.remove(word)
    for one in tuple(left):
        if (run := _run_of(right, one)) is not None:
            level, words = run
            pairs.append(Pair(level, (one,), words))
            left.remove(one)
            for word in words:
                right.remove(word)


def _run_of(words: list[Word], whole: Word) -> tuple[int, tuple[Word, ...]] | None:
    best: tuple[int, tuple[Word, ...]] | None = None
    for size in range(2, len(words) + 1):
        for start in range(len(words) - size + 1):
            run = tuple(words[start : start + size])
            length = sum(len(word.spelt) for word in run)
            if abs(length - len(whole.spelt)) > 2 + size:
                continue
            level = _level(joined(run), whole)
            if level is not None and (best is None or level < best[0]):
                best = (level, run)
    return best


def _level(one: Word, other: Word) -> int | None:
    """How a joined word agrees. Short ones run into each other by accident (`Hou An`, `Huong`), so they must agree to the letter."""
    if _same_spelling(one, other):
        return SPELT
    bones = min(len(one.bones[0]), len(other.bones[0]))
    if bones >= _JOINED_SOUNDING and _same_sound(one, other):
        return SOUNDING
    if bones >= _JOINED_BONES and _same_bones(one, other):
        return BONES
    return NEAR if min(len(one.spelt), len(other.spelt)) >= _JOINED_NEAR and _near(one, other) else None


def _same_spelling(one: Word, other: Word) -> bool:
    return one.spelt == other.spelt


def _same_sound(one: Word, other: Word) -> bool:
    return one.sounding[0] in other.sounding or (len(one.sounding) > 1 and not set(one.sounding).isdisjoint(other.sounding))


def _same_bones(one: Word, other: Word) -> bool:
    if 1 in {len(one.spelt), len(other.spelt)}:
        return False  # an initial, and no word
    return one.bones[0] in other.bones or (len(one.bones) > 1 and not set(one.bones).isdisjoint(other.bones))


def _near(one: Word, other: Word) -> bool:
    return near(one.spelt, other.spelt) or cut(one.spelt, other.spelt) or cut(other.spelt, one.spelt)


def _initial(one: Word, other: Word) -> bool:
    return 1 in {len(one.spelt), len(other.spelt)} and one.spelt[0] == other.spelt[0]


def keys_of(words: tuple[Word, ...]) -> frozenset[str]:
    """The bones of the words, of each two neighbours joined, and of all but the first or last: enough to find whoever may agree."""
    runs = [*words, *(joined(pair) for pair in pairwise(words))]
    if len(words) > 2:
        runs += [joined(words[1:]), joined(words[:-1])]
    return frozenset(key for word in runs for key in word.bones)
