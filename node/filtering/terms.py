"""What a filter over a list may name, and a filter once it is read: a small tree of comparisons.

The same tree is compiled to SQL where the list stands in columns, and matched in Python where it stands in signed bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Literal

Value = str | int | bytes | bool
Operator = Literal["=", "!=", "<", "<=", ">", ">="]


class Kind(Enum):
    """What a field holds, and so which operators and values it takes."""

    TEXT = auto()
    """= and !=; a value that ends in `*` means a beginning."""
    CHOICE = auto()
    """= and !=; one of the field's choices, in any case."""
    NUMBER = auto()
    """All comparisons; 0 to 2⁶³ − 1."""
    TIME = auto()
    """All comparisons; a day (2027-03-04, its first moment in UTC) or an instant of ISO 8601 with its zone; Unix milliseconds here."""
    DIGEST = auto()
    """= and !=; 64 hex digits."""
    FLAG = auto()
    """= and !=; true or false."""
    TEXTS = auto()
    """Several texts: `:` asks whether one of them is equal; a value that ends in `*` means a beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterField:
    """One name that a filter may use."""

    kind: Kind
    choices: Mapping[str, int] = field(default_factory=dict)
    """Of a CHOICE: as they are written, and the number that each stands for."""


Vocabulary = Mapping[str, FilterField]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """`field op value`. Of a TEXTS field the operator is "=", and means that one of them is equal."""

    field: str
    operator: Operator
    value: Value
    beginning: bool = False
    """The value is only the beginning of what is meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """`field:*`: there is a value that is not empty, 0 or false."""

    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """`NOT part`."""

    part: "Filter"


@dataclass(frozen=True, slots=True, kw_only=True)
class And:
    """All parts hold; with no part, everything does: the empty filter."""

    parts: tuple["Filter", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Or:
    """At least one part holds."""

    parts: tuple["Filter", ...]


Filter = Comparison | Present | Not | And | Or

EVERYTHING = And(parts=())
