from dataclasses import replace
from typing import Any

import pytest

from exchange.agreement import (
    Allowed,
    Denied,
    EntryDecisions,
    Parties,
    Request,
    check_agreement,
    decide,
    decide_clause,
    decide_entry,
    decide_under,
    open_agreement,
    open_proposal,
    propose,
    telling,
    terms_of,
)
from exchange.encoding import encode
from exchange.errors import Malformed, Unverified
from exchange.profile import alert_type
from exchange.signing import add_signature, sign_statement, statement_digest
from exchange.v1 import agreement_pb2, disclosure_pb2, handling_pb2
from exchange.values import CLOCK_SKEW_MS
from tests.countries import (
    AGREED_FROM,
    AGREED_UNTIL,
    BORDER,
    DAY,
    HOUR,
    KEYS_FROM,
    NGO,
    NOW,
    POLICE,
    PROPOSED,
    TRAVEL,
    agency,
    agreed,
    agreement,
    changed,
    clause,
    compromised,
    countersigned,
    descriptor,
    domain,
    emergency,
    key,
    known,
    node,
    with_clause,
    with_key,
)
from tests.refusals import refused

GB, KH = domain("gb"), domain("kh")
PREVENTION, PROSECUTION = handling_pb2.PURPOSE_PREVENTION, handling_pb2.PURPOSE_PROSECUTION
FIELDS = frozenset(alert_type(TRAVEL).numbers)
POLICE_CLAUSE = "gb-kh-travelalert-police"
# The columns of docs/alerts.md for POLICE.
REQUIRED = {1, 30, 33}
ON_REQUEST = {7, 9, 12, 18, 21, 28, 29}


def request(**changes: Any) -> Request:
    """gb's police want to tell kh's police of a travel alert."""
    asked = Request(sender=GB, recipient=KH, agency=agency("kh", POLICE), alert_type=TRAVEL, purpose=PREVENTION, fields=FIELDS, at=NOW)
    return replace(asked, **changes)


def test_both_nodes_sign_one_agreement() -> None:
    content = agreement()
    proposal = propose(content, key("gb", "agreement"))
    assert open_proposal(proposal, node("gb")).value == content
    both = add_signature(proposal, key("kh", "agreement"))
    assert both == countersigned(content)
    opened = open_agreement(both, [node("kh"), node("gb")])
    assert (opened.agreement, opened.digest, opened.statement) == (content, statement_digest(proposal), both)
    assert opened.classes[agency("kh", NGO)] == NGO
    assert opened.clauses[POLICE_CLAUSE] == clause("gb", "kh", POLICE)


def test_one_signature_is_a_proposal_and_no_more() -> None:
    with refused(Malformed, "SIGNATURE_COUNT"):
        open_agreement(propose(agreement(), key("gb", "agreement")), [node("gb"), node("kh")])
    with refused(Malformed, "SIGNATURE_COUNT"):
        open_proposal(countersigned(agreement()), node("gb"))


def test_only_a_party_proposes() -> None:
    with refused(Unverified, "PROPOSER_NOT_A_PARTY"):
        open_proposal(propose(agreement(), key("vn", "agreement")), node("vn"))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        (compromised(PROPOSED + DAY), "KEY_COMPROMISED"),
        ({"not_before": PROPOSED + 1}, "KEY_EARLY"),
        ({"not_after": PROPOSED}, "KEY_EXPIRED"),
        ({"speaks_for": [agency("gb", POLICE)]}, "KEY_NOT_FOR_PARTY"),
    ],
)
def test_keys_are_judged_when_it_was_proposed(changes: dict[str, Any], code: str) -> None:
    gb = known(with_key(descriptor("gb"), key("gb", "agreement"), **changes))
    with refused(Unverified, code):
        open_proposal(propose(agreement(), key("gb", "agreement")), gb)
    with refused(Unverified, code):
        open_agreement(countersigned(agreement()), [gb, node("kh")])


