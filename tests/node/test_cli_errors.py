"""Whatever goes wrong between a person and the node: the exit code, what happened, why, what to do next."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from exchange.errors import Conflict, ExchangeError, Malformed, NotFound, Refused, Unverified
from exchange.v1 import desk_service_pb2
from node.cli import errors
from node.cli.main import run
from tests.node.fake_desk import Failure, FakeDesk, serve, set_up


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeDesk]:
    directory = tmp_path_factory.mktemp("nodes") / "gb"
    set_up(directory)
    with serve(directory) as running:
        yield running


def ask(desk: FakeDesk, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, str]]:
    code = run(["--context", desk.context(), "--json", *options, "whoami"])
    return code, json.loads(capsys.readouterr().out)["error"]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, 2),
        (grpc.StatusCode.FAILED_PRECONDITION, 3),
        (grpc.StatusCode.ABORTED, 3),
        (grpc.StatusCode.NOT_FOUND, 3),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, 3),
        (grpc.StatusCode.DATA_LOSS, 4),
        (grpc.StatusCode.UNAVAILABLE, 5),
        (grpc.StatusCode.DEADLINE_EXCEEDED, 5),
        (grpc.StatusCode.PERMISSION_DENIED, 6),
        (grpc.StatusCode.UNAUTHENTICATED, 6),
        (grpc.StatusCode.INTERNAL, 1),
        (grpc.StatusCode.UNKNOWN, 1),
    ],
)
def test_each_status_has_its_exit_code(desk: FakeDesk, capsys: pytest.CaptureFixture[str], status: grpc.StatusCode, code: int) -> None:
    desk.answers["WhoAmI"] = Failure(status=status, reason="SOME_REASON", details="the rule that says no")
    got, error = ask(desk, capsys)
    assert got == code == int(error["exit_code"])
    assert error["happened"]
    assert error["next_step"]
    if code in {2, 3, 4, 6}:
        assert error["code"] == "SOME_REASON"
        assert error["why"] == "The rule that says no."


def test_the_code_of_another_domain_is_not_taken_for_ours(desk: FakeDesk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.answers["WhoAmI"] = Failure(status=grpc.StatusCode.NOT_FOUND, reason="X", domain="example.org")
    assert ask(desk, capsys)[1]["code"] == "NOT_FOUND"


def test_a_node_that_fails_without_a_code_is_still_told_apart(desk: FakeDesk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.answers["WhoAmI"] = Failure(status=grpc.StatusCode.PERMISSION_DENIED)
    assert ask(desk, capsys) == (
        6,
        {
            "code": "PERMISSION_DENIED",
            "exit_code": 6,
            "happened": "You are not permitted to do this.",
            "why": "",
            "next_step": errors._NEXT["PERMISSION_DENIED"],
        },
    )


def test_the_text_of_an_unexpected_fault_is_not_repeated(desk: FakeDesk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.answers["WhoAmI"] = Failure(status=grpc.StatusCode.UNKNOWN, details="KeyError: secret")
    _, error = ask(desk, capsys)
    assert "secret" not in json.dumps(error)


def test_people_read_what_happened_why_and_what_next(desk: FakeDesk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.answers["WhoAmI"] = Failure(
        status=grpc.StatusCode.FAILED_PRECONDITION, reason="AGREEMENT_EXPIRED", details="no agreement is in force"
    )
    assert run(["--context", desk.context(), "whoami"]) == 3
    told = capsys.readouterr()
    assert not told.out
    assert [line.split()[0] for line in told.err.splitlines()] == ["error", "why", "next"]
    assert "AGREEMENT_EXPIRED" in told.err
    assert "No agreement is in force." in told.err


def test_a_silent_node_is_given_up_after_the_timeout(desk: FakeDesk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.answers["WhoAmI"] = desk_service_pb2.WhoAmIResponse()
    desk.delay = 10.0
    started = time.monotonic()
    try:
        code, error = ask(desk, capsys, "--timeout", "0.3")
    finally:
        desk.delay = 0.0
        desk.stopping.set()
        desk.stopping.clear()
    assert (code, error["code"]) == (5, "TIMEOUT")
    assert "0.3 seconds" in error["happened"]
    assert time.monotonic() - started < 5


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def at(desk: FakeDesk, directory: Path, address: str) -> str:
    text = Path(desk.context()).read_text("utf-8").replace(desk.address, address)
    for name in ("office-ca.pem", "officers/"):
        text = text.replace(f'"{name}', f'"{desk.directory}/{name}')
    path = directory / "elsewhere.toml"
    path.write_text(text, "utf-8")
    return str(path)


def test_nobody_there(desk: FakeDesk, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    address = f"127.0.0.1:{free_port()}"
    assert run(["--context", at(desk, tmp_path, address), "--json", "whoami"]) == 5
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "UNREACHABLE"
    assert address in error["happened"]


def test_somebody_who_accepts_and_never_speaks(desk: FakeDesk, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        context = at(desk, tmp_path, f"127.0.0.1:{silent.getsockname()[1]}")
        assert run(["--context", context, "--timeout", "0.5", "whoami"]) == 5


def test_a_desk_of_another_country_is_not_believed(desk: FakeDesk, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    set_up(tmp_path / "kh", "KH")
    with serve(tmp_path / "kh") as other:
        other.answers["WhoAmI"] = desk_service_pb2.WhoAmIResponse()
        assert run(["--context", at(desk, tmp_path, other.address), "--json", "whoami"]) == 5
        assert not other.asked
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "TLS"


def test_a_certificate_of_another_office_is_refused(desk: FakeDesk, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    set_up(tmp_path / "kh", "KH")
    text = Path(desk.context()).read_text("utf-8")
    text = text.replace('"officers/', f'"{tmp_path}/kh/officers/').replace('"office-ca', f'"{desk.directory}/office-ca')
    (tmp_path / "foreign.toml").write_text(text, "utf-8")
    before = len(desk.asked)
    assert run(["--context", str(tmp_path / "foreign.toml"), "whoami"]) == 5
    assert len(desk.asked) == before


# Whoever runs the tests in the background of a shell has interrupts ignored, and Python then leaves them so.
_HEARS = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "


def test_ctrl_c_ends_cleanly(desk: FakeDesk) -> None:
    desk.answers["WhoAmI"] = desk_service_pb2.WhoAmIResponse()
    desk.delay = 30.0
    before = len(desk.asked)
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", f"{_HEARS}from node.cli.main import main; main()", "--timeout", "90", "whoami"],
            env={**os.environ, "EXCHANGE_CONTEXT": desk.context()},
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 30
        while len(desk.asked) == before and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
    finally:
        desk.delay = 0.0
        desk.stopping.set()
        desk.stopping.clear()
    assert process.returncode == 130
    assert "Interrupted." in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("error", "code"),
    [(Malformed, 2), (Refused, 3), (Conflict, 3), (NotFound, 3), (Unverified, 4), (ExchangeError, 1)],
)
def test_our_own_refusals_have_the_same_codes(error: type[ExchangeError], code: int) -> None:
    trouble = errors.trouble_of(error("CODE", "a rule is broken"), "", 1.0)
    assert (trouble.exit_code, trouble.code, trouble.why) == (code, "CODE", "A rule is broken.")


def test_a_defect_tells_its_kind_and_place_and_never_its_text() -> None:
    try:
        raise KeyError("a name")
    except KeyError as error:
        trouble = errors.trouble_of(error, "", 1.0)
    assert trouble.exit_code == 1
    assert "KeyError" in trouble.why
    assert "test_a_defect" in trouble.why
    assert "a name" not in f"{trouble.happened}{trouble.why}{trouble.next_step}"


@pytest.mark.parametrize("reason", sorted(errors._NEXT_OF_CODE))
def test_who_is_refused_for_what_he_can_mend_is_told_how(desk: FakeDesk, capsys: pytest.CaptureFixture[str], reason: str) -> None:
    desk.answers["WhoAmI"] = Failure(status=grpc.StatusCode.FAILED_PRECONDITION, reason=reason, details="a rule")
    assert ask(desk, capsys)[1]["next_step"] == errors._NEXT_OF_CODE[reason]


@pytest.mark.parametrize(
    "arguments",
    [
        ["audit", "export", "--format", "csv", "-o", "none.csv"],
        ["audit", "subject-report", "12345678"],
        ["audit", "sample", "--seed", "x"],
        ["audit", "erasure-proof", "12345678", "--fingerprint", "0" * 64],
        ["retention", "due"],
    ],
)
def test_a_command_reaches_for_the_desk_with_tls13_pinned(tmp_path: Path, arguments: list[str]) -> None:
    """In a process of its own: here gRPC has long been imported, and the order of imports would not matter."""
    directory = tmp_path / "gb"
    set_up(directory)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        context = (directory / "auditor.toml").read_text("utf-8")
        nobody = re.sub(r'desk = ".*"', f'desk = "127.0.0.1:{taken.getsockname()[1]}"', context)
        (directory / "auditor.toml").write_text(nobody, "utf-8")
        command = [sys.executable, "-m", "node.cli.main", "--context", str(directory / "auditor.toml"), "--json", *arguments]
        environment = {name: value for name, value in os.environ.items() if name != "GRPC_SSL_CIPHER_SUITES"}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert json.loads(done.stdout)["error"]["code"] == "UNREACHABLE"
    assert done.returncode == 5
