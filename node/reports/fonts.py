"""The typefaces that a report carries inside it, so that it looks the same on every machine and in twenty years: Noto (OFL), subset."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

import uharfbuzz

_KHMER = ((0x1780, 0x17FF), (0x19E0, 0x19FF))
_THAI = ((0x0E00, 0x0E7F),)
_LAO = ((0x0E80, 0x0EFF),)
_JOINERS = frozenset("\u200b\u200c\u200d\u2060")


@dataclass(frozen=True, slots=True, kw_only=True)
class Typeface:
    """One font file. All lengths are in thousandths of the type size."""

    name: str
    data: bytes
    face: uharfbuzz.Face = field(repr=False)
    font: uharfbuzz.Font = field(repr=False)
    """Scaled so that HarfBuzz answers in thousandths."""
    characters: frozenset[int] = field(repr=False)
    ascent: int
    descent: int


def writable(text: str) -> str:
    """The text with whatever no typeface has written out by its number, as U+4E2D: nothing is dropped."""
    latin = typeface("NotoSans-Regular")
    return "".join(_written(character, latin) for character in text)


def runs(text: str, *, bold: bool = False) -> Iterator[tuple[Typeface, str]]:
    """A writable text in pieces of one typeface each."""
    latin = typeface("NotoSans-Bold" if bold else "NotoSans-Regular")
    current, piece = latin, ""
    for character in text:
        wanted = _script_face(ord(character))
        if wanted is None:
            # Spaces, joiners and signs stay in the run that they stand in, if its typeface has them.
            neutral = character in _JOINERS or not character.isalnum()
            wanted = current if neutral and (ord(character) in current.characters or character in _JOINERS) else latin
        if wanted is not current and piece:
            yield current, piece
            piece = ""
        current, piece = wanted, piece + character
    if piece:
        yield current, piece


@cache
def typeface(name: str) -> Typeface:
    """One of the typefaces of `node/fonts`, by its file's name."""
    data = files("node.fonts").joinpath(f"{name}.ttf").read_bytes()
    face = uharfbuzz.Face(uharfbuzz.Blob(data))
    font = uharfbuzz.Font(face)
    font.scale = (1000, 1000)
    extents = font.get_font_extents("ltr")
    return Typeface(
        name=name, data=data, face=face, font=font, characters=frozenset(face.unicodes), ascent=extents.ascender, descent=extents.descender
    )


def _written(character: str, latin: Typeface) -> str:
    face = _script_face(ord(character)) or latin
    known = ord(character) in face.characters and unicodedata.category(character) not in {"Cc", "Cf"}
    return character if known or character == "\n" or character in _JOINERS else f"U+{ord(character):04X}"


def _script_face(code: int) -> Typeface | None:
    for name, ranges in (("NotoSansKhmer-Regular", _KHMER), ("NotoSansThai-Regular", _THAI), ("NotoSansLao-Regular", _LAO)):
        if any(low <= code <= high for low, high in ranges):
            return typeface(name)
    return None
