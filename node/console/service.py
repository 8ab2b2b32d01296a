"""The web console: who may ask, in what language, and what every answer carries; its pages are families of their own (`desk_pages`, …).

K1  Nothing but this host: another name in the Host header is refused, so no foreign name is bound to this site.
K2  What changes something is a POST from a page of this site (Sec-Fetch-Site), with the session's token if somebody is signed in.
    The one page that another site leads to (`returning`) takes what only a browser has that was sent there from a page of this one.
K3  Who is signed in follows from the session's cookie alone, and the operations ask the roster again each time.
K4  Every answer has the headers of `visits.HEADERS`; no page is stored anywhere. K1 and K4 are kept by `guard`, before any route.
K5  No answer, title, address or log says what went wrong in more than a code and words of this site.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from exchange.errors import Conflict, ExchangeError, Malformed, NotFound, Refused, Unverified
from node.console.admin_pages import AdminPages
from node.console.approval_pages import ApprovalPages
from node.console.assets import Assets
from node.console.audit_journal_pages import AuditJournalPages
from node.console.audit_pages import AuditPages
from node.console.audit_run_pages import AuditRunPages
from node.console.audit_sample_pages import AuditSamplePages
from node.console.challenges import LIVES_MS, Challenges
from node.console.compose_pages import ComposePages
from node.console.confirm import Confirming
from node.console.desk_pages import DeskPages
from node.console.guard import Guard
from node.console.handover_pages import HandoverPages
from node.console.languages import Language, choose, load_languages
from node.console.leave_pages import LeavePages
from node.console.news import News
from node.console.oidc_pages import OidcPages
from node.console.page import Answer, Page
from node.console.pages import Pages
from node.console.preview_pages import PreviewPages
from node.console.recall_pages import RecallPages
from node.console.replace_pages import ReplacePages
from node.console.reply_pages import ReplyPages
from node.console.report_pages import ReportPages
from node.console.request_pages import RequestPages
from node.console.screen_pages import ScreenPages
from node.console.sent_pages import SentPages
from node.console.sent_proof_pages import SentProofPages
from node.console.sign_in_pages import SignInPages
from node.console.site import Site
from node.console.tell_pages import TellPages
from node.console.tip_pages import TipPages
from node.console.uploads import read_upload
from node.console.visits import (
    Elsewhere,
    SignInFirst,
    Visit,
    check_origin,
    check_return,
    check_token,
    is_from_here,
    read_form,
    read_secret,
    safe_path,
    typed_in,
    was_linked,
    write_secret,
)
from node.console.way_back import KEPT_SECONDS, WaysBack
from node.operations.officers import NotPermitted
from node.operations.sessions import WHOLE_MS, ended_session, open_session, watch_session
from node.telemetry.logging import logger

_STATUS: Final = (
    (NotPermitted, 403),
    (Unverified, 403),
    (Malformed, 400),
    (Refused, 409),
    (Conflict, 409),
    (NotFound, 404),
)
"""The one table from errors to statuses; the first that fits counts."""
_SECURED: Final = {"CROSS_SITE": 403, "FORM_TOKEN": 403, "HOST": 421, "OIDC_METADATA": 502, "OIDC_UNREACHABLE": 503}
SESSION_COOKIE: Final = "__Host-session"
LANGUAGE_COOKIE: Final = "__Host-language"
ATTEMPT_COOKIE: Final = "__Host-attempt"
WAY_BACK_COOKIE: Final = "__Host-way-back"
"""Browsers take them from TLS alone, and from this machine's own names."""
_YEAR: Final = 365 * 24 * 3600


