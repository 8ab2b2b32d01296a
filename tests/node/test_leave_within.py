"""What came under H2 is told inside a country only with the originator's leave: to whom, which fields, for what and until when it says."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exchange.v1 import desk_service_pb2, handling_pb2
from exchange.v1.travel_alert_pb2 import TravelAlert
from exchange.values import node_of
from tests import builders
from tests.countries import BORDER, NGO, POLICE, agency
from tests.federation import Federation
from tests.inside import codes, distributed, listed, national, previewed, superseding, telling
from tests.onward import ACTION, BIRTH, DOCUMENTS, HOUR, NAME, agreed, asked, decided, released
from tests.recalls import RESTRICTION, recalled, shown

KH_BORDER, KH_POLICE, KH_NGO = agency("kh", BORDER), agency("kh", POLICE), agency("kh", NGO)
FIELDS = (NAME, BIRTH, DOCUMENTS, ACTION)
CLOSED = {"HANDLING_H2"}


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    made = Federation(tmp_path, "gb", "kh")
    made.connect("gb", "kh", agreed("gb", "kh"))
    national(made["kh"])
    yield made
    made.close()


def told(two: Federation, *codes_: int, **handling: Any) -> bytes:
    """An alert that the Cambodian police were told, under H2 if nothing else is said."""
    wanted = builders.handling(onward=handling_pb2.ONWARD_RULE_NONE, **({"codes": codes_} if codes_ else {}), **handling)
    digest = two["gb"].publish(telling(KH_POLICE, handling=wanted)).manifest_digest
    two.pump()
    return digest


def granted(two: Federation, digest: bytes, *fields: int, to: str = KH_BORDER, **changes: Any) -> desk_service_pb2.DecideOnwardResponse:
    request = asked(two["kh"], digest, to, *FIELDS, name="police")
    assert not request.problems, request.problems
    two.pump()
    answer = decided(two["gb"], request.manifest_digest, fields=fields, **changes)
    assert not answer.published.problems, answer.published.problems
    two.pump()
    return answer


def refusals(two: Federation, digest: bytes, *to: str, **changes: Any) -> set[str]:
    return codes(distributed(two["kh"], digest, *(to or (KH_BORDER,)), **changes).problems)


def test_with_leave_exactly_its_fields_go_to_whom_it_names(two: Federation) -> None:
    kh, digest = two["kh"], told(two)
    assert refusals(two, digest) == CLOSED
    assert granted(two, digest, NAME, BIRTH).permit_digest
    (foreseen,) = previewed(kh, digest, KH_BORDER).recipients
    assert not foreseen.denied
    assert not refusals(two, digest)
    assert [set(one.fields) for one in listed(kh, digest).distributions] == [{NAME, BIRTH}]
    read = TravelAlert.FromString(shown(kh, digest).view)
    assert (read.primary_name.family, len(read.documents)) == ("EXAMPLE", 0)
    assert refusals(two, digest, KH_NGO) == CLOSED
    assert two["gb"].fsck() == kh.fsck() == []


def test_leave_for_a_country_is_for_each_agency_of_it(two: Federation) -> None:
    digest = told(two)
    granted(two, digest, to=str(node_of(two["kh"].domain)))
    assert not refusals(two, digest)


def test_leave_is_for_its_purpose_and_its_time(two: Federation) -> None:
    digest = told(two)
    granted(two, digest)
    assert refusals(two, digest, purpose=handling_pb2.PURPOSE_PROSECUTION) == CLOSED
    two.clock.pass_(48 * HOUR)
    assert refusals(two, digest) == CLOSED


def test_what_was_denied_or_is_not_decided_is_no_leave(two: Federation) -> None:
    digest = told(two)
    request = asked(two["kh"], digest, KH_BORDER, *FIELDS, name="police").manifest_digest
    two.pump()
    assert refusals(two, digest) == CLOSED
    decided(two["gb"], request, grant=False)
    two.pump()
    assert refusals(two, digest) == CLOSED


def test_leave_is_for_one_alert_as_it_was_told_and_while_it_is_in_force(two: Federation) -> None:
    gb, digest = two["gb"], told(two)
    granted(two, digest)
    recalled(gb, digest, RESTRICTION)
    two.pump()
    assert refusals(two, digest) == {"ALERT_NOT_IN_FORCE"}
    other = told(two)
    assert refusals(two, other) == CLOSED
    granted(two, other)
    after = superseding(gb, other, handling=builders.handling())
    two.pump()
    assert refusals(two, after) == CLOSED


def test_such_leave_lets_nothing_leave_the_country(two: Federation) -> None:
    kh, digest = two["kh"], told(two)
    request = asked(kh, digest, KH_BORDER, *FIELDS, name="police").manifest_digest
    two.pump()
    decided(two["gb"], request)
    two.pump()
    assert codes(released(kh, request, name="liaison").released.problems) == {"LEAVE_WITHIN"}


def test_without_h2_there_is_nothing_to_ask_inside_a_country(two: Federation) -> None:
    digest = told(two, handling_pb2.HANDLING_CODE_H1)
    assert codes(asked(two["kh"], digest, KH_BORDER, *FIELDS, name="police").problems) == {"ONWARD_NONE", "THIRD_PARTY"}
    assert not refusals(two, digest)
