"""Outbound webhooks: one POST, no redirect, nothing read of the answer but its status."""

import http.client
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from exchange.errors import Refused
from node.notify.notice import Notice, cloud_event
from node.notify.webhook import signed_headers

TIMEOUT_SECONDS: Final = 10.0
_TAKEN: Final = range(200, 300)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Where notices go, and the secret that the receiver shares with the office."""

    url: str
    """http or https."""
    secret: bytes


def post(webhook: Webhook, notice: Notice, now_ms: int) -> None:
    """Deliver a notice once. Raises `Refused` (WEBHOOK_FAILED) unless the receiver takes it; a redirect is not followed."""
    body = cloud_event(notice)
    try:
        parts = urlsplit(webhook.url)
        connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = connect(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
        try:
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
