"""One thread that looks every minute for what is past its limit, and erases it."""

import threading

from exchange.errors import ExchangeError
from node.operations import retention
from node.ports import Ports
from node.store.envelope import DAY_MS
from node.telemetry.logging import logger

_LOOK_SECONDS = 60.0


class RetentionKeeper:
    """A thread; what it was doing when the process dies is finished at the next start, by `erase.finish`."""

    def __init__(self, ports: Ports, every_seconds: float = _LOOK_SECONDS) -> None:
        self._ports = ports
        self._every_seconds = every_seconds
        self._stopping = threading.Event()
        self._months_on = 0
        """The day on which keys of months were last looked for: once a day is enough."""
        self._thread = threading.Thread(target=self._run, name="retention")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, after the batch under way."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._once()
            self._stopping.wait(self._every_seconds)

    def _once(self) -> None:
        try:
            today = self._ports.clock.now_ms() // DAY_MS
            done = retention.run_due(self._ports, self._ports.trust_domain, months=today != self._months_on)
            self._months_on = today
        except ExchangeError as failed:  # as when a long read keeps the database's journal from being emptied: the next turn goes on
            logger().error("erasure failed", code=failed.code)
            return
        except Exception as error:  # noqa: BLE001 - a defect here must not leave the node without its erasures
            logger().error("erasure failed", error=type(error).__name__)
            return
        if done.erased or done.periods or done.details:
            logger().info("erased", alerts=done.erased, periods=done.periods, details=done.details, held=done.held)
        if done.erased and done.copies:
            logger().warning("erasure does not reach copies of the database", copies=list(done.copies))
