"""The short report: one of four outcomes, where, and in one's own words. More of it is told on the command line."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from exchange.v1.desk_service_pb2 import Problem
from exchange.v1.hit_report_pb2 import HitReport
from exchange.v1.people_pb2 import ContactDesk
from node.console.languages import Language
from node.intake.fields import FieldReader
from node.intake.fill_in import fill_in
from node.intake.plain_document import Plain
from node.intake.problems import error, refuses
from node.intake.value_checks import check_values


def _said(text: str) -> str:
    """Mark a text for the catalogue that is looked up later."""
    return text


OUTCOMES: Final[Mapping[str, str]] = {
    "ADMITTED": _said("Came, and was let in"),
    "REFUSED_ENTRY": _said("Came, and was refused entry"),
    "NOT_THIS_PERSON": _said("Somebody came, and it is not this person"),
    "NO_MATCH": _said("Nobody came who could be this person"),
}
"""By the name in `HitOutcome`."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ReportForm:
    """What stands in the form. No repr: it is about a person."""

    outcome: str = ""
    place: str = ""
    remarks: str = ""

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> "ReportForm":
        """The form as it was sent."""
        return cls(outcome=fields.get("outcome", ""), place=fields.get("place", "").strip(), remarks=fields.get("remarks", "").strip())


def read_report(form: ReportForm, language: Language, desk: ContactDesk | None, today: date) -> HitReport | list[Problem]:
    """The report, or all that is wrong with the form."""
    problems = []
    if form.outcome not in OUTCOMES:
        problems.append(error("OUTCOME_MISSING", "outcome", "no outcome was chosen", "choose one"))
    if desk is None:
        problems.append(error("DESK_MISSING", "", "it is not said how this agency is reached", "add its desk to [[agencies]]"))
    fields: dict[str, Plain] = {"outcome": form.outcome if form.outcome in OUTCOMES else None}
    if form.place:
        fields["place"] = form.place.upper()
    if form.remarks:
        fields["remarks"] = [" ".join(form.remarks.split())]
    reader = FieldReader(language=language.code, today=today)
    content = reader.read(HitReport, fields, "")
    fill_in(content)
    if desk is not None:
        content.desk.CopyFrom(desk)
    unread = {problem.field for problem in reader.problems}
    problems += reader.problems
    problems += [problem for problem in check_values(content) if problem.field not in unread]
    return problems if refuses(problems) else content
