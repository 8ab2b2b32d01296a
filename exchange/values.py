"""Small values that mean the same on both sides of a border. Frozen, checked when made, comparable."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from exchange.errors import Malformed

TRUST_DOMAIN_PATTERN = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+"
_TRUST_DOMAIN = re.compile(TRUST_DOMAIN_PATTERN)
_PATH_SEGMENT = re.compile(r"[A-Za-z0-9._-]{1,128}")

CLOCK_SKEW_MS = 120_000
"""How far two honest clocks may stand apart (PROTOCOL.md, notation)."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class PartyId:
    """A SPIFFE ID: who somebody is, e.g. `spiffe://gb.alerts.example/agency/nca-ceop` (SPIFFE-ID section 2)."""

    trust_domain: str
    path: str

    def __post_init__(self) -> None:
        """Refuse anything that SPIFFE-ID section 2 does not allow, and dots as segments."""
        if len(self.trust_domain) > 253 or not _TRUST_DOMAIN.fullmatch(self.trust_domain):
            raise Malformed("PARTY_MALFORMED", "the trust domain of a SPIFFE ID is not a lower-case DNS name")
        segments = self.path.split("/")[1:]
        if not self.path.startswith("/") or not all(_PATH_SEGMENT.fullmatch(s) and s not in {".", ".."} for s in segments):
            raise Malformed("PARTY_MALFORMED", "the path of a SPIFFE ID is not made of plain segments")

    @classmethod
    @lru_cache(maxsize=4096)  # the same few agencies stand in every entry
    def parse(cls, text: str) -> Self:
        """Read `spiffe://<trust domain>/<path>`; raises `Malformed` (PARTY_MALFORMED)."""
        scheme, _, rest = text.partition("://")
        domain, slash, path = rest.partition("/")
        if scheme != "spiffe" or not slash or len(text) > 2048:
            raise Malformed("PARTY_MALFORMED", "not a SPIFFE ID with a path")
        return cls(trust_domain=domain, path="/" + path)

    def __str__(self) -> str:
        return f"spiffe://{self.trust_domain}{self.path}"

    @property
    def role(self) -> str:
        """The first segment: `node`, `agency`, `officer`, `auditor`, `desk`, `ngo`, `tips`."""
        return self.path.split("/")[1]


def node_of(trust_domain: str) -> PartyId:
    """The node that speaks for a trust domain."""
    return PartyId(trust_domain=trust_domain, path="/node")


def check_uuid7(raw: bytes) -> bytes:
    """Return `raw` if it is a 16-byte UUID version 7 (RFC 9562 section 5.7), else raise `Malformed` (ALERT_ID)."""
    if len(raw) != 16 or raw[6] >> 4 != 7 or raw[8] >> 6 != 0b10:
        raise Malformed("ALERT_ID", "an alert id is a UUID version 7")
    return raw


def uuid7(unix_ms: int, entropy: bytes) -> bytes:
    """Make a UUID version 7 from a time in Unix milliseconds and at least 10 random bytes (RFC 9562 section 5.7)."""
    raw = bytearray(unix_ms.to_bytes(6, "big") + entropy[:10])
    raw[6] = (raw[6] & 0x0F) | 0x70
    raw[8] = (raw[8] & 0x3F) | 0x80
    return bytes(raw)


def format_uuid(raw: bytes) -> str:
    """The usual 8-4-4-4-12 text of a 16-byte id."""
    h = raw.hex()
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"
