"""The whole story's end: an auditor opens what each release rested on, reconciles every log of every pair, and checks every node."""

from collections.abc import Iterable, Sequence

from node.cli import demo_region_drawings as drawings
from node.cli.demo_region_stage import RegionStage
from node.cli.demo_stage import Data
from node.cli.errors import UNEXPECTED, Trouble


class Review:
    """What the auditors look at when all is over."""

    def __init__(self, stage: RegionStage) -> None:
        self._stage = stage

    def open_releases(self, alert: Data) -> None:
        """Show that each release rests on an assessment which the journal holds before it, and on the approval of another officer.

        Raises `Trouble` (UNLAWFUL) where one does not.
        """
        events = self._events("code = ASSESSED OR code = RELEASED OR code = GIVEN")
        why = ("--purpose", "lawfulness", "--reason", "Review of the releases of an alert")
        releases = []
        for one in alert["disclosures"]:
            answer = self._stage.ask("GB", "auditor", "audit", "open", f"{one['origin']}#{one['index']}", *why)
            opened = answer["record"]
            places = {
                "assessed": _first(event for event in events if (event["code"], event["subject"]) == ("ASSESSED", opened["assessment"])),
                "approved": _first(event for event in events if (event["code"], event["subject"]) == ("GIVEN", opened["preview"])),
                "released": _first(event for event in events if event["code"] == "RELEASED" and _covers(event, one)),
            }
            if not -1 < places["assessed"] < places["approved"] < places["released"] or opened["officer"] in opened["approvers"]:
                raise Trouble(
                    UNEXPECTED,
                    "UNLAWFUL",
                    "A release of the story came before what it has to rest on.",
                    next_step=f"This is a defect: keep the folder {self._stage.place}.",
                )
            releases.append({"disclosure": one, "record": opened, "salt": answer["salt"], "journal": places})
        title = "London's auditor opens each release: its assessment and its approval stand before it in the journal"
        self._stage.tell_chapter("lawfulness", title, {"releases": releases}, drawings.rested_on)

    def reconcile(self, pairs: Iterable[Sequence[str]]) -> None:
        """Compare every log of every pair, and check every node's records."""
        stage = self._stage
        compared = []
        for one, other in pairs:
            answer = stage.ask(one, "auditor", "audit", "reconcile", "--with", stage.domain(other))
            compared.append({"pair": [stage.domain(one), stage.domain(other)], **answer})
        verified = {country: stage.ask(country, "auditor", "audit", "fsck") for country in stage.homes}
        data = {"reconciled": compared, "checked": verified}
        title = "An auditor reconciles every log of every pair, and checks every node's records"
        stage.tell_chapter("review", title, data, drawings.reviewed)

    def _events(self, wanted: str) -> Sequence[Data]:
        events: Sequence[Data] = self._stage.ask("GB", "auditor", "audit", "list", "--filter", wanted, "--limit", "1000")["events"]
        return [{"place": event["index"], **event["decoded"]} for event in events]


def _first(events: Iterable[Data]) -> int:
    """The place of the first of these events in the journal; -1 if there is none."""
    return min((int(event["place"]) for event in events), default=-1)


def _covers(event: Data, disclosure: Data) -> bool:
    return bool(event["origin"] == disclosure["origin"] and event["index"] <= disclosure["index"] < event["index"] + event["count"])
