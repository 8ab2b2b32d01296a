"""Inside a country: what happens to an alert, every agency sees at once; purges are confirmed and reports find their way."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.encoding import encode
from exchange.errors import NotFound
from exchange.profile import alert_type
from exchange.v1 import control_pb2, desk_service_pb2, handling_pb2
from exchange.v1.travel_alert_pb2 import TravelAlert
from node.operations import erase
from node.store import alerts
from tests import builders
from tests.countries import BORDER, DAY, NGO, POLICE, TRAVEL, agency, agreement, changed
from tests.federation import Federation, federation
from tests.inside import (
    clauses,
    codes,
    confirmed,
    distributed,
    forwarded,
    listed,
    national,
    reported,
    superseding,
    telling,
    told,
)
from tests.recalls import (
    LIFTING,
    RESTRICTION,
    attested,
    corrected,
    flags,
    other_alert,
    recalled,
    shown,
    stages,
    supplemented,
)
from tests.refusals import refused
from tests.rig import Office
from tests.worklists import kinds

pytestmark = pytest.mark.thorough

KH_BORDER, KH_POLICE, KH_NGO = agency("kh", BORDER), agency("kh", POLICE), agency("kh", NGO)
GB_POLICE = agency("gb", POLICE)
NUMBERS = {field.name: field.number for field in alert_type(TRAVEL).fields}


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh")
        national(made["kh"])
        yield made


def read(office: Office, digest: bytes, name: str) -> TravelAlert:
    return TravelAlert.FromString(shown(office, digest, name).view)


# What happens to the alert, every agency sees at once


def test_a_restriction_and_its_lifting_show_at_once(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    digest = told(two)
    distributed(kh, digest, KH_BORDER)
    recalled(gb, digest, RESTRICTION)
    two.pump()
    seen = shown(kh, digest, "border")
    assert (seen.view, seen.blocked) == (b"", desk_service_pb2.BLOCKED_RESTRICTED)
    assert [one.reason for one in seen.recalls] == ["UNDER_REVIEW"]
    recalled(gb, digest, LIFTING)
    two.pump()
    assert shown(kh, digest, "border").view


def test_an_update_is_followed_by_the_same_fields_of_the_new_alert(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    digest = told(two)
    distributed(kh, digest, KH_BORDER, unticked=[NUMBERS["birth"]])
    new = superseding(gb, digest)
    two.pump()
    seen = shown(kh, new, "border")
    assert TravelAlert.FromString(seen.view).itinerary[0].service_number == "XX 99"
    assert NUMBERS["birth"] in seen.undisclosed
    assert [one.field for one in seen.changes] == [NUMBERS["itinerary"]]
    assert (seen.replaces, seen.distributions[0].follows) == (digest, digest)
    old = shown(kh, digest, "border")
    assert (old.view, old.replaced_by, old.blocked) == (b"", new, desk_service_pb2.BLOCKED_REPLACED)
    with refused(NotFound, "ALERT_NOT_FOUND"):
        shown(kh, new, "ngo")
    with kh.ports.store.read() as tx:
        said = [
            (row.party, row.counterparty) for row in kh.ports.journal.rows(tx, 0, 1000) if row.subject == new and row.code == "DISTRIBUTED"
        ]
    assert said == [("spiffe://kh.alerts.example/node", KH_BORDER)], "the node did it, and no person"
    assert kh.fsck() == []


def test_what_no_clause_admits_any_more_is_disputed_when_it_is_corrected(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    digest = told(two)
    distributed(kh, digest, KH_BORDER)
    kh.ports = replace(kh.ports, national=replace(clauses(), clauses=()))
    answer = corrected(gb, digest, other_alert())
    two.pump()
    assert flags(kh, digest, "border") == ["DISPUTED"]
    assert [one.wrong_fields for one in shown(kh, digest, "border").recalls] == [[NUMBERS["itinerary"]]]
    with refused(NotFound, "ALERT_NOT_FOUND"):
        shown(kh, answer.replacement.manifest_digest, "border")


@pytest.mark.parametrize(
    "changes", [{"codes": [handling_pb2.HANDLING_CODE_H2]}, {"permitted_purposes": [handling_pb2.PURPOSE_BORDER_CONTROL]}]
)
def test_what_its_handling_forbids_does_not_follow(two: Federation, changes: dict[str, object]) -> None:
    gb, kh = two["gb"], two["kh"]
    digest = told(two)
    distributed(kh, digest, KH_BORDER)
    handling = builders.handling(**{"codes": [handling_pb2.HANDLING_CODE_H1]} | changes)
    new = superseding(gb, digest, handling=handling, purpose=handling.permitted_purposes[0])
    two.pump()
    assert shown(kh, new, "police").view
    assert flags(kh, digest, "border") == ["DISPUTED"]


def test_a_supplement_shows_that_the_desk_was_told_more_and_not_what(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    digest = told(two)
    distributed(kh, digest, KH_BORDER)
    before = shown(kh, digest, "border").view
    supplemented(gb, digest, KH_POLICE, NUMBERS["national_reference"])
    two.pump()
    assert flags(kh, digest, "border") == ["MORE_AT_DESK"]
    assert shown(kh, digest, "border").view == before


def test_expiry_and_erasure_show_at_once(two: Federation) -> None:
    kh = two["kh"]
    digest = told(two)
    distributed(kh, digest, KH_BORDER)
    two.clock.pass_(21 * DAY)
    assert "EXPIRED" in kh.received("border")[0].flags
    with kh.ports.store.read() as tx:
        reference = alerts.by_digests(tx, {digest})[digest].id
    erase.intend(kh.ports, kh.person("police"), [reference])
    erase.finish(kh.ports)
    assert flags(kh, digest, "border") == ["ERASED"]
    seen = shown(kh, digest, "border")
    assert (seen.view, seen.blocked) == (b"", desk_service_pb2.BLOCKED_ERASED)
    assert kh.fsck() == []


# Purge


def test_a_desk_attests_only_once_every_agency_has_confirmed(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    digest = told(two)
    distributed(kh, digest, KH_BORDER, KH_NGO)
    assert codes(confirmed(kh, digest).problems) == {"NOTHING_TO_CONFIRM"}
    recalled(gb, digest)
    two.pump()
    assert flags(kh, digest, "border") == flags(kh, digest, "ngo") == ["WITHDRAWN", "PURGE_OWED"]
    assert shown(kh, digest, "border").attest_by == shown(kh, digest, "police").attest_by > 0
    assert not shown(kh, digest, "border").view
    (answer,) = attested(kh, digest, "police").attestations
    assert codes(answer.problems) == {"INSIDE_NOT_PURGED"}
    assert codes(confirmed(kh, digest, local_lists_updated=False).problems) == {"LISTS_NOT_UPDATED"}
    assert codes(confirmed(kh, digest, reason="").problems) == {"REASON_MISSING"}
    assert codes(confirmed(kh, digest, exceptions=[99]).problems) == {"EXCEPTION_UNKNOWN"}
    assert list(confirmed(kh, digest).confirmed) == [digest]
    assert flags(kh, digest, "border") == ["WITHDRAWN"]
    assert codes(confirmed(kh, digest).problems) == {"NOTHING_TO_CONFIRM"}
    (answer,) = attested(kh, digest, "police").attestations
    assert {problem.field for problem in answer.problems} == {f"agencies[{KH_NGO}]"}
    confirmed(kh, digest, "ngo")
    answered = attested(kh, digest, "police")
    assert not codes(answered.attestations[0].problems)
    assert list(answered.erased) == [digest]
    two.pump()
    assert stages(gb, digest) == {"anti-trafficking": "ATTESTED"}, "what happens inside the country stays there"
    assert flags(kh, digest, "border") == ["ERASED", "WITHDRAWN"]
    assert [event[1:] for event in kh.journal() if event[3] == "ATTESTED"][:2] == [
        (kh.person("border"), digest.hex(), "ATTESTED"),
        (kh.person("ngo"), digest.hex(), "ATTESTED"),
    ]
    assert kh.fsck() == gb.fsck() == []


def test_a_coded_exception_answers_for_an_agency_that_is_silent_or_keeps_something(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    digest = told(two)
    distributed(kh, digest, KH_BORDER)
    recalled(gb, digest)
    two.pump()
    hold, own = control_pb2.PURGE_EXCEPTION_LEGAL_HOLD, control_pb2.PURGE_EXCEPTION_OWN_INVESTIGATION
    assert not codes(attested(kh, digest, "police", exceptions=[hold]).attestations[0].problems)
    confirmed(kh, digest, exceptions=[own])
    assert codes(attested(kh, digest, "police").attestations[0].problems) == {"INSIDE_EXCEPTION"}
    assert codes(attested(kh, digest, "police", exceptions=[hold]).attestations[0].problems) == {"INSIDE_EXCEPTION"}
    assert not attested(kh, digest, "police", exceptions=[own]).erased
    assert list(confirmed(kh, digest).confirmed) == [digest]
    assert list(attested(kh, digest, "police").erased) == [digest]


def test_an_attestation_written_as_a_file_waits_too(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    digest = told(two)
    distributed(kh, digest, KH_BORDER)
    recalled(gb, digest)
    two.pump()
    attestation = control_pb2.PurgeAttestation(manifest_digest=digest, copies_removed=0, local_lists_updated=True)
    wanted = telling(alert_type="exchange.v1.PurgeAttestation", alert=encode(attestation), not_after=None, purpose=None, handling=None)
    assert codes(kh.publish(wanted, "police").problems) == {"INSIDE_NOT_PURGED"}
    confirmed(kh, digest)
    assert not codes(kh.publish(wanted, "police").problems)


def test_whoever_was_told_from_abroad_too_attests_there(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    digest = told(two, KH_POLICE, KH_BORDER)
    distributed(kh, digest, KH_BORDER)
    assert shown(kh, digest, "border").disclosures
    recalled(gb, digest)
    two.pump()
    assert flags(kh, digest, "border") == ["WITHDRAWN", "ATTESTATION_OWED"]
    assert codes(confirmed(kh, digest).problems) == {"NOTHING_TO_CONFIRM"}
    assert not codes(attested(kh, digest, "police").attestations[0].problems)


# Reports


def test_an_agency_that_the_agreement_names_reports_abroad_itself(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    digest = told(two)
    distributed(kh, digest, KH_BORDER)
    answer = reported(kh, digest)
    assert not answer.HasField("kept")
    assert not codes(answer.published.problems)
    two.pump()
    assert shown(gb, answer.published.manifest_digest, "police").summary.originator == KH_BORDER
    assert kh.received("border")[0].answered
    assert gb.fsck() == kh.fsck() == []


@pytest.fixture
def unnamed(tmp_path: Path) -> Iterator[Federation]:
    """The agreement does not name the Cambodian border agency."""
    content = agreement()
    kept = [one for one in content.agencies if one.agency != KH_BORDER]
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh", changed(content, agencies=kept))
        national(made["kh"])
        yield made


def test_any_other_agency_reports_to_its_desk_which_reports_on(unnamed: Federation) -> None:
    gb, kh = unnamed["gb"], unnamed["kh"]
    digest = told(unnamed)
    distributed(kh, digest, KH_BORDER)
    kept = reported(kh, digest, request_id=bytes(16)).kept
    assert (kept.agency, kept.desk) == (KH_BORDER, KH_POLICE)
    assert reported(kh, digest, request_id=bytes(16)).kept == kept
    assert kh.received("border")[0].answered
    assert flags(kh, digest, "police") == ["REPORT_WAITING"]
    (waiting,) = listed(kh).reports
    assert waiting.content.outcome == kept.content.outcome > 0
    assert not gb.received("police")
    for name in ("border", "ngo"):
        with refused(NotFound, "REPORT_UNKNOWN"):
            forwarded(kh, kept.report, name)
    with refused(NotFound, "REPORT_UNKNOWN"):
        forwarded(kh, 2**63)
    on = forwarded(kh, kept.report, request_id=bytes(15) + b"f")
    assert not codes(on.problems)
    assert forwarded(kh, kept.report, request_id=bytes(15) + b"f") == on
    assert codes(forwarded(kh, kept.report).problems) == {"REPORT_FORWARDED"}
    assert not listed(kh).reports
    assert listed(kh, digest).reports[0].forwarded == on.manifest_digest
    unnamed.pump()
    assert shown(gb, on.manifest_digest, "police").summary.originator == KH_POLICE
    assert flags(kh, digest, "police") == []
    assert ("disclosure", kh.person("border"), digest.hex(), "REPORTED") in kh.journal()
    assert kh.fsck() == gb.fsck() == []


def test_a_report_for_the_desk_is_checked_as_any_other(unnamed: Federation) -> None:
    kh = unnamed["kh"]
    digest = told(unnamed)
    distributed(kh, digest, KH_BORDER)
    assert codes(reported(kh, digest, report=None).published.problems) >= {"FIELD_MISSING"}
    assert codes(reported(kh, digest, reason="").published.problems) == {"REASON_MISSING"}
    assert codes(reported(kh, digest, request_id=b"short").published.problems) == {"REQUEST_ID"}
    with refused(NotFound, "ALERT_NOT_FOUND"):
        reported(kh, digest, "ngo")
    assert not listed(kh).reports


def test_a_kept_report_goes_with_its_alert(unnamed: Federation) -> None:
    gb, kh = unnamed["gb"], unnamed["kh"]
    digest = told(unnamed)
    distributed(kh, digest, KH_BORDER)
    kept = reported(kh, digest).kept
    assert "REPORT_TO_FORWARD" in kinds(kh, "police")
    recalled(gb, digest)
    unnamed.pump()
    confirmed(kh, digest)
    assert attested(kh, digest, "police").erased
    (one,) = listed(kh, digest).reports
    assert not one.HasField("content")
    assert "REPORT_WAITING" not in flags(kh, digest, "police"), "what nobody can pass on waits for nobody"
    assert not listed(kh).reports
    assert "REPORT_TO_FORWARD" not in kinds(kh, "police")
    with refused(NotFound, "ERASED"):
        forwarded(kh, kept.report)
    with refused(NotFound, "ERASED"):
        reported(kh, digest)
