"""What is passed on without leave is refused by the recipient too, and what others say of leave is worth nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exchange.encoding import cut, encode
from exchange.v1 import handling_pb2
from exchange.v1.onward_pb2 import OnwardDecision, OnwardNotice
from node.operations import deliver, onward_list
from tests.countries import DAY, POLICE, agency, node_id
from tests.federation import Federation
from tests.onward import (
    FIELDS,
    HOUR,
    KH_BORDER,
    NAMES,
    agreed,
    asked,
    decided,
    fsck,
    permitted,
    released,
    settle,
    state,
    summary,
    three,
)
from tests.recalls import codes, recalled, shown, stages
from tests.rig import NOW, draft

pytestmark = pytest.mark.thorough


@pytest.fixture
def federated(tmp_path: Path) -> Iterator[Federation]:
    made = three(tmp_path)
    yield made
    made.close()


@pytest.fixture
def told(federated: Federation) -> bytes:
    """What gb's police told kh's border, for a start."""
    digest = federated["gb"].publish(draft(KH_BORDER)).manifest_digest
    settle(federated)
    return digest


def hostile(federated: Federation, monkeypatch: pytest.MonkeyPatch, request: bytes, **changes: Any) -> None:
    """kh passes on what it may, and then once more with another entry, which its own checks do not stop."""
    kh, vn = federated["kh"], federated["vn"]
    monkeypatch.setattr(deliver, "holds", lambda *_: True)
    federated.cut("kh", "vn")
    assert not codes(released(kh, request).released)
    kh.log_again(vn, 0, **changes)
    federated.heal()


@pytest.mark.parametrize(
    "changes",
    [
        {"permit_digest": None},
        {"permit_digest": bytes(32)},
        {"purpose": handling_pb2.PURPOSE_BORDER_CONTROL},
        {"fields": sorted((*FIELDS, NAMES))},
    ],
)
def test_the_recipient_excepts_what_the_permit_does_not_cover(
    federated: Federation, told: bytes, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    kh, vn = federated["kh"], federated["vn"]
    hostile(federated, monkeypatch, permitted(federated, told), **changes)
    settle(federated)
    assert vn.alarms() == {"NOT_THE_ORIGINATOR"}
    assert len(shown(vn, told).disclosures) == 1, "what was permitted was taken"
    assert NAMES not in cut(shown(vn, told).view)
    assert kh.outbound(vn).size == 2
    assert vn.fsck() == []
    assert kh.fsck() == ["PERMIT_MISMATCH"], "its own auditor sees it"


def test_the_recipient_excepts_what_arrives_after_the_permit_has_expired(
    federated: Federation, told: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    kh, vn = federated["kh"], federated["vn"]
    request = permitted(federated, told, until=NOW + HOUR)
    federated.cut("kh", "vn")
    assert not codes(released(kh, request).released)
    federated.clock.pass_(HOUR)
    federated.heal()
    monkeypatch.setattr(deliver, "holds", lambda *_: True)
    settle(federated)
    assert vn.received() == []
    assert vn.alarms() == {"NOT_THE_ORIGINATOR"}


def test_an_honest_holder_sends_no_content_once_the_permit_has_expired(federated: Federation, told: bytes) -> None:
    kh, vn = federated["kh"], federated["vn"]
    request = permitted(federated, told, until=NOW + HOUR)
    federated.cut("kh", "vn")
    assert not codes(released(kh, request).released)
    federated.clock.pass_(HOUR)
    federated.heal()
    settle(federated)
    assert (vn.received(), vn.alarms()) == ([], set())
    found = onward_list.get_onward(kh.ports, kh.person("border"), request.hex())
    assert [one.withheld for one in found.disclosures] == [4]
    assert fsck(federated) == []


def test_a_third_country_that_does_not_know_the_originator_takes_nothing(tmp_path: Path) -> None:
    federated = Federation(tmp_path, "gb", "kh", "vn")
    federated.connect("gb", "kh", agreed("gb", "kh"))
    federated.connect("kh", "vn", agreed("kh", "vn"))
    told = federated["gb"].publish(draft(KH_BORDER)).manifest_digest
    settle(federated)
    assert not codes(released(federated["kh"], permitted(federated, told)).released)
    settle(federated)
    assert federated["vn"].received() == []
    assert federated["vn"].alarms() == {"MANIFEST_UNVERIFIED"}
    federated.close()


def test_a_permit_that_is_not_the_one_decided_is_not_kept(federated: Federation, told: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The decision stands, and there is nothing to pass on under."""
    gb, kh = federated["gb"], federated["kh"]
    request = asked(kh, told).manifest_digest
    settle(federated)
    decided(gb, request)
    attach = deliver.attach

    def spoilt(ports: Any, tx: Any, delivery: Any, *rest: Any) -> None:
        attach(ports, tx, delivery, *rest)
        for statement in delivery.attached:
            statement.payload = statement.payload[:-1] + bytes([statement.payload[-1] ^ 1])

    monkeypatch.setattr(deliver, "attach", spoilt)
    settle(federated)
    assert state(kh, request, "border") == "GRANTED"
    assert summary(kh, request, "border").permit_digest == b""
    assert codes(released(kh, request).released) == {"PERMIT_NONE"}


def test_a_decision_of_somebody_else_is_no_leave(federated: Federation, told: bytes) -> None:
    """vn says that it grants what gb was asked."""
    kh, vn = federated["kh"], federated["vn"]
    request = asked(kh, told, "", judicial_use=True).manifest_digest
    says = OnwardDecision(request_digest=request, granted=True, until=NOW + DAY)
    wanted = draft(KH_BORDER, alert_type="exchange.v1.OnwardDecision", alert=encode(says), in_reply_to=request)
    assert not vn.publish(wanted, "both").problems
    settle(federated)
    assert state(kh, request, "border") == "ASKED"
    assert not shown(kh, told).judicial_leave


def test_who_says_to_have_passed_on_without_leave_raises_an_alarm_and_is_remembered(federated: Federation, told: bytes) -> None:
    gb, kh = federated["gb"], federated["kh"]
    says = OnwardNotice(permit_digest=bytes(32), manifest_digest=told, third_party=node_id("vn"), fields=[1], passed_on_at=NOW)
    wanted = draft(agency("gb", POLICE), alert_type="exchange.v1.OnwardNotice", alert=encode(says), in_reply_to=told)
    assert not kh.publish(wanted, "both").problems
    settle(federated)
    assert gb.alarms() == {"ONWARD_WITHOUT_PERMIT"}
    recalled(gb, told)
    assert set(stages(gb, told)) == {"immigration", "node"}


def test_a_notice_of_whoever_was_never_told_is_nothing(federated: Federation, told: bytes) -> None:
    gb, vn = federated["gb"], federated["vn"]
    says = OnwardNotice(permit_digest=bytes(32), manifest_digest=told, third_party=node_id("kh"), fields=[1], passed_on_at=NOW)
    wanted = draft(agency("gb", POLICE), alert_type="exchange.v1.OnwardNotice", alert=encode(says), in_reply_to=told)
    assert not vn.publish(wanted, "both").problems
    settle(federated)
    recalled(gb, told)
    assert set(stages(gb, told)) == {"immigration"}
