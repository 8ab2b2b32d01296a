"""The heartbeat: journals cosigned by partners over real sockets, and what becomes of witnesses that are late, wrong or contradict."""

import hashlib
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.errors import NotFound
from exchange.journal import journal_origin
from exchange.log import log_verifiers, raw_key
from exchange.tlog.checkpoint import Checkpoint, sign_checkpoint
from exchange.tlog.note import CosignatureVerifier
from exchange.tlog.policy import parse_policy
from exchange.v1.directory_pb2 import KEY_USE_LOG, KEY_USE_WITNESS, KeyUse
from exchange.v1.statement_pb2 import Statement
from exchange.witness import check_policy, cosign
from node.links import witness_link
from node.links.witness_link import Answer, WitnessUnreachable
from node.operations import partners
from node.operations.journal_tiles import journal_note
from node.operations.witnesses import asked_witnesses
from node.ports import WitnessPlan
from node.store.directory import alarms_about
from node.store.witnesses import all_witnesses, checkpoint_covering, newest_checkpoint
from node.workers.witnessing import Web, Witnessing
from tests.countries import BORDER, LabelledKey, agency, described_key, descriptor, domain, ed25519_key, key, known
from tests.federation import Federation, federation
from tests.refusals import refused
from tests.rig import Office, draft
from tests.tlog_follower import verify_cosignature, verify_head
from tests.witnessing import happens, heartbeat, serving, witnessed_by

pytestmark = pytest.mark.thorough

MINUTE = 60_000
ORIGIN = journal_origin(domain("gb"), 1)
LATE = 5 * MINUTE


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Federation]:
    with federation(tmp_path, "gb", "kh", "vn") as made:
        for one, other in (("gb", "kh"), ("gb", "vn"), ("kh", "vn")):
            made.introduce(one, other)
        yield made


@pytest.fixture
def urls(three: Federation) -> Iterator[Mapping[str, str]]:
    """Everybody's address by country; everybody asks everybody else."""
    with ExitStack() as stack:
        found = {country: stack.enter_context(serving(office)) for country, office in three.offices.items()}
        for country, office in three.offices.items():
            witnessed_by(office, {domain(other): url for other, url in found.items() if other != country})
        yield found


def beat_all(three: Federation) -> None:
    three.clock.pass_(MINUTE)
    for office in three.offices.values():
        heartbeat(office)


def evidence(office: Office, code: str, origin: str = ORIGIN) -> bytes:
    with office.ports.store.read() as tx:
        return alarms_about(tx, origin)[code]


def codes(office: Office) -> dict[str, str]:
    """What each witness answered last, by name."""
    with office.ports.store.read() as tx:
        return {row.name: row.code for row in all_witnesses(tx, ORIGIN)}


def witness_key(country: str) -> bytes:
    return raw_key(key(country, "witness").spki)


def test_three_offices_witness_each_other(three: Federation, urls: Mapping[str, str]) -> None:
    for _ in range(3):
        happens(three["gb"], 300)
        beat_all(three)
    assert [office.alarms() for office in three.offices.values()] == [set(), set(), set()]
    for country, office in three.offices.items():
        note = journal_note(office.ports, 1)
        verify_head(note, journal_origin(office.domain, 1), raw_key(key(country, "log").spki))
        for other in three.offices.keys() - {country}:
            assert verify_cosignature(note, f"{domain(other)}/witness", witness_key(other)) == three.clock.now_ms() // 1000


def test_a_heartbeat_of_an_unchanged_journal_adds_nothing_to_it(three: Federation, urls: Mapping[str, str]) -> None:
    beat_all(three)
    gb = three["gb"]
    before, first = len(gb.journal()), journal_note(gb.ports, 1)
    for _ in range(3):
        beat_all(three)
    assert len(gb.journal()) == before
    assert journal_note(gb.ports, 1) != first, "the cosignatures are fresh"
    with gb.ports.store.read() as tx:
        kept = newest_checkpoint(tx, ORIGIN)
    assert kept is not None
    assert kept.note == first, "and the first ones are kept: they say since when"


