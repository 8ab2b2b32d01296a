"""In which language a foreign text is, for whoever has a page read aloud, and for the choice of its font: names and words of an alert.

A text says its language itself where its sender gave one (`… [km]`, as `node.reading_values` writes it). Else its letters tell: a script
that one language alone is written in stands for that, any other for itself (BCP 47: `und-Arab`). Latin letters tell nothing.
"""

import re
from typing import Final

from babel import Locale, UnknownLocaleError
from markupsafe import Markup, escape

from node.console.languages import Language

_SCRIPTS: Final = (
    ("km", "\u1780-\u17ff\u19e0-\u19ff"),
    ("th", "\u0e01-\u0e7f"),
    ("lo", "\u0e81-\u0eff"),
    ("my", "\u1000-\u109f\uaa60-\uaa7f"),
    ("ko", "\uac00-\ud7af\u1100-\u11ff"),
    ("ja", "\u3041-\u30ff"),
    ("und-Hani", "\u3400-\u4dbf\u4e00-\u9fff"),
    ("und-Arab", "\u0600-\u06ff\u0750-\u077f"),
    ("und-Hebr", "\u0590-\u05ff"),
    ("und-Cyrl", "\u0400-\u052f"),
    ("und-Grek", "\u0370-\u03ff"),
    ("und-Deva", "\u0900-\u097f"),
    ("und-Beng", "\u0980-\u09ff"),
    ("und-Taml", "\u0b80-\u0bff"),
)
_RUNS: Final = re.compile("|".join(f"([{signs}](?:[{signs}\\s\u200b-\u200d.,·-]*[{signs}])?)" for _, signs in _SCRIPTS))
"""One script from its first letter to its last, with the spaces and points between."""
_TAGGED: Final = re.compile(r"(.*) (\[([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)(?:, [^\]]*)?\])", re.DOTALL)


def spoken(language: Language, text: str) -> Markup:
    """The text for a page of that language, each part in another one marked with it."""
    tagged = _TAGGED.fullmatch(text)
    if tagged and _is_language(tagged[3]):
        return _in(language, tagged[3], tagged[1]) + Markup(" ") + escape(tagged[2])
    made, end = Markup(), 0
    for run in _RUNS.finditer(text):
        if text[run.start() - 1 : run.start()].isalpha() or text[run.end() : run.end() + 1].isalpha():
            continue  # a part of a word: it looks like letters of another script, and is read with them
        made += escape(text[end : run.start()]) + _in(language, _SCRIPTS[(run.lastindex or 1) - 1][0], run[0])
        end = run.end()
    return made + escape(text[end:])


def _in(language: Language, tag: str, text: str) -> Markup:
    if tag.partition("-")[0].lower() == language.code:
        return escape(text)
    return Markup('<span lang="{}">{}</span>').format(tag, text)


def _is_language(tag: str) -> bool:
    try:
        Locale.parse(tag.partition("-")[0].lower())
    except (UnknownLocaleError, ValueError):
        return False
    return True
