"""Questions between two offices: one course at both ends, and what is refused at home or shown of a partner."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exchange.encoding import encode
from exchange.errors import NotFound
from exchange.v1 import acknowledgement_pb2, desk_service_pb2, handling_pb2, information_pb2
from node.operations import retention
from node.operations.control_drafts import prepare_all
from node.operations.officers import NotPermitted
from node.operations.release import Prepared
from node.operations.sequence import sequence
from tests import asking
from tests.asking import (
    COURT,
    GB,
    KH,
    QUESTION,
    READ,
    RESPONSE,
    acknowledged,
    answered,
    asked,
    asking_agreement,
    both,
    breaches,
    case,
    cases,
    drafted,
    question,
    response,
    state,
    states,
    suspended,
    turned_down,
)
from tests.countries import BORDER, HOUR, agency, changed
from tests.federation import Federation, federation
from tests.recalls import codes, recalled, request_id, shown, status
from tests.refusals import refused
from tests.rig import Office, draft

KH_BORDER = agency("kh", BORDER)
NORMAL = information_pb2.URGENCY_NORMAL


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh", asking_agreement())
        yield made


# The course


def test_a_question_is_sent_receipted_read_and_answered(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    digest = asked(gb)
    assert state(gb, digest) == ("SENT", "UNSPECIFIED")
    assert states(two, digest) == ("RECEIPTED", "RUNNING")
    found = case(gb, digest)
    assert (found.asker, found.asked, found.term_hours, found.urgent) == (GB, KH, 8, True)
    assert (found.started_at, found.due_at) == (two.clock.now_ms(), two.clock.now_ms() + 8 * HOUR)
    two.clock.pass_(HOUR)
    assert not codes(acknowledged(kh, digest))
    assert states(two, digest) == ("ACKNOWLEDGED", "RUNNING")
    two.clock.pass_(HOUR)
    said = answered(kh, digest)
    assert not codes(said)
    assert states(two, digest) == ("ANSWERED", "MET")
    assert [desk_service_pb2.RequestDeed.Name(one.deed) for one in case(gb, digest).events] == [
        "REQUEST_DEED_RECEIPTED",
        "REQUEST_DEED_ACKNOWLEDGED",
        "REQUEST_DEED_ANSWERED",
    ]
    assert list(status(gb, digest).disclosures[0].reports) == [said.manifest_digest]
    assert shown(gb, said.manifest_digest, "police").view
    assert gb.fsck() == kh.fsck() == []


def test_a_question_is_refused_with_a_code_and_without_a_clause(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as two:
        two.connect("gb", "kh", changed(asking_agreement(), valid_until=two.clock.now_ms() + HOUR))
        digest = asked(two["gb"])
        two.pump()
        two.clock.pass_(2 * HOUR)
        assert not codes(turned_down(two["kh"], digest))
        assert states(two, digest) == ("REFUSED", "MET")
        assert case(two["gb"], digest).events[-1].reason == "NO_LEGAL_BASIS"


def test_an_answer_after_its_time_is_late_at_both_ends(two: Federation) -> None:
    digest = asked(two["gb"])
    two.pump()
    two.clock.pass_(8 * HOUR)
    assert states(two, digest) == ("RECEIPTED", "OVERDUE")
    two.clock.pass_(1)
    answered(two["kh"], digest)
    assert states(two, digest) == ("ANSWERED", "MET_LATE")


@pytest.mark.parametrize(("changes", "hours"), [({}, 8), ({"access": None}, 72), ({"urgency": NORMAL, "urgency_grounds": None}, 168)])
def test_the_terms_are_the_same_at_both_ends(two: Federation, changes: dict[str, Any], hours: int) -> None:
    digest = asked(two["gb"], **changes)
    assert both(two, digest).term_hours == hours


def test_a_clause_shortens_the_term_and_a_field_that_was_not_told_counts_at_neither_end(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as two:
        two.connect("gb", "kh", asking_agreement(response_hours=20))
        assert both(two, asked(two["gb"], access=None)).term_hours == 20
        untold = drafted(QUESTION, question(), KH, unticked=[5])  # access: whether it is directly accessible
        assert both(two, two["gb"].publish(untold).manifest_digest).term_hours == 20
        assert both(two, asked(two["gb"])).term_hours == 8


def test_each_agency_has_the_term_of_its_own_clause(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as two:
        content = asking_agreement()
        (clause,) = (one for one in content.clauses if one.id == "gb-kh-informationrequest-border")
        clause.response_hours = 5
        two.connect("gb", "kh", content)
        digest = asked(two["gb"], KH, KH_BORDER)
        two.pump()
        assert {one.asked: one.term_hours for one in cases(two["gb"], digest)} == {KH: 8, KH_BORDER: 5}
        assert [case(two["kh"], digest, name).term_hours for name in ("police", "border")] == [8, 5]


def test_each_agency_that_was_asked_has_a_case_of_its_own(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    digest = asked(gb, KH, KH_BORDER)
    two.pump()
    two.clock.pass_(HOUR)
    turned_down(kh, digest)
    two.pump()
    by_agency = {one.asked: desk_service_pb2.RequestState.Name(one.state) for one in cases(gb, digest)}
    assert by_agency == {KH: "REQUEST_STATE_REFUSED", KH_BORDER: "REQUEST_STATE_RECEIPTED"}
    assert not [event for one in cases(gb, digest) for event in one.events if event.breach]
    assert state(kh, digest, "border") == ("RECEIPTED", "RUNNING")
    assert not case(kh, digest, "border").events[1:], "what the other agency said is nothing to this one"
    assert not codes(answered(kh, digest, "both"))


def test_a_question_that_the_other_node_does_not_take_is_not_delivered(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    published = gb.publish(drafted(QUESTION, question(), KH, not_after=two.clock.now_ms() + HOUR))
    two.clock.pass_(2 * HOUR)
    two.pump()
    assert state(gb, published.manifest_digest) == ("NOT_DELIVERED", "UNSPECIFIED")
    with pytest.raises(NotFound, match="no such alert"):
        case(kh, published.manifest_digest)


def test_an_answer_that_the_asker_never_got_settles_nothing(two: Federation) -> None:
    kh = two["kh"]
    digest = asked(two["gb"])
    two.pump()
    wanted = desk_service_pb2.Draft(request_id=request_id(), alert_type=RESPONSE, alert=encode(response()))
    assert not codes(answered(kh, digest, draft=changed(wanted, not_after=two.clock.now_ms() + HOUR)))
    assert state(kh, digest) == ("ANSWERED", "MET")
    two.clock.pass_(2 * HOUR)
    assert states(two, digest) == ("RECEIPTED", "RUNNING"), "its content had expired, and was withheld"
    assert not codes(answered(kh, digest))
    assert states(two, digest) == ("ANSWERED", "MET")


def test_a_withdrawal_in_the_nodes_name_is_the_askers(two: Federation) -> None:
    digest = asked(two["gb"])
    two.pump()
    recalled(two["gb"], digest, name="administrator", in_node_name=True)
    assert states(two, digest) == ("WITHDRAWN", "UNSPECIFIED")


def test_a_question_that_was_erased_has_a_state_and_no_clock(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    digest = asked(gb)
    two.pump()
    turned_down(kh, digest)
    two.pump()
    for office in (gb, kh):
        retention.erase_early(office.ports, office.person("liaison"), digest.hex(), "synthetic reason")
        found = case(office, digest)
        assert (state(office, digest), found.term_hours, found.urgent) == (("REFUSED", "UNSPECIFIED"), 0, False)
        assert not codes(acknowledged(kh, digest))
    assert gb.fsck() == kh.fsck() == []


# What is refused at home


def test_what_a_settled_question_allows_no_more_is_refused_with_its_own_code(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    by_answer, by_refusal, by_withdrawal, by_replacement = (asked(gb) for _ in range(4))
    two.pump()
    answered(kh, by_answer)
    turned_down(kh, by_refusal)
    recalled(gb, by_withdrawal)
    newer = replaced_question(gb, by_replacement)
    two.pump()
    said = {
        by_answer: "REQUEST_ANSWERED",
        by_refusal: "REQUEST_REFUSED",
        by_withdrawal: "REQUEST_WITHDRAWN",
        by_replacement: "REQUEST_REPLACED",
    }
    for digest, code in said.items():
        assert codes(answered(kh, digest)) == {code}
        assert codes(turned_down(kh, digest)) == {code}
        assert codes(suspended(kh, digest)) == {"REQUEST_SETTLED"}
        file = drafted(RESPONSE, response(digest), GB, in_reply_to=digest)
        assert codes(kh.publish(file)) == {code}, "as a file it is no other"
        stop = acknowledgement_pb2.Acknowledgement(
            manifest_digest=digest, read_at=two.clock.now_ms(), desk=asking.DESK, authorisation_pending=COURT
        )
        assert codes(kh.publish(drafted(READ, stop, GB, in_reply_to=digest))) == {code}
    assert ("refusal", kh.person("liaison"), "", "REQUEST_WITHDRAWN") in kh.journal()
    assert states(two, newer) == ("RECEIPTED", "RUNNING")
    assert states(two, by_withdrawal) == ("WITHDRAWN", "UNSPECIFIED")
    assert states(two, by_replacement) == ("REPLACED", "UNSPECIFIED")


def replaced_question(office: Office, digest: bytes) -> bytes:
    wanted = drafted(QUESTION, question(access=None), KH, supersedes=[digest])
    return office.publish(wanted).manifest_digest


def test_whoever_was_never_asked_does_not_answer(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    digest = asked(gb)
    alert = gb.publish(draft(KH)).manifest_digest
    two.pump()
    border = [
        ("both", drafted(RESPONSE, response(digest), GB, in_reply_to=digest), "NOT_ASKED"),
        ("liaison", drafted(RESPONSE, response(bytes(32)), GB, in_reply_to=bytes(32)), "NOT_ASKED"),
        ("liaison", drafted(RESPONSE, response(alert), GB, in_reply_to=alert), "NOT_ASKED"),
        ("liaison", drafted(RESPONSE, response(digest), GB, in_reply_to=alert), "REPLY_MISMATCH"),
        ("liaison", drafted(RESPONSE, response(digest), agency("gb", BORDER), in_reply_to=digest), "REPLY_RECIPIENTS"),
    ]
    for name, wanted, code in border:
        assert codes(kh.publish(wanted, name)) == {code}
    with refused(NotFound, "ALERT_NOT_FOUND"):
        answered(kh, digest, "both")
    assert codes(answered(gb, digest)) == codes(turned_down(gb, digest, "liaison")) == {"NOT_ASKED"}, "nobody answers their own question"
    assert not codes(answered(kh, digest))


def test_an_acknowledgement_is_about_an_alert_that_came_here(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    alert = gb.publish(draft(KH)).manifest_digest
    two.pump()

    def read(digest: bytes, **changes: Any) -> desk_service_pb2.Draft:
        said = acknowledgement_pb2.Acknowledgement(manifest_digest=digest, read_at=two.clock.now_ms(), desk=asking.DESK, **changes)
        return drafted(READ, said, GB, in_reply_to=digest)

    assert codes(kh.publish(read(bytes(32)), "police")) == {"REFERENT_UNKNOWN"}
    assert codes(kh.publish(read(alert), "border")) == {"REFERENT_UNKNOWN"}
    assert codes(kh.publish(read(alert, authorisation_pending=COURT), "police")) == {"NOT_A_REQUEST"}
    assert not codes(kh.publish(read(alert), "police"))


def test_a_request_is_asked_for_by_its_agencies_and_nobody_else(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    digest = asked(gb)
    alert = gb.publish(draft(KH)).manifest_digest
    two.pump()
    with refused(NotFound, "REQUEST_NOT_FOUND"):
        case(kh, alert)
    with refused(NotFound, "ALERT_NOT_FOUND"):
        case(kh, digest, "border")
    with refused(NotFound, "ALERT_NOT_FOUND"):
        case(gb, digest, "border")
    with pytest.raises(NotPermitted):
        case(kh, digest, "auditor")
    with pytest.raises(NotPermitted):
        answered(kh, digest, "police")  # an answer discloses our files: a liaison officer releases it
    assert kh.journal()[-2:] == [
        ("refusal", kh.person("auditor"), "", "ROLE_MISSING"),
        ("refusal", kh.person("police"), "", "ROLE_MISSING"),
    ]


def test_the_same_again_answers_as_the_first_time(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    by_answer, by_refusal = asked(gb), asked(gb)
    two.pump()
    same = request_id()
    wanted = desk_service_pb2.Draft(request_id=same, alert_type=RESPONSE, alert=encode(response()))
    first, again = (answered(kh, by_answer, draft=wanted) for _ in range(2))
    assert first.manifest_digest == again.manifest_digest
    assert not again.problems
    first, again = (turned_down(kh, by_refusal, request_id=bytes(15) + b"r") for _ in range(2))
    assert first.manifest_digest == again.manifest_digest
    assert not again.problems


def test_a_corrected_answer_is_no_second_one(two: Federation) -> None:
    kh = two["kh"]
    digest = asked(two["gb"])
    two.pump()
    first = answered(kh, digest).manifest_digest
    two.pump()
    mended = drafted(RESPONSE, response(digest), GB, in_reply_to=digest, supersedes=[first])
    assert not codes(kh.publish(mended))
    both(two, digest)
    assert breaches(two["gb"], digest) == []


def test_an_answer_that_was_withdrawn_is_marked_so_at_both_ends_and_settles_the_question_all_the_same(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    digest = asked(gb)
    two.pump()
    answer = answered(kh, digest).manifest_digest
    two.pump()
    assert not any(event.withdrawn for event in case(gb, digest).events)
    recalled(kh, answer)
    two.pump()
    both(two, digest)
    assert [event.manifest_digest for event in case(gb, digest).events if event.withdrawn] == [answer]
    assert states(two, digest) == ("ANSWERED", "MET")


def test_what_an_answer_says_of_its_handling_stays(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    strict = handling_pb2.Handling(codes=[handling_pb2.HANDLING_CODE_H2], onward=handling_pb2.ONWARD_RULE_NONE)
    said = {}
    for name, handling in (("strict", strict), ("plain", None)):
        digest = asked(gb)
        two.pump()
        wanted = desk_service_pb2.Draft(request_id=request_id(), alert_type=RESPONSE, alert=encode(response()), handling=handling)
        answer = answered(kh, digest, draft=wanted)
        assert not codes(answer)
        two.pump()
        said[name] = shown(gb, answer.manifest_digest, "police").handling.codes
    assert said == {"strict": [handling_pb2.HANDLING_CODE_H2], "plain": [handling_pb2.HANDLING_CODE_H1]}


def test_an_answer_names_what_it_answers_and_its_type(two: Federation) -> None:
    kh = two["kh"]
    digest = asked(two["gb"])
    two.pump()
    wrong = desk_service_pb2.Draft(request_id=request_id(), alert_type=RESPONSE, alert=encode(response(bytes(32))))
    assert codes(answered(kh, digest, draft=wrong)) == {"REPLY_MISMATCH"}
    other = desk_service_pb2.Draft(request_id=request_id(), alert_type=READ, alert=b"")
    assert codes(answered(kh, digest, draft=other)) == {"TYPE_UNKNOWN"}
    assert codes(turned_down(kh, digest, code=None)) == {"REASON_CODE"}
    assert codes(suspended(kh, digest, 99)) == {"REASON_CODE"}
    assert state(kh, digest) == ("RECEIPTED", "RUNNING")


# What a partner sends against the rules


def against_the_rules(office: Office, name: str, draft_: desk_service_pb2.Draft) -> desk_service_pb2.PublishedAlert:
    """Release what our own office would refuse, as a partner's broken or hostile node would."""
    (item,) = prepare_all(office.ports, office.person(name), [draft_], "synthetic reason")
    assert isinstance(item, Prepared)

    return sequence(office.ports, [replace(item, consequence=None)])[0]


