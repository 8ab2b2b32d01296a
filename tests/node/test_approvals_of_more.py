"""Four eyes over what tells more of an alert, and over what is passed on: as over a new alert, and never by its author alone."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exchange.errors import Conflict, Malformed, NotFound
from exchange.v1 import desk_service_pb2, disclosure_pb2
from node.operations import approve
from node.operations.contents import purpose_of_entry
from node.operations.officers import NotPermitted
from node.store import alerts, logs
from tests.countries import BORDER, DAY, POLICE, TRAVEL, agency, agreement, changed, with_clause
from tests.federation import Federation, federation
from tests.onward import VN_BORDER, agreed, asked, decided, released, settle, state
from tests.recalls import WITHDRAWAL, codes, recalled, request_id, supplemented, together
from tests.recalls import shown as read
from tests.refusals import refused
from tests.rig import Office, draft

KH_BORDER, KH_POLICE = agency("kh", BORDER), agency("kh", POLICE)
CLAUSE = "gb-kh-travelalert-border"
WAITING, RELEASED = desk_service_pb2.SUBMISSION_STATE_WAITING, desk_service_pb2.SUBMISSION_STATE_RELEASED
Submitted = desk_service_pb2.SubmitAlertResponse


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh", with_clause(agreement(), CLAUSE, approvals=1))
        yield made


@pytest.fixture
def told(two: Federation) -> bytes:
    """What gb's police told kh's border with a second officer's approval."""
    gb = two["gb"]
    wanted = desk_service_pb2.SubmitAlertRequest(draft=draft(KH_BORDER), reason="synthetic reason")
    published = give(gb, approve.submit(gb.ports, gb.person("liaison"), wanted, together(gb))).published
    assert not published.problems
    two.pump()
    return published.manifest_digest


def more(digest: bytes, *fields: int, **changes: Any) -> desk_service_pb2.SubmitAlertRequest:
    """More of an alert for kh's border."""
    wanted = desk_service_pb2.SupplementAlertRequest(
        request_id=request_id(),
        alert=digest.hex(),
        recipient=KH_BORDER,
        fields=fields,
        ground=disclosure_pb2.ON_REQUEST_GROUND_INVESTIGATION,
        reason="another reason, which counts for nothing",
    )
    return desk_service_pb2.SubmitAlertRequest(supplement=changed(wanted, **changes), reason="synthetic reason")


def submit(office: Office, request: desk_service_pb2.SubmitAlertRequest, *, by: str = "liaison", oral: str = "") -> Submitted:
    if oral:
        request.oral_approver = office.person(oral)
    return approve.submit(office.ports, office.person(by), request, together(office))


def give(
    office: Office, submitted: Submitted, *, by: str = "second", looked_at: bytes | None = None
) -> desk_service_pb2.ApproveSubmissionResponse:
    submission = submitted.submission
    digest = submission.preview_digest if looked_at is None else looked_at
    request = desk_service_pb2.ApproveSubmissionRequest(submission=submission.id.hex(), preview_digest=digest)
    return approve.approve(office.ports, office.person(by), request, together(office))


def shown(office: Office, submitted: Submitted) -> desk_service_pb2.GetSubmissionResponse:
    return approve.get(office.ports, office.person("second"), submitted.submission.id.hex())


def record_of(office: Office, digest: bytes, index: int, partner: str) -> dict[str, Any]:
    """The authorisation record of one entry of ours."""
    with office.ports.store.read() as tx:
        row = alerts.by_digests(tx, {digest})[digest]
        log = logs.newest_log(tx, partner, outbound=True)
        assert log is not None
        entry = next(one for log_id, one in logs.entries_of_alert(tx, row.id) if (log_id, one.idx) == (log.id, index))
        data_key = office.ports.vault.unwrap(tx, row.period, row.wrapped_key)
        opened = data_key.open(purpose_of_entry(row.alert_id, log.name.origin), entry.sealed or b"")
    found: dict[str, Any] = json.loads(opened[32:])
    return found


def on_request() -> list[int]:
    """Two fields that the border may have for a reason of the case."""
    return sorted(next(one for one in agreement().clauses if one.id == CLAUSE).on_request)[:2]


def test_more_is_told_when_a_second_officer_has_approved_it(two: Federation, told: bytes) -> None:
    gb, kh = two["gb"], two["kh"]
    fields = on_request()
    assert codes(supplemented(gb, told, KH_BORDER, *fields)) == {"CONDITION_APPROVALS"}
    submitted = submit(gb, more(told, *fields))
    assert (submitted.submission.state, submitted.submission.alert_type) == (WAITING, TRAVEL)
    looked = shown(gb, submitted)
    assert (looked.supplement.recipient, looked.reason, looked.HasField("draft")) == (KH_BORDER, "synthetic reason", False)
    (column,) = looked.preview.recipients
    assert [one.field for one in column.fields] == fields
    with refused(NotPermitted, "APPROVER_IS_AUTHOR"):
        give(gb, submitted, by="liaison")
    approved = give(gb, submitted)
    assert approved.submission.state == RELEASED
    (place,) = approved.published.disclosures
    assert list(place.fields) == fields
    two.pump()
    (there,) = [one for one in read(kh, told).disclosures if list(one.fields) == fields]
    assert there.clause == CLAUSE
    record = record_of(gb, told, place.index, two["kh"].domain)
    assert (record["approvers"], record["preview"]) == ([gb.person("second")], submitted.submission.preview_digest.hex())
    assert record["reason"] == "synthetic reason"


