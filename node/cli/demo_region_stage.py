"""The stage of the whole story: ten countries, who works where in them, and what every chapter needs."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from node.cli.demo_sample import readdressed
from node.cli.demo_stage import Data, Drawn, Stage, Teller, find
from node.cli.errors import UNEXPECTED, USAGE, Trouble
from node.keys.node_directory import example_plan

COUNTRIES = ("GB", "KH", "VN", "TH", "PH", "LA", "IN", "HK", "SG", "MM")


class RegionStage(Stage):
    """Ten nodes below `place`, and the people at them."""

    def __init__(self, place: Path, teller: Teller) -> None:
        super().__init__(place, COUNTRIES, teller)
        self.desks: list[tuple[str, str, str]] = []
        """(country, context, agency) of each person at a desk."""
        self.pairs: list[tuple[str, str]] = []
        """Who agreed with whom."""

    def know_people(self) -> list[Data]:
        """Who works at each node; fills `desks`."""
        people = [self.ask(country, "officer", "whoami") for country in self.homes]
        for country, directory in self.homes.items():
            for context in sorted([*directory.glob("partner-*.toml"), *directory.glob("liaison*.toml")]):
                person = self.ask(country, context.stem, "whoami")
                people.append(person)
                self.desks.append((country, context.stem, find(person, "agency")))
        return people

    def agree_by_template(self, one: str, other: str) -> Data:
        """Let two countries agree on the default; of what London sends, a second officer approves each travel alert."""
        file = self.template(one, other, self.place / f"agreement-{one}-{other}.toml".lower())
        if one == "GB":
            _ask_for_four_eyes(file, self.domain(one))
        self.pairs.append((one, other))
        return self.agree(one, other, file)

    def tell_chapter(self, chapter: str, title: str, data: Data, drawn: Drawn) -> None:
        """Tell one chapter, which a script knows by its name."""
        self.tell(title, {"chapter": chapter, **data}, drawn)

    def context(self, country: str, who: str) -> tuple[str, str]:
        """The words that make a command somebody's."""
        return "--context", str(self.homes[country] / f"{who}.toml")

    def desks_told(self, alert: Data) -> list[tuple[str, str, str]]:
        """(country, context, agency) of each desk that an alert went to and that has an officer. Raises `Trouble` (NO_DESK)."""
        audience = {agency for item in alert["disclosures"] for agency in item["audience"]}
        found = [desk for desk in self.desks if desk[2] in audience and desk[1] != "liaison"]
        if not found:
            raise Trouble(UNEXPECTED, "NO_DESK", "No desk received the alert.", next_step="Address it to a border or police agency.")
        return found

    def border_desk(self, alert: Data) -> tuple[str, str, str]:
        """The first border desk that an alert went to, in a country whose police were told too; any other there if there is none."""
        told = self.desks_told(alert)
        with_police = {country for country, _, agency in told if agency == police_of(country)}
        desks = [desk for desk in told if desk[0] in with_police] or told
        return next((desk for desk in desks if desk[2] in self.agencies(desk[0], "BORDER")), desks[0])

    def agencies(self, country: str, agency_class: str) -> list[str]:
        """The SPIFFE IDs of a country's agencies of one class."""
        plan = example_plan(country)
        return [f"spiffe://{plan.trust_domain}/agency/{one.slug}" for one in plan.agencies if one.agency_class == agency_class]

    def readdressed(self, name: str, country: str, recipients: list[str]) -> dict[str, Any]:
        """A sample file's content, from the police of one country to these."""
        desk = next(one for one in example_plan(country).agencies if one.agency_class == "POLICE")
        return readdressed(name, desk.name, recipients, channel=desk.desk)

    def sample_alert(self, country: str, told: Iterable[str]) -> dict[str, Any]:
        """The sample alert, from the police of one country to the border and police agencies of others."""
        wanted = [agency for other in told for kind in ("BORDER", "POLICE") for agency in self.agencies(other, kind)]
        return self.readdressed("travel-alert-gb-kh.yaml", country, wanted)

    def settled(self, country: str, digest: str) -> Data:
        """Wait until everybody's receipt is here."""
        words = ("alert", "status", digest)
        waiting = {"LOGGED", "DELIVERED", None}
        return self.until(country, "officer", words, lambda data: all(item["state"] not in waiting for item in data["disclosures"]))

    def write(self, name: str, content: Mapping[str, Any]) -> Path:
        """A file below the story's folder, as JSON."""
        path = self.place / name
        path.write_text(json.dumps(content, ensure_ascii=False, indent=2, default=str), "utf-8")
        return path

    def must_refuse(self, expected: str, *words: str) -> Data:
        """What a command answers that has to be refused with that code. Raises `Trouble` (NOT_REFUSED) if it is not."""
        code, answer = self.attempt(*words)
        if not code or expected not in json.dumps(answer):
            raise Trouble(
                UNEXPECTED,
                "NOT_REFUSED",
                "Something was let go that had to be refused.",
                why=f"`exchange {' '.join(words)}` ended with {code}, and not with {expected}.",
                next_step=f"This is a defect: keep the folder {self.place}.",
            )
        return {"exit_code": code, **answer}


def _ask_for_four_eyes(agreement: Path, sender: str) -> None:
    """Let every clause by which `sender`, a trust domain, sends a travel alert ask for a second officer, as its administrator would."""
    head, *clauses = agreement.read_text("utf-8").split("[[clauses]]\n")
    by, kind = f"sender = {json.dumps(sender)}\n", 'alert_type = "TravelAlert"\n'
    asking = [clause.replace(kind, f"{kind}approvals = 1\n") if by in clause else clause for clause in clauses]
    agreement.write_text("[[clauses]]\n".join((head, *asking)), "utf-8")


def police_of(country: str) -> str:
    """The SPIFFE ID of the agency at which the liaison officer of an example country works."""
    plan = example_plan(country)
    slug = next(officer.agency for officer in plan.officers if officer.role == "liaison")
    return f"spiffe://{plan.trust_domain}/agency/{slug}"


def check_alert(file: Path) -> None:
    """Raise `Trouble` (ALERT_NOT_FOR_STORY) unless the whole story can be told of an alert: somebody must be able to ask to pass it on."""
    content = _read(file)
    recipients, handling = content.get("recipients"), content.get("handling")
    told = {f"spiffe://{str(agency).removeprefix('spiffe://')}" for agency in recipients} if isinstance(recipients, list) else set()
    if content.get("type") != "TravelAlert":
        why = "It is no TravelAlert, or no file of an alert at all: `exchange alert check` says which."
    elif not told & {police_of(country) for country in COUNTRIES[1:]}:
        why = f"It is addressed to no country's police desk, such as {police_of('KH')}: these ask leave to pass it on."
    elif not isinstance(handling, dict) or handling.get("onward") != "ASK":
        why = "Its handling lets nobody ask whether it may be passed on: `onward: ASK` does."
    else:
        return
    raise Trouble(
        USAGE, "ALERT_NOT_FOR_STORY", "The whole story cannot be told of this alert.", why=why, next_step="Mend it, or leave --story out."
    )


def plain(file: Path) -> dict[str, Any]:
    """The content of an alert file."""
    import yaml

    content: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
    return content


def _read(file: Path) -> dict[str, Any]:
    """The content of a stranger's file; empty where it is none."""
    import yaml

    try:
        content = plain(file)
    except (yaml.YAMLError, UnicodeDecodeError):
        return {}
    return content if isinstance(content, dict) else {}
