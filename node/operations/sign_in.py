"""Coming into the console: an administrator's one-time code, the passkey that it enrols, and signing in with that."""

from base64 import b32encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from exchange.errors import NotFound, Unverified
from exchange.v1 import desk_service_pb2 as messages
from node.confirmations import passkey_name
from node.operations.officers import ADMINISTRATOR, require
from node.operations.sessions import begin_session
from node.passkeys import RelyingParty, check_sign_in, credential_of, open_registration
from node.ports import Ports
from node.store import identities, sign_ins
from node.store.journal import Event, Kind
from node.store.sign_ins import Passkey

CODE_MS: Final = 24 * 3_600_000
"""How long a code waits for its person."""
CODE_WRONG: Final = "ENROLMENT_CODE"
"""The code of a refusal: of one-time codes that are not known, were used, or have expired."""
_CODE_BYTES: Final = 15
_MISREAD: Final = str.maketrans("018", "OIB")
"""Base32 has no such digits: whoever reads them read letters."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Answered:
    """What a browser answered to a challenge. No repr: it must not reach a log by a traceback."""

    challenge: bytes
    answer: str
    """JSON."""
    spend: Callable[[], None]
    """Takes the challenge back once the answer was found good; raises `Unverified` if that was done before."""


def enrol_officer(ports: Ports, person: str, officer: str) -> messages.EnrolOfficerResponse:
    """A one-time code by which `officer` (SPIFFE ID) enrols a passkey. Only its digest is kept; an earlier code ends.

    Raises `NotPermitted` (ROLE_MISSING) and `NotFound` (OFFICER_UNKNOWN).
    """
    require(ports, person, (ADMINISTRATOR,))
    _check_listed(ports, officer)
    code = b32encode(ports.entropy(_CODE_BYTES)).decode()
    now = ports.clock.now_ms()
    with ports.store.write() as tx:
        ports.journal.record(tx, now, Kind.JOURNAL_KIND_ACCESS, person, [Event(code="ENROLMENT", justification=f"for {officer}")])
        sign_ins.put_enrolment(tx, officer, _digest(code), now + CODE_MS)
    grouped = "-".join(code[start : start + 4] for start in range(0, len(code), 4))
    return messages.EnrolOfficerResponse(code=grouped, expires_at=now + CODE_MS)


def forget_passkeys(ports: Ports, person: str, officer: str) -> messages.ForgetPasskeysResponse:
    """Take from `officer` every passkey, code, session and identity, as when a key is lost. Raises as `enrol_officer`."""
    require(ports, person, (ADMINISTRATOR,))
    now = ports.clock.now_ms()
    with ports.store.write() as tx:
        linked = identities.forget_identity(tx, officer)
        forgotten = sign_ins.forget_person(tx, officer)
        if officer not in ports.officers and not forgotten and not linked:
            raise _unknown()
        ports.journal.record(tx, now, Kind.JOURNAL_KIND_ACCESS, person, [Event(code="PASSKEYS_REMOVED", justification=f"of {officer}")])
    return messages.ForgetPasskeysResponse(passkeys=forgotten)


def enrolling(ports: Ports, code: str) -> str:
    """For whom a code is, without using it up. Raises `Unverified` (ENROLMENT_CODE)."""
    with ports.store.read() as tx:
        officer = sign_ins.enrolment_of(tx, _digest(code), ports.clock.now_ms())
    if officer is None or officer not in ports.officers:
        raise _code_wrong()
    return officer


def add_passkey(ports: Ports, party: RelyingParty, code: str, answered: Answered) -> None:
    """Keep the passkey that a browser made for the code's person; the code is used up.

    Raises `Unverified` (ENROLMENT_CODE, PASSKEY, and as `answered.spend`).
    """
    enrolling(ports, code)
    made = open_registration(party, answered.challenge, answered.answer)
    answered.spend()
    now = ports.clock.now_ms()
    with ports.store.write() as tx:
        officer = sign_ins.use_enrolment(tx, _digest(code), now)
        if officer is None:
            raise _code_wrong()
        kept = Passkey(credential=made.credential, person=officer, public_key=made.public_key, sign_count=made.sign_count, added_at=now)
        if not sign_ins.add_passkey(tx, kept):
            raise Unverified("PASSKEY", "this passkey is enrolled already")
        ports.journal.record(
            tx, now, Kind.JOURNAL_KIND_ACCESS, officer, [Event(code="PASSKEY_ADDED", subject=passkey_name(made.public_key))]
        )


def sign_in(ports: Ports, party: RelyingParty, answered: Answered) -> bytes:
    """Sign in whoever answers the challenge with an enrolled passkey; the secret of the new session.

    Raises `Unverified` (PASSKEY, and as `answered.spend`).
    """
    credential = credential_of(answered.answer)
    with ports.store.read() as tx:
        known = sign_ins.passkey_of(tx, credential)
    # An unknown passkey and a wrong answer are one refusal: who is enrolled here is nobody's business.
    refused = Unverified("PASSKEY", "this passkey is not known here, or its answer does not hold: try again, or ask for a new code")
    if known is None or known.person not in ports.officers:
        raise refused
    counted = check_sign_in(party, answered.challenge, answered.answer, known.public_key, known.sign_count)
    answered.spend()
    with ports.store.write() as tx:
        if not sign_ins.count_passkey(tx, credential, known.sign_count, counted):
            raise refused  # it was removed meanwhile, or a copy of it is used at the same moment
        return begin_session(ports, tx, known.person, "PASSKEY")


def sign_in_by_code(ports: Ports, code: str) -> bytes:
    """Sign in with an enrolment code alone, once: for demonstrations on a training node. Raises `Unverified` (ENROLMENT_CODE)."""
    if not ports.training:
        raise _code_wrong()
    enrolling(ports, code)
    with ports.store.write() as tx:
        officer = sign_ins.use_enrolment(tx, _digest(code), ports.clock.now_ms())
        if officer is None:
            raise _code_wrong()
        return begin_session(ports, tx, officer, "DEMO_CODE")


def _check_listed(ports: Ports, officer: str) -> None:
    if officer not in ports.officers:
        raise _unknown()


def _unknown() -> NotFound:
    return NotFound("OFFICER_UNKNOWN", "nobody of this name is in the node's roster: see [[officers]] in its configuration")


def _code_wrong() -> Unverified:
    return Unverified(CODE_WRONG, "this code is not known, was used, or has expired: ask your administrator for a new one")


def _digest(code: str) -> bytes:
    # However a person types it: in groups, in small letters, with blanks, and with digits that look like letters.
    return sha256("".join(code.split()).replace("-", "").upper().translate(_MISREAD).encode()).digest()
