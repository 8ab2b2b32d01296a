"""What no implementation goes below on this machine, measured in the same run: a signature, a durable commit, a message over TLS."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import grpc
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.pair import Pair, cpu_seconds
from benchmarks.unit import MANIFEST_BYTES
from exchange.values import PartyId
from node.config import load_config
from node.limits import SERVER_OPTIONS
from node.store.engine import Store, open_store
from node.store.high_water import HighWater, LogKeys
from node.tls import TlsMaterial, channel_credentials, channel_options, server_credentials
from tests.countries import key, node
from tests.system.nodes import Office, free_port_pair

BATCH = 64
DELIVERY_BYTES = 2_660
"""About one delivery of 15 openings: entry, manifest, openings."""
RECEIPT_BYTES = 400
_METHOD = "/benchmark.Echo/Receipts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """Microseconds. A commit and a message stand for 64 alerts."""

    sign_cpu: float
    verify_cpu: float
    commit_cpu: float
    commit_wall: float
    high_water_wall: float
    message_wall: float
    message_sender_cpu: float
    message_recipient_cpu: float


def measure_signatures(rounds: int) -> tuple[float, float]:
    """CPU of one Ed25519 signature and of one verification, microseconds, the quickest of five goes."""
    private = Ed25519PrivateKey.generate()
    public, message = private.public_key(), os.urandom(MANIFEST_BYTES)
    signature = private.sign(message)
    return _quickest(lambda: private.sign(message), rounds), _quickest(lambda: public.verify(signature, message), rounds)


def measure(pair: Pair, place: Path, rounds: int) -> Floor:
    """Everything; `rounds` commits and messages. The nodes must not be running: their certificates are used."""
    sign, verify = measure_signatures(rounds * 4)
    commit_cpu, commit_wall = _commits(place, rounds)
    high_water = HighWater(place, LogKeys.of(node("gb"), key("gb", "log")))
    begun = time.perf_counter()
    for size in range(1, rounds + 1):
        high_water.advance("example/floor/1", size, bytes(32))
    high_water_wall = (time.perf_counter() - begun) / rounds * 1e6
    message_wall, sender, recipient = _messages(pair, rounds)
    return Floor(
        sign_cpu=sign,
        verify_cpu=verify,
        commit_cpu=commit_cpu,
        commit_wall=commit_wall,
        high_water_wall=high_water_wall,
        message_wall=message_wall,
        message_sender_cpu=sender,
        message_recipient_cpu=recipient,
    )


def settings(place: Path) -> dict[str, str]:
    """The durability settings as SQLite itself reports them on a connection of the node's store; asserts that they are durable."""
    store = open_store(place / "settings.db")
    try:
        with store.write() as tx:
            found = {name: str(tx.exec_driver_sql(f"PRAGMA {name}").scalar()) for name in ("synchronous", "journal_mode", "secure_delete")}
    finally:
        store.close()
    assert found["synchronous"] == "2", "synchronous is not FULL"
    assert found["journal_mode"] == store.journal_mode
    assert found["journal_mode"] in {"wal", "truncate"}
    assert _syncs_of_one_advance(place) == 2, "the high-water record is not synced, file and directory"
    return {**found, "synchronous": "FULL", "sqlite": store.sqlite_version, "high_water": "fsync of file and directory"}


def _syncs_of_one_advance(place: Path) -> int:
    synced: list[object] = []
    fsync = os.fsync

    def counted(descriptor: Any) -> None:
        synced.append(descriptor)
        fsync(descriptor)

    os.fsync = counted  # type: ignore[assignment]  # the same to whoever calls it with a descriptor
    try:
        HighWater(place, LogKeys.of(node("gb"), key("gb", "log"))).advance("example/settings/1", 1, bytes(32))
    finally:
        os.fsync = fsync
    return len(synced)


def _quickest(work: Callable[[], object], rounds: int) -> float:
    best = float("inf")
    for _ in range(5):
        before = time.process_time()
        for _ in range(rounds):
            work()
        best = min(best, time.process_time() - before)
    return best / rounds * 1e6


def _commits(place: Path, rounds: int) -> tuple[float, float]:
    store: Store = open_store(place / "floor.db")
    statement = "INSERT INTO entries (log_id, idx, entry, leaf, alert_ref, sealed) VALUES (1, ?, ?, ?, ?, ?)"
    cpu, wall = time.process_time(), time.perf_counter()
    try:
        for turn in range(rounds):
            with store.write() as tx:
                rows = [(turn * BATCH + place, bytes(300), bytes(32), place, bytes(DELIVERY_BYTES - 300)) for place in range(BATCH)]
                tx.exec_driver_sql(statement, rows)
        return (time.process_time() - cpu) / rounds * 1e6, (time.perf_counter() - wall) / rounds * 1e6
    finally:
        store.close()


def _messages(pair: Pair, rounds: int) -> tuple[float, float, float]:
    port = free_port_pair()
    command = [sys.executable, "-m", "benchmarks.floor", str(pair.recipient.config), str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        options = channel_options(PartyId(trust_domain=pair.recipient.trust_domain, path="/node"))
        batch = os.urandom(BATCH * DELIVERY_BYTES)
        try:
            with grpc.secure_channel(f"127.0.0.1:{port}", channel_credentials(_material(pair.sender, pair.recipient)), options) as channel:
                call: Any = channel.stream_stream(_METHOD)
                warm = 5
                answers = call(iter([batch] * (warm + rounds)))
                for _ in range(warm):
                    next(answers)
                before = (time.perf_counter(), time.process_time(), cpu_seconds(server.pid))
                for answer in answers:
                    assert len(answer) == RECEIPT_BYTES
                after = (time.perf_counter(), time.process_time(), cpu_seconds(server.pid))
        finally:
            server.terminate()
    wall, sender, recipient = ((end - start) / rounds * 1e6 for start, end in zip(before, after, strict=True))
    return wall, sender, recipient


def _material(own: Office, other: Office) -> TlsMaterial:
    tls, theirs = (load_config(office.config, os.environ).tls for office in (own, other))
    return TlsMaterial(
        private_key=tls.node_key.read_bytes(), certificate=tls.node_certificate.read_bytes(), authorities=theirs.node_ca.read_bytes()
    )


def _serve(config: Path, port: int) -> None:
    tls = load_config(config, os.environ).tls
    authorities = b"".join(path.read_bytes() for path in (tls.node_ca, config.parents[1] / "gb" / tls.node_ca.relative_to(config.parent)))
    material = TlsMaterial(private_key=tls.node_key.read_bytes(), certificate=tls.node_certificate.read_bytes(), authorities=authorities)

    def receipts(batches: Iterator[bytes], _context: grpc.ServicerContext) -> Iterator[bytes]:
        for _ in batches:
            yield bytes(RECEIPT_BYTES)

    server = grpc.server(ThreadPoolExecutor(max_workers=2), options=SERVER_OPTIONS)
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler("benchmark.Echo", {"Receipts": grpc.stream_stream_rpc_method_handler(receipts)})]
    )
    server.add_secure_port(f"127.0.0.1:{port}", server_credentials(lambda: material, report=print))
    server.start()
    print("ready", flush=True)
    server.wait_for_termination()


def as_numbers(floor: Floor) -> dict[str, float]:
    """For JSON."""
    return {name: round(value, 1) for name, value in asdict(floor).items()}


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), int(sys.argv[2]))
