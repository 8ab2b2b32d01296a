"""ID tokens: whom one names, and each of the reasons for which it names nobody."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from exchange.errors import Unverified
from node.id_tokens import FRESH_SECONDS, LONGEST_TOKEN, SKEW_SECONDS, Identity, open_id_token
from node.oidc import Client
from tests.countries import NOW
from tests.issuer import CLIENT, KEYS, SUBJECT, public_key, sign
from tests.refusals import refused

ISSUER = "https://id.example/realm/"
NONCE = "example-nonce"
SECONDS = NOW // 1000
ME = Client(issuer=ISSUER, client_id=CLIENT)
CLAIMS: dict[str, Any] = {"iss": ISSUER, "aud": CLIENT, "sub": SUBJECT, "iat": SECONDS, "exp": SECONDS + 300, "nonce": NONCE}
ALL = [public_key(algorithm) for algorithm in KEYS]


def opened(token: str, *, keys: Any = ALL, client: Client = ME, nonce: str = NONCE, now: int = NOW) -> Identity:
    return open_id_token(token, keys, client, nonce, now)


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in CLAIMS.items() if key != name}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def by_hand(header: dict[str, Any], signing: Callable[[bytes], bytes], claims: Any = None) -> str:
    """A token that no library would write."""
    body = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(CLAIMS if claims is None else claims).encode())}"
    return f"{body}.{b64(signing(body.encode()))}"


@pytest.mark.parametrize("algorithm", sorted(KEYS))
def test_a_token_of_each_algorithm_names_its_person(algorithm: str) -> None:
    named = Identity(issuer=ISSUER, subject=SUBJECT)
    assert opened(sign(CLAIMS, algorithm)) == named
    assert opened(sign(CLAIMS, algorithm, typ="jwt"), keys=[public_key(algorithm, alg=algorithm)]) == named
    assert opened(sign({**CLAIMS, "aud": [CLIENT], "azp": CLIENT, "nbf": SECONDS}, algorithm)) == named


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({**CLAIMS, "iss": ISSUER.rstrip("/")}, "OIDC_ISSUER"),
        (without("iss"), "OIDC_ISSUER"),
        ({**CLAIMS, "aud": "other"}, "OIDC_AUDIENCE"),
        ({**CLAIMS, "aud": [CLIENT, "other"]}, "OIDC_AUDIENCE"),
        ({**CLAIMS, "aud": []}, "OIDC_AUDIENCE"),
        (without("aud"), "OIDC_AUDIENCE"),
        ({**CLAIMS, "azp": "other"}, "OIDC_AUDIENCE"),
        ({**CLAIMS, "nonce": "other"}, "OIDC_NONCE"),
        ({**CLAIMS, "nonce": None}, "OIDC_NONCE"),
        (without("nonce"), "OIDC_NONCE"),
        ({**CLAIMS, "exp": SECONDS - SKEW_SECONDS}, "OIDC_TIME"),
        ({**CLAIMS, "exp": True}, "OIDC_TIME"),
        ({**CLAIMS, "exp": float(SECONDS + 300)}, "OIDC_TIME"),
        ({**CLAIMS, "exp": "never"}, "OIDC_TIME"),
        (without("exp"), "OIDC_TIME"),
        ({**CLAIMS, "iat": SECONDS + SKEW_SECONDS + 1}, "OIDC_TIME"),
        ({**CLAIMS, "iat": SECONDS - FRESH_SECONDS - 1}, "OIDC_TIME"),
        (without("iat"), "OIDC_TIME"),
        ({**CLAIMS, "nbf": SECONDS + SKEW_SECONDS + 1}, "OIDC_TIME"),
        ({**CLAIMS, "sub": ""}, "OIDC_CLAIM"),
        ({**CLAIMS, "sub": 7}, "OIDC_CLAIM"),
        ({**CLAIMS, "sub": "x" * 256}, "OIDC_CLAIM"),
        ({**CLAIMS, "sub": " x"}, "OIDC_CLAIM"),
        ({**CLAIMS, "sub": "x\u202e"}, "OIDC_CLAIM"),
        (without("sub"), "OIDC_CLAIM"),
    ],
)
def test_a_claim_that_does_not_hold_names_nobody(claims: dict[str, Any], code: str) -> None:
    with refused(Unverified, code):
        opened(sign(claims))


def test_clocks_may_differ_by_a_minute() -> None:
    for claims in (
        {**CLAIMS, "exp": SECONDS - SKEW_SECONDS + 1},
        {**CLAIMS, "iat": SECONDS + SKEW_SECONDS},
        {**CLAIMS, "iat": SECONDS - FRESH_SECONDS},
        {**CLAIMS, "nbf": SECONDS + SKEW_SECONDS},
    ):
        assert opened(sign(claims)).subject == SUBJECT


def test_no_shared_secret_and_no_signature_at_all_counts() -> None:
    public = KEYS["RS256"].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    attacks = [by_hand({"alg": none, "kid": "RS256"}, lambda _: b"") for none in ("none", "None", "NONE", "", None)]
    for secret in (public, CLIENT.encode(), b""):
        attacks += [
            by_hand({"alg": "HS256", "kid": "RS256"}, lambda text, secret=secret: hmac.new(secret, text, hashlib.sha256).digest())  # type: ignore[misc]
        ]
    for token in attacks:
        with refused(Unverified, "OIDC_TOKEN"):
            opened(token)
        with refused(Unverified, "OIDC_TOKEN"):
            opened(token, keys=[{"kty": "oct", "k": b64(public), "kid": "RS256"}])


def test_a_key_signs_for_what_it_is_alone() -> None:
    for keys in (
        [],
        [public_key("ES256", kid="other")],
        [public_key("ES256", use="enc")],
        [public_key("ES256", alg="EdDSA")],
        [public_key("ES256", crv="P-384")],
        [public_key("RS256", kid="ES256")],
        [public_key("ES256"), public_key("ES256", ec.generate_private_key(ec.SECP256R1()))],
    ):
        with refused(Unverified, "OIDC_KEY"):
            opened(sign(CLAIMS), keys=keys)
    with refused(Unverified, "OIDC_TOKEN"):
        opened(sign(CLAIMS), keys=[public_key("ES256", ec.generate_private_key(ec.SECP256R1()))])
    with refused(Unverified, "OIDC_TOKEN"):
        opened(sign(CLAIMS), keys=[{**public_key("ES256"), "x": "AA"}])


def test_a_key_without_a_name_counts_where_it_is_the_only_one() -> None:
    nameless = public_key("ES256")
    del nameless["kid"]
    token = by_hand({"alg": "ES256"}, _es256)
    assert opened(token, keys=[nameless]).subject == SUBJECT
    assert opened(token, keys=[public_key("ES256"), public_key("RS256")]).subject == SUBJECT
    with refused(Unverified, "OIDC_KEY"):
        opened(token, keys=[nameless, public_key("ES256", ec.generate_private_key(ec.SECP256R1()))])


def _es256(text: bytes) -> bytes:
    from jwt.algorithms import ECAlgorithm

    return ECAlgorithm(ECAlgorithm.SHA256).sign(text, KEYS["ES256"])


def test_a_short_rsa_key_signs_nothing() -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505  which is what it is about
    with pytest.warns(UserWarning, match="1024"):
        token = sign(CLAIMS, "RS256", short)
    with refused(Unverified, "OIDC_TOKEN"):
        opened(token, keys=[public_key("RS256", short)])


def test_what_is_no_id_token_is_none() -> None:
    good = sign(CLAIMS)
    head, body, signature = good.split(".")
    for token in (
        "",
        "x",
        "x.y.z",
        f"{head}.{body}.",
        f"{head}.{body}.{'A' * len(signature)}",
        f"{head}.{b64(json.dumps({**CLAIMS, 'sub': 'other'}).encode())}.{signature}",
        "é.é.é",
        sign(CLAIMS, typ="at+jwt"),
        sign(CLAIMS, typ="logout+jwt"),
        by_hand({"alg": "ES256", "kid": "ES256", "crit": ["x"], "x": 1}, _es256),
        by_hand({"alg": "ES256", "kid": "ES256"}, _es256, claims=[1]),
        by_hand({"alg": ["ES256"], "kid": "ES256"}, _es256),
        sign({**CLAIMS, "pad": "x" * LONGEST_TOKEN}),
    ):
        with refused(Unverified, "OIDC_TOKEN"):
            opened(token)


def test_another_claim_may_name_the_person() -> None:
    by_number = replace(ME, claim="employee")
    named = opened(sign({**CLAIMS, "employee": "E-7"}), client=by_number)
    assert named == Identity(issuer=f"{ISSUER}#employee", subject="E-7"), "who is called so by `sub` is somebody else"
    for claims in (CLAIMS, {**CLAIMS, "employee": ["E-7"]}, {**without("sub"), "employee": "E-7"}):
        with refused(Unverified, "OIDC_CLAIM"):
            opened(sign(claims), client=by_number)


def test_how_closely_the_issuer_looked_counts_where_it_is_asked() -> None:
    closely = replace(ME, acr=("gold", "silver"), amr=("hwk", "pin"), max_age=600)
    shown = {**CLAIMS, "acr": "silver", "amr": ["pin", "hwk", "user"], "auth_time": SECONDS - 600}
    assert opened(sign(shown), client=closely).subject == SUBJECT
    for change in (
        {"acr": "bronze"},
        {"acr": None},
        {"amr": ["hwk"]},
        {"amr": "hwk pin"},
        {"amr": None},
        {"auth_time": SECONDS - 600 - SKEW_SECONDS - 1},
        {"auth_time": SECONDS + SKEW_SECONDS + 1},
    ):
        with refused(Unverified, "OIDC_ASSURANCE"):
            opened(sign({**shown, **change}), client=closely)
    with refused(Unverified, "OIDC_TIME"):
        opened(sign({**shown, "auth_time": "now"}), client=closely)
