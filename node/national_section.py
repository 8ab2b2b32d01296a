"""The section [national] of a node's configuration."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class NationalSection:
    """Who inside this country may be told what came from abroad. The section may be absent: then nobody."""

    clauses: Path | None = field(metadata={"kind": "path"}, default=None)
    """A file of national clauses (TOML); docs/national.md."""
