"""The rules that PROTOCOL.md, sections 2 and 3, lays on the schema so that every language writes the same bytes, and every
selection of an alert's fields is a valid alert.
"""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto

from buf.validate import validate_pb2
from exchange.v1 import options_pb2
from tests.architecture.schema import (
    SCALARS,
    Edit,
    add_field,
    alert_kind,
    alert_types,
    altered,
    edit_field,
    enums,
    file_proto,
    is_optional,
    message_proto,
    messages,
    our_files,
    reachable,
    rules_of,
)

ROOT = Path(__file__).parents[2]
CATEGORIES = options_pb2.DataCategory.DESCRIPTOR

# Nested numbers and flags in which zero says nothing that "unknown" would not say.
ZERO_MEANS_UNKNOWN = {"Text.machine_translated", "FacialImage.taken_at", "Deadlines.acknowledge_by", "Deadlines.feed_back_by"}

# Control alerts carry codes and no free text. This one names a party.
CONTROL_STRINGS = {"PurgeAttestation.on_behalf_of"}


def portability_breaches(files: Iterable[FileDescriptor]) -> list[str]:
    """What would let two languages write different bytes for one message, or carry what nobody reads (section 2)."""
    known = tuple(files)
    found = [
        f"{enum.name} has no zero of the form *_UNSPECIFIED"
        for enum in enums(known)
        if not (enum.values_by_number.get(0) and enum.values_by_number[0].name.endswith("_UNSPECIFIED"))
    ]
    for file in known:
        proto = file_proto(file)
        if proto.syntax != "proto3":
            found.append(f"{file.name} is not proto3")
        if proto.extension and file.name != "exchange/v1/options.proto":
            found.append(f"{file.name} declares an extension")
    for message in messages(known):
        proto_message = DescriptorProto()
        message.CopyToProto(proto_message)
        if proto_message.extension_range:
            found.append(f"{message.name} has an extension range")
        if message.GetOptions().map_entry:
            found.append(f"{message.name} is a map")
        found.extend(f"{message.name}.{field.name} {why}" for field in message.fields for why in _unportable(field))
    return found


def _unportable(field: FieldDescriptor) -> list[str]:
    found = []
    if field.containing_oneof and not is_optional(field):
        found.append("is in a oneof")
    if field.type in {FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE}:
        found.append("is a floating point number")
    if field.type == FieldDescriptor.TYPE_GROUP:
        found.append("is a group")
    if field.message_type and field.message_type.file.package != "exchange.v1":
        found.append("is of a foreign type, such as Any")
    return found


def alert_breaches(alerts: Iterable[Descriptor]) -> list[str]:
    """What of the alert types' top level cannot be disclosed field by field (section 3)."""
    found: list[str] = []
    for alert in alerts:
        found.extend(f"{alert.name} {why}" for why in _cross_field(alert))
        for field in alert.fields:
            found.extend(f"{alert.name}.{field.name} {why}" for why in _undisclosable(field))
    return found


def _cross_field(alert: Descriptor) -> list[str]:
    rules = alert.GetOptions().Extensions[validate_pb2.message]
    return ["has a rule across its fields"] if rules.cel or rules.cel_expression or rules.oneof else []


def _undisclosable(field: FieldDescriptor) -> list[str]:
    options, rules = field.GetOptions(), rules_of(field)
    found = []
    if not 1 <= field.number <= 64:
        found.append("is not numbered 1 to 64")
    if options.Extensions[options_pb2.category] == options_pb2.DATA_CATEGORY_UNSPECIFIED:
        found.append("has no category")
    if not re.fullmatch("[RMC-]{3}", options.Extensions[options_pb2.default_marks]):
        found.append("has no default marks")
    if not field.has_presence and not field.is_repeated:
        found.append("is not optional")
    if rules.required or rules.repeated.min_items:
        found.append("must be present")
    return found


def bound_breaches(alerts: Iterable[Descriptor]) -> list[str]:
    """Strings, bytes and lists of the alert types that have no upper bound, and nested numbers that cannot be unknown."""
    found = []
    for message in reachable(alerts):
        for field in message.fields:
            here, rules = f"{message.name}.{field.name}", rules_of(field)
            if field.is_repeated and not rules.repeated.max_items:
                found.append(f"{here} has no bound on its items")
            if not _bounded(field, rules.repeated.items if field.is_repeated else rules):
                found.append(f"{here} has no bound on its length")
            number = not field.message_type and not field.enum_type and SCALARS[field.type] not in {"string", "bytes"}
            if number and not field.has_presence and not field.is_repeated and here not in ZERO_MEANS_UNKNOWN:
                found.append(f"{here} cannot tell zero from unknown")
    return found


def _bounded(field: FieldDescriptor, rules: validate_pb2.FieldRules) -> bool:
    if field.type == FieldDescriptor.TYPE_STRING:
        return bool(rules.string.max_len) or _bounded_pattern(rules.string.pattern)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return bool(rules.bytes.len or rules.bytes.max_len)
    return True


def _bounded_pattern(pattern: str) -> bool:
    """Whether an anchored pattern repeats nothing without end; what stands in a character class repeats nothing."""
    outside_classes = re.sub(r"\[[^]]*\]", "", pattern)
    return pattern.startswith("^") and pattern.endswith("$") and not re.search(r"[*+]|\{\d+,\}", outside_classes)


def test_every_language_writes_the_same_bytes() -> None:
    assert portability_breaches(our_files()) == []


def test_every_top_level_field_can_be_disclosed_by_itself() -> None:
    assert alert_breaches(alert_types(our_files())) == []


def test_every_string_and_list_of_an_alert_is_bounded() -> None:
    assert bound_breaches(alert_types(our_files())) == []


