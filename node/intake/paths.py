"""Where something stands in an alert: `itinerary[0].arrival.zone`."""

from collections.abc import Iterator
from typing import Any

from google.protobuf.message import Message


def at(path: str, name: str) -> str:
    """Tell the path of the field `name` of what stands at `path`; an empty path is the alert itself."""
    return f"{path}.{name}" if path else name


def item(path: str, index: int) -> str:
    """Tell the path of an element of a repeated field; indexes count from 0."""
    return f"{path}[{index}]"


def leaves(message: Message, path: str) -> Iterator[tuple[str, str, Any]]:
    """List (path, field name, value) of every value that is set in `message` itself, elements one by one."""
    for field, value in message.ListFields():
        where = at(path, field.name)
        if field.is_repeated:
            yield from ((item(where, index), field.name, element) for index, element in enumerate(value))
        else:
            yield where, field.name, value


def walk(message: Message, path: str = "") -> Iterator[tuple[str, Message]]:
    """List a message and all messages inside it with their paths, outer before inner."""
    yield path, message
    for where, _, value in leaves(message, path):
        if isinstance(value, Message):
            yield from walk(value, where)
