"""For any alert and any agreement: what the recipient sees is what the preview said, and nothing that was not agreed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import itemgetter
from typing import TypeVar

import pytest
from google.protobuf.message import Message
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from protovalidate import collect_violations

from exchange.agreement import Agreed, Allowed, Denied, Request, decide, decide_under
from exchange.disclosure import joined_view, open_delivery
from exchange.encoding import cut, decode, encode
from exchange.errors import ExchangeError, Malformed
from exchange.handling import combine
from exchange.manifest import Sealed, decode_manifest
from exchange.profile import AlertType, alert_types
from exchange.v1 import agreement_pb2, disclosure_pb2, handling_pb2
from tests.builders import Memory, delivery, handling, openings, recipient, sealed
from tests.countries import AUDIENCES, DISCLOSED, NOW, agency, agreed, agreement, changed, domain
from tests.refusals import refused
from tests.strategies import alerts, clauses, handlings, kinds, ordinary_kinds, purposes

pytestmark = pytest.mark.thorough

T = TypeVar("T")

# Whole exchanges take milliseconds each; what matters is the shape of each case, not how many there are.
some = settings(max_examples=60, deadline=None)
many = settings(max_examples=150, deadline=None)
AGENCIES = [agency("kh", agency_class) for agency_class in AUDIENCES]
CAP = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """gb wants to tell one agency in kh of an alert, under whatever they agreed."""

    kind: AlertType
    alert: Message
    in_force: Sequence[Agreed]
    request: Request

    @property
    def sealed(self) -> Sealed:
        return sealed(self.alert, handling=changed(handling(), permitted_purposes=[self.request.purpose]))

    def entry(self, allowed: Allowed, fields: Sequence[int] | None = None) -> disclosure_pb2.Entry:
        investigation, none = disclosure_pb2.ON_REQUEST_GROUND_INVESTIGATION, disclosure_pb2.ON_REQUEST_GROUND_UNSPECIFIED
        return disclosure_pb2.Entry(
            manifest_digest=self.sealed.digest,
            fields=allowed.fields if fields is None else fields,
            audience=[self.request.agency],
            agreement_digest=allowed.agreement,
            clause=allowed.clause.id,
            purpose=handling_pb2.Purpose.ValueType(self.request.purpose),
            on_request_ground=investigation if self.request.granted else none,
            disclosed_at=DISCLOSED,
            authorisation=bytes(32),
        )

    def opened(self, delivered: disclosure_pb2.Delivery) -> bytes:
        known = recipient(agreements={one.digest: one for one in self.in_force})
        return open_delivery(delivered, known, Memory()).view


@st.composite
def agreements(draw: st.DrawFn, kind: AlertType, *, least: int) -> list[Agreed]:
    """At most two agreements of a few clauses about this type of alert, at least `least`, with at least as many clauses towards kh."""
    found = []
    for number in range(draw(st.integers(least, 2))):
        drawn = draw(st.lists(clauses(kind, domain("gb"), domain("kh")), min_size=least, max_size=3))
        reverse = draw(st.lists(clauses(kind, domain("kh"), domain("gb")), max_size=1))
        named = [changed(clause, id=f"clause-{place}") for place, clause in enumerate([*drawn, *reverse])]
        found.append(agreed(agreement(clauses=named, instrument=f"Agreement {number}")))
    return found


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Any request: most are denied."""
    kind = draw(ordinary_kinds)
    return Case(
        kind=kind,
        alert=draw(alerts(kind)),
        in_force=draw(agreements(kind, least=0)),
        request=Request(
            sender=domain("gb"),
            recipient=domain("kh"),
            agency=draw(st.sampled_from(AGENCIES)),
            alert_type=kind.name,
            purpose=draw(purposes),
            fields=frozenset(kind.numbers),
            at=NOW,
            unticked=frozenset(draw(st.sets(st.sampled_from(kind.numbers), max_size=3))),
            granted=frozenset(draw(st.sets(st.sampled_from(kind.numbers), max_size=2))),
        ),
    )


