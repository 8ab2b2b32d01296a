"""What the listener for NGOs answers: JSON over HTTPS, with mutual TLS. Every error is a problem detail of RFC 9457 with a stable code.

    PUT  /v1/tips/{uuid}          save a tip, whole, under a UUID that the client made; again and again, until it is submitted
    POST /v1/tips/{uuid}/submit   submit it
    GET  /v1/tips/{uuid}          what became of it: the status, whom to call, what a desk asks for
    GET  /v1/tips[?after=…]       all of one's own

Who asks is the certificate (`spiffe://<trust domain>/ngo/<name>`), proved again for each request. An answer never repeats what was sent.
"""

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from cryptography import x509
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from exchange.errors import Conflict, ExchangeError, Malformed, NotFound, Refused, Unverified
from exchange.v1.desk_service_pb2 import Problem
from node.operations.access import note_access
from node.operations.officers import NotPermitted
from node.operations.tip_line import FormRefused, TipAnswer, list_own, save_tip, submit_tip, tip_status
from node.ports import Ports
from node.store.errors import StoreFailed
from node.store.journal import Event, Kind
from node.telemetry.logging import logger
from node.tipline.answers import list_document, tip_document
from node.tipline.rates import Rates
from node.tips.form import LARGEST
from node.tls import Listener, RevocationList, verify_peer

BODY_SECONDS: Final = 10.0
"""How long a client may take to send a request's body."""
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_AFTER: Final = re.compile(r"[0-9]{1,18}")
_JSON: Final = re.compile(r'application/json( *; *charset *= *"?utf-8"?)?', re.IGNORECASE)
_ANSWERS: Final = {"content-type": "application/json", "cache-control": "no-store"}
_STATUS: Final = (
    (NotPermitted, 403),
    (StoreFailed, 503),
    (FormRefused, 422),
    (Malformed, 400),
    (Unverified, 403),
    (Refused, 409),
    (Conflict, 409),
    (NotFound, 404),
)
"""The one table from errors to statuses; the first that fits counts."""
_OTHERS: Final = {404: "PATH_UNKNOWN", 405: "METHOD_UNKNOWN"}


def tip_service(
    ports: Ports, authorities: Sequence[x509.Certificate], *, rates: Rates | None = None, body_seconds: float = BODY_SECONDS
) -> Starlette:
    """The application behind the listener for NGOs, whose certificates come from these authorities."""
    door = _Door(ports=ports, authorities=authorities, rates=rates or Rates(), body_seconds=body_seconds)
    return Starlette(
        routes=[
            Route("/v1/tips", door.list_tips, methods=["GET"]),
            Route("/v1/tips/{tip}", door.save, methods=["PUT"]),
            Route("/v1/tips/{tip}", door.status, methods=["GET"]),
            Route("/v1/tips/{tip}/submit", door.submit, methods=["POST"]),
        ],
        exception_handlers={HTTPException: _no_route},
    )


class _HttpRefused(ExchangeError):
    """A request that was refused before anybody looked at what it says."""

    def __init__(self, status: int, code: str, message: str, wait: int = 0) -> None:
        super().__init__(code, message)
        self.status = status
        self.wait = wait


