"""Inside a country: each agency sees its own projection of what its desk was told, and at once what happens to the alert."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.encoding import encode
from exchange.errors import NotFound
from exchange.profile import alert_type
from exchange.v1 import control_pb2, desk_service_pb2, disclosure_pb2, evidence_pb2, handling_pb2
from exchange.v1.travel_alert_pb2 import TravelAlert
from node.operations import erase, retention
from node.operations.evidence import export_evidence
from node.operations.evidence_bundle import export_bundle
from node.operations.officers import NotPermitted
from node.operations.replace import replace_alert
from node.operations.screen import screen
from node.operations.watchlist import Watchlists
from node.store import alerts
from tests import builders
from tests.countries import BORDER, DAY, NGO, POLICE, TRAVEL, agency, agreement, changed
from tests.federation import Federation, federation
from tests.inside import FILE, clauses, codes, confirmed, distributed, forwarded, listed, national, previewed, reported, telling
from tests.recalls import (
    LIFTING,
    RESTRICTION,
    attested,
    corrected,
    flags,
    other_alert,
    recalled,
    replaced,
    shown,
    stages,
    supplemented,
    together,
)
from tests.refusals import refused
from tests.rig import Office

KH_BORDER, KH_POLICE, KH_NGO = agency("kh", BORDER), agency("kh", POLICE), agency("kh", NGO)
GB_POLICE = agency("gb", POLICE)
NUMBERS = {field.name: field.number for field in alert_type(TRAVEL).fields}


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh")
        national(made["kh"])
        yield made


def told(two: Federation, *to: str, **changes: object) -> bytes:
    """An alert that the Cambodian police were told."""
    digest = two["gb"].publish(telling(*(to or (KH_POLICE,)), **changes)).manifest_digest
    two.pump()
    return digest


def read(office: Office, digest: bytes, name: str) -> TravelAlert:
    return TravelAlert.FromString(shown(office, digest, name).view)


# Who sees what


def test_an_agency_sees_exactly_what_was_distributed_to_it(two: Federation) -> None:
    kh = two["kh"]
    digest = told(two)
    with refused(NotFound, "ALERT_NOT_FOUND"):
        shown(kh, digest, "border")
    foreseen = {one.recipient: one for one in previewed(kh, digest, KH_BORDER, KH_NGO).recipients}
    answer = distributed(kh, digest, KH_BORDER, KH_NGO)
    assert {(one.agency, one.clause) for one in answer.distributions} == {(KH_BORDER, "police-border"), (KH_NGO, "police-ngo")}
    for name, agency_, wanted in (
        (
            "border",
            KH_BORDER,
            {"primary_name", "birth", "documents", "itinerary", "destination_area", "requested_action", "conviction_summary"},
        ),
        ("ngo", KH_NGO, {"destination_area"}),
    ):
        (seen,) = kh.received(name)
        assert seen.manifest_digest == digest
        opened = shown(kh, digest, name)
        assert opened.view == foreseen[agency_].view
        assert {NUMBERS[field] for field in wanted} == set(NUMBERS.values()) - set(opened.undisclosed)
        assert {field.name for field, _ in read(kh, digest, name).ListFields()} <= wanted
        assert not opened.disclosures
        assert [one.desk for one in opened.distributions] == [KH_POLICE]
    assert read(kh, digest, "border").primary_name == builders.alert().primary_name
    assert kh.fsck() == []


def test_what_went_to_one_agency_no_other_can_open(two: Federation) -> None:
    kh = two["kh"]
    digest = told(two)
    distributed(kh, digest, KH_NGO)
    errors = []
    for reference in (digest, bytes(32)):
        with pytest.raises(NotFound) as raised:
            shown(kh, reference, "border")
        errors.append((raised.value.code, str(raised.value)))
    assert errors[0] == errors[1]
    assert kh.received("border") == []
    with refused(NotFound, "ALERT_NOT_FOUND"):
        distributed(kh, digest, KH_BORDER, name="border")
    with refused(NotFound, "ALERT_NOT_FOUND"):
        listed(kh, digest, "border")
    # Who was told inside the country passes on no further.
    with refused(NotFound, "ALERT_NOT_FOUND"):
        distributed(kh, digest, KH_BORDER, name="ngo")


def test_a_field_that_the_desk_was_not_told_goes_to_nobody(two: Federation) -> None:
    kh = two["kh"]
    birth = NUMBERS["birth"]
    digest = told(two, unticked=[birth])
    assert distributed(kh, digest, KH_BORDER).distributions
    assert birth in shown(kh, digest, "border").undisclosed
    assert birth not in {one.field for one in previewed(kh, digest, KH_NGO).recipients[0].fields}


def test_a_field_that_the_clause_requires_must_have_been_told_to_the_desk(two: Federation) -> None:
    kh = two["kh"]
    national(
        kh,
        FILE.replace('required = ["primary_name"]', 'required = ["primary_name", "birth"]').replace(
            'permitted = ["birth", ', "permitted = ["
        ),
    )
    digest = told(two, unticked=[NUMBERS["birth"]])
    assert codes(distributed(kh, digest, KH_BORDER).problems) == {"FIELD_NOT_HELD"}
    assert codes(distributed(kh, told(two), KH_BORDER, unticked=[NUMBERS["primary_name"]]).problems) == {"FIELD_REQUIRED"}


def test_an_officer_leaves_out_and_grants(two: Federation) -> None:
    kh = two["kh"]
    digest = told(two)
    ground = disclosure_pb2.ON_REQUEST_GROUND_INVESTIGATION

    def grant(name: str, ground: int = ground) -> desk_service_pb2.OnRequestGrant:
        return desk_service_pb2.OnRequestGrant(
            recipient=KH_BORDER, field=NUMBERS[name], ground=disclosure_pb2.OnRequestGround.ValueType(ground)
        )

    assert codes(distributed(kh, digest, KH_BORDER, on_request=[grant("sex")]).problems) == {"FIELD_NOT_ON_REQUEST"}
    assert codes(distributed(kh, digest, KH_BORDER, on_request=[grant("appearance", 0)]).problems) == {"GROUND_MISSING"}
    differ = [grant("appearance"), grant("risk_level", disclosure_pb2.ON_REQUEST_GROUND_IDENTIFICATION)]
    assert codes(distributed(kh, digest, KH_BORDER, on_request=differ).problems) == {"GROUNDS_DIFFER"}
    distributed(kh, digest, KH_BORDER, unticked=[NUMBERS["itinerary"]])
    assert not read(kh, digest, "border").HasField("appearance")
    assert not read(kh, digest, "border").itinerary
    visible = {one.name: one.visibility for one in previewed(kh, digest, KH_BORDER, unticked=[NUMBERS["itinerary"]]).recipients[0].fields}
    assert not visible  # nothing would be new
    distributed(kh, digest, KH_BORDER, on_request=[grant("appearance")])
    assert read(kh, digest, "border").appearance.height_cm == 182
    assert read(kh, digest, "border").itinerary
    assert codes(distributed(kh, digest, KH_BORDER).problems) == {"DISTRIBUTED_ALREADY"}
    assert kh.fsck() == []


def test_a_preview_says_why_a_field_does_not_go(two: Federation) -> None:
    kh = two["kh"]
    digest = told(two)
    (one,) = previewed(kh, digest, KH_BORDER, unticked=[NUMBERS["itinerary"]]).recipients
    visible = {field.name: desk_service_pb2.Visibility.Name(field.visibility).removeprefix("VISIBILITY_") for field in one.fields}
    assert {visible[name] for name in ("primary_name", "birth")} == {"SHOWN"}
    assert (visible["itinerary"], visible["appearance"], visible["names"]) == ("UNTICKED", "NEEDS_REASON", "FORBIDDEN")
    assert not kh.received("border")


# What keeps it from going


@pytest.mark.parametrize(
    ("agency_", "code"),
    [
        (KH_POLICE, "AUDIENCE_SELF"),
        (GB_POLICE, "AUDIENCE_UNKNOWN"),
        ("spiffe://kh.alerts.example/agency/nobody", "AUDIENCE_UNKNOWN"),
        ("no id at all", "AUDIENCE_UNKNOWN"),
        (KH_NGO, "AUDIENCE_NOT_AGREED"),
    ],
)
def test_whom_no_clause_names_is_told_nothing(two: Federation, agency_: str, code: str) -> None:
    kh = two["kh"]
    national(kh, FILE[: FILE.index("[[clauses]]", FILE.index("police-border"))])
    digest = told(two)
    assert codes(distributed(kh, digest, KH_BORDER, agency_).problems) == {code}
    assert not kh.received("border"), "all or none"
    assert ("refusal", kh.person("police"), digest.hex(), code) in kh.journal()


def test_without_national_clauses_nobody_is_told(two: Federation) -> None:
    kh = two["kh"]
    digest = told(two)
    kh.ports = replace(kh.ports, national=replace(clauses(), clauses=()))
    assert codes(distributed(kh, digest, KH_BORDER).problems) == {"NATIONAL_NONE"}
    for years, code in (("2025", "NATIONAL_EXPIRED"), ("2028", "NATIONAL_NOT_YET")):
        text = FILE.replace("2026-01-01", f"{years}-01-01").replace("2027-01-01", f"{years}-02-01")
        national(kh, text)
        assert codes(distributed(kh, digest, KH_BORDER).problems) == {code}


def test_another_type_or_another_desk_has_no_clause(two: Federation) -> None:
    kh = two["kh"]
    national(kh, FILE.replace("agency/anti-trafficking", "agency/child-helpline"))
    assert codes(distributed(kh, told(two), KH_BORDER).problems) == {"CLAUSE_NONE"}


@pytest.mark.parametrize(
    ("changes", "purpose", "code"),
    [
        ({"handling": builders.handling()}, 0, "HANDLING_H2"),
        ({}, handling_pb2.PURPOSE_INVESTIGATION, "PURPOSE_NOT_PERMITTED"),
        ({}, handling_pb2.PURPOSE_BORDER_CONTROL, "PURPOSE_NOT_AGREED"),
        ({}, handling_pb2.PURPOSE_PROSECUTION, "PURPOSE_NOT_PERMITTED"),
    ],
)
def test_handling_and_purpose_bind_the_desk(two: Federation, changes: dict[str, object], purpose: int, code: str) -> None:
    digest = told(two, **changes)
    assert codes(distributed(two["kh"], digest, KH_BORDER, purpose=purpose).problems) == {code}
    assert codes(previewed(two["kh"], digest, KH_BORDER, purpose=purpose).problems) in ({code}, set())


def test_the_form_of_a_request_is_checked(two: Federation) -> None:
    kh = two["kh"]
    digest = told(two)
    assert codes(distributed(kh, digest).problems) == {"AGENCIES_NONE"}
    assert codes(distributed(kh, digest, KH_BORDER, reason=" ").problems) == {"REASON_MISSING"}
    assert codes(distributed(kh, digest, KH_BORDER, request_id=b"short").problems) == {"REQUEST_ID"}


def test_the_same_request_again_distributes_nothing_twice(two: Federation) -> None:
    kh = two["kh"]
    digest, other = told(two), told(two)
    first = distributed(kh, digest, KH_BORDER, request_id=bytes(16))
    assert distributed(kh, digest, KH_BORDER, request_id=bytes(16)) == first
    assert len(listed(kh, digest).distributions) == 1
    assert codes(distributed(kh, other, KH_BORDER, request_id=bytes(16)).problems) == {"REQUEST_ID"}


@pytest.mark.parametrize("kind", ["WITHDRAWN", "RESTRICTED", "EXPIRED", "SUPERSEDED"])
def test_what_is_not_in_force_is_told_to_nobody_else(two: Federation, kind: str) -> None:
    gb, kh = two["gb"], two["kh"]
    digest = told(two)
    code = "ALERT_NOT_IN_FORCE"
    if kind == "WITHDRAWN":
        recalled(gb, digest)
    elif kind == "RESTRICTED":
        recalled(gb, digest, RESTRICTION)
    elif kind == "SUPERSEDED":
        replaced(gb, digest)
    else:
        two.clock.pass_(20 * DAY)
        code = "ALERT_EXPIRED"
    two.pump()
    assert codes(distributed(kh, digest, KH_BORDER).problems) == {code}


# What is kept of it


def test_a_distribution_is_one_entry_of_the_journal(two: Federation) -> None:
    kh = two["kh"]
    digest = told(two)
    distributed(kh, digest, KH_BORDER, KH_NGO)
    with kh.ports.store.read() as tx:
        rows = [row for row in kh.ports.journal.rows(tx, 0, 1000) if row.code == "DISTRIBUTED"]
        details = [kh.ports.journal.detail(tx, row.idx, "accountability") for row in rows]
    assert {(row.party, row.counterparty, row.subject) for row in rows} == {(KH_POLICE, KH_BORDER, digest), (KH_POLICE, KH_NGO, digest)}
    assert all(detail and kh.person("police").encode() in detail and b"synthetic reason" in detail for detail in details)
    assert not any(b"synthetic reason" in row.entry or b"officer" in row.entry for row in rows)


def test_the_shorter_retention_holds(two: Federation) -> None:
    kh = two["kh"]
    digest = told(two)
    (one,) = distributed(kh, digest, KH_NGO).distributions
    assert one.erase_by == two.clock.time + 10 * DAY == shown(kh, digest, "ngo").erase_by
    assert shown(kh, digest, "ngo").handling.retention_days == 10
    assert list(shown(kh, digest, "ngo").handling.codes) == [handling_pb2.HANDLING_CODE_H1]
    assert shown(kh, digest, "ngo").handling.onward == handling_pb2.ONWARD_RULE_NONE
    two.clock.pass_(10 * DAY)
    seen = shown(kh, digest, "ngo")
    assert (seen.view, seen.blocked) == (b"", desk_service_pb2.BLOCKED_ERASED)
    assert flags(kh, digest, "ngo") == ["ERASED"]
    assert shown(kh, digest, "police").view


def test_a_desk_lists_what_it_distributed_and_an_auditor_sees_it(two: Federation) -> None:
    kh = two["kh"]
    digest = told(two)
    distributed(kh, digest, KH_BORDER)
    (one,) = listed(kh).distributions
    assert (one.agency, one.manifest_digest, list(one.fields)) == (
        KH_BORDER,
        digest,
        list(shown(kh, digest, "border").distributions[0].fields),
    )
    assert list(listed(kh, digest, "auditor").distributions) == [one]
    assert not listed(kh, name="border").distributions


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


def superseding(office: Office, digest: bytes, **changes: object) -> bytes:
    """Update an alert to another flight. Changes are fields of `Draft`."""
    wanted = desk_service_pb2.ReplaceAlertRequest(
        alert=digest.hex(), draft=telling(alert=encode(other_alert()), **changes), reason="synthetic reason"
    )
    answer = replace_alert(office.ports, office.person("liaison"), wanted, together(office))
    assert not codes(answer.replacement.problems)
    return answer.replacement.manifest_digest


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
    recalled(gb, digest)
    unnamed.pump()
    confirmed(kh, digest)
    assert attested(kh, digest, "police").erased
    (one,) = listed(kh, digest).reports
    assert not one.HasField("content")
    with refused(NotFound, "ERASED"):
        forwarded(kh, kept.report)
    with refused(NotFound, "ERASED"):
        reported(kh, digest)


# Screening


def test_an_agency_screens_against_what_was_distributed_to_it_and_no_more(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    watchlists = Watchlists()
    listed_ = b"family_name,given_names,birth_date,document_number,document_issuer\nEXAMPLE,THOMAS SPECIMEN,1961-04-12,925076473,GBR\n"

    def rules(name: str = "border") -> set[str]:
        question = desk_service_pb2.ScreenPassengersRequest(manifest=listed_, reason="synthetic")
        answer = screen(kh.ports, kh.person(name), question, watchlists)
        return {reason.rule.partition("_")[0] for one in answer.proposals for reason in one.reasons}

    digest = told(two)
    assert rules() == set()
    distributed(kh, digest, KH_BORDER, unticked=[NUMBERS["documents"]])
    assert "DOCUMENT" not in rules()
    assert rules()
    distributed(kh, digest, KH_BORDER)
    assert "DOCUMENT" in rules()
    assert rules("ngo") == set()
    new = superseding(gb, digest)
    two.pump()
    assert rules()
    recalled(gb, new)
    two.pump()
    assert rules() == set()


def test_who_was_told_inside_the_country_exports_no_evidence(two: Federation) -> None:
    kh = two["kh"]
    digest = told(two)
    distributed(kh, digest, KH_BORDER)
    with refused(NotFound, "ALERT_NOT_FOUND"):
        export_bundle(kh.ports, kh.person("border"), desk_service_pb2.ExportBundleRequest(alert=digest.hex(), content=True))
    with refused(NotPermitted, "EVIDENCE_NOT_YOURS"):
        export_evidence(kh.ports, kh.person("border"), kh.mirror(two["gb"]).name.origin, 0, evidence_pb2.EVIDENCE_LEVEL_DATA)
    for verb in (retention.hold, retention.erase_early):
        with refused(NotFound, "ALERT_NOT_FOUND"):
            verb(kh.ports, kh.person("border"), digest.hex(), "synthetic reason")


# Checks

INVENTED = """
    INSERT INTO distributions SELECT 9, x'00', alert_ref, desk, agency, fields, desk_fields, clause, rules, purpose, ground, handling,
    at, erase_by, ended_at, follows FROM distributions
"""


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM distributions WHERE agency LIKE '%immigration'",
        "UPDATE distributions SET agency = 'spiffe://kh.alerts.example/agency/child-helpline'",
        "UPDATE distributions SET fields = x'0106'",
        "UPDATE distributions SET fields = x''",
        "UPDATE distributions SET desk_fields = x'06'",
        "UPDATE distributions SET desk = 'spiffe://kh.alerts.example/agency/immigration'",
        "UPDATE distributions SET alert_ref = 99",
        INVENTED,
    ],
)
def test_a_check_finds_what_was_made_of_a_distribution(two: Federation, statement: str) -> None:
    kh = two["kh"]
    digest = told(two, unticked=[NUMBERS["appearance"]])
    distributed(kh, digest, KH_BORDER)
    assert kh.fsck() == []
    with kh.ports.store.write() as tx:
        tx.exec_driver_sql(statement)
    assert set(kh.fsck()) == {"DISTRIBUTION_MISMATCH"}
