"""Outbound mail: notices over SMTP, under TLS unless the server is a relay on this machine."""

import smtplib
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final, Literal

from exchange.errors import Refused
from node.links.deadline import ends_within
from node.notify.notice import Notice, plain_text, subject_line

TIMEOUT_SECONDS: Final = 15.0
WHOLE_SECONDS: Final = 30.0
"""For one message, however the server answers."""

MailTls = Literal["starttls", "tls", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """How mail leaves the office, and to whom notices go."""

    host: str
    port: int
    sender: str
    recipients: tuple[str, ...]
    escalated: tuple[str, ...] = ()
    """Who is told of what was not done in time, instead; without any, the same."""
    tls: MailTls = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)
    timeout: float = TIMEOUT_SECONDS
    whole: float = WHOLE_SECONDS


def compose(mail: Mail, notice: Notice) -> EmailMessage:
    """The message; its Message-ID is the notice's, so that a second copy is recognised as one."""
    message = EmailMessage(policy=SMTP)
    message["From"] = mail.sender
    message["To"] = ", ".join((notice.escalated and mail.escalated) or mail.recipients)
    message["Subject"] = subject_line(notice)
    message["Message-ID"] = f"<{notice.id}@{notice.source}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(plain_text(notice))
    return message


def send(mail: Mail, notice: Notice, *, context: ssl.SSLContext) -> None:
    """Deliver a notice once. Raises `Refused` (MAIL_FAILED): no server, no TLS where it is demanded, or a recipient that was not taken."""
    server = _open(mail, context)
    try:
        with ends_within(mail.whole, lambda: _socket(server)):
            server.connect(mail.host, mail.port)
            server.ehlo()
            if mail.tls == "starttls":
                server.starttls(context=context)
                server.ehlo()
            if mail.user:
                server.login(mail.user, mail.password)
            refused = server.send_message(compose(mail, notice))
            with suppress(smtplib.SMTPException, OSError):  # it is taken: how the server says good-bye changes nothing
                server.quit()
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise Refused("MAIL_FAILED", f"the mail server did not take it: {type(error).__name__}") from None
    finally:
        server.close()
    if refused:
        raise Refused("MAIL_FAILED", "the mail server did not take it for every recipient")


def _open(mail: Mail, context: ssl.SSLContext) -> smtplib.SMTP:
    return _TlsServer(mail, context) if mail.tls == "tls" else _Server(mail)


class _Server(smtplib.SMTP):
    """Not connected yet, so that its greeting is waited for no longer than anything else; knows its name, for the certificate."""

    def __init__(self, mail: Mail) -> None:
        super().__init__(timeout=mail.timeout)
        self._host = mail.host


class _TlsServer(smtplib.SMTP_SSL):
    """The same, under TLS from the first byte on."""

    def __init__(self, mail: Mail, context: ssl.SSLContext) -> None:
        super().__init__(timeout=mail.timeout, context=context)
        self._host = mail.host


def _socket(server: smtplib.SMTP) -> socket.socket | None:
    return server.sock
