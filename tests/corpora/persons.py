"""Synthetic persons of six groups of languages, drawn by a seeded generator from `tests.corpora.name_lists`."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from itertools import accumulate
from typing import Final

from tests.corpora import name_lists as lists

TODAY: Final = date(2027, 3, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """`native` has the same words in the native script, joined as that script joins them; empty if the person has none."""

    group: str
    family: str
    given: tuple[str, ...]
    native: str
    hong_kong: tuple[str, ...]
    """Of Chinese names: family and given syllables as Hong Kong writes them."""
    sex: str
    country: str
    born: date
    number: str


@cache
def _weighted(text: str, steepness: float) -> tuple[tuple[str, ...], tuple[float, ...]]:
    items = tuple(text.split())
    return items, tuple(accumulate(1 / (place + 1) ** steepness for place in range(len(items))))


def _draw(rng: random.Random, text: str, steepness: float = 0.6) -> tuple[str, ...]:
    items, weights = _weighted(text, steepness)
    return tuple(rng.choices(items, cum_weights=weights)[0].split("/"))


def _khmer(rng: random.Random, sex: str) -> Person:
    family, given = _draw(rng, lists.KHMER_FAMILY), _draw(rng, lists.KHMER_MALE if sex == "M" else lists.KHMER_FEMALE, 0.4)
    return _person(rng, "Khmer", sex, "KHM", family[0], (given[0],), f"{family[1]} {given[1]}")


def _thai(rng: random.Random, sex: str) -> Person:
    first, last = _draw(rng, lists.THAI_FAMILY_FIRST, 0.3), _draw(rng, lists.THAI_FAMILY_LAST, 0.3)
    given = _draw(rng, lists.THAI_MALE if sex == "M" else lists.THAI_FEMALE, 0.4)
    return _person(rng, "Thai", sex, "THA", first[0] + last[0], (given[0],), f"{given[1]} {first[1]}{last[1]}")


def _vietnamese(rng: random.Random, sex: str) -> Person:
    (family,) = _draw(rng, lists.VIETNAMESE_FAMILY, 1.1)
    (middle,) = _draw(rng, lists.VIETNAMESE_MALE_MIDDLE if sex == "M" else lists.VIETNAMESE_FEMALE_MIDDLE, 0.9)
    (name,) = _draw(rng, lists.VIETNAMESE_MALE if sex == "M" else lists.VIETNAMESE_FEMALE, 0.4)
    given = (middle, name)
    if rng.random() < 0.3:
        (second,) = _draw(rng, lists.VIETNAMESE_MALE_MIDDLE if sex == "M" else lists.VIETNAMESE_FEMALE_MIDDLE, 0.3)
        given = (middle, second, name) if second not in given else given
    return _person(rng, "Vietnamese", sex, "VNM", family, given, f"{family} {' '.join(given)}")


def _chinese(rng: random.Random, sex: str) -> Person:
    family = _draw(rng, lists.CHINESE_FAMILY, 0.8)
    given = [_draw(rng, lists.CHINESE_GIVEN, 0.3) for _ in range(1 if rng.random() < 0.15 else 2)]
    native = family[0] + "".join(item[0] for item in given)
    made = _person(rng, "Chinese", sex, "CHN", family[1], tuple(item[1] for item in given), native)
    return replace(made, hong_kong=(family[2], *(item[2] for item in given)))


def _indian(rng: random.Random, sex: str) -> Person:
    family, given = _draw(rng, lists.INDIAN_FAMILY), _draw(rng, lists.INDIAN_MALE if sex == "M" else lists.INDIAN_FEMALE, 0.4)
    parts = [given]
    if rng.random() < 0.3:
        second = _draw(rng, lists.INDIAN_MALE, 0.4)
        parts += [second] if second != given else []
    native = " ".join(part[1] for part in (*parts, family)) if all(len(part) > 1 for part in (*parts, family)) else ""
    return _person(rng, "Indian", sex, "IND", family[0], tuple(part[0] for part in parts), native)


def _latin(rng: random.Random, sex: str) -> Person:
    (family,) = _draw(rng, lists.LATIN_FAMILY, 0.5)
    names = lists.LATIN_MALE if sex == "M" else lists.LATIN_FEMALE
    given = tuple(dict.fromkeys(_draw(rng, names, 0.5)[0] for _ in range(1 if rng.random() < 0.4 else 2)))
    return _person(rng, "Latin", sex, "GBR", family, given, "")


def _person(rng: random.Random, group: str, sex: str, country: str, family: str, given: tuple[str, ...], native: str) -> Person:
    # Most travellers are between 25 and 60: two dice rather than one.
    age = rng.triangular(18, 78, 38)
    number = "".join(rng.choices("ABCEGHKLNPRX", k=1)) + "".join(rng.choices("0123456789", k=8))
    return Person(
        group=group, family=family, given=given, native=native, hong_kong=(), sex=sex, country=country,
        born=TODAY - timedelta(days=round(age * 365.25)), number=number,
    )  # fmt: skip


MAKERS: Final[Mapping[str, Callable[[random.Random, str], Person]]] = {
    "Khmer": _khmer,
    "Thai": _thai,
    "Vietnamese": _vietnamese,
    "Chinese": _chinese,
    "Indian": _indian,
    "Latin": _latin,
}


def person(rng: random.Random, group: str) -> Person:
    """One person of that group."""
    return MAKERS[group](rng, rng.choice("MMF"))
