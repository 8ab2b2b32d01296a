"""The story of the demo: which commands are run, in which order, and what is compared at the end."""

import contextlib
import io
import json
import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from node.cli.demo_nodes import NodeProcess, free_port_pair
from node.cli.errors import UNEXPECTED, Trouble

_PATIENCE_SECONDS = 15.0

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the person who runs the demo chose."""

    sender: str
    recipient: str
    alert: Path | None
    agreement: Path | None
    outcome: str


class Teller(Protocol):
    """Who tells the story: to a person on a terminal, or as JSON lines."""

    def step(self, number: int, title: str, commands: list[str], data: Data) -> None:
        """Tell one step that has just happened. `commands` are what was typed; `data` is what was answered."""
        ...

    def farewell(self, story: "Story") -> None:
        """Say what to try next, while the nodes go on running."""
        ...


class Story:
    """Two nodes below `place`, and what happens between them."""

    def __init__(self, place: Path, wishes: Wishes, teller: Teller) -> None:
        self.place = place
        self.wishes = wishes
        self.sender = place / wishes.sender.lower()
        self.recipient = place / wishes.recipient.lower()
        self._teller = teller
        self._typed: list[str] = []
        self._number = 0
        self._made: dict[Path, Data] = {}
        self._nodes: list[NodeProcess] = []

    def tell(self) -> None:
        """Run every step. Raises `Trouble` when a command of the story fails."""
        self._set_up()
        self._start()
        self._make_partners()
        self._agree()
        alert = self._alert_file()
        self._preview(alert)
        published = self._publish(alert)
        seen = self._desks_read(published)
        self._report(published, seen)
        self._compare()
        self._prove(published)

    def wait(self) -> None:
        """Let the nodes run until Ctrl-C."""
        with contextlib.suppress(KeyboardInterrupt):
            for node in self._nodes:
                node.wait()

    def stop(self) -> None:
        """Stop both nodes."""
        for node in self._nodes:
            node.stop()

    def _set_up(self) -> None:
        self.place.mkdir(parents=True, exist_ok=True)
        for directory, country in ((self.sender, self.wishes.sender), (self.recipient, self.wishes.recipient)):
            port = str(free_port_pair())
            self._made[directory] = self._run("node", "init", "--country", country, "--dir", str(directory), "--port-base", port)
        self._tell("Each country sets up its node", {"nodes": list(self._made.values())})

    def _start(self) -> None:
        for directory, made in self._made.items():
            node = NodeProcess(directory)
            self._nodes.append(node)
            node.wait_until_listening(made["desk"])
            self._typed.append(f"exchange node run --config {directory / 'node.toml'}")
        people = [self._ask(directory, "officer", "whoami") for directory in self._made]
        self._tell("Both nodes run, as processes and databases of their own", {"officers": people})

    def _make_partners(self) -> None:
        added = []
        for ours, theirs in ((self.sender, self.recipient), (self.recipient, self.sender)):
            fingerprint = self._made[theirs]["identity_fingerprint"]
            added.append(self._ask(ours, "administrator", "partner", "add", str(theirs / "descriptor.pb"), "--fingerprint", fingerprint))
        self._tell("Each adds the other, by the fingerprint that two people read to each other", {"partners": added})

    def _agree(self) -> None:
        text = self.wishes.agreement
        if text is None:
            text = self.place / "agreement.toml"
            domain = self._made[self.recipient]["trust_domain"]
            self._ask(self.sender, "administrator", "agreement", "template", "--with", domain, "--output", str(text))
        proposed = self._ask(self.sender, "administrator", "agreement", "propose", str(text))
        digest = _find(proposed, "digest")
        self._until(self.recipient, "administrator", ("agreement", "list"), lambda data: digest in json.dumps(data))
        accepted = self._ask(self.recipient, "administrator", "agreement", "accept", digest)
        in_force = self._until(self.sender, "administrator", ("agreement", "show", digest), lambda data: _find(data, "state") == "ACCEPTED")
        self._tell(
            "They agree, field by field, what one may tell the other; both nodes sign",
            {"digest": digest, "accepted": accepted, "agreement": in_force},
        )

    def _alert_file(self) -> Path:
        if self.wishes.alert is not None:
            return self.wishes.alert
        from node.cli.demo_sample import addressed_sample

        path = self.place / "alert.json"
        path.write_text(addressed_sample(self.wishes.sender, self.wishes.recipient), "utf-8")
        return path

    def _preview(self, alert: Path) -> None:
        (preview,) = self._ask(self.sender, "officer", "alert", "preview", str(alert))["previews"]
        self._tell("An officer sees, before anything leaves, exactly what each recipient will see", {"preview": preview})

    def _publish(self, alert: Path) -> Data:
        data = self._ask(self.sender, "officer", "alert", "publish", str(alert), "--reason", "Demonstration of a travel alert")
        (published,) = data["alerts"]
        digest = published["manifest_digest"]
        status = self._until(
            self.sender,
            "officer",
            ("alert", "status", digest),
            lambda data: all(item["state"] not in {"LOGGED", "DELIVERED", None} for item in data["disclosures"]),
        )
        self._tell("The alert is released: logged first, then delivered, then receipted", {"published": published, "status": status})
        return dict(published)

    def _desks_read(self, published: Data) -> list[tuple[str, Data]]:
        audience = {agency for item in published["disclosures"] for agency in item["audience"]}
        seen: list[tuple[str, Data]] = []
        for context in sorted(self.recipient.glob("partner-*.toml")):
            agency = _find(self._ask(self.recipient, context.stem, "whoami"), "agency")
            if agency in audience:
                shown = self._ask(self.recipient, context.stem, "inbox", "show", published["manifest_digest"])
                read = self._read("--context", str(context), "inbox", "show", published["manifest_digest"])
                seen.append((context.stem, {"agency": agency, "shown": shown, "as_read": read}))
        self._tell("Each desk abroad sees its own minimum, and no more", {"desks": [data for _, data in seen]})
        return seen

    def _report(self, published: Data, seen: list[tuple[str, Data]]) -> None:
        if not seen:
            raise Trouble(
                UNEXPECTED, "NO_DESK", "No desk of the demo received the alert.", next_step="Address it to a border or police agency."
            )
        desk = seen[0][0]
        digest = published["manifest_digest"]
        report = self._ask(self.recipient, desk, "inbox", "report", digest, "--outcome", self.wishes.outcome)
        status = self._until(
            self.sender,
            "officer",
            ("alert", "status", digest),
            lambda data: any(item["state"] == "REPORTED" for item in data["disclosures"]),
        )
        answer = self._ask(self.sender, "officer", "inbox", "show", _find(report, "manifest_digest"))
        self._tell(
            "The desk reports back what happened; the originator's police read it",
            {"desk": desk, "report": report, "status": status, "answer": answer},
        )

    def _compare(self) -> None:
        verified = {}
        logs: dict[str, dict[str, Data]] = {}
        for directory in (self.sender, self.recipient):
            verified[directory.name] = self._ask(directory, "auditor", "log", "verify")
            for log in self._ask(directory, "auditor", "log", "list")["logs"]:
                logs.setdefault(log["origin"], {})[directory.name] = log
        compared = [
            {
                "origin": origin,
                "size": {name: log["size"] for name, log in sides.items()},
                "root": {name: log["root"] for name, log in sides.items()},
                "equal": len(sides) == 2 and len({(log["size"], log["root"]) for log in sides.values()}) == 1,
            }
            for origin, sides in sorted(logs.items())
        ]
        if not all(item["equal"] for item in compared):
            raise Trouble(UNEXPECTED, "LOGS_DIFFER", "The two countries' logs differ.", next_step="This is a defect: keep the folder.")
        self._tell("Two countries compare one hash for each direction", {"verified": verified, "compared": compared})

    def _prove(self, published: Data) -> None:
        first = published["disclosures"][0]
        path = self.place / "evidence.pb"
        # The recipient's officers hold what was disclosed to their agency; the sender's liaison officer exports here.
        exported = self._ask(self.sender, "officer", "evidence", "export", first["origin"], str(first["index"]), "-o", str(path))
        pins = [f"{made['trust_domain']}={made['identity_fingerprint']}" for made in self._made.values()]
        verified = self._run("evidence", "verify", str(path), *(part for pin in pins for part in ("--pin", pin)))
        self._tell(
            "One file proves it to a stranger: no node, no network, only two fingerprints", {"exported": exported, "verified": verified}
        )

    def _tell(self, title: str, data: Data) -> None:
        self._number += 1
        typed, self._typed = self._typed, []
        self._teller.step(self._number, title, typed, data)

    def _until(self, directory: Path, who: str, words: tuple[str, ...], holds: Any) -> Data:
        """Ask again until it holds; only the last time counts as typed."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            before = len(self._typed)
            data = self._ask(directory, who, *words)
            if holds(data):
                return data
            if time.monotonic() > deadline:
                raise Trouble(
                    UNEXPECTED,
                    "DEMO_WAITED",
                    "Something in the demo did not come about in time.",
                    why=f"`{' '.join(words)}` did not show it within {_PATIENCE_SECONDS:.0f} seconds.",
                    next_step=f"The nodes' logs are in {self.place}.",
                )
            del self._typed[before:]
            time.sleep(0.05)

    def _ask(self, directory: Path, who: str, *words: str) -> Data:
        return self._run("--context", str(directory / f"{who}.toml"), *words)

    def _read(self, *words: str) -> str:
        """What a person reads who types the same without --json."""
        _, printed = _quietly(list(words))
        return "\n".join(line.rstrip() for line in printed.splitlines())

    def _run(self, *words: str) -> Data:
        self._typed.append(shlex.join(["exchange", *words]))
        code, printed = _quietly(["--json", *words])
        answer: Data = json.loads(printed or "{}")
        if code:
            raise Trouble(
                UNEXPECTED,
                "DEMO_STEP_FAILED",
                "A step of the demo failed.",
                why=f"{self._typed[-1]} ended with {code}: {json.dumps(answer.get('error') or answer, ensure_ascii=False)[:2000]}",
                next_step=f"The nodes' logs are in {self.place}.",
            )
        return answer


def _quietly(words: list[str]) -> tuple[int, str]:
    from node.cli.main import run

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = run(words)
    return code, printed.getvalue()


def _find(data: Any, key: str) -> Any:
    """The first value of that key, wherever it stands."""
    if isinstance(data, Mapping):
        if key in data:
            return data[key]
        data = list(data.values())
    if isinstance(data, list):
        for item in data:
            found = _find(item, key)
            if found is not None:
                return found
    return None
