"""One thread a partner: keep a subscription to its log up, with jittered backoff, and resume where the mirror stands.

One partner's trouble never delays another's: they share no thread, no connection and no lock but the turns to work
and to write: each waits for what another one is at, and never for a partner.
"""

import queue
import threading
from collections.abc import Callable, Iterator

from exchange.directory import KnownNode
from exchange.errors import ExchangeError, Malformed, Unverified
from exchange.v1 import disclosure_pb2, statement_pb2
from exchange.v1 import exchange_service_pb2 as messages
from node.links.exchange_link import ExchangeLink, LinkDown
from node.operations import partners, receive
from node.ports import Ports
from node.system import jitter
from node.telemetry.logging import logger
from node.tls import TlsMaterial

_FIRST_WAIT, _LONGEST_WAIT = 0.1, 10.0


class Subscription:
    """The subscription to one partner."""

    def __init__(self, ports: Ports, partner: str, material: Callable[[], TlsMaterial]) -> None:
        self._ports = ports
        self._partner = partner
        self._material = material
        self._stopping = threading.Event()
        self._link: ExchangeLink | None = None
        self._thread = threading.Thread(target=self._run, name=f"subscription {partner}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; it ends when its current batch is kept."""
        self._stopping.set()
        link = self._link
        if link is not None:
            link.close()

    def join(self) -> None:
        """Wait until it has ended."""
        self._thread.join()

    def _run(self) -> None:
        wait = _FIRST_WAIT
        while not self._stopping.is_set():
            progressed = self._once()
            wait = _FIRST_WAIT if progressed else min(wait * 2, _LONGEST_WAIT)
            self._stopping.wait(wait * (0.5 + jitter()))

    def _once(self) -> bool:
        """One stream from its beginning to its end; true if it got anywhere, so that the next attempt comes soon."""
        node = self._node()
        if node is None:
            return False
        progressed = False
        try:
            with ExchangeLink(node, self._material()) as link:
                self._link = link
                if self._stopping.is_set():
                    return False  # whoever stops us may have looked before there was a link to close
                # Streams end with their connection, every quarter of an hour at least: so a revocation is learnt that soon.
                self._take_descriptors(link)
                for _ in self._follow(link):
                    progressed = True
        except LinkDown:
            logger().info("stream down", partner=self._partner, kind="inbound")
        except ExchangeError as refused:
            logger().warning("stream refused", partner=self._partner, code=refused.code)
            if not self._stopping.is_set():
                receive.note_refused_stream(self._ports, self._partner, refused.code)
                self._refresh()
            progressed = False
        except Exception as error:  # noqa: BLE001 - a defect in one stream must not end the subscription for good
            if not self._stopping.is_set():
                logger().error("stream failed", partner=self._partner, error=type(error).__name__)
            progressed = False
        finally:
            self._link = None
            self._ports.streams.set(self._partner, "inbound", up=False)
        return progressed

    def _follow(self, link: ExchangeLink) -> Iterator[None]:
        requests: queue.Queue[messages.SubscribeRequest | None] = queue.Queue()
        requests.put(messages.SubscribeRequest(hello=receive.hello(self._ports, self._partner)))
        try:
            responses = link.subscribe(iter(requests.get, None))
            incoming, missing = receive.take_state(self._ports, self._require_node(), _only_state(next(responses, None)))
            for statement in missing:
                requests.put(messages.SubscribeRequest(receipt=statement))
            self._ports.streams.set(self._partner, "inbound", up=True)
            logger().info("stream up", partner=self._partner, kind="inbound", size=incoming.log.size)
            yield
            for response in responses:
                batch, alive = _one_of(response)
                if batch is not None:
                    self._refresh_for(batch)
                    incoming, receipt = self._receive(incoming, batch)
                    if receipt is not None:
                        requests.put(messages.SubscribeRequest(receipt=receipt))
                elif alive is not None:
                    receive.take_alive(self._ports, self._require_node(), incoming, alive)
                yield
        finally:
            requests.put(None)

    def _receive(self, incoming: receive.Incoming, batch: disclosure_pb2.Batch) -> tuple[receive.Incoming, statement_pb2.Statement | None]:
        try:
            with self._ports.store.work.held():
                return receive.receive(self._ports, self._require_node(), incoming, batch)
        except Unverified as refused:
            # The partner may have a new log key: its newest descriptor is asked for once, then the stream ends.
            if refused.code != "CHECKPOINT_UNVERIFIED":
                raise
            self._refresh()
            return receive.receive(self._ports, self._require_node(), incoming, batch)

    def _refresh_for(self, batch: disclosure_pb2.Batch) -> None:
        # Before S4 or D2 fails for an unknown key, the newest descriptor is asked for once (PROTOCOL.md, section 1).
        nodes = self._ports.known.nodes().values()
        signers = {signature.key_id for delivery in batch.deliveries for signature in delivery.manifest.signatures}
        if any(all(node.find(key_id) is None for node in nodes) for key_id in signers):
            self._refresh()

    def _refresh(self) -> None:
        node = self._node()
        if node is None:
            return
        try:
            with ExchangeLink(node, self._material()) as link:
                self._take_descriptors(link)
        except ExchangeError as refused:
            logger().info("descriptor not refreshed", partner=self._partner, code=refused.code)

    def _take_descriptors(self, link: ExchangeLink) -> None:
        descriptors = link.descriptors()
        try:
            partners.refresh_partner(self._ports, self._partner, descriptors)
        except ExchangeError as refused:  # the alarm is raised; what is held stays, and nothing stops
            logger().warning("descriptor refused", partner=self._partner, code=refused.code)

    def _node(self) -> KnownNode | None:
        partner = self._ports.known.partners.get(self._partner)
        return None if partner is None or partner.suspended else partner.node

    def _require_node(self) -> KnownNode:
        node = self._node()
        if node is None:
            raise LinkDown("PARTNER_SUSPENDED", "the partner was suspended")
        return node


def _only_state(response: messages.SubscribeResponse | None) -> disclosure_pb2.State:
    if response is None or not response.HasField("state") or response.HasField("batch") or response.HasField("alive"):
        raise Malformed("STREAM_MESSAGE", "a sender answers a Hello with its State")
    return response.state


def _one_of(response: messages.SubscribeResponse) -> tuple[disclosure_pb2.Batch | None, statement_pb2.Statement | None]:
    set_fields = [name for name in ("state", "batch", "alive") if response.HasField(name)]
    if len(set_fields) != 1 or set_fields == ["state"]:
        raise Malformed("STREAM_MESSAGE", "after its State a sender sends one batch or one alive at a time")
    return (response.batch, None) if set_fields == ["batch"] else (None, response.alive)
