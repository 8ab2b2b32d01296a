"""Attacks on what was agreed: clauses, audiences, purposes, times, control alerts, conflicts. All of it is correctly signed and logged."""

from typing import Any

import pytest

from exchange.agreement import Agreed
from exchange.disclosure import Disclosure
from exchange.recipient import Held, Recipient
from exchange.v1 import agreement_pb2, disclosure_pb2, handling_pb2
from exchange.values import CLOCK_SKEW_MS
from tests.attacks import attack, deliver, with_entry
from tests.builders import Memory, alert, control_entry, delivery, entry, handling, recipient, sealed, withdrawal, world
from tests.countries import (
    BORDER,
    ISSUED,
    NGO,
    NOW,
    POLICE,
    agency,
    agency_name,
    agreed,
    agreement,
    clause,
    key,
    node_id,
    with_clause,
)

CLAUSE = world().entry.clause
FIELDS = tuple(world().entry.fields)
ON_REQUEST, REQUIRED = 9, 1
"""Of the clause for the police: a register number, and the primary name."""


def under(agreed_upon: Agreed, **changes: Any) -> Disclosure:
    """Deliver under another agreement, which both sides signed and the recipient holds."""
    told = entry(world().sealed, **{"agreement_digest": agreed_upon.digest} | changes)
    return deliver(delivery(world().sealed, told), recipient(agreements={agreed_upon.digest: agreed_upon}))


def told(**changes: Any) -> Disclosure:
    """Deliver the good alert under another entry."""
    return deliver(with_entry(entry(world().sealed, **changes)))


def tell(to: Recipient | None = None, holdings: Memory | None = None, **changes: Any) -> Disclosure:
    """Deliver another alert: changes are those of its envelope."""
    other = sealed(**changes)
    return deliver(delivery(other, entry(other)), to, holdings)


def test_without_an_attack_each_is_accepted() -> None:
    with_ground = {"fields": sorted([*FIELDS, ON_REQUEST]), "on_request_ground": disclosure_pb2.ON_REQUEST_GROUND_INVESTIGATION}
    assert under(agreed(agreement(instrument="Another"))).clause
    assert told(**with_ground).openings
    assert tell(not_after=NOW + 1).view == tell(training=True, to=recipient(training=True)).view
    assert clause("gb", "kh", POLICE).id == CLAUSE
    assert ON_REQUEST in clause("gb", "kh", POLICE).on_request
    assert REQUIRED in clause("gb", "kh", POLICE).required


# Agreements and clauses, check D8


@pytest.mark.rule("D8")
@attack("agreement", "NOT_AGREED")
def test_an_agreement_is_unknown_or_was_never_countersigned() -> None:
    told(agreement_digest=bytes(32))


@pytest.mark.rule("D8")
@attack("agreement", "NOT_AGREED")
def test_an_ordinary_alert_goes_without_an_agreement() -> None:
    told(agreement_digest=b"", clause="")


@pytest.mark.rule("D8")
@attack("agreement", "NOT_AGREED", because="AGREEMENT_EXPIRED")
def test_an_agreement_has_expired() -> None:
    under(agreed(agreement(valid_until=NOW - CLOCK_SKEW_MS)))


@pytest.mark.rule("D8")
@attack("agreement", "NOT_AGREED", because="AGREEMENT_NOT_YET")
def test_an_agreement_is_not_yet_in_force() -> None:
    under(agreed(agreement(valid_from=NOW + CLOCK_SKEW_MS + 1)))


@pytest.mark.rule("D8")
@attack("agreement", "NOT_AGREED", because="AGREEMENT_NONE")
def test_an_agreement_is_with_another_country() -> None:
    under(agreed(one="gb", other="vn"), clause="gb-vn-travelalert-police")


@pytest.mark.rule("D8")
@attack("clause", "NOT_AGREED")
def test_a_clause_is_unknown() -> None:
    told(clause="gb-kh-travelalert-everybody")


@pytest.mark.rule("D8")
@attack("clause", "NOT_AGREED", because="CLAUSE_NONE")
def test_a_clause_is_of_the_other_direction() -> None:
    told(clause="kh-gb-travelalert-police")


@pytest.mark.rule("D8")
@attack("clause", "NOT_AGREED", because="CLAUSE_NONE")
def test_a_clause_is_about_another_alert_type() -> None:
    told(clause="gb-kh-hitreport-police")


@pytest.mark.rule("D8")
@attack("audience", "NOT_AGREED", because="AUDIENCE_NOT_AGREED")
def test_the_clause_is_for_another_class_of_agency() -> None:
    told(audience=[agency("kh", BORDER)])


