"""Whatever a hostile client may send to the listener for NGOs: plain text, or refused with a code, and nothing changes."""

import gzip
import json
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from exchange.values import format_uuid
from node import httpd
from node.keys.node_directory import example_plan
from node.keys.party_files import Terms, write_party
from node.tipline import service
from node.tipline.rates import Rates
from node.tips.form import LARGEST
from tests.tip_listener import Line, Reply, kept, serving
from tests.tips import SECRET, body, content, new_id

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cambodia's example certificates."""
    directory = tmp_path_factory.mktemp("keys")
    write_party(example_plan("KH"), directory, Terms(now=datetime.now(UTC)))
    return directory


@pytest.fixture
def line(tmp_path: Path, keys: Path) -> Iterator[Line]:
    """Cambodia, whose plan knows the NGO of the example certificates."""
    with serving(tmp_path, keys) as made:
        yield made


def codes(reply: Reply) -> list[str]:
    assert (reply.status, reply.code) == (422, "TIP_INVALID")
    return [problem["code"] for problem in reply.json["problems"]]


def deep(levels: int) -> bytes:
    return b'{"tip": {"suspects": ' + b"[" * levels + b"]" * levels + b"}}"


HOSTILE: dict[str, tuple[bytes, str]] = {
    "no JSON": (b"<tip/>", "DOCUMENT_SYNTAX"),
    "nothing": (b"", "DOCUMENT_SYNTAX"),
    "a list": (b"[]", "DOCUMENT_MAPPING"),
    "a text": (b'"tip"', "DOCUMENT_MAPPING"),
    "not a number": (b'{"tip": {"child": {"count": NaN}}}', "DOCUMENT_SYNTAX"),
    "infinity": (b'{"tip": {"child": {"count": -Infinity}}}', "DOCUMENT_SYNTAX"),
    "a name twice": (b'{"tip": {"observed": "2026", "observed": "2025"}}', "DOCUMENT_DUPLICATE_KEY"),
    "deep": (deep(20), "DOCUMENT_DEPTH"),
    "deeper than a stack": (deep(30_000), "DOCUMENT_DEPTH"),
    "not UTF-8": (b'{"tip": {"observed": "\xff"}}', "DOCUMENT_ENCODING"),
    "half a character": (b'{"tip": {"vehicle": "\\ud800"}}', "DOCUMENT_ENCODING"),
    "UTF-16": ('{"tip": {}}'.encode("utf-16"), "DOCUMENT_ENCODING"),
    "an unknown part": (body(bomb=1), "FIELD_UNKNOWN"),
    "an unknown field": (body({"child_name": "x"}), "FIELD_UNKNOWN"),
    "a name for a child": (body({"child": {"name": "x"}}), "FIELD_UNKNOWN"),
    "an attachment": (body({"evidence": "aGk="}), "FIELD_UNKNOWN"),
    "an unknown detail": (body(contact={"photo": "x"}), "FIELD_UNKNOWN"),
    "a huge number": (body({"child": {"count": 10**40}}), "NUMBER_EXPECTED"),
    "a negative number": (body({"child": {"count": -1}}), "NUMBER_EXPECTED"),
    "too many children": (body({"child": {"count": 1001}}), "SCHEMA_UINT32_LTE"),
    "an escape sequence": (body({"evidence_custodian": "\x1b[2J\x1b[31mred"}), "TEXT_CONTROL"),
    "a null": (body({"evidence_custodian": "a\0b"}), "TEXT_CONTROL"),
    "reordered text": (body({"evidence_custodian": "ab\u202egpj.exe"}), "TEXT_CONTROL"),
    "an isolate": (body({"evidence_custodian": "a\u2066b"}), "TEXT_CONTROL"),
    "reordered contact": (body(contact={"name": "a\u202eb"}), "TEXT_CONTROL"),
    "a look-alike name": (body({"suspects": [{"names_as_heard": [{"as_written": "Pаul"}]}]}), "NAME_SCRIPT_MIXED"),
    "a long text": (body({"evidence_custodian": "x" * 201}), "SCHEMA_STRING_MAX_LEN"),
    "a long contact": (body(contact={"name": "x" * 201}), "TEXT_EXPECTED"),
    "contact as a list": (body(contact=["x"]), "MAPPING_EXPECTED"),
    "a contact in parts": (body(contact={"name": {"a": "b"}}), "TEXT_EXPECTED"),
    "many suspects": (body({"suspects": [{"occupation": "x"}] * 9}), "SCHEMA_REPEATED_MAX_ITEMS"),
    "an unknown code": (body({"concerns": ["X"]}), "ENUM_UNKNOWN"),
    "no date": (body({"observed": "yesterday"}), "EDTF_SYNTAX"),
    "no language": (b'{"tip": {"immediate_danger": {"reason": "x"}}}', "TEXT_LANGUAGE"),
    "a language that is none": (json.dumps({"language": "x" * 50, "tip": {}}).encode(), "LANGUAGE_SYNTAX"),
}


