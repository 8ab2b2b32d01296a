import hashlib
from dataclasses import replace
from typing import Any

import pytest

from exchange.disclosure import (
    check_entry,
    commit_authorisation,
    encode_entry,
    exception_code,
    joined_view,
    open_delivery,
)
from exchange.encoding import CAP_DELIVERY, CAP_ENTRY, decode, encode
from exchange.errors import Conflict, ExchangeError, Malformed, Refused, Unverified
from exchange.recipient import Held
from exchange.v1 import control_pb2, disclosure_pb2, handling_pb2, receipt_pb2
from exchange.values import CLOCK_SKEW_MS
from tests.builders import (
    Memory,
    alert,
    control_entry,
    delivery,
    entry,
    handling,
    permit,
    recipient,
    sealed,
    signed_permit,
    withdrawal,
    world,
)
from tests.countries import (
    AGREED_UNTIL,
    BORDER,
    DAY,
    NOW,
    POLICE,
    TRAVEL,
    agency,
    agreed,
    agreement,
    changed,
    clause,
    domain,
    emergency,
    key,
    node_id,
    with_clause,
)
from tests.refusals import refused

POLICE_CLAUSE = "gb-kh-travelalert-police"
BORDER_FIELDS = {1, 2, 3, 4, 5, 8, 11, 14, 17, 19, 23, 27, 30, 31, 33, 34}


# Entries


def test_the_authorisation_is_committed_to_as_the_page_says() -> None:
    salt, record = b"S" * 32, b"record of the release"
    by_hand = b"alert-exchange/v1 authorisation\x00" + salt + b"\x00\x00\x00\x15" + record
    assert commit_authorisation(salt, record) == hashlib.sha256(by_hand).digest()


def test_an_entry_is_encoded_as_it_is() -> None:
    wanted = world().entry
    assert encode_entry(wanted, domain("kh")) == encode(wanted)
    assert decode(disclosure_pb2.Entry, encode(wanted), CAP_ENTRY) == wanted


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"manifest_digest": bytes(31)}, "ENTRY_MALFORMED"),
        ({"authorisation": b""}, "ENTRY_MALFORMED"),
        ({"fields": None}, "ENTRY_MALFORMED"),
        ({"fields": [2, 1]}, "ENTRY_MALFORMED"),
        ({"fields": [1, 1]}, "ENTRY_MALFORMED"),
        ({"fields": [0, 1]}, "ENTRY_MALFORMED"),
        ({"fields": [64, 65]}, "ENTRY_MALFORMED"),
        ({"audience": None}, "ENTRY_MALFORMED"),
        ({"audience": [agency("kh", POLICE), agency("kh", POLICE)]}, "ENTRY_MALFORMED"),
        ({"audience": sorted([agency("kh", POLICE), agency("kh", BORDER)], reverse=True)}, "ENTRY_MALFORMED"),
        ({"audience": [agency("gb", POLICE)]}, "ENTRY_MALFORMED"),
        ({"audience": [node_id("kh")]}, "ENTRY_MALFORMED"),
        ({"audience": ["police"]}, "PARTY_MALFORMED"),
        ({"agreement_digest": bytes(31)}, "ENTRY_MALFORMED"),
        ({"agreement_digest": None}, "ENTRY_MALFORMED"),
        ({"clause": None}, "ENTRY_MALFORMED"),
        ({"thread": bytes(1)}, "ENTRY_MALFORMED"),
        ({"in_reply_to": bytes(33)}, "ENTRY_MALFORMED"),
        ({"permit_digest": bytes(1)}, "ENTRY_MALFORMED"),
        ({"request_digest": bytes(1)}, "ENTRY_MALFORMED"),
        ({"request_digest": bytes(32)}, "ENTRY_MALFORMED"),
        ({"disclosed_at": 0}, "ENTRY_MALFORMED"),
        ({"disclosed_at": -1}, "ENTRY_MALFORMED"),
        ({"stricter": handling_pb2.Handling(codes=[0])}, "HANDLING_MALFORMED"),  # type: ignore[list-item]
        ({"succession": bytes(32)}, "ENTRY_MALFORMED"),
        ({"clause": "x" * CAP_ENTRY}, "TOO_LARGE"),
    ],
)
def test_an_entry_has_one_form(changes: dict[str, Any], code: str) -> None:
    with refused(Malformed, code):
        encode_entry(changed(world().entry, **changes), domain("kh"))


def test_all_that_an_entry_may_say_besides() -> None:
    more = changed(
        world().entry,
        fields=[1, 64],
        audience=sorted([agency("kh", POLICE), agency("kh", BORDER)]),
        thread=bytes(32),
        in_reply_to=bytes(32),
        permit_digest=bytes(32),
        request_digest=bytes(32),
        on_request_ground=disclosure_pb2.ON_REQUEST_GROUND_RECIPIENT_ASKED,
        stricter=handling(),
    )
    assert encode_entry(more, domain("kh")) == encode(more)


