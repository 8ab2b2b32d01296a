"""Whom a recall reaches, for an officer to see before it is made."""

from exchange.v1 import desk_service_pb2
from exchange.v1.receipt_pb2 import EXCEPTION_CODE_UNSPECIFIED
from node.operations.access import note_access
from node.operations.officers import ADMINISTRATOR, LIAISON, agency_of, require
from node.operations.onward_reach import onward_holders
from node.operations.reach import lineage, tellings
from node.ports import Ports
from node.store import alerts
from node.store.alerts import AlertRow
from node.store.journal import Event, Kind
from node.store.transaction import Transaction


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
        found += [third for one in line for third in third_countries_told(tx, one)]
    note_access(ports, Kind.JOURNAL_KIND_CONSULTATION, person, Event(code="REACH", subject=row.digest))
    return desk_service_pb2.GetReachResponse(reached=found)


def third_countries_told(tx: Transaction, row: AlertRow) -> list[desk_service_pb2.Reached]:
    """The third countries' nodes that have one manifest of ours, as those say who passed it on."""
    return [
        desk_service_pb2.Reached(
            agency=third, manifest_digest=row.digest, fields=list(notice.fields), disclosed_at=notice.passed_on_at, via=via
        )
        for (third, via), notice in sorted(onward_holders(tx, row).items())
    ]
