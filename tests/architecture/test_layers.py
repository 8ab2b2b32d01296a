"""A file imports only from floors below its own: the contracts of pyproject.toml hold, and each of them bites."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """Run the contracts of `root/pyproject.toml` on the code beside it."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The two stacks, to plant a breach in."""
    for folder in ("exchange", "node"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_file_imports_from_floors_below_its_own() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("exchange/values.py", "import node.tls", "the treaty never imports an office"),
        ("exchange/encoding.py", "import sqlalchemy", "the treaty never imports an office"),
        ("exchange/encoding.py", "import grpc", "the treaty never imports an office"),
        ("exchange/values.py", "import time", "the treaty has no clock, disk, network, randomness or logging"),
        ("exchange/values.py", "import exchange.signing", "the treaty's floors"),
        ("exchange/novelty.py", "", "the treaty's floors"),
        ("node/limits.py", "import node.tls", "the office's floors"),
        ("node/operations/planted.py", "import node.links", "no network inside an operation"),
        ("node/novelty.py", "", "the office's floors"),
        ("node/operations/planted.py", "import sqlalchemy", "only the store speaks SQL"),
        ("node/operations/planted.py", "import grpc", "only the doors and the command line speak gRPC"),
        ("node/console/planted.py", "import node.store.alerts", "the console calls operations and nothing below them"),
        ("node/operations/planted.py", "import jinja2", "only the console writes pages"),
        ("node/operations/planted.py", "import webauthn", "only the passkeys' own module speaks WebAuthn"),
        ("node/console/planted.py", "import jwt", "only the ID tokens' own module reads tokens"),
        ("node/rpc/planted.py", "import click", "only the command line draws on a terminal"),
    ],
)
def test_each_contract_bites(copy: Path, file: str, line: str, contract: str) -> None:
    path = copy / file
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(f"{before}\n{line}\n", encoding="utf-8")
    result = lint(copy)
    assert result.returncode == 1
    assert f"{contract} BROKEN" in result.stdout
