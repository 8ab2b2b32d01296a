"""`exchange onward`: leave to pass an alert on to a third country, or to use it in court: asked, decided, used."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from node.cli.command import Noun
from node.cli.context import ask, open_desk, own_id, settings
from node.cli.drafts import FOR_APPROVAL, Agency, request_id
from node.cli.errors import REFUSED, SUCCESS, USAGE, Trouble
from node.cli.output import facts, heading, note, show, table
from node.cli.problems import problem_table
from node.cli.recall_view import draw_attestations
from node.cli.today import today
from node.documents import document, enum_name
from node.short_words import party_name, short, time_cell, time_text, words

if TYPE_CHECKING:
    from rich.console import Console

    from exchange.v1.desk_service_pb2 import GetOnwardResponse, OnwardSummary, Problem
    from exchange.v1.desk_service_pb2_grpc import DeskServiceStub
    from exchange.v1.handling_pb2 import Purpose

# Of the enum of handling.proto; written out so that the help page needs no schema. A test compares them.
PURPOSES: Final = ("PREVENTION", "DETECTION", "INVESTIGATION", "PROSECUTION", "BORDER_CONTROL", "CHILD_SAFEGUARDING", "SAVE_LIFE")

_why = click.option("--reason", required=True, help="Why: the other side reads it, and your auditors.")
_language = click.option("--language", default="en", show_default=True, metavar="TAG", help="Of the reason (BCP 47).")
_again = click.option("--again", is_flag=True, help="Mean it anew: the same command otherwise returns its first answer.")
_until = "e.g. P14D (the end of that day, UTC) or 2027-03-04T18:00Z."


class Party(click.ParamType[str]):
    """The SPIFFE ID of an agency or a node, of which `spiffe://` may be left out; a bare trust domain means its node."""

    name = "party"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read the id; fails as a usage error that shows what one looks like."""
        from exchange.errors import ExchangeError
        from exchange.values import PartyId

        text = value if value.startswith("spiffe://") else f"spiffe://{value}"
        try:
            party = PartyId.parse(text if "/" in text.removeprefix("spiffe://") else f"{text}/node")
        except ExchangeError:
            party = None
        if party is None or party.role not in {"agency", "node"}:
            self.fail("write vn.alerts.example, or an agency as spiffe://vn.alerts.example/agency/c06", param, ctx)
        return str(party)


@click.group(cls=Noun)
def onward() -> None:
    """Leave to pass an alert on, or to use it in court: ask, decide, pass on."""


@onward.command()
@click.argument("alert_id", metavar="ALERT")
@click.option(
    "--to",
    "third_party",
    type=Party(),
    metavar="THIRD",
    help="An agency of the third country, or its trust domain; under H2 one of your own country, too.",
)
@click.option("--fields", metavar="NAMES", help="Fields, separated by commas. Left out: all that you were told.")
@click.option("--purpose", type=click.Choice(PURPOSES, case_sensitive=False), help="Left out: the one for which you were told.")
@click.option("--until", required=True, metavar="TIME", help=f"Until when you ask for it, {_until}")
@click.option("--judicial", is_flag=True, help="Ask for leave to use ALERT in court (H1) rather than to pass it on (H2).")
@_why
@_language
@_again
def request(  # noqa: PLR0913, PLR0917  one argument for each option
    alert_id: str,
    third_party: str | None,
    fields: str | None,
    purpose: str | None,
    until: str,
    judicial: bool,  # noqa: FBT001  click calls it
    reason: str,
    language: str,
    again: bool,  # noqa: FBT001  click calls it
) -> None:
    """Ask the agency that originated ALERT, one of your inbox, for leave. Exit code 3 if the node refused to ask."""
    from exchange.v1 import desk_service_pb2, people_pb2

    if judicial == bool(third_party):
        raise click.UsageError("Say to whom with --to, or --judicial; not both.")
    context = settings().load()
    desk_unit = people_pb2.ContactDesk(unit=context.unit, channel=context.channel)
    with open_desk() as desk:
        question = desk_service_pb2.RequestOnwardRequest(
            request_id=_id("request", alert_id, third_party or "", fields or "", purpose or "", until, str(judicial), again=again),
            alert=alert_id,
            third_party=third_party or "",
            fields=_numbers(desk, alert_id, fields),
            purpose=_purpose(purpose),
            until=_time(until),
            judicial_use=judicial,
            reason=_meant(reason),
            language=language,
            contact_desk=desk_unit,
        )
        published = ask(desk.RequestOnward, question).published

    def draw(console: "Console") -> None:
        if not _draw_refused(console, published.problems):
            console.print("Asked.", style="green")
            console.print(facts((("request", published.manifest_digest.hex()),)))

    show(document(published), draw)
    click.get_current_context().exit(REFUSED if published.problems else SUCCESS)


