"""Outbound webhooks: one POST, no redirect, nothing read of the answer but its status."""

import http.client
import ssl
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from exchange.errors import Refused
from node.links.deadline import ends_within
from node.notify.notice import Notice, cloud_event
from node.notify.webhook import signed_headers

TIMEOUT_SECONDS: Final = 10.0
WHOLE_SECONDS: Final = 20.0
"""For one notice, however the receiver answers."""
_TAKEN: Final = range(200, 300)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Where notices go, and the secret that the receiver shares with the office."""

    url: str
    """http or https."""
    secret: bytes = field(repr=False)
    timeout: float = TIMEOUT_SECONDS
    whole: float = WHOLE_SECONDS


def post(webhook: Webhook, notice: Notice, now_ms: int, *, context: ssl.SSLContext) -> None:
    """Deliver a notice once. Raises `Refused` (WEBHOOK_FAILED) unless the receiver takes it; a redirect is not followed."""
    body = cloud_event(notice)
    try:
        parts = urlsplit(webhook.url)
        host, port = parts.hostname or "", parts.port
        secure = parts.scheme == "https"
        connection = (
            http.client.HTTPSConnection(host, port, timeout=webhook.timeout, context=context)
            if secure
            else http.client.HTTPConnection(host, port, timeout=webhook.timeout)
        )
        try:
            with ends_within(webhook.whole, lambda: connection.sock):
                path = parts.path or "/"
                target = f"{path}?{parts.query}" if parts.query else path
                connection.request("POST", target, body, dict(signed_headers(notice, body, webhook.secret, now_ms)))
                status = connection.getresponse().status
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Refused("WEBHOOK_FAILED", f"the receiver could not be reached: {type(error).__name__}") from None
    if status not in _TAKEN:
        raise Refused("WEBHOOK_FAILED", f"the receiver answered {status}")
