"""What stands beside a draft while it is written: what each recipient would see of it, field by field, and as one of them would read it.

It is the preview's own: the same plan, the same matrix, the same page for the reader. Only who else tells of the person is not looked
up: that would be recorded, and nothing here is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from markupsafe import Markup

from exchange.v1 import desk_service_pb2 as messages
from exchange.v1.desk_service_pb2 import SEVERITY_ERROR
from node.console.compose_steps import Reading
from node.console.pages import Pages
from node.console.preview_reading import read_as
from node.console.preview_words import Column, Matrix, matrix, recipient_reference
from node.console.previewed import Outlook, look_ahead
from node.console.site import Site
from node.console.visits import Visit
from node.console.words import texts_in

LISTED: Final = 12
"""Recipients beside a step; the preview has all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One recipient: how many fields, or why nothing can go to it."""

    recipient: str
    column: Column | None = None
    denied: Sequence[messages.Problem] = ()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Live:
    """All of it. No repr: it is about a person."""

    lines: Sequence[Line]
    more: int
    """Recipients of whom there is no line."""
    errors: int
    matrix: Matrix
    reader: str
    """By whose eyes it is read, by its name in addresses; empty for nobody's."""
    read: Markup
    language: str
    """In which it is read."""


def live(site: Site, pages: Pages, visit: Visit, reading: Reading) -> Live:
    """By the plan of the release. Raises as `look_ahead`."""
    content = reading.content
    found = look_ahead(site.ports, visit.person, reading.draft, content.replaces, content.reason, others=False)
    shown = matrix(found.answer, visit.language, texts_in(visit.language), found.waiting)
    lines = list(_lines(found, shown))
    wanted = visit.form.get("reader", visit.query.get("reader", ""))
    reader = next((one for one in found.answer.recipients if not one.denied and recipient_reference(one.recipient) == wanted), None)
    read, language = _read(site, pages, visit, found, reader) if reader else (Markup(), "")
    return Live(
        lines=lines[:LISTED],
        more=max(0, len(lines) - LISTED),
        errors=sum(problem.severity == SEVERITY_ERROR for problem in reading.problems),
        matrix=shown,
        reader=wanted if reader else "",
        read=read,
        language=language,
    )


def _lines(found: Outlook, shown: Matrix) -> list[Line]:
    columns = {column.recipient: column for column in shown.columns}
    lines = [Line(recipient=one.recipient, column=columns.get(one.recipient), denied=list(one.denied)) for one in found.answer.recipients]
    left = found.foreseen.not_admitted if found.foreseen else ()
    return [*lines, *(Line(recipient=one, denied=found.foreseen.why.get(one, ())) for one in left if found.foreseen)]


def _read(site: Site, pages: Pages, visit: Visit, found: Outlook, reader: messages.RecipientPreview) -> tuple[Markup, str]:
    read, language = read_as(site.ports, visit.person, found.draft, reader)
    shown: dict[str, Any] = {**read, "frame": "live_frame.html", "within": True}
    return pages.part(replace(visit, language=language), "live_read.html", **shown), language.code
