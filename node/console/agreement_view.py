"""One agreement as a page shows it: who tells whom what under which conditions, and what differs from the version before."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from exchange.profile import alert_types
from exchange.v1.agreement_pb2 import Agreement, Clause
from exchange.v1.desk_service_pb2 import AgreementSummary
from node.agreement_changes import CONDITIONS, NEVER, Change, Detail, What, changes, marks, version_before
from node.console.admin_words import CLASS_WORDS, CONDITION_WORDS, GROUND_WORDS, MARK_WORDS, condition_words
from node.console.languages import Language
from node.console.words import texts_in, type_words
from node.reading_values import safe_text

CHANGES_SHOWN: Final = 50
"""More on one page would be too much for a poor line."""


def _said(text: str) -> str:
    """Mark a text for the catalogue that is looked up later."""
    return text


_WHAT: Final = {What.ADDED: _said("Added"), What.REMOVED: _said("Taken away"), What.CHANGED: _said("Changed")}
_TERMS: Final = {
    "instrument": _said("Instrument"),
    "valid_from": _said("In force from"),
    "valid_until": _said("In force until"),
    "emergency": _said("For an emergency"),
}
_YES: Final = _said("yes")
_NO: Final = _said("no")
_ROUTE: Final = _said("%(type)s, from %(sender)s to %(recipient)s: %(audience)s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
    """What one country tells the other of one type of alert."""

    sender: str
    recipient: str
    kind: str
    """The type's name in addresses."""
    words: str
    """And for people."""
    audiences: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One clause."""

    clause: str
    audience: str
    agencies: Sequence[str]
    conditions: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Every field of one type, by clause."""

    sender: str
    recipient: str
    columns: Sequence[Column]
    categories: Sequence[tuple[str, Sequence[tuple[str, Sequence[str]]]]]
    """For each data category its fields, each with the mark of each column, in the schema's words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeShown:
    """One difference in words: what happened, to what, and (name, before, now) of each part."""

    what: str
    subject: str
    rows: Sequence[tuple[str, str, str]]


def directions(agreement: Agreement, language: Language) -> list[Direction]:
    """Which types of alert go which way, and to what kinds of agencies."""
    found: dict[tuple[str, str, str], list[Clause]] = {}
    for clause in agreement.clauses:
        found.setdefault((clause.sender, clause.recipient, clause.alert_type), []).append(clause)
    return [
        Direction(
            sender=sender,
            recipient=recipient,
            kind=kind.rpartition(".")[2],
            words=language.say(type_words(kind)),
            audiences=[language.say(CLASS_WORDS.get(clause.audience, "")) for clause in clauses],
        )
        for (sender, recipient, kind), clauses in found.items()
    ]


def matrices(agreement: Agreement, short: str, language: Language) -> list[Matrix]:
    """The tables of one type of alert, one a direction; none if the agreement says nothing of it."""
    found: dict[tuple[str, str], list[Clause]] = {}
    for clause in agreement.clauses:
        if clause.alert_type.rpartition(".")[2] == short:
            found.setdefault((clause.sender, clause.recipient), []).append(clause)
    return [_matrix(agreement, way, clauses, language) for way, clauses in found.items()]


def changes_shown(before: Agreement, now: Agreement, language: Language, zone: str) -> tuple[list[ChangeShown], int]:
    """The differences, and how many are left off."""
    found = changes(before, now)
    return [_change(one, language, zone) for one in found[:CHANGES_SHOWN]], max(len(found) - CHANGES_SHOWN, 0)


def agreement_shown(held: Sequence[AgreementSummary], one: AgreementSummary, language: Language, zone: str) -> dict[str, Any]:
    """What pages show of an agreement, with what differs from the version before among those that are `held`."""
    before = version_before(held, one)
    changed, left_off = changes_shown(before.agreement, one.agreement, language, zone) if before else ([], 0)
    return {
        "content": one.agreement,
        "agencies": [{"agency": item.agency, "class": CLASS_WORDS.get(item.agency_class, "")} for item in one.agreement.agencies],
        "emergency": emergency_words(one.agreement, language),
        "directions": directions(one.agreement, language),
        "before": before.digest.hex() if before else "",
        "changes": changed,
        "left_off": left_off,
    }


def emergency_words(agreement: Agreement, language: Language) -> str:
    """Why it is for an emergency; empty if it is not."""
    return language.say(GROUND_WORDS.get(agreement.emergency_ground, "")) if agreement.emergency else ""


def _matrix(agreement: Agreement, way: tuple[str, str], clauses: Sequence[Clause], language: Language) -> Matrix:
    texts = texts_in(language)
    marked = [marks(clause) for clause in clauses]
    kind = alert_types().get(clauses[0].alert_type)
    category = {field.name: field.category for field in kind.fields} if kind else {}
    rows: dict[str, list[tuple[str, Sequence[str]]]] = {}
    for name in dict.fromkeys(name for column in marked for name in column):
        words = texts.category(category[name]) if name in category else ""
        rows.setdefault(words, []).append((texts.label(name), [column.get(name, NEVER) for column in marked]))
    columns = [
        Column(
            clause=clause.id,
            audience=language.say(CLASS_WORDS.get(clause.audience, "")),
            agencies=[one.agency for one in agreement.agencies if one.agency_class == clause.audience and _at_home(one.agency, clause)],
            conditions=[(_heading(name, language), condition_words(name, getattr(clause, name), language)) for name in CONDITIONS],
        )
        for clause in clauses
    ]
    return Matrix(sender=way[0], recipient=way[1], columns=columns, categories=list(rows.items()))


def _heading(condition: str, language: Language) -> str:
    words = language.say(CONDITION_WORDS[condition])
    return words[:1].upper() + words[1:]


def _at_home(agency: str, clause: Clause) -> bool:
    return agency.startswith(f"spiffe://{clause.recipient}/")


def _change(one: Change, language: Language, zone: str) -> ChangeShown:
    what = language.say(_WHAT[one.what])
    if one.route:
        subject = language.say(
            _ROUTE,
            type=language.say(type_words(one.route.alert_type)),
            sender=safe_text(one.route.sender),
            recipient=safe_text(one.route.recipient),
            audience=language.say(CLASS_WORDS.get(one.route.audience, "")),
        )
        return ChangeShown(what=what, subject=subject, rows=_clause_rows(one, language))
    if one.party:
        before, now = (
            language.say(CLASS_WORDS.get(value, "")) if isinstance(value, int) else str(value) for value in (one.before, one.now)
        )
        return ChangeShown(what=what, subject=safe_text(one.party), rows=[("", safe_text(before), safe_text(now))])
    before, now = (_term(one.term, value, language, zone) for value in (one.before, one.now))
    return ChangeShown(what=what, subject=language.say(_TERMS[one.term]), rows=[("", before, now)])


def _clause_rows(one: Change, language: Language) -> list[tuple[str, str, str]]:
    texts = texts_in(language)
    conditions = [
        (language.say(CONDITION_WORDS[part.name]), condition_words(part.name, part.before, language), _now(part, language))
        for part in one.conditions
    ]
    if one.what is What.CHANGED:
        fields = [
            (texts.label(part.name), language.say(MARK_WORDS[str(part.before)]), language.say(MARK_WORDS[str(part.now)]))
            for part in one.fields
        ]
        return [*conditions, *fields]
    # A clause that came or went is told by its marks: a row a field would be a page a clause.
    gone = one.what is What.REMOVED
    together = [(mark, _named(mark, one.fields, texts.label, before=gone)) for mark in MARK_WORDS if mark != NEVER]
    return [(language.say(MARK_WORDS[mark]), names if gone else "", "" if gone else names) for mark, names in together if names]


def _now(part: Detail, language: Language) -> str:
    return condition_words(part.name, part.now, language)


def _named(mark: str, fields: Iterable[Detail], label: Callable[[str], str], *, before: bool) -> str:
    return ", ".join(label(one.name) for one in fields if (one.before if before else one.now) == mark)


def _term(term: str, value: object, language: Language, zone: str) -> str:
    if term == "emergency":
        return language.say(_YES if value else _NO)
    return language.moment(int(str(value)), zone) if term.startswith("valid") else safe_text(str(value))
