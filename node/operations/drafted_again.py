"""What a draft of the schema says, as its author would have typed it: an alert file that reads to the same draft."""

import json

from google.protobuf.message import Message

from exchange.encoding import encode
from exchange.profile import alert_type
from exchange.v1.desk_service_pb2 import Draft
from exchange.v1.disclosure_pb2 import OnRequestGround
from exchange.v1.people_pb2 import Text
from node.documents import enum_name
from node.intake.fields import is_nothing
from node.intake.fill_in import take_out
from node.intake.plain_document import Plain
from node.tips.draft_file import draft_document


def typed_again(draft: Draft) -> dict[str, Plain]:
    """The document of `DraftContent`, without what follows from the rest; ids of requests and what the author knows of are not in it."""
    kind = alert_type(draft.alert_type)
    alert = kind.message.FromString(draft.alert)
    take_out(alert)
    said = Draft()
    said.CopyFrom(draft)
    said.alert = encode(alert)
    names = {one.number: one.name for one in kind.fields}
    # As the reader of alert files has it: numbers are texts.
    document: dict[str, Plain] = json.loads(json.dumps(draft_document(said)), parse_int=str)
    document |= {
        "language": _language(alert),
        "originator": draft.originator,
        "supersedes": [one.hex() for one in draft.supersedes],
        "in_reply_to": draft.in_reply_to.hex(),
        "leave_out": [names[number] for number in draft.unticked],
        "on_request": [
            {
                "recipient": one.recipient,
                "field": names[one.field],
                "ground": enum_name(OnRequestGround.DESCRIPTOR, one.ground),
                **({"request_digest": one.request_digest.hex()} if one.request_digest else {}),
            }
            for one in draft.on_request
        ],
    }
    if not draft.not_after:
        del document["not_after"]
    return {name: value for name, value in document.items() if not is_nothing(value)}


def _language(alert: Message) -> str:
    """Of the first text; what is written in addition is in that language too, unless it says otherwise."""
    for field, value in alert.ListFields():
        for inner in (value if field.is_repeated else [value]) if field.message_type else ():
            found = inner.language if isinstance(inner, Text) else _language(inner)
            if found:
                return str(found)
    return ""
