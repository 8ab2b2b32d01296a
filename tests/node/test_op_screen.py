"""Screening at a desk: against what its agency was given and nothing else, recorded first, remembered of nobody who does not match."""

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from exchange.encoding import encode
from exchange.errors import Malformed
from exchange.journal import SALT_SIZE
from exchange.v1 import desk_service_pb2, people_pb2
from exchange.v1.journal_pb2 import JournalPersonal
from node.matching.manifest import ManifestInvalid
from node.operations import screen as screening
from node.operations.officers import NotPermitted
from node.operations.release import prepare
from node.operations.screen import MisHit, screen
from node.operations.sequence import sequence
from node.operations.watchlist import Watchlists
from node.ports import Ports
from node.store.alerts import note_supersessions
from node.store.journal import PERSONAL
from node.store.transaction import Transaction
from tests import builders
from tests.countries import BORDER, DAY, HOUR, POLICE, agency, agreement
from tests.federation import Federation, federation
from tests.recalls import LIFTING, RESTRICTION, WITHDRAWAL, corrected, recalled
from tests.rig import Office, draft

KH_BORDER, KH_POLICE = agency("kh", BORDER), agency("kh", POLICE)
HEAD = "family_name,given_names,birth_date,sex,nationality,document_number,document_issuer,service\n"
SOUGHT = "EXAMPLE,THOMAS SPECIMENMR,1961-04-12,M,GBR,X7654321,GBR,XX17\n"
INNOCENT = "BYSTANDER,QUITE UNINVOLVED,1977-08-09,F,FRA,Y1112223,FRA,XX17\n"


def ask(
    office: Office, who: str = "border", lines: str = SOUGHT, lists: Watchlists | None = None, **fields: Any
) -> desk_service_pb2.ScreenPassengersResponse:
    fields = {"manifest": (HEAD + lines).encode(), "reason": "synthetic arrival", **fields}
    hook = fields.pop("suppressed", screening.none_suppressed)
    request = desk_service_pb2.ScreenPassengersRequest(**fields)
    return screen(office.ports, office.person(who), request, lists or Watchlists(), hook)


def proposed(answer: desk_service_pb2.ScreenPassengersResponse) -> list[tuple[int, bytes]]:
    return [(proposal.place, proposal.alert.manifest_digest) for proposal in answer.proposals]


def published(two: Federation, *recipients: str, **changes: Any) -> bytes:
    answer = two["gb"].publish(draft(*recipients, **changes))
    assert not answer.problems
    two.pump()
    return answer.manifest_digest


def test_a_sought_person_is_proposed_with_reasons_and_the_others_are_not(two: Federation) -> None:
    digest = published(two, KH_BORDER)
    answer = ask(two["kh"], lines=INNOCENT + SOUGHT + INNOCENT)
    assert (answer.passengers, answer.alerts, answer.service) == (3, 1, "XX17")
    assert proposed(answer) == [(2, digest)]
    (proposal,) = answer.proposals
    assert proposal.points_tenths >= proposal.needed_tenths
    assert abs(sum(reason.tenths for reason in proposal.reasons) - proposal.points_tenths) <= len(proposal.reasons)
    assert {"NAME_SAME", "SEX", "NATIONALITY"} <= {reason.rule for reason in proposal.reasons}
    assert (proposal.family_name, proposal.birth_date, proposal.document_number) == ("EXAMPLE", "1961-04-12", "X7654321")


def test_the_originator_screens_against_its_own_alerts_too(two: Federation) -> None:
    digest = published(two, KH_BORDER)
    assert proposed(ask(two["gb"], "liaison")) == [(1, digest)]
    assert proposed(ask(two["gb"], "border")) == []  # another agency of the same country


def test_an_agency_is_never_screened_against_what_went_to_another(two: Federation) -> None:
    published(two, KH_POLICE)
    assert ask(two["kh"], "border").alerts == 0
    assert ask(two["kh"], "police").alerts == 1


