"""A report as people read it on paper: a title, facts, headings, tables over as many pages as it takes, and a foot on each page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from node.reports.pdf_file import A4, Page, PdfFile
from node.reports.shaping import Line, lines, shape, width

_MARGIN = 56.0
_ROOM = A4[0] - 2 * _MARGIN
_BOTTOM = 64.0
_BODY, _SMALL, _TITLE, _HEADING = 9.0, 7.5, 16.0, 11.5
_LEADING = 1.55
"""Lines apart, in type sizes: Khmer subscripts and Thai tone marks need more than Latin."""
_GUTTER = 8.0
_BETWEEN = 2.5
"""Between two rows."""


@dataclass(slots=True)
class Report:
    """A report under way; `finish` gives the PDF. Lengths in points."""

    title: str
    foot: str
    """Stands at the foot of each page: from where, and up to which checkpoint."""
    at: int
    """Unix milliseconds, UTC."""
    _file: PdfFile = field(init=False)
    _page: Page = field(init=False)
    _y: float = field(init=False)

    def __post_init__(self) -> None:
        self._file = PdfFile(self.title, self.at)
        self._turn()
        self._write(lines(self.title, round(_ROOM / _TITLE * 1000), bold=True), _MARGIN, _TITLE)
        self._y -= 6

    def heading(self, text: str) -> None:
        """A heading, kept together with what follows it."""
        self._need(5 * _BODY * _LEADING)
        self._y -= 10
        self._write(lines(text, round(_ROOM / _HEADING * 1000), bold=True), _MARGIN, _HEADING)
        self._y -= 2

    def paragraph(self, text: str) -> None:
        """Running text."""
        self._write(lines(text, round(_ROOM / _BODY * 1000)), _MARGIN, _BODY)
        self._y -= 3

    def facts(self, rows: Iterable[tuple[str, str]]) -> None:
        """Names at the left, what they are at the right; empty ones are left out."""
        self._rows([row for row in rows if row[1]], (0.24, 0.76), _BODY, grey=0.35)
        self._y -= 3

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]], shares: Sequence[float]) -> None:
        """A table; `shares` are the columns' parts of the width. Its head stands again on each page."""
        self._head(columns, shares)
        for row in rows:
            if self._rows([row], shares, _SMALL, only_if_it_fits=True):
                continue
            self._turn()
            self._head(columns, shares)
            self._rows([row], shares, _SMALL)
        self._y -= 4

    def finish(self) -> bytes:
        """The PDF file."""
        count = len(self._file.pages)
        for number, page in enumerate(self._file.pages, 1):
            page.rule(_MARGIN, _BOTTOM - 14, _ROOM)
            place = f"page {number} of {count}"
            foot = lines(self.foot, round((_ROOM - 70) / _SMALL * 1000))
            for offset, line in enumerate(foot[:2]):
                page.text(self._file, line, _MARGIN, _BOTTOM - 26 - offset * _SMALL * 1.4, _SMALL, grey=0.35)
            told = shape(place)
            page.text(self._file, told, A4[0] - _MARGIN - width(told) * _SMALL / 1000, _BOTTOM - 26, _SMALL, grey=0.35)
        return self._file.finish()

    def _head(self, columns: Sequence[str], shares: Sequence[float]) -> None:
        self._need(4 * _SMALL * _LEADING)
        self._rows([columns], shares, _SMALL, bold=True)
        self._page.rule(_MARGIN, self._y - 4, _ROOM)
        self._y -= 5

    def _rows(
        self,
        rows: Iterable[Sequence[str]],
        shares: Sequence[float],
        size: float,
        *,
        bold: bool = False,
        grey: float = 0.0,
        only_if_it_fits: bool = False,
    ) -> bool:
        for row in rows:
            rooms = [share * _ROOM - _GUTTER for share in shares]
            cells = [lines(text, round(room / size * 1000), bold=bold) for text, room in zip(row, rooms, strict=True)]
            height = max(map(len, cells)) * size * _LEADING
            if only_if_it_fits and self._y - height < _BOTTOM:
                return False
            # What is higher than a page goes on over the next.
            for depth in range(max(map(len, cells))):
                self._need(size * _LEADING)
                self._y -= size * _LEADING
                x = _MARGIN
                for number, (cell, share) in enumerate(zip(cells, shares, strict=True)):
                    if depth < len(cell):
                        self._page.text(self._file, cell[depth], x, self._y, size, grey=grey if number == 0 else 0.0)
                    x += share * _ROOM
            self._y -= _BETWEEN
        return True

    def _write(self, text: Sequence[Line], x: float, size: float) -> None:
        for line in text:
            self._need(size * _LEADING)
            self._y -= size * _LEADING
            self._page.text(self._file, line, x, self._y, size)

    def _need(self, height: float) -> None:
        if self._y - height < _BOTTOM:
            self._turn()

    def _turn(self) -> None:
        self._page = self._file.new_page()
        self._y = A4[1] - _MARGIN
