"""A tip at rest, and gone: sealed, erased in time, and the proof stays."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.errors import NotFound, Refused
from exchange.retention import NationalRule
from exchange.v1.tip_pb2 import (
    TIP_STATE_RECEIVED,
    Tip,
)
from node.operations import retention, tip_line
from node.store import retention as limits
from node.store import tips
from node.store.errors import StoreFailed
from tests import byte_scan
from tests.countries import DAY
from tests.federation import Federation, federation
from tests.refusals import refused
from tests.rig import Office
from tests.tip_desk import (
    contact,
    erased,
    events,
    listed,
    seen,
    taken,
)
from tests.tips import (
    NGO_ID,
    REPORTER,
    SECRET,
    TIP,
    saved,
    submitted,
    takes_tips,
    tips_agreement,
)

pytestmark = pytest.mark.thorough


@pytest.fixture
def offices(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh", tips_agreement())
        takes_tips(made["kh"])
        yield made


@pytest.fixture
def kh(offices: Federation) -> Office:
    return offices["kh"]


def test_nothing_of_a_tip_stands_open_in_the_files(kh: Office) -> None:
    submitted(kh, contact={"telephone": REPORTER})
    for path in byte_scan.files_below(kh.directory):
        assert list(byte_scan.hits(path.read_bytes(), (SECRET, "grey beard", REPORTER))) == [], path.name


def test_erasing_destroys_both_keys_and_the_proof_stays(kh: Office) -> None:
    sent = submitted(kh, contact={"telephone": REPORTER})
    digest = listed(kh)[0].digest
    gone = erased(kh, sent.reference)
    assert (gone.erased, gone.erase_by, gone.digest) == (True, 0, digest)
    with kh.ports.store.read() as tx:
        row = tips.tip_with(tx, digest)
    assert row is not None
    assert (row.wrapped_key, row.sealed, row.contact_key, row.contact_sealed) == (None, None, None, None)
    assert (row.content, row.contact) == ("erased", "erased")
    shown = seen(kh, sent.reference)
    assert (shown.view, shown.score, shown.contact_held) == (b"", 0, False)
    status = tip_line.tip_status(kh.ports, NGO_ID, sent.tip_id)
    assert (status.state, status.erased) == (TIP_STATE_RECEIVED, True)
    erasures = [code for kind, code in events(kh) if kind == "erasure"]
    assert erasures == ["TIP_INTENDED", "TIP_CONTACT_INTENDED", "TIP_DONE", "TIP_CONTACT_DONE"]
    with refused(NotFound, "ERASED"):
        saved(kh, sent.tip_id)
    before = events(kh)
    erased(kh, sent.reference)
    assert events(kh) == before


def test_the_contact_goes_alone(kh: Office) -> None:
    sent = submitted(kh, contact={"telephone": REPORTER})
    assert not erased(kh, sent.reference, contact_alone=True).erased
    assert Tip.FromString(seen(kh, sent.reference).view).suspects
    taken(kh, sent.reference)
    with refused(NotFound, "CONTACT_NONE"):
        contact(kh, sent.reference)


def test_only_its_desk_erases_a_tip_and_says_why(kh: Office) -> None:
    sent = submitted(kh)
    with refused(NotFound, "TIP_UNKNOWN"):
        erased(kh, sent.reference, "police")
    with refused(Refused, "REASON_MISSING"):
        erased(kh, sent.reference, reason=" ")


def test_a_crash_between_destroying_and_attesting_is_made_good(kh: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = submitted(kh)

    def locked() -> None:
        raise StoreFailed("STORE_LOCKED", "synthetic")

    monkeypatch.setattr(kh.ports.store, "empty_journal", locked)
    with refused(StoreFailed, "STORE_LOCKED"):
        erased(kh, sent.reference)
    assert ("erasure", "TIP_DONE") not in events(kh)
    kh.restart()
    takes_tips(kh)
    retention.run_due(kh.ports, kh.domain)
    assert events(kh)[-1] == ("erasure", "TIP_DONE")
    assert seen(kh, sent.reference).summary.erased


def test_the_limit_of_a_tip_is_short_and_its_months_key_waits_for_it(kh: Office) -> None:
    sent = submitted(kh, contact={"telephone": REPORTER})
    with kh.ports.store.read() as tx:
        row = tips.tip_called(tx, sent.reference)
        assert row is not None
        assert row.erase_by - row.submitted_at == 90 * DAY
        assert row.period not in limits.idle_periods(tx, "9999-12")
    kh.clock.pass_(90 * DAY - 1)
    assert retention.run_due(kh.ports, kh.domain).erased == 0
    kh.clock.pass_(1)
    assert retention.run_due(kh.ports, kh.domain).erased == 1
    with kh.ports.store.read() as tx:
        assert row.period in limits.idle_periods(tx, "9999-12")
    assert retention.run_due(kh.ports, kh.domain).erased == 0


def test_the_store_checks_out_with_tips_in_it(kh: Office) -> None:
    submitted(kh, contact={"telephone": REPORTER})
    erased(kh, submitted(kh).reference)
    assert kh.fsck() == []


def test_a_run_without_erasing_counts_tips_too(kh: Office) -> None:
    submitted(kh)
    kh.clock.pass_(90 * DAY)
    assert retention.run(kh.ports, kh.person("administrator"), dry_run=True).erased == 1
    assert not seen(kh, listed(kh)[0].reference).summary.erased


# -- the check of the store ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("UPDATE tips SET sealed = contact_sealed", "TIP_UNREADABLE"),
        ("UPDATE tips SET contact_sealed = sealed", "TIP_UNREADABLE"),
        ("UPDATE tips SET contact_key = wrapped_key", "TIP_UNREADABLE"),
        ("UPDATE tips SET ngo = ngo || 'x'", "TIP_UNREADABLE"),
        ("UPDATE tips SET digest = zeroblob(32)", "TIP_MISMATCH"),
        ("UPDATE tips SET digest = NULL", "TIP_MISMATCH"),
        ("UPDATE tips SET digest = zeroblob(32)", "TIP_NOT_RECORDED"),
        ("UPDATE tips SET content = 'erased'", "TIP_MISMATCH"),
        ("DELETE FROM tips", "TIP_MISMATCH"),
        ("UPDATE tips SET contact = 'erased'", "TIP_MISMATCH"),
        ("UPDATE tips SET content = 'erased', wrapped_key = NULL, sealed = NULL", "TIP_NOT_RECORDED"),
    ],
)
def test_a_tip_that_somebody_altered_is_found(kh: Office, sql: str, code: str) -> None:
    submitted(kh, contact={"telephone": REPORTER})
    assert kh.fsck() == []
    with kh.ports.store.write() as tx:
        tx.exec_driver_sql(sql)
    assert code in kh.fsck()


@pytest.mark.parametrize(("days", "kept"), [(30, 30), (400, 90)])
def test_the_national_limit_for_tips_binds_where_it_is_shorter(kh: Office, days: int, kept: int) -> None:
    kh.ports = replace(kh.ports, retention=NationalRule(by_type={TIP: days}))
    submitted(kh)
    assert listed(kh)[0].erase_by - listed(kh)[0].submitted_at == kept * DAY
