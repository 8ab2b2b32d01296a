"""The ways by which notices leave an office, as its configuration names them."""

import hashlib
import os
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol, cast

from exchange.errors import Malformed, NotFound, Refused
from node.config_notices import NoticesSection
from node.links.mail_link import Mail, MailTls, send
from node.links.webhook_link import Webhook, post
from node.notify.notice import Notice
from node.notify.webhook import read_secret

MAIL: Final = "mail"


class Channel(Protocol):
    """One way."""

    @property
    def name(self) -> str:
        """What its notices and its alarm are filed under; tells nothing of an address."""
        ...

    def deliver(self, notice: Notice, now_ms: int) -> None:
        """Deliver once. Raises `Refused`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MailChannel:
    """By e-mail."""

    mail: Mail
    context: ssl.SSLContext = field(repr=False)

    @property
    def name(self) -> str:
        """There is one."""
        return MAIL

    def deliver(self, notice: Notice, now_ms: int) -> None:  # noqa: ARG002  a mail server dates it itself
        """Deliver once. Raises `Refused` (MAIL_FAILED)."""
        send(self.mail, notice, context=self.context)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookChannel:
    """To one receiver of webhooks."""

    webhook: Webhook
    context: ssl.SSLContext = field(repr=False)

    @property
    def name(self) -> str:
        """Follows from the URL, so that it stays the same wherever the entry stands in the file."""
        return f"webhook-{hashlib.sha256(self.webhook.url.encode()).hexdigest()[:8]}"

    def deliver(self, notice: Notice, now_ms: int) -> None:
        """Deliver once. Raises `Refused` (WEBHOOK_FAILED)."""
        post(self.webhook, notice, now_ms, context=self.context)


def open_channels(section: NoticesSection) -> tuple[Channel, ...]:
    """The ways that a configuration names. Certificates are verified, also their names.

    Raises `NotFound` (NOTICES_FILE), `Refused` (SECRET_FILE_MODE: others than its owner could read a secret), `Malformed` (WEBHOOK_SECRET,
    NOTICES_FILE).
    """
    if section.mail is None and not section.webhooks:
        return ()
    context = _context(section.authorities)
    channels: list[Channel] = []
    if section.mail is not None:
        host, _, port = section.mail.server.rpartition(":")
        mail = Mail(
            host=host.strip("[]"),
            port=int(port),
            sender=section.mail.sender,
            recipients=section.mail.to,
            escalated=section.mail.escalate_to,
            tls=cast("MailTls", section.mail.tls),
            user=section.mail.user,
            password=_secret(section.mail.password_file) if section.mail.password_file else "",
        )
        channels.append(MailChannel(mail=mail, context=context))
    hooks = [Webhook(url=hook.url, secret=read_secret(_secret(hook.secret_file))) for hook in section.webhooks]
    return (*channels, *(WebhookChannel(webhook=hook, context=context) for hook in hooks))


def _context(authorities: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(authorities) if authorities else None)
    except OSError:  # also `ssl.SSLError`
        raise NotFound("NOTICES_FILE", "notices.authorities names no file of certificates") from None


def _secret(path: Path) -> str:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise Refused("SECRET_FILE_MODE", "a file with a secret of the notices is open to others: chmod 600")
            return file.read(4096).decode().strip()
    except OSError:
        raise NotFound("NOTICES_FILE", "a file that the section [notices] names cannot be read") from None
    except UnicodeDecodeError:
        raise Malformed("NOTICES_FILE", "a file with a secret of the notices is no text") from None
