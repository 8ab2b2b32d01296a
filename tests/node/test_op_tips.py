"""An NGO tells what it saw: saved at each step, nothing that lacks refused, and to the right desk."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.errors import Conflict, NotFound, Refused
from exchange.v1.tip_pb2 import (
    TIP_STATE_RECEIVED,
    Tip,
)
from node.operations import tip_erase, tip_line
from node.operations.officers import NotPermitted
from node.operations.tip_content import digest_of, read_reference
from node.operations.tip_line import DRAFTS_AT_MOST, FormRefused
from node.tips.states import DRAFT
from tests.countries import DAY, HOUR
from tests.federation import Federation, federation
from tests.refusals import refused
from tests.rig import Office
from tests.tip_desk import (
    contact,
    events,
    listed,
    seen,
)
from tests.tips import (
    EMERGENCY,
    GB_POLICE,
    HELPLINE,
    KH_BORDER,
    NGO_ID,
    OTHER_NGO,
    calm,
    content,
    new_id,
    saved,
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


# -- the NGO ---


def test_the_first_answer_says_whom_to_call_now_and_what_is_missing(kh: Office) -> None:
    first = saved(kh, tip={"place": {"area": {"province": "  siem REAP "}}})
    assert first.created
    assert first.call_now == (HELPLINE, EMERGENCY)
    assert first.complete is not None
    assert first.complete.score == 15
    assert first.complete.missing[0].field == "immediate_danger.present"
    assert saved(kh, tip={}).call_now == (EMERGENCY,)


def test_a_tip_is_saved_at_each_step_and_the_same_again_changes_nothing(kh: Office) -> None:
    one = new_id()
    first = saved(kh, one, tip={"observed": "2026"})
    before = kh.journal()
    again = saved(kh, one, tip={"observed": "2026"})
    assert (again.created, again.reference) == (False, first.reference)
    assert kh.journal() == before
    more = saved(kh, one, tip=content())
    assert more.complete is not None
    assert (more.reference, more.complete.score) == (first.reference, 100)
    assert tip_line.tip_status(kh.ports, NGO_ID, one).state == DRAFT


def test_nothing_that_lacks_is_ever_refused(kh: Office) -> None:
    assert submitted(kh, tip={}).state == TIP_STATE_RECEIVED


def test_a_desk_sees_no_draft(kh: Office) -> None:
    draft = saved(kh)
    assert listed(kh) + listed(kh, "police") == []
    with refused(NotFound, "TIP_UNKNOWN"):
        seen(kh, draft.reference)


def test_what_was_submitted_changes_no_more(kh: Office) -> None:
    sent = submitted(kh)
    again = tip_line.submit_tip(kh.ports, NGO_ID, sent.tip_id)
    assert (again.state, again.reference) == (TIP_STATE_RECEIVED, sent.reference)
    assert events(kh).count(("collection", "TIP_RECEIVED")) == 1
    assert saved(kh, sent.tip_id).reference == sent.reference  # the same content, as after a lost answer
    with refused(Conflict, "TIP_SUBMITTED"):
        saved(kh, sent.tip_id, tip=calm())
    assert Tip.FromString(seen(kh, sent.reference).view).immediate_danger.present


def test_an_ngo_sees_its_own_tips_and_no_others(kh: Office) -> None:
    mine = submitted(kh)
    theirs = submitted(kh, ngo=OTHER_NGO)
    for ask in (tip_line.tip_status, tip_line.submit_tip):
        with refused(NotFound, "TIP_UNKNOWN"):
            ask(kh.ports, OTHER_NGO, mine.tip_id)
    assert [one.reference for one in tip_line.list_own(kh.ports, NGO_ID, 0)[0]] == [mine.reference]
    # The same id, made by another NGO, is another tip.
    other = saved(kh, mine.tip_id, ngo=OTHER_NGO)
    assert other.created
    assert other.reference not in {mine.reference, theirs.reference}


def test_only_ngos_of_the_plan_come_in(kh: Office) -> None:
    with refused(NotPermitted, "NGO_UNKNOWN"):
        saved(kh, ngo=NGO_ID + "x")
    assert kh.journal()[-1][:2] == ("refusal", NGO_ID + "x")
    kh.ports = replace(kh.ports, tips=None)
    with refused(NotPermitted, "TIPS_NONE"):
        saved(kh)


def test_an_ngo_speaks_for_itself(kh: Office) -> None:
    sent = submitted(kh)
    assert Tip.FromString(seen(kh, sent.reference).view).reporter_organisation == "Hotline (EXAMPLE)"
    with pytest.raises(FormRefused) as error:
        saved(kh, tip=content(reporter_organisation="Somebody else"))
    assert [problem.code for problem in error.value.problems] == ["REPORTER_OTHER"]


def test_drafts_have_an_end_in_number_and_in_time(kh: Office) -> None:
    for _ in range(DRAFTS_AT_MOST):
        saved(kh, tip={})
    with refused(Refused, "TIP_DRAFTS"):
        saved(kh, tip={})
    kh.clock.pass_(14 * DAY)
    assert tip_erase.run_due(kh.ports, kh.domain) == DRAFTS_AT_MOST
    saved(kh, tip={})


def test_pages_of_ones_own_tips_tile(kh: Office) -> None:
    made = [saved(kh, tip={}).reference for _ in range(150)]
    first, more = tip_line.list_own(kh.ports, NGO_ID, 0)
    second, end = tip_line.list_own(kh.ports, NGO_ID, more)
    assert [one.reference for one in (*first, *second)] == made
    assert (len(first), end) == (100, 0)


# -- where it goes ---


def test_a_child_in_danger_brings_it_to_the_local_desk_and_nobody_else(kh: Office) -> None:
    sent = submitted(kh)
    (summary,) = listed(kh)
    assert (summary.reference, summary.agency, summary.danger) == (sent.reference, KH_BORDER, True)
    assert summary.look_by - summary.submitted_at == HOUR
    shown = seen(kh, sent.reference)
    assert [one.code for one in shown.routing] == ["CHILD_MAY_BE_IN_DANGER", "LOCAL_DESK", "COUNTRY_PROPOSED"]
    assert list(shown.proposed) == [GB_POLICE]
    assert shown.score == 100
    assert listed(kh, "police") == []
    with refused(NotFound, "TIP_UNKNOWN"):
        seen(kh, sent.reference, "police")


def test_the_national_desk_gets_what_is_calm_with_a_day_to_look(kh: Office) -> None:
    sent = submitted(kh, tip=calm(suspects=None))
    (summary,) = listed(kh, "police")
    assert (summary.danger, summary.look_by - summary.submitted_at) == (False, DAY)
    assert [one.code for one in seen(kh, sent.reference, "police").routing] == ["NO_DANGER_KNOWN", "NATIONALITY_UNKNOWN"]


def test_auditors_and_administrators_see_no_tips(kh: Office) -> None:
    sent = submitted(kh)
    for name in ("auditor", "administrator"):
        for act in (lambda who: listed(kh, who), lambda who: seen(kh, sent.reference, who), lambda who: contact(kh, sent.reference, who)):
            with refused(NotPermitted, "ROLE_MISSING"):
                act(name)


def test_the_thread_lets_nobody_try_contents_on_it(kh: Office) -> None:
    one, other = submitted(kh), submitted(kh)
    views = [seen(kh, tip.reference) for tip in (one, other)]
    assert views[0].view == views[1].view
    assert views[0].summary.digest != views[1].summary.digest
    assert all(view.summary.digest != digest_of(view.view) for view in views)


@pytest.mark.parametrize("heard", ["T-11X2-TMJQ", "t11x2tmjq", "11X2TMJQ", "t-llx2 tmjq", " TIIX2-TMJQ"])
def test_a_reference_is_read_however_it_was_written_down(heard: str) -> None:
    assert read_reference(heard) == "T-11X2-TMJQ"
    assert read_reference("TTTTTTTT") == read_reference("t-tttttttt") == "T-TTTT-TTTT"


@pytest.mark.parametrize("heard", ["T-11X2-TMJ", "TT-11X2-TMJQ", "X11X2TMJQ", "T-11X2-TMJU", ""])
def test_what_is_no_reference_is_no_tip(heard: str) -> None:
    with refused(NotFound, "TIP_UNKNOWN"):
        read_reference(heard)
