"""What was said of an alert and is lost, at one end or at both: nobody acts on the alert until its originator has said it anew."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from exchange.v1 import desk_service_pb2 as messages
from exchange.v1 import disclosure_pb2
from node.operations.work import list_work
from node.store import logs
from tests import onward
from tests.countries import BORDER, HOUR, POLICE, agency, agreement
from tests.doubts import both, lost_at_both, recovered, withheld
from tests.federation import Federation, federation
from tests.machine.core import AFTER_A_RESTORE
from tests.recalls import (
    LIFTING,
    RESTRICTION,
    attested,
    codes,
    corrected,
    flags,
    own_flags,
    recalled,
    replaced,
    shown,
    stages,
)
from tests.rig import Office, draft

pytestmark = pytest.mark.thorough

KH_BORDER, KH_POLICE = agency("kh", BORDER), agency("kh", POLICE)


def published(office: Office, *recipients: str) -> bytes:
    return office.publish(draft(*recipients)).manifest_digest


@contextmanager
def passed_on(directory: Path, *more: str) -> Iterator[tuple[Federation, bytes]]:
    """gb told kh, and kh vn with leave; what kh logged last towards vn is that alert."""
    made = onward.three(directory, *more)
    told = published(made["gb"], KH_BORDER)
    onward.settle(made)
    assert not codes(onward.released(made["kh"], onward.permitted(made, told)).released)
    onward.settle(made)
    yield made, told
    made.close()


def as_recall_of(told: bytes) -> dict[str, Any]:
    """Changes that make of any entry the one of some control alert about `told`."""
    return {"manifest_digest": b"\2" * 32, "agreement_digest": b"", "clause": "", "in_reply_to": told}


def to_do(office: Office) -> list[tuple[int, bytes, str, bool]]:
    """What waits for its border desk: what, about which alert, how that stands, and whether somebody has seen to it for now."""
    asked = messages.ListWorkRequest(all=True)
    found = list_work(office.ports, office.person("border"), asked).items
    return [(one.kind, one.reference, one.detail, one.later) for one in found if one.kind == messages.WORK_KIND_RECALL_TO_READ]


def test_a_withdrawal_that_both_ends_lost_reads_as_disputed_at_both(two: Federation, tmp_path: Path) -> None:
    gb, kh = two["gb"], two["kh"]
    told = published(gb, KH_BORDER)
    two.pump()
    lost_at_both(two, told, tmp_path)
    assert both(two, told) == (["DISPUTED"], ["DISPUTED"])
    assert not shown(kh, told).recalls, "nobody knows what it was"
    assert set(gb.fsck()) | set(kh.fsck()) <= AFTER_A_RESTORE
    recalled(gb, told)
    two.pump()
    assert both(two, told) == (["WITHDRAWN"], ["WITHDRAWN", "ATTESTATION_OWED"])
    attested(kh, told)
    two.pump()
    assert stages(gb, told) == {"immigration": "ATTESTED"}


def test_a_desk_is_told_that_an_alert_it_holds_is_in_doubt(two: Federation, tmp_path: Path) -> None:
    gb, kh = two["gb"], two["kh"]
    told = published(gb, KH_BORDER)
    two.pump()
    two.clock.pass_(HOUR)
    lost_at_both(two, told, tmp_path)
    assert to_do(kh) == [(messages.WORK_KIND_RECALL_TO_READ, told, "DISPUTED", False)]
    two.clock.pass_(HOUR)
    shown(kh, told)
    assert to_do(kh) == [(messages.WORK_KIND_RECALL_TO_READ, told, "DISPUTED", True)]


@pytest.mark.parametrize("both_ends", [True, False])
def test_a_restriction_that_is_lifted_does_not_take_a_doubt_away(two: Federation, tmp_path: Path, *, both_ends: bool) -> None:
    gb, kh = two["gb"], two["kh"]
    told = published(gb, KH_BORDER)
    two.pump()
    if both_ends:
        lost_at_both(two, told, tmp_path)
    else:
        backup = gb.backup(tmp_path / "backup")
        recalled(gb, told)
        two.pump()
        gb.restore(backup)
        recovered(two)
    for kind in (RESTRICTION, LIFTING):
        assert not codes(recalled(gb, told, kind).controls[0])
        two.pump()
        state = "RESTRICTED" if kind == RESTRICTION else "DISPUTED"
        assert both(two, told) == ([state], [state] if both_ends else ["WITHDRAWN", "ATTESTATION_OWED"])
    assert set(gb.fsck()) | set(kh.fsck()) <= AFTER_A_RESTORE


def test_what_was_restricted_before_the_backup_and_withdrawn_after_it_is_in_doubt_when_it_is_lifted(
    two: Federation, tmp_path: Path
) -> None:
    gb = two["gb"]
    told = published(gb, KH_BORDER)
    recalled(gb, told, RESTRICTION)
    two.pump()
    lost_at_both(two, told, tmp_path)
    assert both(two, told) == (["RESTRICTED"], ["RESTRICTED"])
    recalled(gb, told, LIFTING)
    two.pump()
    assert both(two, told) == (["DISPUTED"], ["DISPUTED"])


def test_what_is_in_doubt_is_told_to_nobody_whatever_else_was_said_of_it_since(two: Federation, tmp_path: Path) -> None:
    gb, kh = two["gb"], two["kh"]
    told = published(gb, KH_BORDER)
    two.pump()
    lost_at_both(two, told, tmp_path)
    recalled(gb, told, RESTRICTION)
    gb.log_again(kh, 0)
    two.pump()
    assert gb.fates(told)[-1] == ("EXCEPTED", "WITHHELD", "WITHDRAWN")


def test_an_update_takes_the_place_of_what_is_in_doubt(two: Federation, tmp_path: Path) -> None:
    gb = two["gb"]
    told = published(gb, KH_BORDER)
    two.pump()
    lost_at_both(two, told, tmp_path)
    successor = replaced(gb, told).replacement.manifest_digest
    two.pump()
    assert both(two, told) == (["SUPERSEDED"], ["SUPERSEDED"])
    assert both(two, successor) == ([], [])


def test_the_recall_that_comes_after_all_says_what_it_was(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = published(gb, KH_BORDER)
    two.pump()
    recalled(gb, told, RESTRICTION)
    again = gb.log_again(kh, 1)
    withheld(gb, kh, 1)
    two.pump()
    assert gb.outbound(kh).size == again + 1 == 3
    assert flags(kh, told) == ["RESTRICTED"]
    recalled(gb, told, LIFTING)
    two.pump()
    assert both(two, told) == ([], [])
    assert kh.fsck() == []


def test_an_alert_that_comes_only_after_the_doubt_reads_as_disputed(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = published(gb, KH_BORDER)
    recalled(gb, told, RESTRICTION)
    gb.log_again(kh, 0)
    withheld(gb, kh, 0)
    withheld(gb, kh, 1)
    two.pump()
    assert flags(kh, told) == ["DISPUTED"]


def test_what_was_erased_and_is_told_again_is_in_doubt_still(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = published(gb, KH_BORDER)
    two.pump()
    recalled(gb, told, RESTRICTION)
    withheld(gb, kh)
    two.pump()
    with kh.ports.store.write() as tx:
        tx.exec_driver_sql("UPDATE alerts SET state = 'erased', wrapped_key = NULL, sealed = NULL WHERE digest = ?", (told,))
    gb.log_again(kh, 0)
    two.pump()
    assert flags(kh, told) == ["DISPUTED"]


def test_whoever_was_not_given_the_successor_reads_disputed_though_the_word_to_them_is_lost(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as two:
        gb, kh = two["gb"], two["kh"]
        two.connect("gb", "kh", agreement(valid_until=two.clock.now_ms() + HOUR))
        first = published(gb, KH_BORDER, KH_POLICE)
        two.pump()
        later = agreement(valid_from=two.clock.now_ms(), proposed_at=two.clock.now_ms())
        without = [clause for clause in later.clauses if clause.id != "gb-kh-travelalert-police"]
        del later.clauses[:]
        later.clauses.extend(without)
        two.connect("gb", "kh", later)
        two.clock.pass_(2 * HOUR)
        corrected(gb, first)
        withheld(gb, kh)
        two.pump()
        assert flags(kh, first) == ["SUPERSEDED"]
        assert flags(kh, first, "police") == ["DISPUTED"]


def test_only_the_originators_country_casts_doubt_on_an_alert(tmp_path: Path) -> None:
    """Another country's log names it as if it had recalled it: a lost attestation looks the same."""
    with federation(tmp_path, "gb", "kh", "vn") as three:
        gb, kh, vn = three["gb"], three["kh"], three["vn"]
        for one, other in (("gb", "kh"), ("kh", "vn")):
            three.connect(one, other)
        told, other = published(gb, KH_BORDER), published(vn, KH_BORDER)
        three.pump()
        recalled(vn, other, RESTRICTION)
        vn.log_again(kh, 1, in_reply_to=told)
        withheld(vn, kh)
        withheld(vn, kh, 1)
        three.pump()
        assert (flags(kh, told), flags(kh, other)) == ([], ["DISPUTED"])


