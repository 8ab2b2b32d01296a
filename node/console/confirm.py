"""The part of a page that asks for a fresh passkey before something that cannot be undone, and what comes back of it.

    asked = self._confirming.ask(visit, "withdraw", values)             # for the page
    confirmation = self._confirming.take(visit, "withdraw", values)     # in what takes its form

    {% from "confirm.html" import confirm_form with context %}
    {% call confirm_form(asked, "/sent/…/withdraw", _("Withdraw")) %} hidden fields of the form {% endcall %}

`values` are what is confirmed, as plain values that the page shows; both calls build them anew from what holds then. If they differ, the
answer counts for nothing, as if it came too late: the page is to be shown again.
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from exchange.errors import Unverified
from node.confirmations import Confirmation, say
from node.console.challenges import STALE, Challenges, read_challenge
from node.console.site import Site
from node.console.visits import Visit
from node.operations.confirm import Question, confirm, passkeys_of, unshown
from node.operations.sessions import BY_ISSUER
from node.operations.sign_in import Answered
from node.passkeys import confirm_options

_BY_CODE: Final = "DEMO_CODE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the part of the page needs."""

    ticket: str
    options: str
    """For the authenticator; empty where a plain button stands in its place."""
    missing: bool
    """The person came by the issuer's word, and has no passkey that could confirm anything."""


class Confirming:
    """Asks one console's visitors for their passkeys."""

    def __init__(self, site: Site, challenges: Challenges) -> None:
        self._site = site
        self._challenges = challenges

    def ask(self, visit: Visit, action: str, values: Mapping[str, Any]) -> Asked:
        """What the page asks with: five minutes for an answer, to this text, in this session."""
        said = say(action, visit.person, values)
        question = Question(said=said, ticket=self._challenges.new(_purpose(visit, said)))
        known = passkeys_of(self._site.ports, visit.person)
        without = self._without(visit)
        options = "" if without else confirm_options(self._site.relying_party, question.challenge, known)
        missing = visit.began_by == BY_ISSUER and not known
        return Asked(ticket=urlsafe_b64encode(question.ticket).decode(), options=options, missing=missing)

    def take(self, visit: Visit, action: str, values: Mapping[str, Any]) -> Confirmation:
        """The confirmation to keep. Raises `Unverified` (CHALLENGE: too old, sent twice, or of something else), and as `confirm`."""
        said = say(action, visit.person, values)
        ticket = self._challenges.check(_purpose(visit, said), read_challenge(visit.form.get("ticket", "")))
        question = Question(said=said, ticket=ticket)
        if self._without(visit):
            self._challenges.spend(ticket)
            return unshown(question)
        answered = Answered(challenge=question.challenge, answer=visit.form.get("answer", ""), spend=lambda: self._challenges.spend(ticket))
        return confirm(self._site.ports, self._site.relying_party, visit.person, question, answered)

    def taken(self, visit: Visit, action: str, values: Mapping[str, Any]) -> Confirmation | bool:
        """What was confirmed; else whether an answer came that counts no more, for the page is to be shown again. Raises as `take`."""
        if "ticket" not in visit.form:
            return False
        try:
            return self.take(visit, action, values)
        except Unverified as refused:
            if refused.code != STALE:
                raise
            return True

    def _without(self, visit: Visit) -> bool:
        # Only who came in by a code alone, which a training node may allow: they have shown no passkey yet, and need not have one.
        return self._site.demo_sign_in and self._site.ports.training and visit.began_by == _BY_CODE


def _purpose(visit: Visit, said: str) -> str:
    return f"confirm {visit.token} {sha256(said.encode()).hexdigest()}"
