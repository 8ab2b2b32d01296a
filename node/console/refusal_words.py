"""Why something goes to nobody, by code, for whoever reads no English; in English the node says it itself, in more detail."""

from collections.abc import Mapping
from typing import Final

from node.console.compose_words import problem_words
from node.console.languages import ENGLISH, Language


def _said(text: str) -> str:
    """Mark a text for the catalogue that is looked up later."""
    return text


REFUSALS: Final[Mapping[str, str]] = {
    "AGREEMENT_EXPIRED": _said("The agreement with this partner has expired."),
    "AGREEMENT_NONE": _said("There is no agreement with this partner."),
    "AGREEMENT_NOT_YET": _said("The agreement with this partner is not in force yet."),
    "ASSESSMENT_EXPIRED": _said("The review of the transfer assessment is due."),
    "ASSESSMENT_INCOMPLETE": _said("The transfer assessment does not state all that the law asks for."),
    "ASSESSMENT_MISSING": _said("No transfer assessment for this recipient is in force."),
    "AUDIENCE_NOT_AGREED": _said("No clause lets this kind of alert go to an agency of this class."),
    "AUDIENCE_UNKNOWN": _said("The agreement does not name this agency."),
    "CATEGORY_WITHHELD": _said("The policy forbids a category of data that would go."),
    "CLAUSE_NONE": _said("No clause lets this kind of alert go to this partner."),
    "CONDITION_APPROVALS": _said("The clause asks for a second officer’s approval."),
    "CONDITION_RATE_CAP": _said("The clause allows no more releases today."),
    "CONDITION_TRANSFER": _said("The clause sets transfer conditions, and this node has no policy pack."),
    "CONDITION_UNKNOWN": _said("The clause sets a transfer condition that this version does not know."),
    "CONTROL_ALERT": _said("A recall or an answer goes without a clause."),
    "DESTINATION_UNKNOWN": _said("The policy pack does not say in which country this partner stands."),
    "EMERGENCY_USED": _said("The agreement is for an emergency, and one alert was told under it already."),
    "FIELDS_NONE": _said("The clause leaves nothing of this alert to be shown."),
    "FIELD_NOT_ON_REQUEST": _said("A reason was given for a field that no clause gives on request."),
    "FIELD_REQUIRED": _said("A field that the clause requires was left out."),
    "GROUNDS_DIFFER": _said("The fields on request for one recipient have different grounds."),
    "NGO_NOT_REGULATED": _said("The policy pack has no rule for this alert to a recipient that is no competent authority."),
    "PARTNER_SUSPENDED": _said("This partner is suspended."),
    "PARTNER_UNKNOWN": _said("No partner of this name is known here."),
    "POLICY_EXPIRED": _said("The policy pack of this country has expired."),
    "POLICY_NOT_YET": _said("The policy pack of this country is not in force yet."),
    "PROFILE_UNKNOWN": _said("This partner’s node does not understand the current form of this alert."),
    "PURPOSE_NOT_AGREED": _said("No clause allows this purpose."),
    "PURPOSE_NOT_PERMITTED": _said("The alert’s own handling does not permit this purpose."),
    "RECIPIENT_MALFORMED": _said("This is not the name of an agency."),
    "STATEMENT_KEY_MISSING": _said("Your agency has no key to sign with at this node."),
    "SUBJECT_ALERTED_BY_PARTNER": _said("A partner has alerted of this person already."),
    "SUBJECT_ALREADY_ALERTED": _said("This country has alerted of this person already."),
    "SUBJECT_REQUESTED_OPEN": _said("A question about this person is open."),
    "TRAINING_MISMATCH": _said("This partner’s node and ours are not both for training."),
}


def refusal_words(language: Language, code: str) -> str:
    """What a code says, in that language; empty in English, and where only the node's English says it."""
    if language.code == ENGLISH:
        return ""
    return language.say(REFUSALS.get(code, "")) or problem_words(code, language)
