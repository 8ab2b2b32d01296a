"""Real nodes for system tests: directories set up once and copied, processes that are started, stopped and killed, officers that ask.

Nothing here waits for a fixed time: `until` looks again until what it waits for is so.
"""

import json
import os
import random
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, TypeVar

import grpc
from google.rpc import error_details_pb2, status_pb2

from exchange.v1 import desk_service_pb2 as desk
from exchange.v1 import handling_pb2, offending_pb2, people_pb2, travel_alert_pb2, travel_pb2
from exchange.v1.agreement_pb2 import AgencyClass
from exchange.v1.desk_service_pb2_grpc import DeskServiceStub
from node.cli.context import load_context
from node.cli.errors import ERROR_DOMAIN
from node.cli.main import run as run_exchange
from node.intake.agreement_file import load_agreement_file
from node.intake.agreement_template import AgreementSide, agreement_template
from node.keys.node_directory import example_plan, write_node_directory
from node.store.connections import sqlite_driver
from node.tls import TlsMaterial, channel_credentials, channel_options

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60.0
"""How long to wait for what must come about, on a machine that does much else: it costs nothing where all is well. A test that measures
how soon something happens says so itself."""
CALL_SECONDS = 30.0
DAY_MS = 86_400_000

Found = TypeVar("Found")


