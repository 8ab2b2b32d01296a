"""Signing in by the agency's OpenID Connect issuer: away, and back.

Nothing is kept of an attempt until it went well: state, nonce and verifier follow from a challenge that the browser keeps in a cookie.
"""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Final

from exchange.errors import Unverified
from node.console.challenges import Challenges
from node.console.page import Answer, Page
from node.console.site import Site
from node.console.visits import Elsewhere, Visit
from node.id_tokens import UNKNOWN_KEY, Identity, open_id_token
from node.oidc import Attempt, Issuer, authorization_url, check_state, other_browser, read_code
from node.operations.identities import sign_in_by_identity
from node.operations.sessions import end_session

RETURN_PATH: Final = "/sign-in/oidc/return"
_PURPOSE: Final = "oidc"


class OidcPages:
    """None, where no issuer is configured."""

    def __init__(
        self,
        site: Site,
        challenges: Challenges,
        leaving: Callable[[Callable[[Visit], tuple[str, bytes]]], Answer],
        signing_in: Callable[[Callable[[Visit], bytes]], Answer],
    ) -> None:
        self._site = site
        self._challenges = challenges
        self._leaving = leaving
        self._signing_in = signing_in

    def pages(self) -> tuple[Page, ...]:
        """Every page of this family."""
        issuer = self._site.issuer
        if issuer is None:
            return ()
        leave = self._leaving(lambda visit: self.leave(visit, issuer))
        come_back = self._signing_in(lambda visit: self.sign_in(visit, issuer))
        return (
            Page(method="GET", path="/sign-in/oidc", answer=leave, open=True, from_here=True),
            Page(method="GET", path=RETURN_PATH, answer=come_back, open=True, returning=True),
        )

    def leave(self, visit: Visit, issuer: Issuer) -> tuple[str, bytes]:
        """Where the browser is sent, and what it keeps meanwhile. Raises as `Issuer.metadata`."""
        if visit.person:
            raise Elsewhere("/")
        challenge = self._challenges.new(_PURPOSE)
        return authorization_url(issuer.client, issuer.metadata(), self._attempt(challenge), self._redirect_uri), challenge

    def sign_in(self, visit: Visit, issuer: Issuer) -> bytes:
        """The secret of a session, for what the browser brings back; who was signed in there is signed out.

        Raises `Unverified` (OIDC_STATE, CHALLENGE), as `read_code`, `Issuer.redeem`, `open_id_token` and `sign_in_by_identity`.
        """
        if not visit.attempt:
            raise other_browser()
        challenge = self._challenges.check(_PURPOSE, visit.attempt)
        attempt = self._attempt(challenge)
        check_state(visit.query, attempt)
        code = read_code(visit.query, issuer.client, issuer.metadata())
        identity = self._opened(issuer, issuer.redeem(code, attempt.verifier, self._redirect_uri), attempt)
        secret = sign_in_by_identity(self._site.ports, identity, lambda: self._challenges.spend(challenge))
        if visit.secret:
            end_session(self._site.ports, visit.secret)
        return secret

    def _opened(self, issuer: Issuer, token: str, attempt: Attempt) -> Identity:
        now = self._site.ports.clock.now_ms()
        try:
            return open_id_token(token, issuer.keys(), issuer.client, attempt.nonce, now)
        except Unverified as refused:
            if refused.code != UNKNOWN_KEY:
                raise
        return open_id_token(token, issuer.keys(again=True), issuer.client, attempt.nonce, now)

    def _attempt(self, challenge: bytes) -> Attempt:
        state, nonce, verifier = (
            urlsafe_b64encode(self._challenges.derived(f"{_PURPOSE} {use}", challenge)).rstrip(b"=").decode()
            for use in ("state", "nonce", "verifier")
        )
        return Attempt(state=state, nonce=nonce, verifier=verifier)

    @property
    def _redirect_uri(self) -> str:
        return f"{self._site.relying_party.origin}{RETURN_PATH}"
