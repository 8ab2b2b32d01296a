"""`exchange audit`: what an inspectorate asks of a node. One module a verb, each imported when it is used.

The verb `repeated-reasons` is the command `repeated_reasons` of `node/cli/audit_repeated_reasons.py`, and so on.
"""

import importlib
from collections.abc import Mapping
from typing import Final

import click

_VERBS: Final[Mapping[str, Mapping[str, str]]] = {
    "Look": {
        "list": "List what the journal recorded.",
        "show": "Show one entry of the journal or of a log, and prove that it is in it.",
        "open": "Open a committed record (who, why) for a lawful purpose; that is itself journalled.",
        "sample": "Draw entries by your own nonce, so that nobody can steer which.",
        "recipients": "Say who was told about one person.",
        "export": "Write events, disclosures or mistakes to a file: CSV, JSON lines or PDF.",
    },
    "Judge": {
        "errors": "The register of mistakes, corrections and near misses.",
        "repeated-reasons": "Find justifications that one person gives again and again.",
        "urgent": "List what was done as urgent.",
        "stats": "Count disclosures by partner, month, clause, purpose and kind.",
        "subject-report": "Report what was told about one person, with lawful withholding.",
    },
    "Prove": {
        "verify": "Recompute every log and the journal from their entries.",
        "fsck": "Check everything that is stored against the logs.",
        "gaps": "Find what should be there and is not.",
        "consistency": "Prove that a later checkpoint continues an earlier one.",
        "witness": "Show how the witnesses stand.",
        "reconcile": "Compare a log with the partner's copy.",
        "compare": "Compare two exported files.",
        "erasure-proof": "Prove that an alert was erased, and that all proof still holds.",
    },
}


class Verbs(click.Group):
    """The verbs, each imported when it is needed."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """All verbs, in the order of the help page."""
        return [verb for section in _VERBS.values() for verb in section]

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one verb."""
        if not any(cmd_name in section for section in _VERBS.values()):
            return None
        attribute = cmd_name.replace("-", "_")
        found = importlib.import_module(f"node.cli.audit_{attribute}")
        # `list`, `open`, `show` and their like would hide another name in their own module: there they end in an underscore.
        command: click.Command = getattr(found, f"{attribute}_", None) or getattr(found, attribute)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help page without importing any verb."""
        for title, verbs in _VERBS.items():
            with formatter.section(title):
                formatter.write_dl(list(verbs.items()), col_max=18)


@click.group(cls=Verbs)
def audit() -> None:
    """What an inspectorate asks: who was told what, by whom, why, and whether anything is missing."""
