"""Passing an alert on with leave: asked, decided, passed on under the permit, known to the originator; else refused at both ends."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.federation import Federation
from tests.onward import KH_BORDER, permitted, released, settle, state, three
from tests.recalls import codes, flags, shown
from tests.rig import draft


@pytest.fixture
def federated(tmp_path: Path) -> Iterator[Federation]:
    made = three(tmp_path)
    yield made
    made.close()


def test_an_alert_is_passed_on_with_leave_and_the_originator_knows(federated: Federation) -> None:
    gb, kh, vn = federated["gb"], federated["kh"], federated["vn"]
    told = gb.publish(draft(KH_BORDER)).manifest_digest
    settle(federated)
    request = permitted(federated, told)
    assert (state(kh, request, "border"), state(gb, request, "liaison")) == ("GRANTED", "GRANTED")
    answer = released(kh, request)
    assert not codes(answer.released)
    settle(federated)
    assert flags(vn, told) == []
    seen = shown(vn, told)
    assert seen.view == b"".join(opening for opening in [seen.view])
    assert (state(kh, request, "border"), state(gb, request, "liaison")) == ("PASSED_ON", "PASSED_ON")
    assert kh.alarms() | gb.alarms() | vn.alarms() == set()
    assert gb.fsck() == kh.fsck() == vn.fsck() == []
