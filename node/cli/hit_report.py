"""A hit report from what an officer typed and, if there is more to say, a file."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from node.cli.context import Context, settings
from node.cli.errors import USAGE, Trouble
from node.cli.problems import has_errors, problem_list, problem_table
from node.cli.today import today

if TYPE_CHECKING:
    from exchange.v1.desk_service_pb2 import Problem
    from exchange.v1.hit_report_pb2 import HitReport
    from node.intake.plain_document import Plain


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Said:
    """What stands on the command line; None where nothing does."""

    outcome: str
    place: str | None
    happened: str | None
    document: str | None
    """TYPE:ISSUER:NUMBER."""
    remarks: str | None


def read_report(said: Said, file: Path | None, *, language: str, context: Context) -> "HitReport":
    """Join the file's fields and what was said, which wins; the desk is the context's unless the file names another.

    Raises `Trouble` (FILE_WRONG) when something cannot be read, after telling what.
    """
    from exchange.v1.hit_report_pb2 import HitReport
    from node.intake.fields import FieldReader
    from node.intake.fill_in import fill_in
    from node.intake.value_checks import check_values

    fields: dict[str, Plain] = {}
    if context.unit and context.channel:
        fields["desk"] = {"unit": context.unit, "channel": context.channel}
    fields |= _file(file) if file else {}
    fields |= _said(said)
    reader = FieldReader(language=language, today=today())
    content = reader.read(HitReport, fields, "")
    fill_in(content)
    unread = {problem.field for problem in reader.problems}
    problems = reader.problems + [problem for problem in check_values(content) if problem.field not in unread]
    _tell(problems)
    return content


def _said(said: Said) -> "dict[str, Plain]":
    fields: dict[str, Plain] = {"outcome": said.outcome}
    if said.place:
        fields["place"] = said.place
    if said.happened:
        fields["happened"] = said.happened
    if said.remarks:
        fields["remarks"] = [said.remarks]
    if said.document:
        kind, _, rest = said.document.partition(":")
        issuer, _, number = rest.partition(":")
        if not number:
            raise Trouble(
                USAGE,
                "DOCUMENT",
                "--document does not name a document.",
                next_step="Write TYPE:ISSUER:NUMBER, e.g. PASSPORT:UTO:L898902C3.",
            )
        fields["document_shown"] = {"type": kind.upper(), "issuer": issuer.upper(), "number": number}
    return fields


def _file(file: Path) -> "dict[str, Plain]":
    from node.intake.plain_document import DocumentInvalid, read_document

    try:
        read = read_document(file.read_text("utf-8"), name=file.name)
    except (DocumentInvalid, UnicodeDecodeError) as error:
        why = str(error) if isinstance(error, DocumentInvalid) else "The file is not UTF-8 text."
        raise Trouble(USAGE, "FILE_WRONG", f"{file} cannot be read.", why=why) from None
    if not isinstance(read, dict):
        raise Trouble(
            USAGE,
            "FILE_WRONG",
            f"{file} is not a mapping of names to values.",
            next_step="Write the fields of HitReport by name, e.g. `identity_basis: [DOCUMENT]`.",
        )
    return read


def _tell(problems: "list[Problem]") -> None:
    if problems and not settings().json:
        from node.cli.output import console

        screen = console(stderr=True)
        screen.print(problem_table(problems))
        screen.print()
    if has_errors(problems):
        raise Trouble(
            USAGE,
            "FILE_WRONG",
            "The report cannot be sent as written.",
            next_step="Mend it, and report again. Nothing was sent.",
            done={"problems": problem_list(problems)},
        )
