"""What browsers load beside the pages: styles, scripts and fonts, built by `make setup` from npm packages, read once, never changing."""

from dataclasses import dataclass
from gzip import compress
from hashlib import sha256
from importlib.resources import files
from typing import Final

from exchange.errors import NotFound

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_PACKED: Final = ".woff2"
"""Compressed by itself."""
MAIN: Final = ("console.css", "console.js", "govuk-frontend.min.js", "icon.svg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One file."""

    kind: str
    """Its Content-Type."""
    data: bytes
    packed: bytes | None
    """The same by gzip; None where that gains nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assets:
    """All of them, under one version: what is loaded together fits together."""

    version: str
    by_name: dict[str, Asset]

    def path(self, name: str) -> str:
        """Where a browser finds one."""
        return f"/assets/{self.version}/{name}"


def load_assets() -> Assets:
    """Read what was built. Raises `NotFound` (CONSOLE_ASSETS)."""
    directory = files("node.console") / "static"
    found = {
        entry.name: entry.read_bytes()
        for entry in (sorted(directory.iterdir(), key=lambda one: one.name) if directory.is_dir() else ())
        if entry.name.endswith(tuple(_TYPES))
    }
    if not set(MAIN) <= found.keys():
        raise NotFound("CONSOLE_ASSETS", "the console's styles and scripts were not built: install Node.js and npm, then run `make setup`")
    version = sha256(b"".join(sha256(name.encode()).digest() + sha256(data).digest() for name, data in found.items())).hexdigest()[:16]
    return Assets(version=version, by_name={name: _asset(name, data) for name, data in found.items()})


def _asset(name: str, data: bytes) -> Asset:
    kind = _TYPES[name[name.rindex(".") :]]
    return Asset(kind=kind, data=data, packed=None if name.endswith(_PACKED) else compress(data, mtime=0))
