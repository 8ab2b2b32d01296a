"""One step of a draft that two windows changed: whether they did, and what stands in either, field by field."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from node.console.compose_form import Part
from node.console.compose_steps import SEND, Step
from node.operations.draft_box import DraftContent


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Differing:
    """One field. No repr: it is about a person."""

    label: str
    anchor: str
    """Empty where the page has no such field any more."""
    saved: str
    typed: str


def stand_of(content: DraftContent, step: Step) -> str:
    """What tells whether the fields of a step stand as they stood when its page was made."""
    alert = content.document.get("alert")
    typed = {name: alert.get(name) for name in step.fields} if isinstance(alert, dict) else {}
    around = {**content.document, "alert": None, "reason": content.reason} if step.code == SEND else {}
    return sha256(json.dumps([typed, around], sort_keys=True).encode()).hexdigest()[:32]


def differing(saved: Iterable[Part], typed: Iterable[Part]) -> list[Differing]:
    """The fields of a step that say one thing as it is saved and another as it was typed."""
    stored, given = dict(_fields(saved)), dict(_fields(typed))
    found = []
    for path in dict.fromkeys((*given, *stored)):
        before, now = stored.get(path, ("", "", "")), given.get(path, ("", "", ""))
        if before[1] != now[1]:
            found.append(Differing(label=now[0] or before[0], anchor=now[2], saved=before[1], typed=now[1]))
    return found


def _fields(parts: Iterable[Part], within: Sequence[str] = ()) -> Iterable[tuple[str, tuple[str, str, str]]]:
    for part in parts:
        labels = (*within, part.label)
        if part.kind in {"group", "rows"}:
            # The rows of a list name it themselves.
            yield from _fields(part.parts, within if part.kind == "rows" else labels)
            continue
        chosen = [option.words for option in part.options if option.chosen and option.value]
        text = "; ".join(part.said) if part.kind == "line" else part.value or ", ".join(chosen)
        yield part.path, (": ".join(labels), text, part.anchor)


def still(form: Mapping[str, str], step: Step, content: DraftContent) -> bool:
    """Whether the fields of a step are as whoever sent its form saw them, whatever else of the draft was changed since."""
    return form.get("stand") == stand_of(content, step)
