"""The page that shows a previewed alert as one recipient's desk will read it, in a language of that country."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from starlette.responses import Response

from exchange.encoding import cut
from exchange.errors import NotFound
from exchange.v1 import desk_service_pb2 as messages
from node.console.alert_words import Change, alert_view
from node.console.languages import ENGLISH, Language, load_languages
from node.console.pages import Pages, moment_at
from node.console.preview_words import recipient_reference
from node.console.site import Site
from node.console.visits import Visit
from node.console.words import texts_at
from node.operations.changes import changes
from node.operations.outbox import get_alert
from node.operations.preview_view import as_read, languages_at
from node.ports import Ports


def reading_page(
    site: Site, pages: Pages, visit: Visit, draft: messages.Draft, answer: messages.PreviewAlertResponse, *, back: str
) -> Response:
    """The page for the recipient that the address names; `back` is the preview's. Raises `NotFound` (PATH_UNKNOWN) for nobody of it."""
    wanted = visit.place["recipient"]
    found = [one for one in answer.recipients if recipient_reference(one.recipient) == wanted and not one.denied]
    if not found:
        raise NotFound("PATH_UNKNOWN", "there is no such page")
    read, language = read_as(site.ports, visit.person, draft, found[0], visit.query.get("language", ""))
    say = visit.language.say
    own_words = {
        "own": visit.language.code,
        "title": say("As this recipient’s desk will read it"),
        "in_language": say("In the language"),
        "back_words": say("Back to the preview"),
    }
    return pages.page(
        replace(visit, language=language),
        "preview_read.html",
        back=back,
        own_words=own_words,
        choices=[(one.code, one.own_name) for one in load_languages().values()],
        **read,
    )


def read_as(
    ports: Ports, person: str, draft: messages.Draft, shown: messages.RecipientPreview, asked: str = ""
) -> tuple[dict[str, Any], Language]:
    """What a template shows of the alert as one recipient's desk will read it, by the clock there, and in which language.

    That is as asked, or as that country likes best.
    """
    languages = load_languages()
    theirs = [code for code in languages_at(ports, shown.recipient) if code in languages]
    # English is what countries have in common; their own language comes before it.
    preferred = next((code for code in theirs if code != ENGLISH), ENGLISH)
    language = languages[asked if asked in languages else preferred]
    texts = texts_at(language, shown.recipient)
    zone = texts.zone or "UTC"  # of a country that has several the desk's is not known here
    view = alert_view(as_read(ports, person, draft, shown), language, texts, zone)
    return {"alert": view, "recipient": shown.recipient, "moment": partial(moment_at, language, zone)}, language


def changed_fields(ports: Ports, visit: Visit, draft: messages.Draft) -> Iterator[Change]:
    """What a draft says otherwise than the newest alert whose place it takes, if that is still here: all of it, whoever sees it."""
    for digest in draft.supersedes[-1:]:
        try:
            before = get_alert(ports, visit.person, digest.hex())
        except NotFound:
            return
        differing = changes(cut(before.view), cut(draft.alert)) if before.view else []
        told = messages.GetInboxAlertResponse(summary=before.summary, view=draft.alert, changes=differing)
        for one in told.changes:
            one.told_before = one.told_now = True
        yield from alert_view(told, visit.language, texts_at(visit.language, ports.trust_domain)).changes
