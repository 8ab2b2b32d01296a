"""The file of national clauses: TOML, in the words of an agreement file.

```toml
instrument = "…"                      # the law or order that it rests on
valid_from = 2026-01-01T00:00:00Z
valid_until = 2031-01-01T00:00:00Z

[[clauses]]
id = "ahtjp-to-border-travel-alert"
desk = "spiffe://kh.alerts.example/agency/ahtjp"          # who may distribute
audience = "BORDER"                   # to which class of agency of the own country
agencies = ["spiffe://kh.alerts.example/agency/gdi"]      # only to these; left out, to every agency of the class
alert_type = "TravelAlert"
purposes = ["PREVENTION", "BORDER_CONTROL"]
marks = "default"                     # or: required, permitted, on_request, each a list of field names
maximum_retention_days = 90
onward = "NONE"                       # the default
```

Whatever is wrong makes the whole file invalid: a rule that was misread would be one that is not kept.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from exchange.agreement import terms_of
from exchange.errors import Malformed
from exchange.profile import alert_types
from exchange.v1.agreement_pb2 import AgencyClass, Agreement, Clause
from exchange.v1.desk_service_pb2 import Problem
from exchange.v1.handling_pb2 import ONWARD_RULE_NONE
from node.config import AgencyEntry
from node.intake.alert_file import read_agency
from node.intake.clause_tables import UNUSED_DATE, ClauseTables, read_toml, tables
from node.intake.fields import FieldReader, unknown_name
from node.intake.marks import Marks
from node.intake.paths import at, item
from node.intake.plain_document import Plain
from node.intake.problems import FIELD_MISSING, covers, error, merge, refuses
from node.intake.value_checks import check_values
from node.national.clauses import NationalClause, NationalClauses

_KEYS: Final = ("instrument", "valid_from", "valid_until", "clauses")
_BETWEEN: Final = ("sender", "recipient", "response_hours", "approvals", "transfer_conditions", "rate_cap_per_day")
"""Of a clause between countries; inside one nobody would keep them, so they are no words of this file."""
_CLASSES: Final = "BORDER, POLICE, PROSECUTION, SOCIAL or NGO"


def load_national(text: str, trust_domain: str, agencies: Collection[AgencyEntry]) -> NationalClauses:
    """Read a country's clauses. Raises `Malformed` (NATIONAL_INVALID), which lists everything that is wrong, and where."""
    classes = {str(agency.id): AgencyClass.Value(f"AGENCY_CLASS_{agency.agency_class}") for agency in agencies}
    document = read_toml(text)
    if isinstance(document, Problem):
        raise _invalid([document])
    reader = _NationalFile(trust_domain, classes)
    clauses = reader.read(document)
    if refuses(problems := merge(reader.problems)):
        raise _invalid(problems)
    whole = reader.whole
    return NationalClauses(
        digest=hashlib.sha256(text.encode()).digest(),
        instrument=whole.instrument,
        valid_from=whole.valid_from,
        valid_until=whole.valid_until,
        classes=classes,
        clauses=tuple(sorted(clauses, key=lambda one: one.terms.clause.id)),
    )


def _invalid(problems: Collection[Problem]) -> Malformed:
    lines = (f"{one.field or 'the file'}: {one.message}: {one.remedy}" for one in problems)
    return Malformed("NATIONAL_INVALID", "the national clauses cannot be used:\n" + "\n".join(lines))


