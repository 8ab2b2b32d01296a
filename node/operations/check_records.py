"""A check of this node's records as a person asks for it: verify, fsck, gaps. Reports as it goes."""

from collections.abc import Iterator
from typing import Final

from exchange.errors import ExchangeError, Malformed
from exchange.v1 import desk_service_pb2
from node.operations.access import note_access
from node.operations.findings import Findings, Step
from node.operations.fsck import check_everything, verify_logs
from node.operations.gap_check import check_gaps
from node.operations.officers import require
from node.operations.rebuild import rebuild_nodes
from node.operations.records import Records
from node.operations.review import REVIEWERS, log_summaries
from node.ports import Ports
from node.store.journal import Event, Kind

_VERIFY, _FSCK, _GAPS = desk_service_pb2.CHECK_SCOPE_VERIFY, desk_service_pb2.CHECK_SCOPE_FSCK, desk_service_pb2.CHECK_SCOPE_GAPS
_RECORDED: Final = {_VERIFY: "VERIFICATION", _FSCK: "STORE", _GAPS: "GAPS"}
_AT_A_TIME: Final = 100
"""Findings in one message."""


def check_records(
    ports: Ports, person: str, request: desk_service_pb2.CheckRecordsRequest
) -> Iterator[desk_service_pb2.CheckRecordsResponse]:
    """Check one log, or with an empty origin all records, within the scope that is asked for.

    Yields progress and findings as they come, and at last a summary. Raises, before anything is checked, `Malformed` (CHECK_SCOPE),
    `NotFound` (LOG_UNKNOWN), `NotPermitted` (ROLE_MISSING), `Conflict` (TREE_NOT_REBUILT).
    """
    require(ports, person, REVIEWERS)
    if request.scope not in _RECORDED:
        raise Malformed("CHECK_SCOPE", "say what to check: verify, fsck or gaps")
    if request.origin:
        log_summaries(ports, request.origin)
    if request.rebuild_nodes:
        rebuild_nodes(ports, person)
    note_access(ports, Kind.JOURNAL_KIND_REVIEW, person, Event(code=_RECORDED[request.scope], origin=request.origin))
    findings = Findings()
    told = 0
    for step in _steps(ports, request, findings):
        progress = desk_service_pb2.CheckProgress(origin=step.origin, done=step.done, total=step.total, **{"pass": step.name})
        yield desk_service_pb2.CheckRecordsResponse(progress=progress)
        while told < len(findings.found):
            yield desk_service_pb2.CheckRecordsResponse(findings=findings.found[told : told + _AT_A_TIME])
            told = min(told + _AT_A_TIME, len(findings.found))
    if told < len(findings.found):
        yield desk_service_pb2.CheckRecordsResponse(findings=findings.found[told:])
    yield desk_service_pb2.CheckRecordsResponse(summary=_summary(ports, request.origin, findings))


def _steps(ports: Ports, request: desk_service_pb2.CheckRecordsRequest, findings: Findings) -> Iterator[Step]:
    records = Records(store=ports.store, vault=ports.vault, high_water=ports.high_water, known=ports.known)
    if request.scope == _VERIFY:
        return verify_logs(records, findings, request.origin)
    if request.scope == _FSCK:
        return check_everything(records, findings, request.origin)
    return check_gaps(records, ports.clock.now_ms(), findings, request.origin)


def _summary(ports: Ports, origin: str, findings: Findings) -> desk_service_pb2.CheckSummary:
    counts = [desk_service_pb2.Count(name=name, value=value) for name, value in sorted(findings.counts.items())]
    try:
        return desk_service_pb2.CheckSummary(counts=counts, logs=log_summaries(ports, origin))
    except ExchangeError:
        return desk_service_pb2.CheckSummary(counts=counts)  # the rows of the logs cannot be read, which is among the findings
