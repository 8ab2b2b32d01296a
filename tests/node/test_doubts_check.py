"""The check of the records finds what was altered so that an alert would not read as in doubt, or would without a reason."""

from pathlib import Path

import pytest
from sqlalchemy import text

from tests.countries import BORDER, agency
from tests.doubts import lost_at_both, withheld
from tests.federation import Federation
from tests.machine.core import AFTER_A_RESTORE
from tests.recalls import RESTRICTION, flags, own_flags, recalled
from tests.rig import draft

pytestmark = pytest.mark.thorough

KH_BORDER = agency("kh", BORDER)
ACTIVE = "UPDATE alerts SET state = 'active' WHERE state = 'disputed'"


@pytest.fixture
def told(two: Federation) -> bytes:
    """One alert that is restricted, and one of which kh knows only that something was said."""
    gb, kh = two["gb"], two["kh"]
    known, told = (gb.publish(draft(KH_BORDER)).manifest_digest for _ in range(2))
    two.pump()
    recalled(gb, known, RESTRICTION)
    recalled(gb, told)
    withheld(gb, kh)
    two.pump()
    assert (flags(kh, known), flags(kh, told), kh.fsck()) == (["RESTRICTED"], ["DISPUTED"], [])
    return told


@pytest.mark.parametrize(
    ("statements", "code"),
    [
        ([ACTIVE], "STATE_MISMATCH"),
        (["DELETE FROM doubts", ACTIVE], "RECALL_MISMATCH"),
        (["UPDATE doubts SET referent = zeroblob(32)", ACTIVE], "RECALL_MISMATCH"),
        (["UPDATE doubts SET control = (SELECT control FROM recalls)", ACTIVE], "RECALL_MISMATCH"),
        (["UPDATE doubts SET permit = x'01'"], "RECALL_MISMATCH"),
        (["UPDATE doubts SET log_id = 77", ACTIVE], "ENTRY_WITHOUT_LOG"),
        (["UPDATE doubts SET idx = idx + 100"], "RECALL_MISMATCH"),
        (["INSERT INTO doubts SELECT log_id, idx, randomblob(32), randomblob(32), x'', 1 FROM entries WHERE idx = 0"], "RECALL_MISMATCH"),
        ([("INSERT INTO doubts SELECT e.log_id, e.idx, r.control, r.referent, x'', 1 FROM recalls r JOIN alerts a ON a.digest = r.control "
          "JOIN entries e ON e.alert_ref = a.id")], "RECALL_MISMATCH"),
        (["UPDATE logs SET origin = CAST(x'ff' AS TEXT) WHERE NOT outbound"], "STATE_MISMATCH"),
        (["UPDATE alerts SET originator = 'spiffe://vn.alerts.example/agency/x' WHERE state = 'disputed'"], "STATE_MISMATCH"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("told")
def test_what_takes_a_doubt_away_or_invents_one_is_found(two: Federation, statements: list[str], code: str) -> None:
    kh = two["kh"]
    with kh.ports.store.write() as tx:
        for statement in statements:
            tx.execute(text(statement))
    assert code in kh.fsck()


def test_what_takes_a_doubt_away_from_what_was_adopted_is_found(two: Federation, tmp_path: Path) -> None:
    gb, kh = two["gb"], two["kh"]
    told = gb.publish(draft(KH_BORDER)).manifest_digest
    two.pump()
    lost_at_both(two, told, tmp_path)
    for office in (gb, kh):
        assert set(office.fsck()) <= AFTER_A_RESTORE
        with office.ports.store.write() as tx:
            tx.execute(text("DELETE FROM doubts"))
            tx.execute(text(ACTIVE))
        assert "RECALL_MISMATCH" in office.fsck()
    assert (own_flags(gb, told), flags(kh, told)) == ([], []), "it would have come back"
