"""Whom a recall reaches, for an officer to see before it is made."""

from exchange.v1 import desk_service_pb2
from exchange.v1.receipt_pb2 import EXCEPTION_CODE_UNSPECIFIED
from node.operations.access import note_access
from node.operations.officers import ADMINISTRATOR, LIAISON, agency_of, require
from node.operations.onward_reach import onward_holders
from node.operations.reach import lineage, tellings
from node.ports import Ports
from node.store import alerts
from node.store.journal import Event, Kind


def get_reach(ports: Ports, person: str, reference: str) -> desk_service_pb2.GetReachResponse:
    """Who was told what of an alert of the caller's agency, over its whole lineage, and to whom that was passed on.

    Raises `NotFound` as `alerts.find`.
    """
    officer = require(ports, person, (LIAISON, ADMINISTRATOR))
    with ports.store.read() as tx:
        row = alerts.find(tx, reference, originator=None if ADMINISTRATOR in officer.roles else agency_of(officer))
        line = lineage(tx, row)
        found = [
            desk_service_pb2.Reached(
                agency=agency,
                manifest_digest=one.digest,
                fields=told.entry.fields,
                disclosed_at=told.entry.disclosed_at,
                refused=told.exception != EXCEPTION_CODE_UNSPECIFIED,
            )
            for one in line
            for told in tellings(tx, one)
            for agency in told.entry.audience
        ]
        found += [
            desk_service_pb2.Reached(
                agency=third, manifest_digest=one.digest, fields=list(notice.fields), disclosed_at=notice.passed_on_at, via=via
            )
            for one in line
            for (third, via), notice in sorted(onward_holders(tx, one).items())
        ]
    note_access(ports, Kind.JOURNAL_KIND_CONSULTATION, person, Event(code="REACH", subject=row.digest))
    return desk_service_pb2.GetReachResponse(reached=found)
