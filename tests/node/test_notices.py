"""Notices leave the office without personal data: signed webhooks and plain mail, against a real receiver and a real mail server."""

import base64
import hashlib
import hmac
import json
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from exchange.errors import Malformed, Refused
from node.links.mail_link import Mail, send
from node.links.webhook_link import Webhook, post
from node.notify.notice import SENTENCES, Notice, NoticeKind, cloud_event, plain_text, subject_line
from node.notify.webhook import read_secret
from tests.refusals import refused

NOW = 1_800_000_000_000
TLS = ssl.create_default_context()
SECRET = b"0123456789abcdef0123456789abcdef"
NOTICE = Notice(
    id="0123456789abcdef0123456789abcdef",
    kind=NoticeKind.ANSWER_DUE,
    source="kh.alerts.example",
    reference="7672c41c568baaa1",
    due_at=NOW + 3_600_000,
    escalated=False,
    raised_at=NOW,
)


class Receiver:
    """A real HTTP server that remembers what it was sent, and answers as it is told."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.status = 204
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(receiver.status)
                if receiver.status == 302:
                    self.send_header("location", "/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = Thread(target=self.server.serve_forever)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/hook?office=1"

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.stop()


def test_a_webhook_is_signed_as_the_standard_says(receiver: Receiver) -> None:
    post(Webhook(url=receiver.url, secret=SECRET), NOTICE, NOW, context=TLS)
    ((path, headers, body),) = receiver.requests
    assert path == "/hook?office=1"
    assert headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == (NOTICE.id, str(NOW // 1000))
    signed = f"{NOTICE.id}.{NOW // 1000}.".encode() + body
    expected = base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"


def test_the_body_is_a_cloud_event_of_references_and_times_alone(receiver: Receiver) -> None:
    post(Webhook(url=receiver.url, secret=SECRET), NOTICE, NOW, context=TLS)
    event = json.loads(receiver.requests[0][2])
    assert event == {
        "specversion": "1.0",
        "id": NOTICE.id,
        "type": "org.alert-exchange.notice.answer-due",
        "source": "spiffe://kh.alerts.example/node",
        "subject": "7672c41c568baaa1",
        "time": "2027-01-15T08:00:00Z",
        "datacontenttype": "application/json",
        "data": {"due_at": "2027-01-15T09:00:00Z", "escalated": False},
    }


@pytest.mark.parametrize("status", [302, 400, 410, 500])
def test_a_receiver_that_does_not_take_it_is_told_apart_and_no_redirect_is_followed(receiver: Receiver, status: int) -> None:
    receiver.status = status
    with refused(Refused, "WEBHOOK_FAILED"):
        post(Webhook(url=receiver.url, secret=SECRET), NOTICE, NOW, context=TLS)
    assert len(receiver.requests) == 1


def test_a_receiver_that_is_not_there_is_a_refusal_too(receiver: Receiver) -> None:
    url = receiver.url
    receiver.server.server_close()
    for wrong in (url, "http://127.0.0.1:1/hook", "http://[bad/hook"):
        with refused(Refused, "WEBHOOK_FAILED"):
            post(Webhook(url=wrong, secret=SECRET), NOTICE, NOW, context=TLS)


def test_a_secret_has_the_form_of_the_standard() -> None:
    assert read_secret("whsec_" + base64.b64encode(SECRET).decode() + "\n") == SECRET
    for wrong in ("", "whsec_", base64.b64encode(SECRET).decode(), "whsec_" + base64.b64encode(SECRET[:8]).decode(), "whsec_§"):
        with refused(Malformed, "WEBHOOK_SECRET"):
            read_secret(wrong)


@pytest.mark.parametrize(
    "changes",
    [{"reference": "Sok Dara"}, {"reference": ""}, {"reference": "7672c41"}, {"id": "1"}, {"source": "Phnom Penh, Ministry"}],
)
def test_a_notice_takes_nothing_but_references(changes: dict[str, Any]) -> None:
    with refused(Malformed, "NOTICE_MALFORMED"):
        replace(NOTICE, **changes)


def test_every_kind_has_its_sentence_and_none_says_what_it_is_about() -> None:
    assert set(SENTENCES) == set(NoticeKind)
    for kind in NoticeKind:
        for due_at in (None, NOW):
            notice = replace(NOTICE, kind=kind, due_at=due_at, escalated=True)
            said = subject_line(notice) + plain_text(notice) + cloud_event(notice).decode()
            left = said.replace(NOTICE.reference, "").replace(NOTICE.id, "")
            assert not re.search(r"[0-9a-f]{16}", left)
            assert said.isascii()


class Mailbox:
    """A real SMTP server's handler that keeps what comes."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.refuse = ""

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if address == self.refuse:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.messages.append(envelope.content)
        return "250 OK"


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, Mail]]:
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield (
        box,
        Mail(host="127.0.0.1", port=port, sender="node@kh.example", recipients=("desk@kh.example", "chief@kh.example"), tls="none"),
    )
    controller.stop()


def test_a_mail_says_that_somebody_is_needed_and_where_to_look(mailbox: tuple[Mailbox, Mail]) -> None:
    box, mail = mailbox
    send(mail, NOTICE, context=TLS)
    (raw,) = box.messages
    message = message_from_bytes(raw, policy=default)
    assert message["Subject"] == "[alert exchange] answer due"
    assert message["To"] == "desk@kh.example, chief@kh.example"
    assert message["Message-ID"] == f"<{NOTICE.id}@kh.alerts.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    text = message.get_content().replace("\r\n", "\n")
    assert text == plain_text(NOTICE)
    assert "By: 2027-01-15 09:00 UTC" in text


def test_a_server_without_tls_is_refused_where_the_office_demands_it(mailbox: tuple[Mailbox, Mail]) -> None:
    box, mail = mailbox
    with refused(Refused, "MAIL_FAILED"):
        send(replace(mail, tls="starttls"), NOTICE, context=TLS)
    assert not box.messages


def test_a_recipient_that_was_not_taken_is_noticed(mailbox: tuple[Mailbox, Mail]) -> None:
    box, mail = mailbox
    box.refuse = "chief@kh.example"
    with refused(Refused, "MAIL_FAILED"):
        send(mail, NOTICE, context=TLS)


def test_no_mail_server_is_a_refusal(mailbox: tuple[Mailbox, Mail]) -> None:
    _, mail = mailbox
    with refused(Refused, "MAIL_FAILED"):
        send(replace(mail, port=1), NOTICE, context=TLS)
