"""What a node is told of its notices: by which ways they leave the office, and when. The section may be absent: then nobody is told."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSection:
    """The mail server of the office, and to whom notices go."""

    server: str = field(metadata={"kind": "address"})
    """host:port."""
    sender: str = field(metadata={"kind": "mail_address", "key": "from"})
    to: tuple[str, ...] = field(metadata={"kind": "mail_addresses"})
    escalate_to: tuple[str, ...] = field(metadata={"kind": "mail_addresses"}, default=())
    """Who is told instead once something was not done in time; without any, the same as always."""
    tls: str = field(metadata={"kind": "mail_tls"}, default="starttls")
    """`starttls` (refused unless offered), `tls` from the first byte on, or `none`, for a relay on this machine."""
    user: str = field(metadata={"kind": "text"}, default="")
    password_file: Path | None = field(metadata={"kind": "path"}, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEntry:
    """One receiver of signed webhooks."""

    url: str = field(metadata={"kind": "url"})
    secret_file: Path = field(metadata={"kind": "path"})
    """Holds `whsec_` and base64, as Standard Webhooks has it; readable by the node alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticesSection:
    """Reminders and escalations by e-mail and webhook."""

    every_seconds: int = field(metadata={"kind": "seconds"}, default=30)
    """How often the node looks what is due."""
    remind_before_minutes: int = field(metadata={"kind": "minutes"}, default=60)
    escalate_after_minutes: int = field(metadata={"kind": "minutes"}, default=120)
    authorities: Path | None = field(metadata={"kind": "path"}, default=None)
    """PEM file of the authorities of the mail server and the receivers, instead of those of this machine."""
    mail: MailSection | None = field(metadata={"kind": "table", "shape": MailSection}, default=None)
    webhooks: tuple[WebhookEntry, ...] = field(metadata={"kind": "tables", "shape": WebhookEntry}, default=())


def wrong_together(section: NoticesSection) -> Iterator[str]:
    """What no single key of the section can get wrong."""
    urls = [hook.url for hook in section.webhooks]
    if len(set(urls)) != len(urls):
        yield "notices.webhooks: two of them have one url"
    mail = section.mail
    if mail is not None and bool(mail.user) != bool(mail.password_file):
        yield "notices.mail: a user and a password_file belong together"
    if mail is not None and mail.user and mail.tls == "none":
        yield "notices.mail: a password is never sent without TLS"
