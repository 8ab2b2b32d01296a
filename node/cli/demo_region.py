"""The whole story: the ten countries of the region, and one man's journey, from a tip until nothing of it is left where it may not be."""

import csv
import io
import json
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from node.cli import demo_drawings as drawings
from node.cli import demo_region_drawings as region_drawings
from node.cli.demo_nodes import free_port_pair
from node.cli.demo_sample import readdressed, sample
from node.cli.demo_stage import PATIENCE_SECONDS, Data, Drawn, Stage, Teller, find
from node.cli.errors import UNEXPECTED, Trouble
from node.keys.node_directory import example_plan

COUNTRIES = ("GB", "KH", "VN", "TH", "PH", "LA", "IN", "HK", "SG", "MM")
PAIRS = (*(("GB", other) for other in COUNTRIES[1:]), ("KH", "TH"), ("KH", "VN"))
"""Who agrees with whom."""
_INNOCENT = (
    ("Specimen", "Anna Maria", "1974-08-12", "F", "UTO", "EXAMPLE01"),
    ("Muster", "Erika", "1984-01-26", "F", "D", "EXAMPLE02"),
    ("Example", "Sokha", "1990-06-30", "M", "KHM", "EXAMPLE03"),
)
"""Travellers of the passenger list whom nobody looks for."""


