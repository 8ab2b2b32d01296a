"""What needs a person, as tests ask for it: an alert that waits, the list of an officer, a turn of the notifier."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from exchange.errors import Refused
from exchange.v1 import desk_service_pb2 as messages
from node.notify.notice import Notice
from node.operations import work
from node.workers.notices import Notifier
from tests.countries import BORDER, POLICE, agency, agreement, changed, clause, with_clause
from tests.federation import Federation
from tests.rig import Office, draft

Kind = messages.WorkKind
ACKNOWLEDGEMENT = "exchange.v1.Acknowledgement"
LANDS = 1_780_128_300_000
"""When the traveller of `builders.alert()` lands in Bangkok: 30 May 2026, 15:05 there."""
DEPARTS = 1_780_087_200_000
"""When he leaves London: 29 May 2026, 21:40 there."""
LANDS_NEXT = 1_780_143_600_000
"""When he lands in Cambodia after that: 30 May 2026, 19:20 there."""


def office_pair(directory: Path) -> Federation:
    """gb and kh; alerts to kh's NGO need an approval, and kh's border agency may acknowledge what it was told."""
    made = Federation(directory, "gb", "kh")
    agreed = with_clause(agreement(), "gb-kh-travelalert-ngo", approvals=1)
    acknowledging = clause("kh", "gb", POLICE, ACKNOWLEDGEMENT)
    made.connect("gb", "kh", changed(agreed, clauses=sorted([*agreed.clauses, acknowledging], key=lambda one: one.id)))
    return made


def told(made: Federation, *to: str, **changes: Any) -> bytes:
    """The manifest of an alert that gb released, to kh's border agency if nothing is said, and that has arrived."""
    digest = made["gb"].publish(draft(*(to or (agency("kh", BORDER),)), **changes)).manifest_digest
    assert digest
    made.pump()
    return digest


def listed(office: Office, name: str, *, everything: bool = False) -> list[messages.WorkItem]:
    """The work list of an officer."""
    return list(work.list_work(office.ports, office.person(name), messages.ListWorkRequest(all=everything)).items)


def kinds(office: Office, name: str, *, everything: bool = False) -> list[str]:
    """What kinds of things are on it, most urgent first."""
    return [Kind.Name(item.kind).removeprefix("WORK_KIND_") for item in listed(office, name, everything=everything)]


@dataclass(slots=True)
class Way:
    """A channel of notices that remembers what it took, and fails while it is told to."""

    name: str = "way"
    taken: list[Notice] = field(default_factory=list)
    tried: list[Notice] = field(default_factory=list)
    fails: bool = False

    def deliver(self, notice: Notice, now_ms: int) -> None:
        assert now_ms
        self.tried.append(notice)
        if self.fails:
            raise Refused("WEBHOOK_FAILED", "synthetic")
        self.taken.append(notice)

    @property
    def told(self) -> list[tuple[str, bool]]:
        """(kind, whether it was escalated) of each that was taken."""
        return [(notice.kind.value, notice.escalated) for notice in self.taken]


def turn(office: Office, *ways: Any) -> None:
    """One turn of a notifier that begins anew each time, so that it can know nothing but what is stored."""
    Notifier(office.ports, ways, spread=lambda: 0.0).turn()
