"""A fresh passkey for what cannot be undone: only one of the person who is signed in, over the very text that the page showed, once."""

from dataclasses import dataclass

from exchange.errors import Unverified
from node.confirmations import Confirmation, challenge_of
from node.operations.officers import turned_away
from node.operations.sign_in import Answered
from node.passkeys import RelyingParty, assertion_of, check_sign_in, credential_of
from node.ports import Ports
from node.store import sign_ins


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Question:
    """A text that waits to be confirmed."""

    said: str
    ticket: bytes

    @property
    def challenge(self) -> bytes:
        """What the passkey signs."""
        return challenge_of(self.said, self.ticket)


def passkeys_of(ports: Ports, person: str) -> list[bytes]:
    """The credential ids of a person's passkeys."""
    with ports.store.read() as tx:
        return sign_ins.credentials_of(tx, person)


def confirm(ports: Ports, party: RelyingParty, person: str, question: Question, answered: Answered) -> Confirmation:
    """What to keep of a passkey's answer, if it is one of `person` (SPIFFE ID) to this question.

    Raises `NotPermitted` (PASSKEY), recorded before, for any other answer; and as `answered.spend`.
    """
    try:
        credential = credential_of(answered.answer)
        with ports.store.read() as tx:
            known = sign_ins.passkey_of(tx, credential)
        if known is None or known.person != person:
            raise _refused()
        counted = check_sign_in(party, question.challenge, answered.answer, known.public_key, known.sign_count)
        shown = assertion_of(party, answered.answer, known.public_key)
        answered.spend()
        with ports.store.write() as tx:
            if not sign_ins.count_passkey(tx, credential, known.sign_count, counted):
                raise _refused()  # it was removed meanwhile, or a copy of it is used at the same moment
    except Unverified as refused:
        if refused.code != "PASSKEY":
            raise
        raise turned_away(ports, person, "PASSKEY", str(refused)) from None
    return Confirmation(said=question.said, ticket=question.ticket, shown=shown)


def unshown(question: Question) -> Confirmation:
    """The same where no passkey can be asked for: a training node, by whoever came in by a code alone."""
    return Confirmation(said=question.said, ticket=question.ticket, shown=None)


def _refused() -> Unverified:
    return Unverified("PASSKEY", "this passkey is not yours here, or its answer does not hold: try again")
