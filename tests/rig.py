"""One country's office in this process: a real store and real keys from labels, a clock that tests move, no network.

The officers of `person(country, name)`: `liaison`, `second` (a liaison officer too) and `police` of the police agency, `border` of the
border agency, `both` of the border agency (liaison and partner officer), `ngo` of the children's organisation, `auditor`, `administrator`.
"""

import hashlib
import itertools
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from exchange.directory import KnownNode
from exchange.encoding import encode
from exchange.errors import ExchangeError
from exchange.journal import SALT_SIZE
from exchange.tlog.merkle import leaf_hash
from exchange.v1 import desk_service_pb2, disclosure_pb2, handling_pb2, hit_report_pb2, receipt_pb2
from exchange.v1.journal_pb2 import JournalAccountability
from exchange.values import PartyId
from node.config import OfficerEntry
from node.operations.control_drafts import prepare_all
from node.operations.fsck import check_store
from node.operations.inbox import list_inbox
from node.operations.officers import acting
from node.operations.outbox import get_status
from node.operations.partners import load_known
from node.operations.report import report_hit
from node.operations.sequence import sequence
from node.operations.sign import check_high_water, stop_log
from node.policy.pack import PolicyPack
from node.ports import Acquaintance, Ports, Signals, Signers, Streams
from node.store import logs
from node.store.directory import all_alarms
from node.store.engine import open_store
from node.store.high_water import HighWater, LogKeys
from node.store.journal import ACCOUNTABILITY, Kind, open_journal
from node.store.vault import Vault
from tests import builders
from tests.countries import BORDER, DAY, NGO, NOW, POLICE, TRAVEL, agency, changed, domain, key, node, node_id

ROLES: Mapping[str, tuple[tuple[str, ...], int]] = {
    "liaison": (("liaison officer",), POLICE),
    "second": (("liaison officer",), POLICE),
    "police": (("partner officer",), POLICE),
    "border": (("partner officer",), BORDER),
    "ngo": (("partner officer",), NGO),
    "both": (("liaison officer", "partner officer"), BORDER),
    "auditor": (("auditor",), 0),
    "administrator": (("administrator",), 0),
}


class ManualClock:
    """Time stands still until a test moves it."""

    def __init__(self, now: int = NOW) -> None:
        self.time = now

    def now_ms(self) -> int:
        return self.time

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.time / 1000, UTC)

    def pass_(self, milliseconds: int) -> None:
        self.time += milliseconds


@cache
def _empty_database() -> bytes:
    # Migrations take their time, and are the same for every office.
    with TemporaryDirectory() as place:
        open_store(Path(place) / "node.db").close()
        return (Path(place) / "node.db").read_bytes()


def counted_entropy(label: str) -> Callable[[int], bytes]:
    """Bytes that never repeat, and are the same in every run."""
    counter = itertools.count()

    def entropy(size: int) -> bytes:
        return hashlib.shake_256(b"%s %d" % (label.encode(), next(counter))).digest(size)

    return entropy


def master_key(country: str) -> bytes:
    """What seals the country's store."""
    return hashlib.sha256(country.encode()).digest()


def person(country: str, name: str) -> str:
    """SPIFFE ID of an officer, auditor or administrator."""
    return f"spiffe://{domain(country)}/{'auditor' if name == 'auditor' else 'officer'}/{name}"


_requests = itertools.count(1)


