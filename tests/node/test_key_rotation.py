"""`exchange key` and `exchange node describe`: keys replaced and ended, each by a descriptor that partners take."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from exchange.directory import KnownNode, advance
from exchange.errors import Refused
from exchange.signing import key_id_of
from exchange.v1 import directory_pb2
from node.cli.main import run
from node.config import Config, load_config
from node.keys import rotation
from node.keys.next_descriptor import read_own
from node.keys.signers import file_signer

USES = ("agreement", "log", "receipt", "witness", "recall")


@pytest.fixture
def office(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert run(["node", "init", "--dir", str(tmp_path / "gb"), "--country", "GB"]) == 0
    capsys.readouterr()
    return tmp_path / "gb"


def own(office: Path) -> KnownNode:
    return read_own(office / "descriptor.pb")


def config(office: Path) -> Config:
    return load_config(office / "node.toml", {})


def said(capsys: pytest.CaptureFixture[str], office: Path, *words: str, code: int = 0) -> dict[str, Any]:
    assert run(["--json", *words, "--config", str(office / "node.toml")]) == code
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer.get("error", answer)


@pytest.mark.parametrize("use", USES)
def test_a_key_is_replaced_described_and_the_old_one_kept(use: str, office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, old = own(office), file_signer(office / f"keys/{use}.key").key_id
    answer = said(capsys, office, "key", "rotate", use)
    after, new = own(office), file_signer(office / f"keys/{use}.key").key_id
    assert new.hex() == answer["key_id"]
    assert new != old == file_signer(Path(answer["old_key"])).key_id
    assert after.keys[new].use == before.keys[old].use
    assert after.keys[new].speaks_for == before.keys[old].speaks_for
    assert not after.keys[old].revoked_at
    assert set(after.keys) == {*before.keys, new}
    assert advance(before, after).descriptor.sequence == 2
    assert (office / f"keys/{use}.key").stat().st_mode & 0o777 == 0o600


def test_an_agencys_statement_key_speaks_for_that_agency(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = said(capsys, office, "key", "rotate", "statement", "--agency", "acro")
    assert own(office).keys[bytes.fromhex(answer["key_id"])].speaks_for == {"spiffe://gb.alerts.example/agency/acro"}
    assert said(capsys, office, "key", "rotate", "statement", "--agency", "nobody", code=3)["code"] == "KEY_NOT_CONFIGURED"
    assert said(capsys, office, "key", "rotate", "statement", code=2)["code"] == "USAGE"
    assert own(office).descriptor.sequence == 2


def test_the_identity_key_gives_way_to_the_announced_one_and_announces_another(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = own(office)
    announced = file_signer(office / "keys/identity-next.key").key_id
    for number in (2, 3):
        answer = said(capsys, office, "key", "rotate", "identity")
        now = own(office)
        assert answer["key_id"] == announced.hex() == file_signer(office / "keys/identity.key").key_id.hex()
        assert now.chain[-1].signatures[0].key_id == announced
        announced = file_signer(office / "keys/identity-next.key").key_id
        assert now.descriptor.next_identity_key == announced
        assert now.descriptor.sequence == number
    assert advance(first, own(office)).chain[0] == first.chain[0]


def test_an_identity_key_that_nobody_announced_is_not_taken(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (office / "keys/identity-next.key").write_bytes((office / "keys/log.key").read_bytes())
    assert said(capsys, office, "key", "rotate", "identity", code=3)["code"] == "IDENTITY_NOT_ANNOUNCED"
    (office / "keys/identity-next.key").unlink()
    assert said(capsys, office, "key", "rotate", "identity", code=3)["code"] == "IDENTITY_OFFLINE"
    stranger = ("--identity", str(office / "keys/log.key"))
    assert said(capsys, office, "key", "rotate", "log", *stranger, code=4)["code"] == "DESCRIPTOR_UNVERIFIED"
    assert own(office).descriptor.sequence == 1


@pytest.mark.parametrize("use", ["log", "identity"])
@pytest.mark.parametrize("step", range(1, 5))
def test_a_rotation_that_is_cut_off_leaves_a_node_that_starts_and_is_finished_by_the_same_command(
    use: str, step: int, office: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, replace = 0, Path.replace

    class CutOff(Exception):
        """The power failed."""

    def failing(path: Path, target: str | os.PathLike[str]) -> Path:
        nonlocal steps
        if path.suffix != ".next" and "identity" not in path.name and "descriptor" not in path.name:
            return replace(path, target)
        steps += 1
        if steps == step:
            raise CutOff
        return replace(path, target)

    place = office / f"keys/{use}.key"
    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", failing)
        whole = True
        try:
            rotation.rotate(config(office), use, agency="", identity=office / "keys/identity.key", now=own(office).descriptor.issued_at + 1)
        except CutOff:
            whole = False
    key = own(office).find(file_signer(place).key_id)
    assert key is not None, "the node would sign with a key that nobody knows"
    assert not key.revoked_at
    if not whole:
        said(capsys, office, "key", "rotate", use)
    after = own(office)
    assert after.descriptor.sequence == 2
    assert not list((office / "keys").glob("*.next"))
    if use == "identity":
        assert after.chain[-1].signatures[0].key_id == file_signer(place).key_id
        assert after.descriptor.next_identity_key == file_signer(office / "keys/identity-next.key").key_id


def test_a_key_in_use_is_not_revoked_and_a_replaced_one_is(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = file_signer(office / "keys/log.key").key_id.hex()
    assert said(capsys, office, "key", "revoke", old[:8], "--reason", "superseded", code=3)["code"] == "KEY_IN_USE"
    identity = file_signer(office / "keys/identity.key").key_id.hex()
    assert said(capsys, office, "key", "revoke", identity, "--reason", "superseded", code=3)["code"] == "KEY_IN_USE"
    said(capsys, office, "key", "rotate", "log")
    said(capsys, office, "key", "revoke", old[:8], "--reason", "superseded")
    key = own(office).keys[bytes.fromhex(old)]
    assert key.revoked_at
    assert not key.compromised_since
    assert said(capsys, office, "key", "revoke", old, "--reason", "cessation", code=3)["code"] == "KEY_ENDED"
    assert said(capsys, office, "key", "revoke", old[:7], "--reason", "cessation", code=3)["code"] == "KEY_NOT_FOUND"
    assert said(capsys, office, "key", "revoke", "0" * 8, "--reason", "cessation", code=3)["code"] == "KEY_NOT_FOUND"


def test_a_stolen_key_is_revoked_from_when_it_may_have_been_stolen_and_only_ever_earlier(
    office: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = file_signer(office / "keys/receipt.key").key_id
    said(capsys, office, "key", "rotate", "receipt")

    def revoke(since: str, code: int = 0) -> dict[str, Any]:
        return said(capsys, office, "key", "revoke", old.hex(), "--reason", "compromised", "--since", since, code=code)

    assert said(capsys, office, "key", "revoke", old.hex(), "--reason", "compromised", code=2)["code"] == "USAGE"
    for wrong in ("2026-11-20T08:00", "yesterday", "2999-01-01T00:00Z"):
        assert revoke(wrong, 2)["code"] == "TIME_UNREADABLE"
    revoke("2026-01-02T00:00Z")
    first = own(office)
    assert first.keys[old].compromised_since == 1767312000000
    assert revoke("2026-01-03T00:00Z", 3)["code"] == "KEY_ENDED"
    revoke("2026-01-01T00:00Z")
    second = own(office)
    assert second.keys[old].compromised_since == 1767225600000
    assert second.keys[old].revoked_at == first.keys[old].revoked_at


def test_a_tls_key_is_revoked_once(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    certificate = str(office / "tls/node.pem")
    answer = said(capsys, office, "key", "revoke-tls", certificate)
    assert [one.key_id.hex() for one in own(office).descriptor.revoked_tls_keys] == [answer["key_id"]]
    assert said(capsys, office, "key", "revoke-tls", certificate, code=3)["code"] == "KEY_ENDED"
    said(capsys, office, "node", "describe")
    assert len(own(office).descriptor.revoked_tls_keys) == 1


def test_the_next_descriptor_says_what_the_configuration_says(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = own(office)
    file = office / "node.toml"
    text = file.read_text("utf-8").replace('endpoint = "localhost:7443"', 'endpoint = "gb.example:443"').replace('"cy-GB"', '"gd-GB"')
    new = '\n[[agencies]]\nid = "spiffe://gb.alerts.example/agency/new"\nname = "New"\nclass = "POLICE"\n'
    file.write_text(text + new, "utf-8")
    answer = said(capsys, office, "node", "describe")
    after = own(office).descriptor
    assert (after.endpoint, list(after.languages)) == ("gb.example:443", ["en-GB", "gd-GB"])
    assert {one.agency for one in after.agencies} == {*before.agencies, "spiffe://gb.alerts.example/agency/new"}
    assert after.keys == before.descriptor.keys
    assert after.understands == before.descriptor.understands
    assert after.node_ca == before.descriptor.node_ca
    assert answer["sequence"] == after.sequence == 2
    assert after.next_update > before.descriptor.next_update


def test_what_an_older_version_understood_stays(office: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    older = bytes(32)
    descriptor = own(office).descriptor
    del descriptor.understands[1:]
    descriptor.understands[0].profiles[:] = [older]
    signed = rotation.succeeded(own(office), descriptor, file_signer(office / "keys/identity.key"), descriptor.issued_at + 1)
    rotation.write_own(office / "descriptor.pb", signed)
    rotation.describe(config(office), identity=office / "keys/identity.key", now=descriptor.issued_at + 2)
    understood = own(office).profiles
    assert len(understood) == len(rotation.as_configured(own(office), config(office)).understands) > 1
    assert understood[descriptor.understands[0].alert_type][0] == older
    monkeypatch.setattr("node.keys.next_descriptor.CHAIN_AT_MOST", (office / "descriptor.pb").stat().st_size)
    with pytest.raises(Refused) as refused:
        rotation.describe(config(office), identity=office / "keys/identity.key", now=descriptor.issued_at + 3)
    assert refused.value.code == "DESCRIPTOR_CHAIN_LONG"


def test_an_offline_identity_key_is_named(office: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (office / "node.toml").read_text("utf-8")
    (office / "node.toml").write_text("\n".join(line for line in text.splitlines() if not line.startswith("identity =")), "utf-8")
    offline = (office / "keys/identity.key").rename(tmp_path / "identity.key")
    for verb in (("node", "describe"), ("key", "rotate", "log")):
        assert "--identity" in said(capsys, office, *verb, code=2)["happened"]
        assert said(capsys, office, *verb, "--identity", str(tmp_path / "none.key"), code=3)["code"] == "IDENTITY_OFFLINE"
        said(capsys, office, *verb, "--identity", str(offline))
    assert own(office).descriptor.sequence == 3


def test_the_list_says_what_is_in_use_what_ended_and_what_nobody_knows(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = file_signer(office / "keys/log.key").key_id
    said(capsys, office, "key", "rotate", "log")
    said(capsys, office, "key", "revoke", old.hex(), "--reason", "superseded")
    listed = said(capsys, office, "key", "list")
    by_id = {one["key_id"]: one for one in listed["keys"]}
    assert by_id[old.hex()]["revoked_at"]
    assert by_id[old.hex()]["configured_as"] is None
    assert sorted(one["configured_as"] for one in listed["keys"] if one["configured_as"]) == sorted(rotation.in_use(config(office)))
    assert all(one["days_left"] >= 729 for one in listed["keys"])
    assert listed["not_described"] == []
    (office / "keys/witness.key").write_bytes((office / "keys/identity-next.key").read_bytes())
    assert said(capsys, office, "key", "list")["not_described"] == ["witness"]
    assert run(["key", "list", "--config", str(office / "node.toml")]) == 0
    drawn = capsys.readouterr().out
    assert "revoked 20" in drawn
    assert "in use, 729 days left" in drawn
    assert "witness is not described" in drawn


def test_no_descriptor_no_key(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (office / "descriptor.pb").write_bytes(b"")
    assert said(capsys, office, "key", "rotate", "log", code=2)["code"] == "DESCRIPTOR_FILE"
    assert key_id_of(file_signer(office / "keys/log.key").spki) == file_signer(office / "keys/log.key").key_id
    assert not list((office / "keys").glob("*.next"))
    assert directory_pb2.DescriptorChain.FromString((office / "descriptor.pb").read_bytes()) == directory_pb2.DescriptorChain()
