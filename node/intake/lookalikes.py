"""Words that read as others: letters of one script among those of another, and signs that nobody sees (Unicode UTS #39, section 5.1).

A passport number with a Cyrillic O, or a name with a Greek one, finds nobody where it is typed again. Khmer, Thai, Lao and Burmese
part their words by a space without width; among letters of Latin it is there to deceive, or by mistake.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from node.intake.names import scripts_of

_INVISIBLE: Final = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
_WORD: Final = re.compile(rf"[\w{_INVISIBLE}]+")
_ALIKE: Final = ("ARMENIAN", "CHEROKEE", "COPTIC", "CYRILLIC", "FULLWIDTH", "GREEK")
"""Scripts, by their letters' names, of which letters look like those of Latin or like digits."""


def lookalikes(lines: Iterable[str]) -> list[tuple[str, str]]:
    """Each such word once, in the order of the lines, with the signs that are not what they seem (`U+0410`)."""
    found: dict[str, str] = {}
    for line in lines:
        for word in _WORD.findall(line):
            if not word.isascii() and (signs := _strange(word)):
                found.setdefault(word, ", ".join(f"U+{ord(sign):04X}" for sign in signs))
    return list(found.items())


def _strange(word: str) -> list[str]:
    letters = [sign for sign in dict.fromkeys(word) if sign not in _INVISIBLE]
    alike = [sign for sign in letters if unicodedata.name(sign, "").startswith(_ALIKE)]
    latin = any(unicodedata.name(sign, "").startswith("LATIN") or (sign.isascii() and sign.isdigit()) for sign in letters)
    mixed = scripts_of((word,)) == () or (latin and bool(alike))
    hidden = [sign for sign in dict.fromkeys(word) if sign in _INVISIBLE] if latin or alike else []
    return [*(alike if mixed else ()), *hidden]
