"""The script of a name (ISO 15924), told from its letters, so that no Khmer letter ever stands in a Latin name.

The letters' scripts come from their Unicode names, whose first word is the script for every script of living names.
Marks, spaces, hyphens and apostrophes belong to any script. Han stands in Chinese, Japanese and Korean names alike.
"""

import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from anyascii import anyascii

_SCRIPTS: dict[str, tuple[str, ...]] = {
    "LATIN": ("Latn",),
    "KHMER": ("Khmr",),
    "THAI": ("Thai",),
    "LAO": ("Laoo",),
    "MYANMAR": ("Mymr",),
    "CJK": ("Hani", "Hans", "Hant", "Jpan", "Kore"),
    "HIRAGANA": ("Hira", "Hrkt", "Jpan"),
    "KATAKANA": ("Kana", "Hrkt", "Jpan"),
    "HANGUL": ("Hang", "Kore"),
    "BOPOMOFO": ("Bopo",),
    "DEVANAGARI": ("Deva",),
    "BENGALI": ("Beng",),
    "GURMUKHI": ("Guru",),
    "GUJARATI": ("Gujr",),
    "ORIYA": ("Orya",),
    "TAMIL": ("Taml",),
    "TELUGU": ("Telu",),
    "KANNADA": ("Knda",),
    "MALAYALAM": ("Mlym",),
    "SINHALA": ("Sinh",),
    "THAANA": ("Thaa",),
    "TIBETAN": ("Tibt",),
    "ARABIC": ("Arab", "Aran"),
    "HEBREW": ("Hebr",),
    "SYRIAC": ("Syrc",),
    "CYRILLIC": ("Cyrl",),
    "GREEK": ("Grek",),
    "ARMENIAN": ("Armn",),
    "GEORGIAN": ("Geor",),
    "ETHIOPIC": ("Ethi",),
    "MONGOLIAN": ("Mong",),
    "JAVANESE": ("Java",),
    "BALINESE": ("Bali",),
    "CHAM": ("Cham",),
    "NEW": ("Talu",),  # NEW TAI LUE
}


def scripts_of(texts: Iterable[str]) -> tuple[str, ...] | None:
    """Tell the ISO 15924 codes that all letters of `texts` fit, likeliest first.

    Empty when the letters are of several scripts that no name mixes; None when there is no letter of a known script.
    """
    fitting: tuple[str, ...] | None = None
    for letter in set("".join(texts)):
        codes = _scripts_of_letter(letter)
        if codes is not None:
            fitting = codes if fitting is None else tuple(code for code in codes if code in fitting)
    return fitting


@lru_cache(maxsize=4096)
def _scripts_of_letter(letter: str) -> tuple[str, ...] | None:
    if not unicodedata.category(letter).startswith("L"):
        return None
    return _SCRIPTS.get(unicodedata.name(letter, "").split(" ", 1)[0])


def romanised(text: str) -> frozenset[str]:
    """Tell the words of a Latin name in plain capitals without marks, for comparing it with a machine readable zone."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", text.upper()) if not unicodedata.combining(sign))
    return frozenset("".join(sign if sign.isalpha() else " " for sign in plain).split())


def suggested_romanisation(text: str) -> str:
    """A name of another script in Latin letters, letter by letter: a beginning that a person mends; empty for a Latin one."""
    scripts = scripts_of((text,))
    if not scripts or scripts[0] == "Latn":
        return ""
    return " ".join(word.capitalize() for word in anyascii(text).split())


def plain_letters(text: str) -> str:
    """Words in small Latin letters and digits without marks, one blank between two: for finding, never for display."""
    latin = text if text.isascii() else anyascii(text)
    return " ".join("".join(sign if sign.isalnum() else " " for sign in latin.casefold()).split())
