"""What waits for an answer or a decision stands on the list of whoever must give it, and on nobody else's; once given it is gone."""

from contextlib import closing
from pathlib import Path

from exchange.v1 import handling_pb2
from node.operations import agreements, emergency, tip_desk
from tests import asking, builders, inside, onward, tips
from tests.countries import BORDER, DAY, HOUR, POLICE, agency, agreement, changed
from tests.countries import emergency as agreed_in_need
from tests.federation import Federation, federation
from tests.rig import Office, draft
from tests.worklists import Kind, listed


def kinds(office: Office, name: str, *, everything: bool = False) -> list[str]:
    """What is on that list, of these kinds."""
    ours = {
        "REQUEST_TO_ANSWER",
        "RESPONSE_TO_COME",
        "LEAVE_TO_DECIDE",
        "LEAVE_TO_COME",
        "TIP_TO_LOOK_AT",
        "REPORT_TO_FORWARD",
        "EMERGENCY_TO_REVIEW",
    }
    found = [Kind.Name(item.kind).removeprefix("WORK_KIND_") for item in listed(office, name, everything=everything)]
    return [kind for kind in found if kind in ours]


def test_a_question_waits_at_who_was_asked_and_when_overdue_at_who_asked(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as two:
        two.connect("gb", "kh", asking.asking_agreement())
        gb, kh = two["gb"], two["kh"]
        digest = asking.asked(gb)
        two.pump()
        assert (kinds(kh, "police"), kinds(kh, "border"), kinds(gb, "liaison")) == (["REQUEST_TO_ANSWER"], [], [])
        (item,) = [item for item in listed(kh, "police") if item.reference == digest]
        assert item.due_at == two.clock.now_ms() + 8 * HOUR
        asking.suspended(kh, digest)
        assert (kinds(kh, "police"), kinds(kh, "police", everything=True)) == ([], ["REQUEST_TO_ANSWER"])
        asking.suspended(kh, digest, 0)
        two.pump()
        two.clock.pass_(9 * HOUR)
        assert (kinds(kh, "police"), kinds(gb, "liaison")) == (["REQUEST_TO_ANSWER"], ["RESPONSE_TO_COME"])
        assert not asking.answered(kh, digest).problems
        two.pump()
        assert (kinds(kh, "police"), kinds(gb, "liaison")) == ([], [])


def test_leave_that_was_asked_for_waits_at_the_originator(tmp_path: Path) -> None:
    with closing(onward.three(tmp_path)) as made:
        gb, kh = made["gb"], made["kh"]
        told = gb.publish(draft(agency("kh", BORDER))).manifest_digest
        made.pump()
        request = onward.asked(kh, told).manifest_digest
        made.pump()
        assert (kinds(gb, "liaison"), kinds(gb, "border"), kinds(kh, "border")) == (["LEAVE_TO_DECIDE"], [], [])
        (waits,) = [item for item in listed(kh, "border", everything=True) if item.reference == request]
        assert (waits.kind, waits.counterparty, waits.later) == (Kind.WORK_KIND_LEAVE_TO_COME, agency("gb", POLICE), True)
        assert waits.due_at > waits.raised_at
        assert (kinds(kh, "border", everything=True), kinds(kh, "police", everything=True)) == (["LEAVE_TO_COME"], [])
        assert not onward.decided(gb, request).published.problems
        made.pump()
        assert kinds(gb, "liaison") == kinds(kh, "border", everything=True) == []


def test_a_tip_waits_at_its_desk_until_somebody_takes_it(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as two:
        kh = tips.takes_tips(two["kh"])
        reference = tips.submitted(kh).reference
        assert (kinds(kh, "border"), kinds(kh, "police")) == (["TIP_TO_LOOK_AT"], [])
        (item,) = [item for item in listed(kh, "border") if item.detail == "CHILD_IN_DANGER"]
        assert item.due_at == two.clock.now_ms() + HOUR
        tip_desk.take_tip(kh.ports, kh.person("border"), reference)
        assert kinds(kh, "border") == []


def test_a_report_from_inside_the_country_waits_at_its_desk(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as two:
        content = agreement()  # which does not name the border agency: what that reports, its desk passes on
        two.connect("gb", "kh", changed(content, agencies=[one for one in content.agencies if one.agency != agency("kh", BORDER)]))
        kh = two["kh"]
        inside.national(kh)
        digest = inside.told(two, agency("kh", POLICE))
        inside.distributed(kh, digest, agency("kh", BORDER))
        kept = inside.reported(kh, digest).kept
        waiting = kinds(kh, "police")
        assert (waiting, kinds(kh, "border")) == (["REPORT_TO_FORWARD"], [])
        assert not inside.forwarded(kh, kept.report).problems
        assert kinds(kh, "police") == []


def test_what_was_told_in_an_emergency_waits_for_a_second_officer(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as two:
        two.connect("gb", "kh")
        digest = _agreed(two)
        gb = two["gb"]
        purposes = [handling_pb2.PURPOSE_PREVENTION, handling_pb2.PURPOSE_SAVE_LIFE]
        wanted = draft(
            agency("kh", POLICE), purpose=handling_pb2.PURPOSE_SAVE_LIFE, handling=builders.handling(permitted_purposes=purposes)
        )
        assert gb.publish(wanted).manifest_digest
        assert (kinds(gb, "second"), kinds(gb, "liaison"), kinds(gb, "border")) == (["EMERGENCY_TO_REVIEW"], [], [])
        assert kinds(gb, "liaison", everything=True) == ["EMERGENCY_TO_REVIEW"]
        two.clock.pass_(DAY)
        assert kinds(gb, "liaison") == ["EMERGENCY_TO_REVIEW"]
        emergency.review(gb.ports, gb.person("second"), digest.hex(), "synthetic finding")
        assert (kinds(gb, "second"), kinds(gb, "liaison")) == ([], [])


def _agreed(two: Federation) -> bytes:
    drafted = agreements.draft(two["gb"].ports, two["gb"].person("liaison"), agreed_in_need())
    two.carry()
    agreements.accept(two["kh"].ports, two["kh"].person("administrator"), drafted.digest.hex())
    two.carry()
    return drafted.digest
