"""The machine readable lines of a document as a person pastes them: what they say, or where they cannot be right."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from node.intake.mrz import MachineReadableZone, MrzInvalid, MrzProblem, read_mrz

_LINES_AT_MOST: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class MrzRead:
    """Lines, and what was read of them. No repr: they are about a person."""

    lines: tuple[str, ...]
    zone: MachineReadableZone | None = None
    """All check digits hold."""
    problems: Sequence[MrzProblem] = ()


def read_lines(typed: str) -> MrzRead:
    """Read what was pasted: capital letters or small ones, with blanks or guillemets that a copy brought along."""
    cleaned = ("".join(line.replace("«", "<<").replace("‹", "<").split()).upper() for line in typed.splitlines())
    lines = tuple(line for line in cleaned if line)[:_LINES_AT_MOST]
    if not lines:
        return MrzRead(lines=())
    try:
        return MrzRead(lines=lines, zone=read_mrz(lines))
    except MrzInvalid as invalid:
        return MrzRead(lines=lines, problems=invalid.problems)