def until(what: Callable[[], Found], seconds: float = PATIENCE_SECONDS, *, every: float = 0.02) -> Found:
    """Ask again until the answer is true; raises `TimeoutError` with the last answer."""
    deadline = time.monotonic() + seconds
    while not (answer := what()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not so within {seconds} s: {getattr(what, '__name__', what)} is {answer!r}")
        time.sleep(every)
    return answer


def free_port_pair() -> int:
    """A free port whose two successors are free too, below the range from which the kernel gives ports to clients."""
    while True:
        port = random.randrange(15_000, 32_000, 4)
        with socket.socket() as one, socket.socket() as other, socket.socket() as third, suppress(OSError):
            for place, tried in enumerate((one, other, third)):
                tried.bind(("127.0.0.1", port + place))
            return port


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """One country's node in a directory."""

    directory: Path
    port: int
    """For partners; officers use the port after it, and witnesses the next."""

    @property
    def trust_domain(self) -> str:
        return f"{self.directory.name}.alerts.example"

    @property
    def config(self) -> Path:
        return self.directory / "node.toml"

    @property
    def database(self) -> Path:
        return self.directory / "data/node.db"

    @property
    def log(self) -> Path:
        return self.directory / "node.log"

    @property
    def released(self) -> Path:
        """What left the node, one JSON object a line, written before it left."""
        return self.directory / "released.jsonl"

    @property
    def plan(self) -> Path:
        """At which label the node dies; beside it, once it has died there, when."""
        return self.directory / "plan.json"

    @property
    def death(self) -> Path:
        """When the node reached its label, Unix milliseconds."""
        return self.plan.with_suffix(".death")

    def agency(self, slug: str) -> str:
        return f"spiffe://{self.trust_domain}/agency/{slug}"

    def outbound(self, recipient: "Office") -> str:
        """The origin of this node's first log towards another."""
        return f"{self.trust_domain}/disclosures/{recipient.trust_domain}/1"


def set_up(country: str, place: Path) -> Office:
    """A new node directory below `place`, as `exchange node init` makes one."""
    port = free_port_pair()
    directory = place / country.lower()
    write_node_directory(example_plan(country), directory, now=datetime.now(UTC), vault_key=os.urandom(32), port=port)
    return Office(directory=directory, port=port)


def copied(office: Office, place: Path) -> Office:
    """The same node in another place; only one of the two can run at a time."""
    shutil.copytree(office.directory, place / office.directory.name)
    return Office(directory=place / office.directory.name, port=office.port)


@dataclass(frozen=True, slots=True, kw_only=True)
class Countries:
    """The nodes that most tests need."""

    gb: Office
    kh: Office
    vn: Office

    def all(self) -> tuple[Office, ...]:
        return (self.gb, self.kh, self.vn)

    def copied(self, place: Path) -> "Countries":
        return Countries(gb=copied(self.gb, place), kh=copied(self.kh, place), vn=copied(self.vn, place))


class NodeProcess:
    """One running node."""

    def __init__(self, office: Office, pid: int, child: "subprocess.Popen[bytes] | None" = None) -> None:
        self.office = office
        self.pid = pid
        self._child = child
        self._handle = os.pidfd_open(pid)

    def alive(self) -> bool:
        return not self._ended(0)

    def wait_ready(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Return when both listeners accept connections."""

        def listening() -> bool:
            if not self.alive():
                raise RuntimeError(f"the node ended at once; its log says:\n{self.office.log.read_text('utf-8')[-2000:]}")
            for port in (self.office.port, self.office.port + 1):
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    continue
                return False
            return True

        until(listening, seconds, every=0.01)

    def wait_dead(self, seconds: float = PATIENCE_SECONDS) -> bool:
        """Whether the process ends within `seconds`."""
        return self._ended(seconds)

    def kill(self) -> None:
        """SIGKILL, and wait until nothing of it is left."""
        self.send(signal.SIGKILL)
        assert self._ended(PATIENCE_SECONDS), "a killed process did not end"

    def exit_code(self) -> int | None:
        """Of a process that is our own child and has ended."""
        return self._child.returncode if self._child else None

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, number)

    def stop(self, seconds: float = PATIENCE_SECONDS) -> int | None:
        """SIGTERM, and wait until it has ended; the exit code of a process that is our own child."""
        self.send(signal.SIGTERM)
        if not self._ended(seconds):
            self.kill()
            raise TimeoutError("the node did not stop gracefully")
        return self._child.wait() if self._child else None

    def _ended(self, seconds: float) -> bool:
        if self._child is not None and self._child.poll() is not None:
            return True
        ready, _, _ = select.select([self._handle], [], [], seconds)
        if ready and self._child is not None:
            self._child.wait()
        return bool(ready)


def start(office: Office, *, before: Sequence[str] = (), environment: dict[str, str] | None = None, ready: bool = True) -> NodeProcess:
    """Start `exchange node run` as a person would; `before` are words of a command that starts it (such as `prlimit`)."""
    command = [*before, sys.executable, "-m", "node.cli.main", "node", "run", "--config", str(office.config)]
    with office.log.open("ab") as log:
        child = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, **(environment or {})}
        )
    process = NodeProcess(office, child.pid, child)
    if ready:
        process.wait_ready()
    return process


class Nursery:
    """Starts nodes by forking a process that has imported everything: a fifth of a second instead of one. See `labelled_node`."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.system.labelled_node"]
        self._server = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._lock = threading.Lock()

    def start(self, office: Office, *, label: str = "", nth: int = 1, defects: Sequence[str] = (), ready: bool = True) -> NodeProcess:
        """Start a node that dies when it reaches `label` for the `nth` time; with `defects` planted in it."""
        _write_plan(office, label, nth)
        order = {
            "config": str(office.config),
            "log": str(office.log),
            "released": str(office.released),
            "plan": str(office.plan),
            "defects": list(defects),
        }
        with self._lock:
            _pipe(self._server.stdin).write(json.dumps(order) + "\n")
            _pipe(self._server.stdin).flush()
            process = NodeProcess(office, int(_pipe(self._server.stdout).readline()))
        if ready:
            process.wait_ready()
        return process

    def arm(self, process: NodeProcess, label: str, nth: int) -> None:
        """Let a running node die when it reaches `label` for the `nth` time from now on; an empty label: not at all."""
        _write_plan(process.office, label, nth)
        process.send(signal.SIGUSR1)

    def close(self) -> None:
        _pipe(self._server.stdin).close()
        self._server.wait(PATIENCE_SECONDS)
        _pipe(self._server.stdout).close()


def _write_plan(office: Office, label: str, nth: int) -> None:
    unfinished = office.plan.with_suffix(".unfinished")
    unfinished.write_text(json.dumps({"label": label, "nth": nth}), "utf-8")
    unfinished.replace(office.plan)


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


@contextmanager
def ask(office: Office, who: str = "officer") -> Iterator[DeskServiceStub]:
    """The desk of a node, as one of its people sees it, over the real TLS."""
    context = load_context(office.directory / f"{who}.toml")
    material = TlsMaterial(
        private_key=context.key.read_bytes(), certificate=context.certificate.read_bytes(), authorities=context.ca.read_bytes()
    )
    options = [*channel_options(context.server), ("grpc.enable_http_proxy", 0)]
    with grpc.secure_channel(context.desk, channel_credentials(material), options=options) as channel:
        yield DeskServiceStub(channel)


def exchange(*words: str) -> int:
    """Run the command line in this process; its exit code."""
    return run_exchange(list(words))


def make_partners(one: Office, other: Office) -> None:
    """Add each to the other, by fingerprint, over the running desks."""
    for ours, theirs in ((one, other), (other, one)):
        with ask(theirs, "administrator") as stub:
            given = stub.GetOwnDescriptor(desk.GetOwnDescriptorRequest(), timeout=CALL_SECONDS)
        with ask(ours, "administrator") as stub:
            request = desk.AddPartnerRequest(descriptors=given.descriptors, fingerprint=given.identity_fingerprint)
            stub.AddPartner(request, timeout=CALL_SECONDS)


def agree(proposer: Office, accepter: Office, text: str) -> bytes:
    """Propose the agreement file `text`, accept it abroad, and wait until it is in force at both. Returns its digest."""
    loaded = load_agreement_file(text)
    assert not loaded.refused, loaded.problems
    with ask(proposer, "administrator") as stub:
        digest = stub.DraftAgreement(desk.DraftAgreementRequest(agreement=loaded.agreement), timeout=CALL_SECONDS).summary.digest
    with ask(accepter, "administrator") as stub:
        until(lambda: digest in {item.digest for item in stub.ListAgreements(desk.ListAgreementsRequest()).agreements})
        stub.AcceptAgreement(desk.AcceptAgreementRequest(agreement=digest.hex()), timeout=CALL_SECONDS)
    with ask(proposer, "administrator") as stub:
        until(lambda: stub.GetAgreement(desk.GetAgreementRequest(agreement=digest.hex())).summary.in_force)
    return bytes(digest)


def template_agreement(one: Office, other: Office) -> str:
    """The agreement file with default marks that `exchange agreement template` writes."""
    sides = []
    for office in (one, other):
        plan = example_plan(office.directory.name.upper())
        classes = {office.agency(agency.slug): AgencyClass.Value(f"AGENCY_CLASS_{agency.agency_class}") for agency in plan.agencies}
        sides.append(AgreementSide(trust_domain=office.trust_domain, name=plan.name, legal_basis="A law (TRAINING).", agencies=classes))
    now = datetime.now(UTC)
    return agreement_template(*sides, valid_from=now.replace(year=now.year - 1, day=1), valid_until=now.replace(year=now.year + 5, day=1))


def alert(number: int) -> travel_alert_pb2.TravelAlert:
    """A small, complete, synthetic travel alert; no two numbers give the same."""
    return travel_alert_pb2.TravelAlert(
        primary_name=people_pb2.PersonName(family="EXAMPLE", given=f"Specimen {number}", script="Latn"),
        birth=people_pb2.Birth(date="1961-04", basis=people_pb2.BIRTH_BASIS_DOCUMENT),
        national_reference=f"EXAMPLE-{number:06d}",
        destination_area=travel_pb2.Area(country="KHM", code="KH-17"),
        risk_level=offending_pb2.RiskLevel(band=offending_pb2.RISK_BAND_HIGH, tool="ARMS"),
        requested_action=offending_pb2.REQUESTED_ACTION_SECONDARY_INTERVIEW,
        contact_desk=people_pb2.ContactDesk(unit="Example desk", channel="desk@gb.alerts.example"),
    )


def draft(number: int, recipients: Sequence[str], *, content: travel_alert_pb2.TravelAlert | None = None) -> desk.Draft:
    """A draft of `alert(number)`, with a request id that only this number has."""
    purposes = [handling_pb2.PURPOSE_PREVENTION, handling_pb2.PURPOSE_DETECTION]
    return desk.Draft(
        request_id=b"request" + number.to_bytes(9, "big"),
        alert_type="exchange.v1.TravelAlert",
        alert=(content or alert(number)).SerializeToString(deterministic=True),
        recipients=recipients,
        purpose=handling_pb2.PURPOSE_PREVENTION,
        handling=handling_pb2.Handling(
            codes=[handling_pb2.HANDLING_CODE_H1],
            permitted_purposes=purposes,
            judicial_use=handling_pb2.JUDICIAL_USE_ASK,
            onward=handling_pb2.ONWARD_RULE_ASK,
            retention_days=180,
        ),
        not_after=time.time_ns() // 1_000_000 + 90 * DAY_MS,
    )


@dataclass(slots=True)
class Ledger:
    """What officers asked of one node, and what they were answered: the truth that nothing may contradict."""

    asked: set[bytes] = field(default_factory=set)
    """Request ids that were sent, answered or not."""
    answered: dict[bytes, list[desk.PublishedAlert]] = field(default_factory=dict)
    """By request id: each answer that arrived, without those that refuse."""
    drafts: dict[bytes, desk.Draft] = field(default_factory=dict)

    def unanswered(self) -> list[desk.Draft]:
        return [self.drafts[request_id] for request_id in sorted(self.asked - self.answered.keys())]


def publish(stub: DeskServiceStub, drafts: Sequence[desk.Draft], ledger: Ledger, *, seconds: float = CALL_SECONDS) -> int:
    """Publish drafts by one call; how many were answered. Raises `grpc.RpcError`, after noting what was answered before it."""
    for item in drafts:
        ledger.asked.add(item.request_id)
        ledger.drafts[item.request_id] = item
    answered = 0
    requests = iter([desk.PublishAlertsRequest(drafts=drafts, reason="A system test.")])
    for response in stub.PublishAlerts(requests, timeout=seconds):
        for published in response.alerts:
            assert not published.problems, [(problem.code, problem.field) for problem in published.problems]
            ledger.answered.setdefault(published.request_id, []).append(published)
            answered += 1
    return answered


def receipted(office: Office, origin: str) -> tuple[int, int]:
    """Of a log, read from the node's own database: its size, and how much of it is receipted."""
    driver = sqlite_driver()
    with closing(driver.connect(f"{office.database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        log = connection.execute("SELECT id, size FROM logs WHERE origin = ?", (origin,)).fetchone()
        if log is None:
            return 0, 0
        (done,) = connection.execute("SELECT coalesce(max(size), 0) FROM receipts WHERE log_id = ?", log[:1]).fetchone()
        return int(log[1]), int(done)


def reason_of(error: Any) -> str:
    """The stable code of a refusal, from the `google.rpc.ErrorInfo` of a failed call (`grpc.Call`)."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for detail in status_pb2.Status.FromString(value).details:
                info = error_details_pb2.ErrorInfo()
                if detail.Unpack(info):
                    assert info.domain == ERROR_DOMAIN
                    return str(info.reason)
    return ""
