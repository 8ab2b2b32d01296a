"""A country's policy pack decides, as data: read strictly, signed, and changed without a line of Python."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.errors import Malformed, NotFound, Refused, Unverified
from exchange.log import raw_key
from exchange.tlog.note import NoteVerifier, sign_note
from exchange.v1 import agreement_pb2, desk_service_pb2
from exchange.v1.assessment_pb2 import TransferAssessment
from node.operations import assess, preview
from node.policy.gate import Assessment, Obstacle, Passed, Transfer, pass_gate
from node.policy.pack import PolicyPack, open_pack, read_pack
from node.store.journal import Kind
from tests.countries import BORDER, DAY, NGO, NOW, POLICE, agency, agreement, domain, key, with_clause
from tests.federation import Federation, federation
from tests.recalls import recalled, replaced, supplemented
from tests.refusals import refused
from tests.rig import Office, draft

ROOT = Path(__file__).resolve().parents[2]
PACKS = sorted((ROOT / "policies").glob("*/transfers.toml"))
KH_BORDER, KH_POLICE = agency("kh", BORDER), agency("kh", POLICE)
TEXT = b"""
policy = "xx-transfers"
version = 3
country = "GB"
issued_by = "Example authority"
valid_from = 2020-01-01T00:00:00Z
valid_until = 2100-01-01T00:00:00Z

[countries]
"kh.alerts.example" = "KH"