@pytest.mark.parametrize("told", [True, False])
def test_only_the_fields_that_an_agency_was_given_count(two: Federation, *, told: bool) -> None:
    number = builders.alert().DESCRIPTOR.fields_by_name["birth"].number
    digest = published(two, KH_BORDER, unticked=[] if told else [number])
    elsewhere = SOUGHT.replace("1961-04-12", "1999-09-09")  # contradicts the alert, for whoever was told its birth date
    assert proposed(ask(two["kh"], lines=elsewhere)) == ([] if told else [(1, digest)])


@pytest.mark.parametrize("told", [True, False])
def test_the_flight_that_an_alert_names_is_found_on_the_list(two: Federation, *, told: bool) -> None:
    number = builders.alert().DESCRIPTOR.fields_by_name["itinerary"].number
    digest = published(two, KH_BORDER, unticked=[] if told else [number])
    leg = builders.alert().itinerary[0]
    head = HEAD.replace("service\n", "service,service_date\n")
    flown = f"{leg.service_number},{leg.arrival.local[:10]}\n"
    request = desk_service_pb2.ScreenPassengersRequest(
        manifest=(head + SOUGHT.replace("XX17\n", flown)).encode(), reason="synthetic arrival"
    )
    answer = screen(two["kh"].ports, two["kh"].person("border"), request, Watchlists())
    assert proposed(answer) == [(1, digest)]
    assert ("SERVICE" in {reason.rule for reason in answer.proposals[0].reasons}) == told


