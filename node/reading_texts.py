"""Every word that a person reads of an alert, in English; `node.console.words` makes the same table in other languages.

A field or value that a table does not name is shown by its schema name in plain words.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """The words of one language. Templates are for `str.format` with the names that stand in the English ones."""

    not_known: str
    not_disclosed: str
    fact: str
    assessment: str
    yes: str
    no: str
    unknown_code: str
    months: tuple[str, ...]
    day: str
    month: str
    span: str
    uncertain: str
    approximate: str
    uncertain_and_approximate: str
    local_time: str
    instant: str
    machine_translated: str
    arrow: str
    whole: str
    """What a grading is of that names no field."""
    labels: Mapping[str, str]
    """Field name to label, where the name in plain words will not do."""
    values: Mapping[str, str]
    """Full enum value name to words, where its name in plain words will not do."""
    categories: Mapping[str, str]
    scripts: Mapping[str, str]
    countries: Mapping[str, str] = field(default_factory=dict)
    """Code as documents print it to name; English where there is none."""
    languages: Mapping[str, str] = field(default_factory=dict)
    """Code to name; the code itself where there is none."""
    zone: str = ""
    """By whose clocks a point in time is told besides UTC (IANA name); empty for none."""

    def label(self, name: str) -> str:
        """Tell what people call a field."""
        return self.labels.get(name) or _plain(name).capitalize()

    def value(self, name: str, prefix: str) -> str:
        """Tell what people call an enum value."""
        return self.values.get(name) or _plain(name.removeprefix(prefix).lower())

    def category(self, name: str) -> str:
        """Tell what people call a data category."""
        return self.categories.get(name) or _plain(name.lower())


def _plain(name: str) -> str:
    return name.replace("_", " ")


ENGLISH: Final = Texts(
    not_known="Not known to the originator",
    not_disclosed="Not disclosed to you",
    fact="fact",
    assessment="assessment",
    yes="yes",
    no="no",
    unknown_code="code {number}, which this version does not know",
    months=(
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
    day="{day} {month} {year}",
    month="{month} {year}",
    span="between {first} and {last}",
    uncertain="{date}, uncertain",
    approximate="{date}, approximate",
    uncertain_and_approximate="{date}, uncertain and approximate",
    local_time="{date}, {time} ({zone})",
    instant="{date}, {time} UTC",
    machine_translated="translated by machine",
    arrow="to",
    whole="The whole alert",
    labels={
        "appearance": "Appearance",
        "as_written": "As written",
        "companions": "Companions (counted)",
        "contact_desk": "Contact desk, day and night",
        "covert_operation": "Covert operation: call before acting",
        "extraterritorial_basis": "Basis of jurisdiction",
        "facial_image": "Facial image (held by the originator)",
        "happened": "When it happened",
        "height_cm": "Height in cm",
        "itinerary": "Itinerary",
        "manifest_digest": "About the alert with digest",
        "modus_operandi": "Modus operandi",
        "names": "All names",
        "ne_bis_in_idem": "Ne bis in idem: earlier proceedings",
        "non_conviction_basis": "Known otherwise than by conviction",
        "primary_name": "Name as in the document",
        "purpose_and_host": "Declared purpose and host",
        "risk_narrative": "Risk in words",
    },
    values={
        "AGE_BAND_UNDER_6": "under 6",
        "AGE_BAND_6_TO_12": "6 to 12",
        "AGE_BAND_13_TO_15": "13 to 15",
        "AGE_BAND_16_TO_17": "16 to 17",
        "CAUTION_DO_NOT_ALERT_SUBJECT": "do not alert the subject",
        "EXTRATERRITORIAL_BASIS_NATIONALITY": "nationality of the suspect",
        "EXTRATERRITORIAL_BASIS_RESIDENCE": "residence of the suspect",
        "EXTRATERRITORIAL_BASIS_TERRITORY": "committed in that country",
        "EXTRATERRITORIAL_BASIS_UNIVERSAL": "universal jurisdiction",
        "INFORMATION_GRADE_1": "1 – not in doubt",
        "INFORMATION_GRADE_2": "2 – known to the source itself, not to the officer who passes it on",
        "INFORMATION_GRADE_3": "3 – not known to the source itself, confirmed by what is on record",
        "INFORMATION_GRADE_4": "4 – not known to the source itself, and not confirmed",
        "NE_BIS_IN_IDEM_CHECKED_CLEAR": "checked, there were none",
        "NE_BIS_IN_IDEM_EARLIER_PROCEEDINGS": "there were some: see the case references",
        "NE_BIS_IN_IDEM_PENDING": "not checked yet",
        "REQUESTED_ACTION_CONSIDER_REFUSAL_UNDER_LOCAL_LAW": "consider refusing entry under your own law",
        "REQUESTED_ACTION_DISCREET_REPORT": "report discreetly, do not stop the person",
        "REQUESTED_ACTION_INFORMATION_ONLY": "for information only",
        "SEX_NOT_SPECIFIED_IN_DOCUMENT": "not specified in the document",
        "SOURCE_GRADE_A": "A – reliable in every case",
        "SOURCE_GRADE_B": "B – reliable in most cases",
        "SOURCE_GRADE_C": "C – unreliable in most cases",
        "SOURCE_GRADE_X": "X – cannot be judged",
    },
    categories={"CASE": "case", "PROVENANCE": "where it comes from"},
    scripts={
        "Arab": "Arabic",
        "Cyrl": "Cyrillic",
        "Deva": "Devanagari",
        "Hang": "Hangul",
        "Hani": "Chinese characters",
        "Hans": "simplified Chinese",
        "Hant": "traditional Chinese",
        "Jpan": "Japanese",
        "Khmr": "Khmer",
        "Kore": "Korean",
        "Laoo": "Lao",
        "Latn": "Latin",
        "Mymr": "Burmese",
        "Taml": "Tamil",
        "Thai": "Thai",
    },
)