@pytest.mark.rule("D8")
@attack("audience", "NOT_AGREED", because="AUDIENCE_NOT_AGREED")
def test_an_agency_that_may_not_is_hidden_behind_one_that_may() -> None:
    told(audience=sorted([agency("kh", POLICE), agency("kh", NGO)]))


@pytest.mark.rule("D8")
@attack("audience", "NOT_AGREED", because="AUDIENCE_UNKNOWN")
def test_an_agency_that_the_agreement_does_not_name() -> None:
    told(audience=["spiffe://kh.alerts.example/agency/new-office"])


@pytest.mark.rule("D8")
@attack("audience", "NOT_AGREED", because="AUDIENCE_NOT_AGREED")
def test_an_agency_is_of_another_class_in_the_agreement() -> None:
    agencies = [
        agreement_pb2.ClassifiedAgency(agency=a.agency, agency_class=NGO if a.agency == agency("kh", POLICE) else a.agency_class)
        for a in agreement().agencies
    ]
    under(agreed(agreement(agencies=agencies)))


@pytest.mark.rule("D8")
@attack("purpose", "NOT_AGREED", because="PURPOSE_NOT_AGREED")
def test_the_clause_does_not_permit_the_purpose() -> None:
    under(agreed(with_clause(agreement(), CLAUSE, purposes=[handling_pb2.PURPOSE_CHILD_SAFEGUARDING])))


@pytest.mark.rule("D8")
@attack("purpose", "NOT_AGREED")
def test_the_originator_does_not_permit_the_purpose() -> None:
    tell(handling=handling(permitted_purposes=[handling_pb2.PURPOSE_CHILD_SAFEGUARDING]))


@pytest.mark.rule("D8")
@attack("purpose", "NOT_AGREED")
def test_no_purpose_is_given() -> None:
    told(purpose=handling_pb2.PURPOSE_UNSPECIFIED)


@pytest.mark.rule("D8")
@attack("fields", "NOT_AGREED")
def test_a_forbidden_field_is_opened() -> None:
    permitted = [number for number in clause("gb", "kh", POLICE).permitted if number != FIELDS[2]]
    under(agreed(with_clause(agreement(), CLAUSE, permitted=permitted)))


@pytest.mark.rule("D8")
@attack("fields", "NOT_AGREED")
def test_a_field_for_the_asking_is_opened_without_a_ground() -> None:
    told(fields=sorted([*FIELDS, ON_REQUEST]))


@pytest.mark.rule("D8")
@attack("fields", "REQUIRED_MISSING", because="FIELD_REQUIRED")
def test_a_required_field_is_kept_back() -> None:
    told(fields=[number for number in FIELDS if number != REQUIRED])


@pytest.mark.rule("D8")
@attack("fields", "REQUIRED_MISSING", because="FIELD_REQUIRED")
def test_a_required_field_went_with_another_alert() -> None:
    holdings = Memory(disclosed={sealed(counter=2).digest: frozenset({REQUIRED})})
    short = entry(world().sealed, fields=[number for number in FIELDS if number != REQUIRED])
    deliver(delivery(world().sealed, short), holdings=holdings)


# Times and training, check D9


@pytest.mark.rule("D9")
@attack("time", "EXPIRED")
def test_an_alert_has_expired() -> None:
    tell(not_after=NOW - CLOCK_SKEW_MS)


@pytest.mark.rule("D9")
@attack("time", "FROM_THE_FUTURE")
def test_an_alert_is_from_the_future() -> None:
    tell(issued_at=NOW + CLOCK_SKEW_MS + 1)


@pytest.mark.rule("D9")
@attack("time", "FROM_THE_FUTURE")
def test_a_disclosure_is_from_the_future() -> None:
    told(disclosed_at=NOW + CLOCK_SKEW_MS + 1)


@pytest.mark.rule("D9")
@attack("training", "TRAINING_MISMATCH")
def test_a_training_alert_comes_to_a_production_node() -> None:
    tell(training=True)


@pytest.mark.rule("D9")
@attack("training", "TRAINING_MISMATCH")
def test_a_real_alert_comes_to_a_training_node() -> None:
    tell(recipient(training=True))


# Conflicts, check D10


def holding_a_rival(**changes: Any) -> Memory:
    """Holds a manifest of the same alert, or of the same predecessor."""
    holdings, rival = Memory(), sealed(alert(), **{"issued_at": ISSUED - 1} | changes)
    holdings.hold(rival, FIELDS)
    return holdings


@pytest.mark.rule("D10")
@attack("conflict", "CONFLICT")
def test_two_manifests_for_one_alert() -> None:
    tell(holdings=holding_a_rival())


