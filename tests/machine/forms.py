"""Agreements of other forms than the default one: for a purpose, an agency or a type that ordinary releases of the machine have not."""

from dataclasses import dataclass

from exchange.v1 import agreement_pb2
from node.operations import agreements
from tests.countries import POLICE, TRAVEL
from tests.machine.books import Books, Treaty, place_of
from tests.machine.telling import Telling


@dataclass(frozen=True, slots=True, kw_only=True)
class Special(Treaty):
    """An agreement under which no ordinary release of a travel alert goes: it only says why not."""

    sender: str = ""
    """Who may tell the other's police of travel alerts for its purpose; nobody where it is about other types."""
    cap: int = 0
    """Releases in 24 hours; 0 says nothing."""

    @property
    def once(self) -> bool:
        """That of an emergency."""
        return self.variant == "emergency"

    def marks(self, _kind: str, _agency_class: int) -> dict[str, frozenset[int]]:
        """Nothing is marked for what is ordinary."""
        return {mark: frozenset() for mark in "RMC"}

    def against(self, sender: str, kind: str, agency_class: int) -> str:
        """Of a clause that fits but for the purpose, that; of another class's, that; else that there is none."""
        if (sender, kind) != (self.sender, TRAVEL):
            return "CLAUSE_NONE"
        return "PURPOSE_NOT_AGREED" if agency_class == POLICE else "AUDIENCE_NOT_AGREED"


class Forming(Telling):
    """What families have in common that need an agreement of their own."""

    def sign(self, one: str, other: str, content: agreement_pb2.Agreement, variant: str, *, sender: str = "", cap: int = 0) -> Special:
        """Bring that agreement into force between two that reach each other."""
        self.clock.pass_(1_000)  # so that no two came into force at once
        content.valid_until += self.now() - content.valid_from
        content.valid_from = self.now()
        ours, theirs = self.office(one), self.office(other)
        drafted = agreements.draft(ours.ports, ours.person("administrator"), content)
        self.federation.carry()
        agreements.accept(theirs.ports, theirs.person("administrator"), drafted.digest.hex())
        self.federation.carry()
        made = Special(
            digest=drafted.digest,
            parties=frozenset({one, other}),
            start=content.valid_from,
            until=content.valid_until,
            variant=variant,
            sender=sender,
            cap=cap,
        )
        for country in (one, other):
            self.books(country).treaties.append(made)
        return made

    def specials(self, books: Books, country: str, variant: str) -> list[Special]:
        """Those of that name with a country, the one that came into force last first."""
        ours = [one for one in books.treaties if isinstance(one, Special) and one.variant == variant]
        return sorted((one for one in ours if one.parties == {books.country, country}), key=lambda one: (-one.start, one.digest))

    def besides(self, books: Books, party: str, kind: str) -> set[str]:
        """What every agreement with an agency's country says against a release of that kind that none of the ordinary ones is for."""
        country, agency_class = place_of(party)
        found = set()
        for one in (one for one in books.treaties if one.parties == {books.country, country}):
            if self.now() >= one.until:
                found.add("AGREEMENT_EXPIRED")
            elif books.spent(one):
                continue
            elif kind != TRAVEL:
                found.add("CLAUSE_NONE")
            elif reason := one.against(books.country, kind, agency_class):
                found.add(reason)
            else:
                found.add("PURPOSE_NOT_AGREED")
        return found
