"""The course of one question to one agency: from what was signed on both sides, how it stands and when its clock stood still.

Values in, values out. Both countries hold the same statements in the same two logs, with the same times, so both come to the same
course. What is against the rules is named, and changes nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, assert_never

from node.clocks import Clock, Pause, run_clock


class RequestState(StrEnum):
    """How a question stands."""

    SENT = "sent"
    NOT_DELIVERED = "not delivered"
    RECEIPTED = "receipted"
    ACKNOWLEDGED = "acknowledged"
    SUSPENDED = "suspended"
    ANSWERED = "answered"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    REPLACED = "replaced"


SETTLED: Final = frozenset({RequestState.ANSWERED, RequestState.REFUSED, RequestState.WITHDRAWN, RequestState.REPLACED})
"""Nothing is awaited any more."""


class Deed(StrEnum):
    """What can happen to a question."""

    RECEIPTED = "receipted"
    WITHDRAWN = "withdrawn"
    REPLACED = "replaced"
    ACKNOWLEDGED = "acknowledged"
    SUSPENDED = "suspended"
    ANSWERED = "answered"
    REFUSED = "refused"


class Side(StrEnum):
    """Who does something. Of one moment the asker's deeds count first: the two logs have no order between them."""

    ASKER = "asker"
    ASKED = "asked"
    STRANGER = "stranger"


class Breach(StrEnum):
    """Why something does not count; the code that the own office refuses it with."""

    ANSWERED = "REQUEST_ANSWERED"
    REFUSED = "REQUEST_REFUSED"
    WITHDRAWN = "REQUEST_WITHDRAWN"
    REPLACED = "REQUEST_REPLACED"
    NOT_ASKED = "NOT_ASKED"
    NOT_SUSPENDED = "REQUEST_NOT_SUSPENDED"
    OTHER = "REPLY_MISMATCH"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One signed statement about a question. Times are Unix milliseconds."""

    deed: Deed
    side: Side
    party: str
    """SPIFFE ID."""
    at: int
    """When it was logged, or of a receipt, received: both countries hold it."""
    place: int = -1
    """Index in its log: of one moment, what was logged first counts first. A receipt has none, and comes before them."""
    digest: bytes = b""
    """Of the alert that says it."""
    reason: str = ""
    """Of a suspension or a refusal, the short name of its code."""
    read_at: int = 0
    decided_by: int = 0
    """Of an acknowledgement or a suspension, as it says."""
    names_it: bool = True
    """Whether its content names the question that its log entry answers."""

    @property
    def counts_from(self) -> int:
        """From when a clock stands still, or runs again: from when it was read, if that was a moment ago; nothing counts backwards."""
        return self.read_at if self.at - BACK_DATING <= self.read_at <= self.at else self.at


BACK_DATING: Final = 120_000
"""How long, in milliseconds, before it was logged a statement may take effect: the clock skew that the protocol allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Where a question has come to."""

    reached: RequestState
    """Without suspension."""
    pending: Mapping[Side, Pause]
    """Which sides hold the clock now."""
    pauses: tuple[Pause, ...]
    """Those that have ended."""
    settled_at: int | None

    @property
    def state(self) -> RequestState:
        """How it stands for a person."""
        waits = self.reached in {RequestState.RECEIPTED, RequestState.ACKNOWLEDGED}
        return RequestState.SUSPENDED if waits and self.pending else self.reached

    @property
    def settled(self) -> bool:
        """Whether nothing is awaited any more."""
        return self.reached in SETTLED

    def clock(self, *, started_at: int | None, term: int, now: int) -> Clock | None:
        """How the clock stands; None before it starts, and for a question that nobody has to answer any more."""
        if started_at is None or self.reached in {RequestState.WITHDRAWN, RequestState.REPLACED, RequestState.NOT_DELIVERED}:
            return None
        pauses = (*self.pauses, *self.pending.values())
        return run_clock(started_at=started_at, term=term, pauses=pauses, met_at=self.settled_at, now=max(now, started_at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A happening, and what it breaks if it breaks a rule."""

    happening: Happening
    breach: Breach | None


