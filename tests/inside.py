"""A country whose police desk distributes what came from abroad: national clauses, officers of a third agency, and the verbs."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from exchange.encoding import encode
from exchange.v1 import desk_service_pb2, handling_pb2, hit_report_pb2
from exchange.values import PartyId
from node.config import AgencyEntry, OfficerEntry
from node.national.clauses import NationalClauses
from node.national.file import load_national
from node.operations import confirm_purge, distribute, list_distributions, report
from node.operations.officers import acting
from node.operations.replace import replace_alert
from node.operations.sequence import sequence
from node.store.journal import open_journal
from tests import builders
from tests.countries import BORDER, NGO, POLICE, agency, changed, domain
from tests.federation import Federation
from tests.recalls import other_alert, together
from tests.rig import Office, draft

CLASSES = {BORDER: "BORDER", POLICE: "POLICE", NGO: "NGO"}
_ids = itertools.count(1)

FILE = """
instrument = "Example order"
valid_from = 2026-01-01T00:00:00Z
valid_until = 2027-01-01T00:00:00Z

[[clauses]]
id = "police-border"
desk = "spiffe://kh.alerts.example/agency/anti-trafficking"
audience = "BORDER"
alert_type = "TravelAlert"
purposes = ["PREVENTION", "PROSECUTION"]
required = ["primary_name"]
permitted = ["birth", "documents", "itinerary", "destination_area", "requested_action", "conviction_summary"]
on_request = ["appearance", "risk_level"]
maximum_retention_days = 30

[[clauses]]
id = "police-ngo"
desk = "spiffe://kh.alerts.example/agency/anti-trafficking"
audience = "NGO"
agencies = ["spiffe://kh.alerts.example/agency/child-helpline"]
alert_type = "TravelAlert"
purposes = ["PREVENTION", "CHILD_SAFEGUARDING"]
permitted = ["destination_area"]
maximum_retention_days = 10
"""


def entries(country: str = "kh") -> list[AgencyEntry]:
    """The agencies as the configuration lists them."""
    return [AgencyEntry(id=PartyId.parse(agency(country, number)), name=name, agency_class=name) for number, name in CLASSES.items()]


def clauses(text: str = FILE, country: str = "kh") -> NationalClauses:
    return load_national(text, domain(country), entries(country))


def national(office: Office, text: str = FILE) -> None:
    """Give an office national clauses, and its NGO an officer, `ngo`."""
    helper = PartyId.parse(office.person("ngo"))
    officers = {
        **office.ports.officers,
        str(helper): OfficerEntry(id=helper, roles=("partner officer",), agency=PartyId.parse(agency(office.country, NGO))),
    }
    ports = office.ports
    journal = open_journal(ports.store, ports.vault, ports.trust_domain, acting(officers), ports.entropy)
    office.ports = replace(ports, national=clauses(text, office.country), officers=officers, journal=journal)


def telling(*recipients: str, **changes: Any) -> desk_service_pb2.Draft:
    """A travel alert that may be distributed: without H2."""
    return draft(*recipients, **{"handling": builders.handling(codes=[handling_pb2.HANDLING_CODE_H1])} | changes)


def asked(digest: bytes, *agencies: str, **changes: Any) -> desk_service_pb2.DistributionDraft:
    wanted = desk_service_pb2.DistributionDraft(
        request_id=b"inside  " + next(_ids).to_bytes(8, "big"), alert=digest.hex(), agencies=agencies, reason="synthetic reason"
    )
    return changed(wanted, **changes)


def distributed(
    office: Office, digest: bytes, *agencies: str, name: str = "police", **changes: Any
) -> desk_service_pb2.DistributeAlertResponse:
    """Distribute an alert. Changes are fields of `DistributionDraft`."""
    return distribute.distribute(office.ports, office.person(name), asked(digest, *agencies, **changes))


def previewed(office: Office, digest: bytes, *agencies: str, **changes: Any) -> desk_service_pb2.PreviewDistributionResponse:
    return distribute.preview_distribution(office.ports, office.person("police"), asked(digest, *agencies, **changes))


def listed(office: Office, digest: bytes | None = None, name: str = "police") -> desk_service_pb2.ListDistributionsResponse:
    question = desk_service_pb2.ListDistributionsRequest(alert=digest.hex() if digest else "")
    return list_distributions.list_distributions(office.ports, office.person(name), question)


def confirmed(office: Office, digest: bytes, name: str = "border", **changes: Any) -> desk_service_pb2.ConfirmPurgeResponse:
    """Confirm a purge to the desk. Changes are fields of `ConfirmPurgeRequest`."""
    wanted = desk_service_pb2.ConfirmPurgeRequest(alert=digest.hex(), copies_removed=1, local_lists_updated=True, reason="synthetic reason")
    return confirm_purge.confirm_purge(office.ports, office.person(name), changed(wanted, **changes))


def reported(office: Office, digest: bytes, name: str = "border", **changes: Any) -> desk_service_pb2.ReportHitResponse:
    """Report REFUSED_ENTRY as an officer of an agency that may not report abroad itself. Changes are fields of `ReportHitRequest`."""
    wanted = desk_service_pb2.ReportHitRequest(
        request_id=b"inside  " + next(_ids).to_bytes(8, "big"),
        alert=digest.hex(),
        report=hit_report_pb2.HitReport(
            outcome=hit_report_pb2.HIT_OUTCOME_REFUSED_ENTRY, desk={"unit": "Example desk", "channel": "+855 23 000 000"}
        ),
        reason="synthetic reason",
    )
    return report.answer(office.ports, office.person(name), changed(wanted, **changes), lambda item: sequence(office.ports, [item])[0])


def forwarded(office: Office, number: int, name: str = "police", request_id: bytes = b"") -> desk_service_pb2.PublishedAlert:
    """Let the desk pass a report on."""
    wanted = desk_service_pb2.ForwardReportRequest(
        request_id=request_id or b"inside  " + next(_ids).to_bytes(8, "big"), report=number, reason="synthetic reason"
    )
    return report.forward_report(office.ports, office.person(name), wanted, lambda item: sequence(office.ports, [item])[0])


def codes(problems: Sequence[desk_service_pb2.Problem]) -> set[str]:
    return {problem.code for problem in problems}


def superseding(office: Office, digest: bytes, **changes: Any) -> bytes:
    """Update an alert to another flight. Changes are fields of `Draft`."""
    wanted = desk_service_pb2.ReplaceAlertRequest(
        alert=digest.hex(), draft=telling(alert=encode(other_alert()), **changes), reason="synthetic reason"
    )
    answer = replace_alert(office.ports, office.person("liaison"), wanted, together(office))
    assert not answer.replacement.problems
    return answer.replacement.manifest_digest


def told(two: Federation, *to: str, **changes: Any) -> bytes:
    """An alert that the Cambodian police, or others there, were told."""
    digest = two["gb"].publish(telling(*(to or (agency("kh", POLICE),)), **changes)).manifest_digest
    two.pump()
    return digest
