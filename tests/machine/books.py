"""What the machine expects every office to know: an oracle that is written from docs/protocol.md and shares no code with the node.

Values only. `Books` are one office's knowledge; a backup of an office is a copy of its books, and to restore it is to put the copy back.
What an alert *is* (`Fact`) is the same everywhere and for ever; what an office knows of it, and how it stands there, follows from the
entries of the logs that reached it.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tests.countries import AUDIENCES, BORDER, DAY, HIT, NGO, POLICE, TRAVEL, agency
from tests.machine.marks import TABLES

RECALLS = frozenset({"withdrawal", "restriction", "lifting", "correction"})
CONTROLS = RECALLS | {"attestation", "refusal"}
NATIONAL_DAYS, CLAUSE_DAYS = 1825, 365
CLASSES = tuple(AUDIENCES)


class Kind(StrEnum):
    """What an entry of a log tells."""

    ALERT = "alert"
    REPORT = "report"
    WITHDRAWAL = "withdrawal"
    RESTRICTION = "restriction"
    LIFTING = "lifting"
    CORRECTION = "correction"
    ATTESTATION = "attestation"
    TIP = "tip"
    STATUS = "status of a tip"
    REQUEST = "request"
    QUESTION = "question"
    RESPONSE = "response"
    READ = "acknowledgement"
    REFUSAL = "refusal"
    LEAVE_ASKED = "leave asked"
    LEAVE_DECIDED = "leave decided"
    PASSED_ON = "passed on"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What was sealed under one digest."""

    digest: bytes
    kind: Kind
    country: str
    agency: str
    line: int = 0
    """Which alert a manifest belongs to, whatever superseded what."""
    supersedes: tuple[bytes, ...] = ()
    present: frozenset[int] = frozenset()
    """Fields that have a value."""
    not_after: int = 0
    retention_days: int = 0
    about: bytes = b""
    excepting: bool = False
    """Of an attestation: something stays."""
    outdated: bool = False
    """Of a correction: nothing was wrong, it is only out of date."""
    document: str = ""
    """Of a report that this is not the person: the number of the document that was shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a log."""

    digest: bytes
    kind: Kind
    audience: frozenset[str]
    fields: frozenset[int] = frozenset()
    about: bytes = b""
    agreement: bytes = b""
    ground: bool = False
    at: int = 0
    """When it was logged, of what a clock runs by."""
    permit: bytes = b""
    """Of what was passed on, recalls included."""
    forged: bool = False
    """Logged without leave, by a node that does not check itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Treaty:
    """An agreement: the default clauses, or a variant of them."""

    digest: bytes
    parties: frozenset[str]
    start: int
    until: int
    variant: str

    def marks(self, kind: str, agency_class: int) -> Mapping[str, frozenset[int]]:
        """Field numbers by mark (R, M, C) of the clause for that class; empty where there is none."""
        if self.variant == "no-ngo" and agency_class == NGO:
            return {}
        found = {mark: MARKS[kind, agency_class][mark] for mark in "RMC"}
        if self.variant == "narrow" and kind == TRAVEL:
            found |= {"M": found["M"] - {11}, "C": frozenset()}
        return found

    @property
    def once(self) -> bool:
        """Whether it is for one alert: for whoever told that, it is out of force."""
        return False

    def against(self, _sender: str, kind: str, agency_class: int) -> str:
        """The code of why it lets `_sender` tell that class nothing of that kind; "" if it lets it."""
        return "" if self.marks(kind, agency_class) else "AUDIENCE_NOT_AGREED"

    def approvals(self, kind: str, agency_class: int) -> int:
        """How many officers have to approve."""
        return int(self.variant == "eyes" and kind == TRAVEL and agency_class == BORDER)


@dataclass(slots=True, kw_only=True)
class Outbound:
    """Our log towards one partner."""

    entries: list[Entry] = field(default_factory=list)
    lost: set[int] = field(default_factory=set)
    """Indexes whose content went with a restored backup."""
    receipts: list[tuple[int, int]] = field(default_factory=list)
    """(size, when) of those that we hold, ascending."""
    excepted: set[int] = field(default_factory=set)
    """As these say."""
    attempts: list[tuple[int, int]] = field(default_factory=list)
    """(when, size of the log) of each time that what waits could not be delivered."""
    stopped: bool = False

    @property
    def settled(self) -> int:
        """How many entries these cover."""
        return self.receipts[-1][0] if self.receipts else 0


@dataclass(slots=True, kw_only=True)
class Inbound:
    """Our mirror of a partner's log."""

    entries: list[Entry] = field(default_factory=list)
    accepted: set[int] = field(default_factory=set)
    receipts: list[tuple[int, int]] = field(default_factory=list)
    """(size, when) of those that we gave, ascending."""
    excepted: set[int] = field(default_factory=set)
    attempts: list[tuple[int, int]] = field(default_factory=list)
    """As the sender tells them."""

    @property
    def receipted(self) -> int:
        """How many entries these cover."""
        return self.receipts[-1][0] if self.receipts else 0


