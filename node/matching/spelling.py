"""What the words of a name sound like, whoever wrote them down: three forms of each word, from narrow to wide.

*Spelt*: small ASCII letters without marks (`Nguyễn` → `nguyen`). *Sounding*: consonants that romanisations confuse are one, and so are
vowels of one kind (`Müller`, `Mueller` → `mulir`). *Bones*: consonants alone, voiced and unvoiced as one (`Vikas`, `Bikash` → `pks`).
Two words that agree in a narrow form agree in the wider ones. The tables hold habits of romanisation: Khmer (no standard), Thai (RTGS,
and each family's own), Vietnamese without marks, Pinyin, Wade-Giles and Hong Kong, Indian languages, and ICAO Doc 9303-3, section 6.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from anyascii import anyascii

from node.matching.cantonese import cantonese

LONGEST_WORD: Final = 40
WORDS_AT_MOST: Final = 12

_DIGITS: Final = str.maketrans("015826", "oisbzg", "3479")
"""Digits that a reader of documents puts for letters; a name has no others."""
_SILENT: Final = re.compile("[\u0e00-\u0e7f][\u0e31-\u0e3a\u0e47-\u0e4b]?\u0e4c|[\u1780-\u17b3]\u17cd")
"""Thai and Khmer letters under the sign that says not to pronounce them."""
_BREAK: Final = re.compile(r"[^a-z0-9]+")
_CAPITAL: Final = re.compile(r"[A-Z][a-z]*")

# The longest first: each letter group stands for one consonant.
_CONSONANTS: Final = (
    ("tsch", "c"), ("tch", "c"), ("chh", "c"), ("sch", "s"), ("ksh", "s"), ("ch", "c"), ("zh", "c"), ("jh", "c"), ("ts", "c"),
    ("tz", "c"), ("dz", "c"), ("dj", "c"), ("dy", "d"), ("kh", "k"), ("gh", "g"), ("ph", "p"), ("bh", "b"), ("th", "t"), ("dh", "d"),
    ("sz", "s"), ("sh", "s"), ("hs", "s"), ("ss", "s"), ("ks", "s"), ("ng", "n"), ("nh", "n"), ("ny", "n"), ("gn", "n"), ("ck", "k"),
    ("kw", "k"), ("gw", "g"), ("qu", "k"), ("rn", "n"), ("x", "s"), ("q", "c"), ("j", "c"), ("z", "c"),
)  # fmt: skip
_GROUP: Final = re.compile("|".join(group for group, _ in _CONSONANTS) + "|c(?=[eiy])|[a-z]")
_GROUPS: Final = dict(_CONSONANTS)
_VOWELS: Final = {"a": "a", "e": "i", "i": "i", "y": "i", "o": "u", "u": "u"}
_WIDE: Final = str.maketrans("bfvdg", "pppt" + "k")
_PINYIN_C: Final = re.compile(r"c(ai|an|ang|ao|e|en|eng|i|ong|ou|u|uan|ui|un|uo)")
_WADE_R: Final = re.compile(r"j(an|ang|ao|en|eng|ih|o|ou|u|uan|ui|un|ung)")
_UNASPIRATED: Final = re.compile(r"[bdg][aeiou]{1,3}(n|ng)?")
"""What Pinyin writes b, d and g, Wade-Giles and Hong Kong write p, t and k."""
_SOUNDED_Y: Final = re.compile(r"y(?!ee)[aeou]")
"""A first y is a consonant, but for Yi, Yee and Ying, which are also written I and Ing."""
_PINYIN_U: Final = re.compile(r"([ln])v(e?)")


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a name. It has no repr: names must not reach a log by way of a traceback."""

    spelt: str
    sounding: tuple[str, ...]
    """Nearly always one; two where the spelling is of one of two romanisations."""
    bones: tuple[str, ...]

    def __repr__(self) -> str:
        return "Word(…)"


def words_of(text: str) -> list[tuple[Word, ...]]:
    """The readings of a text, each its words in order: one, or for Chinese characters Mandarin and Cantonese; none without letters."""
    text = unicodedata.normalize("NFKC", text[:400])
    readings = [_latin(text)]
    if any("\u3400" <= sign <= "\u9fff" for sign in text):
        readings.append([part for part in cantonese(text).split() if part])
    unique = dict.fromkeys(tuple(parts[:WORDS_AT_MOST]) for parts in readings)
    return [tuple(word(part) for part in parts) for parts in unique if parts]


def _latin(text: str) -> list[str]:
    if text.isascii():
        return _plain(text)
    parts: list[str] = []
    for piece in _SILENT.sub("", text).split():
        if any("\u3400" <= sign <= "\u9fff" for sign in piece):
            parts += _plain(" ".join(_CAPITAL.findall(anyascii(piece))))
        else:
            parts += _plain(anyascii(piece))
    return parts


def _plain(text: str) -> list[str]:
    lower = text.lower().replace("'", "").replace("`", "").replace("\u2019", "")
    found = [part.translate(_DIGITS)[:LONGEST_WORD] for part in _BREAK.split(lower)]
    return [part for part in found if part]


@lru_cache(maxsize=65536)
def word(spelt: str) -> Word:
    """The forms of one word in small ASCII letters."""
    spellings = [_PINYIN_U.sub(r"\1u\2", spelt) if _PINYIN_U.fullmatch(spelt) else spelt]
    if spelt.startswith("mc") and len(spelt) > 4:
        spellings = ["mac" + spelt[2:]]
    if _PINYIN_C.fullmatch(spelt):
        spellings.append("z" + spelt[1:])
    if _WADE_R.fullmatch(spelt):
        spellings.append("r" + spelt[1:])
    if _UNASPIRATED.fullmatch(spelt):
        spellings.append({"b": "p", "d": "t", "g": "k"}[spelt[0]] + spelt[1:])
    sounding = tuple(dict.fromkeys(_sound(each) for each in spellings))
    return Word(spelt, sounding, tuple(dict.fromkeys(_bones(each) for each in sounding)))


def joined(words: tuple[Word, ...]) -> Word:
    """Several words written as one, as airlines do."""
    return word("".join(each.spelt for each in words)[: LONGEST_WORD * 2])


def _sound(spelt: str) -> str:
    found: list[str] = []
    groups = _GROUP.findall(spelt)
    for place, group in enumerate(groups):
        following = groups[place + 1] if place + 1 < len(groups) else ""
        last = found[-1] if found else ""
        if group in _VOWELS and not (group == "y" and not place and _SOUNDED_Y.match(spelt)):
            if last not in {"a", "i", "u"}:
                found.append(_VOWELS[group])
        elif group == "w" and following not in _VOWELS:
            if last not in {"a", "i", "u"}:
                found.append("u")
        elif group == "h" and place:
            continue
        else:
            sound = _GROUPS.get(group) or {"c": "s" if following and following in "eiy" else "k", "w": "v"}.get(group, group)
            if sound != last:
                found.append(sound)
    return "".join(found)


def _bones(sounding: str) -> str:
    bones = "".join(sign for sign in sounding if sign not in "aiu").translate(_WIDE)
    if not bones:
        return sounding
    return ("a" if sounding[0] in "aiu" else "") + bones
