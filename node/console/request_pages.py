"""Questions between agencies: which are open and how their clocks stand; answer, refuse, and stop the clock for a court."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from exchange.encoding import encode
from exchange.v1 import control_pb2, information_pb2
from exchange.v1 import desk_service_pb2 as messages
from exchange.v1.people_pb2 import Text
from node.console.answer_records import Records, read_records
from node.console.page import Page
from node.console.pages import DESK, Pages
from node.console.reply_pages import asked_once
from node.console.site import Site
from node.console.visits import Visit
from node.console.words import enum_values, texts_in
from node.intake.problems import error
from node.operations.inbox import get_inbox_alert
from node.operations.officers import LIAISON, require
from node.operations.requests import answer_request, get_request, list_requests, refuse_request, suspend_request

_REASON_AT_MOST: Final = 500
_TEXT_AT_MOST: Final = 2000


def _said(text: str) -> str:
    """Mark a text for the catalogue that is looked up later."""
    return text


STATES: Final[Mapping[int, str]] = {
    messages.REQUEST_STATE_SENT: _said("Sent"),
    messages.REQUEST_STATE_NOT_DELIVERED: _said("Not taken by the other node"),
    messages.REQUEST_STATE_RECEIPTED: _said("Received"),
    messages.REQUEST_STATE_ACKNOWLEDGED: _said("Read by a person"),
    messages.REQUEST_STATE_SUSPENDED: _said("Waits for a court or prosecutor"),
    messages.REQUEST_STATE_ANSWERED: _said("Answered"),
    messages.REQUEST_STATE_REFUSED: _said("Refused"),
    messages.REQUEST_STATE_WITHDRAWN: _said("Withdrawn"),
    messages.REQUEST_STATE_REPLACED: _said("Replaced"),
}
CLOCKS: Final[Mapping[int, str]] = {
    messages.REQUEST_CLOCK_STATE_UNSPECIFIED: _said("not started"),
    messages.REQUEST_CLOCK_STATE_RUNNING: _said("runs"),
    messages.REQUEST_CLOCK_STATE_STOPPED: _said("stands still"),
    messages.REQUEST_CLOCK_STATE_OVERDUE: _said("overdue"),
    messages.REQUEST_CLOCK_STATE_MET: _said("in time"),
    messages.REQUEST_CLOCK_STATE_MET_LATE: _said("too late"),
}
DEEDS: Final[Mapping[int, str]] = {
    messages.REQUEST_DEED_RECEIPTED: _said("Received"),
    messages.REQUEST_DEED_ACKNOWLEDGED: _said("Read by a person"),
    messages.REQUEST_DEED_SUSPENDED: _said("Clock stopped"),
    messages.REQUEST_DEED_ANSWERED: _said("Answered"),
    messages.REQUEST_DEED_REFUSED: _said("Refused"),
    messages.REQUEST_DEED_WITHDRAWN: _said("Withdrawn"),
    messages.REQUEST_DEED_REPLACED: _said("Replaced"),
}
SETTLED: Final = frozenset(
    {
        messages.REQUEST_STATE_ANSWERED,
        messages.REQUEST_STATE_REFUSED,
        messages.REQUEST_STATE_WITHDRAWN,
        messages.REQUEST_STATE_REPLACED,
        messages.REQUEST_STATE_NOT_DELIVERED,
    }
)
PROBLEMS: Final[Mapping[str, str]] = {
    "REASON_MISSING": _said("Write why, for your auditors."),
    "ANSWER_MISSING": _said("Choose an answer to each question."),
}
"""What to tell a person, by code; other problems are told in English, as the node has them."""
_PLACES: Final = {"why": "why", "code": "code", "because": "because", "answers": "answer-1"}
_REFUSALS: Final = tuple(name for name, number in control_pb2.RefusalReason.items() if number)
_BECAUSE: Final = tuple(name for name, number in information_pb2.AuthorisationReason.items() if number)
_RUN: Final = "AUTHORISATION_REASON_UNSPECIFIED"
_ANSWERS: Final = tuple(name for name, number in information_pb2.AnswerCode.items() if number)


class RequestPages:
    """Each calls what `exchange request` calls."""

    def __init__(self, site: Site, pages: Pages) -> None:
        self._site = site
        self._ports = site.ports
        self._pages = pages

    def pages(self) -> tuple[Page, ...]:
        """Every page of this family."""
        return (
            Page(method="GET", path="/requests", answer=self.listed),
            Page(method="GET", path="/requests/{request}", answer=self.one),
            Page(method="GET", path="/requests/{request}/answer", answer=self.ask_answer),
            Page(method="POST", path="/requests/{request}/answer", answer=self.answer),
            Page(method="GET", path="/requests/{request}/refuse", answer=self.ask_refuse),
            Page(method="POST", path="/requests/{request}/refuse", answer=self.refuse),
            Page(method="GET", path="/requests/{request}/clock", answer=self.ask_clock),
            Page(method="POST", path="/requests/{request}/clock", answer=self.clock),
        )

    def listed(self, visit: Visit) -> Response:
        """The questions that are open, what is due first first; with `all` those that are settled too. Raises `NotPermitted`."""
        found = list_requests(self._ports, visit.person, messages.ListRequestsRequest(all="all" in visit.query))
        shown = [self._case(visit, one) for one in found.requests]
        return self._pages.page(visit, "requests.html", cases=shown, more=found.more, everything="all" in visit.query)

    def one(self, visit: Visit) -> Response:
        """How one question stands, and all that was said about it. Raises as `get_request`."""
        found = get_request(self._ports, visit.person, visit.digest("request"))
        cases = [self._case(visit, one) for one in found.cases]
        done = next((name for name in ("answered", "refused", "stopped", "started") if name in visit.query), "")
        return self._pages.page(visit, "request.html", cases=cases, reference=visit.place["request"], done=done)

    def ask_answer(self, visit: Visit) -> Response:
        """The questions, each with a place for its answer; liaison officers alone release one. Raises as `get_inbox_alert`."""
        require(self._ports, visit.person, (LIAISON,))
        empty = read_records({}, visit.language, self._ports.clock.now().date())
        return self._answer_page(visit, self._questions(visit), [], empty)

    def answer(self, visit: Visit) -> Response:
        """Answer, or show what is missing. Raises as `answer_request`."""
        reference, form = visit.digest("request"), visit.form
        require(self._ports, visit.person, (LIAISON,))
        records = read_records(form, visit.language, self._ports.clock.now().date())
        questions = self._questions(visit)
        if records.edited:
            return self._answer_page(visit, questions, [], records)
        problems, desk = self._why(visit)
        answers = []
        for number, question in enumerate(questions, 1):
            code, text = form.get(f"answer-{number}", ""), " ".join(form.get(f"text-{number}", "").split())[:_TEXT_AT_MOST]
            if code not in _ANSWERS:
                problems.append(error("ANSWER_MISSING", "answers", "a question has no answer", "choose one"))
                break
            texts = [Text(text=text, language=visit.language.code)] if text else []
            answers.append(information_pb2.Answer(question=question, answer=information_pb2.AnswerCode.Value(code), text=texts))
        if not problems and not records.problems:
            content = information_pb2.InformationResponse(answers=answers, contact_desk=desk)
            content.MergeFrom(records.content)
            draft = messages.Draft(
                alert_type=information_pb2.InformationResponse.DESCRIPTOR.full_name,
                alert=encode(content),
                request_id=asked_once(visit, "answer", reference, content.SerializeToString(deterministic=True).hex()),
            )
            question = messages.AnswerRequestRequest(request=reference, draft=draft, reason=form["why"].strip())
            problems = list(answer_request(self._ports, visit.person, question, self._site.release).problems)
            if not problems:
                return RedirectResponse(f"/requests/{reference}?answered", 303)
        return self._answer_page(visit, questions, problems, records)

    def ask_refuse(self, visit: Visit) -> Response:
        """The form to refuse. Raises `NotPermitted`."""
        require(self._ports, visit.person, DESK)
        return self._form_page(visit, "request_refuse.html", [], codes=_words(_REFUSALS))

    def refuse(self, visit: Visit) -> Response:
        """Refuse with a coded reason. Raises as `refuse_request`."""
        reference, code = visit.digest("request"), visit.form.get("code", "")
        problems, _ = self._why(visit, desk_too=False)
        if code not in _REFUSALS:
            problems.insert(0, error("CODE_MISSING", "code", "no reason was chosen", "choose one"))
        if not problems:
            question = messages.RefuseRequestRequest(
                request_id=asked_once(visit, "refuse", reference, code),
                request=reference,
                code=control_pb2.RefusalReason.Value(code),
                reason=visit.form["why"].strip(),
            )
            problems = list(refuse_request(self._ports, visit.person, question, self._site.release).problems)
        if not problems:
            return RedirectResponse(f"/requests/{reference}?refused", 303)
        return self._form_page(visit, "request_refuse.html", problems, codes=_words(_REFUSALS))

    def ask_clock(self, visit: Visit) -> Response:
        """The form that stops the clock, or starts it again. Raises `NotPermitted`."""
        require(self._ports, visit.person, DESK)
        return self._form_page(visit, "request_clock.html", [], codes=_words(_BECAUSE))

    def clock(self, visit: Visit) -> Response:
        """Stop it while a judicial authorisation is pending, or start it again. Raises as `suspend_request`."""
        reference, because = visit.digest("request"), visit.form.get("because", "")
        problems, desk = self._why(visit)
        if because not in {*_BECAUSE, "RESUME"}:
            problems.insert(0, error("CODE_MISSING", "because", "nothing was chosen", "choose one"))
        if not problems:
            question = messages.SuspendRequestRequest(
                # To stop it again, after it was started, is something new.
                request_id=self._ports.entropy(16),
                request=reference,
                because=information_pb2.AuthorisationReason.Value(because if because in _BECAUSE else _RUN),
                desk=desk,
                reason=visit.form["why"].strip(),
            )
            problems = list(suspend_request(self._ports, visit.person, question, self._site.release).problems)
        if not problems:
            return RedirectResponse(f"/requests/{reference}?{'stopped' if because in _BECAUSE else 'started'}", 303)
        return self._form_page(visit, "request_clock.html", problems, codes=_words(_BECAUSE))

    def _why(self, visit: Visit, *, desk_too: bool = True) -> tuple[list[messages.Problem], Any]:
        entry = require(self._ports, visit.person, DESK)
        desk = self._site.desks.get(str(entry.agency))
        problems = []
        if not visit.form.get("why", "").strip() or len(visit.form["why"]) > _REASON_AT_MOST:
            problems.append(error("REASON_MISSING", "why", "it is not said why", "say it in a few words"))
        if desk_too and desk is None:
            problems.append(error("DESK_MISSING", "", "it is not said how this agency is reached", "add its desk to [[agencies]]"))
        return problems, desk

    def _questions(self, visit: Visit) -> list[Any]:
        shown = get_inbox_alert(self._ports, visit.person, visit.digest("request"))
        if shown.summary.alert_type != information_pb2.InformationRequest.DESCRIPTOR.full_name:
            # As the operation says of an alert that asks nothing.
            get_request(self._ports, visit.person, visit.digest("request"))
        return list(information_pb2.InformationRequest.FromString(shown.view).questions)

    def _answer_page(self, visit: Visit, questions: Sequence[Any], problems: list[messages.Problem], records: Records) -> Response:
        known = information_pb2.QuestionCode.DESCRIPTOR.values_by_number
        names = [known[one].name if one in known else str(one) for one in questions]  # one of a newer schema by its number
        asked = [(number, visit.language.say(enum_values().get(name, name))) for number, name in enumerate(names, 1)]
        shown = {
            "parts": records.parts,
            "held": records.held,
            "wrong": {} if records.edited else records.wrong(visit.language),
            "listed": [] if records.edited else records.listed(visit.language),
            "unfolded": records.edited or bool(records.typed),
            "countries": texts_in(visit.language).countries,
        }
        return self._form_page(visit, "request_answer.html", problems, questions=asked, codes=_words(_ANSWERS), **shown)

    def _form_page(self, visit: Visit, template: str, problems: list[messages.Problem], **values: Any) -> Response:
        shown = {"reference": visit.digest("request"), "form": visit.form, "problems": problems}
        known = {"known": PROBLEMS, "problem_places": _PLACES}
        return self._pages.page(visit, template, status=422 if problems or values.get("listed") else 200, **shown, **known, **values)

    def _case(self, visit: Visit, one: messages.RequestCase) -> dict[str, Any]:
        return {
            "case": one,
            "reference": one.manifest_digest.hex(),
            "state": STATES.get(one.state, ""),
            "clock": CLOCKS.get(one.clock, ""),
            "because": visit.language.say(_reason(one.stopped_because)),
            "settled": one.state in SETTLED,
            "events": [(event, DEEDS.get(event.deed, ""), visit.language.say(_reason(event.reason))) for event in one.events],
            "may_answer": LIAISON in self._ports.officers[visit.person].roles,
        }


def _words(names: Sequence[str]) -> list[tuple[str, str]]:
    return [(name, enum_values()[name]) for name in names]


def _reason(code: str) -> str:
    return next((words for name, words in enum_values().items() if code and name.endswith(f"_REASON_{code}")), code)
