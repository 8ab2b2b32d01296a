"""The machine readable lines of a document as a person pastes them: what they say, or where they cannot be right."""

import re
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
    """Read what was pasted: capital letters or small ones, with blanks or guillemets that a copy brought along, or blanks for each <."""
    rows = [line.strip().replace("«", "<<").replace("‹", "<").upper() for line in typed.splitlines() if line.strip()][:_LINES_AT_MOST]
    if not rows:
        return MrzRead(lines=())
    read = _read(tuple("".join(row.split()) for row in rows))
    # Only where all check digits hold is it certain that a blank stands for a filler.
    filled = _read(_filled(rows)) if read.zone is None else read
    return filled if filled.zone else read


def _filled(rows: Sequence[str]) -> tuple[str, ...]:
    return tuple(re.sub(r"\s", "<", row).ljust(max(map(len, rows)), "<") for row in rows)


def _read(lines: tuple[str, ...]) -> MrzRead:
    try:
        return MrzRead(lines=lines, zone=read_mrz(lines))
    except MrzInvalid as invalid:
        return MrzRead(lines=lines, problems=invalid.problems)
