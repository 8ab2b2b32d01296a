"""ID tokens (OpenID Connect Core 1.0, section 3.1.3.7): what must hold before anybody is whom a token names. The library's only user.

The library verifies the signature; claims are compared here, against the node's own clock.
"""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from jwt import PyJWK, PyJWS, PyJWTError

from exchange.errors import Unverified
from node.oidc import Client, Keys

KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "RS256": ("RSA", ""),
    "PS256": ("RSA", ""),
    "ES256": ("EC", "P-256"),
    "EdDSA": ("OKP", "Ed25519"),
}
"""The algorithms that count, and the keys that each is for. No shared secrets: a client secret signs nothing here."""
UNKNOWN_KEY: Final = "OIDC_KEY"
SKEW_SECONDS: Final = 60
"""By how much the issuer's clock may differ."""
FRESH_SECONDS: Final = 300
"""A token was made for a code of a moment ago."""
LONGEST_TOKEN: Final = 16_384
LONGEST_SUBJECT: Final = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whom an issuer names."""

    issuer: str
    """With the claim, if it is not the usual one: `node.oidc.naming`."""
    subject: str


def open_id_token(token: str, keys: Keys, client: Client, nonce: str, now_ms: int) -> Identity:
    """Whom a token names that was made for this client and this attempt.

    Raises `Unverified`: OIDC_KEY (none of these keys signed it: there may be newer ones), OIDC_TOKEN (no token, or its signature does not
    hold), OIDC_ISSUER, OIDC_AUDIENCE, OIDC_NONCE, OIDC_TIME, OIDC_ASSURANCE (acr, amr or auth_time), OIDC_CLAIM (it names nobody).
    """
    claims = _signed(token, keys)
    now = now_ms // 1000
    if claims.get("iss") != client.issuer:
        raise Unverified("OIDC_ISSUER", "the token is of another issuer")
    # Any other audience is one that this node does not trust.
    if claims.get("aud") not in (client.client_id, [client.client_id]) or claims.get("azp", client.client_id) != client.client_id:
        raise Unverified("OIDC_AUDIENCE", "the token is for somebody else")
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise Unverified("OIDC_NONCE", "the token is of another attempt to sign in")
    expires, issued, begins = _time(claims, "exp"), _time(claims, "iat"), _time(claims, "nbf", default=0)
    if now >= expires + SKEW_SECONDS or begins > now + SKEW_SECONDS or not -SKEW_SECONDS <= now - issued <= FRESH_SECONDS:
        raise Unverified("OIDC_TIME", "the token is not of now: compare the clocks of this node and of the issuer")
    _check_assurance(claims, client, now)
    return Identity(issuer=client.naming, subject=_subject(claims, client.claim))


def is_subject(text: object) -> bool:
    """Whether a text may name a person at an issuer."""
    return isinstance(text, str) and 0 < len(text) <= LONGEST_SUBJECT and text.isprintable() and text == text.strip()


def _signed(token: str, keys: Keys) -> dict[str, Any]:
    reader = PyJWS(algorithms=list(KINDS), options={"verify_signature": True, "enforce_minimum_key_length": True})
    try:
        if len(token) > LONGEST_TOKEN:
            raise _no_token()
        header = reader.get_unverified_header(token)
        algorithm = str(header.get("alg"))
        # Other tokens of the same issuer and key have a type of their own (access tokens, logout tokens).
        if algorithm not in KINDS or str(header.get("typ", "JWT")).upper() != "JWT":
            raise _no_token()
        fitting = [key for key in keys if _fits(key, algorithm) and header.get("kid", key.get("kid")) == key.get("kid")]
        if len(fitting) != 1:
            raise Unverified(UNKNOWN_KEY, "the issuer has no such key, or several")
        opened = reader.decode_complete(token, PyJWK(dict(fitting[0]), algorithm=algorithm), algorithms=[algorithm])
        claims = json.loads(opened["payload"])
    except (PyJWTError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise _no_token() from None
    if not isinstance(claims, dict):
        raise _no_token()
    return claims


def _fits(key: Mapping[str, Any], algorithm: str) -> bool:
    kind = (key.get("kty"), key.get("crv", ""))
    return kind == KINDS[algorithm] and key.get("use", "sig") == "sig" and key.get("alg", algorithm) == algorithm


def _check_assurance(claims: Mapping[str, Any], client: Client, now: int) -> None:
    used = claims.get("amr")
    reached = not client.acr or claims.get("acr") in client.acr
    shown = not client.amr or (isinstance(used, list) and all(one in used for one in client.amr))
    if not reached or not shown:
        raise Unverified("OIDC_ASSURANCE", "the issuer did not look as closely at the person as this node asks")
    if client.max_age and not -SKEW_SECONDS <= now - _time(claims, "auth_time") <= client.max_age + SKEW_SECONDS:
        raise Unverified("OIDC_ASSURANCE", "the issuer looked at the person too long ago")


def _time(claims: Mapping[str, Any], name: str, *, default: int | None = None) -> int:
    found = claims.get(name, default)
    if not isinstance(found, int):
        raise Unverified("OIDC_TIME", "the token does not say when")
    return found


def _subject(claims: Mapping[str, Any], claim: str) -> str:
    found = claims.get(claim)
    if not isinstance(found, str) or not is_subject(found) or not is_subject(claims.get("sub")):
        raise Unverified("OIDC_CLAIM", "the token does not name a person by the claim that this node asks for")
    return found


def _no_token() -> Unverified:
    return Unverified("OIDC_TOKEN", "this is no ID token of the issuer")
