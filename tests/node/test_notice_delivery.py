"""Notices from what is due to a real mail server and a real receiver: again after a failure, once after success, and nobody named."""

import ssl
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from exchange.encoding import encode
from node.links.mail_link import Mail
from node.links.webhook_link import Webhook
from node.notify.plan import NoticePlan
from node.workers.notice_channels import MailChannel, WebhookChannel
from tests import person
from tests.countries import BORDER, DAY, HOUR, NOW, agency
from tests.federation import Federation
from tests.notice_receivers import Mailbox, Receiver, mailing, receiving, second_signature
from tests.recalls import recalled
from tests.worklists import LANDS, office_pair, told, turn

KH_BORDER = agency("kh", BORDER)
SECRET = b"0123456789abcdef0123456789abcdef"
TLS = ssl.create_default_context()
TO, CHIEF = ("desk@kh.example",), ("chief@kh.example",)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    made = office_pair(tmp_path)
    for one in ("gb", "kh"):
        made[one].ports = replace(made[one].ports, notices=NoticePlan(remind_before=HOUR, escalate_after=2 * HOUR))
    yield made
    made.close()


@pytest.fixture
def outside() -> Iterator[tuple[Receiver, Mailbox]]:
    with receiving() as receiver, mailing() as box:
        yield receiver, box


def ways(receiver: Receiver, box: Mailbox) -> tuple[WebhookChannel, MailChannel]:
    mail = Mail(host="localhost", port=box.port, sender="node@kh.example", recipients=TO, escalated=CHIEF, tls="none")
    return (
        WebhookChannel(webhook=Webhook(url=receiver.url, secret=SECRET, timeout=0.5), context=TLS),
        MailChannel(mail=mail, context=TLS),
    )


def test_receivers_that_fail_first_get_each_notice_once_more_and_then_once(two: Federation, outside: tuple[Receiver, Mailbox]) -> None:
    receiver, box = outside
    receiver.behaviours = [500, "close", "hang", 302, 204]
    box.answers = ["451 busy", "554 no", "250 OK"]
    kh = two["kh"]
    told(two)
    two.clock.time = LANDS
    for _ in range(9):
        turn(kh, *ways(receiver, box))
        two.clock.pass_(8 * 60_000)
    assert len(receiver.taken) == 5
    assert len(set(receiver.ids)) == 1
    for one in receiver.taken:
        assert one.headers["webhook-signature"] == second_signature(SECRET, one.headers, one.body)
    assert len({one.headers["webhook-timestamp"] for one in receiver.taken}) == 5  # each attempt is dated anew
    assert len({one.body for one in receiver.taken}) == 1
    assert [to for to, _ in box.messages] == [TO]


def test_reminders_go_to_the_desk_and_the_escalation_to_the_chief(two: Federation, outside: tuple[Receiver, Mailbox]) -> None:
    receiver, box = outside
    told(two)
    for moment in (LANDS - HOUR, LANDS, LANDS + 2 * HOUR):
        two.clock.time = moment
        turn(two["kh"], *ways(receiver, box))
    assert [to for to, _ in box.messages] == [TO, TO, CHIEF]
    assert [b'"escalated":true' in one.body for one in receiver.taken] == [False, False, True]


def test_no_notice_names_a_person_nor_says_where_or_why(two: Federation, outside: tuple[Receiver, Mailbox]) -> None:
    receiver, box = outside
    gb, kh = two["gb"], two["kh"]
    alert = encode(person.alert())
    with capture_logs() as logged:
        first, second = told(two, alert=alert), told(two, alert=alert)
        kh.report(first.hex(), reason=f"{person.LATIN.as_written} was here")
        recalled(gb, second, reason=f"{person.LATIN.as_written} is somebody else")
        told(two, alert=alert)
        for days in (0, 2, 4, 8, 16):
            two.clock.time = NOW + days * DAY
            for office in (gb, kh):
                turn(office, *ways(receiver, box))
    kinds = {message_from_bytes(raw, policy=default)["Subject"].partition("] ")[2] for _, raw in box.messages}
    assert kinds == {"acknowledge due", "report came", "attestation owed", "attestation awaited"}
    sent = b"\n".join(
        [
            *(str((one.path, one.headers)).encode() + one.body for one in receiver.taken),
            *(message_from_bytes(raw, policy=default).get_content().encode() + raw for _, raw in box.messages),
            str(logged).encode(),
        ]
    )
    for value in (*person.VALUES, "Bangkok", "BKK", "XX 17", "TravelAlert", "WRONG_PERSON", KH_BORDER, SECRET.decode()):
        assert value.encode() not in sent
    assert len(receiver.taken) == len(box.messages)