def test_an_agreement_that_was_held_before_a_key_was_stolen_stands() -> None:
    gb = known(with_key(descriptor("gb"), key("gb", "agreement"), **compromised(PROPOSED + DAY)))
    assert open_agreement(countersigned(agreement()), [gb, node("kh")], held_since=PROPOSED + DAY - 1).agreement == agreement()
    with refused(Unverified, "KEY_COMPROMISED"):
        open_agreement(countersigned(agreement()), [gb, node("kh")], held_since=PROPOSED + DAY)


def test_the_parties_are_the_two_nodes() -> None:
    with refused(Unverified, "AGREEMENT_PARTIES"):
        open_agreement(countersigned(agreement("gb", "vn"), "gb", "kh"), [node("gb"), node("kh")])
    with refused(Unverified, "KEY_UNKNOWN"):
        open_agreement(countersigned(agreement(), "gb", "vn"), [node("gb"), node("kh")])


def test_one_party_cannot_sign_for_both() -> None:
    second = key("gb", "second agreement key")
    own = descriptor("gb")
    also = changed(own.keys[0], public_key=second.spki)
    gb = known(changed(own, keys=[*own.keys, also]))
    statement = sign_statement("agreement", encode(agreement()), [key("gb", "agreement"), second])
    with refused(Unverified, "SIGNERS"):
        open_agreement(statement, [gb, node("kh")])


def malformed() -> dict[str, agreement_pb2.Agreement]:
    good = agreement()
    spoil: dict[str, dict[str, Any]] = {
        "version": {"version": 2},
        "schema": {"instrument": ""},
        "one party": {"parties": list(good.parties)[:1]},
        "parties descend": {"parties": list(good.parties)[::-1]},
        "never valid": {"valid_from": AGREED_UNTIL},
        "agencies descend": {"agencies": list(good.agencies)[::-1]},
        "agency twice": {"agencies": [good.agencies[0], good.agencies[0]]},
        "foreign agency": {"agencies": [*good.agencies, agreement("gb", "vn").agencies[-1]]},
        "no class": {"agencies": [changed(good.agencies[0], agency_class=None)]},
        "clauses descend": {"clauses": list(good.clauses)[::-1]},
        "clause twice": {"clauses": [good.clauses[0], good.clauses[0]]},
        "foreign clause": {"clauses": [clause("gb", "vn", POLICE)]},
        "clause to oneself": {"clauses": [changed(clause("gb", "kh", POLICE), recipient=GB)]},
    }
    spoil_clause: dict[str, dict[str, Any]] = {
        "unknown type": {"alert_type": "exchange.v1.Nothing"},
        "control alert": {"alert_type": "exchange.v1.Withdrawal"},
        "no audience": {"audience": 0},
        "fields descend": {"permitted": [3, 2]},
        "field twice": {"permitted": [3, 3]},
        "field in two lists": {"required": [1], "permitted": [1], "on_request": []},
        "field zero": {"required": [0]},
        "field 65": {"on_request": [65]},
        "purposes descend": {"purposes": [PROSECUTION, PREVENTION]},
        "purpose unspecified": {"purposes": [0, PREVENTION]},
        "no purpose": {"purposes": []},
        "no onward rule": {"onward": 0},
        "condition unspecified": {"transfer_conditions": [0]},
        "conditions descend": {"transfer_conditions": [2, 1]},
        "no retention": {"maximum_retention_days": 0},
    }
    return {name: changed(good, **changes) for name, changes in spoil.items()} | {
        name: with_clause(good, POLICE_CLAUSE, **changes) for name, changes in spoil_clause.items()
    }


@pytest.mark.parametrize("wrong", malformed().values(), ids=malformed())
def test_an_agreement_has_one_form(wrong: agreement_pb2.Agreement) -> None:
    with refused(Malformed, "AGREEMENT_MALFORMED"):
        check_agreement(wrong)
    with refused(Malformed, "AGREEMENT_MALFORMED"):
        propose(wrong, key("gb", "agreement"))
    with refused(Malformed, "AGREEMENT_MALFORMED"):
        open_agreement(countersigned(wrong), [node("gb"), node("kh")])


def test_an_emergency_has_a_form_of_its_own() -> None:
    check_agreement(emergency())
    check_agreement(emergency(valid_until=NOW + 23 * HOUR))


