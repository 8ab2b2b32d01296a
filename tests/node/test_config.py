from dataclasses import replace
from pathlib import Path

import pytest

from exchange.errors import Malformed
from exchange.values import PartyId
from node.config import Config, load_config
from node.operations.keeping import national_rule
from tests.refusals import refused

GOOD = """
[node]
trust_domain = "gb.alerts.example"
country = "GB"
training = true
languages = ["en-GB"]
endpoint = "localhost:7443"

[listen]
partners = "127.0.0.1:7443"
desk = "127.0.0.1:7444"

[tls]
node_certificate = "tls/node.pem"
node_key = "tls/node.key"
node_ca = "node-ca.pem"
desk_certificate = "tls/desk.pem"
desk_key = "tls/desk.key"
office_ca = "office-ca.pem"

[keys]
agreement = "file:keys/agreement.key"
log = "file:keys/log.key"
receipt = "pkcs11:token=office;object=receipt"
witness = "file:/etc/exchange/witness.key"
identity = "file:keys/identity.key"

[keys.statement]
nca-ceop = "file:keys/statement-nca-ceop.key"

[store]
database = "data/node.db"
vault_key = "file:keys/vault.key"
high_water = "high-water"
descriptors = "descriptor.pb"

[[agencies]]
id = "spiffe://gb.alerts.example/agency/nca-ceop"
name = "National Crime Agency (EXAMPLE)"
class = "POLICE"

[[officers]]
id = "spiffe://gb.alerts.example/officer/heron"
roles = ["liaison officer", "partner officer"]
agency = "spiffe://gb.alerts.example/agency/nca-ceop"

[[officers]]
id = "spiffe://gb.alerts.example/auditor/wren"
roles = ["auditor"]
"""


def load(directory: Path, text: str = GOOD, environ: dict[str, str] | None = None) -> Config:
    path = directory / "node.toml"
    path.write_text(text, "utf-8")
    return load_config(path, environ or {})


def problems(directory: Path, text: str = GOOD, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(Malformed) as caught:
        load(directory, text, environ)
    assert caught.value.code == "CONFIG_INVALID"
    return str(caught.value)


def test_everything_is_read_and_relative_paths_start_at_the_file(tmp_path: Path) -> None:
    config = load(tmp_path)
    assert config.node.trust_domain == "gb.alerts.example"
    assert config.node.training is True
    assert config.node.justification_mandatory is True
    assert config.node.languages == ("en-GB",)
    assert config.listen.desk == "127.0.0.1:7444"
    assert config.tls.node_key == tmp_path / "tls/node.key"
    assert config.store.database == tmp_path / "data/node.db"
    assert config.keys.log == f"file:{tmp_path}/keys/log.key"
    assert config.keys.witness == "file:/etc/exchange/witness.key"
    assert config.keys.receipt == "pkcs11:token=office;object=receipt"
    assert config.keys.statement == {"nca-ceop": f"file:{tmp_path}/keys/statement-nca-ceop.key"}
    agency = PartyId.parse("spiffe://gb.alerts.example/agency/nca-ceop")
    assert [(entry.id, entry.agency_class) for entry in config.agencies] == [(agency, "POLICE")]
    assert config.officers[0].roles == ("liaison officer", "partner officer")
    assert config.officers[0].agency == agency
    assert config.officers[1].agency is None


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        environ={
            "EXCHANGE_NODE_TRAINING": "false",
            "EXCHANGE_NODE_LANGUAGES": "cy-GB, en-GB",
            "EXCHANGE_LISTEN_DESK": "[::1]:9000",
            "EXCHANGE_STORE_DATABASE": "other/x.db",
            "EXCHANGE_KEYS_LOG": "pkcs11:object=log",
            "EXCHANGE_CONTEXT": "officer.toml",
            "PATH": "/bin",
        },
    )
    assert config.node.training is False
    assert config.node.languages == ("cy-GB", "en-GB")
    assert config.listen.desk == "[::1]:9000"
    assert config.store.database == tmp_path / "other/x.db"
    assert config.keys.log == "pkcs11:object=log"


