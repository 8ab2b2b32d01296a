"""What differs between two agreements: each change is found once, told as what it is, and nothing is told where nothing changed."""

from typing import Any

from exchange.v1 import agreement_pb2, desk_service_pb2, handling_pb2
from node.agreement_changes import CONDITIONS, MARKS, TERMS, Detail, Route, What, changes, marks, version_before
from node.console.agreement_view import CHANGES_SHOWN, changes_shown, directions, matrices
from node.console.languages import load_languages
from tests.countries import BORDER, DAY, HIT, POLICE, TRAVEL, agency, agreement, changed, domain

GB, KH = domain("gb"), domain("kh")
ENGLISH = load_languages()["en"]


def edited(edit: Any) -> agreement_pb2.Agreement:
    copy = changed(agreement())
    edit(copy)
    return copy


def test_the_same_agreement_has_no_changes() -> None:
    assert changes(agreement(), agreement()) == []
    assert changes(agreement(), changed(agreement(), proposed_at=1, version=1)) == []


def test_every_field_of_an_agreement_and_of_a_clause_is_compared() -> None:
    compared = {*TERMS, "parties", "agencies", "clauses", "version", "proposed_at", "emergency_ground"}
    assert {field.name for field in agreement_pb2.Agreement.DESCRIPTOR.fields} == compared
    of_a_clause = {"id", "sender", "recipient", "audience", "alert_type", "required", "permitted", "on_request", *CONDITIONS}
    assert {field.name for field in agreement_pb2.Clause.DESCRIPTOR.fields} == of_a_clause


def test_terms_parties_and_agencies() -> None:
    def edit(content: agreement_pb2.Agreement) -> None:
        content.instrument = "another"
        content.valid_until += DAY
        content.parties[1].legal_basis = "Another Act"
        content.agencies[0].agency_class = agreement_pb2.AGENCY_CLASS_SOCIAL
        del content.agencies[1]
        content.agencies.add(agency=f"spiffe://{KH}/agency/new", agency_class=agreement_pb2.AGENCY_CLASS_POLICE)

    old, new = agreement(), edited(edit)
    gone, came = old.agencies[1].agency, f"spiffe://{KH}/agency/new"
    found = changes(old, new)
    assert [(one.what, one.term or one.party) for one in found[:3]] == [
        (What.CHANGED, "instrument"),
        (What.CHANGED, "valid_until"),
        (What.CHANGED, KH),
    ]
    assert (found[2].before, found[2].now) == ("Example Act, section 1", "Another Act")
    assert {one.party: one.what for one in found[3:]} == {
        old.agencies[0].agency: What.CHANGED,
        gone: What.REMOVED,
        came: What.ADDED,
    }


def clause_of(content: agreement_pb2.Agreement, audience: int, kind: str = TRAVEL) -> agreement_pb2.Clause:
    return next(one for one in content.clauses if (one.sender, one.audience, one.alert_type) == (GB, audience, kind))


def test_marks_and_conditions_of_a_clause() -> None:
    def edit(content: agreement_pb2.Agreement) -> None:
        one = clause_of(content, POLICE)
        one.id = "a-new-name"  # the same clause all the same
        moved = one.permitted.pop(0)
        one.on_request.append(moved)
        one.maximum_retention_days = 30
        del one.purposes[0]

    old, new = agreement(), edited(edit)
    moved = clause_of(old, POLICE).permitted[0]
    (one,) = changes(old, new)
    assert (one.what, one.route) == (What.CHANGED, Route(GB, KH, TRAVEL, POLICE, 0))
    (field,) = one.fields
    assert (field.before, field.now) == ("permitted", "on_request")
    assert field.name in marks(clause_of(old, POLICE))
    assert [detail.name for detail in one.conditions] == ["purposes", "maximum_retention_days"]
    assert one.conditions[1] == Detail(name="maximum_retention_days", before=365, now=30)
    assert moved in clause_of(new, POLICE).on_request


def test_the_order_of_purposes_is_no_change() -> None:
    def edit(content: agreement_pb2.Agreement) -> None:
        said = list(reversed(clause_of(content, POLICE).purposes))
        del clause_of(content, POLICE).purposes[:]
        clause_of(content, POLICE).purposes.extend(said)

    assert changes(agreement(), edited(edit)) == []


def test_clauses_that_came_and_went() -> None:
    def edit(content: agreement_pb2.Agreement) -> None:
        content.clauses.remove(clause_of(content, POLICE))
        second = changed(clause_of(content, BORDER), id="zz-second", maximum_retention_days=1)
        content.clauses.append(second)

    found = {one.route: one for one in changes(agreement(), edited(edit))}
    gone, came = found[Route(GB, KH, TRAVEL, POLICE, 0)], found[Route(GB, KH, TRAVEL, BORDER, 1)]
    assert (gone.what, came.what, len(found)) == (What.REMOVED, What.ADDED, 2)
    assert {field.now for field in gone.fields} == {"forbidden"}
    assert {field.before for field in came.fields} == {"forbidden"}


