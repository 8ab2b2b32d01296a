"""Outbound HTTP to the agency's OpenID Connect issuer: bounded in time, size and number, without redirections.

Addresses come from the issuer's own document, below an issuer that the configuration names. Nothing that is sent or answered is logged.
"""

import http.client
import ssl
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from json import loads
from typing import Final
from urllib.parse import quote_plus, urlencode, urlsplit

from exchange.errors import Refused, Unverified
from node.links.deadline import ends_within
from node.oidc import Client, Keys, Metadata, read_keys, read_metadata

STEP_SECONDS: Final = 5.0
WHOLE_SECONDS: Final = 8.0
"""For one answer, however slowly the issuer drips."""
LARGEST: Final = 64 * 1024
KEPT_SECONDS: Final = 600.0
"""How long what the issuer says of itself is believed without asking anew."""
AGAIN_SECONDS: Final = 30.0
"""Keys are asked for anew, because one is not known, no more often than this."""
AT_ONCE: Final = 4
"""So many ask at a time: whoever opens the page to sign in makes this node ask, and nobody may take all of its threads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    status: int
    body: bytes


class IssuerLink:
    """One issuer; `node.oidc.Issuer`. Safe to use from many threads."""

    def __init__(self, client: Client, secret: str, context: ssl.SSLContext, seconds: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._secret = secret
        self._context = context
        self._seconds = seconds
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, Keys] | None = None

    @property
    def client(self) -> Client:
        """As whom it asks."""
        return self._client

    def metadata(self) -> Metadata:
        """What the issuer says of itself. Raises `Refused` (OIDC_UNREACHABLE, OIDC_METADATA)."""
        kept = self._metadata
        if kept is None or self._seconds() - kept[0] > KEPT_SECONDS:
            url = f"{self._client.issuer.removesuffix('/')}/.well-known/openid-configuration"
            kept = self._metadata = (self._seconds(), read_metadata(self._get(url), self._client.issuer))
        return kept[1]

    def keys(self, *, again: bool = False) -> Keys:
        """Its keys. Raises as `metadata`."""
        kept = self._keys
        if kept is None or self._seconds() - kept[0] > (AGAIN_SECONDS if again else KEPT_SECONDS):
            kept = self._keys = (self._seconds(), read_keys(self._get(self.metadata().keys)))
        return kept[1]

    def redeem(self, code: str, verifier: str, redirect_uri: str) -> str:
        """The ID token for a code. Raises as `metadata`, `Unverified` (OIDC_CODE), `Refused` (OIDC_CLIENT)."""
        metadata = self.metadata()
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, "code_verifier": verifier}
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        if self._secret and metadata.basic:
            pair = f"{quote_plus(self._client.client_id)}:{quote_plus(self._secret)}"
            headers["authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        else:
            form["client_id"] = self._client.client_id
            if self._secret:
                form["client_secret"] = self._secret
        answer = self._ask("POST", metadata.token, urlencode(form).encode(), headers)
        if answer.status == http.client.UNAUTHORIZED:
            raise Refused(
                "OIDC_CLIENT", "the issuer does not take this node's client_id or secret: compare oidc.client_id, client_secret_file"
            )
        if answer.status == http.client.BAD_REQUEST:
            raise Unverified("OIDC_CODE", "the issuer does not take this code: begin again")
        if answer.status != http.client.OK:
            raise _unreachable()
        try:
            token = loads(answer.body)["id_token"]
        except (ValueError, TypeError, KeyError, RecursionError):
            token = None
        if not isinstance(token, str):
            raise Unverified("OIDC_TOKEN", "the issuer gave no ID token")
        return token

    def _get(self, url: str) -> bytes:
        answer = self._ask("GET", url, None, {"accept": "application/json"})
        if answer.status != http.client.OK:
            raise _unreachable()
        return answer.body

    def _ask(self, method: str, url: str, body: bytes | None, headers: dict[str, str]) -> _Answer:
        parts = urlsplit(url)
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        with self._turn():
            try:
                connection = self._connection(parts.scheme, parts.hostname or "", parts.port)
                with closing(connection), ends_within(WHOLE_SECONDS, lambda: connection.sock):
                    connection.request(method, target, body, {**headers, "connection": "close"})
                    response = connection.getresponse()
                    content = response.read(LARGEST + 1)
            except (OSError, http.client.HTTPException, ValueError):
                raise _unreachable() from None
        if len(content) > LARGEST:
            raise _unreachable()
        return _Answer(status=response.status, body=content)

    def _connection(self, scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
        if scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=STEP_SECONDS, context=self._context)
        return http.client.HTTPConnection(host, port, timeout=STEP_SECONDS)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._turns.acquire(blocking=False):
            raise _unreachable()
        try:
            yield
        finally:
            self._turns.release()


def _unreachable() -> Refused:
    return Refused("OIDC_UNREACHABLE", "the issuer does not answer: sign in with a passkey, or try again later")
