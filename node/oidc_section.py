"""The section `[oidc]` of a node's configuration: another way to sign in to the console. Optional: without an issuer there is none."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcSection:
    """The agency's OpenID Connect issuer, which says who somebody is; what for is said by `[[officers]]` alone."""

    issuer: str = field(metadata={"kind": "issuer"}, default="")
    """Exactly as its discovery document writes it."""
    client_id: str = field(metadata={"kind": "text"}, default="")
    client_secret_file: Path | None = field(metadata={"kind": "path"}, default=None)
    """Readable by the node alone. None: a public client, which PKCE alone protects."""
    claim: str = field(metadata={"kind": "claim"}, default="sub")
    """Which claim of the ID token names the person: one that the issuer never gives to somebody else."""
    acr: tuple[str, ...] = field(metadata={"kind": "texts"}, default=())
    """One of these must have been reached. Empty: any."""
    amr: tuple[str, ...] = field(metadata={"kind": "texts"}, default=())
    """Each of these must have been used (RFC 8176). Empty: any."""
    max_age_minutes: int = field(metadata={"kind": "minutes"}, default=0)
    """How long ago the person may have shown the issuer who they are. 0: as the issuer thinks fit."""
    authorities: Path | None = field(metadata={"kind": "path"}, default=None)
    """PEM file of the authorities of the issuer's certificate, instead of those of this machine."""

    def wrong(self, *, training: bool) -> Iterator[str]:
        """What no single key of the section can get wrong."""
        if bool(self.issuer) != bool(self.client_id):
            yield "oidc: an issuer and a client_id belong together"
        if not self.issuer and (self.client_secret_file or self.acr or self.amr or self.max_age_minutes or self.authorities):
            yield "oidc: nothing of it counts without an issuer"
        if self.issuer.startswith("http:") and not (training and _is_loopback(urlsplit(self.issuer).hostname or "")):
            yield "oidc.issuer: https, unless a training node asks an issuer on loopback"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
