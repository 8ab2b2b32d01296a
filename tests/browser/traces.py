"""What a day leaves behind where anybody may come to read it: addresses, titles, and what the nodes write into their logs.

Of whom the day was about, and of what people typed, nothing may stand there.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_plus

from playwright.sync_api import ConsoleMessage, Page, Request

from tests.browser.chromium import TITLE

_ESCAPED: Final = re.compile(r"\\u([0-9a-fA-F]{4})")
_CODE: Final = re.compile(r"[A-Z0-9_]+")
_SHORTEST: Final = 5
"""Of fewer letters, what was typed could stand in a log by accident."""


@dataclass
class Traces:
    """Gathers what is left of one day, and what must not be found in it. `done` fails if anything is."""

    logs: Sequence[Path]
    """Into each of these a node writes all that it says, on either output."""
    secret: set[str] = field(default_factory=set)
    """What the day is about: names, numbers, and whatever free text was sent with a form."""
    _left: set[tuple[str, str]] = field(default_factory=set)

    def over(self, page: Page) -> None:
        """Gather from a window, which has opened nothing yet."""
        page.context.on("request", self._request)
        page.context.on("console", self._console)
        page.on("framenavigated", lambda frame: self._left.add(("an address", frame.url)))

    def about(self, *words: str) -> None:
        """Say what else the day is about."""
        self.secret.update(words)

    def done(self) -> None:
        """Nothing of it was left anywhere."""
        said = [*self._left, *((path.as_posix(), path.read_text("utf-8", "replace")) for path in self.logs)]
        found = {(where, word) for where, text in said for word in found_in(text, self.secret)}
        assert not found, f"{sorted(found)}"

    def _request(self, request: Request) -> None:
        self._left.add(("an address", request.url))
        if request.method == "POST":
            self.secret.update(free_texts(request.post_data or ""))

    def _console(self, message: ConsoleMessage) -> None:
        if message.text.startswith(TITLE):
            self._left.add(("a title", message.text.removeprefix(TITLE)))


def texts_in(document: Any) -> Iterator[str]:
    """Every text of an alert file that is no code."""
    if isinstance(document, str) and len(document) >= _SHORTEST and not _CODE.fullmatch(document):
        yield document
    for inner in document.values() if isinstance(document, dict) else document if isinstance(document, list) else ():
        yield from texts_in(inner)


def free_texts(form: str) -> Iterator[str]:
    """Of a form as it was sent, what a person wrote in words of their own: it has blanks, or letters that are not Latin."""
    for _, value in parse_qsl(form):
        for line in value.splitlines():
            words = line.strip()
            if len(words) >= _SHORTEST and (" " in words or not words.isascii()):
                yield words


def found_in(text: str, words: set[str]) -> set[str]:
    """Which of the words stand in a text, in capitals or not, as they are or escaped as addresses and logs escape them."""
    plain = (text + unquote_plus(text) + _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)).casefold()
    return {word for word in words if word.casefold() in plain}
