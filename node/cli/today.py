"""The day, as the files that people write count from it."""

from datetime import date


def today() -> date:
    """The day that it is in UTC."""
    from node.system import SystemClock

    return SystemClock().now().date()
