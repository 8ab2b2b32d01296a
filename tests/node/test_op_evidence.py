"""Evidence from either end of a disclosure, verified by a stranger who has two fingerprints."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.errors import Malformed, NotFound, Refused
from exchange.evidence import VerifiedEvidence, verify_evidence
from exchange.v1 import evidence_pb2, receipt_pb2
from node.operations import evidence, preview
from node.operations.officers import NotPermitted
from tests.countries import BORDER, POLICE, agency, pins
from tests.federation import Federation, federation
from tests.refusals import refused
from tests.rig import Office, draft

KH_BORDER, KH_POLICE = agency("kh", BORDER), agency("kh", POLICE)
DATA, CONTENTLESS = evidence_pb2.EVIDENCE_LEVEL_DATA, evidence_pb2.EVIDENCE_LEVEL_CONTENTLESS
ENTRY_ONLY, LOGGED_ONLY = evidence_pb2.EVIDENCE_LEVEL_ENTRY_ONLY, evidence_pb2.EVIDENCE_LEVEL_LOGGED_ONLY
ORIGIN = "gb.alerts.example/disclosures/kh.alerts.example/1"


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    """gb told kh's border (index 0) and police (index 1)."""
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh")
        made["gb"].publish(draft(KH_BORDER, KH_POLICE))
        made.pump()
        yield made


def export(office: Office, name: str, index: int, level: int = DATA) -> VerifiedEvidence:
    return verify_evidence(evidence.export_evidence(office.ports, office.person(name), ORIGIN, index, level), pins("gb", "kh"))


def test_either_side_proves_what_the_recipient_was_shown(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    shown = {one.recipient: one.view for one in preview.preview(gb.ports, gb.person("liaison"), draft(KH_BORDER, KH_POLICE)).recipients}
    for office, name, index in ((gb, "liaison", 0), (kh, "border", 0), (gb, "liaison", 1), (kh, "police", 1)):
        proved = export(office, name, index)
        assert (proved.index, proved.level) == (index, DATA)
        assert proved.view == shown[proved.entry.audience[0]]
        assert proved.clause is not None


def test_an_auditor_proves_the_disclosure_without_its_content(two: Federation) -> None:
    for office in (two["gb"], two["kh"]):
        assert export(office, "auditor", 0, CONTENTLESS).view == b""
        assert export(office, "auditor", 1, ENTRY_ONLY).manifest is None
        kind, who, _, code = office.journal()[-1]
        assert (kind, who, code) == ("export", office.person("auditor"), "ENTRY_ONLY")
        with office.ports.store.read() as tx:
            size = office.ports.journal.edge(tx).frontier.size
            (last,) = office.ports.journal.rows(tx, size - 1, size)
        assert (last.origin, last.first, last.count) == (ORIGIN, 1, 1)
        with refused(NotPermitted, "EVIDENCE_NOT_YOURS"):
            export(office, "auditor", 0, DATA)
        assert office.journal()[-1] == ("refusal", office.person("auditor"), "", "EVIDENCE_NOT_YOURS")


def test_another_agencys_disclosure_is_not_mine_to_prove(two: Federation) -> None:
    for office, name in ((two["kh"], "border"), (two["gb"], "both"), (two["gb"], "border")):
        for level in (DATA, CONTENTLESS):
            with refused(NotPermitted, "EVIDENCE_NOT_YOURS"):
                export(office, name, 1, level)
    with refused(NotPermitted, "ROLE_MISSING"):
        export(two["gb"], "administrator", 0)


def test_what_is_not_receipted_cannot_be_proved_yet(two: Federation) -> None:
    two["gb"].publish(draft(KH_BORDER))
    with refused(Refused, "NOT_RECEIPTED"):
        export(two["gb"], "liaison", 2)


def test_an_exception_proves_logging_only_and_nothing_else_does(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    kh.ports.acquaintance.known = replace(kh.ports.known, agreements={})
    gb.publish(draft(KH_BORDER))
    two.pump()
    for office, name in ((gb, "liaison"), (kh, "auditor")):
        assert export(office, name, 2, LOGGED_ONLY).exception == receipt_pb2.EXCEPTION_CODE_NOT_AGREED
    with refused(Refused, "EVIDENCE_LEVEL"):
        export(gb, "liaison", 2, DATA)
    with refused(Refused, "EVIDENCE_LEVEL"):
        export(gb, "liaison", 0, LOGGED_ONLY)


def test_after_erasure_the_entry_is_what_can_be_proved(two: Federation) -> None:
    gb = two["gb"]
    with gb.ports.store.write() as tx:
        tx.exec_driver_sql("UPDATE alerts SET sealed = NULL, wrapped_key = NULL, state = 'erased'")
    with refused(NotFound, "ERASED"):
        export(gb, "liaison", 0, CONTENTLESS)
    assert export(gb, "liaison", 0, ENTRY_ONLY).level == ENTRY_ONLY


def test_a_receipt_whose_checkpoint_was_lost_proves_nothing_here(two: Federation) -> None:
    kh = two["kh"]
    with kh.ports.store.write() as tx:
        tx.exec_driver_sql("UPDATE receipts SET checkpoint = x''")
    with refused(Refused, "CHECKPOINT_MISSING"):
        export(kh, "border", 0)


def test_there_must_be_such_a_log_such_an_entry_and_such_a_level(two: Federation) -> None:
    gb = two["gb"]
    with refused(NotFound, "ENTRY_UNKNOWN"):
        export(gb, "liaison", 2)
    with refused(NotFound, "LOG_UNKNOWN"):
        evidence.export_evidence(gb.ports, gb.person("liaison"), ORIGIN.replace("/1", "/2"), 0, DATA)
    for level in (0, 9):
        with refused(Malformed, "EVIDENCE_LEVEL"):
            export(gb, "liaison", 0, level)


def test_evidence_of_an_earlier_receipt_stands_when_the_log_has_grown(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    for _ in range(3):
        gb.publish(draft(KH_POLICE))
        two.pump()
    assert export(gb, "liaison", 1).size == 2
    assert export(kh, "police", 4).size == 5


def test_with_a_country_that_is_no_partner_any_more_nothing_is_proved(two: Federation) -> None:
    gb = two["gb"]
    with gb.ports.store.write() as tx:
        tx.exec_driver_sql("DELETE FROM partners")
    gb.restart()
    with refused(NotFound, "PARTNER_UNKNOWN"):
        export(gb, "liaison", 0)
