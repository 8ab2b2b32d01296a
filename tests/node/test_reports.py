"""Reports: every glyph where HarfBuzz puts it, the text to be copied as it was written, and CSV that nobody reckons with."""

import csv
import io
import re
import zlib
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import uharfbuzz

from node.reports.csv_file import harmless, write_csv
from node.reports.document import Report
from node.reports.fonts import runs, typeface, writable
from node.reports.pdf_file import PdfFile
from node.reports.shaping import lines, shape, width

FONTS = Path(__file__).parents[2] / "node" / "fonts"
AT = 1_785_000_000_000

# Synthetic names. Each needs shaping: subscripts, vowels before their consonant, stacked marks.
KHMER = "ស្រីសុខា ព្រះចន្ទ្រា"
THAI = "นายสมชาย น้ำผึ้งใหญ่"
LAO = "ສົມໄຊ ຈັນທະວົງ"
VIETNAMESE = "Nguyễn Thị Hường Đặng"


def by_harfbuzz(font_file: str, text: str) -> list[tuple[int, int, int, int]]:
    """(glyph, advance, x, y) as HarfBuzz says, from the font file alone: nothing of the code under test."""
    font = uharfbuzz.Font(uharfbuzz.Face(uharfbuzz.Blob((FONTS / font_file).read_bytes())))
    buffer = uharfbuzz.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    uharfbuzz.shape(font, buffer)
    placed = zip(buffer.glyph_infos, buffer.glyph_positions, strict=True)
    return [(info.codepoint, position.x_advance, position.x_offset, position.y_offset) for info, position in placed]


def drawn_glyphs(pdf: bytes) -> dict[str, list[int]]:
    """Glyph numbers by typeface, in the order in which the page's content draws them: read from the file's own bytes."""
    found: dict[str, list[int]] = {}
    for stream in streams(pdf):
        for name, shown in re.findall(rb"BT /F-(\S+) .*?\n(.*?)ET EMC", stream, re.DOTALL):
            found.setdefault(name.decode(), []).extend(int(glyph, 16) for glyph in re.findall(rb"<([0-9A-F]{4})>", shown))
    return found


def streams(pdf: bytes) -> list[bytes]:
    return [zlib.decompress(packed) for packed in re.findall(rb"stream\n(.*?)\nendstream", pdf, re.DOTALL)]


def page_of(text: str) -> bytes:
    file = PdfFile("Synthetic", AT)
    file.new_page().text(file, shape(text), 50, 500, 12)
    return file.finish()


@pytest.mark.parametrize(
    ("font", "text"),
    [
        ("NotoSansKhmer-Regular", KHMER),
        ("NotoSansThai-Regular", THAI),
        ("NotoSansLao-Regular", LAO),
        ("NotoSans-Regular", VIETNAMESE),
    ],
)
def test_a_name_is_shaped_as_harfbuzz_shapes_it(font: str, text: str) -> None:
    wanted = by_harfbuzz(f"{font}.ttf", text)
    (run,) = shape(text)
    assert [(glyph.id, glyph.advance, glyph.x, glyph.y) for glyph in run.glyphs] == wanted
    assert drawn_glyphs(page_of(text)) == {font: [glyph for glyph, *_ in wanted]}


def test_khmer_unshaped_would_be_found() -> None:
    """The shaped glyphs are others, in another order, than one glyph for each character."""
    font = typeface("NotoSansKhmer-Regular").font
    one_by_one = [font.get_nominal_glyph(ord(character)) for character in KHMER if character != " "]
    assert [glyph for glyph, *_ in by_harfbuzz("NotoSansKhmer-Regular.ttf", KHMER.replace(" ", ""))] != one_by_one


@pytest.mark.parametrize("text", [KHMER, THAI, LAO, VIETNAMESE, f"{VIETNAMESE} · {KHMER}, {THAI} (gb)"])
def test_a_name_is_copied_from_the_page_as_it_is_written(text: str) -> None:
    document = pypdfium2.PdfDocument(page_of(text))
    copied = document[0].get_textpage().get_text_range()
    assert copied.replace(" ", "") == text.replace(" ", "")  # pdfium guesses blanks between typefaces from their distance


def test_positions_in_the_file_are_harfbuzzs_own() -> None:
    """Widths, shifts and rises add up to where HarfBuzz puts each glyph."""
    text, font = KHMER, "NotoSansKhmer-Regular"
    pdf = page_of(text)
    each = re.search(rb"/W \[(.*?)\] /CIDToGIDMap", pdf, re.DOTALL)
    assert each is not None
    widths = {int(glyph): int(value) for glyph, value in re.findall(rb"(\d+) \[(\d+)\]", each[1])}
    (content,) = [stream for stream in streams(pdf) if b" Tm" in stream]
    pen, rise, placed = 0.0, 0.0, []
    for token in re.findall(rb"<[0-9A-F]{4}>|-?[\d.]+ Ts|-?[\d.]+(?= |\])", content.split(b" Tm\n")[1].split(b"ET EMC")[0]):
        if token.endswith(b"Ts"):
            rise = float(token[:-3]) / 12 * 1000
        elif token.startswith(b"<"):
            glyph = int(token[1:-1], 16)
            placed.append((glyph, round(pen), round(rise)))
            pen += widths[glyph]
        else:
            pen -= float(token)
    wanted, at = [], 0
    for glyph, advance, x, y in by_harfbuzz(f"{font}.ttf", text):
        wanted.append((glyph, at + x, y))
        at += advance
    assert placed == wanted
    assert round(pen) == at


