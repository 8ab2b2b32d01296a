"""The way to the agency's OpenID Connect issuer: what is believed of it, how long, and how little it can cost."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from exchange.errors import Malformed, NotFound, Refused, Unverified
from node.links import issuer_link as module
from node.links.issuer_file import open_issuer
from node.links.issuer_link import AGAIN_SECONDS, AT_ONCE, KEPT_SECONDS, LARGEST, IssuerLink
from node.oidc import Client, read_keys, read_metadata
from node.oidc_section import OidcSection
from tests.console_site import issuer_link
from tests.countries import NOW
from tests.issuer import CLIENT, SECRET, SyntheticIssuer, issuer
from tests.refusals import refused

DOCUMENT = "/.well-known/openid-configuration"


@pytest.fixture
def idp() -> Iterator[SyntheticIssuer]:
    with issuer(lambda: NOW) as made:
        yield made


class Seconds:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_the_issuer_says_is_kept_for_a_while(idp: SyntheticIssuer) -> None:
    seconds = Seconds()
    link = IssuerLink(Client(issuer=idp.url, client_id=CLIENT), "", ssl.create_default_context(), seconds)
    for _ in range(3):
        assert link.metadata().token == f"{idp.url}/token"
        assert link.keys()[0]["kid"] == "ES256"
    assert idp.asked == [DOCUMENT, "/jwks"]
    link.keys(again=True)
    assert len(idp.asked) == 2, "whoever sends unknown keys makes nobody ask all the time"
    seconds.now = AGAIN_SECONDS + 1
    link.keys()
    assert len(idp.asked) == 2
    link.keys(again=True)
    assert idp.asked[2:] == ["/jwks"]
    seconds.now += KEPT_SECONDS + 1
    link.metadata()
    link.keys()
    assert idp.asked[3:] == [DOCUMENT, "/jwks"]


def test_an_issuer_with_a_slash_at_its_end_is_asked_at_the_same_place(idp: SyntheticIssuer) -> None:
    idp.metadata = {"issuer": f"{idp.url}/"}
    link = IssuerLink(Client(issuer=f"{idp.url}/", client_id=CLIENT), "", ssl.create_default_context())
    assert link.metadata().keys == f"{idp.url}/jwks"
    with refused(Refused, "OIDC_METADATA"):
        issuer_link(idp).metadata()


ISSUER = "https://id.example/realm"
GOOD = {
    "issuer": ISSUER,
    "authorization_endpoint": "https://id.example/authorize?a=b",
    "token_endpoint": "https://tokens.example/",
    "jwks_uri": "https://id.example/keys",
    "response_types_supported": ["code", "id_token"],
}


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": f"{ISSUER}/"},
        {"issuer": None},
        {"response_types_supported": ["id_token"]},
        {"response_types_supported": None},
        {"code_challenge_methods_supported": ["plain"]},
        {"code_challenge_methods_supported": 7},
        {"authorization_endpoint": "http://id.example/authorize"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "https://id.example/a#b"},
        {"token_endpoint": "https://id.example@evil.example/"},
        {"token_endpoint": "https:///token"},
        {"token_endpoint": 7},
        {"token_endpoint": "https://id.example/a b"},
        {"token_endpoint": "https://id.example/a\r\nx: y"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": f"https://id.example/{'x' * 2048}"},
        {"jwks_uri": None},
    ],
)
def test_a_document_that_is_not_what_is_needed_is_refused(change: dict[str, Any]) -> None:
    assert read_metadata(json.dumps(GOOD).encode(), ISSUER).basic
    with refused(Refused, "OIDC_METADATA"):
        read_metadata(json.dumps({**GOOD, **change}).encode(), ISSUER)


def test_an_issuer_on_loopback_leads_to_nobody_else_without_tls() -> None:
    here = "http://127.0.0.1:8080"
    told = {**GOOD, "issuer": here, "authorization_endpoint": f"{here}/a", "token_endpoint": f"{here}/t", "jwks_uri": f"{here}/k"}
    assert read_metadata(json.dumps(told).encode(), here).keys == f"{here}/k"
    with refused(Refused, "OIDC_METADATA"):
        read_metadata(json.dumps({**told, "jwks_uri": "http://127.0.0.1:9090/k"}).encode(), here)


@pytest.mark.parametrize("document", [b"", b"[]", b"7", b"null", b"\xff", b"[" * 20_000, b'{"issuer": 7}'])
def test_what_is_no_document_is_refused(document: bytes) -> None:
    with refused(Refused, "OIDC_METADATA"):
        read_metadata(document, ISSUER)
    with refused(Refused, "OIDC_METADATA"):
        read_keys(document)


def test_what_is_no_key_among_keys_is_left_out() -> None:
    assert read_keys(b'{"keys": [7, {"kid": "a"}, null]}') == ({"kid": "a"},)
    with refused(Refused, "OIDC_METADATA"):
        read_keys(b'{"keys": {"kid": "a"}}')


def test_an_answer_that_is_too_large_or_elsewhere_counts_for_nothing(idp: SyntheticIssuer) -> None:
    idp.document = json.dumps({**idp.told(), "pad": "x" * LARGEST}).encode()
    with refused(Refused, "OIDC_UNREACHABLE"):
        issuer_link(idp).metadata()
    idp.document = json.dumps({**idp.told(), "jwks_uri": f"{idp.url}/elsewhere"}).encode()
    with refused(Refused, "OIDC_UNREACHABLE"):
        issuer_link(idp).keys()


@pytest.mark.parametrize(("status", "code"), [(302, "OIDC_UNREACHABLE"), (500, "OIDC_UNREACHABLE"), (201, "OIDC_UNREACHABLE")])
def test_an_answer_to_a_code_that_is_no_token(idp: SyntheticIssuer, status: int, code: str) -> None:
    idp.token_status = status
    with refused(Refused, code):
        issuer_link(idp).redeem("code", "verifier", "https://x.example/")


def test_a_code_that_the_issuer_does_not_know_is_none(idp: SyntheticIssuer) -> None:
    with refused(Unverified, "OIDC_CODE"):
        issuer_link(idp).redeem("code", "verifier", "https://x.example/")


@pytest.mark.parametrize("answer", [{}, {"id_token": None}, {"id_token": 7}])
def test_an_answer_without_an_id_token_names_nobody(idp: SyntheticIssuer, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]) -> None:
    monkeypatch.setattr(idp, "redeem", lambda *_: (200, answer))
    with refused(Unverified, "OIDC_TOKEN"):
        issuer_link(idp).redeem("code", "verifier", "https://x.example/")


def test_an_issuer_that_never_ends_its_answer_costs_its_time_and_few_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WHOLE_SECONDS", 0.6)
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        held = []

        def drip() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                held.append(connection)

        threading.Thread(target=drip, daemon=True).start()
        link = IssuerLink(Client(issuer=f"http://127.0.0.1:{server.getsockname()[1]}", client_id=CLIENT), "", ssl.create_default_context())
        ended: list[float] = []

        def ask() -> None:
            began = time.monotonic()
            with refused(Refused, "OIDC_UNREACHABLE"):
                link.metadata()
            ended.append(time.monotonic() - began)

        asking = [threading.Thread(target=ask) for _ in range(AT_ONCE + 3)]
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join()
        assert sum(1 for seconds in ended if seconds < 0.5) == 3, "the others are not kept waiting"
        assert max(ended) < 5
        assert len(held) == AT_ONCE
        for connection in held:
            connection.close()


def test_the_secret_and_the_authorities_stand_in_files(tmp_path: Path) -> None:
    assert open_issuer(OidcSection()) is None
    secret = tmp_path / "secret"
    secret.write_text(f"{SECRET}\n")
    secret.chmod(0o600)
    section = {"issuer": ISSUER, "client_id": CLIENT, "client_secret_file": secret, "max_age_minutes": 10, "acr": ("gold",)}
    link = open_issuer(OidcSection(**section))
    assert link is not None
    assert link.client == Client(issuer=ISSUER, client_id=CLIENT, acr=("gold",), max_age=600)
    assert link._secret == SECRET
    assert SECRET not in repr(link)
    secret.chmod(0o640)
    with refused(Refused, "SECRET_FILE_MODE"):
        open_issuer(OidcSection(**section))
    for content in (b"\xff", b"\n"):
        secret.write_bytes(content)
        secret.chmod(0o600)
        with refused(Malformed, "OIDC_FILE"):
            open_issuer(OidcSection(**section))
    for missing in ({"client_secret_file": tmp_path / "none"}, {"client_secret_file": None, "authorities": tmp_path / "none"}):
        with refused(NotFound, "OIDC_FILE"):
            open_issuer(OidcSection(**{**section, **missing}))
