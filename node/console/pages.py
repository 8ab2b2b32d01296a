"""Pages from templates: every value escaped, every word from the catalogue of the person's language."""

from collections.abc import Generator, Mapping
from functools import cache, partial
from typing import Any, Final, cast

from jinja2 import ChainableUndefined, ChoiceLoader, Environment, PackageLoader, PrefixLoader
from markupsafe import Markup, escape
from starlette.responses import Response, StreamingResponse

from node.console.assets import Assets
from node.console.languages import Language
from node.console.preview_words import recipient_reference
from node.console.refusal_words import refusal_words
from node.console.site import NAME, Site
from node.console.streams import stream
from node.console.visits import TOKEN, Visit
from node.console.words import party_words
from node.operations.officers import ADMINISTRATOR, AUDITOR, LIAISON, PARTNER_OFFICER
from node.operations.tip_form import is_ngo
from node.reading_values import safe_text

WORKERS: Final = frozenset({LIAISON, PARTNER_OFFICER, ADMINISTRATOR})
_COMPONENTS: Final = "govuk_frontend_jinja"
DESK: Final = frozenset({LIAISON, PARTNER_OFFICER})
TELLER: Final = "teller"
TIP_DESK: Final = "tip desk"
AUTHORITY: Final = "authority"
"""No roles of the roster: whoever's agency is an organisation that tells this country what it saw, whoever's may be told, and whoever's is
no such organisation."""


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
        "This draft was changed since you opened the page, perhaps in another window, and nothing was saved. "
        "Go back to copy what you typed, then open the draft again."
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
    "FORM_TOKEN": _said("This form belongs to another session. Open the page again."),
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
"""What to tell a person, by code; every other code is told by itself."""
PLACES: Final[tuple[tuple[str, str, frozenset[str]], ...]] = (
    ("/tell", _said("Tell"), frozenset({TELLER})),
    ("/work", _said("Work"), WORKERS),
    ("/admin", _said("Administration"), frozenset({ADMINISTRATOR})),
    ("/inbox", _said("Inbox"), DESK),
    ("/requests", _said("Requests"), frozenset({AUTHORITY})),
    ("/screen", _said("Screen"), frozenset({AUTHORITY})),
    ("/tips", _said("Tips"), frozenset({TIP_DESK})),
    ("/drafts", _said("Drafts"), frozenset({LIAISON})),
    ("/sent", _said("Sent"), frozenset({LIAISON})),
    ("/approvals", _said("Approvals"), frozenset({LIAISON})),
    ("/audit", _said("Audit"), frozenset({AUDITOR})),
    ("/you", _said("You"), frozenset()),
)
"""Where the navigation leads, and the roles that have each; none means everybody. A page says with `here` which of them it belongs to."""
_OIDC_TROUBLE: Final = _said(
    "What your agency’s sign-in service answered does not hold. Sign in with a passkey, and tell your administrator the code."
)
OTHER_TROUBLE: Final = _said("The node refused this. Tell your administrator the code.")


class Pages:
    """Renders the templates of one console."""

    def __init__(self, site: Site, assets: Assets, languages: Mapping[str, Language]) -> None:
        self._site = site
        self._languages = languages
        self._assets = assets

    def page(self, visit: Visit, template: str, *, status: int = 200, **values: Any) -> Response:
        """One page for one visit."""
        return self._rendered(visit.language, template, status, {**self._around(visit), **values})

    def part(self, visit: Visit, template: str, **values: Any) -> Markup:
        """What stands within another page, in a language of its own."""
        text = _environment(visit.language).get_template(template).render(**self._everywhere(), **self._around(visit), **values)
        return Markup(text)  # noqa: S704  a template of ours made it, which escapes what it is given

    def _around(self, visit: Visit) -> dict[str, Any]:
        entry = self._site.ports.officers.get(visit.person)
        roles = frozenset(entry.roles if entry else ())
        if roles & DESK:
            told = {AUTHORITY, TIP_DESK} if self._site.ports.tips else {AUTHORITY}
            roles |= {TELLER} if is_ngo(self._site.ports, entry) else told
        return {
            "signed_in": bool(visit.person),
            "token": visit.token,
            "token_name": TOKEN,
            "places": [(path, words) for path, words, who in PLACES if not who or roles & who],
            "training": self._site.ports.training,
            "own_zone": self._site.zone,
            "moment": partial(_moment, visit.language, self._site.zone),
            "trouble": lambda code: visit.language.say(_trouble(code)),
        }

    def stream(self, visit: Visit, template: str, **values: Any) -> Response:
        """One page that is sent as it is made (`node.console.streams`)."""
        made = _environment(visit.language).get_template(template).generate(**self._around(visit), **self._everywhere(), **values)
        headers = {"content-language": visit.language.code}
        return StreamingResponse(stream(cast("Generator[str]", made)), media_type="text/html", headers=headers)

    def trouble(self, language: Language, status: int, code: str) -> Response:
        """What went wrong, by its code; the same page for whoever is signed in and whoever is not."""
        words = language.say(_trouble(code))
        # Whose page it is was not found out, so it has no form that a session would have to sign.
        return self._rendered(language, "trouble.html", status, {"code": code, "words": words, "alone": True})

    def _rendered(self, language: Language, template: str, status: int, values: Mapping[str, Any]) -> Response:
        text = _environment(language).get_template(template).render(**self._everywhere(), **values)
        return Response(text, status_code=status, media_type="text/html", headers={"content-language": language.code})

    def _everywhere(self) -> dict[str, Any]:
        return {"asset": self._assets.path, "product": NAME, "languages": tuple(self._languages.values())}


def _trouble(code: str) -> str:
    return TROUBLES.get(code, _OIDC_TROUBLE if code.startswith("OIDC_") else OTHER_TROUBLE)


def _moment(language: Language, own_zone: str, unix_ms: int, zone: str = "") -> str:
    """A point in time as the clock shows it there, or where the officers of this console sit."""
    return language.moment(unix_ms, zone or own_zone)


@cache
def _environment(language: Language) -> Environment:
    made = Environment(
        loader=ChoiceLoader([PackageLoader("node.console"), PrefixLoader({_COMPONENTS: PackageLoader(_COMPONENTS)})]),
        autoescape=True,
        undefined=ChainableUndefined,  # the components look into parameters that were not given
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    # Jinja takes what a catalogue says for markup, and a catalogue says what it does not know as it was given: somebody's own words.
    made.install_gettext_callables(  # type: ignore[attr-defined]  # of the extension
        lambda text: escape(language.translations.ugettext(text)),
        lambda one, many, number: escape(language.translations.ungettext(one, many, number)),
        newstyle=True,
    )
    made.filters |= {"away": language.away, "safe_text": safe_text, "party": party_words, "reference": recipient_reference}
    made.globals |= {"language": language, "moment": language.moment, "count": language.count}
    made.globals |= {"number": language.number, "day": language.day, "country": language.country}
    made.globals |= {"refusal_words": partial(refusal_words, language)}
    return made
