"""What a code says to a person: one lookup for every page, whichever operation, check or partner gave the code.

A page whose form needs other words for a code has a small table of its own, and comes here for the rest.
"""

import re
from collections.abc import Mapping
from typing import Final

from node.console.compose_words import ENVELOPE
from node.console.deed_problems import NEXT, NOBODY_GETS_IT, NOT_AGREED, NOT_DONE
from node.console.draft_problems import DRAFT_PROBLEMS
from node.console.languages import ENGLISH, Language
from node.console.record_problems import RECORD_PROBLEMS
from node.console.trouble_problems import TROUBLES
from node.console.words import field_names, texts_in
from node.reading_values import safe_text

WORDS: Final[Mapping[str, str]] = {**TROUBLES, **RECORD_PROBLEMS, **NOT_AGREED, **NOT_DONE, **NOBODY_GETS_IT, **DRAFT_PROBLEMS}
"""The words of a code, in English; a test holds that no code stands in two of the tables."""
_FAMILIES: Final = ("OIDC", "SCHEMA_INT64", "SCHEMA_UINT32", "SCHEMA", "EDTF")
"""Beginnings of codes that say one thing to a person: of an agency's sign-in service, of the rules of the schema, and of dates."""
_MORE: Final = ("SCHEMA_", "SUBJECT_")
"""Beginnings of codes of which the node itself says more, in English: the bounds that a rule sets, and which other alert it is."""
_SEGMENT: Final = re.compile(r"([a-z0-9_]+)(?:\[([^\]]*)\])?(?:\.|$)")
_PLACE: Final = re.compile(r"[0-9]{1,4}")
"""Of a row; what stands in brackets otherwise names another alert."""


def words_of(code: str) -> str:
    """What a code says, in English; empty where nothing is known of it."""
    return WORDS.get(code) or next((WORDS[family] for family in _FAMILIES if code.startswith(f"{family}_")), "")


def code_words(language: Language, code: str) -> str:
    """What a code says, and what to do about it; empty where nothing is known of it."""
    return " ".join(language.say(one) for one in (words_of(code), NEXT.get(code)) if one)


def problem_words(language: Language, code: str) -> str:
    """What a problem is, in the person's language; empty where the node itself has to say it, or says more in that language."""
    more = language.code == ENGLISH and code.startswith(_MORE) and code not in DRAFT_PROBLEMS
    return "" if more else code_words(language, code)


def field_words(language: Language, path: str) -> str:
    """What the place of a problem is called, from the whole field to the part of it; what is no field stands as it is."""
    segments = list(_SEGMENT.finditer(path))
    labels = [_label(language, segment[1], outermost=not segment.start()) for segment in segments]
    if not all(labels) or "".join(segment[0] for segment in segments) != path:
        return safe_text(path)
    return safe_text(": ".join(f"{label}{_row(segment[2])}" for label, segment in zip(labels, segments, strict=True)))


def _label(language: Language, name: str, *, outermost: bool) -> str:
    if outermost and name in ENVELOPE:
        return language.say(ENVELOPE[name])
    return texts_in(language).label(name) if name in field_names() else ""


def _row(index: str | None) -> str:
    if index is None:
        return ""
    return f" {int(index) + 1}" if _PLACE.fullmatch(index) else f" [{index}]"
