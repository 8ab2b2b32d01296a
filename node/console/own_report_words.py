"""What the person's agency has reported on an alert before, as a page lists it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from exchange.encoding import encode
from exchange.v1.hit_report_pb2 import HitOutcome, HitReport
from node.console.languages import Language
from node.console.words import texts_in
from node.operations.own_reports import OwnReport
from node.reading import FieldState, read_view

_NOT_SAID: Final = frozenset({"manifest_digest", "outcome", "desk"})
"""What stands above it, or is the same in each."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Earlier:
    """One report. No repr: it is about a person."""

    outcome: str
    """Empty once it was erased."""
    at: int
    digest: str
    """Empty for one that has no page of its own."""
    said: Sequence[tuple[str, Sequence[str]]]
    """Label and lines of what else it says."""


def earlier_words(reports: Iterable[OwnReport], language: Language) -> list[Earlier]:
    """These reports in words, in their order."""
    return [
        Earlier(outcome=_outcome(one.content, language), at=one.at, digest=one.digest.hex(), said=_said(one.content, language))
        for one in reports
    ]


def _outcome(content: HitReport | None, language: Language) -> str:
    return texts_in(language).value(HitOutcome.Name(content.outcome), "HIT_OUTCOME_") if content else ""


def _said(content: HitReport | None, language: Language) -> list[tuple[str, Sequence[str]]]:
    readings = read_view(HitReport.DESCRIPTOR.full_name, encode(content), (), texts=texts_in(language)) if content else ()
    return [(one.label, one.lines) for one in readings if one.state is FieldState.VALUE and one.name not in _NOT_SAID]
