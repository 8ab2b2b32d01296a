"""The stage of a demo: real nodes below one folder, commands typed as a person would, and what they answered."""

import contextlib
import io
import json
import shlex
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from node.cli.demo_nodes import NodeProcess, free_port_pair
from node.cli.errors import UNEXPECTED, Trouble

PATIENCE_SECONDS = 30.0
TELLER = "partner-ngo"
"""The context of whoever tells a country what an NGO saw, where its roster has somebody."""

Data = Mapping[str, Any]
Drawn = Callable[[Data], Sequence[Any]]
"""What a person on a terminal is shown of a step: every value comes from the step's data."""


class Teller(Protocol):
    """Who tells the story: to a person on a terminal, or as JSON lines."""

    columns: int
    """How wide that is which a person reads of a command."""

    def step(self, number: int, title: str, commands: list[str], data: Data, drawn: Drawn) -> None:
        """Tell one step that has just happened. `commands` are what was typed; `data` is what was answered."""
        ...

    def farewell(self, stage: "Stage") -> None:
        """Say what to try next, while the nodes go on running."""
        ...


class Stage(ABC):
    """Nodes of some countries below `place`, each a process and a database of its own."""

    def __init__(self, place: Path, countries: Iterable[str], teller: Teller) -> None:
        self.place = place
        self.homes = {country: place / country.lower() for country in countries}
        self.made: dict[str, Data] = {}
        self._teller = teller
        self._typed: list[str] = []
        self._number = 0
        self._nodes: list[NodeProcess] = []
        self._browsers = False

    def offer_consoles(self) -> None:
        """Let every node serve browsers too. To be called before the story begins."""
        self._browsers = True

    @property
    def consoles(self) -> Mapping[str, str]:
        """Where each country's console listens; none if they were not offered."""
        return {country: _next_port(made["witness"]) for country, made in self.made.items()} if self._browsers else {}

    def set_up(self, packs: Iterable[str] = ()) -> None:
        """Make each country's node, those of `packs` under the example policy pack of their country."""
        self.place.mkdir(parents=True, exist_ok=True)
        for country, directory in self.homes.items():
            port = str(free_port_pair())
            under = ("--policy", str(self._pack(country))) if country in packs else ()
            self.made[country] = self.run("node", "init", "--country", country, "--dir", str(directory), "--port-base", port, *under)

    def start(self) -> None:
        """Start every node, all at once, and wait until each one listens."""
        consoles = self.consoles
        for country, directory in self.homes.items():
            self._nodes.append(NodeProcess(directory, consoles.get(country, "")))
            self._typed.append(f"exchange node run --config {directory / 'node.toml'}")
        for node, made in zip(self._nodes, self.made.values(), strict=True):
            node.wait_until_listening(made["desk"])
        for node, console in zip(self._nodes, consoles.values(), strict=False):
            node.wait_until_listening(console)

    @abstractmethod
    def play(self) -> None:
        """Run every step. Raises `Trouble` when a command of the story fails."""

    @abstractmethod
    def to_try(self) -> list[str]:
        """What a person may type next, without the program's name."""

    @abstractmethod
    def people(self) -> list[tuple[str, str]]:
        """(country, context) of each person as whom a browser may be tried."""

    def wait(self) -> None:
        """Let the nodes run until Ctrl-C."""
        with contextlib.suppress(KeyboardInterrupt):
            for node in self._nodes:
                node.wait()

    def stop(self) -> None:
        """Stop all nodes, at once."""
        for node in self._nodes:
            node.ask_to_stop()
        for node in self._nodes:
            node.stop()

    def tell(self, title: str, data: Data, drawn: Drawn) -> None:
        """Tell what was typed since the last step, and what came of it."""
        self._number += 1
        typed, self._typed = self._typed, []
        self._teller.step(self._number, title, typed, data, drawn)

    def befriend(self, one: str, other: str) -> list[Data]:
        """Make two countries each other's partners, by the fingerprints that two people read to each other."""
        return [
            self.ask(
                ours,
                "administrator",
                "partner",
                "add",
                str(self.homes[theirs] / "descriptor.pb"),
                "--fingerprint",
                self.made[theirs]["identity_fingerprint"],
            )
            for ours, theirs in ((one, other), (other, one))
        ]

    def template(self, proposer: str, other: str, file: Path) -> Path:
        """Write the default agreement between two countries."""
        self.ask(proposer, "administrator", "agreement", "template", "--with", self.domain(other), "--output", str(file))
        return file

    def agree(self, proposer: str, other: str, file: Path) -> Data:
        """Let one country propose an agreement, and the other accept it."""
        digest = find(self.ask(proposer, "administrator", "agreement", "propose", str(file)), "digest")
        self.until(other, "administrator", ("agreement", "list"), lambda data: digest in json.dumps(data))
        accepted = self.ask(other, "administrator", "agreement", "accept", digest)
        shown = self.until(proposer, "administrator", ("agreement", "show", digest), lambda data: find(data, "state") == "ACCEPTED")
        return {"digest": digest, "accepted": accepted, "agreement": shown}

    def domain(self, country: str) -> str:
        """The trust domain of a country."""
        return str(self.made[country]["trust_domain"])

    def until(self, country: str, who: str, words: tuple[str, ...], holds: Callable[[Data], bool]) -> Data:
        """Ask again until it holds; only the last time counts as typed."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            before = len(self._typed)
            data = self.ask(country, who, *words)
            if holds(data):
                return data
            if time.monotonic() > deadline:
                raise Trouble(
                    UNEXPECTED,
                    "DEMO_WAITED",
                    "Something in the demo did not come about in time.",
                    why=f"`{' '.join(words)}` did not show it within {PATIENCE_SECONDS:.0f} seconds.",
                    next_step=f"The nodes' logs are in {self.place}.",
                )
            del self._typed[before:]
            time.sleep(0.05)

    def ask(self, country: str, who: str, *words: str) -> Data:
        """What a command answers that somebody of a country types."""
        return self.run("--context", str(self.homes[country] / f"{who}.toml"), *words)

    def read(self, country: str, who: str, *words: str) -> str:
        """What a person reads who types the same without --json."""
        from node.cli.output import as_wide_as

        with as_wide_as(self._teller.columns):
            _, printed = _quietly(["--context", str(self.homes[country] / f"{who}.toml"), *words])
        return "\n".join(line.rstrip() for line in printed.splitlines())

    def run(self, *words: str) -> Data:
        """What a command answers. Raises `Trouble` if it fails."""
        code, answer = self.attempt(*words)
        if code:
            raise Trouble(
                UNEXPECTED,
                "DEMO_STEP_FAILED",
                "A step of the demo failed.",
                why=f"{self._typed[-1]} ended with {code}: {json.dumps(answer.get('error') or answer, ensure_ascii=False)[:2000]}",
                next_step=f"The nodes' logs are in {self.place}.",
            )
        return answer

    def _pack(self, country: str) -> Path:
        from node.cli.demo_sample import pack_in_force
        from node.system import SystemClock

        file = self.place / f"policy-{country}.toml".lower()
        file.write_text(pack_in_force(country, SystemClock().now().date()), "utf-8")
        return file

    def attempt(self, *words: str) -> tuple[int, Data]:
        """The exit code of a command that may be refused, and its answer."""
        self._typed.append(shlex.join(["exchange", *words]))
        code, printed = _quietly(["--json", *words])
        answer: Data = json.loads(printed or "{}")
        return code, answer


def _next_port(address: str) -> str:
    host, _, port = address.rpartition(":")
    return f"{host}:{int(port) + 1}"


def _quietly(words: list[str]) -> tuple[int, str]:
    from node.cli.main import run

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = run(words)
    return code, printed.getvalue()


def find(data: Any, key: str) -> Any:
    """The first value of that key, wherever it stands."""
    if isinstance(data, Mapping):
        if key in data:
            return data[key]
        data = list(data.values())
    if isinstance(data, list):
        for item in data:
            found = find(item, key)
            if found is not None:
                return found
    return None