class Console:
    """The application behind the listener; `routes` are all that it answers."""

    def __init__(self, site: Site, assets: Assets) -> None:
        self._site = site
        self._assets = assets
        self._languages = load_languages()
        self._pages = Pages(site, assets, self._languages)
        challenges = Challenges(site.ports)
        confirming = Confirming(site, challenges)
        self._ways_back = WaysBack(challenges=challenges)
        # One line for each family of pages.
        self.pages: tuple[Page, ...] = (
            *SignInPages(site, self._pages, challenges, self._signing_in, self._signing_out).pages(),
            *OidcPages(site, challenges, self._leaving, self._signing_in_from_abroad).pages(),
            *AdminPages(site, self._pages, confirming).pages(),
            Page(method="POST", path="/language", answer=self._choose_language, open=True),
            *News(site).pages(),
            *DeskPages(site, self._pages).pages(),
            *ReportPages(site, self._pages).pages(),
            *HandoverPages(site, self._pages).pages(),
            *ReplyPages(site, self._pages).pages(),
            *RequestPages(site, self._pages).pages(),
            *ScreenPages(site, self._pages).pages(),
            *LeavePages(site, self._pages, confirming).pages(),
            *ComposePages(site, self._pages).pages(),
            *PreviewPages(site, self._pages, confirming).pages(),
            *ApprovalPages(site, self._pages, confirming).pages(),
            *SentPages(site, self._pages).pages(),
            *SentProofPages(site, self._pages, confirming).pages(),
            *RecallPages(site, self._pages, confirming).pages(),
            *ReplacePages(site, self._pages).pages(),
            *AuditPages(site, self._pages).pages(),
            *AuditJournalPages(site, self._pages).pages(),
            *AuditRunPages(site, self._pages).pages(),
            *AuditSamplePages(site, self._pages, confirming).pages(),
            *TellPages(site, self._pages).pages(),
            *TipPages(site, self._pages).pages(),
        )
        self._shown = frozenset(page.path for page in self.pages if page.method == "GET")

    def application(self) -> Starlette:
        """Every page as a route, and the assets."""
        # One route a page, so that a method that a page does not have is refused as such.
        routes = [Route(page.path, partial(self._serve, page), methods=[page.method]) for page in self.pages]
        routes.append(Route("/assets/{version}/{name}", self._asset, methods=["GET"]))
        guard = Middleware(Guard, site=self._site, other_name=self._other_name)
        made = Starlette(routes=routes, middleware=[guard], exception_handlers={HTTPException: self._no_route})
        made.router.redirect_slashes = False  # an address has one form
        return made

    async def _serve(self, page: Page, request: Request) -> Response:
        language = self._language(request)
        form: dict[str, str] = {}
        try:
            upload = b""
            if page.from_here and not is_from_here(request):
                raise Elsewhere("/sign-in")
            if page.returning:
                check_return(request)
            if page.method == "POST":
                check_origin(request)
                if page.upload:
                    await run_in_threadpool(self._check_session, request)
                    form, upload = await read_upload(request, page.upload)
                else:
                    form = await read_form(request)
            response = await run_in_threadpool(self._answer, page, request, form, language, upload)
        except Elsewhere as other:
            response = RedirectResponse(other.path, 303)
            if isinstance(other, SignInFirst) and not page.unasked:
                at = self._address(page, request)
                kept = self._ways_back.write(at, other.person, lost=page.method == "POST" and at != "/")  # to sign out twice loses nothing
                # Who comes back from an issuer comes from another site. It opens nothing: it is where a person goes who has signed in.
                self._set_cookie(response, WAY_BACK_COOKIE, kept, KEPT_SECONDS, lax=True)
        except ExchangeError as refused:
            # Browsers give nothing back of a page that may not be stored.
            typed = typed_in(form) if refused.code == "FORM_TOKEN" else []
            response = await run_in_threadpool(self._refusal, refused, language, typed)
        except Exception as error:  # noqa: BLE001 - whatever it is, the browser learns nothing of it
            logger().error("console request failed", error=type(error).__name__)
            response = await run_in_threadpool(self._pages.trouble, language, 500, "INTERNAL")
        if page.returning and ATTEMPT_COOKIE in request.cookies:
            self._set_cookie(response, ATTEMPT_COOKIE, "", 0, lax=True)  # whatever came of it, it was one attempt
        return response

    def _check_session(self, request: Request) -> None:
        """From whoever is not signed in nothing large is read."""
        secret = read_secret(request.cookies.get(SESSION_COOKIE, ""))
        if not secret or watch_session(self._site.ports, secret) is None:
            raise SignInFirst(ended_session(self._site.ports, secret).person if secret else "")

    def _address(self, page: Page, request: Request) -> str:
        """Of the page that is read; of what takes a form the nearest page above it."""
        if page.method == "GET":
            return f"{request.url.path}?{request.url.query}".rstrip("?")
        route, path = page.path, request.url.path
        while route and route not in self._shown:
            route, path = route.rpartition("/")[0], path.rpartition("/")[0]
        return path or "/"

    def _answer(self, page: Page, request: Request, form: dict[str, str], language: Language, upload: bytes) -> Response:
        secret = read_secret(request.cookies.get(SESSION_COOKIE, ""))
        opened = watch_session if page.unasked else open_session
        session = opened(self._site.ports, secret) if secret else None
        ended = ended_session(self._site.ports, secret) if secret and session is None else None
        linked = session is None and not page.open and was_linked(request)
        if session is None and not page.open and not linked:
            raise SignInFirst(ended.person if ended else "")
        visit = Visit(
            person=session.person if session else "",
            secret=secret if session else b"",
            began_by=session.began_by if session else "",
            language=language,
            place={name: str(value) for name, value in request.path_params.items()},
            query=dict(request.query_params),
            form=form,
            attempt=read_secret(request.cookies.get(ATTEMPT_COOKIE, "")) if page.returning else b"",
            upload=upload,
            at=safe_path(self._address(page, request)),
            wanted=request.cookies.get(WAY_BACK_COOKIE, ""),
            idle_seconds=self._seconds_to(min(session.idle_at, session.ends_at)) if session else 0,
            whole_seconds=self._seconds_to(session.ends_at) if session else 0,
            ended=ended.why if ended else "",
        )
        if linked:
            return self._pages.page(visit, "go_on.html", alone=True)
        if page.method == "POST" and session is not None:
            check_token(visit)
        return page.answer(visit)

    def _seconds_to(self, unix_ms: int) -> int:
        return (unix_ms - self._site.ports.clock.now_ms()) // 1000

    def _signing_in(self, answer: Callable[[Visit], bytes | Response]) -> Answer:
        def signed_in(visit: Visit) -> Response:
            secret = answer(visit)
            if isinstance(secret, Response):
                return secret
            response = RedirectResponse(self._way_back(visit, secret), 303)
            self._enter(response, secret)
            return response

        return signed_in

    def _leaving(self, answer: Callable[[Visit], tuple[str, bytes]]) -> Answer:
        def leaving(visit: Visit) -> Response:
            url, attempt = answer(visit)
            response = RedirectResponse(url, 303)
            # Strict cookies are not sent with what another site leads to; this one opens nothing but the end of this attempt.
            self._set_cookie(response, ATTEMPT_COOKIE, write_secret(attempt), LIVES_MS // 1000, lax=True)
            return response

        return leaving

    def _signing_in_from_abroad(self, answer: Callable[[Visit], bytes]) -> Answer:
        def signed_in(visit: Visit) -> Response:
            secret = answer(visit)
            # A redirection would still be of the other site's making, and browsers would leave the session's cookie out.
            response = self._pages.page(visit, "signed_in.html", alone=True, to=self._way_back(visit, secret))
            self._enter(response, secret)
            return response

        return signed_in

    def _way_back(self, visit: Visit, secret: bytes) -> str:
        session = watch_session(self._site.ports, secret)
        return self._ways_back.to(visit.wanted, session.person if session else "")

    def _enter(self, response: Response, secret: bytes) -> None:
        # It outlives the session, which the node ends: so the page to sign in can say why it did.
        self._set_cookie(response, SESSION_COOKIE, write_secret(secret), 2 * WHOLE_MS // 1000)
        self._set_cookie(response, WAY_BACK_COOKIE, "", 0, lax=True)

    def _signing_out(self, answer: Answer) -> Answer:
        def signed_out(visit: Visit) -> Response:
            response = answer(visit)
            self._set_cookie(response, SESSION_COOKIE, "", 0)
            response.headers["clear-site-data"] = '"cache", "storage"'
            return response

        return signed_out

    def _choose_language(self, visit: Visit) -> Response:
        code = visit.form.get("language", "")
        if code not in self._languages:
            raise Malformed("FORM", "there is no such language here")
        response = RedirectResponse(visit.back, 303)
        self._set_cookie(response, LANGUAGE_COOKIE, code, _YEAR)
        return response

    def _set_cookie(self, response: Response, name: str, value: str, seconds: int, *, lax: bool = False) -> None:
        response.set_cookie(name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="lax" if lax else "strict")

    async def _other_name(self, request: Request) -> Response:
        refused = Refused("HOST", "this console answers under its own name only")
        return await run_in_threadpool(self._refusal, refused, self._language(request))

    def _language(self, request: Request) -> Language:
        return choose(
            self._languages, request.cookies.get(LANGUAGE_COOKIE, ""), request.headers.get("accept-language", ""), self._site.language
        )

    async def _asset(self, request: Request) -> Response:
        asset = self._assets.by_name.get(request.path_params["name"])
        if asset is None or request.path_params["version"] != self._assets.version:
            return await self._no_route(request, HTTPException(404))
        packed = asset.packed if "gzip" in request.headers.get("accept-encoding", "") else None
        response = Response(packed or asset.data, media_type=asset.kind)
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        response.headers["vary"] = "accept-encoding"
        if packed:
            response.headers["content-encoding"] = "gzip"
        return response

    def _refusal(self, refused: ExchangeError, language: Language, typed: Sequence[str] = ()) -> Response:
        logger().info("refused", method="console", code=refused.code)
        status = _SECURED.get(refused.code) or next((status for kind, status in _STATUS if isinstance(refused, kind)), 500)
        return self._pages.trouble(language, status, refused.code, typed)

    async def _no_route(self, request: Request, error: Any) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        code = {404: "PATH_UNKNOWN", 405: "METHOD_UNKNOWN"}.get(status, "REQUEST")
        return await run_in_threadpool(self._pages.trouble, self._language(request), status, code)
