"""Several offices and what passes between them, without a network: every message goes through its bytes, as on the wire."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import permutations
from pathlib import Path

from exchange.encoding import AnyMessage
from exchange.v1 import agreement_pb2, desk_service_pb2, disclosure_pb2, exchange_service_pb2, statement_pb2
from node.operations import agreements, deliver, fetch, partners, receive, succeed
from node.store import logs
from tests.countries import agreement
from tests.rig import ManualClock, Office, office


def wire(message: AnyMessage) -> AnyMessage:
    """The message as the other side reads it."""
    return type(message).FromString(message.SerializeToString())


class Stream:
    """One subscription: the recipient greets, the sender answers, and what was lost is made good. Then `step` or `run`."""

    def __init__(self, sender: Office, recipient: Office, *, offered: disclosure_pb2.Hello | None = None) -> None:
        self.sender, self.recipient = sender, recipient
        greeting = offered or receive.hello(recipient.ports, sender.domain)
        self.state, self.outgoing = deliver.answer_hello(sender.ports, sender.knows(recipient), wire(greeting))
        self.incoming, missing = receive.take_state(recipient.ports, recipient.knows(sender), wire(self.state))
        for receipt in missing:
            self.settle(receipt)

    def send(self) -> disclosure_pb2.Batch | None:
        """The sender's next batch."""
        return deliver.next_batch(self.sender.ports, self.outgoing)

    def take(self, batch: disclosure_pb2.Batch) -> statement_pb2.Statement | None:
        """The recipient keeps a batch and answers with its receipt."""
        self.incoming, receipt = receive.receive(self.recipient.ports, self.recipient.knows(self.sender), self.incoming, wire(batch))
        return receipt

    def settle(self, receipt: statement_pb2.Statement) -> None:
        """The sender takes a receipt."""
        deliver.settle(self.sender.ports, self.sender.knows(self.recipient), self.outgoing, wire(receipt))

    def alive(self) -> None:
        """The sender says that the log stands; the recipient compares."""
        statement = deliver.alive(self.sender.ports, self.outgoing)
        if statement is not None:
            receive.take_alive(self.recipient.ports, self.recipient.knows(self.sender), self.incoming, wire(statement))

    def run(self) -> int:
        """Deliver until nothing waits; returns how many batches that took."""
        batches = 0
        while (batch := self.send()) is not None:
            batches += 1
            receipt = self.take(batch)
            if receipt is not None:
                self.settle(receipt)
        self.alive()
        return batches


def same_log(sender: Office, recipient: Office) -> bool:
    """Whether both hold one log, receipted to its end by the same receipts."""
    ours, theirs = sender.outbound(recipient), recipient.mirror(sender)
    with sender.ports.store.read() as here, recipient.ports.store.read() as there:
        receipts = [logs.receipts_above(here, ours.id, 0, 1000), logs.receipts_above(there, theirs.id, 0, 1000)]
    told = [[(row.size, row.statement) for row in side] for side in receipts]
    return ours.frontier == theirs.frontier and told[0] == told[1] and told[0][-1][0] == ours.size


class Federation:
    """Offices by country, and which of them cannot reach each other."""

    def __init__(self, directory: Path, *countries: str) -> None:
        self.clock = ManualClock()
        self.offices = {country: office(country, directory, self.clock) for country in countries}
        self._cut: set[frozenset[str]] = set()

    def __getitem__(self, country: str) -> Office:
        return self.offices[country]

    def close(self) -> None:
        for one in self.offices.values():
            one.close()

    def connect(self, one: str, other: str, content: agreement_pb2.Agreement | None = None) -> desk_service_pb2.AgreementSummary:
        """Make two countries partners, with an agreement in force (by default `countries.agreement()`)."""
        self.introduce(one, other)
        drafted = agreements.draft(self[one].ports, self[one].person("administrator"), content or agreement(one, other))
        self.carry()
        agreements.accept(self[other].ports, self[other].person("administrator"), drafted.digest.hex())
        self.carry()
        return agreements.get(self[one].ports, self[one].person("administrator"), drafted.digest.hex())

    def introduce(self, one: str, other: str) -> None:
        """Each adds the other as a partner."""
        for host, guest in ((self[one], self[other]), (self[other], self[one])):
            own = partners.own_descriptor(guest.ports, guest.person("administrator"))
            partners.add_partner(host.ports, host.person("administrator"), own.descriptors, own.identity_fingerprint)

    def cut(self, one: str, other: str) -> None:
        """From now on nothing passes between these two."""
        self._cut.add(frozenset((one, other)))

    def heal(self) -> None:
        """Everybody reaches everybody again."""
        self._cut.clear()

    def pump(self) -> int:
        """Deliver until nothing waits anywhere; returns how many batches that took."""
        total = 0
        for one, other in permutations(self.offices, 2):
            if self._reaches(one, other):
                total += Stream(self[one], self[other]).run()
        return total

    def carry(self) -> None:
        """Carry agreements and successions to whom they are for."""
        for host in self.offices.values():
            for operation in (agreements, succeed):
                for row in operation.undelivered(host.ports):
                    guest = next(one for one in self.offices.values() if one.domain == row.partner)
                    if not self._reaches(host.country, guest.country):
                        continue
                    statement = statement_pb2.Statement.FromString(row.statement)
                    take = operation.receive_proposal if row.state == "proposed" else operation.receive_countersigned
                    take(guest.ports, guest.knows(host), statement)
                    operation.mark_delivered(host.ports, row.digest)

    def fetch(self, host: str, partner: str, origin: str, start: int) -> exchange_service_pb2.FetchEntriesResponse:
        """What `partner` (a trust domain) answers when `host` asks for entries."""
        guest = next(one for one in self.offices.values() if one.domain == partner)
        request = exchange_service_pb2.FetchEntriesRequest(origin=origin, **{"from": start})
        return wire(fetch.entries(guest.ports, self[host].domain, request))

    def _reaches(self, one: str, other: str) -> bool:
        known, asked = self[one].ports.known.partners, self[other].ports.known.partners
        here, there = known.get(self[other].domain), asked.get(self[one].domain)
        return (
            frozenset((one, other)) not in self._cut and here is not None and there is not None and not (here.suspended or there.suspended)
        )


@contextmanager
def federation(directory: Path, *countries: str) -> Iterator[Federation]:
    """Offices that close at the end."""
    made = Federation(directory, *countries)
    try:
        yield made
    finally:
        made.close()
