"""Everything that certs-example/make.py writes, and the rules that issuing and key files keep."""

import importlib.util
import os
import re
import stat
import subprocess
import sys
import tomllib
import zoneinfo
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from exchange.errors import Conflict, ExchangeError, Malformed, NotFound, Refused
from exchange.values import PartyId
from node.keys.files import (
    EXAMPLE_MARK,
    private_key_pem,
    read_certificate,
    read_private_key,
    write_private,
    write_public,
)
from node.keys.issue import issue_authority, issue_node_leaf, issue_person_leaf, new_tls_key
from node.keys.party_files import NODE_KEY_USES, Terms, write_party
from node.keys.party_plan import AGENCY_CLASSES, ROLES, PartyPlan, choose, read_plans
from node.tls import Listener, RevocationList, party_of, verify_peer

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "certs-example"
PLANS = read_plans(EXAMPLE / "agencies.toml")
KH = PLANS["KH"]
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def load_make() -> ModuleType:
    spec = importlib.util.spec_from_file_location("certs_example_make", EXAMPLE / "make.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the script makes for all ten countries under the most careless umask."""
    directory = tmp_path_factory.mktemp("certs") / "out"
    before = os.umask(0)
    try:
        assert load_make().main(["--out", str(directory)]) == 0
    finally:
        os.umask(before)
    return directory


def everything(directory: Path) -> dict[str, bytes]:
    return {str(p.relative_to(directory)): p.read_bytes() for p in sorted(directory.rglob("*")) if p.is_file()}


def expected_files(plan: PartyPlan) -> set[str]:
    stems = ["node-ca", "office-ca", "ngo-ca", "tls/node", "tls/desk", "tls/tips"]
    stems += [*(f"officers/{o.pseudonym}" for o in plan.officers), *(f"ngos/{slug}" for slug in plan.ngos)]
    keys = [*NODE_KEY_USES, *(f"statement-{a.slug}" for a in plan.agencies if a.originates)]
    return {f"{s}.{end}" for s in stems for end in ("pem", "key")} | {f"keys/{k}.key" for k in keys} | {"party.toml"}


def certificate(directory: Path, stem: str) -> x509.Certificate:
    return read_certificate(directory / f"{stem}.pem")


def names(leaf: x509.Certificate) -> tuple[list[str], list[str]]:
    san = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert len(san) <= 2
    return san.get_values_for_type(x509.UniformResourceIdentifier), san.get_values_for_type(x509.DNSName)


def usages(leaf: x509.Certificate) -> set[x509.ObjectIdentifier]:
    return set(leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)


# -- the ten countries -----------------------------------------------------------------------------------------------


def test_the_ten_countries_are_planned() -> None:
    assert list(PLANS) == ["GB", "KH", "VN", "TH", "PH", "LA", "IN", "HK", "SG", "MM"]


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_a_country_is_planned_whole_and_as_an_example(plan: PartyPlan) -> None:
    assert plan.trust_domain == f"{plan.code.lower()}.alerts.example"
    assert zoneinfo.ZoneInfo(plan.time_zone).key == plan.time_zone
    assert plan.name
    assert all(plan.local_names.values())
    tag = re.compile(rf"[a-z]{{2,3}}(-[A-Z][a-z]{{3}})?-{plan.code}")
    assert all(tag.fullmatch(language) for language in plan.languages)
    spoken = {language.removesuffix(f"-{plan.code}") for language in plan.languages}
    assert set(plan.local_names) <= spoken
    assert 3 <= len(plan.agencies) <= 5
    for agency in plan.agencies:
        assert agency.name.endswith("(EXAMPLE)")
        assert agency.desk.endswith("(EXAMPLE)")
        assert f"@{plan.trust_domain}" in agency.desk
        assert agency.agency_class in AGENCY_CLASSES
    assert {"BORDER", "POLICE", "PROSECUTION"} <= {a.agency_class for a in plan.agencies}
    assert any(a.originates for a in plan.agencies)
    assert {o.role for o in plan.officers} == set(ROLES)
    classes = {a.slug: a.agency_class for a in plan.agencies}
    # Whoever tells what they saw works for an NGO that the country lists, if it lists one.
    assert {classes[o.agency] for o in plan.officers if o.role == "partner"} == {"BORDER", "POLICE"} | set(classes.values()) & {"NGO"}
    for officer in plan.officers:
        assert not any(word in officer.pseudonym for word in (*ROLES, "officer", *classes))


# -- what is written -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_the_layout_is_what_the_readme_says(out: Path, plan: PartyPlan) -> None:
    assert set(everything(out / plan.code.lower())) == expected_files(plan)


def test_private_keys_are_private_and_marked(out: Path) -> None:
    paths = list(out.rglob("*.key"))
    assert len(paths) > 100
    for path in paths:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.read_bytes().startswith(f"{EXAMPLE_MARK}\n-----BEGIN PRIVATE KEY-----\n".encode())
        read_private_key(path)
    for directory in (p for p in out.rglob("*") if p.is_dir()):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    keys = {read_private_key(path).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) for path in paths}
    assert len(keys) == len(paths)  # no key serves two uses


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_signing_keys_are_ed25519_and_tls_keys_are_their_certificates(out: Path, plan: PartyPlan) -> None:
    directory = out / plan.code.lower()
    for path in (directory / "keys").iterdir():
        assert isinstance(read_private_key(path), ed25519.Ed25519PrivateKey)
    for path in directory.rglob("*.pem"):
        key = read_private_key(path.with_suffix(".key"))
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        assert key.public_key() == read_certificate(path).public_key()


