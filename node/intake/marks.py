"""The clauses that this product proposes: for each audience, which fields are required, permitted, or given on request.

The schema has three columns of marks (BORDER, POLICE, NGO); the other classes start from one of them: PROSECUTION as
POLICE without `covert_operation`, SOCIAL as NGO with `destination_area` permitted (docs/alerts.md). Two countries may
agree on other marks; these are where they begin.
"""

from dataclasses import dataclass
from typing import Final

from exchange.errors import Malformed
from exchange.profile import AlertField, alert_type
from exchange.v1.agreement_pb2 import (
    AGENCY_CLASS_BORDER,
    AGENCY_CLASS_NGO,
    AGENCY_CLASS_POLICE,
    AGENCY_CLASS_PROSECUTION,
    AGENCY_CLASS_SOCIAL,
    AgencyClass,
)

_COLUMNS: Final[dict[int, int]] = {
    AGENCY_CLASS_BORDER: 0,
    AGENCY_CLASS_POLICE: 1,
    AGENCY_CLASS_PROSECUTION: 1,
    AGENCY_CLASS_NGO: 2,
    AGENCY_CLASS_SOCIAL: 2,
}
_DEPARTURES: Final[dict[tuple[int, str], str]] = {
    (AGENCY_CLASS_PROSECUTION, "covert_operation"): "-",
    (AGENCY_CLASS_SOCIAL, "destination_area"): "M",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Field numbers, ascending and disjoint. A field in none of the three is forbidden."""

    required: tuple[int, ...]
    permitted: tuple[int, ...]
    on_request: tuple[int, ...]

    def __bool__(self) -> bool:
        """Tell whether any field may go to this audience at all."""
        return bool(self.required or self.permitted or self.on_request)


def default_marks(alert_type_name: str, agency_class: AgencyClass.ValueType) -> Marks:
    """Tell the proposed marks of an alert type (full name) for a class of agency.

    Raises `Malformed`: ALERT_TYPE_UNKNOWN, or AGENCY_CLASS_UNKNOWN for a class that has no column.
    """
    fields = alert_type(alert_type_name).fields
    if agency_class not in _COLUMNS:
        raise Malformed("AGENCY_CLASS_UNKNOWN", "no marks are proposed for this class of agency: write the fields out")
    marks = {field.number: _mark(field, agency_class) for field in fields}
    required, permitted, on_request = (tuple(n for n, mark in marks.items() if mark == letter) for letter in "RMC")
    return Marks(required=required, permitted=permitted, on_request=on_request)


def _mark(field: AlertField, agency_class: AgencyClass.ValueType) -> str:
    return _DEPARTURES.get((agency_class, field.name)) or field.default_marks[_COLUMNS[agency_class]]
