"""What is wrong with what was typed: drafts, reports, answers and tips, by the code of the problem, for people."""

from collections.abc import Mapping
from typing import Final

from node.console.problem_table import by_code


def _said(text: str) -> str:
    """Mark a text for the catalogue that is looked up later."""
    return text


DRAFT_PROBLEMS: Final[Mapping[str, str]] = by_code(
    {
        _said("This is no country that we know. Write its name, or the code that documents print."): ("COUNTRY_UNKNOWN",),
        _said("This is not the digest of an alert. Write its 64 digits."): ("DIGEST_MALFORMED", "SCHEMA_BYTES_LEN"),
        _said("That month has no such day."): ("EDTF_NO_SUCH_DAY",),
        _said("This can mean two days. Write the month in words, or the year first."): ("EDTF_ORDER",),
        _said("This is not a date that we can read. Write what is known of it, for example 1961, 03/1985 or about 1970."): ("EDTF",),
        _said("Choose one from the list."): ("ENUM_UNKNOWN",),
        _said("Your agency has reported on this alert before, and not this. To correct it or add to it, tick that it is meant."): (
            "REPORT_DIFFERS",
        ),
        _said("This alert was withdrawn. If it must be reported on all the same, tick that it is meant."): ("REPORT_WITHDRAWN",),
        _said("This is missing."): ("FIELD_MISSING", "SCHEMA_REPEATED_MIN_ITEMS", "SCHEMA_STRING_MIN_LEN"),
        _said("A judgement without a grade: say how sure it is."): ("GRADING_MISSING",),
        _said("This agency is not among the recipients."): ("GRANT_RECIPIENT",),
        _said("The alert’s own purpose must be among those that it may be used for."): ("HANDLING_PURPOSE",),
        _said("Write the digest as pairs of 0 to 9 and a to f."): ("HEX_EXPECTED",),
        _said("This is not a point in time that we can read. Write days, or a date with time and zone."): ("INSTANT_SYNTAX",),
        _said("This is not the tag of a language. Write one such as en, km, th or vi."): ("LANGUAGE_SYNTAX",),
        _said("No calendar has this day."): ("LOCAL_TIME_NO_SUCH_DAY",),
        _said("This is not a date or time that we can read. Write it like 4 March 2027 21:30."): ("LOCAL_TIME_SYNTAX",),
        _said("The time needs its zone: choose a known port, or write the zone, for example Asia/Phnom_Penh."): ("LOCAL_TIME_ZONE",),
        _said("This is not what the machine readable lines say. Compare both with the document."): ("MRZ_CONTRADICTS",),
        _said("This differs from the machine readable lines. Leave it if the document is what is wrong."): ("MRZ_DIFFERS",),
        _said("There is no name in it."): ("NAME_EMPTY",),
        _said("One name holds letters of several scripts. Give each script as a name of its own."): ("NAME_SCRIPT_MIXED",),
        _said("The alert expires before the journey ends."): ("NOT_AFTER_EARLY",),
        _said("The alert would have expired already."): ("NOT_AFTER_OVER",),
        _said("Write a whole number, in digits only."): ("NUMBER_EXPECTED",),
        _said("This is not the code of a port. Write three capital letters, for example KTI."): ("PORT_SYNTAX",),
        _said("This airport is not in our table. Compare it with the ticket, and give its time zone."): ("PORT_UNKNOWN",),
        _said("We have no table of such ports. Give its name, and the time zone."): ("PORT_UNLISTED",),
        _said("Say why this is necessary."): ("REASON_MISSING",),
        _said("Nothing by which they could recognise the person: no name, no document."): ("RECIPIENT_NAMELESS",),
        _said("The alert reaches nobody. Choose who gets it."): ("RECIPIENTS_NONE",),
        _said("This leg ends at the port where it begins. Compare both with the ticket."): ("LEG_NOWHERE",),
        _said("Say in which language the texts are."): ("TEXT_LANGUAGE",),
        _said("The type is missing."): ("TYPE_MISSING",),
        _said("Clocks at this port show another time than in this zone."): ("ZONE_OF_PORT",),
        _said("Say why that country may prosecute."): ("BASIS_MISSING",),
        _said("The birth date lies in the future. Check the year."): ("BIRTH_FUTURE",),
        _said("Hardly anybody who travels was born then. Check the year."): ("BIRTH_UNLIKELY",),
        _said("Choose yes or no."): ("BOOL_EXPECTED",),
        _said("This is the code of an organisation. Write a country, or XXX if it is not known."): ("COUNTRY_ORGANISATION",),
        _said("The danger is not explained. Say what it rests on, so that the others can act."): ("DANGER_UNEXPLAINED",),
        _said("Feedback is due before acknowledgement. Compare both times."): ("DEADLINES_OUT_OF_ORDER",),
        _said("This deadline has passed. Set a later one."): ("DEADLINE_OVER",),
        _said("The document expires before it was issued. Compare both days with the document."): ("DOCUMENT_BACKWARDS",),
        _said("The document has expired. Check the day, and whether there is a newer one."): ("DOCUMENT_EXPIRED",),
        _said("This text cannot be read as a file of its kind. Begin with a template, and change only its values."): (
            *("DOCUMENT_ANCHOR", "DOCUMENT_DEPTH", "DOCUMENT_DUPLICATE_KEY", "DOCUMENT_ENCODING", "DOCUMENT_KEY", "DOCUMENT_MANY"),
            *("DOCUMENT_MAPPING", "DOCUMENT_SIZE", "DOCUMENT_SYNTAX", "DOCUMENT_TAG"),
        ),
        _said("This is too long. Say it in fewer words."): (
            *("FIELD_TOO_LARGE", "FRAGMENT_TOO_LARGE", "REASON_TOO_LONG", "SCHEMA_STRING_MAX_LEN"),
        ),
        _said("This type of alert has no such field. Leave it out, or choose one that it has."): ("FIELD_UNKNOWN", "GRADING_FIELD"),
        _said("The parts of this field are not as expected. Fill it in anew."): ("LIST_UNEXPECTED", "MAPPING_EXPECTED", "TEXT_EXPECTED"),
        _said("Say what the identification rests on."): ("IDENTITY_BASIS_MISSING",),
        _said("No calendar goes so far. Choose fewer days."): ("INSTANT_RANGE",),
        _said("The time has no zone. Add Z for UTC, or a difference such as +07:00."): ("INSTANT_ZONE",),
        _said("This part of the list says nothing. Fill it in, or take it out."): ("ITEM_EMPTY",),
        _said("The whole journey lies in the past. Check the days, and whether the alert still helps."): ("JOURNEY_OVER",),
        _said("The times of the journey do not follow each other. Compare them and their zones with the ticket."): (
            *("LEGS_OUT_OF_ORDER", "LEG_BACKWARDS", "LEG_TOO_EARLY"),
        ),
        _said("This leg names no port. Name at least where it ends, so that a desk there can act."): ("LEG_WITHOUT_PORT",),
        _said("Clocks there go forward over this time, so none shows it. Compare date, time and zone with the ticket."): (
            "LOCAL_TIME_SKIPPED",
        ),
        _said("Clocks there go back and show this time twice. It is read as the first of the two; compare it with the ticket."): (
            "LOCAL_TIME_TWICE",
        ),
        _said("Say which document was shown, so that the mistake is not made again."): ("MIS_HIT_UNKNOWN",),
        _said("This is no month or year. Write it like 2027-03 or 2027."): ("MONTH_SYNTAX",),
        _said("The machine readable lines do not hold together: a sign may be misread. Compare them with the document."): (
            *("MRZ_CHECK_BIRTH", "MRZ_CHECK_COMPOSITE", "MRZ_CHECK_EXPIRY", "MRZ_CHECK_NUMBER", "MRZ_CHECK_OPTIONAL", "MRZ_COUNTRY"),
            *("MRZ_DATE", "MRZ_DIGIT", "MRZ_DOCUMENT_CODE", "MRZ_INVALID", "MRZ_LENGTH", "MRZ_LETTER", "MRZ_LINES", "MRZ_NAMES"),
            *("MRZ_NUMBER_EMPTY", "MRZ_SEX"),
        ),
        _said("The name in the lines may be cut short. Compare it with the name printed above them."): ("MRZ_TRUNCATED",),
        _said("These are the lines of a visa. Give those of the passport or card."): ("MRZ_VISA",),
        _said("The letters of this name are not of the script that was chosen. Choose the script again."): ("NAME_SCRIPT",),
        _said("It is charged or tried, and nobody checked whether it was judged before. Check that first."): ("NE_BIS_IN_IDEM_PENDING",),
        _said("A recall or an answer does not expire. Leave the end of its validity out."): ("NOT_AFTER_CONTROL",),
        _said("This part says what another country did not show you. It is for reading only: leave it out."): ("NOT_DISCLOSED",),
        _said("This may point at one person. A pattern bulletin names nobody: write it in general terms."): ("PATTERN_PERSONAL",),
        _said("The code of this port and the country do not fit. Compare both with the ticket."): ("PORT_COUNTRY",),
        _said("There is more wrong than is listed here. Mend these, then check again."): ("PROBLEMS_TOO_MANY",),
        _said("A reason for not acting stands beside another outcome. Change one of the two."): ("REASON_WITHOUT_OUTCOME",),
        _said("This recipient is named twice. Take one out."): ("RECIPIENT_TWICE",),
        _said("This has signs in it that hide or reorder letters. Type it again."): ("TEXT_CONTROL",),
        _said("Neither a place nor a person is described. Add what you know."): ("TIP_VAGUE",),
        _said("Say on what the warning rests."): ("WARNING_GROUND_MISSING",),
        _said("This breaks a rule of its field: it is empty, too long, too many, or out of range. Correct it."): ("SCHEMA",),
        _said("This is no date that can have been. Write it in numbers: the year, the month and the year, or all three."): ("DATE",),
        _said("Write a whole number, or nothing."): ("NUMBER",),
        _said("These are too many. Keep those that matter most."): ("SCHEMA_REPEATED_MAX_ITEMS", "TOO_MANY"),
        _said("This is not the name under which your organisation is known here. Ask your administrator."): ("REPORTER_OTHER",),
        _said("There is no such type of alert here. Choose one from the list."): ("ALERT_TYPE_UNKNOWN", "TYPE_UNKNOWN"),
    }
)
