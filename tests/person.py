"""A made-up person with names in four scripts, for tests that look for what is left of somebody."""

from exchange.v1 import people_pb2, travel_alert_pb2
from tests import builders


def _name(family: str, given: str, as_written: str, script: str, kind: "people_pb2.NameKind.ValueType") -> people_pb2.PersonName:
    return people_pb2.PersonName(family=family, given=given, as_written=as_written, script=script, kind=kind)


LATIN = _name("Vorbildmann", "Aloysius Quentin", "VORBILDMANN, Aloysius Quentin", "Latn", people_pb2.NAME_KIND_LEGAL)
KHMER = _name("គំរូ", "វិចិត្រសិល្បៈ", "គំរូ វិចិត្រសិល្បៈ", "Khmr", people_pb2.NAME_KIND_ALIAS)
THAI = _name("ตัวอย่างสมมุติ", "สมชายเฉลิม", "สมชายเฉลิม ตัวอย่างสมมุติ", "Thai", people_pb2.NAME_KIND_ALIAS)
VIETNAMESE = _name("Nguyễn", "Văn Thử Nghiệm", "Nguyễn Văn Thử Nghiệm", "Latn", people_pb2.NAME_KIND_MARRIED)
BORN = "1961-04-12"
BIRTHPLACE = "Northamptonshire Beispielort"
DOCUMENTS = ("QZ9990001X", "UTO-88817263")
NAMES = (LATIN, KHMER, THAI, VIETNAMESE)
VALUES = (
    *(name.as_written for name in NAMES),
    *(name.family for name in NAMES),
    *(name.given for name in NAMES),
    BORN,
    *DOCUMENTS,
    BIRTHPLACE,
)
"""Everything that a scan looks for: names whole and in parts, birth date and place, numbers of documents."""


def alert() -> travel_alert_pb2.TravelAlert:
    """A travel alert about this person."""
    made = builders.alert()
    made.ClearField("names")
    made.ClearField("documents")
    made.primary_name.CopyFrom(LATIN)
    made.names.extend(NAMES)
    made.birth.CopyFrom(people_pb2.Birth(date=BORN, basis=people_pb2.BIRTH_BASIS_DOCUMENT, place=BIRTHPLACE, country="GBR"))
    for number in DOCUMENTS:
        made.documents.add(type=people_pb2.DOCUMENT_TYPE_PASSPORT, number=number, issuer="GBR")
    return made
