"""What was withdrawn does not come back: not by replay, nor by a new entry, nor by a restored backup of either side."""

from pathlib import Path

import pytest

from exchange.errors import Conflict
from exchange.v1 import exchange_service_pb2
from node.operations import recover
from node.store import logs
from tests.countries import BORDER, HOUR, POLICE, agency
from tests.federation import Federation, Stream, same_log
from tests.recalls import (
    attested,
    codes,
    flags,
    own_flags,
    recalled,
    shown,
    stages,
    supplemented,
)
from tests.refusals import refused
from tests.rig import Office, draft

KH_BORDER, KH_POLICE, VN_BORDER = agency("kh", BORDER), agency("kh", POLICE), agency("vn", BORDER)
APPEARANCE = 6


def published(office: Office, *recipients: str) -> bytes:
    return office.publish(draft(*recipients)).manifest_digest


def recovered(two: Federation, host: str, guest: str) -> None:
    """An administrator adopts from the partner what a restored database lacks of its own log."""

    def ask(partner: str, asked: str, start: int) -> exchange_service_pb2.FetchEntriesResponse:
        return two.fetch(host, partner, asked, start)

    office = two[host]
    recover.recover_log(office.ports, office.person("administrator"), office.outbound(two[guest]).name.origin, ask)


def test_a_withdrawn_alert_does_not_come_back_by_replay(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = published(gb, KH_BORDER)
    stream = Stream(gb, kh)
    batch = stream.send()
    assert batch is not None
    receipt = stream.take(batch)
    assert receipt is not None
    stream.settle(receipt)
    recalled(gb, told)
    two.pump()
    with refused(Conflict, "LOG_MISMATCH"):
        Stream(gb, kh).take(batch)
    assert flags(kh, told) == ["WITHDRAWN", "ATTESTATION_OWED"]


def test_a_withdrawn_alert_does_not_come_back_by_a_new_entry(two: Federation) -> None:
    """As by a sender that forgot, or means harm: it sends the content once more."""
    gb, kh = two["gb"], two["kh"]
    told = published(gb, KH_BORDER)
    two.pump()
    recalled(gb, told)
    two.pump()
    gb.log_again(kh, 0)
    with gb.ports.store.write() as tx:
        tx.exec_driver_sql("UPDATE alerts SET state = 'active' WHERE digest = ?", (told,))
    two.pump()
    assert gb.fates(told)[1] == ("EXCEPTED", "WITHDRAWN", "UNSPECIFIED")
    assert kh.alarms() == {"WITHDRAWN"}
    assert flags(kh, told) == ["WITHDRAWN", "ATTESTATION_OWED"]
    assert kh.fsck() == []


@pytest.mark.parametrize("before_the_alert", [True, False])
def test_a_withdrawn_alert_does_not_come_back_when_the_recipient_restores_a_backup(
    two: Federation, tmp_path: Path, *, before_the_alert: bool
) -> None:
    gb, kh = two["gb"], two["kh"]
    backup = kh.backup(tmp_path / "backup") if before_the_alert else None
    told = published(gb, KH_BORDER)
    two.pump()
    backup = backup or kh.backup(tmp_path / "backup")
    recalled(gb, told)
    two.pump()
    if not before_the_alert:
        attested(kh, told)
        two.pump()
    two.clock.pass_(HOUR)
    kh.restore(backup)
    if not before_the_alert:
        assert not shown(kh, told).confirmed_now
    with gb.ports.store.read() as tx:
        receipts = [row.statement for row in logs.receipts_above(tx, gb.outbound(kh).id, 0, 10)]
    if not before_the_alert:
        recovered(two, "kh", "gb")
    two.pump()
    assert same_log(gb, kh)
    with gb.ports.store.read() as tx:
        assert [row.statement for row in logs.receipts_above(tx, gb.outbound(kh).id, 0, 10)] == receipts, "adopted, not given anew"
    # It owes the attestation again: what it purged came back with the backup, or nothing came.
    assert flags(kh, told) == ([] if before_the_alert else ["WITHDRAWN", "ATTESTATION_OWED"])
    assert "OWN_ROLLBACK" in kh.alarms()
    if not before_the_alert:
        assert list(attested(kh, told).erased) == [told]


def test_a_withdrawn_alert_does_not_come_back_when_the_originator_restores_a_backup(two: Federation, tmp_path: Path) -> None:
    gb, kh = two["gb"], two["kh"]
    told = published(gb, KH_BORDER)
    two.pump()
    backup = gb.backup(tmp_path / "backup")
    recalled(gb, told)
    two.pump()
    gb.restore(backup)
    assert gb.outbound(kh).state == "stopped"

    recovered(two, "gb", "kh")
    assert own_flags(gb, told) == ["DISPUTED"]
    gb.log_again(kh, 0)
    two.pump()
    assert gb.fates(told)[1] == ("EXCEPTED", "WITHHELD", "WITHDRAWN")
    assert codes(supplemented(gb, told, KH_BORDER, APPEARANCE)) == {"ALREADY_SUPERSEDED"}
    assert not codes(recalled(gb, told).controls[0]), "the officer says again what was lost"
    two.pump()
    assert own_flags(gb, told) == ["WITHDRAWN"]
    assert flags(kh, told) == ["WITHDRAWN", "ATTESTATION_OWED"]
    attested(kh, told)
    two.pump()
    assert stages(gb, told) == {"immigration": "ATTESTED"}


def test_an_answer_about_what_the_originator_lost_is_still_understood(two: Federation, tmp_path: Path) -> None:
    gb, kh = two["gb"], two["kh"]
    published(gb, KH_BORDER)
    two.pump()
    backup = gb.backup(tmp_path / "backup")
    told = published(gb, KH_BORDER)
    two.pump()
    recalled(gb, told)
    two.pump()
    gb.restore(backup)
    recovered(two, "gb", "kh")
    attested(kh, told)
    two.pump()
    assert gb.alarms() == set()
    assert [row.alert_type.rpartition(".")[2] for row in gb.received("police")] == ["PurgeAttestation"]
