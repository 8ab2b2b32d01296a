"""`SubjectWarning`, `ProsecutionCoordination` and `PatternBulletin`: what each must say, and how it lives between two countries."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor

from exchange.encoding import encode
from exchange.profile import alert_type, alert_types
from exchange.v1 import agreement_pb2, desk_service_pb2, handling_pb2, pattern_bulletin_pb2, people_pb2, prosecution_pb2
from exchange.v1.prosecution_pb2 import ProsecutionCoordination
from exchange.v1.subject_warning_pb2 import SubjectWarning
from node.intake.agreement_file import load_agreement_file
from node.intake.agreement_template import AgreementSide, agreement_template
from node.intake.completeness import check_alert
from node.operations.planning import plan
from node.operations.replace import replace_alert
from node.policy.pack import read_pack
from node.reading import read_view
from tests.countries import BORDER, DAY, NGO, NOW, POLICE, agency, agreement, changed, clause
from tests.federation import Federation, federation
from tests.node.test_every_type import sample
from tests.recalls import codes, flags, request_id, shown, status, together
from tests.rig import Office, draft

ROOT = Path(__file__).parents[2]
WARNING, COORDINATION, PATTERN = "exchange.v1.SubjectWarning", "exchange.v1.ProsecutionCoordination", "exchange.v1.PatternBulletin"
GB_POLICE, KH_POLICE, KH_BORDER, KH_NGO = agency("gb", POLICE), agency("kh", POLICE), agency("kh", BORDER), agency("kh", NGO)


def agreed_on(*clauses: agreement_pb2.Clause) -> agreement_pb2.Agreement:
    return changed(agreement(), clauses=sorted(clauses, key=lambda one: one.id))


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh") as made:
        purposes = [handling_pb2.PURPOSE_PROSECUTION]
        ways = (("gb", "kh"), ("kh", "gb"))
        made.connect("gb", "kh", agreed_on(*(clause(*way, POLICE, COORDINATION, purposes=purposes) for way in ways)))
        yield made


def coordination(**changes: Any) -> ProsecutionCoordination:
    return changed(ProsecutionCoordination.FromString(sample(COORDINATION).alert), **changes)


def proposal(to: str, alert: ProsecutionCoordination, **changes: Any) -> desk_service_pb2.Draft:
    purpose = handling_pb2.PURPOSE_PROSECUTION
    handling = handling_pb2.Handling(permitted_purposes=[purpose], judicial_use=handling_pb2.JUDICIAL_USE_ALLOWED)
    values = {"alert_type": COORDINATION, "alert": encode(alert), "purpose": purpose, "handling": handling, "not_after": NOW + 300 * DAY}
    return draft(to, **values | changes)


def found(name: str, alert: Any) -> set[str]:
    return {problem.code for problem in check_alert(name, alert, NOW)}


# Prosecution


def test_each_update_of_a_coordination_supersedes_the_one_before(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    first = gb.publish(proposal(KH_POLICE, coordination(), request_id=request_id()))
    assert not codes(first)
    two.pump()
    digest, states = first.manifest_digest, []
    for state in (
        prosecution_pb2.PROSECUTION_STATE_AGREED,
        prosecution_pb2.PROSECUTION_STATE_CHARGED,
        prosecution_pb2.PROSECUTION_STATE_TRIED,
    ):
        digest = updated(gb, digest, coordination(state=state), thread=first.manifest_digest)
        two.pump()
        seen = shown(kh, digest, "police")
        states.append(ProsecutionCoordination.FromString(seen.view).state)
        names = {field.number: field.name for field in alert_type(COORDINATION).fields}
        assert [names[one.field] for one in seen.changes] == ["state"]
    assert states == [2, 3, 4]
    held = {one.manifest_digest: one.flags for one in kh.received("police")}
    assert [seen for seen, of in held.items() if "SUPERSEDED" not in of] == [digest], "never two truths side by side"
    old = shown(kh, first.manifest_digest, "police")
    assert (old.blocked, old.replaced_by, old.view) == (desk_service_pb2.BLOCKED_REPLACED, digest, b"")
    assert gb.fsck() == kh.fsck() == []


def updated(office: Office, digest: bytes, alert: ProsecutionCoordination, **changes: Any) -> bytes:
    wanted = desk_service_pb2.ReplaceAlertRequest(
        alert=digest.hex(), draft=proposal(KH_POLICE, alert, request_id=request_id(), **changes), reason="synthetic reason"
    )
    answer = replace_alert(office.ports, office.person("liaison"), wanted, together(office))
    assert not codes(answer.replacement)
    return answer.replacement.manifest_digest


def test_the_other_country_answers_in_the_same_thread(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    first = gb.publish(proposal(KH_POLICE, coordination())).manifest_digest
    two.pump()
    counter = coordination(prosecuting_country="KHM", extraterritorial_basis=prosecution_pb2.EXTRATERRITORIAL_BASIS_TERRITORY)
    answer = kh.publish(proposal(GB_POLICE, counter, thread=first, in_reply_to=first))
    assert not codes(answer)
    two.pump()
    assert flags(gb, answer.manifest_digest, "police") == []
    assert [list(one.reports) for one in status(gb, first).disclosures] == [[answer.manifest_digest]]
    assert shown(gb, answer.manifest_digest, "police").view == encode(counter)


def test_a_desk_reads_a_coordination_in_words() -> None:
    alert = coordination(
        extraterritorial_basis=prosecution_pb2.EXTRATERRITORIAL_BASIS_NATIONALITY, ne_bis_in_idem=prosecution_pb2.NE_BIS_IN_IDEM_PENDING
    )
    lines = {one.label: one.lines for one in read_view(COORDINATION, encode(alert), ())}
    assert lines["Basis of jurisdiction"] == ("nationality of the suspect",)
    assert lines["Ne bis in idem: earlier proceedings"] == ("not checked yet",)
    assert lines["Prosecuting country"] == ("Thailand (THA)",)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"suspect": {}}, "FIELD_MISSING"),
        ({"prosecuting_country": None}, "FIELD_MISSING"),
        ({"prosecuting_country": "ZZZ"}, "COUNTRY_UNKNOWN"),
        ({"ne_bis_in_idem": None}, "FIELD_MISSING"),
        ({"extraterritorial_basis": None}, "BASIS_MISSING"),
        ({"ne_bis_in_idem": prosecution_pb2.NE_BIS_IN_IDEM_EARLIER_PROCEEDINGS, "case_references": None}, "FIELD_MISSING"),
        (
            {"ne_bis_in_idem": prosecution_pb2.NE_BIS_IN_IDEM_PENDING, "state": prosecution_pb2.PROSECUTION_STATE_TRIED},
            "NE_BIS_IN_IDEM_PENDING",
        ),
    ],
)
def test_what_a_coordination_must_say(changes: dict[str, Any], code: str) -> None:
    if changes.get("suspect") == {}:
        changes = {"suspect": prosecution_pb2.MinimalSuspect(birth=people_pb2.Birth(date="1970"))}
    assert found(COORDINATION, coordination(**changes)) == {code}
    assert found(COORDINATION, coordination()) == set()


# Warnings


def test_a_warning_says_on_what_it_rests() -> None:
    alert = SubjectWarning.FromString(sample(WARNING).alert)
    assert found(WARNING, alert) == set()
    assert found(WARNING, changed(alert, conviction_summary=None)) == {"WARNING_GROUND_MISSING"}


# Patterns

PERSONAL = {"IDENTITY", "BIOMETRIC", "DOCUMENT", "TRAVEL", "CONTACT", "CRIMINAL", "HEALTH", "CASE"}
OF_PERSONS = {
    message.DESCRIPTOR.full_name
    for message in (
        *(people_pb2.PersonName, people_pb2.Birth, people_pb2.Nationality, people_pb2.Appearance),
        *(people_pb2.FacialImage, people_pb2.TravelDocument, people_pb2.CompanionCounts, people_pb2.Reference),
    )
}


def below(descriptor: Descriptor) -> set[str]:
    found_: set[str] = set()
    for field in descriptor.fields:
        if field.message_type is not None:
            found_ |= {field.message_type.full_name} | below(field.message_type)
    return found_


def test_a_pattern_has_no_place_for_a_person() -> None:
    kind = alert_type(PATTERN)
    assert not PERSONAL & {field.category for field in kind.fields}
    assert not OF_PERSONS & below(pattern_bulletin_pb2.PatternBulletin.DESCRIPTOR)
    assert OF_PERSONS & below(prosecution_pb2.ProsecutionCoordination.DESCRIPTOR), "this test would see them"
    text = " ".join(line for one in read_view(PATTERN, sample(PATTERN).alert, ()) for line in one.lines)
    for other in alert_types():
        if other in {WARNING, COORDINATION, "exchange.v1.TravelAlert"}:
            alert: Any = alert_type(other).message.FromString(sample(other).alert)
            name = alert.suspect.name if other == COORDINATION else alert.primary_name
            assert name.family
            assert name.family not in text


@pytest.mark.parametrize(
    ("words", "personal"),
    [
        ("Bookings in 2025-2026, and again in 2027.", False),
        ("Groups of 3 to 12 in rooms 101 and 102, for 1500 a night.", False),
        ("He was born on 12.04.1961.", True),
        ("Passport 925076473.", True),
        ("Call 023 123 456.", True),
        ("Seen since 2026-05-01.", True),
        ("Write to x@example.org.", True),
    ],
)
def test_a_pattern_that_may_point_at_a_person_is_said_to(words: str, personal: bool) -> None:  # noqa: FBT001  a case
    alert = pattern_bulletin_pb2.PatternBulletin.FromString(sample(PATTERN).alert)
    alert.what_to_look_for[0].text = words
    assert found(PATTERN, alert) == ({"PATTERN_PERSONAL"} if personal else set())


def test_a_pattern_goes_to_partners_that_are_told_of_no_person(tmp_path: Path) -> None:
    purpose = handling_pb2.PURPOSE_PREVENTION
    only = agreed_on(*(clause("gb", "kh", of, PATTERN, purposes=[purpose]) for of in (BORDER, NGO)))
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh", only)
        gb, kh = made["gb"], made["kh"]
        wanted = changed(
            sample(PATTERN),
            request_id=request_id(),
            originator=None,
            recipients=[KH_BORDER, KH_NGO],
            purpose=purpose,
            not_after=NOW + 90 * DAY,
        )
        published = gb.publish(wanted)
        assert not codes(published)
        made.pump()
        seen = shown(kh, published.manifest_digest, "border")
        assert (seen.view, list(seen.undisclosed)) == (wanted.alert, [])
        assert codes(gb.publish(draft(KH_BORDER))) == {"CLAUSE_NONE"}


@pytest.mark.parametrize("country", ["gb", "kh", "eu"])
def test_no_policy_asks_for_an_assessment_of_what_tells_of_nobody(tmp_path: Path, country: str) -> None:
    purpose = handling_pb2.PURPOSE_PREVENTION
    kind = alert_type(PATTERN)
    pack = read_pack((ROOT / f"policies/{country}/transfers.toml").read_bytes())
    pack = replace(pack, countries={**pack.countries, "kh.alerts.example": "KH"})
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh", agreed_on(*(clause("gb", "kh", of, PATTERN, purposes=[purpose]) for of in (BORDER, POLICE, NGO))))
        wanted = changed(sample(PATTERN), recipients=[KH_BORDER, KH_POLICE, KH_NGO], purpose=purpose)
        decided = plan(wanted, {}, kind, replace(made["gb"].ports.known, policy=pack), NOW)
    assert dict(decided.refused) == {}
    assert not any(one.assessment for one in decided.planned)


@pytest.mark.parametrize("country", ["gb", "kh", "eu"])
def test_a_rule_for_what_tells_of_persons_forgets_no_type(country: str) -> None:
    pack = read_pack((ROOT / f"policies/{country}/transfers.toml").read_bytes())
    ordinary = {name.rpartition(".")[2] for name, kind in alert_types().items() if not kind.control}
    every = [rule for rule in pack.rules if len(rule.alert_types) > 8]
    assert every
    assert all(rule.alert_types == ordinary - {"PatternBulletin"} for rule in every)


# The agreement that two countries begin with


def test_a_template_has_clauses_for_each_where_they_belong() -> None:
    classes = {
        name: agreement_pb2.AgencyClass.Value(f"AGENCY_CLASS_{name}") for name in ("BORDER", "POLICE", "PROSECUTION", "SOCIAL", "NGO")
    }
    sides = [
        AgreementSide(
            trust_domain=f"{country}.alerts.example",
            name=country,
            legal_basis="Example Act",
            agencies={f"spiffe://{country}.alerts.example/agency/{name.lower()}": number for name, number in classes.items()},
        )
        for country in ("kh", "th")
    ]
    text = agreement_template(*sides, valid_from=datetime(2026, 1, 1, tzinfo=UTC), valid_until=datetime(2027, 1, 1, tzinfo=UTC))
    loaded = load_agreement_file(text)
    assert not loaded.problems
    told = {(one.alert_type, one.audience) for one in loaded.agreement.clauses}
    audiences = {kind: {name for name, number in classes.items() if (kind, number) in told} for kind in (WARNING, COORDINATION, PATTERN)}
    assert audiences == {WARNING: set(classes), COORDINATION: {"POLICE", "PROSECUTION"}, PATTERN: set(classes)}
    purposes = {tuple(one.purposes) for one in loaded.agreement.clauses if one.alert_type == COORDINATION}
    assert purposes == {(handling_pb2.PURPOSE_INVESTIGATION, handling_pb2.PURPOSE_PROSECUTION)}, "for whoever is told"
