"""How the demo's story is told: calmly on a terminal, or one JSON object a step."""

import json
import sys
from pathlib import Path

import click

from node.cli.demo_consoles import addresses, sign_ins
from node.cli.demo_stage import Data, Drawn, Stage
from node.cli.output import console, note

_COMMANDS_SHOWN = 6
_INDENT = 5


class JsonTeller:
    """One JSON object a line for each step."""

    columns = 110

    def step(self, number: int, title: str, commands: list[str], data: Data, _drawn: Drawn) -> None:
        """Print the step."""
        click.echo(json.dumps({"step": number, "title": title, "commands": commands, **data}, ensure_ascii=False))

    def farewell(self, stage: Stage) -> None:
        """Print where the running nodes are."""
        running = [str(directory) for directory in stage.homes.values()]
        click.echo(json.dumps({"running": running, "consoles": addresses(stage), "sign_in": sign_ins(stage)}, ensure_ascii=False))


class TerminalTeller:
    """For a person: what happens, the command that did it, and what it answered."""

    def __init__(self) -> None:
        self._console = console()
        self.columns = max(self._console.width - _INDENT, 40)
        self._console.print()

    def step(self, number: int, title: str, commands: list[str], data: Data, drawn: Drawn) -> None:
        """Print the step: every value comes from `data`."""
        from rich.padding import Padding
        from rich.table import Table
        from rich.text import Text

        head = Table.grid(padding=(0, 2, 0, 0))
        head.add_column(style="bold cyan", justify="right", min_width=_INDENT - 2)
        head.add_column(style="bold")
        head.add_row(str(number), title)
        self._console.print(head)
        for command in commands[:_COMMANDS_SHOWN]:
            self._console.print(Text(f"     $ {command}", style="dim"), overflow="ellipsis", no_wrap=True)
        if len(commands) > _COMMANDS_SHOWN:
            more = len(commands) - _COMMANDS_SHOWN
            self._console.print(Text(f"     … and {more} more command{'' if more == 1 else 's'}", style="dim"))
        for renderable in drawn(data):
            # A text is what a person reads on a terminal of its own.
            shown = Text(f"\n{renderable}", style="dim") if isinstance(renderable, str) else renderable
            self._console.print(Padding(shown, (0, 0, 0, _INDENT), expand=False))
        self._console.print()

    def farewell(self, stage: Stage) -> None:
        """Say what to try next."""
        self._browsers(sign_ins(stage))
        self._console.print("The nodes go on running. Try, in another terminal:\n", style="bold")
        for line in stage.to_try():
            self._console.print(f"  {_program()} {line}", soft_wrap=True)
        self._console.print(note(f"\nEverything is in {stage.place}. Ctrl-C stops them."))

    def _browsers(self, entrances: list[Data]) -> None:
        """Print a link for each person, or why there is none."""
        if not entrances:
            self._console.print(
                note("No web console: its styles and scripts were not built. Install Node.js, then run `make demo` again.\n")
            )
            return
        self._console.print("Open in a browser on this machine; each link signs one person in, once:\n", style="bold")
        for entrance in entrances:
            self._console.print(f"  {entrance['words']}")
            self._console.print(f"    {entrance['link']}", soft_wrap=True, style="cyan", highlight=False)
        self._console.print(
            note("\nWithout JavaScript, type what stands behind the # into the page. More codes: `officer enrol`, as an administrator.\n")
        )


def _program() -> str:
    """How this program can be called from here: it may stand in a virtual environment that is not active elsewhere."""
    path = Path(sys.argv[0]).absolute()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
