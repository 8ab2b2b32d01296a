"""`exchange audit open`: who did it and why, for a lawful purpose."""

import json
from typing import TYPE_CHECKING, Any, Final, cast

import click

from node.cli.audit_verdict import Place
from node.cli.command import Verb
from node.cli.context import ask, open_audit
from node.cli.errors import VERIFICATION_FAILED, Trouble
from node.cli.output import facts, note, show
from node.documents import document
from node.short_words import time_text

if TYPE_CHECKING:
    from rich.console import Console

    from exchange.v1.audit_service_pb2 import OpenEventResponse
    from exchange.v1.disclosure_pb2 import Entry
    from node.confirmations import Confirmed

PURPOSES: Final = ("lawfulness", "self-monitoring", "disciplinary", "integrity-and-security", "criminal-proceedings")
"""Of `exchange.v1.LawfulPurpose`; written out so that the help page needs no schema. A test compares them."""


@click.command("open", cls=Verb)
@click.argument("entry", type=Place(), metavar="ENTRY")
@click.option("--purpose", type=click.Choice(PURPOSES, case_sensitive=False), help="For which lawful purpose.")
@click.option("--reason", default="", metavar="TEXT", help="Why this is necessary, in your own words; never a person's name.")
@click.option("--personal", is_flag=True, help="Open what was searched for and found, not who did it.")
def open_(entry: tuple[str, int], purpose: str | None, reason: str, personal: bool) -> None:  # noqa: FBT001  click calls it
    """Open the record behind ENTRY, an index in the journal or ORIGIN#INDEX of a log of this node. That is journalled first.

    \b
    lawfulness              to verify the lawfulness of processing
    self-monitoring         self-monitoring by the controller or processor
    disciplinary            internal disciplinary proceedings
    integrity-and-security  to ensure the integrity and security of personal data
    criminal-proceedings    the purposes of criminal proceedings

    They are those of Directive (EU) 2016/680 Art. 25(2) and UK DPA 2018 s.62(4); for no other is a record opened (exit code 3).
    """  # noqa: D301  click's own mark for text that it must not wrap
    from exchange.v1 import audit_service_pb2

    origin, index = entry
    group = "PERSONAL" if personal else "ACCOUNTABILITY"
    named = f"LAWFUL_PURPOSE_{purpose.upper().replace('-', '_')}" if purpose else "LAWFUL_PURPOSE_UNSPECIFIED"
    question = audit_service_pb2.OpenEventRequest(
        origin=origin,
        index=index,
        group=audit_service_pb2.DetailGroup.Value(f"DETAIL_GROUP_{group}"),
        purpose=audit_service_pb2.LawfulPurpose.Value(named),
        justification=reason,
    )
    with open_audit() as audit:
        answer = ask(audit.OpenEvent, question)
    record = _record(origin, answer, personal=personal)
    data = {"holds": True, "index": index, "commitment": answer.commitment.hex(), "salt": answer.salt.hex(), "record": record}

    def draw(console: "Console") -> None:
        rows = [row for name, value in record.items() for row in _rows(name, value)]
        console.print(facts([*rows, ("commitment", f"{answer.commitment.hex()}, and the record opens it")]))
        console.print(note("\nThat you opened it stands in the journal, with your purpose and reason."))

    show(data, draw)


def _record(origin: str, answer: "OpenEventResponse", *, personal: bool) -> dict[str, Any]:
    """The record, once it is shown here that it is what the entry committed to."""
    from exchange.disclosure import commit_authorisation
    from exchange.errors import Unverified
    from exchange.journal import commit_detail
    from exchange.v1.journal_pb2 import JournalAccountability, JournalPersonal
    from node.cli.audit_entries import decoded
    from node.confirmations import check_confirmation, check_record, read_confirmation

    _, entry = decoded(origin, answer.entry)
    journal = "authorisation" not in entry.DESCRIPTOR.fields_by_name
    said = getattr(entry, ("personal" if personal else "accountability") if journal else "authorisation")
    found = (commit_detail if journal else commit_authorisation)(answer.salt, answer.record)
    if not said == answer.commitment == found:
        raise Trouble(
            VERIFICATION_FAILED,
            "DETAIL_MISMATCH",
            "The record is not the one that the entry commits to.",
            next_step="Keep what you have, rely on nothing that the node says, and run `exchange audit fsck`.",
        )
    try:
        if not journal:
            said = dict(json.loads(answer.record))
            return (
                {**said, "confirmations": [_confirmed(one) for one in check_record(said, cast("Entry", entry))]}
                if "confirmations" in said
                else said
            )
        if personal:
            return document(JournalPersonal.FromString(answer.record))
        detail = JournalAccountability.FromString(answer.record)
        one = check_confirmation(read_confirmation(detail.confirmation)) if detail.confirmation else None
        if one and one.officer != detail.person:
            raise Unverified("CONFIRMATION", "a confirmation does not hold: it is of somebody else")
    except Unverified as refused:
        raise Trouble(
            VERIFICATION_FAILED,
            refused.code,
            "What the person is said to have confirmed does not verify.",
            why=str(refused),
            next_step="Keep what you have, and ask the office for an explanation in writing.",
        ) from None
    return {**document(detail), "confirmation": _confirmed(one) if one else None}


def _confirmed(one: "Confirmed") -> dict[str, Any]:
    """A confirmation that was verified here: the text, when its page was made, and by what name the journal knows the passkey."""
    return {**one.said, "shown_at": one.made_at, "passkey": one.passkey.hex() or None}


def _rows(name: str, value: Any) -> list[tuple[str, str]]:
    if name not in {"confirmation", "confirmations"}:
        return [(name.replace("_", " "), _text(name, value))]
    return [("confirmed", _confirmation_text(one)) for one in (value if isinstance(value, list) else [value] if value else [])]


def _confirmation_text(one: dict[str, Any]) -> str:
    key = one["passkey"]
    signed = f"signed by the passkey {key}, and the signature holds" if key else "no passkey was shown: training"
    said = [f"{name.replace('_', ' ')}: {_text(name, value)}" for name, value in one.items() if name not in {"passkey", "shown_at"}]
    return "\n".join([signed, f"shown: {time_text(one['shown_at'])}", *said])


def _text(name: str, value: Any) -> str:
    if name == "at" and isinstance(value, int):  # the authorisation record of a disclosure keeps Unix milliseconds
        return time_text(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "\n".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
