"""What a desk answers: reports, also that this is not the person, and attestations of a purge."""

from typing import ClassVar

from exchange.v1 import hit_report_pb2
from exchange.v1.control_pb2 import PURGE_EXCEPTION_LEGAL_HOLD
from node.operations.mis_hits import suppressed
from tests.countries import HIT
from tests.machine.books import Entry, Fact, Going, Kind
from tests.machine.core import Machine
from tests.machine.transitions import transition
from tests.recalls import attested, codes


class Answering(Machine):
    """Rules of desks."""

    OUTCOMES: ClassVar[frozenset[str]] = frozenset(
        {
            "report: released",
            "report: on a withdrawn alert",
            "report: on an erased alert",
            "report: not this person",
            "report: refused AGREEMENT_EXPIRED",
            "report: refused PARTNER_SUSPENDED",
            "report: refused LOG_STOPPED",
            "attest: released",
            "attest: with an exception",
            "attest: purged",
            "attest: several manifests of one alert",
            "attest: waits for a log",
            "attest: refused NOTHING_TO_ATTEST",
        }
    )

    @transition(weight=4, when=lambda self: bool(self.holdings()), which=range(5), mistaken=(False, True))
    def report(self, *, which: int, mistaken: bool) -> None:
        """A desk reports on an alert, whatever became of it."""
        country, digest, party = self.pick(self.holdings(), which)
        books, about = self.books(country), self.facts[digest]
        document = f"P{len(self.facts)}" if mistaken else ""
        shown = {"type": "DOCUMENT_TYPE_PASSPORT", "number": document, "issuer": "GBR"} if mistaken else None
        outcome = hit_report_pb2.HIT_OUTCOME_NOT_THIS_PERSON if mistaken else hit_report_pb2.HIT_OUTCOME_REFUSED_ENTRY
        content = hit_report_pb2.HitReport(
            outcome=outcome, desk={"unit": "Example desk", "channel": "+855 23 000 000"}, document_shown=shown
        )
        answer = self.office(country).report(digest.hex(), self.person_of(party), report=content)
        going = books.decide(about.agency, HIT, self.now())
        expected = {going} if isinstance(going, str) else {"LOG_STOPPED"} if books.out[about.country].stopped else set()
        if not self.is_(answer, expected, "report"):
            for code in expected:
                self.happened(f"report: refused {code}")
            return
        assert not isinstance(going, str)
        self.note_report(country, digest, party, answer.manifest_digest, going, document)
        state = books.standing(digest, self.facts)
        if state in {"withdrawn", "erased"}:
            self.happened("report: on a withdrawn alert" if state == "withdrawn" else "report: on an erased alert")
        if mistaken:
            books.mis_hits.add((digest, document))
            self.happened("report: not this person")
        self.happened("report: released")

    def note_report(self, country: str, digest: bytes, party: str, report: bytes, going: Going, document: str = "") -> None:
        """Enter a released report into the oracle's books."""
        about = self.facts[digest]
        fact = Fact(
            digest=report,
            kind=Kind.REPORT,
            country=country,
            agency=party,
            line=-len(self.facts),
            present=frozenset({1, 2, 13}),
            not_after=self.now() + 90 * 86_400_000,
            about=digest,
            document=document,
        )
        entry = Entry(
            digest=fact.digest,
            kind=Kind.REPORT,
            audience=frozenset({about.agency}),
            fields=going.fields,
            about=digest,
            agreement=going.treaty.digest,
        )
        self.oracle.release(country, fact, {about.country: [entry]})

    @transition(weight=5, when=lambda self: bool(self.holdings()), which=range(5), excepting=(False, True))
    def attest(self, *, which: int, excepting: bool) -> None:
        """A desk attests the purge of an alert, every manifest of it, perhaps with an exception."""
        debts = [one for one in self.holdings() if self.books(one[0]).owes(one[1], one[2])]
        country, digest, party = self.pick(debts or self.holdings(), which)
        self.attest_now(country, digest, party, excepting=excepting)

    def attest_now(self, country: str, digest: bytes, party: str, *, excepting: bool) -> None:
        """One attestation of one agency."""
        books, office = self.books(country), self.office(country)
        line = [one for one in books.known_line(digest, self.facts) if one in books.held and party in books.held[one].inboxes]
        owed = [one for one in line if self._still(country, one, party)]
        answer = attested(office, digest, self.person_of(party), exceptions=[PURGE_EXCEPTION_LEGAL_HOLD] if excepting else None)
        if not owed:
            self._purge(country)  # as where a hold was in the way, and is not any more
            assert [codes(one) for one in answer.attestations] == [{"NOTHING_TO_ATTEST"}]
            self.happened("attest: refused NOTHING_TO_ATTEST")
            return
        assert [codes(one) for one in answer.attestations] == [set()] * len(owed)
        origin = self.facts[digest].country
        for one, about in zip(answer.attestations, owed, strict=True):
            fact = Fact(digest=one.manifest_digest, kind=Kind.ATTESTATION, country=country, agency=party, about=about, excepting=excepting)
            self.oracle.recall(country, fact, {origin: frozenset({self.facts[about].agency})})
        self.happened("attest: with an exception" if excepting else "attest: released")
        if books.out[origin].stopped:
            self.happened("attest: waits for a log")
        if len(owed) > 1:
            self.happened("attest: several manifests of one alert")
        self._purge(country)
        gone = {one for one in books.known_line(digest, self.facts) if one in books.held and books.held[one].erased}
        assert set(answer.erased) == gone, f"{party}: {len(answer.erased)} manifests are erased, expected {len(gone)}"

    def _purge(self, country: str) -> None:
        if purged := self.oracle.purge(country):
            self.finish_erasures(country)
            self.oracle.erase(country, purged)
            self.happened("attest: purged")

    def finish_erasures(self, country: str) -> None:
        """What a crash left is finished with whatever erases next."""
        books = self.books(country)
        self.oracle.erase(country, sorted(books.intended))
        books.intended.clear()

    def _still(self, country: str, digest: bytes, party: str) -> bool:
        """Whether an agency has something left to attest: nothing so far, or that it kept something."""
        books = self.books(country)
        if not any(one.kind is Kind.WITHDRAWAL for one in books.said_of(digest)):
            return False
        mine = [one for one in books.given if (one.about, one.agency) == (digest, party)]
        return not mine or mine[-1].excepting

    def see_records(self, country: str) -> None:
        """What was said to be somebody else is not raised again, and nothing else is."""
        super().see_records(country)
        office, books = self.office(country), self.books(country)
        reports = [fact for fact in self.facts.values() if fact.document and (fact.about in books.own or fact.about in books.held)]
        asked = {(fact.about, "GBR", fact.document) for fact in reports}
        with office.ports.store.read() as tx:
            found = {(digest, number) for digest, _, number in suppressed(office.ports, tx, asked)}
        expected = books.mis_hits & {(digest, number) for digest, _, number in asked}
        assert found == expected, f"{country}: remembers {_short(found - expected)} besides, and not {_short(expected - found)}"


def _short(pairs: set[tuple[bytes, str]]) -> list[str]:
    return sorted(f"{digest.hex()[:8]} {number}" for digest, number in pairs)
