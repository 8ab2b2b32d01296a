"""An agreement file: what two countries agree to tell each other, in TOML and in the field names of the schema.

```toml
instrument = "…"
valid_from = 2026-01-01T00:00:00Z
valid_until = 2031-01-01T00:00:00Z

[[parties]]
trust_domain = "gb.alerts.example"
legal_basis = "…"

[[agencies]]
agency = "spiffe://kh.alerts.example/agency/gdi"
agency_class = "BORDER"

[[clauses]]
id = "gb-to-kh-travel-alert-border"
sender = "gb.alerts.example"
recipient = "kh.alerts.example"
audience = "BORDER"
alert_type = "TravelAlert"
purposes = ["PREVENTION", "BORDER_CONTROL"]
marks = "default"                     # or: required, permitted, on_request, each a list of field names
maximum_retention_days = 180
onward = "ASK"
```

The order of things in the file is nobody's business: the agreement that comes of it has the one order that PROTOCOL.md wants.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from exchange.agreement import EMERGENCY_AT_MOST_MS
from exchange.profile import alert_types
from exchange.v1.agreement_pb2 import Agreement, Clause
from exchange.v1.desk_service_pb2 import Problem
from exchange.v1.handling_pb2 import PURPOSE_SAVE_LIFE
from exchange.values import TRUST_DOMAIN_PATTERN
from node.intake.alert_file import read_agency
from node.intake.clause_tables import UNUSED_DATE, ClauseTables, read_toml, tables
from node.intake.fields import FieldReader
from node.intake.marks import Marks
from node.intake.paths import at, item
from node.intake.plain_document import Plain
from node.intake.problems import FIELD_MISSING, covers, error, merge, refuses, warning
from node.intake.value_checks import check_values

_TRUST_DOMAIN = re.compile(TRUST_DOMAIN_PATTERN)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedAgreement:
    """What a file says, as far as it can be read. `agreement.proposed_at` is left for the node that proposes it."""

    agreement: Agreement
    problems: tuple[Problem, ...]

    @property
    def refused(self) -> bool:
        """Whether something must be mended first."""
        return refuses(self.problems)


def load_agreement_file(text: str) -> LoadedAgreement:
    """Read an agreement file; everything that is wrong is in `problems`, by field."""
    document = read_toml(text)
    if isinstance(document, Problem):
        return LoadedAgreement(agreement=Agreement(), problems=(document,))
    reader = _AgreementFile()
    agreement = reader.read(document)
    return LoadedAgreement(agreement=agreement, problems=merge(reader.problems))


class _AgreementFile(ClauseTables):
    def read(self, document: dict[str, Plain]) -> Agreement:
        for index, agency in enumerate(tables(document.get("agencies"))):
            read = read_agency(agency.get("agency"), at(item("agencies", index), "agency"))
            if isinstance(read, Problem):
                self.problems.append(read)
            else:
                agency["agency"] = read
        for index, clause in enumerate(tables(document.get("clauses"))):
            self.name_type(clause, item("clauses", index))
        marked = [self.take_fields(clause, item("clauses", index)) for index, clause in enumerate(tables(document.get("clauses")))]
        reader = FieldReader(language="", today=UNUSED_DATE)
        agreement = reader.read(Agreement, {"version": "1", **document}, "")
        for agreed, marks in zip(agreement.clauses, marked, strict=True):
            agreed.required[:], agreed.permitted[:], agreed.on_request[:] = marks.required, marks.permitted, marks.on_request
        self.problems += reader.problems
        unread = [problem.field for problem in self.problems]
        found = [*check_values(agreement), *_check(agreement, marked)]
        self.problems += [problem for problem in found if not any(covers(path, problem.field) for path in unread)]
        return _ordered(agreement)


def _ordered(agreement: Agreement) -> Agreement:
    parties = sorted(agreement.parties, key=lambda party: party.trust_domain)
    agencies = sorted(agreement.agencies, key=lambda agency: agency.agency)
    clauses = sorted(agreement.clauses, key=lambda clause: clause.id)
    ordered = Agreement()
    ordered.CopyFrom(agreement)
    for name in ("parties", "agencies", "clauses"):
        ordered.ClearField(name)
    ordered.parties.extend(parties)
    ordered.agencies.extend(agencies)
    ordered.clauses.extend(clauses)
    for clause in ordered.clauses:
        clause.purposes[:] = sorted(set(clause.purposes))
        clause.transfer_conditions[:] = sorted(set(clause.transfer_conditions))
    return ordered


def _missing(path: str, remedy: str) -> Problem:
    return error(FIELD_MISSING, path, "this is missing", remedy)


def _check(agreement: Agreement, marked: list[Marks]) -> Iterator[Problem]:
    """Check what no single value shows. Paths count as in the file."""
    parties = [party.trust_domain for party in agreement.parties]
    for index, domain in enumerate(parties):
        path = at(item("parties", index), "trust_domain")
        if not _TRUST_DOMAIN.fullmatch(domain):
            yield error("TRUST_DOMAIN", path, "not a trust domain", "write one in small letters, such as kh.alerts.example")
        elif domain in parties[:index]:
            yield error("PARTY_TWICE", path, "both parties are the same", "an agreement has two parties")
    for name in ("valid_from", "valid_until"):
        if not getattr(agreement, name):
            yield _missing(name, f"write it: {name} = 2026-01-01T00:00:00Z")
    if 0 < agreement.valid_until <= agreement.valid_from:
        yield error("VALIDITY_BACKWARDS", "valid_until", "the agreement ends before it begins", "mend one of the two times")
    yield from _check_agencies(agreement, parties)
    yield from _check_emergency(agreement)
    if not agreement.clauses:
        yield warning("CLAUSES_NONE", "clauses", "an agreement without clauses permits nothing", "write the clauses")
    for index, clause in enumerate(agreement.clauses):
        path = item("clauses", index)
        if clause.id in [other.id for other in agreement.clauses[:index]]:
            yield error("CLAUSE_TWICE", at(path, "id"), "two clauses have this id", "give each an id of its own")
        yield from _check_clause(agreement, clause, marked[index], path)


def _check_emergency(agreement: Agreement) -> Iterator[Problem]:
    """Check what an agreement for an emergency is held to (`exchange.agreement.check_agreement`), word for word for its writer."""
    if not agreement.emergency:
        if agreement.emergency_ground:
            remedy = "write emergency = true, or leave the ground out"
            yield error("EMERGENCY_GROUND", "emergency_ground", "an ordinary agreement has no ground of an emergency", remedy)
        return
    if not agreement.emergency_ground:
        yield _missing("emergency_ground", 'write emergency_ground = "RISK_TO_LIFE" or "RISK_TO_CHILD"')
    if agreement.valid_until - agreement.valid_from > EMERGENCY_AT_MOST_MS:
        yield error("EMERGENCY_LONG", "valid_until", "an agreement for an emergency is in force for 24 hours at most", "let it end earlier")
    if len(agreement.clauses) != 1:
        yield error("EMERGENCY_CLAUSES", "clauses", "an agreement for an emergency has exactly one clause", "keep the one that is needed")
    for index, clause in enumerate(agreement.clauses):
        path = item("clauses", index)
        if list(clause.purposes) != [PURPOSE_SAVE_LIFE]:
            yield error("EMERGENCY_PURPOSE", at(path, "purposes"), "an emergency has one purpose", 'write purposes = ["SAVE_LIFE"]')
        if clause.on_request:
            remedy = "list the fields in required and permitted, and leave on_request out"
            yield error("EMERGENCY_FIELDS", path, "an emergency lists its fields: none is left to be asked for", remedy)


def _check_agencies(agreement: Agreement, parties: list[str]) -> Iterator[Problem]:
    for index, agency in enumerate(agreement.agencies):
        path = item("agencies", index)
        if agency.agency in [other.agency for other in agreement.agencies[:index]]:
            yield error("AGENCY_TWICE", at(path, "agency"), "this agency is listed twice", "keep one of the two")
        if not any(agency.agency.startswith(f"spiffe://{domain}/") for domain in parties):
            yield error("AGENCY_FOREIGN", at(path, "agency"), "this agency is in neither country", "list agencies of the parties")
        if not agency.agency_class:
            yield _missing(at(path, "agency_class"), "write BORDER, POLICE, PROSECUTION, SOCIAL or NGO")


def _check_clause(agreement: Agreement, clause: Clause, marks: Marks, path: str) -> Iterator[Problem]:
    parties = {party.trust_domain for party in agreement.parties}
    for name in ("sender", "recipient"):
        if getattr(clause, name) not in parties:
            yield error("CLAUSE_PARTY", at(path, name), "this is no party to the agreement", "write a trust domain of a party")
    if clause.sender == clause.recipient:
        yield error("CLAUSE_DIRECTION", at(path, "recipient"), "sender and recipient are the same", "mend one of the two")
    if not clause.audience:
        yield _missing(at(path, "audience"), "write BORDER, POLICE, PROSECUTION, SOCIAL or NGO")
    elif not any(
        agency.agency_class == clause.audience and agency.agency.startswith(f"spiffe://{clause.recipient}/")
        for agency in agreement.agencies
    ):
        remedy = "list an agency of this class, or leave the clause out"
        yield warning("AUDIENCE_NOBODY", at(path, "audience"), "the recipient lists no agency of this class", remedy)
    if not clause.onward:
        yield _missing(at(path, "onward"), "write NONE or ASK")
    kind = alert_types().get(clause.alert_type)
    if kind and kind.control:
        remedy = "leave the clause out: recalls and answers need no agreement"
        yield error("CLAUSE_CONTROL", at(path, "alert_type"), "this type needs no clause", remedy)
    together = [*marks.required, *marks.permitted, *marks.on_request]
    if len(set(together)) != len(together):
        remedy = "keep each field in one of required, permitted and on_request"
        yield error("CLAUSE_OVERLAP", path, "a field stands in more than one list", remedy)
    if kind and clause.audience and not marks:
        remedy = "list fields, or leave the clause out: what no clause names is forbidden"
        yield error("CLAUSE_EMPTY", path, "the clause permits no field at all", remedy)
