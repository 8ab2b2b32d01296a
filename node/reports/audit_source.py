"""Where an auditor's lists come from: the node itself, or its services over the network."""

from collections.abc import Sequence
from typing import Protocol

from exchange.v1.audit_service_pb2 import AlarmRecord, DisclosureRecord, JournalEvent


class AuditSource(Protocol):
    """Answers an auditor's questions; each is in the journal before it is answered."""

    def events(self, wanted: str, limit: int) -> tuple[list[JournalEvent], bool]:
        """Events of the newest journal for which the filter holds, at most `limit`, oldest first; and whether there are more."""
        ...

    def disclosures(self, wanted: str, limit: int) -> tuple[list[DisclosureRecord], bool]:
        """Disclosures for which the filter holds, likewise."""
        ...

    def alarms(self) -> Sequence[AlarmRecord]:
        """Every alarm that stands now."""
        ...
