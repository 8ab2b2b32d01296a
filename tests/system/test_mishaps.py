"""What happens to disks, backups, cables and power: nothing is lost, nothing comes twice, and what is refused says why."""

import resource
import shutil
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import grpc
import pytest

from exchange.v1 import desk_service_pb2 as desk
from tests.checks import check_pair, snapshot
from tests.system.nodes import (
    Countries,
    Ledger,
    NodeProcess,
    Nursery,
    Office,
    ask,
    draft,
    exchange,
    publish,
    reason_of,
    receipted,
    start,
    until,
)

pytestmark = pytest.mark.system


def send(gb: Office, kh: Office, numbers: range, ledger: Ledger) -> None:
    with ask(gb) as stub:
        for first in range(numbers.start, numbers.stop, 50):
            chunk = range(first, min(first + 50, numbers.stop))
            publish(stub, [draft(number, [kh.agency("gdi")]) for number in chunk], ledger)


def caught_up(countries: Countries, size: int) -> Callable[[], bool]:
    return lambda: receipted(countries.gb, countries.gb.outbound(countries.kh)) == (size, size)


def problems(countries: Countries, running: list[NodeProcess], ledger: Ledger, place: Path) -> set[tuple[str, str]]:
    """Stop what runs, check both nodes as healed, and return what is wrong as (trust domain, code)."""
    for process in running:
        if process.alive():
            process.stop()
    sender, recipient = (snapshot(office.directory, place, running=False) for office in (countries.gb, countries.kh))
    found = check_pair(sender, recipient, ledger.answered, ledger.asked, healed=True)
    return {(problem.node, problem.code) for problem in found}


def alarms(office: Office, partner: Office) -> set[str]:
    with ask(office, "administrator") as stub:
        return set(stub.GetPartner(desk.GetPartnerRequest(trust_domain=partner.trust_domain)).partner.alarms)


def digests_in_inbox(office: Office, who: str) -> set[bytes]:
    found: set[bytes] = set()
    token = ""
    with ask(office, who) as stub:
        while True:
            page = stub.ListInbox(desk.ListInboxRequest(page_size=100, page_token=token))
            found |= {alert.manifest_digest for alert in page.alerts}
            token = page.next_page_token
            if not token:
                return found


LITTLE = 256 * 1024
"""Bytes: more than a node's log takes in a test, less than its database has.

So no checkpoint of the database's journal ends, and makes its room free again.
"""


def room_for(process: NodeProcess, size: int) -> None:
    """Let a running process write nothing beyond the first `size` bytes of a file: what a full disk does to it."""
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_a_full_disk_refuses_a_release_and_loses_nothing(
    countries: Countries, nursery: Nursery, running: list[NodeProcess], tmp_path: Path
) -> None:
    gb, kh, ledger = countries.gb, countries.kh, Ledger()
    sender = nursery.start(gb)
    running += [sender, nursery.start(kh)]
    send(gb, kh, range(5), ledger)
    until(caught_up(countries, 5))
    assert gb.database.stat().st_size > LITTLE
    room_for(sender, LITTLE)
    refused = Ledger()
    with pytest.raises(grpc.RpcError) as error:
        send(gb, kh, range(5, 200), refused)
    assert (error.value.code(), reason_of(error.value)) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "STORE_FULL")
    assert "free space" in (error.value.details() or "")
    ledger.asked |= refused.asked
    ledger.answered |= refused.answered
    assert sender.alive()
    room_for(sender, resource.RLIM_INFINITY)
    send(gb, kh, range(5, 20), ledger)
    until(lambda: len(set(receipted(gb, gb.outbound(kh)))) == 1)
    assert problems(countries, running, ledger, tmp_path / "copies") == set()


def test_a_recipient_whose_disk_is_full_gives_no_receipt_and_catches_up(
    countries: Countries, nursery: Nursery, running: list[NodeProcess], tmp_path: Path
) -> None:
    gb, kh, ledger = countries.gb, countries.kh, Ledger()
    recipient = nursery.start(kh)
    running += [nursery.start(gb), recipient]
    send(gb, kh, range(5), ledger)
    until(caught_up(countries, 5))
    assert kh.database.stat().st_size > LITTLE
    room_for(recipient, LITTLE)
    send(gb, kh, range(5, 60), ledger)
    until(lambda: "STORE_FULL" in kh.log.read_text("utf-8"))
    size, done = receipted(gb, gb.outbound(kh))
    assert done < size == 60
    room_for(recipient, resource.RLIM_INFINITY)
    until(caught_up(countries, 60))
    assert problems(countries, running, ledger, tmp_path / "copies") == set()


