"""What may be told in an emergency, how often a clause may be used, and who is told of twice: as docs/cli.md and PROTOCOL.md say."""

from dataclasses import dataclass, field

FAMILY = "haste"
FIELDS = frozenset({1, 3, 11, 30, 33})
"""What either of the special agreements lets go."""
BIRTH, DOCUMENTS = 3, 8
CAP = 2


@dataclass(slots=True, kw_only=True)
class Use:
    """What was told under one agreement for an emergency."""

    agreement: bytes
    manifest: bytes
    own: bool
    officer: str = ""
    review_by: int = 0
    reviewed_by: str = ""
    late: bool = False
    """Whether the office was told that nobody reviewed it in time."""


@dataclass(slots=True, kw_only=True)
class Haste:
    """All that an office knows of emergencies: by agreement."""

    agreed: set[bytes] = field(default_factory=set)
    uses: dict[bytes, Use] = field(default_factory=dict)
