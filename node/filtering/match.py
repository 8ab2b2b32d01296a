"""Whether a filter holds for something whose values are at hand, or already does not although some are not known yet."""

from collections.abc import Mapping
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Final

from node.filtering.terms import And, Comparison, Filter, Not, Or, Present

_COMPARE: Final = {"=": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
_LOWEST, _HIGHEST = 0, 2**63 - 1


def match(wanted: Filter, values: Mapping[str, Any]) -> bool | None:
    """Whether `wanted` holds for these values by field; None if that depends on fields that are not among them.

    A TEXTS field's value is a collection of texts. Three-valued logic (Kleene): a part that is not known decides nothing.
    """
    if isinstance(wanted, (And, Or)):
        # What decides: one part that does not hold, or of an OR one that does. Of most things the rest need not be asked.
        decides = isinstance(wanted, Or)
        open_question = False
        for part in wanted.parts:
            held = match(part, values)
            if held is decides:
                return decides
            open_question |= held is None
        return None if open_question else not decides
    if isinstance(wanted, Not):
        inner = match(wanted.part, values)
        return None if inner is None else not inner
    if wanted.field not in values:
        return None
    value = values[wanted.field]
    return bool(value) if isinstance(wanted, Present) else _compare(wanted, value)


def named(wanted: Filter) -> frozenset[str]:
    """The fields that a filter asks for: of others no value is needed."""
    if isinstance(wanted, (And, Or)):
        return frozenset().union(*map(named, wanted.parts))
    return named(wanted.part) if isinstance(wanted, Not) else frozenset({wanted.field})


def bounds(wanted: Filter, field: str) -> tuple[int, int]:
    """The lowest and the highest value of an ordered `field` for which `wanted` can hold, as its outermost AND says."""
    low, high = _LOWEST, _HIGHEST
    for part in wanted.parts if isinstance(wanted, And) else (wanted,):
        if isinstance(part, And):
            inner = bounds(part, field)
            low, high = max(low, inner[0]), min(high, inner[1])
        elif isinstance(part, Comparison) and part.field == field and isinstance(part.value, int):
            if part.operator in {"=", ">=", ">"}:
                low = max(low, part.value + (part.operator == ">"))
            if part.operator in {"=", "<=", "<"}:
                high = min(high, part.value - (part.operator == "<"))
    return low, high


def _compare(wanted: Comparison, value: Any) -> bool:
    if isinstance(value, str):
        same = value.startswith(str(wanted.value)) if wanted.beginning else value == wanted.value
        return same == (wanted.operator == "=")
    if isinstance(value, (tuple, list, set, frozenset)):
        if wanted.beginning:
            return any(item.startswith(wanted.value) for item in value)
        return wanted.value in value
    return bool(_COMPARE[wanted.operator](value, wanted.value))
