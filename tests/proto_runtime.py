"""The messages of `proto/` as another team would have them: generated from the schema alone, in a pool of their own."""

import importlib.util
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

GENERATE = Path(__file__).resolve().parents[1] / "proto" / "generate.py"


@cache
def schema() -> Any:
    """A pool of every message and enum."""
    spec = importlib.util.spec_from_file_location("generate", GENERATE)
    generate: Any = importlib.util.module_from_spec(spec)  # it knows how to call protoc; nothing that it generates is used
    spec.loader.exec_module(generate)
    pool = descriptor_pool.DescriptorPool()
    with tempfile.TemporaryDirectory() as place:
        Path(place, "rules").write_bytes(generate.rules_descriptor())
        generate.run_protoc(Path(place, "rules"), "--include_imports", f"--descriptor_set_out={place}/all", *generate.own_protos())
        for file in descriptor_pb2.FileDescriptorSet.FromString(Path(place, "all").read_bytes()).file:
            pool.Add(file)
    return pool


@cache
def kind(name: str) -> Any:
    """The class of a message; of ours without its package."""
    return message_factory.GetMessageClass(schema().FindMessageTypeByName(name if "." in name else f"exchange.v1.{name}"))


def option(of: Any, level: str, name: str) -> str:
    """The name of the value of one of our own options, of a message or a field, without its prefix; empty if it is not set."""
    said = schema().FindExtensionByName(f"exchange.v1.{name}")
    number = kind(f"google.protobuf.{level}Options").FromString(of.GetOptions().SerializeToString()).Extensions[said]
    prefix = said.enum_type.values_by_number[0].name.removesuffix("UNSPECIFIED")
    return said.enum_type.values_by_number[number].name.removeprefix(prefix) if number else ""