def test_an_entry_that_names_a_succession_holds_nothing_else() -> None:
    check_entry(disclosure_pb2.Entry(succession=bytes(32)), domain("kh"))
    for wrong in (disclosure_pb2.Entry(succession=bytes(31)), disclosure_pb2.Entry(succession=bytes(32), disclosed_at=1)):
        with refused(Malformed, "ENTRY_MALFORMED"):
            check_entry(wrong, domain("kh"))


# Deliveries


def test_the_recipient_sees_the_joined_openings_and_nothing_else() -> None:
    good = world()
    opened = open_delivery(good.delivery, recipient(), Memory())
    fields = list(good.entry.fields)
    assert opened.openings == tuple(good.sealed.openings[number] for number in fields)
    assert opened.view == joined_view(opened.openings) == encode(opened.alert)
    source = alert()
    hidden = {field.name: None for field in source.DESCRIPTOR.fields if field.number not in fields}
    assert opened.alert == changed(source, **hidden) != source
    assert (opened.entry, opened.kind.name, opened.clause) == (good.entry, TRAVEL, clause("gb", "kh", POLICE))
    assert (opened.manifest.value, opened.manifest.digest) == (good.sealed.manifest, good.sealed.digest)


def test_what_is_not_known_is_told_apart_from_what_is_not_disclosed() -> None:
    opened = open_delivery(world().delivery, recipient(), Memory())
    absent = {opening.field for opening in opened.openings if not opening.fragment}
    assert absent
    assert absent.isdisjoint(field.number for field, _ in opened.alert.ListFields())


def test_one_manifest_serves_every_recipient() -> None:
    good = world()
    desk = open_delivery(delivery(good.sealed, entry(good.sealed, agency_class=BORDER)), recipient(), Memory())
    assert desk.manifest.value == good.sealed.manifest
    assert {opening.field for opening in desk.openings} == BORDER_FIELDS


def test_the_strictest_of_manifest_clause_and_entry_is_in_force() -> None:
    made = sealed()
    plain = open_delivery(delivery(made, entry(made)), recipient(), Memory()).handling
    assert plain == handling()
    short = agreed(with_clause(agreement(), POLICE_CLAUSE, maximum_retention_days=30, onward=handling_pb2.ONWARD_RULE_NONE))
    stricter = changed(handling(), confirm_before_coercive_action=True, permitted_purposes=[handling_pb2.PURPOSE_PREVENTION])
    opened = open_delivery(delivery(made, entry(made, short, stricter=stricter)), recipient(agreements={short.digest: short}), Memory())
    assert opened.handling == changed(stricter, retention_days=30, onward=handling_pb2.ONWARD_RULE_NONE)


def test_more_fields_merge_and_the_same_again_adds_an_audience() -> None:
    good, memory = world(), Memory()
    desk = entry(good.sealed, agency_class=BORDER)
    memory.hold(good.sealed, desk.fields)
    rest = [number for number in good.entry.fields if number not in set(desk.fields)]
    assert open_delivery(delivery(good.sealed, changed(good.entry, fields=rest)), recipient(), memory).openings
    with refused(Refused, "REQUIRED_MISSING"):
        open_delivery(delivery(good.sealed, changed(good.entry, fields=rest)), recipient(), Memory())
    memory.hold(good.sealed, rest)
    assert open_delivery(delivery(good.sealed, desk), recipient(), memory).openings


def test_what_is_on_request_needs_a_ground() -> None:
    made = sealed()
    asked = entry(made, fields=sorted([*entry(made).fields, 9, 12]))
    with refused(Refused, "NOT_AGREED"):
        open_delivery(delivery(made, asked), recipient(), Memory())
    grounded = changed(asked, on_request_ground=disclosure_pb2.ON_REQUEST_GROUND_IDENTIFICATION)
    assert open_delivery(delivery(made, grounded), recipient(), Memory()).openings[7].field == 9


def test_an_agreement_for_an_emergency_is_for_one_alert() -> None:
    upon = agreed(emergency())
    made = sealed(handling=handling(permitted_purposes=[handling_pb2.PURPOSE_SAVE_LIFE]))
    told = entry(
        made,
        fields=[1, 3, 11, 30, 33],
        audience=[agency("kh", POLICE)],
        agreement_digest=upon.digest,
        clause="emergency",
        purpose=handling_pb2.PURPOSE_SAVE_LIFE,
    )
    to, memory = recipient(agreements={upon.digest: upon}), Memory()
    assert open_delivery(delivery(made, told), to, memory).clause == upon.clauses["emergency"]
    memory.under[upon.digest] = frozenset({made.digest})
    assert open_delivery(delivery(made, told), to, memory).openings
    memory.under[upon.digest] = frozenset({bytes(32)})
    with refused(Refused, "NOT_AGREED"):
        open_delivery(delivery(made, told), to, memory)


