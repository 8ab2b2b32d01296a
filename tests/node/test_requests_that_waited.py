"""What the federation machine found (`tests/machine`): questions to several countries, and replies to a log that is stopped."""

from pathlib import Path

import pytest

from exchange.v1 import desk_service_pb2
from node.operations import succeed
from tests.asking import COURT, GB, KH, answered, asked, asking_agreement, cases, state, states, suspended, turned_down
from tests.countries import POLICE, agency
from tests.federation import Stream, federation
from tests.recalls import codes, recalled, told_waiting

pytestmark = pytest.mark.thorough

VN = agency("vn", POLICE)


def test_a_question_that_was_withdrawn_is_so_for_a_country_that_is_away(tmp_path: Path) -> None:
    """The receipt of one country says nothing about the case of another."""
    with federation(tmp_path, "gb", "kh", "vn") as three:
        for other in ("kh", "vn"):
            three.connect("gb", other, asking_agreement("gb", other))
        gb = three["gb"]
        question = asked(gb, KH, VN)
        three.pump()
        assert not codes(suspended(gb, question, COURT, "liaison"))
        Stream(gb, three["kh"]).run()
        assert {one.asked: one.stopped_because for one in cases(gb, question)} == dict.fromkeys((KH, VN), "COURT_ORDER_NEEDED")
        recalled(gb, question)
        Stream(gb, three["kh"]).run()
        assert [one.state for one in cases(gb, question)] == [desk_service_pb2.REQUEST_STATE_WITHDRAWN] * 2
        three.pump()
        assert state(three["kh"], question)[0] == state(three["vn"], question)[0] == "WITHDRAWN"


def test_a_refusal_that_a_stopped_log_held_back_is_told(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as two:
        two.connect("gb", "kh", asking_agreement())
        gb, kh = two["gb"], two["kh"]
        question, other = asked(gb), asked(gb)
        two.pump()
        assert not codes(answered(kh, other))
        two.pump()
        origin = kh.outbound(gb).name.origin
        succeed.end_log(kh.ports, kh.person("administrator"), origin)
        assert not codes(turned_down(kh, question))
        assert state(kh, question)[0] == "RECEIPTED", "it counts from when it is logged"
        two.carry()
        succeed.accept_end(gb.ports, gb.person("administrator"), origin)
        two.carry()
        assert told_waiting(kh) == 1
        assert states(two, question) == ("REFUSED", "MET")
        assert cases(gb, question)[0].events[-1].party == KH
        assert told_waiting(kh) == 0
        assert GB in {one.asker for one in cases(kh, question)}