@onward.command("list")
def list_() -> None:
    """List what your agency asked, and what it is asked, newest first."""
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        answer = ask(desk.ListOnward, desk_service_pb2.ListOnwardRequest())

    def draw(console: "Console") -> None:
        if not answer.onward:
            console.print(note("Nobody has asked for leave."))
            return
        rows = [
            (
                short(one.request_digest),
                "we ask" if one.own else party_name(one.asker),
                "in court" if one.judicial_use else party_name(one.third_party),
                short(one.manifest_digest),
                str(len(one.fields)),
                _state(one),
                time_cell(one.granted_until or one.until),
            )
            for one in answer.onward
        ]
        console.print(table(("!request", "who asks", "to", "!alert", "fields", "state", "!until (UTC)"), rows, right=("fields",)))

    show(document(answer), draw)


@onward.command("show")
@click.argument("request_ref", metavar="REQUEST")
def show_(request_ref: str) -> None:
    """Show REQUEST, its decision, what was passed on under it, and what the third country attested after a withdrawal."""
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        answer = ask(desk.GetOnward, desk_service_pb2.GetOnwardRequest(request=request_ref))
    show(document(answer), lambda console: _draw_one(console, answer))


@onward.command()
@click.argument("request_ref", metavar="REQUEST")
@click.option("--fields", metavar="NAMES", help="A part of what was asked, separated by commas. Left out: all of it.")
@click.option("--until", metavar="TIME", help=f"Not later than was asked, {_until}")
@_why
@_language
def grant(request_ref: str, fields: str | None, until: str | None, reason: str, language: str) -> None:
    """Grant REQUEST: the permit is signed for your agency and goes along with the decision. Exit code 3 if the node refused it."""
    _decide(request_ref, reason, language, grant=True, fields=fields, until=until)


@onward.command()
@click.argument("request_ref", metavar="REQUEST")
@_why
@_language
def deny(request_ref: str, reason: str, language: str) -> None:
    """Deny REQUEST. Exit code 3 if the node refused it."""
    _decide(request_ref, reason, language, grant=False)


@onward.command()
@click.argument("request_ref", metavar="REQUEST")
@click.option("--to", "recipients", multiple=True, type=Agency(), metavar="AGENCY", help="Of the third country. Left out: as you asked.")
@_why
@_again
@FOR_APPROVAL
def release(request_ref: str, recipients: tuple[str, ...], reason: str, again: bool, for_approval: bool) -> None:  # noqa: FBT001  click calls it
    """Pass on what the permit for your REQUEST covers, and tell the originator. Exit code 3 if the node refused it.

    Only fields that the permit, the clause towards the third country and your own country's transfer rules all let go are passed on.
    Where the clause asks for a second officer, submit it for approval (--for-approval).
    """
    from exchange.v1 import desk_service_pb2
    from node.cli.approval import submit_and_show

    question = desk_service_pb2.ReleaseOnwardRequest(
        request_id=_id("release", request_ref, *recipients, again=again),
        request=request_ref,
        recipients=recipients,
        reason=_meant(reason),
    )
    if for_approval:
        submit_and_show(desk_service_pb2.SubmitAlertRequest(onward=question, reason=question.reason))
        return
    with open_desk() as desk:
        answer = ask(desk.ReleaseOnward, question)
    problems = [*answer.released.problems, *answer.notice.problems]

    def draw(console: "Console") -> None:
        if _draw_refused(console, problems):
            return
        console.print("Passed on; the originator is told.", style="green")
        rows = [
            ("\n".join(map(party_name, one.audience)), str(len(one.fields)), one.clause or "–", f"{one.origin} {one.index}")
            for one in answer.released.disclosures
        ]
        console.print(table(("to", "fields", "clause", "log and index"), rows, right=("fields",)))

    show(document(answer), draw)
    click.get_current_context().exit(REFUSED if problems else SUCCESS)


