"""The whole story: the ten countries of the region, and one man's journey, from a tip until nothing of it is left where it may not be."""

from pathlib import Path

from node.cli import demo_drawings as drawings
from node.cli import demo_region_drawings as region_drawings
from node.cli.demo_gate import Gate
from node.cli.demo_passengers import passenger_list
from node.cli.demo_region_recall import Recall
from node.cli.demo_region_release import Release
from node.cli.demo_region_review import Review
from node.cli.demo_region_stage import COUNTRIES, RegionStage, check_alert
from node.cli.demo_region_tip import TipStory
from node.cli.demo_stage import Data, Teller, find

PAIRS = (*(("GB", other) for other in COUNTRIES[1:]), ("KH", "TH"), ("KH", "VN"))
"""Who agrees with whom."""
UNDER_PACKS = ("GB", "KH")
"""Whose nodes release only what the policy pack of their country lets go."""


class Region(RegionStage):
    """Ten nodes below `place`, and what happens between them."""

    def __init__(self, place: Path, alert: Path | None, teller: Teller) -> None:
        super().__init__(place, teller)
        self._own_alert = alert
        self._reporter = ("KH", "officer")

    def play(self) -> None:
        """Run every chapter. Raises `Trouble` when a command of the story fails."""
        if self._own_alert:
            check_alert(self._own_alert)
        tips = TipStory(self)
        gates = self._region(tips)
        self._bulletin()
        tips.play(gates["GB"])
        release = Release(self, gates["GB"])
        alert = release.play(self._own_alert)
        self._read_at_desks(alert)
        hit = self._screen(alert)
        self._report(alert, hit)
        recall = Recall(self, alert)
        recall.pass_on(hit, gates)
        recall.withdraw(recall.correct(release))
        review = Review(self)
        review.open_releases(alert)
        review.reconcile(self.pairs)

    def people(self) -> list[tuple[str, str]]:
        """(country, context) of each person as whom a browser may be tried."""
        return [("GB", "liaison"), self._reporter, *(("GB", who) for who in ("officer", "auditor", "administrator"))]

    def to_try(self) -> list[str]:
        """What a person may type next, without the program's name."""
        home, abroad = self.homes["GB"], self.homes["KH"]
        return [
            f"--context {home / 'officer.toml'} alert list",
            f"--context {home / 'officer.toml'} assessment list",
            f"--context {home / 'liaison.toml'} approval list",
            f"--context {abroad / 'officer.toml'} inbox list",
            f"--context {home / 'auditor.toml'} audit list --filter 'kind = APPROVAL'",
            f"--context {abroad / 'auditor.toml'} audit reconcile --with {self.domain('GB')}",
        ]

    def _region(self, tips: TipStory) -> dict[str, Gate]:
        """Ten nodes, who works there, who knows whom, and what they agreed; the gates of those that stand under a pack."""
        self.set_up(UNDER_PACKS)
        tips.open_line()
        self.tell_chapter("set-up", "Ten countries set up their nodes", {"nodes": list(self.made.values())}, drawings.nodes)
        gates = {country: Gate(self, country) for country in UNDER_PACKS}
        packs = {"packs": [gate.pack for gate in gates.values()]}
        title = "London's and Phnom Penh's nodes stand under their countries' law: a signed pack of rules each, which decides what may go"
        self.tell_chapter("law", title, packs, region_drawings.packs)
        self.start()
        people = self.know_people()
        self.tell_chapter(
            "running", "Ten nodes run, each a process and a database of its own", {"officers": people}, region_drawings.people
        )
        partners = [{"pair": [self.domain(code) for code in pair], "added": self.befriend(*pair)} for pair in PAIRS]
        self.tell_chapter("partners", "Who works together pins the other's fingerprint", {"partners": partners}, region_drawings.partners)
        agreed = [self.agree_by_template(*pair) for pair in PAIRS]
        title = "They agree, two by two, field by field; no travel alert leaves London before a second officer has approved it"
        self.tell_chapter("agreements", title, {"agreements": agreed}, region_drawings.agreements)
        return gates

    def _bulletin(self) -> None:
        """The whole region learns of a pattern, without a word about any person: no law asks for an assessment of that."""
        recipients = [agency for country in COUNTRIES[1:] for agency in self.agencies(country, "POLICE")]
        file = self.write("bulletin.json", self.readdressed("pattern-bulletin-th-gb.yaml", "GB", recipients))
        (published,) = self.ask("GB", "officer", "alert", "publish", str(file), "--reason", "A pattern that concerns the region")["alerts"]
        data = {"published": published, "status": self.settled("GB", published["manifest_digest"])}
        self.tell_chapter("bulletin", "London tells the region's police of a pattern: no personal data", data, drawings.published)

    def _read_at_desks(self, alert: Data) -> None:
        shown = [
            {
                "agency": agency,
                "shown": self.ask(country, who, "inbox", "show", alert["manifest_digest"]),
                "as_read": self.read(country, who, "inbox", "show", alert["manifest_digest"]),
            }
            for country, who, agency in self.desks_told(alert)
        ]
        self.tell_chapter("desks", "Each desk abroad sees its own minimum, and no more", {"desks": shown}, drawings.desks)

    def _screen(self, alert: Data) -> Data:
        """The border desk of the first country with one screens an arriving flight."""
        country, who, agency = self.border_desk(alert)
        shown = self.ask(country, who, "inbox", "show", alert["manifest_digest"])["alert"]["alert"]
        path = self.place / "passengers.csv"
        path.write_text(passenger_list(shown), "utf-8")
        screened = self.ask(country, who, "screen", str(path))
        read = self.read(country, who, "screen", str(path))
        data = {"country": country, "desk": who, "agency": agency, "screening": screened, "as_read": read}
        title = "The border desk screens an arriving flight: a proposal for a person to look at"
        self.tell_chapter("screening", title, data, region_drawings.screened)
        return data

    def _report(self, alert: Data, hit: Data) -> None:
        self._reporter = country, who = hit["country"], hit["desk"]
        digest = alert["manifest_digest"]
        report = self.ask(country, who, "inbox", "report", digest, "--outcome", "REFUSED_ENTRY")
        words = ("alert", "status", digest)
        status = self.until("GB", "officer", words, lambda data: any(item["state"] == "REPORTED" for item in data["disclosures"]))
        answer = self.ask("GB", "officer", "inbox", "show", find(report, "manifest_digest"))
        data = {"desk": who, "agency": hit["agency"], "report": report, "status": status, "answer": answer}
        self.tell_chapter("report", "He is refused entry; the desk says so, and London's police read it", data, drawings.reported)
