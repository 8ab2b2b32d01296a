"""A country's transfer gate in the story: what its policy pack refuses, what an officer then writes down, and that it then lets go."""

import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from exchange.errors import NotFound
from node.cli.demo_region_stage import RegionStage
from node.cli.demo_sample import sample
from node.cli.demo_stage import Data
from node.cli.errors import UNEXPECTED, Trouble
from node.keys.node_directory import example_plan
from node.system import SystemClock

_REVIEW_AFTER = timedelta(days=180)
_ANOTHER_GOVERNMENTS = "DEATH_PENALTY_ASSURANCE"
"""What no officer can write down alone: another government has to give it, so that it comes later than the rest."""
_STATEMENTS: Mapping[str, str] = {
    "ADEQUACY": "Adequacy decision (example)",
    "SAFEGUARDS": "The agreement between the two countries, its annex on data protection (example)",
    "SPECIAL_CIRCUMSTANCES": "Strictly necessary to protect a child; assessed under reference 2026/0190 (example)",
    "OVERSEAS_SECURITY_AND_JUSTICE": "OSJA 2026/0190 (example): low risk, reviewed yearly",
    _ANOTHER_GOVERNMENTS: "Assurance of 12 October 2026 (example): no penalty of death on the strength of what is told.",
    "JUDICIAL_AUTHORISATION": "Order of the examining judge, 2026/55 (example)",
    "WRITTEN_UNDERTAKING": "Undertaking of 3 November 2026 (example): no further use",
}
"""What is stated where a rule asks for more than the sample assessment says."""


class Gate:
    """The gate of one country that stands under a pack."""

    def __init__(self, stage: RegionStage, country: str) -> None:
        self._stage = stage
        self._country = country
        self._written = 0
        self._needs: dict[str, set[str]] = {}
        home = stage.homes[country]
        policy = tomllib.loads((home / "node.toml").read_text("utf-8"))["policy"]
        self.pack = stage.run("policy", "check", str(home / policy["pack"]), "--key", policy["key"])
        """What the pack says, whose signature holds."""

    def pass_with(self, *words: str) -> tuple[Data, list[Data]]:
        """What an officer's command answers when the gate has let it go; and before that, each refusal and what was recorded upon it.

        Raises `Trouble` (GATE) if anything but a rule of the pack refuses it, or if it goes on refusing.
        """
        attempts: list[Data] = []
        while True:
            code, answer = self._stage.attempt(*self._stage.context(self._country, "officer"), *words)
            if not code:
                return answer, attempts
            refused = self._refusals(answer)
            if not refused or len(attempts) == 3:
                raise Trouble(
                    UNEXPECTED,
                    "GATE",
                    "A release of the story was refused.",
                    why=f"`exchange {' '.join(words)}` ended with {code}: {json.dumps(answer, ensure_ascii=False)[:2000]}",
                    next_step=f"If the alert is yours, mend what is named; else this is a defect: keep the folder {self._stage.place}.",
                )
            attempts.append({"exit_code": code, "refused": refused, "recorded": self._assess(refused, again=bool(attempts))})

    def _refusals(self, answer: Data) -> list[Data]:
        """For each recipient and rule that refused: which, by what law, and what an assessment has to state."""
        found: list[Data] = []
        for problem in _problems(answer):
            rule = next((one for one in self.pack["rules"] if f"; {one['id']}; {one['law']}" in problem["message"]), None)
            if rule is None or not problem["code"].startswith("ASSESSMENT_"):
                return []
            recipient = problem["field"].partition("[")[2].removesuffix("]")
            found.append({"recipient": recipient, "code": problem["code"], "rule": rule["id"], "law": rule["law"], "needs": rule["needs"]})
        return found

    def _assess(self, refused: Sequence[Data], *, again: bool) -> list[Data]:
        """Weigh each country that refused agencies are in, and write it down."""
        recorded: list[Data] = []
        countries = dict.fromkeys(one["recipient"].removeprefix("spiffe://").partition("/")[0] for one in refused)
        for domain in countries:
            here = [one for one in refused if one["recipient"].startswith(f"spiffe://{domain}/")]
            # What an assessment says already is not named again, and the next one has to say it too.
            needs = self._needs.setdefault(domain, set())
            needs |= {need for one in here for need in one["needs"] if again or need != _ANOTHER_GOVERNMENTS}
            self._written += 1
            file = self._stage.place / f"assessment-{self._country}-{domain.partition('.')[0]}-{self._written}.toml".lower()
            file.write_text("\n".join(self._text(domain, {one["recipient"] for one in here}, needs)) + "\n", "utf-8")
            answer = self._stage.ask(self._country, "officer", "assessment", "record", str(file))
            recorded.append({"file": str(file), **answer})
        return recorded

    def _text(self, domain: str, recipients: Iterable[str], needs: Iterable[str]) -> Iterable[str]:
        """An assessment file: the sample for that country, for these recipients, which states what is needed."""
        said = self._sample(domain)
        recipients = {*recipients, *(said["recipients"] if said["destination"] == domain else ())}
        stated = {name: said[name] for name in ("necessity", "proportionality")}
        stated |= {need.lower(): said.get(need.lower(), _STATEMENTS[need]) for need in sorted(needs) if need in _STATEMENTS}
        yield f'destination = "{domain}"'
        yield f"recipients = {json.dumps(sorted(recipients))}"
        yield f"review_by = {(SystemClock().now() + _REVIEW_AFTER).date()}T00:00:00Z"
        yield from (f"{name} = {json.dumps(str(text).strip(), ensure_ascii=False)}" for name, text in stated.items())

    def _sample(self, domain: str) -> Mapping[str, Any]:
        other = domain.partition(".")[0]
        try:
            return tomllib.loads(sample(f"assessments/{self._country}-{other}.toml".lower()).read_text("utf-8"))
        except NotFound:  # of a country to which only a stranger's alert goes
            text = sample("assessments/gb-kh.toml").read_text("utf-8")
            said = tomllib.loads(text.replace(example_plan("KH").name, example_plan(other.upper()).name))
            return {name: said[name] for name in ("destination", "necessity", "proportionality")}


def _problems(answer: Any) -> list[Data]:
    """Every error that an answer names, wherever it stands."""
    if isinstance(answer, list):
        return [problem for item in answer for problem in _problems(item)]
    if not isinstance(answer, Mapping):
        return []
    own = [problem for problem in answer.get("problems") or () if problem["severity"] == "ERROR"]
    return own + [problem for key, item in answer.items() if key != "problems" for problem in _problems(item)]