@pytest.mark.parametrize(
    "wrong",
    [
        emergency(valid_until=NOW + 23 * HOUR + 1),
        emergency(emergency_ground=None),
        emergency(clauses=[]),
        emergency(clauses=[*emergency().clauses, changed(emergency().clauses[0], id="emergency-2")]),
        with_clause(emergency(), "emergency", purposes=[PREVENTION]),
        with_clause(emergency(), "emergency", purposes=[handling_pb2.PURPOSE_SAVE_LIFE, handling_pb2.PURPOSE_CHILD_SAFEGUARDING]),
        with_clause(emergency(), "emergency", on_request=[7]),
        emergency(emergency=False),
        agreement(emergency_ground=agreement_pb2.EMERGENCY_GROUND_RISK_TO_CHILD),
    ],
)
def test_an_emergency_is_no_wider_than_its_form(wrong: agreement_pb2.Agreement) -> None:
    with refused(Malformed, "AGREEMENT_MALFORMED"):
        check_agreement(wrong)
    with refused(Malformed, "AGREEMENT_MALFORMED"):
        open_agreement(countersigned(wrong), [node("gb"), node("kh")])


def test_a_field_of_a_later_profile_may_be_agreed() -> None:
    later = agreed(with_clause(agreement(), POLICE_CLAUSE, required=[1, 64], permitted=[], on_request=[]))
    decision = decide([later], request())
    assert isinstance(decision, Allowed)
    assert decision.fields == (1,)


# Deciding


def test_required_and_permitted_fields_go_and_no_others() -> None:
    in_force = agreed()
    decision = decide([in_force], request())
    assert isinstance(decision, Allowed)
    assert (decision.agreement, decision.clause.id) == (in_force.digest, POLICE_CLAUSE)
    assert decision.fields == tuple(sorted(FIELDS - ON_REQUEST))
    assert decision.on_request == ()


def test_a_border_desk_is_told_less() -> None:
    decision = decide([agreed()], request(agency=agency("kh", BORDER)))
    assert isinstance(decision, Allowed)
    assert set(decision.fields) == {1, 2, 3, 4, 5, 8, 11, 14, 17, 19, 23, 27, 30, 31, 33, 34}


def test_a_ground_opens_what_goes_on_request_only() -> None:
    decision = decide([agreed()], request(granted=frozenset({9, 12})))
    assert isinstance(decision, Allowed)
    assert set(decision.fields) == FIELDS - ON_REQUEST | {9, 12}
    assert decision.on_request == (9, 12)
    without = decide([agreed()], request(granted=frozenset({9, 12}), unticked=frozenset({9})))
    assert isinstance(without, Allowed)
    assert without.on_request == (12,)
    denied = decide_under(agreed(), POLICE_CLAUSE, request(granted=frozenset({2})))
    assert denied == Denied(reasons=("FIELD_NOT_ON_REQUEST",))


def test_a_permitted_field_may_be_unticked_and_a_required_one_not() -> None:
    decision = decide([agreed()], request(unticked=FIELDS - REQUIRED))
    assert isinstance(decision, Allowed)
    assert set(decision.fields) == REQUIRED
    denied = decide_under(agreed(), POLICE_CLAUSE, request(unticked=frozenset({30})))
    assert denied == Denied(reasons=("FIELD_REQUIRED",))


