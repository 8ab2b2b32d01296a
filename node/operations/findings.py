"""What a check of this node's own records found."""

from collections import Counter
from dataclasses import dataclass, field

from exchange.v1 import desk_service_pb2

AT_MOST = 1000
"""Whoever has so many to read needs no more; the counts go on."""


@dataclass(slots=True)
class Findings:
    """Gathers what is wrong, each with a stable code, and counts what was looked at."""

    found: list[desk_service_pb2.Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def error(self, code: str, message: str, *, origin: str = "", index: int = -1) -> None:
        """Something that must never be."""
        self._add(desk_service_pb2.SEVERITY_ERROR, code, message, origin, index)

    def warning(self, code: str, message: str, *, origin: str = "", index: int = -1) -> None:
        """Something that a person should know, and that has an explanation."""
        self._add(desk_service_pb2.SEVERITY_WARNING, code, message, origin, index)

    def _add(self, severity: "desk_service_pb2.Severity.ValueType", code: str, message: str, origin: str, index: int) -> None:
        self.counts["findings"] += 1
        if len(self.found) < AT_MOST:
            self.found.append(desk_service_pb2.Finding(severity=severity, code=code, origin=origin, index=index, message=message))
