"""Looks for a person's values in files, byte by byte, in every form in which text leaks: plain, UTF-16, base64, percent-encoded, escaped.

The three alignments of base64 are those in which the value can stand in a longer text. Letters of ASCII count whatever their case, but
not in base64.
"""

import base64
import json
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path


def forms(value: str) -> Mapping[str, bytes]:
    """What a value looks like in each encoding, by the encoding's name."""
    data = value.encode()
    found = {
        "utf-8": data,
        "utf-16-le": value.encode("utf-16-le"),
        "utf-16-be": value.encode("utf-16-be"),
        "percent": urllib.parse.quote(value, safe="").encode(),
        "percent, plus": urllib.parse.quote_plus(value).encode(),
        "escaped": json.dumps(value)[1:-1].encode(),
    }
    for offset in range(3):
        found[f"base64, {offset}"] = aligned(data, offset)
        found[f"base64 for addresses, {offset}"] = aligned(data, offset).translate(bytes.maketrans(b"+/", b"-_"))
    return found


def aligned(data: bytes, offset: int) -> bytes:
    """The characters of base64 that depend on `data` alone when it stands `offset` bytes behind a group's beginning."""
    encoded = base64.b64encode(bytes(offset) + data).rstrip(b"=")
    end = len(encoded) - bool((offset + len(data)) % 3)
    return encoded[(0, 2, 3)[offset] : end]


def hits(content: bytes, values: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(value, encoding) of whatever is found."""
    lower = content.lower()
    for value in values:
        for name, form in forms(value).items():
            if form in content if name.startswith("base64") else form.lower() in lower:
                yield value, name


def files_below(*places: Path) -> list[Path]:
    """Every file in these directories, and these files."""
    return [path for place in places for path in ([place] if place.is_file() else sorted(place.rglob("*"))) if path.is_file()]


def scan(places: Iterable[Path], values: Iterable[str]) -> list[tuple[str, str, str]]:
    """(file, value, encoding) of whatever is found in these places."""
    values = list(values)
    return [(path.name, value, name) for path in files_below(*places) for value, name in hits(path.read_bytes(), values)]
