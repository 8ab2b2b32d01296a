"""The purge after a withdrawal: content goes when every agency has attested, and the originator sees who still owes."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.errors import NotFound
from exchange.v1 import control_pb2, desk_service_pb2
from node.operations import erase
from node.operations.officers import NotPermitted
from node.operations.owing import attestations_owed
from node.operations.purge import purge_attested
from node.store.errors import StoreFailed
from tests.countries import (
    BORDER,
    DAY,
    POLICE,
    agency,
)
from tests.federation import Federation, federation
from tests.recalls import (
    attested,
    codes,
    flags,
    recalled,
    request_id,
    shown,
    stages,
    status,
)
from tests.refusals import refused
from tests.rig import draft

pytestmark = pytest.mark.thorough

KH_BORDER, KH_POLICE, VN_BORDER = agency("kh", BORDER), agency("kh", POLICE), agency("vn", BORDER)
GB_POLICE = agency("gb", POLICE)


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh", "vn") as made:
        made.connect("gb", "kh")
        made.connect("gb", "vn")
        yield made


def test_content_is_erased_when_the_last_agency_has_attested(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = gb.publish(draft(KH_BORDER, KH_POLICE)).manifest_digest
    two.pump()
    recalled(gb, told)
    two.pump()
    assert stages(gb, told) == {"immigration": "OWED", "anti-trafficking": "OWED"}
    assert not attested(kh, told).erased
    assert flags(kh, told) == ["WITHDRAWN"]
    assert flags(kh, told, "police") == ["WITHDRAWN", "ATTESTATION_OWED"]
    two.pump()
    assert stages(gb, told) == {"immigration": "ATTESTED", "anti-trafficking": "OWED"}
    assert list(attested(kh, told, "police").erased) == [told]
    seen = shown(kh, told)
    assert (seen.blocked, seen.view) == (desk_service_pb2.BLOCKED_ERASED, b"")
    assert flags(kh, told) == ["ERASED", "WITHDRAWN"]
    two.pump()
    found = {one.agency: one for one in status(gb, told).attestations}
    assert (found[KH_POLICE].copies_removed, found[KH_POLICE].local_lists_updated) == (2, True)
    with kh.ports.store.read() as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM alerts WHERE wrapped_key IS NOT NULL AND digest = ?", (told,)).scalar() == 0
        kept = "SELECT count(*) FROM entries JOIN alerts ON id = alert_ref WHERE entries.sealed IS NOT NULL AND digest = ?"
        assert tx.exec_driver_sql(kept, (told,)).scalar() == 0
    assert gb.fsck() == kh.fsck() == []


def test_what_an_agency_attested_of_another_alert_purges_nothing_of_this_one(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    for at_once in (True, False):
        told = gb.publish(draft(KH_BORDER, KH_POLICE)).manifest_digest
        two.pump()
        recalled(gb, told)
        two.pump()
        if at_once:
            assert list(attested(kh, told).erased) + list(attested(kh, told, "police").erased) == [told]
    held = attested(kh, told, "police", exceptions=[control_pb2.PURGE_EXCEPTION_LEGAL_HOLD], local_lists_updated=False)
    assert not held.erased
    assert not attested(kh, told).erased, "the police keep it for a court"
    assert flags(kh, told) == flags(kh, told, "police") == ["WITHDRAWN"]


def test_a_request_id_of_another_agency_is_refused_and_never_answered_with_its_answer(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = gb.publish(draft(KH_BORDER, KH_POLICE)).manifest_digest
    two.pump()
    recalled(gb, told)
    two.pump()
    attested(kh, told, request_id=b"the same 16 byte")
    (answer,) = attested(kh, told, "police", request_id=b"the same 16 byte").attestations
    assert (codes(answer), len(answer.disclosures)) == ({"REQUEST_ID_TAKEN"}, 0)
    two.pump()
    assert stages(gb, told) == {"immigration": "ATTESTED", "anti-trafficking": "OWED"}


def test_what_an_agency_keeps_on_a_legal_ground_stays_blocked_and_the_originator_reads_why(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told_late = gb.publish(draft(KH_BORDER)).manifest_digest
    two.pump()
    recalled(gb, told_late)
    two.pump()
    answer = attested(kh, told_late, exceptions=[control_pb2.PURGE_EXCEPTION_LEGAL_HOLD], local_lists_updated=False)
    assert not answer.erased
    assert shown(kh, told_late).blocked == desk_service_pb2.BLOCKED_WITHDRAWN
    two.pump()
    (one,) = status(gb, told_late).attestations
    assert (one.stage, list(one.exceptions)) == (desk_service_pb2.ATTESTATION_STAGE_ATTESTED, ["LEGAL_HOLD"])
    # The ground has gone: now it is purged, and said so again.
    assert list(attested(kh, told_late).erased) == [told_late]
    two.pump()
    assert not status(gb, told_late).attestations[0].exceptions
    assert codes(attested(kh, told_late).attestations[0]) == {"NOTHING_TO_ATTEST"}


def test_an_attestation_says_that_it_was_done_and_by_whom_it_is_owed(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = gb.publish(draft(KH_BORDER)).manifest_digest
    two.pump()
    assert codes(attested(kh, told).attestations[0]) == {"NOTHING_TO_ATTEST"}
    recalled(gb, told)
    two.pump()
    assert codes(attested(kh, told, local_lists_updated=False).attestations[0]) == {"LISTS_NOT_UPDATED"}
    assert codes(attested(kh, told, exceptions=[0]).attestations[0]) == {"EXCEPTION_UNKNOWN"}
    with refused(NotFound, "ALERT_NOT_FOUND"):
        attested(kh, told, "police")
    for name in ("auditor", "administrator"):
        with refused(NotPermitted, "ROLE_MISSING"):
            attested(kh, told, name)
    asked = request_id()
    assert attested(kh, told, request_id=asked).attestations == attested(kh, told, request_id=asked).attestations
    assert kh.outbound(gb).size == 1


def test_a_purge_that_a_crash_interrupted_is_finished(two: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    gb, kh = two["gb"], two["kh"]
    again = gb.publish(draft(KH_BORDER)).manifest_digest
    two.pump()
    recalled(gb, again)
    two.pump()
    monkeypatch.setattr("node.operations.attest.purge_attested", lambda *_: [])
    attested(kh, again)
    kh.restart()
    assert shown(kh, again).blocked == desk_service_pb2.BLOCKED_WITHDRAWN
    assert purge_attested(kh.ports, kh.domain) == [again]
    assert purge_attested(kh.ports, kh.domain) == []
    assert kh.fsck() == []


def test_a_purge_that_a_reader_holds_up_goes_on_later_and_the_attestation_stands(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = gb.publish(draft(KH_BORDER)).manifest_digest
    two.pump()
    recalled(gb, told)
    two.pump()
    real = kh.ports.store.empty_journal

    def held_up() -> None:
        raise StoreFailed("STORE_LOCKED", "a read that does not end")

    kh.ports.store.empty_journal = held_up  # type: ignore[method-assign]  # a reader that does not end
    answer = attested(kh, told)
    assert not codes(answer.attestations[0])
    assert [event[3] for event in kh.journal() if event[0] == "erasure"] == ["INTENDED"]
    kh.ports.store.empty_journal = real  # type: ignore[method-assign]  # it has gone
    assert erase.finish(kh.ports) == 1
    assert [event[3] for event in kh.journal() if event[0] == "erasure"] == ["INTENDED", "DONE"]
    assert kh.fsck() == []


def test_the_originator_sees_who_owes_by_when_and_how_urgently(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = gb.publish(draft(KH_BORDER, KH_POLICE, not_after=two.clock.now_ms() + 40 * DAY)).manifest_digest
    two.pump()
    recalled(gb, told, attest_within_days=4)
    two.pump()
    attested(kh, told, "police")
    two.pump()
    seen = [stages(gb, told)["immigration"]]
    for days in (2, 2, 4):
        two.clock.pass_(days * DAY)
        seen.append(stages(gb, told)["immigration"])
    assert seen == ["OWED", "REMINDER", "OVERDUE", "ESCALATED"]
    with gb.ports.store.read() as tx:
        (owed,) = attestations_owed(gb.ports, tx)
    assert (owed.agency, owed.manifest.digest, owed.attest_by) == (KH_BORDER, told, two.clock.now_ms() - 4 * DAY)
    attested(kh, told)
    two.pump()
    assert stages(gb, told)["immigration"] == "ATTESTED"
    with gb.ports.store.read() as tx:
        assert attestations_owed(gb.ports, tx) == []


def test_nobody_owes_what_their_receipt_says_was_never_held(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    kept, kh.ports.acquaintance.known = kh.ports.known, replace(kh.ports.known, agreements={})
    told = gb.publish(draft(KH_BORDER)).manifest_digest
    two.pump()
    kh.ports.acquaintance.known = kept
    recalled(gb, told)
    two.pump()
    assert stages(gb, told) == {"immigration": "NOT_HELD"}
    assert kh.alarms() == {"NOT_AGREED"}
    assert gb.fates(told) == [("EXCEPTED", "NOT_AGREED", "UNSPECIFIED")]
    assert gb.fsck() == kh.fsck() == []
