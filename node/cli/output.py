"""What a person sees, and what a script reads: calm tables on a terminal, or one JSON object on one line.

Whatever came from a partner may hold terminal escapes or characters that turn the reading direction around: `plain`
makes them visible before anything is shown.
"""

import json
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

import click

from node.cli.context import settings

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

_DIRECTION_MARKS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_WIDTH_WITHOUT_TERMINAL: Final = 110
_without_terminal = ContextVar("columns without a terminal", default=_WIDTH_WITHOUT_TERMINAL)

_STATE_STYLES: Final[Mapping[str, str]] = {
    "receipted": "green",
    "reported": "green",
    "accepted": "green",
    "in force": "green",
    "shown": "green",
    "yes": "green",
    "up": "green",
    "refused": "red",
    "withheld": "yellow",
    "error": "red",
    "down": "yellow",
    "suspended": "yellow",
    "warning": "yellow",
    "logged": "yellow",
    "delivered": "cyan",
}


def show(data: Mapping[str, Any], draw: "Callable[[Console], None]") -> None:
    """Print the result of a command: `data` as one JSON object where that was asked for, else what `draw` prints."""
    if settings().json:
        click.echo(json.dumps(data, ensure_ascii=False))
    else:
        draw(console())


def console(*, stderr: bool = False) -> "Console":
    """A console that reads no markup and no emoji names into what it is given."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _without_terminal.get()
    return Console(file=stream, markup=False, emoji=False, highlight=False, soft_wrap=False, width=width)


@contextmanager
def as_wide_as(columns: int) -> Iterator[None]:
    """Print at that width meanwhile what goes to no terminal, since it is shown on one later."""
    before = _without_terminal.set(columns)
    try:
        yield
    finally:
        _without_terminal.reset(before)


def plain(text: str) -> str:
    """The text with control characters and direction overrides made visible; line feeds stay."""
    return "".join(
        character
        if character == "\n" or (unicodedata.category(character) != "Cc" and character not in _DIRECTION_MARKS)
        else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()) -> "Table":
    """A table with a line below its head and no other border; the columns in `right` are aligned to the right.

    A column whose head begins with `!` is short and never broken; its head loses the mark. Others wrap, and what is too
    long for a line goes on in the next: nothing that somebody may have to copy is cut off.
    """
    from rich import box
    from rich.table import Table

    drawn = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, show_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        name = column.removeprefix("!")
        drawn.add_column(name, justify="right" if name in right else "left", no_wrap=column.startswith("!"), overflow="fold")
    for row in rows:
        drawn.add_row(*(cell(value) for value in row))
    return drawn


def facts(rows: Iterable[tuple[str, str]]) -> "Table":
    """A list of named facts, without any border; facts that are empty are left out."""
    from rich.table import Table

    drawn = Table.grid(padding=(0, 3, 0, 0))
    drawn.add_column(style="dim", no_wrap=True)
    drawn.add_column()
    for name, value in rows:
        if value:
            drawn.add_row(name, cell(value))
    return drawn


def cell(value: str) -> "RenderableType":
    """One value as text, in the colour that its state has everywhere."""
    from rich.text import Text

    return Text(plain(value), style=_STATE_STYLES.get(value.split(":", maxsplit=1)[0].split(",", maxsplit=1)[0], ""))


def heading(text: str) -> "RenderableType":
    """A heading above a table."""
    from rich.text import Text

    return Text(f"\n{plain(text)}", style="bold")


def note(text: str) -> "RenderableType":
    """A remark below a table."""
    from rich.text import Text

    return Text(plain(text), style="dim")


@contextmanager
def progress(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show progress on long work, on the terminal's error stream and only if that is a terminal; call with each step."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(bar_width=30), MofNCompleteColumn(), TimeRemainingColumn())
    screen = console(stderr=True)
    hidden = settings().json or not screen.is_terminal or total < 2
    with Progress(*columns, console=screen, transient=True, disable=hidden) as bar:
        task = bar.add_task(label, total=total)
        yield lambda steps: bar.advance(task, steps)


@contextmanager
def working(label: str) -> Iterator[None]:
    """Show that work goes on whose length nobody knows, on the terminal's error stream and only if that is a terminal."""
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    screen = console(stderr=True)
    hidden = settings().json or not screen.is_terminal
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=screen, transient=True, disable=hidden) as bar:
        bar.add_task(label, total=None)
        yield


def grouped(fingerprint: bytes) -> str:
    """A fingerprint in groups of four hex digits, eight to a line, as two people read it to each other."""
    text = fingerprint.hex()
    groups = [text[start : start + 4] for start in range(0, len(text), 4)]
    return "\n".join(" ".join(groups[start : start + 8]) for start in range(0, len(groups), 8))


def in_words(fingerprint: bytes) -> str:
    """The same in words that are told apart by telephone, four to a line, each line a group of eight digits."""
    from node.fingerprints import groups

    return "\n".join(group.words for group in groups(fingerprint))
