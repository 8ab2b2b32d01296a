"""The section `[tips]` of a node's configuration: where NGOs tell this country what they saw. Optional: without it nobody can."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class TipsSection:
    """Who may come is in the plan's file (`node.tips.plan`); all paths are of PEM files but that one."""

    listen: str = field(metadata={"kind": "address"}, default="")
    """host:port of the listener for NGOs: HTTPS, mutual TLS 1.3. Empty: there is none, and desks still work on what came."""
    certificate: Path | None = field(metadata={"kind": "path"}, default=None)
    key: Path | None = field(metadata={"kind": "path"}, default=None)
    ngo_ca: Path | None = field(metadata={"kind": "path"}, default=None)
    """The authority that issues to NGOs and to this listener, and to nobody else."""
    plan: Path | None = field(metadata={"kind": "path"}, default=None)

    @property
    def incomplete(self) -> bool:
        """Whether it names an address without all that the listener needs."""
        return bool(self.listen) and None in {self.certificate, self.key, self.ngo_ca, self.plan}
