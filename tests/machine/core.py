"""The machine itself: a federation, its oracle, the count of what happened, and what must hold after each healing.

Families of transitions are mixins, a file each (`telling`, `recalling`, `answering`, …). To add one: write a class that derives from
`Machine`, with rules made by `transition`, and with `OUTCOMES`, the closed list of what they can bring about; then name it in a
composition (`machines`, `life`, `within`). A rule that is never taken, and an outcome that never happens, fail the run.
"""

import random
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, TypeVar
from unittest.mock import patch

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from exchange.encoding import cut
from exchange.v1 import desk_service_pb2, disclosure_pb2, exchange_service_pb2
from node.operations import recover
from node.store import logs
from tests.countries import BORDER, DAY, NGO, POLICE, agency
from tests.federation import Federation, Stream
from tests.machine.books import CLASSES, CONTROLS, Books, Entry, Fact, Inbound, Kind, Outbound
from tests.machine.oracle import BATCH, Oracle
from tests.machine.transitions import outcomes_of, transition, transitions_of
from tests.recalls import codes, shown, status, told_waiting
from tests.rig import Office

Item = TypeVar("Item")
PERSONS = {BORDER: "border", POLICE: "police", NGO: "ngo"}
"""Who works at the desk of an agency of that class."""
LONGEST = 60 * DAY
"""How far a run's clock goes at most: keys, and the records of recalls, outlive it."""
EVERY = 9
"""Steps between two healings at least."""
AFTER_A_RESTORE = frozenset({"ADOPTED", "ENTRY_WITHOUT_ALERT", "RECEIPT_BEYOND_LOG"})
"""What a check of the records finds of an office that lost content with an old backup, and says so.

The last while its own receipts, adopted from the sender, are ahead of the entries, which come again after them.
"""


