"""Notices leave the office without personal data: signed webhooks and plain mail, against a real receiver and a real mail server."""

import base64
import json
import re
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from exchange.errors import Malformed, Refused
from node.links.mail_link import Mail, send
from node.links.webhook_link import Webhook, post
from node.notify.notice import SENTENCES, Notice, NoticeKind, cloud_event, plain_text, subject_line
from node.notify.webhook import read_secret
from tests.notice_receivers import (
    CLOSE,
    DRIP,
    HANG,
    Behaviour,
    Mailbox,
    Receiver,
    certificate_for,
    free_port,
    mailing,
    receiving,
    second_signature,
    silent,
)
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


# Webhooks


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


def hook(receiver: Receiver, **changes: Any) -> Webhook:
    return Webhook(url=receiver.url, secret=SECRET, **changes)


def test_a_webhook_is_signed_as_the_standard_says(receiver: Receiver) -> None:
    post(Webhook(url=f"{receiver.url}?office=1", secret=SECRET), NOTICE, NOW, context=TLS)
    (taken,) = receiver.taken
    assert taken.path == "/hook?office=1"
    assert taken.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert (taken.headers["webhook-id"], taken.headers["webhook-timestamp"]) == (NOTICE.id, str(NOW // 1000))
    assert taken.headers["webhook-signature"] == second_signature(SECRET, taken.headers, taken.body)


def test_the_body_is_a_cloud_event_of_references_and_times_alone(receiver: Receiver) -> None:
    post(hook(receiver), NOTICE, NOW, context=TLS)
    event = json.loads(receiver.taken[0].body)
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


@pytest.mark.parametrize("status", [302, 307, 400, 410, 500])
def test_a_receiver_that_does_not_take_it_is_told_apart_and_no_redirect_is_followed(receiver: Receiver, status: int) -> None:
    receiver.behaviours = [status]
    with refused(Refused, "WEBHOOK_FAILED"):
        post(hook(receiver), NOTICE, NOW, context=TLS)
    assert len(receiver.taken) == 1


@pytest.mark.parametrize("behaviour", [HANG, CLOSE, DRIP])
def test_a_receiver_that_never_ends_its_answer_costs_its_time_and_no_more(receiver: Receiver, behaviour: Behaviour) -> None:
    receiver.behaviours = [behaviour]
    began = time.monotonic()
    with refused(Refused, "WEBHOOK_FAILED"):
        post(hook(receiver, timeout=0.5, whole=1.0), NOTICE, NOW, context=TLS)
    assert time.monotonic() - began < 5
    assert len(receiver.taken) == 1


def test_a_receiver_that_is_not_there_is_a_refusal_too() -> None:
    for wrong in (f"http://127.0.0.1:{free_port()}/hook", "http://127.0.0.1:1/hook", "http://[bad/hook", "http://host:99999/"):
        with refused(Refused, "WEBHOOK_FAILED"):
            post(Webhook(url=wrong, secret=SECRET), NOTICE, NOW, context=TLS)


def test_only_a_receiver_with_a_certificate_of_the_right_authority_and_name_is_told(tmp_path: Path) -> None:
    right, wrong = certificate_for("localhost", tmp_path), certificate_for("other.example", tmp_path)
    trusting = ssl.create_default_context(cafile=str(right))
    with receiving(right) as good:
        post(hook(good), NOTICE, NOW, context=trusting)
        with refused(Refused, "WEBHOOK_FAILED"):
            post(hook(good), NOTICE, NOW, context=TLS)  # an authority that this machine does not know
        assert len(good.taken) == 1
    with receiving(wrong) as bad:
        with refused(Refused, "WEBHOOK_FAILED"):
            post(hook(bad), NOTICE, NOW, context=ssl.create_default_context(cafile=str(wrong)))
        assert not bad.taken


def test_a_secret_has_the_form_of_the_standard() -> None:
    assert read_secret("whsec_" + base64.b64encode(SECRET).decode() + "\n") == SECRET
    for wrong in ("", "whsec_", base64.b64encode(SECRET).decode(), "whsec_" + base64.b64encode(SECRET[:8]).decode(), "whsec_§"):
        with refused(Malformed, "WEBHOOK_SECRET"):
            read_secret(wrong)


def test_no_secret_is_shown_when_a_way_is() -> None:
    mail = Mail(host="h", port=1, sender="s", recipients=(), user="node", password="synthetic password")
    shown = repr(Webhook(url="https://h", secret=SECRET)) + repr(mail)
    assert "0123456789" not in shown
    assert "synthetic" not in shown


# What a notice may hold


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


# Mail


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailing() as running:
        yield running


def mail_to(box: Mailbox, **changes: Any) -> Mail:
    mail = Mail(host="localhost", port=box.port, sender="node@kh.example", recipients=("desk@kh.example", "chief@kh.example"), tls="none")
    return replace(mail, **changes)


def test_a_mail_says_that_somebody_is_needed_and_where_to_look(box: Mailbox) -> None:
    send(mail_to(box), NOTICE, context=TLS)
    ((to, raw),) = box.messages
    message = message_from_bytes(raw, policy=default)
    assert message["Subject"] == "[alert exchange] answer due"
    assert message["To"] == "desk@kh.example, chief@kh.example"
    assert to == ("desk@kh.example", "chief@kh.example")
    assert message["Message-ID"] == f"<{NOTICE.id}@kh.alerts.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    text = message.get_content().replace("\r\n", "\n")
    assert text == plain_text(NOTICE)
    assert "By: 2027-01-15 09:00 UTC" in text


def test_an_escalation_goes_to_the_second_address_where_there_is_one(box: Mailbox) -> None:
    escalated = replace(NOTICE, escalated=True)
    send(mail_to(box, escalated=("head@kh.example",)), escalated, context=TLS)
    send(mail_to(box), escalated, context=TLS)
    send(mail_to(box, escalated=("head@kh.example",)), NOTICE, context=TLS)
    always = ("desk@kh.example", "chief@kh.example")
    assert [to for to, _ in box.messages] == [("head@kh.example",), always, always]
    assert message_from_bytes(box.messages[0][1], policy=default)["Subject"] == "[urgent] answer due"


def test_a_server_without_tls_is_refused_where_the_office_demands_it(box: Mailbox) -> None:
    for demanded in ("starttls", "tls"):
        with refused(Refused, "MAIL_FAILED"):
            send(mail_to(box, tls=demanded, timeout=1.0), NOTICE, context=TLS)
    assert not box.messages


@pytest.mark.parametrize("demanded", ["starttls", "tls"])
def test_mail_goes_under_tls_to_a_server_of_the_right_authority_and_name_alone(tmp_path: Path, demanded: str) -> None:
    right, wrong = certificate_for("localhost", tmp_path), certificate_for("other.example", tmp_path)
    at_once = demanded == "tls"
    with mailing(right, at_once=at_once, login=True) as good:
        login = mail_to(good, tls=demanded, user="node", password="synthetic password")
        send(login, NOTICE, context=ssl.create_default_context(cafile=str(right)))
        assert good.logins == [("node", "synthetic password")]
        with refused(Refused, "MAIL_FAILED"):
            send(replace(login, password="another"), NOTICE, context=ssl.create_default_context(cafile=str(right)))
        with refused(Refused, "MAIL_FAILED"):
            send(login, NOTICE, context=TLS)
        assert {password for _, password in good.logins} == {"synthetic password", "another"}
        assert len(good.messages) == 1
    with mailing(wrong, at_once=at_once) as bad:
        with refused(Refused, "MAIL_FAILED"):
            send(mail_to(bad, tls=demanded), NOTICE, context=ssl.create_default_context(cafile=str(wrong)))
        assert not bad.messages


def test_a_recipient_that_was_not_taken_is_noticed(box: Mailbox) -> None:
    box.refuse = "chief@kh.example"
    with refused(Refused, "MAIL_FAILED"):
        send(mail_to(box), NOTICE, context=TLS)


def test_a_server_that_does_not_take_it_or_is_not_there_is_a_refusal(box: Mailbox) -> None:
    box.answers = ["451 later"]
    with refused(Refused, "MAIL_FAILED"):
        send(mail_to(box), NOTICE, context=TLS)
    with refused(Refused, "MAIL_FAILED"):
        send(mail_to(box, port=1), NOTICE, context=TLS)


def test_a_server_that_took_it_and_hangs_up_has_taken_it(box: Mailbox) -> None:
    box.hangs_up = True
    send(mail_to(box), NOTICE, context=TLS)
    assert len(box.messages) == 1


def test_a_server_that_never_says_a_word_costs_its_time_and_no_more() -> None:
    with silent() as port:
        for demanded, timeout, whole in (("none", 0.5, 20.0), ("none", 20.0, 0.5), ("tls", 0.5, 20.0)):
            began = time.monotonic()
            with refused(Refused, "MAIL_FAILED"):
                send(mail_to(Mailbox(port=port), tls=demanded, timeout=timeout, whole=whole), NOTICE, context=TLS)
            assert time.monotonic() - began < 5
