"""The console as a node serves it: built assets and their size, its listener with and without TLS, what its configuration may not be."""

import gzip
import http.client
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from exchange.errors import Malformed, NotFound, Refused
from node.app import build
from node.config import load_config
from node.console import assets
from node.console.assets import MAIN, load_assets
from node.console.listener import console_listener
from node.console.site import Site
from node.console_section import ConsoleSection
from node.keys.node_directory import example_plan, write_node_directory
from node.operations.sequence import sequence
from node.operations.watchlist import Watchlists
from node.rpc.desk_service import DeskService
from tests.console_site import Browser, nobody, site_of
from tests.federation import federation
from tests.refusals import refused
from tests.rig import Office

FIRST_VIEW = 300_000
DESK_NAME = "desk.kh.alerts.example"
SCRIPTS = {
    "en": ("noto-sans-latin-",),
    "km": ("noto-sans-latin-", "noto-sans-khmer-"),
    "th": ("noto-sans-latin-", "noto-sans-thai-"),
    "vi": ("noto-sans-latin-", "noto-sans-vietnamese-"),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training node's directory, as `exchange node init` writes it."""
    directory = tmp_path_factory.mktemp("node") / "kh"
    write_node_directory(example_plan("KH"), directory, now=datetime.now(UTC), vault_key=bytes(32), port=7443)
    return directory


@pytest.fixture
def kh(tmp_path: Path) -> Iterator[Office]:
    with federation(tmp_path, "kh") as offices:
        yield offices["kh"]


class AtOnce:
    """Gives releases their place without a thread."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def submit(self, items: list[Any]) -> Any:
        return SimpleNamespace(result=lambda: sequence(self._office.ports, items))


def configured(made: Path, **console: Any) -> Any:
    config = load_config(made / "node.toml", {})
    return replace(config, console=replace(config.console, **console))


def fetch(port: int, path: str, host: str, tls: ssl.SSLContext | None = None, **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    if tls:
        connection.sock = tls.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=20), server_hostname=DESK_NAME)
    connection.request("GET", path, headers={"Host": host, **headers})
    answer = connection.getresponse()
    answer.body = answer.read()  # type: ignore[attr-defined]
    connection.close()
    return answer


def test_the_assets_were_built_and_a_first_view_is_small() -> None:
    built = load_assets()
    css = built.by_name["console.css"].data.decode()
    assert "crown" not in css.lower()
    assert "GDS Transport" not in css
    named = set(re.findall(r"url\(\"?([^\")]+)", css))
    assert named <= built.by_name.keys(), "every file that a style names is here"
    assert {name for name in built.by_name if name.endswith(".woff2")} == named
    base = sum(len(built.by_name[name].packed or b"") for name in MAIN)
    for scripts in SCRIPTS.values():
        fonts = sum(len(asset.data) for name, asset in built.by_name.items() if name.startswith(scripts) and "ext" not in name)
        assert base + fonts + 60_000 < FIRST_VIEW


def test_assets_may_be_kept_and_are_compressed(kh: Office) -> None:
    built = load_assets()
    browser = Browser(kh, assets=built)
    page = browser.get("/sign-in").text
    for path in re.findall(r'(?:src|href)="(/assets/[^"]+)"', page):
        answer = browser.get(path, **{"accept-encoding": "gzip"})
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    css = built.path("console.css")
    assert gzip.decompress(built.by_name["console.css"].packed or b"") == built.by_name["console.css"].data
    assert "content-encoding" not in browser.get(css, **{"accept-encoding": "identity"}).headers
    for wrong in ("/assets/0/console.css", f"/assets/{built.version}/nothing.css", f"/assets/{built.version}/..%2fpages.py"):
        assert browser.get(wrong).status_code == 404


def test_a_node_without_built_assets_says_so_and_runs_on(kh: Office, made: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(assets, "files", lambda _: tmp_path)
    with refused(NotFound, "CONSOLE_ASSETS"):
        load_assets()
    (tmp_path / "static").mkdir()
    (tmp_path / "static/console.css").write_text("")
    with structlog.testing.capture_logs() as logged:
        assert console_listener(configured(made, listen="127.0.0.1:7447"), kh.ports, AtOnce(kh), nobody, Watchlists()) is None
    assert [(one["code"], one["log_level"]) for one in logged] == [("CONSOLE_ASSETS", "warning")]


def test_on_loopback_it_is_served_without_tls_and_stops(kh: Office, made: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    serving = console_listener(configured(made, listen=f"127.0.0.1:{port}"), kh.ports, AtOnce(kh), nobody, Watchlists())
    assert serving is not None
    serving.start()
    try:
        assert fetch(port, "/", f"kh.localhost:{port}").getheader("location") == "/sign-in"
        assert fetch(port, "/", f"127.0.0.1:{port}").status == 421
    finally:
        serving.stop()
    with pytest.raises(OSError, match="refused"):
        fetch(port, "/", f"kh.localhost:{port}")


def test_elsewhere_it_is_served_by_the_certificate_of_the_desk(kh: Office, made: Path) -> None:
    wanted = configured(made, listen="127.0.0.1:0", host=DESK_NAME, plain=False, demo_sign_in=False)
    serving = console_listener(wanted, kh.ports, AtOnce(kh), nobody, Watchlists())
    assert serving is not None
    serving.start()
    try:
        tls = ssl.create_default_context(cafile=str(made / "office-ca.pem"))
        answer = fetch(serving.port, "/sign-in", f"{DESK_NAME}:0", tls)
        assert answer.status == 200
        assert answer.getheader("strict-transport-security")
        old = ssl.create_default_context(cafile=str(made / "office-ca.pem"))
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises(ssl.SSLError):
            fetch(serving.port, "/sign-in", f"{DESK_NAME}:0", old)
    finally:
        serving.stop()


def test_a_certificate_for_another_name_is_refused_at_start(kh: Office, made: Path) -> None:
    with refused(Refused, "CONSOLE_HOST"):
        console_listener(
            configured(made, listen="127.0.0.1:0", host="console.kh.example", plain=False), kh.ports, AtOnce(kh), nobody, Watchlists()
        )
    missing = configured(made, listen="127.0.0.1:0", host=DESK_NAME, plain=False)
    missing = replace(missing, tls=replace(missing.tls, desk_key=made / "nothing"))
    with refused(Malformed, "TLS_MATERIAL"):
        console_listener(missing, kh.ports, AtOnce(kh), nobody, Watchlists())


def test_one_release_is_one_of_several(kh: Office) -> None:
    given: list[Any] = []
    site = site_of(kh, release_together=lambda items: given.append(items) or items)
    assert site.release("one") == "one"  # type: ignore[arg-type,comparison-overlap]
    assert given == [["one"]]


@pytest.mark.parametrize(
    ("section", "training", "wrong"),
    [
        (ConsoleSection(), False, []),
        (ConsoleSection(listen="0.0.0.0:443", host="console.kh.example"), False, []),
        (ConsoleSection(listen="127.0.0.1:7447", host="kh.localhost", plain=True, demo_sign_in=True), True, []),
        (ConsoleSection(listen="[::1]:7447", plain=True), True, []),
        (ConsoleSection(host="kh.localhost", plain=True, demo_sign_in=True), True, []),
        (ConsoleSection(listen="127.0.0.1:7447", host="kh.localhost", plain=True), False, ["plain"]),
        (ConsoleSection(listen="127.0.0.1:7447", host="kh.localhost", demo_sign_in=True), False, ["demo_sign_in"]),
        (ConsoleSection(demo_sign_in=True), False, ["demo_sign_in"]),
        (ConsoleSection(listen="0.0.0.0:7447", host="kh.localhost", plain=True, demo_sign_in=True), True, ["plain", "demo_sign_in"]),
        (ConsoleSection(listen="10.0.0.1:7447", host="kh.localhost", plain=True), True, ["plain"]),
        (ConsoleSection(listen="desk.example:7447", host="kh.localhost", plain=True), True, ["plain"]),
        (ConsoleSection(listen="127.0.0.1:7447", host="kh.example", plain=True), True, ["plain"]),
        (ConsoleSection(listen="127.0.0.1:7447", host="evillocalhost", plain=True), True, ["plain"]),
    ],
)
def test_only_training_on_this_machine_goes_without_tls_or_passkey(section: ConsoleSection, training: bool, wrong: list[str]) -> None:  # noqa: FBT001
    assert [re.match(r"console\.(\w+):", one)[1] for one in section.wrong(training=training)] == wrong  # type: ignore[index]


def test_a_production_node_with_the_demo_sign_in_does_not_start(made: Path, tmp_path: Path) -> None:
    text = (made / "node.toml").read_text("utf-8")
    production = tmp_path / "node.toml"
    production.write_text(text.replace("training = true", "training = false"), "utf-8")
    with pytest.raises(Malformed, match=r"console\.demo_sign_in") as error:
        load_config(production, {})
    assert error.value.code == "CONFIG_INVALID"


def test_a_node_opens_its_console_with_its_other_doors(made: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = load_config(made / "node.toml", {"EXCHANGE_CONSOLE_LISTEN": f"127.0.0.1:{port}"})
    (made / "data").mkdir(exist_ok=True)
    node = build(config)
    try:
        assert node._console is not None
        node._console.start()
        assert fetch(port, "/sign-in", f"kh.localhost:{port}").status == 200
        node._console.stop()
    finally:
        node.ports.store.close()
    assert all(agency.desk for agency in config.agencies)


def test_both_doors_of_the_desk_compare_with_one_index(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Watchlists] = []

    def noting(make: Any) -> Any:
        return lambda *asked, watchlists, **more: given.append(watchlists) or make(*asked, watchlists=watchlists, **more)

    monkeypatch.setattr("node.app.DeskService", noting(DeskService))
    monkeypatch.setattr("node.console.listener.Site", noting(Site))
    config = load_config(made / "node.toml", {"EXCHANGE_CONSOLE_LISTEN": "127.0.0.1:7447"})
    (made / "data").mkdir(exist_ok=True)
    build(config).ports.store.close()
    assert len(given) == 2
    assert given[0] is given[1]