@dataclass(frozen=True, slots=True, kw_only=True)
class _Door:
    ports: Ports
    authorities: Sequence[x509.Certificate]
    rates: Rates
    body_seconds: float

    async def save(self, request: Request) -> Response:
        async def answer(ngo: str) -> Response:
            body = await self._body(request)
            tip_id = _tip_id(request)
            saved = await run_in_threadpool(save_tip, self.ports, ngo, tip_id, body)
            return _json(tip_document(saved), 201 if saved.created else 200)

        return await self._answer(request, answer)

    async def submit(self, request: Request) -> Response:
        return await self._answer_one(request, submit_tip)

    async def status(self, request: Request) -> Response:
        return await self._answer_one(request, tip_status)

    async def list_tips(self, request: Request) -> Response:
        async def answer(ngo: str) -> Response:
            after = request.query_params.get("after", "0")
            if not _AFTER.fullmatch(after) or len(request.query_params) > 1:
                raise Malformed("QUERY", "the one parameter is after, with what the page before gave as next")
            found, more = await run_in_threadpool(list_own, self.ports, ngo, int(after))
            return _json(list_document(found, more))

        return await self._answer(request, answer)

    async def _answer_one(self, request: Request, operation: Callable[[Ports, str, bytes], TipAnswer]) -> Response:
        async def answer(ngo: str) -> Response:
            await self._body(request, empty=True)
            return _json(tip_document(await run_in_threadpool(operation, self.ports, ngo, _tip_id(request))))

        return await self._answer(request, answer)

    async def _answer(self, request: Request, answer: Callable[[str], Any]) -> Response:
        try:
            ngo = await run_in_threadpool(self._admit, request)
            if wait := self.rates.take(ngo, self.ports.clock.now_ms()):
                raise _HttpRefused(429, "TOO_MANY_REQUESTS", "this is more than one organisation may ask in a minute", wait)
            await run_in_threadpool(self._greet, request, ngo)
            response: Response = await answer(ngo)
        except ExchangeError as refused:
            return _refusal(refused)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller learns nothing of it
            logger().error("tip request failed", error=type(error).__name__)
            return _problem(500, "INTERNAL", "something went wrong here: try again, and call whoever is named if it is urgent")
        return response

    def _admit(self, request: Request) -> str:
        """The SPIFFE ID of whoever asks. Raises `Unverified` (TLS_…)."""
        try:
            leaf = x509.load_der_x509_certificate(getattr(request.state, "leaf", b""))
        except ValueError:
            raise Unverified("TLS_UNREADABLE", "the certificate cannot be read") from None
        trust = {self.ports.trust_domain: self.authorities}
        identity = verify_peer(leaf, trust=trust, now=self.ports.clock.now(), listener=Listener.TIPS, revoked=RevocationList())
        return str(identity.party)

    def _greet(self, request: Request, ngo: str) -> None:
        """Record a sign-in at the first request of each connection."""
        greeted: list[str] = request.state.greeted
        if not greeted:
            note_access(self.ports, Kind.JOURNAL_KIND_SIGN_IN, ngo, Event(code="CERTIFICATE"))
            greeted.append(ngo)

    async def _body(self, request: Request, *, empty: bool = False) -> bytes:
        declared = request.headers.get("content-length", "0")
        if not declared.isascii() or not declared.isdecimal() or int(declared) > LARGEST:
            raise _too_large()
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise _HttpRefused(415, "CONTENT_ENCODING", "what is sent is not compressed")
        body = bytearray()
        try:
            async with asyncio.timeout(self.body_seconds):
                async for part in request.stream():
                    body += part
                    if len(body) > LARGEST:
                        raise _too_large()
        except TimeoutError:
            raise _HttpRefused(408, "REQUEST_TOO_SLOW", "the request took too long to come") from None
        except ClientDisconnect:
            raise _HttpRefused(400, "REQUEST_ENDED", "the request ended too early") from None
        if not empty and not _JSON.fullmatch(request.headers.get("content-type", "")):
            raise _HttpRefused(415, "CONTENT_TYPE", "what is sent is application/json in UTF-8")
        if empty and body:
            raise _HttpRefused(400, "BODY_UNEXPECTED", "this request has no body")
        return bytes(body)


def _too_large() -> _HttpRefused:
    return _HttpRefused(413, "REQUEST_TOO_LARGE", f"a tip has at most {LARGEST // 1024} KiB; evidence stays with its custodian")


def _tip_id(request: Request) -> bytes:
    text = request.path_params["tip"]
    if not _UUID.fullmatch(text) or not text.strip("0-"):
        raise Malformed("TIP_ID", "a tip is named by a UUID in lower case, with hyphens, that your side makes at random")
    return bytes.fromhex(text.replace("-", ""))


def _refusal(refused: ExchangeError) -> Response:
    logger().info("refused", method="tips", code=refused.code)
    if isinstance(refused, _HttpRefused):
        response = _problem(refused.status, refused.code, str(refused))
        if refused.wait:
            response.headers["retry-after"] = str(refused.wait)
        if refused.status in {408, 413, 415}:
            response.headers["connection"] = "close"  # what is left of the body is not read
        return response
    status = next((status for kind, status in _STATUS if isinstance(refused, kind)), 500)
    problems = refused.problems if isinstance(refused, FormRefused) else ()
    return _problem(status, refused.code, str(refused), problems)


async def _no_route(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _problem(status, _OTHERS.get(status, "REQUEST"), "there is nothing of this name and method here")


def _problem(status: int, code: str, detail: str, problems: Sequence[Problem] = ()) -> Response:
    """A problem detail (RFC 9457, section 3): `code` is stable; `problems` say where, why and what to do, never what was sent."""
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    if problems:
        document["problems"] = [{"field": one.field, "code": one.code, "message": one.message, "remedy": one.remedy} for one in problems]
    return _json(document, status, kind="application/problem+json")


def _json(document: dict[str, Any], status: int = 200, *, kind: str = "application/json") -> Response:
    headers = {**_ANSWERS, "content-type": kind}
    return Response(json.dumps(document, ensure_ascii=False).encode(), status_code=status, headers=headers)
