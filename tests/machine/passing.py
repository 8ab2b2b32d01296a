"""The oracle where alerts are passed on: what goes under which leave, and which recalls a holder forwards (docs/protocol.md, section 8)."""

from dataclasses import dataclass, field, replace

from tests.machine.books import CONTROLS, Books, Entry, Fact, Kind, Outbound
from tests.machine.oracle import Oracle


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request to pass an alert on. Times are Unix milliseconds."""

    digest: bytes
    manifest: bytes
    country: str
    party: str
    third: str
    fields: frozenset[int]
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What its originator said to one; `permit` is empty if it was denied."""

    digest: bytes
    request: bytes
    permit: bytes
    fields: frozenset[int]
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """That something was passed on."""

    digest: bytes
    permit: bytes
    manifest: bytes
    country: str
    third: str
    """Country."""
    fields: frozenset[int]


@dataclass(kw_only=True)
class Passing(Oracle):
    """What must be so at every office."""

    asked: dict[bytes, Asked] = field(default_factory=dict)
    decided: dict[bytes, Decided] = field(default_factory=dict)
    notices: dict[bytes, Notice] = field(default_factory=dict)
    unchecked: bool = False
    """While a holder sends what its own node should have kept back."""

    def decision(self, books: Books, request: bytes) -> Decided | None:
        """The decision that holds for a request, so far as an office knows it: the first."""
        known = (self.decided[one] for one in (*books.own, *books.held) if one in self.decided)
        return next((one for one in known if one.request == request), None)

    def leave(self, books: Books, permit: bytes) -> Decided | None:
        """The decision with which a permit came, if an office has it."""
        known = (self.decided[one] for one in (*books.own, *books.held) if one in self.decided)
        return next((one for one in known if permit and one.permit == permit), None)

    # What an office knows, in its order

    def release(self, country: str, fact: Fact, entries: dict[str, list[Entry]]) -> None:
        """As everywhere."""
        self.books[country].rows.setdefault(fact.digest)
        super().release(country, fact, entries)

    def _keep(self, books: Books, entry: Entry) -> None:
        books.rows.setdefault(entry.digest)
        super()._keep(books, entry)

    # Streams

    def _withheld(self, books: Books, out: Outbound, index: int) -> str:
        entry, fact = out.entries[index], self.facts[out.entries[index].digest]
        if not (entry.permit or entry.forged):
            return super()._withheld(books, out, index)
        held = books.held.get(entry.digest)
        if index in out.lost or held is None or held.erased:
            return "ERASED"
        if entry.kind in CONTROLS:
            return ""
        if books.standing(entry.digest, self.facts) != "active":
            return "WITHDRAWN"
        if self.now() >= fact.not_after:
            return "EXPIRED"
        if not self._in_force(books, entry.agreement):
            return "LAPSED"
        leave = self.leave(books, entry.permit)
        return "" if self.unchecked or (leave is not None and self.now() < leave.until) else "LAPSED"

    def _refused(self, books: Books, sender: str, entry: Entry, new: list[tuple[int, Entry]]) -> str:
        if entry.permit or entry.forged:
            leave = self.leave(self.books[sender], entry.permit)
            if leave is None or (entry.kind not in CONTROLS and self.now() >= leave.until):
                return "NOT_THE_ORIGINATOR"
        return super()._refused(books, sender, entry, new)

    def _effect(self, books: Books, entry: Entry) -> None:
        known = any(one.control == entry.digest for one in books.recalls)
        if known:  # the same by another way, perhaps for others
            books.recalls = [
                replace(one, audience=one.audience | entry.audience) if one.control == entry.digest else one for one in books.recalls
            ]
        super()._effect(books, entry)
        if entry.kind in CONTROLS and not known:
            self.forward(books, entry.about)
        if entry.kind is Kind.PASSED_ON and self.leave(books, self.notices[entry.digest].permit) is None:
            books.alarms.add("ONWARD_WITHOUT_PERMIT")
            self.happened("delivery: notice of what was passed on under leave that a backup lost")

    # Recalls of what was passed on

    def forward(self, books: Books, manifest: bytes) -> None:
        """Note which third countries are still to be told of the recalls of what was passed on to them."""
        if manifest in books.own:
            return
        told = sorted({partner for partner, _, one in books.tellings(manifest) if one.permit})
        for said in books.said_of(manifest):
            reached = {partner for partner, _, _ in books.tellings(said.control)}
            books.untold += [(said.control, one) for one in told if one not in reached and (said.control, one) not in books.untold]

    def recover(self, country: str, partner: str) -> int:
        """What was passed on and is known again is recalled there too."""
        adopted = super().recover(country, partner)
        books = self.books[country]
        for entry in books.out[partner].entries[len(books.out[partner].entries) - adopted :]:
            if entry.permit:
                self.forward(books, entry.digest)
        return adopted

    def tell_waiting(self, country: str) -> int:
        """Recalls of others go on under the permit by which the alert was passed on, expired or not."""
        books = self.books[country]
        order = list(books.rows)
        books.untold.sort(key=lambda one: (order.index(one[0]), one[1]))
        before = {partner: len(log.entries) for partner, log in books.out.items()}
        told = super().tell_waiting(country)
        for partner, log in books.out.items():
            for index, entry in enumerate(log.entries[before[partner] :], before[partner]):
                if self.facts[entry.digest].country != country:
                    permits = [one.permit for there, _, one in books.tellings(entry.about) if there == partner and one.permit]
                    log.entries[index] = replace(entry, permit=permits[0])
                    self.happened("onward: a recall forwarded")
        return told
