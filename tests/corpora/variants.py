"""What becomes of a name between an alert and a passenger list: other romanisations, orders, joins, cuts, slips.

Written from the habits of airlines, registries and travellers, not from the matcher, with which it shares no table and no code.
"""

import random
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Final

from tests.corpora.persons import Person

Written = tuple[str, str]
"""Family and given names, as a list has them."""

# What one romanisation writes, and another. Each may be applied in either direction.
KHMER: Final = (
    ("ea", "ia"), ("ph", "p"), ("th", "t"), ("ou", "u"), ("ou", "oo"), ("chh", "ch"), ("kh", "k"), ("v", "w"), ("ey", "ei"), ("ey", "y"),
    ("nn", "n"), ("ll", "l"), ("tt", "t"), ("eng", "aing"), ("aeng", "eng"), ("oeun", "eun"), ("y", "i"), ("ak", "ac"), ("dh", "d"),
    ("rith", "reth"), ("sam", "som"), ("vuth", "wuth"), ("chan", "chann"), ("kim", "khim"), ("ly", "li"), ("ly", "lee"), ("pich", "pech"),
    ("phal", "pal"),
)  # fmt: skip
THAI: Final = (
    ("ph", "p"), ("th", "t"), ("kh", "k"), ("w", "v"), ("ch", "j"), ("porn", "phon"), ("porn", "pon"), ("ai", "ay"), ("ee", "i"),
    ("oo", "u"), ("korn", "kon"), ("rat", "rath"), ("kun", "gun"), ("sri", "sree"), ("kit", "kitti"), ("wat", "wath"), ("pong", "phong"),
    ("nn", "n"), ("tt", "t"), ("kk", "k"), ("boon", "bun"), ("thong", "tong"), ("chai", "chay"), ("ong", "ongs"), ("k", "g"),
    ("sak", "sack"),
)  # fmt: skip
INDIAN: Final = (
    ("ee", "i"), ("oo", "u"), ("sh", "s"), ("v", "w"), ("th", "t"), ("ksh", "x"), ("mm", "m"), ("ph", "f"), ("j", "z"), ("aa", "a"),
    ("a", "aa"), ("dh", "d"), ("bh", "b"), ("y", "i"), ("chau", "chou"), ("mohammed", "muhammad"), ("mohammed", "mohamed"),
    ("hussain", "hussein"), ("agarwal", "agrawal"), ("chaudhary", "chowdhury"), ("bose", "basu"), ("mukherjee", "mukherji"),
    ("banerjee", "banerji"), ("srinivas", "sreenivas"), ("sheikh", "shaikh"), ("sita", "seetha"), ("vikas", "bikash"),
    ("biswas", "viswas"), ("das", "dass"), ("reddy", "reddi"), ("krishna", "krishnaa"), ("i", "ee"), ("ck", "k"),
)  # fmt: skip
LATIN: Final = (
    ("ph", "f"), ("mac", "mc"), ("k", "c"), ("y", "ie"), ("ll", "l"), ("nn", "n"), ("tt", "t"), ("steven", "stephen"),
    ("jeffrey", "geoffrey"), ("ks", "x"), ("catherine", "kathryn"), ("sergei", "sergey"), ("dmitri", "dmitry"),
    ("aleksandr", "alexander"), ("nikolai", "nikolay"), ("ss", "s"), ("sch", "sh"), ("th", "t"), ("ck", "k"), ("clarke", "clark"),
    ("ei", "ey"), ("ov", "off"),
)  # fmt: skip
WADE_GILES: Final = (
    ("zh", "ch"), ("x", "hs"), ("q", "ch'"), ("j", "ch"), ("z", "ts"), ("g", "k"), ("d", "t"), ("b", "p"), ("r", "j"),
)  # fmt: skip
WADE_GILES_ASPIRATED: Final = (("ch", "ch'"), ("c", "ts'"), ("k", "k'"), ("t", "t'"), ("p", "p'"))
WADE_GILES_ENDS: Final = (("ong", "ung"), ("ian", "ien"))


def plain(text: str) -> str:
    """Capitals without marks, as a passport's zone has them; ü and ö without their e."""
    text = (
        text.replace("Đ", "D").replace("đ", "d").replace("ł", "l").replace("Ł", "L").replace("ø", "o").replace("ß", "ss").replace("æ", "ae")
    )
    return "".join(sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.combining(sign)).upper()


