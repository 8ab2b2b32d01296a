"""Every alert type from an officer's file to a desk abroad: drafted, released, received and read. And control alerts written as files."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from exchange.encoding import encode
from exchange.evidence import verify_evidence
from exchange.profile import alert_type, alert_types
from exchange.v1 import agreement_pb2, control_pb2, desk_service_pb2, evidence_pb2, handling_pb2
from exchange.v1.acknowledgement_pb2 import Acknowledgement
from exchange.v1.information_pb2 import InformationResponse
from node.intake.alert_file import load_alert_file
from node.operations import control_drafts, evidence, preview
from node.operations.release import Prepared
from node.operations.sequence import sequence
from node.reading import FieldState, read_view, to_json
from tests.asking import asked
from tests.countries import BORDER, DAY, NOW, POLICE, TRAVEL, agency, agreement, changed, clause, pins
from tests.federation import Federation, federation
from tests.recalls import codes, flags, own_flags, recalled, replaced, request_id, shown, status
from tests.rig import Office, draft

pytestmark = pytest.mark.thorough

CODE = re.compile(r"\b[A-Z]{3,}_[A-Z_]+\b")
FREE = {"grading"}
"""Where the name of a field stands as such: which field is graded."""
SAMPLES = Path(__file__).parents[2] / "samples"
KH_BORDER, KH_POLICE, GB_POLICE = agency("kh", BORDER), agency("kh", POLICE), agency("gb", POLICE)
ORDINARY = sorted(name for name, kind in alert_types().items() if not kind.control)
CONTROL = sorted(name for name, kind in alert_types().items() if kind.control)


def sample(name: str) -> desk_service_pb2.Draft:
    """The first sample of an alert type."""
    for path in sorted(SAMPLES.glob("*.yaml")):
        loaded = load_alert_file(path.read_text("utf-8"), name=path.name, today=date(2026, 5, 28))
        if loaded.draft.alert_type == name:
            return loaded.draft
    raise AssertionError(name)


def whole_agreement() -> agreement_pb2.Agreement:
    """Everything to everybody, both ways."""
    clauses = []
    for name in ORDINARY:
        for way in (("gb", "kh"), ("kh", "gb")):
            for agency_class in (BORDER, POLICE):
                all_fields = {"required": None, "permitted": alert_type(name).numbers, "on_request": None}
                clauses.append(clause(*way, agency_class, name, **all_fields))
    return changed(agreement(), clauses=sorted(clauses, key=lambda one: one.id))


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with federation(tmp_path_factory.mktemp("offices"), "gb", "kh") as made:
        made.connect("gb", "kh", whole_agreement())
        yield made


@pytest.mark.parametrize("name", ORDINARY)
def test_an_ordinary_alert_goes_from_file_to_desk(two: Federation, name: str) -> None:
    gb, kh = two["gb"], two["kh"]
    purpose = handling_pb2.PURPOSE_PREVENTION
    wanted = changed(
        about_a_question(two, sample(name)),
        request_id=request_id(),
        originator=GB_POLICE,
        recipients=[KH_POLICE],
        purpose=purpose,
        handling=handling_pb2.Handling(permitted_purposes=[purpose]),
        not_after=NOW + 20 * DAY,
        on_request=None,
        unticked=None,
    )
    checked = preview.check(gb.ports, gb.person("liaison"), wanted).problems
    foreseen = previewed(gb, "liaison", wanted)
    assert not [one for one in (*checked, *foreseen.problems) if one.severity == desk_service_pb2.SEVERITY_ERROR]
    assert [(one.recipient, one.view) for one in foreseen.recipients] == [(KH_POLICE, wanted.alert)]
    published = gb.publish(wanted)
    assert not codes(published)
    two.pump()
    seen = shown(kh, published.manifest_digest, "police")
    assert seen.view == wanted.alert
    readings = read_view(name, seen.view, seen.undisclosed)
    assert any(reading.state is FieldState.VALUE for reading in readings)
    assert all(line for reading in readings for line in reading.lines)
    # Every field has words for people, and no value is shown by the name that the schema gives it.
    assert not any("_" in word for reading in readings for word in (reading.label, reading.category_label))
    assert all(reading.label[:1].isupper() for reading in readings)
    assert not any(CODE.search(line) for reading in readings if reading.name not in FREE for line in reading.lines)
    (one,) = published.disclosures
    proof = evidence.export_evidence(gb.ports, gb.person("liaison"), one.origin, one.index, evidence_pb2.EVIDENCE_LEVEL_DATA)
    proved = verify_evidence(proof, pins("gb", "kh"))
    assert (proved.kind.name if proved.kind else "", proved.alert) == (name, alert_type(name).message.FromString(wanted.alert))
    written = load_alert_file(json_of(name, seen), name="a.json", today=date(2026, 5, 28))
    assert written.draft.alert == wanted.alert, "what is shown reads back to the same alert"
    assert gb.fsck() == kh.fsck() == []


def about_a_question(two: Federation, drafted: desk_service_pb2.Draft) -> desk_service_pb2.Draft:
    """The draft of a reply, about a question that was asked: nobody else's is released."""
    message: Any = alert_type(drafted.alert_type).message.FromString(drafted.alert)
    if not isinstance(message, (InformationResponse, Acknowledgement)):
        return drafted
    digest = asked(two["kh"], GB_POLICE)
    two.pump()
    if isinstance(message, InformationResponse):
        message.request_digest = digest
    else:
        message.manifest_digest = digest
    return changed(drafted, alert=encode(message), in_reply_to=digest)


def json_of(name: str, seen: desk_service_pb2.GetInboxAlertResponse) -> str:
    written = to_json(name, seen.view, seen.undisclosed)
    del written["not_disclosed"]
    return json.dumps(written)