class Region(Stage):
    """Ten nodes below `place`, and what happens between them."""

    def __init__(self, place: Path, alert: Path | None, teller: Teller) -> None:
        super().__init__(place, COUNTRIES, teller)
        self._own_alert = alert
        self._desks: list[tuple[str, str, str]] = []

    def play(self) -> None:
        """Run every chapter. Raises `Trouble` when a command of the story fails."""
        self._region()
        self._bulletin()
        question = self._tip()
        self._question(question)
        alert = self._alert()
        self._read_at_desks(alert)
        hit = self._screen(alert)
        self._report(alert, hit)
        self._pass_on(alert, hit)
        corrected = self._correct(alert)
        self._withdraw(corrected)
        self._review()

    def to_try(self) -> list[str]:
        """What a person may type next, without the program's name."""
        home, abroad = self.homes["GB"], self.homes["KH"]
        return [
            f"--context {home / 'officer.toml'} alert list",
            f"--context {abroad / 'officer.toml'} inbox list",
            f"--context {home / 'auditor.toml'} audit list",
            f"--context {abroad / 'auditor.toml'} audit reconcile --with {self.domain('GB')}",
        ]

    def _region(self) -> None:
        self.set_up()
        self._open_tip_line("KH")
        self._tell("set-up", "Ten countries set up their nodes", {"nodes": list(self.made.values())}, drawings.nodes)
        self.start()
        people = [self.ask(country, "officer", "whoami") for country in self.homes]
        for country, directory in self.homes.items():
            for context in sorted([*directory.glob("partner-*.toml"), *directory.glob("liaison-*.toml")]):
                self._desks.append((country, context.stem, find(self.ask(country, context.stem, "whoami"), "agency")))
        self._tell("running", "Ten nodes run, each a process and a database of its own", {"officers": people}, drawings.people)
        partners = [added for pair in PAIRS for added in self.befriend(*pair)]
        self._tell("partners", "Who works together pins the other's fingerprint", {"partners": partners}, drawings.partners)
        agreed = []
        for one, other in PAIRS:
            file = self.template(one, other, self.place / f"agreement-{one}-{other}.toml".lower())
            agreed.append(self.agree(one, other, file))
        self._tell("agreements", "They agree, two by two, field by field", {"agreements": agreed}, region_drawings.agreements)

    def _bulletin(self) -> None:
        """The whole region learns of a pattern, without a word about any person."""
        recipients = [agency for country in COUNTRIES[1:] for agency in self.agencies(country, "POLICE")]
        file = self._write("bulletin.json", self.readdressed("pattern-bulletin-th-gb.yaml", "GB", recipients))
        published = self._publish("GB", file, "A pattern that concerns the region")
        self._tell("bulletin", "London tells the region's police of a pattern: no personal data", published, drawings.published)

    def _open_tip_line(self, country: str) -> None:
        """Let the NGOs of a country reach its node: they have a listener of their own, and it is closed until somebody opens it."""
        address = f"127.0.0.1:{free_port_pair()}"
        config = self.homes[country] / "node.toml"
        config.write_text(config.read_text("utf-8").replace('# listen = "127.0.0.1:7446"', f'listen = "{address}"'), "utf-8")
        self._tip_line = f"https://{address}"

    def _as_ngo(self, *words: str) -> Data:
        home = self.homes["KH"]
        (certificate,) = (home / "ngos").glob("*.pem")
        mine = ("--cert", str(certificate), "--key", str(certificate.with_suffix(".key")), "--ca", str(home / "ngo-ca.pem"))
        return self.run("tip", *words, "--url", self._tip_line, *mine)

    def _tip(self) -> Data:
        """What an NGO in Siem Reap saw comes to the police, and becomes a question to London."""
        told = self._as_ngo("send", str(sample("tips/siem-reap.yaml")))
        reference = told["reference"]
        desk = self.desk_with_tip(reference)
        taken = self.ask("KH", desk, "tip", "take", reference)
        read = self.read("KH", desk, "tip", "show", reference)
        data = {"tip": told, "desk": desk, "taken": taken, "as_read": read}
        self._tell(
            "tip", "An NGO in Siem Reap tells what it saw; it reads whom to call now, and a desk takes it up", data, region_drawings.tip
        )
        return data

    def _question(self, tip: Data) -> None:
        reference, file = tip["tip"]["reference"], self.place / "request.yaml"
        # The liaison officer at the embassy in Phnom Penh is an agency of her own, at home at London's node.
        _, liaison, embassy = next(desk for desk in self._desks if "embassy" in desk[2])
        self.ask(
            "KH", "officer", "tip", "convert", reference, "--to", "request", "--partner", self.agencies("GB", "POLICE")[0], "-o", str(file)
        )
        draft = _plain(file)
        draft["alert"]["contact_desk"] = self._sample("KH", ())["alert"]["contact_desk"]
        draft["recipients"] = [*draft["recipients"], embassy]
        file = self._write("question.json", draft)
        sent = self.ask("KH", "officer", "request", "send", str(file), "--reason", "A tip about a traveller")
        digest = find(sent, "manifest_digest")
        self.until("GB", "officer", ("request", "list"), lambda data: digest in json.dumps(data))
        self.ask("GB", liaison, "inbox", "show", digest)
        acknowledged = self.ask("GB", liaison, "inbox", "acknowledge", digest)
        answer = self._write("response.json", self._response())
        answered = self.ask("GB", "officer", "request", "answer", digest, str(answer), "--reason", "What is on record here")
        shown = self.until("KH", "officer", ("request", "show", digest), _is_answered)
        status = self._as_ngo("ask", tip["tip"]["id"])
        data = {"sent": sent, "acknowledged": acknowledged, "answered": answered, "request": shown, "ngo_reads": status}
        self._tell(
            "question",
            "The tip becomes a question to London, which answers in time; the NGO reads the status alone",
            data,
            region_drawings.question,
        )

    def _response(self) -> dict[str, Any]:
        """London's answer, from what its own sample alert says of the man."""
        known = self._sample("GB", ())["alert"]
        return {
            "type": "InformationResponse",
            "language": "en-GB",
            "purpose": "INVESTIGATION",
            "not_after": "P90D",
            "recipients": [self.agencies("KH", "POLICE")[0]],
            "alert": {
                "answers": [{"question": "CRIMINAL_RECORD", "answer": "YES"}, {"question": "TRAVEL_HISTORY", "answer": "PARTIAL"}],
                **{name: known[name] for name in ("convictions", "registration", "court_orders", "contact_desk")},
                "grading": [{"source": "A", "information": 1, "certainty": "FACT"}],
            },
        }

    def _alert(self) -> Data:
        file = self._own_alert or self._write("alert.json", self._sample("GB", ("KH", "TH")))
        (preview,) = self.ask("GB", "officer", "alert", "preview", str(file))["previews"]
        self._tell(
            "preview", "An officer sees, before anything leaves, what each recipient will see", {"preview": preview}, drawings.preview
        )
        published = self._publish("GB", file, "Travel of a registered offender to the region")
        self._tell("alert", "The alert goes to Cambodia and Thailand: one signature, a view for each", published, drawings.published)
        return {"file": str(file), **published["published"]}

    def _read_at_desks(self, alert: Data) -> None:
        read = self.desks_told(alert)
        shown = [
            {
                "agency": agency,
                "shown": self.ask(country, who, "inbox", "show", alert["manifest_digest"]),
                "as_read": self.read(country, who, "inbox", "show", alert["manifest_digest"]),
            }
            for country, who, agency in read
        ]
        self._tell("desks", "Each desk abroad sees its own minimum, and no more", {"desks": shown}, drawings.desks)

    def _screen(self, alert: Data) -> Data:
        """The border desk of the first country with one screens an arriving flight."""
        country, who, _ = self.border_desk(alert)
        shown = self.ask(country, who, "inbox", "show", alert["manifest_digest"])["alert"]["alert"]
        path = self.place / "passengers.csv"
        path.write_text(passenger_list(shown), "utf-8")
        screened = self.ask(country, who, "screen", str(path))
        read = self.read(country, who, "screen", str(path))
        data = {"country": country, "desk": who, "screening": screened, "as_read": read}
        self._tell(
            "screening", "The border desk screens an arriving flight: a proposal for a person to look at", data, region_drawings.screened
        )
        return data

    def _report(self, alert: Data, hit: Data) -> None:
        country, who = hit["country"], hit["desk"]
        digest = alert["manifest_digest"]
        report = self.ask(country, who, "inbox", "report", digest, "--outcome", "REFUSED_ENTRY")
        words = ("alert", "status", digest)
        status = self.until("GB", "officer", words, lambda data: any(item["state"] == "REPORTED" for item in data["disclosures"]))
        answer = self.ask("GB", "officer", "inbox", "show", find(report, "manifest_digest"))
        data = {"desk": who, "report": report, "status": status, "answer": answer}
        self._tell("report", "He is refused entry; the desk says so, and London's police read it", data, drawings.reported)

    def _pass_on(self, alert: Data, hit: Data) -> None:
        """The country that met him asks leave to warn the next one; nothing goes without it."""
        digest, holder = alert["manifest_digest"], hit["country"]
        third = "VN"
        asked = self.ask(
            holder,
            "officer",
            "onward",
            "request",
            digest,
            "--to",
            self.agencies(third, "POLICE")[0],
            "--until",
            "P14D",
            "--reason",
            "He may go on",
        )
        request = find(asked, "manifest_digest")
        early, refused = self.attempt(*self._as(holder, "officer"), "onward", "release", request, "--reason", "Before any leave")
        if not early:
            raise Trouble(
                UNEXPECTED, "NOT_REFUSED", "An alert was passed on without leave.", next_step="This is a defect: keep the folder."
            )
        self.until("GB", "officer", ("onward", "list"), lambda data: request in json.dumps(data))
        granted = self.ask("GB", "officer", "onward", "grant", request, "--reason", "He has been there before")
        self.until(holder, "officer", ("onward", "show", request), lambda data: find(data, "state") == "GRANTED")
        released = self.ask(holder, "officer", "onward", "release", request, "--reason", "He may go on to Viet Nam")
        read = self.until(third, "officer", ("inbox", "list"), lambda data: digest in json.dumps(data))
        shown = self.ask(third, "officer", "inbox", "show", digest)
        known = self.until("GB", "officer", ("alert", "reach", digest), lambda data: self.domain(third) in json.dumps(data))
        data = {"asked": asked, "refused": refused, "granted": granted, "released": released, "inbox": read, "shown": shown, "reach": known}
        self._tell(
            "onward", "Cambodia asks leave to warn Viet Nam; London grants it, and knows who was told", data, region_drawings.passed_on
        )

    def _correct(self, alert: Data) -> Data:
        content = _plain(Path(alert["file"]))
        wrong, content["alert"] = _mend(content["alert"])
        file = self._write("corrected.json", content)
        digest = alert["manifest_digest"]
        corrected = self.ask("GB", "officer", "alert", "correct", digest, str(file), "--wrong", wrong, "--reason", "A mistake was found")
        newer = corrected["replacement"]["manifest_digest"]
        self._settled("GB", newer)
        desks = []
        for country, who, agency in self.desks_told(alert):
            here = (country, who, ("inbox", "show", newer))
            shown = self.until(*here[:2], here[2], lambda data: bool(data["changes"]))
            desks.append({"agency": agency, "changes": shown["changes"], "replaces": shown["replaces"]})
        abroad = ("inbox", "show", digest)
        passed_on = self.until("VN", "officer", abroad, lambda data: "DISPUTED" in data["summary"]["flags"])
        data = {"wrong": wrong, "corrected": corrected, "desks": desks, "passed_on": passed_on["summary"]}
        self._tell("correction", "Something in it was wrong: every desk reads the correction in its place", data, region_drawings.corrected)
        return {**alert, "first": digest, "manifest_digest": newer}

    def _withdraw(self, alert: Data) -> None:
        digest, first = alert["manifest_digest"], alert["first"]
        withdrawn = self.ask(
            "GB", "officer", "alert", "withdraw", digest, "--code", "NO_LONGER_NECESSARY", "--reason", "The case is closed"
        )
        owed = self.ask("GB", "officer", "alert", "status", digest)
        attested = []
        # Viet Nam first: an agency that passed it on can attest only once those it told have.
        third = ("VN", "officer", self.agencies("VN", "POLICE")[0])
        for country, who, agency in (third, *self.desks_told(alert)):
            self.until(country, who, ("inbox", "show", first), lambda data: data["blocked"] == "WITHDRAWN")
            attested.append({"agency": agency, **self._attest(country, who, first)})
        status = self.until("GB", "officer", ("alert", "status", digest), lambda data: not owing(data))
        data = {"withdrawn": withdrawn, "owed": owed, "attested": attested, "status": status}
        self._tell("withdrawal", "The alert is withdrawn; every agency attests that it is purged", data, region_drawings.withdrawn)

    def _attest(self, country: str, who: str, digest: str) -> Data:
        words = ("inbox", "attest", digest, "--copies", "0", "--lists-updated")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            code, answer = self.attempt(*self._as(country, who), *words)
            if not code:
                return answer
            if time.monotonic() > deadline or find(answer, "code") != "PASSED_ON":
                return self.run(*self._as(country, who), *words)
            time.sleep(0.2)

    def _review(self) -> None:
        compared = []
        for one, other in PAIRS:
            answer = self.ask(one, "auditor", "audit", "reconcile", "--with", self.domain(other))
            compared.append({"pair": [self.domain(one), self.domain(other)], **answer})
        verified = {country: self.ask(country, "auditor", "audit", "fsck") for country in COUNTRIES}
        data = {"reconciled": compared, "checked": verified}
        self._tell(
            "review", "An auditor reconciles every log of every pair, and checks every node's records", data, region_drawings.reviewed
        )

    def _tell(self, chapter: str, title: str, data: Data, drawn: Drawn) -> None:
        self.tell(title, {"chapter": chapter, **data}, drawn)

    def desks_told(self, alert: Data) -> list[tuple[str, str, str]]:
        """(country, context, agency) of each desk that an alert went to and that has an officer."""
        audience = {agency for item in alert["disclosures"] for agency in item["audience"]}
        found = [desk for desk in self._desks if desk[2] in audience]
        if not found:
            raise Trouble(UNEXPECTED, "NO_DESK", "No desk received the alert.", next_step="Address it to a border or police agency.")
        return found

    def border_desk(self, alert: Data) -> tuple[str, str, str]:
        """The first border desk that an alert went to; any other if there is none."""
        desks = self.desks_told(alert)
        return next((desk for desk in desks if desk[2] in self.agencies(desk[0], "BORDER")), desks[0])

    def agencies(self, country: str, agency_class: str) -> list[str]:
        """The SPIFFE IDs of a country's agencies of one class."""
        plan = example_plan(country)
        return [f"spiffe://{plan.trust_domain}/agency/{one.slug}" for one in plan.agencies if one.agency_class == agency_class]

    def readdressed(self, name: str, country: str, recipients: list[str]) -> dict[str, Any]:
        """A sample file's content, from the police of one country to these."""
        desk = next(one for one in example_plan(country).agencies if one.agency_class == "POLICE")
        return readdressed(name, desk.name, recipients, channel=desk.desk)

    def desk_with_tip(self, reference: str) -> str:
        """The context of an officer of Cambodia whose desk has that tip."""
        for country, who, _ in self._desks:
            if country == "KH" and reference in json.dumps(self.ask(country, who, "tip", "list")):
                return who
        raise Trouble(UNEXPECTED, "TIP_NOWHERE", "No desk has the tip.", next_step="This is a defect: keep the folder.")

    def _as(self, country: str, who: str) -> tuple[str, str]:
        return "--context", str(self.homes[country] / f"{who}.toml")

    def _sample(self, country: str, told: Iterable[str]) -> dict[str, Any]:
        """The sample alert, from the police of one country to the border and police agencies of others."""
        wanted = [agency for other in told for kind in ("BORDER", "POLICE") for agency in self.agencies(other, kind)]
        return self.readdressed("travel-alert-gb-kh.yaml", country, wanted)

    def _publish(self, country: str, file: Path, reason: str) -> dict[str, Any]:
        (published,) = self.ask(country, "officer", "alert", "publish", str(file), "--reason", reason)["alerts"]
        return {"published": published, "status": self._settled(country, published["manifest_digest"])}

    def _settled(self, country: str, digest: str) -> Data:
        """Wait until everybody's receipt is here."""
        words = ("alert", "status", digest)
        waiting = {"LOGGED", "DELIVERED", None}
        return self.until(country, "officer", words, lambda data: all(item["state"] not in waiting for item in data["disclosures"]))

    def _write(self, name: str, content: Mapping[str, Any]) -> Path:
        path = self.place / name
        path.write_text(json.dumps(content, ensure_ascii=False, indent=2, default=str), "utf-8")
        return path


