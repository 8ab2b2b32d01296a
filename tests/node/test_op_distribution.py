"""Inside a country: each agency sees its own projection of what its desk was told, and at once what happens to the alert."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.errors import NotFound
from exchange.profile import alert_type
from exchange.v1 import desk_service_pb2, disclosure_pb2, evidence_pb2, handling_pb2
from exchange.v1.travel_alert_pb2 import TravelAlert
from node.operations import retention
from node.operations.evidence import export_evidence
from node.operations.evidence_bundle import export_bundle
from node.operations.officers import NotPermitted
from node.operations.screen import screen
from node.operations.watchlist import Watchlists
from tests import builders
from tests.countries import BORDER, DAY, NGO, POLICE, TRAVEL, agency
from tests.federation import Federation, federation
from tests.inside import (
    FILE,
    clauses,
    codes,
    distributed,
    listed,
    national,
    previewed,
    superseding,
    told,
)
from tests.recalls import (
    RESTRICTION,
    flags,
    recalled,
    replaced,
    shown,
)
from tests.refusals import refused
from tests.rig import Office

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
