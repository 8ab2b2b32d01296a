"""A complete agreement file to start from: default marks, both directions, every ordinary alert type and every class present."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from exchange.profile import alert_types
from exchange.v1.agreement_pb2 import (
    AGENCY_CLASS_BORDER,
    AGENCY_CLASS_NGO,
    AGENCY_CLASS_POLICE,
    AGENCY_CLASS_PROSECUTION,
    AGENCY_CLASS_SOCIAL,
    AgencyClass,
)
from node.intake.countries import CountryUnknown, country_of_alpha2
from node.intake.marks import default_marks

_PURPOSES: Final[dict[int, tuple[str, ...]]] = {
    AGENCY_CLASS_BORDER: ("PREVENTION", "DETECTION", "BORDER_CONTROL", "CHILD_SAFEGUARDING", "SAVE_LIFE"),
    AGENCY_CLASS_POLICE: (
        "PREVENTION",
        "DETECTION",
        "INVESTIGATION",
        "BORDER_CONTROL",
        "CHILD_SAFEGUARDING",
        "SAVE_LIFE",
    ),
    AGENCY_CLASS_PROSECUTION: ("INVESTIGATION", "PROSECUTION"),
    AGENCY_CLASS_SOCIAL: ("PREVENTION", "CHILD_SAFEGUARDING", "SAVE_LIFE"),
    AGENCY_CLASS_NGO: ("PREVENTION", "CHILD_SAFEGUARDING"),
}
_PURPOSES_OF_TYPE: Final[dict[str, tuple[str, ...]]] = {"ProsecutionCoordination": ("INVESTIGATION", "PROSECUTION")}
"""Of a type that serves a purpose of its own, whoever is told."""
_RETENTION_DAYS: Final[dict[int, int]] = {
    AGENCY_CLASS_BORDER: 180,
    AGENCY_CLASS_POLICE: 365,
    AGENCY_CLASS_PROSECUTION: 365,
    AGENCY_CLASS_SOCIAL: 90,
    AGENCY_CLASS_NGO: 90,
}
_ONWARD: Final[dict[int, str]] = {
    AGENCY_CLASS_BORDER: "ASK",
    AGENCY_CLASS_POLICE: "ASK",
    AGENCY_CLASS_PROSECUTION: "ASK",
    AGENCY_CLASS_SOCIAL: "NONE",
    AGENCY_CLASS_NGO: "NONE",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementSide:
    """One country of two: its trust domain, its name for people, its law, and its agencies (SPIFFE ID to class)."""

    trust_domain: str
    name: str
    legal_basis: str
    agencies: Mapping[str, AgencyClass.ValueType]


def side_of(trust_domain: str, agencies: Mapping[str, AgencyClass.ValueType]) -> AgreementSide:
    """One country, as a draft begins: what its people must write themselves says so."""
    code = trust_domain.split(".", maxsplit=1)[0].upper()
    try:
        name = country_of_alpha2(code).name
    except CountryUnknown:
        name = code
    legal_basis = f"The law under which {name} discloses and receives: name it here."
    return AgreementSide(trust_domain=trust_domain, name=name, legal_basis=legal_basis, agencies=agencies)


def agreement_template(one: AgreementSide, other: AgreementSide, *, valid_from: datetime, valid_until: datetime) -> str:
    """Write the TOML of a training agreement between two countries, which `load_agreement_file` reads without a problem."""
    return "\n".join(_lines(sorted((one, other), key=lambda side: side.trust_domain), valid_from, valid_until))


def _lines(sides: list[AgreementSide], valid_from: datetime, valid_until: datetime) -> Iterator[str]:
    names = " and ".join(side.name for side in sides)
    yield f"# What {' and '.join(side.name for side in sides)} tell each other. TRAINING: for synthetic alerts only."
    yield "# A field that a clause does not name is never told. Trim what you do not need, then: exchange agreement propose FILE"
    yield ""
    yield f"instrument = {_text(f'Memorandum of understanding between {names} (TRAINING)')}"
    yield f"valid_from = {_time(valid_from)}"
    yield f"valid_until = {_time(valid_until)}"
    yield "emergency = false"
    for side in sides:
        yield from (
            "",
            "[[parties]]",
            f"trust_domain = {_text(side.trust_domain)}",
            f"legal_basis = {_text(side.legal_basis)}",
        )
    for agency, agency_class in sorted({**sides[0].agencies, **sides[1].agencies}.items()):
        yield from ("", "[[agencies]]", f"agency = {_text(agency)}", f'agency_class = "{_class(agency_class)}"')
    for sender, recipient in (sides, sides[::-1]):
        yield from ("", f"# From {sender.name} to {recipient.name}.")
        yield from _clauses(sender, recipient)
    yield ""


def _clauses(sender: AgreementSide, recipient: AgreementSide) -> Iterator[str]:
    for kind in alert_types().values():
        short = kind.name.rpartition(".")[2]
        for audience in sorted(set(recipient.agencies.values())):
            if kind.control or not default_marks(kind.name, audience):
                continue
            direction = f"{sender.trust_domain.partition('.')[0]}-to-{recipient.trust_domain.partition('.')[0]}"
            yield from (
                "",
                "[[clauses]]",
                f'id = "{direction}-{_hyphens(short)}-{_class(audience).lower()}"',
                f"sender = {_text(sender.trust_domain)}",
                f"recipient = {_text(recipient.trust_domain)}",
                f'audience = "{_class(audience)}"',
                f'alert_type = "{short}"',
                f"purposes = [{', '.join(_text(purpose) for purpose in _PURPOSES_OF_TYPE.get(short, _PURPOSES[audience]))}]",
                'marks = "default"',
                f"maximum_retention_days = {_RETENTION_DAYS[audience]}",
                f'onward = "{_ONWARD[audience]}"',
            )


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)  # a TOML basic string, for text without control characters


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _class(agency_class: AgencyClass.ValueType) -> str:
    return AgencyClass.Name(agency_class).removeprefix("AGENCY_CLASS_")


def _hyphens(name: str) -> str:
    return "".join(f"-{sign.lower()}" if sign.isupper() else sign for sign in name).removeprefix("-")
