"""What the console is: its address, whether it may be entered by a code alone, and what it needs of the node."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

from exchange.v1.desk_service_pb2 import PublishedAlert
from exchange.v1.people_pb2 import ContactDesk
from node.oidc import Issuer
from node.operations.approved import Together
from node.operations.log_walk import SharedLogs
from node.operations.release import NotReleased, Prepared
from node.operations.watchlist import Watchlists
from node.passkeys import RelyingParty
from node.ports import Ports

Connect = Callable[[str], AbstractContextManager[SharedLogs]]
"""A partner, by trust domain, to ask about its copies of the logs. Raises `NotFound` (PARTNER_UNKNOWN)."""
NAME: Final = "Alert Exchange"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One console."""

    ports: Ports
    host: str
    port: int
    zone: str
    """In which its officers read times (IANA name)."""
    secure: bool
    """Served by TLS; else on this machine alone, for training."""
    demo_sign_in: bool
    desks: Mapping[str, ContactDesk]
    """How each agency (SPIFFE ID) of this country is reached, day and night."""
    release_together: Together
    connect: Connect
    watchlists: Watchlists
    """What passenger lists are compared with: the same that the desk's other door has."""
    issuer: Issuer | None = None
    """Who says who somebody is, besides passkeys; None for nobody."""
    stream_seconds: float = 90.0
    """How long one answer tells a page of news before the browser asks again: less than a connection may last."""
    language: str = "en"
    """What a browser is answered in that asks for no language at all."""

    def release(self, item: Prepared | NotReleased) -> PublishedAlert:
        """Give one release its place in the log; returns once it is durable."""
        (published,) = self.release_together([item])
        return published

    @property
    def authority(self) -> str:
        """The Host header of whoever means this site."""
        return self.host if self.port == (443 if self.secure else 80) else f"{self.host}:{self.port}"

    @property
    def relying_party(self) -> RelyingParty:
        """The site as authenticators know it."""
        return RelyingParty(host=self.host, origin=f"{'https' if self.secure else 'http'}://{self.authority}", name=NAME)
