"""The section `[console]` of a node's configuration: the web console for officers. Optional: without `listen` there is none."""

from dataclasses import dataclass, field
from ipaddress import ip_address

LOOPBACK = "localhost"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSection:
    """HTTPS with the certificate of the officers' door; plain HTTP only for training on this machine."""

    listen: str = field(metadata={"kind": "address"}, default="")
    """host:port. Empty: there is no console."""
    host: str = field(metadata={"kind": "trust_domain"}, default=LOOPBACK)
    """The name by which browsers reach it, and to which passkeys are bound."""
    zone: str = field(metadata={"kind": "zone"}, default="UTC")
    """Where its officers sit: the time zone in which they read times."""
    plain: bool = field(metadata={"kind": "flag"}, default=False)
    """HTTP without TLS."""
    demo_sign_in: bool = field(metadata={"kind": "flag"}, default=False)
    """Whether an enrolment code alone signs in, once."""

    def wrong(self, *, training: bool) -> list[str]:
        """What a console must not be: without TLS, or open to a code alone, anywhere but in training and on loopback."""
        local = training and _is_loopback(self.listen.rpartition(":")[0].strip("[]")) and self._local_name
        found = []
        if self.listen and self.plain and not local:
            found.append("console.plain: only on a training node that listens on loopback, under a name of this machine")
        if self.demo_sign_in and not (local or (training and not self.listen)):
            found.append("console.demo_sign_in: only on a training node that listens on loopback, under a name of this machine")
        return found

    @property
    def _local_name(self) -> bool:
        return self.host == LOOPBACK or self.host.endswith(f".{LOOPBACK}")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == LOOPBACK
