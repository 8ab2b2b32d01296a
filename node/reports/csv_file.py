"""Rows as CSV (RFC 4180) that a spreadsheet reads as text: no cell can become a formula."""

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

_FORMULA: Final = ("=", "+", "-", "@", "|", "%")
"""What begins a formula in one spreadsheet or another (OWASP, CSV Injection); also in full width, and after white space."""

_UNSEEN: Final = frozenset({"Cc", "Cf"})


def write_csv(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """The file, in UTF-8 with a byte order mark, without which Excel reads Khmer and Vietnamese as another code page."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([harmless(column) for column in columns])
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def harmless(cell: str) -> str:
    """The cell, with an apostrophe before it if a spreadsheet would reckon with it; control characters become visible."""
    read = unicodedata.normalize("NFKC", "".join(character for character in cell if unicodedata.category(character) not in _UNSEEN))
    shown = "".join(_shown(character) for character in cell)
    return f"'{shown}" if read.lstrip()[:1] in _FORMULA else shown


def _shown(character: str) -> str:
    if character == "\n" or unicodedata.category(character) not in _UNSEEN or character in "\u200b\u200c\u200d":
        return character  # joiners belong to Khmer, Thai and Indian scripts
    return "\N{REPLACEMENT CHARACTER}"
