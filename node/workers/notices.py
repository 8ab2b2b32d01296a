"""One thread that looks what is due, and tells the office by e-mail and webhooks. What fails is tried again, later and later, for a day."""

import threading
from collections.abc import Callable, Sequence

from exchange.errors import ExchangeError
from node.operations import notices
from node.operations.notices import Outgoing
from node.ports import Ports
from node.system import jitter
from node.telemetry.logging import logger
from node.workers.notice_channels import Channel

_AT_ONCE = 20
"""Notices by one way in one turn: a flood is no notice."""


class Notifier:
    """A thread; without any channel it does nothing. The network lies between operations."""

    def __init__(
        self, ports: Ports, channels: Sequence[Channel], every_seconds: float = 30.0, spread: Callable[[], float] = jitter
    ) -> None:
        self._ports = ports
        self._channels = {channel.name: channel for channel in channels}
        self._every_seconds = every_seconds
        self._spread = spread
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="notices")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the delivery under way, which takes no longer than one may."""
        self._stopping.set()
        self._thread.join()

    def turn(self) -> None:
        """Raise what is due, and try once to deliver what waits. A way that fails is left alone until the next turn."""
        waiting = notices.raise_notices(self._ports, list(self._channels))
        for name, channel in self._channels.items():
            for outgoing in [one for one in waiting if one.channel == name][:_AT_ONCE]:
                if self._stopping.is_set() or not self._deliver(channel, outgoing):
                    break

    def _deliver(self, channel: Channel, outgoing: Outgoing) -> bool:
        try:
            channel.deliver(outgoing.notice, self._ports.clock.now_ms())
        except ExchangeError as refused:
            given_up = notices.failed(self._ports, outgoing, self._spread())
            logger().warning("notice not delivered", code=refused.code, kind=outgoing.notice.kind.value, given_up=given_up)
            return False
        notices.delivered(self._ports, outgoing)
        return True

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.turn()
            except ExchangeError as refused:
                logger().error("notices failed", code=refused.code)
            except Exception as error:  # noqa: BLE001 - a defect here must not leave the office without its notices
                logger().error("notices failed", error=type(error).__name__)
            self._stopping.wait(self._every_seconds)
