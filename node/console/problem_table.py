"""How a table of what goes wrong is written: a sentence, and the codes that it is true of."""

from collections.abc import Mapping, Sequence


def by_code(sentences: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The same by code. Raises `ValueError` for a code that has two sentences."""
    found: dict[str, str] = {}
    for sentence, codes in sentences.items():
        for code in codes:
            if code in found:
                raise ValueError(f"{code} has two sentences")
            found[code] = sentence
    return found
