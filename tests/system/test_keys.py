"""A node gets new keys, all of them, while it exchanges with another; then one turns out to be stolen."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from exchange.v1 import desk_service_pb2 as desk
from node.keys.files import read_certificate
from node.keys.signers import file_signer
from node.tls import key_fingerprint
from tests.checks import check_pair, snapshot
from tests.system.nodes import Countries, Ledger, NodeProcess, Nursery, Office, ask, draft, exchange, publish, receipted, until

pytestmark = pytest.mark.system
USES = ("log", "receipt", "agreement", "witness", "recall", "identity")


def key(office: Office, *words: str) -> int:
    return exchange("key", *words, "--config", str(office.config))


def tell(one: Office, other: Office, numbers: range, ledger: Ledger) -> None:
    with ask(one) as stub:
        publish(stub, [draft(number, [other.agency("gdi")]) for number in numbers], ledger)
    size = numbers.stop
    until(lambda: receipted(one, one.outbound(other)) == (size, size))


def answer(office: Office, to: Office) -> None:
    """The desk there reports on what came last, and holds the receipt."""
    who = str(office.directory / "partner-border.toml")
    with ask(office, "partner-border") as stub:
        newest = stub.ListInbox(desk.ListInboxRequest(page_size=1)).alerts[0]
    before, _ = receipted(office, office.outbound(to))
    assert exchange("--context", who, "inbox", "report", newest.manifest_digest.hex(), "--outcome", "REFUSED_ENTRY") == 0
    until(lambda: receipted(office, office.outbound(to)) == (before + 1, before + 1))


def sequence_at(office: Office, of: Office) -> int:
    with ask(office, "administrator") as stub:
        return stub.GetPartner(desk.GetPartnerRequest(trust_domain=of.trust_domain)).partner.sequence


def test_with_every_key_replaced_the_exchange_goes_on_and_what_was_before_still_holds(
    countries: Countries, nursery: Nursery, running: list[NodeProcess], tmp_path: Path
) -> None:
    gb, kh, ledger = countries.gb, countries.kh, Ledger()
    sender = nursery.start(gb)
    running += [sender, nursery.start(kh)]
    tell(gb, kh, range(3), ledger)
    stolen = file_signer(gb.directory / "keys/statement-nca-ceop.key")
    sender.stop()
    for use in USES:
        assert key(gb, "rotate", use) == 0
    assert key(gb, "rotate", "statement", "--agency", "nca-ceop") == 0
    certificate = gb.directory / "tls/node.pem"
    old_tls = tmp_path / "old.pem"
    old_tls.write_bytes(certificate.read_bytes())
    assert exchange("node", "renew", "--dir", str(gb.directory)) == 0
    assert key(gb, "revoke-tls", str(old_tls)) == 0
    assert key_fingerprint(read_certificate(certificate)) != key_fingerprint(read_certificate(old_tls))
    sender = nursery.start(gb)
    running[0] = sender
    tell(gb, kh, range(3, 6), ledger)
    answer(kh, gb)
    until(lambda: sequence_at(kh, gb) == 9)
    sender.stop()
    since = datetime.now(UTC).isoformat(timespec="seconds")
    assert key(gb, "revoke", stolen.key_id.hex(), "--reason", "compromised", "--since", since) == 0
    running[0] = nursery.start(gb)
    tell(gb, kh, range(6, 9), ledger)
    until(lambda: sequence_at(kh, gb) == 10)
    for process in running:
        process.stop()
    copies = [snapshot(office.directory, tmp_path / "copies", running=False) for office in (gb, kh)]
    assert check_pair(*copies, ledger.answered, ledger.asked, healed=True) == []
