"""The doctor: each thing that can be wrong is told, with words and a way out, and a node that is well has nothing to do."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from exchange.encoding import encode
from exchange.signing import Signer
from exchange.v1 import desk_service_pb2 as messages
from exchange.v1.statement_pb2 import Statement
from node.app import surroundings_of
from node.config import load_config
from node.health_texts import TEXTS, english_texts
from node.keys.node_directory import VAULT_KEY_BYTES, example_plan, write_node_directory
from node.notify.plan import MINUTE
from node.operations import doctor
from node.operations.attempts import note_waiting
from node.operations.doctor import examine
from node.operations.health import DAY
from node.operations.key_windows import list_keys
from node.operations.notices import GIVE_UP_AFTER_MS, failed, raise_notices
from node.operations.officers import NotPermitted
from node.operations.partners import suspend_partner
from node.operations.roster import list_officers
from node.operations.sign import stop_log
from node.operations.waiting import list_waiting
from node.policy.gate import Assessment
from node.ports import Known, WitnessPlan
from node.store import sign_ins
from node.store.directory import AgreementRow, put_agreement, raise_alarm
from node.store.journal import Event, Kind
from node.store.sign_ins import Passkey
from node.store.witnesses import WitnessRow, put_witness
from node.surroundings import Surroundings
from tests.authenticator import Authenticator
from tests.console_site import Browser
from tests.countries import NOW, POLICE, agency, agreement, descriptor, domain, key, known, with_key
from tests.federation import Federation
from tests.recalls import recalled
from tests.rig import Office, counted_entropy, draft

ACT, LOOK, GOOD = messages.HEALTH_VERDICT_ACT, messages.HEALTH_VERDICT_LOOK, messages.HEALTH_VERDICT_GOOD
OPERATIONS = Path(doctor.__file__).parent
PARTS = ("doctor", "health_node", "health_partners")


def checks(office: Office) -> dict[str, messages.HealthCheck]:
    """What the doctor says, by code; of several by one code the last."""
    return {one.code: one for one in examine(office.ports, office.person("administrator")).checks}


def told(office: Office, code: str) -> tuple[Any, ...]:
    one = checks(office)[code]
    return one.verdict, one.subject, one.count, one.at


def later(office: Office, **changes: Any) -> None:
    """The node after a start with other ports."""
    office.ports = replace(office.ports, **changes)


def knowing(office: Office, **changes: Any) -> None:
    made: Known = replace(office.ports.known, **changes)
    office.ports.acquaintance.known = made


def written() -> set[str]:
    """Every code that the parts of the doctor can say."""
    sources = "".join((OPERATIONS / f"{name}.py").read_text("utf-8") for name in PARTS)
    return set(re.findall(r'(?:act|look|good|tell)\)?\("([A-Z_]+)"', sources))


def test_every_code_has_words_and_no_other() -> None:
    assert written() == set(TEXTS)
    for code, text in TEXTS.items():
        values = {"subject": "it", "count": 1, "at": "now"}
        assert "%" not in text.why % values + text.do + text.command % values, code
        assert bool(text.do or text.command) != code.endswith(("_GOOD", "_CHECKED")) or code == "RECORDS_NOT_CHECKED", code
    assert len(set(english_texts())) > len(TEXTS)


def test_a_node_that_is_well_has_nothing_to_do(two: Federation, gb: Office) -> None:
    two.pump()
    for direction in ("inbound", "outbound"):
        gb.ports.streams.set(domain("kh"), direction, up=True)
    found = checks(gb)
    assert {code for code, one in found.items() if one.verdict == ACT} == set()
    assert {"CLOCK_GOOD", "KEYS_GOOD", "DESCRIPTOR_GOOD", "PARTNER_GOOD", "RETENTION_GOOD"} <= {
        code for code, one in found.items() if one.verdict == GOOD
    }
    assert {code for code, one in found.items() if one.verdict == LOOK} == {
        *("RECORDS_NOT_CHECKED", "WITNESSES_NONE", "POLICY_NONE", "ADMINISTRATOR_ALONE", "NOTICES_NONE")
    }


def test_what_is_to_be_done_first_stands_first(gb: Office) -> None:
    with gb.ports.store.write() as tx:
        raise_alarm(tx, NOW, "JOURNAL_UNWITNESSED", partner=gb.domain)
    verdicts = [one.verdict for one in examine(gb.ports, gb.person("administrator")).checks]
    assert verdicts == sorted(verdicts)
    assert verdicts[0] == ACT
    assert told(gb, "ALARM") == (ACT, f"JOURNAL_UNWITNESSED {gb.domain}", 0, NOW)


@pytest.mark.parametrize("name", ["liaison", "police", "auditor"])
def test_administrators_alone_are_told(gb: Office, name: str) -> None:
    for ask in (examine, list_keys, list_waiting, list_officers):
        with pytest.raises(NotPermitted):
            ask(gb.ports, gb.person(name))  # type: ignore[operator]  # all four take the same
    assert [row[3] for row in gb.journal()][-4:] == ["ROLE_MISSING"] * 4


def test_a_clock_that_went_back_is_found(gb: Office) -> None:
    with gb.ports.store.read() as tx:
        newest = gb.ports.journal.edge(tx).last_at
    gb.clock.time = newest - 1
    assert told(gb, "CLOCK_BEHIND") == (ACT, "", 0, newest)


def test_disks_are_told_before_they_are_full(gb: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    room = {"data": 3000, "high-water": 2500}
    monkeypatch.setattr(Surroundings, "room", lambda _: room)
    assert told(gb, "ROOM_GOOD") == (GOOD, "", 2500, 0)
    room["high-water"] = 2000
    assert told(gb, "ROOM_LOW") == (LOOK, "high-water", 2000, 0)
    room["high-water"] = 500
    assert told(gb, "ROOM_LOW") == (ACT, "high-water", 500, 0)
    assert "ROOM_GOOD" not in checks(gb)


def test_the_last_look_at_all_records_is_told(gb: Office) -> None:
    (gb.directory / "data/node.db.before-1").touch()
    assert told(gb, "COPIES_LEFT") == (LOOK, "node.db.before-1", 0, 0)
    with gb.ports.store.write() as tx:
        gb.ports.journal.record(tx, gb.clock.time, Kind.JOURNAL_KIND_REVIEW, gb.person("auditor"), [Event(code="STORE")])
    assert told(gb, "RECORDS_CHECKED") == (GOOD, "", 0, gb.clock.time)
    gb.clock.pass_(30 * DAY)
    assert "RECORDS_NOT_CHECKED" in checks(gb)


def certificate(path: Path, began: datetime, ends: datetime) -> Path:
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key()).serial_number(1)
    made = builder.not_valid_before(began).not_valid_after(ends).sign(private, hashes.SHA256())
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return path


def test_certificates_are_read_from_their_files_each_time(gb: Office, tmp_path: Path) -> None:
    now = gb.clock.now()
    path = certificate(tmp_path / "node.pem", now - timedelta(days=1), now + timedelta(days=6))
    later(gb, surroundings=Surroundings(certificates={"node": path}))
    ends = int((now + timedelta(days=6)).replace(microsecond=0).timestamp() * 1000)
    assert told(gb, "CERTIFICATES_GOOD") == (GOOD, "", 0, ends)
    gb.clock.pass_(4 * DAY)
    assert told(gb, "CERTIFICATE_ENDS") == (LOOK, "node", 0, ends)
    assert "CERTIFICATES_GOOD" not in checks(gb)
    gb.clock.pass_(2 * DAY)
    assert told(gb, "CERTIFICATE_ENDED") == (ACT, "node", 0, ends)
    path.write_text("none")
    assert told(gb, "CERTIFICATE_UNREADABLE") == (ACT, "node", 0, 0)
    # A long one is told two weeks before.
    certificate(path, now - timedelta(days=90), gb.clock.now() + timedelta(days=15))
    assert "CERTIFICATES_GOOD" in checks(gb)
    gb.clock.pass_(2 * DAY)
    assert "CERTIFICATE_ENDS" in checks(gb)


def described(signer: Signer, **changes: Any) -> Any:
    return known(with_key(descriptor("gb"), signer, **changes))


def test_keys_in_use_are_told_before_they_end(gb: Office) -> None:
    log = key("gb", "log")
    ends = gb.clock.time + 29 * DAY
    knowing(gb, own=described(log, not_after=ends))
    assert told(gb, "KEY_ENDS") == (LOOK, "log", 0, ends)
    assert "KEYS_GOOD" not in checks(gb)
    gb.clock.pass_(29 * DAY)
    assert told(gb, "KEY_ENDED") == (ACT, "log", 0, ends)
    knowing(gb, own=known(descriptor("kh")))
    assert told(gb, "KEY_NOT_DESCRIBED")[0] == ACT
    report = list_keys(gb.ports, gb.person("administrator"))
    assert {"agreement", "log", "receipt", "witness", "recall"} <= set(report.undescribed)
    assert any(use.startswith("statement --agency ") for use in report.undescribed)


def test_a_key_that_was_revoked_ends_when_that_was(gb: Office) -> None:
    revoked = gb.clock.time - 1
    knowing(gb, own=described(key("gb", "log"), revoked_at=revoked, revocation_reason=2))
    assert told(gb, "KEY_ENDED") == (ACT, "log", 0, revoked)
    (window,) = [one for one in list_keys(gb.ports, gb.person("administrator")).own.keys if one.use == "log"]
    assert (window.used, window.revoked, window.not_after) == (True, True, revoked)


def test_descriptors_fall_due(gb: Office) -> None:
    due = gb.ports.known.own.descriptor.next_update
    assert told(gb, "DESCRIPTOR_GOOD") == (GOOD, "", 0, due)
    gb.clock.time = due - 14 * DAY
    assert told(gb, "DESCRIPTOR_DUE") == (LOOK, "", 0, due)
    gb.clock.time = due
    assert told(gb, "DESCRIPTOR_LATE") == (ACT, "", 0, due)
    assert told(gb, "PARTNER_DESCRIPTOR_LATE") == (LOOK, domain("kh"), 0, due)


def test_a_partner_is_there_or_away_or_suspended(two: Federation, gb: Office) -> None:
    gb.publish(draft(agency("kh", POLICE)))
    two.pump()
    receipted = gb.clock.time
    gb.clock.pass_(DAY)
    assert told(gb, "PARTNER_AWAY") == (LOOK, domain("kh"), 0, receipted)
    suspend_partner(gb.ports, gb.person("administrator"), domain("kh"), resume=False, reason="a stolen key (synthetic)")
    assert told(gb, "PARTNER_SUSPENDED") == (LOOK, domain("kh"), 0, 0)
    assert "PARTNER_AWAY" not in checks(gb)


def test_keys_of_partners_that_nothing_follows_are_told(two: Federation, gb: Office) -> None:
    last = max(one.not_after for one in two["kh"].own.keys.values())
    assert "PARTNER_KEY_ENDS" not in checks(gb)
    gb.clock.time = last - DAY
    verdict, who, count, at = told(gb, "PARTNER_KEY_ENDS")
    assert (verdict, who, at) == (LOOK, domain("kh"), last)
    assert count > 1


def test_agreements_end_and_wait(two: Federation, gb: Office) -> None:
    until = agreement().valid_until
    gb.clock.time = until - DAY
    assert told(gb, "AGREEMENT_ENDS") == (LOOK, domain("kh"), 0, until)
    gb.clock.time = until
    assert told(gb, "AGREEMENT_NONE") == (LOOK, domain("kh"), 0, 0)
    with gb.ports.store.write() as tx:
        offer = Statement(payload=encode(agreement(valid_until=until + 1)))
        row = AgreementRow(digest=b"\1" * 32, partner=domain("kh"), state="offered", statement=encode(offer), delivered=False)
        put_agreement(tx, row, NOW)
    assert told(gb, "AGREEMENT_OFFERED") == (LOOK, domain("kh"), 0, 0)
    gb.clock.time = until + 1
    assert "AGREEMENT_OFFERED" not in checks(gb)
    assert told(gb, "STATEMENT_WAITS") == (LOOK, domain("kh"), 1, 0)


def test_what_has_no_receipt_is_told_by_how_often_it_was_tried(two: Federation, gb: Office) -> None:
    two.pump()
    gb.publish(draft(agency("kh", POLICE)))
    assert "DELIVERY_WAITS" not in checks(gb)
    for verdict in (LOOK, LOOK, ACT):
        gb.clock.pass_(10 * MINUTE)
        note_waiting(gb.ports)
        assert told(gb, "DELIVERY_WAITS") == (verdict, domain("kh"), 1, gb.clock.time)
    (log,) = list_waiting(gb.ports, gb.person("administrator")).logs
    assert (log.partner, log.waits, log.attempts, log.stopped) == (domain("kh"), 1, 3, False)


def test_a_stopped_log_and_its_recalls_are_told(two: Federation, gb: Office) -> None:
    alert = gb.publish(draft(agency("kh", POLICE))).manifest_digest
    two.pump()
    log = gb.outbound(two["kh"])
    stop_log(gb.ports, log, "HIGH_WATER_ROLLBACK", partner=domain("kh"))
    assert "RECALL_WAITS" not in checks(gb)
    recalled(gb, alert)
    assert told(gb, "LOG_STOPPED") == (ACT, log.name.origin, 0, 0)
    assert told(gb, "RECALL_WAITS") == (ACT, domain("kh"), 1, 0)


def test_notices_that_were_given_up_are_told(gb: Office) -> None:
    later(gb, surroundings=Surroundings(notices=True))
    assert told(gb, "NOTICES_GOOD")[0] == GOOD
    with gb.ports.store.write() as tx:
        raise_alarm(tx, NOW, "JOURNAL_UNWITNESSED", partner=gb.domain)
    (first,) = raise_notices(gb.ports, ["mail"])
    failed(gb.ports, first, 0.5)
    assert "NOTICES_UNDELIVERED" not in checks(gb)
    (channel,) = list_waiting(gb.ports, gb.person("administrator")).channels
    assert (channel.name, channel.waits, channel.given_up, channel.attempts) == ("mail", 1, 0, 1)
    gb.clock.pass_(GIVE_UP_AFTER_MS)
    failed(gb.ports, first, 0.5)
    assert told(gb, "NOTICES_UNDELIVERED") == (ACT, "mail", 1, gb.clock.time)
    assert [one.subject for one in examine(gb.ports, gb.person("administrator")).checks if one.code == "ALARM"] == [
        f"JOURNAL_UNWITNESSED {gb.domain}"
    ]


def test_witnesses_are_there_or_silent(gb: Office) -> None:
    later(gb, witnessing=WitnessPlan(urls={domain("kh"): "http://witness.example"}))
    assert told(gb, "WITNESS_SILENT") == (LOOK, f"{domain('kh')}/witness", 0, 0)
    with gb.ports.store.write() as tx:
        row = WitnessRow(name=f"{domain('kh')}/witness", size=1, at=gb.clock.time, line=b"", asked_at=0, code="")
        put_witness(tx, gb.ports.journal.origin(tx), row)
    assert told(gb, "WITNESSES_GOOD") == (GOOD, "", 1, gb.clock.time)
    gb.clock.pass_(gb.ports.witnessing.stale_ms)
    assert told(gb, "WITNESS_SILENT")[0] == LOOK


def test_what_is_past_its_limit_is_told(gb: Office) -> None:
    gb.publish(draft(agency("kh", POLICE)))
    gb.clock.pass_(4000 * DAY)
    assert told(gb, "RETENTION_PAST") == (LOOK, "", 1, 0)


def test_the_policy_pack_and_assessments_end(gb: Office) -> None:
    assert told(gb, "POLICY_NONE")[0] == LOOK
    pack: Any = type("Pack", (), {"valid_until": gb.clock.time + 31 * DAY})()
    review_by = gb.clock.time + 45 * DAY
    held = Assessment(
        digest=b"", destination=domain("kh"), recipients=frozenset(), states=frozenset(), policy="", assessed_at=0, review_by=review_by
    )
    knowing(gb, policy=pack, assessments=(held,))
    assert told(gb, "POLICY_GOOD") == (GOOD, "", 0, pack.valid_until)
    assert "ASSESSMENT_ENDS" not in checks(gb)
    gb.clock.pass_(20 * DAY)
    assert told(gb, "POLICY_ENDS")[0] == LOOK
    assert told(gb, "ASSESSMENT_ENDS") == (LOOK, domain("kh"), 0, review_by)
    gb.clock.pass_(11 * DAY)
    assert told(gb, "POLICY_ENDS")[0] == ACT


def test_the_roster_says_who_has_what(gb: Office) -> None:
    browser = Browser(gb)
    browser.enrol("liaison", Authenticator(browser.origin))
    browser.code("police")
    browser.enter("auditor")
    gb.clock.pass_(1)
    found = {one.officer.rpartition("/")[2]: one for one in list_officers(gb.ports, gb.person("administrator")).officers}
    assert (found["liaison"].passkeys, found["liaison"].listed, found["liaison"].code_expires_at) == (1, True, 0)
    assert found["liaison"].roles == [messages.ROLE_LIAISON_OFFICER]
    assert found["police"].code_expires_at == gb.clock.time - 1 + DAY
    assert (found["auditor"].sessions, found["auditor"].seen_at, found["auditor"].agency) == (1, gb.clock.time - 1, "")
    gb.clock.pass_(15 * MINUTE)
    found = {one.officer.rpartition("/")[2]: one for one in list_officers(gb.ports, gb.person("administrator")).officers}
    assert found["auditor"].sessions == 0


def test_whoever_left_and_has_a_passkey_is_told(gb: Office) -> None:
    left = f"spiffe://{gb.domain}/officer/left"
    with gb.ports.store.write() as tx:
        sign_ins.add_passkey(tx, Passkey(credential=b"1", person=left, public_key=b"", sign_count=0, added_at=NOW))
    assert told(gb, "OFFICER_LEFT") == (ACT, "", 0, 0)
    (one,) = [one for one in list_officers(gb.ports, gb.person("administrator")).officers if not one.listed]
    assert (one.officer, one.passkeys, list(one.roles)) == (left, 1, [])
    officers = dict(gb.ports.officers)
    officers[left] = gb.ports.officers[gb.person("administrator")]
    later(gb, officers=officers)
    assert told(gb, "OFFICERS_GOOD") == (GOOD, "", 2, 0)
    assert "OFFICER_LEFT" not in checks(gb)


def test_a_node_that_was_just_set_up_can_be_examined(tmp_path: Path) -> None:
    made = tmp_path / "kh"
    write_node_directory(
        example_plan("KH"), made, now=datetime.now(UTC), vault_key=counted_entropy("kh")(VAULT_KEY_BYTES), port=7443, policy=b""
    )
    seen = surroundings_of(load_config(made / "node.toml", {}))
    assert {"node", "node-ca", "desk", "office-ca"} <= {one.name for one in seen.read_certificates() if one.not_after}
    (made / "data").mkdir(exist_ok=True)
    assert seen.room()["data"] > 0
    assert Surroundings(places={"gone": tmp_path / "gone"}).room() == {"gone": 0}
    assert not seen.notices