def test_a_required_field_that_was_told_before_need_not_go_again() -> None:
    decision = decide([agreed()], request(unticked=frozenset({30}), disclosed=frozenset({30})))
    assert isinstance(decision, Allowed)
    assert 30 not in decision.fields


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sender": domain("vn")}, "AGREEMENT_NONE"),
        ({"sender": KH, "recipient": GB}, "AUDIENCE_UNKNOWN"),
        ({"at": AGREED_FROM - 1}, "AGREEMENT_NOT_YET"),
        ({"at": AGREED_UNTIL}, "AGREEMENT_EXPIRED"),
        ({"alert_type": "exchange.v1.Tip"}, "CLAUSE_NONE"),
        ({"agency": "spiffe://kh.alerts.example/agency/other"}, "AUDIENCE_UNKNOWN"),
        ({"agency": agency("gb", POLICE)}, "AUDIENCE_UNKNOWN"),
        ({"purpose": PROSECUTION}, "PURPOSE_NOT_AGREED"),
        ({"purpose": 0}, "PURPOSE_NOT_AGREED"),
        ({"unticked": frozenset({1})}, "FIELD_REQUIRED"),
        ({"granted": frozenset({99})}, "FIELD_NOT_ON_REQUEST"),
    ],
)
def test_the_most_telling_reason_comes_first(changes: dict[str, Any], reason: str) -> None:
    denied = decide([agreed()], request(**changes))
    assert isinstance(denied, Denied)
    assert denied.reasons[0] == reason


def test_an_audience_without_a_clause_is_told_nothing() -> None:
    without = changed(agreement(), clauses=[clause("gb", "kh", BORDER)])
    assert decide([agreed(without)], request()) == Denied(reasons=("AUDIENCE_NOT_AGREED",))


def test_nothing_agreed_means_nobody() -> None:
    assert decide([], request()) == Denied(reasons=("AGREEMENT_NONE",))
    assert decide([agreed(changed(agreement(), clauses=[]))], request()) == Denied(reasons=("CLAUSE_NONE",))


@pytest.mark.parametrize(("at", "within"), [(AGREED_FROM, True), (AGREED_UNTIL - 1, True), (AGREED_UNTIL, False), (AGREED_FROM - 1, False)])
def test_an_agreement_is_in_force_up_to_its_end(at: int, within: bool) -> None:  # noqa: FBT001 - a parameter of the test
    assert isinstance(decide([agreed()], request(at=at)), Allowed) is within
    # A recipient overlooks the skew of clocks at both ends, and no more.
    assert isinstance(decide([agreed()], request(at=at, grace=CLOCK_SKEW_MS)), Allowed)


@pytest.mark.parametrize("at", [AGREED_FROM - CLOCK_SKEW_MS - 1, AGREED_UNTIL + CLOCK_SKEW_MS])
def test_grace_has_an_end(at: int) -> None:
    assert isinstance(decide([agreed()], request(at=at, grace=CLOCK_SKEW_MS)), Denied)


def test_of_several_clauses_the_newest_agreement_decides_then_the_lower_digest_then_the_lower_id() -> None:
    old, new = agreed(), agreed(changed(agreement(), valid_from=AGREED_FROM + 1))
    for order in ([old, new], [new, old]):
        decision = decide(order, request())
        assert isinstance(decision, Allowed)
        assert decision.agreement == new.digest
    twin = agreed(changed(agreement(), instrument="Another"))
    decision = decide([old, twin], request())
    assert isinstance(decision, Allowed)
    assert decision.agreement == min(old.digest, twin.digest)
    doubled = changed(agreement(), clauses=[clause("gb", "kh", POLICE, id="a"), clause("gb", "kh", POLICE, id="b")])
    decision = decide([agreed(doubled)], request())
    assert isinstance(decision, Allowed)
    assert decision.clause.id == "a"


def test_an_expired_agreement_does_not_hide_one_in_force() -> None:
    expired = agreed(changed(agreement(), valid_from=AGREED_FROM + 2, valid_until=NOW))
    decision = decide([expired, agreed()], request())
    assert isinstance(decision, Allowed)
    assert decision.agreement == agreed().digest


def test_an_entry_of_an_unknown_clause_is_not_agreed() -> None:
    entry = disclosure_pb2.Entry(clause="nothing", fields=[1], audience=[agency("kh", POLICE)], purpose=PREVENTION)
    parties = Parties(sender=domain("gb"), recipient=domain("kh"))
    denied = decide_entry(agreed(), entry, parties, alert_type(TRAVEL), NOW, disclosed=frozenset())
    assert denied == Denied(reasons=("CLAUSE_UNKNOWN",))


