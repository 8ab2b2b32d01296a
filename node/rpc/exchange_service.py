"""The door for partners: each method proves the caller, calls one operation and encodes the answer."""

import queue
import threading
from collections.abc import Iterator

import grpc

from exchange.directory import KnownNode
from exchange.errors import ExchangeError, Malformed, Refused
from exchange.signing import statement_type
from exchange.v1 import exchange_service_pb2 as messages
from exchange.v1 import exchange_service_pb2_grpc, statement_pb2
from node.operations import agreements, attempts, deliver, fetch, shared_log, succeed
from node.ports import Ports
from node.rpc.identity import PartnerDoor
from node.rpc.status import answered, answered_stream
from node.telemetry.logging import logger
from node.tls import PeerIdentity

ALIVE_EVERY_MS = 30_000
UNRECEIPTED_ALARM_MS = 60_000
_LOOK_AGAIN_SECONDS = 0.5
"""How often a quiet stream asks whether its certificate still holds: revocation ends it within a second."""
_RECEIPTS_UNREAD = 64
_SUCCESSION = statement_type("log-succession")


class ExchangeService(exchange_service_pb2_grpc.ExchangeServiceServicer):
    """`exchange.v1.ExchangeService` (PROTOCOL.md, section 5)."""

    def __init__(self, ports: Ports, door: PartnerDoor) -> None:
        self._ports = ports
        self._door = door
        self._lock = threading.Lock()
        self._newest: dict[str, object] = {}

    @answered_stream(explain=False)
    def Subscribe(
        self, requests: Iterator[messages.SubscribeRequest], context: grpc.ServicerContext
    ) -> Iterator[messages.SubscribeResponse]:
        """Deliver to a recipient: Hello, State, then batches against receipts. A new stream replaces the old."""
        identity = self._door.admit(context)
        partner = identity.party.trust_domain
        mine = object()
        with self._lock:
            self._newest[partner] = mine
        self._ports.signals.notify(partner)
        state, outgoing = deliver.answer_hello(self._ports, self._node(partner), _only_hello(next(requests, None)).hello)
        yield messages.SubscribeResponse(state=state)
        receipts: queue.Queue[statement_pb2.Statement | ExchangeError] = queue.Queue(_RECEIPTS_UNREAD)
        threading.Thread(target=self._read_receipts, args=(partner, requests, receipts), daemon=True).start()
        self._ports.streams.set(partner, "outbound", up=True)
        logger().info("stream up", partner=partner, kind="outbound", size=outgoing.frontier.size)
        try:
            while context.is_active() and not self._ports.signals.stopped and self._newest.get(partner) is mine:
                seen = self._ports.signals.count(partner)
                yield from self._turn(identity, outgoing, receipts)
                if outgoing.limit is not None and outgoing.frontier.size >= outgoing.limit:
                    return  # the partner adopts what it was sent, and comes back for the rest
                if outgoing.idle:
                    self._ports.signals.wait(partner, seen, _LOOK_AGAIN_SECONDS)
        finally:
            if outgoing.unreceipted:
                attempts.note_failed(self._ports, partner)
            if self._newest.get(partner) is mine:
                self._ports.streams.set(partner, "outbound", up=False)
            logger().info("stream down", partner=partner, kind="outbound", size=outgoing.frontier.size)

    @answered(explain=False)
    def GetDescriptor(self, _request: messages.GetDescriptorRequest, context: grpc.ServicerContext) -> messages.GetDescriptorResponse:
        """This node's descriptors, from the first identity key on."""
        self._door.admit(context)
        return messages.GetDescriptorResponse(descriptors=self._ports.known.own.chain)

    @answered(explain=False)
    def FetchEntries(self, request: messages.FetchEntriesRequest, context: grpc.ServicerContext) -> messages.FetchEntriesResponse:
        """Entries of a log between the caller and this node."""
        partner = self._door.admit(context).party.trust_domain
        return fetch.entries(self._ports, partner, request)

    @answered(explain=False)
    def LatestReceipt(self, request: messages.LatestReceiptRequest, context: grpc.ServicerContext) -> messages.LatestReceiptResponse:
        """The newest receipt of a log between the caller and this node."""
        partner = self._door.admit(context).party.trust_domain
        return fetch.latest_receipt(self._ports, partner, request)

    @answered(explain=False)
    def ProposeAgreement(
        self, request: messages.ProposeAgreementRequest, context: grpc.ServicerContext
    ) -> messages.ProposeAgreementResponse:
        """Take an agreement, or the end of one of its logs, that the caller has signed."""
        partner = self._door.admit(context).party.trust_domain
        operation = succeed if request.agreement.type == _SUCCESSION else agreements
        operation.receive_proposal(self._ports, self._node(partner), request.agreement)
        return messages.ProposeAgreementResponse()

    @answered(explain=False)
    def Countersign(self, request: messages.CountersignRequest, context: grpc.ServicerContext) -> messages.CountersignResponse:
        """Take an agreement, or the end of one of our logs, that both have signed."""
        partner = self._door.admit(context).party.trust_domain
        operation = succeed if request.agreement.type == _SUCCESSION else agreements
        operation.receive_countersigned(self._ports, self._node(partner), request.agreement)
        return messages.CountersignResponse()

    @answered(explain=False)
    def GetLogHeads(self, _request: messages.GetLogHeadsRequest, context: grpc.ServicerContext) -> messages.GetLogHeadsResponse:
        """How far the logs between the caller and this node reach here."""
        return shared_log.heads(self._ports, self._door.admit(context).party.trust_domain)

    @answered(explain=False)
    def GetLogRoot(self, request: messages.GetLogRootRequest, context: grpc.ServicerContext) -> messages.GetLogRootResponse:
        """The root of the beginning of one of them."""
        return shared_log.root(self._ports, self._door.admit(context).party.trust_domain, request)

    @answered(explain=False)
    def GetLogLeaves(self, request: messages.GetLogLeavesRequest, context: grpc.ServicerContext) -> messages.GetLogLeavesResponse:
        """Leaf hashes of one of them."""
        return shared_log.leaves(self._ports, self._door.admit(context).party.trust_domain, request)

    @answered(explain=False)
    def GetLogReceipts(self, request: messages.GetLogReceiptsRequest, context: grpc.ServicerContext) -> messages.GetLogReceiptsResponse:
        """Receipts of one of them."""
        return shared_log.receipts(self._ports, self._door.admit(context).party.trust_domain, request)

    def _turn(
        self,
        identity: PeerIdentity,
        outgoing: deliver.Outgoing,
        receipts: queue.Queue[statement_pb2.Statement | ExchangeError],
    ) -> Iterator[messages.SubscribeResponse]:
        self._door.check(identity)
        node = self._node(identity.party.trust_domain)
        outgoing.idle = True
        while not receipts.empty():
            receipt = receipts.get_nowait()
            if isinstance(receipt, ExchangeError):
                raise receipt
            with self._ports.store.work.held():
                deliver.settle(self._ports, node, outgoing, receipt)
        with self._ports.store.work.held():
            batch = deliver.next_batch(self._ports, outgoing)
        if batch is not None:
            yield messages.SubscribeResponse(batch=batch)
        now = self._ports.clock.now_ms()
        deliver.watch_receipts(self._ports, outgoing, now, UNRECEIPTED_ALARM_MS)
        if now - outgoing.alive_at >= ALIVE_EVERY_MS:
            statement = deliver.alive(self._ports, outgoing)
            if statement is not None:
                outgoing.alive_at = now
                yield messages.SubscribeResponse(alive=statement)

    def _read_receipts(
        self,
        partner: str,
        requests: Iterator[messages.SubscribeRequest],
        receipts: queue.Queue[statement_pb2.Statement | ExchangeError],
    ) -> None:
        try:
            for request in requests:
                if request.HasField("hello") or not request.HasField("receipt"):
                    receipts.put(Malformed("STREAM_MESSAGE", "after the Hello a recipient sends receipts"))
                    break
                receipts.put(request.receipt)
                self._ports.signals.notify(partner)
        except Exception:  # noqa: BLE001 - gRPC ends the iterator so when the call is over; the other thread sees that itself
            return
        finally:
            self._ports.signals.notify(partner)

    def _node(self, partner: str) -> KnownNode:
        found = self._ports.known.partners.get(partner)
        if found is None:
            raise Refused("PARTNER_UNKNOWN", "this trust domain is not a partner")
        return found.node


def _only_hello(request: messages.SubscribeRequest | None) -> messages.SubscribeRequest:
    if request is None or not request.HasField("hello") or request.HasField("receipt"):
        raise Malformed("STREAM_MESSAGE", "a stream begins with one Hello")
    return request