@pytest.mark.parametrize("kind", ["node", "office", "ngo"])
def test_an_authority_issues_leaves_of_its_own_domain_only(out: Path, kind: str) -> None:
    root = certificate(out / "kh", f"{kind}-ca")
    found = root.extensions
    basic = found.get_extension_for_class(x509.BasicConstraints)
    usage = found.get_extension_for_class(x509.KeyUsage)
    constraint = found.get_extension_for_class(x509.NameConstraints)
    assert basic.critical
    assert basic.value == x509.BasicConstraints(ca=True, path_length=0)
    assert usage.critical
    assert usage.value.key_cert_sign
    assert usage.value.crl_sign
    assert not usage.value.digital_signature
    assert constraint.critical
    assert constraint.value.permitted_subtrees == [x509.DNSName("kh.alerts.example")]
    assert constraint.value.excluded_subtrees is None


def test_the_authorities_of_a_country_are_different_ones(out: Path) -> None:
    node, office, ngo = (certificate(out / "kh", f"{kind}-ca") for kind in ("node", "office", "ngo"))
    assert len({root.subject for root in (node, office, ngo)}) == 3
    assert len({root.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) for root in (node, office, ngo)}) == 3
    issued = {path: read_certificate(path).issuer for path in (out / "kh").rglob("*/*.pem")}
    assert [path.name for path, issuer in issued.items() if issuer == node.subject] == ["node.pem"]
    assert {path.name for path, issuer in issued.items() if issuer == ngo.subject} == {"tips.pem", "aple.pem"}
    assert set(issued.values()) == {node.subject, office.subject, ngo.subject}


def test_the_node_certificate(out: Path) -> None:
    leaf = certificate(out / "kh", "tls/node")
    assert names(leaf) == (["spiffe://kh.alerts.example/node"], ["node.kh.alerts.example"])
    assert usages(leaf) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc == timedelta(days=7)


