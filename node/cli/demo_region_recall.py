"""What becomes of the alert in the whole story: passed on with leave, corrected wherever it was read, withdrawn until nothing is left."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from node.cli import demo_region_drawings as drawings
from node.cli.demo_gate import Gate
from node.cli.demo_region_release import Release
from node.cli.demo_region_stage import RegionStage, plain, police_of
from node.cli.demo_stage import PATIENCE_SECONDS, Data, find
from node.keys.node_directory import example_plan

_THIRD = ("VN", "LA")
"""The country that is warned with London's leave: the first that was not told by London itself."""


class Recall:
    """The way of one alert after its first hit."""

    def __init__(self, stage: RegionStage, alert: Data) -> None:
        self._stage = stage
        self._alert = alert
        told = {country for country, _, _ in stage.desks_told(alert)}
        self._third = next(country for country in _THIRD if country not in told)
        self._third_name = example_plan(self._third).name

    def pass_on(self, hit: Data, gates: Mapping[str, Gate]) -> None:
        """The country that met him asks leave to warn the next one; nothing goes without it, nor without assessments of both countries."""
        digest, holder = self._alert["manifest_digest"], hit["country"]
        stage, by = self._stage, self._stage.context(hit["country"], "officer")
        police = police_of(self._third)
        if not {(holder, self._third), (self._third, holder)} & set(stage.pairs):  # a stranger's alert may go anywhere
            stage.befriend(holder, self._third)
            stage.agree_by_template(holder, self._third)
        wish = ("--to", police, "--until", "P14D", "--reason", "He may go on")
        asked = stage.ask(holder, "officer", "onward", "request", digest, *wish)
        request = find(asked, "manifest_digest")
        refused = stage.must_refuse("PERMIT_NONE", *by, "onward", "release", request, "--reason", "Before any leave")
        stage.until("GB", "officer", ("onward", "list"), lambda data: request in json.dumps(data))
        grant = ("onward", "grant", request, "--reason", "He has been there before")
        granted, weighed = gates["GB"].pass_with(*grant) if "GB" in gates else (stage.ask("GB", "officer", *grant), [])
        stage.until(holder, "officer", ("onward", "show", request), lambda data: find(data, "state") == "GRANTED")
        release = ("onward", "release", request, "--reason", f"He may go on to {self._third_name}")
        if holder in gates:
            released, attempts = gates[holder].pass_with(*release)
        else:
            released, attempts = stage.ask(holder, "officer", *release), []
        read = stage.until(self._third, "officer", ("inbox", "list"), lambda data: digest in json.dumps(data))
        shown = stage.ask(self._third, "officer", "inbox", "show", digest)
        known = stage.until("GB", "officer", ("alert", "reach", digest), lambda data: stage.domain(self._third) in json.dumps(data))
        data = {
            "asked": asked,
            "refused": refused,
            "granted": granted,
            "weighed": weighed,
            "attempts": attempts,
            "released": released,
            "inbox": read,
            "shown": shown,
            "reach": known,
        }
        title = f"{example_plan(holder).name} asks leave to warn {self._third_name}; London grants it, and knows who was told"
        stage.tell_chapter("onward", title, data, drawings.passed_on)

    def correct(self, release: Release) -> Data:
        """Say at once that something was wrong; the corrected alert follows when a second officer has approved it. Returns that."""
        stage, digest = self._stage, self._alert["manifest_digest"]
        content = plain(Path(self._alert["file"]))
        wrong, content["alert"] = _mend(content["alert"])
        file = stage.write("corrected.json", content)
        why = "A mistake was found"
        warned = stage.ask("GB", "officer", "alert", "correct", digest, str(file), "--wrong", wrong, "--reason", why)
        desks = stage.desks_told(self._alert)
        disputed = [self._disputed(country, who, digest) for country, who, _ in desks]
        passed_on = self._disputed(self._third, "officer", digest)
        replacement = release.approve_again({**content, "supersedes": [digest]}, "replacement.json", why)
        newer = replacement["published"]["manifest_digest"]
        read = []
        for country, who, agency in desks:
            shown = stage.until(country, who, ("inbox", "show", newer), lambda data: bool(data["changes"]))
            read.append({"agency": agency, "changes": shown["changes"], "replaces": shown["replaces"]})
        data = {
            "wrong": wrong,
            "third": self._third_name,
            "warned": warned,
            "disputed": disputed,
            "passed_on": passed_on,
            "replacement": replacement,
            "desks": read,
        }
        title = "Something in it was wrong: every desk is warned at once, and reads the correction when a second officer has approved it"
        stage.tell_chapter("correction", title, data, drawings.corrected)
        return {**self._alert, "first": digest, "manifest_digest": newer}

    def withdraw(self, corrected: Data) -> None:
        """Take the alert back, and wait until every agency has attested that its copies are gone."""
        stage, digest, first = self._stage, corrected["manifest_digest"], corrected["first"]
        why = ("--code", "NO_LONGER_NECESSARY", "--reason", "The case is closed")
        withdrawn = stage.ask("GB", "officer", "alert", "withdraw", digest, *why)
        owed = stage.ask("GB", "officer", "alert", "status", digest)
        attested = []
        # The third country first: an agency that passed it on can attest only once those it told have.
        third = (self._third, "officer", police_of(self._third))
        for country, who, agency in (third, *stage.desks_told(self._alert)):
            stage.until(country, who, ("inbox", "show", first), lambda data: data["blocked"] == "WITHDRAWN")
            attested.append({"agency": agency, **self._attest(country, who, first)})
        status = stage.until("GB", "officer", ("alert", "status", digest), lambda data: not owing(data))
        data = {"withdrawn": withdrawn, "owed": owed, "attested": attested, "status": status}
        title = "The alert is withdrawn; every agency attests that it is purged"
        stage.tell_chapter("withdrawal", title, data, drawings.withdrawn)

    def _disputed(self, country: str, who: str, digest: str) -> Data:
        shown = self._stage.until(country, who, ("inbox", "show", digest), lambda data: "DISPUTED" in data["summary"]["flags"])
        return dict(shown["summary"])

    def _attest(self, country: str, who: str, digest: str) -> Data:
        words = (*self._stage.context(country, who), "inbox", "attest", digest, "--copies", "0", "--lists-updated")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            code, answer = self._stage.attempt(*words)
            if not code:
                return answer
            if time.monotonic() > deadline or find(answer, "code") != "PASSED_ON":
                return self._stage.run(*words)
            time.sleep(0.2)


def owing(status: Data) -> list[Any]:
    """Who still owes an attestation, as `alert status` says."""
    return [one for one in status["attestations"] if one["stage"] not in drawings.SETTLED]


def _mend(alert: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The field that was wrong, and the alert without the mistake: its duty desk's languages, which every recipient reads."""
    desk = dict(alert["contact_desk"])
    desk["languages"] = ["en", "km"] if desk.get("languages") != ["en", "km"] else ["en"]
    return "contact_desk", {**alert, "contact_desk": desk}
