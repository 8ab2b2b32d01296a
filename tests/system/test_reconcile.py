"""Two real nodes: evidence by scope, exported logs and a reconciliation, over real TLS, as an officer and an auditor ask for them."""

import json
from pathlib import Path
from typing import Any

import pytest

from exchange.evidence_bundle import verify_bundle
from exchange.v1 import directory_pb2, statement_pb2
from node.cli.audit_compare import compare
from node.cli.audit_reconcile import reconcile
from node.cli.context import Settings
from node.cli.errors import Trouble
from tests.system.nodes import ROOT, Countries, NodeProcess, Office, exchange, receipted, start, until

pytestmark = pytest.mark.system

SAMPLE = ROOT / "samples/travel-alert-gb-kh.yaml"


def fingerprint(office: Office) -> bytes:
    """Of the identity key that signed the office's first descriptor."""
    chain = directory_pb2.DescriptorChain.FromString((office.directory / "descriptor.pb").read_bytes())
    return statement_pb2.Statement.FromString(chain.descriptors[0]).signatures[0].key_id


def digest_in(published: Any) -> str:
    """The manifest's digest in what a release printed."""
    return json.dumps(published).partition('"manifest_digest": "')[2][:64]


def test_two_countries_prove_and_compare(
    countries: Countries, running: list[NodeProcess], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gb, kh = countries.gb, countries.kh
    running += [start(gb), start(kh)]

    def run(office: Office, who: str, *words: str) -> Any:
        capsys.readouterr()
        assert exchange("--context", str(office.directory / f"{who}.toml"), "--json", *words) == 0
        return json.loads(capsys.readouterr().out.splitlines()[-1])

    def reconciled(office: Office, *words: str) -> tuple[int, Any]:
        capsys.readouterr()
        settings = Settings(context=office.directory / "auditor.toml", json=True, timeout=20)
        code = int(reconcile.main(list(words), standalone_mode=False, obj=settings) or 0)
        return code, json.loads(capsys.readouterr().out)

    published = run(gb, "officer", "alert", "publish", str(SAMPLE), "--reason", "synthetic reason")
    until(lambda: receipted(gb, gb.outbound(kh)) == (2, 2))
    for office, other in ((gb, kh), (kh, gb)):
        code, told = reconciled(office, "--with", other.trust_domain)
        assert (code, told["equal"], told["differences"]) == (0, True, [])
        assert {log["questions"] for log in told["logs"]} == {0}

    assert exchange("--context", str(gb.directory / "auditor.toml"), "audit", "reconcile", "--with", kh.trust_domain) == 0
    assert "audit fsck" in capsys.readouterr().out  # equal hashes do not say that the entries still lead to them

    copies = [tmp_path / name for name in ("gb.log", "kh.log")]
    for office, copy in zip((gb, kh), copies, strict=True):
        assert run(office, "auditor", "log", "export", gb.outbound(kh), "-o", str(copy))["bytes"] == copy.stat().st_size
    pins = {office.trust_domain: fingerprint(office) for office in (gb, kh)}
    given = [part for name, pin in pins.items() for part in ("--pin", f"{name}={pin.hex()}")]
    settings = Settings(context=None, json=True, timeout=1)
    assert compare.main([*map(str, copies), *given], standalone_mode=False, obj=settings) == 0

    file = tmp_path / "everything"
    told = run(gb, "auditor", "evidence", "export", "--partner", kh.trust_domain, "--no-data", "-o", str(file))
    assert (told["disclosures"], told["left_out"]) == (2, [])
    assert len(verify_bundle(file.read_bytes(), pins)) == 2
    told = run(gb, "officer", "evidence", "export", "--alert", digest_in(published), "-o", str(file))
    assert told["disclosures"] == 2
    assert exchange("evidence", "verify", str(file), *given) == 0

    running[1].kill()
    with pytest.raises(Trouble) as trouble:
        reconciled(gb, "--with", kh.trust_domain)
    assert (trouble.value.code, trouble.value.exit_code) == ("PARTNER_UNREACHABLE", 5)
