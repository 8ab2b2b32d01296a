"""Where something stands in an alert: `itinerary[0].arrival.zone`."""

from collections.abc import Callable, Iterable
from functools import cache

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from exchange.v1.desk_service_pb2 import Problem


def at(path: str, name: str) -> str:
    """Tell the path of `name`, itself a path or empty, inside what stands at `path`; an empty path is the alert itself."""
    return f"{path}.{name}" if path and name else path or name


def item(path: str, index: int) -> str:
    """Tell the path of an element of a repeated field; indexes count from 0."""
    return f"{path}[{index}]"


@cache
def messages_in(descriptor: Descriptor) -> tuple[tuple[str, bool], ...]:
    """List the fields of a message type that hold messages: name, and whether it repeats."""
    return tuple((field.name, field.is_repeated) for field in descriptor.fields if field.message_type)


def look_through(message: Message, look: Callable[[Message], Iterable[Problem]]) -> list[Problem]:
    """Look at a message and at every message inside it, outer before inner.

    `look` tells paths within the one message that it is shown. They are completed only for what it finds, because a node
    checks every alert that it releases, and nearly all are right.
    """
    found = list(look(message))
    for name, repeats in messages_in(message.DESCRIPTOR):
        if repeats:
            for index, inner in enumerate(getattr(message, name)):
                found += _inside(item(name, index), look_through(inner, look))
        elif message.HasField(name):
            found += _inside(name, look_through(getattr(message, name), look))
    return found


def _inside(path: str, found: list[Problem]) -> list[Problem]:
    for problem in found:
        problem.field = at(path, problem.field)
    return found