def zone(text: str) -> str:
    """Capitals as Doc 9303 recommends: ü is UE, ö OE, ä AE, å AA, ø OE, ñ N."""
    for sign, letters in (("ü", "ue"), ("ö", "oe"), ("ä", "ae"), ("å", "aa"), ("ø", "oe"), ("Ö", "Oe"), ("Ü", "Ue"), ("Ä", "Ae")):
        text = text.replace(sign, letters)
    return plain(text)


def other_romanisation(rng: random.Random, person: Person) -> Written:
    """The name as another office would spell it in Latin letters."""
    if person.group == "Chinese":
        return _chinese(rng, person)
    if person.group == "Vietnamese":
        return plain(person.family), plain(" ".join(person.given))
    table = {"Khmer": KHMER, "Thai": THAI, "Indian": INDIAN, "Latin": LATIN}[person.group]
    if person.group == "Latin" and plain(person.family) != zone(person.family) and rng.random() < 0.5:
        return zone(person.family), zone(" ".join(person.given))
    family = _respelt(rng, plain(person.family).lower(), table, 1 if rng.random() < 0.5 else 0)
    given = " ".join(_respelt(rng, plain(part).lower(), table, 1) for part in person.given)
    return family.upper(), given.upper()


def _respelt(rng: random.Random, word: str, table: tuple[tuple[str, str], ...], times: int) -> str:
    for _ in range(times):
        changed = [word.replace(old, new, 1) for pair in table for old, new in (pair, pair[::-1]) if old in word and len(word) > 2]
        fitting = [other for other in changed if _is_written(other)]
        if fitting:
            word = rng.choice(fitting)
    return word


def _is_written(word: str) -> bool:
    """Whether somebody would write that: no three alike, no doubles that no romanisation has, and a first y stays one."""
    return not re.search(r"(.)\1\1|(?<!c)hh|nng|yy|^(ii|ey|ea(?=y)|i[aeou]|ee)", word)


def _chinese(rng: random.Random, person: Person) -> Written:
    style = rng.random()
    if style < 0.35:
        family, *given = person.hong_kong
        return family.upper(), rng.choice((" ", "-", "")).join(given).upper()
    if style < 0.7:
        family, *given = (_wade_giles(part.lower()) for part in (person.family, *person.given))
        drop = rng.random() < 0.7
        text = rng.choice(("-", " ")).join(given)
        return (family.replace("'", "") if drop else family).upper(), (text.replace("'", "") if drop else text).upper()
    return plain(person.family), rng.choice(("", "-", " ")).join(plain(part) for part in person.given)


def _wade_giles(syllable: str) -> str:
    fixed = {
        "si": "ssu",
        "zi": "tzu",
        "shi": "shih",
        "zhi": "chih",
        "he": "ho",
        "yan": "yen",
        "yi": "i",
        "rong": "jung",
        "guo": "kuo",
        "gui": "kuei",
        "xue": "hsueh",
        "yue": "yueh",
        "ye": "yeh",
    }
    if syllable in fixed:
        return fixed[syllable]
    for old, new in WADE_GILES_ENDS:
        if syllable.endswith(old):
            syllable = syllable.removesuffix(old) + new
            break
    for old, new in (*WADE_GILES_ASPIRATED, *WADE_GILES):
        if syllable.startswith(old) and not syllable.startswith(("sh", "zh") if old in {"s", "z"} else "~"):
            return new + syllable.removeprefix(old)
    return syllable


def swapped(_rng: random.Random, person: Person) -> Written:
    """Family and given names in each other's place."""
    return plain(" ".join(person.given)), plain(person.family)


def in_one_field(rng: random.Random, person: Person) -> Written:
    """The whole name in one field, in either order."""
    parts = [plain(person.family), *(plain(part) for part in person.given)]
    return " ".join(parts if rng.random() < 0.5 else [*parts[1:], parts[0]]), ""


def run_together(_rng: random.Random, person: Person) -> Written:
    """Given names without spaces, with the title run on."""
    return plain(person.family), "".join(plain(part) for part in person.given) + ("MR" if person.sex == "M" else "MS")


