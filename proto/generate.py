"""Write `exchange/v1/` and `buf/validate/` from `proto/`, or check that what is committed is what would be written.

    python proto/generate.py            write
    python proto/generate.py --check    compare byte for byte and lint the schema; exit 1 on any difference

protovalidate's wheel ships the descriptor of its rules but no `validate.proto`. So the descriptor is taken out of the wheel and given to
protoc, and the Python module made from it is committed as a package of its own, `buf/validate`.
"""

import argparse
import filecmp
import subprocess
import sys
import tempfile
from pathlib import Path

import grpc_tools
from google.protobuf import descriptor_pb2
from grpc_tools import protoc
from protovalidate._gen.buf.validate import validate_pb

ROOT = Path(__file__).resolve().parent.parent
RULES = "buf/validate/validate.proto"


def rules_descriptor() -> bytes:
    """Return a FileDescriptorSet of protovalidate's rules and what they import, dependencies first."""
    files = descriptor_pb2.FileDescriptorSet()
    for name in ("descriptor", "duration", "field_mask", "timestamp"):
        module = __import__(f"google.protobuf.{name}_pb2", fromlist=["DESCRIPTOR"])
        module.DESCRIPTOR.CopyToProto(files.file.add())
    files.file.add().ParseFromString(validate_pb.desc().proto.to_binary())
    return files.SerializeToString(deterministic=True)


def own_protos() -> list[str]:
    """Return our schema files as protoc names them."""
    return sorted(str(path.relative_to(ROOT / "proto")) for path in (ROOT / "proto" / "exchange").rglob("*.proto"))


def run_protoc(rules: Path, *arguments: str) -> None:
    """Run the pinned protoc; its own message says what is wrong."""
    well_known = Path(grpc_tools.__file__).parent / "_proto"
    code = protoc.main(
        ["protoc", f"--descriptor_set_in={rules}", f"--proto_path={ROOT / 'proto'}", f"--proto_path={well_known}", *arguments]
    )
    if code:
        raise SystemExit(f"protoc failed with exit code {code}; its message stands above")


def generate(out: Path) -> None:
    """Write every generated file below `out`."""
    with tempfile.TemporaryDirectory() as scratch:
        rules = Path(scratch, "rules.binpb")
        rules.write_bytes(rules_descriptor())
        services = [name for name in own_protos() if name.endswith("_service.proto")]
        run_protoc(rules, f"--python_out={out}", f"--mypy_out=quiet:{out}", RULES, *own_protos())
        run_protoc(rules, f"--grpc_python_out={out}", f"--mypy_grpc_out=quiet:{out}", *services)
    for package in ("buf", "buf/validate", "exchange/v1"):
        (out / package / "__init__.py").touch()


def generated_files(root: Path) -> set[str]:
    """Return the paths of generated files below `root`."""
    folders = (root / "buf", root / "exchange" / "v1")
    return {str(p.relative_to(root)) for f in folders for p in f.rglob("*") if p.suffix in {".py", ".pyi"}}


def differences() -> list[str]:
    """Return the paths that are committed differently from what the generator writes now."""
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch)
        generate(fresh)
        names = generated_files(fresh) | generated_files(ROOT)
        _, unequal, missing = filecmp.cmpfiles(fresh, ROOT, sorted(names), shallow=False)
        return sorted(unequal + missing)


def lint() -> int:
    """Run buf's linter over the schema as an image, so that it needs no network and no module registry."""
    with tempfile.TemporaryDirectory() as scratch:
        rules, image = Path(scratch, "rules.binpb"), Path(scratch, "image.binpb")
        rules.write_bytes(rules_descriptor())
        run_protoc(rules, f"--descriptor_set_out={image}", "--include_imports", "--include_source_info", *own_protos())
        return subprocess.run(["buf", "lint", str(image), "--config", str(ROOT / "proto" / "buf.yaml")], check=False).returncode


def main() -> int:
    """Write, or check with `--check`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare and lint instead of writing")
    if not parser.parse_args().check:
        generate(ROOT)
        return 0
    stale = differences()
    for name in stale:
        print(f"not what the generator writes: {name}; run python proto/generate.py")
    return 1 if lint() or stale else 0


if __name__ == "__main__":
    sys.exit(main())
