"""Passkeys (WebAuthn level 3): what a browser is asked, and whether its answer holds. Values in, values out; the library's only user.

User verification (a PIN, a finger, a face) is required each time, and no attestation is asked for: who may enrol is decided by a code.
"""

import json
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
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import AuthenticatorSelectionCriteria, ResidentKeyRequirement, UserVerificationRequirement

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


def registration_options(party: RelyingParty, person: str, challenge: bytes) -> str:
    """JSON for `navigator.credentials.create`; the person (SPIFFE ID) is shown by the last part of their name."""
    name = person.rpartition("/")[2]
    options = generate_registration_options(
        rp_id=party.host,
        rp_name=party.name,
        user_name=name,
        user_id=sha256(person.encode()).digest(),
        user_display_name=name,
        challenge=challenge,
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