def test_a_clause_is_judged_at_arrival_with_the_skew_of_clocks() -> None:
    long = sealed(not_after=AGREED_UNTIL + DAY)
    last = delivery(long, entry(long))
    assert open_delivery(last, recipient(now=AGREED_UNTIL + CLOCK_SKEW_MS - 1), Memory())
    with refused(Refused, "NOT_AGREED"):
        open_delivery(last, recipient(now=AGREED_UNTIL + CLOCK_SKEW_MS), Memory())


def test_an_alert_may_arrive_until_it_has_expired_by_the_skew() -> None:
    made = sealed(not_after=NOW)
    assert open_delivery(delivery(made, entry(made)), recipient(now=NOW + CLOCK_SKEW_MS - 1), Memory())
    with refused(Refused, "EXPIRED"):
        open_delivery(delivery(made, entry(made)), recipient(now=NOW + CLOCK_SKEW_MS), Memory())


def test_times_may_lie_ahead_by_the_skew() -> None:
    made = sealed(issued_at=NOW + CLOCK_SKEW_MS)
    assert open_delivery(delivery(made, entry(made)), recipient(), Memory())
    late = entry(sealed(), disclosed_at=NOW + CLOCK_SKEW_MS)
    assert open_delivery(delivery(sealed(), late), recipient(), Memory())
    with refused(Refused, "FROM_THE_FUTURE"):
        open_delivery(delivery(sealed(), changed(late, disclosed_at=NOW + CLOCK_SKEW_MS + 1)), recipient(), Memory())
    ahead = sealed(issued_at=NOW + CLOCK_SKEW_MS + 1)
    with refused(Refused, "FROM_THE_FUTURE"):
        open_delivery(delivery(ahead, entry(ahead)), recipient(), Memory())


def test_training_alerts_reach_training_nodes() -> None:
    made = sealed(training=True)
    assert open_delivery(delivery(made, entry(made)), recipient(training=True), Memory())
    with refused(Refused, "TRAINING_MISMATCH"):
        open_delivery(delivery(made, entry(made)), recipient(), Memory())
    with refused(Refused, "TRAINING_MISMATCH"):
        open_delivery(world().delivery, recipient(training=True), Memory())


@pytest.mark.parametrize("code", [code for code in disclosure_pb2.WithheldCode.values() if code])
def test_a_withheld_delivery_is_its_entry_alone(code: int) -> None:
    withheld = disclosure_pb2.Delivery(entry=world().delivery.entry, withheld=disclosure_pb2.WithheldCode.ValueType(code))
    with refused(Refused, "WITHHELD"):
        open_delivery(withheld, recipient(), Memory())
    for content in ({"manifest": world().sealed.statement}, {"openings": world().delivery.openings}):
        with refused(Malformed, "DELIVERY_MALFORMED"):
            open_delivery(changed(withheld, **content), recipient(), Memory())


def test_a_delivery_has_a_size_limit() -> None:
    padded = changed(world().delivery, attached=[changed(world().sealed.statement, payload=bytes(CAP_DELIVERY))])
    with refused(Malformed, "DELIVERY_MALFORMED"):
        open_delivery(padded, recipient(), Memory())


# Successors


def test_a_successor_that_supersedes_all_earlier_ones_is_taken() -> None:
    memory = Memory()
    first = sealed(counter=1)
    second = sealed(counter=2, supersedes=[first.digest])
    third = sealed(counter=3, supersedes=[first.digest, second.digest])
    for made in (first, second, third):
        assert open_delivery(delivery(made, entry(made)), recipient(), memory)
        memory.hold(made, entry(made).fields)
    assert open_delivery(delivery(second, entry(second)), recipient(), memory), "the earlier successor, late or again"


def test_two_successors_of_which_neither_supersedes_the_other_conflict() -> None:
    memory = Memory()
    first = sealed(counter=1)
    memory.hold(sealed(counter=2, supersedes=[first.digest]), [1])
    rival = sealed(counter=3, supersedes=[first.digest])
    with refused(Conflict, "CONFLICT"):
        open_delivery(delivery(rival, entry(rival)), recipient(), memory)
    other_originator = Held(digest=bytes(32), originator=agency("gb", BORDER), supersedes=frozenset({first.digest}))
    memory.successors[first.digest] = (other_originator,)
    assert open_delivery(delivery(rival, entry(rival)), recipient(), memory)


def test_the_same_alert_under_another_manifest_conflicts() -> None:
    memory = Memory()
    memory.hold(sealed(), [1])
    other = sealed(training=False, not_after=NOW + DAY)
    assert other.manifest.alert_id == sealed().manifest.alert_id
    with refused(Conflict, "CONFLICT"):
        open_delivery(delivery(other, entry(other)), recipient(), memory)