class Machine(RuleBasedStateMachine):
    """Offices, and what must be so at each."""

    NAMES: ClassVar[tuple[str, ...]] = ("gb", "kh")
    OUTCOMES: ClassVar[frozenset[str]] = frozenset(
        {
            *(f"delivery: withheld as {code}" for code in ("ERASED", "WITHDRAWN", "EXPIRED", "LAPSED")),
            *(f"delivery: refused as {code}" for code in ("NOT_AGREED", "REQUIRED_MISSING", "WITHDRAWN", "CONFLICT")),
            *(f"delivery: {kind} taken" for kind in ("withdrawal", "restriction", "lifting", "correction", "attestation")),
            "delivery: report on a withdrawn alert taken",
            "delivery: report on what a backup lost",
            "delivery: told again what was erased",
            "delivery: withdrawal of what never came",
            "receipt: late, kept, with an alarm",
            "heal: converged",
            "heal: recovered a log",
            "heal: told what had waited",
        }
    )
    RARE: ClassVar[frozenset[str]] = frozenset(
        {
            "approve: approved, and refused at release",
            "delivery: refused as CONFLICT",
            "delivery: refused as REQUIRED_MISSING",
            "delivery: refused as WITHDRAWN",
            "delivery: told again what was erased",
        }
    )
    """May come about, and need not in a short run: each takes a chain of accidents, and has a test of its own."""
    ORACLE: ClassVar[type[Oracle]] = Oracle
    WEIGHTS: ClassVar[Mapping[str, int]] = {}
    """By name of a transition, where a composition draws it more or less often than its family says."""
    tally: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.place = tempfile.TemporaryDirectory()
        self.patch = patch("node.operations.deliver.CAP_BATCH_DELIVERIES", BATCH)
        self.patch.start()
        self.federation = Federation(Path(self.place.name), *self.NAMES)
        self.clock = self.federation.clock
        self.began = self.clock.now_ms()
        self.oracle = self.ORACLE(books={name: Books(country=name) for name in self.NAMES}, now=self.clock.now_ms, happened=self.happened)
        self.restored: set[str] = set()
        """Offices whose database was ever older than what they had done."""
        self.cut: set[frozenset[str]] = set()
        self.since = 0
        """Steps since the last healing."""
        self.failed = False

    @initialize()
    def meet(self) -> None:
        """Everybody knows everybody, and every log has begun."""
        for one, other in self.pairs(both=False):
            self.federation.introduce(one, other)
            self.federation.carry()
        self.federation.pump()
        for one, other in self.pairs():
            self.books(one).out[other], self.books(one).inn[other] = Outbound(), Inbound()
        self.begin()

    def begin(self) -> None:
        """What else there is at first; mixins add to it."""

    def teardown(self) -> None:
        """In the end all is healed once more, and must be well."""
        try:
            if not self.failed and self.books(self.NAMES[0]).out:
                self.healed()
        finally:
            self.federation.close()
            self.patch.stop()
            self.place.cleanup()

    @rule(drawn=st.integers(0, 2**24 - 1))
    def step(self, drawn: int) -> None:
        """Something happens. One number says what, so that every family has its share of each run, whatever was drawn before."""
        chance = self.chance(drawn)
        possible = [one for one in transitions_of(type(self)) if one.when(self)]
        (what,) = chance.choices(possible, [self.WEIGHTS.get(one.name, one.weight) for one in possible])
        arguments = {name: chance.choice(values) for name, values in what.arguments.items()}
        self.tally[f"rule {what.name}"] += 1
        self.since += 1
        note(f"{what.name}({', '.join(f'{name}={value!r}' for name, value in arguments.items())})")
        try:
            what.function(self, **arguments)
        except BaseException:
            self.failed = True  # then nothing is healed at the end: the first thing that was wrong is to be reported
            raise

    def chance(self, drawn: int) -> random.Random:
        """What decides all of a step, from the number that was drawn for it."""
        return random.Random(drawn)

    # What the mixins use

    def happened(self, outcome: str) -> None:
        """Count an outcome of the closed list."""
        assert outcome in outcomes_of(type(self)), f"not in the closed list: {outcome}"
        self.tally[outcome] += 1

    def books(self, country: str) -> Books:
        """What an office must know."""
        return self.oracle.books[country]

    @property
    def facts(self) -> dict[bytes, Fact]:
        return self.oracle.facts

    def now(self) -> int:
        return self.clock.now_ms()

    def office(self, country: str) -> Office:
        return self.federation[country]

    def country(self, number: int) -> str:
        return self.NAMES[number % len(self.NAMES)]

    def pairs(self, *, both: bool = True) -> list[tuple[str, str]]:
        """Of two countries; each in both directions, or once."""
        return [(one, other) for one in self.NAMES for other in self.NAMES if one != other and (both or one < other)]

    def reach(self, one: str, other: str) -> bool:
        """Whether anything passes between two."""
        suspended = other in self.books(one).suspended or one in self.books(other).suspended
        return frozenset((one, other)) not in self.cut and not suspended

    def pick(self, candidates: Sequence[Item], number: int) -> Item:
        """One of the newest few: what happened lately is what races."""
        return candidates[-1 - number % min(len(candidates), 5)]

    def manifests(self) -> list[tuple[str, bytes]]:
        """(country, digest) of every alert that an office knows as its own, oldest first."""
        ours = {(fact.country, digest) for digest, fact in self.facts.items() if fact.kind is Kind.ALERT}
        return [
            (country, digest)
            for digest in self.facts
            for country in self.NAMES
            if (country, digest) in ours and digest in self.books(country).own
        ]

    def holdings(self) -> list[tuple[str, bytes, str]]:
        """(country, digest, agency) of every alert in an inbox, in the order in which they were released."""
        return [
            (country, digest, party)
            for digest, fact in self.facts.items()
            if fact.kind is Kind.ALERT
            for country in self.NAMES
            if digest in self.books(country).held
            for party in sorted(self.books(country).held[digest].inboxes)
        ]

    def person_of(self, party: str) -> str:
        """Who works at that agency's desk."""
        return PERSONS[next(one for one in CLASSES for country in self.NAMES if agency(country, one) == party)]

    def is_(self, answer: desk_service_pb2.PublishedAlert, expected: set[str], what: str) -> bool:
        """Whether it was released; that, and every code of a refusal, must be as expected."""
        found = codes(answer)
        assert found == expected, f"{what}: {sorted(found)}, expected {sorted(expected)}"
        return not found

    # Streams

    def deliver(self, sender: str, recipient: str, *, batches: int = 1_000, taken: bool = True, settled: bool = True) -> int:
        """Let so many batches pass one way; of the last one perhaps not taken, or its receipt not. Returns how many passed."""
        if not self.reach(sender, recipient) or self.books(sender).out[recipient].stopped:
            return 0
        stream = Stream(self.office(sender), self.office(recipient))
        going = self.oracle.greet(sender, recipient)
        passed = 0
        while passed < batches and (batch := stream.send()) is not None:
            passed += 1
            last = passed == batches
            withheld = self.oracle.send(going, len(batch.deliveries))
            self._as_expected(batch, withheld, going.place - len(batch.deliveries), going.out.entries)
            if last and not taken:
                break
            receipt = stream.take(batch)
            self.oracle.take(going, withheld, len(batch.deliveries))
            if last and not settled:
                break
            if receipt is not None:
                stream.settle(receipt)
            self.oracle.settle(going)
        else:
            stream.alive()
        return passed

    def _as_expected(self, batch: disclosure_pb2.Batch, withheld: Mapping[int, str], first: int, entries: Sequence[Entry]) -> None:
        for index, delivery in enumerate(batch.deliveries, first):
            said = disclosure_pb2.WithheldCode.Name(delivery.withheld).removeprefix("WITHHELD_CODE_") if delivery.withheld else ""
            assert said == withheld.get(index, ""), f"entry {index}: withheld as {said or 'nothing'}, expected {withheld.get(index)}"
            assert {opening.field for opening in delivery.openings} <= _all_of(entries[index]), f"entry {index} opens too much"

    def flow(self) -> None:
        """Deliver whatever can be delivered, until nothing waits."""
        while sum(self.deliver(one, other) for one, other in self.pairs()):
            pass

    # Healing

    @transition(weight=4, when=lambda self: self.since >= EVERY)
    def heal(self) -> None:
        """Everybody reaches everybody, lost logs are recovered, and all is delivered: then everything must be as the oracle says."""
        self.healed()

    def healed(self) -> None:
        """Heal, and look everywhere."""
        self.since = 0
        self.cut.clear()
        self.federation.heal()
        self.flow()
        self.recover()
        for country in self.NAMES:
            waited = told_waiting(self.office(country))
            assert waited == self.oracle.tell_waiting(country), f"{country} told {waited} that had waited"
            if waited:
                self.happened("heal: told what had waited")
        self.flow()
        self.look()
        self.happened("heal: converged")

    def recover(self) -> None:
        """Administrators recover the logs that restored databases lack, so far as they reach who has them."""
        for one, other in self.pairs():
            if self.books(one).out[other].stopped and self.reach(one, other):
                self._recover(one, other)

    def _recover(self, one: str, other: str) -> None:
        office = self.office(one)

        def ask(partner: str, origin: str, start: int) -> exchange_service_pb2.FetchEntriesResponse:
            return self.federation.fetch(one, partner, origin, start)

        adopted = recover.recover_log(office.ports, office.person("administrator"), office.outbound(self.office(other)).name.origin, ask)
        assert adopted == self.oracle.recover(one, other)
        self.happened("heal: recovered a log")

    def look(self) -> None:
        """The invariants."""
        for one, other in self.pairs():
            self.see_log(one, other)
        for country in self.NAMES:
            for digest in self.books(country).own:
                if self.facts[digest].kind is Kind.ALERT:
                    self.see_own(country, digest)
            self.see_records(country)
        inboxes = {party: self.inbox(country, party) for country, party in {(country, party) for country, _, party in self.holdings()}}
        for country, digest, party in self.holdings():
            self.see(country, digest, party, inboxes[party])
        self.see_nothing_returned()

    def see_log(self, one: str, other: str) -> None:
        """The log of two countries is what the oracle says, and where they reach each other both hold the same."""
        sender, recipient = self.office(one), self.office(other)
        log, mirror = sender.outbound(recipient), recipient.mirror(sender)
        expected = self.books(one).out[other]
        with sender.ports.store.read() as tx:
            rows = [disclosure_pb2.Entry.FromString(row.entry) for row in logs.entry_rows(tx, log.id, 0, log.size)]
            ours = [(row.size, row.statement) for row in logs.receipts_above(tx, log.id, 0, 10_000)]
        with recipient.ports.store.read() as tx:
            theirs = [(row.size, row.statement) for row in logs.receipts_above(tx, mirror.id, 0, 10_000)]
            excepted = set(logs.exception_codes(tx, mirror.id, 0, mirror.size))
        assert len(rows) == len(expected.entries)
        for row, entry in zip(rows, expected.entries, strict=True):
            assert (row.manifest_digest, frozenset(row.audience)) == (entry.digest, entry.audience)
            assert entry.kind in CONTROLS or frozenset(row.fields) == entry.fields
        if self.reach(one, other) and not expected.stopped:
            assert log.frontier == mirror.frontier, f"{one} and {other} hold different logs"
            assert ours == theirs, f"{one} and {other} hold different receipts"
            assert not ours or ours[-1][0] == log.size, f"{one} to {other} is not receipted to its end"
            assert excepted == self.books(other).inn[one].excepted

    def see_own(self, country: str, digest: bytes) -> None:
        """How an alert stands at its originator, and who owes what."""
        books, office = self.books(country), self.office(country)
        state, said = books.standing(digest, self.facts), status(office, digest)
        flags = [flag for flag in said.summary.flags if flag != "EXPIRED"]
        assert flags == ([] if state == "active" else [state.upper()]), f"{country}: own alert {digest.hex()[:8]} reads {flags}"
        names = desk_service_pb2.AttestationStage
        found = {}
        for one in said.attestations:
            if one.manifest_digest == digest:
                stage = names.Name(one.stage).removeprefix("ATTESTATION_STAGE_")
                found[one.agency] = stage if stage in {"NOT_HELD", "ATTESTED"} else "OPEN"
        expected = self.owed(country, digest)
        assert found == expected, f"{country}: attestations of {digest.hex()[:8]} are {found}, expected {expected}"

    def owed(self, country: str, digest: bytes) -> dict[str, str]:
        """How the attestation of everybody who was told of an alert stands at its originator; nothing before it is withdrawn."""
        books = self.books(country)
        return {party: stage for party in books.audience([digest]) if (stage := books.stage(digest, party))}

    def inbox(self, country: str, party: str) -> dict[bytes, list[str]]:
        """The flags of each alert in an agency's inbox, without those that follow from the clock or from a rival."""
        passing = {"CONFLICT", "EXPIRED", "NOT_CONFIRMED"}
        received = self.office(country).received(self.person_of(party))
        return {one.manifest_digest: [flag for flag in one.flags if flag not in passing] for one in received}

    def open(self, country: str, digest: bytes, party: str) -> desk_service_pb2.GetInboxAlertResponse:
        """An alert as an agency's desk reads it."""
        return shown(self.office(country), digest, self.person_of(party))

    def flags(self, country: str, digest: bytes, party: str) -> list[str]:
        """How an alert must read in an agency's inbox; mixins that tell agencies otherwise than from abroad say more."""
        return self.books(country).flags(digest, party, self.facts)

    def remarks(self, _country: str, _digest: bytes, _party: str) -> list[str]:
        """Flags behind those: mixins add theirs."""
        return []

    def readable(self, country: str, digest: bytes, party: str) -> frozenset[int]:
        """The fields with a value that an agency must be able to read."""
        return self.books(country).readable(digest, party, self.facts)

    def see(self, country: str, digest: bytes, party: str, inbox: Mapping[bytes, Sequence[str]]) -> None:
        """What an agency reads of an alert, and under which flags: what it was given, and nothing of what is blocked."""
        found = inbox.get(digest)
        expected = [*self.flags(country, digest, party), *self.remarks(country, digest, party)]
        assert found == expected, f"{party} reads {found} of {digest.hex()[:8]}, expected {expected}"
        view = frozenset(cut(self.open(country, digest, party).view))
        assert view == self.readable(country, digest, party), f"{party} reads other fields of {digest.hex()[:8]}: {sorted(view)}"

    def see_records(self, country: str) -> None:
        """The records of an office are sound, its journal included, and every alarm is explained."""
        office = self.office(country)
        found, explained = set(office.fsck()), self.explained(country)
        assert found <= explained, f"{country}: a check of the records finds {sorted(found - explained)}"
        alarms = office.alarms() - self.books(country).alarms
        assert alarms <= {"HIGH_WATER_ROLLBACK"} & explained, f"{country}: alarms that nothing explains: {sorted(alarms)}"

    def explained(self, country: str) -> set[str]:
        """What a check of an office's records may find."""
        explained = set(AFTER_A_RESTORE) if country in self.restored else set()
        if self.books(country).intended:
            explained.add("ERASURE_UNDER_WAY")
        if any(log.stopped for log in self.books(country).out.values()):
            explained.add("HIGH_WATER_ROLLBACK")
        return explained

    def see_nothing_returned(self) -> None:
        """Whatever a country was ever told is withdrawn reads nowhere in it, whatever else the oracle says.

        Where both it and the originator lost that with their databases, nobody may act on it: what was said is not known any more.
        """
        for country, digest in self.oracle.withdrawn:
            if digest not in self.books(country).held or any(not self.reach(one, other) for one, other in self.pairs()):
                continue
            for party in self.books(country).held[digest].inboxes:
                read = self.open(country, digest, party)
                lost = self.facts[digest].country in self.restored and "DISPUTED" in read.summary.flags
                assert lost or not read.view, f"{digest.hex()[:8]} came back to {party}"


def _all_of(entry: Entry) -> frozenset[int]:
    return frozenset(range(1, 65)) if entry.kind in CONTROLS else entry.fields