def test_what_is_withheld_of_an_ordinary_alert_casts_no_doubt_on_the_one_that_it_answers(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    told = published(gb, KH_BORDER)
    published(gb, KH_BORDER)
    gb.log_again(kh, 1, in_reply_to=told)
    withheld(gb, kh)
    two.pump()
    assert gb.fates(told)[0][0] == "RECEIPTED"
    assert flags(kh, told) == []


def test_a_recall_is_not_in_doubt_itself(two: Federation) -> None:
    """As it is not recalled: what it ended would come back."""
    gb, kh = two["gb"], two["kh"]
    told = published(gb, KH_BORDER)
    two.pump()
    control = recalled(gb, told).controls[0].manifest_digest
    gb.log_again(kh, 0, **as_recall_of(control))
    withheld(gb, kh)
    two.pump()
    assert (flags(kh, told), flags(kh, control)) == (["WITHDRAWN", "ATTESTATION_OWED"], [])
    assert control in {one.manifest_digest for one in kh.received()}
    assert kh.fsck() == []


def test_a_lost_attestation_casts_no_doubt(two: Federation, tmp_path: Path) -> None:
    gb, kh = two["gb"], two["kh"]
    told = published(gb, KH_BORDER)
    two.pump()
    recalled(gb, told)
    two.pump()
    attested(kh, told)
    withheld(kh, gb)
    with gb.ports.store.write() as tx:  # as after a withdrawal that was itself withdrawn, which there is not: to tell the two apart
        tx.exec_driver_sql("DELETE FROM recalls")
        tx.exec_driver_sql("UPDATE alerts SET state = 'active' WHERE digest = ?", (told,))
    two.pump()
    assert own_flags(gb, told) == []


@pytest.mark.parametrize(
    ("changes", "read"),
    [({}, ["DISPUTED"]), ({"permit_digest": b""}, []), ({"permit_digest": bytes(32)}, [])],
    ids=["under the permit", "under none", "under another"],
)
def test_whoever_passed_an_alert_on_casts_doubt_on_it_under_the_permit(tmp_path: Path, changes: dict[str, bytes], read: list[str]) -> None:
    with passed_on(tmp_path) as (made, told):
        kh, vn = made["kh"], made["vn"]
        kh.log_again(vn, kh.outbound(vn).size - 1, **as_recall_of(told), **changes)
        withheld(kh, vn)
        onward.settle(made)
        assert flags(vn, told) == read


def test_the_permit_for_one_alert_casts_no_doubt_on_another(tmp_path: Path) -> None:
    with passed_on(tmp_path) as (made, told):
        gb, kh, vn = made["gb"], made["kh"], made["vn"]
        other = published(gb, onward.VN_BORDER)
        kh.log_again(vn, kh.outbound(vn).size - 1, **as_recall_of(other))
        withheld(kh, vn)
        onward.settle(made)
        assert (flags(vn, told), flags(vn, other)) == ([], [])
        assert other in {one.manifest_digest for one in vn.received()}


def test_the_permit_of_another_holder_casts_no_doubt(tmp_path: Path) -> None:
    with passed_on(tmp_path, "la") as (made, told):
        kh, la, vn = made["kh"], made["la"], made["vn"]
        told_by_la = la.publish(draft(agency("vn", BORDER))).manifest_digest
        with kh.ports.store.read() as tx:
            (row,) = logs.entry_rows(tx, kh.outbound(vn).id, kh.outbound(vn).size - 1, kh.outbound(vn).size)
        permit = disclosure_pb2.Entry.FromString(row.entry).permit_digest
        la.log_again(vn, la.outbound(vn).size - 1, **as_recall_of(told), permit_digest=permit)
        withheld(la, vn)
        onward.settle(made)
        assert (flags(vn, told), flags(vn, told_by_la)) == ([], [])


def test_a_holder_that_lost_what_it_forwarded_reads_in_doubt_until_the_originator_tells_it_again(tmp_path: Path) -> None:
    with passed_on(tmp_path) as (made, told):
        gb, kh, vn = made["gb"], made["kh"], made["vn"]
        backup = kh.backup(tmp_path / "backup")
        recalled(gb, told)
        onward.settle(made)
        kh.restore(backup)
        recovered(made, "kh", "vn")
        assert (flags(kh, told), flags(vn, told)) == (["DISPUTED"], ["WITHDRAWN", "ATTESTATION_OWED"])
        recovered(made, "kh", "gb")
        onward.settle(made)
        assert flags(kh, told) == ["WITHDRAWN", "ATTESTATION_OWED"]
