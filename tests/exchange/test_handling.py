import pytest

from exchange.errors import Malformed
from exchange.handling import check_handling, clause_handling, combine
from exchange.v1 import agreement_pb2, handling_pb2
from exchange.v1.handling_pb2 import Handling
from tests.refusals import refused

H0, H1, H2 = handling_pb2.HANDLING_CODE_H0, handling_pb2.HANDLING_CODE_H1, handling_pb2.HANDLING_CODE_H2
NONE, ASK, ALLOWED = handling_pb2.JUDICIAL_USE_NONE, handling_pb2.JUDICIAL_USE_ASK, handling_pb2.JUDICIAL_USE_ALLOWED
KEEP, PASS_ON = handling_pb2.ONWARD_RULE_NONE, handling_pb2.ONWARD_RULE_ASK
PREVENTION, BORDER, LIFE = handling_pb2.PURPOSE_PREVENTION, handling_pb2.PURPOSE_BORDER_CONTROL, handling_pb2.PURPOSE_SAVE_LIFE

LOOSE = Handling(codes=[H0], permitted_purposes=[PREVENTION, BORDER, LIFE], judicial_use=ALLOWED, onward=PASS_ON)


@pytest.mark.parametrize("good", [Handling(), LOOSE, Handling(codes=[H1, H2])])
def test_ascending_lists_are_well_formed(good: Handling) -> None:
    check_handling(good)


@pytest.mark.parametrize(
    "wrong",
    [
        Handling(codes=[H2, H1]),
        Handling(codes=[H1, H1]),
        Handling(codes=[0]),  # type: ignore[list-item]
        Handling(permitted_purposes=[BORDER, PREVENTION]),
        Handling(permitted_purposes=[BORDER, BORDER]),
        Handling(permitted_purposes=[0, BORDER]),  # type: ignore[list-item]
    ],
)
def test_other_lists_are_not(wrong: Handling) -> None:
    with refused(Malformed, "HANDLING_MALFORMED"):
        check_handling(wrong)


def test_restrictions_join_and_permissions_intersect() -> None:
    police = Handling(codes=[H2], permitted_purposes=[PREVENTION, LIFE], judicial_use=ALLOWED, onward=PASS_ON, retention_days=90)
    border = Handling(
        codes=[H0],
        permitted_purposes=[BORDER, LIFE],
        judicial_use=ASK,
        onward=KEEP,
        retention_days=30,
        confirm_before_coercive_action=True,
    )
    assert combine(police, border) == Handling(
        codes=[H2],  # H0 says no more than that nothing else was said
        permitted_purposes=[LIFE],
        judicial_use=ASK,
        onward=KEEP,
        retention_days=30,
        confirm_before_coercive_action=True,
    )


def test_what_is_not_said_is_read_as_its_strictest() -> None:
    strictest = Handling(judicial_use=NONE, onward=KEEP)
    assert combine() == strictest
    assert combine(Handling()) == strictest
    assert combine(LOOSE, Handling(codes=[H0])) == Handling(codes=[H0], judicial_use=NONE, onward=KEEP)


def test_a_rule_of_a_later_version_is_read_as_the_strictest() -> None:
    later = Handling(permitted_purposes=[PREVENTION])
    later.judicial_use, later.onward = 9, 9  # type: ignore[assignment]
    in_force = combine(LOOSE, later)
    assert (in_force.judicial_use, in_force.onward) == (NONE, KEEP)


def test_h1_takes_judicial_use_back_to_asking() -> None:
    assert combine(LOOSE, Handling(codes=[H1], permitted_purposes=[LIFE], judicial_use=ALLOWED, onward=PASS_ON)).judicial_use == ASK
    assert combine(Handling(codes=[H1], judicial_use=NONE)).judicial_use == NONE


def test_a_limit_that_is_not_stated_leaves_the_others() -> None:
    assert combine(LOOSE, Handling(retention_days=7), LOOSE).retention_days == 7
    assert combine(LOOSE, LOOSE).retention_days == 0


def test_a_clause_limits_purposes_onward_and_time_but_says_nothing_of_codes() -> None:
    clause = agreement_pb2.Clause(purposes=[PREVENTION, LIFE], onward=PASS_ON, maximum_retention_days=365)
    assert clause_handling(clause) == Handling(
        permitted_purposes=[PREVENTION, LIFE], judicial_use=ALLOWED, onward=PASS_ON, retention_days=365
    )
    assert combine(LOOSE, clause_handling(clause)).codes == [H0]