def test_the_desk_certificate(out: Path) -> None:
    leaf = certificate(out / "kh", "tls/desk")
    assert names(leaf) == (["spiffe://kh.alerts.example/desk"], ["desk.kh.alerts.example"])
    assert usages(leaf) == {ExtendedKeyUsageOID.SERVER_AUTH}


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_an_ngos_certificate_and_that_of_the_listener_for_tips(out: Path, plan: PartyPlan) -> None:
    directory = out / plan.code.lower()
    assert plan.ngos
    for slug in plan.ngos:
        leaf = certificate(directory, f"ngos/{slug}")
        assert names(leaf) == ([f"spiffe://{plan.trust_domain}/ngo/{slug}"], [])
        assert usages(leaf) == {ExtendedKeyUsageOID.CLIENT_AUTH}
    tips = certificate(directory, "tls/tips")
    assert names(tips) == ([f"spiffe://{plan.trust_domain}/tips"], [f"tips.{plan.trust_domain}"])
    assert usages(tips) == {ExtendedKeyUsageOID.SERVER_AUTH}


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_a_persons_certificate_has_a_pseudonym_and_no_role(out: Path, plan: PartyPlan) -> None:
    for officer in plan.officers:
        leaf = certificate(out / plan.code.lower(), f"officers/{officer.pseudonym}")
        kind = "auditor" if officer.role == "auditor" else "officer"
        assert names(leaf) == ([f"spiffe://{plan.trust_domain}/{kind}/{officer.pseudonym}"], [])
        assert usages(leaf) == {ExtendedKeyUsageOID.CLIENT_AUTH}
        assert leaf.subject.rfc4514_string() == f"CN=EXAMPLE {kind} {officer.pseudonym}"


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_every_certificate_is_accepted_where_it_belongs(out: Path, plan: PartyPlan) -> None:
    directory, now = out / plan.code.lower(), datetime.now(UTC)
    for pattern, root, listener in (
        ("tls/node.pem", "node-ca", Listener.NODE),
        ("officers/*.pem", "office-ca", Listener.DESK),
        ("ngos/*.pem", "ngo-ca", Listener.TIPS),
    ):
        trust = {plan.trust_domain: [certificate(directory, root)]}
        paths = list(directory.glob(pattern))
        assert paths
        for path in paths:
            leaf = read_certificate(path)
            identity = verify_peer(leaf, trust=trust, now=now, listener=listener, revoked=RevocationList())
            assert identity.party == party_of(leaf)


def test_what_all_certificates_have_in_common(out: Path) -> None:
    found = [read_certificate(path) for path in out.rglob("*.pem")]
    assert len({c.serial_number for c in found}) == len(found)
    for c in found:
        assert isinstance(c.public_key(), ec.EllipticCurvePublicKey)
        assert c.serial_number.bit_length() > 100  # 159 random bits: shorter than this once in 2 ** 59
        [common_name] = c.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        assert str(common_name.value).startswith("EXAMPLE ")
        own = c.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        assert own == x509.SubjectKeyIdentifier.from_public_key(c.public_key())
        assert c.extensions.get_extension_for_class(x509.BasicConstraints).critical
        assert c.extensions.get_extension_for_class(x509.KeyUsage).critical
        if c.issuer != c.subject:
            assert c.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
            assert not c.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
            assert c.extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_the_manifest_lists_every_file_and_names_every_key(out: Path, plan: PartyPlan) -> None:
    directory = out / plan.code.lower()
    text = (directory / "party.toml").read_text("utf-8")
    assert text.startswith(f"# {EXAMPLE_MARK}\n")
    table = tomllib.loads(text)
    rows = [*table["authorities"], *table["certificates"]]
    listed = {row["certificate"] for row in rows} | {row["key"] for row in rows} | {row["file"] for row in table["keys"]}
    assert listed | {"party.toml"} == expected_files(plan)
    for row in table["keys"]:
        der = read_private_key(directory / row["file"]).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        done = subprocess.run(["sha256sum"], input=der, capture_output=True, check=True)
        assert done.stdout.split()[0].decode() == row["key_id"]
    for row in table["certificates"]:
        leaf = read_certificate(directory / row["certificate"])
        assert str(party_of(leaf)) == row["party"]
        leaf.verify_directly_issued_by(read_certificate(directory / row["issuer"]))
        assert leaf.not_valid_after_utc == row["not_after"]
    assert [a["class"] for a in table["agencies"]] == [a.agency_class for a in plan.agencies]
    assert [(o["party"], o["role"], o["agency"]) for o in table["officers"]] == [
        (f"spiffe://{plan.trust_domain}{o.path}", o.role, o.agency) for o in plan.officers
    ]


# -- again, and by hand ----------------------------------------------------------------------------------------------