@st.composite
def allowed_cases(draw: st.DrawFn) -> tuple[Case, Allowed]:
    """Requests that keep to one of the clauses, with what was decided."""
    kind = draw(ordinary_kinds)
    in_force = draw(agreements(kind, least=1))
    clause = draw(st.sampled_from([c for one in in_force for c in one.agreement.clauses if c.recipient == domain("kh")]))
    on_request = list(clause.on_request)
    request = Request(
        sender=domain("gb"),
        recipient=domain("kh"),
        agency=agency("kh", clause.audience),
        alert_type=kind.name,
        purpose=draw(st.sampled_from(list(clause.purposes))),
        fields=frozenset(kind.numbers),
        at=NOW,
        unticked=frozenset(draw(st.sets(st.sampled_from([*clause.permitted, *on_request]), max_size=3)) if clause.permitted else []),
        granted=frozenset(draw(st.sets(st.sampled_from(on_request), max_size=3)) if on_request else []),
    )
    decision = decide(in_force, request)
    assume(not isinstance(decision, Denied) or "FIELDS_NONE" not in decision.reasons)
    assert isinstance(decision, Allowed)
    return Case(kind=kind, alert=draw(alerts(kind)), in_force=in_force, request=request), decision


@given(allowed_cases())
@some
def test_what_the_recipient_sees_is_what_the_preview_said(drawn: tuple[Case, Allowed]) -> None:
    case, decision = drawn
    made = case.sealed
    preview = joined_view(made.openings[number] for number in decision.fields)

    assert case.opened(delivery(made, case.entry(decision))) == preview

    clause = decision.clause
    agreed_upon = set(clause.required) | set(clause.permitted) | (set(clause.on_request) & case.request.granted)
    shown = decode(case.kind.message, preview, CAP)
    assert {field.number for field, _ in shown.ListFields()} <= set(decision.fields) <= agreed_upon
    hidden = {field.name: None for field in case.kind.fields if field.number not in decision.fields}
    assert shown == changed(case.alert, **hidden)


@given(allowed_cases(), st.data())
@some
def test_nothing_else_can_be_opened(drawn: tuple[Case, Allowed], data: st.DataObject) -> None:
    case, decision = drawn
    made, fields = case.sealed, list(decision.fields)
    assume(len(fields) < len(case.kind.numbers))
    smuggled = data.draw(st.sampled_from([number for number in case.kind.numbers if number not in fields]))
    more = sorted([*fields, smuggled])

    good = delivery(made, case.entry(decision))
    with refused(Malformed, "OPENINGS_MISMATCH"):  # beside what was logged
        case.opened(changed(good, openings=openings(made, more)))
    clause = decision.clause
    on_request_with_ground = smuggled in clause.on_request and case.request.granted
    if smuggled in {*clause.permitted, *clause.required} or on_request_with_ground:
        return  # the sender left out what it might have told
    with pytest.raises(ExchangeError) as error:  # logged, but not agreed
        case.opened(delivery(made, case.entry(decision, more)))
    assert error.value.code == "NOT_AGREED"


@given(allowed_cases())
@some
def test_what_is_required_cannot_be_left_out(drawn: tuple[Case, Allowed]) -> None:
    case, decision = drawn
    assume(len(decision.fields) > 1)
    for required in set(decision.clause.required) & set(case.kind.numbers):
        rest = [number for number in decision.fields if number != required]
        with pytest.raises(ExchangeError) as error:
            case.opened(delivery(case.sealed, case.entry(decision, rest)))
        assert error.value.code == "REQUIRED_MISSING"


@given(cases() | allowed_cases().map(itemgetter(0)))
@many
def test_preview_release_and_recipient_decide_alike(case: Case) -> None:
    decision = decide(case.in_force, case.request)
    under = [decide_under(one, clause.id, case.request) for one in case.in_force for clause in one.agreement.clauses]
    if isinstance(decision, Denied):
        assert all(isinstance(one, Denied) for one in under)
        # A clause of another route says nothing by itself.
        told = {reason for one in under if isinstance(one, Denied) for reason in one.reasons} - {"CLAUSE_NONE"}
        assert set(decision.reasons) - {"CLAUSE_NONE", "AGREEMENT_NONE"} == told
        return
    assert decision in under
    (named,) = [one for one in case.in_force if one.digest == decision.agreement]
    # The recipient asks about exactly the fields that came.
    asked = replace(
        case.request,
        unticked=frozenset(case.kind.numbers) - set(decision.fields),
        granted=frozenset(decision.fields) & set(decision.clause.on_request),
    )
    assert decide_under(named, decision.clause.id, asked) == decision


@given(cases())
@some
def test_no_clause_reaches_nobody(case: Case) -> None:
    assert decide([], case.request) == Denied(reasons=("AGREEMENT_NONE",))
    elsewhere = replace(case.request, agency=agency("gb", next(iter(AUDIENCES))))
    assert isinstance(decide(case.in_force, elsewhere), Denied)
    assert isinstance(decide(case.in_force, replace(case.request, recipient=domain("vn"))), Denied)
    whole = sealed(case.alert)
    for number in case.kind.numbers:
        alone = Allowed(agreement=bytes(32), clause=agreement_pb2.Clause(id="none"), fields=(number,), on_request=())
        entry = changed(case.entry(alone), manifest_digest=whole.digest)
        with pytest.raises(ExchangeError) as error:
            case.opened(delivery(whole, entry))
        assert error.value.code == "NOT_AGREED"