def test_more_goes_at_once_on_an_oral_approval_and_is_put_in_writing(two: Federation, told: bytes) -> None:
    gb = two["gb"]
    submitted = submit(gb, more(told, *on_request()), oral="second")
    assert not submitted.published.problems
    assert submitted.submission.state == RELEASED
    assert give(gb, submitted).submission.approvals[0].confirmed_at


def test_what_changed_since_is_not_approved(two: Federation, told: bytes) -> None:
    gb = two["gb"]
    submitted = submit(gb, more(told, *on_request()))
    with refused(Conflict, "PREVIEW_CHANGED"):
        give(gb, submitted, looked_at=bytes(32))
    recalled(gb, told, WITHDRAWAL)
    with refused(Conflict, "PREVIEW_CHANGED"):
        give(gb, submitted)
    assert shown(gb, submitted).submission.state == desk_service_pb2.SUBMISSION_STATE_VOID


def test_what_cannot_go_is_not_submitted(two: Federation, told: bytes) -> None:
    gb = two["gb"]
    before = len(gb.journal())
    assert {one.code for one in submit(gb, more(told, 900)).problems} == {"FIELD_UNKNOWN"}
    assert {one.code for one in submit(gb, desk_service_pb2.SubmitAlertRequest(supplement=more(told, 1).supplement)).problems} >= {
        "REASON_MISSING"
    }
    assert "FIELD_UNKNOWN" in {code for _, _, _, code in gb.journal()[before:]}
    with refused(NotFound, "ALERT_NOT_FOUND"):
        submit(gb, more(bytes(32), 1))
    with refused(Malformed, "SUBMISSION_SUBJECT"):
        submit(gb, changed(more(told, 1), draft=draft(KH_BORDER)))


def test_an_alert_is_passed_on_when_a_second_officer_has_approved_it(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh", "vn") as made:
        for one, other in (("gb", "kh"), ("gb", "vn")):
            made.connect(one, other, agreed(one, other))
        made.connect("kh", "vn", with_clause(agreed("kh", "vn"), "kh-vn-travelalert-border", approvals=1))
        gb, kh, vn = made["gb"], made["kh"], made["vn"]
        digest = gb.publish(draft(KH_POLICE)).manifest_digest
        settle(made)
        request = asked(kh, digest, name="police").manifest_digest
        settle(made)
        decided(gb, request)
        settle(made)
        assert codes(released(kh, request, name="liaison").released) == {"CONDITION_APPROVALS"}
        wanted = desk_service_pb2.SubmitAlertRequest(
            onward=desk_service_pb2.ReleaseOnwardRequest(request_id=request_id(), request=request.hex()), reason="synthetic reason"
        )
        submitted = submit(kh, wanted)
        assert (submitted.submission.state, submitted.submission.alert_type) == (WAITING, TRAVEL)
        waiting = shown(kh, submitted)
        assert [one.recipient for one in waiting.preview.recipients] == [VN_BORDER]
        assert waiting.onward.request == request.hex()
        settle(made)
        assert vn.received("border") == []
        approved = give(kh, submitted)
        assert (approved.submission.state, codes(approved.published)) == (RELEASED, set())
        (place,) = approved.published.disclosures
        record = record_of(kh, digest, place.index, vn.domain)
        assert (record["officer"], record["approvers"]) == (kh.person("liaison"), [kh.person("second")])
        settle(made)
        assert [one.manifest_digest for one in vn.received("border")] == [digest]
        assert state(gb, request, "liaison") == "PASSED_ON"
        assert give(kh, submitted).submission.state == RELEASED


def test_leave_that_ended_meanwhile_is_no_leave_any_more(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh", "vn") as made:
        for one, other in (("gb", "kh"), ("gb", "vn")):
            made.connect(one, other, agreed(one, other))
        made.connect("kh", "vn", with_clause(agreed("kh", "vn"), "kh-vn-travelalert-border", approvals=1))
        gb, kh = made["gb"], made["kh"]
        digest = gb.publish(draft(KH_POLICE)).manifest_digest
        settle(made)
        request = asked(kh, digest, name="police").manifest_digest
        settle(made)
        decided(gb, request, until=made.clock.time + DAY)
        settle(made)
        onward = desk_service_pb2.ReleaseOnwardRequest(request_id=request_id(), request=request.hex())
        submitted = submit(kh, desk_service_pb2.SubmitAlertRequest(onward=onward, reason="synthetic reason"))
        made.clock.pass_(DAY)
        with refused(Conflict, "PREVIEW_CHANGED"):
            give(kh, submitted)
