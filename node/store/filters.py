"""A filter as a condition of SQL. What a person wrote is only ever a bound parameter; columns are named by us."""

from collections.abc import Mapping
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Final, assert_never

from sqlalchemy import ColumnElement, and_, func, not_, or_, true

from node.filtering.terms import And, Comparison, Filter, Not, Or, Present

_COMPARE: Final = {"=": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}


def condition(wanted: Filter, columns: Mapping[str, ColumnElement[Any]]) -> ColumnElement[bool]:
    """The condition under which `wanted` holds. `columns` has one, never null, for each field of the filter's vocabulary.

    Presence is "not empty, not 0". A beginning is compared by characters, and so keeps to case, which LIKE does not.
    """
    match wanted:
        case And(parts=parts):
            return and_(true(), *(condition(part, columns) for part in parts))
        case Or(parts=parts):
            return or_(*(condition(part, columns) for part in parts))
        case Not(part=part):
            return not_(condition(part, columns))
        case Present(field=field):
            column = columns[field]
            present: ColumnElement[bool] = column != column.type.python_type()
            return present
        case Comparison(field=field, operator=operator, value=value, beginning=beginning):
            column = columns[field]
            compared: Any = func.substr(column, 1, len(str(value))) if beginning else column
            found: ColumnElement[bool] = _COMPARE[operator](compared, value)
            return found
        case _:
            assert_never(wanted)
