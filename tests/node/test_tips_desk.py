"""Every method about tips at the officers' door: it answers whom it is for."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exchange.v1 import desk_service_pb2 as messages
from exchange.v1 import handling_pb2
from exchange.v1.tip_pb2 import TIP_STATE_CLOSED, TIP_STATE_UNDER_ASSESSMENT
from tests.federation import Federation, federation
from tests.node.test_desk_service import TIPS, desk_of
from tests.tips import GB_POLICE, KH_BORDER, REPORTER, TIP, calm, finished, submitted, takes_tips, tips_agreement

WHY = "synthetic reason"


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh", tips_agreement())
        takes_tips(made["kh"])
        yield made


def test_every_method_about_tips_answers_whom_it_is_for(two: Federation) -> None:
    kh, gb = two["kh"], two["gb"]
    sent = submitted(kh, tip=calm(), contact={"telephone": REPORTER})
    other = submitted(kh, tip=calm())
    asked: set[str] = set()
    with desk_of(kh) as desk, desk_of(gb) as abroad:

        def ask(method: str, who: str = "police", at: Any = desk, **fields: Any) -> Any:
            asked.add(method)
            return at.ask(who, method, getattr(messages, f"{method}Request")(**fields))

        assert len(ask("ListTips").tips) == 2
        assert ask("TakeTip", tip=sent.reference).tip.state == TIP_STATE_UNDER_ASSESSMENT
        assert ask("GetTip", tip=sent.reference).contact_held
        purpose = handling_pb2.PURPOSE_CHILD_SAFEGUARDING
        assert ask("OpenTipContact", tip=sent.reference, purpose=purpose, reason=WHY).contact.telephone == REPORTER
        assert ask("SafeguardTip", tip=sent.reference, code=messages.TIP_SAFEGUARD_MEDICAL_CARE).tip.reference == sent.reference
        draft = ask("ConvertTip", tip=sent.reference, alert_type=TIP).draft
        assert list(draft.recipients) == [GB_POLICE]
        passed = kh.publish(finished(draft)).manifest_digest
        two.pump()
        answered = ask("AnswerTip", at=abroad, request_id=bytes(16), alert=passed.hex(), state=TIP_STATE_CLOSED, reason=WHY).published
        assert not answered.problems
        assert ask("AssessTip", tip=sent.reference, state=TIP_STATE_UNDER_ASSESSMENT, reason=WHY).tip.state == TIP_STATE_UNDER_ASSESSMENT
        closed = ask("CloseTip", tip=sent.reference, code=messages.TIP_CLOSE_REASON_DUPLICATE, reason=WHY)
        assert closed.tip.state == TIP_STATE_CLOSED
        assert ask("EraseTip", tip=sent.reference, reason=WHY).tip.erased
        ask("TakeTip", tip=other.reference)
        assert ask("ReferTip", tip=other.reference, agency=KH_BORDER, reason=WHY).tip.agency == KH_BORDER
        assert [one.reference for one in ask("ListTips", "border").tips] == [other.reference]
    assert asked == TIPS
