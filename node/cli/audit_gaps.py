"""`exchange audit gaps`."""

import click

from node.cli.command import Verb


@click.command("gaps", cls=Verb)
@click.argument("origin", required=False, default="")
def gaps(origin: str) -> None:
    """Name what should be here and is not: receipts, entries, authorisations, agreements in force, anchors, journal entries.

    Exit code 4 if a finding is critical or of priority.
    """
    from exchange.v1.desk_service_pb2 import CHECK_SCOPE_GAPS
    from node.cli.checking import check

    check(CHECK_SCOPE_GAPS, origin, good="Nothing is missing.")
