"""OpenID Connect (Core 1.0, RFC 7636, RFC 9207) as values: what an issuer says of itself, where a browser goes, what it brings back.

The authorization code flow with PKCE, and no other. Nothing here asks anybody: `node.links.issuer_link` does.
"""

import hmac
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Protocol
from urllib.parse import urlencode, urlsplit

from exchange.errors import Refused, Unverified

LONGEST_CODE: Final = 4096
_LONGEST_ADDRESS: Final = 2048
_PRINTABLE: Final = re.compile(r"[!-~]+")

Keys = Sequence[Mapping[str, Any]]
"""Public keys of an issuer, each a JWK."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """This node as its issuer knows it, and what it asks of whoever comes from there."""

    issuer: str
    client_id: str
    claim: str = "sub"
    """Which claim names the person."""
    acr: tuple[str, ...] = ()
    """One of them must have been reached; empty for any."""
    amr: tuple[str, ...] = ()
    """Each must have been used."""
    max_age: int = 0
    """Seconds since the person showed the issuer who they are; 0 for any."""

    @property
    def naming(self) -> str:
        """What officers are linked under: whoever is called 7 by one claim need not be who is called 7 by another."""
        return naming(self.issuer, self.claim)

    @property
    def host(self) -> str:
        """Where a person is sent, for people to read."""
        return urlsplit(self.issuer).netloc


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What an issuer's discovery document says, as far as it counts here."""

    authorization: str
    token: str
    keys: str
    says_issuer: bool
    """Whether what it answers always names it (RFC 9207)."""
    basic: bool
    """Whether it takes a client's secret by HTTP's own scheme; else in the form."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Attempt:
    """What one attempt to sign in is known by. No repr: it must not reach a log by a traceback."""

    state: str
    nonce: str
    verifier: str


class Issuer(Protocol):
    """Somebody who can ask the issuer. Every method raises `Refused` (OIDC_UNREACHABLE, OIDC_METADATA)."""

    @property
    def client(self) -> Client:
        """As whom it asks."""
        ...

    def metadata(self) -> Metadata:
        """What the issuer says of itself."""
        ...

    def keys(self, *, again: bool = False) -> Keys:
        """Its keys; `again` if those of before did not have the one that signed."""
        ...

    def redeem(self, code: str, verifier: str, redirect_uri: str) -> str:
        """The ID token for a code. Raises `Unverified` (OIDC_CODE: it takes none of it), `Refused` (OIDC_CLIENT: not from this node)."""
        ...


def naming(issuer: str, claim: str) -> str:
    """How one issuer names people by one claim; no issuer has a number sign of its own."""
    return issuer if not issuer or claim == "sub" else f"{issuer}#{claim}"


def read_metadata(text: bytes, issuer: str) -> Metadata:
    """What a discovery document says. Raises `Refused` (OIDC_METADATA) unless it is this issuer's, and can do what is needed."""
    try:
        told = json.loads(text)
        methods = told.get("code_challenge_methods_supported", ["S256"])
        ways = told.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if told["issuer"] != issuer or "S256" not in methods or "code" not in told["response_types_supported"]:
            raise _no_metadata()
        return Metadata(
            authorization=_address(told["authorization_endpoint"], issuer),
            token=_address(told["token_endpoint"], issuer),
            keys=_address(told["jwks_uri"], issuer),
            says_issuer=told.get("authorization_response_iss_parameter_supported") is True,
            basic="client_secret_basic" in ways,
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise _no_metadata() from None


def read_keys(text: bytes) -> Keys:
    """The keys of a JWK set. Raises `Refused` (OIDC_METADATA)."""
    try:
        found = json.loads(text)["keys"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise _no_metadata() from None
    if not isinstance(found, list):
        raise _no_metadata()
    return tuple(key for key in found if isinstance(key, dict))


def authorization_url(client: Client, metadata: Metadata, attempt: Attempt, redirect_uri: str) -> str:
    """Where a browser is sent."""
    asked = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": redirect_uri,
        # Most issuers put no claim of their own into a token of `openid` alone.
        "scope": "openid" if client.claim == "sub" else "openid profile",
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": urlsafe_b64encode(sha256(attempt.verifier.encode()).digest()).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    if client.max_age:
        asked["max_age"] = str(client.max_age)
    if client.acr:
        asked["acr_values"] = " ".join(client.acr)
    return f"{metadata.authorization}{'&' if '?' in metadata.authorization else '?'}{urlencode(asked)}"


def check_state(query: Mapping[str, str], attempt: Attempt) -> None:
    """Raise `Unverified` (OIDC_STATE) unless this browser was sent away with this state."""
    if not hmac.compare_digest(query.get("state", "").encode(), attempt.state.encode()):
        raise other_browser()


def read_code(query: Mapping[str, str], client: Client, metadata: Metadata) -> str:
    """The code that a browser brings back.

    Raises `Unverified` (OIDC_ISSUER: another issuer answers), `Refused` (OIDC_DENIED: the issuer lets nobody in).
    """
    named = query.get("iss", "")
    if named != client.issuer and (named or metadata.says_issuer):
        raise Unverified("OIDC_ISSUER", "another issuer answers than was asked")
    code = query.get("code", "")
    if "error" in query or len(code) > LONGEST_CODE or not _PRINTABLE.fullmatch(code):
        raise Refused("OIDC_DENIED", "the issuer did not sign anybody in")
    return code


def other_browser() -> Unverified:
    """What says that whoever comes back did not leave from here."""
    return Unverified("OIDC_STATE", "this sign-in was not begun in this browser, or it ended: begin again")


def _address(url: str, issuer: str) -> str:
    parts, home = urlsplit(url), urlsplit(issuer)
    # Without TLS only an issuer on loopback itself (`OidcSection.wrong`), and nobody whom it names.
    safe = parts.scheme == "https" or (parts.scheme, parts.netloc) == (home.scheme, home.netloc)
    if not safe or not parts.hostname or "@" in parts.netloc or "#" in url or len(url) > _LONGEST_ADDRESS or not _PRINTABLE.fullmatch(url):
        raise _no_metadata()
    return url


def _no_metadata() -> Refused:
    return Refused("OIDC_METADATA", "what the issuer says of itself is not of this issuer, or not what this node needs")