def test_what_no_typeface_has_is_written_out() -> None:
    assert writable("中 ok \u202e") == "U+4E2D ok U+202E"
    assert "".join(piece for _, piece in runs(writable("ក中"))) == "កU+4E2D"
    assert not [glyph for run in shape(f"{KHMER}中\u202e\x07{THAI}") for glyph in run.glyphs if glyph.id == 0]


@pytest.mark.parametrize(
    "text", [KHMER.replace(" ", "") * 6, THAI.replace(" ", "") * 6, "ab" * 60, f"{VIETNAMESE} {KHMER} " * 8, "a/b-" * 40]
)
def test_lines_keep_their_room_and_lose_nothing(text: str) -> None:
    room = 9000
    found = lines(text, room)
    assert len(found) > 1
    assert all(width(line) <= room for line in found)
    assert "".join(run.text for line in found for run in line).replace(" ", "") == text.replace(" ", "")


def test_a_line_is_never_broken_inside_a_cluster() -> None:
    word = KHMER.replace(" ", "") * 6
    whole = [glyph.id for run in shape(word) for glyph in run.glyphs]
    assert [glyph.id for line in lines(word, 9000) for run in line for glyph in run.glyphs] == whole
    assert all(len(lines(word, room)) >= 1 for room in (0, 1, 100))


def test_a_report_goes_over_many_pages_each_with_its_foot() -> None:
    report = Report(title="Synthetic report", foot="gb.alerts.example/journal/1", at=AT)
    report.facts((("about", KHMER), ("empty", "")))
    report.heading("Disclosures")
    report.paragraph("Words. " * 200)
    report.table(("when", "to"), [(str(number), f"{VIETNAMESE} {number}") for number in range(150)], (0.3, 0.7))
    report.table(("one", "two"), [("x", "very long " * 2000)], (0.3, 0.7))
    pdf = report.finish()
    document = pypdfium2.PdfDocument(pdf)
    pages: list[Any] = [page.get_textpage().get_text_range() for page in document]
    assert len(pages) > 4
    for number, page in enumerate(pages, 1):
        assert f"page {number} of {len(pages)}" in page
        assert "gb.alerts.example/journal/1" in page
    assert "empty" not in pages[0]
    whole = "".join(pages)
    assert all(f"{VIETNAMESE} {number}" in whole.replace("\r\n", " ") for number in range(150))
    assert whole.count("very") == 2000
    assert pdf == _again(report.title)
    assert document.get_metadata_dict()["Title"] == "Synthetic report"


def _again(title: str) -> bytes:
    report = Report(title=title, foot="gb.alerts.example/journal/1", at=AT)
    report.facts((("about", KHMER), ("empty", "")))
    report.heading("Disclosures")
    report.paragraph("Words. " * 200)
    report.table(("when", "to"), [(str(number), f"{VIETNAMESE} {number}") for number in range(150)], (0.3, 0.7))
    report.table(("one", "two"), [("x", "very long " * 2000)], (0.3, 0.7))
    return report.finish()


def test_a_text_cannot_leave_its_string_in_the_file() -> None:
    document = pypdfium2.PdfDocument(page_of(") Tj ET (\\) <<>> /JavaScript"))
    assert len(document) == 1
    assert document[0].get_textpage().get_text_range().strip() == ") Tj ET (\\) <<>> /JavaScript"


FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "|cmd", "%0A", " =1", "\t=1", "\r=1", "\n=1", "\u200b=1", "\ufeff=1", "\x00=1")


@pytest.mark.parametrize("cell", [*FORMULAS, "＝1", "＋1", "＠x", "\u3000=1"])
def test_no_cell_becomes_a_formula(cell: str) -> None:
    assert harmless(cell).startswith("'")


@pytest.mark.parametrize("cell", ["", "2027-03-04", "gb.alerts.example", KHMER, THAI, "a=b", "x-y"])
def test_a_harmless_cell_stays_as_it_is(cell: str) -> None:
    assert harmless(cell) == cell


def test_csv_is_read_back_as_written() -> None:
    rows = [[KHMER, 'say "so"', "two\nlines"], ["=1+1", "a,b", ""]]
    data = write_csv(["name", "=what", "more"], rows)
    assert data.startswith(b"\xef\xbb\xbf")
    read = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert read == [["name", "'=what", "more"], [KHMER, 'say "so"', "two\nlines"], ["'=1+1", "a,b", ""]]


def test_the_typefaces_may_be_passed_on_and_are_small() -> None:
    files = list(FONTS.glob("*.ttf"))
    assert len(files) == 5
    assert sum(file.stat().st_size for file in files) < 2_000_000
    assert "SIL OPEN FONT LICENSE Version 1.1" in (FONTS / "OFL.txt").read_text("utf-8")
