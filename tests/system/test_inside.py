"""Real nodes: what came from abroad is distributed inside a country, recalled everywhere, and attested once every agency has confirmed."""

from pathlib import Path

import pytest

from tests.system.nodes import ROOT, Countries, Ledger, NodeProcess, Nursery, ask, draft, publish, until
from tests.system.test_recall import Desk, in_sync

pytestmark = pytest.mark.system

COORDINATION = """
type: ProsecutionCoordination
language: en
recipients: [spiffe://kh.alerts.example/agency/ahtjp]
purpose: PROSECUTION
not_after: P365D
handling: {{codes: [H0], permitted_purposes: [PROSECUTION, INVESTIGATION], judicial_use: ALLOWED, onward: NONE}}
{thread}
alert:
  suspect: {{name: {{family: EXAMPLE, given: Specimen, script: Latn}}}}
  offence_class: CONTACT_ABUSE
  prosecuting_country: KHM
  extraterritorial_basis: TERRITORY
  ne_bis_in_idem: CHECKED_CLEAR
  state: {state}
  contact_desk: {{unit: Example desk, channel: desk@gb.alerts.example}}
"""


def test_what_came_from_abroad_is_distributed_recalled_and_attested(
    countries: Countries, nursery: Nursery, running: list[NodeProcess], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gb, kh = countries.gb, countries.kh
    at_gb, at_kh = Desk(gb, capsys), Desk(kh, capsys)
    (kh.directory / "national.toml").write_text((ROOT / "policies/kh/national.toml").read_text("utf-8"), "utf-8")
    kh.config.write_text(kh.config.read_text("utf-8") + '\n[national]\nclauses = "national.toml"\n', "utf-8")
    running += [nursery.start(gb), nursery.start(kh)]
    gdi, prosecution = kh.agency("gdi"), kh.agency("prosecution")
    with ask(gb) as stub:
        publish(stub, [draft(1, [kh.agency("ahtjp")])], Ledger())
    digest = at_gb("officer", "alert", "list")["alerts"][0]["manifest_digest"]
    until(lambda: in_sync(gb, kh))
    # The desk looks, and tells the border; that sees its own projection, and nobody else anything.
    shown = at_kh("officer", "distribution", "preview", digest, "--to", gdi)["recipients"][0]
    assert {one["name"] for one in shown["fields"] if one["visibility"] == "SHOWN"} >= {"primary_name", "destination_area"}
    sent = at_kh("officer", "distribution", "send", digest, "--to", gdi, "--unticked", "birth", "--reason", "A system test.")
    assert [one["agency"] for one in sent["distributions"]] == [gdi]
    read = at_kh("partner-border", "inbox", "show", digest)
    assert read["alert"]["alert"]["primary_name"]["family"] == "EXAMPLE"
    assert {"birth", "national_reference"} <= set(read["alert"]["not_disclosed"])
    refused = at_kh("officer", "distribution", "send", digest, "--to", prosecution, "--reason", "A system test.", code=3)
    assert {one["code"] for one in refused["problems"]} == {"AUDIENCE_NOT_AGREED"}
    # An auditor sees who was told, in the journal and about the person.
    events = at_kh("auditor", "audit", "list", "--filter", "code = DISTRIBUTED")["events"]
    assert [(one["decoded"]["counterparty"], one["decoded"]["subject"]) for one in events] == [(gdi, digest)]
    about = at_kh("auditor", "audit", "recipients", "--subject", "EXAMPLE, Specimen 1", "--born", "1961-04", "--reason", "A system test.")
    assert [one["agency"] for found in about["alerts"] for one in found["distributions"]] == [gdi]
    # Coordination of a prosecution: published, distributed, updated in its thread; the update is followed at once.
    file = tmp_path / "coordination.yaml"
    file.write_text(COORDINATION.format(thread="", state="PROPOSED"), "utf-8")
    first = at_gb("officer", "alert", "publish", str(file), "--reason", "A system test.")["alerts"][0]["manifest_digest"]
    until(lambda: in_sync(gb, kh))
    at_kh("officer", "distribution", "send", first, "--to", prosecution, "--reason", "A system test.")
    file.write_text(COORDINATION.format(thread=f"thread: {first}", state="AGREED"), "utf-8")
    second = at_gb("officer", "alert", "update", first, str(file), "--reason", "A system test.")["replacement"]["manifest_digest"]
    until(lambda: in_sync(gb, kh))
    told = at_kh("officer", "distribution", "list", second)["distributions"]
    assert [(one["agency"], one["follows"]) for one in told] == [(prosecution, first)]
    # A withdrawal shows at every agency; the desk attests only once the border has confirmed.
    at_gb("officer", "alert", "withdraw", digest, "--code", "WRONG_PERSON", "--reason", "A system test.")
    until(lambda: at_kh.flags("partner-border", digest) == ["WITHDRAWN", "PURGE_OWED"])
    early = at_kh("officer", "inbox", "attest", digest, "--copies", "0", "--lists-updated", code=3)
    assert {one["code"] for answer in early["attestations"] for one in answer["problems"]} == {"INSIDE_NOT_PURGED"}
    assert at_kh("partner-border", "distribution", "confirm-purge", digest, "--copies", "1", "--lists-updated")["confirmed"] == [digest]
    late = at_kh("officer", "inbox", "attest", digest, "--copies", "0", "--lists-updated", "--reason", "Once more.", code=0)
    assert late["erased"] == [digest]
    assert at_kh.flags("partner-border", digest) == ["ERASED", "WITHDRAWN"]
    for desk in (at_gb, at_kh):
        checked = desk("auditor", "log", "fsck")
        assert (checked["holds"], checked["findings"]) == (True, [])
