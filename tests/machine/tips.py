"""The books of tips, as docs/tips.md says: values only."""

from dataclasses import dataclass, field

from tests.countries import DAY, HOUR

FAMILY = "tips"
KEEP_DAYS, DRAFT_DAYS = 6, 2
"""Shorter than a node's own, so that some pass in a run."""
LOOK = {True: HOUR, False: 24 * HOUR}
"""By when somebody looks, by whether a child may be in danger."""
AFTER = {
    "RECEIVED": {"UNDER_ASSESSMENT"},
    "UNDER_ASSESSMENT": {"ACTED_UPON", "REFERRED", "CLOSED"},
    "REFERRED": {"UNDER_ASSESSMENT"},
    "ACTED_UPON": {"UNDER_ASSESSMENT", "CLOSED"},
    "CLOSED": set[str](),
}
LOOKED_AT = ("UNDER_ASSESSMENT", "ACTED_UPON")


@dataclass(slots=True, kw_only=True)
class Tip:
    """One tip, wherever it stands."""

    ngo: str
    tip_id: bytes
    reference: str
    content: object
    """What was sent."""
    danger: bool
    local: bool
    """Whether a local desk is known for the place."""
    abroad: bool
    """Whether the suspect's country is a partner."""
    erase_by: int
    contact: bool
    digest: bytes = b""
    state: str = "DRAFT"
    desk: str = ""
    submitted: int = 0
    look_by: int = 0
    looked: int = 0
    officer: str = ""
    erased: bool = False
    asked: int = 0
    """How often the desk asked the NGO for something."""
    releases: list[bytes] = field(default_factory=list)
    answers: dict[bytes, str] = field(default_factory=dict)
    """What an agency abroad said, by the manifest of its answer."""

    def late(self, now: int) -> bool:
        """Whether the first look came, or still waits, after its time."""
        if self.looked:
            return self.looked > self.look_by
        return self.state in {"RECEIVED", "REFERRED"} and now > self.look_by

    def submit(self, desk: str, now: int) -> None:
        """Now a desk has it."""
        self.state, self.desk, self.submitted = "RECEIVED", desk, now
        self.look_by, self.erase_by = now + LOOK[self.danger], now + KEEP_DAYS * DAY

    def take(self, officer: str, now: int) -> None:
        """An officer looks."""
        self.state, self.officer, self.looked = "UNDER_ASSESSMENT", officer, self.looked or now

    def refer(self, desk: str, now: int) -> None:
        """Another desk has it, anew."""
        self.state, self.desk, self.officer = "REFERRED", desk, ""
        self.looked, self.look_by = 0, now + LOOK[self.danger]

    def erase(self) -> None:
        """What was told goes, and how the reporter can be reached."""
        self.erased, self.contact = True, False


@dataclass(slots=True, kw_only=True)
class Tips:
    """All that an office knows of tips, oldest first."""

    tips: list[Tip] = field(default_factory=list)

    def drafted(self, ngo: str, tip_id: bytes) -> Tip | None:
        """The tip of that id that an NGO made."""
        return next((one for one in self.tips if (one.ngo, one.tip_id) == (ngo, tip_id)), None)

    def with_digest(self, digest: bytes) -> Tip | None:
        """The tip that was submitted with that content."""
        return next((one for one in self.tips if digest and one.digest == digest), None)
