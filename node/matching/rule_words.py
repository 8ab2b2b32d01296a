"""What the rules of a proposal found, in words: the same at a terminal and on a page."""

from typing import Final

RAREST: Final = 2_000_000_000
"""Told of whatever comes up by accident still more seldom: the estimate bears no more, and the field holds little more."""
RULES: Final = {
    "NAME_SAME": "the same word",
    "NAME_SOUNDS_ALIKE": "sounds alike",
    "NAME_CONSONANTS": "the same consonants",
    "NAME_NEAR": "a slip apart",
    "NAME_INITIAL": "an initial",
    "NAME_JOINED": "written as one",
    "NAME_ORDER": "in another order",
    "NAME_DIFFERS": "another word",
    "NAME_LACKS": "the list lacks it",
    "NAME_HAS_MORE": "the list has it besides",
    "NAME_COMPLETE": "no other words on either side",
    "SEX": "the same sex",
    "SEX_DIFFERS": "another sex",
    "NATIONALITY": "the same nationality",
    "NATIONALITY_DIFFERS": "another nationality",
    "BIRTH_DAY": "born on that day",
    "BIRTH_DAY_AND_MONTH_SWAPPED": "day and month exchanged",
    "BIRTH_ONE_STEP": "a day apart, or one digit by one",
    "BIRTH_ONE_SLIP": "one digit apart",
    "BIRTH_MONTH": "born in that month",
    "BIRTH_YEAR": "born in that year",
    "BIRTH_1_JANUARY": "that year, 1 January for want of a day",
    "BIRTH_AROUND": "about that year",
    "BIRTH_DECADE": "born in that decade",
    "BIRTH_UNKNOWN": "birth unknown to one of the two",
    "BIRTH_CONTRADICTS": "another birth date",
    "SERVICE": "the flight or sailing, and its day",
    "SERVICE_NUMBER": "the flight or sailing, its day unknown to the list",
    "DOCUMENT_SAME": "the very document",
    "DOCUMENT_SAME_NUMBER": "the number, issuer not known to be the same",
    "DOCUMENT_LOOKS_ALIKE": "the document, with signs that look alike",
    "DOCUMENT_NUMBER_LOOKS_ALIKE": "the number, with signs that look alike",
    "DOCUMENT_ONE_SLIP": "the number, one sign apart",
    "DOCUMENT_ONE_SLIP_CHECK_DIGIT": "one sign apart, and the check digit is the right one's",
    "DOCUMENT_OUTWEIGHS": "the document counts all the same",
}
"""What each rule found, in words; docs/screening.md explains them, and a test compares them with the rules that there are."""
