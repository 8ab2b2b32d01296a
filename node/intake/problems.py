"""What is wrong with a file, said to the person who wrote it: where, what, and how to mend it, and never the value."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from exchange.errors import ExchangeError
from exchange.v1.desk_service_pb2 import SEVERITY_ERROR, SEVERITY_WARNING, Problem

FIELD_MISSING: Final = "FIELD_MISSING"

_MOST: Final = 500
_COMPARE: Final = "compare it with the source and write it again"


def error(code: str, field: str, message: str, remedy: str) -> Problem:
    """Make a problem that must be mended before anything is sent. `field` is a path, e.g. itinerary[0].arrival.zone."""
    return Problem(severity=SEVERITY_ERROR, code=code, field=field, message=message, remedy=remedy)


def warning(code: str, field: str, message: str, remedy: str) -> Problem:
    """Make a problem that a person should look at, and that stops nothing."""
    return Problem(severity=SEVERITY_WARNING, code=code, field=field, message=message, remedy=remedy)


def refusal(refused: ExchangeError, field: str) -> Problem:
    """Make an error of an exception whose message has the form "what is wrong: how to mend it"."""
    message, _, remedy = str(refused).partition(": ")
    return error(refused.code, field, message, remedy or _COMPARE)


def notice(code: str, message: str, field: str) -> Problem:
    """Make a warning of a message of that same form."""
    said, _, remedy = message.partition(": ")
    return warning(code, field, said, remedy or _COMPARE)


def refuses(problems: Iterable[Problem]) -> bool:
    """Tell whether any of these stops a release."""
    return any(problem.severity == SEVERITY_ERROR for problem in problems)


def covers(path: str, below: str) -> bool:
    """Tell whether `below` is `path` or lies inside it."""
    return below == path or below.startswith((f"{path}.", f"{path}["))


def capped(problems: Iterable[Problem]) -> Iterator[Problem]:
    """Pass on so many problems as a person can use; an error stands for the rest, so that none of them is overlooked."""
    for count, problem in enumerate(problems):
        if count == _MOST:
            yield error("PROBLEMS_TOO_MANY", "", "there is more wrong than is listed here", "mend these, then check again")
            return
        yield problem


def merge(*groups: Iterable[Problem]) -> tuple[Problem, ...]:
    """Join what several checks found, each thing once, errors first.

    A field that is there but could not be read is not also called missing.
    """
    joined: dict[tuple[int, str, str], Problem] = {}
    for problem in capped(chain.from_iterable(groups)):
        joined.setdefault((problem.severity, problem.code, problem.field), problem)
    unread = [problem.field for problem in joined.values() if problem.code != FIELD_MISSING]
    kept = [
        problem for problem in joined.values() if problem.code != FIELD_MISSING or not any(covers(problem.field, field) for field in unread)
    ]
    return tuple(sorted(kept, key=lambda problem: problem.severity))
