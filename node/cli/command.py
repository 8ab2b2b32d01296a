"""What every verb of the command line has in common: `--json` also after the verb, and faults told to people."""

import dataclasses
from typing import Any

import click

from node.cli.context import Settings
from node.cli.errors import trouble_of


class Verb(click.Command):
    """One command. It takes `--json` after the verb too, and whatever ends it leaves as a `Trouble`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.append(
            click.Option(["--json"], is_flag=True, expose_value=False, callback=_as_json, help="Print one JSON object instead.")
        )

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; anything but click's own exceptions is raised as `Trouble`."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:
            found = ctx.find_object(Settings)
            desk, seconds = ("", 0.0) if found is None else (_address(found), found.timeout)
            raise trouble_of(error, desk, seconds) from error


class Noun(click.Group):
    """What the verbs are about."""

    command_class = Verb

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the verbs with their whole first sentence, wrapped and not cut."""
        verbs = [(name, self.commands[name].get_short_help_str(limit=1000)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(verbs)

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """List the verbs in the order in which one comes to use them: as the file has them."""
        return list(self.commands)


def _address(found: Settings) -> str:
    from node.cli.errors import Trouble

    try:
        return found.load().desk
    except Trouble:
        return ""


def _as_json(ctx: click.Context, _param: click.Parameter, value: bool) -> None:  # noqa: FBT001  click calls it
    if value:
        ctx.obj = dataclasses.replace(ctx.obj, json=True)
