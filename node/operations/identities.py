"""Coming into the console by the agency's OpenID Connect issuer: an administrator says whom it means, and nobody enrols by themselves.

Whoever lets people in comes with a passkey or a certificate: else the issuer could let anybody in, and that one could release.
"""

from collections.abc import Callable
from hashlib import sha256

from exchange.errors import Conflict, Malformed, NotFound, Refused, Unverified
from exchange.v1 import desk_service_pb2 as messages
from node.id_tokens import Identity, is_subject
from node.operations.officers import ADMINISTRATOR, require
from node.operations.sessions import BY_ISSUER, begin_session
from node.ports import Ports
from node.store import identities, sign_ins
from node.store.journal import Event, Kind


def link_identity(ports: Ports, person: str, officer: str, subject: str) -> messages.LinkIdentityResponse:
    """From now on `officer` (SPIFFE ID) is whom the issuer means by `subject`; who came in as anybody else is signed out.

    Raises `NotPermitted` (ROLE_MISSING), `Refused` (OIDC_NONE, OIDC_ADMINISTRATOR), `NotFound` (OFFICER_UNKNOWN), `Malformed`
    (OIDC_SUBJECT), `Conflict` (OIDC_LINKED).
    """
    require(ports, person, (ADMINISTRATOR,))
    if not ports.issuer:
        raise Refused("OIDC_NONE", "this node asks no OpenID Connect issuer: see [oidc] in its configuration")
    if officer not in ports.officers:
        raise _unknown()
    _check_role(ports, officer)
    if not is_subject(subject):
        raise Malformed("OIDC_SUBJECT", "a subject is a text of 1 to 255 characters, exactly as the issuer writes it")
    now = ports.clock.now_ms()
    with ports.store.write() as tx:
        if identities.person_of(tx, ports.issuer, subject) not in {None, officer}:
            raise Conflict("OIDC_LINKED", "the issuer means somebody else of the roster by this subject: unlink them first")
        identities.put_identity(tx, officer, ports.issuer, subject, now)
        sign_ins.end_sessions_of(tx, officer)
        linked = Event(code="IDENTITY_LINKED", subject=_name(ports.issuer, subject), justification=f"for {officer}")
        ports.journal.record(tx, now, Kind.JOURNAL_KIND_ACCESS, person, [linked])
    return messages.LinkIdentityResponse(issuer=ports.issuer)


def unlink_identity(ports: Ports, person: str, officer: str) -> messages.UnlinkIdentityResponse:
    """Nobody is `officer` (SPIFFE ID) by an issuer's word any more; passkeys stay, sessions end.

    Raises `NotPermitted` (ROLE_MISSING), `NotFound` (OFFICER_UNKNOWN: nobody of this name is linked).
    """
    require(ports, person, (ADMINISTRATOR,))
    now = ports.clock.now_ms()
    with ports.store.write() as tx:
        if not identities.forget_identity(tx, officer):
            raise _unknown()
        sign_ins.end_sessions_of(tx, officer)
        ports.journal.record(tx, now, Kind.JOURNAL_KIND_ACCESS, person, [Event(code="IDENTITY_REMOVED", justification=f"of {officer}")])
    return messages.UnlinkIdentityResponse()


def sign_in_by_identity(ports: Ports, identity: Identity, spend: Callable[[], None]) -> bytes:
    """Sign in whom the issuer names; the secret of the new session. `spend` takes the attempt back, once.

    Raises `Unverified` (OIDC_UNKNOWN: nobody of the roster, and as `spend`), `Refused` (OIDC_ADMINISTRATOR).
    """
    spend()
    with ports.store.write() as tx:
        person = identities.person_of(tx, identity.issuer, identity.subject)
        if person is None or identity.issuer != ports.issuer or person not in ports.officers:
            raise Unverified("OIDC_UNKNOWN", "the issuer names somebody whom this node does not know: ask your administrator")
        _check_role(ports, person)
        return begin_session(ports, tx, person, BY_ISSUER)


def _check_role(ports: Ports, officer: str) -> None:
    if ADMINISTRATOR in ports.officers[officer].roles:
        raise Refused("OIDC_ADMINISTRATOR", "administrators let people in, and come in by passkey alone")


def _name(issuer: str, subject: str) -> bytes:
    """An identity as the journal names it: whoever knows both finds it, and nobody reads it there."""
    return sha256(b"exchange console identity\0" + issuer.encode() + b"\0" + subject.encode()).digest()


def _unknown() -> NotFound:
    return NotFound("OFFICER_UNKNOWN", "nobody of this name is in the node's roster, or linked: see [[officers]] in its configuration")
