"""Pages from templates: every value escaped, every word from the catalogue of the person's language."""

from collections.abc import Generator, Mapping, Sequence
from functools import cache, partial
from typing import Any, Final, cast

from jinja2 import ChainableUndefined, ChoiceLoader, Environment, PackageLoader, PrefixLoader
from markupsafe import Markup, escape
from starlette.responses import Response, StreamingResponse

from node.console.alike import alike
from node.console.assets import Assets
from node.console.languages import Language
from node.console.preview_words import recipient_reference
from node.console.problem_words import code_words, field_words, problem_words, words_of
from node.console.record_problems import RECORD_PROBLEMS
from node.console.site import NAME, Site
from node.console.spoken import spoken
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
        text = _environment(visit.language).get_template(template).render({**self._everywhere(), **self._around(visit), **values})
        return Markup(text)  # noqa: S704  a template of ours made it, which escapes what it is given

    def _around(self, visit: Visit) -> dict[str, Any]:
        entry = self._site.ports.officers.get(visit.person)
        roles = frozenset(entry.roles if entry else ())
        if roles & DESK:
            told = {AUTHORITY, TIP_DESK} if self._site.ports.tips else {AUTHORITY}
            # To an NGO's desk nothing comes but what stands on the page where it tells.
            roles = roles - {PARTNER_OFFICER} | {TELLER} if is_ngo(self._site.ports, entry) else roles | told
        return {
            "signed_in": bool(visit.person),
            "token": visit.token,
            "token_name": TOKEN,
            "shown_at": visit.at,
            "session": visit,
            "places": [(path, words) for path, words, who in PLACES if not who or roles & who],
            "training": self._site.ports.training,
            "own_zone": self._site.zone,
            "moment": partial(moment_at, visit.language, self._site.zone),
            "trouble": lambda code: code_words(visit.language, code) or visit.language.say(OTHER_TROUBLE),
        }

    def stream(self, visit: Visit, template: str, **values: Any) -> Response:
        """One page that is sent as it is made (`node.console.streams`)."""
        made = _environment(visit.language).get_template(template).generate(**self._around(visit), **self._everywhere(), **values)
        headers = {"content-language": visit.language.code}
        return StreamingResponse(stream(cast("Generator[str]", made)), media_type="text/html", headers=headers)

    def trouble(self, language: Language, status: int, code: str, typed: Sequence[str] = ()) -> Response:
        """What went wrong, by its code, and what was typed in vain; the same page for whoever is signed in and whoever is not."""
        words = code_words(language, code) or language.say(OTHER_TROUBLE)
        # Whose page it is was not found out, so it has no form that a session would have to sign.
        return self._rendered(language, "trouble.html", status, {"code": code, "words": words, "alone": True, "typed": typed})

    def _rendered(self, language: Language, template: str, status: int, values: Mapping[str, Any]) -> Response:
        text = _environment(language).get_template(template).render(**self._everywhere(), **values)
        return Response(text, status_code=status, media_type="text/html", headers={"content-language": language.code})

    def _everywhere(self) -> dict[str, Any]:
        return {"asset": self._assets.path, "product": NAME, "languages": tuple(self._languages.values())}


def _text(language: Language, text: str, **values: Any) -> Markup:
    """A text in this language, for a page: a catalogue says what it does not know as it was given, perhaps in somebody's own words.

    Jinja's own extension does the same in three calls by its context, for each of some two hundred texts of a page.
    """
    said = escape(language.say(text))
    return said % values if values else said


def _said_of(language: Language, code: str, known: Mapping[str, str] | None = None) -> str:
    """What a code says on a form: in the form's own words (in English), or in those of every page."""
    own = (known or {}).get(code)
    words = language.say(own) if own else code_words(language, code)
    if code in RECORD_PROBLEMS and not own:
        return f"{words} ({code})"  # these say a few things of many codes, and whom to tell the code
    return words or language.say("The node refused this: %(code)s", code=code)


def _has_words(code: str, known: Mapping[str, str] | None = None) -> bool:
    return bool((known or {}).get(code) or words_of(code))


def moment_at(language: Language, own_zone: str, unix_ms: int, zone: str = "") -> str:
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
    )
    made.filters |= {"away": language.away, "safe_text": safe_text, "reference": recipient_reference}
    made.filters |= {"party": partial(party_words, language), "spoken": partial(spoken, language), "alike": partial(alike, language)}
    made.globals |= {"_": partial(_text, language), "language": language, "moment": language.moment, "count": language.count}
    made.globals |= {"number": language.number, "day": language.day, "country": language.country}
    made.globals |= {"problem_words": partial(problem_words, language), "code_words": partial(_said_of, language), "has_words": _has_words}
    made.globals |= {"plain_words": partial(code_words, language), "field_words": partial(field_words, language)}
    return made
