"""What every operation is given as its first argument: the office's store, keys, clock, randomness and acquaintances."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from exchange.agreement import Agreed
from exchange.directory import KnownNode
from exchange.retention import NationalRule
from exchange.signing import Signer
from exchange.tlog.policy import Policy
from node.config import OfficerEntry
from node.national.clauses import NationalClauses
from node.notify.plan import NoticePlan
from node.policy.gate import Assessment
from node.policy.pack import PolicyPack
from node.store.engine import Store
from node.store.high_water import HighWater
from node.store.journal import Journal
from node.store.subject_table import SubjectTable
from node.store.vault import Vault
from node.surroundings import Surroundings
from node.tips.plan import TipPlan


class Clock(Protocol):
    """Where time comes from."""

    def now_ms(self) -> int:
        """Unix milliseconds, UTC."""
        ...

    def now(self) -> datetime:
        """The same moment, aware."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Signers:
    """This node's own keys, one a use (PROTOCOL.md, section 1)."""

    agreement: Signer
    log: Signer
    receipt: Signer
    witness: Signer
    statement: Mapping[str, Signer]
    """By SPIFFE ID of the agency, or of the node itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessPlan:
    """Who is asked to cosign this node's journal, besides what partners' descriptors say of their keys."""

    urls: Mapping[str, str] = field(default_factory=dict)
    """Where partners witness, by trust domain: the prefix of C2SP tlog-witness, which is also that of their own journal."""
    policy: Policy | None = None
    """This node's own: further witnesses, and how many are enough."""
    every_seconds: int = 60
    """How often the journal is shown to its witnesses."""

    @property
    def stale_ms(self) -> int:
        """After how many milliseconds without an answer, or without being asked, somebody must look."""
        return 5_000 * self.every_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """Another country's node that an administrator added."""

    node: KnownNode
    fingerprint: bytes
    suspended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Whom this node knows and what it agreed, at one moment. Replaced whole when anything changes."""

    own: KnownNode
    partners: Mapping[str, Partner]
    agreements: Mapping[bytes, Agreed]
    """Accepted ones, by digest."""
    policy: PolicyPack | None = None
    """What this country's law asks for before it tells another; None where none is configured."""
    assessments: tuple[Assessment, ...] = ()
    """Those that were not withdrawn."""
    spent: frozenset[bytes] = frozenset()
    """Digests of agreements for an emergency under which this node has told what they were for."""

    def nodes(self) -> dict[str, KnownNode]:
        """Every pinned node by trust domain."""
        return {trust_domain: partner.node for trust_domain, partner in self.partners.items()}


class Acquaintance:
    """Holds the current `Known`; reading it takes no lock."""

    def __init__(self, known: Known) -> None:
        self.known = known


class Signals:
    """Wakes whoever waits for one partner's log to grow, or for a receipt from it."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._counts: dict[str, int] = {}
        self._stopped = False

    @property
    def stopped(self) -> bool:
        """True once the node is stopping."""
        return self._stopped

    def count(self, partner: str) -> int:
        """How often something happened so far; pass it to `wait`."""
        with self._condition:
            return self._counts.get(partner, 0)

    def notify(self, partner: str) -> None:
        """Say that something happened for this partner."""
        with self._condition:
            self._counts[partner] = self._counts.get(partner, 0) + 1
            self._condition.notify_all()

    def wait(self, partner: str, seen: int, seconds: float) -> None:
        """Wait until more than `seen` things have happened, the node stops, or `seconds` have passed."""
        with self._condition:
            self._condition.wait_for(lambda: self._stopped or self._counts.get(partner, 0) > seen, seconds)

    def stop(self) -> None:
        """Wake everybody for the last time."""
        with self._condition:
            self._stopped = True
            self._condition.notify_all()


class Streams:
    """Which streams are up, per partner: for people to read and to notice who is away, never for decisions about content."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._up: set[tuple[str, str]] = set()

    def set(self, partner: str, direction: str, *, up: bool) -> None:
        """Note that the stream in `direction` (inbound or outbound) came up or went down."""
        with self._lock:
            (self._up.add if up else self._up.discard)((partner, direction))

    def is_up(self, partner: str, direction: str) -> bool:
        """Whether that stream is up now."""
        with self._lock:
            return (partner, direction) in self._up


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Everything an operation may touch."""

    trust_domain: str
    training: bool
    country: str = ""
    """ICAO 9303 code of the country that this node stands in: who lands there is what its desks wait for. Empty: wherever he lands."""
    officers: Mapping[str, OfficerEntry]
    """By SPIFFE ID."""
    store: Store
    vault: Vault
    high_water: HighWater
    journal: Journal
    clock: Clock
    entropy: Callable[[int], bytes]
    signers: Signers
    acquaintance: Acquaintance
    signals: Signals
    streams: Streams
    witnessing: WitnessPlan = field(default_factory=WitnessPlan)
    justification_mandatory: bool = True
    """Whether nothing is released, opened or reported without a reason of one's own words."""
    duplicates_refuse: bool = True
    """Whether nothing is released about a person whom another alert is about, until the officer says that they know of it."""
    retention: NationalRule = NationalRule()  # noqa: RUF009  a frozen value
    notices: NoticePlan = NoticePlan()  # noqa: RUF009  a frozen value
    """When the office is reminded of what is due, and when that is escalated."""
    subjects: SubjectTable = field(default_factory=SubjectTable)
    """Which alerts are about whom, under keyed tokens, in memory."""
    tips: TipPlan | None = None
    """Who may tell this country what, and where it goes; None where nobody may."""
    national: NationalClauses = NationalClauses()  # noqa: RUF009  a frozen value
    """Who inside this country may be told what came from abroad; by default nobody."""
    issuer: str = ""
    """The OpenID Connect issuer whose word is taken for who somebody is (`node.oidc.naming`); empty for nobody's."""
    surroundings: Surroundings = field(default_factory=Surroundings)
    """Certificates and disks, for whoever looks after the node."""

    @property
    def known(self) -> Known:
        """Whom this node knows now."""
        return self.acquaintance.known
