"""`exchange retention`: how long alerts are kept, what is due, legal holds, and erasure."""

from typing import TYPE_CHECKING

import click

from node.cli.command import Noun
from node.cli.context import ask, open_desk
from node.cli.output import facts, note, plain, progress, show, table
from node.cli.paging import collect
from node.documents import document
from node.short_words import party_name, short, time_text, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from exchange.v1.desk_service_pb2 import Retention

_ALERT = click.argument("alert_id", metavar="ALERT")
_REASON = click.option("--reason", required=True, help="Why, for your auditors. Name no person in it: it is kept after the alert.")


@click.group(cls=Noun)
def retention() -> None:
    """How long alerts are kept: due, run, hold, release, review, erase."""


@retention.command()
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="Alerts at most.")
def due(limit: int) -> None:
    """List what is due for review or erasure, longest first: officers their agency's, auditors and administrators all."""
    from exchange.v1 import desk_service_pb2

    copies: list[str] = []
    with open_desk() as desk:

        def page(size: int, token: str) -> "tuple[Sequence[Retention], str]":
            answer = ask(desk.ListRetention, desk_service_pb2.ListRetentionRequest(page_size=size, page_token=token))
            copies[:] = answer.copies
            return answer.alerts, answer.next_page_token

        found, more = collect(page, limit)

    def draw(console: "Console") -> None:
        if found:
            console.print(table(("!alert", "type", "from", "due", "!erase by", "!review by", "held by"), map(_row, found)))
        else:
            console.print(note("Nothing is due."))
        if more:
            console.print(note(f"\nThere are more: --limit {limit * 2}"))
        _draw_copies(console, copies)

    show({"alerts": [document(item) for item in found], "more": more, "copies": copies}, draw)


@retention.command()
@click.option("--dry-run", is_flag=True, help="Count what would be erased, and erase nothing.")
def run(dry_run: bool) -> None:  # noqa: FBT001  click calls it
    """Erase what is past its limit and not held. The node does so by itself each minute; this does it now."""
    from exchange.v1 import desk_service_pb2

    total = desk_service_pb2.RunRetentionResponse()
    with open_desk() as desk:
        waiting = ask(desk.RunRetention, desk_service_pb2.RunRetentionRequest(dry_run=True))
        if dry_run:
            total = waiting
        else:
            with progress("Erasing", waiting.erased) as step:
                while True:
                    answer = ask(desk.RunRetention, desk_service_pb2.RunRetentionRequest())
                    total.erased += answer.erased
                    total.periods += answer.periods
                    total.details += answer.details
                    total.held = answer.held
                    total.copies[:] = answer.copies
                    step(answer.erased)
                    if not (answer.erased or answer.details):
                        break

    def draw(console: "Console") -> None:
        rows = [("would be erased" if dry_run else "erased", _alerts(total.erased)), ("held past their limit", _alerts(total.held))]
        if not dry_run:
            rows += [("keys of months destroyed", str(total.periods)), ("personal details of the journal", str(total.details))]
        console.print(facts(rows))
        _draw_copies(console, total.copies)

    show({"dry_run": dry_run, **document(total)}, draw)


@retention.command()
@_ALERT
@_REASON
def hold(alert_id: str, reason: str) -> None:
    """Keep ALERT past its limit, as for a court: nothing of it is erased until your agency releases it."""
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        held = ask(desk.HoldAlert, desk_service_pb2.HoldAlertRequest(alert=alert_id, reason=reason)).retention
    _show(held, "Held: it is kept until your agency releases it.")


@retention.command()
@_ALERT
@_REASON
def release(alert_id: str, reason: str) -> None:
    """End your agency's hold of ALERT. If its limit has passed and nobody else holds it, it is erased within a minute."""
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        released = ask(desk.ReleaseHold, desk_service_pb2.ReleaseHoldRequest(alert=alert_id, reason=reason)).retention
    _show(released, "Released.")


@retention.command()
@_ALERT
@_REASON
def review(alert_id: str, reason: str) -> None:
    """Note that ALERT was reviewed and is still needed. Its limit stays."""
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        reviewed = ask(desk.ReviewRetention, desk_service_pb2.ReviewRetentionRequest(alert=alert_id, reason=reason)).retention
    _show(reviewed, "Reviewed.")


@retention.command()
@_ALERT
@_REASON
@click.option("--yes", is_flag=True, help="Do not ask whether it is meant.")
def erase(alert_id: str, reason: str, yes: bool) -> None:  # noqa: FBT001  click calls it
    """Erase ALERT now, before its limit: it is not needed any more, or its subject has a right to it. This cannot be taken back."""
    from exchange.v1 import desk_service_pb2

    if not yes:
        click.confirm("Erase it for good?", abort=True, err=True)
    with open_desk() as desk:
        erased = ask(desk.EraseAlert, desk_service_pb2.EraseAlertRequest(alert=alert_id, reason=reason)).retention
    _show(erased, "Erased here. What partners hold is theirs to erase; tell them.")


def _show(item: "Retention", done: str) -> None:
    def draw(console: "Console") -> None:
        console.print(done, style="green")
        console.print(facts(_facts(item)))

    show(document(item), draw)


def _facts(item: "Retention") -> list[tuple[str, str]]:
    return [
        ("alert", item.summary.manifest_digest.hex()),
        ("flags", ", ".join(map(words, item.summary.flags))),
        ("due", words(document(item)["due"]) if item.due else ""),
        ("erase by", time_text(item.erase_by)),
        ("review by", time_text(item.review_by) if item.review_by else ""),
        ("held by", ", ".join(f"{party_name(one.agency)} since {time_text(one.placed_at)}" for one in item.holds)),
    ]


def _row(item: "Retention") -> tuple[str, ...]:
    return (
        short(item.summary.manifest_digest),
        plain(item.summary.alert_type).rpartition(".")[2],
        party_name(item.summary.originator),
        words(document(item)["due"]),
        time_text(item.erase_by),
        time_text(item.review_by),
        ", ".join(party_name(one.agency) for one in item.holds) or "–",
    )


def _draw_copies(console: "Console", copies: "Sequence[str]") -> None:
    if copies:
        console.print(
            f"\nNo erasure reaches {', '.join(map(plain, copies))}: delete what a migration left beside the database once you trust it.",
            style="yellow",
        )


def _alerts(number: int) -> str:
    return "1 alert" if number == 1 else f"{number} alerts"
