"""The thread from a tip to what was made of it: releases under it, and what agencies abroad said became of it."""

from exchange.v1.tip_pb2 import TIP_STATE_ACTED_UPON, TIP_STATE_UNDER_ASSESSMENT, TipState, TipStatus
from node.config import OfficerEntry
from node.operations.reach import holders
from node.ports import Ports
from node.store import alerts, tips
from node.store.journal import Event, Kind
from node.store.tips import AnswerRow
from node.store.transaction import Transaction


class ActedUpon:
    """The consequence of a release whose thread is that of a tip: the tip was acted upon, and says by what."""

    def __init__(self, thread: bytes, manifest: bytes, officer: OfficerEntry) -> None:
        self._thread = thread
        self._manifest = manifest
        self._officer = officer

    def obstacle(self, _ports: Ports, _tx: Transaction) -> None:
        """Nothing stands in the way of a release."""

    def take_effect(self, ports: Ports, tx: Transaction, now: int) -> None:
        """Note it, if the tip is with the desk of whoever releases: a thread that another desk saw somewhere moves nothing."""
        row = tips.tip_with(tx, self._thread)
        if row is None or row.agency != str(self._officer.agency):
            return
        tips.add_release(tx, self._thread, self._manifest, now)
        if row.state == TIP_STATE_UNDER_ASSESSMENT:
            tips.change_tip(tx, row.id, {"state": int(TIP_STATE_ACTED_UPON)})
        event = Event(code="TIP_ACTED_UPON", subject=self._thread)
        ports.journal.record(tx, now, Kind.JOURNAL_KIND_ALTERATION, str(self._officer.id), [event])


def note_tip_status(ports: Ports, tx: Transaction, status: TipStatus, manifest: bytes, sender: str, now: int) -> None:
    """Keep what an agency abroad (`sender`) says became of a tip that we passed on to it; `manifest` is the digest of its answer.

    Only of a tip of ours that this agency was told of: nobody else's word counts. `tx` must write.
    """
    passed = alerts.by_digests(tx, {status.tip_digest}).get(status.tip_digest)
    tip = tips.tip_released_as(tx, status.tip_digest)
    if tip is None or passed is None or not status.state or status.state not in TipState.values():
        return
    if any(sender in agencies for agencies in holders(tx, passed).values()):
        tips.add_answer(tx, AnswerRow(manifest=manifest, tip=tip, agency=sender, state=int(status.state), received_at=now))
        ports.journal.record(tx, now, Kind.JOURNAL_KIND_ALTERATION, sender, [Event(code="TIP_ANSWERED", subject=tip)])
