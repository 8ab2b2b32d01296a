"""Real nodes: an alert that lands soon is on the desk's work list, and its reminder reaches a mail server and a receiver outside."""

import base64
import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from exchange.v1.travel_pb2 import LocalTime
from tests.notice_receivers import certificate_for, mailing, receiving, second_signature
from tests.system.nodes import Countries, Ledger, NodeProcess, Nursery, alert, ask, draft, publish, start, until
from tests.system.test_recall import Desk

pytestmark = pytest.mark.system

SECRET = b"0123456789abcdef0123456789abcdef"


def test_the_desk_is_told_before_the_plane_lands_and_finds_it_on_its_work_list(
    countries: Countries, nursery: Nursery, running: list[NodeProcess], capsys: pytest.CaptureFixture[str]
) -> None:
    gb, kh = countries.gb, countries.kh
    certificate = certificate_for("localhost", kh.directory)
    (kh.directory / "hook.secret").write_text(f"whsec_{base64.b64encode(SECRET).decode()}")
    (kh.directory / "hook.secret").chmod(0o600)
    with receiving(certificate) as receiver, mailing(certificate) as box:
        receiver.behaviours = [503, 204]
        with kh.config.open("a", encoding="utf-8") as config:
            config.write(f"""
[notices]
every_seconds = 1
authorities = "localhost.pem"
[notices.mail]
server = "localhost:{box.port}"
from = "node@kh.example"
to = ["desk@kh.example"]
[[notices.webhooks]]
url = "{receiver.url}"
secret_file = "hook.secret"
""")
        process = start(kh)
        running += [nursery.start(gb), process]
        content = alert(1)
        lands = (datetime.now(UTC) + timedelta(minutes=30)).replace(second=0, microsecond=0)
        there = lands.astimezone(ZoneInfo("Asia/Phnom_Penh"))
        content.itinerary.add(arrival=LocalTime(local=there.strftime("%Y-%m-%dT%H:%M"), zone="Asia/Phnom_Penh"))
        with ask(gb) as stub:
            publish(stub, [draft(1, [kh.agency("gdi")], content=content)], Ledger())
        until(lambda: box.messages and receiver.taken)
        desk = Desk(kh, capsys)
        (item,) = desk("partner-border", "work", "list")["work"]
        assert (item["kind"], item["zone"], item["overdue"]) == ("ALERT_TO_ACKNOWLEDGE", "Asia/Phnom_Penh", False)
        assert item["due_at"] == lands.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        assert item["due_local"] == there.strftime("%Y-%m-%d %H:%M Asia/Phnom_Penh")
        assert desk("auditor", "work", "list", code=6)["error"]["code"] == "ROLE_MISSING"
        (taken, *_) = receiver.taken
        assert taken.headers["webhook-signature"] == second_signature(SECRET, taken.headers, taken.body)
        event = json.loads(taken.body)
        assert (event["subject"], event["data"]["due_at"]) == (item["reference"][:16], lands.strftime("%Y-%m-%dT%H:%M:%SZ"))
        assert len(box.messages) == 1
        log = kh.log.read_text("utf-8")
        assert "notice not delivered" in log
        assert SECRET.decode() not in log
        assert b"EXAMPLE" not in taken.body + box.messages[0][1]
        assert process.stop() == 0