# Control alerts as files


def control(name: str, about: bytes, **changes: Any) -> desk_service_pb2.Draft:
    """The sample of a control alert, about another manifest and to whomever the node finds."""
    drafted = sample(name)
    message: Any = alert_type(name).message.FromString(drafted.alert)
    message.manifest_digest = about
    if name.endswith("Correction"):
        message.ClearField("replaced_by")
    fields = {"alert": encode(message), "request_id": request_id(), "originator": None, "recipients": None, "in_reply_to": None}
    return changed(drafted, **fields | changes)


def told(two: Federation) -> bytes:
    digest = two["gb"].publish(draft(KH_BORDER)).manifest_digest
    two.pump()
    return digest


@pytest.mark.parametrize(
    ("name", "flag"), [("Withdrawal", "WITHDRAWN"), ("Restriction", "RESTRICTED"), ("Correction", "DISPUTED"), ("Refusal", "")]
)
def test_a_control_alert_goes_from_file_to_desk(two: Federation, name: str, flag: str) -> None:
    gb, kh = two["gb"], two["kh"]
    about = told(two)
    sender, who, reader, to = (kh, "border", gb, "police") if name == "Refusal" else (gb, "liaison", kh, "border")
    wanted = control(f"exchange.v1.{name}", about)
    published = sender.publish(wanted, who)
    assert not codes(published)
    two.pump()
    seen = shown(reader, published.manifest_digest, to)
    assert seen.view == wanted.alert
    assert not seen.undisclosed
    assert all(line for reading in read_view(f"exchange.v1.{name}", seen.view, ()) for line in reading.lines)
    assert flag in {*flags(kh, about), ""}
    if name == "Refusal":
        assert list(status(gb, about).disclosures[0].reports) == [published.manifest_digest]
    assert gb.fsck() == kh.fsck() == []


def test_an_attestation_may_be_written_as_a_file_once_it_is_owed(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    about = told(two)
    wanted = control("exchange.v1.PurgeAttestation", about)
    assert codes(kh.publish(wanted, "border")) == {"NOTHING_TO_ATTEST"}
    recalled(gb, about)
    two.pump()
    assert not codes(kh.publish(wanted, "border"))
    two.pump()
    assert [one.stage for one in status(gb, about).attestations] == [desk_service_pb2.ATTESTATION_STAGE_ATTESTED]


def test_a_recall_as_a_file_reaches_everybody_or_is_refused(two: Federation) -> None:
    gb = two["gb"]
    about = told(two)
    withdrawal = "exchange.v1.Withdrawal"
    assert codes(gb.publish(control(withdrawal, about, recipients=[KH_POLICE]))) == {"REACH_DIFFERS"}
    assert codes(gb.publish(control(withdrawal, bytes(32)))) == {"REFERENT_UNKNOWN"}
    assert codes(gb.publish(control(withdrawal, about), "both")) == {"REFERENT_UNKNOWN"}
    assert codes(gb.publish(control(withdrawal, about, not_after=NOW + DAY))) == {"NOT_AFTER_CONTROL"}
    assert codes(gb.publish(control("exchange.v1.Refusal", about))) == {"REFERENT_UNKNOWN"}
    replaced(gb, about)
    assert codes(gb.publish(control(withdrawal, about))) == {"RECALL_BY_VERB"}
    assert own_flags(gb, about) == ["SUPERSEDED"]


def test_ordinary_and_control_drafts_of_one_message_are_answered_in_their_places(two: Federation) -> None:
    gb = two["gb"]
    about = told(two)
    drafts = [draft(KH_BORDER), control("exchange.v1.Withdrawal", about), draft(KH_POLICE)]
    prepared = control_drafts.prepare_all(gb.ports, gb.person("liaison"), drafts, "synthetic", urgent=True)
    assert all(isinstance(item, Prepared) and item.urgent for item in prepared)
    answers = sequence(gb.ports, prepared)
    assert [answer.request_id for answer in answers] == [one.request_id for one in drafts]
    assert not any(codes(answer) for answer in answers)


@pytest.mark.parametrize("name", CONTROL)
def test_a_preview_shows_whom_a_control_alert_reaches(two: Federation, name: str) -> None:
    gb, kh = two["gb"], two["kh"]
    about = told(two)
    office, who, to = (kh, "border", GB_POLICE) if name.endswith(("Refusal", "PurgeAttestation")) else (gb, "liaison", KH_BORDER)
    if name.endswith("PurgeAttestation"):
        recalled(gb, about)
        two.pump()
    wanted = control(name, about)
    (one,) = previewed(office, who, wanted).recipients
    assert (one.recipient, one.view, one.clause) == (to, wanted.alert, "")
    shown_ = {desk_service_pb2.VISIBILITY_SHOWN, desk_service_pb2.VISIBILITY_SHOWN_NOT_KNOWN}
    assert {field.visibility for field in one.fields} <= shown_
    nobody = previewed(office, who, control(name, bytes(32)))
    assert "REFERENT_UNKNOWN" in {problem.code for problem in nobody.problems}


def previewed(office: Office, who: str, wanted: desk_service_pb2.Draft) -> desk_service_pb2.PreviewAlertResponse:
    return control_drafts.preview_draft(office.ports, office.person(who), wanted)


def test_travel_alerts_are_among_the_ordinary_types() -> None:
    assert TRAVEL in ORDINARY
    assert {name.rpartition(".")[2] for name in CONTROL} == {
        kind.DESCRIPTOR.name
        for kind in (
            control_pb2.Refusal,
            control_pb2.Correction,
            control_pb2.Withdrawal,
            control_pb2.Restriction,
            control_pb2.PurgeAttestation,
        )
    }
