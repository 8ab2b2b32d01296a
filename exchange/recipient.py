"""What a recipient knows and holds when a delivery arrives: all that the checks D1 to D11 ask besides the delivery itself."""

from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Protocol

from exchange.agreement import Agreed, EntryDecisions, Parties
from exchange.directory import KnownNode
from exchange.values import CLOCK_SKEW_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """What a recipient knows when a delivery arrives."""

    trust_domain: str
    training: bool
    sender: KnownNode
    nodes: Mapping[str, KnownNode]
    """Every pinned node by trust domain, the sender among them."""
    agreements: Mapping[bytes, Agreed]
    """By digest of the agreement statement."""
    now: int
    """Arrival, Unix milliseconds."""
    decisions: EntryDecisions = field(init=False, repr=False, compare=False)
    """What the agreements say to entries of this sender that arrive now."""

    def __post_init__(self) -> None:
        """Nothing is decided yet."""
        parties = Parties(sender=self.sender.trust_domain, recipient=self.trust_domain)
        object.__setattr__(self, "decisions", EntryDecisions(parties, self.now, grace=CLOCK_SKEW_MS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A manifest that a recipient already holds."""

    digest: bytes
    originator: str
    supersedes: frozenset[bytes]


class Holdings(Protocol):
    """What a recipient already holds from this sender: the questions that D8 and D10 ask."""

    def fields_of(self, manifest_digest: bytes) -> frozenset[int]:
        """Fields of that manifest disclosed on this log and its predecessors, excepted deliveries not counted."""
        ...

    def in_use(self, originator: str, alert_id: bytes) -> bytes | None:
        """Digest of the manifest in use for that alert, or None."""
        ...

    def successors_of(self, manifest_digest: bytes) -> Iterable[Held]:
        """Manifests held that supersede that one."""
        ...

    def referent(self, manifest_digest: bytes) -> str | None:
        """Originator of a manifest that one of the logs between the two nodes discloses, or None.

        "" if a log names it and it never came, withheld or excepted: then nobody here can know whose it is.
        """
        ...

    def told_under(self, agreement_digest: bytes) -> AbstractSet[bytes]:
        """Manifests disclosed under that agreement on this log and its predecessors, excepted deliveries not counted."""
        ...

    def withdrawn_by(self, manifest_digest: bytes) -> Collection[str]:
        """Originators of the recalls (`Withdrawal`) held about that manifest; whether they bind, D10 asks."""
        ...
