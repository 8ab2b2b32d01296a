"""Leave of the originator to pass an alert on, or to use it in court: asked, decided, used. Each calls what `exchange onward` calls."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from exchange.errors import NotFound
from exchange.profile import alert_types
from exchange.v1 import desk_service_pb2 as messages
from exchange.v1 import handling_pb2
from exchange.values import PartyId, node_of
from node.confirmations import Confirmation
from node.console.confirm import Confirming
from node.console.page import Page
from node.console.pages import DESK, Pages
from node.console.reply_pages import asked_once, local_time
from node.console.site import Site
from node.console.visits import Visit
from node.console.words import enum_values, party_words, texts_in
from node.intake.problems import error, refuses
from node.operations import approve
from node.operations.addressees import list_third_parties
from node.operations.approved import Approved
from node.operations.inbox import get_inbox_alert
from node.operations.officers import LIAISON, require
from node.operations.onward_decide import Weighed, decide_onward, weigh_decision
from node.operations.onward_list import get_onward, list_onward
from node.operations.onward_release import OnwardPlan, release_onward, weigh_onward
from node.operations.onward_request import request_onward
from node.reading_values import safe_text

_REASON_AT_MOST: Final = 500
_PURPOSES: Final = frozenset(handling_pb2.Purpose.keys())


def _said(text: str) -> str:
    """Mark a text for the catalogue that is looked up later."""
    return text


STATES: Final[Mapping[int, str]] = {
    messages.ONWARD_STATE_ASKED: _said("Asked"),
    messages.ONWARD_STATE_DENIED: _said("Denied"),
    messages.ONWARD_STATE_GRANTED: _said("Granted"),
    messages.ONWARD_STATE_EXPIRED: _said("Granted, and over"),
    messages.ONWARD_STATE_PASSED_ON: _said("Granted and passed on"),
}
KINDS: Final[Mapping[str, str]] = {
    "ONWARD": _said("To pass it on to another country"),
    "COURT": _said("To use it in court"),
}
ANSWERS: Final[Mapping[str, str]] = {"GRANT": _said("Grant it"), "DENY": _said("Deny it")}
PROBLEMS: Final[Mapping[str, str]] = {
    "ANSWER_MISSING": _said("Choose whether you grant it."),
    "REASON_MISSING": _said("Say why this is necessary"),
    "AGENCY_NOT_TOLD": _said("Whoever asks was never told of this alert."),
    "ERASED": _said("The alert is not here any more."),
    "LOG_STOPPED": _said("The log towards the originator is stopped, who could not be told of it."),
}
"""What to tell a person, by code; other problems are told in English, as the node has them."""
_PLACES: Final = {name: name for name in ("kind", "grant", "third_party", "fields", "purpose", "until", "reason")} | {
    "recipients": "third_party"
}


class LeavePages:
    """Forms and lists for both sides of a question."""

    def __init__(self, site: Site, pages: Pages, confirming: Confirming) -> None:
        self._site = site
        self._ports = site.ports
        self._pages = pages
        self._confirming = confirming

    def pages(self) -> tuple[Page, ...]:
        """Every page of this family."""
        return (
            Page(method="GET", path="/inbox/{alert}/leave", answer=self.ask_request),
            Page(method="POST", path="/inbox/{alert}/leave", answer=self.request),
            Page(method="GET", path="/leave", answer=self.listed),
            Page(method="GET", path="/leave/{leave}", answer=self.one),
            Page(method="GET", path="/leave/{leave}/decide", answer=self.ask_decide),
            Page(method="POST", path="/leave/{leave}/decide", answer=self.decide),
            Page(method="GET", path="/leave/{leave}/pass-on", answer=self.ask_pass_on),
            Page(method="POST", path="/leave/{leave}/pass-on", answer=self.pass_on),
        )

    def ask_request(self, visit: Visit) -> Response:
        """The form to ask with. Raises as `get_inbox_alert`."""
        return self._request_page(visit, self._told(visit), [])

    def request(self, visit: Visit) -> Response:
        """Ask, or show the form again with all that is wrong. Raises as `request_onward`."""
        form, reference, told = visit.form, visit.digest(), self._told(visit)
        kind, third, until = form.get("kind", ""), form.get("third_party", ""), self._until(visit)
        numbers, purpose, reason = visit.ticked_fields, form.get("purpose", ""), visit.reason
        desk = self._site.desks.get(str(require(self._ports, visit.person, DESK).agency))
        problems = []
        if kind not in KINDS:
            problems.append(error("KIND_MISSING", "kind", "nothing was chosen", "choose one"))
        if kind == "ONWARD" and third not in self._thirds(visit, told.summary.originator):
            problems.append(error("THIRD_MISSING", "third_party", "no agency was chosen", "choose one"))
        if not numbers:
            problems.append(error("FIELD_NONE", "fields", "no field was chosen", "choose at least one"))
        if until is None:
            problems.append(error("TIME_SYNTAX", "until", "this is no day and time", "write it like 2027-03-04 18:00"))
        if desk is None:
            problems.append(error("DESK_MISSING", "", "it is not said how this agency is reached", "add its desk to [[agencies]]"))
        problems += _why(reason)
        if problems:
            return self._request_page(visit, told, problems)
        question = messages.RequestOnwardRequest(
            request_id=asked_once(visit, "leave", reference, kind, third, str(numbers), purpose, str(until), reason),
            alert=reference,
            third_party=third if kind == "ONWARD" else "",
            fields=numbers,
            purpose=handling_pb2.Purpose.Value(purpose if purpose in _PURPOSES else "PURPOSE_UNSPECIFIED"),
            until=until or 0,
            judicial_use=kind == "COURT",
            reason=reason,
            language=visit.language.code,
            contact_desk=desk,
        )
        published = request_onward(self._ports, visit.person, question, self._site.release)
        if published.problems:
            return self._request_page(visit, told, published.problems)
        return RedirectResponse(f"/leave/{published.manifest_digest.hex()}?asked", 303)

    def listed(self, visit: Visit) -> Response:
        """What the agency asked and what it is asked, newest first. Raises `NotPermitted`."""
        found = list_onward(self._ports, visit.person).onward
        return self._pages.page(visit, "leave_list.html", cases=[self._case(visit, one) for one in found])

    def one(self, visit: Visit) -> Response:
        """One request, its decision, and what was passed on under it. Raises as `get_onward`."""
        found = self._found(visit)
        done = next((name for name in ("asked", "granted", "denied", "passed_on") if name in visit.query), "")
        shown = self._case(visit, found.summary)
        told = [(one.disclosure, self._labels(visit, found.summary, one.disclosure.fields)) for one in found.disclosures]
        return self._pages.page(visit, "leave.html", one=shown, told=told, attested=found.attestations, done=done)

    def ask_decide(self, visit: Visit) -> Response:
        """The form to decide with, all that was asked for ticked. Raises as `get_onward`."""
        asked = self._to_decide(visit)
        return self._decide_page(visit, asked, [], chosen=list(asked.fields))

    def decide(self, visit: Visit) -> Response:
        """Grant or deny, or show the form again with all that is wrong. Raises as `decide_onward`."""
        asked, answer, until = self._to_decide(visit), visit.form.get("grant", ""), self._until(visit)
        numbers, reason, grant = visit.ticked_fields, visit.reason, answer == "GRANT"
        problems = []
        if answer not in ANSWERS:
            problems.append(error("ANSWER_MISSING", "grant", "nothing was chosen", "choose one"))
        if grant and not numbers:
            problems.append(error("FIELD_NONE", "fields", "no field was chosen", "choose at least one, or deny it"))
        if grant and until is None:
            problems.append(error("TIME_SYNTAX", "until", "this is no day and time", "write it like 2027-03-04 18:00"))
        problems += _why(reason)
        if not problems:
            reference = visit.digest("leave")
            question = messages.DecideOnwardRequest(
                request_id=asked_once(visit, "decide", reference, answer, str(numbers), str(until), reason),
                request=reference,
                grant=grant,
                fields=numbers if grant else [],
                until=(until or 0) if grant else 0,
                reason=reason,
                language=visit.language.code,
            )
            return self._decided(visit, asked, question)
        return self._decide_page(visit, asked, problems, chosen=numbers)

    def _decided(self, visit: Visit, asked: messages.OnwardSummary, question: messages.DecideOnwardRequest) -> Response:
        """The page that asks for the passkey, or, with that, the decision."""
        action, chosen = "grant" if question.grant else "deny", list(question.fields)
        weighed = weigh_decision(self._ports, visit.person, question)
        if not isinstance(weighed, Weighed):
            return self._decide_page(visit, asked, weighed, chosen=chosen)
        values = {
            "alerts": [asked.manifest_digest.hex()],
            "request": question.request,
            "third": asked.third_party,
            "to": [asked.asker],
            "fields": list(weighed.fields),
            "until": weighed.until,
            "reason": question.reason,
        }
        taken = self._confirming.taken(visit, action, values)
        if not isinstance(taken, Confirmation):
            granted = self._labels(visit, asked, weighed.fields)
            confirm = {"asked": self._confirming.ask(visit, action, values), "stale": taken, "granted": granted, "until": weighed.until}
            return self._decide_page(visit, asked, [], chosen=chosen, **confirm)
        problems = decide_onward(self._ports, visit.person, question, self._site.release, taken).published.problems
        if problems:
            return self._decide_page(visit, asked, problems, chosen=chosen)
        return RedirectResponse(f"/leave/{question.request}?{'granted' if question.grant else 'denied'}", 303)

    def ask_pass_on(self, visit: Visit) -> Response:
        """The form to pass on with. Raises as `get_onward`."""
        return self._pass_on_page(visit, self._to_pass_on(visit), [])

    def pass_on(self, visit: Visit) -> Response:
        """The form again, the page that asks for the passkey, or, with that, the disclosure or its submission for approval."""
        asked, reason, third = self._to_pass_on(visit), visit.reason, visit.form.get("third_party", "")
        if problems := _why(reason):
            return self._pass_on_page(visit, asked, problems)
        question = messages.ReleaseOnwardRequest(
            request_id=asked_once(visit, "pass on", asked.request_digest.hex()),
            request=asked.request_digest.hex(),
            recipients=[third] if third else [],
            reason=reason,
        )
        weighed = weigh_onward(self._ports, visit.person, question)
        if not isinstance(weighed, OnwardPlan):
            return self._pass_on_page(visit, asked, weighed)
        planned = weighed.decided.planned
        submits = any(one.allowed.clause.approvals for one in planned)
        action = "submit" if submits else "release"
        values = {
            "alerts": [asked.manifest_digest.hex()],
            "to": sorted({agency for one in planned for agency in one.audience}),
            "fields": sorted({number for one in planned for number in one.allowed.fields}),
            "preview": weighed.decided.digest.hex(),
            "reason": reason,
        }
        taken = self._confirming.taken(visit, action, values)
        if not isinstance(taken, Confirmation):
            going = [(agency, self._labels(visit, asked, one.allowed.fields)) for one in planned for agency in one.audience]
            confirm = {"asked": self._confirming.ask(visit, action, values), "stale": taken, "submits": submits, "going": going}
            return self._pass_on_page(visit, asked, [], **confirm)
        question.request_id = asked_once(visit, "pass on", asked.request_digest.hex(), taken.ticket.hex())
        if submits:
            return self._submit(visit, asked, question, taken)
        approved = Approved(seen=weighed.decided.digest, confirmations=(taken,))
        answer = release_onward(self._ports, visit.person, question, self._site.release_together, approved)
        refused = [*answer.released.problems, *answer.notice.problems]
        if refused:
            return self._pass_on_page(visit, asked, refused)
        return RedirectResponse(f"/leave/{asked.request_digest.hex()}?passed_on", 303)

    def _submit(
        self, visit: Visit, asked: messages.OnwardSummary, question: messages.ReleaseOnwardRequest, confirmation: Confirmation
    ) -> Response:
        submission = messages.SubmitAlertRequest(onward=question, reason=question.reason)
        answer = approve.submit(self._ports, visit.person, submission, self._site.release_together, confirmation)
        if refuses(answer.problems):
            return self._pass_on_page(visit, asked, answer.problems)
        return RedirectResponse(f"/approvals/{answer.submission.id.hex()}?submitted", 303)

    def _told(self, visit: Visit) -> messages.GetInboxAlertResponse:
        return get_inbox_alert(self._ports, visit.person, visit.digest())

    def _thirds(self, visit: Visit, originator: str) -> dict[str, str]:
        """Whom to ask for, and what they are called: agencies, and behind those of a country the country, for one that is chosen later."""
        found: dict[str, str] = {}
        for agency in list_third_parties(self._ports, visit.person, originator):
            country = str(node_of(PartyId.parse(agency).trust_domain))
            found.pop(country, "")
            found |= {agency: _name(visit, agency), country: _name(visit, country)}
        return found

    def _found(self, visit: Visit) -> messages.GetOnwardResponse:
        return get_onward(self._ports, visit.person, visit.digest("leave"))

    def _to_decide(self, visit: Visit) -> messages.OnwardSummary:
        require(self._ports, visit.person, (LIAISON,))
        asked = self._found(visit).summary
        if asked.own:
            raise NotFound("ONWARD_UNKNOWN", "who asks does not decide")
        return asked

    def _to_pass_on(self, visit: Visit) -> messages.OnwardSummary:
        require(self._ports, visit.person, (LIAISON,))
        asked = self._found(visit).summary
        if not asked.own or asked.judicial_use:
            raise NotFound("ONWARD_UNKNOWN", "there is nothing to pass on under this")
        return asked

    def _until(self, visit: Visit) -> int | None:
        """0 where nothing was written; None for what is no time."""
        return local_time(visit.form.get("until", "").strip(), self._site.zone)

    def _request_page(self, visit: Visit, told: messages.GetInboxAlertResponse, problems: Sequence[messages.Problem]) -> Response:
        handling = told.handling
        may = {"ONWARD": handling.onward == handling_pb2.ONWARD_RULE_ASK, "COURT": handling.judicial_use == handling_pb2.JUDICIAL_USE_ASK}
        fields = sorted({number for one in told.disclosures for number in one.fields})
        purposes = [handling_pb2.Purpose.Name(one) for one in handling.permitted_purposes if _purpose(one)]
        return self._form_page(
            visit,
            "leave_request.html",
            problems,
            reference=visit.digest(),
            kinds={kind: words for kind, words in KINDS.items() if may[kind] and not told.blocked},
            thirds=self._thirds(visit, told.summary.originator),
            fields=self._numbered(visit, told.summary.alert_type, fields),
            chosen=visit.ticked_fields,
            purposes=[(name, enum_values()[name]) for name in purposes],
            expires=told.summary.not_after,
        )

    def _decide_page(
        self, visit: Visit, case: messages.OnwardSummary, problems: Sequence[messages.Problem], *, chosen: Sequence[int], **more: Any
    ) -> Response:
        fields = self._numbered(visit, case.alert_type, case.fields)
        known = {"one": self._case(visit, case), "fields": fields, "chosen": chosen, "answers": ANSWERS}
        return self._form_page(visit, "leave_decide.html", problems, **known, **more)

    def _pass_on_page(self, visit: Visit, case: messages.OnwardSummary, problems: Sequence[messages.Problem], **more: Any) -> Response:
        third, offered = PartyId.parse(case.third_party), {}
        if third.role != "agency":
            # Leave for a country, rather than for one agency there, is used by naming the agency.
            beginning = f"spiffe://{third.trust_domain}/agency/"
            offered = {agency: words for agency, words in self._thirds(visit, "").items() if agency.startswith(beginning)}
        return self._form_page(visit, "leave_pass_on.html", problems, one=self._case(visit, case), offered=offered, **more)

    def _form_page(self, visit: Visit, template: str, problems: Sequence[messages.Problem], **values: Any) -> Response:
        known = {"problems": problems, "known": PROBLEMS, "problem_places": _PLACES, "form": visit.form}
        return self._pages.page(visit, template, status=422 if problems or values.get("stale") else 200, **known, **values)

    def _case(self, visit: Visit, one: messages.OnwardSummary) -> dict[str, Any]:
        liaison = LIAISON in self._ports.officers[visit.person].roles
        return {
            "case": one,
            "reference": one.request_digest.hex(),
            "alert": one.manifest_digest.hex(),
            "decision": one.decision_digest.hex(),
            "third": _name(visit, one.third_party),
            "state": STATES.get(one.state, ""),
            "purpose": _purpose(one.purpose),
            "fields": self._labels(visit, one, one.fields),
            "granted": self._labels(visit, one, one.granted_fields),
            "liaison": liaison,
            "may_decide": liaison and not one.own and one.state == messages.ONWARD_STATE_ASKED,
            "may_pass_on": liaison and one.own and not one.judicial_use and one.state == messages.ONWARD_STATE_GRANTED,
        }

    def _labels(self, visit: Visit, one: messages.OnwardSummary, numbers: Iterable[int]) -> list[str]:
        return [label for _, label in self._numbered(visit, one.alert_type, numbers)]

    def _numbered(self, visit: Visit, alert_type: str, numbers: Iterable[int]) -> list[tuple[int, str]]:
        """Fields by number with what they are called; one that this version does not know by its number."""
        kind, texts = alert_types().get(alert_type), texts_in(visit.language)
        names = {field.number: texts.label(field.name) for field in kind.fields} if kind else {}
        return [(number, names.get(number, str(number))) for number in numbers]


def _name(visit: Visit, party: str) -> str:
    """What an agency is called, or, in the place of a node, its country."""
    domain, slash, _ = party.removeprefix("spiffe://").partition("/node")
    if not slash:
        return party_words(visit.language, party)
    return safe_text(visit.language.say("%(country)s (an agency there)", country=visit.language.country(domain)))


def _purpose(number: int) -> str:
    """In words; empty for one that this version does not know."""
    known = handling_pb2.Purpose.DESCRIPTOR.values_by_number
    return enum_values().get(known[number].name, "") if number in known else ""


def _why(reason: str) -> list[messages.Problem]:
    return [] if 0 < len(reason) <= _REASON_AT_MOST else [error("REASON_MISSING", "reason", "it is not said why", "say it in a few words")]