def test_a_second_process_is_refused_the_database(countries: Countries, nursery: Nursery, running: list[NodeProcess]) -> None:
    gb = countries.gb
    running.append(nursery.start(gb))
    second = start(gb, environment={"EXCHANGE_LISTEN_PARTNERS": "127.0.0.1:1", "EXCHANGE_LISTEN_DESK": "127.0.0.1:2"}, ready=False)
    assert second.wait_dead()
    assert second.exit_code() not in {0, None}
    assert "STORE_LOCKED" in gb.log.read_text("utf-8") or "another process has this database open" in gb.log.read_text("utf-8")
    with ask(gb) as stub:
        assert stub.WhoAmI(desk.WhoAmIRequest()).trust_domain == gb.trust_domain


def test_a_partner_that_was_down_for_a_while_catches_up(
    countries: Countries, nursery: Nursery, running: list[NodeProcess], tmp_path: Path
) -> None:
    gb, kh, ledger = countries.gb, countries.kh, Ledger()
    recipient = nursery.start(kh)
    running += [nursery.start(gb), recipient]
    send(gb, kh, range(3), ledger)
    until(caught_up(countries, 3))
    recipient.stop()
    send(gb, kh, range(3, 300), ledger)
    with ask(gb) as stub:
        digest = ledger.answered[draft(299, []).request_id][0].manifest_digest.hex()
        status = stub.GetAlertStatus(desk.GetAlertStatusRequest(alert=digest))
        assert [item.state for item in status.disclosures] == [desk.DISCLOSURE_STATE_LOGGED]
        assert not stub.GetPartner(desk.GetPartnerRequest(trust_domain=kh.trust_domain)).partner.outbound_stream_up
    running.append(nursery.start(kh))
    until(caught_up(countries, 300))
    assert digests_in_inbox(kh, "partner-border") == {answers[0].manifest_digest for answers in ledger.answered.values()}
    assert problems(countries, running, ledger, tmp_path / "copies") == set()


def test_a_recipient_that_dies_in_the_middle_of_a_backlog_goes_on_where_it_was(
    countries: Countries, nursery: Nursery, running: list[NodeProcess], tmp_path: Path
) -> None:
    gb, kh, ledger = countries.gb, countries.kh, Ledger()
    running.append(nursery.start(gb))
    send(gb, kh, range(200), ledger)
    recipient = nursery.start(kh, label="batch: before commit", nth=2, ready=False)
    running.append(recipient)
    assert recipient.wait_dead()
    size, done = receipted(gb, gb.outbound(kh))
    assert done < size == 200
    running.append(nursery.start(kh))
    until(caught_up(countries, 200))
    assert problems(countries, running, ledger, tmp_path / "copies") == set()


def test_a_node_that_is_told_to_stop_ends_gracefully_under_load(
    countries: Countries, nursery: Nursery, running: list[NodeProcess], tmp_path: Path
) -> None:
    gb, kh, ledger = countries.gb, countries.kh, Ledger()
    sender = start(gb)
    running += [sender, nursery.start(kh)]

    def officer() -> None:
        with suppress(grpc.RpcError):
            for first in range(0, 10_000, 10):
                send(gb, kh, range(first, first + 10), ledger)

    load = threading.Thread(target=officer)
    load.start()
    until(lambda: len(ledger.answered) > 50)
    began = time.monotonic()
    code = sender.stop()
    assert time.monotonic() - began < 10
    load.join()
    assert code == 0
    assert "Traceback" not in gb.log.read_text("utf-8")
    running.append(nursery.start(gb))
    with ask(gb) as stub:
        waiting = ledger.unanswered()
        if waiting:
            publish(stub, waiting, ledger)
    until(caught_up(countries, len(ledger.asked)))
    assert problems(countries, running, ledger, tmp_path / "copies") == set()


def begin_a_successor_of_the_journal(office: Office, running: list[NodeProcess]) -> None:
    """What an administrator does after restoring a backup: the node does not open before the journal has a successor."""
    refused = start(office, ready=False)
    running.append(refused)
    assert refused.wait_dead()
    assert refused.exit_code() == 3
    assert "JOURNAL_ROLLBACK" in office.log.read_text("utf-8")
    assert exchange("node", "succeed-journal", "--config", str(office.config)) == 0


