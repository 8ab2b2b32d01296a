"""National clauses as a file: what it says is what is decided, and whatever is wrong in it is told with its place."""

import tomllib
from pathlib import Path

import pytest

from exchange.agreement import Allowed, Denied, Request
from exchange.errors import Malformed, NotFound
from exchange.profile import alert_type
from exchange.v1 import handling_pb2
from exchange.values import PartyId
from node.app import national_of
from node.config import AgencyEntry, load_config
from node.national.clauses import NationalClauses
from node.national.file import load_national
from tests.countries import BORDER, NGO, NOW, POLICE, TRAVEL, agency, domain
from tests.inside import FILE, clauses, entries
from tests.node.fake_desk import set_up
from tests.refusals import refused

ROOT = Path(__file__).parents[2]
KH_BORDER, KH_POLICE, KH_NGO = agency("kh", BORDER), agency("kh", POLICE), agency("kh", NGO)


def wrong(text: str) -> str:
    with pytest.raises(Malformed) as raised:
        clauses(text)
    assert raised.value.code == "NATIONAL_INVALID"
    return str(raised.value)


def question(to: str, **changes: object) -> Request:
    values: dict[str, object] = {
        "sender": domain("kh"),
        "recipient": domain("kh"),
        "agency": to,
        "alert_type": TRAVEL,
        "purpose": handling_pb2.PURPOSE_PREVENTION,
        "fields": alert_type(TRAVEL).profile,
        "at": NOW,
    }
    return Request(**values | changes)  # type: ignore[arg-type]  # named by each test


def test_a_clause_decides_for_its_desk_class_and_agencies() -> None:
    rules = clauses()
    decision = rules.decide(KH_POLICE, question(KH_BORDER))
    assert isinstance(decision, Allowed)
    assert (decision.clause.id, decision.agreement) == ("police-border", rules.digest)
    assert rules.decide(KH_BORDER, question(KH_NGO)) == Denied(reasons=("CLAUSE_NONE",))
    only = clauses(FILE.replace('agencies = ["spiffe://kh.alerts.example/agency/child-helpline"]\n', ""))
    assert isinstance(only.decide(KH_POLICE, question(KH_NGO)), Allowed), "every agency of the class"
    assert rules.decide(KH_POLICE, question("spiffe://kh.alerts.example/agency/x")) == Denied(reasons=("AUDIENCE_UNKNOWN",))
    assert rules.decide(KH_POLICE, question(agency("gb", BORDER))) == Denied(reasons=("AUDIENCE_UNKNOWN",))


def test_clauses_are_asked_in_the_order_of_their_ids() -> None:
    second = FILE[FILE.index("[[clauses]]") : FILE.index("[[clauses]]", FILE.index("police-border"))]
    rules = clauses(FILE + second.replace("police-border", "a-first"))
    decision = rules.decide(KH_POLICE, question(KH_BORDER))
    assert isinstance(decision, Allowed)
    assert decision.clause.id == "a-first"
    assert rules.on_request("police-border") == {6, 24}
    assert not rules.on_request("gone")


