"""A preview as pages show it: a column for each recipient, a row for each field, and for narrow screens one recipient after another."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from exchange.v1 import desk_service_pb2 as messages
from node.console.languages import Language
from node.operations.preview import APPROVALS, NAMELESS, told_nobody
from node.reading_texts import Texts

COLUMNS_AT_MOST: Final = 12
"""More beside each other are no table any more; they are shown one after another."""


def _said(text: str) -> str:
    """Mark a text for the catalogue that is looked up later."""
    return text


_CELLS: Final[Mapping[int, tuple[str, str]]] = {
    messages.VISIBILITY_SHOWN: ("shown", _said("shown")),
    messages.VISIBILITY_SHOWN_NOT_KNOWN: ("unknown", _said("“not known”")),
    messages.VISIBILITY_NEEDS_REASON: ("reason", _said("needs a reason")),
    messages.VISIBILITY_UNTICKED: ("left", _said("left out")),
}
_WITHHELD: Final = ("withheld", _said("withheld"))
"""What this version cannot name is not shown to anybody as disclosed."""
_GROUPS: Final = (
    ("shown", _said("Sees")),
    ("unknown", _said("Reads that you do not know")),
    ("reason", _said("Withheld; the clause gives it for a reason of this case")),
    ("left", _said("Left out by you")),
    ("withheld", _said("Withheld: the clause does not permit it")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One field for one recipient."""

    kind: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One recipient that gets something."""

    recipient: str
    reference: str
    """Names the recipient in addresses."""
    clause: str
    agreement: str
    groups: Sequence[tuple[str, str, Sequence[str]]]
    """(kind, title, labels), empty ones left out."""
    cells: Mapping[int, Cell]
    emergency: bool
    cap: int
    left: int
    waits: bool
    """Whether it gets that only after a second officer's approval."""
    nameless: bool
    """Whether it gets nothing by which the person could be recognised."""

    def count(self, kind: str) -> int:
        """How many fields are of one kind."""
        return sum(cell.kind == kind for cell in self.cells.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One field."""

    number: int
    label: str
    category: str
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """All of it."""

    columns: Sequence[Column]
    rows: Sequence[Row]
    denied: Sequence[tuple[str, Sequence[messages.Problem]]]
    fields: int

    @property
    def wide(self) -> bool:
        """Whether the recipients stand beside each other."""
        return 0 < len(self.columns) <= COLUMNS_AT_MOST


def matrix(answer: messages.PreviewAlertResponse, language: Language, texts: Texts, waiting: Collection[str] = frozenset()) -> Matrix:
    """The preview in the words of a language; `waiting` are recipients whom the clause gives it after an approval alone."""
    open_to = [one for one in answer.recipients if not one.denied]
    warned = {problem.field for problem in answer.problems if problem.code == NAMELESS}
    columns = [
        _column(one, language, texts, waits=one.recipient in waiting, nameless=told_nobody(one.recipient) in warned) for one in open_to
    ]
    named = {field.field: (texts.label(field.name), texts.category(field.category)) for one in open_to for field in one.fields}
    none = Cell(kind=_WITHHELD[0], words=language.say(_WITHHELD[1]))
    rows = [
        Row(number=number, label=label, category=category, cells=[column.cells.get(number, none) for column in columns])
        for number, (label, category) in sorted(named.items())
    ]
    denied = [(one.recipient, list(one.denied)) for one in answer.recipients if one.denied]
    return Matrix(columns=columns, rows=rows, denied=denied, fields=len(named))


def recipient_reference(recipient: str) -> str:
    """By what a recipient is named in addresses."""
    return sha256(recipient.encode()).hexdigest()[:16]


def visibility_words(visibility: int) -> str:
    """What it says of one field for one recipient, in English."""
    return _CELLS.get(visibility, _WITHHELD)[1]


def waits_for_approval(answer: messages.PreviewAlertResponse) -> bool:
    """Whether somebody would be given it, but for a second officer's approval; what else stands in the way is said beside it."""
    return any(problem.code == APPROVALS for one in answer.recipients for problem in one.denied)


def _column(one: messages.RecipientPreview, language: Language, texts: Texts, *, waits: bool, nameless: bool) -> Column:
    cells: dict[int, Cell] = {}
    labels: dict[str, list[str]] = {}
    for field in one.fields:
        kind, words = _CELLS.get(field.visibility, _WITHHELD)
        cells[field.field] = Cell(kind=kind, words=language.say(words))
        labels.setdefault(kind, []).append(texts.label(field.name))
    return Column(
        recipient=one.recipient,
        reference=recipient_reference(one.recipient),
        clause=one.clause,
        agreement=one.agreement_digest.hex()[:12],
        groups=[(kind, language.say(title), labels[kind]) for kind, title in _GROUPS if kind in labels],
        cells=cells,
        emergency=one.emergency,
        cap=one.rate_cap_per_day,
        left=one.rate_left,
        waits=waits,
        nameless=nameless,
    )