def test_what_is_alike_for_two_entries_is_decided_once_and_what_differs_each_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = decide([agreed()], request())
    assert isinstance(allowed, Allowed)
    entry = disclosure_pb2.Entry(
        agreement_digest=agreed().digest,
        clause=allowed.clause.id,
        fields=allowed.fields,
        audience=[agency("kh", POLICE)],
        purpose=PREVENTION,
    )
    others = [
        entry,
        changed(entry, manifest_digest=bytes(32), disclosed_at=NOW),  # nothing that a clause looks at
        changed(entry, clause="gb-kh-travelalert-border"),
        changed(entry, fields=allowed.fields[1:]),
        changed(entry, audience=[agency("kh", BORDER)]),
        changed(entry, purpose=handling_pb2.PURPOSE_PROSECUTION),
        changed(entry, on_request_ground=disclosure_pb2.ON_REQUEST_GROUND_RISK_TO_CHILD),
    ]
    parties = Parties(sender=domain("gb"), recipient=domain("kh"))
    kinds, held = [alert_type(TRAVEL), alert_type("exchange.v1.Tip")], [frozenset[int](), frozenset(allowed.fields)]
    asked = [(one, kind, disclosed) for one in others for kind in kinds for disclosed in held]
    expected = [decide_entry(agreed(), one, parties, kind, NOW, disclosed=disclosed) for one, kind, disclosed in asked]
    assert None in expected
    assert len({str(one) for one in expected}) > 3
    calls: list[object] = []

    def counted(*arguments: Any, **named: Any) -> Denied | None:
        calls.append(arguments)
        return decide_entry(*arguments, **named)

    monkeypatch.setattr("exchange.agreement.decide_entry", counted)
    decisions = EntryDecisions(parties, NOW)
    for _ in range(2):
        assert [decisions.decide(agreed(), one, kind, disclosed) for one, kind, disclosed in asked] == expected
    assert len(calls) == len(asked) - len(kinds) * len(held)
    assert decisions.decide(agreed(changed(agreement(), clauses=[])), entry, kinds[0], held[0]) == Denied(reasons=("CLAUSE_UNKNOWN",))


def test_a_recipient_decides_under_the_named_clause_only() -> None:
    assert decide_under(agreed(), POLICE_CLAUSE, request()) == decide([agreed()], request())
    assert decide_under(agreed(), "nothing", request()) == Denied(reasons=("CLAUSE_UNKNOWN",))
    assert decide_under(agreed(), "gb-kh-travelalert-border", request()) == Denied(reasons=("AUDIENCE_NOT_AGREED",))
    assert decide_under(agreed(), POLICE_CLAUSE, request(at=AGREED_UNTIL)) == Denied(reasons=("AGREEMENT_EXPIRED",))


def test_the_parties_of_an_agreement_have_key_windows_of_their_own() -> None:
    early = changed(agreement(), proposed_at=KEYS_FROM - 1)
    with refused(Unverified, "KEY_EARLY"):
        open_agreement(countersigned(early), [node("gb"), node("kh")])


def test_one_clause_is_decided_for_whoever_has_it() -> None:
    (clause_,) = (one for one in agreement().clauses if one.id == "gb-kh-travelalert-border")
    terms = terms_of(changed(clause_, required=None, permitted=[1], on_request=None))
    wanted = Request(
        sender=domain("gb"),
        recipient=domain("kh"),
        agency=agency("kh", BORDER),
        alert_type=TRAVEL,
        purpose=PREVENTION,
        fields=frozenset({1, 2}),
        at=NOW,
    )
    decision = decide_clause(terms, wanted, BORDER, bytes(32))
    assert isinstance(decision, Allowed)
    assert (decision.fields, decision.agreement) == ((1,), bytes(32))
    assert decide_clause(terms, wanted, None, b"") == "AUDIENCE_UNKNOWN"
    assert decide_clause(terms, wanted, POLICE, b"") == "AUDIENCE_NOT_AGREED"
    assert decide_clause(terms, replace(wanted, unticked=frozenset({1})), BORDER, b"") == "FIELDS_NONE"
    assert telling({"CLAUSE_NONE", "FIELDS_NONE"}) == ("FIELDS_NONE", "CLAUSE_NONE")
