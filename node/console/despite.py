"""Other alerts about the same person: on pages one says in a form what the command line says with `--despite-duplicate`."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from exchange.v1.desk_service_pb2 import Problem

TICK: Final = "known."
"""What the names of the form's fields begin with; behind it stands the reference."""
_OPTION: Final = re.compile(r"[,;] then (?:name it: )?--despite-duplicate [^;]*")
_WRONG: Final = ("name what was wrong: --wrong", "name the fields that were wrong")
_REFERENCE: Final = re.compile(r"[0-9a-f]{8,64}|spiffe://[!-~]{1,200}")
"""How a problem names another alert, or whom to ask for it."""


def _said(text: str) -> str:
    """Mark a text for the catalogue that is looked up later."""
    return text


DUPLICATES: Final[Mapping[str, str]] = {
    "SUBJECT_ALERTED_BY_PARTNER": _said("A partner has alerted of this person already."),
    "SUBJECT_ALREADY_ALERTED": _said("This country has alerted of this person already."),
    "SUBJECT_REQUESTED_OPEN": _said("A question about this person is open."),
}


def in_console(problem: Problem) -> Problem:
    """A problem as a page tells it: the same, but the form is named where the node names the option of the command line."""
    told = Problem()
    told.CopyFrom(problem)
    told.remedy = _OPTION.sub(", then say below that you know of it", problem.remedy).replace(*_WRONG)
    return told


def named_by(problem: Problem) -> str:
    """How a problem names the other alert; empty for any other problem."""
    return problem.field.partition("[")[2].removesuffix("]") if problem.code in DUPLICATES else ""


def ticked(form: Mapping[str, str]) -> Iterator[str]:
    """The references that are ticked in the form."""
    for name, value in form.items():
        reference = name.removeprefix(TICK)
        if name != reference and value == "yes" and _REFERENCE.fullmatch(reference):
            yield reference
