"""What a check of this node's own records found, and how far it is."""

from collections import Counter
from dataclasses import dataclass, field
from typing import TypeAlias

from exchange.v1 import desk_service_pb2

AT_MOST = 1000
"""Whoever has so many to read needs no more; the counts go on."""

CRITICAL = desk_service_pb2.FINDING_GRADE_CRITICAL
"""A proof is broken: a hash, a signature, a root or a chain does not hold."""
PRIORITY = desk_service_pb2.FINDING_GRADE_PRIORITY
"""A duty was missed."""
ACTION = desk_service_pb2.FINDING_GRADE_ACTION
"""A person has to do something."""
OBSERVATION = desk_service_pb2.FINDING_GRADE_OBSERVATION
"""Worth knowing, and explained."""

Grade: TypeAlias = "desk_service_pb2.FindingGrade.ValueType"

_ERRORS = (CRITICAL, PRIORITY)


@dataclass(frozen=True, slots=True)
class Step:
    """How far one pass of a check is, in the things that it goes through."""

    name: str
    origin: str
    done: int
    total: int


@dataclass(slots=True)
class Findings:
    """Gathers what is wrong, each with a stable code, and counts what was looked at."""

    found: list[desk_service_pb2.Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def error(self, code: str, message: str, *, origin: str = "", index: int = -1, count: int = 1, grade: Grade = CRITICAL) -> None:
        """Something that must never be: by itself CRITICAL. The fault lies in one of `count` entries from `index` on."""
        self._add(grade, code, message, origin, index, count)

    def warning(self, code: str, message: str, *, origin: str = "", index: int = -1, count: int = 1, grade: Grade = OBSERVATION) -> None:
        """Something that a person should know, and that has an explanation: by itself an OBSERVATION."""
        self._add(grade, code, message, origin, index, count)

    def _add(self, grade: Grade, code: str, message: str, origin: str, index: int, count: int) -> None:
        self.counts["findings"] += 1
        if len(self.found) < AT_MOST:
            severity = desk_service_pb2.SEVERITY_ERROR if grade in _ERRORS else desk_service_pb2.SEVERITY_WARNING
            self.found.append(
                desk_service_pb2.Finding(
                    severity=severity,
                    code=code,
                    origin=origin,
                    index=index,
                    message=message,
                    grade=grade,
                    count=count if index >= 0 else 0,
                )
            )
