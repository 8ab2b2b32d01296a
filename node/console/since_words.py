"""What a second officer reads at the top of a submission that they looked at before: each thing that is otherwise, before and now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from exchange.profile import alert_type
from exchange.v1 import desk_service_pb2 as messages
from exchange.v1 import handling_pb2
from node.console.alert_words import Change, alert_view
from node.console.audit_words import ground_words
from node.console.languages import Language
from node.console.preview_words import visibility_words
from node.console.visits import Visit
from node.console.words import enum_values, party_words, texts_in, type_words
from node.reading_texts import Texts
from node.reading_values import safe_text


def _said(text: str) -> str:
    """Mark a text for the catalogue that is looked up later."""
    return text


_REFERENCES: Final = frozenset({"supersedes", "in_reply_to", "thread", "despite"})
_NOTHING: Final = "\N{EN DASH}"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Since:
    """The last look, and what changed. No repr: it holds personal data."""

    looked_at: int
    changes: Sequence[Change]


def since_view(answer: messages.GetSubmissionResponse, visit: Visit, zone: str) -> Since | None:
    """In the words of the person's language, times as in `zone`; None for who did not look before."""
    if not answer.HasField("since"):
        return None
    words = _Words(answer, visit.language, texts_in(visit.language), zone)
    return Since(looked_at=answer.since.looked_at, changes=[*words.fields(), *words.parts(), *words.recipients()])


class _Words:
    def __init__(self, answer: messages.GetSubmissionResponse, language: Language, texts: Texts, zone: str) -> None:
        self._answer = answer
        self._since = answer.since
        self._language = language
        self._texts = texts
        self._zone = zone

    def fields(self) -> Iterator[Change]:
        draft = self._answer.draft
        if self._since.fields:
            summary = messages.AlertSummary(alert_type=draft.alert_type)
            told = messages.GetInboxAlertResponse(summary=summary, view=draft.alert, changes=self._since.fields)
            yield from alert_view(told, self._language, self._texts).changes

    def parts(self) -> Iterator[Change]:
        say, parts = self._language.say, frozenset(self._since.parts)
        was, is_ = self._since.draft, self._answer.draft
        if "reason" in parts:
            yield _change(say("Reason"), [safe_text(self._since.reason)], [safe_text(self._answer.reason)])
        if "alert_type" in parts:
            yield _change(say("Type of alert"), *([say(type_words(one.alert_type))] for one in (was, is_)))
        if "purpose" in parts:
            names = [enum_values().get(handling_pb2.Purpose.Name(one.purpose), "") for one in (was, is_)]
            yield _change(say("Purpose"), *([say(name)] if name else [] for name in names))
        if "handling" in parts:
            yield _change(say("Handling"), self._handling(was), self._handling(is_))
        if "not_after" in parts:
            yield _change(say("Expires"), *([self._language.moment(one.not_after, self._zone)] for one in (was, is_)))
        if "originator" in parts:
            yield _change(say("Issued by"), [party_words(self._language, was.originator)], [party_words(self._language, is_.originator)])
        if "on_request" in parts:
            yield _change(say("Reason of the case"), self._grants(was), self._grants(is_))
        if parts & _REFERENCES:
            yield _change(say("Other alerts that it names"), _references(was), _references(is_))

    def recipients(self) -> Iterator[Change]:
        for one in self._since.recipients:
            before, now = list(self._told(one, now=False)), list(self._told(one, now=True))
            for field in one.fields:
                label = self._texts.label(field.name)
                before.append(f"{label}: {self._language.say(visibility_words(field.before))}")
                now.append(f"{label}: {self._language.say(visibility_words(field.now))}")
            yield _change(party_words(self._language, one.recipient), before, now)

    def _told(self, one: messages.RecipientChange, *, now: bool) -> Iterator[str]:
        say = self._language.say
        told, clause = (one.told_now, one.clause_now) if now else (one.told_before, one.clause_before)
        if not told:
            yield say("Nothing would go to it")
            return
        if one.told_before != one.told_now or one.clause_before != one.clause_now:
            yield f"{say('Decided by the clause')}: {safe_text(clause)}"
        if one.told_before and one.told_now and one.agreement_before != one.agreement_now:
            agreement = one.agreement_now if now else one.agreement_before
            yield f"{say('Agreement')}: {agreement.hex()[:12]}"

    def _handling(self, draft: messages.Draft) -> Sequence[str]:
        summary = messages.AlertSummary(alert_type=self._answer.draft.alert_type)
        told = messages.GetInboxAlertResponse(summary=summary, handling=draft.handling)
        return alert_view(told, self._language, self._texts).handling

    def _grants(self, draft: messages.Draft) -> list[str]:
        labels = {one.number: self._texts.label(one.name) for one in alert_type(draft.alert_type).fields} if draft.alert_type else {}
        say = self._language.say
        return [
            f"{party_words(self._language, one.recipient)}: {labels.get(one.field, one.field)}, {say(ground_words(one.ground))}"
            for one in draft.on_request
        ]


def _change(label: str, before: Sequence[str], now: Sequence[str]) -> Change:
    return Change(label=label, before=[one or _NOTHING for one in before] or [_NOTHING], now=[one or _NOTHING for one in now] or [_NOTHING])


def _references(draft: messages.Draft) -> list[str]:
    named = [one.hex() for one in (*draft.supersedes, draft.in_reply_to, draft.thread) if one]
    return [*named, *map(safe_text, draft.despite)]
