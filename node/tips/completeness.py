"""How complete a tip is, while it is written: a score and the next questions. It never blocks: what is not known is not asked twice."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from exchange.v1.tip_pb2 import PREMISES_TYPE_UNSPECIFIED, Tip


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One thing that helps a desk, its weight in the score, and how to ask for it."""

    field: str
    weight: int
    ask: str
    known: Callable[[Tip], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """0 to 100, and what is missing to 100, the heaviest first."""

    score: int
    missing: tuple[Question, ...]


QUESTIONS: Final = (
    Question(
        field="immediate_danger.present",
        weight=15,
        ask="Is a child in danger now? Write yes or no; if you do not know, leave it out.",
        known=lambda tip: tip.immediate_danger.HasField("present"),
    ),
    Question(
        field="place.area",
        weight=15,
        ask="Where was it? The province at least; district and commune if you know them.",
        known=lambda tip: bool(tip.place.area.province or tip.place.area.code),
    ),
    Question(
        field="suspects.description",
        weight=15,
        ask="Whom did you see? What the person looked like, or the name that you heard.",
        known=lambda tip: any(one.description or one.names_as_heard for one in tip.suspects),
    ),
    Question(field="concerns", weight=15, ask="What worries you? Choose what fits.", known=lambda tip: bool(tip.concerns)),
    Question(field="observed", weight=10, ask="When was it? A day, a month or a year.", known=lambda tip: bool(tip.observed)),
    Question(
        field="suspects.apparent_nationalities",
        weight=10,
        ask="Where may the person be from? A guess is welcome.",
        known=lambda tip: any(one.apparent_nationalities for one in tip.suspects),
    ),
    Question(
        field="child",
        weight=10,
        ask="How many children, and about how old? Never a name.",
        known=lambda tip: tip.child.HasField("count") or bool(tip.child.age_bands),
    ),
    Question(
        field="place.premises",
        weight=5,
        ask="What kind of place was it?",
        known=lambda tip: tip.place.premises != PREMISES_TYPE_UNSPECIFIED,
    ),
    Question(
        field="evidence_custodian",
        weight=5,
        ask="Does somebody keep a photo, a message or an object? Write who, and keep it: send nothing.",
        known=lambda tip: bool(tip.evidence_custodian),
    ),
)
"""In the order in which they are asked; the weights add up to 100."""


def completeness(tip: Tip) -> Completeness:
    """Score a tip."""
    missing = tuple(question for question in QUESTIONS if not question.known(tip))
    return Completeness(score=100 - sum(question.weight for question in missing), missing=missing)