def test_the_environment_can_supply_what_the_file_lacks(tmp_path: Path) -> None:
    text = GOOD.replace('vault_key = "file:keys/vault.key"\n', "")
    assert "store.vault_key: missing" in problems(tmp_path, text)
    config = load(tmp_path, text, {"EXCHANGE_STORE_VAULT_KEY": "file:elsewhere.key"})
    assert config.store.vault_key == f"file:{tmp_path}/elsewhere.key"


def test_the_identity_key_may_be_absent_because_it_is_kept_offline(tmp_path: Path) -> None:
    assert not load(tmp_path, GOOD.replace('identity = "file:keys/identity.key"\n', "")).keys.identity


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ("training = true", "traning = true", "node.traning: unknown key; did you mean training?"),
        ("training = true", "traning = true", "node.training: missing"),
        ("[listen]", "[listen]\npartner = 1", "listen.partner: unknown key; did you mean partners?"),
        ("[node]", "[nodes]\n[node]", "nodes: unknown key; did you mean node?"),
        ("class =", "klass =", "agencies[0].klass: unknown key; did you mean class?"),
        ("[[agencies]]", "[[agencies]]\nzzzz = 1", "agencies[0].zzzz: unknown key"),
        ('languages = ["en-GB"]', "languages = []", "node.languages: must be a list of at least one text"),
        ("training = true", 'training = "yes"', "node.training: must be true or false"),
        ("training = true", "training = 1", "node.training: must be true or false"),
        ("training = true", 'training = true\njustification_mandatory = "no"', "node.justification_mandatory: must be true or false"),
        ('country = "GB"', 'country = "gb"', "node.country: must be an ISO 3166-1 code"),
        ('endpoint = "localhost:7443"', 'endpoint = "localhost"', "node.endpoint: must be host:port"),
        ("[listen]", '[console]\nzone = "Asia/Nowhere"\n[listen]', "console.zone: must be the name of a time zone"),
        ("[listen]", '[oidc]\nissuer = "https://id.example"\n[listen]', "oidc: an issuer and a client_id belong together"),
        ("[listen]", '[oidc]\nclient_id = "x"\n[listen]', "oidc: an issuer and a client_id belong together"),
        ("[listen]", '[oidc]\nacr = ["x"]\n[listen]', "oidc: nothing of it counts without an issuer"),
        ("[listen]", '[oidc]\nissuers = "x"\n[listen]', "oidc.issuers: unknown key; did you mean issuer?"),
        ("[listen]", '[oidc]\nissuer = "id.example"\n[listen]', "oidc.issuer: must be http://host"),
        ("[listen]", '[oidc]\nissuer = "http://id.example"\nclient_id = "x"\n[listen]', "oidc.issuer: https, unless a training node"),
        ("[listen]", '[oidc]\nclaim = "email"\n[listen]', "oidc.claim: must be a claim that is never given to somebody else"),
        ('desk = "127.0.0.1:7444"', 'desk = "127.0.0.1:70000"', "listen.desk: must be host:port"),
        ('database = "data/node.db"', "database = 5", "store.database: must be a text"),
        ('log = "file:keys/log.key"', 'log = "keys/log.key"', "keys.log: must be a key URI"),
        ('log = "file:keys/log.key"', 'log = "vault:keys"', "keys.log: must be a key URI"),
        ("[keys.statement]", "[keys.statement]\nx = 1", "keys.statement: must be a text"),
        ("[keys.statement]\nnca-ceop", "statement = 3\n#", "keys.statement: must be a table of key URIs"),
        ('"liaison officer", ', '"liaison", ', "officers[0].roles: must be one of liaison officer"),
        ('class = "POLICE"', 'class = "police"', "agencies[0].class: must be one of BORDER"),
        ('"spiffe://gb.alerts.example/officer/heron"', '"heron"', "officers[0].id: must be a SPIFFE ID"),
        ("trust_domain = ", 'trust_domain = "GB"\n#', "node.trust_domain: must be a lower-case DNS name"),
        ('trust_domain = "gb.', 'trust_domain = "kh.', "agencies: an id is of another trust domain"),
        ("/agency/nca-ceop", "/office/nca-ceop", "agencies: an id is not that of an agency"),
        ("/officer/heron", "/agency/heron", "officers: an id is not that of an officer"),
        ('agency = "spiffe://gb.alerts.example/agency/nca-ceop"', 'agency = "spiffe://a.b/c"', "not among [[agencies]]"),
        ('id = "spiffe://gb.alerts.example/auditor/wren"', 'id = "spiffe://gb.alerts.example/officer/heron"', "one id"),
        ("[keys.statement]", '[keys.statement]\nacro = "file:x"', "keys.statement: a key is for an agency"),
        ('high_water = "high-water"', 'high_water = "data/hw"', "store.high_water: must be outside"),
        ("[listen]", '[listen]\nwitness = "7445"', "listen.witness: must be host:port"),
        ("[keys.statement]", "[witness]\nurls = 3\n[keys.statement]", "witness.urls: must be a table of addresses"),
        ("[keys.statement]", '[witness.urls]\n"KH" = "http://x"\n[keys.statement]', "witness.urls: must be a lower-case DNS name"),
        ("[keys.statement]", '[witness.urls]\n"kh.a" = "ftp://x"\n[keys.statement]', "witness.urls: must be http://host"),
        ("[keys.statement]", '[witness.urls]\n"kh.a" = "http://x/?q"\n[keys.statement]', "witness.urls: must be http://host"),
        (
            "[keys.statement]",
            '[witness.urls]\n"gb.alerts.example" = "http://x"\n[keys.statement]',
            "witness.urls: this node is not its own",
        ),
        ("[keys.statement]", "[witness]\nevery_seconds = 61\n[keys.statement]", "witness.every_seconds: must be a number of seconds"),
        ("[keys.statement]", "[witness]\nevery_seconds = true\n[keys.statement]", "witness.every_seconds: must be a number of seconds"),
        ("[keys.statement]", "[witness]\npolicy = 7\n[keys.statement]", "witness.policy: must be a text"),
    ],
)
def test_each_mistake_is_named_by_its_key(tmp_path: Path, was: str, becomes: str, said: str) -> None:
    assert was in GOOD
    assert said in problems(tmp_path, GOOD.replace(was, becomes))


