"""From an officer's draft to two desks abroad, each seeing its own minimum, and the answer back."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exchange.encoding import cut, encode
from exchange.errors import Malformed, NotFound
from exchange.v1 import desk_service_pb2, handling_pb2, hit_report_pb2
from node.operations import inbox, outbox, preview, release, whoami
from node.operations.officers import NotPermitted
from node.operations.release import prepare
from node.operations.sequence import sequence
from tests import builders
from tests.countries import BORDER, DAY, HOUR, NGO, POLICE, TRAVEL, agency, agreement, changed, domain, with_clause
from tests.federation import Federation, Stream, federation
from tests.refusals import refused
from tests.rig import Office, draft

KH_BORDER, KH_POLICE, KH_NGO = agency("kh", BORDER), agency("kh", POLICE), agency("kh", NGO)
GB_POLICE = agency("gb", POLICE)
STATE = desk_service_pb2.DisclosureState


def listed(office: Office, name: str, **page: Any) -> desk_service_pb2.ListInboxResponse:
    return inbox.list_inbox(office.ports, office.person(name), desk_service_pb2.ListInboxRequest(**page))


def shown(office: Office, name: str, reference: str) -> desk_service_pb2.GetInboxAlertResponse:
    return inbox.get_inbox_alert(office.ports, office.person(name), reference)


def states(office: Office, reference: str) -> list[str]:
    status = outbox.get_status(office.ports, office.person("liaison"), reference)
    return [STATE.Name(item.state).removeprefix("DISCLOSURE_STATE_") for item in status.disclosures]


def test_a_field_left_out_by_the_officer_is_shown_as_such_even_with_a_ground(two: Federation) -> None:
    gb = two["gb"]
    route = (domain("kh"), BORDER, TRAVEL)
    border = next(c for c in agreement("gb", "kh").clauses if (c.recipient, c.audience, c.alert_type) == route and c.on_request)
    field = border.on_request[0]
    grant = desk_service_pb2.OnRequestGrant(recipient=KH_BORDER, field=field, ground=1)

    def visibility(**changes: Any) -> str:
        (shown_to,) = preview.preview(gb.ports, gb.person("liaison"), draft(KH_BORDER, **changes)).recipients
        names = desk_service_pb2.Visibility
        return next(names.Name(one.visibility) for one in shown_to.fields if one.field == field)

    assert visibility() == "VISIBILITY_NEEDS_REASON"
    assert visibility(on_request=[grant]) in {"VISIBILITY_SHOWN", "VISIBILITY_SHOWN_NOT_KNOWN"}
    assert visibility(on_request=[grant], unticked=[field]) == "VISIBILITY_UNTICKED"


def test_each_agency_reads_exactly_the_bytes_that_the_preview_showed_for_it(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    wanted = draft(KH_BORDER, KH_POLICE)
    previewed = {one.recipient: one.view for one in preview.preview(gb.ports, gb.person("liaison"), wanted).recipients}
    published = gb.publish(wanted)
    two.pump()
    reference = published.manifest_digest.hex()
    border, police = shown(kh, "border", reference), shown(kh, "police", reference)
    assert border.view == previewed[KH_BORDER]
    assert police.view == previewed[KH_POLICE]
    assert cut(border.view).keys() < cut(police.view).keys()
    assert cut(border.view).keys().isdisjoint(border.undisclosed)
    assert len(border.disclosures) == len(police.disclosures) == 1
    assert list(border.disclosures[0].audience) == [KH_BORDER]


def test_what_went_to_another_agency_is_not_there_for_mine(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    published = gb.publish(draft(KH_POLICE))
    two.pump()
    assert [alert.alert_id for alert in listed(kh, "police").alerts] == [published.alert_id]
    assert not listed(kh, "border").alerts
    for reference in (published.manifest_digest.hex(), published.alert_id.hex()[:8]):
        with refused(NotFound, "ALERT_NOT_FOUND"):
            shown(kh, "border", reference)


def test_two_disclosures_to_one_agency_are_read_as_one(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    published = gb.publish(draft(KH_BORDER))
    police = gb.publish(draft(KH_POLICE)).disclosures[0].fields
    first = published.disclosures[0].fields
    gb.log_again(kh, 0, fields=first[:4])
    two.pump()
    seen = shown(kh, "border", published.manifest_digest.hex())
    assert [len(one.fields) for one in seen.disclosures] == [len(first), 4]
    assert set(seen.undisclosed) == set(range(1, 35)) - set(first)
    assert len(police) > len(first)


def test_the_handling_in_force_is_the_strictest_and_says_when_to_erase(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as two:
        two.connect("gb", "kh", with_clause(agreement(), "gb-kh-travelalert-border", maximum_retention_days=30))
        published = two["gb"].publish(draft(KH_BORDER, KH_POLICE))
        two.pump()
        reference = published.manifest_digest.hex()
        border, police = shown(two["kh"], "border", reference), shown(two["kh"], "police", reference)
    assert (border.handling.retention_days, police.handling.retention_days) == (30, 180)
    assert border.erase_by - border.summary.received_at == 30 * DAY
    assert list(border.handling.codes) == [handling_pb2.HANDLING_CODE_H1, handling_pb2.HANDLING_CODE_H2]


def test_what_an_entry_adds_makes_the_handling_stricter(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    published = gb.publish(draft(KH_BORDER))
    stricter = changed(builders.handling(), onward=handling_pb2.ONWARD_RULE_NONE, retention_days=7)
    gb.log_again(kh, 0, fields=published.disclosures[0].fields[:1], stricter=stricter)
    two.pump()
    seen = shown(kh, "border", published.manifest_digest.hex())
    assert (seen.handling.onward, seen.handling.retention_days) == (handling_pb2.ONWARD_RULE_NONE, 7)


def test_an_agreement_that_no_longer_verifies_permits_nothing_any_more(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    published = gb.publish(draft(KH_BORDER))
    two.pump()
    kh.ports.acquaintance.known = replace(kh.ports.known, agreements={})
    assert not shown(kh, "border", published.manifest_digest.hex()).handling.permitted_purposes


def test_it_is_confirmed_while_the_sender_says_so_and_then_reads_not_confirmed(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    reference = gb.publish(draft(KH_BORDER)).manifest_digest.hex()
    two.pump()
    seen = shown(kh, "border", reference)
    assert seen.confirmed_now
    assert seen.confirmed_at == two.clock.now_ms()
    assert not seen.summary.flags
    two.clock.pass_(5 * 60_000)
    seen = shown(kh, "border", reference)
    assert not seen.confirmed_now
    assert seen.summary.flags == ["NOT_CONFIRMED"]


def test_what_has_expired_or_is_superseded_says_so_and_is_not_confirmed(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    first = gb.publish(draft(KH_BORDER, not_after=two.clock.now_ms() + HOUR))
    gb.publish(draft(KH_BORDER, supersedes=[first.manifest_digest]))
    two.pump()
    two.clock.pass_(HOUR)
    two.pump()
    seen = shown(kh, "border", first.manifest_digest.hex())
    assert seen.summary.flags == ["SUPERSEDED", "EXPIRED"]
    assert not seen.confirmed_now
    ours = outbox.list_alerts(gb.ports, gb.person("liaison"), desk_service_pb2.ListAlertsRequest()).alerts
    assert [list(alert.flags) for alert in ours] == [[], ["SUPERSEDED", "EXPIRED"]]


def test_a_report_goes_back_over_the_reverse_log_and_shows_on_both_sides(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    published = gb.publish(draft(KH_BORDER, KH_POLICE))
    reference = published.manifest_digest.hex()
    two.pump()
    answer = kh.report(reference)
    assert not answer.problems
    assert list(answer.disclosures[0].audience) == [GB_POLICE]
    two.pump()
    assert states(gb, reference) == ["REPORTED", "RECEIPTED"]
    status = outbox.get_status(gb.ports, gb.person("liaison"), reference)
    assert list(status.disclosures[0].reports) == [answer.manifest_digest]
    assert listed(kh, "border").alerts[0].answered
    assert not listed(kh, "police").alerts[0].answered
    received = shown(gb, "police", answer.manifest_digest.hex())
    said = hit_report_pb2.HitReport.FromString(received.view)
    assert said.manifest_digest == published.manifest_digest
    assert said.outcome == hit_report_pb2.HIT_OUTCOME_REFUSED_ENTRY
    assert list(received.handling.codes) == [handling_pb2.HANDLING_CODE_H1]
    assert received.handling.onward == handling_pb2.ONWARD_RULE_NONE
    assert gb.fsck() == kh.fsck() == []


def test_the_same_report_again_is_not_a_second_one(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    reference = gb.publish(draft(KH_BORDER)).manifest_digest.hex()
    two.pump()
    answers = [kh.report(reference, request_id=b"report 16 bytes!") for _ in range(2)]
    assert answers[0] == answers[1]
    assert kh.outbound(gb).size == 1


def test_a_report_takes_another_purpose_if_the_clause_wants_one(tmp_path: Path) -> None:
    investigation = [handling_pb2.PURPOSE_INVESTIGATION]
    with federation(tmp_path, "gb", "kh") as two:
        two.connect("gb", "kh", with_clause(agreement(), "kh-gb-hitreport-police", purposes=investigation))
        reference = two["gb"].publish(draft(KH_BORDER)).manifest_digest.hex()
        two.pump()
        answer = two["kh"].report(reference)
        two.pump()
        assert not answer.problems
        assert two["gb"].fsck() == []
        received = shown(two["gb"], "police", answer.manifest_digest.hex())
        assert list(received.handling.permitted_purposes) == investigation


def test_a_report_names_the_alert_that_it_is_for_and_only_one_that_came_for_me(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    reference = gb.publish(draft(KH_POLICE)).manifest_digest.hex()
    two.pump()
    with refused(NotFound, "ALERT_NOT_FOUND"):
        kh.report(reference)
    with refused(Malformed, "REPORT_OTHER_ALERT"):
        kh.report(reference, "police", report=hit_report_pb2.HitReport(manifest_digest=bytes(32)))


def test_a_report_without_a_clause_is_refused_with_the_reason(tmp_path: Path) -> None:
    content = agreement()
    without = [clause for clause in content.clauses if clause.id != "kh-gb-hitreport-police"]
    with federation(tmp_path, "gb", "kh") as two:
        two.connect("gb", "kh", changed(content, clauses=without))
        reference = two["gb"].publish(draft(KH_BORDER)).manifest_digest.hex()
        two.pump()
        answer = two["kh"].report(reference)
    assert [problem.code for problem in answer.problems if problem.severity == desk_service_pb2.SEVERITY_ERROR] == ["AUDIENCE_NOT_AGREED"]


def test_the_states_of_a_disclosure_on_its_way(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    reference = gb.publish(draft(KH_BORDER)).manifest_digest.hex()
    assert states(gb, reference) == ["LOGGED"]
    stream = Stream(gb, kh)
    batch = stream.send()
    assert batch is not None
    assert states(gb, reference) == ["DELIVERED"]
    receipt = stream.take(batch)
    assert receipt is not None
    two.clock.pass_(1000)
    stream.settle(receipt)
    status = outbox.get_status(gb.ports, gb.person("auditor"), reference)
    assert states(gb, reference) == ["RECEIPTED"]
    assert status.disclosures[0].receipted_at == two.clock.now_ms() - 1000
    assert status.disclosures[0].disclosure.clause == "gb-kh-travelalert-border"


def test_the_originating_agency_reads_all_that_it_said_and_no_other_agency_does(two: Federation) -> None:
    gb = two["gb"]
    reference = gb.publish(draft(KH_BORDER)).manifest_digest.hex()
    mine = outbox.get_alert(gb.ports, gb.person("liaison"), reference)
    assert mine.view == encode(builders.alert())
    assert mine.handling == builders.handling()
    for operation in (outbox.get_alert, outbox.get_status):
        with refused(NotFound, "ALERT_NOT_FOUND"):
            operation(gb.ports, gb.person("both"), reference)
    assert not outbox.list_alerts(gb.ports, gb.person("both"), desk_service_pb2.ListAlertsRequest()).alerts


@pytest.mark.parametrize("name", ["auditor", "administrator", "border"])
def test_who_does_not_release_reads_no_alert_of_ours(two: Federation, name: str) -> None:
    gb = two["gb"]
    reference = gb.publish(draft(KH_BORDER)).manifest_digest.hex()
    with refused(NotPermitted, "ROLE_MISSING"):
        outbox.get_alert(gb.ports, gb.person(name), reference)
    with refused(NotPermitted, "ROLE_MISSING"):
        outbox.list_alerts(gb.ports, gb.person(name), desk_service_pb2.ListAlertsRequest())
    with refused(NotPermitted, "ROLE_MISSING"):
        prepare(gb.ports, gb.person(name), draft(KH_BORDER), "reason")


@pytest.mark.parametrize("name", ["auditor", "administrator"])
def test_who_works_no_desk_reads_no_inbox(two: Federation, name: str) -> None:
    kh = two["kh"]
    with refused(NotPermitted, "ROLE_MISSING"):
        listed(kh, name)
    with refused(NotPermitted, "ROLE_MISSING"):
        shown(kh, name, "00000000")
    with refused(NotPermitted, "ROLE_MISSING"):
        kh.report("00000000", name)


def test_a_stranger_is_told_that_the_roster_does_not_have_him(two: Federation) -> None:
    with refused(NotPermitted, "OFFICER_UNKNOWN"):
        whoami.whoami(two["gb"].ports, f"spiffe://{domain('gb')}/officer/nobody")


def test_whoami_tells_roles_and_agency(two: Federation) -> None:
    answer = whoami.whoami(two["gb"].ports, two["gb"].person("both"))
    assert list(answer.roles) == [desk_service_pb2.ROLE_LIAISON_OFFICER, desk_service_pb2.ROLE_PARTNER_OFFICER]
    assert (answer.agency, answer.trust_domain) == (agency("gb", BORDER), domain("gb"))


def test_lists_come_in_pages_newest_first(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    published = [gb.publish(draft(KH_BORDER)).alert_id for _ in range(5)]
    two.pump()
    found: list[bytes] = []
    token, sizes = "", []
    while True:
        page = listed(kh, "border", page_size=2, page_token=token)
        sizes.append(len(page.alerts))
        found += [alert.alert_id for alert in page.alerts]
        token = page.next_page_token
        if not token:
            break
    assert (found, sizes) == (published[::-1], [2, 2, 1])
    ours = outbox.list_alerts(gb.ports, gb.person("liaison"), desk_service_pb2.ListAlertsRequest(page_size=5))
    assert [alert.alert_id for alert in ours.alerts] == published[::-1]
    assert not ours.next_page_token


@pytest.mark.parametrize("token", ["x", "YWxlcnRzIDU=", "aW5ib3ggLTU=", "aW5ib3ggZml2ZQ==", "\u0e01"])
def test_a_page_token_that_this_list_did_not_give_is_refused(two: Federation, token: str) -> None:
    with refused(Malformed, "PAGE_TOKEN"):
        listed(two["kh"], "border", page_token=token)
    with refused(Malformed, "PAGE_SIZE"):
        listed(two["kh"], "border", page_size=-1)


@pytest.mark.parametrize(
    ("reference", "code"), [("1234567", "ALERT_REFERENCE"), ("xyz" * 4, "ALERT_REFERENCE"), ("0" * 65, "ALERT_REFERENCE")]
)
def test_a_reference_is_the_beginning_of_an_id(two: Federation, reference: str, code: str) -> None:
    with refused(NotFound, code):
        shown(two["kh"], "border", reference)


def test_an_ambiguous_beginning_is_refused_but_not_by_what_is_hidden(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    mine = gb.publish(draft(KH_BORDER))
    gb.publish(draft(KH_POLICE))
    two.pump()
    # Both ids begin with the same time.
    assert shown(kh, "border", mine.alert_id.hex()[:8]).summary.alert_id == mine.alert_id
    gb.publish(draft(KH_BORDER))
    two.pump()
    with refused(NotFound, "ALERT_AMBIGUOUS"):
        shown(kh, "border", mine.alert_id.hex()[:8])


def test_whoever_looks_stands_in_the_journal(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    reference = gb.publish(draft(KH_BORDER)).manifest_digest.hex()
    two.pump()
    listed(kh, "border")
    shown(kh, "border", reference)
    outbox.get_alert(gb.ports, gb.person("liaison"), reference)
    outbox.get_status(gb.ports, gb.person("auditor"), reference)
    assert kh.journal()[-2:] == [
        ("consultation", kh.person("border"), "", "INBOX"),
        ("consultation", kh.person("border"), reference, "INBOX_ALERT"),
    ]
    assert gb.journal()[-2:] == [
        ("consultation", gb.person("liaison"), reference, "ALERT"),
        ("review", gb.person("auditor"), reference, "STATUS"),
    ]


def test_an_empty_recipient_list_reaches_nobody(two: Federation) -> None:
    published = two["gb"].publish(draft())
    assert not published.disclosures
    assert two.pump() == 0


def test_the_same_request_again_gets_the_first_answer_and_releases_nothing(two: Federation) -> None:
    gb, kh = two["gb"], two["kh"]
    wanted = draft(KH_BORDER, KH_POLICE, in_reply_to=bytes(32))
    prepared = [prepare(gb.ports, gb.person("liaison"), wanted, "synthetic") for _ in range(3)]
    first, second = sequence(gb.ports, prepared[:2])
    (third,) = sequence(gb.ports, prepared[2:])
    assert first == second == third
    assert first.request_id == wanted.request_id
    assert gb.outbound(kh).size == 2
    assert gb.fsck() == []


def test_an_alert_too_large_to_be_delivered_is_refused_before_it_has_a_place_in_a_log(
    two: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "CAP_DELIVERY", 8 * 1024)
    gb, kh = two["gb"], two["kh"]
    small, large = builders.alert(), builders.alert()
    for _ in range(5):
        large.risk_narrative.add(language="en", text="synthetic " * 100)
    assert not gb.publish(draft(KH_POLICE, alert=encode(small))).problems
    assert [problem.code for problem in gb.publish(draft(KH_POLICE, alert=encode(large))).problems] == ["DELIVERY_TOO_LARGE"]
    assert gb.outbound(kh).size == 1


def test_each_draft_of_a_message_is_answered_in_its_place(two: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    gb, kh = two["gb"], two["kh"]
    monkeypatch.setattr(release, "CAP_DELIVERY", 8 * 1024)
    large = builders.alert()
    for _ in range(5):
        large.risk_narrative.add(language="en", text="synthetic " * 100)
    drafts = [
        draft(KH_POLICE),
        draft(KH_POLICE, request_id=b"short"),
        draft(agency("vn", POLICE)),
        draft(KH_POLICE, alert=encode(large)),
        draft(KH_BORDER, supersedes=[bytes(31)]),
        draft(KH_BORDER),
    ]
    answers = sequence(gb.ports, release.prepare_all(gb.ports, gb.person("liaison"), drafts, "synthetic"))
    assert [answer.request_id for answer in answers] == [wanted.request_id for wanted in drafts]
    assert [[problem.code for problem in answer.problems if problem.severity == desk_service_pb2.SEVERITY_ERROR] for answer in answers] == [
        [],
        ["REQUEST_ID"],
        ["PARTNER_UNKNOWN"],
        ["DELIVERY_TOO_LARGE"],
        ["MANIFEST_MALFORMED"],
        [],
    ]
    assert len({answer.alert_id for answer in answers if answer.alert_id}) == 2
    assert [list(answer.disclosures[0].audience) for answer in (answers[0], answers[-1])] == [[KH_POLICE], [KH_BORDER]]
    assert gb.outbound(kh).size == 2
    assert gb.fsck() == []


def test_no_reason_no_release(two: Federation) -> None:
    published = two["gb"].publish(draft(KH_BORDER), reason="  ")
    assert [problem.code for problem in published.problems if problem.severity == desk_service_pb2.SEVERITY_ERROR] == ["REASON_MISSING"]
    assert two["gb"].journal()[-1][0] == "refusal"


def test_one_recipient_that_cannot_be_told_stops_the_whole_release(two: Federation) -> None:
    published = two["gb"].publish(draft(KH_BORDER, agency("vn", POLICE)))
    assert "PARTNER_UNKNOWN" in {problem.code for problem in published.problems}
    assert two.pump() == 0