# Handling


def looser(one: handling_pb2.Handling, other: handling_pb2.Handling) -> bool:
    """Whether `one` allows something that `other`, read strictly, does not."""
    limit, others = one.retention_days or 10**6, other.retention_days or 10**6
    unknown = {4711: 1, 0: 1}
    return (
        bool(set(other.codes) - set(one.codes) - {handling_pb2.HANDLING_CODE_H0})
        or bool(set(one.permitted_purposes) - set(other.permitted_purposes))
        or one.judicial_use > unknown.get(other.judicial_use, other.judicial_use)
        or one.onward > unknown.get(other.onward, other.onward)
        or limit > others
        or (other.confirm_before_coercive_action and not one.confirm_before_coercive_action)
    )


@given(handlings(), handlings(), handlings())
@many
def test_combining_only_tightens_in_whatever_order(a: handling_pb2.Handling, b: handling_pb2.Handling, c: handling_pb2.Handling) -> None:
    together = combine(a, b, c)
    assert combine(c, a, b) == combine(b, a, c) == together
    assert combine(combine(a, b), c) == combine(a, combine(b, c)) == together
    assert combine(together, together) == combine(together) == combine(together, a) == together
    for one in (a, b, c):
        assert not looser(together, one)


def test_looser_is_noticed() -> None:
    loose = handling_pb2.Handling(permitted_purposes=[1, 2], judicial_use=3, onward=2)  # type: ignore[list-item, arg-type]
    tight = reduce(combine, [loose, handling_pb2.Handling(codes=[2], permitted_purposes=[1], retention_days=1)])  # type: ignore[list-item]
    assert looser(loose, tight)
    assert not looser(tight, loose)


# Encoding


def tried(read: Callable[[], T]) -> T | Malformed:
    try:
        return read()
    except Malformed as error:
        return error


@given(kinds.flatmap(alerts))
@many
def test_alerts_keep_their_rules_and_survive_the_way(alert: Message) -> None:
    assert not collect_violations(alert)
    data = encode(alert)
    assert encode(decode(type(alert), data, CAP)) == data
    runs = cut(data)
    assert b"".join(runs.values()) == data
    assert list(runs) == sorted(field.number for field, _ in alert.ListFields())
    for number, run in runs.items():
        assert [field.number for field, _ in type(alert).FromString(run).ListFields()] == [number]


@given(kinds.flatmap(alerts), st.data())
@many
def test_a_changed_byte_is_refused_or_means_something_else(alert: Message, data: st.DataObject) -> None:
    good = encode(alert)
    assume(good)
    at = data.draw(st.integers(0, len(good) - 1))
    wrong = bytes([*good[:at], good[at] ^ data.draw(st.integers(1, 255)), *good[at + 1 :]])
    decoded = tried(lambda: decode(type(alert), wrong, CAP))
    if isinstance(decoded, Malformed):
        assert decoded.code in {"NOT_PROTOBUF", "NOT_CANONICAL"}
    else:
        assert decoded != alert
        assert encode(decoded) == wrong


@given(kinds, st.binary(max_size=200))
@many
def test_junk_is_refused_or_is_the_one_encoding(kind: AlertType, junk: bytes) -> None:
    decoded = tried(lambda: decode(kind.message, junk, CAP))
    if not isinstance(decoded, Malformed):
        assert encode(decoded) == junk
        assert b"".join(cut(junk).values()) == junk


@given(st.binary(max_size=100))
@many
def test_cut_says_malformed_or_gives_all_back(junk: bytes) -> None:
    runs = tried(lambda: cut(junk))
    if isinstance(runs, Malformed):
        assert runs.code == "NOT_CANONICAL"
    else:
        assert b"".join(runs.values()) == junk
        assert list(runs) == sorted(runs)


@given(st.sampled_from(sorted(alert_types())), st.integers(0, 2**16), st.integers(1, 255))
@many
def test_a_manifest_with_a_changed_byte_is_refused_or_another(name: str, place: int, change: int) -> None:
    made = sealed(alert_types()[name].message())
    good = made.statement.payload
    at = place % len(good)
    wrong = bytes([*good[:at], good[at] ^ change, *good[at + 1 :]])
    other = tried(lambda: decode_manifest(wrong))
    assert isinstance(other, Malformed) or other != made.manifest