def test_witnessing_is_optional_and_read_whole(tmp_path: Path) -> None:
    plain = load(tmp_path, GOOD)
    assert (plain.listen.witness, plain.witness.urls, plain.witness.policy, plain.witness.every_seconds) == ("", {}, None, 60)
    section = '[witness]\npolicy = "policy.txt"\n[witness.urls]\n"kh.alerts.example" = "https://w.kh.example:8443/prefix/"\n[store]'
    full = load(tmp_path, GOOD.replace("[store]", section), {"EXCHANGE_WITNESS_EVERY_SECONDS": "5", "EXCHANGE_LISTEN_WITNESS": "[::1]:1"})
    assert full.witness.urls == {"kh.alerts.example": "https://w.kh.example:8443/prefix"}
    assert (full.witness.policy, full.witness.every_seconds, full.listen.witness) == ((tmp_path / "policy.txt").resolve(), 5, "[::1]:1")


def test_a_section_that_is_no_table_and_a_list_that_is_no_list(tmp_path: Path) -> None:
    said = problems(tmp_path, "listen = 3\nagencies = 4\n")
    assert "listen: must be a table" in said
    assert "agencies: must be tables" in said


def test_all_mistakes_are_said_at_once(tmp_path: Path) -> None:
    said = problems(tmp_path, GOOD.replace("training = true", "traning = true").replace('country = "GB"', "country = 1"))
    assert len(said.splitlines()) == 3


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("EXCHANGE_LISTEN_DESKS", "EXCHANGE_LISTEN_DESKS: no such setting in the environment; did you mean EXCHANGE_LISTEN_DESK?"),
        ("EXCHANGE_KEYS_STATEMENT", "EXCHANGE_KEYS_STATEMENT: no such setting"),
        ("EXCHANGE_LISTEN_DESK", "listen.desk: must be host:port"),
        ("EXCHANGE_NODE_TRAINING", "node.training: must be true or false"),
    ],
)
def test_the_environment_is_checked_like_the_file(tmp_path: Path, variable: str, said: str) -> None:
    assert said in problems(tmp_path, environ={variable: "s3cret"})