def test_what_this_version_does_not_know_is_told_by_its_number() -> None:
    unknown = agreement_pb2.Clause(alert_type="exchange.v9.NewAlert", required=[7], permitted=[8])
    assert marks(unknown) == {"field_7": "required", "field_8": "permitted"}
    assert set(marks(clause_of(agreement(), BORDER)).values()) <= set(MARKS)


def shown(old: agreement_pb2.Agreement, new: agreement_pb2.Agreement) -> list[tuple[str, str, list[tuple[str, str, str]]]]:
    found, left_off = changes_shown(old, new, ENGLISH, "UTC")
    assert left_off == 0
    return [(one.what, one.subject, list(one.rows)) for one in found]


def test_changes_in_words() -> None:
    def edit(content: agreement_pb2.Agreement) -> None:
        content.emergency = True
        one = clause_of(content, POLICE)
        one.onward = handling_pb2.ONWARD_RULE_NONE
        one.transfer_conditions.append(agreement_pb2.TRANSFER_CONDITION_ASSESSMENT)
        one.required.append(one.permitted.pop(0))
        content.clauses.remove(clause_of(content, BORDER, HIT))
        content.agencies[0].agency_class = agreement_pb2.AGENCY_CLASS_SOCIAL

    old = agreement()
    rows = shown(old, edited(edit))
    assert ("Changed", "For an emergency", [("", "no", "yes")]) in rows
    assert any(what == "Changed" and row[0][2] == "social services" for what, _, row in rows)
    (police,) = [row for what, subject, row in rows if subject == f"Travel alert, from {GB} to {KH}: police"]
    assert ("passing on", "only with leave", "not allowed") in police
    assert ("conditions of transfer", "–", "transfer assessment") in police
    assert any(row[1:] == ("sent unless left out", "always sent") for row in police)
    ((what, subject, gone),) = [one for one in rows if one[0] == "Taken away"]
    assert subject == f"Hit report, from {GB} to {KH}: border agencies"
    assert [(name, now) for name, _, now in gone] == [
        (name, "") for name in ("always sent", "sent unless left out", "only with a reason")[: len(gone)]
    ]
    assert all(before for _, before, _ in gone)
    back = [row for what, _, row in shown(edited(edit), old) if what == "Added"]
    assert [(name, "", before) for name, before, _ in gone] == back[0]
    assert what == "Taken away"


def test_a_page_tells_so_many_changes_and_how_many_more() -> None:
    new = changed(agreement())
    for number in range(CHANGES_SHOWN + 5):
        new.agencies.add(agency=f"spiffe://{KH}/agency/n{number}", agency_class=agreement_pb2.AGENCY_CLASS_POLICE)
    found, left_off = changes_shown(agreement(), new, ENGLISH, "UTC")
    assert (len(found), left_off) == (CHANGES_SHOWN, 5)


def test_tables_by_direction_and_type() -> None:
    ways = directions(agreement(), ENGLISH)
    assert {(way.sender, way.recipient, way.kind) for way in ways} == {
        (sender, recipient, kind) for sender, recipient in ((GB, KH), (KH, GB)) for kind in ("TravelAlert", "HitReport")
    }
    tables = matrices(agreement(), "TravelAlert", ENGLISH)
    assert [(one.sender, one.recipient) for one in tables] == [(GB, KH), (KH, GB)]
    one = tables[0]
    place = next(place for place, column in enumerate(one.columns) if column.audience == "police")
    assert one.columns[place].agencies == [agency("kh", POLICE)]
    assert ("Kept, days at most", "365") in one.columns[place].conditions
    said = {label: row[place] for _, rows in one.categories for label, row in rows}
    assert said["Name as in the document"] == "required"
    assert len(said) == len(marks(clause_of(agreement(), POLICE)))
    assert matrices(agreement(), "Tip", ENGLISH) == []


def summary(number: int, state: int = desk_service_pb2.AGREEMENT_STATE_ACCEPTED, **changes_: Any) -> desk_service_pb2.AgreementSummary:
    kind = desk_service_pb2.AgreementState.ValueType(state)
    return desk_service_pb2.AgreementSummary(digest=bytes([number]) * 32, state=kind, agreement=changed(agreement(), **changes_))


def test_the_version_before_is_the_newest_that_was_accepted() -> None:
    offered = desk_service_pb2.AGREEMENT_STATE_OFFERED
    first, refused, other = (
        summary(1),
        summary(2, offered),
        desk_service_pb2.AgreementSummary(digest=b"3" * 32, agreement=agreement("gb", "vn")),
    )
    need, last = summary(4, emergency=True), summary(5, offered)
    everything = [first, refused, other, need, last]
    assert version_before(everything, last) == first
    assert version_before([refused, last], last) == refused
    assert version_before(everything, first) is None
    assert version_before(everything, need) is None
    assert version_before(everything, other) is None
