"""The composition root: the only place where configuration becomes ports, doors and workers."""

import gc
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from exchange.errors import Conflict, ExchangeError, NotFound, Refused
from exchange.tlog.note import NoteVerifier
from exchange.tlog.policy import parse_policy
from exchange.v1 import exchange_service_pb2
from exchange.values import PartyId
from node.config import Config
from node.httpd import HttpListener, mutual_tls13
from node.intake.countries import country_of_alpha2
from node.keys.next_descriptor import read_own
from node.keys.signers import open_signer
from node.links.exchange_link import ExchangeLink
from node.national.clauses import NationalClauses
from node.national.file import load_national
from node.notify.plan import MINUTE, NoticePlan
from node.oidc import naming
from node.operations import erase
from node.operations.anchor import check_journal
from node.operations.keeping import national_rule
from node.operations.officers import acting
from node.operations.opening import note_changes
from node.operations.partners import load_known
from node.operations.purge import purge_attested
from node.operations.retell import tell_waiting
from node.operations.sign import check_high_water, stop_log
from node.operations.watchlist import Watchlists
from node.policy.pack import PolicyPack, open_pack
from node.ports import Acquaintance, Ports, Signals, Signers, Streams, WitnessPlan
from node.rpc.audit_service import AuditService
from node.rpc.desk_service import DeskService
from node.rpc.doors import desk_listener, partner_listener
from node.rpc.exchange_service import ExchangeService
from node.rpc.identity import DeskDoor, PartnerDoor
from node.store import logs
from node.store.engine import open_store
from node.store.high_water import HighWater, LogKeys
from node.store.journal import open_journal
from node.store.vault import Vault, read_master_key
from node.surroundings import Surroundings
from node.system import SystemClock, system_entropy
from node.telemetry.logging import configure_logging, logger
from node.tipline.listener import TipListener
from node.tipline.service import tip_service
from node.tips.plan import TipPlan, read_tip_plan
from node.tls import TlsMaterial
from node.witnessing.listener import WitnessListener
from node.witnessing.service import witness_service
from node.workers.notice_channels import open_channels
from node.workers.notices import Notifier
from node.workers.retention import RetentionKeeper
from node.workers.sequencer import Sequencer
from node.workers.supervisor import Supervisor
from node.workers.witnessing import Witnessing

_GRACE_SECONDS = 5.0
_SWITCH_SECONDS = 0.001
"""After which a thread that computes lets another have the interpreter, if it asks; Python's own is five times as long. One thread works
at a time (`node.store.work`); the others carry messages, need the interpreter often and briefly, and wait that long each time."""


