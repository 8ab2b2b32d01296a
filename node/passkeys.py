"""Passkeys (WebAuthn level 3): what a browser is asked, and whether its answer holds. Values in, values out; the library's only user.

User verification (a PIN, a finger, a face) is required each time, and no attestation is asked for: who may enrol is decided by a code.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import bytes_to_base64url
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from exchange.errors import Unverified

ALGORITHMS: Final = [
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
LONGEST_ANSWER: Final = 16_384
"""Characters of JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelyingParty:
    """The site as authenticators know it."""

    host: str
    origin: str
    """As browsers write it: scheme, host and, unless it is the scheme's own, port."""
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPasskey:
    """What an authenticator made."""

    credential: bytes
    public_key: bytes
    """COSE_Key."""
    sign_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """One answer of a passkey with all that it takes to verify it again, years later and somewhere else."""

    host: str
    origin: str
    credential: bytes
    public_key: bytes
    """COSE_Key."""
    authenticator_data: bytes
    client_data: bytes
    """JSON, as the browser made it."""
    signature: bytes


def registration_options(party: RelyingParty, person: str, challenge: bytes, known: Iterable[bytes] = ()) -> str:
    """JSON for `navigator.credentials.create`; the person (SPIFFE ID) is shown by the last part of their name.

    An authenticator that holds one of the `known` passkeys makes no second one.
    """
    name = person.rpartition("/")[2]
    options = generate_registration_options(
        rp_id=party.host,
        rp_name=party.name,
        user_name=name,
        user_id=sha256(person.encode()).digest(),
        user_display_name=name,
        challenge=challenge,
        exclude_credentials=[PublicKeyCredentialDescriptor(id=credential) for credential in known],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        supported_pub_key_algs=ALGORITHMS,
    )
    return options_to_json(options)


def sign_in_options(party: RelyingParty, challenge: bytes) -> str:
    """JSON for `navigator.credentials.get`: any passkey of this site will do, so nothing is told of who has one."""
    return options_to_json(
        generate_authentication_options(rp_id=party.host, challenge=challenge, user_verification=UserVerificationRequirement.REQUIRED)
    )


def confirm_options(party: RelyingParty, challenge: bytes, credentials: Iterable[bytes]) -> str:
    """The same for one of these passkeys alone: those of the person who is to confirm something."""
    return options_to_json(
        generate_authentication_options(
            rp_id=party.host,
            challenge=challenge,
            allow_credentials=[PublicKeyCredentialDescriptor(id=credential) for credential in credentials],
            user_verification=UserVerificationRequirement.REQUIRED,
        )
    )


def open_registration(party: RelyingParty, challenge: bytes, answer: str) -> NewPasskey:
    """What a browser answered to `registration_options`. Raises `Unverified` (PASSKEY)."""
    try:
        verified = verify_registration_response(
            credential=_document(answer),
            expected_challenge=challenge,
            expected_rp_id=party.host,
            expected_origin=party.origin,
            require_user_verification=True,
            supported_pub_key_algs=ALGORITHMS,
        )
    except _WRONG:
        raise _unverified() from None
    return NewPasskey(credential=verified.credential_id, public_key=verified.credential_public_key, sign_count=verified.sign_count)


def credential_of(answer: str) -> bytes:
    """By which passkey a browser says that it answers. Raises `Unverified` (PASSKEY)."""
    try:
        credential = base64url_to_bytes(_document(answer)["id"])
    except _WRONG:
        raise _unverified() from None
    return credential


def check_sign_in(party: RelyingParty, challenge: bytes, answer: str, public_key: bytes, sign_count: int) -> int:
    """The new count of signatures, if that passkey answers this challenge. Raises `Unverified` (PASSKEY), also for a copied key."""
    try:
        verified = verify_authentication_response(
            credential=_document(answer),
            expected_challenge=challenge,
            expected_rp_id=party.host,
            expected_origin=party.origin,
            credential_public_key=public_key,
            credential_current_sign_count=sign_count,
            require_user_verification=True,
        )
    except _WRONG:
        raise _unverified() from None
    return verified.new_sign_count


def assertion_of(party: RelyingParty, answer: str, public_key: bytes) -> Assertion:
    """What is kept of an answer that was found good. Raises `Unverified` (PASSKEY)."""
    try:
        document = _document(answer)
        response = document["response"]
        return Assertion(
            host=party.host,
            origin=party.origin,
            credential=base64url_to_bytes(document["id"]),
            public_key=public_key,
            authenticator_data=base64url_to_bytes(response["authenticatorData"]),
            client_data=base64url_to_bytes(response["clientDataJSON"]),
            signature=base64url_to_bytes(response["signature"]),
        )
    except _WRONG:
        raise _unverified() from None


def check_assertion(assertion: Assertion, challenge: bytes) -> None:
    """Raise `Unverified` (PASSKEY) unless that passkey, its person verified, signed this challenge for that site."""
    name = bytes_to_base64url(assertion.credential)
    response = {
        "authenticatorData": bytes_to_base64url(assertion.authenticator_data),
        "clientDataJSON": bytes_to_base64url(assertion.client_data),
        "signature": bytes_to_base64url(assertion.signature),
    }
    answer = json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})
    # Whether the count of signatures grew was judged when it was made; from 0 on every count is a growing one.
    check_sign_in(
        RelyingParty(host=assertion.host, origin=assertion.origin, name=""), challenge, answer, assertion.public_key, sign_count=0
    )


# What comes from a browser is anybody's: the library names only some of what can be wrong with it.
_WRONG: Final = (WebAuthnException, ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError, EOFError)


def _document(answer: str) -> dict[str, Any]:
    if len(answer) > LONGEST_ANSWER:
        raise ValueError
    document = json.loads(answer)
    if not isinstance(document, dict):
        raise TypeError
    return document


def _unverified() -> Unverified:
    return Unverified("PASSKEY", "this passkey is not known here, or its answer does not hold: try again, or ask for a new code")
