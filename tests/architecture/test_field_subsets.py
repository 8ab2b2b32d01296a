"""Every selection of a valid alert's top-level fields is a valid alert: otherwise an agreement could ask for one that no
recipient would accept (PROTOCOL.md, section 3).
"""

from typing import Any

import protovalidate
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buf.validate import validate_pb2
from tests.architecture.schema import Edit, alert_types, altered, edit_field, message_proto, our_files, rules_of

pytestmark = pytest.mark.thorough

ALERTS = alert_types(our_files())
VALIDATOR = protovalidate.Validator()
INTEGER_RULES = {
    FieldDescriptor.TYPE_INT64: ("int64", -(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT32: ("uint32", 0, 2**32 - 1),
}


def valid(message: Descriptor) -> st.SearchStrategy[Message]:
    """Valid messages of one type in which whatever may be absent sometimes is."""
    values = {field.name: _values(field) for field in message.fields}
    # A nested scalar without presence is always there, and so always given; all else may be absent.
    free = {field.name for field in message.fields if field.has_presence or field.is_repeated}
    return st.fixed_dictionaries(
        {name: values[name] for name in values.keys() - free},
        optional={name: values[name] for name in values.keys() & free},
    ).map(lambda given: GetMessageClass(message)(**given))


def _values(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    rules = rules_of(field)
    if field.is_repeated:
        return st.lists(_one(field, rules.repeated.items), min_size=1, max_size=min(rules.repeated.max_items, 2))
    return _one(field, rules)


def _one(field: FieldDescriptor, rules: validate_pb2.FieldRules) -> st.SearchStrategy[Any]:
    if field.message_type:
        return valid(field.message_type)
    if field.enum_type:
        return st.sampled_from([value.number for value in field.enum_type.values])
    if field.type == FieldDescriptor.TYPE_BOOL:
        return st.booleans()
    if field.type == FieldDescriptor.TYPE_BYTES:
        return st.binary(min_size=rules.bytes.len, max_size=rules.bytes.len)
    if field.type == FieldDescriptor.TYPE_STRING and rules.string.pattern:
        return st.from_regex(rules.string.pattern, fullmatch=True)
    if field.type == FieldDescriptor.TYPE_STRING:
        return st.text(st.characters(codec="utf-8"), min_size=rules.string.min_len, max_size=min(rules.string.max_len, 12))
    name, low, high = INTEGER_RULES[field.type]
    bounds = getattr(rules, name)
    return st.integers(
        bounds.gte if bounds.HasField("gte") else low,
        bounds.lte if bounds.HasField("lte") else high,
    )


def selection(alert: Message, numbers: set[int]) -> Message:
    """A copy of the alert with only the fields of those numbers."""
    copy = type(alert)()
    copy.CopyFrom(alert)
    for field in alert.DESCRIPTOR.fields:
        if field.number not in numbers:
            copy.ClearField(field.name)
    return copy


def refused_selections(alert: Message, validator: protovalidate.Validator) -> list[set[int]]:
    """Which of these fail: no field, each field alone, all fields but one."""
    present = {field.number for field, _ in alert.ListFields()}
    tried = [set(), *({number} for number in present), *(present - {number} for number in present)]
    return [numbers for numbers in tried if validator.collect_violations(selection(alert, numbers))]


@pytest.mark.parametrize("alert_type", ALERTS, ids=lambda alert: alert.name)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_every_selection_of_a_valid_alert_is_valid(alert_type: Descriptor, data: st.DataObject) -> None:
    alert = data.draw(valid(alert_type))
    assert VALIDATOR.collect_violations(alert) == []
    assert refused_selections(alert, VALIDATOR) == []
    chosen = data.draw(st.sets(st.sampled_from([field.number for field in alert_type.fields])))
    assert VALIDATOR.collect_violations(selection(alert, chosen)) == []


def _required(field: FieldDescriptorProto) -> None:
    field.options.Extensions[validate_pb2.field].required = True


def _at_least_one(field: FieldDescriptorProto) -> None:
    field.options.Extensions[validate_pb2.field].repeated.min_items = 1


def _cross(file: FileDescriptorProto) -> None:
    rules = message_proto(file, "TipStatus").options.Extensions[validate_pb2.message]
    rules.cel.add(id="tip_status.digest", message="a state says of what", expression="!has(this.state) || has(this.tip_digest)")


@pytest.mark.parametrize(
    ("edit", "alert_type", "content"),
    [
        (edit_field("Tip", "observed", _required), "Tip", {"observed": "2025", "anonymous": True}),
        (edit_field("Tip", "concerns", _at_least_one), "Tip", {"concerns": [1], "anonymous": True}),
        (_cross, "TipStatus", {"tip_digest": bytes(32), "state": 1}),
    ],
)
def test_a_rule_that_binds_two_fields_is_found(edit: Edit, alert_type: str, content: dict[str, Any]) -> None:
    descriptor = next(alert for alert in alert_types(altered("tip", edit)) if alert.name == alert_type)
    alert = GetMessageClass(descriptor)(**content)
    validator = protovalidate.Validator()  # one keeps the rules of a type by its name, and here the name has other rules
    assert validator.collect_violations(alert) == []
    assert refused_selections(alert, validator) != []
