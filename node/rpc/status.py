"""What a caller is told when something was refused: a gRPC status and a stable code, never internal text."""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, NoReturn, TypeVar

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from exchange.errors import Conflict, ExchangeError, Malformed, NotFound, Refused, Unverified
from node.links.exchange_link import LinkDown, LinkRefused
from node.operations.officers import NotPermitted
from node.store.errors import StoreFailed
from node.telemetry.logging import logger

DOMAIN = "alert-exchange"

_STATUS: tuple[tuple[type[ExchangeError], grpc.StatusCode], ...] = (
    (NotPermitted, grpc.StatusCode.PERMISSION_DENIED),
    (LinkDown, grpc.StatusCode.UNAVAILABLE),
    (LinkRefused, grpc.StatusCode.FAILED_PRECONDITION),
    (StoreFailed, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (Malformed, grpc.StatusCode.INVALID_ARGUMENT),
    (Unverified, grpc.StatusCode.DATA_LOSS),
    (Refused, grpc.StatusCode.FAILED_PRECONDITION),
    (Conflict, grpc.StatusCode.ABORTED),
    (NotFound, grpc.StatusCode.NOT_FOUND),
)
"""The one table from errors to gRPC status; the first that fits counts."""

Answer = TypeVar("Answer")


def status_of(error: ExchangeError) -> grpc.StatusCode:
    """The gRPC status of an error."""
    if error.code.startswith("TLS_"):
        return grpc.StatusCode.UNAUTHENTICATED
    return next((status for kind, status in _STATUS if isinstance(error, kind)), grpc.StatusCode.UNKNOWN)


def refuse(context: grpc.ServicerContext, error: ExchangeError, *, explain: bool) -> NoReturn:
    """End the call with the error's status and code; its message goes only to our own officers (`explain`)."""
    code, message = status_of(error), str(error) if explain else error.code
    info = any_pb2.Any()
    info.Pack(error_details_pb2.ErrorInfo(reason=error.code, domain=DOMAIN))
    details = status_pb2.Status(code=code.value[0], message=message, details=[info])
    context.set_trailing_metadata((("grpc-status-details-bin", details.SerializeToString()),))
    context.abort(code, message)
    raise AssertionError  # abort always raises; said for the type checker


def answered(*, explain: bool) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
    """Map what a method raises to a status. Anything unforeseen is logged here by kind and told to nobody."""

    def decorate(method: Callable[..., Answer]) -> Callable[..., Answer]:
        @wraps(method)
        def guarded(self: Any, request: Any, context: grpc.ServicerContext) -> Answer:
            try:
                return method(self, request, context)
            except ExchangeError as error:
                logger().info("refused", method=method.__name__, code=error.code)
                refuse(context, error, explain=explain)
            except Exception as error:  # noqa: BLE001 - whatever it is, the caller must not read it
                _unforeseen(context, method.__name__, error)

        return guarded

    return decorate


def answered_stream(*, explain: bool) -> Callable[[Callable[..., Iterator[Answer]]], Callable[..., Iterator[Answer]]]:
    """`answered` for a method that yields its answers."""

    def decorate(method: Callable[..., Iterator[Answer]]) -> Callable[..., Iterator[Answer]]:
        @wraps(method)
        def guarded(self: Any, requests: Any, context: grpc.ServicerContext) -> Iterator[Answer]:
            try:
                yield from method(self, requests, context)
            except ExchangeError as error:
                logger().info("refused", method=method.__name__, code=error.code)
                refuse(context, error, explain=explain)
            except Exception as error:  # noqa: BLE001 - whatever it is, the caller must not read it
                _unforeseen(context, method.__name__, error)

        return guarded

    return decorate


def _unforeseen(context: grpc.ServicerContext, method: str, error: Exception) -> NoReturn:
    if not context.is_active():
        # The caller has gone; gRPC ends the iterators of the call with errors of its own.
        raise error
    logger().error("unforeseen", method=method, error=type(error).__name__)
    context.abort(grpc.StatusCode.INTERNAL, "INTERNAL")
    raise AssertionError
