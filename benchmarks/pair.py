"""The two nodes: set up once as `exchange node init` does, made partners over their own desks, run as processes, and measured."""

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import sample
from node.keys.node_directory import example_plan
from tests.system.nodes import NodeProcess, Office, agree, make_partners, set_up, start

_TICKS = os.sysconf("SC_CLK_TCK")
RECIPIENT_AGENCY = "ahtjp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The United Kingdom sends, Cambodia receives."""

    sender: Office
    recipient: Office

    @property
    def agency(self) -> str:
        """To whom every alert goes."""
        return self.recipient.agency(RECIPIENT_AGENCY)

    @property
    def origin(self) -> str:
        """The log that every entry goes into."""
        return self.sender.outbound(self.recipient)


def make_pair(place: Path) -> Pair:
    """Two partners with the benchmark's agreement in force; neither runs."""
    pair = Pair(sender=set_up("GB", place), recipient=set_up("KH", place))
    with running(pair):
        make_partners(pair.sender, pair.recipient)
        agencies = [
            (office.agency(agency.slug), agency.agency_class)
            for office in (pair.sender, pair.recipient)
            for agency in example_plan(office.directory.name.upper()).agencies
        ]
        agree(pair.sender, pair.recipient, sample.agreement(pair.sender.trust_domain, pair.recipient.trust_domain, agencies))
    return pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Both processes."""

    sender: NodeProcess
    recipient: NodeProcess


@contextlib.contextmanager
def running(pair: Pair, *, recipient: bool = True) -> Iterator[Running]:
    """Both nodes, or the sender alone; stopped gracefully at the end."""
    processes = [start(pair.sender, ready=False)]
    try:
        if recipient:
            processes.append(start(pair.recipient, ready=False))
        for process in processes:
            process.wait_ready()
        yield Running(sender=processes[0], recipient=processes[-1])
    finally:
        for process in processes:
            process.stop()


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far, all its threads (proc(5), /proc/pid/stat fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_bytes(pid: int) -> int:
    """Resident memory of a process (proc(5), VmRSS)."""
    found = re.search(r"VmRSS:\s+([0-9]+) kB", Path(f"/proc/{pid}/status").read_text("ascii"))
    assert found is not None
    return int(found[1]) * 1024
