"""What a release means beside itself: asked and done in the one transaction that gives it its place in the logs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from exchange.v1 import desk_service_pb2
from exchange.v1.hit_report_pb2 import HIT_OUTCOME_NOT_THIS_PERSON, HitReport
from exchange.v1.onward_pb2 import OnwardDecision, OnwardNotice, OnwardRequest
from node.config import OfficerEntry
from node.operations.mis_hits import Remembered
from node.operations.officers import agency_of
from node.operations.onward_kept import Kept
from node.operations.planning import Plan
from node.operations.request_rules import REPLIES, Reply
from node.operations.tip_thread import ActedUpon
from node.ports import Ports
from node.store.transaction import Transaction

ANSWERS = frozenset(
    {"exchange.v1.HitReport", "exchange.v1.Acknowledgement", "exchange.v1.OnwardRequest", "exchange.v1.Refusal", "exchange.v1.TipStatus"}
)
"""What a partner officer may send: answers to what came in, and the question whether it may be passed on."""
_ONWARD = (OnwardRequest, OnwardDecision, OnwardNotice)


class Consequence(Protocol):
    """What a release means for something else that is stored."""

    def obstacle(self, ports: Ports, tx: Transaction) -> desk_service_pb2.Problem | None:
        """Why it cannot be released after all, as the store stands now; None if it can."""
        ...

    def take_effect(self, ports: Ports, tx: Transaction, now: int) -> None:
        """Do what follows from it, with its own row and relations already stored."""
        ...


@dataclass(frozen=True, slots=True)
class _Several:
    parts: Sequence[Consequence]

    def obstacle(self, ports: Ports, tx: Transaction) -> desk_service_pb2.Problem | None:
        return next((problem for part in self.parts if (problem := part.obstacle(ports, tx))), None)

    def take_effect(self, ports: Ports, tx: Transaction, now: int) -> None:
        for part in self.parts:
            part.take_effect(ports, tx, now)


def consequence_of(alert: Any, draft: desk_service_pb2.Draft, officer: OfficerEntry, decided: Plan, digest: bytes) -> Consequence | None:
    """What follows from the release of a draft, its decoded alert, whose manifest has that digest: None for most alerts."""
    parts: list[Consequence] = []
    if isinstance(alert, REPLIES):
        parts.append(
            Reply(
                message=alert,
                agency=agency_of(officer),
                in_reply_to=draft.in_reply_to,
                supersedes=tuple(draft.supersedes),
                recipients=frozenset(draft.recipients),
                told=frozenset.intersection(*(frozenset(item.allowed.fields) for item in decided.planned)),
            )
        )
    if isinstance(alert, _ONWARD):
        parts.append(Kept(alert=alert, digest=digest, issuer=agency_of(officer)))
    if isinstance(alert, HitReport) and alert.outcome == HIT_OUTCOME_NOT_THIS_PERSON:
        parts.append(Remembered(alert, digest, str(officer.id)))
    if draft.thread and draft.alert_type not in ANSWERS:
        parts.append(ActedUpon(draft.thread, digest, officer))
    return _Several(parts) if parts else None
