"""What officers signed with their passkeys stands in the record that the disclosure commits to, and an auditor verifies it again."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exchange.encoding import encode
from exchange.v1 import control_pb2, desk_service_pb2, disclosure_pb2
from node.cli.main import run
from node.confirmations import Confirmation
from node.operations import approve, recall, supplement
from node.operations import replace as replacing
from node.operations.approved import Approved
from node.operations.preview import preview, preview_with
from node.operations.release import prepare
from node.operations.sequence import sequence
from tests.confirming import Hands
from tests.countries import BORDER, POLICE, agency, agreement, with_clause
from tests.federation import Federation, federation
from tests.node.audit_desk import command_line
from tests.recalls import WITHDRAWAL, other_alert, request_id, together
from tests.rig import Office, draft

KH_BORDER, KH_POLICE = agency("kh", BORDER), agency("kh", POLICE)
GB_KH = "gb.alerts.example/disclosures/kh.alerts.example/1"
APPEARANCE = 6
REASON = "synthetic reason"


@pytest.fixture
def audit(gb: Office, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    def opened(entry: str, code: int = 0, *, text: bool = False) -> Any:
        with command_line(gb, "auditor", monkeypatch):
            arguments = ["audit", "open", entry, "--purpose", "lawfulness", "--reason", "inspection", *([] if text else ["--json"])]
            assert run(arguments) == code
        told = capsys.readouterr().out
        return told if text else json.loads(told.splitlines()[-1])

    return opened


def released(
    gb: Office, wanted: desk_service_pb2.Draft, *kept: Confirmation, seen: bytes = b"", **changes: Any
) -> desk_service_pb2.PublishedAlert:
    item = prepare(gb.ports, gb.person("liaison"), wanted, changes.pop("reason", REASON), seen=seen, confirmations=kept)
    return sequence(gb.ports, [item])[0]


def confirmed(gb: Office, hands: Hands, wanted: desk_service_pb2.Draft, action: str = "release", by: str = "liaison") -> Confirmation:
    digest = preview(gb.ports, gb.person("liaison"), wanted).preview_digest
    return hands.confirm(by, action, {"preview": digest.hex(), "reason": REASON})


def test_a_release_keeps_what_its_officer_signed_and_audit_open_verifies_it(gb: Office, hands: Hands, audit: Any) -> None:
    wanted = draft(KH_BORDER)
    digest = preview(gb.ports, gb.person("liaison"), wanted).preview_digest
    published = released(gb, wanted, confirmed(gb, hands, wanted), seen=digest)
    assert not published.problems
    record = audit(f"{GB_KH}#0")["record"]
    (one,) = record["confirmations"]
    assert (one["officer"], one["action"], one["preview"]) == (gb.person("liaison"), "release", record["preview"])
    (added,) = [what for kind, _, what, code in gb.journal() if code == "PASSKEY_ADDED"]
    assert one["passkey"] == added
    assert "the signature holds" in " ".join(audit(f"{GB_KH}#0", text=True).split())
    assert gb.fsck() == []


def test_what_would_go_now_is_what_was_confirmed_or_nothing_goes(gb: Office, hands: Hands) -> None:
    wanted = draft(KH_BORDER)
    kept = confirmed(gb, hands, draft(KH_POLICE))
    published = released(gb, wanted, kept, seen=b"\x07" * 32)
    assert [problem.code for problem in published.problems] == ["PREVIEW_CHANGED"]
    assert [code for kind, _, _, code in gb.journal() if kind == "refusal"] == ["PREVIEW_CHANGED"]


def test_a_confirmation_of_something_else_is_found_out(gb: Office, hands: Hands, audit: Any) -> None:
    """Whoever runs the node can put any record beside a disclosure, but not a signature over its preview."""
    assert not released(gb, draft(KH_BORDER), confirmed(gb, hands, draft(KH_POLICE))).problems
    kept = confirmed(gb, hands, draft(KH_BORDER))
    assert kept.shown is not None
    forged = replace(kept, shown=replace(kept.shown, signature=kept.shown.signature[:-1] + b"\x00"))
    assert not released(gb, draft(KH_BORDER), forged).problems
    assert not released(gb, draft(KH_BORDER), kept, reason="another reason").problems
    assert not released(gb, draft(KH_BORDER), confirmed(gb, hands, draft(KH_BORDER), by="second")).problems
    assert gb.fsck() == ["CONFIRMATION_MISMATCH"] * 4
    for index in range(4):
        assert audit(f"{GB_KH}#{index}", 4)["error"]["code"] == "CONFIRMATION"


def test_an_approved_release_keeps_what_both_signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh", with_clause(agreement(), "gb-kh-travelalert-border", approvals=1))
        gb, hands, wanted = made["gb"], Hands(made["gb"]), draft(KH_BORDER)

        digest = preview_with(gb.ports, gb.person("liaison"), wanted, approvals=1).preview_digest
        values = {"preview": digest.hex(), "reason": REASON}
        asked = desk_service_pb2.SubmitAlertRequest(draft=wanted, reason=REASON)
        other = hands.confirm("liaison", "submit", {**values, "preview": "07" * 32})
        turned = approve.submit(gb.ports, gb.person("liaison"), asked, together(gb), other)
        assert [problem.code for problem in turned.problems] == ["PREVIEW_CHANGED"]
        mine = hands.confirm("liaison", "submit", values)
        submission = approve.submit(gb.ports, gb.person("liaison"), asked, together(gb), mine).submission
        given = desk_service_pb2.ApproveSubmissionRequest(submission=submission.id.hex(), preview_digest=submission.preview_digest)
        theirs = hands.confirm("second", "approve", {"preview": digest.hex()})
        answer = approve.approve(gb.ports, gb.person("second"), given, together(gb), theirs)
        assert answer.published.manifest_digest
        assert not answer.published.problems
        with command_line(gb, "auditor", monkeypatch):
            for entry in (f"{GB_KH}#0", *(str(place) for place, one in enumerate(gb.journal()) if one[3] in {"SUBMITTED", "GIVEN"})):
                assert run(["audit", "open", entry, "--purpose", "lawfulness", "--reason", "inspection", "--json"]) == 0
        assert gb.fsck() == []


def test_a_withdrawal_reaches_whom_the_officer_saw_or_nobody(two: Federation, gb: Office, hands: Hands, audit: Any) -> None:
    digest = released(gb, draft(KH_BORDER)).manifest_digest
    question = desk_service_pb2.RecallAlertRequest(
        request_id=request_id(),
        alert=digest.hex(),
        kind=WITHDRAWAL,
        withdrawal_reason=control_pb2.WITHDRAWAL_REASON_WRONG_PERSON,
        reason=REASON,
    )
    for to, codes in (([KH_POLICE], ["REACH_CHANGED"]), ([KH_BORDER], [])):
        kept = hands.confirm("liaison", "withdraw", {"alerts": [digest.hex()], "to": to, "reason": REASON})
        (control,) = recall.recall_alert(gb.ports, gb.person("liaison"), question, together(gb), kept).controls
        assert [problem.code for problem in control.problems] == codes
    (one,) = audit(f"{GB_KH}#1")["record"]["confirmations"]
    assert (one["action"], one["to"]) == ("withdraw", [KH_BORDER])
    assert gb.fsck() == []


def test_a_supplement_keeps_what_its_officer_signed(two: Federation, gb: Office, hands: Hands, audit: Any) -> None:
    digest = released(gb, draft(KH_BORDER)).manifest_digest
    question = desk_service_pb2.SupplementAlertRequest(
        request_id=request_id(),
        alert=digest.hex(),
        recipient=KH_BORDER,
        fields=[APPEARANCE],
        ground=disclosure_pb2.ON_REQUEST_GROUND_INVESTIGATION,
        reason=REASON,
    )
    values = {"alerts": [digest.hex()], "to": [KH_BORDER], "fields": [APPEARANCE], "reason": REASON}
    kept = hands.confirm("liaison", "supplement", values)
    answer = supplement.supplement_alert(gb.ports, gb.person("liaison"), question, together(gb), Approved(confirmations=(kept,)))
    assert not answer.published.problems
    (one,) = audit(f"{GB_KH}#1")["record"]["confirmations"]
    assert (one["action"], one["fields"]) == ("supplement", [APPEARANCE])


def corrected(gb: Office, hands: Hands, **said: Any) -> desk_service_pb2.ReplaceAlertResponse:
    """A correction of a new alert, confirmed as it would be, or with changes."""
    me, first = gb.person("liaison"), gb.publish(draft(KH_BORDER, KH_POLICE)).manifest_digest
    question = desk_service_pb2.ReplaceAlertRequest(
        alert=first.hex(),
        draft=draft(alert=encode(other_alert()), request_id=request_id()),
        correction_reason=control_pb2.CORRECTION_REASON_FACTUAL_ERROR,
        reason=REASON,
        as_it_stands=True,
    )
    found = replacing.foresee(gb.ports, me, question)
    seen = said.pop("seen", found.shown.preview_digest)
    values = {"preview": found.shown.preview_digest.hex(), "to": list(found.noticed), "alerts": [first.hex()], "reason": REASON}
    kept = hands.confirm("liaison", "replace", values | said)
    return replacing.replace_alert(gb.ports, me, question, together(gb), Approved(seen=seen, confirmations=(kept,)))


def test_a_correction_keeps_what_its_officer_signed_with_the_new_alert_and_with_each_notice(gb: Office, hands: Hands, audit: Any) -> None:
    answer = corrected(gb, hands)
    assert not answer.replacement.problems
    assert not gb.fsck()
    places = [one for alert in (answer.replacement, *answer.corrections) for one in alert.disclosures]
    assert len(places) == 3
    for place in places:
        (signed,) = audit(f"{place.origin}#{place.index}")["record"]["confirmations"]
        assert (signed["action"], signed["officer"]) == ("replace", gb.person("liaison"))


def test_a_correction_goes_as_it_was_seen_to_whom_it_was_seen_or_nowhere(gb: Office, hands: Hands) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"to": [KH_BORDER]}, "REACH_CHANGED"),
        ({"alerts": ["0" * 64]}, "REACH_CHANGED"),
        ({"seen": b"x" * 32}, "PREVIEW_CHANGED"),
    ]
    for said, code in wrong:
        answer = corrected(gb, hands, **said)
        assert [problem.code for problem in answer.replacement.problems] == [code], said
        assert not [one for one in answer.corrections if not one.problems]
    assert not gb.fsck()


def test_a_correction_under_a_signature_over_another_preview_is_found_out(gb: Office, hands: Hands) -> None:
    assert not corrected(gb, hands, preview="0" * 64, seen=b"").replacement.problems
    assert set(gb.fsck()) == {"CONFIRMATION_MISMATCH"}
