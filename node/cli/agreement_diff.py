"""What differs between two agreements, for people and for scripts."""

from typing import TYPE_CHECKING, Any

from node.cli.output import heading, note, plain, table
from node.documents import enum_name
from node.short_words import party_name, time_text, words

if TYPE_CHECKING:
    from rich.console import Console

    from exchange.v1.agreement_pb2 import Agreement
    from node.agreement_changes import Change, Detail


def diff_data(before: "Agreement", now: "Agreement") -> list[dict[str, Any]]:
    """Every difference by its parts."""
    from node.agreement_changes import changes

    return [
        {
            "what": one.what.name,
            "subject": _subject(one),
            "changes": [{"name": name, "before": was, "now": is_} for name, was, is_ in _rows(one)],
        }
        for one in changes(before, now)
    ]


def draw_diff(console: "Console", found: list[dict[str, Any]]) -> None:
    """Print a heading for each difference, and a table of its parts."""
    if not found:
        console.print(note("Nothing differs."))
    for one in found:
        console.print(heading(f"{words(one['what'])}: {plain(one['subject'])}"))
        if one["changes"]:
            rows = [(plain(part["name"]), plain(part["before"]), plain(part["now"])) for part in one["changes"]]
            console.print(table(("!what", "before", "now"), rows))


def _subject(one: "Change") -> str:
    from exchange.v1.agreement_pb2 import AgencyClass

    if one.route:
        kind = one.route.alert_type.rpartition(".")[2]
        audience = words(enum_name(AgencyClass.DESCRIPTOR, one.route.audience))
        return f"{kind}, from {one.route.sender} to {one.route.recipient}: {audience}"
    return party_name(one.party) if one.party else one.term


def _rows(one: "Change") -> list[tuple[str, str, str]]:
    from exchange.v1.agreement_pb2 import AgencyClass

    if one.route:
        return [_row(part) for part in (*one.conditions, *one.fields)]
    if one.party:
        classes = isinstance(one.now, int) and isinstance(one.before, int)
        said = [words(enum_name(AgencyClass.DESCRIPTOR, int(str(value)))) if classes else str(value) for value in (one.before, one.now)]
        return [("class" if classes else "legal basis", said[0], said[1])]
    timed = one.term.startswith("valid")
    said = [time_text(int(str(value))) if timed else str(value) for value in (one.before, one.now)]
    return [(one.term, said[0], said[1])]


def _row(part: "Detail") -> tuple[str, str, str]:
    return part.name, _value(part.name, part.before), _value(part.name, part.now)


def _value(name: str, value: object) -> str:
    from exchange.v1.agreement_pb2 import TransferCondition
    from exchange.v1.handling_pb2 import OnwardRule, Purpose

    lists = {"purposes": Purpose.DESCRIPTOR, "transfer_conditions": TransferCondition.DESCRIPTOR}
    if name in lists and isinstance(value, tuple):
        return ", ".join(words(enum_name(lists[name], number)) for number in value)
    if name == "onward":
        return words(enum_name(OnwardRule.DESCRIPTOR, int(str(value))))
    return words(value) if isinstance(value, str) else str(value or "")
