"""`exchange audit fsck`."""

import click

from node.cli.command import Verb


@click.command("fsck", cls=Verb)
@click.argument("origin", required=False, default="")
@click.option("--rebuild-nodes", is_flag=True, help="First make the stored nodes of the trees anew from their leaves (administrators).")
def fsck(origin: str, *, rebuild_nodes: bool) -> None:
    """Verify, and check all else that is stored against it: contents, details, inboxes, answers, anchors, high-water records.

    Exit code 4 if a finding is critical or of priority.
    """
    from exchange.v1.desk_service_pb2 import CHECK_SCOPE_FSCK
    from node.cli.checking import check

    check(CHECK_SCOPE_FSCK, origin, good="Everything that is stored agrees with what was logged and signed.", rebuild_nodes=rebuild_nodes)