def test_a_named_agency_may_have_clauses_of_its_own() -> None:
    provincial = AgencyEntry(id=PartyId.parse("spiffe://kh.alerts.example/agency/siem-reap"), name="Provincial desk", agency_class="POLICE")
    text = FILE.replace('audience = "NGO"', 'audience = "POLICE"').replace("agency/child-helpline", "agency/siem-reap")
    rules = load_national(text, domain("kh"), [*entries(), provincial])
    assert isinstance(rules.decide(KH_POLICE, question(str(provincial.id))), Allowed)
    other = AgencyEntry(id=PartyId.parse("spiffe://kh.alerts.example/agency/kep"), name="Another", agency_class="POLICE")
    rules = load_national(text, domain("kh"), [*entries(), provincial, other])
    assert rules.decide(KH_POLICE, question(str(other.id))) == Denied(reasons=("AUDIENCE_NOT_AGREED",))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('instrument = "Example order"', "", "instrument: this is missing"),
        ("valid_from = 2026-01-01T00:00:00Z", "", "valid_from: this is missing"),
        ("2027-01-01", "2025-01-01", "valid_until: the clauses end before they begin"),
        ("instrument =", "instrumend =", "instrumend: there is no field of this name here"),
        ("police-ngo", "police-border", "clauses[1].id: two clauses have this id"),
        ('id = "police-ngo"', 'id = "Police NGO"', "clauses[1].id:"),
        ("agency/anti-trafficking", "agency/nobody", "clauses[0].desk: this is no agency of this node"),
        ('desk = "spiffe://kh.alerts.example/agency/anti-trafficking"\naudience = "NGO"', 'audience = "NGO"', "clauses[1].desk:"),
        ("agency/child-helpline", "agency/immigration", "clauses[1].agencies: an agency here is of another class"),
        ("agency/child-helpline", "agency/nobody", "clauses[1].agencies[0]: this is no agency of this node"),
        ('audience = "NGO"', "", "clauses[1].audience: this is missing"),
        ('audience = "NGO"', 'audience = "CLUB"', "clauses[1].audience:"),
        ('alert_type = "TravelAlert"', 'alert_type = "Gossip"', "clauses[0].alert_type: no such type of alert"),
        ('alert_type = "TravelAlert"', 'alert_type = "Withdrawal"', "clauses[0].alert_type: this type needs no clause"),
        ('"birth"', '"berth"', "clauses[0].permitted[0]: there is no field of this name"),
        ('"birth"', '"primary_name"', "clauses[0]: a field stands in more than one list"),
        ('permitted = ["destination_area"]', "", "clauses[1]: the clause permits no field at all"),
        ("maximum_retention_days = 10", "", "clauses[1].maximum_retention_days:"),
        ('purposes = ["PREVENTION", "CHILD_SAFEGUARDING"]', "purposes = []", "clauses[1].purposes:"),
        (
            "maximum_retention_days = 10",
            "maximum_retention_days = 10\napprovals = 1",
            "clauses[1].approvals: this belongs into",
        ),
        ("maximum_retention_days = 10", "maximum_retention_days = 10\nxx = 1", "clauses[1].xx:"),
        ("maximum_retention_days = 10", 'maximum_retention_days = 10\nsender = "x.example"', "clauses[1].sender:"),
        (FILE[FILE.index("[[clauses]]") :], "", "clauses: there is no clause"),
        ("valid_until", "valid_until = = ", "line 4 is not TOML"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(before: str, after: str, said: str) -> None:
    assert before in FILE
    assert said in wrong(FILE.replace(before, after))


def test_everything_that_is_wrong_is_told_at_once() -> None:
    assert len(wrong("[[clauses]]\n[[clauses]]\n").splitlines()) > 8


def test_without_a_file_nobody_is_told() -> None:
    assert NationalClauses().decide(KH_POLICE, question(KH_BORDER)) == Denied(reasons=("NATIONAL_NONE",))


@pytest.mark.parametrize("country", ["gb", "kh"])
def test_the_examples_are_well_formed_and_name_agencies_that_exist(country: str) -> None:
    plan = tomllib.loads((ROOT / "certs-example/agencies.toml").read_text("utf-8"))
    (found,) = (one for one in plan["countries"] if one["code"] == country.upper())
    known = [
        AgencyEntry(
            id=PartyId(trust_domain=found["trust_domain"], path=f"/agency/{one['slug']}"), name=one["name"], agency_class=one["class"]
        )
        for one in found["agencies"]
    ]
    rules = load_national((ROOT / f"policies/{country}/national.toml").read_text("utf-8"), found["trust_domain"], known)
    assert rules.clauses
    assert all(one.terms.clause.maximum_retention_days <= 365 for one in rules.clauses)


def test_a_node_starts_only_with_clauses_that_it_can_read(tmp_path: Path) -> None:
    set_up(tmp_path / "kh", "KH")
    (path,) = (tmp_path / "kh").glob("node.toml")
    assert national_of(load_config(path, {})) == NationalClauses()
    path.write_text(path.read_text("utf-8") + '\n[national]\nclauses = "national.toml"\n', "utf-8")
    config = load_config(path, {})
    with refused(NotFound, "NATIONAL_ABSENT"):
        national_of(config)
    national = path.parent / "national.toml"
    national.write_text((ROOT / "policies/kh/national.toml").read_text("utf-8"), "utf-8")
    assert national_of(config).clauses
    national.write_bytes(b"\xff\xfe")
    with refused(NotFound, "NATIONAL_ABSENT"):
        national_of(config)
    national.write_text("x = 1", "utf-8")
    with refused(Malformed, "NATIONAL_INVALID"):
        national_of(config)
