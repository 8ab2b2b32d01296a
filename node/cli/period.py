"""A time from one day up to another, as people write it: 2026-01-01..2026-06-30, either side open."""

from datetime import UTC, datetime, timedelta

import click

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Period(click.ParamType[tuple[int, int]]):
    """FROM..UNTIL, days in UTC, both included: (from, up to) in Unix milliseconds, 0 where a side is open."""

    name = "period"

    def convert(self, value: str | tuple[int, int], param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Read both sides; fails as a usage error."""
        if isinstance(value, tuple):
            return value
        start, dots, end = value.partition("..")
        try:
            first = _day(start) if start else 0
            until = _day(end, after=1) if end else 0
        except (ValueError, OverflowError):
            dots = ""
            first = until = 0
        if not dots or (until and until <= first):
            self.fail("write a period as 2026-01-01..2026-06-30; either side may be left out", param, ctx)
        return first, until


def _day(text: str, after: int = 0) -> int:
    moment = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(days=after)
    return (moment - _EPOCH) // timedelta(milliseconds=1)