[[rules]]
id = "assessment"
law = "Example Act, s. 1"
needs = ["ASSESSMENT"]
"""


def pack(more: str = "", **changes: object) -> PolicyPack:
    return replace(read_pack(TEXT + more.encode()), **changes)


def transfer(**changes: object) -> Transfer:
    plain = Transfer(
        destination="kh.alerts.example",
        recipient=KH_BORDER,
        agency_class=BORDER,
        alert_type="TravelAlert",
        purpose=1,
        offence_classes=frozenset({1}),
        categories=frozenset({"IDENTITY", "TRAVEL"}),
    )
    return replace(plain, **changes)


def assessment(**changes: object) -> Assessment:
    plain = Assessment(
        digest=bytes(32),
        destination="kh.alerts.example",
        recipients=frozenset(),
        states=frozenset(),
        policy="xx-transfers version 3",
        assessed_at=NOW - DAY,
        review_by=NOW + DAY,
    )
    return replace(plain, **changes)


def codes(outcome: Passed | tuple[Obstacle, ...]) -> list[str]:
    return [] if isinstance(outcome, Passed) else [obstacle.code for obstacle in outcome]


@pytest.mark.parametrize("path", PACKS, ids=lambda path: path.parent.name)
def test_the_packs_that_come_with_it_can_be_read(path: Path) -> None:
    read = read_pack(path.read_bytes())
    assert read.rules
    assert len(read.countries) >= 9
    assert all(rule.law for rule in read.rules)


def test_there_is_a_pack_for_the_united_kingdom_cambodia_and_an_eu_country() -> None:
    assert {path.parent.name for path in PACKS} == {"gb", "kh", "eu"}


WRONG: dict[str, tuple[bytes, bytes]] = {
    "not TOML": (b"policy = ", b"policy : "),
    "not UTF-8": (b"Example authority", b"\xff"),
    "an unknown key": (b"version = 3", b"version = 3\nnote = 'x'"),
    "an unknown key of a rule": (b'needs = ["ASSESSMENT"]', b'needs = ["ASSESSMENT"]\nunless = "urgent"'),
    "an unknown need": (b'["ASSESSMENT"]', b'["ASSESMENT"]'),
    "a need twice": (b'["ASSESSMENT"]', b'["ASSESSMENT", "ASSESSMENT"]'),
    "a rule that asks for nothing": (b'needs = ["ASSESSMENT"]', b""),
    "a rule without law": (b'law = "Example Act, s. 1"', b'law = " "'),
    "an unknown class": (b'needs = ["ASSESSMENT"]', b'needs = ["ASSESSMENT"]\nclasses = ["ARMY"]'),
    "an unknown category": (b'needs = ["ASSESSMENT"]', b'withholds = ["SECRET"]'),
    "a destination that is no country": (b'needs = ["ASSESSMENT"]', b'needs = ["ASSESSMENT"]\ndestinations = ["Kh"]'),
    "a version of 0": (b"version = 3", b"version = 0"),
    "a version that is true": (b"version = 3", b"version = true"),
    "a time without a zone": (b"valid_from = 2020-01-01T00:00:00Z", b"valid_from = 2020-01-01T00:00:00"),
    "an end before the beginning": (b"valid_until = 2100", b"valid_until = 2019"),
    "a country of three letters": (b'country = "GB"', b'country = "GBR"'),
    "a node that is none": (b'"kh.alerts.example" = "KH"', b'"Phnom Penh" = "KH"'),
    "no countries": (b'[countries]\n"kh.alerts.example" = "KH"', b""),
    "no rules": (TEXT[TEXT.index(b"[[rules]]") :], b"rules = []"),
    "two rules of one id": (TEXT[TEXT.index(b"[[rules]]") :], TEXT[TEXT.index(b"[[rules]]") :] * 2),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_pack_that_is_not_understood_whole_is_not_used(case: str) -> None:
    before, after = WRONG[case]
    assert before in TEXT
    with refused(Malformed, "POLICY_MALFORMED"):
        read_pack(TEXT.replace(before, after))


def test_a_pack_is_signed_by_the_authority_that_the_node_names() -> None:
    signer = key("gb", "identity")
    verifier = NoteVerifier(name="gb.alerts.example/policy", public_key=raw_key(signer.spki))
    note = sign_note(TEXT, verifier.name, verifier.public_key, signer.sign)
    assert open_pack(note, verifier, "GB") == read_pack(TEXT)
    with refused(Refused, "POLICY_COUNTRY"):
        open_pack(note, verifier, "KH")
    for wrong in (TEXT, note.replace(b"version = 3", b"version = 4"), b""):
        with refused(Unverified, "POLICY_SIGNATURE"):
            open_pack(wrong, verifier, "GB")
    with refused(Malformed, "POLICY_MALFORMED"):
        open_pack(note + b"\n" * 300_000, verifier, "GB")


def test_nothing_goes_without_an_assessment_in_force() -> None:
    assert codes(pass_gate(pack(), transfer(), [], NOW)) == ["ASSESSMENT_MISSING"]
    good = assessment()
    assert pass_gate(pack(), transfer(), [good], NOW) == Passed(assessment=good)
    assert codes(pass_gate(pack(), transfer(), [assessment(review_by=NOW)], NOW)) == ["ASSESSMENT_EXPIRED"]
    assert codes(pass_gate(pack(), transfer(), [assessment(destination="vn.alerts.example")], NOW)) == ["ASSESSMENT_MISSING"]
    assert codes(pass_gate(pack(), transfer(), [assessment(recipients=frozenset({KH_POLICE}))], NOW)) == ["ASSESSMENT_MISSING"]
    assert codes(pass_gate(pack(), transfer(), [assessment(recipients=frozenset({KH_BORDER}))], NOW)) == []


def test_the_assessment_that_was_made_last_counts() -> None:
    earlier, later = assessment(), assessment(digest=b"\1" * 32, assessed_at=NOW)
    for order in ([earlier, later], [later, earlier]):
        assert pass_gate(pack(), transfer(), order, NOW) == Passed(assessment=later)


def test_an_expired_pack_blocks_and_says_so() -> None:
    outcome = pass_gate(pack(valid_until=NOW), transfer(), [assessment()], NOW)
    assert not isinstance(outcome, Passed)
    assert [(obstacle.code, obstacle.detail) for obstacle in outcome] == [("POLICY_EXPIRED", "xx-transfers version 3")]
    assert codes(pass_gate(pack(valid_from=NOW + 1), transfer(), [assessment()], NOW)) == ["POLICY_NOT_YET"]


def test_to_a_node_of_which_the_pack_knows_no_country_nothing_goes() -> None:
    assert codes(pass_gate(pack(), transfer(destination="vn.alerts.example"), [assessment()], NOW)) == ["DESTINATION_UNKNOWN"]


DEATH_PENALTY = """
[[rules]]
id = "capital-punishment"
law = "Elgizouli [2020] UKSC 10"
destinations = ["KH"]
offence_classes = ["CONTACT_ABUSE"]
needs = ["DEATH_PENALTY_ASSURANCE"]
"""


def test_a_rule_asks_only_where_all_its_conditions_hold() -> None:
    strict = pack(DEATH_PENALTY)
    outcome = pass_gate(strict, transfer(), [assessment()], NOW)
    assert not isinstance(outcome, Passed)
    assert [(obstacle.code, obstacle.rule, obstacle.detail) for obstacle in outcome] == [
        ("ASSESSMENT_INCOMPLETE", "capital-punishment", "DEATH_PENALTY_ASSURANCE")
    ]
    assured = assessment(states=frozenset({"DEATH_PENALTY_ASSURANCE"}))
    assert codes(pass_gate(strict, transfer(), [assured], NOW)) == []
    assert codes(pass_gate(strict, transfer(offence_classes=frozenset({6})), [assessment()], NOW)) == []
    elsewhere = replace(strict, countries={"kh.alerts.example": "LA"})
    assert codes(pass_gate(elsewhere, transfer(), [assessment()], NOW)) == []


@pytest.mark.parametrize(
    ("condition", "other"),
    [
        ('classes = ["BORDER"]', {"agency_class": POLICE}),
        ('alert_types = ["TravelAlert"]', {"alert_type": "HitReport"}),
        ('purposes = ["PREVENTION"]', {"purpose": 4}),
        ('categories = ["TRAVEL"]', {"categories": frozenset({"IDENTITY"})}),
    ],
)
def test_each_condition_of_a_rule_counts(condition: str, other: dict[str, object]) -> None:
    more = f'[[rules]]\nid = "more"\nlaw = "Example Act, s. 2"\n{condition}\nneeds = ["JUDICIAL_AUTHORISATION"]\n'
    assert codes(pass_gate(pack(more), transfer(), [assessment()], NOW)) == ["ASSESSMENT_INCOMPLETE"]
    assert codes(pass_gate(pack(more), transfer(**other), [assessment()], NOW)) == []


def test_no_assessment_opens_a_category_that_the_law_withholds_from_a_charity() -> None:
    more = '[[rules]]\nid = "ngo"\nlaw = "Example Act, s. 3"\nclasses = ["NGO"]\nwithholds = ["CRIMINAL"]\n'
    everything = assessment(states=frozenset({"WRITTEN_UNDERTAKING", "SPECIAL_CIRCUMSTANCES"}))
    to_charity = transfer(agency_class=NGO, categories=frozenset({"IDENTITY", "CRIMINAL"}))
    assert codes(pass_gate(pack(more), to_charity, [everything], NOW)) == ["CATEGORY_WITHHELD"]
    assert codes(pass_gate(pack(more), transfer(agency_class=NGO), [everything], NOW)) == []
    assert codes(pass_gate(pack(more), transfer(categories=frozenset({"CRIMINAL"})), [everything], NOW)) == []


def test_what_the_clause_asks_for_counts_too() -> None:
    asked = frozenset({"JUDICIAL_AUTHORISATION"})
    assert codes(pass_gate(pack(), transfer(), [assessment()], NOW, agreed=asked)) == ["ASSESSMENT_INCOMPLETE"]
    assert codes(pass_gate(pack(), transfer(), [assessment(states=asked)], NOW, agreed=asked)) == []


# --- in an office ---


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh") as connected:
        connected.connect("gb", "kh")
        under(connected["gb"], pack())
        yield connected


def under(office: Office, policy: PolicyPack) -> None:
    office.ports.acquaintance.known = replace(office.ports.known, policy=policy)


def weighed(**changes: object) -> TransferAssessment:
    plain: dict[str, object] = {
        "destination": domain("kh"),
        "necessity": "synthetic: the border must know before the plane lands",
        "proportionality": "synthetic: identity and journey only",
        "review_by": NOW + 90 * DAY,
    }
    return TransferAssessment(**(plain | changes))  # type: ignore[arg-type]  # a test's own shorthand


def errors(problems: object) -> list[str]:
    return [problem.code for problem in problems if problem.severity == desk_service_pb2.SEVERITY_ERROR]  # type: ignore[attr-defined]  # repeated Problem


def test_preview_and_release_are_refused_alike_until_an_assessment_is_recorded(two: Federation) -> None:
    gb = two["gb"]
    (shown,) = preview.preview(gb.ports, gb.person("liaison"), draft(KH_BORDER)).recipients
    assert errors(shown.denied) == ["ASSESSMENT_MISSING"]
    assert "assessment; Example Act, s. 1" in shown.denied[0].message
    assert errors(gb.publish(draft(KH_BORDER)).problems) == ["ASSESSMENT_MISSING"]
    assert gb.journal()[-1][3] == "ASSESSMENT_MISSING"
    assess.record_assessment(gb.ports, gb.person("liaison"), weighed())
    assert not preview.preview(gb.ports, gb.person("liaison"), draft(KH_BORDER)).recipients[0].denied
    assert not gb.publish(draft(KH_BORDER)).problems
    two.pump()
    assert two["kh"].mirror(gb).size == 1


def test_more_of_an_alert_passes_the_same_gate_and_a_recall_none(two: Federation) -> None:
    gb = two["gb"]
    recorded = assess.record_assessment(gb.ports, gb.person("liaison"), weighed())
    told = gb.publish(draft(KH_BORDER)).manifest_digest
    assess.withdraw(gb.ports, gb.person("liaison"), recorded.digest.hex())
    assert errors(supplemented(gb, told, KH_BORDER, 6).problems) == ["ASSESSMENT_MISSING"]
    gb.clock.pass_(1)
    again = assess.record_assessment(gb.ports, gb.person("liaison"), weighed())
    assert not supplemented(gb, told, KH_BORDER, 6).problems
    assess.withdraw(gb.ports, gb.person("liaison"), again.digest.hex())
    assert list(replaced(gb, told).not_admitted) == [KH_BORDER]
    assert not recalled(gb, told).controls[0].problems


def test_the_assessment_comes_before_the_release_in_the_journal(two: Federation) -> None:
    gb, ports = two["gb"], two["gb"].ports
    recorded = assess.record_assessment(ports, gb.person("liaison"), weighed())
    gb.publish(draft(KH_BORDER))
    with ports.store.read() as tx:
        held = ports.journal.rows(tx, 0, ports.journal.edge(tx).frontier.size)
    assessed = next(row.idx for row in held if row.kind == Kind.JOURNAL_KIND_APPROVAL and row.subject == recorded.digest)
    released = next(row.idx for row in held if row.kind == Kind.JOURNAL_KIND_DISCLOSURE)
    assert assessed < released


def test_a_withdrawn_assessment_and_one_whose_review_is_due_carry_nothing(two: Federation) -> None:
    gb, ports = two["gb"], two["gb"].ports
    first = assess.record_assessment(ports, gb.person("liaison"), weighed())
    assess.withdraw(ports, gb.person("liaison"), first.digest.hex()[:8])
    assert errors(gb.publish(draft(KH_BORDER)).problems) == ["ASSESSMENT_MISSING"]
    gb.clock.pass_(1)
    assess.record_assessment(ports, gb.person("liaison"), weighed(review_by=NOW + DAY))
    gb.clock.pass_(DAY)
    assert errors(gb.publish(draft(KH_BORDER, not_after=gb.clock.now_ms() + 5 * DAY)).problems) == ["ASSESSMENT_EXPIRED"]
    states = [item.state for item in assess.list_assessments(ports, gb.person("auditor")).assessments]
    assert states == [desk_service_pb2.ASSESSMENT_STATE_REVIEW_DUE, desk_service_pb2.ASSESSMENT_STATE_WITHDRAWN]


def test_assessments_outlive_a_restart_and_their_texts_are_sealed(two: Federation) -> None:
    gb = two["gb"]
    assess.record_assessment(gb.ports, gb.person("liaison"), weighed())
    policy = gb.ports.known.policy
    gb.restart()
    under(gb, policy or pack())
    assert not gb.publish(draft(KH_BORDER)).problems
    (held,) = assess.list_assessments(gb.ports, gb.person("liaison")).assessments
    assert held.assessment.necessity.startswith("synthetic: the border")
    assert held.assessment.assessed_by == gb.person("liaison")
    gb.close()
    assert b"synthetic: the border" not in b"".join(path.read_bytes() for path in (gb.directory / "data").iterdir())
    gb.open()


def test_an_assessment_that_weighs_nothing_is_refused(two: Federation) -> None:
    gb = two["gb"]
    cases: list[tuple[type[Malformed | Refused], str, dict[str, object]]] = [
        (Malformed, "ASSESSMENT_MALFORMED", {"necessity": " "}),
        (Malformed, "ASSESSMENT_MALFORMED", {"proportionality": ""}),
        (Malformed, "ASSESSMENT_MALFORMED", {"safeguards": "x" * 2001}),
        (Malformed, "ASSESSMENT_MALFORMED", {"recipients": [KH_POLICE, KH_BORDER, KH_POLICE]}),
        (Malformed, "ASSESSMENT_MALFORMED", {"recipients": [agency("vn", POLICE)]}),
        (Refused, "PARTNER_UNKNOWN", {"destination": "nowhere.example"}),
        (Refused, "REVIEW_TOO_LATE", {"review_by": NOW}),
        (Refused, "REVIEW_TOO_LATE", {"review_by": NOW + 400 * DAY}),
    ]
    for error, code, changes in cases:
        with refused(error, code):
            assess.record_assessment(gb.ports, gb.person("liaison"), weighed(**changes))
    assert not assess.list_assessments(gb.ports, gb.person("liaison")).assessments
    with refused(NotFound, "ASSESSMENT_NOT_FOUND"):
        assess.withdraw(gb.ports, gb.person("liaison"), "00000000")
    gb.ports.acquaintance.known = replace(gb.ports.known, policy=None)
    with refused(Refused, "POLICY_NONE"):
        assess.record_assessment(gb.ports, gb.person("liaison"), weighed())


def test_an_invented_country_changes_a_decision_by_its_pack_alone(two: Federation) -> None:
    gb = two["gb"]
    assess.record_assessment(gb.ports, gb.person("liaison"), weighed())
    assert not gb.publish(draft(KH_BORDER)).problems
    ruritania = (
        TEXT.replace(b'"KH"', b'"ZR"')
        + b"""
