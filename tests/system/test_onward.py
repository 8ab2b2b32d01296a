"""Three real nodes: an alert is passed on with leave, withdrawn, and attested by the third country by way of the holder."""

from pathlib import Path

import pytest

from exchange.v1 import handling_pb2
from node.keys.node_directory import example_plan
from tests.system.nodes import (
    Countries,
    Ledger,
    NodeProcess,
    Nursery,
    agree,
    ask,
    draft,
    make_partners,
    publish,
    template_agreement,
    until,
)
from tests.system.test_recall import Desk

pytestmark = pytest.mark.system
WHY = ("--reason", "A system test.")


def test_an_alert_is_passed_on_with_leave_and_its_withdrawal_follows_it(
    countries: Countries, nursery: Nursery, running: list[NodeProcess], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gb, kh, vn = countries.gb, countries.kh, countries.vn
    at_gb, at_kh, at_vn = (Desk(office, capsys) for office in countries.all())
    running += [nursery.start(office) for office in countries.all()]
    make_partners(kh, vn)
    agree(kh, vn, template_agreement(kh, vn))
    wanted = draft(1, [kh.agency("ahtjp")])
    wanted.handling.onward = handling_pb2.ONWARD_RULE_ASK
    wanted.handling.judicial_use = handling_pb2.JUDICIAL_USE_ASK
    with ask(gb) as stub:
        publish(stub, [wanted], Ledger())
    digest = at_gb("officer", "alert", "list")["alerts"][0]["manifest_digest"]
    until(lambda: at_kh.flags("officer", digest) == [] and at_kh("officer", "inbox", "list")["alerts"])
    (third,) = police("VN")
    # Asked, and refused to whoever tries without leave.
    words = ("--to", vn.agency(third), "--until", "P7D", *WHY)
    request = at_kh("officer", "onward", "request", digest, *words)["manifest_digest"]
    at_kh("officer", "onward", "release", request, *WHY, code=3)
    until(lambda: [one["state"] for one in at_gb("officer", "onward", "list")["onward"]] == ["ASKED"])
    # In court, too.
    court = at_kh("officer", "onward", "request", digest, "--judicial", "--until", "P7D", *WHY)["manifest_digest"]
    until(lambda: len(at_gb("officer", "onward", "list")["onward"]) == 2)
    assert at_gb("officer", "onward", "grant", request, *WHY)["permit_digest"]
    assert not at_gb("officer", "onward", "grant", court, *WHY)["permit_digest"]
    until(lambda: {one["state"] for one in at_kh("officer", "onward", "list")["onward"]} == {"GRANTED"})
    assert at_kh("officer", "inbox", "show", digest)["judicial_leave"]
    # Passed on, and known to the originator.
    answer = at_kh("officer", "onward", "release", request, *WHY)
    assert answer["notice"]["manifest_digest"]
    until(lambda: at_gb("officer", "onward", "show", request)["summary"]["state"] == "PASSED_ON")
    until(lambda: [one["manifest_digest"] for one in at_vn("officer", "inbox", "list")["alerts"]] == [digest])
    assert at_vn("officer", "inbox", "show", digest)["alert"]["alert"]["primary_name"]["family"] == "EXAMPLE"
    reached = at_gb("officer", "alert", "reach", digest)["reached"]
    assert [(one["agency"], one["via"]) for one in reached] == [
        (kh.agency("ahtjp"), ""),
        (f"spiffe://{vn.trust_domain}/node", kh.trust_domain),
    ]
    # Proof of it, for a stranger.
    file = tmp_path / "passed-on.evidence"
    at_kh("officer", "evidence", "export", kh.outbound(vn), "0", "-o", str(file))
    assert file.read_bytes()
    # Withdrawn everywhere, and attested in turn.
    at_gb("officer", "alert", "withdraw", digest, "--code", "WRONG_PERSON", *WHY)
    until(lambda: at_vn.flags("officer", digest) == ["WITHDRAWN", "ATTESTATION_OWED"])
    at_kh("officer", "inbox", "attest", digest, "--copies", "0", "--lists-updated", code=3)
    assert at_vn("officer", "inbox", "attest", digest, "--copies", "1", "--lists-updated")["erased"] == [digest]
    until(lambda: [one["stage"] for one in at_kh("officer", "onward", "show", request)["attestations"]] == ["ATTESTED"])
    assert at_kh("officer", "inbox", "attest", digest, "--copies", "0", "--lists-updated")["erased"] == [digest]
    until(lambda: {one["stage"] for one in at_gb("officer", "alert", "status", digest)["attestations"]} == {"ATTESTED"})
    for desk in (at_gb, at_kh, at_vn):
        checked = desk("auditor", "log", "fsck")
        assert (checked["holds"], checked["findings"]) == (True, [])


def police(country: str) -> list[str]:
    """The police of a country of the example, whose officer the tests speak for."""
    return [agency.slug for agency in example_plan(country).agencies if agency.agency_class == "POLICE"]