def test_every_log_that_grew_is_anchored_first(three: Federation, urls: Mapping[str, str]) -> None:
    gb = three["gb"]
    three.connect("gb", "kh")
    gb.publish(draft(agency("kh", BORDER)))
    heartbeat(gb)
    assert gb.journal()[-1][3] == "OUTBOUND"
    with gb.ports.store.read() as tx:
        covering = checkpoint_covering(tx, ORIGIN, len(gb.journal()))
    assert covering is not None
    assert covering.size == len(gb.journal())


def test_a_new_descriptors_keys_are_honoured(three: Federation, urls: Mapping[str, str]) -> None:
    """The United Kingdom gets a new log key and Cambodia a new witness key: each counts once the descriptor is known, and not before."""
    gb, kh = three["gb"], three["kh"]
    witnessed_by(gb, {kh.domain: urls["kh"]})
    happens(gb, 3)
    heartbeat(gb)
    newer_log, newer_witness = ed25519_key("gb/log-2"), ed25519_key("kh/witness-2")
    gb.ports = replace(gb.ports, signers=replace(gb.ports.signers, log=newer_log))
    happens(gb, 3)
    three.clock.pass_(MINUTE)
    heartbeat(gb)
    assert codes(gb) == {f"{kh.domain}/witness": "WITNESS_403"}
    partners.refresh_partner(kh.ports, gb.domain, with_another_key("gb", newer_log, KEY_USE_LOG))
    heartbeat(gb)
    assert codes(gb) == {f"{kh.domain}/witness": ""}

    kh.ports = replace(kh.ports, signers=replace(kh.ports.signers, witness=newer_witness))
    with serving(kh) as other:
        witnessed_by(gb, {kh.domain: other})
        three.clock.pass_(MINUTE)
        heartbeat(gb)
        assert codes(gb) == {f"{kh.domain}/witness": "NOTE_UNSIGNED"}
        partners.refresh_partner(gb.ports, kh.domain, with_another_key("kh", newer_witness, KEY_USE_WITNESS))
        three.clock.pass_(MINUTE)
        heartbeat(gb)
    assert codes(gb) == {f"{kh.domain}/witness": ""}
    assert verify_cosignature(journal_note(gb.ports, 1), f"{kh.domain}/witness", raw_key(newer_witness.spki))


def with_another_key(country: str, signer: LabelledKey, use: KeyUse.ValueType) -> tuple[Statement, ...]:
    """The country's chain of descriptors, the newest with one key more."""
    first = descriptor(country)
    keys = [*first.keys, described_key(signer, use, f"spiffe://{domain(country)}/node")]
    return known(first, descriptor(country, sequence=2, keys=keys)).chain


def test_keys_out_of_their_time_witness_nothing(three: Federation, urls: Mapping[str, str]) -> None:
    gb = three["gb"]
    assert [[key.public_key for key in witness.keys] for witness in asked_witnesses(gb.ports)] == [[witness_key("kh")], [witness_key("vn")]]
    gb.clock.time = max(described.not_after for described in gb.knows(three["kh"]).descriptor.keys)
    assert asked_witnesses(gb.ports) == []


def test_a_suspended_partner_is_not_asked(three: Federation, urls: Mapping[str, str]) -> None:
    gb = three["gb"]
    partners.suspend_partner(gb.ports, gb.person("administrator"), domain("kh"), resume=False)
    assert [witness.organisation for witness in asked_witnesses(gb.ports)] == [domain("vn")]


def vkey(country: str) -> str:
    return CosignatureVerifier(name=f"{domain(country)}/witness", public_key=witness_key(country)).vkey


def policy(quorum: str, *lines: str) -> WitnessPlan:
    named = "".join(f"witness {country} {vkey(country)}\n" for country in ("gb", "kh", "vn"))
    content = named + "".join(f"{line}\n" for line in lines) + f"quorum {quorum}\n"
    return WitnessPlan(policy=parse_policy(content.encode()))


