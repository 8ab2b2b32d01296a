"""A fresh passkey for what cannot be undone: whose, over what, in which session, for how long, how often; and how it verifies again."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exchange.errors import Unverified
from exchange.v1 import disclosure_pb2
from node.confirmations import Confirmation, check_confirmation, check_record, passkey_name, read_confirmation, say
from node.console.challenges import LIVES_MS, Challenges
from node.console.confirm import Asked, Confirming
from node.console.languages import load_languages
from node.console.visits import Visit
from node.operations.confirm import Question, unshown
from node.operations.officers import NotPermitted
from node.operations.sign_in import forget_passkeys
from node.passkeys import Assertion
from node.store import sign_ins
from node.store.journal import Kind
from tests.authenticator import PRESENT, Authenticator, b64, unb64
from tests.console_site import ORIGIN, Browser, site_of
from tests.federation import federation
from tests.refusals import refused
from tests.rig import Office

VALUES = {"preview": "07" * 32, "reason": "training\nfor \u202eall"}
OTHER = {**VALUES, "preview": "08" * 32}


@pytest.fixture
def kh(tmp_path: Path) -> Iterator[Office]:
    with federation(tmp_path, "kh") as made:
        yield made["kh"]


@pytest.fixture
def key(kh: Office) -> Authenticator:
    return Browser(kh).enrol("liaison")


@pytest.fixture
def confirming(kh: Office) -> Confirming:
    return Confirming(site_of(kh), Challenges(kh.ports))


def visit(kh: Office, name: str = "liaison", secret: bytes = b"\x01" * 32, began_by: str = "PASSKEY", **form: str) -> Visit:
    language = load_languages()["en"]
    return Visit(person=kh.person(name), secret=secret, began_by=began_by, language=language, place={}, query={}, form=form)


def answered(kh: Office, asked: Asked, key: Authenticator, **more: Any) -> Visit:
    return visit(kh, ticket=asked.ticket, answer=key.get(asked.options), **more)


def test_a_passkey_of_the_person_confirms_exactly_what_was_shown(kh: Office, key: Authenticator, confirming: Confirming) -> None:
    asked = confirming.ask(visit(kh), "release", VALUES)
    kept = confirming.take(answered(kh, asked, key), "release", VALUES)
    said = check_confirmation(read_confirmation(kept.encoded()))
    assert said.said == {**VALUES, "action": "release", "officer": kh.person("liaison")}
    assert said.made_at == kh.clock.now_ms()
    with kh.ports.store.read() as tx:
        known = sign_ins.passkey_of(tx, key.credential)
        assert kh.ports.journal.says(tx, Kind.JOURNAL_KIND_ACCESS, said.passkey)
    assert known is not None
    assert said.passkey == passkey_name(known.public_key)
    assert known.sign_count == key.count == 1
    assert "training" not in repr(kept)


def test_only_the_passkeys_of_the_person_are_asked_for(kh: Office, key: Authenticator, confirming: Confirming) -> None:
    Browser(kh).enrol("second", Authenticator(ORIGIN, credential=b"\x22" * 32))
    asked = json.loads(confirming.ask(visit(kh), "release", VALUES).options)
    assert [one["id"] for one in asked["allowCredentials"]] == [b64(key.credential)]
    assert asked["userVerification"] == "required"


def test_another_persons_passkey_confirms_nothing_and_that_is_recorded(kh: Office, key: Authenticator, confirming: Confirming) -> None:
    others = Browser(kh).enrol("second", Authenticator(ORIGIN, credential=b"\x22" * 32))
    asked = confirming.ask(visit(kh), "release", VALUES)
    with refused(NotPermitted, "PASSKEY"):
        confirming.take(answered(kh, asked, others), "release", VALUES)
    assert [(kind, who.rpartition("/")[2], code) for kind, who, _, code in kh.journal()][-1] == ("refusal", "liaison", "PASSKEY")
    # Nothing was spent by it: the person goes on.
    assert confirming.take(answered(kh, asked, key), "release", VALUES).shown


@pytest.mark.parametrize(
    ("action", "values"), [("release", OTHER), ("approve", VALUES), ("release", {**VALUES, "reason": "another"}), ("release", {})]
)
def test_nothing_else_is_confirmed_by_it(kh: Office, key: Authenticator, confirming: Confirming, action: str, values: Any) -> None:
    asked = confirming.ask(visit(kh), "release", VALUES)
    with refused(Unverified, "CHALLENGE"):
        confirming.take(answered(kh, asked, key), action, values)


def test_an_answer_to_another_text_confirms_nothing(kh: Office, key: Authenticator, confirming: Confirming) -> None:
    """The ticket is of this page, and what was signed is of another."""
    other, asked = confirming.ask(visit(kh), "release", OTHER), confirming.ask(visit(kh), "release", VALUES)
    with refused(NotPermitted, "PASSKEY"):
        confirming.take(visit(kh, ticket=asked.ticket, answer=key.get(other.options)), "release", VALUES)


def test_an_answer_counts_once(kh: Office, key: Authenticator, confirming: Confirming) -> None:
    asked = confirming.ask(visit(kh), "release", VALUES)
    key.counts = False
    form = answered(kh, asked, key)
    assert confirming.take(form, "release", VALUES)
    with refused(Unverified, "CHALLENGE"):
        confirming.take(form, "release", VALUES)


def test_an_answer_is_of_one_session_and_one_person(kh: Office, key: Authenticator, confirming: Confirming) -> None:
    asked = confirming.ask(visit(kh), "release", VALUES)
    for more in ({"secret": b"\x02" * 32}, {"name": "second"}):
        with refused(Unverified, "CHALLENGE"):
            confirming.take(answered(kh, asked, key, **more), "release", VALUES)


def test_an_answer_comes_within_five_minutes(kh: Office, key: Authenticator, confirming: Confirming) -> None:
    asked = confirming.ask(visit(kh), "release", VALUES)
    kh.clock.pass_(LIVES_MS - 1)
    assert confirming.take(answered(kh, asked, key), "release", VALUES)
    asked = confirming.ask(visit(kh), "release", VALUES)
    kh.clock.pass_(LIVES_MS)
    with refused(Unverified, "CHALLENGE"):
        confirming.take(answered(kh, asked, key), "release", VALUES)


@pytest.mark.parametrize("changes", [{"flags": PRESENT}, {"origin": "http://elsewhere.localhost:7447"}, {"credential": b"\x33" * 32}])
def test_an_answer_without_the_person_or_from_elsewhere_counts_for_nothing(
    kh: Office, key: Authenticator, confirming: Confirming, changes: dict[str, Any]
) -> None:
    asked = confirming.ask(visit(kh), "release", VALUES)
    with refused(NotPermitted, "PASSKEY"):
        confirming.take(answered(kh, asked, replace(key, **changes)), "release", VALUES)


def test_a_passkey_that_was_taken_away_or_copied_confirms_nothing(kh: Office, key: Authenticator, confirming: Confirming) -> None:
    asked = confirming.ask(visit(kh), "release", VALUES)
    copy = replace(key)
    assert confirming.take(answered(kh, asked, key), "release", VALUES)
    asked = confirming.ask(visit(kh), "release", VALUES)
    with refused(NotPermitted, "PASSKEY"):
        confirming.take(answered(kh, asked, copy), "release", VALUES)
    forget_passkeys(kh.ports, kh.person("administrator"), kh.person("liaison"))
    with refused(NotPermitted, "PASSKEY"):
        confirming.take(answered(kh, asked, key), "release", VALUES)


@pytest.mark.parametrize("form", [{}, {"ticket": "", "answer": "{}"}, {"ticket": "ä"}, {"ticket": "x" * 5000}])
def test_rubbish_confirms_nothing(kh: Office, key: Authenticator, confirming: Confirming, form: dict[str, str]) -> None:
    asked = confirming.ask(visit(kh), "release", VALUES)
    with refused(Unverified, "CHALLENGE"):
        confirming.take(visit(kh, **form), "release", VALUES)
    for answer in ("", "[]", "{}", '{"id": 7}', json.dumps({**json.loads(key.get(asked.options)), "response": 1})):
        with refused(NotPermitted, "PASSKEY"):
            confirming.take(visit(kh, ticket=asked.ticket, answer=answer), "release", VALUES)


def test_no_passkey_is_asked_for_after_a_training_code_and_that_is_recorded(kh: Office) -> None:
    ports = replace(kh.ports, training=True)
    confirming = Confirming(site_of(kh, ports=ports), Challenges(ports))
    asked = confirming.ask(visit(kh, began_by="DEMO_CODE"), "release", VALUES)
    assert asked.options == ""
    form = visit(kh, began_by="DEMO_CODE", ticket=asked.ticket)
    kept = confirming.take(form, "release", VALUES)
    assert (kept.shown, check_confirmation(kept).passkey, kept.document()["passkey"]) == (None, b"", None)
    with refused(Unverified, "CHALLENGE"):
        confirming.take(form, "release", VALUES)


@pytest.mark.parametrize("which", ["production", "no demo", "passkey"])
def test_everywhere_else_it_is_asked_for(kh: Office, which: str) -> None:
    ports = replace(kh.ports, training=which != "production")
    site = site_of(kh, ports=ports, demo_sign_in=which != "no demo")
    confirming = Confirming(site, Challenges(ports))
    began_by = "PASSKEY" if which == "passkey" else "DEMO_CODE"
    asked = confirming.ask(visit(kh, began_by=began_by), "release", VALUES)
    assert asked.options
    with refused(NotPermitted, "PASSKEY"):
        confirming.take(visit(kh, began_by=began_by, ticket=asked.ticket), "release", VALUES)


@pytest.fixture
def kept(kh: Office, key: Authenticator, confirming: Confirming) -> Confirmation:
    asked = confirming.ask(visit(kh), "release", VALUES)
    return confirming.take(answered(kh, asked, key), "release", VALUES)


def record(kh: Office, *kept: Confirmation, **changes: Any) -> dict[str, Any]:
    values = {"officer": kh.person("liaison"), "reason": VALUES["reason"], "preview": VALUES["preview"], "at": kh.clock.now_ms()}
    return {**values, "confirmations": [one.document() for one in kept], **changes}


ENTRY = disclosure_pb2.Entry(clause="a")


def test_a_record_verifies_again(kh: Office, kept: Confirmation) -> None:
    (one,) = check_record(record(kh, kept), ENTRY)
    assert (one.officer, one.action) == (kh.person("liaison"), "release")
    without = record(kh)
    assert check_record(without, ENTRY) == []
    del without["confirmations"]
    assert check_record(without, ENTRY) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"officer": "spiffe://kh.alerts.example/officer/second"},
        {"reason": "another"},
        {"preview": "08" * 32},
        {"at": 0},
        {"officer": "spiffe://kh.alerts.example/officer/second", "approvers": ["spiffe://kh.alerts.example/officer/liaison"]},
    ],
)
def test_a_record_that_says_something_else_does_not_verify(kh: Office, kept: Confirmation, changes: dict[str, Any]) -> None:
    with refused(Unverified, "CONFIRMATION"):
        check_record(record(kh, kept, **changes), ENTRY)


def test_one_person_confirms_once(kh: Office, kept: Confirmation) -> None:
    with refused(Unverified, "CONFIRMATION"):
        check_record(record(kh, kept, kept), ENTRY)


def changed(kept: Confirmation, **changes: Any) -> Confirmation:
    shown: Assertion | None = kept.shown
    assert shown is not None
    inner = {name: changes.pop(name) for name in list(changes) if hasattr(shown, name)}
    return replace(kept, shown=replace(shown, **inner), **changes)


def test_nothing_of_a_confirmation_can_be_altered(kh: Office, kept: Confirmation) -> None:
    shown = kept.shown
    assert shown is not None
    told = json.loads(shown.client_data)
    other = Browser(kh).enrol("second", Authenticator(ORIGIN, credential=b"\x22" * 32))
    with kh.ports.store.read() as tx:
        theirs = sign_ins.passkey_of(tx, other.credential)
    assert theirs is not None
    unverified = shown.authenticator_data[:32] + bytes([PRESENT]) + shown.authenticator_data[33:]
    for wrong in (
        changed(kept, said=say("release", kh.person("liaison"), OTHER)),
        changed(kept, said=kept.said + " "),
        changed(kept, ticket=kept.ticket[:-1] + bytes([kept.ticket[-1] ^ 1])),
        changed(kept, ticket=b"\x01" + kept.ticket),
        changed(kept, ticket=b""),
        changed(kept, signature=shown.signature[:-1] + bytes([shown.signature[-1] ^ 1])),
        changed(kept, public_key=theirs.public_key),
        changed(kept, authenticator_data=unverified),
        changed(kept, client_data=json.dumps({**told, "type": "webauthn.create"}).encode()),
        changed(kept, client_data=b"{}"),
        changed(kept, host="elsewhere.localhost"),
        changed(kept, origin="https://kh.localhost"),
        changed(kept, said="[]"),
        changed(kept, said="x"),
    ):
        with refused(Unverified, "CONFIRMATION"):
            check_confirmation(wrong)


@pytest.mark.parametrize("name", ["said", "ticket", "passkey"])
def test_a_confirmation_of_which_something_is_missing_is_none(kept: Confirmation, name: str) -> None:
    document = kept.document()
    del document[name]
    for wrong in (json.dumps(document).encode(), b"[]", b"7", b"\xff", json.dumps({**kept.document(), name: 7}).encode()):
        with refused(Unverified, "CONFIRMATION"):
            check_confirmation(read_confirmation(wrong))


def recall(kh: Office, **values: Any) -> Confirmation:
    given = {"reason": VALUES["reason"], "alerts": ["11" * 32], "to": ["spiffe://a/agency/b"], **values}
    said = say(given.pop("action", "withdraw"), kh.person("liaison"), given)
    return unshown(Question(said=said, ticket=kh.clock.now_ms().to_bytes(8, "big")))


def test_a_recall_goes_to_whom_it_was_confirmed_for(kh: Office) -> None:
    entry = disclosure_pb2.Entry(in_reply_to=b"\x11" * 32, audience=["spiffe://a/agency/b"])
    assert check_record(record(kh, recall(kh)), entry)
    for wrong in (
        disclosure_pb2.Entry(in_reply_to=b"\x12" * 32, audience=["spiffe://a/agency/b"]),
        disclosure_pb2.Entry(in_reply_to=b"\x11" * 32, audience=["spiffe://a/agency/b", "spiffe://a/agency/c"]),
        disclosure_pb2.Entry(in_reply_to=b"\x11" * 32, audience=["spiffe://a/agency/b"], clause="a"),
    ):
        with refused(Unverified, "CONFIRMATION"):
            check_record(record(kh, recall(kh)), wrong)
    with refused(Unverified, "CONFIRMATION"):
        check_record(record(kh, recall(kh, action="made up")), entry)


def test_a_supplement_tells_what_was_confirmed(kh: Office) -> None:
    entry = disclosure_pb2.Entry(manifest_digest=b"\x11" * 32, audience=["spiffe://a/agency/b"], fields=[3], clause="a")
    confirmed = recall(kh, action="supplement", fields=[3, 4])
    assert check_record(record(kh, confirmed), entry)
    for wrong in ({"fields": [3, 5]}, {"manifest_digest": b"\x12" * 32}, {"audience": ["spiffe://a/agency/c"]}):
        other = disclosure_pb2.Entry(**{"manifest_digest": b"\x11" * 32, "audience": ["spiffe://a/agency/b"], "fields": [3], **wrong})
        with refused(Unverified, "CONFIRMATION"):
            check_record(record(kh, confirmed), other)


def test_a_tickets_time_is_part_of_what_is_signed(kept: Confirmation) -> None:
    assert kept.shown is not None
    signed = unb64(json.loads(kept.shown.client_data)["challenge"])
    assert signed == Question(said=kept.said, ticket=kept.ticket).challenge
    assert len(signed) == 32
