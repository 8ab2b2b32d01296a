"""What stands around a node, and ends or fills up by itself: its certificates, its disks. Read when somebody asks, never kept."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography import x509

_MEBIBYTE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateState:
    """One certificate of this office. Times are Unix milliseconds; both are 0 where it cannot be read."""

    name: str
    """As `exchange node renew` names it, where that renews it."""
    not_before: int
    not_after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where to look. By default there is nothing to see, as in a test."""

    certificates: Mapping[str, Path] = field(default_factory=dict)
    """PEM files, by name."""
    places: Mapping[str, Path] = field(default_factory=dict)
    """Directories on whose disks the node writes, by name."""
    notices: bool = False
    """Whether the office is told, by mail or webhook, of what needs somebody."""

    def read_certificates(self) -> list[CertificateState]:
        """Every certificate, as its file has it now; of several in one file, the one that ends first."""
        return [_read(name, path) for name, path in self.certificates.items()]

    def room(self) -> dict[str, int]:
        """How many mebibytes are free for each place; one that is not there has none."""
        return {name: _free(path) for name, path in self.places.items()}


def _read(name: str, path: Path) -> CertificateState:
    try:
        first = min(x509.load_pem_x509_certificates(path.read_bytes()), key=lambda one: one.not_valid_after_utc)
    except (OSError, ValueError):
        return CertificateState(name=name, not_before=0, not_after=0)
    began, ends = (int(at.timestamp() * 1000) for at in (first.not_valid_before_utc, first.not_valid_after_utc))
    return CertificateState(name=name, not_before=began, not_after=ends)


def _free(path: Path) -> int:
    try:
        return shutil.disk_usage(path).free // _MEBIBYTE
    except OSError:
        return 0