@dataclass(slots=True, kw_only=True)
class Own:
    """An alert of ours."""

    erase_by: int
    erased: bool = False


@dataclass(slots=True, kw_only=True)
class Holding:
    """An alert that came in."""

    recorded_at: int
    erase_by: int
    erased: bool = False
    inboxes: set[str] = field(default_factory=set)
    passed: set[str] = field(default_factory=set)
    """Agencies to which a desk of the country distributed it."""
    opened: dict[str, frozenset[int]] = field(default_factory=dict)
    told: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A control alert that took effect."""

    about: bytes
    kind: Kind
    control: bytes
    audience: frozenset[str]
    agency: str = ""
    excepting: bool = False
    at: int = 0


@dataclass(slots=True, kw_only=True)
class Submission:
    """A draft that waits for approval."""

    author: str
    plan: object
    state: str
    at: int
    document: object


@dataclass(slots=True, kw_only=True)
class Books:
    """All that one office knows."""

    country: str
    out: dict[str, Outbound] = field(default_factory=dict)
    inn: dict[str, Inbound] = field(default_factory=dict)
    own: dict[bytes, Own] = field(default_factory=dict)
    held: dict[bytes, Holding] = field(default_factory=dict)
    recalls: list[Said] = field(default_factory=list)
    """Of our own alerts and of those that came in, in the order in which they took effect."""
    doubts: set[tuple[bytes, bytes]] = field(default_factory=set)
    """(recall, manifest) of entries, ours or a partner's, whose content is lost: it reads as disputed, and is told to nobody any more."""
    given: list[Said] = field(default_factory=list)
    """Attestations that we gave."""
    got: list[Said] = field(default_factory=list)
    """Attestations that we got."""
    untold: list[tuple[bytes, str]] = field(default_factory=list)
    treaties: list[Treaty] = field(default_factory=list)
    suspended: set[str] = field(default_factory=set)
    answered: set[tuple[bytes, str]] = field(default_factory=set)
    mis_hits: set[tuple[bytes, str]] = field(default_factory=set)
    """(manifest, document)."""
    holds: set[tuple[bytes, str]] = field(default_factory=set)
    intended: set[bytes] = field(default_factory=set)
    submissions: dict[bytes, Submission] = field(default_factory=dict)
    assessments: dict[bytes, tuple[str, int]] = field(default_factory=dict)
    """Digest to (country, review by) of those that were not withdrawn."""
    reviewed: set[str] = field(default_factory=set)
    """Countries for which there ever was one."""
    alarms: set[str] = field(default_factory=set)
    families: dict[str, Any] = field(default_factory=dict)
    """What single families of transitions know besides, each under its name."""
    opened: dict[tuple[bytes, str], int] = field(default_factory=dict)
    """When anybody of an agency first opened an alert."""
    rows: dict[bytes, None] = field(default_factory=dict)
    """All that is here, in the order in which it came to be known."""

    # How an alert stands

    def said_of(self, digest: bytes) -> list[Said]:
        """The recalls of one manifest, oldest first."""
        return [one for one in self.recalls if one.about == digest]

    def standing(self, digest: bytes, facts: Mapping[bytes, Fact]) -> str:
        """How a manifest stands at this office: the gravest of all that is known of it."""
        kept = self.own.get(digest) or self.held.get(digest)
        if kept is not None and kept.erased:
            return "erased"
        kinds = [one.kind for one in self.said_of(digest)]
        blocks = [kind for kind in kinds if kind in {Kind.RESTRICTION, Kind.LIFTING}]
        if Kind.WITHDRAWAL in kinds:
            return "withdrawn"
        if blocks and blocks[-1] is Kind.RESTRICTION:
            return "restricted"
        if self.successors(digest, facts):
            return "superseded"
        return "disputed" if Kind.CORRECTION in kinds or self.in_doubt(digest) else "active"

    def in_doubt(self, digest: bytes) -> bool:
        """Whether something was said of a manifest that is not known here."""
        known = {one.control for one in self.recalls}
        return any(about == digest and control not in known for control, about in self.doubts)

    def successors(self, digest: bytes, facts: Mapping[bytes, Fact]) -> list[bytes]:
        """Manifests here that supersede this one."""
        return [other for other in (*self.own, *self.held) if digest in facts[other].supersedes]

    def replaced_for(self, digest: bytes, party: str, facts: Mapping[bytes, Fact]) -> bytes:
        """The newest successor that one agency was given."""
        later = [other for other in self.successors(digest, facts) if other in self.held]
        given = [other for other in later if party in self.held[other].inboxes | self.held[other].passed]
        return given[-1] if given else b""

    def owes(self, digest: bytes, party: str) -> bool:
        """Whether an agency of ours has not attested the purge of a withdrawn manifest at all."""
        withdrawn = any(one.kind is Kind.WITHDRAWAL for one in self.said_of(digest))
        return withdrawn and not any((one.about, one.agency) == (digest, party) for one in self.given)

    def flags(self, digest: bytes, party: str, facts: Mapping[bytes, Fact]) -> list[str]:
        """What an inbox says of an alert."""
        state = self.standing(digest, facts)
        if state == "active":
            return []
        mine = [one for one in self.said_of(digest) if party in one.audience]
        wrong = self.in_doubt(digest) or any(one.kind is Kind.CORRECTION for one in mine)
        if state == "superseded" and not self.replaced_for(digest, party, facts) and wrong:
            state = "disputed"
        flags = [state.upper()]
        if state == "erased" and any(one.kind is Kind.WITHDRAWAL for one in mine):
            flags.append("WITHDRAWN")
        return [*flags, "ATTESTATION_OWED"] if self.owes(digest, party) else flags

    def readable(self, digest: bytes, party: str, facts: Mapping[bytes, Fact]) -> frozenset[int]:
        """The fields with a value that an agency may read of an alert that came in: nothing of what is blocked."""
        holding = self.held.get(digest)
        state = self.standing(digest, facts)
        blocked = state in {"withdrawn", "restricted", "erased"} or (
            state == "superseded" and bool(self.replaced_for(digest, party, facts))
        )
        return frozenset() if holding is None or blocked else holding.opened.get(party, frozenset()) & facts[digest].present

    def line(self, digest: bytes, facts: Mapping[bytes, Fact]) -> list[bytes]:
        """Every manifest of ours of the same alert, oldest first."""
        return [other for other in self.own if facts[other].line == facts[digest].line and facts[other].kind is Kind.ALERT]

    def known_line(self, digest: bytes, facts: Mapping[bytes, Fact]) -> list[bytes]:
        """Every manifest of the same alert that is here."""
        here = [*self.own, *self.held]
        return [other for other in here if facts[other].line == facts[digest].line and facts[other].kind is Kind.ALERT]

    # Who was told

    def tellings(self, digest: bytes) -> list[tuple[str, int, Entry]]:
        """(partner, index, entry) of each of our entries that names a manifest."""
        return [
            (partner, index, entry)
            for partner, log in self.out.items()
            for index, entry in enumerate(log.entries)
            if entry.digest == digest
        ]

    def audience(self, digests: Collection[bytes]) -> set[str]:
        """Everybody who was told any of these."""
        return {party for digest in digests for _, _, entry in self.tellings(digest) for party in entry.audience}

    def stage(self, digest: bytes, party: str) -> str:
        """How an agency's attestation stands here: NOT_HELD, ATTESTED or OPEN; "" if nothing was withdrawn."""
        if not any(one.kind is Kind.WITHDRAWAL for one in self.said_of(digest)):
            return ""
        held = [1 for partner, index, entry in self.tellings(digest) if party in entry.audience and index not in self.out[partner].excepted]
        if not held:
            return "NOT_HELD"
        return "ATTESTED" if any((one.about, one.agency) == (digest, party) for one in self.got) else "OPEN"

    # What may go

    def decide(self, party: str, kind: str, now: int, *, unticked: Collection[int] = (), granted: Collection[int] = ()) -> "Going | str":
        """Which fields go to an agency under which agreement, or the code of why none go."""
        country, agency_class = place_of(party)
        if country in self.suspended:
            return "PARTNER_SUSPENDED"
        reasons = set()
        for treaty in self._by_age(country):
            if now >= treaty.until:
                reasons.add("AGREEMENT_EXPIRED")
                continue
            if self.spent(treaty):
                continue
            marks = treaty.marks(kind, agency_class)
            if reason := treaty.against(self.country, kind, agency_class):
                reasons.add(reason)
            elif not set(granted) <= marks["C"]:
                reasons.add("FIELD_NOT_ON_REQUEST")
            elif marks["R"] & set(unticked):
                reasons.add("FIELD_REQUIRED")
            else:
                fields = (marks["R"] | marks["M"] | (marks["C"] & set(granted))) - set(unticked)
                return Going(party=party, treaty=treaty, fields=fields, ground=bool(marks["C"] & fields))
        return next((code for code in TELLING if code in reasons), "AGREEMENT_NONE")

    def spent(self, treaty: Treaty) -> bool:
        """Whether our own log says that it was used, and it was for one alert."""
        return treaty.once and any(entry.agreement == treaty.digest for log in self.out.values() for entry in log.entries)

    def more(self, party: str, wanted: Collection[int], now: int, approvals_of: int = 0) -> "Going | None":
        """The agreement under which exactly these further fields go to an agency, on a ground of its case."""
        country, agency_class = place_of(party)
        for treaty in self._by_age(country):
            marks = treaty.marks(TRAVEL, agency_class)
            if now < treaty.until and marks and set(wanted) <= frozenset().union(*marks.values()):
                if treaty.approvals(TRAVEL, agency_class) > approvals_of:
                    continue
                return Going(party=party, treaty=treaty, fields=frozenset(wanted), ground=bool(marks["C"] & set(wanted)))
        return None

    def gate(self, party: str, now: int) -> str:
        """What the policy of the one country that has one (`GATED`) says against telling an agency."""
        country, agency_class = place_of(party)
        if self.country != GATED or agency_class != NGO:
            return ""
        if any(one == country and now < review_by for one, review_by in self.assessments.values()):
            return ""
        return "ASSESSMENT_EXPIRED" if any(one == country for one, _ in self.assessments.values()) else "ASSESSMENT_MISSING"

    def planned(
        self, party: str, now: int, *, approvals: int = 0, unticked: Collection[int] = (), granted: Collection[int] = ()
    ) -> "Going | str":
        """`decide`, and the conditions of the clause and of the policy."""
        going = self.decide(party, TRAVEL, now, unticked=unticked, granted=granted)
        if isinstance(going, str):
            return going
        if going.treaty.approvals(TRAVEL, place_of(party)[1]) > approvals:
            return "CONDITION_APPROVALS"
        return self.gate(party, now) or going

    def _by_age(self, country: str) -> Iterable[Treaty]:
        ours = [treaty for treaty in self.treaties if treaty.parties == {self.country, country}]
        return sorted(ours, key=lambda treaty: (-treaty.start, treaty.digest))


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """What goes to one agency."""

    party: str
    treaty: Treaty
    fields: frozenset[int]
    ground: bool


