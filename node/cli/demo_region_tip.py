"""The whole story's beginning: what an NGO saw becomes a question, and London's answer waits until its transfer was assessed."""

import json
from pathlib import Path
from typing import Any

from node.cli import demo_region_drawings as drawings
from node.cli.demo_gate import Gate
from node.cli.demo_nodes import free_port_pair
from node.cli.demo_region_stage import RegionStage, plain
from node.cli.demo_sample import sample
from node.cli.demo_stage import Data, find
from node.cli.errors import UNEXPECTED, Trouble


class TipStory:
    """The NGO in Siem Reap, the desk that takes its tip up, and who answers in London."""

    def __init__(self, stage: RegionStage) -> None:
        self._stage = stage
        self._url = ""

    def open_line(self) -> None:
        """Let Cambodia's NGOs reach its node: they have a listener of their own, and it is closed until somebody opens it."""
        address = f"127.0.0.1:{free_port_pair()}"
        config = self._stage.homes["KH"] / "node.toml"
        config.write_text(config.read_text("utf-8").replace('# listen = "127.0.0.1:7446"', f'listen = "{address}"'), "utf-8")
        self._url = f"https://{address}"

    def play(self, gate: Gate) -> None:
        """Tell the tip, the question, and the answer; `gate` is London's. Raises `Trouble` when a command of the story fails."""
        tip = self._tip()
        question = self._question(tip)
        self._answer(tip, question, gate)

    def _tip(self) -> Data:
        """What an NGO in Siem Reap saw comes to the police."""
        told = self._as_ngo("send", str(sample("tips/siem-reap.yaml")))
        reference = told["reference"]
        desk = self._desk_with(reference)
        taken = self._stage.ask("KH", desk, "tip", "take", reference)
        read = self._stage.read("KH", desk, "tip", "show", reference)
        data = {"tip": told, "desk": desk, "taken": taken, "as_read": read}
        title = "An NGO in Siem Reap tells what it saw; it reads whom to call now, and a desk takes it up"
        self._stage.tell_chapter("tip", title, data, drawings.tip)
        return data

    def _question(self, tip: Data) -> str:
        """Ask London's police, and London's liaison officer at the embassy in Phnom Penh: an agency of her own, at London's node."""
        reference, file = tip["tip"]["reference"], self._stage.place / "request.yaml"
        _, liaison, embassy = next(desk for desk in self._stage.desks if "embassy" in desk[2])
        london = self._stage.agencies("GB", "POLICE")[0]
        self._stage.ask("KH", "officer", "tip", "convert", reference, "--to", "request", "--partner", london, "-o", str(file))
        draft = plain(file)
        draft["alert"]["contact_desk"] = self._stage.sample_alert("KH", ())["alert"]["contact_desk"]
        draft["alert"]["questions"] = [*draft["alert"]["questions"], "TRAVEL_HISTORY"]
        draft["recipients"] = [*draft["recipients"], embassy]
        file = self._stage.write("question.json", draft)
        sent = self._stage.ask("KH", "officer", "request", "send", str(file), "--reason", "A tip about a traveller")
        digest = str(find(sent, "manifest_digest"))
        self._stage.until("GB", "officer", ("request", "list"), lambda data: digest in json.dumps(data))
        person = self._stage.ask("GB", liaison, "whoami")
        self._stage.ask("GB", liaison, "inbox", "show", digest)
        acknowledged = self._stage.ask("GB", liaison, "inbox", "acknowledge", digest)
        shown = self._stage.until("KH", "officer", ("request", "show", digest), lambda data: "ACKNOWLEDGED" in _states(data))
        data = {"sent": sent, "liaison": person, "acknowledged": acknowledged, "request": shown}
        title = "The tip becomes a question to London, and to London's liaison officer at the embassy, who reads it first"
        self._stage.tell_chapter("question", title, data, drawings.question)
        return digest

    def _answer(self, tip: Data, digest: str, gate: Gate) -> None:
        file = self._stage.write("response.json", self._response())
        answered, attempts = gate.pass_with("request", "answer", digest, str(file), "--reason", "What is on record here")
        title = "London's answer is refused: nobody has weighed yet what telling Cambodia means. Then somebody has"
        self._stage.tell_chapter("assessment", title, {"attempts": attempts}, drawings.gate)
        reply = find(answered, "manifest_digest")
        shown = self._stage.until("KH", "officer", ("request", "show", digest), lambda data: {"ANSWERED", "ACKNOWLEDGED"} <= _states(data))
        read = self._stage.ask("KH", "officer", "inbox", "show", reply)
        status = self._as_ngo("ask", tip["tip"]["id"])
        data = {"answered": answered, "request": shown, "response": read, "ngo_reads": status}
        title = "London answers in time, with convictions and journeys; the NGO reads the status alone"
        self._stage.tell_chapter("answer", title, data, drawings.answer)

    def _response(self) -> dict[str, Any]:
        """London's answer, from what its own sample alert says of the man."""
        known = self._stage.sample_alert("GB", ())["alert"]
        legs = (f"{leg['service_number']} from {leg['departure_port']} to {leg['arrival_port']}" for leg in known["itinerary"])
        return {
            "type": "InformationResponse",
            "language": "en-GB",
            "purpose": "INVESTIGATION",
            "not_after": "P90D",
            "recipients": [self._stage.agencies("KH", "POLICE")[0]],
            "alert": {
                "answers": [
                    {"question": "CRIMINAL_RECORD", "answer": "YES"},
                    {"question": "REGISTRATION", "answer": "YES"},
                    {"question": "TRAVEL_HISTORY", "answer": "PARTIAL", "text": [f"He is booked on {', then '.join(legs)}."]},
                ],
                **{name: known[name] for name in ("convictions", "registration", "court_orders", "contact_desk")},
                "grading": [{"source": "A", "information": 1, "certainty": "FACT"}],
            },
        }

    def _as_ngo(self, *words: str) -> Data:
        home = self._stage.homes["KH"]
        (certificate,) = (home / "ngos").glob("*.pem")
        mine = ("--cert", str(certificate), "--key", str(certificate.with_suffix(".key")), "--ca", str(Path(home) / "ngo-ca.pem"))
        return self._stage.run("tip", *words, "--url", self._url, *mine)

    def _desk_with(self, reference: str) -> str:
        """The context of an officer of Cambodia whose desk has that tip."""
        for country, who, _ in self._stage.desks:
            if (country, who[:7]) == ("KH", "partner") and reference in json.dumps(self._stage.ask(country, who, "tip", "list")):
                return who
        raise Trouble(UNEXPECTED, "TIP_NOWHERE", "No desk has the tip.", next_step="This is a defect: keep the folder.")


def _states(data: Data) -> set[str]:
    return {case["state"] for case in data["cases"]}