class Node:
    """One country's office, ready to run."""

    def __init__(self, config: Config, ports: Ports) -> None:
        self.ports = ports
        self._config = config
        self._stop = threading.Event()
        self._contradicted = False
        office = x509.load_pem_x509_certificates(config.tls.office_ca.read_bytes())
        self.sequencer = Sequencer(ports)
        self._retention = RetentionKeeper(ports)
        channels = open_channels(config.notices)
        self._notifier = Notifier(ports, channels, config.notices.every_seconds) if channels else None
        self._supervisor = Supervisor(ports, self._node_material, self._tell_waiting)
        self._witnessing = Witnessing(ports, self._cannot_journal)
        self._witness = WitnessListener(config.listen.witness, witness_service(ports)) if config.listen.witness else None
        self._tips = _tip_listener(config, ports)
        watchlists = Watchlists()  # one for both doors of the desk: it is large
        self._console = _console(config, ports, self.sequencer, self._connect, watchlists)
        self._partners = partner_listener(config.listen.partners, self._node_material, ExchangeService(ports, PartnerDoor(ports)))
        door = DeskDoor(ports, office)
        self._desk = desk_listener(
            config.listen.desk,
            self._desk_material,
            DeskService(ports, door, self.sequencer, self._fetch, self._connect, watchlists=watchlists),
            AuditService(ports, door),
        )

    def start(self) -> None:
        """Check what was signed before, then open the doors.

        Raises `Refused` (ADDRESS_IN_USE), and as `check_journal`: an office whose journal is not the one that it signed does not open.
        """
        check_journal(self.ports)
        self._check_logs()
        note_changes(self.ports)
        erase.finish(self.ports)
        purge_attested(self.ports, self.ports.trust_domain)
        self.ports.subjects.load(self.ports.store)
        self.sequencer.start()
        self._partners.start()
        self._desk.start()
        self._supervisor.start()
        if self._witness:
            self._witness.start()
        if self._tips:
            self._tips.start()
        if self._console:
            self._console.start()
        self._witnessing.start()
        self._retention.start()
        if self._notifier:
            self._notifier.start()

    def stop(self) -> None:
        """Stop gracefully: no new calls, running ones end, what is queued is stored, then the store closes."""
        self.ports.signals.stop()
        if self._notifier:
            self._notifier.stop()
        self._witnessing.stop()
        if self._witness:
            self._witness.stop()
        if self._tips:
            self._tips.stop()
        if self._console:
            self._console.stop()
        self._desk.stop(_GRACE_SECONDS)
        self._partners.stop(_GRACE_SECONDS)
        self._supervisor.stop()
        self._retention.stop()
        self.sequencer.stop()
        self.ports.store.close()

    def run(self) -> None:
        """Run until SIGTERM or SIGINT, then stop gracefully."""
        configure_logging(json=not sys.stderr.isatty())
        sys.setswitchinterval(_SWITCH_SECONDS)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        self.start()
        # What is loaded by now stays until the end: the collector need not look through it again and again.
        gc.collect()
        gc.freeze()
        logger().info("running", party=self.ports.trust_domain)
        self._stop.wait()
        logger().info("stopping")
        self.stop()
        if self._contradicted:
            raise Conflict("JOURNAL_CONTRADICTED", "the journal contradicts what this node signed of it: start again to read what to do")

    def _tell_waiting(self) -> None:
        tell_waiting(self.ports, lambda items: self.sequencer.submit(items).result())

    def _fetch(self, partner: str, origin: str, start: int) -> exchange_service_pb2.FetchEntriesResponse:
        with self._connect(partner) as link:
            return link.entries(origin, start)

    def _cannot_journal(self) -> None:
        self._contradicted = True
        self._stop.set()

    def _connect(self, partner: str) -> ExchangeLink:
        known = self.ports.known.partners.get(partner)
        if known is None:
            raise NotFound("PARTNER_UNKNOWN", "this trust domain is not a partner: see `exchange partner list`")
        return ExchangeLink(known.node, self._node_material())

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stop.set()

    def _check_logs(self) -> None:
        # A restored backup is found before anything is signed; the log then stays stopped, and says why.
        with self.ports.store.read() as tx:
            own = [log for log in logs.all_logs(tx) if log.outbound and log.state == "open"]
        for log in own:
            try:
                check_high_water(self.ports, log)
            except ExchangeError as refused:
                logger().error("log stopped", origin=log.name.origin, code=refused.code)
                stop_log(self.ports, log, refused.code, partner=log.name.recipient)

    def _node_material(self) -> TlsMaterial:
        tls = self._config.tls
        # Every partner's authority may begin a handshake; the door then asks for the one of the trust domain that is named.
        authorities = [tls.node_ca.read_bytes()]
        for node in self.ports.known.nodes().values():
            authorities += [x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM) for der in node.descriptor.node_ca]
        return TlsMaterial(
            private_key=tls.node_key.read_bytes(), certificate=tls.node_certificate.read_bytes(), authorities=b"\n".join(authorities)
        )

    def _desk_material(self) -> TlsMaterial:
        tls = self._config.tls
        return TlsMaterial(
            private_key=tls.desk_key.read_bytes(), certificate=tls.desk_certificate.read_bytes(), authorities=tls.office_ca.read_bytes()
        )


