"""Outbound mail: notices over SMTP, with TLS wherever the server offers it or the office demands it."""

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final

from exchange.errors import Refused
from node.notify.notice import Notice, plain_text, subject_line

TIMEOUT_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """How mail leaves the office, and to whom notices go."""

    host: str
    port: int
    sender: str
    recipients: tuple[str, ...]
    starttls: bool
    """Whether a server without STARTTLS is refused."""


def compose(mail: Mail, notice: Notice) -> EmailMessage:
    """The message; its Message-ID is the notice's, so that a second copy is recognised as one."""
    message = EmailMessage(policy=SMTP)
    message["From"] = mail.sender
    message["To"] = ", ".join(mail.recipients)
    message["Subject"] = subject_line(notice)
    message["Message-ID"] = f"<{notice.id}@{notice.source}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(plain_text(notice))
    return message


def send(mail: Mail, notice: Notice, *, context: ssl.SSLContext) -> None:
    """Deliver a notice once. Raises `Refused` (MAIL_FAILED): no server, no TLS where it is demanded, or a recipient that was not taken."""
    try:
        with smtplib.SMTP(mail.host, mail.port, timeout=TIMEOUT_SECONDS) as server:
            server.ehlo()
            if mail.starttls or server.has_extn("starttls"):
                server.starttls(context=context)
                server.ehlo()
            refused = server.send_message(compose(mail, notice))
    except (smtplib.SMTPException, OSError) as error:
        raise Refused("MAIL_FAILED", f"the mail server did not take it: {type(error).__name__}") from None
    if refused:
        raise Refused("MAIL_FAILED", "the mail server did not take it for every recipient")
