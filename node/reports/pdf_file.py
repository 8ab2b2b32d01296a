"""A PDF file (ISO 32000-1) of glyphs exactly as they were shaped: fonts embedded by glyph number, the text beside them for copying.

Each run of glyphs is marked with its text (ActualText, 14.9.4), so that a Khmer name is found and copied as it is written, although
its glyphs stand in another order. The same content and time give the same bytes.
"""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import uharfbuzz

from node.reports.fonts import Typeface
from node.reports.shaping import Glyph, Line, Run

A4 = (595.28, 841.89)
"""Width and height in points."""


@dataclass(slots=True)
class Page:
    """What is drawn on one page; lengths in points, y from the bottom."""

    content: list[str] = field(default_factory=list)

    def text(self, file: "PdfFile", line: Line, x: float, y: float, size: float, *, grey: float = 0.0) -> None:
        """Draw a shaped line with its beginning at (x, y). `grey` is 0 for black, below 1."""
        self.content.append(f"{grey:g} g")
        for run in line:
            if run.glyphs:
                file.use(run)
                shown = run.text.encode("utf-16-be").hex().upper()
                self.content.append(f"/Span <</ActualText <FEFF{shown}>>> BDC")
                self.content.append(f"BT /{file.resource(run.face)} {size:g} Tf 1 0 0 1 {x:.2f} {y:.2f} Tm")
                self.content.extend(_show(run, file.widths(run.face), size))
                self.content.append("ET EMC")
            x += run.width * size / 1000

    def rule(self, x: float, y: float, length: float) -> None:
        """Draw a thin grey line to the right."""
        self.content.append(f"0.6 G 0.5 w {x:.2f} {y:.2f} m {x + length:.2f} {y:.2f} l S")