@pytest.mark.rule("D10")
@attack("conflict", "CONFLICT")
def test_two_successors_of_one_manifest() -> None:
    tell(holdings=holding_a_rival(counter=3, supersedes=[bytes(32)]), counter=2, supersedes=[bytes(32)])


@pytest.mark.rule("D10")
@attack("conflict", "CONFLICT")
def test_a_successor_supersedes_a_stranger_to_hide_its_rival() -> None:
    tell(holdings=holding_a_rival(counter=3, supersedes=[bytes(32)]), counter=2, supersedes=[bytes(32), b"\x01" * 32])


def test_a_successor_of_both_is_no_conflict() -> None:
    rival = sealed(counter=3, supersedes=[bytes(32)])
    holdings = Memory(successors={bytes(32): (Held(digest=rival.digest, originator=agency("gb", POLICE), supersedes=frozenset()),)})
    assert tell(holdings=holdings, counter=2, supersedes=[bytes(32), rival.digest]).view


@pytest.mark.rule("D10")
@pytest.mark.parametrize("recaller", [agency("gb", POLICE), node_id("gb")])
@attack("conflict", "WITHDRAWN")
def test_a_withdrawn_alert_is_told_again(recaller: str) -> None:
    tell(holdings=Memory(withdrawn={sealed().digest: (recaller,)}))


@pytest.mark.rule("D10")
@attack("conflict", "WITHDRAWN")
def test_a_withdrawn_alert_comes_back_as_its_own_successor() -> None:
    tell(holdings=Memory(withdrawn={bytes(32): (agency("gb", POLICE),)}), counter=2, supersedes=[bytes(32)])


def test_a_recall_is_not_recalled() -> None:
    recall = sealed(withdrawal(world().sealed.digest), counter=5)
    holdings = Memory(referents={world().sealed.digest: agency("gb", POLICE)}, withdrawn={recall.digest: (agency("gb", POLICE),)})
    assert deliver(delivery(recall, control_entry(recall, world().sealed.digest)), holdings=holdings).view


def test_a_recall_by_somebody_else_ends_nothing() -> None:
    """As when it came while nobody here knew whose the manifest was."""
    assert tell(holdings=Memory(withdrawn={sealed().digest: (agency("gb", BORDER), node_id("vn"))})).view


# Control alerts, check D8


def recalled(about: bytes, *, originator: int = POLICE, held_from: str = "", **changes: Any) -> Disclosure:
    """Withdraw the manifest `about`, in the name of a British agency, at a recipient that holds the good alert."""
    recall = sealed(withdrawal(about), counter=5, originator=agency("gb", originator), signer=key("gb", agency_name("gb", originator)))
    holdings = Memory(referents={world().sealed.digest: held_from or agency("gb", POLICE)})
    return deliver(delivery(recall, control_entry(recall, **{"about": about} | changes)), holdings=holdings)


def test_a_recall_by_the_originator_is_accepted() -> None:
    assert recalled(world().sealed.digest).kind.control


def test_a_recall_of_what_was_logged_and_never_came_is_accepted() -> None:
    unknown = sealed(withdrawal(bytes(32)), counter=5)
    assert deliver(delivery(unknown, control_entry(unknown, bytes(32))), holdings=Memory(referents={bytes(32): ""})).kind.control


@pytest.mark.rule("D8")
@attack("control", "NOT_AGREED")
def test_a_control_alert_is_about_what_no_log_discloses() -> None:
    recalled(bytes(32))


@pytest.mark.rule("D8")
@attack("control", "NOT_AGREED")
def test_a_control_alert_is_logged_as_about_another_manifest() -> None:
    recalled(world().sealed.digest, in_reply_to=bytes(32))


@pytest.mark.rule("D8")
@attack("control", "NOT_AGREED")
def test_a_recall_by_another_agency() -> None:
    recalled(world().sealed.digest, originator=BORDER)


@pytest.mark.rule("D8")
@attack("control", "NOT_AGREED")
def test_a_recall_of_what_the_recipient_itself_disclosed() -> None:
    recalled(world().sealed.digest, held_from=node_id("kh"))


@pytest.mark.rule("D8")
@attack("control", "NOT_AGREED")
def test_a_control_alert_uses_an_agreement() -> None:
    recalled(world().sealed.digest, agreement_digest=world().agreed.digest, clause=CLAUSE)


@pytest.mark.rule("D8")
@attack("control", "NOT_AGREED")
def test_a_control_alert_is_not_whole() -> None:
    recalled(world().sealed.digest, fields=[1])


@pytest.mark.rule("D9")
@attack("control", "FROM_THE_FUTURE")
def test_a_control_alert_is_from_the_future() -> None:
    recalled(world().sealed.digest, disclosed_at=NOW + CLOCK_SKEW_MS + 1)