def test_control_alerts_carry_codes_only() -> None:
    control = [alert for alert in alert_types(our_files()) if alert_kind(alert) == options_pb2.ALERT_KIND_CONTROL]
    strings = {f"{m.name}.{f.name}" for m in reachable(control) for f in m.fields if f.type == FieldDescriptor.TYPE_STRING}
    assert {alert.name for alert in control} == {"Correction", "PurgeAttestation", "Refusal", "Restriction", "Withdrawal"}
    assert strings == CONTROL_STRINGS
    assert all(alert.fields_by_number[1].name == "manifest_digest" for alert in control)


def test_the_alert_types_are_those_of_the_page() -> None:
    table = _section("## Alert types", "## TravelAlert")
    named = {name for row in table for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert {alert.name for alert in alert_types(our_files())} == named


def test_a_travel_alert_is_the_table_of_the_page() -> None:
    rows = [[cell.strip().strip("`") for cell in row.split("|")[1:-1]] for row in _section("## TravelAlert", "There is")]
    page = [(row[0], row[2], "".join(row[3:]).replace("–", "-")) for row in rows[1:]]
    alert = next(alert for alert in alert_types(our_files()) if alert.name == "TravelAlert")
    assert page == [
        (
            field.name,
            CATEGORIES.values_by_number[field.GetOptions().Extensions[options_pb2.category]].name.removeprefix("DATA_CATEGORY_"),
            field.GetOptions().Extensions[options_pb2.default_marks],
        )
        for field in sorted(alert.fields, key=lambda field: field.number)
    ]


def _section(start: str, end: str) -> list[str]:
    """The rows of the table between two lines of docs/alerts.md, without the rule below its head."""
    text = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")
    part = text.split(f"\n{start}")[1].split(f"\n{end}")[0]
    return [line for line in part.splitlines() if line.startswith("|") and not line.startswith("|---")]


def _make_required(field: FieldDescriptorProto) -> None:
    field.options.Extensions[validate_pb2.field].required = True


def _drop_rules(field: FieldDescriptorProto) -> None:
    field.options.ClearExtension(validate_pb2.field)


def _drop_category(field: FieldDescriptorProto) -> None:
    field.options.ClearExtension(options_pb2.category)


def _odd_marks(field: FieldDescriptorProto) -> None:
    field.options.Extensions[options_pb2.default_marks] = "RX-"


def _cross(file: FileDescriptorProto) -> None:
    rules = message_proto(file, "Tip").options.Extensions[validate_pb2.message]
    rules.cel.add(id="tip.place", message="a tip about danger says where", expression="!has(this.child) || has(this.place)")


def _real_oneof(file: FileDescriptorProto) -> None:
    proto = message_proto(file, "TipPlace")
    proto.oneof_decl.add(name="where")
    proto.field.add(name="here", number=9, type=9, label=1, oneof_index=0)


def _map(file: FileDescriptorProto) -> None:
    proto = message_proto(file, "TipPlace")
    entry = proto.nested_type.add(name="NotesEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=9, label=1)
    entry.field.add(name="value", number=2, type=9, label=1)
    proto.field.add(name="notes", number=9, type=11, label=3, type_name=".exchange.v1.TipPlace.NotesEntry")


def _foreign(file: FileDescriptorProto) -> None:
    message_proto(file, "TipPlace").field.add(name="more", number=9, type=11, label=1, type_name=".buf.validate.Rule")


def _odd_zero(file: FileDescriptorProto) -> None:
    file.enum_type[0].value[0].name = "PREMISES_TYPE_NONE"


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (_real_oneof, "TipPlace.here is in a oneof"),
        (_map, "NotesEntry is a map"),
        (add_field("TipPlace", "latitude", kind="double"), "TipPlace.latitude is a floating point number"),
        (add_field("TipPlace", "accuracy", kind="float"), "TipPlace.accuracy is a floating point number"),
        (_foreign, "TipPlace.more is of a foreign type"),
        (_odd_zero, "PremisesType has no zero"),
        (_cross, "Tip has a rule across its fields"),
        (edit_field("Tip", "place", _make_required), "Tip.place must be present"),
        (edit_field("Tip", "place", _drop_category), "Tip.place has no category"),
        (edit_field("Tip", "place", _odd_marks), "Tip.place has no default marks"),
        (add_field("Tip", "late", number=65), "Tip.late is not numbered 1 to 64"),
        (add_field("Tip", "plain"), "Tip.plain is not optional"),
        (edit_field("Tip", "suspects", _drop_rules), "Tip.suspects has no bound on its items"),
        (edit_field("Tip", "observed", _drop_rules), "Tip.observed has no bound on its length"),
        (edit_field("TipStatus", "tip_digest", _drop_rules), "TipStatus.tip_digest has no bound on its length"),
        (add_field("ChildIndication", "others", kind="uint32"), "ChildIndication.others cannot tell zero from unknown"),
    ],
)
def test_each_rule_bites(edit: Edit, expected: str) -> None:
    files = altered("tip", edit)
    alerts = alert_types(files)
    found = portability_breaches(files) + alert_breaches(alerts) + bound_breaches(alerts)
    assert any(breach.startswith(expected) for breach in found), found


@pytest.mark.parametrize(
    ("pattern", "bounded"),
    [("^[A-Z]{1,3}$", True), ("^a+$", False), ("^a*$", False), ("^a{2,}$", False), ("[a]{2}", False), ("", False), ("^[+*]$", True)],
)
def test_a_pattern_bounds_only_if_it_ends(pattern: str, *, bounded: bool) -> None:
    assert _bounded_pattern(pattern) is bounded
