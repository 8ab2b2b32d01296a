"""What the federation machine found (`tests/machine`): recalls and attestations across stopped logs, restored backups and updates."""

from dataclasses import replace
from pathlib import Path

import pytest

from exchange.v1 import disclosure_pb2, exchange_service_pb2
from node.operations import recover, succeed
from node.store import logs, recalls
from node.store.recalls import RecallKind
from tests.countries import BORDER, POLICE, agency
from tests.federation import Federation
from tests.recalls import (
    LIFTING,
    RESTRICTION,
    attested,
    corrected,
    flags,
    other_alert,
    own_flags,
    recalled,
    replaced,
    stages,
    told_waiting,
)
from tests.rig import Office, draft

pytestmark = pytest.mark.thorough

KH_BORDER, KH_POLICE = agency("kh", BORDER), agency("kh", POLICE)


def stop(one: Office, other: Office) -> str:
    """An administrator ends the log towards a partner; until that one agrees it is stopped."""
    origin = one.outbound(other).name.origin
    succeed.end_log(one.ports, one.person("administrator"), origin)
    return origin


def go_on(two: Federation, other: str, origin: str) -> None:
    two.carry()
    succeed.accept_end(two[other].ports, two[other].person("administrator"), origin)
    two.carry()


def test_what_waited_is_told_in_the_order_in_which_it_was_said(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = gb.publish(draft(KH_BORDER)).manifest_digest
    two.pump()
    origin = stop(gb, kh)
    said = [recalled(gb, told, kind).controls[0].manifest_digest for kind in (RESTRICTION, LIFTING) * 3]
    go_on(two, "kh", origin)
    assert told_waiting(gb) == 6
    log = gb.outbound(kh, generation=2)
    with gb.ports.store.read() as tx:
        entries = [disclosure_pb2.Entry.FromString(row.entry) for row in logs.entry_rows(tx, log.id, 1, log.size)]
    assert [entry.manifest_digest for entry in entries] == said
    two.pump()
    assert flags(kh, told) == own_flags(gb, told) == []


def test_an_attestation_that_a_stopped_log_could_not_take_is_given_when_it_goes_on(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = gb.publish(draft(KH_BORDER)).manifest_digest
    recalled_later = gb.publish(draft(KH_BORDER)).manifest_digest
    two.pump()
    kh.report(recalled_later.hex())  # so that there is a log back
    two.pump()
    recalled(gb, told)
    two.pump()
    origin = stop(kh, gb)
    attested(kh, told)
    go_on(two, "gb", origin)
    assert told_waiting(kh) == 1
    assert told_waiting(kh) == 0
    two.pump()
    assert stages(gb, told) == {"immigration": "ATTESTED"}
    assert gb.fsck() == kh.fsck() == []


def test_who_attested_before_the_originator_lost_its_withdrawal_owes_nothing_when_it_is_said_again(two: Federation, tmp_path: Path) -> None:
    gb, kh = two["gb"], two["kh"]
    told = gb.publish(draft(KH_BORDER)).manifest_digest
    two.pump()
    backup = gb.backup(tmp_path / "backup")
    recalled(gb, told)
    two.pump()
    attested(kh, told)
    two.pump()
    gb.restore(backup)

    def ask(partner: str, origin: str, start: int) -> exchange_service_pb2.FetchEntriesResponse:
        return two.fetch("gb", partner, origin, start)

    recover.recover_log(gb.ports, gb.person("administrator"), gb.outbound(kh).name.origin, ask)
    two.pump()
    two.clock.pass_(1)
    recalled(gb, told)
    two.pump()
    assert stages(gb, told) == {"immigration": "ATTESTED"}


def test_a_correction_after_an_update_names_what_was_wrong_to_those_whom_the_update_passed_over(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = gb.publish(draft(KH_BORDER)).manifest_digest
    two.pump()
    keep, gb.ports.acquaintance.known = gb.ports.known, replace(gb.ports.known, agreements={})
    assert [one.problems for one in replaced(gb, told).corrections] == [[]]
    (correction,) = corrected(gb, told, other_alert(sex=None), wrong=[4]).corrections
    gb.ports.acquaintance.known = keep
    assert not correction.problems
    two.pump()
    with kh.ports.store.read() as tx:
        wrong = [one.wrong_fields for one in recalls.recalls_of(tx, {told}) if one.kind is RecallKind.CORRECTION]
    assert wrong[-1] == bytes([4])
    assert flags(kh, told) == ["DISPUTED"]