[[rules]]
id = "ruritanian-bail"
law = "Ruritanian Extradition Act, art. 7"
destinations = ["ZR"]
categories = ["TRAVEL"]
needs = ["JUDICIAL_AUTHORISATION"]
"""
    )
    under(gb, read_pack(ruritania))
    problems = gb.publish(draft(KH_BORDER)).problems
    assert errors(problems) == ["ASSESSMENT_INCOMPLETE"]
    assert "JUDICIAL_AUTHORISATION; ruritanian-bail; Ruritanian Extradition Act, art. 7" in problems[0].message
    assess.record_assessment(gb.ports, gb.person("liaison"), weighed(judicial_authorisation="synthetic: order 7/2026"))
    assert not gb.publish(draft(KH_BORDER)).problems


def test_a_clause_that_asks_for_an_assurance_is_checked_where_a_pack_is(tmp_path: Path) -> None:
    asked = with_clause(
        agreement(), "gb-kh-travelalert-border", transfer_conditions=[agreement_pb2.TRANSFER_CONDITION_DEATH_PENALTY_ASSURANCE]
    )
    with federation(tmp_path, "gb", "kh") as two:
        two.connect("gb", "kh", asked)
        gb = two["gb"]
        assert errors(gb.publish(draft(KH_BORDER)).problems) == ["CONDITION_TRANSFER"]
        under(gb, pack())
        assess.record_assessment(gb.ports, gb.person("liaison"), weighed())
        assert errors(gb.publish(draft(KH_BORDER)).problems) == ["ASSESSMENT_INCOMPLETE"]
        assess.record_assessment(gb.ports, gb.person("liaison"), weighed(death_penalty_assurance="synthetic: note verbale 12"))
        assert not gb.publish(draft(KH_BORDER)).problems
