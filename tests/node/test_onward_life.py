"""What else belongs to an alert that was passed on: what travels with it, who is told of a successor, reports, and restored originators."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from exchange.signing import statement_digest
from exchange.v1 import control_pb2, desk_service_pb2, hit_report_pb2
from exchange.v1.control_pb2 import PURGE_EXCEPTION_PASSED_ON
from node.operations import recipients, replace
from node.operations.mis_hits import suppressed
from node.operations.recover import recover_log
from node.operations.release import NotReleased, Prepared
from node.operations.sequence import sequence
from tests.countries import changed
from tests.federation import Federation, Stream
from tests.onward import KH_BORDER, KH_POLICE, VN_POLICE, asked, decided, fsck, permitted, released, settle, state, summary, three
from tests.recalls import attested, codes, flags, other_alert, recalled, request_id, shown, stages, together
from tests.rig import Office, draft

pytestmark = pytest.mark.slow


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


def passed_on(federated: Federation, told: bytes) -> bytes:
    request = permitted(federated, told)
    assert not codes(released(federated["kh"], request).released)
    settle(federated)
    return request


def recover(federated: Federation, country: str, partner: str) -> None:
    office = federated[country]
    origin = office.outbound(federated[partner]).name.origin
    recover_log(office.ports, office.person("administrator"), origin, lambda *asked: federated.fetch(country, *asked))


def test_permit_and_the_originators_newest_descriptor_travel_along(federated: Federation, told: bytes) -> None:
    gb, kh, vn = federated["gb"], federated["kh"], federated["vn"]
    request = asked(kh, told).manifest_digest
    settle(federated)
    permit = decided(gb, request).permit_digest
    batch = Stream(gb, kh).send()
    assert batch is not None
    assert [statement_digest(one) for one in batch.deliveries[-1].attached] == [permit]
    settle(federated)
    released(kh, request)
    batch = Stream(kh, vn).send()
    assert batch is not None
    assert [statement_digest(one) for one in batch.deliveries[-1].attached] == [permit, statement_digest(gb.own.chain[-1])]
    assert batch.deliveries[-1].entry


def test_the_originator_sees_of_each_leave_that_it_was_used(federated: Federation, told: bytes) -> None:
    """Two of one holder, for two agencies of one country: each has a notice of its own."""
    first = passed_on(federated, told)
    second = permitted(federated, told, to=VN_POLICE)
    assert not codes(released(federated["kh"], second).released)
    settle(federated)
    for office, name in ((federated["kh"], "border"), (federated["gb"], "liaison")):
        assert [state(office, request, name) for request in (first, second)] == ["PASSED_ON", "PASSED_ON"]


def test_leave_that_is_given_while_a_successor_is_prepared_refuses_the_successor(federated: Federation, told: bytes) -> None:
    """Who may pass the old one on would have to be told of the new one too."""
    gb, kh, vn = federated["gb"], federated["kh"], federated["vn"]
    request = asked(kh, told).manifest_digest
    settle(federated)

    def late(items: Sequence[Prepared | NotReleased]) -> list[desk_service_pb2.PublishedAlert]:
        assert not codes(decided(gb, request).published)
        return sequence(gb.ports, items)

    wanted = desk_service_pb2.ReplaceAlertRequest(
        alert=told.hex(), draft=draft(alert=other_alert().SerializeToString(), request_id=request_id()), reason="synthetic reason"
    )
    first = replace.replace_alert(gb.ports, gb.person("liaison"), wanted, late)
    assert codes(first.replacement) == {"REACH_CHANGED"}
    assert not first.corrections
    settle(federated)
    assert not codes(released(kh, request).released)
    settle(federated)
    again = replace.replace_alert(gb.ports, gb.person("liaison"), wanted, together(gb))
    assert not codes(again.replacement)
    assert len(again.corrections) == 1
    settle(federated)
    assert flags(vn, told) == ["DISPUTED"]
    assert fsck(federated) == []


def test_a_recall_that_was_released_under_an_older_permit_is_forwarded_once(federated: Federation, told: bytes) -> None:
    """Two requests, two permits, one third country: one recall goes there."""
    gb, kh, vn = federated["gb"], federated["kh"], federated["vn"]
    passed_on(federated, told)
    request = permitted(federated, told, to="spiffe://vn.alerts.example/agency/criminal-police")
    assert not codes(released(kh, request).released)
    settle(federated)
    before = kh.outbound(vn).size
    recalled(gb, told)
    settle(federated)
    assert kh.outbound(vn).size == before + 1
    assert flags(vn, told) == flags(vn, told, "police") == ["WITHDRAWN", "ATTESTATION_OWED"]
    attested(vn, told)
    settle(federated)
    assert codes(attested(kh, told).attestations[0]) == {"PASSED_ON"}, "of two agencies one has attested"
    attested(vn, told, "police")
    settle(federated)
    assert not codes(attested(kh, told).attestations[0])
    settle(federated)
    assert set(stages(gb, told).values()) == {"ATTESTED"}
    assert fsck(federated) == []


def test_what_the_third_country_reports_is_taken_and_a_mis_hit_remembered(federated: Federation, told: bytes) -> None:
    gb, vn = federated["gb"], federated["vn"]
    passed_on(federated, told)
    report = hit_report_pb2.HitReport(
        outcome=hit_report_pb2.HIT_OUTCOME_NOT_THIS_PERSON,
        document_shown={"number": "X123", "issuer": "GBR"},
        desk={"unit": "Example desk", "channel": "+84 24 0000 0000"},
    )
    assert not codes(vn.report(told.hex(), report=report))
    settle(federated)
    with gb.ports.store.read() as tx:
        assert suppressed(gb.ports, tx, [(told, "GBR", "X123"), (told, "GBR", "X124")]) == {(told, "GBR", "X123")}


def test_who_was_told_about_a_person_names_the_third_country(federated: Federation, told: bytes) -> None:
    gb = federated["gb"]
    passed_on(federated, told)
    request = desk_service_pb2.FindRecipientsRequest(subject="925076473", reason="synthetic")
    (found,) = recipients.find_recipients(gb.ports, gb.person("auditor"), request).alerts
    assert [(one.agency, one.via) for one in found.passed_on] == [("spiffe://vn.alerts.example/node", "kh.alerts.example")]


def test_what_was_withdrawn_does_not_come_back_when_the_third_country_restores_a_backup(
    federated: Federation, told: bytes, tmp_path: Path
) -> None:
    """Also after the permit has expired: the content stays back then, and the recall comes again."""
    gb, vn = federated["gb"], federated["vn"]
    request = permitted(federated, told)
    empty = vn.backup(tmp_path / "empty")
    released(federated["kh"], request)
    settle(federated)
    full = vn.backup(tmp_path / "full")
    recalled(gb, told)
    settle(federated)
    for backup, seen in ((full, ["WITHDRAWN", "ATTESTATION_OWED"]), (empty, [])):
        vn.restore(backup)
        settle(federated)
        assert flags(vn, told) == seen


def test_a_restored_originator_learns_again_who_has_it(federated: Federation, told: bytes, tmp_path: Path) -> None:
    """The notice comes again, since its mirror of the holder's log is as old as the rest."""
    gb, kh = federated["gb"], federated["kh"]
    request = permitted(federated, told)
    backup = gb.backup(tmp_path / "backup")
    released(kh, request)
    settle(federated)
    gb.restore(backup)
    settle(federated)
    recalled(gb, told)
    settle(federated)
    assert stages(gb, told) == {"immigration": "OWED", "node": "OWED"}
    assert flags(federated["vn"], told) == ["WITHDRAWN", "ATTESTATION_OWED"]
    assert gb.alarms() == {"OWN_ROLLBACK"}