def test_the_policy_names_further_witnesses_and_never_the_node_itself(three: Federation) -> None:
    gb = three["gb"]
    plain = {
        name: CosignatureVerifier(name=name, public_key=bytes([number]) * 32) for number, name in enumerate(("w.example/1", "x.example"))
    }
    content = (
        f"witness w {plain['w.example/1'].vkey} https://w.example/prefix/\n"
        f"witness x {plain['x.example'].vkey}\n"
        f"witness own {vkey('gb')} http://own.example\n"
        f"witness kh {vkey('kh')} http://other.example\n"
        "quorum w\n"
    )
    plan = WitnessPlan(policy=parse_policy(content.encode()))
    witnessed_by(gb, {domain("kh"): "http://kh.example"}, plan)
    asked = [(witness.name, witness.organisation, witness.url) for witness in asked_witnesses(gb.ports)]
    assert asked == [
        (f"{domain('kh')}/witness", domain("kh"), "http://kh.example"),
        ("w.example/1", "w.example", "https://w.example/prefix"),
    ]


def test_the_quorum_is_an_alarm_when_it_has_not_been_reached_and_goes(three: Federation, urls: Mapping[str, str]) -> None:
    gb = three["gb"]
    both = {domain(other): urls[other] for other in ("kh", "vn")}
    witnessed_by(gb, {domain("kh"): urls["kh"]}, policy("g", "group g all kh vn"))
    worker = Witnessing(gb.ports, lambda: None)
    for _ in range(4):
        three.clock.pass_(MINUTE)
        worker.beat()
    assert gb.alarms() == set()
    three.clock.pass_(MINUTE)
    worker.beat()
    assert gb.alarms() == {"JOURNAL_UNWITNESSED"}
    witnessed_by(gb, both, policy("g", "group g all kh vn"))
    worker = Witnessing(gb.ports, lambda: None)
    worker.beat()
    assert gb.alarms() == set()
    assert check_policy(policy("g", "group g all kh vn").policy or parse_policy(b""), journal_note(gb.ports, 1), own_keys(gb))


def own_keys(office: Office) -> list[object]:
    return list(log_verifiers(ORIGIN, office.own, None))


def test_cosignatures_that_are_old_are_not_a_quorum(three: Federation, urls: Mapping[str, str]) -> None:
    gb = three["gb"]
    witnessed_by(gb, {domain("kh"): urls["kh"]}, policy("kh"))
    worker = Witnessing(gb.ports, lambda: None)
    worker.beat()
    dead = Witnessing(replace(gb.ports, witnessing=replace(gb.ports.witnessing, urls={})), lambda: None)
    dead._enough_at = worker._enough_at
    three.clock.pass_(LATE)
    dead.beat()
    assert "JOURNAL_UNWITNESSED" in gb.alarms()


def test_a_witness_that_is_late_is_an_alarm_that_goes(three: Federation, urls: Mapping[str, str]) -> None:
    gb = three["gb"]
    witnessed_by(gb, {domain("kh"): "http://127.0.0.1:9"})
    for minute in range(6):
        assert gb.alarms() == set(), f"not before five heartbeats, and this is minute {minute}"
        heartbeat(gb)
        three.clock.pass_(MINUTE)
    assert gb.alarms() == {"WITNESS_STALE"}
    assert codes(gb) == {f"{domain('kh')}/witness": "WITNESS_UNREACHABLE"}
    witnessed_by(gb, {domain("kh"): urls["kh"]})
    heartbeat(gb)
    assert gb.alarms() == set()
    assert codes(gb) == {f"{domain('kh')}/witness": ""}


def test_a_partner_that_stops_showing_its_journal_is_an_alarm_that_goes(three: Federation, urls: Mapping[str, str]) -> None:
    beat_all(three)
    kh = three["kh"]
    witnessed_by(kh, {})
    three.clock.pass_(LATE)
    heartbeat(kh)
    assert kh.alarms() == {"JOURNAL_STALE"}
    assert evidence(kh, "JOURNAL_STALE").startswith(ORIGIN.encode())
    heartbeat(three["gb"])
    heartbeat(three["vn"])
    assert kh.alarms() == set()


