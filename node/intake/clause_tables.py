"""Clauses in TOML, in the field names of the schema: what an agreement file and a file of national clauses have in common."""

import re
import tomllib
from datetime import date, datetime
from typing import Any, Final

from exchange.profile import alert_types
from exchange.v1.agreement_pb2 import Clause
from exchange.v1.desk_service_pb2 import Problem
from node.intake.alert_file import alert_type_called
from node.intake.fields import FieldReader, is_nothing, unknown_name
from node.intake.marks import Marks, default_marks
from node.intake.paths import at, item
from node.intake.plain_document import MAX_BYTES, Plain
from node.intake.problems import error

_LISTS: Final = ("required", "permitted", "on_request")
_MARKS: Final = "marks"
_DEFAULT: Final = "default"
_LINE = re.compile(r"at line ([0-9]+)")
UNUSED_DATE: Final = date(1970, 1, 1)  # nothing in a clause is told by today's date


def read_toml(text: str) -> dict[str, Plain] | Problem:
    """Read a file of clauses; or tell why it cannot be read at all."""
    if len(text) > MAX_BYTES:
        return error("DOCUMENT_SIZE", "", "the file is too large", f"a file of clauses has at most {MAX_BYTES // 1024} KiB")
    try:
        return {key: _plain(value) for key, value in tomllib.loads(text).items()}
    except tomllib.TOMLDecodeError as broken:
        line = _LINE.search(str(broken))
        where = f"line {line[1]}" if line else "the end of the file"
        return error("DOCUMENT_SYNTAX", "", f"{where} is not TOML", "look there for quotes, brackets and double names")
    except RecursionError:
        return error("DOCUMENT_DEPTH", "", "the file is nested too deeply", "it has lists of plain tables")


def tables(value: Plain) -> list[dict[str, Plain]]:
    """List the tables of an array by their places; what is no table is empty here, and told when the schema reads it."""
    if is_nothing(value):
        return []
    return [table if isinstance(table, dict) else {} for table in (value if isinstance(value, list) else [value])]


class ClauseTables:
    """Reads what the schema cannot: types of alerts by their short names, fields by theirs. What is wrong is in `problems`."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def name_type(self, clause: dict[str, Plain], path: str) -> None:
        """Put the full name of the alert type in the place of what the file says."""
        given = clause.get("alert_type")
        kind = alert_type_called(given) if isinstance(given, str) else None
        if kind is None:
            known = ", ".join(known.name.rpartition(".")[2] for known in alert_types().values() if not known.control)
            problem = error("TYPE_UNKNOWN", at(path, "alert_type"), "no such type of alert", f"write one of {known}")
            self.problems.append(problem)
        else:
            clause["alert_type"] = kind.name

    def take_fields(self, clause: dict[str, Plain], path: str) -> Marks:
        """Take the names of fields out of a clause, and tell the numbers that they stand for."""
        marks = clause.pop(_MARKS, None)
        lists = [clause.pop(name, None) for name in _LISTS]
        if is_nothing(marks):
            required, permitted, on_request = (
                self._numbers(clause, given, at(path, name)) for name, given in zip(_LISTS, lists, strict=True)
            )
            return Marks(required=required, permitted=permitted, on_request=on_request)
        if marks != _DEFAULT or any(given is not None for given in lists):
            remedy = f'write marks = "{_DEFAULT}" alone, or the lists {", ".join(_LISTS)} without marks'
            self.problems.append(error("MARKS_UNCLEAR", at(path, _MARKS), "it is not clear which fields are meant", remedy))
        return _default(clause, path)

    def _numbers(self, clause: dict[str, Plain], given: Plain, path: str) -> tuple[int, ...]:
        kind = alert_types().get(str(clause.get("alert_type")))
        if kind is None or is_nothing(given):
            return ()
        named = {field.name: field.number for field in kind.fields}
        numbers = []
        for index, name in enumerate(given if isinstance(given, list) else [given]):
            number = named.get(name) if isinstance(name, str) else None
            if number is None:
                problem = unknown_name(named, name if isinstance(name, str) else "", item(path, index))
                problem.field = item(path, index)
                self.problems.append(problem)
            else:
                numbers.append(number)
        return tuple(sorted(set(numbers)))


def _default(clause: dict[str, Plain], path: str) -> Marks:
    kind = clause.get("alert_type")
    reader = FieldReader(language="", today=UNUSED_DATE)  # its problems are told when the whole clause is read
    audience = reader.read(Clause, {"audience": clause.get("audience")}, path).audience
    if not isinstance(kind, str) or kind not in alert_types() or not audience:
        return Marks(required=(), permitted=(), on_request=())
    return default_marks(kind, audience)


def _plain(value: Any) -> Plain:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value if isinstance(value, (str, bool)) else value.isoformat() if isinstance(value, datetime) else str(value)
