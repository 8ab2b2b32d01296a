"""Where each field of a machine readable zone stands: ICAO Doc 9303 (8th edition) parts 4, 5 and 6, section 4.2.2."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Field:
    """A run of positions, counted from 1 as Doc 9303 counts, `end` included."""

    line: int
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One document format. The check digits of `birth` and `expiry` stand right behind them.

    `first_letters`: what the document code may begin with. `long_numbers`: a document number may go on in the first of
    `optional`. `composite`: what the last check digit covers, in order.
    """

    name: Literal["TD1", "TD2", "TD3"]
    lines: int
    length: int
    first_letters: str
    long_numbers: bool
    names: Field
    number: Field
    number_check: Field
    nationality: Field
    birth: Field
    sex: Field
    expiry: Field
    optional: tuple[Field, ...]
    optional_check: Field | None = None
    composite: tuple[Field, ...]
    composite_check: Field
    code: Field = Field(1, 1, 2)
    issuing_state: Field = Field(1, 3, 5)


# Part 5: the size of a bank card.
TD1 = Layout(
    name="TD1",
    lines=3,
    length=30,
    first_letters="ACI",
    long_numbers=True,
    number=Field(1, 6, 14),
    number_check=Field(1, 15, 15),
    birth=Field(2, 1, 6),
    sex=Field(2, 8, 8),
    expiry=Field(2, 9, 14),
    nationality=Field(2, 16, 18),
    optional=(Field(1, 16, 30), Field(2, 19, 29)),
    composite=(Field(1, 6, 30), Field(2, 1, 7), Field(2, 9, 15), Field(2, 19, 29)),
    composite_check=Field(2, 30, 30),
    names=Field(3, 1, 30),
)

# Part 6: the larger card.
TD2 = Layout(
    name="TD2",
    lines=2,
    length=36,
    first_letters="ACI",
    long_numbers=True,
    names=Field(1, 6, 36),
    number=Field(2, 1, 9),
    number_check=Field(2, 10, 10),
    nationality=Field(2, 11, 13),
    birth=Field(2, 14, 19),
    sex=Field(2, 21, 21),
    expiry=Field(2, 22, 27),
    optional=(Field(2, 29, 35),),
    composite=(Field(2, 1, 10), Field(2, 14, 20), Field(2, 22, 35)),
    composite_check=Field(2, 36, 36),
)

# Part 4: the passport booklet.
TD3 = Layout(
    name="TD3",
    lines=2,
    length=44,
    first_letters="P",
    long_numbers=False,
    names=Field(1, 6, 44),
    number=Field(2, 1, 9),
    number_check=Field(2, 10, 10),
    nationality=Field(2, 11, 13),
    birth=Field(2, 14, 19),
    sex=Field(2, 21, 21),
    expiry=Field(2, 22, 27),
    optional=(Field(2, 29, 42),),
    optional_check=Field(2, 43, 43),
    composite=(Field(2, 1, 10), Field(2, 14, 20), Field(2, 22, 43)),
    composite_check=Field(2, 44, 44),
)
