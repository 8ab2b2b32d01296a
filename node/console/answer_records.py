"""Convictions, registration and court orders of an answer, field by field: by the schema, as drafts are composed, but kept in the form.

Nothing of it is stored before it is sent. What was typed so far and is not open on the page travels in one hidden field.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor

from exchange.errors import Malformed
from exchange.v1.desk_service_pb2 import Problem
from exchange.v1.information_pb2 import InformationResponse
from node.console.compose_form import Composer, Part, anchor, without_blanks
from node.console.compose_steps import Edit
from node.console.languages import Language
from node.console.problem_words import problem_words
from node.console.words import texts_in
from node.intake.fields import FieldReader
from node.intake.fill_in import fill_in
from node.intake.plain_document import Plain, read_document
from node.intake.problems import covers
from node.intake.value_checks import check_values

HELD: Final = "records"
"""The hidden field."""
FIELDS: Final = ("convictions", "registration", "court_orders")
_BUTTON: Final = re.compile(r"(add|open|remove):((?:convictions|court_orders)(?:\[[0-9]{1,2}\])?)")
_DESCRIPTOR: Final[Any] = InformationResponse.DESCRIPTOR


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Records:
    """What was typed, as far as it could be read. No repr: it is about a person."""

    typed: Mapping[str, Plain]
    content: InformationResponse
    problems: Sequence[Problem]
    edited: bool
    """Whether a row was added, opened or removed: then nothing is to be sent."""
    parts: Sequence[Part]

    @property
    def held(self) -> str:
        """For the hidden field."""
        return json.dumps(self.typed, ensure_ascii=False) if self.typed else ""

    def wrong(self, language: Language) -> dict[str, list[dict[str, Any]]]:
        """What is wrong beside each field, by its path."""
        found: dict[str, list[dict[str, Any]]] = {}
        for problem in self.problems:
            said = {"text": problem_words(language, problem.code), "english": _english(problem), "error": True}
            found.setdefault(self._place(problem), []).append(said | ({"english": ""} if said["text"] else {}))
        return found

    def listed(self, language: Language) -> list[dict[str, str]]:
        """The same for the list of all that is wrong, each with its link."""
        wrong = self.wrong(language)
        return [{"href": f"#{anchor(place)}", "text": str(one["text"] or one["english"])} for place in wrong for one in wrong[place]]

    def _place(self, problem: Problem) -> str:
        shown = [part.path for whole in self.parts for part in whole.all_parts() if covers(part.path, problem.field)]
        return max(shown, key=len, default=problem.field.partition("[")[0].partition(".")[0])


def read_records(form: Mapping[str, str], language: Language, today: date) -> Records:
    """What a form says of them; what a person typed stays as it is where it cannot be understood. Raises `Malformed` (FORM)."""
    button = _BUTTON.fullmatch(form.get("action", ""))
    verb, path = (button[1], button[2]) if button else ("", "")
    typed = _typed(form, language, today)
    Edit(verb=verb, path=path).apply(typed)
    kept = without_blanks(typed)
    document = kept if isinstance(kept, dict) else {}
    reader = FieldReader(language=language.code, today=today)
    content = reader.read(InformationResponse, document, "")
    fill_in(content)
    unread = {problem.field for problem in reader.problems}
    problems = [*reader.problems, *(problem for problem in check_values(content) if problem.field not in unread)]
    composer = _composer(language, today, path if verb in {"add", "open"} else "")
    parts = [composer.part(_field(name), name, document.get(name), content) for name in FIELDS]
    return Records(typed=document, content=content, problems=problems, edited=bool(button), parts=parts)


def _typed(form: Mapping[str, str], language: Language, today: date) -> dict[str, Plain]:
    composer, held = _composer(language, today), _held(form.get(HELD, ""))
    return {name: composer.typed(_field(name), name, form, held.get(name)) for name in FIELDS}


def _held(text: str) -> dict[str, Plain]:
    if not text:
        return {}
    try:
        # As the reader of alert files has it: bounded, and numbers are texts.
        read = read_document(text, name="records.json")
    except Malformed:
        read = None
    if not isinstance(read, dict) or not read.keys() <= set(FIELDS):
        raise Malformed("FORM", "the form is not as it was made")
    return read


def _composer(language: Language, today: date, more: str = "") -> Composer:
    return Composer(language=language, texts=texts_in(language), choices={}, today=today, more=more)


def _field(name: str) -> FieldDescriptor:
    field: FieldDescriptor = _DESCRIPTOR.fields_by_name[name]
    return field


def _english(problem: Problem) -> str:
    return f"{problem.message[:1].upper()}{problem.message[1:]}: {problem.remedy}."
