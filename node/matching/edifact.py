"""UN/EDIFACT on the wire: service string, segments, elements and components (ISO 9735-1, syntax versions 1 to 4).

Line ends may stand between and inside segments, since telex lines wrap; a telex head may stand before the interchange. The release
character takes the meaning from the sign that follows it. Caps come first, so that no list costs more than its bytes.
"""

import re
from dataclasses import dataclass
from typing import Final

from node.matching.manifest import ManifestInvalid

SEGMENTS_AT_MOST: Final = 120_000
ELEMENTS_AT_MOST: Final = 40
_HEAD_AT_MOST: Final = 1024
_BEGINNING: Final = re.compile(rb"(?:^|[\r\n\x02\s])(UNA|UNB)")
_CHARSETS: Final = {
    "UNOA": "ascii", "UNOB": "ascii", "UNOC": "iso8859-1", "UNOD": "iso8859-2", "UNOE": "iso8859-5", "UNOF": "iso8859-7",
    "UNOG": "iso8859-3", "UNOH": "iso8859-4", "UNOI": "iso8859-6", "UNOJ": "iso8859-8", "UNOK": "iso8859-9", "UNOW": "utf-8",
    "UNOY": "utf-8",
}  # fmt: skip
"""ISO 9735-1, syntax identifiers. UNOY is UTF-16 by the letter, and UTF-8 wherever it was met."""

_NAMES_ITSELF: Final = re.compile(rb"(?:^|[\r\n\x02\s])(?:UNB\+|UNA[^0-9A-Za-z]{6}\s*UNB)")

Segment = tuple[tuple[str, ...], ...]
"""Elements, each a tuple of components; the first component of the first element is the tag."""


@dataclass(frozen=True, slots=True)
class _Signs:
    component: str
    element: str
    release: str
    terminator: str


_DEFAULT: Final = _Signs(":", "+", "?", "'")


def is_interchange(data: bytes) -> bool:
    """Whether a list names itself an interchange in its head; no list of columns does so, whoever is on it."""
    return _NAMES_ITSELF.search(data[:_HEAD_AT_MOST]) is not None


def segments_of(data: bytes) -> list[Segment]:
    """The segments of an interchange, from UNB on.

    Raises `ManifestInvalid`: EDIFACT_BEGINNING, EDIFACT_SIGNS, EDIFACT_CHARSET, EDIFACT_TEXT, EDIFACT_SEGMENTS, EDIFACT_UNFINISHED.
    """
    match = _BEGINNING.search(data[:_HEAD_AT_MOST])
    if match is None:
        raise ManifestInvalid("EDIFACT_BEGINNING", "the list begins neither with UNA nor with UNB")
    body = data[match.start(1) :]
    signs = _DEFAULT
    if body.startswith(b"UNA"):
        signs, body = _signs(body[3:9]), body[9:].lstrip()
        if not body.startswith(b"UNB"):
            raise ManifestInvalid("EDIFACT_BEGINNING", "UNB must follow UNA")
    return _split(_text(body), signs)


def _signs(service: bytes) -> _Signs:
    text = service.decode("ascii", "replace")
    # Component, element, decimal mark, release, repetition, terminator.
    found = (text[0:1], text[1:2], text[3:4], text[5:6])
    special = [sign for sign in found if sign != " "]
    if (
        len(text) < 6
        or len(set(special)) < len(special)
        or " " in (found[0], found[1], found[3])
        or any(sign.isalnum() for sign in special)
    ):
        raise ManifestInvalid("EDIFACT_SIGNS", "UNA must name four different signs, none of them a letter or digit")
    return _Signs(found[0], found[1], found[2], found[3])


def _text(body: bytes) -> str:
    identifier = body[4:8].decode("ascii", "replace")
    charset = _CHARSETS.get(identifier)
    if charset is None:
        raise ManifestInvalid("EDIFACT_CHARSET", "the syntax identifier in UNB is not one of UNOA to UNOK, UNOW or UNOY")
    if charset == "ascii":
        # Names with marks come under UNOA and UNOB all the same; what is no UTF-8 is then nearly always Latin-1.
        try:
            return body.decode("utf-8")
        except UnicodeDecodeError:
            return body.decode("iso8859-1")
    try:
        return body.decode(charset)
    except UnicodeDecodeError:
        raise ManifestInvalid("EDIFACT_TEXT", f"the list is not in the character set of {identifier}") from None


def _split(text: str, signs: _Signs) -> list[Segment]:
    text = text.translate({0x0D: None, 0x0A: None, 0x03: None})
    release = re.escape(signs.release) if signs.release != " " else None
    found: list[Segment] = []
    pieces = _cut(text, signs.terminator, release)
    if pieces[-1].strip():
        raise ManifestInvalid("EDIFACT_UNFINISHED", f"the last of {len(pieces)} segments has no end: the list was cut off")
    for piece in pieces[:-1]:
        if len(found) >= SEGMENTS_AT_MOST:
            raise ManifestInvalid("EDIFACT_SEGMENTS", f"the list has more than {SEGMENTS_AT_MOST} segments")
        elements = _cut(piece.lstrip(), signs.element, release)
        if len(elements) > ELEMENTS_AT_MOST:
            raise ManifestInvalid("EDIFACT_SEGMENTS", f"segment {len(found) + 1} has more than {ELEMENTS_AT_MOST} elements")
        found.append(tuple(tuple(_plain(part, signs) for part in _cut(element, signs.component, release)) for element in elements))
        if found[-1][0][0] == "UNZ":
            return found
    return found


def _cut(text: str, sign: str, release: str | None) -> list[str]:
    if release is None or release.removeprefix("\\") not in text:
        return text.split(sign)
    parts, begun = [], 0
    for match in re.finditer(rf"{release}.|{re.escape(sign)}", text, re.DOTALL):
        if match[0] == sign:
            parts.append(text[begun : match.start()])
            begun = match.end()
    return [*parts, text[begun:]]


def _plain(text: str, signs: _Signs) -> str:
    if signs.release == " " or signs.release not in text:
        return text
    return re.sub(rf"{re.escape(signs.release)}(.)", r"\1", text, flags=re.DOTALL)
