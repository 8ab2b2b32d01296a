"""What the verbs that list have in common: their options, and how they read page after page."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import click

from node.cli.context import ask
from node.cli.output import progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from exchange.v1.audit_service_pb2 import AlarmRecord, DisclosureRecord, JournalEvent
    from exchange.v1.audit_service_pb2_grpc import AuditServiceStub

_PAGE: Final = 200

filter_option = click.option("--filter", "wanted", default="", metavar="FILTER", help="Such as: kind = DISCLOSURE AND at >= 2027-01-01")
limit_option = click.option("--limit", type=click.IntRange(1, 1_000_000), default=50, show_default=True, help="At most.")


class Day(click.ParamType[int]):
    """A day, 2027-03-04: its first moment in UTC, in Unix milliseconds."""

    name = "day"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read the day; fails as a usage error."""
        if isinstance(value, int):
            return value
        try:
            return int(datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()) * 1000
        except ValueError:
            self.fail("write a day as 2027-03-04", param, ctx)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """The lists of a node as its services give them: a `node.reports.audit_source.AuditSource`."""

    audit: "AuditServiceStub"
    for_export: bool = False

    def events(self, wanted: str, limit: int) -> "tuple[list[JournalEvent], bool]":
        """As of the protocol."""
        return list_events(self.audit, wanted, limit, for_export=self.for_export)

    def disclosures(self, wanted: str, limit: int) -> "tuple[list[DisclosureRecord], bool]":
        """As of the protocol."""
        return list_disclosures(self.audit, wanted, limit, for_export=self.for_export)

    def alarms(self) -> "Sequence[AlarmRecord]":
        """As of the protocol."""
        from exchange.v1 import audit_service_pb2

        return ask(self.audit.ListAlarms, audit_service_pb2.ListAlarmsRequest()).alarms


def list_events(
    audit: "AuditServiceStub", wanted: str, limit: int, *, newest: bool = False, origin: str = "", for_export: bool = False
) -> "tuple[list[JournalEvent], bool]":
    """Events for which the filter holds, at most `limit`; and whether there are more."""
    from exchange.v1 import audit_service_pb2

    question = audit_service_pb2.ListEventsRequest(filter=wanted, order_by="newest" if newest else "", origin=origin, for_export=for_export)
    found: list[JournalEvent] = []
    with progress("events", limit) as step:
        while True:
            question.page_size = min(_PAGE, limit - len(found))
            answer = ask(audit.ListEvents, question)
            found += answer.events
            step(len(answer.events))
            question.page_token = answer.next_page_token
            if not question.page_token or len(found) >= limit:
                return found[:limit], bool(question.page_token)


def list_disclosures(
    audit: "AuditServiceStub", wanted: str, limit: int, *, newest: bool = False, for_export: bool = False
) -> "tuple[list[DisclosureRecord], bool]":
    """Disclosures for which the filter holds, at most `limit`; and whether there may be more."""
    from exchange.v1 import audit_service_pb2

    question = audit_service_pb2.ListDisclosuresRequest(filter=wanted, order_by="newest" if newest else "", for_export=for_export)
    found: list[DisclosureRecord] = []
    with _scanning() as step:
        while True:
            question.page_size = min(_PAGE, limit - len(found))
            answer = ask(audit.ListDisclosures, question)
            found += answer.disclosures
            step(answer.scanned, answer.total)
            question.page_token = answer.next_page_token
            if not question.page_token or len(found) >= limit:
                return found[:limit], bool(question.page_token)


@contextmanager
def _scanning() -> "Iterator[Callable[[int, int], None]]":
    """Progress whose end is known only from the first answer."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        steps: list[Callable[[int], None]] = []

        def step(scanned: int, total: int) -> None:
            if not steps:
                steps.append(stack.enter_context(progress("entries looked at", total)))
            steps[0](scanned)

        yield step
