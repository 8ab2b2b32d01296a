"""An auditor or a court installs the treaty without an office: it imports with nothing but its own dependencies present."""

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Refuses every import that is neither the standard library nor in the list that follows on the command line.
PROGRAM = """
import sys

class OnlyTheTreaty:
    allowed = set(sys.argv[2].split(",")) | set(sys.stdlib_module_names) | {"exchange", "buf"}

    def find_spec(self, name, path=None, target=None):
        top, _, rest = name.partition(".")
        if top not in self.allowed or (top == "google" and rest and rest.split(".")[0] != "protobuf"):
            raise ModuleNotFoundError(f"not installed with the treaty alone: {name}", name=name)

sys.meta_path.insert(0, OnlyTheTreaty())
for module in sys.argv[1].split(","):
    __import__(module)
"""


def installed_with_the_treaty() -> set[str]:
    """The top-level modules of the dependencies in pyproject.toml and of theirs, without extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    waiting, seen = [_name(requirement) for requirement in project["dependencies"]], set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting.extend(_name(r) for r in _requirements(name) if "extra ==" not in r)
    return {module for module, owners in metadata.packages_distributions().items() if {_name(o) for o in owners} & seen}


def _name(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match is not None
    return re.sub(r"[-_.]+", "-", match[0]).lower()


def _requirements(name: str) -> list[str]:
    try:
        return metadata.requires(name) or []
    except metadata.PackageNotFoundError:  # of another platform
        return []


def import_alone(*modules: str) -> subprocess.CompletedProcess[str]:
    """Import the modules, in that order, where only the treaty and its dependencies are there."""
    command = [sys.executable, "-c", PROGRAM, ",".join(modules), ",".join(installed_with_the_treaty())]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def treaty_modules() -> list[str]:
    """Every module of `exchange`, but for the gRPC stubs, which only an office needs."""
    files = (file.relative_to(ROOT) for file in (ROOT / "exchange").rglob("*.py"))
    names = sorted(".".join(file.with_suffix("").parts) for file in files)
    return [name.removesuffix(".__init__") for name in names if not name.endswith("_pb2_grpc")]


def test_an_evidence_file_is_verified_without_an_office() -> None:
    result = import_alone("exchange.evidence")
    assert result.returncode == 0, result.stderr


def test_the_whole_treaty_imports_without_an_office() -> None:
    result = import_alone(*treaty_modules())
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("module", ["grpc", "sqlalchemy", "node.tls", "google.rpc.status_pb2", "exchange.v1.desk_service_pb2_grpc"])
def test_an_office_is_really_absent(module: str) -> None:
    result = import_alone(module)
    assert result.returncode == 1
    assert "not installed with the treaty alone" in result.stderr
