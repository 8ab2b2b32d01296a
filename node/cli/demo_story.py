"""The story of the demo: which commands are run, in which order, and what is compared at the end."""

from dataclasses import dataclass
from pathlib import Path

from node.cli import demo_drawings as drawings
from node.cli.demo_stage import TELLER, Data, Stage, Teller, find
from node.cli.errors import UNEXPECTED, Trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the person who runs the demo chose."""

    sender: str
    recipient: str
    alert: Path | None
    agreement: Path | None
    outcome: str


class Story(Stage):
    """Two nodes below `place`, and what happens between them."""

    def __init__(self, place: Path, wishes: Wishes, teller: Teller) -> None:
        super().__init__(place, (wishes.sender, wishes.recipient), teller)
        self.wishes = wishes
        self.sender, self.recipient = wishes.sender, wishes.recipient
        self._desk = ""

    def play(self) -> None:
        """Run every step. Raises `Trouble` when a command of the story fails."""
        self.set_up()
        self.tell("Each country sets up its node", {"nodes": list(self.made.values())}, drawings.nodes)
        self.start()
        people = [self.ask(country, "officer", "whoami") for country in self.homes]
        self.tell("Both nodes run, as processes and databases of their own", {"officers": people}, drawings.people)
        added = self.befriend(self.sender, self.recipient)
        self.tell("Each adds the other, by the fingerprint that two people read to each other", {"partners": added}, drawings.partners)
        text = self.wishes.agreement or self.template(self.sender, self.recipient, self.place / "agreement.toml")
        agreed = self.agree(self.sender, self.recipient, text)
        self.tell("They agree, field by field, what one may tell the other; both nodes sign", agreed, drawings.agreement)
        alert = self._alert_file()
        self._preview(alert)
        published = self._publish(alert)
        seen = self._desks_read(published)
        self._report(published, seen)
        self._compare()
        self._prove(published)

    def _alert_file(self) -> Path:
        if self.wishes.alert is not None:
            return self.wishes.alert
        from node.cli.demo_sample import addressed_sample

        path = self.place / "alert.json"
        path.write_text(addressed_sample(self.sender, self.recipient), "utf-8")
        return path

    def _preview(self, alert: Path) -> None:
        (preview,) = self.ask(self.sender, "officer", "alert", "preview", str(alert))["previews"]
        self.tell("An officer sees, before anything leaves, exactly what each recipient will see", {"preview": preview}, drawings.preview)

    def _publish(self, alert: Path) -> Data:
        data = self.ask(self.sender, "officer", "alert", "publish", str(alert), "--reason", "Demonstration of a travel alert")
        (published,) = data["alerts"]
        digest = published["manifest_digest"]
        status = self.until(
            self.sender,
            "officer",
            ("alert", "status", digest),
            lambda data: all(item["state"] not in {"LOGGED", "DELIVERED", None} for item in data["disclosures"]),
        )
        self.tell(
            "The alert is released: logged first, then delivered, then receipted",
            {"published": published, "status": status},
            drawings.published,
        )
        return dict(published)

    def _desks_read(self, published: Data) -> list[tuple[str, Data]]:
        audience = {agency for item in published["disclosures"] for agency in item["audience"]}
        seen: list[tuple[str, Data]] = []
        for context in sorted(self.homes[self.recipient].glob("partner-*.toml")):
            agency = find(self.ask(self.recipient, context.stem, "whoami"), "agency")
            if agency in audience:
                shown = self.ask(self.recipient, context.stem, "inbox", "show", published["manifest_digest"])
                read = self.read(self.recipient, context.stem, "inbox", "show", published["manifest_digest"])
                seen.append((context.stem, {"agency": agency, "shown": shown, "as_read": read}))
        self.tell("Each desk abroad sees its own minimum, and no more", {"desks": [data for _, data in seen]}, drawings.desks)
        return seen

    def _report(self, published: Data, seen: list[tuple[str, Data]]) -> None:
        # An NGO of the demo signs nothing in its own name, so it has no key to report with.
        desks = [(context, data["agency"]) for context, data in seen if context != TELLER]
        if not desks:
            raise Trouble(
                UNEXPECTED,
                "NO_DESK",
                "No desk that reports back received the alert.",
                next_step="Address it to a border or police agency.",
            )
        desk, agency = desks[0]
        self._desk = desk
        digest = published["manifest_digest"]
        report = self.ask(self.recipient, desk, "inbox", "report", digest, "--outcome", self.wishes.outcome)
        status = self.until(
            self.sender,
            "officer",
            ("alert", "status", digest),
            lambda data: any(item["state"] == "REPORTED" for item in data["disclosures"]),
        )
        answer = self.ask(self.sender, "officer", "inbox", "show", find(report, "manifest_digest"))
        self.tell(
            "The desk reports back what happened; the originator's police read it",
            {"desk": desk, "agency": agency, "report": report, "status": status, "answer": answer},
            drawings.reported,
        )

    def _compare(self) -> None:
        verified = {}
        logs: dict[str, dict[str, Data]] = {}
        for country, directory in self.homes.items():
            verified[directory.name] = self.ask(country, "auditor", "log", "verify")
            for log in self.ask(country, "auditor", "log", "list")["logs"]:
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
        self.tell("Two countries compare one hash for each direction", {"verified": verified, "compared": compared}, drawings.compared)

    def _prove(self, published: Data) -> None:
        first = published["disclosures"][0]
        path = self.place / "evidence.pb"
        # The recipient's officers hold what was disclosed to their agency; the sender's liaison officer exports here.
        exported = self.ask(self.sender, "officer", "evidence", "export", first["origin"], str(first["index"]), "-o", str(path))
        pins = [f"{made['trust_domain']}={made['identity_fingerprint']}" for made in self.made.values()]
        verified = self.run("evidence", "verify", str(path), *(part for pin in pins for part in ("--pin", pin)))
        self.tell(
            "One file proves it to a stranger: no node, no network, only two fingerprints",
            {"exported": exported, "verified": verified},
            drawings.proved,
        )

    def people(self) -> list[tuple[str, str]]:
        """(country, context) of each person as whom a browser may be tried."""
        return [
            (self.sender, "liaison"),
            (self.recipient, self._desk),
            *((self.sender, who) for who in ("officer", "auditor", "administrator")),
        ]

    def to_try(self) -> list[str]:
        """What a person may type next, without the program's name."""
        sender, recipient = self.homes[self.sender], self.homes[self.recipient]
        return [
            f"--context {recipient / 'officer.toml'} inbox list",
            f"--context {sender / 'officer.toml'} alert list",
            f"--context {sender / 'auditor.toml'} log list",
            f"--context {sender / 'officer.toml'} alert preview {self.place / 'alert.json'}",
        ]
