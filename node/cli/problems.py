"""What is wrong with a file or a draft, all of it at once: where, what, and how to mend it."""

from typing import TYPE_CHECKING, Any

from node.cli.output import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.table import Table

    from exchange.v1.desk_service_pb2 import Problem


def has_errors(problems: "Iterable[Problem]") -> bool:
    """Tell whether any of them stops a release; the others are warnings."""
    from exchange.v1.desk_service_pb2 import SEVERITY_WARNING

    return any(problem.severity != SEVERITY_WARNING for problem in problems)


def problem_list(problems: "Iterable[Problem]") -> list[dict[str, Any]]:
    """Problems for scripts."""
    from node.documents import document

    return [document(problem) for problem in problems]


def problem_table(problems: "Iterable[Problem]") -> "Table":
    """Problems for people: errors first, each with its remedy below it."""
    from rich.table import Table
    from rich.text import Text

    from exchange.v1.desk_service_pb2 import SEVERITY_WARNING

    drawn = Table.grid(padding=(0, 2, 0, 0))
    drawn.add_column(no_wrap=True)
    drawn.add_column(no_wrap=True, overflow="fold")
    drawn.add_column()
    for problem in sorted(problems, key=lambda item: item.severity):
        mild = problem.severity == SEVERITY_WARNING
        mark = Text("warning", style="yellow") if mild else Text("error", style="red")
        what = Text(plain(problem.message)).append(f"  {problem.code}", style="dim")
        if problem.remedy:
            what.append(f"\n{plain(problem.remedy)}", style="italic")
        drawn.add_row(mark, Text(plain(problem.field) or "whole alert", style="bold"), what)
    return drawn