def owing(status: Data) -> list[Any]:
    """Who still owes an attestation, as `alert status` says."""
    return [one for one in status["attestations"] if one["stage"] not in {"ATTESTED", "NOT_HELD"}]


def passenger_list(shown: Data) -> str:
    """A list as an airline might send it: the person of an alert as a desk reads it, among people whom nobody looks for."""
    written = io.StringIO()
    lines = csv.writer(written)
    lines.writerow(("family_name", "given_names", "birth_date", "sex", "nationality", "document_number", "service"))
    document: Mapping[str, Any] = next(iter(shown.get("documents") or ()), {})
    name = shown.get("primary_name") or {}
    birth = (shown.get("birth") or {}).get("date") or ""
    nationality = next((one.get("country", "") for one in shown.get("nationalities") or ()), "")
    sought = (name.get("family") or name.get("as_written") or "", name.get("given") or "", birth, shown.get("sex") or "", nationality)
    rows = [(*sought, document.get("number") or ""), *_INNOCENT]
    for row in rows[1:2] + rows[:1] + rows[2:]:
        lines.writerow((*row, "XX 583"))
    return written.getvalue()


def _is_answered(data: Data) -> bool:
    return {case["state"] for case in data["cases"]} >= {"ANSWERED", "ACKNOWLEDGED"}


def _plain(file: Path) -> dict[str, Any]:
    import yaml

    content: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
    return content


def _mend(alert: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The field that was wrong, and the alert without the mistake: its duty desk's languages, which every recipient reads."""
    desk = dict(alert["contact_desk"])
    desk["languages"] = ["en", "km"] if desk.get("languages") != ["en", "km"] else ["en"]
    return "contact_desk", {**alert, "contact_desk": desk}