def build(config: Config) -> Node:
    """Open everything that a node needs. Raises what opening keys, descriptors and the store raises."""
    store = open_store(config.store.database)
    own = read_own(config.store.descriptors)
    if own.trust_domain != config.node.trust_domain:
        raise Refused("DESCRIPTOR_OTHER_NODE", "the descriptor file is another node's than the configuration's")
    clock = SystemClock()
    log_signer = open_signer(config.keys.log)
    officers = {str(officer.id): officer for officer in config.officers}
    vault = Vault(read_master_key(Path(config.store.vault_key.removeprefix("file:"))), system_entropy)
    ports = Ports(
        trust_domain=config.node.trust_domain,
        training=config.node.training,
        country=country_of_alpha2(config.node.country).code,
        officers=officers,
        store=store,
        vault=vault,
        high_water=HighWater(config.store.high_water, LogKeys.of(own, log_signer)),
        journal=open_journal(store, vault, config.node.trust_domain, acting(officers), system_entropy),
        clock=clock,
        entropy=system_entropy,
        signers=Signers(
            agreement=open_signer(config.keys.agreement),
            log=log_signer,
            receipt=open_signer(config.keys.receipt),
            witness=open_signer(config.keys.witness),
            statement={
                str(PartyId(trust_domain=config.node.trust_domain, path=path)): open_signer(uri)
                for path, uri in (
                    *((f"/agency/{slug}", uri) for slug, uri in config.keys.statement.items()),
                    *([("/node", config.keys.recall)] if config.keys.recall else ()),
                )
            },
        ),
        acquaintance=Acquaintance(load_known(store, own, clock.now_ms(), policy_of(config))),
        signals=Signals(),
        streams=Streams(),
        witnessing=WitnessPlan(
            urls=config.witness.urls,
            policy=parse_policy(config.witness.policy.read_bytes()) if config.witness.policy else None,
            every_seconds=config.witness.every_seconds,
        ),
        justification_mandatory=config.node.justification_mandatory,
        duplicates_refuse=config.node.duplicates_refuse,
        retention=national_rule(config.retention),
        notices=NoticePlan(
            remind_before=config.notices.remind_before_minutes * MINUTE, escalate_after=config.notices.escalate_after_minutes * MINUTE
        ),
        tips=tip_plan(config),
        national=national_of(config),
        issuer=naming(config.oidc.issuer, config.oidc.claim),
        surroundings=surroundings_of(config),
    )
    return Node(config, ports)


def _tip_listener(config: Config, ports: Ports) -> TipListener | None:
    """The listener for NGOs, if the configuration has one. Raises `Malformed` (TLS_MATERIAL)."""
    tips = config.tips
    if not (tips.listen and tips.certificate and tips.key and tips.ngo_ca):
        return None
    context = mutual_tls13(tips.certificate, tips.key, tips.ngo_ca)
    return TipListener(tips.listen, tip_service(ports, x509.load_pem_x509_certificates(tips.ngo_ca.read_bytes())), context)


def _console(
    config: Config, ports: Ports, sequencer: Sequencer, connect: Callable[[str], ExchangeLink], watchlists: Watchlists
) -> HttpListener | None:
    """The web console, if the configuration has one. Raises as `console_listener` and `open_issuer`."""
    if not config.console.listen:
        return None
    # Its pages and catalogues take a moment to load, and most nodes of a test have none.
    from node.console.listener import console_listener
    from node.links.issuer_file import open_issuer

    return console_listener(config, ports, sequencer, connect, watchlists, open_issuer(config.oidc))


def tip_plan(config: Config) -> TipPlan | None:
    """How this country takes tips in, if it does. Raises as `read_tip_plan`, and `NotFound` (TIP_PLAN_ABSENT)."""
    if config.tips.plan is None:
        return None
    try:
        text = config.tips.plan.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise NotFound("TIP_PLAN_ABSENT", "the plan for tips is not where the configuration says: tips.plan") from None
    return read_tip_plan(text, config.node.trust_domain)


def surroundings_of(config: Config) -> Surroundings:
    """What ends or fills up by itself around a node of that configuration."""
    certificates = {
        "node": config.tls.node_certificate,
        "node-ca": config.tls.node_ca,
        "desk": config.tls.desk_certificate,
        "office-ca": config.tls.office_ca,
        "tips": config.tips.certificate,
        "ngo-ca": config.tips.ngo_ca,
    }
    return Surroundings(
        certificates={name: path for name, path in certificates.items() if path},
        places={"data": config.store.database.parent, "high-water": config.store.high_water},
        notices=bool(config.notices.mail or config.notices.webhooks),
    )


def policy_of(config: Config) -> PolicyPack | None:
    """The policy pack that the configuration names. Raises as `open_pack`, and `NotFound` (POLICY_ABSENT)."""
    if config.policy.pack is None:
        return None
    try:
        note = config.policy.pack.read_bytes()
    except OSError:
        raise NotFound("POLICY_ABSENT", "the policy pack is not where the configuration says: policy.pack") from None
    return open_pack(note, NoteVerifier.from_vkey(config.policy.key), config.node.country)


def national_of(config: Config) -> NationalClauses:
    """The national clauses that the configuration names. Raises as `load_national`, and `NotFound` (NATIONAL_ABSENT)."""
    if config.national.clauses is None:
        return NationalClauses()
    try:
        text = config.national.clauses.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise NotFound(
            "NATIONAL_ABSENT", "the national clauses are not a readable text where the configuration says: national.clauses"
        ) from None
    return load_national(text, config.node.trust_domain, config.agencies)