def _decide(request_ref: str, reason: str, language: str, *, grant: bool, fields: str | None = None, until: str | None = None) -> None:
    from exchange.v1 import desk_service_pb2

    with open_desk() as desk:
        numbers: list[int] = []
        if fields:
            asked = ask(desk.GetOnward, desk_service_pb2.GetOnwardRequest(request=request_ref)).summary
            numbers = _fields_of(asked.alert_type, fields)
        question = desk_service_pb2.DecideOnwardRequest(
            request_id=_id("grant" if grant else "deny", request_ref, fields or "", until or "", again=False),
            request=request_ref,
            grant=grant,
            fields=numbers,
            until=_time(until) if until else 0,
            reason=_meant(reason),
            language=language,
        )
        answer = ask(desk.DecideOnward, question)

    def draw(console: "Console") -> None:
        if _draw_refused(console, answer.published.problems):
            return
        console.print("Granted." if grant else "Denied.", style="green")
        rows = [("decision", answer.published.manifest_digest.hex())]
        rows += [("permit", answer.permit_digest.hex())] if answer.permit_digest else []
        rows += [("until", time_text(answer.granted_until))] if grant else []
        console.print(facts(rows))

    show(document(answer), draw)
    click.get_current_context().exit(REFUSED if answer.published.problems else SUCCESS)


def _draw_one(console: "Console", answer: "GetOnwardResponse") -> None:
    one = answer.summary
    names = _names(one.alert_type)
    rows = [
        ("request", one.request_digest.hex()),
        ("state", _state(one)),
        ("alert", one.manifest_digest.hex()),
        ("who asks", party_name(one.asker)),
        ("to", "nobody: for use in court" if one.judicial_use else party_name(one.third_party)),
        ("fields asked", ", ".join(names.get(number, str(number)) for number in one.fields) or "–"),
        ("purpose", words(document(one)["purpose"])),
        ("asked until", time_text(one.until)),
        ("decided", time_text(one.decided_at)),
        ("permit", one.permit_digest.hex() or "none"),
        ("fields granted", ", ".join(names.get(number, str(number)) for number in one.granted_fields) or "–"),
        ("granted until", time_text(one.granted_until)),
        ("passed on", time_text(one.passed_on_at)),
    ]
    console.print(facts(rows))
    if answer.disclosures:
        console.print(heading("Passed on"))
        told = [
            (
                "\n".join(map(party_name, given.disclosure.audience)),
                str(len(given.disclosure.fields)),
                words(document(given)["state"]),
                f"{given.disclosure.origin} {given.disclosure.index}",
            )
            for given in answer.disclosures
        ]
        console.print(table(("to", "fields", "state", "log and index"), told, right=("fields",)))
    draw_attestations(console, answer.attestations)


def _state(one: "OnwardSummary") -> str:
    from exchange.v1.desk_service_pb2 import OnwardState

    return words(enum_name(OnwardState.DESCRIPTOR, one.state))


def _draw_refused(console: "Console", problems: "Sequence[Problem]") -> bool:
    if problems:
        console.print("This was refused:", style="bold")
        console.print(problem_table(problems))
    return bool(problems)


def _id(*said: str, again: bool) -> bytes:
    """Derive the id from what is asked, so that asking the same again after a lost connection does nothing twice."""
    from node.system import system_entropy

    return request_id(b"onward", own_id(), *(part.encode() for part in said), system_entropy(16) if again else b"")


def _meant(reason: str) -> str:
    if not reason.strip():
        raise click.BadParameter("a reason is more than blanks", param_hint="--reason")
    return reason


def _time(text: str) -> int:
    from node.intake.instants import InstantInvalid, read_instant_or_days

    try:
        return read_instant_or_days(text, today())
    except InstantInvalid as wrong:
        raise click.BadParameter(str(wrong), param_hint="--until") from None


def _purpose(name: str | None) -> "Purpose.ValueType":
    from exchange.v1 import handling_pb2

    return handling_pb2.Purpose.Value(f"PURPOSE_{name.upper() if name else 'UNSPECIFIED'}")


def _numbers(desk: "DeskServiceStub", alert_id: str, names: str | None) -> list[int]:
    if not names:
        return []
    from exchange.v1 import desk_service_pb2

    return _fields_of(ask(desk.GetInboxAlert, desk_service_pb2.GetInboxAlertRequest(alert=alert_id)).summary.alert_type, names)


def _fields_of(alert_type: str, names: str) -> list[int]:
    numbers = {name: number for number, name in _names(alert_type).items()}
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    if not wanted or not set(wanted) <= numbers.keys():
        known = ", ".join(numbers)
        raise Trouble(USAGE, "FIELD_UNKNOWN", "This alert type has no such field.", next_step=f"Name some of {known}.")
    return sorted({numbers[name] for name in wanted})


def _names(alert_type: str) -> dict[int, Any]:
    from exchange.profile import alert_types

    known = alert_types().get(alert_type)
    return {field.number: field.name for field in known.fields} if known else {}