class _NationalFile(ClauseTables):
    def __init__(self, trust_domain: str, classes: Mapping[str, int]) -> None:
        super().__init__()
        self.whole = Agreement()
        self._domain = trust_domain
        self._classes = classes

    def read(self, document: dict[str, Plain]) -> list[NationalClause]:
        self.problems += [unknown_name(_KEYS, key, "") for key in document if key not in _KEYS]
        given = [dict(table) for table in tables(document.get("clauses"))]
        parties = []
        marked: list[Marks] = []
        for place, table in enumerate(given):
            path = item("clauses", place)
            parties.append((self._desk(table, path), self._agencies(table, path)))
            self.name_type(table, path)
            marked.append(self.take_fields(table, path))
            self.problems += [
                error("FIELD_UNKNOWN", at(path, key), "this belongs into a clause between countries", "take it out")
                for key in _BETWEEN
                if key in table
            ]
            for key in _BETWEEN:
                table.pop(key, None)
        reader = FieldReader(language="", today=UNUSED_DATE)
        values: dict[str, Plain] = {key: document[key] for key in _KEYS[:3] if key in document}
        own = {"sender": self._domain, "recipient": self._domain}
        self.whole = reader.read(Agreement, {**values, "clauses": [{**table, **own} for table in given]}, "")
        for clause, marks in zip(self.whole.clauses, marked, strict=True):
            clause.required[:], clause.permitted[:], clause.on_request[:] = marks.required, marks.permitted, marks.on_request
            clause.purposes[:] = sorted(set(clause.purposes))
            clause.onward = clause.onward or ONWARD_RULE_NONE
        self.problems += reader.problems
        unread = [problem.field for problem in self.problems]
        self.problems += [one for one in self._check(marked) if not any(covers(path, one.field) for path in unread)]
        found = zip(self.whole.clauses, parties, strict=True)
        return [NationalClause(desk=desk, agencies=agencies, terms=terms_of(clause)) for clause, (desk, agencies) in found]

    def _desk(self, table: dict[str, Plain], path: str) -> str:
        return self._agency(table.pop("desk", None), at(path, "desk"))

    def _agencies(self, table: dict[str, Plain], path: str) -> frozenset[str]:
        given = table.pop("agencies", [])
        listed = given if isinstance(given, list) else [given]
        found = frozenset(self._agency(one, item(at(path, "agencies"), place)) for place, one in enumerate(listed))
        of_class = {agency for agency, number in self._classes.items() if _name(number) == table.get("audience")}
        if (found & self._classes.keys()) - of_class:
            remedy = "name agencies of the class that `audience` names"
            self.problems.append(error("AGENCY_CLASS", at(path, "agencies"), "an agency here is of another class", remedy))
        return found

    def _agency(self, given: Plain, path: str) -> str:
        read = read_agency(given, path)
        if isinstance(read, Problem):
            self.problems.append(read)
            return ""
        if read not in self._classes:
            remedy = "name one of [[agencies]] in the node's configuration"
            self.problems.append(error("AGENCY_FOREIGN", path, "this is no agency of this node", remedy))
        return read

    def _check(self, marked: list[Marks]) -> Iterator[Problem]:
        whole = self.whole
        for name in ("instrument", "valid_from", "valid_until"):
            if not getattr(whole, name):
                yield error(FIELD_MISSING, name, "this is missing", f"write it, as in an agreement: {name} = …")
        if 0 < whole.valid_until <= whole.valid_from:
            yield error("VALIDITY_BACKWARDS", "valid_until", "the clauses end before they begin", "mend one of the two times")
        if not whole.clauses:
            yield error(FIELD_MISSING, "clauses", "there is no clause", "write one, or take the file out of the configuration")
        ids = [clause.id for clause in whole.clauses]
        for place, clause in enumerate(whole.clauses):
            path = item("clauses", place)
            if clause.id in ids[:place]:
                yield error("CLAUSE_TWICE", at(path, "id"), "two clauses have this id", "give each an id of its own")
            yield from _check_clause(clause, marked[place], path)


def _name(agency_class: int) -> str:
    return AgencyClass.Name(AgencyClass.ValueType(agency_class)).removeprefix("AGENCY_CLASS_")


def _check_clause(clause: Clause, marks: Marks, path: str) -> Iterator[Problem]:
    for problem in check_values(clause):
        problem.field = at(path, problem.field)
        yield problem
    if not clause.audience:
        yield error(FIELD_MISSING, at(path, "audience"), "this is missing", f"write {_CLASSES}")
    kind = alert_types().get(clause.alert_type)
    if kind and kind.control:
        remedy = "leave the clause out: a recall reaches every agency that was told"
        yield error("CLAUSE_CONTROL", at(path, "alert_type"), "this type needs no clause", remedy)
    together = [*marks.required, *marks.permitted, *marks.on_request]
    if len(set(together)) != len(together):
        remedy = "keep each field in one of required, permitted and on_request"
        yield error("CLAUSE_OVERLAP", path, "a field stands in more than one list", remedy)
    if kind and clause.audience and not together:
        remedy = "list fields, or leave the clause out: what no clause names is forbidden"
        yield error("CLAUSE_EMPTY", path, "the clause permits no field at all", remedy)
