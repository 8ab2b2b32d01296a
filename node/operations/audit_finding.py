"""What an auditor found when looking at one entry: recorded in the journal, so that it can neither be lost nor changed afterwards."""

from dataclasses import dataclass
from typing import Final

from exchange.errors import Malformed, Refused
from node.operations.access import note_access
from node.operations.audit_open import LONGEST_JUSTIFICATION
from node.operations.audit_proofs import entry_in, tree_of
from node.operations.officers import AUDITOR, require
from node.ports import Ports
from node.store.journal import Event, Kind
from node.store.journal_queries import events_about
from node.store.transaction import Transaction

_FINDING: Final = "FINDING_"
GRADES: Final = ("NONE", "OBSERVATION", "ACTION", "PRIORITY", "CRITICAL")
"""As the checks grade theirs; NONE says that somebody looked, and found nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What an auditor found in one entry: its grade, and where the journal says so; the words are sealed there."""

    grade: str
    at: int
    """Unix milliseconds."""
    generation: int
    index: int


def findings_of(tx: Transaction, origin: str, index: int) -> list[Finding]:
    """What was found in one entry of a log, the newest first."""
    rows = events_about(tx, origin, index, Kind.JOURNAL_KIND_REVIEW, (f"{_FINDING}{grade}" for grade in GRADES))
    return [Finding(grade=code.removeprefix(_FINDING), at=at, generation=generation, index=place) for generation, place, at, code in rows]


def record_finding(ports: Ports, person: str, origin: str, index: int, grade: str, words: str) -> None:
    """Record what the auditor says of one entry of the journal or of a log: the grade openly, the words sealed, as of all reasons.

    Raises `Malformed` (FINDING_GRADE, REASON_TOO_LONG), `Refused` (REASON_MISSING), `NotFound` (LOG_UNKNOWN, ENTRY_UNKNOWN).
    """
    require(ports, person, (AUDITOR,))
    if grade not in GRADES:
        raise Malformed("FINDING_GRADE", f"grade a finding: {', '.join(GRADES)}")
    if len(words) > LONGEST_JUSTIFICATION:
        raise Malformed("REASON_TOO_LONG", f"a finding has at most {LONGEST_JUSTIFICATION} characters")
    if grade != "NONE" and not words.strip():
        raise Refused("REASON_MISSING", "say in words what you found")
    with ports.store.read() as tx:
        tree = tree_of(ports, tx, origin)
        entry_in(ports, tx, tree, index)
    event = Event(code=f"{_FINDING}{grade}", origin=tree.origin, index=index, count=1, justification=words.strip())
    note_access(ports, Kind.JOURNAL_KIND_REVIEW, person, event)
