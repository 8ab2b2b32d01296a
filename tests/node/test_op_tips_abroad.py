"""From a tip to another country, and back: the thread is kept, and only whoever was told answers."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.errors import Conflict, Malformed, NotFound, Refused
from exchange.v1.tip_pb2 import (
    TIP_STATE_ACTED_UPON,
    TIP_STATE_CLOSED,
    TIP_STATE_UNDER_ASSESSMENT,
    TipStatus,
)
from node.operations import tip_line
from node.operations.inbox import get_inbox_alert
from node.operations.tip_thread import note_tip_status
from tests.countries import BORDER, POLICE, agency
from tests.federation import Federation, federation
from tests.refusals import refused
from tests.rig import Office
from tests.tip_desk import (
    contact,
    converted,
    events,
    listed,
    seen,
    taken,
)
from tests.tips import (
    GB_POLICE,
    KH_BORDER,
    NGO_ID,
    REPORTER,
    SECRET,
    STATUS,
    TIP,
    answering,
    body,
    calm,
    finished,
    submitted,
    takes_tips,
    tips_agreement,
)


@pytest.fixture
def offices(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh", tips_agreement())
        takes_tips(made["kh"])
        yield made


@pytest.fixture
def kh(offices: Federation) -> Office:
    return offices["kh"]


@pytest.mark.parametrize("kind", ["InformationRequest", "SubjectWarning", "TravelAlert", "Tip"])
def test_a_tip_becomes_a_draft_that_keeps_the_thread(kh: Office, kind: str) -> None:
    sent = submitted(kh, tip=calm())
    taken(kh, sent.reference, "police")
    draft = converted(kh, sent.reference, f"exchange.v1.{kind}")
    assert draft.thread == listed(kh, "police")[0].digest
    assert list(draft.recipients) == [GB_POLICE]
    assert draft.purpose in draft.handling.permitted_purposes
    assert SECRET.encode() in draft.alert
    assert events(kh)[-2:] == [("consultation", "TIP_DRAFT"), ("consultation", "TIPS")]


def test_a_draft_needs_a_taken_tip_a_type_and_a_partner(kh: Office) -> None:
    sent = submitted(kh, tip=calm())
    with refused(Conflict, "TIP_STATE"):
        converted(kh, sent.reference)
    taken(kh, sent.reference, "police")
    for changes, code, kind in (
        ({"kind": "exchange.v1.HitReport"}, "CONVERT_TYPE", Malformed),
        ({"partner": "nonsense"}, "PARTNER_MISSING", Malformed),
        ({"partner": agency("vn", POLICE)}, "PARTNER_UNKNOWN", NotFound),
        ({"partner": KH_BORDER}, "PARTNER_OWN", Refused),
        ({"suspect": 1, "kind": "exchange.v1.SubjectWarning"}, "SUSPECT_UNKNOWN", NotFound),
    ):
        with refused(kind, code):
            converted(kh, sent.reference, **changes)  # type: ignore[arg-type]  # as the test wants it
    nowhere = submitted(kh, tip=calm(suspects=None))
    taken(kh, nowhere.reference, "police")
    with refused(Malformed, "PARTNER_MISSING"):
        converted(kh, nowhere.reference)


def test_what_is_released_links_back_and_the_answer_shows_at_both_ends(offices: Federation, kh: Office) -> None:
    sent = submitted(kh, tip=calm(), contact={"telephone": REPORTER})
    taken(kh, sent.reference, "police")
    published = kh.publish(finished(converted(kh, sent.reference)))
    assert not published.problems
    shown = seen(kh, sent.reference, "police")
    assert shown.summary.state == TIP_STATE_ACTED_UPON
    assert [(one.manifest_digest, one.alert_type, list(one.recipients)) for one in shown.releases] == [
        (published.manifest_digest, TIP, [GB_POLICE])
    ]
    offices.pump()
    gb = offices["gb"]
    (came,) = gb.received("police")
    view = get_inbox_alert(gb.ports, gb.person("police"), came.manifest_digest.hex()).view
    assert SECRET.encode() in view
    assert REPORTER.encode() not in view
    answer = answering(gb)(came.manifest_digest, TIP_STATE_UNDER_ASSESSMENT)
    assert not answer.problems
    offices.pump()
    (heard,) = seen(kh, sent.reference, "police").answers
    assert (heard.agency, heard.state) == (GB_POLICE, TIP_STATE_UNDER_ASSESSMENT)
    status = tip_line.tip_status(kh.ports, NGO_ID, sent.tip_id)
    assert (status.state, status.abroad) == (TIP_STATE_ACTED_UPON, (TIP_STATE_UNDER_ASSESSMENT,))
    assert [one.alert_type for one in kh.received("police")] == [STATUS]
    assert gb.received("police")[0].answered
    assert ("alteration", "TIP_ANSWERED") in events(kh)
    assert kh.fsck() == gb.fsck() == []


def test_a_thread_of_another_desks_tip_moves_nothing(kh: Office) -> None:
    sent = submitted(kh)  # at the border's desk
    taken(kh, sent.reference)
    draft = converted(kh, sent.reference, name="border")
    assert not kh.publish(finished(draft)).problems  # by the police's liaison officer
    shown = seen(kh, sent.reference)
    assert (shown.summary.state, list(shown.releases)) == (TIP_STATE_UNDER_ASSESSMENT, [])


def test_only_whoever_was_told_answers_for_a_tip(offices: Federation, kh: Office) -> None:
    told = submitted(kh, tip=calm())
    untold = submitted(kh, tip=calm(observed="2025"))
    for one in (told, untold):
        taken(kh, one.reference, "police")
    passed = kh.publish(finished(converted(kh, told.reference)))
    offices.pump()
    gb = offices["gb"]
    answering(gb)(passed.manifest_digest, TIP_STATE_CLOSED)
    offices.pump()
    assert len(seen(kh, told.reference, "police").answers) == 1
    assert list(seen(kh, untold.reference, "police").answers) == []
    with kh.ports.store.write() as tx:
        status = TipStatus(tip_digest=passed.manifest_digest, state=TIP_STATE_CLOSED)
        for said, sender in (
            (status, agency("gb", BORDER)),
            (TipStatus(tip_digest=bytes(32), state=TIP_STATE_CLOSED), GB_POLICE),
            (TipStatus(tip_digest=passed.manifest_digest), GB_POLICE),
            (TipStatus(tip_digest=passed.manifest_digest, state=99), GB_POLICE),  # type: ignore[arg-type]  # no state
        ):
            note_tip_status(kh.ports, tx, said, bytes([7]) * 32, sender, kh.clock.now_ms())
    assert len(seen(kh, told.reference, "police").answers) == 1


def test_only_a_tip_is_answered_and_by_a_state(offices: Federation, kh: Office) -> None:
    sent = submitted(kh, tip=calm())
    taken(kh, sent.reference, "police")
    passed = kh.publish(finished(converted(kh, sent.reference)))
    warning = finished(converted(kh, sent.reference, "exchange.v1.SubjectWarning"))
    offices.pump()
    gb = offices["gb"]
    for state in (0, 99):
        with refused(Malformed, "TIP_STATE_UNKNOWN"):
            answering(gb)(passed.manifest_digest, state)
    answering(gb)(passed.manifest_digest, TIP_STATE_CLOSED)
    offices.pump()
    (status,) = kh.received("police")
    with refused(Malformed, "ALERT_NOT_A_TIP"):
        answering(kh)(status.manifest_digest, TIP_STATE_CLOSED)
    assert warning.thread


def test_no_personal_data_reaches_the_journal(kh: Office) -> None:
    sent = submitted(kh, contact={"telephone": REPORTER})
    taken(kh, sent.reference)
    contact(kh, sent.reference)
    text = json.dumps(kh.journal())
    for secret in (SECRET, REPORTER, sent.reference):
        assert secret not in text
    assert body()
