"""CPU of each part of one alert's way, both offices in this one process and thread, without gRPC between them.

Every batch goes through its bytes, as on the wire; that decoding is charged to nobody, for in the nodes it belongs to the transport.
"""

import gc
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from benchmarks import sample
from benchmarks.pair import Pair
from benchmarks.unit import Unit
from exchange.encoding import AnyMessage
from node.app import build
from node.config import load_config
from node.operations import deliver, receive
from node.operations.release import NotReleased, prepare_all
from node.operations.sequence import sequence

Result = TypeVar("Result")
BATCH = 64


@dataclass(slots=True)
class Parts:
    """CPU seconds by part, and the number of alerts."""

    alerts: int = 0
    opened: int = 0
    """Fields opened by one delivery."""
    seconds: dict[str, float] = field(default_factory=dict)
    unit: Unit = field(default_factory=Unit)
    """What a verification costs, measured between the batches: the machine's speed at that time."""

    def timed(self, part: str, work: Callable[..., Result], *arguments: Any) -> Result:
        """Do it, and charge it to `part`."""
        before = time.thread_time()
        result = work(*arguments)
        self.seconds[part] = self.seconds.get(part, 0.0) + time.thread_time() - before
        return result

    def in_verifications(self) -> dict[str, float]:
        """CPU per alert by part, in Ed25519 verifications."""
        return {part: seconds / self.alerts * 1e6 / self.unit.micros() for part, seconds in self.seconds.items()}


def measure(pair: Pair, alerts: int) -> Parts:
    """Send `alerts` alerts in batches of 64, after a few unmeasured batches. The nodes must not be running."""
    offices = [build(load_config(office.config, os.environ)).ports for office in (pair.sender, pair.recipient)]
    sender, recipient = offices
    officer = next(name for name, entry in sender.officers.items() if "liaison officer" in entry.roles)
    knows_sender, knows_recipient = (
        recipient.known.partners[pair.sender.trust_domain].node,
        sender.known.partners[pair.recipient.trust_domain].node,
    )
    parts = Parts()
    gc.collect()
    gc.freeze()  # as a node does
    try:
        hello = receive.hello(recipient, pair.sender.trust_domain)
        state, outgoing = deliver.answer_hello(sender, knows_recipient, hello)
        incoming, _ = receive.take_state(recipient, knows_sender, state)
        numbers = random.Random(7)  # noqa: S311 - synthetic values, the same for the same seed, the same in each run
        warm = 3
        for turn in range(warm + -(-alerts // BATCH)):
            if turn == warm:
                parts = Parts()
            drafts = [sample.draft(numbers, pair.agency, sender.clock.now_ms()) for _ in range(BATCH)]
            prepared = parts.timed("prepare", prepare_all, sender, officer, drafts, "A benchmark.")
            assert not any(isinstance(item, NotReleased) for item in prepared)
            parts.timed("sequence", sequence, sender, prepared)
            batch = parts.timed("deliver", deliver.next_batch, sender, outgoing)
            assert batch is not None
            assert len(batch.deliveries) == BATCH
            incoming, receipt = parts.timed("receive", receive.receive, recipient, knows_sender, incoming, _wire(batch))
            assert receipt is not None
            parts.timed("settle", deliver.settle, sender, knows_recipient, outgoing, _wire(receipt))
            parts.unit.measure()
            parts.alerts += BATCH
            parts.opened = len(batch.deliveries[0].openings)
            assert parts.opened == len(sample.OPENED)
    finally:
        for ports in offices:
            ports.store.close()
    return parts


def _wire(message: AnyMessage) -> AnyMessage:
    return type(message).FromString(message.SerializeToString())
