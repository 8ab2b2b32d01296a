"""When an office is reminded of what is due, and when somebody else is told that it was not done: values in, values out.

A thing that is due is told in rounds: round -1 once before its term, round 0 at the term, round 1 as an escalation. What must not rest
until it is done goes on with rounds 2, 3, … All times are Unix milliseconds.
"""

from dataclasses import dataclass
from typing import Final

REMINDER: Final = -1
AT_TERM: Final = 0
MINUTE: Final = 60_000
DAY: Final = 24 * 60 * MINUTE

_FIRST_RETRY: Final = 30_000
_LONGEST_RETRY: Final = 60 * MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticePlan:
    """How long before a term a reminder goes, and how long after it an escalation. Milliseconds."""

    remind_before: int = 60 * MINUTE
    escalate_after: int = 120 * MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """The term of one thing. What has none is due from the moment it was raised."""

    raised_at: int
    due_at: int | None = None
    remind_at: int | None = None
    """When the reminder goes, if the thing has a rule of its own; else as the plan says."""
    escalate_at: int | None = None
    """When it is escalated, likewise."""
    insistent: bool = False
    """Whether it is escalated again and again until it is done, once a day at most."""

    @property
    def due(self) -> int:
        """From when on it is overdue."""
        return self.raised_at if self.due_at is None else self.due_at


def escalates_at(plan: NoticePlan, term: Term) -> int:
    """From when on it is escalated."""
    return term.due + plan.escalate_after if term.escalate_at is None else max(term.escalate_at, term.due)


def round_at(plan: NoticePlan, term: Term, now: int) -> int | None:
    """Which round it is in at `now`; None before the first. Rounds that passed unseen, as while a node was down, are not made up for."""
    escalated = escalates_at(plan, term)
    if now >= escalated:
        return 1 + ((now - escalated) // max(plan.escalate_after, DAY) if term.insistent else 0)
    if now >= term.due:
        return AT_TERM
    reminded = term.due - plan.remind_before if term.remind_at is None else term.remind_at
    return REMINDER if now >= reminded else None


def retry_after(attempts: int, jitter: float) -> int:
    """How long to wait where so many attempts had failed before: twice as long each time, up to an hour; `jitter`, 0 to 1, spares half."""
    longest = min(_FIRST_RETRY * 2 ** min(attempts, 16), _LONGEST_RETRY)
    return int(longest * (1 - jitter / 2))
