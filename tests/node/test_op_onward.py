"""Passing an alert on with leave: asked, decided, passed on under the permit, known to the originator; else refused by the sender."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exchange.encoding import cut, encode
from exchange.errors import NotFound
from exchange.onward import open_permit
from exchange.v1 import desk_service_pb2, handling_pb2, statement_pb2
from node.operations import assess, onward_list
from node.operations.officers import NotPermitted
from node.policy.pack import read_pack
from node.store import logs
from node.store.unanswered import unanswered
from tests import builders
from tests.countries import BORDER, DAY, POLICE, agency, changed, compromised, descriptor, key, known, node_id, with_key
from tests.federation import Federation
from tests.node.test_policy import TEXT, weighed
from tests.onward import (
    ACTION,
    BIRTH,
    DESK,
    FIELDS,
    HOUR,
    ITINERARY,
    KH_BORDER,
    KH_POLICE,
    NAME,
    NAMES,
    VN_BORDER,
    VN_POLICE,
    agreed,
    alarms,
    asked,
    by_file,
    decided,
    fsck,
    permitted,
    released,
    settle,
    state,
    summary,
    three,
)
from tests.recalls import codes, flags, replaced, request_id, shown, status
from tests.refusals import refused
from tests.rig import NOW, Office, draft

pytestmark = pytest.mark.thorough

LIAISON = "liaison"


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


# With leave


def test_an_alert_is_passed_on_with_leave_and_the_originator_knows(federated: Federation, told: bytes) -> None:
    gb, kh, vn = federated["gb"], federated["kh"], federated["vn"]
    request = permitted(federated, told)
    assert (state(kh, request, "border"), state(gb, request, LIAISON)) == ("GRANTED", "GRANTED")
    answer = released(kh, request)
    assert not codes(answer.released)
    assert [list(one.audience) for one in answer.released.disclosures] == [[VN_BORDER]]
    assert state(gb, request, LIAISON) == "GRANTED", "the notice is under way"
    settle(federated)
    seen = shown(vn, told)
    given = cut(encode(builders.alert()))
    assert cut(seen.view) == {field: given[field] for field in FIELDS if field in given}
    assert seen.summary.originator == agency("gb", POLICE)
    assert seen.confirmed_now, "by the log that brought it"
    assert seen.handling.onward == handling_pb2.ONWARD_RULE_NONE, "it goes no further"
    assert seen.handling.retention_days == shown(kh, told).handling.retention_days
    assert (state(kh, request, "border"), state(gb, request, LIAISON)) == ("PASSED_ON", "PASSED_ON")
    assert summary(gb, request, LIAISON).passed_on_at == NOW
    assert alarms(federated) == set()
    assert fsck(federated) == []


def test_what_the_permit_says_is_what_was_decided(federated: Federation, told: bytes) -> None:
    gb, kh = federated["gb"], federated["kh"]
    request = permitted(federated, told, fields=(*FIELDS, NAMES), until=NOW + HOUR)
    found = onward_list.get_onward(kh.ports, kh.person("border"), request.hex())
    permit = open_permit(statement_pb2.Statement.FromString(found.permit), kh.knows(gb)).value
    assert (permit.manifest_digest, permit.originator) == (told, agency("gb", POLICE))
    assert (permit.holder, permit.third_party) == (node_id("kh"), node_id("vn"))
    assert list(permit.fields) == sorted((*FIELDS, NAMES))
    assert (permit.purpose, permit.expires_at) == (handling_pb2.PURPOSE_PREVENTION, NOW + HOUR)
    assert onward_list.get_onward(gb.ports, gb.person(LIAISON), request.hex()).permit == found.permit


def test_whoever_asks_for_leave_or_passes_on_has_reported_nothing_and_the_alert_still_waits(federated: Federation, told: bytes) -> None:
    gb, kh = federated["gb"], federated["kh"]
    request = permitted(federated, told)
    released(kh, request)
    settle(federated)
    assert [one.answered for one in kh.received("border") if one.manifest_digest == told] == [False]
    assert {one.state for one in status(gb, told).disclosures} == {desk_service_pb2.DISCLOSURE_STATE_RECEIPTED}
    with kh.ports.store.read() as tx:
        (waiting,) = unanswered(tx, KH_BORDER, {"exchange.v1.TravelAlert"}, since=0, now=NOW, limit=10)
    assert not waiting.acknowledged


def test_less_is_granted_than_was_asked_and_no_more_is_passed_on(federated: Federation, told: bytes) -> None:
    gb, kh, vn = federated["gb"], federated["kh"], federated["vn"]
    request = permitted(federated, told, fields=(NAME, ITINERARY, ACTION, DESK))
    assert not codes(released(kh, request).released)
    settle(federated)
    assert set(cut(shown(vn, told).view)) == {NAME, ITINERARY, ACTION, DESK}
    other = asked(kh, told, VN_BORDER, NAME, ACTION, DESK).manifest_digest
    settle(federated)
    assert codes(decided(gb, other, fields=[NAME, BIRTH]).published) == {"FIELD_NOT_ASKED"}
    assert codes(decided(gb, other, until=NOW + 49 * HOUR).published) == {"UNTIL_LATER"}


def test_another_agency_of_the_third_country_is_told_only_if_it_is_named(federated: Federation, told: bytes) -> None:
    kh, vn = federated["kh"], federated["vn"]
    request = permitted(federated, told, to="spiffe://vn.alerts.example/node")
    assert codes(released(kh, request).released) == {"RECIPIENT_MALFORMED"}
    assert not codes(released(kh, request, VN_BORDER, VN_POLICE).released)
    settle(federated)
    assert flags(vn, told) == flags(vn, told, "police") == []
    assert fsck(federated) == []


def test_the_same_again_asks_grants_and_passes_on_nothing_twice(federated: Federation, told: bytes) -> None:
    gb, kh, vn = federated["gb"], federated["kh"], federated["vn"]
    once = request_id()
    request = asked(kh, told, request_id=once).manifest_digest
    assert asked(kh, told, request_id=once).manifest_digest == request
    settle(federated)
    once = request_id()
    first, second = (decided(gb, request, request_id=once) for _ in range(2))
    assert first.permit_digest == second.permit_digest != b""
    assert first.published.manifest_digest == second.published.manifest_digest
    assert codes(decided(gb, request).published) == {"ALREADY_DECIDED"}
    assert codes(decided(gb, request, grant=False).published) == {"ALREADY_DECIDED"}
    settle(federated)
    once = request_id()
    first_release, second_release = (released(kh, request, request_id=once) for _ in range(2))
    assert [one.index for one in first_release.released.disclosures] == [one.index for one in second_release.released.disclosures]
    assert first_release.notice.manifest_digest == second_release.notice.manifest_digest
    assert kh.outbound(vn).size == 1
    assert codes(released(kh, request).released) == {"ALREADY_TOLD"}
    assert kh.outbound(vn).size == 1


def test_it_stands_in_the_journals_with_the_person(federated: Federation, told: bytes) -> None:
    gb, kh = federated["gb"], federated["kh"]
    request = permitted(federated, told)
    released(kh, request)
    assert ("approval", gb.person(LIAISON), told.hex(), "ONWARD_GRANTED") in gb.journal()
    assert ("disclosure", kh.person("both"), "kh.alerts.example/disclosures/vn.alerts.example/1#0+1", "RELEASED") in kh.journal()
    onward_list.list_onward(kh.ports, kh.person("border"))
    assert kh.journal()[-1] == ("consultation", kh.person("border"), "", "ONWARD")


# Without leave, at the sender: refused with a code, and nothing is logged


def sizes(office: Office) -> list[int]:
    """Of its logs towards others."""
    with office.ports.store.read() as tx:
        return [log.size for log in logs.all_logs(tx) if log.outbound]


def nothing_passed_on(federated: Federation, request: bytes, code: str, *recipients: str, **changes: Any) -> None:
    kh, vn, gb = federated["kh"], federated["vn"], federated["gb"]
    before = sizes(kh)
    assert codes(released(kh, request, *recipients, **changes).released) == {code}
    assert sizes(kh) == before
    assert kh.journal()[-1][3] == code
    settle(federated)
    assert vn.received("border") == []
    assert gb.alarms() == set()


def test_nothing_is_passed_on_before_it_is_decided_or_when_it_was_denied(federated: Federation, told: bytes) -> None:
    gb, kh = federated["gb"], federated["kh"]
    request = asked(kh, told).manifest_digest
    nothing_passed_on(federated, request, "PERMIT_NONE")
    decided(gb, request, grant=False)
    settle(federated)
    assert (state(kh, request, "border"), state(gb, request, LIAISON)) == ("DENIED", "DENIED")
    assert ("approval", gb.person(LIAISON), told.hex(), "ONWARD_DENIED") in gb.journal()
    nothing_passed_on(federated, request, "PERMIT_NONE")


def test_nothing_is_passed_on_after_the_permit_has_expired(federated: Federation, told: bytes) -> None:
    request = permitted(federated, told, until=NOW + HOUR)
    federated.clock.pass_(HOUR)
    assert state(federated["kh"], request, "border") == "EXPIRED"
    nothing_passed_on(federated, request, "PERMIT_EXPIRED")


def test_nothing_is_passed_on_to_another_country(tmp_path: Path) -> None:
    federated = three(tmp_path, "th")
    told = federated["gb"].publish(draft(KH_BORDER)).manifest_digest
    settle(federated)
    request = permitted(federated, told)
    nothing_passed_on(federated, request, "PERMIT_OTHER_PARTY", agency("th", BORDER))
    nothing_passed_on(federated, request, "PERMIT_OTHER_PARTY", VN_BORDER, agency("th", BORDER))
    assert federated["th"].received() == []
    federated.close()


def test_leave_for_one_agency_is_no_leave_for_another_of_that_country(federated: Federation, told: bytes) -> None:
    request = permitted(federated, told)
    nothing_passed_on(federated, request, "RECIPIENT_NOT_ASKED", VN_POLICE)
    nothing_passed_on(federated, request, "RECIPIENT_NOT_ASKED", VN_BORDER, VN_POLICE)
    assert not codes(released(federated["kh"], request, VN_BORDER).released)


def test_nothing_is_passed_on_without_a_clause_towards_the_third_country(tmp_path: Path) -> None:
    federated = Federation(tmp_path, "gb", "kh", "vn")
    federated.connect("gb", "kh", agreed("gb", "kh"))
    federated.introduce("gb", "vn")
    federated.introduce("kh", "vn")
    told = federated["gb"].publish(draft(KH_BORDER)).manifest_digest
    settle(federated)
    nothing_passed_on(federated, permitted(federated, told), "AGREEMENT_NONE")
    federated.close()


def test_nothing_is_passed_on_that_the_originator_cannot_be_told_of(tmp_path: Path) -> None:
    federated = Federation(tmp_path, "gb", "kh", "vn")
    whole = agreed("gb", "kh")
    silent = changed(whole, clauses=[one for one in whole.clauses if not one.alert_type.endswith("OnwardNotice")])
    federated.connect("gb", "kh", silent)
    federated.connect("gb", "vn", agreed("gb", "vn"))
    federated.connect("kh", "vn", agreed("kh", "vn"))
    told = federated["gb"].publish(draft(KH_BORDER)).manifest_digest
    settle(federated)
    nothing_passed_on(federated, permitted(federated, told), "CLAUSE_NONE")
    federated.close()


def test_a_clause_that_requires_more_than_the_permit_refuses(federated: Federation, told: bytes) -> None:
    nothing_passed_on(federated, permitted(federated, told, fields=(NAME, BIRTH)), "FIELD_REQUIRED")


def test_the_transfer_rules_of_the_holders_country_are_asked(federated: Federation, told: bytes) -> None:
    kh, vn = federated["kh"], federated["vn"]
    request = permitted(federated, told)
    text = TEXT.replace(b'"kh.alerts.example" = "KH"', b'"vn.alerts.example" = "VN"\n"gb.alerts.example" = "GB"')
    kh.ports.acquaintance.known = replace(kh.ports.known, policy=read_pack(text))
    assess.record_assessment(kh.ports, kh.person("both"), weighed(destination="gb.alerts.example"))
    nothing_passed_on(federated, request, "ASSESSMENT_MISSING")
    assess.record_assessment(kh.ports, kh.person("both"), weighed(destination=vn.domain))
    assert not codes(released(kh, request).released)


def test_the_transfer_rules_of_the_originators_country_are_asked_before_leave_is_given(federated: Federation, told: bytes) -> None:
    gb, kh = federated["gb"], federated["kh"]
    text = TEXT.replace(b'"kh.alerts.example" = "KH"', b'"kh.alerts.example" = "KH"\n"vn.alerts.example" = "VN"')
    gb.ports.acquaintance.known = replace(gb.ports.known, policy=read_pack(text))
    assess.record_assessment(gb.ports, gb.person("liaison"), weighed(destination=kh.domain))
    request = asked(kh, told).manifest_digest
    settle(federated)
    refusal = decided(gb, request).published
    assert codes(refusal) == {"ASSESSMENT_MISSING"}
    assert {problem.field for problem in refusal.problems} == {f"recipients[{VN_BORDER}]"}
    assert state(gb, request, "liaison") == "ASKED"
    # That country need be no partner of ours: the pack knows it.
    partners = {name: partner for name, partner in gb.ports.known.partners.items() if name != "vn.alerts.example"}
    gb.ports.acquaintance.known = replace(gb.ports.known, partners=partners)
    assess.record_assessment(gb.ports, gb.person("liaison"), weighed(destination="vn.alerts.example"))
    assert not codes(decided(gb, request).published)
    assert state(gb, request, "liaison") == "GRANTED"


def test_to_refuse_leave_nobody_weighs_the_third_country(federated: Federation, told: bytes) -> None:
    gb, kh = federated["gb"], federated["kh"]
    gb.ports.acquaintance.known = replace(gb.ports.known, policy=read_pack(TEXT))
    assess.record_assessment(gb.ports, gb.person("liaison"), weighed(destination=kh.domain))
    request = asked(kh, told).manifest_digest
    settle(federated)
    assert not codes(decided(gb, request, grant=False).published)


def test_the_key_that_signed_the_permit_was_stolen(federated: Federation, told: bytes) -> None:
    kh = federated["kh"]
    request = permitted(federated, told)
    stolen = changed(with_key(descriptor("gb"), key("gb", "nca-ceop"), **compromised(NOW - DAY)), sequence=2)
    partners = {**kh.ports.known.partners}
    partners["gb.alerts.example"] = replace(partners["gb.alerts.example"], node=known(descriptor("gb"), stolen))
    kh.ports.acquaintance.known = replace(kh.ports.known, partners=partners)
    assert summary(kh, request, "border").permit_digest == b""
    assert codes(released(kh, request).released) == {"PERMIT_NONE"}


def test_leave_is_for_the_alert_as_it_was_told(federated: Federation, told: bytes) -> None:
    request = permitted(federated, told)
    assert replaced(federated["gb"], told).HasField("replacement")
    settle(federated)
    nothing_passed_on(federated, request, "ALERT_NOT_IN_FORCE")


def test_whoever_did_not_ask_or_does_not_release_passes_nothing_on(federated: Federation, told: bytes) -> None:
    kh = federated["kh"]
    request = permitted(federated, told)
    with refused(NotPermitted, "ROLE_MISSING"):
        released(kh, request, name="border")
    with refused(NotFound, "ONWARD_UNKNOWN"):
        released(kh, request, name="liaison")
    with refused(NotFound, "ONWARD_UNKNOWN"):
        released(kh, request[:3])
    assert codes(released(kh, request, reason=" ").released) == {"REASON_MISSING"}


def test_an_agency_passes_on_no_more_than_it_was_told_itself(federated: Federation) -> None:
    """The police of the same country were told more."""
    gb, kh, vn = federated["gb"], federated["kh"], federated["vn"]
    told = gb.publish(draft(KH_BORDER, KH_POLICE)).manifest_digest
    settle(federated)
    border = {field for one in shown(kh, told).disclosures for field in one.fields}
    police = {field for one in shown(kh, told, "police").disclosures for field in one.fields}
    (more, *_) = sorted(police - border)
    assert codes(asked(kh, told, VN_POLICE, *FIELDS, more)) == {"FIELD_NOT_TOLD"}
    request = asked(kh, told, VN_POLICE, *FIELDS, more, name="police").manifest_digest
    settle(federated)
    assert not codes(decided(gb, request).published)
    settle(federated)
    assert not codes(released(kh, request, name="liaison").released)
    settle(federated)
    assert more in {field for one in shown(vn, told, "police").disclosures for field in one.fields}
    assert fsck(federated) == []


# Asking and deciding


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"third_party": "nobody"}, "THIRD_PARTY"),
        ({"third_party": "spiffe://gb.alerts.example/agency/nca-ceop"}, "THIRD_PARTY"),
        ({"third_party": "spiffe://kh.alerts.example/officer/x"}, "THIRD_PARTY"),
        ({"third_party": "spiffe://vn.alerts.example/officer/x"}, "THIRD_PARTY"),
        ({"third_party": "spiffe://la.alerts.example/node"}, "PARTNER_UNKNOWN"),
        ({"fields": [NAMES, 60]}, "FIELD_NOT_TOLD"),
        ({"purpose": handling_pb2.PURPOSE_PROSECUTION}, "PURPOSE_NOT_PERMITTED"),
        ({"until": NOW}, "UNTIL"),
        ({"until": NOW + 21 * DAY}, "UNTIL"),
        ({"reason": " "}, "REASON_MISSING"),
        ({"request_id": b"short"}, "REQUEST_ID"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_it_is_sent(federated: Federation, told: bytes, changes: dict[str, Any], code: str) -> None:
    kh = federated["kh"]
    before = sizes(kh)
    assert codes(asked(kh, told, **changes)) == {code}
    assert sizes(kh) == before
    assert onward_list.list_onward(kh.ports, kh.person("border")).onward == []


def test_what_came_for_another_agency_is_not_asked_about(federated: Federation, told: bytes) -> None:
    with refused(NotFound, "ALERT_NOT_FOUND"):
        asked(federated["kh"], told, name="police")


def test_none_cannot_be_asked_and_is_not_granted(federated: Federation) -> None:
    gb, kh = federated["gb"], federated["kh"]
    handling = builders.handling(onward=handling_pb2.ONWARD_RULE_NONE)
    told = gb.publish(draft(KH_BORDER, handling=handling)).manifest_digest
    settle(federated)
    assert codes(asked(kh, told)) == {"ONWARD_NONE"}
    request = by_file(kh, told)
    settle(federated)
    assert codes(decided(gb, request).published) == {"ONWARD_NONE"}
    assert not codes(decided(gb, request, grant=False).published)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"third_party": "nobody"}, "THIRD_PARTY"),
        ({"third_party": KH_POLICE}, ""),  # the alert is under H2
        ({"third_party": "spiffe://gb.alerts.example/node"}, "THIRD_PARTY"),
        ({"fields": [9, NAME, 63]}, "FIELD_NOT_TOLD"),
        ({"fields": [NAME, 4_000_000_000]}, ""),
        ({"purpose": handling_pb2.PURPOSE_PROSECUTION}, "PURPOSE_NOT_PERMITTED"),
        ({"until": -5}, "UNTIL"),
        ({"until": 2**62}, ""),
        ({"judicial_use": True, "third_party": "nobody"}, ""),
    ],
)
def test_what_a_hostile_request_asks_is_not_granted(federated: Federation, told: bytes, changes: dict[str, Any], code: str) -> None:
    gb, kh = federated["gb"], federated["kh"]
    request = by_file(kh, told, **changes)
    settle(federated)
    answer = decided(gb, request)
    assert codes(answer.published) == ({code} if code else set())
    assert answer.granted_until <= NOW + 20 * DAY, "at most until the alert expires"
    assert fsck(federated) == []


def test_whoever_was_never_told_gets_no_leave(federated: Federation) -> None:
    gb, kh = federated["gb"], federated["kh"]
    told = gb.publish(draft(VN_BORDER)).manifest_digest
    settle(federated)
    request = by_file(kh, told)
    settle(federated)
    assert codes(decided(gb, request).published) == {"AGENCY_NOT_TOLD"}


def test_who_decides(federated: Federation, told: bytes) -> None:
    gb, kh = federated["gb"], federated["kh"]
    request = asked(kh, told).manifest_digest
    settle(federated)
    with refused(NotPermitted, "ROLE_MISSING"):
        decided(gb, request, name="police")
    with refused(NotFound, "ONWARD_UNKNOWN"):
        decided(gb, request, name="both")
    with refused(NotFound, "ONWARD_UNKNOWN"):
        decided(kh, request, name="both")
    assert codes(decided(gb, request, reason=" ").published) == {"REASON_MISSING"}
    assert state(gb, request, LIAISON) == "ASKED"


def test_who_sees_a_request(federated: Federation, told: bytes) -> None:
    gb, kh = federated["gb"], federated["kh"]
    request = asked(kh, told).manifest_digest
    settle(federated)
    seen = [onward_list.list_onward(one.ports, one.person(name)).onward for one, name in ((kh, "border"), (gb, "police"))]
    assert [[one.request_digest for one in found] for found in seen] == [[request], [request]]
    for office, name in ((kh, "police"), (gb, "border"), (federated["vn"], "border")):
        assert onward_list.list_onward(office.ports, office.person(name)).onward == []
        with refused(NotFound, "ONWARD_UNKNOWN"):
            onward_list.get_onward(office.ports, office.person(name), request.hex())
    with refused(NotPermitted, "ROLE_MISSING"):
        onward_list.list_onward(gb.ports, gb.person("auditor"))
