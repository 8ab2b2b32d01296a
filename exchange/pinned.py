"""Countries in a file, believed only as far as a fingerprint leads that was got apart from it (PROTOCOL.md, section 9)."""

from collections.abc import Mapping, Sequence

from exchange.directory import KnownNode, open_descriptor_chain
from exchange.errors import ExchangeError, Unverified
from exchange.v1 import statement_pb2


class PinnedNodes:
    """Opens chains of descriptors under pinned fingerprints, each chain once.

    `pins` maps trust domains to the SHA-256 fingerprints (32 bytes) of their first identity keys.
    """

    def __init__(self, pins: Mapping[str, bytes]) -> None:
        self._pins = pins
        self._opened: dict[tuple[bytes, ...], KnownNode] = {}

    def open(self, statements: Sequence[statement_pb2.Statement]) -> KnownNode:
        """The node that the chain describes. Raises `Unverified` (EVIDENCE_NOT_PINNED)."""
        chain = tuple(statement.SerializeToString() for statement in statements)
        found = self._opened.get(chain)
        if found is None:
            found = self._opened[chain] = self._open(statements)
        return found

    def _open(self, statements: Sequence[statement_pb2.Statement]) -> KnownNode:
        # The chain says which node it is about; the pin that is then looked up says whether to believe it.
        for trust_domain, fingerprint in self._pins.items():
            try:
                node = open_descriptor_chain(statements, fingerprint)
            except ExchangeError:
                continue
            if node.trust_domain == trust_domain:
                return node
        raise Unverified("EVIDENCE_NOT_PINNED", "the descriptors do not lead from a fingerprint that was given for their country")  # E2