TELLING = ("FIELD_NOT_ON_REQUEST", "FIELD_REQUIRED", "PURPOSE_NOT_AGREED", "AUDIENCE_NOT_AGREED", "CLAUSE_NONE", "AGREEMENT_EXPIRED")
"""Why nothing goes, the most telling first."""
GATED = "gb"
"""The country whose policy asks for an assessment before an NGO is told anything."""
COUNTRIES = ("gb", "kh", "vn")
MARKS: dict[tuple[str, int], dict[str, frozenset[int]]] = {}
_PLACES = {agency(country, agency_class): (country, agency_class) for country in COUNTRIES for agency_class in CLASSES}


def place_of(party: str) -> tuple[str, int]:
    """Country and class of an agency."""
    return _PLACES[party]


def _mark(kind: str, agency_class: int, marks: Mapping[int, str]) -> None:
    MARKS[kind, agency_class] = {mark: frozenset(number for number, one in marks.items() if one == mark) for mark in "RMC"}


# The tables of ALERTS: border, police, NGO. Written out, so that a change of the schema's marks is seen here too.
_TRAVEL = (
    *("RRC", "MM-", "MM-", "MM-", "MMC", "CM-", "CC-", "MM-", "-C-", "CM-", "MM-", "-C-", "CM-", "MMC", "CM-", "CMC", "MM-"),
    *("-C-", "MM-", "-M-", "-C-", "CM-", "MM-", "CMC", "-M-", "-MC", "MM-", "CC-", "-C-", "RR-", "MMM", "-M-", "RRR", "MMM"),
)
_HIT = ["-R-", "-R-", *["-M-"] * 10, "-R-", "-M-"]
for _kind, _table in {TRAVEL: _TRAVEL, HIT: _HIT, **TABLES}.items():
    for _place, _class in enumerate(CLASSES):
        _mark(_kind, _class, {number: marks[_place] for number, marks in enumerate(_table, 1)})
assert (BORDER, POLICE, NGO) == CLASSES


def kept_until(start: int, days: Iterable[int]) -> int:
    """The shortest limit, counted from `start`; 0 days say nothing."""
    return start + min([NATIONAL_DAYS, *(stated for stated in days if stated)]) * DAY
