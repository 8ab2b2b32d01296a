"""`exchange`: the command line of officers, auditors and administrators, and of a node itself.

Nouns are imported when they are used, and they import gRPC, SQLAlchemy and cryptography only when they run: so
`exchange --help` answers at once.
"""

import importlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click

from node.cli.context import CONTEXT_VARIABLE, Settings
from node.cli.errors import INTERRUPTED, USAGE, Trouble, from_defect

_EXIT_CODES: Final = """\b
Exit codes:
  0  success
  1  unexpected: a defect of this program
  2  usage: the command, a file or the configuration is wrong
  3  refused by policy
  4  verification failed
  5  unreachable, or no answer in time
  6  not permitted
"""

_NOUNS: Final[Mapping[str, Mapping[str, str]]] = {
    "Alerts": {
        "work": "What needs you now, most urgent first.",
        "handover": "From shift to shift: a note, and all that is open.",
        "alert": "Check, preview and publish alerts, see what became of them, and take them back.",
        "approval": "Four eyes: submit a draft, look at what waits, approve it.",
        "emergency": "What was told under agreements for an emergency: list, review.",
        "inbox": "Read what came in for your desk, acknowledge, report back, and attest a purge.",
        "request": "Ask another country's agency, answer or refuse in time, stop the clock.",
        "distribution": "Tell other agencies of your own country what came from abroad.",
        "onward": "Leave to pass an alert on, or to use it in court: ask, decide, pass on.",
        "screen": "Compare a passenger list with the alerts in force.",
        "tip": "Tips of NGOs: look, take, assess, pass on; and an NGO's own side.",
    },
    "Partners": {
        "partner": "Other countries' nodes: add, list, show, suspend, resume.",
        "agreement": "What two countries agreed to tell each other.",
        "assessment": "Transfer assessments: what was weighed before another country is told.",
        "policy": "Policy packs: what a country's law asks for, signed by its authority.",
    },
    "Proof": {
        "log": "Disclosure logs: list, show, verify.",
        "evidence": "Export proof of disclosures; verify it offline.",
        "audit": "Who was told what, by whom, why; and is anything missing?",
        "retention": "How long alerts are kept: due, run, hold, release, review, erase.",
    },
    "Node": {
        "node": "Set up and run a node; show its descriptor.",
        "key": "A node's signing keys: list, rotate, revoke.",
        "officer": "Who may come into the web console: list, enrol, forget.",
        "demo": "Two countries on this machine, and one alert from end to end.",
        "doctor": "What is wrong with your node, or will be soon, and what to do.",
        "whoami": "Who you are to the node, and in which roles.",
    },
}


class Root(click.Group):
    """The nouns, each imported when it is needed."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """All nouns, in the order of the help page."""
        return [noun for section in _NOUNS.values() for noun in section]

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one noun."""
        if not any(cmd_name in section for section in _NOUNS.values()):
            return None
        command: click.Command = getattr(importlib.import_module(f"node.cli.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help page without importing any noun."""
        for title, nouns in _NOUNS.items():
            with formatter.section(title):
                formatter.write_dl(list(nouns.items()), col_max=12)


@click.group(
    cls=Root,
    epilog=_EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--context",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar=CONTEXT_VARIABLE,
    show_envvar=True,
    help="Who asks, and of which node: a file that `exchange node init` wrote.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text for people.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=20.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for each answer.",
)
@click.version_option(package_name="alert-exchange", message="%(version)s")
@click.pass_context
def exchange(ctx: click.Context, context: Path | None, as_json: bool, timeout: float) -> None:  # noqa: FBT001
    """Signed, minimum-necessary alerts between countries, with a log that both of them hold."""
    ctx.obj = Settings(context=context, json=as_json, timeout=timeout)


def main() -> None:
    """Run the command line of this process and exit with its code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command; returns its exit code. What went wrong is printed, on standard error or as a JSON object."""
    try:
        outcome: Any = exchange.main(args=list(arguments), prog_name="exchange", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return USAGE
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "exchange"
        trouble = Trouble(USAGE, "USAGE", error.format_message(), next_step=f"See `{path} --help`.")
    except click.ClickException as error:
        trouble = Trouble(USAGE, "USAGE", error.format_message())
    except click.Abort:
        trouble = Trouble(
            INTERRUPTED,
            "INTERRUPTED",
            "Interrupted.",
            next_step="What the node was already asked, it may have done: look before you ask again.",
        )
    except Trouble as error:
        trouble = error
    except Exception as error:  # noqa: BLE001  the last line of defence prints kind and place, never content
        trouble = from_defect(error)
    else:
        return outcome if isinstance(outcome, int) else 0
    _tell(trouble, as_json="--json" in arguments)
    return trouble.exit_code


def _tell(trouble: Trouble, *, as_json: bool) -> None:
    if as_json:
        error = {
            "code": trouble.code,
            "exit_code": trouble.exit_code,
            "happened": trouble.happened,
            "why": trouble.why,
            "next_step": trouble.next_step,
        }
        click.echo(json.dumps({**trouble.done, "error": error}, ensure_ascii=False))
        return
    from rich.table import Table
    from rich.text import Text

    from node.cli.output import console, plain

    drawn = Table.grid(padding=(0, 2, 0, 0))
    drawn.add_column(no_wrap=True)
    drawn.add_column()
    happened = Text(plain(trouble.happened), style="bold")
    if trouble.code not in {"USAGE", "INTERRUPTED"}:
        happened.append(f"  {plain(trouble.code)}", style="not bold dim")
    drawn.add_row(Text("error", style="bold red"), happened)
    if trouble.why:
        drawn.add_row(Text("why", style="dim"), Text(plain(trouble.why)))
    if trouble.next_step:
        drawn.add_row(Text("next", style="dim"), Text(plain(trouble.next_step)))
    console(stderr=True).print(drawn)


if __name__ == "__main__":
    main()
