"""What is committed under `exchange/v1` and `buf/validate` is, byte for byte, what the pinned generator writes."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def generate(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """proto/generate.py as a module, with the environment's programs (buf, protoc plugins) on the path."""
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    spec = importlib.util.spec_from_file_location("generate", ROOT / "proto" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def copy(generate: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the schema and its generated code that the generator takes for the project."""
    for folder in ("proto", "buf", "exchange/v1"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    return tmp_path


def test_generated_code_is_current(generate: ModuleType) -> None:
    assert generate.differences() == []


def test_the_schema_passes_buf_lint(generate: ModuleType) -> None:
    assert generate.lint() == 0


def test_one_changed_byte_is_found(generate: ModuleType, copy: Path) -> None:
    stub = copy / "exchange" / "v1" / "tip_pb2.pyi"
    stub.write_bytes(stub.read_bytes() + b"\n")
    assert generate.differences() == ["exchange/v1/tip_pb2.pyi"]


def test_a_left_over_and_a_missing_file_are_found(generate: ModuleType, copy: Path) -> None:
    (copy / "exchange" / "v1" / "gone_pb2.py").write_text("", encoding="utf-8")
    (copy / "buf" / "validate" / "validate_pb2.py").unlink()
    assert generate.differences() == ["buf/validate/validate_pb2.py", "exchange/v1/gone_pb2.py"]


def test_a_schema_change_without_generating_is_found(generate: ModuleType, copy: Path) -> None:
    proto = copy / "proto" / "exchange" / "v1" / "permit.proto"
    proto.write_text(proto.read_text(encoding="utf-8").replace("holder = 4", "keeper = 4"), encoding="utf-8")
    assert "exchange/v1/permit_pb2.py" in generate.differences()
