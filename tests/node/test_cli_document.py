"""Messages as JSON documents: a shape that a script can rely on."""

from exchange.v1 import desk_service_pb2, hit_report_pb2
from node.cli.output import grouped, plain
from node.documents import document, iso_time
from node.short_words import party_name, state_text


def test_every_field_is_there_even_if_nothing_is_set() -> None:
    assert document(desk_service_pb2.DisclosureStatus()) == {
        "disclosure": None,
        "state": None,
        "exception": None,
        "withheld": None,
        "disclosed_at": None,
        "receipted_at": None,
        "reports": [],
    }
    assert document(desk_service_pb2.LoggedDisclosure()) == {
        "origin": "",
        "index": 0,
        "audience": [],
        "fields": [],
        "clause": "",
        "disclosed_at": None,
    }


def test_values_are_written_as_scripts_want_them() -> None:
    basis = [hit_report_pb2.IDENTITY_BASIS_DOCUMENT, hit_report_pb2.IDENTITY_BASIS_NAME_AND_BIRTH]
    outcome = hit_report_pb2.HIT_OUTCOME_REFUSED_ENTRY
    report = hit_report_pb2.HitReport(manifest_digest=b"\x01\xff", outcome=outcome, identity_basis=basis)
    data = document(report)
    assert data["manifest_digest"] == "01ff"
    assert data["outcome"] == "REFUSED_ENTRY"
    assert data["identity_basis"] == ["DOCUMENT", "NAME_AND_BIRTH"]
    assert data["cannot_execute_reason"] is None


def test_an_unknown_number_is_shown_as_such() -> None:
    raw = desk_service_pb2.DisclosureStatus.FromString(b"\x10\x63")
    assert document(raw)["state"] == "UNKNOWN_99"


def test_times_are_iso_8601_in_utc_and_zero_is_none() -> None:
    assert iso_time(1_785_000_000_007) == "2026-07-25T17:20:00.007Z"
    assert iso_time(0) is None
    assert iso_time(2**62) is None
    assert document(desk_service_pb2.Finding(index=7))["index"] == 7


def test_words_for_people() -> None:
    assert party_name("spiffe://kh.alerts.example/agency/gdi") == "gdi (kh)"
    assert party_name("spiffe://kh.alerts.example/node") == "node (kh)"
    assert party_name("spiffe://kh.alerts.example/officer/ibis") == "spiffe://kh.alerts.example/officer/ibis"
    assert grouped(bytes(32)).splitlines() == ["0000 " * 7 + "0000"] * 2
    assert plain("a\x1b\x07\u202eb\nខ្មែរ\u200b") == "a\ufffd\ufffd\ufffdb\nខ្មែរ\u200b"
    assert state_text("EXCEPTED", "WITHHELD", "CLOCK") == "withheld: clock"
    assert state_text("EXCEPTED", None, None) == "refused"
    assert state_text("LOGGED", None, None) == "logged"