def fewer_names(rng: random.Random, person: Person) -> Written:
    """One of several given names is left out."""
    given = list(person.given)
    if len(given) > 1 and person.group != "Chinese":  # two characters are one name
        # A Vietnamese gives the last of them, others the first.
        given.pop(0 if person.group == "Vietnamese" else len(given) - 1 if rng.random() < 0.8 else 0)
    return plain(person.family), " ".join(plain(part) for part in given)


def cut_short(_rng: random.Random, person: Person) -> Written:
    """Given names cut off where the field ended, or reduced to an initial after the first."""
    given = [plain(part) for part in person.given]
    if len(given) > 1:
        given[1] = given[1][:1]
    elif len(given[0]) > 7:
        given[0] = given[0][:-2]
    return plain(person.family), " ".join(given)


def one_slip(rng: random.Random, person: Person) -> Written:
    """A letter lost, doubled, exchanged with its neighbour, or misread, in the longest word."""
    words = [plain(person.family), *(plain(part) for part in person.given)]
    place = max(range(len(words)), key=lambda index: len(words[index]))
    word = words[place]
    at = rng.randrange(1, len(word) - 1) if len(word) > 2 else 0
    alike = {"O": "0", "I": "1", "S": "5", "B": "8", "M": "N", "U": "V", "E": "F", "C": "G"}
    changed = {
        0: word[:at] + word[at + 1 :],
        1: word[:at] + word[at] + word[at:],
        2: word[:at] + word[at + 1 : at + 2] + word[at : at + 1] + word[at + 2 :],
        3: word[:at] + alike.get(word[at], word[at]) + word[at + 1 :],
    }[rng.randrange(4)]
    words[place] = changed
    return words[0], " ".join(words[1:])


def as_it_is(_rng: random.Random, person: Person) -> Written:
    """As in the passport's zone."""
    return zone(person.family), zone(" ".join(person.given))


KINDS: Final[Mapping[str, tuple[Callable[[random.Random, Person], Written], int]]] = {
    "other romanisation": (other_romanisation, 40),
    "swapped": (swapped, 10),
    "in one field": (in_one_field, 10),
    "run together": (run_together, 12),
    "fewer names": (fewer_names, 8),
    "cut short": (cut_short, 5),
    "one slip": (one_slip, 5),
    "as it is": (as_it_is, 10),
}


def variant(rng: random.Random, person: Person) -> tuple[str, Written]:
    """A kind of variant and the name so written."""
    kind = rng.choices(tuple(KINDS), weights=[weight for _, weight in KINDS.values()])[0]
    return kind, KINDS[kind][0](rng, person)


def told_birth(rng: random.Random, born: date) -> str:
    """What an alert says of a birth date: nearly always the day, now and then the month, the year, the decade, or a day in doubt."""
    kind = rng.random()
    if kind < 0.98:
        return born.isoformat()
    if kind < 0.985:
        return f"{born:%Y-%m}"
    if kind < 0.993:
        return f"{born:%Y}"
    return f"{born:%Y}"[:3] + "X" if kind < 0.995 else born.isoformat() + "?"


def shown_birth(rng: random.Random, born: date) -> date:
    """What a passenger list says: nearly always the day, read from the document; else day and month exchanged, a digit wrong, 1 January."""
    kind = rng.random()
    if kind < 0.007 and born.day <= 12:
        return date(born.year, born.day, born.month)
    if kind < 0.011:
        return born + timedelta(rng.choice((-10, -1, 1, 10)))
    return date(born.year, 1, 1) if kind < 0.015 else born


def misread(rng: random.Random, number: str) -> str:
    """A document number with one sign read as another that looks like it, or two exchanged."""
    alike = {"0": "O", "1": "I", "2": "Z", "5": "S", "8": "B", "6": "G", "B": "8", "G": "6", "I": "1", "S": "5", "O": "0", "Z": "2"}
    places = [place for place, sign in enumerate(number) if sign in alike]
    if places and rng.random() < 0.7:
        place = rng.choice(places)
        return number[:place] + alike[number[place]] + number[place + 1 :]
    place = rng.randrange(len(number) - 1)
    return number[:place] + number[place + 1] + number[place] + number[place + 2 :]
