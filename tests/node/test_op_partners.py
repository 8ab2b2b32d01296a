"""Partners and agreements: pinned by fingerprint, refreshed along the chain, agreed by two administrators."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.agreement import propose
from exchange.directory import KnownNode, open_descriptor_chain, sign_descriptor
from exchange.encoding import encode
from exchange.errors import Conflict, Malformed, NotFound, Refused, Unverified
from exchange.v1 import desk_service_pb2, directory_pb2, statement_pb2
from node.operations import agreements, partners
from node.operations.officers import NotPermitted
from tests.countries import (
    BORDER,
    DAY,
    NOW,
    POLICE,
    agency,
    agreement,
    changed,
    compromised,
    countersigned,
    descriptor,
    domain,
    key,
    known,
    with_key,
)
from tests.federation import Federation, federation
from tests.refusals import refused
from tests.rig import Office, draft

ACCEPTED, OFFERED, PROPOSED = (
    desk_service_pb2.AGREEMENT_STATE_ACCEPTED,
    desk_service_pb2.AGREEMENT_STATE_OFFERED,
    desk_service_pb2.AGREEMENT_STATE_PROPOSED,
)


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Federation]:
    """gb and kh know each other and have agreed nothing; vn is a stranger to both."""
    with federation(tmp_path, "gb", "kh", "vn") as made:
        made.introduce("gb", "kh")
        yield made


def chain_of(node: KnownNode) -> bytes:
    return encode(directory_pb2.DescriptorChain(descriptors=[encode(statement) for statement in node.chain]))


def add(office: Office, node: KnownNode, fingerprint: bytes | None = None) -> desk_service_pb2.PartnerSummary:
    pinned = partners.own_fingerprint(node) if fingerprint is None else fingerprint
    return partners.add_partner(office.ports, office.person("administrator"), chain_of(node), pinned)


def newer(country: str, **changes: object) -> KnownNode:
    return known(descriptor(country), descriptor(country, sequence=2, **changes))


# Partners


def test_a_partner_is_shown_as_its_descriptor_says(three: Federation) -> None:
    gb = three["gb"]
    shown = partners.get_partner(gb.ports, gb.person("liaison"), domain("kh"))
    assert shown.identity_fingerprint == key("kh", "identity").key_id
    assert (shown.sequence, shown.suspended, list(shown.alarms)) == (1, False, [])
    assert agency("kh", BORDER) in {item.agency for item in shown.agencies}
    assert [item.trust_domain for item in partners.list_partners(gb.ports, gb.person("auditor"))] == [domain("kh")]


def test_a_partner_is_known_again_after_a_restart(three: Federation) -> None:
    before = three["gb"].ports.known
    three["gb"].restart()
    assert three["gb"].ports.known.partners == before.partners


def test_a_fingerprint_that_does_not_match_adds_nobody(three: Federation) -> None:
    with refused(Refused, "FINGERPRINT_MISMATCH"):
        add(three["gb"], three["vn"].own, bytes(32))
    with refused(Malformed, "FINGERPRINT"):
        add(three["gb"], three["vn"].own, b"short")
    assert domain("vn") not in three["gb"].ports.known.partners


def test_a_spoilt_chain_adds_nobody(three: Federation) -> None:
    gb, vn = three["gb"], three["vn"]
    with refused(Malformed, "NOT_PROTOBUF"):
        partners.add_partner(gb.ports, gb.person("administrator"), b"\xff", partners.own_fingerprint(vn.own))
    statement = changed(vn.own.chain[0])
    statement.signatures[0].signature = bytes(64)
    spoilt = encode(directory_pb2.DescriptorChain(descriptors=[encode(statement)]))
    with refused(Unverified, "DESCRIPTOR_UNVERIFIED"):
        partners.add_partner(gb.ports, gb.person("administrator"), spoilt, partners.own_fingerprint(vn.own))


def test_nobody_is_a_partner_of_himself_or_of_a_training_node(three: Federation) -> None:
    with refused(Refused, "PARTNER_IS_SELF"):
        add(three["gb"], three["gb"].own)
    with refused(Refused, "TRAINING_MISMATCH"):
        add(three["gb"], known(descriptor("vn", training=True)))


def test_the_same_partner_again_takes_its_newer_descriptors_and_never_older_or_others(three: Federation) -> None:
    gb = three["gb"]
    assert add(gb, newer("kh")).sequence == 2
    with refused(Refused, "DESCRIPTOR_ROLLBACK"):
        add(gb, three["kh"].own)
    with refused(Conflict, "DESCRIPTOR_EQUIVOCATION"):
        add(gb, newer("kh", languages=["km"]))
    assert partners.get_partner(gb.ports, gb.person("administrator"), domain("kh")).sequence == 2


def test_a_partner_is_never_pinned_anew_by_another_fingerprint(three: Federation) -> None:
    # A chain from the second identity key alone is what a thief of that key could show.
    second = key("kh", "identity-2")
    described = descriptor("kh")
    for item in described.keys:
        if item.use == directory_pb2.KEY_USE_IDENTITY:
            item.public_key = second.spki
    rival = open_descriptor_chain([sign_descriptor(described, second)], second.key_id)
    with refused(Conflict, "PARTNER_PINNED_OTHERWISE"):
        add(three["gb"], rival)


@pytest.mark.parametrize("name", ["liaison", "border", "auditor"])
def test_only_an_administrator_changes_partners(three: Federation, name: str) -> None:
    gb = three["gb"]
    with refused(NotPermitted, "ROLE_MISSING"):
        partners.add_partner(gb.ports, gb.person(name), b"", bytes(32))
    with refused(NotPermitted, "ROLE_MISSING"):
        partners.suspend_partner(gb.ports, gb.person(name), domain("kh"), resume=False)


def test_a_partner_officer_does_not_read_the_list_of_partners(three: Federation) -> None:
    with refused(NotPermitted, "ROLE_MISSING"):
        partners.list_partners(three["gb"].ports, three["gb"].person("border"))


def test_a_stranger_is_no_partner(three: Federation) -> None:
    gb = three["gb"]
    for operation in (partners.get_partner, lambda *of: partners.suspend_partner(*of, resume=True)):
        with refused(NotFound, "PARTNER_UNKNOWN"):
            operation(gb.ports, gb.person("administrator"), domain("vn"))
    with refused(NotFound, "PARTNER_UNKNOWN"):
        partners.refresh_partner(gb.ports, domain("vn"), three["vn"].own.chain)


def test_a_suspended_partner_gets_nothing_until_it_is_resumed(three: Federation) -> None:
    gb, kh = three["gb"], three["kh"]
    three.connect("gb", "kh")
    gb.publish(draft(agency("kh", POLICE)))
    assert partners.suspend_partner(gb.ports, gb.person("administrator"), domain("kh"), resume=False).suspended
    gb.restart()
    assert three.pump() == 0
    published = gb.publish(draft(agency("kh", POLICE)))
    assert [problem.code for problem in published.problems if problem.severity == desk_service_pb2.SEVERITY_ERROR] == ["PARTNER_SUSPENDED"]
    assert not partners.suspend_partner(gb.ports, gb.person("administrator"), domain("kh"), resume=True).suspended
    assert three.pump() == 1
    assert kh.mirror(gb).size == 1
    kinds = [(subject, code) for kind, _, subject, code in gb.journal() if kind == "partner"]
    assert kinds[-2:] == [(domain("kh"), "SUSPENDED"), (domain("kh"), "RESUMED")]


def test_a_refresh_takes_the_newer_chain_and_the_same_again_changes_nothing(three: Federation) -> None:
    gb = three["gb"]
    before = gb.ports.known
    partners.refresh_partner(gb.ports, domain("kh"), three["kh"].own.chain)
    assert gb.ports.known is before
    partners.refresh_partner(gb.ports, domain("kh"), newer("kh").chain)
    assert gb.knows(three["kh"]).descriptor.sequence == 2
    gb.restart()
    assert gb.knows(three["kh"]).descriptor.sequence == 2


def test_a_refresh_that_goes_back_or_branches_off_raises_an_alarm_and_changes_nothing(three: Federation) -> None:
    gb = three["gb"]
    partners.refresh_partner(gb.ports, domain("kh"), newer("kh").chain)
    with refused(Refused, "DESCRIPTOR_ROLLBACK"):
        partners.refresh_partner(gb.ports, domain("kh"), three["kh"].own.chain)
    with refused(Conflict, "DESCRIPTOR_EQUIVOCATION"):
        partners.refresh_partner(gb.ports, domain("kh"), newer("kh", languages=["km"]).chain)
    with refused(Unverified, "DESCRIPTOR_NOT_PINNED"):
        partners.refresh_partner(gb.ports, domain("kh"), three["vn"].own.chain)
    with refused(Malformed, "DESCRIPTOR_CHAIN_EMPTY"):
        partners.refresh_partner(gb.ports, domain("kh"), [])
    assert {"DESCRIPTOR_ROLLBACK", "DESCRIPTOR_EQUIVOCATION", "DESCRIPTOR_NOT_PINNED"} <= gb.alarms()
    assert gb.knows(three["kh"]).digest == newer("kh").digest
    shown = partners.get_partner(gb.ports, gb.person("administrator"), domain("kh"))
    assert "DESCRIPTOR_EQUIVOCATION" in shown.alarms


def test_a_descriptor_past_its_next_update_is_an_alarm_and_stops_nothing(three: Federation) -> None:
    gb = three["gb"]
    three.clock.pass_(30 * DAY)
    assert list(partners.get_partner(gb.ports, gb.person("administrator"), domain("kh")).alarms) == ["DESCRIPTOR_OVERDUE"]


# Agreements


def state_of(office: Office, digest: bytes) -> tuple[int, bool]:
    found = agreements.get(office.ports, office.person("liaison"), digest.hex()[:8])
    return found.state, found.in_force


def test_an_agreement_is_proposed_carried_accepted_and_carried_back(three: Federation) -> None:
    gb, kh = three["gb"], three["kh"]
    digest = agreements.draft(gb.ports, gb.person("liaison"), agreement()).digest
    assert state_of(gb, digest) == (PROPOSED, False)
    three.carry()
    assert state_of(kh, digest) == (OFFERED, False)
    agreements.accept(kh.ports, kh.person("administrator"), digest.hex()[:12])
    assert state_of(kh, digest) == (ACCEPTED, True)
    assert state_of(gb, digest) == (PROPOSED, False)
    three.carry()
    assert state_of(gb, digest) == (ACCEPTED, True)
    assert gb.ports.known.agreements.keys() == kh.ports.known.agreements.keys() == {digest}
    assert agreements.undelivered(gb.ports) == agreements.undelivered(kh.ports) == []
    three["gb"].restart()
    assert three["gb"].ports.known.agreements.keys() == {digest}
    said = agreements.get(gb.ports, gb.person("liaison"), digest.hex())
    assert said.agreement.proposed_at == NOW


def test_the_courier_may_come_twice(three: Federation) -> None:
    gb, kh = three["gb"], three["kh"]
    digest = agreements.draft(gb.ports, gb.person("administrator"), agreement()).digest
    (row,) = agreements.undelivered(gb.ports)
    statement = statement_pb2.Statement.FromString(row.statement)
    for _ in range(2):
        agreements.receive_proposal(kh.ports, kh.knows(gb), statement)
    agreements.accept(kh.ports, kh.person("administrator"), digest.hex())
    agreements.receive_proposal(kh.ports, kh.knows(gb), statement)
    again = agreements.accept(kh.ports, kh.person("administrator"), digest.hex())
    assert again.state == ACCEPTED
    (row,) = agreements.undelivered(kh.ports)
    for _ in range(2):
        agreements.receive_countersigned(gb.ports, gb.knows(kh), statement_pb2.Statement.FromString(row.statement))
    assert [kind for kind, *_ in gb.journal()].count("agreement") == 2


def test_only_an_administrator_accepts_and_only_what_the_partner_offered(three: Federation) -> None:
    gb, kh = three["gb"], three["kh"]
    digest = agreements.draft(gb.ports, gb.person("administrator"), agreement()).digest.hex()
    three.carry()
    with refused(NotPermitted, "ROLE_MISSING"):
        agreements.accept(kh.ports, kh.person("liaison"), digest)
    with refused(Refused, "AGREEMENT_NOT_OFFERED"):
        agreements.accept(gb.ports, gb.person("administrator"), digest)
    for name in ("auditor", "border"):
        with refused(NotPermitted, "ROLE_MISSING"):
            agreements.draft(gb.ports, gb.person(name), agreement())


def test_a_draft_is_between_us_and_a_partner_and_still_to_come(three: Federation) -> None:
    gb = three["gb"]
    administrator = gb.person("administrator")
    with refused(Refused, "PARTNER_UNKNOWN"):
        agreements.draft(gb.ports, administrator, agreement("gb", "vn"))
    with refused(Refused, "AGREEMENT_PARTIES"):
        agreements.draft(gb.ports, administrator, agreement("kh", "vn"))
    with refused(Refused, "AGREEMENT_EXPIRED"):
        agreements.draft(gb.ports, administrator, agreement(valid_from=NOW - 2, valid_until=NOW))
    with refused(Malformed, "AGREEMENT_MALFORMED"):
        agreements.draft(gb.ports, administrator, agreement(version=2))
    partners.suspend_partner(gb.ports, administrator, domain("kh"), resume=False)
    with refused(Refused, "PARTNER_SUSPENDED"):
        agreements.draft(gb.ports, administrator, agreement())
    assert not agreements.list_agreements(gb.ports, administrator)


def test_a_proposal_must_be_signed_by_the_partner_that_brings_it_and_be_with_us(three: Federation) -> None:
    gb, kh = three["gb"], three["kh"]
    with refused(Unverified, "KEY_UNKNOWN"):
        agreements.receive_proposal(kh.ports, kh.knows(gb), propose(agreement(), key("vn", "agreement")))
    with refused(Refused, "AGREEMENT_PARTIES"):
        agreements.receive_proposal(kh.ports, kh.knows(gb), propose(agreement("gb", "vn"), key("gb", "agreement")))
    with refused(Refused, "FROM_THE_FUTURE"):
        future = agreement(proposed_at=NOW + 10 * 60_000)
        agreements.receive_proposal(kh.ports, kh.knows(gb), propose(future, key("gb", "agreement")))
    assert not agreements.list_agreements(kh.ports, kh.person("administrator"))


def test_a_partner_cannot_bury_us_in_offers(three: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agreements, "OFFERS_AT_MOST", 2)
    gb, kh = three["gb"], three["kh"]
    for number in range(3):
        agreements.draft(gb.ports, gb.person("administrator"), agreement(instrument=f"Synthetic {number}"))
    with refused(Refused, "TOO_MANY_OFFERS"):
        three.carry()
    assert len(agreements.list_agreements(kh.ports, kh.person("administrator"))) == 2


def test_a_countersignature_for_what_we_never_proposed_binds_nobody(three: Federation) -> None:
    gb, kh = three["gb"], three["kh"]
    with refused(Refused, "AGREEMENT_UNKNOWN"):
        agreements.receive_countersigned(gb.ports, gb.knows(kh), countersigned(agreement()))
    with refused(Malformed, "SIGNATURE_COUNT"):
        agreements.receive_countersigned(gb.ports, gb.knows(kh), propose(agreement(), key("gb", "agreement")))
    assert not gb.ports.known.agreements


def test_what_a_partner_offered_is_accepted_by_our_administrator_and_by_nobody_else(three: Federation) -> None:
    gb, kh = three["gb"], three["kh"]
    digest = agreements.draft(gb.ports, gb.person("administrator"), agreement(proposed_at=NOW)).digest
    three.carry()
    # Both signatures hold; but no person here ever agreed.
    with refused(Refused, "AGREEMENT_UNKNOWN"):
        agreements.receive_countersigned(kh.ports, kh.knows(gb), countersigned(agreement(proposed_at=NOW)))
    assert state_of(kh, digest) == (OFFERED, False)


def test_an_offer_that_expired_meanwhile_cannot_be_accepted(three: Federation) -> None:
    gb, kh = three["gb"], three["kh"]
    digest = agreements.draft(gb.ports, gb.person("administrator"), agreement(valid_until=NOW + DAY)).digest.hex()
    three.carry()
    three.clock.pass_(DAY)
    with refused(Refused, "AGREEMENT_EXPIRED"):
        agreements.accept(kh.ports, kh.person("administrator"), digest)


def test_nothing_is_accepted_from_a_partner_that_is_suspended(three: Federation) -> None:
    gb, kh = three["gb"], three["kh"]
    digest = agreements.draft(gb.ports, gb.person("administrator"), agreement()).digest.hex()
    three.carry()
    partners.suspend_partner(kh.ports, kh.person("administrator"), domain("gb"), resume=False)
    with refused(Refused, "PARTNER_SUSPENDED"):
        agreements.accept(kh.ports, kh.person("administrator"), digest)


def test_a_partner_whose_stored_descriptors_do_not_verify_is_left_out_with_an_alarm(three: Federation) -> None:
    gb = three["gb"]
    with gb.ports.store.write() as tx:
        tx.exec_driver_sql("UPDATE partners SET fingerprint = zeroblob(32)")
    gb.restart()
    assert not gb.ports.known.partners
    assert gb.alarms() == {"DESCRIPTOR_NOT_PINNED"}


def test_an_agreement_whose_key_turns_out_stolen_is_left_out_with_an_alarm(three: Federation) -> None:
    gb = three["gb"]
    three.connect("gb", "kh")
    stolen = with_key(descriptor("kh"), key("kh", "agreement"), **compromised(NOW - DAY))
    partners.refresh_partner(gb.ports, domain("kh"), known(descriptor("kh"), changed(stolen, sequence=2)).chain)
    assert not gb.ports.known.agreements
    assert "AGREEMENT_UNVERIFIED" in gb.alarms()
    assert "AGREEMENT_NONE" in {problem.code for problem in gb.publish(draft(agency("kh", POLICE))).problems}


@pytest.mark.parametrize(
    ("reference", "code"), [("1234567", "AGREEMENT_REFERENCE"), ("x" * 8, "AGREEMENT_REFERENCE"), ("0" * 8, "AGREEMENT_NOT_FOUND")]
)
def test_an_agreement_is_named_by_the_beginning_of_its_digest(three: Federation, reference: str, code: str) -> None:
    with refused(NotFound, code):
        agreements.get(three["gb"].ports, three["gb"].person("administrator"), reference)


def test_an_auditor_who_reads_agreements_stands_in_the_journal(three: Federation) -> None:
    gb = three["gb"]
    digest = three.connect("gb", "kh").digest.hex()
    agreements.list_agreements(gb.ports, gb.person("auditor"))
    agreements.get(gb.ports, gb.person("auditor"), digest)
    assert [event[0] for event in gb.journal()[-2:]] == ["review", "review"]
    assert gb.journal()[-1][2] == digest