def test_screening_is_recorded_before_anything_is_shown(two: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = published(two, KH_BORDER)
    office = two["kh"]
    before = len(office.journal())
    ask(office, lines=SOUGHT + INNOCENT)
    ((kind, who, _, code),) = office.journal()[before:]
    assert (kind, who, code) == ("combination", office.person("border"), "SCREENED")
    with office.ports.store.read() as tx:
        detail = office.ports.journal.detail(tx, before, PERSONAL)
    assert detail is not None
    said = JournalPersonal.FromString(detail[SALT_SIZE:])
    assert list(said.results) == [digest]
    assert said.query == "CSV XX17: 2 travellers, 1 alerts"

    def fails(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(screening, "note_access", fails)
    with pytest.raises(OSError):  # noqa: PT011  what cannot be recorded is not shown, whatever the reason
        ask(office)


def test_nothing_of_the_list_is_kept_or_logged(
    two: Federation, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    published(two, KH_BORDER)
    office = two["kh"]
    with caplog.at_level(logging.DEBUG):
        ask(office, lines=SOUGHT + INNOCENT)
    office.close()
    said = caplog.text + "".join(capsys.readouterr())
    held = b"".join(path.read_bytes() for path in office.directory.rglob("*") if path.is_file())
    office.open()
    for word in ("BYSTANDER", "UNINVOLVED", "Y1112223", "SPECIMENMR", "X7654321"):
        assert word.encode() not in held
        assert word not in said


def test_what_has_ended_is_not_screened_against(two: Federation) -> None:
    digest = published(two, KH_BORDER)
    later = published(two, KH_BORDER, alert=encode(_renamed("MOUNTJOY")))
    office, lists = two["kh"], Watchlists()
    assert ask(office, lists=lists).alerts == 2
    with office.ports.store.write() as tx:
        note_supersessions(tx, [(digest, later)], agency("gb", POLICE))
    assert (ask(office, lists=lists).alerts, proposed(ask(office, lists=lists))) == (1, [])
    two.clock.pass_(21 * DAY)
    assert ask(office, lists=lists).alerts == 0


@pytest.mark.parametrize(("who", "office"), [("border", "kh"), ("liaison", "gb")])
def test_what_is_withdrawn_or_restricted_is_not_screened_against(two: Federation, who: str, office: str) -> None:
    digest, lists = published(two, KH_BORDER), Watchlists()

    def found() -> list[tuple[int, bytes]]:
        return proposed(ask(two[office], who, lists=lists))

    assert found() == [(1, digest)]
    for kind, left in ((RESTRICTION, []), (LIFTING, [(1, digest)]), (WITHDRAWAL, [])):
        recalled(two["gb"], digest, kind)
        two.pump()
        assert found() == left


def test_what_was_replaced_is_screened_against_as_it_is_now(two: Federation) -> None:
    digest, lists = published(two, KH_BORDER), Watchlists()
    assert proposed(ask(two["kh"], lists=lists)) == [(1, digest)]
    later = corrected(two["gb"], digest, wrong=[11]).replacement.manifest_digest
    two.pump()
    assert proposed(ask(two["kh"], lists=lists)) == [(1, later)]
    assert proposed(ask(two["gb"], "liaison")) == [(1, later)]


def test_what_is_disputed_is_screened_against_and_flagged(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as two:
        two.connect("gb", "kh", agreement(valid_until=two.clock.now_ms() + HOUR))
        digest, lists = published(two, KH_BORDER), Watchlists()
        ask(two["kh"], lists=lists)
        two.clock.pass_(2 * HOUR)  # the agreement has ended: only the correction goes
        assert list(corrected(two["gb"], digest).not_admitted) == [KH_BORDER]
        two.pump()
        for answer in (ask(two["kh"], lists=lists), ask(two["kh"]), ask(two["gb"], "liaison")):
            (proposal,) = answer.proposals
            assert proposal.alert.manifest_digest == digest
            assert "DISPUTED" in proposal.alert.flags


def test_what_was_replaced_for_others_is_disputed_to_whom_it_was_not(tmp_path: Path) -> None:
    with federation(tmp_path, "gb", "kh") as two:
        two.connect("gb", "kh", agreement(valid_until=two.clock.now_ms() + HOUR))
        kh, police, border = two["kh"], Watchlists(), Watchlists()
        digest = published(two, KH_BORDER, KH_POLICE)
        assert proposed(ask(kh, "police", lists=police)) == proposed(ask(kh, "border", lists=border)) == [(1, digest)]
        without = [clause for clause in agreement().clauses if clause.id != "gb-kh-travelalert-police"]
        later = agreement(valid_from=two.clock.now_ms(), proposed_at=two.clock.now_ms())
        del later.clauses[:]
        later.clauses.extend(without)
        two.connect("gb", "kh", later)
        two.clock.pass_(2 * HOUR)
        replacement = corrected(two["gb"], digest).replacement.manifest_digest
        two.pump()
        assert proposed(ask(kh, "border", lists=border)) == [(1, replacement)]
        (proposal,) = ask(kh, "police", lists=police).proposals
        assert proposal.alert.manifest_digest == digest
        assert "DISPUTED" in proposal.alert.flags


def test_what_comes_later_is_taken_in_without_reading_the_rest_again(two: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    office, lists = two["kh"], Watchlists()
    published(two, KH_BORDER, alert=encode(_renamed("MOUNTJOY")))
    assert proposed(ask(office, lists=lists)) == []
    read: list[int] = []
    whole = office.ports.vault.unwrap

    def counted(tx: Transaction, period: str, wrapped: bytes | None) -> Any:
        read.append(1)
        return whole(tx, period, wrapped)

    monkeypatch.setattr(office.ports.vault, "unwrap", counted)
    digest = published(two, KH_BORDER)
    read.clear()
    assert ask(office, lines=INNOCENT, lists=lists).alerts == 2
    assert len(read) == 1
    assert proposed(ask(office, lists=lists)) == [(1, digest)]


def test_a_mis_hit_that_an_officer_named_is_not_raised_again(two: Federation) -> None:
    digest = published(two, KH_BORDER)
    asked: list[MisHit] = []

    def suppressed(_ports: Ports, _tx: Transaction, hits: Iterable[MisHit]) -> set[MisHit]:
        asked.extend(hits)
        return {hit for hit in asked if hit[2] == "X7654321"}

    answer = ask(two["kh"], suppressed=suppressed)
    assert asked == [(digest, "GBR", "X7654321")]
    assert (proposed(answer), answer.known_mis_hits) == ([], 1)
    assert len(ask(two["kh"], lines=SOUGHT.replace("X7654321", "X7654322"), suppressed=suppressed).proposals) == 1


def test_a_document_that_the_alert_names_is_never_kept_quiet(two: Federation) -> None:
    digest = published(two, KH_BORDER)
    theirs = SOUGHT.replace("X7654321", "925076473")

    def suppressed(_ports: Ports, _tx: Transaction, hits: Iterable[MisHit]) -> set[MisHit]:
        return set(hits)

    answer = ask(two["kh"], lines=SOUGHT + theirs, suppressed=suppressed)
    assert (proposed(answer), answer.known_mis_hits) == ([(2, digest)], 1)


def test_alerts_that_tell_of_no_person_do_not_count(two: Federation) -> None:
    digest = published(two, KH_BORDER)
    two["kh"].report(digest.hex())
    two.pump()
    assert ask(two["gb"], "police").alerts == 1  # the alert, and not the report on it


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"reason": " "}, "SCREEN_REASON"),
        ({"reason": "x" * 501}, "SCREEN_REASON"),
        ({"format": 9}, "MANIFEST_FORMAT"),
        ({"format": desk_service_pb2.MANIFEST_FORMAT_PAXLST}, "EDIFACT_BEGINNING"),
        ({"manifest": b"UNB+UNOA:4+"}, "EDIFACT_UNFINISHED"),
        ({"manifest": b"passport\n1"}, "CSV_COLUMN"),
    ],
)
def test_what_cannot_be_screened_is_refused_and_changes_nothing(two: Federation, fields: dict[str, Any], code: str) -> None:
    office = two["kh"]
    before = office.journal()
    with pytest.raises(Malformed) as error:
        ask(office, **fields)
    assert error.value.code == code
    assert office.journal() == before


def test_the_format_is_told_from_the_beginning(two: Federation) -> None:
    digest = published(two, KH_BORDER)
    head = b"UNA:+.? 'UNB+UNOA:4+A+B+1'UNH+1+PAXLST:D:02B'TDT+20+XX17'"
    paxlst = head + b"NAD+FL+++EXAMPLE:THOMAS:SPECIMEN'ATT+2++M'DTM+329:610412'UNT+1+1'UNZ+1+1'"
    answer = ask(two["kh"], manifest=paxlst)
    assert (answer.format, proposed(answer)) == (desk_service_pb2.MANIFEST_FORMAT_PAXLST, [(1, digest)])


def test_nobody_s_name_makes_a_list_of_columns_an_interchange(two: Federation) -> None:
    digest = published(two, KH_BORDER)
    for name in ("LUNA", "UNA", "UNANUE", "UNB"):
        answer = ask(two["kh"], lines=f"{name},,,,,,,\n" + SOUGHT)
        assert (answer.format, proposed(answer)) == (desk_service_pb2.MANIFEST_FORMAT_CSV, [(2, digest)])


def test_only_a_desk_screens(two: Federation) -> None:
    for who in ("auditor", "administrator"):
        with pytest.raises(NotPermitted) as error:
            ask(two["kh"], who)
        assert error.value.code == "ROLE_MISSING"


def test_one_answer_holds_so_many_proposals_and_counts_the_others(two: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    published(two, KH_BORDER)
    monkeypatch.setattr(screening, "PROPOSALS_AT_MOST", 2)
    answer = ask(two["kh"], lines=SOUGHT * 5)
    assert (len(answer.proposals), answer.left_off) == (2, 3)


def test_a_list_that_is_refused_echoes_nobody(two: Federation) -> None:
    with pytest.raises(ManifestInvalid) as error:
        ask(two["kh"], manifest=b"family_name\nSECRETNAME,extra")
    assert "SECRETNAME" not in str(error.value)


def test_content_is_held_sealed_on_disk_while_the_watchlist_has_it(two: Federation) -> None:
    published(two, KH_BORDER)
    lists = Watchlists()
    ask(two["kh"], lists=lists)
    with two["kh"].ports.store.read() as tx:
        tables = tx.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars().all()
    assert not [name for name in tables if "screen" in name or "watch" in name]


def _renamed(family: str) -> Any:
    content = builders.alert()
    content.primary_name.CopyFrom(people_pb2.PersonName(family=family, given="Octavius", script="Latn"))
    del content.names[:]
    del content.documents[:]
    return content


def test_a_release_through_the_sequencer_reaches_the_watchlist(two: Federation) -> None:
    gb = two["gb"]
    (done,) = sequence(gb.ports, [prepare(gb.ports, gb.person("liaison"), draft(KH_BORDER), "synthetic reason")])
    two.pump()
    assert proposed(ask(two["kh"])) == [(1, done.manifest_digest)]
