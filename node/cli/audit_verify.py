"""`exchange audit verify`."""

import click

from node.cli.command import Verb


@click.command("verify", cls=Verb)
@click.argument("origin", required=False, default="")
def verify(origin: str) -> None:
    """Recompute every hash, node, root and signature of the log ORIGIN, or of all logs and the journal.

    Exit code 4 if a finding is critical or of priority.
    """
    from exchange.v1.desk_service_pb2 import CHECK_SCOPE_VERIFY
    from node.cli.checking import check

    check(CHECK_SCOPE_VERIFY, origin, good="Every entry, node, checkpoint and receipt holds.")