def test_what_a_partner_says_against_the_rules_is_shown_and_settles_nothing_anew(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    digest = asked(gb)
    two.pump()
    turned_down(kh, digest)
    two.pump()
    before = state(gb, digest)
    two.clock.pass_(HOUR)
    late = drafted(RESPONSE, response(digest), GB, in_reply_to=digest)
    assert not codes(against_the_rules(kh, "liaison", late))
    assert states(two, digest) == before == ("REFUSED", "MET")
    assert breaches(gb, digest) == ["REQUEST_REFUSED"]
    stranger = drafted(RESPONSE, response(digest), GB, in_reply_to=digest)
    assert not codes(against_the_rules(kh, "both", stranger))
    two.pump()
    assert state(gb, digest) == before
    assert breaches(gb, digest) == ["REQUEST_REFUSED", "NOT_ASKED"]


def test_only_an_agency_that_was_told_is_shown_as_having_read(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    alert = gb.publish(draft(KH)).manifest_digest
    two.pump()
    said = acknowledgement_pb2.Acknowledgement(manifest_digest=alert, read_at=two.clock.now_ms(), desk=asking.DESK)
    assert not codes(against_the_rules(kh, "border", drafted(READ, said, GB, in_reply_to=alert)))
    two.pump()
    assert not status(gb, alert).acknowledgements
    assert not codes(acknowledged(kh, alert))
    two.pump()
    assert [one.agency for one in status(gb, alert).acknowledgements] == [KH]


def test_an_answer_that_names_another_question_counts_for_nothing(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    first, second = asked(gb), asked(gb)
    two.pump()
    against_the_rules(kh, "liaison", drafted(RESPONSE, response(second), GB, in_reply_to=first))
    assert states(two, first) == states(two, second) == ("RECEIPTED", "RUNNING")
    assert (breaches(gb, first), breaches(gb, second)) == (["REPLY_MISMATCH"], [])


def test_an_answer_that_crosses_a_withdrawal_has_one_outcome(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    first, second = asked(gb), asked(gb)
    two.pump()
    two.cut("gb", "kh")
    recalled(gb, first)
    answered(kh, second)
    two.clock.pass_(1)
    answered(kh, first)
    recalled(gb, second)
    two.heal()
    assert states(two, first) == states(two, second) == ("WITHDRAWN", "UNSPECIFIED")
    assert (breaches(gb, first), breaches(gb, second)) == (["REQUEST_WITHDRAWN"], [])
