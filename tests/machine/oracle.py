"""The machine's oracle: the books of every office, and what a delivery between two of them does to these."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field

from tests.countries import POLICE, TRAVEL, agency
from tests.machine.books import (
    CLAUSE_DAYS,
    CONTROLS,
    RECALLS,
    Books,
    Entry,
    Fact,
    Holding,
    Inbound,
    Kind,
    Outbound,
    Own,
    Said,
    Treaty,
    kept_until,
    place_of,
)

BATCH = 2
"""Deliveries in a batch while the machine runs, so that a stream can break off in the middle."""
SKEW = 120_000


@dataclass(slots=True, kw_only=True)
class Going:
    """One stream as the oracle follows it."""

    sender: Books
    recipient: Books
    place: int
    """How many entries this stream has sent."""

    @property
    def out(self) -> Outbound:
        return self.sender.out[self.recipient.country]

    @property
    def inn(self) -> Inbound:
        return self.recipient.inn[self.sender.country]


@dataclass(slots=True, kw_only=True)
class Oracle:
    """What must be so at every office."""

    books: dict[str, Books]
    now: Callable[[], int]
    happened: Callable[[str], None]
    """Told of each thing worth counting."""
    facts: dict[bytes, Fact] = field(default_factory=dict)
    took: list[Callable[[Books, list[Entry]], None]] = field(default_factory=list)
    """Told of what an office took of one batch, after all else."""
    adopted: list[Callable[[Books, list[Entry]], None]] = field(default_factory=list)
    """Told of what an office adopted of its own log from a partner's mirror, after all else."""
    gone: list[Callable[[Books, list[bytes]], None]] = field(default_factory=list)
    """Told of what an office erased."""
    withdrawn: set[tuple[str, bytes]] = field(default_factory=set)
    """(country, manifest): that country was told of a withdrawal, and may have forgotten, but never reads it again once all is well."""

    # What an office releases

    def release(self, country: str, fact: Fact, entries: dict[str, list[Entry]]) -> None:
        """Something new of an office, with its entries by partner; a stopped log takes only what may wait, and it waits."""
        self.facts[fact.digest] = fact
        books = self.books[country]
        books.own[fact.digest] = Own(erase_by=kept_until(self.now(), [fact.retention_days]))
        for partner, rows in entries.items():
            if books.out[partner].stopped:
                assert fact.kind in CONTROLS, "only a recall or an attestation may wait for a log"
                books.untold.append((fact.digest, partner))
            else:
                books.out[partner].entries += rows

    def recall(self, country: str, fact: Fact, audience: dict[str, frozenset[str]]) -> None:
        """A control alert of an office to those agencies, by partner."""
        self.release(country, fact, {partner: [self.entry_of(fact, to)] for partner, to in audience.items()})
        books, everybody = self.books[country], frozenset().union(*audience.values())
        said = Said(
            about=fact.about,
            kind=fact.kind,
            control=fact.digest,
            audience=everybody,
            agency=fact.agency,
            excepting=fact.excepting,
            at=self.now(),
        )
        (books.given if fact.kind is Kind.ATTESTATION else books.recalls).append(said)

    def entry_of(self, fact: Fact, audience: frozenset[str]) -> Entry:
        """The entry of a control alert."""
        return Entry(digest=fact.digest, kind=fact.kind, audience=audience, about=fact.about, at=self.now())

    def tell_waiting(self, country: str) -> int:
        """What waited for a stopped log goes, once that is open."""
        books = self.books[country]
        due = [(control, partner) for control, partner in books.untold if not books.out[partner].stopped]
        for control, partner in due:
            fact = self.facts[control]
            if fact.kind in {Kind.ATTESTATION, Kind.REFUSAL}:
                to = frozenset({self.facts[fact.about].agency})
            else:
                to = frozenset(party for there, _, entry in books.tellings(fact.about) if there == partner for party in entry.audience)
            books.out[partner].entries.append(self.entry_of(fact, to))
            books.untold.remove((control, partner))
        return len(due)

    # Streams

    def greet(self, sender: str, recipient: str) -> Going:
        """A stream begins: each makes good what the other lost of its receipts."""
        going = Going(sender=self.books[sender], recipient=self.books[recipient], place=len(self.books[recipient].inn[sender].entries))
        out, inn = going.out, going.inn
        ours, mirrored = inn.receipted, len(inn.entries)
        inn.attempts = [one for one in inn.attempts if one[1] <= mirrored] + [one for one in out.attempts if one[1] > mirrored]
        if ours < out.settled:
            inn.excepted |= {index for index in out.excepted if index >= ours}
            inn.receipts += [receipt for receipt in out.receipts if receipt[0] > ours]
            going.recipient.alarms.add("OWN_ROLLBACK")
        self.settle(going)
        return going

    def send(self, going: Going, count: int) -> dict[int, str]:
        """A batch leaves with so many deliveries; why some go without their content, by index."""
        out, books = going.out, going.sender
        withheld = {}
        for index in range(going.place, going.place + count):
            if code := self._withheld(books, out, index):
                withheld[index] = code
                self.happened(f"delivery: withheld as {code}")
        going.place += count
        return withheld

    def take(self, going: Going, withheld: dict[int, str], count: int) -> None:
        """The recipient keeps a batch, or of each delivery says why not."""
        inn, books = going.inn, going.recipient
        first = len(inn.entries)
        new: list[tuple[int, Entry]] = []
        for index in range(first, first + count):
            entry = going.out.entries[index]
            inn.entries.append(entry)
            code = "WITHHELD" if index in withheld else self._refused(books, going.sender.country, entry, new)
            if not code and index in inn.excepted:
                code = "said before"
            if code:
                if code in {"WITHHELD", "said before"}:
                    self._doubt(books, entry)
                if index >= inn.receipted:
                    inn.excepted.add(index)
                if code not in {"WITHHELD", "said before"}:
                    books.alarms.add(code)
                    self.happened(f"delivery: refused as {code}")
                continue
            inn.accepted.add(index)
            new.append((index, entry))
            self._keep(books, entry)
        for _, entry in new:
            self._effect(books, entry)
        for family in self.took:
            family(books, [entry for _, entry in new])
        if inn.receipted < len(inn.entries):
            inn.receipts.append((len(inn.entries), self.now()))

    def settle(self, going: Going) -> None:
        """The sender takes every receipt that there is."""
        out, inn = going.out, going.inn
        new = [receipt for receipt in inn.receipts if receipt[0] > out.settled]
        out.excepted |= {index for index in inn.excepted if out.settled <= index < inn.receipted}
        out.receipts += new
        if any(self.now() - at > SKEW for _, at in new):
            going.sender.alarms.add("RECEIPT_CLOCK")
            self.happened("receipt: late, kept, with an alarm")

    def _withheld(self, books: Books, out: Outbound, index: int) -> str:
        entry, fact = out.entries[index], self.facts[out.entries[index].digest]
        own = books.own.get(entry.digest)
        if index in out.lost or own is None or own.erased:
            return "ERASED"
        if entry.kind in CONTROLS:
            return ""
        kinds = {one.kind for one in books.said_of(entry.digest)}
        if kinds & {Kind.WITHDRAWAL, Kind.CORRECTION} or books.in_doubt(entry.digest):
            return "WITHDRAWN"
        if self.now() >= fact.not_after:
            return "EXPIRED"
        return "" if self._in_force(books, entry.agreement) else "LAPSED"

    def _in_force(self, books: Books, digest: bytes) -> Treaty | None:
        return next((treaty for treaty in books.treaties if treaty.digest == digest and self.now() < treaty.until), None)

    def _refused(self, books: Books, sender: str, entry: Entry, new: list[tuple[int, Entry]]) -> str:
        fact = self.facts[entry.digest]
        if entry.kind in CONTROLS:
            named = {one.digest for one in books.inn[sender].entries} | {one.digest for one in books.out[sender].entries}
            return "" if entry.about in named else "NOT_AGREED"
        treaty = self._in_force(books, entry.agreement)
        if treaty is None:
            return "NOT_AGREED"
        if entry.kind is Kind.ALERT:
            holding = books.held.get(entry.digest)
            told = (holding.told if holding else frozenset()) | entry.fields
            for party in entry.audience:
                if not treaty.marks(TRAVEL, place_of(party)[1])["R"] <= told:
                    return "REQUIRED_MISSING"
        recalled = {one.about for one in books.recalls if one.kind is Kind.WITHDRAWAL}
        recalled |= {one.about for _, one in new if one.kind is Kind.WITHDRAWAL}
        if recalled & {entry.digest, *fact.supersedes}:
            return "WITHDRAWN"
        for earlier in fact.supersedes:
            for rival in (other for other in books.held if earlier in self.facts[other].supersedes):
                both = {rival, *self.facts[rival].supersedes} & {*fact.supersedes, entry.digest}
                if rival != entry.digest and rival not in fact.supersedes and entry.digest not in self.facts[rival].supersedes:
                    assert both
                    return "CONFLICT"
        return ""

    def _keep(self, books: Books, entry: Entry) -> None:
        """Content goes into the inboxes of its audience."""
        fact = self.facts[entry.digest]
        days = [fact.retention_days, CLAUSE_DAYS if entry.agreement else 0]
        holding = books.held.get(entry.digest)
        if holding is None:
            holding = Holding(recorded_at=self.now(), erase_by=kept_until(self.now(), days))
        elif holding.erased:
            holding.erased = False
            holding.recorded_at, holding.erase_by = self.now(), kept_until(self.now(), days)
            self.happened("delivery: told again what was erased")
        books.held.setdefault(entry.digest, holding)
        holding.inboxes |= entry.audience
        holding.told |= entry.fields
        for party in entry.audience:
            holding.opened[party] = holding.opened.get(party, frozenset()) | entry.fields

    def _effect(self, books: Books, entry: Entry) -> None:
        """What a control alert or a report does when it has come in; the same again does nothing."""
        fact = self.facts[entry.digest]
        known = {one.control for one in (*books.recalls, *books.got)}
        if entry.kind is Kind.REPORT:
            self._report_came(books, fact)
        if entry.kind not in CONTROLS or entry.kind is Kind.REFUSAL or entry.digest in known:
            return
        said = Said(
            about=entry.about,
            kind=entry.kind,
            control=entry.digest,
            audience=entry.audience,
            agency=fact.agency,
            excepting=fact.excepting,
            at=self.now(),
        )
        if entry.kind is Kind.ATTESTATION:
            books.got.append(said)
            self.happened("delivery: attestation taken")
            return
        books.recalls.append(said)
        self.happened(f"delivery: {entry.kind} taken")
        if entry.kind is Kind.WITHDRAWAL:
            self.withdrawn.add((books.country, entry.about))
            if entry.about not in books.held:
                self.happened("delivery: withdrawal of what never came")

    def _report_came(self, books: Books, fact: Fact) -> None:
        about = books.own.get(fact.about)
        if about is None:
            self.happened("delivery: report on what a backup lost")
            return
        if books.standing(fact.about, self.facts) == "withdrawn":
            self.happened("delivery: report on a withdrawn alert taken")
        if fact.document and any(fact.agency in entry.audience for _, _, entry in books.tellings(fact.about)):
            books.mis_hits.add((fact.about, fact.document))

    # Erasure

    def erase(self, country: str, digests: list[bytes]) -> None:
        """The content of these is gone, and with the last manifest of an alert what was remembered of it."""
        if not digests:
            return  # nothing is looked at then, and what was remembered of what was erased before stays until the next
        books = self.books[country]
        for digest in digests:
            kept = books.own.get(digest) or books.held[digest]
            kept.erased = True
            if isinstance(kept, Holding):
                kept.opened.clear()
        gone = {one for one in books.mis_hits if all(_erased(books, other) for other in books.known_line(one[0], self.facts))}
        books.mis_hits -= gone
        for family in self.gone:
            family(books, digests)

    def due(self, country: str) -> list[bytes]:
        """What is past its limit, and not held."""
        books = self.books[country]
        held = {digest for digest, _ in books.holds}
        rows = [*books.own.items(), *books.held.items()]
        return [digest for digest, kept in rows if not kept.erased and kept.erase_by <= self.now() and digest not in held]

    def purge(self, country: str) -> list[bytes]:
        """What is erased after an attestation: withdrawn, and attested without an exception by every agency that was given it."""
        books = self.books[country]
        clean = {(one.about, one.agency) for one in books.given if not one.excepting}
        held = {digest for digest, _ in books.holds}
        return [
            digest
            for digest, holding in books.held.items()
            if books.standing(digest, self.facts) == "withdrawn"
            and digest not in held
            and all((digest, party) in clean for party in holding.inboxes)
        ]

    # Backups

    def backup(self, country: str) -> Books:
        """All that an office knows now."""
        return deepcopy(self.books[country])

    def restore(self, country: str, books: Books) -> None:
        """An office knows again what it knew then."""
        self.books[country] = deepcopy(books)

    def recover(self, country: str, partner: str) -> int:
        """An office adopts from a partner's mirror what it lost of its own log."""
        books, mirror = self.books[country], self.books[partner].inn[country]
        out = books.out[partner]
        adopted = mirror.entries[len(out.entries) :]
        out.lost |= set(range(len(out.entries), len(mirror.entries)))
        out.entries += adopted
        out.stopped = False
        for entry in adopted:
            self._doubt(books, entry)
        for family in self.adopted:
            family(books, adopted)
        return len(adopted)

    def _doubt(self, books: Books, entry: Entry) -> None:
        """An entry is here without what it says: if it recalls something, nobody here knows how. No control alert is excepted otherwise."""
        if entry.kind in RECALLS:
            books.doubts.add((entry.digest, entry.about))
            if entry.about in books.held and books.in_doubt(entry.about):
                self.happened("restore: both have lost a recall")


def _erased(books: Books, digest: bytes) -> bool:
    return (books.own.get(digest) or books.held[digest]).erased


def police_of(country: str) -> str:
    """The agency that originates alerts."""
    return agency(country, POLICE)
