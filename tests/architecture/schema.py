"""The schema of `proto/exchange/v1` as descriptors, and altered copies of it to show that a check bites."""

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterable, Iterator

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, FileDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool

import exchange.v1
from buf.validate import validate_pb2
from exchange.v1 import options_pb2

Edit = Callable[[FileDescriptorProto], None]

SCALARS: dict[int, str] = {
    number: name.removeprefix("TYPE_").lower()
    for name, number in FieldDescriptorProto.Type.items()
    if name not in {"TYPE_MESSAGE", "TYPE_GROUP", "TYPE_ENUM"}
}


def our_files() -> tuple[FileDescriptor, ...]:
    """Every schema file of `exchange.v1`, by name."""
    names = (module.name for module in pkgutil.iter_modules(exchange.v1.__path__))
    modules = [importlib.import_module(f"exchange.v1.{name}") for name in names if name.endswith("_pb2")]
    return tuple(module.DESCRIPTOR for module in modules)


def altered(file_name: str, edit: Edit) -> tuple[FileDescriptor, ...]:
    """Every schema file of `exchange.v1`, in a pool of its own, after `edit` changed `exchange/v1/<file_name>.proto`."""
    pool = DescriptorPool()
    added: set[str] = set()

    def add(file: FileDescriptor) -> None:
        if file.name in added:
            return
        added.add(file.name)
        for dependency in file.dependencies:
            add(dependency)
        proto = file_proto(file)
        if file.name == f"exchange/v1/{file_name}.proto":
            edit(proto)
        pool.AddSerializedFile(proto.SerializeToString())

    for file in our_files():
        add(file)
    return tuple(pool.FindFileByName(file.name) for file in our_files())


def file_proto(file: FileDescriptor) -> FileDescriptorProto:
    """The file as protoc wrote it."""
    proto = FileDescriptorProto()
    file.CopyToProto(proto)
    return proto


def message_proto(file: FileDescriptorProto, name: str) -> DescriptorProto:
    """The message of that name in a file that is about to be altered."""
    return next(message for message in file.message_type if message.name == name)


def add_field(message: str, name: str, *, kind: str = "string", repeated: bool = False, number: int = 60) -> Edit:
    """An edit that gives `message` one more field; `kind` is a scalar, or the name of a message of `exchange.v1`."""

    def edit(file: FileDescriptorProto) -> None:
        field = message_proto(file, message).field.add(name=name, number=number, label=3 if repeated else 1)
        if kind.islower():
            field.type = FieldDescriptorProto.Type.Value(f"TYPE_{kind.upper()}")
        else:
            field.type = FieldDescriptorProto.TYPE_MESSAGE
            field.type_name = f".exchange.v1.{kind}"

    return edit


def edit_field(message: str, name: str, change: Callable[[FieldDescriptorProto], None]) -> Edit:
    """An edit that changes one field of `message`."""

    def edit(file: FileDescriptorProto) -> None:
        change(next(field for field in message_proto(file, message).field if field.name == name))

    return edit


def messages(files: Iterable[FileDescriptor]) -> Iterator[Descriptor]:
    """Every message of the files, nested ones included."""
    waiting = [message for file in files for message in file.message_types_by_name.values()]
    while waiting:
        message = waiting.pop()
        waiting.extend(message.nested_types)
        yield message


def enums(files: Iterable[FileDescriptor]) -> Iterator[EnumDescriptor]:
    """Every enum of the files, nested ones included."""
    known = tuple(files)
    for file in known:
        yield from file.enum_types_by_name.values()
    for message in messages(known):
        yield from message.enum_types


def alert_types(files: Iterable[FileDescriptor]) -> list[Descriptor]:
    """The alert types among the files' messages, by name."""
    found = (message for message in messages(files) if alert_kind(message))
    return sorted(found, key=lambda message: message.name)


def alert_kind(message: Descriptor) -> int:
    """Ordinary, control, or 0 for what is no alert type."""
    return int(message.GetOptions().Extensions[options_pb2.alert_kind])


def rules_of(field: FieldDescriptor) -> validate_pb2.FieldRules:
    """The protovalidate rules on a field; empty if there are none."""
    return field.GetOptions().Extensions[validate_pb2.field]


def reachable(roots: Iterable[Descriptor]) -> list[Descriptor]:
    """The roots and every message that they can hold, each once, by name."""
    seen: dict[str, Descriptor] = {}
    waiting = list(roots)
    while waiting:
        message = waiting.pop()
        if message.full_name not in seen:
            seen[message.full_name] = message
            waiting.extend(field.message_type for field in message.fields if field.message_type)
    return [seen[name] for name in sorted(seen)]


def paths(message: Descriptor, path: str = "", above: tuple[str, ...] = ()) -> Iterator[tuple[str, FieldDescriptor]]:
    """Each field below `message` with its path, e.g. `HitReport.child.child_present`; a recursion is entered once."""
    here = path or message.name
    for field in message.fields:
        yield f"{here}.{field.name}", field
        if field.message_type and field.message_type.full_name not in above:
            yield from paths(field.message_type, f"{here}.{field.name}", (*above, message.full_name))


def shape(field: FieldDescriptor) -> str:
    """How a field is declared, e.g. `repeated AgeBand`, `optional bool`, `string <= 80`, `bytes = 32`."""
    label = "repeated " if field.is_repeated else "optional " if is_optional(field) else ""
    kind = field.message_type or field.enum_type
    text = label + (kind.name if kind else SCALARS[field.type])
    rules = rules_of(field)
    if field.type == FieldDescriptor.TYPE_STRING and rules.string.HasField("max_len"):
        text += f" <= {rules.string.max_len}"
    if field.type == FieldDescriptor.TYPE_BYTES and rules.bytes.HasField("len"):
        text += f" = {rules.bytes.len}"
    return text


def is_optional(field: FieldDescriptor) -> bool:
    """Whether the schema says `optional`, which protoc turns into a oneof of one."""
    return field.containing_oneof is not None and field.containing_oneof.name == f"_{field.name}"


def words(name: str) -> set[str]:
    """The lower-case words of a field's or a message's name."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", name)}