@dataclass(slots=True)
class PdfFile:
    """Gathers pages, and the glyphs that they use."""

    title: str
    at: int
    """Unix milliseconds, UTC: the time that the file bears."""
    pages: list[Page] = field(default_factory=list)
    _faces: dict[str, Typeface] = field(default_factory=dict)
    _used: dict[str, dict[int, str]] = field(default_factory=dict)

    def new_page(self) -> Page:
        """A further page, A4 upright."""
        self.pages.append(Page())
        return self.pages[-1]

    def use(self, run: Run) -> None:
        """Note that the glyphs of a run are drawn, and what they stand for."""
        self._faces[run.face.name] = run.face
        used = self._used.setdefault(run.face.name, {})
        starts = sorted({glyph.cluster for glyph in run.glyphs})
        ends = dict(zip(starts, [*starts[1:], len(run.text)], strict=True))
        for glyph in run.glyphs:
            used.setdefault(glyph.id, run.text[glyph.cluster : ends[glyph.cluster]])

    def resource(self, face: Typeface) -> str:
        """The name by which a page asks for a typeface."""
        return f"F-{face.name}"

    def widths(self, face: Typeface) -> "Widths":
        """The widths that the file gives for the glyphs of a typeface, in thousandths."""
        return Widths(face)

    def finish(self) -> bytes:
        """The whole file."""
        objects = _Objects()
        catalog, tree, info = objects.reserve(), objects.reserve(), objects.reserve()
        fonts = {name: self._font(objects, name) for name in sorted(self._faces)}
        resources = (
            "<< /Font << " + " ".join(f"/{self.resource(self._faces[name])} {number} 0 R" for name, number in fonts.items()) + " >> >>"
        )
        kids = []
        for page in self.pages:
            content = objects.add_stream("", "\n".join(page.content).encode("ascii"))
            box = f"[0 0 {A4[0]} {A4[1]}]"
            kids.append(
                objects.add(f"<< /Type /Page /Parent {tree} 0 R /MediaBox {box} /Contents {content} 0 R /Resources {resources} >>".encode())
            )
        listed = " ".join(f"{kid} 0 R" for kid in kids)
        objects.put(tree, f"<< /Type /Pages /Count {len(kids)} /Kids [{listed}] >>".encode())
        objects.put(catalog, f"<< /Type /Catalog /Pages {tree} 0 R /Lang (en) /ViewerPreferences << /DisplayDocTitle true >> >>".encode())
        made = datetime.fromtimestamp(self.at // 1000, UTC).strftime("D:%Y%m%d%H%M%SZ")
        title = self.title.encode("utf-16-be").hex().upper()
        objects.put(info, f"<< /Title <FEFF{title}> /Producer (Alert Exchange) /CreationDate ({made}) >>".encode())
        return objects.finish(catalog, info)

    def _font(self, objects: "_Objects", name: str) -> int:
        face, used = self._faces[name], self._used[name]
        subset = _subset(face, used)
        program = objects.add_stream(f"/Length1 {len(subset)}", subset)
        widths = self.widths(face)
        each = " ".join(f"{number} [{widths[number]}]" for number in sorted(used))
        descriptor = objects.add(
            f"<< /Type /FontDescriptor /FontName /{name} /Flags 4 /FontBBox [-1000 -500 2000 1500] /ItalicAngle 0 "
            f"/Ascent {face.ascent} /Descent {face.descent} /CapHeight 714 /StemV 80 /FontFile2 {program} 0 R >>".encode()
        )
        descendant = objects.add(
            f"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /{name} /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) "
            f"/Supplement 0 >> /FontDescriptor {descriptor} 0 R /DW 1000 /W [{each}] /CIDToGIDMap /Identity >>".encode()
        )
        meanings = objects.add_stream("", _to_unicode(used))
        return objects.add(
            f"<< /Type /Font /Subtype /Type0 /BaseFont /{name} /Encoding /Identity-H /DescendantFonts [{descendant} 0 R] "
            f"/ToUnicode {meanings} 0 R >>".encode()
        )


@dataclass(frozen=True, slots=True)
class Widths:
    """Advances of the glyphs of one typeface as its own table has them."""

    face: Typeface

    def __getitem__(self, glyph: int) -> int:
        """In thousandths."""
        return int(self.face.font.get_glyph_h_advance(glyph))


def _show(run: Run, widths: Widths, size: float) -> Iterable[str]:
    """The operators that draw a run: glyphs by number, with HarfBuzz's own advances and offsets (9.4.3: numbers move to the left)."""
    rise = 0
    shown: list[str] = []
    for glyph in run.glyphs:
        if glyph.y != rise:
            yield from _flush(shown)
            rise = glyph.y
            yield f"{rise * size / 1000:.3f} Ts"
        shown.append(_placed(glyph, widths[glyph.id]))
    yield from _flush(shown)
    if rise:
        yield "0 Ts"


def _placed(glyph: Glyph, own_width: int) -> str:
    before = f"{-glyph.x} " if glyph.x else ""
    behind = glyph.x + own_width - glyph.advance
    return f"{before}<{glyph.id:04X}>" + (f" {behind}" if behind else "")


def _flush(shown: list[str]) -> Iterable[str]:
    if shown:
        yield f"[{' '.join(shown)}] TJ"
        shown.clear()


def _subset(face: Typeface, used: Iterable[int]) -> bytes:
    """The font file with the outlines of these glyphs only, under their own numbers."""
    wanted = uharfbuzz.SubsetInput()
    wanted.glyph_set.update(used)
    wanted.flags = uharfbuzz.SubsetFlags.RETAIN_GIDS | uharfbuzz.SubsetFlags.NO_LAYOUT_CLOSURE | uharfbuzz.SubsetFlags.NOTDEF_OUTLINE
    wanted.drop_table_tag_set.update(int.from_bytes(tag, "big") for tag in (b"GSUB", b"GPOS", b"GDEF"))  # shaping is done
    return bytes(uharfbuzz.subset(face.face, wanted).blob.data)


def _to_unicode(used: dict[int, str]) -> bytes:
    """The CMap from glyph numbers to text, for programs that do not read ActualText (9.10.3)."""
    rows = [f"<{glyph:04X}> <{text.encode('utf-16-be').hex().upper()}>" for glyph, text in sorted(used.items()) if text]
    blocks = []
    for start in range(0, len(rows), 100):
        block = rows[start : start + 100]
        blocks.append(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar")
    return "\n".join(
        (
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
            "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
            "/CMapName /Adobe-Identity-UCS def /CMapType 2 def",
            "1 begincodespacerange <0000> <FFFF> endcodespacerange",
            *blocks,
            "endcmap CMapName currentdict /CMap defineresource pop end end",
        )
    ).encode("ascii")


@dataclass(slots=True)
class _Objects:
    """The numbered objects of a file."""

    bodies: list[bytes] = field(default_factory=list)

    def reserve(self) -> int:
        self.bodies.append(b"")
        return len(self.bodies)

    def put(self, number: int, body: bytes) -> None:
        self.bodies[number - 1] = body

    def add(self, body: bytes) -> int:
        self.bodies.append(body)
        return len(self.bodies)

    def add_stream(self, entries: str, data: bytes) -> int:
        packed = zlib.compress(data, 9)
        head = f"<< /Length {len(packed)} /Filter /FlateDecode {entries} >>\nstream\n".encode()
        return self.add(head + packed + b"\nendstream")

    def finish(self, catalog: int, info: int) -> bytes:
        out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        places = []
        for number, body in enumerate(self.bodies, 1):
            places.append(len(out))
            out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
        start = len(out)
        out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1)
        out += b"".join(b"%010d 00000 n \n" % place for place in places)
        out += b"trailer\n<< /Size %d /Root %d 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(places) + 1, catalog, info, start)
        return bytes(out)
