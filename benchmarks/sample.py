"""What is published here: synthetic travel alerts of 30 fields, no two alike, and the agreement that opens exactly 15 of them."""

import random
import string
from collections.abc import Sequence
from datetime import UTC, datetime

from exchange.v1 import desk_service_pb2 as desk
from exchange.v1 import handling_pb2, offending_pb2, people_pb2, travel_alert_pb2, travel_pb2

PRESENT = 30
OPENED = (
    *("primary_name", "names", "birth", "sex", "nationalities", "documents", "itinerary", "destination_area", "companions"),
    *("conviction_summary", "registration", "risk_level", "cautions", "requested_action", "contact_desk"),
)
_REQUIRED = ("primary_name", "requested_action", "contact_desk")
_DAY_MS = 86_400_000
_SYLLABLES = ("an", "bel", "cor", "dun", "em", "fir", "gal", "hol", "in", "jor", "kel", "lor", "mar", "nor", "os", "pel")


def draft(numbers: random.Random, recipient: str, now_ms: int) -> desk.Draft:
    """One draft with a request id of its own."""
    return desk.Draft(
        request_id=numbers.randbytes(16),
        alert_type=travel_alert_pb2.TravelAlert.DESCRIPTOR.full_name,
        alert=alert(numbers).SerializeToString(deterministic=True),
        recipients=[recipient],
        purpose=handling_pb2.PURPOSE_PREVENTION,
        handling=handling_pb2.Handling(
            codes=[handling_pb2.HANDLING_CODE_H1],
            permitted_purposes=[handling_pb2.PURPOSE_PREVENTION, handling_pb2.PURPOSE_DETECTION],
            judicial_use=handling_pb2.JUDICIAL_USE_ASK,
            onward=handling_pb2.ONWARD_RULE_ASK,
            retention_days=180,
        ),
        not_after=now_ms + 90 * _DAY_MS,
    )


