"""Leave is granted or denied exactly as it was signed, and an auditor verifies that again: in the record, and beside the journal's code."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exchange.v1 import desk_service_pb2 as messages
from node.cli.main import run
from node.confirmations import Confirmation
from node.operations.onward_decide import Weighed, decide_onward, weigh_decision
from node.operations.sequence import sequence
from tests.confirming import Hands
from tests.countries import BORDER, agency
from tests.federation import Federation
from tests.node.audit_desk import command_line
from tests.onward import BIRTH, KH_POLICE, NAME, asked, settle, state, three
from tests.recalls import request_id
from tests.rig import Office, draft

REASON = "synthetic reason"


@pytest.fixture
def federated(tmp_path: Path) -> Iterator[Federation]:
    made = three(tmp_path)
    yield made
    made.close()


@pytest.fixture
def gb(federated: Federation) -> Office:
    return federated["gb"]


@pytest.fixture
def request_digest(federated: Federation) -> bytes:
    told = federated["gb"].publish(draft(KH_POLICE)).manifest_digest
    settle(federated)
    digest = asked(federated["kh"], told, name="police").manifest_digest
    settle(federated)
    return digest


def question(request: bytes, *, grant: bool = True, fields: tuple[int, ...] = (NAME,)) -> messages.DecideOnwardRequest:
    return messages.DecideOnwardRequest(
        request_id=request_id(), request=request.hex(), grant=grant, fields=fields if grant else (), reason=REASON
    )


def said(gb: Office, wanted: messages.DecideOnwardRequest, **changes: Any) -> dict[str, Any]:
    weighed = weigh_decision(gb.ports, gb.person("liaison"), wanted)
    assert isinstance(weighed, Weighed)
    values = {"request": wanted.request, "to": [KH_POLICE], "fields": list(weighed.fields), "until": weighed.until, "reason": REASON}
    return values | changes


def decided(gb: Office, wanted: messages.DecideOnwardRequest, kept: Confirmation) -> list[str]:
    answer = decide_onward(gb.ports, gb.person("liaison"), wanted, lambda item: sequence(gb.ports, [item])[0], kept)
    return [problem.code for problem in answer.published.problems]


def place_of(gb: Office, code: str) -> str:
    (place,) = [place for place, one in enumerate(gb.journal()) if one[3] == code]
    return str(place)


def opened(gb: Office, entry: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, code: int = 0) -> Any:
    with command_line(gb, "auditor", monkeypatch):
        assert run(["audit", "open", entry, "--purpose", "lawfulness", "--reason", "inspection", "--json"]) == code
    return json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.mark.parametrize("grant", [True, False])
def test_what_was_signed_stands_in_the_record_and_beside_the_code(
    federated: Federation, request_digest: bytes, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *, grant: bool
) -> None:
    gb, kh = federated["gb"], federated["kh"]
    hands, wanted, action = Hands(gb), question(request_digest, grant=grant), "grant" if grant else "deny"
    assert not decided(gb, wanted, hands.confirm("liaison", action, said(gb, wanted)))
    assert state(gb, request_digest, "liaison") == ("GRANTED" if grant else "DENIED")
    entry = f"gb.alerts.example/disclosures/kh.alerts.example/1#{gb.outbound(kh).size - 1}"
    (one,) = opened(gb, entry, capsys, monkeypatch)["record"]["confirmations"]
    assert (one["action"], one["officer"], one["request"]) == (action, gb.person("liaison"), request_digest.hex())
    beside = opened(gb, place_of(gb, "ONWARD_GRANTED" if grant else "ONWARD_DENIED"), capsys, monkeypatch)
    assert json.dumps(beside).count(request_digest.hex()) >= 1
    assert gb.fsck() == []


def test_what_was_not_signed_is_not_decided(gb: Office, request_digest: bytes) -> None:
    hands, wanted = Hands(gb), question(request_digest)
    for action, changes in (
        ("deny", {}),
        ("grant", {"fields": [NAME, BIRTH]}),
        ("grant", {"until": 1}),
        ("grant", {"request": "07" * 32}),
        ("grant", {"to": [agency("kh", BORDER)]}),
    ):
        assert decided(gb, wanted, hands.confirm("liaison", action, said(gb, wanted, **changes))) == ["PREVIEW_CHANGED"]
    assert state(gb, request_digest, "liaison") == "ASKED"
    kept = hands.confirm("liaison", "grant", said(gb, wanted))
    assert decided(gb, wanted, kept) == []


def test_a_forged_signature_of_a_decision_is_found_out(gb: Office, request_digest: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    hands, wanted = Hands(gb), question(request_digest)
    kept = hands.confirm("liaison", "grant", said(gb, wanted, request="07" * 32))
    # Whoever runs the node can leave the check out, and put any record beside the decision.
    monkeypatch.setattr("node.operations.onward_decide._said", lambda *_: True)
    assert decided(gb, wanted, replace(kept)) == []
    assert gb.fsck() == ["CONFIRMATION_MISMATCH"]