def test_an_originator_that_lost_the_permit_is_told_and_alarmed(federated: Federation, told: bytes, tmp_path: Path) -> None:
    gb, kh = federated["gb"], federated["kh"]
    backup = gb.backup(tmp_path / "backup")
    request = permitted(federated, told)
    released(kh, request)
    settle(federated)
    gb.restore(backup)
    recover(federated, "gb", "kh")
    settle(federated)
    assert "ONWARD_WITHOUT_PERMIT" in gb.alarms()
    recalled(gb, told)
    settle(federated)
    assert stages(gb, told) == {"immigration": "OWED", "node": "OWED"}
    assert flags(federated["vn"], told) == ["WITHDRAWN", "ATTESTATION_OWED"]


def test_a_holder_that_forgot_whom_it_told_reports_for_them_when_it_knows_again(federated: Federation, told: bytes, tmp_path: Path) -> None:
    """It had attested its own purge before it recovered its log."""
    gb, kh, vn = federated["gb"], federated["kh"], federated["vn"]
    request = permitted(federated, told)
    backup = kh.backup(tmp_path / "backup")
    released(kh, request)
    settle(federated)
    kh.restore(backup)
    recalled(gb, told)
    Stream(gb, kh).run()
    recover(federated, "kh", "gb")
    assert not codes(attested(kh, told).attestations[0])
    recover(federated, "kh", "vn")
    settle(federated)
    attested(vn, told)
    settle(federated)
    (word,) = attested(kh, told).attestations
    assert not codes(word)
    settle(federated)
    assert stages(gb, told) == {"immigration": "ATTESTED", "node": "ATTESTED"}


def test_an_attestation_by_file_does_not_speak_of_what_was_passed_on(federated: Federation, told: bytes) -> None:
    gb, kh = federated["gb"], federated["kh"]
    passed_on(federated, told)
    recalled(gb, told)
    settle(federated)

    def by_file(office: Office, **changes: object) -> set[str]:
        word = changed(control_pb2.PurgeAttestation(manifest_digest=told, copies_removed=0, local_lists_updated=True), **changes)
        wanted = draft(alert_type="exchange.v1.PurgeAttestation", alert=word.SerializeToString(), in_reply_to=told, not_after=0)
        return codes(office.publish(wanted, "both"))

    assert by_file(kh) == {"ATTEST_BY_VERB"}
    assert by_file(kh, exceptions=[PURGE_EXCEPTION_PASSED_ON]) == {"ATTEST_BY_VERB"}
    assert by_file(kh, on_behalf_of="spiffe://vn.alerts.example/node") == {"ATTEST_BY_VERB"}


def test_the_third_countrys_attestation_by_file_goes_to_the_holder(federated: Federation, told: bytes) -> None:
    gb, kh, vn = federated["gb"], federated["kh"], federated["vn"]
    request = passed_on(federated, told)
    recalled(gb, told)
    settle(federated)
    word = control_pb2.PurgeAttestation(manifest_digest=told, copies_removed=0, local_lists_updated=True)
    wanted = draft(alert_type="exchange.v1.PurgeAttestation", alert=word.SerializeToString(), in_reply_to=told, not_after=0)
    assert [list(one.audience) for one in vn.publish(wanted, "both").disclosures] == [[KH_POLICE]]
    settle(federated)
    assert not codes(attested(kh, told).attestations[0])
    assert summary(kh, request, "border").passed_on_at
    assert shown(vn, told).view == b""
    assert fsck(federated) == []
