"""The lists of this node as it reads them itself, for a file or a register."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from exchange.v1 import audit_service_pb2 as messages
from node.operations.audit_disclosures import list_disclosures
from node.operations.audit_events import list_events
from node.operations.audit_urgent import list_alarms
from node.ports import Ports

_LOOKS: Final = 100
"""Pages of one list that are asked for at most, of up to 4,000 entries each: then there may be more."""
_PAGE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLists:
    """A `node.reports.audit_source.AuditSource` of one auditor."""

    ports: Ports
    person: str
    for_export: bool = False

    def events(self, wanted: str, limit: int) -> tuple[list[messages.JournalEvent], bool]:
        """As of the protocol."""
        question = messages.ListEventsRequest(filter=wanted, for_export=self.for_export)
        found: list[messages.JournalEvent] = []
        for _ in range(_LOOKS):
            question.page_size = min(_PAGE, limit - len(found))
            answer = list_events(self.ports, self.person, question)
            found += answer.events
            question.page_token = answer.next_page_token
            if not question.page_token or len(found) >= limit:
                break
        return found[:limit], bool(question.page_token)

    def disclosures(self, wanted: str, limit: int) -> tuple[list[messages.DisclosureRecord], bool]:
        """As of the protocol."""
        question = messages.ListDisclosuresRequest(filter=wanted, for_export=self.for_export)
        found: list[messages.DisclosureRecord] = []
        for _ in range(_LOOKS):
            question.page_size = min(_PAGE, limit - len(found))
            answer = list_disclosures(self.ports, self.person, question)
            found += answer.disclosures
            question.page_token = answer.next_page_token
            if not question.page_token or len(found) >= limit:
                break
        return found[:limit], bool(question.page_token)

    def alarms(self) -> Sequence[messages.AlarmRecord]:
        """As of the protocol."""
        return list_alarms(self.ports, self.person).alarms
