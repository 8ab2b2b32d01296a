"""Coming in and going out: a passkey, the code that enrols one, and, on a training node, that code alone."""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Final

from starlette.responses import RedirectResponse, Response

from exchange.errors import Unverified
from node.console.challenges import STALE, Challenges, read_challenge
from node.console.page import Answer, Page
from node.console.pages import Pages
from node.console.site import Site
from node.console.visits import Elsewhere, Visit
from node.console.way_back import WaysBack
from node.operations import sessions, sign_in
from node.operations.confirm import passkeys_of
from node.operations.sign_in import Answered
from node.passkeys import registration_options, sign_in_options
from node.telemetry.logging import logger

_SIGN_IN, _ENROL = "sign-in", "enrol"


def _said(text: str) -> str:
    """Mark a text for the catalogue that is looked up later."""
    return text


_ENDED: Final = {
    "IDLE": _said("You were signed out after 15 minutes without use."),
    "WHOLE": _said("You were signed out: a session ends after eight hours."),
    "ENDED": _said("You were signed out: your session has ended, or was ended elsewhere."),
}
_LOST: Final = _said("What you were sending did not arrive, and was not kept.")
_STALE: Final = _said("This page was open for too long. Nothing was lost: sign in once more.")
_MADE: Final = _said("Your passkey was made. Sign in with it.")
_BACK: Final = _said("Once you have signed in again, you come back to the page where you were.")


class SignInPages:
    """What whoever is not signed in may see."""

    def __init__(
        self,
        site: Site,
        pages: Pages,
        challenges: Challenges,
        signing_in: Callable[[Callable[[Visit], bytes | Response]], Answer],
        signing_out: Callable[[Answer], Answer],
    ) -> None:
        self._site = site
        self._pages = pages
        self._challenges = challenges
        self._signing_in = signing_in
        self._signing_out = signing_out

    def pages(self) -> tuple[Page, ...]:
        """Every page of this family."""
        return (
            Page(method="GET", path="/sign-in", answer=self.ask, open=True),
            Page(method="POST", path="/sign-in", answer=self._signing_in(self.sign_in), open=True),
            *(
                (Page(method="POST", path="/sign-in/code", answer=self._signing_in(self.by_code), open=True),)
                if self._site.demo_sign_in
                else ()
            ),
            Page(method="GET", path="/enrol", answer=self.ask_code, open=True),
            Page(method="POST", path="/enrol", answer=self.offer_passkey, open=True),
            Page(method="POST", path="/enrol/passkey", answer=self.enrol, open=True),
            Page(method="POST", path="/sign-out", answer=self._signing_out(self.sign_out)),
        )

    def ask(self, visit: Visit) -> Response:
        """The page to sign in; in a demonstration also for whoever is signed in and wants to be somebody else."""
        if visit.person and not self._site.demo_sign_in:
            raise Elsewhere("/")
        return self._asked(visit)

    def _asked(self, visit: Visit, *, status: int = 200, notice: str = "", code_wrong: bool = False) -> Response:
        challenge = self._challenges.new(_SIGN_IN)
        lost = not visit.person and WaysBack.lost(visit.wanted)
        made = _MADE if "enrolled" in visit.query else None
        notices = (notice, made, _ENDED.get(visit.ended), _LOST if lost else None, _BACK if visit.ended and visit.wanted else None)
        return self._pages.page(
            visit,
            "sign_in.html",
            status=status,
            options=sign_in_options(self._site.relying_party, challenge),
            challenge=_text(challenge),
            notice=[visit.language.say(one) for one in notices if one],
            code_wrong=code_wrong,
            code=visit.form.get("code", ""),
            demo=self._site.demo_sign_in,
            issuer=self._site.issuer.client.host if self._site.issuer else "",
        )

    def sign_in(self, visit: Visit) -> bytes | Response:
        """The secret of a session, for a passkey's answer; the page again for one that came too late. Raises `Unverified` (PASSKEY)."""
        try:
            return sign_in.sign_in(self._site.ports, self._site.relying_party, self._answered(_SIGN_IN, visit))
        except Unverified as refused:
            _refused(refused, STALE)
            return self._asked(visit, status=403, notice=_STALE)

    def by_code(self, visit: Visit) -> bytes | Response:
        """The same for a code alone, on a training node; who was signed in there is signed out. The page again for a wrong code."""
        try:
            secret = sign_in.sign_in_by_code(self._site.ports, visit.form.get("code", ""))
        except Unverified as refused:
            return self._asked(visit, status=403, code_wrong=_refused(refused, sign_in.CODE_WRONG))
        sessions.end_session(self._site.ports, visit.secret)
        return secret

    def ask_code(self, visit: Visit) -> Response:
        """The page that asks for an administrator's code."""
        return self._pages.page(visit, "enrol.html")

    def offer_passkey(self, visit: Visit) -> Response:
        """The page that makes a passkey, for whoever has a code; for a wrong code the page that asks for it."""
        return self._offered(visit)

    def _offered(self, visit: Visit, *, stale: bool = False) -> Response:
        code = visit.form.get("code", "")
        try:
            officer = sign_in.enrolling(self._site.ports, code)
        except Unverified as refused:
            return self._pages.page(visit, "enrol.html", status=403, code=code, code_wrong=_refused(refused, sign_in.CODE_WRONG))
        challenge = self._challenges.new(_ENROL)
        options = registration_options(self._site.relying_party, officer, challenge, passkeys_of(self._site.ports, officer))
        status = 403 if stale else 200
        said = {"code": code, "options": options, "challenge": _text(challenge), "officer": officer, "stale": stale}
        return self._pages.page(visit, "passkey.html", status=status, **said)

    def enrol(self, visit: Visit) -> Response:
        """Keep the passkey, and go and sign in with it; the page again for one that came too late. Raises `Unverified` (PASSKEY)."""
        try:
            answered = self._answered(_ENROL, visit)
            sign_in.add_passkey(self._site.ports, self._site.relying_party, visit.form.get("code", ""), answered)
        except Unverified as refused:
            return self._offered(visit, stale=_refused(refused, STALE, sign_in.CODE_WRONG))
        return RedirectResponse("/sign-in?enrolled", 303)

    def sign_out(self, visit: Visit) -> Response:
        """End the session."""
        sessions.end_session(self._site.ports, visit.secret)
        return RedirectResponse("/sign-in", 303)

    def _answered(self, purpose: str, visit: Visit) -> Answered:
        challenge = self._challenges.check(purpose, read_challenge(visit.form.get("challenge", "")))
        return Answered(challenge=challenge, answer=visit.form.get("answer", ""), spend=lambda: self._challenges.spend(challenge))


def _refused(refused: Unverified, *codes: str) -> bool:
    """True: the page is to be shown again. Raises what was refused for any other reason."""
    if refused.code not in codes:
        raise refused
    logger().info("refused", method="console", code=refused.code)
    return True


def _text(challenge: bytes) -> str:
    return urlsafe_b64encode(challenge).decode()
