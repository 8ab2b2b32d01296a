"""Keeps one subscription for each partner, and carries agreements, successions and waiting recalls until partners have them."""

import threading
from collections.abc import Callable

from exchange.errors import ExchangeError
from exchange.v1 import statement_pb2
from node.links.exchange_link import ExchangeLink
from node.operations import agreements, attempts, succeed
from node.operations.approve import watch_oral_approvals
from node.operations.emergency import watch_reviews
from node.ports import Ports
from node.store.directory import AgreementRow
from node.store.successions import SuccessionRow
from node.telemetry.logging import logger
from node.tls import TlsMaterial
from node.workers.subscriptions import Subscription

_LOOK_SECONDS = 0.25
_ATTEMPTS_EVERY_MS = 60_000


class Supervisor:
    """A thread that looks, a few times a second, at whom this node knows and what they still have to be sent."""

    def __init__(self, ports: Ports, material: Callable[[], TlsMaterial], tell_waiting: Callable[[], None]) -> None:
        self._ports = ports
        self._tell_waiting = tell_waiting
        self._material = material
        self._stopping = threading.Event()
        self._subscriptions: dict[str, Subscription] = {}
        self._wait_until: dict[str, int] = {}
        # Partners need a moment after our start before they are missed.
        self._attempts_at = ports.clock.now_ms() + _ATTEMPTS_EVERY_MS
        self._thread = threading.Thread(target=self._run, name="supervisor")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End every subscription, then itself."""
        self._stopping.set()
        self._thread.join()
        for subscription in self._subscriptions.values():
            subscription.stop()
        for subscription in self._subscriptions.values():
            subscription.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._match_subscriptions()
                self._carry_statements()
                self._tell_waiting()
                watch_oral_approvals(self._ports)
                self._note_attempts()
                watch_reviews(self._ports)
            except Exception as error:  # noqa: BLE001 - a defect here must not leave the node without its supervisor
                logger().error("supervision failed", error=type(error).__name__)
            self._stopping.wait(_LOOK_SECONDS)

    def _match_subscriptions(self) -> None:
        wanted = {name for name, partner in self._ports.known.partners.items() if not partner.suspended}
        for name in self._subscriptions.keys() - wanted:
            self._subscriptions.pop(name).stop()
        for name in wanted - self._subscriptions.keys():
            subscription = self._subscriptions[name] = Subscription(self._ports, name, self._material)
            subscription.start()

    def _note_attempts(self) -> None:
        now = self._ports.clock.now_ms()
        if now >= self._attempts_at:
            self._attempts_at = now + _ATTEMPTS_EVERY_MS
            attempts.note_waiting(self._ports)

    def _carry_statements(self) -> None:
        now = self._ports.clock.now_ms()
        rows: tuple[AgreementRow | SuccessionRow, ...] = (*agreements.undelivered(self._ports), *succeed.undelivered(self._ports))
        for row in rows:
            partner = self._ports.known.partners.get(row.partner)
            if partner is None or partner.suspended or now < self._wait_until.get(row.partner, 0):
                continue
            try:
                with ExchangeLink(partner.node, self._material()) as link:
                    statement = statement_pb2.Statement.FromString(row.statement)
                    (link.propose if row.state == "proposed" else link.countersign)(statement)
                operation = agreements if isinstance(row, AgreementRow) else succeed
                operation.mark_delivered(self._ports, row.digest)
            except ExchangeError as refused:
                logger().info("statement not carried", partner=row.partner, code=refused.code)
                self._wait_until[row.partner] = now + 2_000