def begin(*, delivered: bool = True, pending: str = "") -> Course:
    """A question that was just logged; `pending` is the reason for which its asker holds the clock from the start."""
    held = {Side.ASKER: Pause(since=0, until=None, reason=pending)} if pending else {}
    reached = RequestState.SENT if delivered else RequestState.NOT_DELIVERED
    return Course(reached=reached, pending=held, pauses=(), settled_at=None)


def run(start: Course, happenings: Iterable[Happening]) -> tuple[Course, tuple[Judged, ...]]:
    """Take all that happened in the one order that both countries know; what breaks a rule is judged and left out."""
    course, judged = start, []
    sides = {side: rank for rank, side in enumerate(Side)}
    for one in sorted(happenings, key=lambda item: (item.at, sides[item.side], item.place, item.digest)):
        after = advance(course, one)
        judged.append(Judged(happening=one, breach=after if isinstance(after, Breach) else None))
        course = course if isinstance(after, Breach) else after
    return course, tuple(judged)


def advance(course: Course, one: Happening) -> Course | Breach:
    """What follows from one statement, or the rule that it breaks."""
    if not one.names_it:
        return Breach.OTHER
    match one.deed:
        case Deed.RECEIPTED:
            return replace(course, reached=RequestState.RECEIPTED) if course.reached is RequestState.SENT else course
        case Deed.WITHDRAWN | Deed.REPLACED:
            return _taken_back(course, one)
        case Deed.ACKNOWLEDGED:
            return _acknowledged(course, one)
        case Deed.SUSPENDED:
            return _suspended(course, one)
        case Deed.ANSWERED | Deed.REFUSED:
            if one.side is not Side.ASKED:
                return Breach.NOT_ASKED
            settled = RequestState.ANSWERED if one.deed is Deed.ANSWERED else RequestState.REFUSED
            return _settled(course) or replace(course, reached=settled, settled_at=one.at)
        case _:
            assert_never(one.deed)


def _settled(course: Course) -> Breach | None:
    return {
        RequestState.ANSWERED: Breach.ANSWERED,
        RequestState.REFUSED: Breach.REFUSED,
        RequestState.WITHDRAWN: Breach.WITHDRAWN,
        RequestState.REPLACED: Breach.REPLACED,
    }.get(course.reached)


def _taken_back(course: Course, one: Happening) -> Course | Breach:
    if one.side is not Side.ASKER:
        return Breach.NOT_ASKED
    if one.deed is Deed.WITHDRAWN:
        return replace(course, reached=RequestState.WITHDRAWN)
    return course if course.settled else replace(course, reached=RequestState.REPLACED)


def _acknowledged(course: Course, one: Happening) -> Course | Breach:
    if one.side is Side.STRANGER:
        return Breach.NOT_ASKED
    held = course.pending.get(one.side)
    if one.side is Side.ASKER and held is None:
        return Breach.NOT_SUSPENDED
    if course.settled:
        return course
    pending = {side: pause for side, pause in course.pending.items() if side is not one.side}
    ended = () if held is None else (replace(held, until=max(one.counts_from, held.since)),)
    return replace(course, reached=_read(course, one.side), pending=pending, pauses=(*course.pauses, *ended))


def _suspended(course: Course, one: Happening) -> Course | Breach:
    if one.side is Side.STRANGER:
        return Breach.NOT_ASKED
    if breach := _settled(course):
        return breach
    held = course.pending.get(one.side)
    # A second one only says another reason: the clock stands still since the first.
    pause = Pause(since=held.since if held else one.counts_from, until=None, reason=one.reason)
    return replace(course, reached=_read(course, one.side), pending={**course.pending, one.side: pause})


def _read(course: Course, side: Side) -> RequestState:
    """A statement of the agency that was asked says that a person there has read it, whether or not a receipt has come."""
    return RequestState.ACKNOWLEDGED if side is Side.ASKED else course.reached
