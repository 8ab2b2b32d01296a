"""The passenger list of the demo: the person of an alert among travellers whom nobody looks for."""

import csv
import io
from collections.abc import Mapping
from typing import Any

from node.cli.demo_stage import Data

_SERVICE = "XX 583"
_INNOCENT = (
    ("Specimen", "Anna Maria", "1974-08-12", "F", "UTO", "EXAMPLE01"),
    ("Muster", "Erika", "1984-01-26", "F", "D", "EXAMPLE02"),
    ("Example", "Sokha", "1990-06-30", "M", "KHM", "EXAMPLE03"),
)


def passenger_list(shown: Data) -> str:
    """A list as an airline might send it: the person of an alert as a desk reads it, among people whom nobody looks for."""
    written = io.StringIO()
    lines = csv.writer(written)
    lines.writerow(("family_name", "given_names", "birth_date", "sex", "nationality", "document_number", "service"))
    document: Mapping[str, Any] = next(iter(shown.get("documents") or ()), {})
    name = shown.get("primary_name") or {}
    birth = (shown.get("birth") or {}).get("date") or ""
    nationality = next((one.get("country", "") for one in shown.get("nationalities") or ()), "")
    sought = (name.get("family") or name.get("as_written") or "", name.get("given") or "", birth, shown.get("sex") or "", nationality)
    rows = [(*sought, document.get("number") or ""), *_INNOCENT]
    for row in rows[1:2] + rows[:1] + rows[2:]:
        lines.writerow((*row, _SERVICE))
    return written.getvalue()