def test_a_second_run_changes_nothing(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = everything(out)
    assert load_make().main(["--out", str(out), "--countries", "gb, KH"]) == 0
    assert everything(out) == before
    assert capsys.readouterr().out.count(" 0 files written") == 2


def test_what_is_missing_is_added_under_the_same_authority(tmp_path: Path) -> None:
    terms = Terms(now=NOW, example=True)
    assert {str(p.relative_to(tmp_path)) for p in write_party(KH, tmp_path, terms)} == expected_files(KH)
    before = everything(tmp_path)
    for end in ("pem", "key"):
        (tmp_path / f"tls/node.{end}").unlink()
    later = Terms(now=NOW + timedelta(days=6), example=True)
    written = {p.name for p in write_party(KH, tmp_path, later)}
    assert written == {"node.pem", "node.key", "party.toml"}
    changed = {name for name, content in everything(tmp_path).items() if before[name] != content}
    assert changed == {"tls/node.pem", "tls/node.key", "party.toml"}
    certificate(tmp_path, "tls/node").verify_directly_issued_by(certificate(tmp_path, "node-ca"))


def test_force_replaces_everything(tmp_path: Path) -> None:
    write_party(KH, tmp_path, Terms(now=NOW, example=True))
    before = everything(tmp_path)
    write_party(KH, tmp_path, Terms(now=NOW, example=True, overwrite=True))
    after = everything(tmp_path)
    assert after.keys() == before.keys()
    assert not [name for name in after if after[name] == before[name]]


def test_a_real_office_is_not_marked_as_an_example(tmp_path: Path) -> None:
    write_party(KH, tmp_path, Terms(now=NOW))
    assert (tmp_path / "keys/log.key").read_bytes().startswith(b"-----BEGIN")
    assert not (tmp_path / "party.toml").read_text("utf-8").startswith("#")
    assert certificate(tmp_path, "tls/node").subject.rfc4514_string() == "CN=Cambodia node"


def test_the_life_of_the_node_certificate_can_only_be_shorter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make = load_make()
    assert make.main(["--out", str(tmp_path), "--countries", "KH", "--node-days", "1"]) == 0
    leaf = certificate(tmp_path / "kh", "tls/node")
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc == timedelta(days=1)
    for days in ("0", "8"):
        assert make.main(["--out", str(tmp_path / days), "--countries", "KH", "--node-days", days]) == 2
        assert "LEAF_LIFE" in capsys.readouterr().err


def test_it_runs_as_a_script(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "certs-example/make.py", "--out", str(tmp_path), "--countries", "LA"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    assert [p.name for p in tmp_path.iterdir()] == ["la"]


def test_output_in_the_default_place_is_ignored_by_git() -> None:
    for path in ("certs-example/out/kh/node-ca.pem", "anywhere/node-ca.key"):
        done = subprocess.run(["git", "check-ignore", "-q", path], cwd=ROOT, check=False)
        assert done.returncode == 0


# -- files, issuing and plans refuse ---------------------------------------------------------------------------------


def refused(error: type[ExchangeError], code: str, act: object, *arguments: object, **named: object) -> None:
    assert callable(act)
    with pytest.raises(error) as caught:
        act(*arguments, **named)
    assert caught.value.code == code


def test_a_file_is_never_overwritten_unasked(tmp_path: Path) -> None:
    for write, mode in ((write_private, 0o600), (write_public, 0o644)):
        path = tmp_path / f"{mode:o}"
        write(path, b"first")
        refused(Conflict, "FILE_EXISTS", write, path, b"second")
        assert path.read_bytes() == b"first"
        write(path, b"third", overwrite=True)
        assert path.read_bytes() == b"third"
        assert stat.S_IMODE(path.stat().st_mode) == mode
    assert {p.name for p in tmp_path.iterdir()} == {"600", "644"}


def test_modes_do_not_depend_on_the_umask_nor_on_what_was_there(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    before = os.umask(0o077)
    try:
        write_party(KH, tmp_path, Terms(now=NOW, example=True))
    finally:
        os.umask(before)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
    assert {stat.S_IMODE(p.stat().st_mode) for p in tmp_path.rglob("*.pem")} == {0o644}
    assert {stat.S_IMODE(p.stat().st_mode) for p in tmp_path.rglob("*.key")} == {0o600}


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.key"
    write_private(path, private_key_pem(ed25519.Ed25519PrivateKey.generate()))
    for mode in (0o640, 0o604, 0o620):
        path.chmod(mode)
        refused(Refused, "KEY_FILE_MODE", read_private_key, path)
    path.chmod(0o400)
    assert isinstance(read_private_key(path), ed25519.Ed25519PrivateKey)


def test_a_file_that_is_no_key_of_ours_is_refused(tmp_path: Path) -> None:
    other = ec.generate_private_key(ec.SECP384R1())
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for number, content in enumerate((b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", pem)):
        path = tmp_path / str(number)
        write_private(path, content)
        refused(Malformed, "KEY_FILE", read_private_key, path)
        refused(Malformed, "CERTIFICATE_FILE", read_certificate, path)


def test_a_mixed_up_directory_is_refused(tmp_path: Path) -> None:
    terms = Terms(now=NOW, example=True)
    write_party(KH, tmp_path, terms)
    original = everything(tmp_path)
    for victim, source, code in (
        ("tls/node.key", "tls/desk.key", "KEY_PAIR"),
        ("tls/node.pem", "tls/desk.pem", "KEY_PAIR"),
        ("tls/node.key", "keys/log.key", "KEY_FILE"),
        ("keys/log.key", "tls/node.key", "KEY_FILE"),
    ):
        (tmp_path / victim).write_bytes(original[source])
        refused(Malformed, code, write_party, KH, tmp_path, terms)
        (tmp_path / victim).write_bytes(original[victim])
    assert write_party(KH, tmp_path, terms) == []


def test_issuing_refuses_what_an_authority_must_not_do() -> None:
    authority = issue_authority("kh.alerts.example", new_tls_key(), name="EXAMPLE authority", now=NOW)
    public = new_tls_key().public_key()
    refused(Refused, "LEAF_LIFE", issue_node_leaf, authority, public, name="EXAMPLE", now=NOW, days=8)
    for party in ("spiffe://kh.alerts.example/node", "spiffe://vn.alerts.example/officer/ibis"):
        refused(Refused, "LEAF_PARTY", issue_person_leaf, authority, PartyId.parse(party), public, name="EXAMPLE", now=NOW)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('class = "BORDER"', 'class = "CUSTOMS"'),
        ('role = "liaison"', 'role = "chief"'),
        ('slug = "gdi"', 'slug = "ahtjp"'),
        ('pseudonym = "ibis"', 'pseudonym = "sarus"'),
        ('agency = "gdi"', 'agency = "nobody"'),
        ("originates = true", "originate = true"),
        ('time_zone = "Asia/Phnom_Penh"', ""),
        ("[[countries]]", "[[nations]]"),
        ("[[countries]]", "[[countries]"),
    ],
)
def test_a_mistake_in_a_plan_is_refused(tmp_path: Path, old: str, new: str) -> None:
    text = (EXAMPLE / "agencies.toml").read_text("utf-8")
    assert old in text
    path = tmp_path / "agencies.toml"
    path.write_text(text.replace(old, new), "utf-8")
    refused(Malformed, "PLAN_MALFORMED", read_plans, path)


def test_a_plan_whose_names_make_no_spiffe_id_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "agencies.toml"
    for old, new in (('"kh.alerts.example"', '"KH"'), ('pseudonym = "ibis"', 'pseudonym = "an ibis"')):
        path.write_text((EXAMPLE / "agencies.toml").read_text("utf-8").replace(old, new), "utf-8")
        refused(Malformed, "PARTY_MALFORMED", read_plans, path)


def test_only_known_countries_are_chosen() -> None:
    assert [plan.code for plan in choose(PLANS, "kh,GB,KH")] == ["KH", "GB"]
    for codes in ("", " , ", "GB,XX"):
        refused(NotFound, "COUNTRY_UNKNOWN", choose, PLANS, codes)
