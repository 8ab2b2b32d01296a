"""Why something that a person asked for is not done: releases, recalls, requests, leave, approvals, tips, agreements, by code."""

from collections.abc import Mapping
from typing import Final

from node.console.problem_table import by_code


def _said(text: str) -> str:
    """Mark a text for the catalogue that is looked up later."""
    return text


NOBODY_GETS_IT: Final[Mapping[str, str]] = by_code(
    {
        _said("The agreement with this partner has expired."): ("AGREEMENT_EXPIRED",),
        _said("There is no agreement with this partner."): ("AGREEMENT_NONE",),
        _said("The agreement with this partner is not in force yet."): ("AGREEMENT_NOT_YET",),
        _said("The review of the transfer assessment is due."): ("ASSESSMENT_EXPIRED",),
        _said("The transfer assessment does not state all that the law asks for."): ("ASSESSMENT_INCOMPLETE",),
        _said("No transfer assessment for this recipient is in force."): ("ASSESSMENT_MISSING",),
        _said("No clause lets this kind of alert go to an agency of this class."): ("AUDIENCE_NOT_AGREED",),
        _said("The agreement does not name this agency."): ("AUDIENCE_UNKNOWN",),
        _said("The policy forbids a category of data that would go."): ("CATEGORY_WITHHELD",),
        _said("No clause lets this kind of alert go to this partner."): ("CLAUSE_NONE",),
        _said("The clause asks for a second officer’s approval."): ("CONDITION_APPROVALS",),
        _said("The clause allows no more releases today."): ("CONDITION_RATE_CAP",),
        _said("The clause sets transfer conditions, and this node has no policy pack."): ("CONDITION_TRANSFER",),
        _said("The clause sets a transfer condition that this version does not know."): ("CONDITION_UNKNOWN",),
        _said("A recall or an answer goes without a clause."): ("CONTROL_ALERT",),
        _said("The policy pack does not say in which country this partner stands."): ("DESTINATION_UNKNOWN",),
        _said("The agreement is for an emergency, and one alert was told under it already."): ("EMERGENCY_USED",),
        _said("The clause leaves nothing of this alert to be shown."): ("FIELDS_NONE",),
        _said("A reason was given for a field that no clause gives on request."): ("FIELD_NOT_ON_REQUEST",),
        _said("A field that the clause requires was left out."): ("FIELD_REQUIRED",),
        _said("The fields on request for one recipient have different grounds."): ("GROUNDS_DIFFER",),
        _said("The policy pack has no rule for this alert to a recipient that is no competent authority."): ("NGO_NOT_REGULATED",),
        _said("This partner is suspended."): ("PARTNER_SUSPENDED",),
        _said("No partner of this name is known here."): ("PARTNER_UNKNOWN",),
        _said("The policy pack of this country has expired."): ("POLICY_EXPIRED",),
        _said("The policy pack of this country is not in force yet."): ("POLICY_NOT_YET",),
        _said("This partner’s node does not understand the current form of this alert."): ("PROFILE_UNKNOWN",),
        _said("No clause allows this purpose."): ("PURPOSE_NOT_AGREED",),
        _said("The alert’s own handling does not permit this purpose."): ("PURPOSE_NOT_PERMITTED",),
        _said("This is not the name of an agency."): ("AGENCY_MALFORMED", "PARTY_MALFORMED", "RECIPIENT_MALFORMED"),
        _said("Your agency has no key to sign with at this node."): ("STATEMENT_KEY_MISSING",),
        _said("A partner has alerted of this person already."): ("SUBJECT_ALERTED_BY_PARTNER",),
        _said("This country has alerted of this person already."): ("SUBJECT_ALREADY_ALERTED",),
        _said("A question about this person is open."): ("SUBJECT_REQUESTED_OPEN",),
        _said("This partner’s node and ours are not both for training."): ("TRAINING_MISMATCH",),
    }
)
"""Why a recipient gets nothing, by the plan of a release."""
NEXT: Final[Mapping[str, str]] = by_code(
    {
        _said("Agree on it with the partner, or choose another recipient."): (
            *("AGREEMENT_EXPIRED", "AGREEMENT_NONE", "AUDIENCE_NOT_AGREED", "AUDIENCE_UNKNOWN", "CLAUSE_NONE", "CONDITION_UNKNOWN"),
            *("EMERGENCY_USED", "NGO_NOT_REGULATED", "NOT_AGREED"),
        ),
        _said("Ask your administrator to set that right."): (
            *("ASSESSMENT_EXPIRED", "ASSESSMENT_INCOMPLETE", "ASSESSMENT_MISSING", "CONDITION_TRANSFER", "DESTINATION_UNKNOWN"),
            *("PARTNER_SUSPENDED", "PARTNER_UNKNOWN", "POLICY_EXPIRED", "STATEMENT_KEY_MISSING", "TRAINING_MISMATCH"),
        ),
        _said("Wait until then, or ask for an earlier beginning."): ("AGREEMENT_NOT_YET", "CONDITION_RATE_CAP", "POLICY_NOT_YET"),
        _said("Change what goes, and look at the preview again."): (
            *("CATEGORY_WITHHELD", "FIELDS_NONE", "FIELD_NOT_ON_REQUEST", "FIELD_REQUIRED", "GROUNDS_DIFFER", "PURPOSE_NOT_AGREED"),
            "PURPOSE_NOT_PERMITTED",
        ),
        _said("Submit it, and a colleague finds it under Approvals."): ("CONDITION_APPROVALS",),
        _said("Ask the partner to renew its node."): ("PROFILE_UNKNOWN",),
        _said("Choose one from the list."): ("AGENCY_MALFORMED", "PARTY_MALFORMED", "RECIPIENT_MALFORMED"),
        _said("Read that one first, or ask who sent it."): (
            *("SUBJECT_ALERTED_BY_PARTNER", "SUBJECT_ALREADY_ALERTED", "SUBJECT_REQUESTED_OPEN"),
        ),
    }
)
"""What to do about it, where the sentence itself does not say it."""
NOT_DONE: Final[Mapping[str, str]] = by_code(
    {
        _said("The node does not know how your agency is reached. Ask your administrator to add its desk."): ("DESK_MISSING",),
        _said("Choose what you ask leave for."): ("KIND_MISSING",),
        _said("Choose an agency of another country."): ("THIRD_MISSING", "THIRD_PARTY"),
        _said("Choose at least one field"): ("FIELD_NONE",),
        _said("Write the day and the time like this: 2027-03-04 18:00"): ("TIME_SYNTAX",),
        _said("Write a time to come, and none after the alert expires."): ("UNTIL",),
        _said("That is later than was asked for."): ("UNTIL_LATER",),
        _said("This alert is withdrawn, restricted, replaced or disputed."): ("ALERT_NOT_IN_FORCE",),
        _said("Its handling allows use in court without asking."): ("JUDICIAL_ALLOWED",),
        _said("Its handling rules out use in court."): ("JUDICIAL_NONE",),
        _said("Its handling, or the clause by which it was told, rules out passing on."): ("ONWARD_NONE",),
        _said("That agency was not told one of these fields."): ("FIELD_NOT_TOLD",),
        _said("One of these fields was not asked for."): ("FIELD_NOT_ASKED",),
        _said("This was decided already, and the first decision holds."): ("ALREADY_DECIDED",),
        _said("There is no permit for this."): ("PERMIT_NONE",),
        _said("The leave is over. Ask anew."): ("PERMIT_EXPIRED",),
        _said("What would go has changed meanwhile. Look again."): ("PREVIEW_CHANGED",),
        _said("Choose the reason that the others will read"): ("REASON_CODE",),
        _said("Write a number of days from 1 to 90"): ("ATTEST_WITHIN",),
        _said("Somebody was told meanwhile. Look again at whom it reaches."): ("REACH_CHANGED",),
        _said("This alert was withdrawn, and does not come back."): ("ALERT_WITHDRAWN",),
        _said("This alert is restricted."): ("ALERT_RESTRICTED",),
        _said("This alert is not restricted."): ("ALERT_NOT_RESTRICTED",),
        _said("Nobody was ever told of this alert."): ("NOBODY_TOLD",),
        _said("The clause gives this only for a reason of the case. Choose one."): ("GROUND_MISSING",),
        _said("No clause lets this agency have these fields."): ("FIELDS_NOT_AGREED",),
        _said("Another alert took this one’s place. Go to that one."): ("ALREADY_SUPERSEDED",),
        _said("That time has passed. Say a later one, or leave it out."): ("DECIDE_BY_OVER",),
        _said("Nobody of your agency has opened this alert yet. Read it first."): ("NOT_OPENED",),
        _said("Write how many copies were removed, in figures; 0 if there were none."): ("COPIES_SYNTAX",),
        _said("Say that no local list holds it any more, or why something stays."): ("LISTS_NOT_UPDATED",),
        _said("Your agency owes no attestation for this alert."): ("NOTHING_TO_ATTEST",),
        _said("Your agency owes its desk no confirmation for this alert."): ("NOTHING_TO_CONFIRM",),
        _said("Choose what happened"): ("OUTCOME_MISSING",),
        _said("Choose one."): ("ANSWER_MISSING", "CODE_MISSING"),
        _said("This request is settled. Nothing is awaited any more."): ("REQUEST_SETTLED",),
        _said("Write something, or leave it: the next shift sees what is open in any case"): ("NOTE_MISSING",),
        _said("Write at most 2,000 characters"): ("NOTE_TOO_LONG",),
        _said("The log towards this partner is stopped, so nothing goes there. Tell your administrator."): ("LOG_STOPPED",),
        _said("This is an acknowledgement itself: there is nothing more to say."): ("ACKNOWLEDGED_ITSELF",),
        _said("This agency was never told of this alert. Tell it by an alert of its own."): ("AGENCY_NOT_TOLD",),
        _said("This agency was told of it already. Look at what was sent."): ("ALREADY_TOLD",),
        _said("Nothing differs from the alert that it would replace. Change something, or say what was wrong."): ("NOTHING_CHANGED",),
        _said("An alert is replaced by one of its own type. Withdraw the old one, and begin another."): ("OTHER_TYPE",),
        _said("Only your agency’s own alerts can be replaced. Ask the agency that sent it."): ("SUPERSEDES_OTHERS",),
        _said("This was done with this alert before. Look at what became of it first."): (
            "DONE_BEFORE",
            "REPORT_FORWARDED",
        ),
        _said("A recall or an attestation is no draft: use the page of its alert, which knows whom it must reach."): (
            *("ATTEST_BY_VERB", "REACH_DIFFERS", "RECALL_BY_VERB"),
        ),
        _said("A partner that this must reach cannot be reached by this node any more. Ask your administrator."): ("HOLDER_UNREACHABLE",),
        _said("Choose one of the grounds on which something is kept."): ("EXCEPTION_UNKNOWN",),
        _said("You passed this on, and those have not attested yet. Wait for them, or say so and attest again then."): ("PASSED_ON",),
        _said("Nothing was passed on, so this ground does not hold. Leave it out."): ("EXCEPTION_UNFOUNDED",),
        _said("An agency of this country has not confirmed its purge. Ask it first."): ("INSIDE_NOT_PURGED",),
        _said("An agency of this country keeps something on a ground. Name that ground here too."): ("INSIDE_EXCEPTION",),
        _said("This cannot go as it is. Mend what is named below."): ("NOT_READY",),
        _said("You cannot release for this agency. Leave the sender out."): ("ORIGINATOR",),
        _said("The key of your agency is not in force. Ask your administrator to make a new one."): ("STATEMENT_KEY_REVOKED",),
        _said("This is more than one delivery carries. Leave out fields, or shorten texts."): ("DELIVERY_TOO_LARGE", "TOO_LARGE"),
        _said("What it belongs to was not released. Release that first."): ("NOT_RELEASED_ALONE",),
        _said("The clock of this request stands still for a court. An acknowledgement would start it again: wait."): ("REQUEST_SUSPENDED",),
        _said("Only the clock of a request can be stopped. Leave this out."): ("NOT_A_REQUEST",),
        _said("A reply goes to the other agency of the request, and to no other. Choose that one."): ("REPLY_RECIPIENTS",),
        _said("No clause lets the other agency learn that the clock stands still. Agree on one that does."): ("SUSPENSION_NOT_AGREED",),
        _said("The report names another alert. Begin it from the page of the alert that it is about."): ("REPORT_OTHER_ALERT",),
        _said("The leave does not cover this: it is of another agency, or for another alert, purpose or field. Ask for leave anew."): (
            *("NOT_THE_ORIGINATOR", "PERMIT_MISSING", "PERMIT_NARROWER", "PERMIT_OTHER_MANIFEST", "PERMIT_OTHER_ORIGINATOR"),
            "PERMIT_OTHER_PARTY",
        ),
        _said("This leave is for agencies of your own country. Tell them inside it."): ("LEAVE_WITHIN",),
        _said("Leave was not asked for this agency. Ask for it, or leave the agency out."): ("RECIPIENT_NOT_ASKED",),
        _said("This was released, taken back or voided already, or erased since nobody decided for 30 days. Look at what was sent."): (
            "SUBMISSION_CLOSED",
        ),
        _said("No clause asks for an approval here. Its author releases it alone."): ("APPROVAL_NOT_ASKED",),
        _said("Something else was submitted of this before. Look at it, then submit what would go now."): ("SUBMISSION_OTHER",),
        _said("An oral approval is of one other liaison officer of your agency, where one is enough. Name that officer."): (
            "ORAL_APPROVER",
        ),
        _said("Who wrote or released something does not approve or review it. Ask another liaison officer of your agency."): (
            *("APPROVER_IS_AUTHOR", "REVIEWER_RELEASED_IT"),
        ),
        _said("No other agency of this country has a desk of that name here. Choose one from the list."): ("AGENCY_UNKNOWN",),
        _said("The tip proposes no country. Choose the agency that it goes to."): ("PARTNER_MISSING",),
        _said("This agency is of your own country. Refer the tip to it instead."): ("PARTNER_OWN",),
        _said("Only a tip is answered by what became of it. Report back on other alerts."): ("ALERT_NOT_A_TIP",),
        _said("The same tip was sent from two places at once. Look whether it arrived, and send it again if not."): ("TIP_TWICE_AT_ONCE",),
        _said("This is opened only for a lawful purpose. Choose one."): ("PURPOSE_MISSING",),
        _said("This alert is being erased. That cannot be taken back."): ("ERASURE_BEGUN",),
        _said("A legal hold keeps this alert. Have it lifted first."): ("HELD",),
        _said("Another agency of this country was given this alert too. It goes when its time is over."): ("NOT_ALONE",),
        _said("Alerts of this month may still come. Its key is destroyed when the month is over."): ("PERIOD_OPEN",),
        _said("Nothing of this name is here for you. It may be erased or taken back: go back to the list and choose again."): (
            *("AGREEMENT_AMBIGUOUS", "AGREEMENT_NOT_FOUND", "AGREEMENT_REFERENCE", "AGREEMENT_UNKNOWN", "ALARM_REFERENCE"),
            *("ALERT_AMBIGUOUS", "ALERT_REFERENCE", "CHECKPOINT_UNKNOWN", "EMERGENCY_NOT_FOUND", "HOLD_NONE", "JOURNAL_UNKNOWN"),
            *("REFERENT_UNKNOWN", "REPORT_UNKNOWN", "REQUEST_NOT_FOUND", "SUBMISSION_NOT_FOUND", "SUBMISSION_REFERENCE"),
            *("SUSPECT_UNKNOWN", "TILE_UNKNOWN"),
        ),
        _said("What was chosen here cannot be used. Open the page again and choose anew."): (
            *("AT_LEAST", "CHECK_SCOPE", "CONVERT_TYPE", "DETAIL_GROUP", "EVIDENCE_LEVEL", "EXPORT", "FILTER", "FINDING_GRADE"),
            *("MANIFEST_FORMAT", "ORDER_BY", "PAGE_SIZE", "PROOF_RANGE", "REQUEST_ID", "REQUEST_ID_TAKEN", "SAMPLE_COUNT"),
            *("SAMPLE_NONCE", "SUBJECT", "SUBMISSION_SUBJECT", "TILE_RANGE", "TIP_CLOSE_REASON", "TIP_SAFEGUARD", "TIP_STATE_UNKNOWN"),
        ),
        _said("There are more numbers than one page carries. Choose a shorter time, or one partner."): ("STATISTICS_TOO_MUCH",),
        _said("Say why, for your auditors, in few words."): ("SCREEN_REASON",),
        _said("Evidence with content is for the agency concerned. Ask for it without content."): ("EVIDENCE_NOT_YOURS",),
        _said("The recipient has not signed a receipt yet, and without it there is no proof. Try again later."): ("NOT_RECEIPTED",),
        _said("There is no signed checkpoint here yet, or it was lost with a restored backup. Ask the other country for it."): (
            "CHECKPOINT_MISSING",
        ),
        _said("No agreement or clause that is known here allows this."): ("NOT_AGREED",),
    }
)
"""What stands in the way of a step with an alert, a request, a tip or a record."""
NOT_AGREED: Final[Mapping[str, str]] = by_code(
    {
        _said("The agreement is not between your country and this partner."): ("AGREEMENT_PARTIES",),
        _said("Nothing of this kind was offered to you. The side that did not propose it accepts it."): ("AGREEMENT_NOT_OFFERED",),
        _said("Too many agreements wait for an answer. Answer those first."): ("TOO_MANY_OFFERS",),
        _said("It bears a time that has not come. Compare the clocks of both nodes."): ("FROM_THE_FUTURE",),
        _said("An agreement without clauses permits nothing. Write the clauses."): ("CLAUSES_NONE",),
        _said("Recalls and answers need no clause. Leave this one out."): ("CLAUSE_CONTROL",),
        _said(
            "A party or an agency stands in a wrong place. Each clause leads from one of the two countries to the other, "
            "and each agency stands once, with its country."
        ): ("AGENCY_FOREIGN", "AGENCY_TWICE", "CLAUSE_DIRECTION", "CLAUSE_PARTY", "PARTY_TWICE", "TRUST_DOMAIN"),
        _said("It is not clear which fields a clause permits. Give each clause its own name, and each field of it once."): (
            *("AGENCY_CLASS_UNKNOWN", "CLAUSE_EMPTY", "CLAUSE_OVERLAP", "CLAUSE_TWICE", "MARKS_UNCLEAR"),
        ),
        _said(
            "An agreement for an emergency has one clause, a ground, the purpose of saving life and a list of all its fields, "
            "and lasts 24 hours at most. No other agreement has such a ground."
        ): ("EMERGENCY_CLAUSES", "EMERGENCY_FIELDS", "EMERGENCY_GROUND", "EMERGENCY_LONG", "EMERGENCY_PURPOSE"),
        _said("The recipient lists no agency of this class, so the clause reaches nobody. Compare it with their agencies."): (
            "AUDIENCE_NOBODY",
        ),
        _said("The agreement ends before it begins. Change one of the two times."): ("VALIDITY_BACKWARDS",),
        _said("Say below whether this agreement is for an emergency, as its text does"): ("EMERGENCY_UNCLEAR",),
        _said("Paste the whole text, from the line BEGIN EXCHANGE DESCRIPTOR to the line END."): ("DESCRIPTOR_TEXT",),
        _said("This is the descriptor of your own node. Ask the partner for theirs."): ("PARTNER_IS_SELF",),
        _said("This partner is known already, with another fingerprint. Telephone them before you do anything else."): (
            "PARTNER_PINNED_OTHERWISE",
        ),
        _said("This descriptor is older than the one that is held. Ask for the newest."): ("DESCRIPTOR_ROLLBACK",),
        _said(
            "What you heard is not what this descriptor has. Do not trust it: telephone again, by a number that you already had, "
            "and ask for the descriptor anew."
        ): ("FINGERPRINT_MISMATCH",),
        _said("A fingerprint is 64 digits from 0 to 9 and a to f. Write it again."): ("FINGERPRINT",),
        _said("The descriptor does not hold: it was changed, or is another node’s. Telephone the partner and ask for it anew."): (
            *("DESCRIPTOR_CHAIN_BROKEN", "DESCRIPTOR_CHAIN_EMPTY", "DESCRIPTOR_EQUIVOCATION", "DESCRIPTOR_MALFORMED"),
            *("DESCRIPTOR_OTHER_NODE", "DESCRIPTOR_UNVERIFIED"),
        ),
    }
)
"""What is wrong with an agreement, or with the descriptor of a partner."""
