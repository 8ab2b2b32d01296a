"""What families of ordinary alerts beside travel alerts have in common: how they are released, entered into the books, and refused."""

from collections.abc import Mapping
from typing import ClassVar

from exchange.v1 import desk_service_pb2
from tests.countries import BORDER
from tests.machine.books import Entry, Fact, Going, Kind, place_of
from tests.machine.recalling import Recalling
from tests.machine.transitions import transition
from tests.recalls import codes

NO_WAY = frozenset({"AGREEMENT_EXPIRED", "CONDITION_APPROVALS", "LOG_STOPPED", "PARTNER_SUSPENDED"})
"""Codes of what stands in the way of any alert: they are compared one by one, and counted as one."""


class Saying(Recalling):
    """What others use, and a rule that brings everybody up to date."""

    OUTCOMES: ClassVar[frozenset[str]] = frozenset({"catch up: something was delivered"})

    def __init__(self) -> None:
        super().__init__()
        self.only = ""
        """The one country that does something now; empty if anybody may."""

    def country(self, number: int) -> str:
        """One of the countries, or the only one."""
        return self.only or super().country(number)

    def manifests(self) -> list[tuple[str, bytes]]:
        """Of the only country, if there is one."""
        return [one for one in super().manifests() if self.only in {"", one[0]}]

    def holdings(self) -> list[tuple[str, bytes, str]]:
        """Of the only country, if there is one."""
        return [one for one in super().holdings() if self.only in {"", one[0]}]

    @transition(weight=8)
    def catch_up(self) -> None:
        """Whatever can be delivered is."""
        before = sum(len(log.entries) for name in self.NAMES for log in self.books(name).inn.values())
        self.flow()
        if before < sum(len(log.entries) for name in self.NAMES for log in self.books(name).inn.values()):
            self.happened("catch up: something was delivered")

    def say(
        self,
        country: str,
        kind: Kind,
        party: str,
        answer: desk_service_pb2.PublishedAlert,
        going: Mapping[str, Going | str],
        *,
        not_after: int,
    ) -> None:
        """Enter an ordinary alert into the books of its office, with its entries in the order in which they were logged."""
        digest, entries = answer.manifest_digest, dict[str, list[Entry]]()
        for told in sorted(answer.disclosures, key=lambda one: (one.origin, one.index)):
            (to,) = told.audience
            one = going[to]
            assert isinstance(one, Going)
            assert frozenset(told.fields) == one.fields, f"{to} is told other fields: {sorted(told.fields)}"
            entry = Entry(digest=digest, kind=kind, audience=frozenset({to}), fields=one.fields, agreement=one.treaty.digest, at=self.now())
            entries.setdefault(self.country_of(to), []).append(entry)
        assert sum(map(len, entries.values())) == len(going), "somebody is not told"
        fact = Fact(digest=digest, kind=kind, country=country, agency=party, line=-len(self.facts), not_after=not_after)
        self.oracle.release(country, fact, entries)

    def obstacles(self, country: str, going: Mapping[str, Going | str]) -> set[str]:
        """Why something is not released: what the agreements say, or else that a log is stopped."""
        refused = {one for one in going.values() if isinstance(one, str)}
        if not refused and any(self.books(country).out[self.country_of(party)].stopped for party in going):
            return {"LOG_STOPPED"}
        return refused

    def refused_with(self, what: str, answer: desk_service_pb2.PublishedAlert, expected: set[str]) -> bool:
        """Whether it was refused; with exactly these codes, or not at all."""
        assert codes(answer) == expected, f"{what}: {sorted(codes(answer))}, expected {sorted(expected)}"
        for code in expected:
            self.happened(f"{what.partition(':')[0]}: nothing goes there now" if code in NO_WAY else f"{what}: {code}")
        return bool(expected)

    def person(self, party: str, *, liaison: bool = False) -> str:
        """Who says it: what discloses something, a liaison officer."""
        border = place_of(party)[1] == BORDER
        return ("both" if border else "liaison") if liaison else ("border" if border else "police")
