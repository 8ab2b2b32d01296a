"""A desk works on tips: one step after the other, each journalled, the reporter in escrow."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.errors import Conflict, Malformed, NotFound, Refused
from exchange.v1 import desk_service_pb2 as messages
from exchange.v1.tip_pb2 import (
    TIP_STATE_ACTED_UPON,
    TIP_STATE_CLOSED,
    TIP_STATE_RECEIVED,
    TIP_STATE_REFERRED,
    TIP_STATE_UNDER_ASSESSMENT,
)
from node.operations import tip_contact, tip_desk, tip_erase, tip_line
from node.operations.officers import NotPermitted
from node.store.errors import StoreFailed
from tests.countries import HOUR, POLICE, agency
from tests.federation import Federation, federation
from tests.refusals import refused
from tests.rig import Office
from tests.tip_desk import (
    assessed,
    closed,
    contact,
    events,
    listed,
    referred,
    seen,
    taken,
)
from tests.tips import (
    KH_BORDER,
    KH_POLICE,
    NGO_ID,
    REPORTER,
    calm,
    content,
    new_id,
    saved,
    submitted,
    takes_tips,
    tips_agreement,
)

MINUTE = 60_000


@pytest.fixture
def offices(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh", tips_agreement())
        takes_tips(made["kh"])
        yield made


@pytest.fixture
def kh(offices: Federation) -> Office:
    return offices["kh"]


# -- triage ---


def test_the_first_look_is_clocked_and_late_is_said(kh: Office) -> None:
    early, late = submitted(kh), submitted(kh)
    kh.clock.pass_(HOUR)
    assert not taken(kh, early.reference).late
    kh.clock.pass_(1)
    (waiting, looked) = listed(kh)
    assert (waiting.reference, waiting.late) == (late.reference, True)
    assert (looked.reference, looked.late) == (early.reference, False)
    assert taken(kh, late.reference).late  # looked at, and late it stays


def test_the_clocks_are_those_of_the_plan(kh: Office) -> None:
    takes_tips(kh, danger_minutes=5, look_minutes=30)
    submitted(kh)
    submitted(kh, tip=calm())
    assert [one.look_by - one.submitted_at for one in (*listed(kh), *listed(kh, "police"))] == [5 * MINUTE, 30 * MINUTE]


def test_what_is_most_urgent_stands_first(kh: Office) -> None:
    first = submitted(kh, tip=calm())
    kh.clock.pass_(MINUTE)
    second = submitted(kh, tip=content(place=None))  # in danger, and no local desk is known
    kh.clock.pass_(MINUTE)
    third = submitted(kh, tip=calm())
    taken(kh, third.reference, "police")
    assert [one.reference for one in listed(kh, "police")] == [second.reference, first.reference, third.reference]


def test_a_tip_goes_its_way_and_every_step_is_journalled(kh: Office) -> None:
    sent = submitted(kh)
    taken(kh, sent.reference)
    assert taken(kh, sent.reference).officer == kh.person("border")
    assert assessed(kh, sent.reference, TIP_STATE_ACTED_UPON).state == TIP_STATE_ACTED_UPON
    assert assessed(kh, sent.reference, TIP_STATE_UNDER_ASSESSMENT).state == TIP_STATE_UNDER_ASSESSMENT
    assert closed(kh, sent.reference).state == TIP_STATE_CLOSED
    assert tip_line.tip_status(kh.ports, NGO_ID, sent.tip_id).state == TIP_STATE_CLOSED
    assert listed(kh) == []
    assert [one.state for one in listed(kh, all_=True)] == [TIP_STATE_CLOSED]
    assert seen(kh, sent.reference).close_reason == messages.TIP_CLOSE_REASON_DEALT_WITH
    done = [code for kind, code in events(kh) if kind == "alteration"]
    assert done == ["TIP_TAKEN", "TIP_ACTED_UPON", "TIP_TAKEN", "TIP_CLOSED"]
    digest = listed(kh, all_=True)[0].digest.hex()
    assert {what for kind, _, what, code in kh.journal() if kind == "alteration" and code.startswith("TIP")} == {digest}


def test_no_step_is_skipped(kh: Office) -> None:
    sent = submitted(kh)
    before = events(kh)
    for act in (
        lambda: assessed(kh, sent.reference, TIP_STATE_ACTED_UPON),
        lambda: referred(kh, sent.reference),
        lambda: closed(kh, sent.reference),
    ):
        with refused(Conflict, "TIP_STATE"):
            act()
    assert events(kh) == before
    taken(kh, sent.reference)
    closed(kh, sent.reference)
    with refused(Conflict, "TIP_STATE"):
        taken(kh, sent.reference)


def test_a_colleague_takes_over(kh: Office) -> None:
    sent = submitted(kh)
    taken(kh, sent.reference)
    assert taken(kh, sent.reference, "both").officer == kh.person("both")


@pytest.mark.parametrize("state", [0, TIP_STATE_RECEIVED, TIP_STATE_REFERRED, TIP_STATE_CLOSED, 99])
def test_an_assessment_says_one_of_two_things(kh: Office, state: int) -> None:
    sent = submitted(kh)
    taken(kh, sent.reference)
    with refused(Malformed, "TIP_STATE_UNKNOWN"):
        assessed(kh, sent.reference, state)


def test_a_step_has_a_reason_where_the_law_asks_for_one(kh: Office) -> None:
    sent = submitted(kh)
    taken(kh, sent.reference)
    with refused(Refused, "REASON_MISSING"):
        assessed(kh, sent.reference, TIP_STATE_ACTED_UPON, reason="  ")
    kh.ports = replace(kh.ports, justification_mandatory=False)
    assert assessed(kh, sent.reference, TIP_STATE_ACTED_UPON, reason="").state == TIP_STATE_ACTED_UPON


@pytest.mark.parametrize("code", [0, 99])
def test_a_tip_is_closed_for_a_coded_reason(kh: Office, code: int) -> None:
    sent = submitted(kh)
    taken(kh, sent.reference)
    with refused(Malformed, "TIP_CLOSE_REASON"):
        closed(kh, sent.reference, code=code)


def test_a_referred_tip_is_the_other_desks_and_its_clock_begins(kh: Office) -> None:
    sent = submitted(kh, contact={"telephone": REPORTER})
    taken(kh, sent.reference)
    kh.clock.pass_(3 * HOUR)
    moved = referred(kh, sent.reference)
    assert (moved.state, moved.agency, moved.officer, moved.late) == (TIP_STATE_REFERRED, KH_POLICE, "", False)
    assert moved.look_by == kh.clock.now_ms() + HOUR
    for act in (lambda: seen(kh, sent.reference), lambda: taken(kh, sent.reference), lambda: contact(kh, sent.reference)):
        with refused(NotFound, "TIP_UNKNOWN"):
            act()
    assert [one.code for one in seen(kh, sent.reference, "police").routing] == ["REFERRED", "CHILD_MAY_BE_IN_DANGER"]
    assert taken(kh, sent.reference, "police").state == TIP_STATE_UNDER_ASSESSMENT
    assert tip_line.tip_status(kh.ports, NGO_ID, sent.tip_id).state == TIP_STATE_UNDER_ASSESSMENT


@pytest.mark.parametrize("to", [KH_BORDER, agency("gb", POLICE), "spiffe://kh.alerts.example/agency/nobody", ""])
def test_a_tip_is_referred_to_a_desk_of_this_country_that_somebody_works_at(kh: Office, to: str) -> None:
    sent = submitted(kh)
    taken(kh, sent.reference)
    with refused(Refused, "AGENCY_UNKNOWN"):
        referred(kh, sent.reference, to)


def test_a_desk_asks_the_ngo_by_a_code(kh: Office) -> None:
    sent = submitted(kh)
    request = messages.SafeguardTipRequest(tip=sent.reference, code=messages.TIP_SAFEGUARD_DO_NOT_CONFRONT)
    tip_desk.safeguard_tip(kh.ports, kh.person("border"), request)
    asked = tip_line.tip_status(kh.ports, NGO_ID, sent.tip_id).safeguards
    assert asked == ((messages.TIP_SAFEGUARD_DO_NOT_CONFRONT, kh.clock.now_ms()),)
    assert [one.code for one in seen(kh, sent.reference).safeguards] == [messages.TIP_SAFEGUARD_DO_NOT_CONFRONT]
    for code in (0, 99):
        with refused(Malformed, "TIP_SAFEGUARD"):
            tip_desk.safeguard_tip(kh.ports, kh.person("border"), messages.SafeguardTipRequest(tip=sent.reference, code=code))  # type: ignore[arg-type]  # no code


def test_a_reference_is_found_as_it_was_written_down(kh: Office) -> None:
    sent = submitted(kh)
    spoken = sent.reference.lower().replace("0", "o").replace("1", "l").replace("-", " ", 2).replace("t ", "t-", 1)
    for text in (spoken, sent.reference[2:], f"  {sent.reference} "):
        assert seen(kh, text).summary.reference == sent.reference
    for text in ("", "T-0000-0000", "T-UUUU-UUUU", sent.reference + "0", "%"):
        with refused(NotFound, "TIP_UNKNOWN"):
            seen(kh, text)


# -- the reporter ---


def test_the_reporter_is_never_shown_with_the_tip(kh: Office) -> None:
    sent = submitted(kh, contact={"name": "A. Reporter", "telephone": REPORTER})
    shown = seen(kh, sent.reference)
    assert shown.contact_held
    assert REPORTER.encode() not in shown.SerializeToString()


def test_the_escrow_opens_for_whoever_works_on_it_and_that_is_journalled_first(kh: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = submitted(kh, contact={"telephone": REPORTER})
    with refused(NotPermitted, "CONTACT_NOT_YOURS"):
        contact(kh, sent.reference)
    taken(kh, sent.reference)
    assert contact(kh, sent.reference).telephone == REPORTER
    assert contact(kh, sent.reference, "both").telephone == REPORTER  # a liaison officer of the same desk
    assert events(kh).count(("consultation", "TIP_CONTACT")) == 2

    def fails(*_: object) -> None:
        raise StoreFailed("STORE_FULL", "synthetic")

    opened: list[bool] = []
    monkeypatch.setattr(tip_contact, "note_access", fails)
    monkeypatch.setattr(tip_contact, "open_contact", lambda *_: opened.append(True))
    with refused(StoreFailed, "STORE_FULL"):
        contact(kh, sent.reference)
    assert opened == []


@pytest.mark.parametrize(
    ("changes", "code"), [({"purpose": 0}, "PURPOSE_MISSING"), ({"purpose": 99}, "PURPOSE_MISSING"), ({"reason": " "}, "REASON_MISSING")]
)
def test_the_escrow_asks_for_purpose_and_reason(kh: Office, changes: dict[str, object], code: str) -> None:
    sent = submitted(kh, contact={"telephone": REPORTER})
    taken(kh, sent.reference)
    with refused(Refused, code):
        contact(kh, sent.reference, **changes)


def test_contact_details_are_changed_and_taken_back_also_after_submission(kh: Office) -> None:
    one = new_id()
    saved(kh, one, contact={"telephone": "1"})
    saved(kh, one)  # says nothing of it: what is held stays
    tip_line.submit_tip(kh.ports, NGO_ID, one)
    saved(kh, one, contact={"telephone": REPORTER})
    reference = listed(kh)[0].reference
    taken(kh, reference)
    assert contact(kh, reference).telephone == REPORTER
    saved(kh, one, contact=None)
    assert events(kh)[-1] == ("collection", "TIP_SAVED")
    assert ("erasure", "TIP_CONTACT_INTENDED") in events(kh)
    with refused(NotFound, "CONTACT_NONE"):
        contact(kh, reference)
    assert not seen(kh, reference).contact_held
    tip_erase.finish(kh.ports)
    assert events(kh)[-1] == ("erasure", "TIP_CONTACT_DONE")
    saved(kh, one, contact={"telephone": REPORTER})
    assert contact(kh, reference).telephone == REPORTER
