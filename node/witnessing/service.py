"""What the witness listener answers, over plain HTTP: C2SP tlog-witness for partners' journals, C2SP tlog-tiles for this node's own.

    POST /add-checkpoint                        cosign a partner's checkpoint
    GET  /<hash of an origin>/checkpoint        what this node cosigned of a partner's journal
    GET  /journal/<generation>/checkpoint       this node's own journal: the signed checkpoint with its cosignatures
    GET  /journal/<generation>/tile/<L>/<N>[.p/<W>]   and its tiles of hashes; there are no bundles of entries

Nobody proves who they are: what comes in is signed, and what goes out is for everybody. So every size and time is capped, and an error
tells its code and nothing more.
"""

import asyncio
import re
from collections.abc import Callable
from typing import Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from exchange.errors import ExchangeError, Malformed, NotFound, Unverified
from exchange.tlog.tiles import Tile
from exchange.witness import MAX_REQUEST_BYTES, SIZE_TYPE
from node.operations.cosign import OtherSize, add_checkpoint, witnessed_note
from node.operations.journal_tiles import journal_note, journal_tile
from node.ports import Ports
from node.store.errors import StoreFailed
from node.telemetry.logging import logger

BODY_SECONDS: Final = 10.0
"""How long a client may take to send a request's body."""
_GENERATION = re.compile(r"[1-9][0-9]{0,8}")
_TEXT: Final = "text/plain; charset=utf-8"
_STATUS: Final = {"WITNESS_SIGNATURE": 403, "WITNESS_INCONSISTENT": 422}


def witness_service(ports: Ports, *, body_seconds: float = BODY_SECONDS) -> Starlette:
    """The application behind the witness listener."""

    async def post_checkpoint(request: Request) -> Response:
        body = await _body(request, body_seconds)
        if isinstance(body, Response):
            return body

        def cosigned() -> Response:
            answer = add_checkpoint(ports, body)
            if isinstance(answer, OtherSize):
                return _plain(b"%d\n" % answer.size, 409, SIZE_TYPE)
            return _plain(answer)

        return await _answer(cosigned)

    async def get_witnessed(request: Request) -> Response:
        return await _answer(lambda: _plain(witnessed_note(ports, request.path_params["origin_hash"])))

    async def get_journal(request: Request) -> Response:
        return await _answer(lambda: _plain(journal_note(ports, _generation(request))))

    async def get_tile(request: Request) -> Response:
        def tile() -> Response:
            content = journal_tile(ports, _generation(request), Tile.parse(f"tile/{request.path_params['rest']}"))
            response = Response(content, media_type="application/octet-stream")
            response.headers["Cache-Control"] = "public, max-age=604800, immutable"
            return response

        return await _answer(tile)

    return Starlette(
        routes=[
            Route("/add-checkpoint", post_checkpoint, methods=["POST"]),
            Route("/journal/{generation}/checkpoint", get_journal, methods=["GET"]),
            Route("/journal/{generation}/tile/{rest:path}", get_tile, methods=["GET"]),
            Route("/{origin_hash}/checkpoint", get_witnessed, methods=["GET"]),
        ]
    )


async def _body(request: Request, seconds: float) -> bytes | Response:
    declared = request.headers.get("content-length", "0")
    if not declared.isascii() or not declared.isdecimal() or int(declared) > MAX_REQUEST_BYTES:
        return _refusal("REQUEST_TOO_LARGE", 413)
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                body += part
                if len(body) > MAX_REQUEST_BYTES:
                    return _refusal("REQUEST_TOO_LARGE", 413)
    except TimeoutError:
        return _refusal("REQUEST_TOO_SLOW", 408)
    except ClientDisconnect:
        return _refusal("REQUEST_ENDED", 400)
    return bytes(body)


async def _answer(operation: Callable[[], Response]) -> Response:
    try:
        return await run_in_threadpool(operation)
    except ExchangeError as refused:
        return _refusal(refused.code, _status(refused))
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller learns nothing of it
        logger().error("witness request failed", error=type(error).__name__)
        return _refusal("INTERNAL", 500)


def _status(refused: ExchangeError) -> int:
    match refused:
        case Malformed():
            return 400
        case NotFound():
            return 404
        case Unverified():
            return _STATUS.get(refused.code, 403)
        case StoreFailed():
            return 503
        case _:
            return 500


def _generation(request: Request) -> int:
    text = request.path_params["generation"]
    if not _GENERATION.fullmatch(text):
        raise NotFound("JOURNAL_UNKNOWN", "this node has shown no such journal")
    return int(text)


def _plain(content: bytes, status: int = 200, kind: str = _TEXT) -> Response:
    # Set by hand: the framework would add a charset to any type of text, and the standard names the type exactly.
    return Response(content, status_code=status, headers={"Content-Type": kind, "Cache-Control": "no-store"})


def _refusal(code: str, status: int) -> Response:
    response = _plain(f"{code}\n".encode(), status)
    if status in {408, 413}:
        response.headers["Connection"] = "close"  # what is left of the body is not read
    return response
