"""From a draft to its release: what each recipient will see, the check before it, the passkey, and nothing else than what was shown."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from exchange.profile import alert_type
from exchange.v1 import desk_service_pb2 as messages
from node.confirmations import Confirmation
from node.console.alert_words import alert_view
from node.console.compose_pages import seen_version
from node.console.confirm import Confirming
from node.console.despite import DUPLICATES, TICK, in_console, named_by, ticked
from node.console.page import Page
from node.console.pages import Pages
from node.console.preview_reading import changed_fields, reading_page
from node.console.preview_words import matrix
from node.console.previewed import Previewed, look, said_of
from node.console.sent_words import CORRECTIONS
from node.console.site import Site
from node.console.visits import Visit
from node.console.words import texts_in, type_words
from node.intake.problems import error, refuses
from node.operations import approve, draft_box
from node.operations.approved import Approved
from node.operations.draft_box import DraftContent, Replaces
from node.operations.duplicates import place_of_alert
from node.operations.officers import turned_away
from node.operations.release import prepare, preview_changed
from node.operations.replace import replace_alert
from node.operations.replacement_draft import replacement
from node.reading_values import value_lines

_WHOM: Final = frozenset({"primary_name", "subject", "suspect"})
"""Fields that name the one person of an alert."""


class PreviewPages:
    """Pages of a draft that is ready, or nearly so."""

    def __init__(self, site: Site, pages: Pages, confirming: Confirming) -> None:
        self._site = site
        self._ports = site.ports
        self._pages = pages
        self._confirming = confirming

    def pages(self) -> tuple[Page, ...]:
        """Every page of this family."""
        return (
            Page(method="GET", path="/drafts/{draft}/preview", answer=self.preview),
            Page(method="GET", path="/drafts/{draft}/preview/{recipient}", answer=self.read),
            Page(method="POST", path="/drafts/{draft}/preview", answer=self.check),
            Page(method="POST", path="/drafts/{draft}/release", answer=self.release),
            Page(method="POST", path="/drafts/{draft}/known", answer=self.know),
        )

    def preview(self, visit: Visit) -> Response:
        """What each recipient would see. Raises as `draft_box.get`."""
        return self._preview_page(visit, self._previewed(visit))

    def read(self, visit: Visit) -> Response:
        """The draft as one recipient's desk will read it."""
        found = self._previewed(visit)
        return reading_page(self._site, self._pages, visit, found.draft, found.answer, back=f"/drafts/{visit.place['draft']}/preview")

    def check(self, visit: Visit) -> Response:
        """The last page before a release: all that will happen, and the passkey. The preview again if something changed or is missing."""
        found = self._previewed(visit)
        problems = self._obstacles(visit, found)
        return self._preview_page(visit, found, problems) if problems else self._check_page(visit, found)

    def release(self, visit: Visit) -> Response:
        """Release what was confirmed, or submit it for approval. Raises as `Confirming.take`, but for an answer that came too late."""
        found = self._previewed(visit)
        problems = self._obstacles(visit, found)
        if problems:
            return self._preview_page(visit, found, problems)
        confirmation = self._confirming.taken(visit, found.action, said_of(found, visit.reason, urgent=_urgent(visit)))
        if not isinstance(confirmation, Confirmation):
            return self._check_page(visit, found, stale=True)
        if found.submits:
            return self._submit(visit, found, confirmation)
        return self._replace(visit, found, confirmation) if found.foreseen else self._release(visit, found, confirmation)

    def know(self, visit: Visit) -> Response:
        """Note of which other alerts about the same person the author knows. Raises as `draft_box.change`."""
        edited = partial(_knowing, tuple(ticked(visit.form)))
        draft_box.change(self._ports, visit.person, visit.identifier("draft"), seen_version(visit.form), edited)
        return RedirectResponse(f"/drafts/{visit.place['draft']}/preview?known", 303)

    def _release(self, visit: Visit, found: Previewed, confirmation: Confirmation) -> Response:
        prepared = prepare(
            self._ports,
            visit.person,
            found.draft,
            visit.reason,
            urgent=_urgent(visit),
            seen=found.answer.preview_digest,
            confirmations=[confirmation],
        )
        published = self._site.release(prepared)
        if published.problems:
            return self._preview_page(visit, self._previewed(visit), published.problems)
        self._discard(visit, found)
        return RedirectResponse(f"/sent/{published.manifest_digest.hex()}?released", 303)

    def _replace(self, visit: Visit, found: Previewed, confirmation: Confirmation) -> Response:
        replaces, foreseen = found.replaces, found.foreseen
        if replaces is None or foreseen is None:
            raise TypeError("only a draft that takes an alert's place replaces one")
        request = replacement(found.read.draft, replaces, visit.reason)
        approved = Approved(seen=found.answer.preview_digest, confirmations=(confirmation,))
        answer = replace_alert(self._ports, visit.person, request, self._site.release_together, approved)
        if answer.replacement.problems:
            return self._preview_page(visit, self._previewed(visit), answer.replacement.problems)
        now = answer.replacement.manifest_digest.hex() or replaces.alert
        if foreseen.waits:
            # They have learned what was wrong; what holds instead is for a second officer to approve.
            held = found.read.held
            rest = partial(_updates, Replaces(alert=now))
            draft_box.change(self._ports, visit.person, held.id, held.version, rest)
            return RedirectResponse(f"/drafts/{visit.place['draft']}/preview?corrected", 303)
        self._discard(visit, found)
        return RedirectResponse(f"/sent/{now}?{'corrected' if replaces.correction else 'updated'}", 303)

    def _submit(self, visit: Visit, found: Previewed, confirmation: Confirmation) -> Response:
        question = messages.SubmitAlertRequest(draft=found.draft, reason=visit.reason)
        lineage = found.read.held.summary.lineage
        answer = approve.submit(self._ports, visit.person, question, self._site.release_together, confirmation, lineage)
        if refuses(answer.problems):
            return self._preview_page(visit, self._previewed(visit), answer.problems)
        self._discard(visit, found)
        return RedirectResponse(f"/approvals/{answer.submission.id.hex()}?submitted", 303)

    def _discard(self, visit: Visit, found: Previewed) -> None:
        # What was released stands with its alert. The same form again, after a lost connection, finds no draft any more.
        draft_box.discard(self._ports, visit.person, found.read.held.id)

    def _previewed(self, visit: Visit) -> Previewed:
        return look(self._ports, visit.person, draft_box.read_draft(self._ports, visit.person, visit.identifier("draft")), visit.reason)

    def _obstacles(self, visit: Visit, found: Previewed) -> list[messages.Problem]:
        if not found.read.held.summary.mine:
            raise turned_away(self._ports, visit.person, "NOT_THE_AUTHOR", "only who writes a draft releases it")
        problems = [] if found.ready else [error("NOT_READY", "", "this cannot go as it is", "mend what is named below")]
        if visit.form.get("preview", "") != found.digest:
            problems.append(preview_changed())
        if not visit.reason:
            problems.append(error("REASON_MISSING", "reason", "no reason was given", "say why this is necessary"))
        return problems

    def _check_page(self, visit: Visit, found: Previewed, *, stale: bool = False) -> Response:
        asked = self._confirming.ask(visit, found.action, said_of(found, visit.reason, urgent=_urgent(visit)))
        return self._pages.page(
            visit,
            "release.html",
            status=422 if stale else 200,
            asked=asked,
            stale=stale,
            draft=visit.place["draft"],
            about=_about(found, visit),
            submits=found.submits,
            reason=visit.reason,
            urgent=_urgent(visit),
            digest=found.digest,
            not_after=found.draft.not_after,
            handling=_handling(found, visit),
            **self._shown(visit, found),
        )

    def _preview_page(self, visit: Visit, found: Previewed, refused: Sequence[messages.Problem] = ()) -> Response:
        known = {(one.code, one.field) for one in refused}
        return self._pages.page(
            visit,
            "preview.html",
            status=422 if refused else 200,
            refused=[in_console(one) for one in refused],
            problems=[in_console(one) for one in found.problems if (one.code, one.field) not in known],
            duplicates=list(self._duplicates(visit, found)),
            version=found.read.held.version,
            done=[name for name in ("known", "corrected") if name in visit.query],
            draft=visit.place["draft"],
            mine=found.read.held.summary.mine,
            ready=found.ready,
            submits=found.submits,
            reason=visit.form.get("reason", found.read.reason),
            urgent=_urgent(visit),
            digest=found.digest,
            **self._shown(visit, found),
        )

    def _shown(self, visit: Visit, found: Previewed) -> dict[str, Any]:
        shown = matrix(found.answer, visit.language, texts_in(visit.language), found.outlook.waiting)
        base = f"/drafts/{visit.place['draft']}/preview"
        return {"matrix": shown, "kind": type_words(found.draft.alert_type), "base": base, "replacing": self._replacing(visit, found)}

    def _replacing(self, visit: Visit, found: Previewed) -> dict[str, Any] | None:
        """What the page says of a draft that takes an alert's place: what was wrong, what differs, and who is given nothing new."""
        replaces, foreseen = found.replaces, found.foreseen
        if replaces is None or foreseen is None:
            return None
        texts = texts_in(visit.language)
        labels = {one.number: texts.label(one.name) for one in alert_type(found.draft.alert_type).fields}
        return {
            "alert": replaces.alert,
            "correction": CORRECTIONS.get(replaces.correction, ""),
            "wrong": [labels[number] for number in foreseen.wrong if number in labels],
            "expires": (foreseen.not_after, found.draft.not_after) if foreseen.not_after != found.draft.not_after else (),
            "changes": list(changed_fields(self._ports, visit, found.draft)),
            "left": [(one, foreseen.why.get(one, ()), one in foreseen.noticed and not found.submits) for one in foreseen.not_admitted],
            "noticed": () if found.submits else foreseen.noticed,
            "later": foreseen.waits and not found.submits,
        }

    def _duplicates(self, visit: Visit, found: Previewed) -> Iterator[dict[str, Any]]:
        """Other alerts about the same person: what was found, and what the author said to know already."""
        told = {named_by(one): one.code for one in found.problems if named_by(one)}
        for reference in dict.fromkeys((*told, *found.read.held.content.despite)):
            digest, own = place_of_alert(self._ports, visit.person, reference)
            yield {
                "reference": reference,
                "name": f"{TICK}{reference}",
                "words": DUPLICATES.get(told.get(reference, ""), ""),
                "known": reference in found.read.held.content.despite,
                "address": f"/{'sent' if own else 'inbox'}/{digest.hex()}" if digest else "",
            }


def _knowing(references: tuple[str, ...], before: DraftContent) -> DraftContent:
    return replace(before, despite=references)


def _updates(replaces: Replaces, before: DraftContent) -> DraftContent:
    return replace(before, replaces=replaces, document={**before.document, "supersedes": [replaces.alert]})


def _handling(found: Previewed, visit: Visit) -> Sequence[str]:
    draft = found.draft
    said = messages.GetInboxAlertResponse(summary=messages.AlertSummary(alert_type=draft.alert_type), handling=draft.handling)
    return alert_view(said, visit.language, texts_in(visit.language)).handling


def _about(found: Previewed, visit: Visit) -> str:
    """Whom the draft names, as a person reads it; empty for nobody."""
    alert = alert_type(found.draft.alert_type).message.FromString(found.draft.alert)
    named = (field for field, _ in alert.ListFields() if field.name in _WHOM)
    return next((line for field in named for line in value_lines(field, getattr(alert, field.name), texts_in(visit.language))), "")


def _urgent(visit: Visit) -> bool:
    return visit.form.get("urgent", "") == "yes"
