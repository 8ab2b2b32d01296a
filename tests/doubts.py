"""Recalls that one end lost, or both, as tests bring that about."""

from pathlib import Path

from exchange.v1 import exchange_service_pb2
from node.operations import recover
from tests.federation import Federation
from tests.recalls import WITHDRAWAL, flags, own_flags, recalled
from tests.rig import Office


def recovered(made: Federation, country: str = "gb", partner: str = "kh") -> None:
    """An administrator adopts from a partner what the restored database of an office lacks of its own log."""

    def ask(host: str, asked: str, start: int) -> exchange_service_pb2.FetchEntriesResponse:
        return made.fetch(country, host, asked, start)

    office = made[country]
    recover.recover_log(office.ports, office.person("administrator"), office.outbound(made[partner]).name.origin, ask)


def lost_at_both(two: Federation, told: bytes, directory: Path, kind: int = WITHDRAWAL) -> None:
    """gb recalls an alert, kh is told, and then both have the databases of before."""
    gb, kh = two["gb"], two["kh"]
    ours, theirs = gb.backup(directory / "ours"), kh.backup(directory / "theirs")
    recalled(gb, told, kind)
    two.pump()
    gb.restore(ours)
    recovered(two)
    kh.restore(theirs)
    two.pump()


def withheld(office: Office, to: Office, index: int = -1) -> None:
    """The office does not hold any more what an entry of its log says: the last one, or that at `index`."""
    log = office.outbound(to)
    with office.ports.store.write() as tx:
        tx.exec_driver_sql("UPDATE entries SET alert_ref = NULL WHERE log_id = ? AND idx = ?", (log.id, index % log.size))


def both(two: Federation, told: bytes) -> tuple[list[str], list[str]]:
    """How an alert of gb reads at gb, and at kh."""
    return own_flags(two["gb"], told), flags(two["kh"], told)
