"""The same command again, after what it did was undone: it does nothing twice, and does not answer as if it still held."""

from tests import builders
from tests.countries import BORDER, agency
from tests.federation import Federation
from tests.recalls import LIFTING, RESTRICTION, codes, corrected, own_flags, recalled, replaced, request_id
from tests.rig import draft

KH_BORDER = agency("kh", BORDER)


def test_a_restriction_that_was_lifted_is_not_answered_as_if_it_stood(two: Federation) -> None:
    gb = two["gb"]
    told = gb.publish(draft(KH_BORDER)).manifest_digest
    restrict, lift = request_id(), request_id()
    first = recalled(gb, told, RESTRICTION, request_id=restrict)
    assert recalled(gb, told, RESTRICTION, request_id=restrict) == first
    second = recalled(gb, told, LIFTING, request_id=lift)
    assert recalled(gb, told, LIFTING, request_id=lift) == second
    assert codes(recalled(gb, told, RESTRICTION, request_id=restrict).controls[0]) == {"DONE_BEFORE"}
    assert own_flags(gb, told) == []
    recalled(gb, told, RESTRICTION)
    assert codes(recalled(gb, told, LIFTING, request_id=lift).controls[0]) == {"DONE_BEFORE"}
    recalled(gb, told)
    for kind, asked in ((RESTRICTION, restrict), (LIFTING, lift)):
        assert codes(recalled(gb, told, kind, request_id=asked).controls[0]) == {"ALERT_WITHDRAWN"}


def test_an_update_that_was_itself_replaced_is_not_answered_as_if_it_held(two: Federation) -> None:
    gb = two["gb"]
    told = gb.publish(draft(KH_BORDER)).manifest_digest
    asked = request_id()
    first = replaced(gb, told, asked=asked)
    assert replaced(gb, told, asked=asked) == first
    second = replaced(gb, first.replacement.manifest_digest, builders.alert()).replacement.manifest_digest
    assert codes(replaced(gb, told, asked=asked).replacement) == {"DONE_BEFORE"}
    recalled(gb, second)
    assert codes(replaced(gb, told, asked=asked).replacement) == {"ALERT_WITHDRAWN"}


def test_what_was_published_and_withdrawn_is_not_answered_as_published(two: Federation) -> None:
    gb = two["gb"]
    wanted = draft(KH_BORDER, request_id=request_id())
    first = gb.publish(wanted)
    assert gb.publish(wanted) == first
    recalled(gb, first.manifest_digest)
    answer = gb.publish(wanted)
    assert (codes(answer), answer.manifest_digest) == ({"ALERT_WITHDRAWN"}, b"")


def test_whoever_wrote_on_an_earlier_manifest_is_told_that_a_colleague_was_first(two: Federation) -> None:
    gb = two["gb"]
    told = gb.publish(draft(KH_BORDER)).manifest_digest
    second = corrected(gb, told, as_it_stands=True).replacement.manifest_digest
    (problem,) = corrected(gb, told, builders.alert(), as_it_stands=True).replacement.problems
    assert problem.code == "ALREADY_SUPERSEDED"
    assert second.hex()[:12] in problem.remedy
    assert not codes(corrected(gb, second, builders.alert(), as_it_stands=True).replacement)
    recalled(gb, told)
    assert codes(corrected(gb, told, as_it_stands=True).replacement) == {"ALERT_WITHDRAWN"}
