"""What to tell a person whose page could not be answered, by code: signing in, forms, addresses, roles, what is not there."""

from collections.abc import Mapping
from typing import Final


def _said(text: str) -> str:
    """Mark a text for the catalogue that is looked up later."""
    return text


TROUBLES: Final[Mapping[str, str]] = {
    "AGENCY_MISSING": _said("The roster names no agency for you. Ask your administrator to add it."),
    "BUSY": _said("Another check is running. Try again in a while."),
    "CHALLENGE": _said("This page was open for too long, or was sent twice. Begin again."),
    "CROSS_SITE": _said("Forms are taken from this site’s own pages only. Open the page again and send the form from there."),
    "ALERT_NOT_FOUND": _said("There is nothing here for your agency under this address."),
    "DRAFTS_TOO_MANY": _said("Your agency has too many drafts. Release some, or discard them."),
    "DRAFT_CHANGED": _said(
        "This draft was changed since you opened the page, perhaps in another window, and nothing was saved. Open it again."
    ),
    "DRAFT_NOT_FOUND": _said("Your agency has no such draft. It was released, discarded, or erased thirty days after its last change."),
    "DRAFT_TOO_LARGE": _said("The draft is too large. Shorten its texts."),
    "DETAIL_NONE": _said("Nothing is kept here behind this entry."),
    "ENROLMENT_CODE": _said("This code is not known, was used, or has expired. Ask your administrator for a new one."),
    "ENTRY_UNKNOWN": _said("There is no such entry."),
    "HANDOVERS_TOO_MANY": _said("Your agency has too many notes. Each goes 72 hours after it was written."),
    "HANDOVER_OWN": _said("Whoever writes a note does not take it over."),
    "HANDOVER_TAKEN": _said("Somebody else has taken this over. Look again."),
    "HANDOVER_UNKNOWN": _said("Your agency has no such note. It was erased 72 hours after it was written."),
    "ERASED": _said("The content was erased. Only the record that it was told is left."),
    "FORM": _said("The form could not be read. Open the page again."),
    "FORM_TOKEN": _said("This form was opened before you signed in again, and nothing was done. Open the page again."),
    "HOST": _said("This site answers under its own name only."),
    "INTERNAL": _said(
        "Something went wrong here. Nothing was changed unless another page says so. Try again, and tell your administrator the code."
    ),
    "LOG_UNKNOWN": _said("This node keeps no such log."),
    "METHOD_UNKNOWN": _said("This page does not take that kind of request."),
    "OFFICER_UNKNOWN": _said("You are not in the roster of this node. Ask your administrator to add you."),
    "NOT_THE_AUTHOR": _said("Only who writes a draft changes or discards it."),
    "PAGE_TOKEN": _said("This page of the list is not known. Begin at the first one."),
    "PASSKEY": _said("This passkey is not known here, or its answer does not hold. Try again, or ask your administrator for a new code."),
    "NGO_UNKNOWN": _said("This page is for organisations that tell what they saw. That you asked has been recorded."),
    "CONTACT_NONE": _said("Nothing is held of how the reporter can be reached."),
    "CONTACT_NOT_YOURS": _said(
        "Only the officer who took this tip, or a liaison officer of its desk, may open this. That you asked has been recorded."
    ),
    "OIDC_ADMINISTRATOR": _said("Administrators come in by passkey alone."),
    "OIDC": _said(
        "What your agency’s sign-in service answered does not hold. Sign in with a passkey, and tell your administrator the code."
    ),
    "OIDC_DENIED": _said("Your agency’s sign-in service did not sign you in. Try again, or sign in with a passkey."),
    "OIDC_STATE": _said("This sign-in was begun in another browser, or it has ended. Go to the first page and begin again."),
    "OIDC_UNKNOWN": _said(
        "Your agency’s sign-in service knows you, but this node was not told who you are here. "
        "Ask your administrator, or sign in with a passkey."
    ),
    "OIDC_UNREACHABLE": _said("Your agency’s sign-in service does not answer. Sign in with a passkey, or try again later."),
    "ONWARD_UNKNOWN": _said("Your agency asked for no such leave, and nobody asked it."),
    "PATH_UNKNOWN": _said("There is no such page."),
    "ROLE_MISSING": _said("Your role does not open this page. That you asked has been recorded."),
    "TIPS_NONE": _said("This node takes no tips."),
    "TIP_DRAFTS": _said("Too many tips of your organisation were begun and not sent. Send them, or let them go."),
    "TIP_STATE": _said("The tip is in another state by now. Look at it again."),
    "TIP_SUBMITTED": _said("This tip was sent, and changes no more. What you learned since is a new tip."),
    "TIP_UNKNOWN": _said("There is no such tip here, or it is not for you."),
    "UPLOAD_TOO_LARGE": _said("The file is too large. Nothing of it was kept. Split it, and send the parts."),
}
