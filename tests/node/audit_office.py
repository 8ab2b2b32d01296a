"""Two offices with something to audit, and short ways to ask about it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from exchange.v1 import audit_service_pb2, disclosure_pb2
from node.operations import audit_disclosures, audit_events, audit_open
from tests.countries import BORDER, HOUR, POLICE, agency, changed
from tests.federation import Federation, federation
from tests.rig import Office, draft

GB_KH = "gb.alerts.example/disclosures/kh.alerts.example/1"
KH_GB = "kh.alerts.example/disclosures/gb.alerts.example/1"
JOURNAL = "gb.alerts.example/journal/1"
KH_BORDER, KH_POLICE = agency("kh", BORDER), agency("kh", POLICE)
LAWFULNESS = audit_service_pb2.LAWFUL_PURPOSE_LAWFULNESS
WHO, PERSON = audit_service_pb2.DETAIL_GROUP_ACCOUNTABILITY, audit_service_pb2.DETAIL_GROUP_PERSONAL


@contextmanager
def told(directory: Path) -> Iterator[Federation]:
    """gb told kh's border and police (0, 1), an hour later kh's border twice more (2, 3), correcting the first; kh's border answered."""
    with federation(directory, "gb", "kh") as made:
        made.connect("gb", "kh")
        first = made["gb"].publish(draft(KH_BORDER, KH_POLICE))
        made.pump()
        made.clock.pass_(HOUR)
        made["gb"].publish(draft(KH_BORDER))
        made["gb"].publish(draft(KH_BORDER, supersedes=[first.manifest_digest]), reason=" SYNTHETIC  reason.")
        made.pump()
        made["kh"].report(first.manifest_digest.hex())
        made.pump()
        yield made


def auditor(office: Office) -> str:
    return office.person("auditor")


def events(office: Office, wanted: str = "", **more: Any) -> audit_service_pb2.ListEventsResponse:
    return audit_events.list_events(office.ports, auditor(office), audit_service_pb2.ListEventsRequest(filter=wanted, **more))


def disclosures(office: Office, wanted: str = "", **more: Any) -> audit_service_pb2.ListDisclosuresResponse:
    question = audit_service_pb2.ListDisclosuresRequest(filter=wanted, **more)
    return audit_disclosures.list_disclosures(office.ports, auditor(office), question)


def places(answer: audit_service_pb2.ListDisclosuresResponse) -> list[tuple[str, int]]:
    return [(record.origin, record.index) for record in answer.disclosures]


def opened(office: Office, index: int, origin: str = "", **changes: Any) -> audit_service_pb2.OpenEventResponse:
    asked = audit_service_pb2.OpenEventRequest(origin=origin, index=index, group=WHO, purpose=LAWFULNESS, justification="inspection 7")
    return audit_open.open_event(office.ports, auditor(office), changed(asked, **changes))


def newest(office: Office) -> tuple[str, str, str, str]:
    return office.journal()[-1]


def index_of(office: Office, kind: str, code: str) -> int:
    """Of the first event of that kind and code."""
    return next(number for number, event in enumerate(office.journal()) if (event[0], event[3]) == (kind, code))


def iso(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat()


def first_alert(two: Federation) -> str:
    """Digest of the first alert that gb released, in hex."""
    entry = disclosure_pb2.Entry.FromString(disclosures(two["gb"]).disclosures[0].entry)
    return entry.manifest_digest.hex()
