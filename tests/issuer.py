"""A synthetic OpenID Connect issuer on this machine: real HTTP, real signatures, and every mistake that a test asks of it."""

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote_plus, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

CLIENT = "alert-exchange-example"
SECRET = "example secret/&="
SUBJECT = "example-subject-7"
CODE = "code-"


def private_keys() -> dict[str, Any]:
    """One key for each algorithm that a node takes."""
    shared = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    curve, edwards = ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()
    return {"RS256": shared, "PS256": shared, "ES256": curve, "EdDSA": edwards}


KEYS = private_keys()
_PAGE = b'<!DOCTYPE html><html lang="en"><title>Example issuer</title><form method="post"><button>I am who I am</button></form>'
_WRITERS: Mapping[str, Any] = {"RS256": RSAAlgorithm, "PS256": RSAAlgorithm, "ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}


def public_key(algorithm: str, key: Any = None, **changes: Any) -> dict[str, Any]:
    """The JWK of one of them."""
    return {**_WRITERS[algorithm].to_jwk((key or KEYS[algorithm]).public_key(), as_dict=True), "use": "sig", "kid": algorithm, **changes}


def sign(claims: Mapping[str, Any], algorithm: str = "ES256", key: Any = None, **header: Any) -> str:
    """A token."""
    return jwt.encode(dict(claims), key or KEYS[algorithm], algorithm, headers={"kid": algorithm, **header})


class SyntheticIssuer:
    """Names everybody `subject`. Tests set what it does wrong."""

    def __init__(self, now: Callable[[], int], port: int = 0) -> None:
        self.now = now
        self.subject = SUBJECT
        self.secret = ""
        self.metadata: dict[str, Any] = {}
        """What its document says besides or instead."""
        self.claims: dict[str, Any] = {}
        """The same for tokens; None leaves a claim out."""
        self.token: Callable[[dict[str, Any]], str] = sign
        self.keys = [public_key("ES256")]
        self.answer: dict[str, str] = {}
        """What the browser brings back besides or instead."""
        self.token_status = 200
        self.document: bytes | None = None
        """Instead of what it says of itself."""
        self.asked: list[str] = []
        """Paths, in order."""
        self.forms: list[dict[str, str]] = []
        """What its token endpoint was sent."""
        self.authorizations: list[str] = []
        self._grants: dict[str, dict[str, str]] = {}
        self.server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def told(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["plain", "S256"],
            **self.metadata,
        }

    def authorize(self, url: str) -> str:
        """Where a browser is sent once its person signed in there."""
        asked = dict(parse_qsl(urlsplit(url).query, strict_parsing=True))
        assert (asked["response_type"], asked["client_id"], asked["code_challenge_method"]) == ("code", CLIENT, "S256")
        assert "openid" in asked["scope"].split()
        code = f"{CODE}{len(self._grants)}"
        self._grants[code] = asked
        given = {"code": code, "state": asked["state"], **self.answer}
        return f"{asked['redirect_uri']}?{urlencode({name: value for name, value in given.items() if value})}"

    def redeem(self, form: Mapping[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """What the token endpoint answers."""
        self.forms.append(dict(form))
        self.authorizations.append(authorization)
        if self.token_status != 200:
            return self.token_status, {"error": "temporarily_unavailable"}
        if self.secret and not self._knows(form, authorization):
            return 401, {"error": "invalid_client"}
        asked = self._grants.pop(form.get("code", ""), None)  # a code works once
        if asked is None or asked["redirect_uri"] != form.get("redirect_uri"):
            return 400, {"error": "invalid_grant"}
        if asked["code_challenge"] != _challenge(form.get("code_verifier", "")):
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "example", "token_type": "Bearer", "id_token": self.token(self.claims_for(asked["nonce"]))}

    def claims_for(self, nonce: str) -> dict[str, Any]:
        now = self.now() // 1000
        made = {"iss": self.url, "aud": CLIENT, "sub": self.subject, "iat": now, "exp": now + 300, "nonce": nonce, **self.claims}
        return {name: value for name, value in made.items() if value is not None}

    def _knows(self, form: Mapping[str, str], authorization: str) -> bool:
        if authorization:
            name, _, secret = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
            return (unquote_plus(name), unquote_plus(secret)) == (CLIENT, self.secret)
        return (form.get("client_id"), form.get("client_secret")) == (CLIENT, self.secret)


@contextmanager
def issuer(now: Callable[[], int]) -> Iterator[SyntheticIssuer]:
    """One, answering."""
    made = SyntheticIssuer(now)
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()
        thread.join()


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _handler(made: SyntheticIssuer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append(self.path.partition("?")[0])
            if self.path == "/.well-known/openid-configuration":
                self._send(200, made.document or json.dumps(made.told()).encode())
            elif self.path == "/jwks":
                self._send(200, json.dumps({"keys": made.keys}).encode())
            elif self.path.startswith("/authorize?"):
                self._send(200, _PAGE, "text/html")
            else:
                self._send(404, b"{}")

        def do_POST(self) -> None:
            made.asked.append(self.path.partition("?")[0])
            body = self.rfile.read(int(self.headers.get("content-length", "0"))).decode()
            if self.path.startswith("/authorize?"):
                self.send_response(303)
                self.send_header("location", made.authorize(self.path))
                self.end_headers()
                return
            form = {name: values[0] for name, values in parse_qs(body, keep_blank_values=True).items()}
            status, answer = made.redeem(form, self.headers.get("authorization", ""))
            self._send(status, json.dumps(answer).encode())

        def _send(self, status: int, body: bytes, kind: str = "application/json") -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """It keeps no log."""

    return Handler
