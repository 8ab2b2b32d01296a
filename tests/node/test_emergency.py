"""Agreements for an emergency: used once, known to both countries' auditors at once, reviewed by a second officer within a day."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exchange.errors import ExchangeError, Malformed, NotFound
from exchange.v1 import agreement_pb2, audit_service_pb2, desk_service_pb2, handling_pb2
from node.operations import agreements, emergency, preview
from node.operations.audit_urgent import list_alarms, list_urgent
from node.operations.officers import NotPermitted
from node.operations.recover import recover_log
from node.operations.release import prepare
from node.operations.sequence import sequence
from node.operations.work import list_work
from node.store.emergencies import spent
from tests import builders
from tests.countries import BORDER, DAY, HOUR, POLICE, agency, agreement, changed
from tests.countries import emergency as agreed_in_need
from tests.federation import Federation, federation
from tests.refusals import refused
from tests.rig import Office, draft

KH_POLICE = agency("kh", POLICE)
SAVE_LIFE = handling_pb2.PURPOSE_SAVE_LIFE


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh") as made:
        made.connect("gb", "kh")
        agree(made)
        yield made


def agree(two: Federation, **changes: Any) -> bytes:
    """One more agreement, for an emergency."""
    drafted = agreements.draft(two["gb"].ports, two["gb"].person("liaison"), agreed_in_need(**changes))
    two.carry()
    agreements.accept(two["kh"].ports, two["kh"].person("administrator"), drafted.digest.hex())
    two.carry()
    return drafted.digest


def urgent(**changes: Any) -> desk_service_pb2.Draft:
    handling = builders.handling(permitted_purposes=[handling_pb2.PURPOSE_PREVENTION, SAVE_LIFE])
    return draft(KH_POLICE, **{"purpose": SAVE_LIFE, "handling": handling} | changes)


def codes(answer: desk_service_pb2.PublishedAlert) -> list[str]:
    return [problem.code for problem in answer.problems]


def in_need(office: Office) -> list[tuple[str, str]]:
    return [(kind, code) for kind, _, _, code in office.journal() if code.startswith("EMERGENCY")]


def test_it_is_told_to_both_auditors_as_soon_as_it_is_agreed(two: Federation) -> None:
    for country in ("gb", "kh"):
        assert in_need(two[country]) == [("agreement", "EMERGENCY"), ("alarm", "EMERGENCY_AGREEMENT")]
        alarms = list_alarms(two[country].ports, two[country].person("auditor")).alarms
        assert "EMERGENCY_AGREEMENT" in {alarm.code for alarm in alarms}


def test_an_ordinary_agreement_alarms_nobody(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as two:
        two.connect("gb", "kh")
        for country in ("gb", "kh"):
            assert in_need(two[country]) == []
            assert "EMERGENCY_AGREEMENT" not in two[country].alarms()


def test_it_lets_one_alert_go_without_an_approval(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    (shown,) = preview.preview(gb.ports, gb.person("liaison"), urgent()).recipients
    assert (shown.emergency, shown.clause, list(shown.denied)) == (True, "emergency", [])
    told = gb.publish(urgent())
    assert [(item.clause, list(item.fields)) for item in told.disclosures] == [("emergency", [1, 3, 11, 30, 33])]
    two.pump()
    assert "EMERGENCY" in kh.received("police")[0].flags
    for office in (gb, kh):
        assert in_need(office)[2:] == [("agreement", "EMERGENCY_USED")]
        uses = list_urgent(office.ports, office.person("auditor"), 0, 0).uses
        assert audit_service_pb2.URGENT_KIND_EMERGENCY_AGREEMENT in {use.kind for use in uses}
    (use,) = emergency.list_emergencies(kh.ports, kh.person("auditor"))
    assert (use.own, use.manifest_digest, use.review_by, use.officer) == (False, told.manifest_digest, 0, "")
    assert gb.fsck() == kh.fsck() == []


def test_it_is_used_once(two: Federation) -> None:
    gb = two["gb"]
    assert not codes(gb.publish(urgent()))
    assert codes(gb.publish(urgent())) == ["EMERGENCY_USED"]
    (shown,) = preview.preview(gb.ports, gb.person("liaison"), urgent()).recipients
    assert [problem.code for problem in shown.denied] == ["EMERGENCY_USED"]
    gb.restart()
    assert codes(gb.publish(urgent())) == ["EMERGENCY_USED"]
    assert not codes(gb.publish(draft(KH_POLICE)))  # by the ordinary one
    agree(two, instrument="Another emergency, synthetic")
    assert not codes(gb.publish(urgent()))


def test_two_at_once_use_it_once(two: Federation) -> None:
    gb = two["gb"]
    ready = [prepare(gb.ports, gb.person(name), urgent(), "synthetic reason") for name in ("liaison", "second")]
    assert [codes(answer) for answer in sequence(gb.ports, ready)] == [[], ["EMERGENCY_USED"]]
    later = [prepare(gb.ports, gb.person("liaison"), urgent(), "synthetic reason")]
    assert [codes(answer) for answer in sequence(gb.ports, later)] == [["EMERGENCY_USED"]]


def test_the_log_itself_says_that_it_was_used(two: Federation) -> None:
    gb = two["gb"]
    gb.publish(urgent())
    # As after adopting the log again: the entry is there, and the row beside it is not.
    with gb.ports.store.write() as tx:
        tx.exec_driver_sql("DELETE FROM emergencies")
    gb.restart()
    with gb.ports.store.read() as tx:
        assert spent(tx) == frozenset()
    (shown,) = preview.preview(gb.ports, gb.person("liaison"), urgent()).recipients
    assert [problem.code for problem in shown.denied] == ["EMERGENCY_USED"]
    assert codes(gb.publish(urgent())) == ["EMERGENCY_USED"]


def test_a_used_one_does_not_stand_in_the_way_of_an_ordinary_clause(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as two:
        wide = agreement()
        for clause in wide.clauses:
            clause.purposes[:] = sorted({*clause.purposes, SAVE_LIFE})
        two.connect("gb", "kh", wide)
        agree(two)
        assert [item.clause for item in two["gb"].publish(urgent()).disclosures] == ["emergency"]
        assert [item.clause for item in two["gb"].publish(urgent()).disclosures] == ["gb-kh-travelalert-police"]


def test_a_used_one_stands_in_nobodys_way_after_the_office_forgot_that(tmp_path: Path) -> None:
    wide = agreement()
    for clause in wide.clauses:
        clause.purposes[:] = sorted({*clause.purposes, SAVE_LIFE})
    with federation(tmp_path, "gb", "kh") as two:
        two.connect("gb", "kh", wide)
        agree(two)
        gb, kh = two["gb"], two["kh"]
        gb.publish(draft(KH_POLICE))
        before = gb.backup(tmp_path / "backup")
        assert [item.clause for item in gb.publish(urgent()).disclosures] == ["emergency"]
        two.pump()
        gb.restore(before)
        recover_log(gb.ports, gb.person("administrator"), gb.outbound(kh).name.origin, lambda *asked: two.fetch("gb", *asked))
        for again in (gb.publish(urgent()), gb.publish(urgent())):
            assert [item.clause for item in again.disclosures] == ["gb-kh-travelalert-police"]
        gb.restart()
        assert [item.clause for item in gb.publish(urgent()).disclosures] == ["gb-kh-travelalert-police"]


def test_what_only_a_recovered_log_knows_of_is_reviewed_as_well(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as two:
        two.connect("gb", "kh", agreement())
        agree(two)
        gb, kh = two["gb"], two["kh"]
        gb.publish(draft(KH_POLICE))
        before = gb.backup(tmp_path / "backup")
        used = gb.publish(urgent())
        two.pump()
        gb.restore(before)
        assert emergency.list_emergencies(gb.ports, gb.person("second")) == []
        recover_log(gb.ports, gb.person("administrator"), gb.outbound(kh).name.origin, lambda *asked: two.fetch("gb", *asked))
        for name in ("liaison", "both"):
            (use,) = emergency.list_emergencies(gb.ports, gb.person(name))
            assert (use.officer, use.manifest_digest, use.review_by) == ("", used.manifest_digest, two.clock.time + DAY)
            waiting = list_work(gb.ports, gb.person(name), desk_service_pb2.ListWorkRequest()).items
            assert desk_service_pb2.WORK_KIND_EMERGENCY_TO_REVIEW in {item.kind for item in waiting}
        reviewed = emergency.review(gb.ports, gb.person("liaison"), use.agreement_digest.hex()[:12], "the officer was asked")
        assert reviewed.reviewed_by == gb.person("liaison")
        assert ("approval", "EMERGENCY_REVIEWED") in in_need(gb)


def test_the_recipient_takes_no_second_alert_under_it(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    first = gb.publish(urgent())
    second = gb.publish(draft(KH_POLICE, handling=builders.handling(permitted_purposes=[handling_pb2.PURPOSE_PREVENTION, SAVE_LIFE])))
    (place,) = first.disclosures
    # A node that breaks the rule: it logs another alert under the agreement that is used up.
    agreed = next(digest for digest, one in gb.ports.known.agreements.items() if one.agreement.emergency)
    index = gb.log_again(
        kh,
        second.disclosures[0].index,
        agreement_digest=agreed,
        clause="emergency",
        fields=list(place.fields),
        purpose=SAVE_LIFE,
        on_request_ground=0,
    )
    two.pump()
    fates = gb.fates(second.manifest_digest)
    assert fates[-1][1] == "NOT_AGREED"
    assert index == 2
    assert "NOT_AGREED" in kh.alarms()


def test_a_second_officer_reviews_it_within_a_day(two: Federation) -> None:
    gb = two["gb"]
    gb.publish(urgent())
    (use,) = emergency.list_emergencies(gb.ports, gb.person("second"))
    reference = use.agreement_digest.hex()[:12]
    assert (use.officer, use.review_by) == (gb.person("liaison"), two.clock.time + DAY)
    with refused(NotPermitted, "REVIEWER_RELEASED_IT"):
        emergency.review(gb.ports, gb.person("liaison"), reference, "in order")
    with refused(Malformed, "REASON_MISSING"):
        emergency.review(gb.ports, gb.person("second"), reference, " ")
    two.clock.pass_(DAY - 1)
    emergency.watch_reviews(gb.ports)
    assert "EMERGENCY_UNREVIEWED" not in gb.alarms()
    two.clock.pass_(1)
    emergency.watch_reviews(gb.ports)
    assert "EMERGENCY_UNREVIEWED" in gb.alarms()
    reviewed = emergency.review(gb.ports, gb.person("second"), reference, "in order")
    assert (reviewed.reviewed_by, reviewed.reviewed_at) == (gb.person("second"), two.clock.time)
    two.clock.pass_(HOUR)
    assert emergency.review(gb.ports, gb.person("second"), reference, "once more") == reviewed
    assert in_need(gb)[-1] == ("approval", "EMERGENCY_REVIEWED")
    emergency.watch_reviews(gb.ports)
    assert gb.alarms() & {"EMERGENCY_UNREVIEWED", "EMERGENCY_AGREEMENT"} == {"EMERGENCY_AGREEMENT"}


@pytest.mark.parametrize(
    ("name", "reference", "kind", "code"),
    [
        ("both", "", NotFound, "EMERGENCY_NOT_FOUND"),  # a liaison officer of another agency
        ("police", "", NotPermitted, "ROLE_MISSING"),
        ("second", "zz", NotFound, "AGREEMENT_REFERENCE"),
        ("second", "00000000", NotFound, "EMERGENCY_NOT_FOUND"),
    ],
)
def test_nobody_else_reviews_it(two: Federation, name: str, reference: str, kind: type[ExchangeError], code: str) -> None:
    gb = two["gb"]
    gb.publish(urgent())
    (use,) = emergency.list_emergencies(gb.ports, gb.person("administrator"))
    with refused(kind, code):
        emergency.review(gb.ports, gb.person(name), reference or use.agreement_digest.hex(), "in order")
    assert emergency.list_emergencies(gb.ports, gb.person("border")) == []


@pytest.mark.parametrize(
    "wrong", [agreed_in_need(emergency_ground=None), changed(agreed_in_need(), valid_until=agreed_in_need().valid_from + DAY + 1)]
)
def test_what_is_no_emergency_is_not_proposed(two: Federation, wrong: agreement_pb2.Agreement) -> None:
    with refused(Malformed, "AGREEMENT_MALFORMED"):
        agreements.draft(two["gb"].ports, two["gb"].person("liaison"), wrong)


def test_it_goes_to_nobody_whom_it_does_not_name(two: Federation) -> None:
    gb = two["gb"]
    assert codes(gb.publish(urgent(recipients=[agency("kh", BORDER)]))) == ["PURPOSE_NOT_AGREED"]
    two.clock.pass_(12 * HOUR)
    assert codes(gb.publish(urgent())) == ["PURPOSE_NOT_AGREED"]  # of the ordinary one: the other has ended