def alert(numbers: random.Random) -> travel_alert_pb2.TravelAlert:
    """A travel alert with random values in 30 of its 34 fields. Asserts that they are 30."""

    def word() -> str:
        return "".join(numbers.choices(_SYLLABLES, k=3)).capitalize()

    def text(words: int) -> people_pb2.Text:
        return people_pb2.Text(language="en", text=" ".join(word() for _ in range(words)))

    def day() -> str:
        return f"2027-{numbers.randint(1, 12):02d}-{numbers.randint(1, 28):02d}"

    def local(zone: str) -> travel_pb2.LocalTime:
        return travel_pb2.LocalTime(local=f"{day()}T{numbers.randint(0, 23):02d}:{numbers.randint(0, 59):02d}", zone=zone)

    name = people_pb2.PersonName(family=word().upper(), given=word(), script="Latn", kind=people_pb2.NAME_KIND_LEGAL)
    made = travel_alert_pb2.TravelAlert(
        primary_name=name,
        names=[name, people_pb2.PersonName(family=word().upper(), script="Latn", kind=people_pb2.NAME_KIND_ALIAS)],
        birth=people_pb2.Birth(date=f"19{numbers.randint(40, 99)}-0{numbers.randint(1, 9)}", place=word(), country="GBR"),
        sex=people_pb2.SEX_MALE,
        nationalities=[people_pb2.Nationality(country="GBR", basis=people_pb2.NATIONALITY_BASIS_DOCUMENT)],
        appearance=people_pb2.Appearance(height_cm=numbers.randint(150, 200), build="slight", eyes="grey"),
        documents=[
            people_pb2.TravelDocument(
                type=people_pb2.DOCUMENT_TYPE_PASSPORT,
                # So many that no two of a million alerts share one: the node would take them for alerts about one person.
                number="".join(numbers.choices(string.digits + string.ascii_uppercase, k=14)),
                issuer="GBR",
                expires=day(),
                status=people_pb2.DOCUMENT_STATUS_VALID,
            )
        ],
        national_reference=f"EX-{numbers.randrange(10**6):06d}",
        external_references=[people_pb2.Reference(system="EXAMPLE", number=str(numbers.randrange(10**9)))],
        itinerary=[
            travel_pb2.Leg(
                mode=travel_pb2.TRAVEL_MODE_AIR,
                service_number=f"ZZ{numbers.randint(100, 999)}",
                departure_port=travel_pb2.Port(code="LHR", country="GBR"),
                departure=local("Europe/London"),
                arrival_port=travel_pb2.Port(code="PNH", country="KHM"),
                arrival=local("Asia/Phnom_Penh"),
                confidence=travel_pb2.CONFIDENCE_BOOKED,
            )
        ],
        booking_reference=word().upper()[:6],
        return_travel=travel_pb2.ReturnTravel(date=day(), port=travel_pb2.Port(code="LHR", country="GBR")),
        destination_area=travel_pb2.Area(country="KHM", code="KH-12", province=word()),
        accommodation=[travel_pb2.Accommodation(name=word(), address=f"{numbers.randint(1, 99)} {word()} Street")],
        purpose_and_host=[text(6)],
        companions=people_pb2.CompanionCounts(adults=numbers.randint(0, 3), minors=numbers.randint(0, 2)),
        conviction_summary=offending_pb2.ConvictionSummary(
            offence_classes=[offending_pb2.OFFENCE_CLASS_CONTACT_ABUSE], latest_year=numbers.randint(1990, 2025), against_child=True
        ),
        convictions=[
            offending_pb2.Conviction(
                statute=f"Example Act, section {numbers.randint(1, 99)}",
                month=f"20{numbers.randint(10, 25)}-0{numbers.randint(1, 9)}",
                country="GBR",
                sentence=offending_pb2.SENTENCE_BAND_4_TO_10_YEARS,
            )
        ],
        registration=offending_pb2.Registration(status=offending_pb2.REGISTRATION_STATUS_REGISTERED, jurisdiction=word(), since="2011"),
        court_orders=[offending_pb2.CourtOrder(kind=offending_pb2.COURT_ORDER_KIND_NOTIFY_TRAVEL, expires=day(), issued_by=word())],
        risk_level=offending_pb2.RiskLevel(band=offending_pb2.RISK_BAND_HIGH, tool="ARMS", assessed=day()[:7]),
        risk_narrative=[text(20)],
        modus_operandi=offending_pb2.ModusOperandi(codes=[offending_pb2.MODUS_OPERANDI_CODE_TEACHING], cover_occupation=word()),
        cautions=[offending_pb2.CAUTION_DO_NOT_ALERT_SUBJECT],
        covert_operation=False,
        requested_action=offending_pb2.REQUESTED_ACTION_SECONDARY_INTERVIEW,
        safeguarding_request=offending_pb2.SafeguardingRequest(actions=[offending_pb2.SAFEGUARDING_ACTION_CHECK_WELFARE]),
        grading=[people_pb2.Grading(source=people_pb2.SOURCE_GRADE_A, information=people_pb2.INFORMATION_GRADE_1)],
        contact_desk=people_pb2.ContactDesk(unit=f"{word()} desk", channel="desk@gb.alerts.example"),
        deadlines=offending_pb2.Deadlines(acknowledge_by=1_900_000_000_000 + numbers.randrange(10**9)),
    )
    assert len(made.ListFields()) == PRESENT
    return made


def agreement(sender: str, recipient: str, agencies: Sequence[tuple[str, str]]) -> str:
    """The agreement file: one clause, to POLICE, of exactly 15 fields. `agencies` are (SPIFFE ID, class) of both."""
    year = datetime.now(UTC).year
    permitted = [name for name in OPENED if name not in _REQUIRED]
    parties = "".join(f'[[parties]]\ntrust_domain = "{one}"\nlegal_basis = "A law (TRAINING)."\n' for one in sorted((sender, recipient)))
    classified = "".join(f'[[agencies]]\nagency = "{agency}"\nagency_class = "{kind}"\n' for agency, kind in sorted(agencies))
    return f"""instrument = "Memorandum of a benchmark (TRAINING)"
valid_from = {year - 1}-01-01T00:00:00Z
valid_until = {year + 5}-01-01T00:00:00Z
emergency = false
{parties}{classified}[[clauses]]
id = "benchmark"
sender = "{sender}"
recipient = "{recipient}"
audience = "POLICE"
alert_type = "TravelAlert"
purposes = ["PREVENTION"]
required = {list(_REQUIRED)}
permitted = {permitted}
maximum_retention_days = 365
onward = "ASK"
"""
