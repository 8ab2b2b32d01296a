"""A condition that this version cannot check refuses the release with a code of its own. It is never ignored."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from exchange.encoding import encode
from exchange.v1 import agreement_pb2, control_pb2, desk_service_pb2
from node.operations import preview, release
from tests.countries import BORDER, POLICE, agency, agreement, with_clause
from tests.federation import federation
from tests.rig import draft

KH_BORDER, KH_POLICE = agency("kh", BORDER), agency("kh", POLICE)
BORDER_CLAUSE = "gb-kh-travelalert-border"
CONDITIONS: dict[str, agreement_pb2.Agreement] = {
    "CONDITION_APPROVALS": with_clause(agreement(), BORDER_CLAUSE, approvals=1),
    "CONDITION_TRANSFER": with_clause(
        agreement(), BORDER_CLAUSE, transfer_conditions=[agreement_pb2.TRANSFER_CONDITION_DEATH_PENALTY_ASSURANCE]
    ),
    # Of a later version: a number that this one has no name for.
    "CONDITION_UNKNOWN": with_clause(agreement(), BORDER_CLAUSE, transfer_conditions=[99]),
}


def refusals(problems: Iterable[Any]) -> set[str]:
    return {problem.code for problem in problems if problem.severity == desk_service_pb2.SEVERITY_ERROR}


@pytest.mark.parametrize("code", CONDITIONS)
def test_a_condition_that_cannot_be_checked_refuses_the_release(tmp_path: Path, code: str) -> None:
    with federation(tmp_path, "gb", "kh") as two:
        two.connect("gb", "kh", CONDITIONS[code])
        gb, wanted = two["gb"], draft(KH_BORDER)
        (shown,) = preview.preview(gb.ports, gb.person("liaison"), wanted).recipients
        assert refusals(shown.denied) == {code}
        assert refusals(gb.publish(wanted).problems) == {code}
        two.pump()
        assert gb.outbound(two["kh"]).size == 0
        assert ("refusal", gb.person("liaison"), "", code) in gb.journal()


def test_another_clause_of_the_same_agreement_is_not_held_back(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as two:
        two.connect("gb", "kh", CONDITIONS["CONDITION_APPROVALS"])
        assert not two["gb"].publish(draft(KH_POLICE)).problems


def test_a_control_alert_is_never_released_under_a_clause(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as two:
        two.connect("gb", "kh")
        gb = two["gb"]
        told = gb.publish(draft(KH_BORDER)).manifest_digest
        recall = control_pb2.Withdrawal(manifest_digest=told, reason=control_pb2.WITHDRAWAL_REASON_WRONG_PERSON)
        wanted = draft(KH_BORDER, alert_type="exchange.v1.Withdrawal", alert=encode(recall), in_reply_to=told, not_after=0)
        (item,) = release.prepare_all(gb.ports, gb.person("liaison"), [wanted], "synthetic reason")
        assert isinstance(item, release.NotReleased)
        assert "CONTROL_ALERT" in refusals(item.problems)