def answers(status: int, body: bytes = b"", shown: bytes | None = None) -> Web:
    """A web in which every witness answers the same."""

    def fetch(_url: str) -> bytes:
        if shown is None:
            raise NotFound("WITNESS_NOTHING")
        return shown

    return Web(submit=lambda _url, _body: Answer(status=status, body=body), fetch=fetch)


@pytest.mark.parametrize(
    ("web", "code"),
    [
        (answers(200, b""), "NOTE_MALFORMED"),
        (answers(200, "\u2014 stranger.example/x AAAAAAAAAAAAAAAAAAAA\n".encode()), "NOTE_UNSIGNED"),
        (answers(404), "WITNESS_404"),
        (answers(403), "WITNESS_403"),
        (answers(500), "WITNESS_500"),
        (answers(409, b"no number"), "WITNESS_ANSWER"),
        (answers(409, b"0\n"), "WITNESS_NOTHING"),
        (answers(409, b"999999\n"), "WITNESS_NOTHING"),
        (answers(409, b"999999\n", b"no note"), "ORIGIN_MALFORMED"),
        (answers(422), "WITNESS_NOTHING"),
        (answers(422, shown=b"kh.alerts.example/journal/1\n"), "CHECKPOINT_ORIGIN"),
    ],
)
def test_a_witness_that_answers_nonsense_is_only_late(three: Federation, web: Web, code: str) -> None:
    gb = three["gb"]
    happens(gb, 5)
    witnessed_by(gb, {domain("kh"): "http://kh.example"})
    heartbeat(gb, web)
    assert codes(gb) == {f"{domain('kh')}/witness": code}
    assert gb.alarms() == set()


def test_a_cosignature_of_another_checkpoint_is_not_taken(three: Federation) -> None:
    gb = three["gb"]
    witnessed_by(gb, {domain("kh"): "http://kh.example"})
    other = signed(3)
    line = cosign(other, domain("kh"), witness_key("kh"), 1, key("kh", "witness").sign).line()
    heartbeat(gb, answers(200, line))
    assert codes(gb) == {f"{domain('kh')}/witness": "NOTE_SIGNATURE"}


def signed(size: int, root: bytes = bytes(32), origin: str = ORIGIN, country: str = "gb") -> bytes:
    signer = key(country, "log")
    return sign_checkpoint(Checkpoint(origin=origin, size=size, root=root), raw_key(signer.spki), signer.sign)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://nowhere.invalid", "https://127.0.0.1:9"])
def test_nobody_there_is_said_so(url: str) -> None:
    with refused(WitnessUnreachable, "WITNESS_UNREACHABLE"):
        witness_link.submit(url, b"")


def test_an_answer_is_bounded_in_size_and_time() -> None:
    def serve(server: socket.socket, parts: list[bytes], pause: float) -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            for part in parts:
                try:
                    connection.sendall(part)
                except OSError:
                    return
                threading.Event().wait(pause)

    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
    for parts, pause, seconds in (([head, b"x" * 40_000], 0.0, 5.0), ([head, *[b"x"] * 100], 0.1, 0.5), ([b"H"] * 100, 0.1, 0.5)):
        with socket.create_server(("127.0.0.1", 0)) as server:
            thread = threading.Thread(target=serve, args=(server, parts, pause))
            thread.start()
            url = f"http://127.0.0.1:{server.getsockname()[1]}"
            with refused(WitnessUnreachable, "WITNESS_UNREACHABLE"):
                witness_link.submit(url, b"", total_seconds=seconds)
            thread.join(20)


def test_a_redirection_is_not_followed(three: Federation, urls: Mapping[str, str]) -> None:
    with refused(NotFound, "WITNESS_NOTHING"):
        witness_link.fetch(f"{urls['kh']}/add-checkpoint/")
    name = hashlib.sha256(ORIGIN.encode()).hexdigest()
    with refused(NotFound, "WITNESS_NOTHING"):
        witness_link.fetch(f"{urls['kh']}/{name}/checkpoint")
