"""`exchange demo`: two countries on this machine, and one alert from end to end, told as it happens.

Every step is a command that an officer would type, run through the same command line against two real nodes in processes
of their own. Nothing in the story is written down beforehand: what is narrated is what the commands answered.
"""

import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from node.cli.command import Verb
from node.cli.context import settings

if TYPE_CHECKING:
    from node.cli.demo_stage import Stage, Teller

_FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)


@click.command(cls=Verb)
@click.option("--once", is_flag=True, help="Stop the nodes after the story and exit, instead of leaving them running.")
@click.option(
    "--dir", "directory", type=click.Path(file_okay=False, path_type=Path), help="Where to leave both nodes; default: a new folder."
)
@click.option("--countries", default="GB,KH", show_default=True, metavar="FROM,TO", help="Any two of the ten example countries.")
@click.option(
    "--story", type=click.Choice(("short", "full")), default="short", show_default=True, help="full: the ten countries of the region."
)
@click.option("--alert", type=_FILE, help="Your own alert file, addressed to agencies of the second country.")
@click.option("--agreement", type=_FILE, help="Your own agreement file between the two.")
@click.option("--outcome", default="REFUSED_ENTRY", show_default=True, help="What the first desk reports back.")
def demo(
    once: bool,  # noqa: FBT001  click calls it
    directory: Path | None,
    countries: str,
    story: str,
    alert: Path | None,
    agreement: Path | None,
    outcome: str,
) -> None:
    """Two countries on this machine, and one alert from end to end.

    Sets up two training nodes, starts them, makes them partners, agrees, previews and publishes a travel alert, shows what each
    desk sees, reports back, compares both countries' logs by one hash, and proves the disclosure offline.
    """
    from node.cli.demo_consoles import leave_draft, offer_consoles

    place = directory or Path(tempfile.mkdtemp(prefix="exchange-demo-"))
    teller = _teller()
    told: Stage
    if story == "full":
        from node.cli.demo_region import Region

        told = Region(place, alert, teller)
    else:
        from node.cli.demo_story import Story, Wishes

        codes = [code.strip().upper() for code in countries.split(",")]
        if len(codes) != 2 or codes[0] == codes[1]:
            raise click.BadParameter("give two different countries, e.g. GB,KH", param_hint="--countries")
        wishes = Wishes(sender=codes[0], recipient=codes[1], alert=alert, agreement=agreement, outcome=outcome.upper())
        told = Story(place, wishes, teller)
    for ending in (signal.SIGTERM, signal.SIGHUP):  # a closed window leaves no nodes behind
        if signal.getsignal(ending) is signal.SIG_DFL:  # who runs it under nohup wants it to go on
            signal.signal(ending, _interrupt)
    try:
        if not once:
            offer_consoles(told)
        told.play()
        if not once:
            leave_draft(told)
            teller.farewell(told)
            told.wait()
    finally:
        told.stop()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _teller() -> "Teller":
    from node.cli.demo_teller import JsonTeller, TerminalTeller

    return JsonTeller() if settings().json else TerminalTeller()
