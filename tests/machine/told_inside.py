"""How what a desk distributed reads in its country, and what follows when the alert changes: no rules, but what must hold."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from exchange.v1 import desk_service_pb2, handling_pb2
from tests import inside
from tests.countries import BORDER, NGO, POLICE, agency
from tests.machine.books import Books, Entry, Going, Kind, place_of
from tests.machine.keeping import Keeping
from tests.machine.national import FAMILY, National, Passed, decide, file_of, limit
from tests.machine.recalling import Recalling

CLASSES = (BORDER, POLICE, NGO)
ORDINARY, URGENT = "PREVENTION", "SAVE_LIFE"
EVERY = frozenset(range(1, 65))
ON_GROUNDS = frozenset({6, 24})


class ToldInside(Recalling, Keeping):
    """What agencies of one country were told by a desk of theirs."""

    def __init__(self) -> None:
        super().__init__()
        for country in self.NAMES:
            office = self.office(country)
            office.configured = {**office.configured, "national": inside.clauses(file_of(country), country)}
            office.restart()
        self.closing = False
        """Whether whatever is drafted now comes under H2."""
        self.closed: set[bytes] = set()
        """Manifests under H2: not to be disseminated."""
        self.urgent: set[bytes] = set()
        """Manifests released to save life, and for no other purpose."""
        self.oracle.took.append(self._follow)
        self.oracle.gone.append(self._end)

    def national(self, books: Books) -> National:
        """What an office knows of its own country."""
        found: National = books.families.setdefault(FAMILY, National())
        return found

    def drafted(self, to: list[str], **changes: Any) -> desk_service_pb2.Draft:
        """One in six under H2."""
        wanted = super().drafted(to, **changes)
        if not self.closing and len(self.facts) % 6 != 5:
            wanted.handling.codes[:] = [handling_pb2.HANDLING_CODE_H1]
        return wanted

    def note_release(
        self, country: str, wanted: desk_service_pb2.Draft, going: Mapping[str, Going], answer: desk_service_pb2.PublishedAlert
    ) -> None:
        """And under which handling."""
        super().note_release(country, wanted, going, answer)
        if handling_pb2.HANDLING_CODE_H2 in wanted.handling.codes:
            self.closed.add(answer.manifest_digest)
        if wanted.purpose == handling_pb2.PURPOSE_SAVE_LIFE:
            self.urgent.add(answer.manifest_digest)

    def flags(self, country: str, digest: bytes, party: str) -> list[str]:
        """As it stands for the desk, but for what the agency alone was told, and for its own time."""
        books = self.books(country)
        holding = books.held[digest]
        if party in holding.inboxes:
            return super().flags(country, digest, party)
        rows = self.national(books).of(digest, party)
        state = books.standing(digest, self.facts)
        if state == "superseded" and not books.replaced_for(digest, party, self.facts):
            state = "disputed"
        if state not in {"withdrawn", "erased"} and not any(one.live(self.now()) for one in rows):
            state = "erased"
            self.happened("distribute: over for the agency alone")
        desk = agency(country, POLICE)
        withdrawals = [one for one in books.said_of(digest) if one.kind is Kind.WITHDRAWAL]
        flags = [] if state == "active" else [state.upper()]
        if state == "erased" and any(desk in one.audience for one in withdrawals):
            flags.append("WITHDRAWN")
        if withdrawals and (digest, party) not in self.national(books).purges:
            flags.append("PURGE_OWED")
        known = frozenset().union(*(one.desk_fields for one in rows))
        if state in {"active", "disputed"} and holding.opened.get(desk, frozenset()) - known:
            flags.append("MORE_AT_DESK")
            self.happened("distribute: more at the desk")
        return flags

    def remarks(self, country: str, digest: bytes, party: str) -> list[str]:
        """And that a report waits for the desk."""
        waiting = [one for one in self.national(self.books(country)).reports if one.digest == digest and not one.forwarded and not one.gone]
        found = super().remarks(country, digest, party)
        return [*found, "REPORT_WAITING"] if waiting and party == agency(country, POLICE) else found

    def readable(self, country: str, digest: bytes, party: str) -> frozenset[int]:
        """What came from abroad for it, and its own fields of what its desk was told."""
        books = self.books(country)
        holding, state = books.held[digest], books.standing(digest, self.facts)
        if state in {"withdrawn", "restricted", "erased"} or (state == "superseded" and books.replaced_for(digest, party, self.facts)):
            return frozenset()
        live = [one for one in self.national(books).of(digest, party) if one.live(self.now())]
        desk = holding.opened.get(agency(country, POLICE), frozenset())
        passed = frozenset().union(*(one.fields for one in live)) & desk
        return (passed | holding.opened.get(party, frozenset())) & self.facts[digest].present

    def look(self) -> None:
        """Nobody holds what they may not: each inbox has what came for its agency, or was passed on to it, and nothing else."""
        super().look()
        for country in self.NAMES:
            books = self.books(country)
            for party in (agency(country, one) for one in CLASSES):
                inbox = self.inbox(country, party)
                expected = {digest for digest, holding in books.held.items() if party in holding.inboxes | holding.passed}
                assert set(inbox) == expected, f"{party} finds {len(set(inbox) - expected)} too many, {len(expected - set(inbox))} too few"
                for digest in (one for one in expected if party in books.held[one].passed - books.held[one].inboxes):
                    self.see(country, digest, party, inbox)
            for digest in {one.digest for one in self.national(books).rows}:
                self.see_passed(country, digest)

    def see_passed(self, country: str, digest: bytes) -> None:
        """The desk reads whom it told what, and who has confirmed."""
        known = self.national(self.books(country))
        expected = [
            (one.party, one.fields, one.follows, (digest, one.party) in known.purges, known.purges.get((digest, one.party), frozenset()))
            for one in known.of(digest)
        ]
        listed = inside.listed(self.office(country), digest)
        found = [
            (one.agency, frozenset(one.fields), one.follows, bool(one.purged_at), frozenset(one.exceptions)) for one in listed.distributions
        ]
        assert found == expected, f"{country}: of {digest.hex()[:8]} the desk reads {found}, expected {expected}"
        waiting = {one.report for one in listed.reports if one.HasField("content") and not one.forwarded}
        assert waiting == {one.number for one in known.reports if one.digest == digest and not (one.forwarded or one.gone)}

    def insiders(self) -> list[tuple[str, bytes, str]]:
        """(country, manifest, agency) of whoever was told by a desk of its own country alone."""
        return [
            (country, digest, party)
            for country in self.NAMES
            for digest, holding in self.books(country).held.items()
            for party in sorted(holding.passed - holding.inboxes)
        ]

    def _handled(self, digest: bytes, purpose: str) -> str:
        if digest in self.closed:
            return "HANDLING_H2"
        permitted = {URGENT} if digest in self.urgent else {ORDINARY, "BORDER_CONTROL", "CHILD_SAFEGUARDING"}
        return "" if purpose in permitted else "PURPOSE_NOT_PERMITTED"

    def _row(
        self,
        books: Books,
        digest: bytes,
        party: str,
        held: frozenset[int],
        asked: tuple[frozenset[int], frozenset[int], str],
        had: frozenset[int] = frozenset(),
    ) -> Passed | str:
        audience = place_of(party)[1]
        unticked, granted, purpose = asked
        fields = decide(audience, held, purpose, unticked=unticked, granted=granted, had=had)
        if isinstance(fields, str):
            return fields
        return Passed(
            digest=digest,
            party=party,
            fields=fields,
            desk_fields=held,
            purpose=purpose,
            ground=bool(granted & fields),
            erase_by=limit(self.now(), audience, self.facts[digest].retention_days, books.held[digest].erase_by),
        )

    def _pass(self, books: Books, row: Passed) -> None:
        self.national(books).rows.append(row)
        books.held[row.digest].passed.add(row.party)

    def _follow(self, books: Books, taken: Sequence[Entry]) -> None:
        """What a batch brought in the place of something that was distributed goes to the same agencies, if that is still allowed."""
        desk = agency(books.country, POLICE)
        told: dict[bytes, frozenset[int]] = {}
        for entry in taken:
            if entry.kind is Kind.ALERT and desk in entry.audience:
                told[entry.digest] = told.get(entry.digest, frozenset()) | entry.fields
        order = list(books.held)
        for digest, held in told.items():
            earlier = [one for one in self.facts[digest].supersedes if one in books.held]
            before = [one for old in earlier for one in self.national(books).of(old) if one.live(self.now())]
            already = {one.party for one in self.national(books).of(digest)}
            for party in sorted({one.party for one in before} - already):
                mine = [one for one in before if one.party == party]
                last = max((one.digest for one in mine), key=order.index)
                newest = [one for one in mine if one.digest == last]
                row = self._again(books, digest, newest, held)
                if row is None:
                    self.happened("distribute: nothing follows, and the old is disputed")
                    continue
                self._pass(books, replace(row, follows=last))
                self.happened("distribute: follows an update")

    def _again(self, books: Books, digest: bytes, newest: list[Passed], held: frozenset[int]) -> Passed | None:
        """The same fields of the new one, decided anew."""
        party, purpose = newest[-1].party, newest[-1].purpose
        wanted = frozenset().union(*(one.fields for one in newest))
        granted = wanted & ON_GROUNDS if any(one.ground for one in newest) else frozenset()
        if self._handled(digest, purpose):
            return None
        row = self._row(books, digest, party, held, (EVERY - wanted, granted, purpose))
        return row if isinstance(row, Passed) else None

    def _end(self, books: Books, digests: Sequence[bytes]) -> None:
        """What is erased is shown to nobody any more, and what waited in it is gone."""
        known = self.national(books)
        for row in (one for one in known.rows if one.digest in digests and not one.ended):
            row.ended = True
            self.happened("distribute: ended by an erasure")
        for report in known.reports:
            report.gone |= report.digest in digests
