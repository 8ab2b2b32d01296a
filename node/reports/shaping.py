"""Text into glyphs and lines, by HarfBuzz: Khmer, Thai and Lao vowels and subscripts stand where they belong."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import uharfbuzz

from node.reports.fonts import Typeface, runs, writable

_FEATURES = {"kern": True, "liga": True}
_SPACES = " \u200b"
_MARKS = frozenset("/-_.#:@")
_WORD = re.compile("[^ \u200b]*[ \u200b]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Glyph:
    """One glyph where HarfBuzz puts it, in thousandths of the type size."""

    id: int
    cluster: int
    """Index in the run's text of the first character that it stands for."""
    advance: int
    x: int
    y: int
    breakable: bool
    """A line may end before it, and both parts still look as they do in one piece."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Glyphs of one typeface, and the text that they stand for."""

    face: Typeface
    text: str
    glyphs: tuple[Glyph, ...]

    @property
    def width(self) -> int:
        """In thousandths of the type size."""
        return sum(glyph.advance for glyph in self.glyphs)


Line = tuple[Run, ...]


def shape(text: str, *, bold: bool = False) -> Line:
    """The glyphs of a text, in one line."""
    return tuple(_shape_run(face, piece) for face, piece in runs(writable(text), bold=bold))


def width(line: Sequence[Run]) -> int:
    """In thousandths of the type size."""
    return sum(run.width for run in line)


def lines(text: str, room: int, *, bold: bool = False) -> list[Line]:
    """The text in lines of at most `room` (thousandths of the type size), at least one.

    Broken at line feeds, spaces and zero-width spaces; a word that has no such place, as in Khmer and Thai or a long digest, where
    shaping allows it. A single cluster is never broken, however little room there is.
    """
    found: list[Line] = []
    for paragraph in writable(text).split("\n"):
        current, used = "", 0
        for word in _WORD.findall(paragraph):
            for part in _parts(word, room, bold=bold):
                if current and used + width(shape(part.rstrip(_SPACES), bold=bold)) > room:
                    found.append(shape(current.rstrip(_SPACES), bold=bold))
                    current, used = "", 0
                current, used = current + part, used + width(shape(part, bold=bold))
        found.append(shape(current.rstrip(_SPACES), bold=bold))
    return found


def _parts(word: str, room: int, *, bold: bool) -> Iterator[str]:
    """A word whole if it fits, else cut where shaping allows it, after a mark such as / where there is one."""
    line = shape(word.rstrip(_SPACES), bold=bold)
    if width(line) <= room:
        yield word
        return
    start, used, place = 0, 0, 0
    seen = 0  # a cluster may have several glyphs, and a line ends only before its first
    cuts: dict[bool, tuple[int, int]] = {}
    for run in line:
        for glyph in run.glyphs:
            at = place + glyph.cluster
            if glyph.breakable and at > max(start, seen):
                cuts[word[at - 1] in _MARKS] = (at, used)
            if used + glyph.advance > room and cuts:
                cut, used_there = cuts.get(True) or cuts[False]
                yield word[start:cut]
                start, used = cut, used - used_there
                cuts = {kind: (at, there - used_there) for kind, (at, there) in cuts.items() if at > cut}
            used, seen = used + glyph.advance, at
        place += len(run.text)
    yield word[start:]


def _shape_run(face: Typeface, text: str) -> Run:
    buffer = uharfbuzz.Buffer()
    buffer.cluster_level = uharfbuzz.BufferClusterLevel.MONOTONE_GRAPHEMES
    buffer.add_str(text)
    buffer.guess_segment_properties()
    buffer.direction = "ltr"  # no typeface here is written from right to left
    uharfbuzz.shape(face.font, buffer, _FEATURES)
    glyphs = tuple(
        Glyph(
            id=info.codepoint,
            cluster=info.cluster,
            advance=position.x_advance,
            x=position.x_offset,
            y=position.y_offset,
            breakable=not info.flags & uharfbuzz.GlyphFlags.UNSAFE_TO_BREAK,
        )
        for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True)
    )
    return Run(face=face, text=text, glyphs=glyphs)