def test_a_sender_restored_from_an_old_backup_signs_nothing_and_says_why(
    countries: Countries, nursery: Nursery, running: list[NodeProcess], tmp_path: Path
) -> None:
    gb, kh, ledger = countries.gb, countries.kh, Ledger()
    sender = nursery.start(gb)
    running += [sender, nursery.start(kh)]
    send(gb, kh, range(3), ledger)
    until(caught_up(countries, 3))
    sender.stop()
    shutil.copytree(gb.directory / "data", tmp_path / "backup")
    running[0] = nursery.start(gb)
    send(gb, kh, range(3, 8), ledger)
    until(caught_up(countries, 8))
    running[0].stop()
    signed = gb.released.read_bytes()
    shutil.rmtree(gb.directory / "data")
    shutil.copytree(tmp_path / "backup", gb.directory / "data")

    begin_a_successor_of_the_journal(gb, running)
    running[0] = nursery.start(gb)
    assert "HIGH_WATER_ROLLBACK" in alarms(gb, kh)
    assert "HIGH_WATER_ROLLBACK" in gb.log.read_text("utf-8")
    with ask(gb) as stub:
        request = desk.PublishAlertsRequest(drafts=[draft(8, [kh.agency("gdi")])], reason="A system test.")
        (response,) = stub.PublishAlerts(iter([request]))
        (problem,) = response.alerts[0].problems
        assert problem.code == "LOG_STOPPED"
        assert problem.remedy
    with ask(gb, "auditor") as stub:
        log = next(log for log in stub.ListLogs(desk.ListLogsRequest()).logs if log.origin == gb.outbound(kh))
        assert (log.state, log.size) == ("stopped", 3)
    until(lambda: "LOG_STOPPED" in kh.log.read_text("utf-8"))
    assert gb.released.read_bytes() == signed

    # Once it has adopted its own entries from the partner, it goes on; what they disclosed is lost here and only here.
    with ask(gb, "administrator") as stub:
        recovered = stub.RecoverLog(desk.RecoverLogRequest(origin=gb.outbound(kh)))
    assert (recovered.adopted, recovered.log.state, recovered.log.size) == (5, "open", 8)
    send(gb, kh, range(9, 12), ledger)
    until(caught_up(countries, 11))
    assert "HIGH_WATER_ROLLBACK" not in alarms(gb, kh)
    assert problems(countries, running, ledger, tmp_path / "copies") == {(gb.trust_domain, "ANSWER_NOT_DURABLE")}


def test_a_recipient_restored_from_an_old_backup_adopts_its_receipts_and_gets_the_deliveries_again(
    countries: Countries, nursery: Nursery, running: list[NodeProcess], tmp_path: Path
) -> None:
    gb, kh, ledger = countries.gb, countries.kh, Ledger()
    running += [nursery.start(gb), nursery.start(kh)]
    send(gb, kh, range(3), ledger)
    until(caught_up(countries, 3))
    running[1].stop()
    shutil.copytree(kh.directory / "data", tmp_path / "backup")
    running[1] = nursery.start(kh)
    # Several receipts, which end where no batch of a later, longer backlog would end by itself.
    for step in range(3, 103, 10):
        send(gb, kh, range(step, step + 10), ledger)
        until(caught_up(countries, step + 10))
    before = digests_in_inbox(kh, "partner-border")
    receipts = [line for line in kh.released.read_text("utf-8").splitlines() if "receipt" in line]
    running[1].stop()
    shutil.rmtree(kh.directory / "data")
    shutil.copytree(tmp_path / "backup", kh.directory / "data")
    begin_a_successor_of_the_journal(kh, running)

    # It dies once more while it catches up, so that it also resumes from an adopted receipt.
    returning = nursery.start(kh, label="batch: after commit", nth=1, ready=False)
    running[1] = returning
    assert returning.wait_dead()
    running[1] = nursery.start(kh)
    until(lambda: digests_in_inbox(kh, "partner-border") == before)
    assert "OWN_ROLLBACK" in alarms(kh, gb)
    send(gb, kh, range(103, 110), ledger)
    until(caught_up(countries, 110))
    again = [line for line in kh.released.read_text("utf-8").splitlines() if "receipt" in line]
    assert again[: len(receipts)] == receipts
    assert problems(countries, running, ledger, tmp_path / "copies") == set()


def test_a_stopped_process_is_not_a_dead_one(countries: Countries, nursery: Nursery, running: list[NodeProcess], tmp_path: Path) -> None:
    """A recipient that hangs and comes back goes on, whatever became of its connections meanwhile."""
    gb, kh, ledger = countries.gb, countries.kh, Ledger()
    recipient = nursery.start(kh)
    running += [nursery.start(gb), recipient]
    send(gb, kh, range(3), ledger)
    until(caught_up(countries, 3))
    recipient.send(signal.SIGSTOP)
    send(gb, kh, range(3, 100), ledger)
    assert receipted(gb, gb.outbound(kh)) == (100, 3)
    recipient.send(signal.SIGCONT)
    until(caught_up(countries, 100))
    assert problems(countries, running, ledger, tmp_path / "copies") == set()
