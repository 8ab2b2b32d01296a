"""`exchange node init`: a whole node in one directory, from the example roster."""

import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from exchange.directory import open_descriptor_chain
from exchange.errors import Conflict, NotFound, Refused
from exchange.profile import alert_types
from exchange.v1 import desk_service_pb2, directory_pb2, statement_pb2
from node.app import policy_of
from node.cli.main import run
from node.config import load_config
from node.keys.node_directory import example_plan, write_node_directory
from node.keys.signers import open_signer
from tests.node.fake_desk import serve, set_up

ROOT = Path(__file__).resolve().parents[2]
COUNTRIES = ("GB", "KH", "VN", "TH", "PH", "LA", "IN", "HK", "SG", "MM")


def init(directory: Path, capsys: pytest.CaptureFixture[str], *options: str, code: int = 0) -> dict[str, str]:
    assert run(["node", "init", "--dir", str(directory), "--json", *options]) == code
    data: dict[str, str] = json.loads(capsys.readouterr().out)
    return data


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_example_country_becomes_a_node_whose_configuration_loads(
    country: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = init(tmp_path / "n", capsys, "--country", country)
    config = load_config(tmp_path / "n/node.toml", {})
    assert config.node.country == country
    assert config.node.trust_domain == made["trust_domain"]
    assert config.node.training
    for uri in (config.keys.agreement, config.keys.log, config.keys.receipt, config.keys.witness, config.keys.identity):
        assert len(open_signer(uri).sign(b"x")) == 64
    for path in (config.tls.node_certificate, config.tls.node_key, config.tls.node_ca, config.tls.desk_certificate):
        assert path.is_file()
    assert config.store.database.parent.is_dir()
    assert config.store.high_water.is_dir()
    assert len(bytes.fromhex((tmp_path / "n/keys/vault.key").read_text("ascii").strip())) == 32
    roles = {role for officer in config.officers for role in officer.roles}
    assert roles == {"liaison officer", "partner officer", "auditor", "administrator"}
    for context in ("liaison", "partner-border", "partner-police", "officer", "auditor", "administrator"):
        assert (tmp_path / f"n/{context}.toml").is_file(), context


def test_a_node_is_set_up_under_a_policy_pack(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pack = ROOT / "policies/gb/transfers.toml"
    init(tmp_path / "n", capsys, "--country", "GB", "--policy", str(pack))
    policy = policy_of(load_config(tmp_path / "n/node.toml", {}))
    assert policy is not None
    assert (policy.country, policy.name) == ("GB", "gb-transfers")
    assert (tmp_path / "n/keys/policy.key").stat().st_mode & 0o777 == 0o600
    init(tmp_path / "plain", capsys, "--country", "GB")
    assert policy_of(load_config(tmp_path / "plain/node.toml", {})) is None


@pytest.mark.parametrize(("name", "code"), [("gb", "KH"), ("kh", "GB"), ("", "GB")])
def test_nothing_is_set_up_under_another_countrys_pack_or_none(
    name: str, code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack = ROOT / f"policies/{name}/transfers.toml" if name else ROOT / "README.md"
    said = init(tmp_path / "n", capsys, "--country", code, "--policy", str(pack), code=2)
    assert "policy" in str(said)
    assert not (tmp_path / "n").exists()


def test_the_descriptor_opens_with_the_fingerprint_that_was_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = init(tmp_path / "n", capsys, "--country", "KH", "--port-base", "7543")
    config = load_config(tmp_path / "n/node.toml", {})
    chain = directory_pb2.DescriptorChain.FromString(config.store.descriptors.read_bytes())
    statements = [statement_pb2.Statement.FromString(raw) for raw in chain.descriptors]
    known = open_descriptor_chain(statements, bytes.fromhex(made["identity_fingerprint"]))
    assert known.trust_domain == "kh.alerts.example"
    assert known.descriptor.endpoint == config.node.endpoint == "localhost:7543"
    assert made["desk"] == config.listen.desk == "127.0.0.1:7544"
    assert known.descriptor.training
    assert known.profiles == {name: (kind.digest,) for name, kind in alert_types().items()}
    assert {str(entry.id) for entry in config.agencies} == set(known.agencies)
    for slug, uri in config.keys.statement.items():
        key = known.find(open_signer(uri).key_id)
        assert key is not None
        assert key.speaks_for == {f"spiffe://kh.alerts.example/agency/{slug}"}
    log = known.find(open_signer(config.keys.log).key_id)
    assert log is not None
    assert log.use == directory_pb2.KEY_USE_LOG
    upcoming = open_signer(f"file:{tmp_path}/n/keys/identity-next.key").key_id
    assert known.descriptor.next_identity_key == upcoming


def test_no_private_key_is_readable_by_others_and_each_says_that_it_is_an_example(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    init(tmp_path / "n", capsys, "--country", "GB")
    keys = list((tmp_path / "n").rglob("*.key"))
    assert len(keys) > 10
    assert {path.stat().st_mode & 0o777 for path in keys} == {0o600}
    assert all(b"EXAMPLE" in path.read_bytes() for path in keys if path.name != "vault.key")


def test_a_node_is_never_set_up_over_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    init(tmp_path / "n", capsys, "--country", "GB")
    before = {path: path.read_bytes() for path in (tmp_path / "n").rglob("*") if path.is_file()}
    error = init(tmp_path / "n", capsys, "--country", "GB", code=3)["error"]
    assert error["code"] == "NODE_EXISTS"  # type: ignore[index]
    assert before == {path: path.read_bytes() for path in (tmp_path / "n").rglob("*") if path.is_file()}


def test_a_set_up_that_was_interrupted_goes_on_with_the_same_keys(tmp_path: Path) -> None:
    made = set_up(tmp_path / "n")
    vault = (tmp_path / "n/keys/vault.key").read_bytes()
    (tmp_path / "n/node.toml").unlink()
    again = write_node_directory(example_plan("GB"), tmp_path / "n", now=datetime.now(UTC), vault_key=bytes(32), port=7443)
    assert again.fingerprint == made.fingerprint
    assert (tmp_path / "n/keys/vault.key").read_bytes() == vault
    with pytest.raises(Conflict, match="already holds a node"):
        set_up(tmp_path / "n")


def test_an_unknown_country_is_a_usage_error_that_names_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["node", "init", "--country", "FR", "--dir", str(tmp_path / "n")]) == 2
    assert "GB, KH, VN" in capsys.readouterr().err
    assert not (tmp_path / "n").exists()
    with pytest.raises(NotFound):
        example_plan("FR")


def test_the_contexts_work_against_the_desk_of_the_same_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    set_up(tmp_path / "n")
    with serve(tmp_path / "n") as desk:
        desk.answers["WhoAmI"] = desk_service_pb2.WhoAmIResponse(party="x")
        for context in sorted((tmp_path / "n").glob("*.toml")):
            if context.name not in {"node.toml", "party.toml"}:
                assert run(["--context", str(context), "whoami"]) == 0, context
    assert len(desk.asked) == 7


def test_a_wrong_configuration_starts_nothing_and_is_told_by_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    set_up(tmp_path / "n")
    config = tmp_path / "n/node.toml"
    config.write_text(config.read_text("utf-8").replace("training = ", "traning = "), "utf-8")
    assert run(["node", "run", "--config", str(config)]) == 2
    told = capsys.readouterr().err
    assert "node.traning: unknown key; did you mean training?" in told
    assert "node.training: missing" in told


def test_a_key_in_a_token_is_refused_and_not_ignored() -> None:
    with pytest.raises(Refused) as caught:
        open_signer("pkcs11:object=log")
    assert caught.value.code == "KEY_URI"


def test_the_contact_of_a_context_is_its_agency(tmp_path: Path) -> None:
    set_up(tmp_path / "n", "KH")
    border = tomllib.loads((tmp_path / "n/partner-border.toml").read_text("utf-8"))
    assert border["unit"] == "General Department of Immigration (EXAMPLE)"
    auditor = tomllib.loads((tmp_path / "n/auditor.toml").read_text("utf-8"))
    assert "unit" not in auditor
