"""Bundles from either end: each scope, verified by a stranger who has the fingerprints, and never more than the caller may have."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exchange.errors import Malformed, NotFound, Refused
from exchange.evidence import VerifiedEvidence
from exchange.evidence_bundle import verify_bundle
from exchange.v1 import desk_service_pb2, evidence_pb2
from node.operations import evidence_bundle
from node.operations.officers import NotPermitted
from tests.countries import BORDER, HOUR, POLICE, agency, domain, pins
from tests.federation import Federation, federation
from tests.refusals import refused
from tests.rig import Office, draft

pytestmark = pytest.mark.thorough

KH_BORDER, KH_POLICE = agency("kh", BORDER), agency("kh", POLICE)
DATA, CONTENTLESS = evidence_pb2.EVIDENCE_LEVEL_DATA, evidence_pb2.EVIDENCE_LEVEL_CONTENTLESS
ENTRY_ONLY, LOGGED_ONLY = evidence_pb2.EVIDENCE_LEVEL_ENTRY_ONLY, evidence_pb2.EVIDENCE_LEVEL_LOGGED_ONLY
OUT = "gb.alerts.example/disclosures/kh.alerts.example/1"
BACK = "kh.alerts.example/disclosures/gb.alerts.example/1"


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    """gb told kh's border (0) and police (1) of one alert, the police (2) of another; the border reported back on the first."""
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh")
        made["gb"].publish(draft(KH_BORDER, KH_POLICE))
        made.clock.pass_(HOUR)
        made["gb"].publish(draft(KH_POLICE))
        made.pump()
        made["kh"].report(made["kh"].received("border")[0].manifest_digest.hex())
        made.pump()
        yield made


def export(office: Office, name: str, **scope: Any) -> evidence_bundle.Exported:
    return evidence_bundle.export_bundle(office.ports, office.person(name), desk_service_pb2.ExportBundleRequest(**scope))


def proved(office: Office, name: str, **scope: Any) -> tuple[VerifiedEvidence, ...]:
    return verify_bundle(export(office, name, **scope).data, pins("gb", "kh"))


def places(found: tuple[VerifiedEvidence, ...]) -> list[tuple[str, int, int]]:
    return [(one.log.origin, one.index, one.level) for one in found]


def first_alert(two: Federation) -> str:
    return two["kh"].received("border")[0].manifest_digest.hex()


def test_one_disclosure(two: Federation) -> None:
    assert places(proved(two["gb"], "liaison", origin=OUT, index=1, content=True)) == [(OUT, 1, DATA)]
    assert places(proved(two["kh"], "auditor", origin=OUT, index=1)) == [(OUT, 1, CONTENTLESS)]


def test_an_alert_with_its_disclosures_and_the_report(two: Federation) -> None:
    everything = [(OUT, 0, DATA), (OUT, 1, DATA), (BACK, 0, DATA)]
    found = proved(two["gb"], "liaison", alert=first_alert(two), content=True)
    assert places(found) == everything
    assert all(one.view for one in found)
    assert found[2].manifest is not None
    assert found[2].manifest.alert_type == "exchange.v1.HitReport"
    without = [(origin, index, CONTENTLESS) for origin, index, _ in everything]
    for office in (two["gb"], two["kh"]):
        assert places(proved(office, "auditor", alert=first_alert(two))) == without
        assert places(proved(office, "auditor", digests=[bytes.fromhex(first_alert(two))])) == without


def test_what_is_another_agencys_is_left_out_and_only_reviewers_are_told(two: Federation) -> None:
    exported = export(two["kh"], "border", alert=first_alert(two), content=True)
    assert places(verify_bundle(exported.data, pins("gb", "kh")))[0] == (OUT, 0, DATA)
    assert not exported.left_out
    exported = export(two["kh"], "both", partner=domain("gb"), content=True)
    told = {(one.index, one.code) for one in exported.left_out if one.origin == OUT}
    assert told == {(1, "EVIDENCE_NOT_YOURS"), (2, "EVIDENCE_NOT_YOURS")}
    for scope in ({"origin": OUT, "index": 1}, {"partner": domain("kh"), "content": True}):
        with refused(NotPermitted, "EVIDENCE_NOT_YOURS"):
            export(two["gb"], "border" if "origin" in scope else "auditor", **scope)
    assert two["gb"].journal()[-1][3] == "EVIDENCE_NOT_YOURS"


