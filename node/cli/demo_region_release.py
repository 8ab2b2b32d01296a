"""The whole story's release: the alert waits for what the law asks, and for a second officer, who approves exactly what was previewed."""

from pathlib import Path
from typing import Any

from node.cli import demo_region_drawings as region_drawings
from node.cli.demo_gate import Gate
from node.cli.demo_region_stage import RegionStage
from node.cli.demo_stage import Data


class Release:
    """London's officer, her colleague, and the gate that both stand before."""

    def __init__(self, stage: RegionStage, gate: Gate) -> None:
        self._stage = stage
        self._gate = gate

    def play(self, own_alert: Path | None) -> Data:
        """Tell the refusals, the approval and the release; the alert, as it was published, with its file."""
        file = own_alert or self._stage.write("alert.json", self._stage.sample_alert("GB", ("KH", "TH")))
        reason = ("--reason", "Travel of a registered offender to the region")
        alone = self._stage.must_refuse("CONDITION_APPROVALS", *self._by("officer"), "alert", "publish", str(file), *reason)
        submitted, attempts = self._gate.pass_with("approval", "submit", str(file), *reason)
        data = {"alone": alone, "attempts": attempts, "submitted": submitted}
        title = "The alert may not go yet: its clause asks for a second officer, and the law for an assessment of each country"
        self._stage.tell_chapter("gate", title, data, region_drawings.gate_before_alert)
        submission = submitted["submission"]
        looked = self._look(submission["id"])
        given = self._stage.run(*self._by("liaison"), "approval", "give", submission["id"], "--yes")
        published = given["published"]
        status = self._stage.settled("GB", published["manifest_digest"])
        data = {"approved": given["submission"], "published": published, "status": status, "preview": looked["submission"]}
        title = "Approved, the alert goes to Cambodia and Thailand: one signature, a view for each"
        if own_alert:
            title = "Approved, the alert goes: one signature, a view for each"
        self._stage.tell_chapter("alert", title, data, region_drawings.released)
        return {"file": str(file), **published}

    def approve_again(self, content: dict[str, Any], name: str, reason: str) -> Data:
        """Submit what is to take an alert's place, let the colleague approve it, and wait until it is there."""
        file = self._stage.write(name, content)
        submitted, attempts = self._gate.pass_with("approval", "submit", str(file), "--reason", reason)
        given = self._stage.run(*self._by("liaison"), "approval", "give", submitted["submission"]["id"], "--yes")
        self._stage.settled("GB", given["published"]["manifest_digest"])
        return {"attempts": attempts, **given}

    def _look(self, submission: str) -> Data:
        shown = self._stage.ask("GB", "liaison", "approval", "show", submission)
        own = self._stage.must_refuse("APPROVER_IS_AUTHOR", *self._by("officer"), "approval", "give", submission, "--yes")
        data = {"submission": shown["submission"], "preview": shown["preview"], "by_its_author": own}
        title = "A second officer sees, before anything leaves, what each recipient will see; who wrote it may not approve it"
        self._stage.tell_chapter("preview", title, data, region_drawings.previewed)
        return dict(shown)

    def _by(self, who: str) -> tuple[str, str]:
        return self._stage.context("GB", who)
