"""Why something is not asked, granted, passed on or attested after all: each reason has a code, and nothing is logged."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.v1 import desk_service_pb2
from node.operations import erase, onward_release
from node.operations.onward_release import release_onward
from node.operations.release import NotReleased, Prepared
from node.operations.sequence import sequence
from node.store import alerts, logs
from tests.countries import POLICE, agency, changed, descriptor, known, node_id
from tests.federation import Federation
from tests.onward import HOUR, KH_BORDER, asked, decided, fsck, permitted, released, settle, three
from tests.recalls import LIFTING, RESTRICTION, attested, codes, flags, recalled, request_id
from tests.rig import NOW, Office, draft

pytestmark = pytest.mark.thorough


@pytest.fixture
def federated(tmp_path: Path) -> Iterator[Federation]:
    made = three(tmp_path)
    yield made
    made.close()


@pytest.fixture
def told(federated: Federation) -> bytes:
    digest = federated["gb"].publish(draft(KH_BORDER)).manifest_digest
    settle(federated)
    return digest


def log_sizes(office: Office) -> list[int]:
    with office.ports.store.read() as tx:
        return [log.size for log in logs.all_logs(tx) if log.outbound]


def test_what_is_blocked_is_not_asked_about_nor_granted(federated: Federation, told: bytes) -> None:
    gb, kh = federated["gb"], federated["kh"]
    request = asked(kh, told).manifest_digest
    settle(federated)
    recalled(gb, told, RESTRICTION)
    assert codes(decided(gb, request).published) == {"ALERT_NOT_IN_FORCE"}
    settle(federated)
    assert codes(asked(kh, told)) == {"ALERT_NOT_IN_FORCE"}
    recalled(gb, told, LIFTING)
    settle(federated)
    assert not codes(decided(gb, request).published)


def test_an_agency_without_a_key_gives_no_leave(federated: Federation, told: bytes) -> None:
    gb, kh = federated["gb"], federated["kh"]
    request = asked(kh, told).manifest_digest
    settle(federated)
    signers = {party: signer for party, signer in gb.ports.signers.statement.items() if party == node_id("gb")}
    gb.ports = replace(gb.ports, signers=replace(gb.ports.signers, statement=signers))
    assert codes(decided(gb, request).published) == {"STATEMENT_KEY_MISSING"}


def test_what_was_erased_is_not_passed_on(federated: Federation, told: bytes) -> None:
    kh = federated["kh"]
    request = permitted(federated, told)
    with kh.ports.store.read() as tx:
        (row,) = alerts.by_digests(tx, {told}).values()
    erase.intend(kh.ports, kh.person("both"), [row.id])
    erase.finish(kh.ports)
    before = log_sizes(kh)
    assert codes(released(kh, request).released) == {"ERASED"}
    assert log_sizes(kh) == before


def test_while_the_originator_cannot_be_told_nothing_is_passed_on(federated: Federation, told: bytes) -> None:
    gb, kh = federated["gb"], federated["kh"]
    request = permitted(federated, told)
    log_id = kh.outbound(gb).id
    with kh.ports.store.write() as tx:
        logs.set_state(tx, log_id, "stopped")
    before = log_sizes(kh)
    answer = released(kh, request)
    assert codes(answer.released) == {"LOG_STOPPED"}
    assert not answer.HasField("notice")
    assert log_sizes(kh) == before


def test_a_permit_that_expires_while_the_release_is_prepared_refuses_it(federated: Federation, told: bytes) -> None:
    kh = federated["kh"]
    request = permitted(federated, told, until=NOW + HOUR)

    def late(items: Sequence[Prepared | NotReleased]) -> list[desk_service_pb2.PublishedAlert]:
        federated.clock.pass_(HOUR)
        return sequence(kh.ports, items)

    before = log_sizes(kh)
    wanted = desk_service_pb2.ReleaseOnwardRequest(request_id=request_id(), request=request.hex(), reason="synthetic reason")
    assert codes(release_onward(kh.ports, kh.person("both"), wanted, late).released) == {"PERMIT_EXPIRED"}
    assert log_sizes(kh) == before


def test_what_one_delivery_cannot_carry_is_refused_before_it_is_logged(
    federated: Federation, told: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    kh = federated["kh"]
    request = permitted(federated, told)
    monkeypatch.setattr(onward_release, "CAP_DELIVERY", onward_release.CAP_ENTRY + 1000)
    before = log_sizes(kh)
    assert codes(released(kh, request).released) == {"TOO_LARGE"}
    assert log_sizes(kh) == before


def test_what_a_restriction_kept_back_is_passed_on_anew_once_it_is_lifted(federated: Federation, told: bytes) -> None:
    gb, kh, vn = federated["gb"], federated["kh"], federated["vn"]
    request = permitted(federated, told)
    federated.cut("kh", "vn")
    assert not codes(released(kh, request).released)
    assert codes(released(kh, request).released) == {"ALREADY_TOLD"}
    recalled(gb, told, RESTRICTION)
    settle(federated)
    federated.heal()
    settle(federated)
    assert told not in {one.manifest_digest for one in vn.received()}
    assert codes(released(kh, request).released) == {"ALERT_NOT_IN_FORCE"}
    recalled(gb, told, LIFTING)
    settle(federated)
    assert not codes(released(kh, request).released)
    settle(federated)
    assert [one.manifest_digest for one in vn.received() if one.alert_type.endswith("TravelAlert")] == [told]
    assert flags(vn, told) == []
    assert fsck(federated) == []


def test_whoever_passed_it_on_and_is_unknown_now_cannot_be_answered(federated: Federation, told: bytes) -> None:
    kh, vn = federated["kh"], federated["vn"]
    released(kh, permitted(federated, told))
    settle(federated)
    recalled(federated["gb"], told)
    settle(federated)
    nobody = changed(descriptor("kh"), sequence=2, agencies=None)
    partners = dict(vn.ports.known.partners)
    partners[kh.domain] = replace(partners[kh.domain], node=known(descriptor("kh"), nobody))
    vn.ports.acquaintance.known = replace(vn.ports.known, partners=partners)
    assert codes(attested(vn, told).attestations[0]) == {"HOLDER_UNREACHABLE"}
    # Where no police is described, every agency is told.
    border = changed(descriptor("kh"), sequence=2, agencies=[one for one in descriptor("kh").agencies if one.agency == KH_BORDER])
    partners[kh.domain] = replace(partners[kh.domain], node=known(descriptor("kh"), border))
    vn.ports.acquaintance.known = replace(vn.ports.known, partners=partners)
    (answer,) = attested(vn, told).attestations
    assert [list(one.audience) for one in answer.disclosures] == [[KH_BORDER]]


def test_whoever_was_told_by_both_answers_both(federated: Federation) -> None:
    gb, kh, vn = federated["gb"], federated["kh"], federated["vn"]
    told = gb.publish(draft(KH_BORDER, agency("vn", 1))).manifest_digest
    settle(federated)
    released(kh, permitted(federated, told))
    settle(federated)
    recalled(gb, told)
    settle(federated)
    (answer,) = attested(vn, told).attestations
    audiences = sorted(list(one.audience) for one in answer.disclosures)
    assert audiences == [[agency("gb", POLICE)], [agency("kh", POLICE)]]
    settle(federated)
    assert not codes(attested(kh, told).attestations[0])
    assert fsck(federated) == []
