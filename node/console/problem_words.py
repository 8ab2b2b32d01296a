"""What a code says to a person: one lookup for every page, whichever operation, check or partner gave the code.

A page whose form needs other words for a code has a small table of its own, and comes here for the rest.
"""

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
_FAMILIES: Final = ("OIDC", "SCHEMA")
"""Beginnings of codes that say one thing to a person: of an agency's sign-in service, and of the rules of the schema."""


def words_of(code: str) -> str:
    """What a code says, in English; empty where nothing is known of it."""
    return WORDS.get(code) or next((WORDS[family] for family in _FAMILIES if code.startswith(f"{family}_")), "")


def code_words(language: Language, code: str) -> str:
    """What a code says, and what to do about it; empty where nothing is known of it."""
    return " ".join(language.say(one) for one in (words_of(code), NEXT.get(code)) if one)


def problem_words(language: Language, code: str) -> str:
    """What a problem is, in the person's language; empty in English, in which the node says it itself and in more detail."""
    return "" if language.code == ENGLISH else code_words(language, code)


def field_words(language: Language, path: str) -> str:
    """What the place of a problem is called: its field in words, and where in it; what is no field, and all in English, as it stands."""
    name = path.partition("[")[0].partition(".")[0]
    words = ENVELOPE.get(name, "")
    label = language.say(words) if words else texts_in(language).label(name) if name in field_names() else ""
    return safe_text(path if language.code == ENGLISH or not label else f"{label}{path.removeprefix(name)}")