def test_no_message_holds_a_value(tmp_path: Path) -> None:
    secret = "s3cret-pin"
    text = GOOD.replace('"file:keys/log.key"', f'"{secret}"').replace('"POLICE"', f'"{secret}"').replace("127.0.0.1:7444", secret)
    assert secret not in problems(tmp_path, text, {"EXCHANGE_NODE_COUNTRY": secret})
    with pytest.raises(Malformed) as caught:
        load(tmp_path, f'[keys]\nlog = "{secret}"\nlog = "{secret}"\n')
    assert caught.value.code == "CONFIG_SYNTAX"
    assert secret not in str(caught.value)
    assert "line 3" in str(caught.value)


def test_a_file_that_is_missing_or_not_text_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(Malformed) as caught:
        load_config(tmp_path / "none.toml", {})
    assert caught.value.code == "CONFIG_UNREADABLE"
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Malformed) as caught:
        load_config(tmp_path / "binary.toml", {})
    assert caught.value.code == "CONFIG_UNREADABLE"


RETENTION = """
[retention]
default_days = 900
review_days = 180
days = { Tip = 90, TravelAlert = 365 }
"""


def test_retention_may_be_left_out_and_has_a_limit_all_the_same(tmp_path: Path) -> None:
    assert load(tmp_path).retention.default_days == 1825
    stated = load(tmp_path, GOOD + RETENTION).retention
    assert (stated.default_days, stated.review_days, dict(stated.days)) == (900, 180, {"Tip": 90, "TravelAlert": 365})
    assert load(tmp_path, GOOD + RETENTION, {"EXCHANGE_RETENTION_DEFAULT_DAYS": "30"}).retention.default_days == 30


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("default_days = 0", "retention.default_days: must be a number of days"),
        ("default_days = 36526", "retention.default_days: must be a number of days"),
        ("default_days = true", "retention.default_days: must be a number of days"),
        ('default_days = "90"', "retention.default_days: must be a number of days"),
        ("review_days = -1", "retention.review_days: must be a number of days"),
        ("days = 90", "retention.days: must be a table"),
        ("days = { Tip = 0 }", "retention.days: must be a number of days"),
        ("defualt_days = 9", "retention.defualt_days: unknown key; did you mean default_days?"),
    ],
)
def test_a_wrong_limit_is_refused(tmp_path: Path, line: str, said: str) -> None:
    assert said in problems(tmp_path, f"{GOOD}\n[retention]\n{line}\n")


def test_a_wrong_limit_in_the_environment_is_refused(tmp_path: Path) -> None:
    for wrong in ("", "x", "-1", "1.5", "999999"):
        assert "retention.default_days" in problems(tmp_path, GOOD, {"EXCHANGE_RETENTION_DEFAULT_DAYS": wrong})


def test_a_limit_for_no_type_of_alert_is_refused(tmp_path: Path) -> None:
    section = load(tmp_path, GOOD + RETENTION).retention
    assert national_rule(section).days("exchange.v1.Tip") == 90
    assert national_rule(section).days("exchange.v1.HitReport") == 900
    with refused(Malformed, "ALERT_TYPE_UNKNOWN"):
        national_rule(replace(section, days=(("Typo", 9),)))


def test_an_issuer_is_kept_letter_by_letter_and_without_tls_on_loopback_alone(tmp_path: Path) -> None:
    environment = {
        "EXCHANGE_OIDC_ISSUER": "https://id.example/realm/",
        "EXCHANGE_OIDC_CLIENT_ID": "x",
        "EXCHANGE_OIDC_MAX_AGE_MINUTES": "5",
    }
    oidc = load(tmp_path, GOOD, environment).oidc
    assert (oidc.issuer, oidc.claim, oidc.max_age_minutes, oidc.client_secret_file) == ("https://id.example/realm/", "sub", 5, None)
    assert not load(tmp_path, GOOD).oidc.issuer
    here = {**environment, "EXCHANGE_OIDC_ISSUER": "http://127.0.0.1:8080"}
    assert load(tmp_path, GOOD, here).oidc.issuer == "http://127.0.0.1:8080"
    with pytest.raises(Malformed, match=r"oidc\.issuer: https"):
        load(tmp_path, GOOD.replace("training = true", "training = false"), here)
