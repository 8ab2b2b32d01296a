"""Outbound calls to one partner's node over mutual TLS, with that partner's authority as the only root."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from exchange.directory import KnownNode
from exchange.errors import ExchangeError
from exchange.v1 import exchange_service_pb2 as messages
from exchange.v1 import exchange_service_pb2_grpc, statement_pb2
from exchange.values import node_of
from node.tls import TlsMaterial, channel_credentials, channel_options

_CALL_SECONDS = 10.0
_DETAILS = "grpc-status-details-bin"
_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,63}")


class LinkDown(ExchangeError):
    """The partner cannot be reached now: try again later."""


class LinkRefused(ExchangeError):
    """The partner answered, and refused. The code is the partner's own word."""


class ExchangeLink:
    """A connection to one partner. Made anew for each stream, so that a rotated leaf is used."""

    def __init__(self, partner: KnownNode, own: TlsMaterial) -> None:
        authorities = b"".join(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM) for der in partner.descriptor.node_ca)
        material = TlsMaterial(private_key=own.private_key, certificate=own.certificate, authorities=authorities)
        self._channel = grpc.secure_channel(
            partner.descriptor.endpoint,
            channel_credentials(material),
            options=channel_options(node_of(partner.trust_domain)),
        )
        self._stub = exchange_service_pb2_grpc.ExchangeServiceStub(self._channel)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection and every stream on it."""
        self._channel.close()

    def descriptors(self) -> list[statement_pb2.Statement]:
        """The partner's descriptor chain. Raises `LinkDown`, `LinkRefused`."""
        with _calls():
            return list(self._stub.GetDescriptor(messages.GetDescriptorRequest(), timeout=_CALL_SECONDS).descriptors)

    def propose(self, agreement: statement_pb2.Statement) -> None:
        """Send an agreement that we signed. Raises `LinkDown`, `LinkRefused`."""
        with _calls():
            self._stub.ProposeAgreement(messages.ProposeAgreementRequest(agreement=agreement), timeout=_CALL_SECONDS)

    def countersign(self, agreement: statement_pb2.Statement) -> None:
        """Send an agreement that both signed. Raises `LinkDown`, `LinkRefused`."""
        with _calls():
            self._stub.Countersign(messages.CountersignRequest(agreement=agreement), timeout=_CALL_SECONDS)

    def entries(self, origin: str, start: int) -> messages.FetchEntriesResponse:
        """Entries of a log between us from `start` on, with a signed checkpoint. Raises `LinkDown`, `LinkRefused`."""
        with _calls():
            return self._stub.FetchEntries(messages.FetchEntriesRequest(origin=origin, **{"from": start}), timeout=_CALL_SECONDS)

    def log_heads(self) -> messages.GetLogHeadsResponse:
        """How far the partner's copies of the logs between us reach. Raises `LinkDown`, `LinkRefused`."""
        with _calls():
            return self._stub.GetLogHeads(messages.GetLogHeadsRequest(), timeout=_CALL_SECONDS)

    def log_root(self, origin: str, size: int) -> bytes:
        """The root of the first `size` entries of the partner's copy. Raises `LinkDown`, `LinkRefused`."""
        with _calls():
            return self._stub.GetLogRoot(messages.GetLogRootRequest(origin=origin, size=size), timeout=_CALL_SECONDS).root

    def log_leaves(self, origin: str, start: int) -> list[bytes]:
        """Leaf hashes of the partner's copy from `start` on. Raises `LinkDown`, `LinkRefused`."""
        with _calls():
            request = messages.GetLogLeavesRequest(origin=origin, **{"from": start})
            return list(self._stub.GetLogLeaves(request, timeout=_CALL_SECONDS).leaves)

    def log_receipts(self, origin: str, above: int) -> list[statement_pb2.Statement]:
        """Receipts of the partner's copy above a size. Raises `LinkDown`, `LinkRefused`."""
        with _calls():
            return list(
                self._stub.GetLogReceipts(messages.GetLogReceiptsRequest(origin=origin, above=above), timeout=_CALL_SECONDS).receipts
            )

    def subscribe(self, requests: Iterator[messages.SubscribeRequest]) -> Iterator[messages.SubscribeResponse]:
        """Open the stream on which the partner delivers. Raises `LinkDown`, `LinkRefused` while it is read."""
        with _calls():
            yield from self._stub.Subscribe(requests)


@contextmanager
def _calls() -> Iterator[None]:
    try:
        yield
    except grpc.RpcError as error:
        raise _failure(error) from None


def _failure(error: grpc.RpcError) -> ExchangeError:
    code = error.code()
    if code in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED}:
        return LinkDown("PARTNER_UNREACHABLE", "the partner's node cannot be reached")
    return LinkRefused(_reason(error) or f"GRPC_{code.name}", "the partner's node refused the call")


def _reason(error: grpc.RpcError) -> str:
    # The partner's words are hostile input too: only a code of our form is taken over.
    metadata: Any = error.trailing_metadata() or ()
    info = error_details_pb2.ErrorInfo()
    try:
        for detail in (part for key, value in metadata if key == _DETAILS for part in status_pb2.Status.FromString(value).details):
            if detail.Is(info.DESCRIPTOR):
                detail.Unpack(info)
    except DecodeError:
        return ""
    return info.reason if _CODE.fullmatch(info.reason) else ""
