"""Webhooks signed as Standard Webhooks 1.0 says, so that a receiver knows who sent them, when, and that nobody changed them."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Final

from exchange.errors import Malformed
from node.notify.notice import Notice

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - the prefix that the standard gives secrets, not a secret


def read_secret(text: str) -> bytes:
    """The bytes of `whsec_<base64>`. Raises `Malformed` (WEBHOOK_SECRET): another form, or not 24 to 64 bytes."""
    try:
        secret = base64.b64decode(text.strip().removeprefix(SECRET_PREFIX), validate=True)
    except ValueError:
        secret = b""
    if not text.startswith(SECRET_PREFIX) or not 24 <= len(secret) <= 64:
        raise Malformed("WEBHOOK_SECRET", "a webhook secret is whsec_ and the base64 of 24 to 64 random bytes")
    return secret


def signed_headers(notice: Notice, body: bytes, secret: bytes, now_ms: int) -> Mapping[str, str]:
    """The headers of one attempt: id, time of the attempt in Unix seconds, and HMAC-SHA256 over `id.time.body`."""
    timestamp = str(now_ms // 1000)
    mac = hmac.new(secret, b".".join((notice.id.encode(), timestamp.encode(), body)), hashlib.sha256).digest()
    return {
        "webhook-id": notice.id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
        "content-type": "application/cloudevents+json; charset=utf-8",
    }