# Control alerts


def held(made_by: str = "") -> Memory:
    memory = Memory()
    memory.hold(world().sealed, [1])
    if made_by:
        memory.referents[world().sealed.digest] = made_by
    return memory


@pytest.mark.parametrize("originator", ["agency", "node"])
def test_a_recall_needs_no_agreement(originator: str) -> None:
    about = world().sealed.digest
    signer = key("gb", "nca-ceop" if originator == "agency" else "node")
    party = agency("gb", POLICE) if originator == "agency" else node_id("gb")
    recall = sealed(withdrawal(about), counter=5, originator=party, signer=signer)
    opened = open_delivery(delivery(recall, control_entry(recall, about)), recipient(agreements={}), held())
    assert opened.clause is None
    assert opened.alert == withdrawal(about)
    assert opened.handling.retention_days == 180


def test_a_recall_binds_only_from_the_originator_or_its_node() -> None:
    about = world().sealed.digest
    by_border = sealed(withdrawal(about), counter=5, originator=agency("gb", BORDER), signer=key("gb", "border-force"))
    with refused(Refused, "NOT_AGREED"):
        open_delivery(delivery(by_border, control_entry(by_border, about)), recipient(), held())
    refusal = control_pb2.Refusal(manifest_digest=about, reason=control_pb2.REFUSAL_REASON_NOT_NECESSARY)
    answer = sealed(refusal, counter=6)
    assert open_delivery(delivery(answer, control_entry(answer, about)), recipient(), held(agency("kh", POLICE)))


@pytest.mark.parametrize(
    "changes",
    [
        {"in_reply_to": bytes(32)},
        {"in_reply_to": None},
        {"fields": [1, 2]},
        {"agreement_digest": bytes(32), "clause": "any"},
    ],
)
def test_a_control_alert_goes_whole_and_names_what_it_is_about(changes: dict[str, Any]) -> None:
    about = world().sealed.digest
    recall = sealed(withdrawal(about), counter=5)
    with refused(Refused, "NOT_AGREED"):
        open_delivery(delivery(recall, control_entry(recall, about, **changes)), recipient(), held())


def test_a_control_alert_about_nothing_that_was_disclosed_is_refused() -> None:
    recall = sealed(withdrawal(bytes(32)), counter=5)
    with refused(Refused, "NOT_AGREED"):
        open_delivery(delivery(recall, control_entry(recall, bytes(32))), recipient(), held())


# Passing on


def passed_on(**changes: Any) -> disclosure_pb2.Delivery:
    """kh passes gb's alert on to vn's police."""
    made = sealed()
    in_force = agreed(one="kh", other="vn")
    statement = signed_permit(changed(permit(made, "kh", "vn", entry(made).fields), **changes))
    wanted = entry(
        made,
        audience=[agency("vn", POLICE)],
        agreement_digest=in_force.digest,
        clause="kh-vn-travelalert-police",
        permit_digest=hashlib.sha256(b"DSSEv1 49 %b %d %b" % (statement.type.encode(), len(statement.payload), statement.payload)).digest(),
    )
    return delivery(made, wanted, recipient="vn", attached=[world().sealed.statement, statement])


def test_a_permit_of_a_pinned_originator_admits_what_is_passed_on() -> None:
    opened = open_delivery(passed_on(), recipient("vn", "kh"), Memory())
    assert opened.manifest.value.originator == agency("gb", POLICE)


@pytest.mark.parametrize("changes", [{"fields": [1, 2]}, {"purpose": handling_pb2.PURPOSE_BORDER_CONTROL}, {"expires_at": NOW}])
def test_a_permit_admits_no_more_than_it_says(changes: dict[str, Any]) -> None:
    with refused(Refused, "NOT_THE_ORIGINATOR"):
        open_delivery(passed_on(**changes), recipient("vn", "kh"), Memory())


def test_who_does_not_pin_the_originator_refuses() -> None:
    stranger = recipient("vn", "kh")
    without = {name: known for name, known in stranger.nodes.items() if name != domain("gb")}
    with refused(Unverified, "MANIFEST_UNVERIFIED"):
        open_delivery(passed_on(), replace(stranger, nodes=without), Memory())


# Exceptions


def test_every_exception_of_the_receipt_has_its_error() -> None:
    for name, number in receipt_pb2.ExceptionCode.items():
        if number:
            assert exception_code(ExchangeError(name.removeprefix("EXCEPTION_CODE_"))) == number


def test_an_alert_that_breaks_its_schema_is_refused() -> None:
    content = alert()
    content.birth.date = "1 January 1961"
    made = sealed(content)
    with refused(Malformed, "SCHEMA"):
        open_delivery(delivery(made, entry(made)), recipient(), Memory())