def test_a_partner_and_a_period(two: Federation) -> None:
    gb = two["gb"]
    assert len(proved(gb, "auditor", partner=domain("kh"))) == 4
    late = two.clock.time
    assert places(proved(gb, "auditor", partner=domain("kh"), **{"from": late})) == [(OUT, 2, CONTENTLESS), (BACK, 0, CONTENTLESS)]
    assert places(proved(gb, "auditor", partner=domain("kh"), until=late)) == [(OUT, 0, CONTENTLESS), (OUT, 1, CONTENTLESS)]
    with refused(NotFound, "SCOPE_EMPTY"):
        export(gb, "auditor", partner=domain("kh"), **{"from": late + 1})
    with refused(NotFound, "PARTNER_UNKNOWN"):
        export(gb, "auditor", partner=domain("vn"))


def test_what_is_shared_is_stored_once(two: Federation) -> None:
    one = len(export(two["gb"], "liaison", origin=OUT, index=0, content=True).data)
    both = len(export(two["gb"], "liaison", alert=first_alert(two), content=True).data)
    assert both < 2 * one


def test_each_level_is_what_there_is(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    kh.ports.acquaintance.known = type(kh.ports.known)(own=kh.ports.known.own, partners=kh.ports.known.partners, agreements={})
    gb.publish(draft(KH_BORDER))
    two.pump()
    gb.publish(draft(KH_BORDER))
    with gb.ports.store.write() as tx:
        tx.exec_driver_sql("UPDATE alerts SET sealed = NULL, wrapped_key = NULL, state = 'erased' WHERE id = 1")
    exported = export(gb, "liaison", partner=domain("kh"), content=True)
    found = places(verify_bundle(exported.data, pins("gb", "kh")))
    assert found == [(OUT, 0, ENTRY_ONLY), (OUT, 1, ENTRY_ONLY), (OUT, 2, DATA), (OUT, 3, LOGGED_ONLY), (BACK, 0, DATA)]
    assert [(one.origin, one.index, one.code) for one in exported.left_out] == [(OUT, 4, "NOT_RECEIPTED")]
    assert places(proved(kh, "auditor", origin=OUT, index=3)) == [(OUT, 3, LOGGED_ONLY)]


def test_what_was_excepted_belongs_to_its_alert(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    kh.ports.acquaintance.known = type(kh.ports.known)(own=kh.ports.known.own, partners=kh.ports.known.partners, agreements={})
    published = gb.publish(draft(KH_BORDER))
    two.pump()
    assert places(proved(kh, "auditor", digests=[published.manifest_digest])) == [(OUT, 3, LOGGED_ONLY)]


def test_the_export_stands_in_the_journal_before_it_is_given(two: Federation) -> None:
    export(two["gb"], "liaison", alert=first_alert(two), content=True)
    told = [what for what in two["gb"].journal() if what[0] == "export"]
    assert [(place, code) for _, _, place, code in told] == [(f"{OUT}#0+2", "DATA"), (f"{BACK}#0+1", "DATA")]


@pytest.mark.parametrize("scope", [{}, {"alert": "00000000", "partner": "kh.alerts.example"}, {"digests": [b"short"]}])
def test_a_scope_is_one(two: Federation, scope: dict[str, Any]) -> None:
    with refused(Malformed, "SCOPE"):
        export(two["gb"], "auditor", **scope)


def test_a_scope_has_bounds(two: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence_bundle, "AT_MOST", 2)
    with refused(Refused, "SCOPE_TOO_LARGE"):
        export(two["gb"], "auditor", partner=domain("kh"))
    monkeypatch.setattr(evidence_bundle, "CAP_BUNDLE", 100)
    with refused(Refused, "SCOPE_TOO_LARGE"):
        export(two["gb"], "auditor", origin=OUT, index=0)


def test_who_may_not_prove_gets_nothing(two: Federation) -> None:
    with refused(NotPermitted, "ROLE_MISSING"):
        export(two["gb"], "administrator", partner=domain("kh"))
    with refused(NotFound, "ALERT_NOT_FOUND"):
        export(two["gb"], "both", alert=first_alert(two))
