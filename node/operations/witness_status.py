"""What an auditor asks of witnessing: who cosigned what and when, what went wrong, and whether one checkpoint continues another."""

from typing import Final

from exchange.errors import ExchangeError, NotFound
from exchange.journal import journal_origin, parse_journal_origin
from exchange.log import log_verifiers
from exchange.tlog.policy import organisation
from exchange.tlog.tree import prove_consistency
from exchange.v1 import desk_service_pb2
from exchange.witness import check_policy
from node.operations.access import note_access
from node.operations.officers import ADMINISTRATOR, AUDITOR, require
from node.operations.witnesses import asked_witnesses
from node.ports import Ports
from node.store.directory import all_alarms
from node.store.journal import Event, Kind
from node.store.nodes import StoredHashes, journal_log
from node.store.witnesses import all_witnessed, all_witnesses, find_checkpoint, newest_checkpoint, shown_note

_ALARMS: Final = ("JOURNAL_", "WITNESS_", "HIGH_WATER_")


def witness_status(ports: Ports, person: str) -> desk_service_pb2.GetWitnessStatusResponse:
    """How this node's journal is witnessed, which journals it witnesses itself, and every alarm about either."""
    require(ports, person, (AUDITOR, ADMINISTRATOR))
    note_access(ports, Kind.JOURNAL_KIND_REVIEW, person, Event(code="WITNESSES"))
    asked = {witness.name: witness for witness in asked_witnesses(ports)}
    with ports.store.read() as tx:
        origin = ports.journal.origin(tx)
        newest, note = newest_checkpoint(tx, origin), shown_note(tx, origin) or b""
        answered = {row.name: row for row in all_witnesses(tx, origin)}
        witnessed = all_witnessed(tx)
        alarms = [row for row in all_alarms(tx) if row.code.startswith(_ALARMS)]
    states = []
    for name in sorted(asked.keys() | answered.keys()):
        row = answered.get(name)
        states.append(
            desk_service_pb2.WitnessState(
                name=name,
                organisation=organisation(name),
                url=asked[name].url if name in asked else "",
                size=row.size if row else 0,
                cosigned_at=row.at if row else 0,
                code=row.code if row else "WITNESS_NOT_ASKED",
            )
        )
    return desk_service_pb2.GetWitnessStatusResponse(
        origin=origin,
        checkpoint=note,
        signed_at=newest.at if newest else 0,
        policy_configured=ports.witnessing.policy is not None,
        policy_satisfied=_satisfied(ports, origin, note),
        witnesses=states,
        witnessed=[
            desk_service_pb2.WitnessedJournal(origin=row.checkpoint.origin, size=row.checkpoint.size, cosigned_at=row.at, note=row.note)
            for row in witnessed
        ],
        alarms=[
            desk_service_pb2.JournalAlarm(at=row.at, code=row.code, partner=row.partner, origin=row.origin, evidence=row.evidence)
            for row in alarms
        ],
    )


def journal_consistency(
    ports: Ports, person: str, request: desk_service_pb2.GetJournalConsistencyRequest
) -> desk_service_pb2.GetJournalConsistencyResponse:
    """Two checkpoints of the journal and the proof that the second continues the first.

    Raises `NotFound` (JOURNAL_UNKNOWN, CHECKPOINT_UNKNOWN: none of the second size was shown to anybody), `Malformed`
    (ORIGIN_MALFORMED).
    """
    require(ports, person, (AUDITOR, ADMINISTRATOR))
    with ports.store.read() as tx:
        origin = request.origin or ports.journal.origin(tx)
        owner, generation = parse_journal_origin(origin)
        newest = newest_checkpoint(tx, origin) if owner == ports.trust_domain else None
        if newest is None:
            raise NotFound("JOURNAL_UNKNOWN", "this node has shown no such journal")
        size = request.second_size or newest.size
        second = find_checkpoint(tx, origin, size)
        if second is None:
            raise NotFound("CHECKPOINT_UNKNOWN", "no checkpoint of that size was shown to anybody: leave it out for the newest")
        first = find_checkpoint(tx, origin, request.first_size)
        stored = StoredHashes(tx, journal_log(generation))
        # A first size that this node does not reach any more has no proof: whoever asked sees from the second checkpoint why.
        hashes = prove_consistency(stored, request.first_size, size) if 0 < request.first_size <= size else []
        shown = (shown_note(tx, origin) or b"") if size == newest.size else second.note
    note_access(ports, Kind.JOURNAL_KIND_REVIEW, person, Event(code="CONSISTENCY", origin=journal_origin(owner, generation)))
    return desk_service_pb2.GetJournalConsistencyResponse(first=first.note if first else b"", second=shown, hashes=hashes)


def _satisfied(ports: Ports, origin: str, note: bytes) -> bool:
    if ports.witnessing.policy is None:
        return False
    try:
        check_policy(ports.witnessing.policy, note, log_verifiers(origin, ports.known.own, None))
    except ExchangeError:
        return False
    return True
