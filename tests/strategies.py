"""Random alerts and agreements, drawn from the descriptors and their protovalidate bounds, for properties that must hold for any."""

from functools import cache

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st

from buf.validate import validate_pb2
from exchange.profile import AlertType, alert_type, alert_types
from exchange.v1 import agreement_pb2, handling_pb2

UNKNOWN_ENUM_NUMBER = 4711
"""Such as a newer partner may send: it is shown, never dropped."""

_INTEGERS = {
    FieldDescriptor.TYPE_UINT32: ("uint32", 0, 2**32 - 1),
    FieldDescriptor.TYPE_UINT64: ("uint64", 0, 2**64 - 1),
    FieldDescriptor.TYPE_INT64: ("int64", -(2**63), 2**63 - 1),
}
_LONGEST = 6
"""Strings and lists need not be long to differ; generation time grows with them."""

kinds = st.sampled_from(sorted(alert_types().values(), key=lambda kind: kind.name))
ordinary_kinds = st.sampled_from([alert_type(name) for name in sorted(alert_types()) if not alert_type(name).control])

purposes = st.sampled_from([purpose for purpose in handling_pb2.Purpose.values() if purpose])
audiences = st.sampled_from([agreement_pb2.AGENCY_CLASS_BORDER, agreement_pb2.AGENCY_CLASS_POLICE, agreement_pb2.AGENCY_CLASS_NGO])
"""The classes of which every country of `tests.countries` has an agency."""


def alerts(kind: AlertType) -> st.SearchStrategy[Message]:
    """Alerts of one type: any subset of its fields, each with any value that its rules allow."""
    values = {field.name: _field(field) for field in kind.message.DESCRIPTOR.fields}
    return st.fixed_dictionaries({}, optional=values).map(lambda chosen: kind.message(**chosen))


@st.composite
def handlings(draw: st.DrawFn) -> handling_pb2.Handling:
    """Handlings of good form, with unset rules and with enum numbers that this version does not know."""
    codes = draw(st.sets(st.sampled_from([1, 2, 3, 4, UNKNOWN_ENUM_NUMBER])))
    return handling_pb2.Handling(
        codes=[handling_pb2.HandlingCode.ValueType(code) for code in sorted(codes)],
        permitted_purposes=sorted(draw(st.sets(purposes))),
        judicial_use=handling_pb2.JudicialUse.ValueType(draw(st.sampled_from([0, 1, 2, 3, UNKNOWN_ENUM_NUMBER]))),
        onward=handling_pb2.OnwardRule.ValueType(draw(st.sampled_from([0, 1, 2, UNKNOWN_ENUM_NUMBER]))),
        retention_days=draw(st.sampled_from([0, 1, 30, 36525])),
        confirm_before_coercive_action=draw(st.booleans()),
    )


@st.composite
def clauses(draw: st.DrawFn, kind: AlertType, sender: str, recipient: str) -> agreement_pb2.Clause:
    """Clauses about one alert type: each field required, permitted, on request or forbidden; some name fields of a later profile."""
    numbers = [*kind.numbers, 63, 64]
    marks = dict(zip(numbers, draw(st.text("RMC-", min_size=len(numbers), max_size=len(numbers))), strict=True))
    return agreement_pb2.Clause(
        sender=sender,
        recipient=recipient,
        audience=draw(audiences),
        alert_type=kind.name,
        purposes=sorted(draw(st.sets(purposes, min_size=1))),
        required=[number for number, mark in marks.items() if mark == "R"],
        permitted=[number for number, mark in marks.items() if mark == "M"],
        on_request=[number for number, mark in marks.items() if mark == "C"],
        maximum_retention_days=draw(st.integers(1, 36525)),
        onward=draw(st.sampled_from([handling_pb2.ONWARD_RULE_NONE, handling_pb2.ONWARD_RULE_ASK])),
    )


@cache
def _nested(descriptor: Descriptor) -> st.SearchStrategy[Message]:
    """Nested messages: what tracks presence may be unset, the rest must keep its rules in any case."""
    always = {field.name: _field(field) for field in descriptor.fields if not field.has_presence}
    maybe = {field.name: _field(field) for field in descriptor.fields if field.has_presence}
    message_type = GetMessageClass(descriptor)
    return st.fixed_dictionaries(always, optional=maybe).map(lambda chosen: message_type(**chosen))


@cache
def _field(field: FieldDescriptor) -> st.SearchStrategy[object]:
    rules = field.GetOptions().Extensions[validate_pb2.field]
    if field.is_repeated:
        repeated = rules.repeated
        most = min(repeated.max_items or 2, repeated.min_items + 2)
        return st.lists(_one(field, repeated.items), min_size=repeated.min_items, max_size=most)
    return _one(field, rules)


def _one(field: FieldDescriptor, rules: validate_pb2.FieldRules) -> st.SearchStrategy[object]:
    if field.message_type is not None:
        return _nested(field.message_type)
    if field.enum_type is not None:
        return st.sampled_from([*field.enum_type.values_by_number, UNKNOWN_ENUM_NUMBER])
    if field.type == FieldDescriptor.TYPE_BOOL:
        return st.booleans()
    if field.type == FieldDescriptor.TYPE_BYTES:
        size = rules.bytes.len
        return st.binary(min_size=size, max_size=size or _LONGEST)
    if field.type == FieldDescriptor.TYPE_STRING:
        if rules.string.pattern:
            return st.from_regex(rules.string.pattern, fullmatch=True)
        least = rules.string.min_len
        most = min(rules.string.max_len or _LONGEST, least + _LONGEST)
        return st.text(st.characters(codec="utf-8"), min_size=least, max_size=most)
    name, lowest, highest = _INTEGERS[field.type]
    bounds = getattr(rules, name)
    return st.integers(
        bounds.gte if bounds.HasField("gte") else lowest,
        bounds.lte if bounds.HasField("lte") else highest,
    )
