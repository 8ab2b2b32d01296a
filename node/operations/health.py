"""One thing that was looked at, and how it stands: what the parts of `node.operations.doctor` make."""

from typing import Final

from exchange.v1 import desk_service_pb2 as messages

DAY: Final = 86_400_000
SOON_MS: Final = 30 * DAY
"""What takes people time to renew is told that long before it ends."""


def act(code: str, subject: str = "", *, count: int = 0, at: int = 0) -> messages.HealthCheck:
    """Somebody must do something."""
    return messages.HealthCheck(code=code, verdict=messages.HEALTH_VERDICT_ACT, subject=subject, count=count, at=at)


def look(code: str, subject: str = "", *, count: int = 0, at: int = 0) -> messages.HealthCheck:
    """Somebody should look, or something is due soon."""
    return messages.HealthCheck(code=code, verdict=messages.HEALTH_VERDICT_LOOK, subject=subject, count=count, at=at)


def good(code: str, subject: str = "", *, count: int = 0, at: int = 0) -> messages.HealthCheck:
    """Nothing is to be done."""
    return messages.HealthCheck(code=code, verdict=messages.HEALTH_VERDICT_GOOD, subject=subject, count=count, at=at)
