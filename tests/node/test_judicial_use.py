"""Judicial use (H1) by leave of the originator: shown beside the alert while it holds, and only to the agency that it was given."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.v1 import handling_pb2
from tests import builders
from tests.countries import DAY, changed
from tests.federation import Federation
from tests.onward import (
    KH_BORDER,
    KH_POLICE,
    NAME,
    asked,
    by_file,
    decided,
    fsck,
    permitted,
    released,
    settle,
    state,
    three,
)
from tests.recalls import LIFTING, RESTRICTION, WITHDRAWAL, codes, recalled, shown
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


def test_judicial_use_is_allowed_by_a_decision_until_its_time(federated: Federation, told: bytes) -> None:
    gb, kh = federated["gb"], federated["kh"]
    assert shown(kh, told).judicial_leave == b""
    request = asked(kh, told, "", judicial_use=True, until=NOW + 3 * DAY).manifest_digest
    settle(federated)
    assert shown(kh, told).judicial_leave == b"", "asked is not granted"
    answer = decided(gb, request, until=NOW + 2 * DAY)
    assert (answer.permit_digest, answer.granted_until) == (b"", NOW + 2 * DAY)
    settle(federated)
    seen = shown(kh, told)
    assert (seen.judicial_leave, seen.judicial_leave_until) == (answer.published.manifest_digest, NOW + 2 * DAY)
    assert codes(released(kh, request).released) == {"PERMIT_NONE"}
    federated.clock.pass_(2 * DAY)
    assert shown(kh, told).judicial_leave == b""
    assert state(kh, request, "border") == "EXPIRED"
    assert fsck(federated) == []


def test_leave_for_judicial_use_ends_with_the_alert(federated: Federation, told: bytes) -> None:
    gb, kh = federated["gb"], federated["kh"]
    request = asked(kh, told, "", judicial_use=True).manifest_digest
    settle(federated)
    decided(gb, request)
    settle(federated)
    assert shown(kh, told).judicial_leave
    recalled(gb, told, RESTRICTION)
    settle(federated)
    assert shown(kh, told).judicial_leave == b""
    recalled(gb, told, LIFTING)
    settle(federated)
    assert shown(kh, told).judicial_leave
    recalled(gb, told, WITHDRAWAL)
    settle(federated)
    assert shown(kh, told).judicial_leave == b""


def test_leave_is_not_given_while_the_alert_does_not_stand(federated: Federation, told: bytes) -> None:
    gb, kh = federated["gb"], federated["kh"]
    request = asked(kh, told, "", judicial_use=True).manifest_digest
    settle(federated)
    recalled(gb, told, RESTRICTION)
    assert codes(decided(gb, request).published) == {"ALERT_NOT_IN_FORCE"}
    recalled(gb, told, WITHDRAWAL)
    assert codes(decided(gb, request).published) == {"ALERT_WITHDRAWN"}


def test_judicial_use_that_was_denied_is_not_allowed(federated: Federation, told: bytes) -> None:
    kh = federated["kh"]
    request = asked(kh, told, "", judicial_use=True).manifest_digest
    settle(federated)
    decided(federated["gb"], request, grant=False)
    settle(federated)
    assert shown(kh, told).judicial_leave == b""


@pytest.mark.parametrize(
    ("rule", "code"), [(handling_pb2.JUDICIAL_USE_NONE, "JUDICIAL_NONE"), (handling_pb2.JUDICIAL_USE_ALLOWED, "JUDICIAL_ALLOWED")]
)
def test_judicial_use_is_asked_only_where_it_can_be(federated: Federation, rule: int, code: str) -> None:
    gb, kh = federated["gb"], federated["kh"]
    handling = changed(builders.handling(), judicial_use=rule, codes=[handling_pb2.HANDLING_CODE_H2])
    told = gb.publish(draft(KH_BORDER, handling=handling)).manifest_digest
    settle(federated)
    assert codes(asked(kh, told, "", judicial_use=True)) == {code}
    request = by_file(kh, told, judicial_use=True)
    settle(federated)
    assert codes(decided(gb, request).published) == {"JUDICIAL_NONE"}


def test_another_agencys_leave_for_judicial_use_is_none_of_ours(federated: Federation) -> None:
    gb, kh = federated["gb"], federated["kh"]
    told = gb.publish(draft(KH_BORDER, KH_POLICE)).manifest_digest
    settle(federated)
    request = asked(kh, told, "", NAME, judicial_use=True).manifest_digest
    settle(federated)
    decided(gb, request)
    settle(federated)
    assert shown(kh, told).judicial_leave
    assert not shown(kh, told, "police").judicial_leave


def test_the_third_country_may_ask_for_judicial_use_itself(federated: Federation, told: bytes) -> None:
    gb, vn = federated["gb"], federated["vn"]
    released(federated["kh"], permitted(federated, told))
    settle(federated)
    assert codes(asked(vn, told, KH_BORDER)) >= {"ONWARD_NONE"}
    request = asked(vn, told, "", NAME, judicial_use=True).manifest_digest
    settle(federated)
    assert not codes(decided(gb, request).published)
    settle(federated)
    assert shown(vn, told).judicial_leave
    assert fsck(federated) == []