@dataclass(slots=True)
class Office:
    """A node without its doors."""

    country: str
    directory: Path
    clock: ManualClock
    own: KnownNode
    policy: PolicyPack | None = None
    """Outlives a restart, as a configured pack does."""
    configured: Mapping[str, Any] = field(default_factory=dict)
    """What else its configuration says, by fields of `Ports`: so does that."""
    ports: Ports = field(init=False)
    _entropy: Callable[[int], bytes] = field(init=False)

    def __post_init__(self) -> None:
        for name in ("data", "high-water"):
            (self.directory / name).mkdir(parents=True)
        (self.directory / "data/node.db").write_bytes(_empty_database())
        self._entropy = counted_entropy(self.country)
        self.open()

    @property
    def domain(self) -> str:
        return domain(self.country)

    def person(self, name: str) -> str:
        return person(self.country, name)

    def open(self) -> None:
        """Everything that a node does before it opens its doors."""
        store = open_store(self.directory / "data/node.db")
        officers = {entry_id: entry for name in ROLES for entry_id, entry in [self._officer(name)]}
        vault = Vault(master_key(self.country), self._entropy)
        self.ports = Ports(
            trust_domain=self.domain,
            training=self.own.descriptor.training,
            officers=officers,
            store=store,
            vault=vault,
            high_water=HighWater(self.directory / "high-water", LogKeys.of(self.own, key(self.country, "log"))),
            journal=open_journal(store, vault, self.domain, acting(officers), self._entropy),
            clock=self.clock,
            entropy=self._entropy,
            signers=Signers(
                agreement=key(self.country, "agreement"),
                log=key(self.country, "log"),
                receipt=key(self.country, "receipt"),
                witness=key(self.country, "witness"),
                statement={
                    agency(self.country, agency_class): key(self.country, builders.agency_name(self.country, agency_class))
                    for agency_class in (BORDER, POLICE, NGO)
                }
                | {node_id(self.country): key(self.country, "node")},
            ),
            acquaintance=Acquaintance(load_known(store, self.own, self.clock.now_ms(), self.policy)),
            signals=Signals(),
            streams=Streams(),
            # The alerts of most tests are all about one made-up person; test_duplicates refuses as a node does by itself.
            duplicates_refuse=False,
        )
        self.ports = replace(self.ports, **self.configured)
        with store.read() as tx:
            ours = [log for log in logs.all_logs(tx) if log.outbound and log.state == "open"]
        for log in ours:
            try:
                check_high_water(self.ports, log)
            except ExchangeError as refused:
                stop_log(self.ports, log, refused.code, partner=log.name.recipient)

    def close(self) -> None:
        self.ports.store.close()

    def restart(self) -> None:
        """Lose all that is not durable."""
        self.close()
        self.open()

    def backup(self, place: Path) -> Path:
        """Copy the database, as an administrator would; the high-water record is never part of a backup."""
        self.close()
        place.mkdir()
        shutil.copy(self.directory / "data/node.db", place / "node.db")
        self.open()
        return place / "node.db"

    def restore(self, backup: Path) -> None:
        """Go back to an old database."""
        self.close()
        for path in (self.directory / "data").glob("node.db*"):
            path.unlink()
        shutil.copy(backup, self.directory / "data/node.db")
        self.open()

    def knows(self, other: "Office") -> KnownNode:
        return self.ports.known.partners[other.domain].node

    def publish(
        self, draft: desk_service_pb2.Draft, name: str = "liaison", reason: str = "synthetic reason"
    ) -> desk_service_pb2.PublishedAlert:
        """Release one draft; the answer may hold problems instead."""
        (published,) = sequence(self.ports, prepare_all(self.ports, self.person(name), [draft], reason))
        return published

    def report(self, reference: str, name: str = "border", **changes: Any) -> desk_service_pb2.PublishedAlert:
        """Report REFUSED_ENTRY for an alert in the inbox of that officer's agency. Changes are fields of `ReportHitRequest`."""
        wanted = desk_service_pb2.ReportHitRequest(
            request_id=next(_requests).to_bytes(16, "big"),
            alert=reference,
            report=hit_report_pb2.HitReport(
                outcome=hit_report_pb2.HIT_OUTCOME_REFUSED_ENTRY, desk={"unit": "Example desk", "channel": "+855 23 000 000"}
            ),
            reason="synthetic reason",
        )
        return report_hit(self.ports, self.person(name), changed(wanted, **changes), lambda item: sequence(self.ports, [item])[0])

    def received(self, name: str = "border") -> list[desk_service_pb2.AlertSummary]:
        """The inbox of that officer's agency, in its order."""
        return list(list_inbox(self.ports, self.person(name), desk_service_pb2.ListInboxRequest(page_size=500)).alerts)

    def fates(self, digest: bytes) -> list[tuple[str, str, str]]:
        """(state, exception, withheld) of each disclosure of an alert that the police released."""
        return [
            (
                desk_service_pb2.DisclosureState.Name(item.state).removeprefix("DISCLOSURE_STATE_"),
                receipt_pb2.ExceptionCode.Name(item.exception).removeprefix("EXCEPTION_CODE_"),
                disclosure_pb2.WithheldCode.Name(item.withheld).removeprefix("WITHHELD_CODE_"),
            )
            for item in get_status(self.ports, self.person("liaison"), digest.hex()).disclosures
        ]

    def log_again(self, to: "Office", index: int, **changes: Any) -> int:
        """Log once more what stands at `index` of our log, with changes to the entry; no verb of this version does that yet."""
        log = self.outbound(to)
        with self.ports.store.write() as tx:
            (row,) = logs.entry_rows(tx, log.id, index, index + 1)
            entry = disclosure_pb2.Entry.FromString(row.entry)
            data = encode(changed(entry, disclosed_at=log.last_disclosed_at, **changes))
            leaf = leaf_hash(data)
            new = {"log_id": log.id, "idx": log.size, "entry": data, "leaf": leaf, "alert_ref": row.alert_ref, "sealed": row.sealed}
            logs.grow(tx, log, log.frontier.append(leaf), [new], disclosed_at=log.last_disclosed_at, control_size=log.control_size)
        return log.size

    def outbound(self, to: "Office", generation: int = 1) -> logs.LogRow:
        """Our log towards another office."""
        return self._log(builders.log_name(self.country, to.country, generation).origin)

    def mirror(self, of: "Office", generation: int = 1) -> logs.LogRow:
        """Our mirror of another office's log towards us."""
        return self._log(builders.log_name(of.country, self.country, generation).origin)

    def _log(self, origin: str) -> logs.LogRow:
        with self.ports.store.read() as tx:
            found = logs.find_log(tx, origin)
        assert found is not None
        return found

    def alarms(self) -> set[str]:
        with self.ports.store.read() as tx:
            return {alarm.code for alarm in all_alarms(tx)}

    def journal(self) -> list[tuple[str, str, str, str]]:
        """(kind, who, what it was done to, code), oldest first: `who` is the person if there was one, else the party."""
        events = []
        with self.ports.store.read() as tx:
            for row in self.ports.journal.rows(tx, 0, self.ports.journal.edge(tx).frontier.size):
                detail = self.ports.journal.detail(tx, row.idx, ACCOUNTABILITY)
                who = JournalAccountability.FromString(detail[SALT_SIZE:]).person if detail else row.party
                place = f"{row.origin}#{row.first}+{row.count}" if row.count else row.origin
                what = row.subject.hex() or place or row.counterparty
                events.append((Kind.Name(row.kind).removeprefix("JOURNAL_KIND_").lower(), who, what, row.code))
        return events

    def findings(self) -> list[desk_service_pb2.Finding]:
        """What a check of the whole store finds."""
        return check_store(self.ports.store, self.ports.vault, self.ports.high_water, self.ports.known).found

    def fsck(self) -> list[str]:
        """The codes of what a check of the whole store finds."""
        return [finding.code for finding in self.findings()]

    def _officer(self, name: str) -> tuple[str, OfficerEntry]:
        roles, agency_class = ROLES[name]
        party = PartyId.parse(self.person(name))
        works_for = PartyId.parse(agency(self.country, agency_class)) if agency_class else None
        return str(party), OfficerEntry(id=party, roles=roles, agency=works_for)


def draft(*recipients: str, **changes: Any) -> desk_service_pb2.Draft:
    """A travel alert (`builders.alert()`) to those agencies, ready to release. Changes are fields of `Draft`."""
    wanted = desk_service_pb2.Draft(
        request_id=next(_requests).to_bytes(16, "big"),
        alert_type=TRAVEL,
        alert=encode(builders.alert()),
        recipients=recipients,
        purpose=handling_pb2.PURPOSE_PREVENTION,
        handling=builders.handling(),
        not_after=NOW + 20 * DAY,
    )
    return changed(wanted, **changes)


def office(country: str, directory: Path, clock: ManualClock) -> Office:
    """A fresh office of one of the countries of `tests.countries`."""
    return Office(country=country, directory=directory / country, clock=clock, own=node(country))