@pytest.mark.parametrize(("sent", "code"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_body_is_refused_with_a_code_and_changes_nothing(line: Line, sent: bytes, code: str) -> None:
    reply = line.put(sent)
    assert code in codes(reply)
    assert kept(line) == 0
    for problem in reply.json["problems"]:
        assert problem.keys() == {"field", "code", "message", "remedy"}
        assert problem["message"]
        assert problem["remedy"]


def test_no_refusal_repeats_what_was_sent(line: Line) -> None:
    secret = "Zzyzx Q"
    wrong = content(observed=secret, concerns=[secret], **{secret: secret})
    reply = line.put(body(wrong, contact={secret: secret}))
    assert reply.status == 422
    assert secret.encode() not in reply.body
    assert not any(secret in text for event in line.office.journal() for text in event)


def test_links_markup_and_formulas_are_texts_like_any_other(line: Line) -> None:
    texts = [
        "https://example.org/?a=1&b=2",
        "<script>alert(1)</script>",
        "=cmd|' /C calc'!A0",
        "{{7*7}}",
        "'; DROP TABLE tips; --",
        "[red]x[/red]",
    ]
    for text in texts:
        assert line.put(body({"evidence_custodian": text})).status == 201


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", "multipart/form-data"]
)
def test_only_json_is_taken(line: Line, kind: str) -> None:
    reply = line.put(body(), kind=kind)
    assert (reply.status, reply.code) == (415, "CONTENT_TYPE")


def test_json_may_say_that_it_is_utf_8(line: Line) -> None:
    assert line.put(body(), kind="application/json; charset=UTF-8").status == 201


def test_what_is_compressed_is_not_unfolded(line: Line) -> None:
    bomb = gzip.compress(b" " * 10_000_000)
    assert len(bomb) < LARGEST
    reply = line.put(bomb, Content_Encoding="gzip")
    assert (reply.status, reply.code, reply.headers["connection"]) == (415, "CONTENT_ENCODING", "close")


def test_a_body_has_an_end(line: Line) -> None:
    padding = LARGEST - len(body({}))
    assert line.put(body({}) + b" " * padding).status == 201
    reply = line.put(body({}) + b" " * (padding + 1))
    assert (reply.status, reply.code) == (413, "REQUEST_TOO_LARGE")
    with line.raw(line.ngo()) as connection:  # without saying how long it is
        connection.sendall(
            b"PUT /v1/tips/" + format_uuid(new_id()).encode() + b" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        try:
            for _ in range(2000):
                connection.sendall(b"1000\r\n" + b" " * 4096 + b"\r\n")
        except OSError:
            return
        assert connection.recv(12).endswith(b" 413")
    assert kept(line) == 1


def test_a_slow_body_ends(tmp_path: Path, keys: Path) -> None:
    with serving(tmp_path, keys, body_seconds=0.3) as line, line.raw(line.ngo()) as connection:
        connection.sendall(b"PUT /v1/tips/" + format_uuid(new_id()).encode() + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        answer = connection.recv(4096)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert kept(line) == 0


def test_a_slow_head_and_a_slow_handshake_end(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(httpd.BoundedProtocol, "head_seconds", 0.3)
    with line.raw(line.ngo()) as connection:
        connection.sendall(b"GET /v1/ti")
        assert connection.recv(1) == b""


def test_a_handshake_that_does_not_go_on_is_ended(tmp_path: Path, keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(httpd, "HANDSHAKE_SECONDS", 0.3)
    with serving(tmp_path, keys) as line, socket.create_connection(("127.0.0.1", line.port), timeout=10) as silent:
        assert silent.recv(1) == b""


def test_one_ngo_may_not_take_the_line_from_the_others(tmp_path: Path, keys: Path) -> None:
    with serving(tmp_path, keys, rates=Rates(3)) as line:
        replies = [line.ask("GET", "/v1/tips") for _ in range(10)]
        over = next(reply for reply in replies if reply.status == 429)
        assert over.code == "TOO_MANY_REQUESTS"
        assert 1 <= int(over.headers["retry-after"]) <= 60
        assert sum(reply.status == 200 for reply in replies) in {3, 6}  # six where a minute ended meanwhile


def test_rates_count_by_ngo_and_by_minute() -> None:
    rates = Rates(2)
    assert [rates.take("a", 59_000) for _ in range(3)] == [0, 0, 1]
    assert rates.take("b", 59_000) == 0
    assert rates.take("a", 60_000) == 0


def test_two_clients_that_save_one_tip_at_once_save_one(line: Line) -> None:
    tip, replies = new_id(), []
    threads = [threading.Thread(target=lambda: replies.append(line.put(body(), tip))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(reply.status for reply in replies) == [200, 200, 200, 201]
    assert kept(line) == 1


def test_what_goes_wrong_inside_stays_inside(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(service, "tip_status", fails)
    monkeypatch.setattr(service, "list_own", fails)
    reply = line.ask("GET", "/v1/tips")
    assert (reply.status, reply.code) == (500, "INTERNAL")
    assert SECRET.encode() not in reply.body
