"""NOT_THIS_PERSON: remembered at both ends, for this alert and whatever replaces it, and nothing else is kept of the innocent."""

from typing import Any

from exchange.v1 import hit_report_pb2, people_pb2
from node.operations import mis_hits, retention
from node.store import mis_hits as rows
from tests.countries import BORDER, POLICE, agency, changed
from tests.federation import Federation
from tests.recalls import attested, codes, recalled, replaced
from tests.rig import Office, draft

KH_BORDER, KH_POLICE = agency("kh", BORDER), agency("kh", POLICE)
INNOCENT, OTHER = ("GBR", "555000111"), ("GBR", "555000112")


def report(outcome: int = hit_report_pb2.HIT_OUTCOME_NOT_THIS_PERSON, **document: Any) -> hit_report_pb2.HitReport:
    shown = {"type": people_pb2.DOCUMENT_TYPE_PASSPORT, "issuer": INNOCENT[0], "number": INNOCENT[1]} | document
    return hit_report_pb2.HitReport(
        outcome=hit_report_pb2.HitOutcome.ValueType(outcome),
        identity_basis=[hit_report_pb2.IDENTITY_BASIS_DOCUMENT],
        document_shown=shown,
        desk={"unit": "Example desk", "channel": "+855 23 000 000"},
    )


def told(two: Federation) -> bytes:
    digest = two["gb"].publish(draft(KH_BORDER, KH_POLICE)).manifest_digest
    two.pump()
    return digest


def suppressed(office: Office, digest: bytes, *documents: tuple[str, str]) -> set[tuple[str, str]]:
    with office.ports.store.read() as tx:
        found = mis_hits.suppressed(office.ports, tx, [(digest, *document) for document in documents])
    assert {one for one, _, _ in found} <= {digest}
    return {(issuer, number) for _, issuer, number in found}


def test_the_same_mis_hit_is_not_raised_again_at_either_end(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    alert, another = told(two), told(two)
    assert suppressed(kh, alert, INNOCENT, OTHER) == set()
    assert not codes(kh.report(alert.hex(), report=report()))
    two.pump()
    for office in (gb, kh):
        assert suppressed(office, alert, INNOCENT, OTHER) == {INNOCENT}
        assert suppressed(office, alert, ("gbr", "555-000 111")) == {("gbr", "555-000 111")}, "however it is written"
        assert suppressed(office, another, INNOCENT) == set(), "of another alert it may be the person"
    assert ("alteration", kh.person("border"), alert.hex(), "MIS_HIT") in kh.journal()
    assert ("alteration", KH_BORDER, alert.hex(), "MIS_HIT") in gb.journal()
    assert gb.fsck() == kh.fsck() == []


def test_it_holds_for_whatever_replaces_the_alert(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    alert = told(two)
    second = replaced(gb, alert).replacement.manifest_digest
    two.pump()
    kh.report(second.hex(), report=report())
    third = replaced(gb, second).replacement.manifest_digest
    two.pump()
    for office in (gb, kh):
        assert all(suppressed(office, digest, INNOCENT) == {INNOCENT} for digest in (alert, second, third))


def test_only_that_outcome_with_a_document_is_remembered(two: Federation) -> None:
    kh = two["kh"]
    alert = told(two)
    kh.report(alert.hex(), report=report(hit_report_pb2.HIT_OUTCOME_CONFIRMED))
    assert not codes(kh.report(alert.hex(), report=changed(report(), document_shown=None)))
    assert suppressed(kh, alert, INNOCENT, ("GBR", "")) == set()


def test_what_is_kept_leads_back_to_nobody(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    alert = told(two)
    kh.report(alert.hex(), report=report())
    two.pump()
    tokens = []
    for office in (gb, kh):
        with office.ports.store.read() as tx:
            kept = tx.exec_driver_sql("SELECT first, token FROM mis_hits").all()
        assert [(len(first), len(token)) for first, token in kept] == [(32, 32)]
        assert all(b"555000111" not in bytes(part) for row in kept for part in row)
        tokens.append(kept[0][1])
    assert tokens[0] != tokens[1], "each end has a key of its own"


def test_it_goes_with_the_alert(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    alert = told(two)
    kh.report(alert.hex(), report=report())
    recalled(gb, alert)
    two.pump()
    attested(kh, alert)
    assert suppressed(kh, alert, INNOCENT) == {INNOCENT}
    attested(kh, alert, "police")
    assert suppressed(kh, alert, INNOCENT) == set()
    with kh.ports.store.read() as tx:
        assert rows.suppressed(tx, []) == set()


def test_it_goes_with_the_last_manifest_of_the_alert_whatever_erases_it(two: Federation) -> None:
    gb = two["gb"]
    first = told(two)
    two["kh"].report(first.hex(), report=report())
    two.pump()
    second = replaced(gb, first).replacement.manifest_digest
    liaison = gb.person("liaison")
    retention.erase_early(gb.ports, liaison, first.hex(), "synthetic reason")
    assert suppressed(gb, second, INNOCENT) == {INNOCENT}
    retention.erase_early(gb.ports, liaison, second.hex(), "synthetic reason")
    assert suppressed(gb, second, INNOCENT) == set()
    with gb.ports.store.read() as tx:
        assert not tx.exec_driver_sql("SELECT * FROM mis_hits").all()


def test_nobody_abroad_hides_a_passenger_from_alerts_that_are_not_between_us(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    ours = gb.publish(draft(KH_BORDER)).manifest_digest
    two.pump()

    def said(office: Office, digest: bytes, reporter: str) -> set[tuple[str, str]]:
        with office.ports.store.write() as tx:
            mis_hits.remember_report(office.ports, tx, changed(report(), manifest_digest=digest), reporter, 1)
        return suppressed(office, digest, INNOCENT)

    assert said(gb, ours, KH_POLICE) == set(), "it was not told of this alert"
    assert said(gb, bytes(32), KH_BORDER) == set(), "there is no such alert"
    assert said(kh, ours, agency("gb", POLICE)) == set(), "it is not our alert, and its originator does not screen for us"
    assert said(gb, ours, KH_BORDER) == {INNOCENT}
