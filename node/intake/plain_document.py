"""A YAML or JSON text as plain mappings, lists and texts. Nothing in it is executed, expanded or guessed.

Scalars stay as they are written: `NO` is not false, `0123` is not octal and `2027-03-04` is not yet a date; what a text
means is decided by the field it stands in. Only a bare `null` or `~`, and JSON's true and false, mean something by themselves.
Anchors, aliases and tags are refused, so no small file unfolds into a large one.
Source: YAML 1.1 as PyYAML reads it, RFC 8259.
"""

import json
from typing import Any, Final, NoReturn

import yaml

from exchange.errors import Malformed

MAX_BYTES: Final = 512 * 1024
MAX_DEPTH: Final = 16

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where PyYAML was built with it, ten times faster

Plain = str | bool | list["Plain"] | dict[str, "Plain"] | None


class DocumentInvalid(Malformed):
    """Not a plain document. The message has the form "what is wrong: how to mend it", with the line where there is one."""


def read_document(text: str, *, name: str) -> Plain:
    """Read one document; as JSON when `name` ends in .json, else as YAML. Raises `DocumentInvalid` (DOCUMENT_…)."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise DocumentInvalid("DOCUMENT_ENCODING", "the file is not UTF-8: save it as UTF-8") from None
    if size > MAX_BYTES:
        raise DocumentInvalid("DOCUMENT_SIZE", f"the file is too large: an alert file has at most {MAX_BYTES // 1024} KiB")
    return _json(text) if name.lower().endswith(".json") else _yaml(text)


def _check_depth(read: Plain) -> None:
    level: list[Plain] = [read]
    for _ in range(MAX_DEPTH):
        level = [
            inner for outer in level if isinstance(outer, (list, dict)) for inner in (outer if isinstance(outer, list) else outer.values())
        ]
        if not level:
            return
    _too_deep()


def _too_deep() -> NoReturn:
    raise DocumentInvalid("DOCUMENT_DEPTH", f"the file is nested too deeply: no alert needs more than {MAX_DEPTH} levels")


def _duplicate(line: int | None) -> NoReturn:
    where = f"line {line} gives" if line else "the file gives"
    raise DocumentInvalid("DOCUMENT_DUPLICATE_KEY", f"{where} a name a second time in one mapping: keep one of the two")


def _json(text: str) -> Plain:
    def mapping(pairs: list[tuple[str, Plain]]) -> dict[str, Plain]:
        read = dict(pairs)
        if len(read) != len(pairs):
            _duplicate(None)
        return read

    def constant(_: str) -> NoReturn:
        raise DocumentInvalid("DOCUMENT_SYNTAX", "the file holds NaN or Infinity: write a number or leave it out")

    try:
        read: Plain = json.loads(text, object_pairs_hook=mapping, parse_int=str, parse_float=str, parse_constant=constant)
        json.dumps(read, ensure_ascii=False).encode()  # \ud800 alone is a character of no text, and JSON lets it be written
    except json.JSONDecodeError as broken:
        raise _syntax("JSON", broken.lineno) from None
    except UnicodeEncodeError:
        raise DocumentInvalid("DOCUMENT_ENCODING", "the file holds half a character: save it again as plain UTF-8") from None
    except RecursionError:
        _too_deep()
    _check_depth(read)
    return read


def _syntax(language: str, line: int) -> DocumentInvalid:
    return DocumentInvalid(
        "DOCUMENT_SYNTAX",
        f"line {line} is not {language}: look there and just before for indentation, brackets, quotes and colons",
    )


def _yaml(text: str) -> Plain:
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.MarkedYAMLError as broken:
        mark = broken.problem_mark or broken.context_mark
        raise _syntax("YAML", mark.line + 1 if mark else 1) from None
    except yaml.YAMLError:
        raise DocumentInvalid("DOCUMENT_ENCODING", "the file holds a character that no text has: save it again as plain UTF-8") from None
    return builder.document()


class _Builder:
    """Builds the document from parser events, with a stack of its own."""

    def __init__(self) -> None:
        self._documents: list[Plain] = []
        self._open: list[list[Plain] | dict[str, Plain]] = []
        self._keys: list[str | None] = []

    def document(self) -> Plain:
        if len(self._documents) != 1:
            raise DocumentInvalid("DOCUMENT_MANY", "the file holds no document or several: one file is one alert")
        return self._documents[0]

    def take(self, event: yaml.Event) -> None:
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise DocumentInvalid("DOCUMENT_ANCHOR", f"line {line} has an anchor or alias (& or *): write it out")
        if getattr(event, "tag", None):
            raise DocumentInvalid("DOCUMENT_TAG", f"line {line} has a tag (!): leave it out, or quote the text")
        if isinstance(event, yaml.ScalarEvent):
            bare = not event.style and event.value in _NULLS
            self._put(None if bare else event.value, line)
        elif isinstance(event, yaml.MappingStartEvent):
            self._enter({}, line)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._enter([], line)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._open.pop()
            self._keys.pop()

    def _enter(self, collection: list[Plain] | dict[str, Plain], line: int) -> None:
        self._put(collection, line)
        if len(self._open) == MAX_DEPTH:  # at once: the parser's own cost grows with the square of the depth
            _too_deep()
        self._open.append(collection)
        self._keys.append(None)

    def _put(self, value: Plain, line: int) -> None:
        if not self._open:
            self._documents.append(value)
        elif isinstance(outer := self._open[-1], list):
            outer.append(value)
        elif (key := self._keys[-1]) is not None:
            outer[key] = value
            self._keys[-1] = None
        elif not isinstance(value, str):
            raise DocumentInvalid("DOCUMENT_KEY", f"line {line} uses something that is no text as a name: write a name")
        elif value in outer:
            _duplicate(line)
        else:
            self._keys[-1] = value
